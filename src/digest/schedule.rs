//! When a digest runs: five fields of cron, read by the crate `cron`, in an IANA time zone.
//!
//! The crate counts in a calendar without zones here; what a local time means on the days when
//! clocks change is decided by [`crate::clock::instant_of`].

use crate::clock::{Timestamp, instant_of};
use crate::problem::{FromNode, Reason, Value};
use chrono::{DateTime, Datelike as _, Timelike as _, Utc};
use jiff::civil;
use jiff::tz::TimeZone;
use std::str::FromStr as _;
use std::time::Duration;

/// A parsed schedule, without its zone.
#[derive(Clone, Debug)]
pub struct Schedule {
    text: String,
    cron: cron::Schedule,
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Schedule {
    /// Parses `minute hour day month weekday`.
    pub fn parse(text: &str) -> Result<Self, Reason> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields[..] else {
            return Err(Reason::new(
                format!("“{text}” has {} fields, a schedule has five", fields.len()),
                "write minute, hour, day of month, month, weekday, like \"0 8 * * Mon\" for Mondays at 8:00",
            ));
        };
        if weekday.chars().any(|c| c.is_ascii_digit()) {
            return Err(Reason::new(
                format!("the weekday “{weekday}” is a number, which programs count differently"),
                "write its name: Mon, Tue, Wed, Thu, Fri, Sat, Sun",
            ));
        }
        if !is_any(day) && !is_any(weekday) {
            return Err(Reason::new(
                "day of month and weekday are both restricted, which programs read differently",
                "restrict one and write * for the other",
            ));
        }
        if numbers(day).any(|number| number > 28) {
            return Err(Reason::new(format!("day {day} does not exist in every month"), "choose a day from 1 to 28"));
        }
        // Seconds first, as the crate wants them; `?` is its other way to say “any”.
        let cron = cron::Schedule::from_str(&format!("0 {minute} {hour} {day} {month} {weekday}")).map_err(|_| {
            Reason::new(
                format!("“{text}” is not a schedule"),
                "write it like \"0 8 * * Mon\" (Mondays at 8:00) or \"30 18 1 * *\" (the first of each month at 18:30)",
            )
        })?;
        Ok(Self { text: text.to_owned(), cron })
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first time after `after` at which it runs in `zone`.
    pub fn next_after(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        // Local times and instants can disagree in order by an hour or two round a change of
        // the clocks; beginning a day early and comparing instants covers every zone.
        let local = after.in_zone(zone).datetime().checked_sub(jiff::Span::new().days(1)).ok()?;
        self.cron.after(&to_chrono(local)?).map(|local| instant_of(from_chrono(&local), zone)).find(|instant| *instant > after)
    }

    /// The last time after `after` and not after `now` at which it ran or should have run.
    pub fn last_between(&self, after: Timestamp, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        /// A schedule without years comes round at least once in a year (day 29 is refused).
        const WINDOWS: [u64; 4] = [1, 48, 32 * 24, 367 * 24];
        // Looking back in growing windows keeps this short after years of a schedule by the minute.
        let starts = WINDOWS.map(|hours| after.max(now - Duration::from_hours(hours)));
        let first = starts.into_iter().find_map(|start| self.next_after(start, zone).filter(|time| *time <= now))?;
        std::iter::successors(Some(first), |time| self.next_after(*time, zone)).take_while(|time| *time <= now).last()
    }
}

fn is_any(field: &str) -> bool {
    matches!(field, "*" | "?")
}

fn numbers(field: &str) -> impl Iterator<Item = u32> {
    // The part after a slash is a step, not a day.
    field.split(',').filter_map(|part| part.split('/').next()).flat_map(|range| range.split('-')).filter_map(|number| number.parse().ok())
}

fn to_chrono(local: civil::DateTime) -> Option<DateTime<Utc>> {
    let date =
        chrono::NaiveDate::from_ymd_opt(i32::from(local.year()), u32::try_from(local.month()).ok()?, u32::try_from(local.day()).ok()?)?;
    let time =
        date.and_hms_opt(u32::try_from(local.hour()).ok()?, u32::try_from(local.minute()).ok()?, u32::try_from(local.second()).ok()?)?;
    Some(time.and_utc())
}

#[expect(clippy::cast_possible_truncation, reason = "calendar fields are far below 127, and the crate ends in 2100")]
fn from_chrono(local: &DateTime<Utc>) -> civil::DateTime {
    civil::date(local.year() as i16, local.month() as i8, local.day() as i8).at(
        local.hour() as i8,
        local.minute() as i8,
        local.second() as i8,
        0,
    )
}

impl FromNode for Schedule {
    const EXPECTED: &'static str = "write five fields, like \"0 8 * * Mon\"";

