//! The feeds served now.

use super::FeedKey;
use super::coding::{Coded, Coding};
use crate::clock::Timestamp;
use crate::language::Language;
use crate::task::Kick;
use arc_swap::ArcSwap;
use hyper::header::HeaderValue;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// A feed as served.
#[derive(Debug)]
pub struct Published {
    /// Which it is.
    pub key: FeedKey,
    /// What it is called.
    pub title: String,
    /// What its topic is called: the category, or the site.
    pub topic: String,
    /// Its own path on the site.
    pub path: String,
    /// Its own address and those of its hubs, as the header field `Link` says them.
    pub links: HeaderValue,
    /// Its media type with the charset.
    pub content_type: HeaderValue,
    /// Its bytes.
    pub coded: Coded,
    /// Hash of the identity bytes: the stem of the ETags.
    pub hash: String,
    /// When these bytes were first published, in whole seconds, where that is kept.
    pub last_modified: Option<Timestamp>,
    /// The same, as headers say it.
    pub last_modified_date: Option<HeaderValue>,
    /// How many entries it has.
    pub entries: usize,
    /// What people are shown of it, the newest first.
    pub headlines: Vec<Headline>,
}

/// An entry of a feed as people are shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headline {
    /// Plain text.
    pub title: String,
    /// Absolute.
    pub link: String,
    /// Which language it is in.
    pub language: Language,
    /// When it was published.
    pub published: Timestamp,
}

impl Headline {
    /// So many of a feed: enough to see what comes.
    pub(super) const SHOWN: usize = 10;
}

/// What a publication is made of.
pub(super) struct Publication {
    pub(super) key: FeedKey,
    pub(super) path: String,
    pub(super) links: String,
    pub(super) title: String,
    pub(super) topic: String,
    pub(super) bytes: Vec<u8>,
    pub(super) hash: String,
    pub(super) entries: usize,
    pub(super) headlines: Vec<Headline>,
}

impl Published {
    /// Publishes bytes as of an instant: as they are and in gzip.
    pub(super) fn new(made: Publication, last_modified: Option<Timestamp>) -> anyhow::Result<Self> {
        let date = |instant: Timestamp| UNIX_EPOCH + Duration::from_secs(u64::try_from(instant.as_seconds()).unwrap_or(0));
        let date = last_modified.map(|instant| HeaderValue::try_from(httpdate::fmt_http_date(date(instant)))).transpose()?;
        Ok(Self {
            coded: Coded::new(made.bytes, &made.hash)?,
            links: HeaderValue::try_from(made.links)?,
            content_type: HeaderValue::try_from(format!("{}; charset=utf-8", made.key.format.media_type()))?,
            last_modified_date: date,
            title: made.title,
            topic: made.topic,
            path: made.path,
            hash: made.hash,
            last_modified,
            entries: made.entries,
            headlines: made.headlines,
            key: made.key,
        })
    }
}

/// The feeds served now. Clones share it; a look-up takes no lock.
#[derive(Clone, Default)]
pub struct Shelf {
    contents: Arc<ArcSwap<Contents>>,
    /// Kicked when something was published.
    pub published: Kick,
}

#[derive(Clone, Default)]
struct Contents {
    /// Shared keys: each publication copies the maps, and only those.
    feeds: BTreeMap<Arc<FeedKey>, Arc<Published>>,
    /// The same by their own paths.
    paths: HashMap<Arc<str>, Arc<Published>>,
    /// Whether every feed has been published once since the start.
    complete: bool,
    /// Feeds that exist, and of which the new bytes are not fit to be published.
    withheld: BTreeSet<FeedKey>,
}

impl Shelf {
    /// A feed, if it has been published.
    pub fn get(&self, key: &FeedKey) -> Option<Arc<Published>> {
        self.contents.load().feeds.get(key).cloned()
    }

    /// The feed whose own path this is: the quick way for what readers ask for most.
    pub fn at(&self, path: &str) -> Option<Arc<Published>> {
        self.contents.load().paths.get(path).cloned()
    }

    /// What lacks a coding, the newest first.
    pub(super) fn uncoded(&self) -> Option<(Arc<Published>, Coding)> {
        let contents = self.contents.load();
        let lacking = contents.feeds.values().filter_map(|feed| Some((feed, feed.coded.missing()?)));
        lacking.max_by_key(|(feed, _)| feed.last_modified).map(|(feed, coding)| (Arc::clone(feed), coding))
    }

    /// Whether every feed has been published once since the start: only then is a feed that is
    /// not here one that does not exist.
    pub fn is_complete(&self) -> bool {
        self.contents.load().complete
    }

    /// Whether a feed that is not here exists all the same: what was made of it is not fit to be
    /// published.
    pub fn is_withheld(&self, key: &FeedKey) -> bool {
        self.contents.load().withheld.contains(key)
    }

    /// Notes which feeds exist and cannot be published.
    pub(super) fn withhold(&self, keys: &BTreeSet<FeedKey>) {
        if self.contents.load().withheld != *keys {
            self.contents.rcu(|now| Contents { withheld: keys.clone(), ..Contents::clone(now) });
        }
    }

    /// Every feed, in a stable order.
    pub fn catalogue(&self) -> Vec<(FeedKey, Arc<Published>)> {
        self.contents.load().feeds.iter().map(|(key, feed)| (FeedKey::clone(key), Arc::clone(feed))).collect()
    }

    /// Puts feeds in the places of older ones, all at once for whoever looks.
    pub(super) fn publish(&self, feeds: &[(FeedKey, Arc<Published>)], complete: bool) {
        self.contents.rcu(|now| {
            let mut next = Contents::clone(now);
            next.feeds.extend(feeds.iter().map(|(key, feed)| (Arc::new(key.clone()), Arc::clone(feed))));
            next.paths.extend(feeds.iter().map(|(_, feed)| (Arc::from(feed.path.as_str()), Arc::clone(feed))));
            next.complete |= complete;
            next
        });
        if !feeds.is_empty() {
            self.published.kick();
        }
    }
}
