//! Feeds: which articles, in which order, as which bytes, with which validators.

use crate::clock::Timestamp;
use crate::language::Language;
use crate::site::FeedFormat;
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// How feeds are made.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Entries in a current feed.
    pub items: u32,
    /// How long readers may keep it: `ttl` and `max-age`.
    pub ttl: Duration,
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

/// A feed as served.
#[derive(Debug)]
pub struct Published {
    /// As it is.
    pub identity: Vec<u8>,
    /// Compressed with gzip.
    pub gzip: Vec<u8>,
    /// Hash of the identity bytes: the stem of the ETags.
    pub hash: String,
    /// When these bytes were first published, in whole seconds.
    pub last_modified: Timestamp,
}

/// The feeds served now. Clones share it; a look-up takes no lock.
#[derive(Clone, Default)]
pub struct Shelf(Arc<ArcSwap<HashMap<FeedKey, Arc<Published>>>>);

impl Shelf {
    /// A feed, if it has been published.
    pub fn get(&self, key: &FeedKey) -> Option<Arc<Published>> {
        self.0.load().get(key).cloned()
    }
}