    fn from_value(value: &Value) -> Option<Result<Self, Reason>> {
        let Value::Text(text) = value else { return None };
        Some(Self::parse(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{parse_instant, parse_zone};

    fn next(schedule: &str, zone: &str, after: &str) -> String {
        let schedule = Schedule::parse(schedule).unwrap();
        schedule.next_after(parse_instant(after).unwrap(), &parse_zone(zone).unwrap()).unwrap().to_string()
    }

    #[test]
    fn mondays_at_eight_in_tokyo_are_sundays_at_eleven_in_london() {
        assert_eq!(next("0 8 * * Mon", "Asia/Tokyo", "2027-09-19T12:00:00Z"), "2027-09-19T23:00:00Z");
        assert_eq!(next("0 8 * * Mon", "Asia/Tokyo", "2027-09-19T23:00:00Z"), "2027-09-26T23:00:00Z");
    }

    #[test]
    fn a_skipped_hour_runs_after_the_gap_and_a_repeated_one_once() {
        assert_eq!(next("30 1 * * *", "Europe/London", "2027-03-27T12:00:00Z"), "2027-03-28T01:00:00Z");
        assert_eq!(next("30 1 * * *", "Europe/London", "2027-03-28T01:00:00Z"), "2027-03-29T00:30:00Z");
        assert_eq!(next("30 1 * * *", "Europe/London", "2027-10-30T12:00:00Z"), "2027-10-31T00:30:00Z");
        assert_eq!(next("30 1 * * *", "Europe/London", "2027-10-31T00:30:00Z"), "2027-11-01T01:30:00Z");
    }

    #[test]
    fn after_a_gap_the_last_missed_time_is_found_however_long_it_was() {
        let tokyo = parse_zone("Asia/Tokyo").unwrap();
        let last = |schedule: &str, after: &str, now: &str| {
            let (after, now) = (parse_instant(after).unwrap(), parse_instant(now).unwrap());
            Schedule::parse(schedule).unwrap().last_between(after, now, &tokyo).map(|time| time.to_string())
        };
        let sunday_night = Some("2027-09-19T23:00:00Z".to_owned());
        assert_eq!(last("0 8 * * Mon", "2027-08-01T00:00:00Z", "2027-09-20T00:00:00Z"), sunday_night);
        assert_eq!(last("0 8 * * Mon", "2027-09-19T22:59:59Z", "2027-09-19T23:00:00Z"), sunday_night);
        assert_eq!(last("0 8 * * Mon", "2027-09-19T23:00:00Z", "2027-09-26T22:59:59Z"), None);
        assert_eq!(last("* * * * *", "2020-01-01T00:00:00Z", "2027-09-19T23:00:30Z"), sunday_night);
        assert_eq!(last("0 8 1 1 *", "2020-01-01T00:00:00Z", "2027-09-19T23:00:30Z"), Some("2026-12-31T23:00:00Z".to_owned()));
    }

    #[test]
    fn what_programs_read_differently_is_refused_with_the_reason() {
        for (wrong, word) in [
            ("0 0 8 * * Mon", "five"),
            ("0 8 * *", "five"),
            ("0 8 * * 1", "weekday"),
            ("0 8 1 * Mon", "both"),
            ("0 8 31 * *", "every month"),
            ("0 8 20-30 * *", "every month"),
            ("61 8 * * *", "not a schedule"),
            ("x 8 * * *", "not a schedule"),
        ] {
            let reason = Schedule::parse(wrong).unwrap_err();
            assert!(reason.message.contains(word), "{wrong}: {reason}");
        }
        assert!(Schedule::parse("*/15 8 1,15 * *").is_ok());
    }
}
