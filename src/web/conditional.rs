//! Conditional requests (RFC 9110 §13) and content codings (§12.5.3), decided from headers alone.

use super::fields::{Fields, text};
use crate::clock::Timestamp;
use crate::feed::Coding;
use axum::http::header::{ACCEPT_ENCODING, HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE};
use std::cmp::Ordering;
use std::time::{Duration, UNIX_EPOCH};

/// What to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// 200 with the bytes in this coding.
    Full(Coding),
    /// 304: the client holds this one.
    Unchanged(Coding),
    /// 412: the client wanted only what it knows.
    Failed,
}

/// Whether a client holds something already, and asks only for what is new.
pub(super) fn is_conditional(headers: Fields<'_>) -> bool {
    headers.has(IF_NONE_MATCH) || headers.has(IF_MODIFIED_SINCE)
}

/// Chooses the representation and evaluates the conditions in the order of §13.2.2. `is_made`
/// tells which codings there are by now. Where a client takes several and holds any of them, that
/// one is chosen: also one that is not made yet, since what it will be is known. What has no date
/// is neither modified nor unmodified since one.
pub(super) fn evaluate(headers: Fields<'_>, stem: &str, last_modified: Option<Timestamp>, is_made: impl Fn(Coding) -> bool) -> Verdict {
    let accepted = Accepted::of(headers);
    let preferred = accepted.find(is_made).unwrap_or(Coding::Identity);
    let since = |name| last_modified.and_then(|modified| Some(modified.as_seconds().cmp(&date(headers, name)?)));
    if headers.has(IF_MATCH) {
        // Strong comparison (§13.1.1).
        let named = |coding| list(headers, IF_MATCH).any(|member| names(member, stem, coding));
        if !is_any(headers, IF_MATCH) && accepted.find(named).is_none() {
            return Verdict::Failed;
        }
    } else if since(IF_UNMODIFIED_SINCE) == Some(Ordering::Greater) {
        return Verdict::Failed;
    }
    if is_any(headers, IF_NONE_MATCH) {
        return Verdict::Unchanged(preferred);
    }
    if headers.has(IF_NONE_MATCH) {
        let held = accepted.find(|coding| list(headers, IF_NONE_MATCH).any(|member| names(strong(member), stem, coding)));
        return held.map_or(Verdict::Full(preferred), Verdict::Unchanged);
    }
    match since(IF_MODIFIED_SINCE) {
        Some(Ordering::Less | Ordering::Equal) => Verdict::Unchanged(preferred),
        _ => Verdict::Full(preferred),
    }
}

/// Whether a member of a list is the entity tag of a coding.
fn names(member: &str, stem: &str, coding: Coding) -> bool {
    let inner = member.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.and_then(|inner| inner.strip_prefix(stem)) == Some(coding.suffix())
}

/// What to answer where there is one representation only, as a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// 200, or a part of it.
    Holds,
    /// 304.
    Unchanged,
    /// 412: the client wanted only what it knows.
    Failed,
}

/// Evaluates the conditions in the order of §13.2.2 for a representation with this entity tag.
pub(super) fn condition(headers: Fields<'_>, etag: &str, last_modified: Timestamp) -> Condition {
    let unmodified_since = date(headers, IF_UNMODIFIED_SINCE);
    if headers.has(IF_MATCH) {
        // Strong comparison (§13.1.1).
        if !is_any(headers, IF_MATCH) && !list(headers, IF_MATCH).any(|member| member == etag) {
            return Condition::Failed;
        }
    } else if unmodified_since.is_some_and(|since| last_modified.as_seconds() > since) {
        return Condition::Failed;
    }
    let unchanged = if headers.has(IF_NONE_MATCH) {
        none_match_names(headers, etag)
    } else {
        date(headers, IF_MODIFIED_SINCE).is_some_and(|since| last_modified.as_seconds() <= since)
    };
    if unchanged { Condition::Unchanged } else { Condition::Holds }
}

/// Whether a part may be sent: the client has no condition for it, or holds parts of this very
/// representation (§13.1.5). A date tells that only if it is exactly ours and a second old.
pub(super) fn range_applies(headers: Fields<'_>, etag: &str, last_modified: Timestamp, now: Timestamp) -> bool {
    let Some(held) = headers.get(IF_RANGE) else { return true };
    held == etag.as_bytes() || date(headers, IF_RANGE).is_some_and(|date| date == last_modified.as_seconds() && date < now.as_seconds())
}

