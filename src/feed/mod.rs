//! Feeds: which articles, in which order, as which bytes, with which validators.
//!
//! [`FeedStep`] turns articles into a [`Feed`] for each topic and language, the
//! three formats turn that into bytes, and the [`Shelf`] holds what is served: no request waits
//! for the database.

mod atom;
mod clean;
mod extension;
mod gate;
mod hub;
mod json;
mod media;
mod model;
mod remark;
mod report;
mod rss;
mod shelf;
mod step;
mod store;
mod validators;

pub use hub::HubStep;
pub use model::{Feed, direction, link_of};
pub use shelf::{Published, Shelf};
pub use step::FeedStep;

use crate::language::Language;
use crate::site::{FeedFormat, Site};
use std::time::Duration;
use url::Url;

/// What documents say they were made by. No version: an upgrade changes no feed.
const GENERATOR: &str = "Clarion";

/// How feeds are made.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Entries in a current feed.
    pub items: u32,
    /// How long readers may keep it: `ttl` and `max-age`.
    pub ttl: Duration,
    /// Who is told of every change (WebSub).
    pub hubs: Vec<Url>,
}

/// What a feed is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Topic {
    /// In which language.
    pub language: Language,
    /// Which category; `None`: the whole site.
    pub category: Option<String>,
}

impl Topic {
    /// The feed on this topic in a format.
    pub fn key(&self, format: FeedFormat) -> FeedKey {
        FeedKey { language: self.language.clone(), category: self.category.clone(), format }
    }
}

/// Which feed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FeedKey {
    /// In which language.
    pub language: Language,
    /// Of which category; `None`: of the whole site.
    pub category: Option<String>,
    /// In which format.
    pub format: FeedFormat,
}

impl FeedKey {
    /// The path at which it is served.
    pub fn path(&self, site: &Site) -> String {
        site.feed_path(&self.language, self.category.as_deref(), self.format)
    }
}

/// A feed's bytes in a format: the same for the same articles, whenever they are made.
pub fn render(feed: &Feed<'_>, format: FeedFormat) -> anyhow::Result<Vec<u8>> {
    match format {
        FeedFormat::Rss => rss::render(feed),
        FeedFormat::Atom => atom::render(feed),
        FeedFormat::Json => json::render(feed),
    }
}
