//! The archive of a feed (RFC 5005 §4): how the older entries are cut into documents that stay as
//! they are, so that a reader who walks back finds every article.
//!
//! A document holds a range of the order of publication (`published_seq`), which every article
//! gets once. So a new article, whatever its date, never moves another one into another document;
//! an article that goes leaves a gap. What is not in the current feed is in the archive, always:
//! a document is cut as soon as an article is in neither. Documents are full, except where an
//! article of an old date is published, which the current feed does not show.

use std::collections::HashSet;

/// Entries in a document.
pub(super) const DOCUMENT: usize = 50;

/// Where an archive is cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cut {
    /// Number of the document, from 1; 0: there is none.
    pub(super) number: i64,
    /// The highest `published_seq` in it.
    pub(super) upper: i64,
}

/// What an archive document holds and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Document {
    /// Above this `published_seq` …
    pub(super) above: i64,
    /// … and not above this one.
    pub(super) upper: i64,
    /// Whether a later one exists.
    pub(super) has_next: bool,
}

/// The cuts to be made after `last`, so that of its members, in the order of publication, none is
/// neither archived nor shown.
pub(super) fn cuts(last: Cut, members: impl Iterator<Item = (i64, i64)>, shown: &HashSet<i64>) -> Vec<Cut> {
    let waiting: Vec<(i64, i64)> = members.collect();
    let mut waiting = waiting.as_slice();
    let (mut cuts, mut number) = (Vec::new(), last.number);
    while let Some(hidden) = waiting.iter().rposition(|(_, id)| !shown.contains(id)) {
        let length = if waiting.len() >= DOCUMENT { DOCUMENT } else { hidden + 1 };
        let (document, rest) = waiting.split_at(length);
        let Some((upper, _)) = document.last() else { break };
        number += 1;
        cuts.push(Cut { number, upper: *upper });
        waiting = rest;
    }
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Articles are numbered by their place; the newest `current` are shown.
    fn cut(last: Cut, first: i64, up_to: i64, shown: &[i64]) -> Vec<(i64, i64)> {
        let found = cuts(last, (first..=up_to).map(|place| (place, place)), &shown.iter().copied().collect());
        found.into_iter().map(|cut| (cut.number, cut.upper)).collect()
    }

    #[test]
    fn nothing_is_archived_while_everything_is_shown() {
        assert_eq!(cut(Cut::default(), 1, 50, &(1..=50).collect::<Vec<_>>()), []);
        assert_eq!(cut(Cut::default(), 1, 0, &[]), []);
    }

    #[test]
    fn documents_are_full_and_leave_to_the_current_feed_what_it_shows() {
        let newest: Vec<i64> = (201..=250).collect();
        assert_eq!(cut(Cut::default(), 1, 250, &newest), [(1, 50), (2, 100), (3, 150), (4, 200)]);
        let newest: Vec<i64> = (202..=251).collect();
        assert_eq!(cut(Cut { number: 4, upper: 200 }, 201, 251, &newest), [(5, 250)]);
        let newest: Vec<i64> = (203..=252).collect();
        assert_eq!(cut(Cut { number: 5, upper: 250 }, 251, 252, &newest), []);
    }

    #[test]
    fn an_article_of_an_old_date_is_archived_at_once() {
        let newest: Vec<i64> = (201..=250).collect();
        assert_eq!(cut(Cut { number: 4, upper: 200 }, 251, 251, &newest), [(5, 251)]);
        assert_eq!(cut(Cut { number: 4, upper: 200 }, 240, 252, &[240, 241, 252]), [(5, 251)], "what is shown may be archived too");
    }

    #[test]
    fn a_feed_that_shows_fewer_than_a_document_holds_is_archived_all_the_same() {
        assert_eq!(cut(Cut::default(), 1, 60, &[56, 57, 58, 59, 60]), [(1, 50), (2, 55)]);
    }
}
