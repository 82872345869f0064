//! A part of a file (RFC 9110 §14), as players of recordings and broken downloads ask for it.

use axum::http::HeaderMap;
use axum::http::header::RANGE;

/// What of a file is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// All of it.
    Whole,
    /// From the first octet to the last, both counted from 0.
    Part {
        /// The first.
        first: u64,
        /// The last.
        last: u64,
    },
    /// Nothing: it is not so long (§15.5.17).
    Beyond,
}

/// What `Range` asks of a file of a length. Several parts at once are answered with the whole,
/// and so is what is not understood (§14.2).
pub(super) fn extent(headers: &HeaderMap, length: u64) -> Extent {
    let Some(wish) = headers.get(RANGE).and_then(|value| value.to_str().ok()) else { return Extent::Whole };
    let Some((unit, ranges)) = wish.split_once('=') else { return Extent::Whole };
    let ranges = ranges.trim();
    if !unit.trim().eq_ignore_ascii_case("bytes") || ranges.contains(',') {
        return Extent::Whole;
    }
    let Some((first, last)) = ranges.split_once('-') else { return Extent::Whole };
    match (position(first), position(last)) {
        (Position::At(first), Position::At(last)) if last < first => Extent::Whole,
        (Position::At(first), _) if first >= length => Extent::Beyond,
        (Position::At(first), Position::At(last)) => Extent::Part { first, last: last.min(length - 1) },
        (Position::At(first), Position::Open) => Extent::Part { first, last: length - 1 },
        (Position::Open, Position::At(0)) => Extent::Beyond,
        (Position::Open, Position::At(_)) if length == 0 => Extent::Beyond,
        (Position::Open, Position::At(most)) => Extent::Part { first: length.saturating_sub(most), last: length - 1 },
        _ => Extent::Whole,
    }
}

enum Position {
    Open,
    At(u64),
    Nonsense,
}

fn position(text: &str) -> Position {
    match text.trim() {
        "" => Position::Open,
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => Position::At(digits.parse().unwrap_or(u64::MAX)),
        _ => Position::Nonsense,
    }
}

#[cfg(test)]
mod tests {
    use super::Extent::{Beyond, Part, Whole};
    use super::*;

    #[test]
    fn every_wish_for_a_part_has_its_answer() {
        let table = [
            ("bytes=0-99", Part { first: 0, last: 99 }),
            ("Bytes = 10-", Part { first: 10, last: 999 }),
            ("bytes=-1", Part { first: 999, last: 999 }),
            ("bytes=-5000", Part { first: 0, last: 999 }),
            ("bytes=990-99999999999999999999999999", Part { first: 990, last: 999 }),
            ("bytes=1000-", Beyond),
            ("bytes=99999999999999999999999999-", Beyond),
            ("bytes=-0", Beyond),
            ("bytes=5-2", Whole),
            ("bytes=0-1,5-6", Whole),
            ("bytes=-", Whole),
            ("bytes=+1-2", Whole),
            ("bytes", Whole),
            ("lines=0-1", Whole),
        ];
        for (wish, expected) in table {
            let mut headers = HeaderMap::new();
            headers.insert(RANGE, wish.parse().unwrap());
            assert_eq!(extent(&headers, 1000), expected, "{wish}");
        }
        let mut headers = HeaderMap::new();
        assert_eq!(extent(&headers, 0), Whole);
        headers.insert(RANGE, "bytes=0-".parse().unwrap());
        assert_eq!(extent(&headers, 0), Beyond);
        headers.insert(RANGE, "bytes=-5".parse().unwrap());
        assert_eq!(extent(&headers, 0), Beyond);
    }
}
