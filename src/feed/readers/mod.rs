//! How many people read a feed through an aggregator, without tracking anybody: aggregators fetch
//! once for all their subscribers, and say in `User-Agent` how many these are.
//!
//! What is kept is a number per feed, day and aggregator. It is what they claim: anybody can send
//! such a header, so it is worth what a hint is worth.

mod step;
mod store;

pub use step::ReadersStep;
pub use store::{Readership, readership};

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What is counted of aggregators that are not known by name.
const OTHERS: &str = "other";
/// Feeds times aggregators that wait to be written at most.
const WAITING: usize = 50_000;
/// No aggregator has more subscribers to one feed; who says so is not believed.
const MOST: u64 = 10_000_000;
/// In octets: longer than any such header.
const LONGEST: usize = 512;

/// How they name themselves, and how we name them: so the list is bounded, whatever is claimed.
const KNOWN: &[(&str, &str)] = &[
    ("aolreader", "AOL Reader"),
    ("bazqux", "BazQux"),
    ("blogarama", "Blogarama"),
    ("bloglovin", "Bloglovin"),
    ("commafeed", "CommaFeed"),
    ("digg", "Digg Reader"),
    ("fastladder", "Fastladder"),
    ("feedbin", "Feedbin"),
    ("feedly", "Feedly"),
    ("feedspot", "Feedspot"),
    ("feedwrangler", "Feed Wrangler"),
    ("feed wrangler", "Feed Wrangler"),
    ("flipboard", "Flipboard"),
    ("g2reader", "G2Reader"),
    ("google", "Google"),
    ("hanrss", "HanRSS"),
    ("hatena", "Hatena"),
    ("inoreader", "Inoreader"),
    ("livedoor", "livedoor Reader"),
    ("minifluxhosted", "Miniflux"),
    ("netvibes", "Netvibes"),
    ("newsblur", "NewsBlur"),
    ("newsgator", "NewsGator"),
    ("rapidfeeds", "RapidFeeds"),
    ("rssowl", "RSSOwl"),
    ("subtome", "SubToMe"),
    ("theoldreader", "The Old Reader"),
    ("yandex", "Yandex"),
];

/// What aggregators have said since it was last written down. Clones share it.
#[derive(Clone, Default)]
pub struct Readers(Arc<Mutex<Heard>>);

