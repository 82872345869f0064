//! Feeds: which articles, in which order, as which bytes, with which validators.
//!
//! [`FeedStep`] turns articles into a [`Feed`] for each topic and language, the
//! three formats turn that into bytes, and the [`Shelf`] holds what is served: no request waits
//! for the database. That is so for what many follow; what few ask for (a tag, a month, the
//! archive) is made when they ask, by [`Demand`].

mod atom;
mod clean;
mod closing;
mod coding;
mod demand;
mod extension;
mod gate;
mod heading;
mod history;
mod hub;
mod json;
mod media;
mod members;
mod model;
mod pages;
mod plan;
mod press;
mod readers;
mod remark;
mod report;
mod rss;
mod shelf;
mod step;
mod store;
mod topic;
mod validators;

pub use coding::{Coded, Coding};
pub use demand::{Answer, Demand};
pub use hub::HubStep;
pub use model::{Feed, direction, link_of};
pub use pages::Pages;
pub use press::CodingStep;
pub use readers::{Readers, ReadersStep, Readership, readership};
pub use shelf::{Headline, Published, Shelf};
pub use step::FeedStep;
pub use store::{Publishing, published};
pub use topic::{FeedKey, Filter, Part, Post, Subject, Terms, Topic};

use crate::site::FeedFormat;
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

/// A feed's bytes in a format: the same for the same articles, whenever they are made.
pub fn render(feed: &Feed<'_>, format: FeedFormat) -> anyhow::Result<Vec<u8>> {
    match format {
        FeedFormat::Rss => rss::render(feed),
        FeedFormat::Atom => atom::render(feed),
        FeedFormat::Json => json::render(feed),
    }
}
