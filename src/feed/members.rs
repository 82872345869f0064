//! Which articles each common feed has, in memory: followed change by change, so that a change
//! costs the same however many articles and feeds there are.

use super::Topic;
use crate::clock::Timestamp;
use crate::content::Change;
use crate::site::Site;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The members of every common feed.
#[derive(Default)]
pub(super) struct Members {
    feeds: HashMap<Arc<Topic>, Ranks>,
    articles: HashMap<i64, Filed>,
    /// Public articles by what their translations have in common.
    groups: HashMap<Arc<str>, Vec<i64>>,
}

/// The members of a feed.
#[derive(Default)]
struct Ranks {
    /// By date, then row number.
    by_date: BTreeSet<(Timestamp, i64)>,
    /// By place in the order of publication.
    by_sequence: BTreeSet<(i64, i64)>,
}

/// A public article.
struct Filed {
    published_at: Timestamp,
    published_seq: i64,
    group: Arc<str>,
    feeds: Vec<Arc<Topic>>,
}

impl Members {
    /// The members of a feed, the newest first (date, then row number, descending).
    pub(super) fn newest(&self, topic: &Topic, limit: usize) -> Vec<i64> {
        let ranks = self.feeds.get(topic).into_iter().flat_map(|ranks| ranks.by_date.iter().rev());
        ranks.take(limit).map(|(_, id)| *id).collect()
    }

    /// Place in the order of publication and row number of the members above a place, in that
    /// order.
    pub(super) fn above(&self, topic: &Topic, sequence: i64) -> impl Iterator<Item = (i64, i64)> {
        self.feeds.get(topic).into_iter().flat_map(move |ranks| ranks.by_sequence.range((sequence + 1, 0)..)).copied()
    }

    /// Makes sure that there is a feed, though it may be empty. True: it is new.
    pub(super) fn open(&mut self, topic: Topic) -> bool {
        if self.feeds.contains_key(&topic) {
            return false;
        }
        self.feeds.insert(Arc::new(topic), Ranks::default());
        true
    }

    /// Follows a change. Returns the feeds to be made again: those that had the article or have it
    /// now, and those that show a translation of it among their `shown` newest.
    pub(super) fn follow(&mut self, site: &Site, change: &Change, shown: usize) -> BTreeSet<Topic> {
        let mut touched = BTreeSet::new();
        let before = self.articles.remove(&change.id);
        if let Some(before) = before {
            for topic in &before.feeds {
                if let Some(ranks) = self.feeds.get_mut(topic) {
                    ranks.by_date.remove(&(before.published_at, change.id));
                    ranks.by_sequence.remove(&(before.published_seq, change.id));
                }
                touched.insert(Topic::clone(topic));
            }
            let siblings = self.groups.get_mut(&before.group);
            let left = siblings.is_some_and(|siblings| {
                siblings.retain(|id| *id != change.id);
                siblings.is_empty()
            });
            if left {
                self.groups.remove(&before.group);
            }
            self.touch_translations(&before.group, shown, &mut touched);
        }
        // Also those of an article that has gone: who follows its category keeps a feed.
        let here = topics_of(site, change);
        touched.extend(here.iter().cloned());
        if change.is_public {
            self.touch_translations(&change.translation_group, shown, &mut touched);
            self.file(change, here);
        }
        touched
    }

    fn file(&mut self, change: &Change, topics: Vec<Topic>) {
        let group = match self.groups.get_key_value(change.translation_group.as_str()) {
            Some((known, _)) => Arc::clone(known),
            None => Arc::from(change.translation_group.as_str()),
        };
        self.groups.entry(Arc::clone(&group)).or_default().push(change.id);
        let feeds: Vec<Arc<Topic>> = topics.into_iter().map(|topic| self.shared(topic)).collect();
        for topic in &feeds {
            let ranks = self.feeds.entry(Arc::clone(topic)).or_default();
            ranks.by_date.insert((change.published_at, change.id));
            ranks.by_sequence.insert((change.published_seq, change.id));
        }
        let (published_at, published_seq) = (change.published_at, change.published_seq);
        self.articles.insert(change.id, Filed { published_at, published_seq, group, feeds });
    }

    /// A topic that many articles have in common is kept once.
    fn shared(&self, topic: Topic) -> Arc<Topic> {
        self.feeds.get_key_value(&topic).map_or_else(|| Arc::new(topic), |(known, _)| Arc::clone(known))
    }

    /// Entries link their translations.
    fn touch_translations(&self, group: &str, shown: usize, touched: &mut BTreeSet<Topic>) {
        for id in self.groups.get(group).into_iter().flatten() {
            let Some(sibling) = self.articles.get(id) else { continue };
            let place = (sibling.published_at, *id);
            let shows = |ranks: &Ranks| ranks.by_date.iter().rev().take(shown).any(|member| *member == place);
            let showing = sibling.feeds.iter().filter(|topic| self.feeds.get(*topic).is_some_and(shows));
            touched.extend(showing.map(|topic| Topic::clone(topic)));
        }
    }
}

/// The common feeds that a public article belongs to: of the site, of its categories, and of
/// those above them, in its language. An article in a language without a menu is in none.
fn topics_of(site: &Site, change: &Change) -> Vec<Topic> {
    if !site.languages.contains(&change.language) {
        return Vec::new();
    }
    let above = change.categories.iter().flat_map(|slug| site.ancestors(slug)).map(|category| category.slug.as_str());
    let slugs: BTreeSet<&str> = change.categories.iter().map(String::as_str).chain(above).collect();
    let of = |slug: &str| Topic::of_category(&change.language, slug);
    std::iter::once(Topic::site(&change.language)).chain(slugs.into_iter().map(of)).collect()
}
