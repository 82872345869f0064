//! Conditional requests (RFC 9110 §13) and content codings (§12.5.3), decided from headers alone.

use crate::clock::Timestamp;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_ENCODING, HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE};
use std::time::{Duration, UNIX_EPOCH};

/// How the bytes travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Gzip,
}

impl Coding {
    /// The strong entity tag of a representation: one for each coding, since their bytes
    /// differ (§8.8.3.3).
    pub(super) fn etag(self, stem: &str) -> String {
        match self {
            Self::Identity => format!("\"{stem}\""),
            Self::Gzip => format!("\"{stem}-gzip\""),
        }
    }
}

/// What to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// 200 with the bytes in this coding.
    Full(Coding),
    /// 304: the client holds this one.
    Unchanged(Coding),
}

/// Chooses the representation and evaluates the conditions in the order of §13.2.2. Where a
/// client accepts both codings and holds either, that one is chosen. What has no date is never
/// unchanged since one.
pub(super) fn evaluate(headers: &HeaderMap, stem: &str, last_modified: impl Into<Option<Timestamp>>) -> Verdict {
    let acceptable = acceptable(headers);
    let preferred = acceptable[0];
    if headers.contains_key(IF_NONE_MATCH) {
        let held = acceptable.iter().find(|coding| none_match_names(headers, &coding.etag(stem)));
        return held.map_or(Verdict::Full(preferred), |coding| Verdict::Unchanged(*coding));
    }
    match (date(headers, IF_MODIFIED_SINCE), last_modified.into()) {
        (Some(since), Some(last_modified)) if last_modified.as_seconds() <= since => Verdict::Unchanged(preferred),
        _ => Verdict::Full(preferred),
    }
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
pub(super) fn condition(headers: &HeaderMap, etag: &str, last_modified: Timestamp) -> Condition {
    let unmodified_since = date(headers, IF_UNMODIFIED_SINCE);
    if headers.contains_key(IF_MATCH) {
        // Strong comparison (§13.1.1).
        if !list(headers, IF_MATCH).any(|member| member == "*" || member == etag) {
            return Condition::Failed;
        }
    } else if unmodified_since.is_some_and(|since| last_modified.as_seconds() > since) {
        return Condition::Failed;
    }
    let unchanged = if headers.contains_key(IF_NONE_MATCH) {
        none_match_names(headers, etag)
    } else {
        date(headers, IF_MODIFIED_SINCE).is_some_and(|since| last_modified.as_seconds() <= since)
    };
    if unchanged { Condition::Unchanged } else { Condition::Holds }
}

/// Whether a part may be sent: the client has no condition for it, or holds parts of this very
/// representation (§13.1.5). A date tells that only if it is exactly ours and a second old.
pub(super) fn range_applies(headers: &HeaderMap, etag: &str, last_modified: Timestamp, now: Timestamp) -> bool {
    let Some(held) = headers.get(IF_RANGE) else { return true };
    held.as_bytes() == etag.as_bytes()
        || date(headers, IF_RANGE).is_some_and(|date| date == last_modified.as_seconds() && date < now.as_seconds())
}

/// The codings a client takes, the best first; never none: bytes as they are beat a refusal.
fn acceptable(headers: &HeaderMap) -> Vec<Coding> {
    let (gzip, identity) = (quality(headers, &["gzip", "x-gzip"]), quality(headers, &["identity"]));
    // Gzip must be asked for; identity must be refused (§12.5.3).
    match (gzip.unwrap_or(0), identity.unwrap_or(1)) {
        (0, _) => vec![Coding::Identity],
        (_, 0) => vec![Coding::Gzip],
        (gzip, named) if identity.is_some() && named > gzip => vec![Coding::Identity, Coding::Gzip],
        _ => vec![Coding::Gzip, Coding::Identity],
    }
}

/// The weight of a coding in thousandths, by its name or else by `*`.
fn quality(headers: &HeaderMap, names: &[&str]) -> Option<u32> {
    let mut any = None;
    for part in list(headers, ACCEPT_ENCODING) {
        let (name, parameters) = part.split_once(';').unwrap_or((part, ""));
        let name = name.trim();
        if names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return Some(weight(parameters));
        }
        if name == "*" {
            any = Some(weight(parameters));
        }
    }
    any
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
pub(super) fn none_match_names(headers: &HeaderMap, etag: &str) -> bool {
    list(headers, IF_NONE_MATCH).any(|member| member == "*" || member.trim_start_matches("W/") == etag)
}

/// The members of a list over all lines of a header. Tags of ours hold no comma, so one within
/// a foreign tag only makes pieces that match nothing.
fn list(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).map(str::trim)
}

/// Seconds since 1970; a date that is none is ignored (§13.1.3).
fn date(headers: &HeaderMap, name: HeaderName) -> Option<i64> {
    let instant = httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()?;
    i64::try_from(instant.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

/// An instant as HTTP writes it.
pub(super) fn http_date(instant: Timestamp) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(u64::try_from(instant.as_seconds()).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::Coding::{Gzip, Identity};
    use super::Verdict::{Full, Unchanged};
    use super::*;
    use axum::http::HeaderValue;

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
        ];
        // 2027-09-20T08:00:00Z
        let last_modified = Timestamp::from_millis(1_821_427_200_000);
        assert_eq!(http_date(last_modified), THEN);
        for (lines, expected) in table {
            assert_eq!(evaluate(&headers(lines), "h", last_modified), *expected, "{lines:?}");
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
            assert_eq!(condition(&headers(lines), "\"h\"", last_modified), *expected, "{lines:?}");
        }
        let now = last_modified + Duration::from_mins(1);
        for (held, applies) in [("\"h\"", true), ("W/\"h\"", false), ("\"other\"", false), (THEN, true), (BEFORE, false), (LATER, false)] {
            assert_eq!(range_applies(&headers(&[(IF_RANGE, held)]), "\"h\"", last_modified, now), applies, "{held}");
        }
        assert!(!range_applies(&headers(&[(IF_RANGE, THEN)]), "\"h\"", last_modified, last_modified));
        assert!(range_applies(&headers(&[]), "\"h\"", last_modified, now));
    }

    #[test]
    fn every_wish_for_a_coding_is_understood() {
        let table = [
            ("", Identity),
            ("gzip", Gzip),
            ("GZIP", Gzip),
            ("x-gzip", Gzip),
            ("gzip, deflate, br", Gzip),
            ("deflate, br", Identity),
            ("gzip;q=0", Identity),
            ("gzip;q=0.000, *", Identity),
            ("gzip; q=0.001", Gzip),
            ("gzip;q=0.5, identity;q=0.8", Identity),
            ("gzip;q=0.8, identity;q=0.5", Gzip),
            ("*", Gzip),
            ("*;q=0", Identity),
            ("identity;q=0, gzip;q=0.1", Gzip),
            ("br;q=1.0, *;q=0.1", Gzip),
            ("gzip;q=nonsense", Identity),
        ];
        for (wish, expected) in table {
            assert_eq!(acceptable(&headers(&[(ACCEPT_ENCODING, wish)]))[0], expected, "{wish}");
        }
    }

    fn headers(lines: &[(HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }
}
