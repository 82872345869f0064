//! Lists of articles: what each line shows, the way to older ones, the archive by month.

use super::State;
use super::layout::{Layout, NavLink};
use crate::clock::Timestamp;
use crate::content::{self, Article, Selection};
use crate::feed::{direction, link_of};
use sqlx::AnyConnection;
use std::collections::BTreeMap;

/// Articles on one page of a list.
const PER_PAGE: i64 = 15;

/// A day as people and as programs read it.
pub(super) struct Day {
    pub(super) text: String,
    pub(super) machine: String,
}

impl Day {
    pub(super) fn of(state: &State, layout: &Layout, instant: Timestamp) -> Self {
        let day = instant.in_zone(&state.site.time_zone).date();
        Self { text: layout.voice.date(day), machine: day.to_string() }
    }
}

/// An article in a list.
pub(super) struct Excerpt {
    pub(super) href: String,
    pub(super) title: String,
    pub(super) summary: String,
    pub(super) language: String,
    pub(super) direction: &'static str,
    pub(super) day: Day,
    pub(super) categories: Vec<NavLink>,
}

impl Excerpt {
    fn of(state: &State, layout: &Layout, article: &Article) -> Self {
        Self {
            href: link_of(&state.site, article),
            title: article.title.clone(),
            summary: article.summary.clone(),
            language: article.language.to_string(),
            direction: direction(&article.language),
            day: Day::of(state, layout, article.published_at),
            categories: category_links(state, layout, article),
        }
    }
}

/// The pages of an article's categories.
pub(super) fn category_links(state: &State, layout: &Layout, article: &Article) -> Vec<NavLink> {
    let link = |slug: &String| NavLink {
        href: state.site.page_path(&layout.language, &["category", slug]),
        text: layout.category_title(state, slug),
    };
    article.categories.iter().map(link).collect()
}

/// One page of a list, and the ways on.
pub(super) struct Listing {
    pub(super) entries: Vec<Excerpt>,
    pub(super) position: String,
    pub(super) newer: Option<String>,
    pub(super) older: Option<String>,
}

impl Listing {
    /// The `page`th page of the articles selected, below `base`; nothing where there is none.
    pub(super) async fn load(
        connection: &mut AnyConnection,
        state: &State,
        layout: &Layout,
        selection: &Selection<'_>,
        base: &str,
        page: i64,
    ) -> anyhow::Result<Option<Self>> {
        let pages = (content::count(connection, selection).await? + PER_PAGE - 1) / PER_PAGE;
        if page > pages.max(1) {
            return Ok(None);
        }
        let articles = content::latest(connection, selection, PER_PAGE, (page - 1) * PER_PAGE).await?;
        let address = |number| if number == 1 { base.to_owned() } else { format!("{base}?page={number}") };
        Ok(Some(Self {
            entries: articles.iter().map(|article| Excerpt::of(state, layout, article)).collect(),
            position: layout.voice.say_all("page-of", &[("page", page.to_string().into()), ("pages", pages.to_string().into())]),
            newer: (page > 1).then(|| address(page - 1)),
            older: (page < pages).then(|| address(page + 1)),
        }))
    }
}

/// The months of a year that have articles.
pub(super) struct ArchiveYear {
    pub(super) year: String,
    pub(super) months: Vec<NavLink>,
}

/// Every month that has articles in the page's language, the newest first.
pub(super) async fn archive(connection: &mut AnyConnection, state: &State, layout: &Layout) -> anyhow::Result<Vec<ArchiveYear>> {
    let selection = Selection { language: Some(&layout.language), ..Selection::default() };
    let mut years: BTreeMap<String, Vec<NavLink>> = BTreeMap::new();
    for (month, count) in content::months(connection, &selection).await? {
        let Some((year, number)) = month.split_once('/') else { continue };
        let named = layout.voice.say_with("month-name", "month", number.parse::<i64>().unwrap_or(1));
        years.entry(year.to_owned()).or_default().push(NavLink {
            href: state.site.page_path(&layout.language, &[year, number]),
            text: layout.voice.say_all("month-with-count", &[("month", named.into()), ("count", count.into())]),
        });
    }
    let named = |year: &String| layout.voice.say_with("year-heading", "year", year.clone());
    Ok(years.into_iter().rev().map(|(year, months)| ArchiveYear { year: named(&year), months }).collect())
}

/// A month as a heading.
pub(super) fn month_heading(layout: &Layout, month: &str) -> String {
    let (year, number) = month.split_once('/').unwrap_or((month, "1"));
    let named = layout.voice.say_with("month-name", "month", number.parse::<i64>().unwrap_or(1));
    layout.voice.say_all("month-heading", &[("month", named.into()), ("year", year.to_owned().into())])
}
