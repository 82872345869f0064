//! Lists of articles: what each line shows, the way to older ones, the archive by month.

use super::State;
use super::layout::{Layout, NavLink};
use crate::clock::Timestamp;
use crate::content::{self, Article, Line, Signpost};
use crate::feed::{direction, link_of};
use crate::language::Language;
use crate::site::Site;
use sqlx::AnyConnection;
use std::sync::Arc;

/// Articles on one page of a list.
const PER_PAGE: usize = 15;

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

/// The language of a text that is not in the page's.
pub(super) struct Tongue {
    pub(super) tag: String,
    pub(super) direction: &'static str,
    /// In its own words.
    pub(super) name: String,
}

impl Tongue {
    /// Nothing where the text is in the page's language.
    pub(super) fn of(layout: &Layout, language: &Language) -> Option<Self> {
        let tongue = || Self { tag: language.to_string(), direction: direction(language), name: language.own_name() };
        (*language != layout.language).then(tongue)
    }
}

/// An article in a list.
pub(super) struct Excerpt {
    pub(super) href: String,
    pub(super) title: String,
    pub(super) summary: String,
    pub(super) tongue: Option<Tongue>,
    pub(super) day: Day,
    pub(super) categories: Vec<NavLink>,
}

impl Excerpt {
    fn of(state: &State, layout: &Layout, article: &Article) -> Self {
        Self {
            href: link_of(&state.site, article),
            title: article.title.clone(),
            summary: article.summary.clone(),
            tongue: Tongue::of(layout, &article.language),
            day: Day::of(state, layout, article.published_at),
            categories: category_links(state, layout, article),
        }
    }
}

/// The pages of an article's categories.
pub(super) fn category_links(state: &State, layout: &Layout, article: &Article) -> Vec<NavLink> {
    let lasting = article.categories.iter().filter(|slug| !state.site.has_ended(slug, state.clock.now()));
    lasting.map(|slug| category_link(state, layout, slug)).collect()
}

/// The page of a category.
pub(super) fn category_link(state: &State, layout: &Layout, slug: &str) -> NavLink {
    NavLink { href: state.site.page_path(&layout.language, &["category", slug]), text: layout.category_title(state, slug) }
}

/// Where this site shows an article, from what a list of titles knows of it.
pub(super) fn page_of(site: &Site, post: &Signpost) -> String {
    match &post.canonical_url {
        Some(url) if url.starts_with(site.base_url.as_str()) => url.clone(),
        _ => site.link(&site.article_path(&post.language, &post.month, &post.slug)),
    }
}

/// One page of a list, and the ways on.
pub(super) struct Listing {
    pub(super) entries: Vec<Excerpt>,
    pub(super) position: String,
    pub(super) newer: Option<String>,
    pub(super) older: Option<String>,
}

impl Listing {
    /// The `page`th page of these lines, below `base`; nothing where there is none.
    pub(super) async fn load(
        connection: &mut AnyConnection,
        state: &State,
        layout: &Layout,
        lines: &[&Arc<Line>],
        base: &str,
        page: i64,
    ) -> anyhow::Result<Option<Self>> {
        let pages = i64::try_from(lines.len().div_ceil(PER_PAGE))?;
        if page > pages.max(1) {
            return Ok(None);
        }
        let before = usize::try_from(page - 1)? * PER_PAGE;
        let ids: Vec<i64> = lines.iter().skip(before).take(PER_PAGE).map(|line| line.id).collect();
        let articles = content::by_ids(connection, &ids).await?;
        let address = |number| if number == 1 { base.to_owned() } else { format!("{base}?page={number}") };
        Ok(Some(Self {
            entries: articles.iter().map(|article| Excerpt::of(state, layout, article)).collect(),
            position: layout.voice.say_all("page-of", &[("page", page.to_string().into()), ("pages", pages.to_string().into())]),
            newer: (page > 1).then(|| address(page - 1)),
            older: (page < pages).then(|| address(page + 1)),
        }))
    }
}