/// The codings a client takes.
struct Accepted {
    /// Of each coding, in the order of [`Coding::ALL`]: 0 is refused.
    weights: [u32; Coding::ALL.len()],
}

impl Accepted {
    /// From `Accept-Encoding` (§12.5.3). A coding must be asked for; bytes as they are must be
    /// refused, and come last unless they are asked for. `*` asks for gzip, which is what those
    /// who say it have in mind.
    fn of(headers: Fields<'_>) -> Self {
        let (mut named, mut any) = ([None; Coding::ALL.len()], None);
        for part in list(headers, ACCEPT_ENCODING) {
            let (name, parameters) = part.split_once(';').unwrap_or((part, ""));
            let weight = weight(parameters);
            match coding_of(name.trim()) {
                Some(coding) => named[coding as usize] = named[coding as usize].or(Some(weight)),
                None if name.trim() == "*" => any = Some(weight),
                None => {}
            }
        }
        // Doubled, so that what is not mentioned has a place between refused and least wanted.
        let weights = Coding::ALL.map(|coding| match (named[coding as usize], coding) {
            (Some(weight), _) => weight * 2,
            (None, Coding::Gzip) => any.unwrap_or(0) * 2,
            (None, Coding::Identity) => any.map_or(1, |weight| weight * 2),
            (None, _) => 0,
        });
        Self { weights }
    }

    /// The best of those that satisfy a condition; among equals the smallest bytes. Who refuses
    /// everything takes bytes as they are: they beat a refusal.
    fn find(&self, satisfies: impl Fn(Coding) -> bool) -> Option<Coding> {
        let weight = |coding: Coding| self.weights[coding as usize];
        let taken = Coding::ALL.into_iter().filter(|coding| weight(*coding) > 0 && satisfies(*coding));
        let nothing = || Some(Coding::Identity).filter(|coding| self.weights.iter().all(|weight| *weight == 0) && satisfies(*coding));
        // The first of equals: `max_by_key` would take the last.
        taken.reduce(|best, next| if weight(next) > weight(best) { next } else { best }).or_else(nothing)
    }
}

/// A coding by its name (RFC 9110 §8.4.1, RFC 8878 §7.2).
fn coding_of(name: &str) -> Option<Coding> {
    let names =
        [("gzip", Coding::Gzip), ("br", Coding::Brotli), ("zstd", Coding::Zstd), ("identity", Coding::Identity), ("x-gzip", Coding::Gzip)];
    names.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|(_, coding)| coding)
}

/// `q=0.8` as 800; nothing said is 1000, nonsense 0.
fn weight(parameters: &str) -> u32 {
    let Some((name, value)) = parameters.split_once('=') else { return 1000 };
    if !name.trim().eq_ignore_ascii_case("q") {
        return 1000;
    }
    let (whole, fraction) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    let thousandths = format!("{fraction:0<3}").parse::<u32>().ok().filter(|_| fraction.len() <= 3);
    match (whole, thousandths) {
        ("1", Some(0)) => 1000,
        ("0", Some(thousandths)) => thousandths,
        _ => 0,
    }
}

/// Weak comparison (§8.8.3.2) with every member of the list; `*` names whatever there is.
pub(super) fn none_match_names(headers: Fields<'_>, etag: &str) -> bool {
    is_any(headers, IF_NONE_MATCH) || list(headers, IF_NONE_MATCH).any(|member| strong(member) == etag)
}

/// A tag without the mark of a weak one.
fn strong(member: &str) -> &str {
    member.strip_prefix("W/").unwrap_or(member)
}

/// Whether a header is `*` and nothing else: within a list it is a piece of somebody's tag.
fn is_any(headers: Fields<'_>, name: HeaderName) -> bool {
    let mut lines = headers.all(name);
    lines.next().is_some_and(|line| line.trim_ascii() == b"*") && lines.next().is_none()
}

