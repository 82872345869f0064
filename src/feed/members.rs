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
            let among = |ranks: &Ranks| ranks.by_date.iter().rev().take(shown).any(|member| *member == place);
            let showing = sibling.feeds.iter().filter(|topic| self.feeds.get(*topic).is_some_and(among));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::{Language, LocalText};
    use crate::site::Category;
    use jiff::tz::TimeZone;

    fn language(tag: &str) -> Language {
        Language::parse(tag).unwrap()
    }

    fn site() -> Site {
        let category = |slug: &str, parent: Option<&str>| Category {
            slug: slug.to_owned(),
            title: LocalText::Same(slug.to_owned()),
            description: None,
            wp_id: None,
            parent: parent.map(str::to_owned),
            retired: None,
        };
        Site {
            title: LocalText::Same("Site".to_owned()),
            description: None,
            base_url: "http://news.example.org".parse().unwrap(),
            languages: vec![language("en"), language("ja")],
            time_zone: TimeZone::UTC,
            postal_address: String::new(),
            id_authority: None,
            donate_url: None,
            contact_url: None,
            categories: vec![category("above", None), category("below", Some("above"))],
            legacy: Vec::new(),
            imprint: crate::site::Imprint::default(),
        }
    }

    /// `7:en:a:below` is article 7, in English, of group `a`, in a category; the number is its
    /// date and its place too.
    fn change(text: &str) -> Change {
        let parts: Vec<&str> = text.split(':').collect();
        let id: i64 = parts[0].parse().unwrap();
        Change {
            id,
            changed_seq: id,
            is_public: true,
            published_seq: id,
            language: language(parts[1]),
            translation_group: parts[2].to_owned(),
            published_at: Timestamp::from_millis(id),
            categories: parts.get(3).map(|slug| (*slug).to_owned()).into_iter().collect(),
        }
    }

    fn follow(members: &mut Members, change: &Change) -> Vec<String> {
        let touched = members.follow(&site(), change, 2);
        touched.into_iter().map(|topic| format!("{}/{}", topic.language, topic.category().unwrap_or_default())).collect()
    }

    #[test]
    fn a_change_touches_where_the_article_was_and_is_and_what_shows_its_translations() {
        let mut members = Members::default();
        assert_eq!(follow(&mut members, &change("1:en:a:below")), ["en/", "en/above", "en/below"]);
        assert_eq!(follow(&mut members, &change("2:ja:a:other")), ["en/", "en/above", "en/below", "ja/", "ja/other"]);
        assert_eq!(follow(&mut members, &change("3:fr:a")), ["en/", "en/above", "en/below", "ja/", "ja/other"], "no menu, but linked");
        assert_eq!(follow(&mut members, &change("4:en:b")), ["en/"]);
        assert_eq!(follow(&mut members, &change("5:en:c")), ["en/"]);
        assert_eq!(
            follow(&mut members, &change("2:ja:a:other")),
            ["en/above", "en/below", "ja/", "ja/other"],
            "not among the newest of en/"
        );
        let moved = Change { categories: vec!["above".to_owned()], ..change("1:en:a") };
        assert_eq!(follow(&mut members, &moved), ["en/", "en/above", "en/below", "ja/", "ja/other"]);
        assert_eq!(members.newest(&Topic::of_category(&language("en"), "below"), 9), [] as [i64; 0]);
        assert_eq!(members.newest(&Topic::site(&language("en")), 2), [5, 4]);
        let gone = Change { is_public: false, ..change("5:en:c") };
        assert_eq!(follow(&mut members, &gone), ["en/"]);
        assert_eq!(members.newest(&Topic::site(&language("en")), 9), [4, 1]);
        assert_eq!(members.above(&Topic::site(&language("en")), 1).collect::<Vec<_>>(), [(4, 4)]);
        assert_eq!(follow(&mut members, &gone), ["en/"], "once more is as well");
    }

    #[test]
    fn a_new_date_and_a_new_place_replace_the_old_ones() {
        let mut members = Members::default();
        for text in ["1:en:a", "2:en:b", "3:en:c"] {
            follow(&mut members, &change(text));
        }
        let again = Change { published_at: Timestamp::from_millis(9), published_seq: 9, ..change("1:en:a") };
        follow(&mut members, &again);
        let topic = Topic::site(&language("en"));
        assert_eq!(members.newest(&topic, 9), [1, 3, 2]);
        assert_eq!(members.above(&topic, 0).collect::<Vec<_>>(), [(2, 2), (3, 3), (9, 1)]);
    }
}
