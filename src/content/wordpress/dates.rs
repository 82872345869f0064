//! WordPress's dates: a local one without its zone, and the same in UTC.

use super::wxr::Item;
use crate::clock::{Timestamp, instant_of};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// An instant, and how it is written in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) instant: Timestamp,
    /// `2011-07-05T09:00:00+09:00`; without an offset where WordPress knew none.
    pub(super) text: String,
}

/// When a post was published, or will be.
pub(super) fn date(item: &Item, zone: &TimeZone) -> Option<Written> {
    written(&item.date, &item.date_gmt, zone).or_else(|| changed(item, zone))
}

/// When it was last changed, if that is later.
pub(super) fn updated(item: &Item, published: &Written, zone: &TimeZone) -> Option<Written> {
    changed(item, zone).filter(|changed| changed.instant > published.instant)
}

fn changed(item: &Item, zone: &TimeZone) -> Option<Written> {
    written(&item.modified, &item.modified_gmt, zone)
}

fn written(local: &str, utc: &str, zone: &TimeZone) -> Option<Written> {
    match (civil(local), civil(utc)) {
        (Some(local), Some(utc)) => {
            let instant = utc.to_zoned(TimeZone::UTC).ok()?.timestamp();
            let seconds = local.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second() - instant.as_second();
            // No zone is farther from UTC, nor at odd seconds: then only UTC is believed.
            let text = if seconds.abs() <= 14 * 3600 && seconds % 60 == 0 && seconds != 0 {
                let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
                format!("{local}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            } else {
                format!("{utc}Z")
            };
            Some(Written { instant: instant.into(), text })
        }
        (None, Some(utc)) => Some(Written { instant: utc.to_zoned(TimeZone::UTC).ok()?.timestamp().into(), text: format!("{utc}Z") }),
        (Some(local), None) => Some(Written { instant: instant_of(local, zone), text: local.to_string() }),
        (None, None) => None,
    }
}

/// `2011-07-05 09:00:00`; not the zeros of a post without a date, nor years that nobody means.
fn civil(text: &str) -> Option<DateTime> {
    let date: DateTime = text.trim().parse().ok()?;
    (1901..=8999).contains(&date.year()).then_some(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zone_is_what_lies_between_the_two_dates() {
        let zone = crate::clock::parse_zone("Asia/Tokyo").unwrap();
        let text = |local: &str, utc: &str| written(local, utc, &zone).map(|written| (written.text, written.instant.to_string()));
        let both = |text: &str, instant: &str| Some((text.to_owned(), instant.to_owned()));
        assert_eq!(text("2011-07-05 09:00:00", "2011-07-05 00:00:00"), both("2011-07-05T09:00:00+09:00", "2011-07-05T00:00:00Z"));
        assert_eq!(text("2011-07-04 19:30:05", "2011-07-05 00:00:05"), both("2011-07-04T19:30:05-04:30", "2011-07-05T00:00:05Z"));
        assert_eq!(text("2011-07-05 00:00:00", "2011-07-05 00:00:00"), both("2011-07-05T00:00:00Z", "2011-07-05T00:00:00Z"));
        assert_eq!(text("2011-07-05 09:00:00", "0000-00-00 00:00:00"), both("2011-07-05T09:00:00", "2011-07-05T00:00:00Z"));
        assert_eq!(text("1999-01-01 09:00:00", "2011-07-05 00:00:00"), both("2011-07-05T00:00:00Z", "2011-07-05T00:00:00Z"));
        assert_eq!(text("0000-00-00 00:00:00", "-0001-11-30 00:00:00"), None);
    }
}