/// The most that was said, by the feed's path and the aggregator.
type Heard = HashMap<(String, &'static str), u64>;

impl Readers {
    /// Listens to what a client says of itself when it asks for the feed at `path`. Of nearly all
    /// nothing is kept.
    pub fn hear(&self, path: &str, user_agent: &[u8]) {
        let Some((aggregator, count)) = claim(user_agent) else { return };
        self.note((path.to_owned(), aggregator), count);
    }

    fn note(&self, key: (String, &'static str), count: u64) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if heard.len() < WAITING || heard.contains_key(&key) {
            let most = heard.entry(key).or_default();
            *most = count.max(*most);
        }
    }

    /// What was heard, which is forgotten here.
    fn take(&self) -> Heard {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a `User-Agent` claims: which aggregator, how many subscribers. Seen are `12 subscribers`,
/// `1 subscriber`, `subscribers=12`, `12 readers`, `users 12`, each among other things.
fn claim(user_agent: &[u8]) -> Option<(&'static str, u64)> {
    let text = std::str::from_utf8(user_agent).ok().filter(|text| text.len() <= LONGEST)?;
    // Nearly all say none of it: they cost no more than this.
    if !["ubscriber", "eaders", "sers"].iter().any(|part| text.contains(part)) {
        return None;
    }
    let text = text.to_ascii_lowercase();
    let count = ["subscribers", "subscriber", "readers", "users"].iter().find_map(|word| count_beside(&text, word))?;
    let known = KNOWN.iter().find(|(mark, _)| text.contains(mark));
    (1..=MOST).contains(&count).then(|| (known.map_or(OTHERS, |(_, name)| name), count))
}

/// The number right before a word, or right after it.
fn count_beside(text: &str, word: &str) -> Option<u64> {
    text.match_indices(word).find_map(|(at, _)| {
        let before = text[..at].strip_suffix(' ').and_then(|before| before.rsplit(|c: char| !c.is_ascii_digit()).next()?.parse().ok());
        let begins = !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
        let after = || text[at + word.len()..].strip_prefix(['=', ' ', ':'])?.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok();
        before.or_else(|| begins.then(after).flatten())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_aggregators_say_is_understood() {
        let table = [
            ("Feedly/1.0 (+http://www.feedly.com/fetcher.html; 16 subscribers; like FeedFetcher-Google)", Some(("Feedly", 16))),
            ("Feedbin feed-id:1234 - 45 subscribers", Some(("Feedbin", 45))),
            ("Mozilla/5.0 (compatible; inoreader.com; 15 subscribers)", Some(("Inoreader", 15))),
            ("Inoreader/1.0 (+http://www.inoreader.com/feed-fetcher; 1 subscriber; )", Some(("Inoreader", 1))),
            ("NewsBlur Feed Fetcher - 12 subscribers - http://www.newsblur.com/site/1/x (Mozilla/5.0 …)", Some(("NewsBlur", 12))),
            ("Mozilla/5.0 (compatible; theoldreader.com; 5 subscribers; feed-id=5f0a)", Some(("The Old Reader", 5))),
            ("Mozilla/5.0 (compatible; BazQux/2.4; +https://bazqux.com/fetcher; 7 subscribers)", Some(("BazQux", 7))),
            ("livedoor FeedFetcher/0.01 (http://reader.livedoor.com/; 3 subscribers)", Some(("livedoor Reader", 3))),
            ("HanRSS/1.1 (http://www.hanrss.com; 4 subscribers)", Some(("HanRSS", 4))),
            ("Feed Wrangler/1.0 (5 subscribers; feed-id=12; http://feedwrangler.net)", Some(("Feed Wrangler", 5))),
            ("NewReader/1 (subscribers=9)", Some((OTHERS, 9))),
            ("SeekSeek/2.0 (compatible; rssguide; users 5; views 10)", Some((OTHERS, 5))),
            ("Somebody (8 readers)", Some((OTHERS, 8))),
        ];
        for (agent, expected) in table {
            assert_eq!(claim(agent.as_bytes()), expected, "{agent}");
        }
    }

    #[test]
    fn what_says_nothing_or_lies_is_not_counted() {
        for agent in [
            "",
            "newsboat/2.21.0 (Linux x86_64)",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36",
            "The Old Reader",
            "FeedReader 3.14",
            "theoldreader.com; feed-id=12",
            "Feedly (0 subscribers)",
            "Feedly (99999999999999999999999 subscribers)",
            "Feedly (10000001 subscribers)",
            "Feedly (-5000000000 subscribers)",
            "Feedly (subscribers)",
            "subscribers subscribers subscribers",
        ] {
            assert_eq!(claim(agent.as_bytes()), None, "{agent}");
        }
        assert_eq!(claim(&[0xff; 40]), None);
        assert_eq!(claim(format!("{} 5 subscribers", "x".repeat(600)).as_bytes()), None);
    }

    #[test]
    fn the_most_that_was_said_is_kept_and_no_more_than_there_is_room_for() {
        let readers = Readers::default();
        for count in [3, 12, 7] {
            readers.hear("/feed.xml", format!("Feedly ({count} subscribers)").as_bytes());
        }
        assert_eq!(readers.take(), HashMap::from([(("/feed.xml".to_owned(), "Feedly"), 12)]));
        for number in 0..WAITING + 10 {
            readers.hear(&format!("/{number}"), b"Feedly (5 subscribers)");
        }
        assert_eq!(readers.take().len(), WAITING);
        assert!(readers.take().is_empty());
    }
}
