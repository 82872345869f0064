//! Dates and times as staff write them, with words for the usual slips.

use crate::clock::{Timestamp, instant_of, parse_local};
use crate::problem::{FromNode, Reason, Value};
use jiff::ToSpan as _;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

/// When a step goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// So many days from the edition's day, at a local time: `-14d 09:00`.
    Relative {
        /// Before the day where negative.
        days: i64,
        /// In the edition's time zone.
        time: Time,
    },
    /// A date and time as written; local where it has no offset.
    Written(String),
    /// Once approved and the stop window is over.
    Approval,
}

impl At {
    /// The instant it means for an edition; `None` where approval decides.
    pub(super) fn instant(&self, day: Date, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Relative { days, time } => {
                let date = day.checked_add(days.days()).ok()?;
                Some(instant_of(date.to_datetime(*time), zone))
            }
            Self::Written(text) => parse_local(text, zone).ok(),
            Self::Approval => None,
        }
    }
}

/// Tells full-width digits and signs, which look right and are not.
fn plain(text: &str, example: &str) -> Result<(), Reason> {
    if text.chars().any(|c| matches!(c, '\u{ff01}'..='\u{ff5e}' | '\u{3000}' | '−' | 'ー')) {
        Err(Reason::new(
            format!("“{text}” is written with full-width digits or signs"),
            format!("write it with plain ones, like {example}"),
        ))
    } else {
        Ok(())
    }
}

impl FromNode for At {
    const EXPECTED: &'static str = "write \"-14d 09:00\" (from the day), a date and time like \"2027-09-10T09:00\", or \"approval\"";

    fn from_value(value: &Value) -> Option<Result<Self, Reason>> {
        let (Value::Text(text) | Value::Datetime(text)) = value else { return None };
        Some(parse_at(text.trim()))
    }
}

fn parse_at(text: &str) -> Result<At, Reason> {
    plain(text, "-14d 09:00")?;
    if text == "approval" {
        return Ok(At::Approval);
    }
    if let Some((days, time)) = text.split_once('d').filter(|(days, _)| days.parse::<i64>().is_ok()) {
        let days: i64 = days.parse().unwrap_or_default();
        let time = time.trim().parse::<Time>().ok().filter(|_| days.abs() <= 3660 && !time.trim().is_empty());
        let reason = || {
            Reason::new(format!("“{text}” is not a time relative to the day"), "write days and a time of day, like -14d 09:00 or +7d 09:00")
        };
        return time.map(|time| At::Relative { days, time }).ok_or_else(reason);
    }
    if text.contains(['T', ' ']) && parse_local(text, &TimeZone::UTC).is_ok() {
        return Ok(At::Written(text.to_owned()));
    }
    Err(Reason::new(format!("“{text}” is not a time of a step"), At::EXPECTED))
}

/// The day of an edition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Day(pub(super) Date);

impl FromNode for Day {
    const EXPECTED: &'static str = "write a date like \"2027-09-24\"";

    fn from_value(value: &Value) -> Option<Result<Self, Reason>> {
        let (Value::Text(text) | Value::Datetime(text)) = value else { return None };
        let reason = || Reason::new(format!("“{text}” is not a date"), Self::EXPECTED);
        Some(plain(text, "2027-09-24").and_then(|()| text.trim().parse::<Date>().map(Self).map_err(|_| reason())))
    }
}

/// A date and time, placed in the edition's zone when that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moment(pub(super) String);

impl FromNode for Moment {
    const EXPECTED: &'static str = "write a date and time like \"2027-09-30T18:00\"";

    fn from_value(value: &Value) -> Option<Result<Self, Reason>> {
        let (Value::Text(text) | Value::Datetime(text)) = value else { return None };
        let checked = plain(text, "2027-09-30T18:00").and_then(|()| parse_local(text, &TimeZone::UTC));
        Some(checked.map(|_| Self(text.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::parse_zone;

    #[test]
    fn a_step_is_relative_to_the_day_or_at_an_instant_or_on_approval() {
        let day = jiff::civil::date(2027, 9, 24);
        let tokyo = parse_zone("Asia/Tokyo").unwrap();
        let shown = |text: &str| parse_at(text).unwrap().instant(day, &tokyo).map(|instant| instant.to_string());
        assert_eq!(shown("-14d 09:00").unwrap(), "2027-09-10T00:00:00Z");
        assert_eq!(shown("+7d 09:30").unwrap(), "2027-10-01T00:30:00Z");
        assert_eq!(shown("0d 18:00").unwrap(), "2027-09-24T09:00:00Z");
        assert_eq!(shown("2027-09-10T09:00").unwrap(), "2027-09-10T00:00:00Z");
        assert_eq!(shown("2027-09-10T09:00:00Z").unwrap(), "2027-09-10T09:00:00Z");
        assert_eq!(shown("approval"), None);
    }

    #[test]
    fn a_slip_is_refused_with_the_form_to_write() {
        for wrong in ["-14d", "14 days before", "-14d 25:00", "2027-09-10", "－１４d ０９:００", ""] {
            let reason = parse_at(wrong).unwrap_err();
            assert!(reason.remedy.contains("14d 09:00"), "{wrong}: {reason}");
        }
    }
}
