//! The feeds served now.

use super::FeedKey;
use crate::clock::Timestamp;
use arc_swap::ArcSwap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A feed as served.
#[derive(Debug)]
pub struct Published {
    /// What it is called.
    pub title: String,
    /// What its topic is called: the category, or the site.
    pub topic: String,
    /// As it is.
    pub identity: Vec<u8>,
    /// Compressed with gzip.
    pub gzip: Vec<u8>,
    /// Hash of the identity bytes: the stem of the ETags.
    pub hash: String,
    /// When these bytes were first published, in whole seconds; nothing where that is not kept,
    /// see [`super::Demand`].
    pub last_modified: Option<Timestamp>,
}

/// The feeds served now. Clones share it; a look-up takes no lock.
#[derive(Clone, Default)]
pub struct Shelf(Arc<ArcSwap<Contents>>);

#[derive(Clone, Default)]
struct Contents {
    /// Shared keys: each publication copies the map, and only that.
    feeds: BTreeMap<Arc<FeedKey>, Arc<Published>>,
    /// Whether every feed has been published once since the start.
    complete: bool,
    /// Feeds that exist, and of which the new bytes are not fit to be published.
    withheld: BTreeSet<FeedKey>,
}

impl Shelf {
    /// A feed, if it has been published.
    pub fn get(&self, key: &FeedKey) -> Option<Arc<Published>> {
        self.0.load().feeds.get(key).cloned()
    }

    /// Whether every feed has been published once since the start: only then is a feed that is
    /// not here one that does not exist.
    pub fn is_complete(&self) -> bool {
        self.0.load().complete
    }

    /// Whether a feed that is not here exists all the same: what was made of it is not fit to be
    /// published.
    pub fn is_withheld(&self, key: &FeedKey) -> bool {
        self.0.load().withheld.contains(key)
    }

    /// Notes which feeds exist and cannot be published.
    pub(super) fn withhold(&self, keys: &BTreeSet<FeedKey>) {
        if self.0.load().withheld != *keys {
            self.0.rcu(|now| Contents { withheld: keys.clone(), ..Contents::clone(now) });
        }
    }

    /// Every feed, in a stable order.
    pub fn catalogue(&self) -> Vec<(FeedKey, Arc<Published>)> {
        self.0.load().feeds.iter().map(|(key, feed)| (FeedKey::clone(key), Arc::clone(feed))).collect()
    }

    /// Puts feeds in the places of older ones, all at once for whoever looks.
    pub(super) fn publish(&self, feeds: &[(FeedKey, Arc<Published>)], complete: bool) {
        self.0.rcu(|now| {
            let mut next = Contents::clone(now);
            next.feeds.extend(feeds.iter().map(|(key, feed)| (Arc::new(key.clone()), Arc::clone(feed))));
            next.complete |= complete;
            next
        });
    }
}
