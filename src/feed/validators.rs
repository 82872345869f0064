//! When bytes that differ may be published: the rule that keeps `ETag` and `Last-Modified`
//! together (RFC 9110 §8.8).

use crate::clock::Timestamp;
use std::time::Duration;

/// What is stored of the last publication of a feed: the same on every node, and after a
/// restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Validators {
    /// Of the bytes.
    pub(super) hash: String,
    /// In whole seconds.
    pub(super) last_modified: Timestamp,
    /// The state of the articles that the bytes were made from.
    pub(super) sequence: i64,
}

/// What to do with newly made bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// They are what was published last, at this instant.
    Same(Timestamp),
    /// Publish them as of this second.
    Publish(Timestamp),
    /// Something else was published in this second; whatever comes until the next is joined.
    Wait(Duration),
    /// Another daemon published a later state: look again.
    Behind,
}

/// A stored instant this far ahead was written under a clock that was wrong; waiting for it
/// would keep news back.
const WRONG_CLOCK: Duration = Duration::from_mins(1);

/// Decides what to do with bytes of this hash, made from the articles as of `sequence`.
pub(super) fn decide(stored: Option<&Validators>, hash: &str, sequence: i64, now: Timestamp) -> Decision {
    let second = Timestamp::from_millis(now.as_seconds() * 1000);
    match stored {
        Some(stored) if stored.hash == hash => Decision::Same(stored.last_modified),
        Some(stored) if stored.sequence > sequence => Decision::Behind,
        Some(stored) if stored.last_modified >= second && stored.last_modified.since(second) < WRONG_CLOCK => {
            Decision::Wait((stored.last_modified + Duration::from_secs(1)).since(now))
        }
        _ => Decision::Publish(second),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn stored(hash: &str, millis: i64) -> Validators {
        Validators { hash: hash.to_owned(), last_modified: at(millis), sequence: 7 }
    }

    #[test]
    fn a_first_publication_is_dated_in_whole_seconds_and_never_in_the_future() {
        assert_eq!(decide(None, "a", 7, at(5_999)), Decision::Publish(at(5_000)));
    }

    #[test]
    fn unchanged_bytes_keep_their_date() {
        assert_eq!(decide(Some(&stored("a", 5_000)), "a", 9, at(90_000)), Decision::Same(at(5_000)));
    }

    #[test]
    fn two_different_bodies_never_share_a_second() {
        let before = stored("a", 5_000);
        assert_eq!(decide(Some(&before), "b", 8, at(5_400)), Decision::Wait(Duration::from_millis(600)));
        assert_eq!(decide(Some(&before), "b", 8, at(6_000)), Decision::Publish(at(6_000)));
    }

    #[test]
    fn a_clock_a_little_behind_waits_and_one_set_back_far_does_not_keep_news_back() {
        let before = stored("a", 100_000);
        assert_eq!(decide(Some(&before), "b", 8, at(98_000)), Decision::Wait(Duration::from_secs(3)));
        assert_eq!(decide(Some(&before), "b", 8, at(30_000)), Decision::Publish(at(30_000)));
    }

    #[test]
    fn an_older_state_never_replaces_a_newer_one() {
        assert_eq!(decide(Some(&stored("a", 5_000)), "b", 6, at(90_000)), Decision::Behind);
    }
}