/// The members of a list over all lines of a header. Tags of ours hold no comma, so one within
/// a foreign tag only makes pieces that match nothing.
fn list(headers: Fields<'_>, name: HeaderName) -> impl Iterator<Item = &str> {
    headers.all(name).filter_map(text).flat_map(|value| value.split(',')).map(str::trim)
}

/// Seconds since 1970; a date that is none, or said more than once, is ignored (§13.1.3).
fn date(headers: Fields<'_>, name: HeaderName) -> Option<i64> {
    let mut lines = headers.all(name);
    let instant = httpdate::parse_http_date(text(lines.next()?)?.trim()).ok().filter(|_| lines.next().is_none())?;
    i64::try_from(instant.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

/// An instant as HTTP writes it.
pub(super) fn http_date(instant: Timestamp) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(u64::try_from(instant.as_seconds()).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::Verdict::{Failed, Full, Unchanged};
    use super::*;
    use crate::feed::Coding::{Brotli, Gzip, Identity, Zstd};
    use axum::http::{HeaderMap, HeaderValue};

    const BEFORE: &str = "Mon, 20 Sep 2027 07:59:59 GMT";
    const THEN: &str = "Mon, 20 Sep 2027 08:00:00 GMT";
    const LATER: &str = "Mon, 20 Sep 2027 08:00:01 GMT";

    #[test]
    fn every_condition_has_its_answer() {
        let table: &[(&[(HeaderName, &str)], Verdict)] = &[
            (&[], Full(Identity)),
            (&[(IF_NONE_MATCH, "\"h\"")], Unchanged(Identity)),
            (&[(IF_NONE_MATCH, "W/\"h\"")], Unchanged(Identity)),
            (&[(IF_NONE_MATCH, "\"other\", W/\"h\" , \"more\"")], Unchanged(Identity)),
            (&[(IF_NONE_MATCH, "\"other\""), (IF_NONE_MATCH, "\"h\"")], Unchanged(Identity)),
            (&[(IF_NONE_MATCH, "*")], Unchanged(Identity)),
            (&[(IF_NONE_MATCH, "h")], Full(Identity)),
            (&[(IF_NONE_MATCH, "\"h-gzip\"")], Full(Identity)),
            (&[(IF_NONE_MATCH, "\"h-gzip\""), (ACCEPT_ENCODING, "gzip")], Unchanged(Gzip)),
            (&[(IF_NONE_MATCH, "\"h\""), (ACCEPT_ENCODING, "gzip")], Unchanged(Identity)),
            (&[(IF_NONE_MATCH, "\"h\""), (ACCEPT_ENCODING, "gzip, identity;q=0")], Full(Gzip)),
            (&[(IF_MODIFIED_SINCE, THEN)], Unchanged(Identity)),
            (&[(IF_MODIFIED_SINCE, LATER), (ACCEPT_ENCODING, "gzip")], Unchanged(Gzip)),
            (&[(IF_MODIFIED_SINCE, BEFORE)], Full(Identity)),
            (&[(IF_MODIFIED_SINCE, "yesterday")], Full(Identity)),
            (&[(IF_MODIFIED_SINCE, LATER), (IF_NONE_MATCH, "\"other\"")], Full(Identity)),
            (&[(IF_MODIFIED_SINCE, BEFORE), (IF_NONE_MATCH, "\"h\"")], Unchanged(Identity)),
            (&[(IF_MODIFIED_SINCE, THEN), (IF_MODIFIED_SINCE, THEN)], Full(Identity)),
            (&[(IF_NONE_MATCH, "\"a,*,b\"")], Full(Identity)),
            (&[(IF_NONE_MATCH, "W/W/\"h\"")], Full(Identity)),
            (&[(IF_NONE_MATCH, "\"h-br\""), (ACCEPT_ENCODING, "br")], Unchanged(Brotli)),
            (&[(IF_NONE_MATCH, "\"h-br\""), (ACCEPT_ENCODING, "gzip")], Full(Gzip)),
            (&[(IF_MATCH, "\"h\"")], Full(Identity)),
            (&[(IF_MATCH, "W/\"h\"")], Failed),
            (&[(IF_MATCH, "\"other\"")], Failed),
            (&[(IF_MATCH, "*")], Full(Identity)),
            (&[(IF_UNMODIFIED_SINCE, BEFORE)], Failed),
            (&[(IF_UNMODIFIED_SINCE, THEN)], Full(Identity)),
        ];
        // 2027-09-20T08:00:00Z
        let last_modified = Timestamp::from_millis(1_821_427_200_000);
        assert_eq!(http_date(last_modified), THEN);
        for (lines, expected) in table {
            assert_eq!(evaluate((&headers(lines)).into(), "h", Some(last_modified), |coding| coding != Brotli), *expected, "{lines:?}");
        }
    }

    #[test]
    fn every_condition_on_a_file_has_its_answer() {
        use Condition::{Failed, Holds, Unchanged};
        let table: &[(&[(HeaderName, &str)], Condition)] = &[
            (&[], Holds),
            (&[(IF_NONE_MATCH, "\"h\"")], Unchanged),
            (&[(IF_NONE_MATCH, "\"other\""), (IF_MODIFIED_SINCE, LATER)], Holds),
            (&[(IF_MODIFIED_SINCE, THEN)], Unchanged),
            (&[(IF_MODIFIED_SINCE, BEFORE)], Holds),
            (&[(IF_MATCH, "\"h\"")], Holds),
            (&[(IF_MATCH, "W/\"h\"")], Failed),
            (&[(IF_MATCH, "*"), (IF_UNMODIFIED_SINCE, BEFORE)], Holds),
            (&[(IF_MATCH, "\"other\"")], Failed),
            (&[(IF_UNMODIFIED_SINCE, BEFORE)], Failed),
            (&[(IF_UNMODIFIED_SINCE, THEN)], Holds),
            (&[(IF_MATCH, "\"h\""), (IF_NONE_MATCH, "\"h\"")], Unchanged),
        ];
        let last_modified = Timestamp::from_millis(1_821_427_200_000);
        for (lines, expected) in table {
            assert_eq!(condition((&headers(lines)).into(), "\"h\"", last_modified), *expected, "{lines:?}");
        }
        let now = last_modified + Duration::from_mins(1);
        for (held, applies) in [("\"h\"", true), ("W/\"h\"", false), ("\"other\"", false), (THEN, true), (BEFORE, false), (LATER, false)] {
            assert_eq!(range_applies((&headers(&[(IF_RANGE, held)])).into(), "\"h\"", last_modified, now), applies, "{held}");
        }
        assert!(!range_applies((&headers(&[(IF_RANGE, THEN)])).into(), "\"h\"", last_modified, last_modified));
        assert!(range_applies((&headers(&[])).into(), "\"h\"", last_modified, now));
    }

    #[test]
    fn every_wish_for_a_coding_is_understood() {
        let table = [
            ("", Identity),
            ("gzip", Gzip),
            ("GZIP", Gzip),
            ("x-gzip", Gzip),
            ("gzip, deflate, br", Brotli),
            ("deflate, br", Brotli),
            ("deflate, exi", Identity),
            ("gzip, deflate, br, zstd", Brotli),
            ("zstd, gzip", Zstd),
            ("br;q=0.9, gzip", Gzip),
            ("br;q=0, zstd;q=0, *", Gzip),
            ("gzip;q=0", Identity),
            ("gzip;q=0.000, *", Identity),
            ("gzip; q=0.001", Gzip),
            ("gzip;q=0.5, identity;q=0.8", Identity),
            ("gzip;q=0.8, identity;q=0.5", Gzip),
            ("*", Gzip),
            ("*;q=0", Identity),
            ("identity;q=0, gzip;q=0.1", Gzip),
            ("br;q=1.0, *;q=0.1", Brotli),
            ("gzip;q=nonsense", Identity),
        ];
        for (wish, expected) in table {
            let accepted = Accepted::of((&headers(&[(ACCEPT_ENCODING, wish)])).into());
            assert_eq!(accepted.find(|_| true), Some(expected), "{wish}");
        }
        let accepted = Accepted::of((&headers(&[(ACCEPT_ENCODING, "br, zstd;q=0.5, gzip;q=0.5")])).into());
        assert_eq!(accepted.find(|coding| coding != Brotli), Some(Zstd), "until it is made, the next best");
        assert_eq!(accepted.find(|coding| matches!(coding, Gzip | Identity)), Some(Gzip));
    }

    fn headers(lines: &[(HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }
}
