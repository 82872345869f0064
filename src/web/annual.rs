//! Years and months: the titles of a year on one page, and the ways from one time to another.

use super::excerpt::{Tongue, page_of};
use super::layout::{Layout, NavLink};
use super::reading::{Visit, with_own_feeds};
use super::{State, page};
use crate::content::{self, Line, Lines, Wanted};
use crate::feed::{Filter, Topic};
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use sqlx::AnyConnection;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A title in the list of a year.
struct Title {
    href: String,
    text: String,
    tongue: Option<Tongue>,
    /// Of the month.
    day: i8,
    machine: String,
}

/// The titles of a month.
struct Month {
    heading: NavLink,
    titles: Vec<Title>,
}

#[derive(Template)]
#[template(path = "web/annual.html")]
struct AnnualPage {
    layout: Layout,
    title: String,
    count: String,
    months: Vec<Month>,
    years: Vec<NavLink>,
    /// The year shown, among `years`.
    here: String,
}

/// The titles of a year by month, the newest first.
pub(super) async fn show(connection: &mut AnyConnection, visit: &Visit<'_>, year: &str) -> anyhow::Result<Option<Response>> {
    if visit.number > 1 {
        return Ok(None);
    }
    let state = visit.state;
    let time = format!("{year}/");
    let wanted = Wanted { time: Some(&time), ..Wanted::default() };
    let layout =
        Layout::new(state, visit.language, &format!("/{year}/")).only_in(&state.site, |other| visit.lines.any_shown(other, wanted));
    let lines: Vec<&Arc<Line>> = visit.lines.shown(&layout.language, wanted).collect();
    if lines.is_empty() {
        return Ok(None);
    }
    let ids: Vec<i64> = lines.iter().map(|line| line.id).collect();
    let posts: HashMap<i64, content::Signpost> =
        content::signposts(connection, &ids).await?.into_iter().map(|post| (post.id, post)).collect();
    let mut months: Vec<Month> = Vec::new();
    for chunk in lines.chunk_by(|one, two| one.month == two.month) {
        let titles = chunk.iter().filter_map(|line| Some(title(state, &layout, line, posts.get(&line.id)?)));
        months.push(Month { heading: month_link(state, &layout, &chunk[0].month), titles: titles.collect() });
    }
    let years = years(state, &layout, visit.lines);
    let here = state.site.page_path(&layout.language, &[year]);
    let count = layout.voice.say_with("articles-count", "count", lines.len());
    let title = layout.voice.say_with("year-heading", "year", year.to_owned());
    let topic = Topic::articles(&layout.language, Filter::time(year));
    let layout = with_own_feeds(layout, state, &topic, &title);
    Ok(Some(page::html(StatusCode::OK, &AnnualPage { layout, title, count, months, years, here })))
}

fn title(state: &State, layout: &Layout, line: &Line, post: &content::Signpost) -> Title {
    let day = line.published_at.in_zone(&state.site.time_zone).date();
    Title {
        href: page_of(&state.site, post),
        text: post.title.clone(),
        tongue: Tongue::of(layout, &post.language),
        day: day.day(),
        machine: day.to_string(),
    }
}

/// The years that have articles, the newest first.
fn years(state: &State, layout: &Layout, lines: &Lines) -> Vec<NavLink> {
    archive(state, layout, lines).into_iter().map(|year| year.year).collect()
}

/// The months of a year that have articles.
pub(super) struct ArchiveYear {
    pub(super) year: NavLink,
    pub(super) all: String,
    pub(super) months: Vec<NavLink>,
}

/// Every month that has articles, the newest first.
pub(super) fn archive(state: &State, layout: &Layout, lines: &Lines) -> Vec<ArchiveYear> {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for line in lines.shown(&layout.language, Wanted::default()) {
        *counts.entry(&line.month).or_default() += 1;
    }
    let mut years: Vec<ArchiveYear> = Vec::new();
    for (month, count) in counts.into_iter().rev() {
        let Some((year, number)) = month.split_once('/') else { continue };
        let named = layout.voice.say_with("month-name", "month", number.parse::<i64>().unwrap_or(1));
        let link = NavLink {
            href: state.site.page_path(&layout.language, &[year, number]),
            text: layout.voice.say_all("month-with-count", &[("month", named.into()), ("count", count.into())]),
        };
        let year = year_link(state, layout, year);
        match years.last_mut().filter(|last| last.year.href == year.href) {
            Some(last) => last.months.push(link),
            None => years.push(ArchiveYear { all: layout.voice.say_with("year-all", "year", year.text.clone()), year, months: vec![link] }),
        }
    }
    years
}

/// The page of a year.
pub(super) fn year_link(state: &State, layout: &Layout, year: &str) -> NavLink {
    NavLink { href: state.site.page_path(&layout.language, &[year]), text: layout.voice.say_with("year-heading", "year", year.to_owned()) }
}

/// The page of a month, `yyyy/mm`.
pub(super) fn month_link(state: &State, layout: &Layout, month: &str) -> NavLink {
    let (year, number) = month.split_once('/').unwrap_or((month, "01"));
    let named = layout.voice.say_with("month-name", "month", number.parse::<i64>().unwrap_or(1));
    NavLink {
        href: state.site.page_path(&layout.language, &[year, number]),
        text: layout.voice.say_all("month-heading", &[("month", named.into()), ("year", year.to_owned().into())]),
    }
}

/// The months before and after one that have articles: older, newer.
pub(super) fn months_beside(state: &State, layout: &Layout, lines: &Lines, month: &str) -> (Option<NavLink>, Option<NavLink>) {
    let (mut older, mut newer): (Option<&str>, Option<&str>) = (None, None);
    for line in lines.shown(&layout.language, Wanted::default()) {
        let other: &str = &line.month;
        if other < month && older.is_none_or(|known| other > known) {
            older = Some(other);
        }
        if other > month && newer.is_none_or(|known| other < known) {
            newer = Some(other);
        }
    }
    let link = |month: Option<&str>| month.map(|month| month_link(state, layout, month));
    (link(older), link(newer))
}
