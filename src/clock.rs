//! Time: the one place that asks what time it is, and what a local time means.
//!
//! Everything else takes a [`Clock`], so that a test, or somebody who wants to watch a schedule
//! fire, can set it.

use crate::problem::{FromNode, Reason, Value};
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// An instant: milliseconds since 1970-01-01T00:00:00Z, as the database stores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(into = "String")]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since 1970.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This instant in a time zone. Instants that jiff cannot express (beyond year 9999) are
    /// brought to the nearest it can.
    pub fn in_zone(self, zone: &TimeZone) -> jiff::Zoned {
        self.to_jiff().to_zoned(zone.clone())
    }

    /// As jiff's own type.
    pub fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX })
    }

    /// The time from `earlier` to this instant; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(instant: jiff::Timestamp) -> Self {
        Self(instant.as_millisecond())
    }
}

impl From<&jiff::Zoned> for Timestamp {
    fn from(instant: &jiff::Zoned) -> Self {
        instant.timestamp().into()
    }
}

impl From<Timestamp> for String {
    fn from(instant: Timestamp) -> Self {
        instant.to_string()
    }
}

/// RFC 3339 in UTC with whole seconds.
impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", jiff::fmt::temporal::DateTimePrinter::new().precision(Some(0)).timestamp_to_string(&self.to_jiff()))
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// What time it is. Clones share the same time.
#[derive(Clone, Debug)]
pub struct Clock {
    hand: Arc<Hand>,
    /// Milliseconds that the machine's own clock is taken to be ahead, in tests of wrong ones.
    wrong_by: Arc<AtomicI64>,
}

#[derive(Debug)]
enum Hand {
    /// The machine's clock, plus so many milliseconds.
    System { ahead: i64 },
    /// A file that holds the instant; the last one that could be read is kept.
    File { path: PathBuf, last: AtomicI64 },
    /// Set by hand, by tests.
    Manual(AtomicI64),
}

impl Clock {
    fn of(hand: Hand) -> Self {
        Self { hand: Arc::new(hand), wrong_by: Arc::default() }
    }

    /// The machine's clock.
    pub fn system() -> Self {
        Self::of(Hand::System { ahead: 0 })
    }

    /// A clock that shows `start` now and runs on from there.
    pub fn starting_at(start: Timestamp) -> Self {
        Self::of(Hand::System { ahead: start.0 - system_millis() })
    }

    /// A clock that stands still until it is set.
    pub fn manual(start: Timestamp) -> Self {
        Self::of(Hand::Manual(AtomicI64::new(start.0)))
    }

    /// A clock that reads its instant from a file again and again.
    pub fn from_file(path: PathBuf) -> Result<Self, Reason> {
        let start = read_instant(&path)?;
        Ok(Self::of(Hand::File { path, last: AtomicI64::new(start.0) }))
    }

    /// The clock that `CLARION_CLOCK` asks for: an instant to start from, or `file:PATH`.
    pub fn parse(text: &str) -> Result<Self, Reason> {
        match text.strip_prefix("file:") {
            Some(path) => Self::from_file(PathBuf::from(path)),
            None => parse_instant(text).map(Self::starting_at),
        }
    }

    /// Whether this is the machine's own clock. Only then may mail leave the machine.
    pub fn is_real(&self) -> bool {
        matches!(*self.hand, Hand::System { ahead: 0 })
    }

    /// What the machine's own clock shows, whatever this one does: to be compared with another
    /// machine's.
    pub fn machine(&self) -> Timestamp {
        Timestamp(system_millis() + self.wrong_by.load(Ordering::Relaxed))
    }

    /// Takes the machine's own clock to be so many milliseconds ahead, as a test of a wrong one
    /// does.
    pub fn set_machine_wrong_by(&self, millis: i64) {
        self.wrong_by.store(millis, Ordering::Relaxed);
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        match &*self.hand {
            Hand::System { ahead } => Timestamp(system_millis() + ahead),
            Hand::File { path, last } => {
                if let Ok(instant) = read_instant(path) {
                    last.store(instant.0, Ordering::Relaxed);
                }
                Timestamp(last.load(Ordering::Relaxed))
            }
            Hand::Manual(instant) => Timestamp(instant.load(Ordering::Relaxed)),
        }
    }

    /// Sets a manual clock. The other kinds follow their own source and ignore it.
    pub fn set(&self, instant: Timestamp) {
        if let Hand::Manual(hand) = &*self.hand {
            hand.store(instant.0, Ordering::Relaxed);
        }
    }

    /// Waits until this clock shows `instant`, but no longer than `at_most` of real time.
    pub async fn sleep_until(&self, instant: Timestamp, at_most: Duration) {
        /// How often a clock that can jump is looked at.
        const GLANCE: Duration = Duration::from_millis(50);
        match *self.hand {
            Hand::System { .. } => tokio::time::sleep(instant.since(self.now()).min(at_most)).await,
            Hand::File { .. } | Hand::Manual(_) => {
                let mut waited = Duration::ZERO;
                while self.now() < instant && waited < at_most {
                    tokio::time::sleep(GLANCE).await;
                    waited += GLANCE;
                }
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for the time")]
fn system_millis() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

fn read_instant(path: &Path) -> Result<Timestamp, Reason> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Reason::new(
            format!("the clock file {} cannot be read: {error}", path.display()),
            "write an instant like 2027-09-20T08:00:00+09:00 into it",
        )
    })?;
    parse_instant(text.trim())
}

/// Parses an instant with its offset, as RFC 3339 (`2027-09-20T08:00:00+09:00`).
pub fn parse_instant(text: &str) -> Result<Timestamp, Reason> {
    text.parse::<jiff::Timestamp>()
        .map(Timestamp::from)
        .map_err(|_| Reason::new(format!("“{text}” is not an instant"), "write it with its offset, like 2027-09-20T08:00:00+09:00"))
}

/// Parses a date, with or without a time, with or without an offset. What has no offset is
/// local time in `zone`; what has no time is its midnight.
pub fn parse_local(text: &str, zone: &TimeZone) -> Result<Timestamp, Reason> {
    let text = text.trim();
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Ok(instant.into());
    }
    let civil = text.parse::<DateTime>().or_else(|_| text.parse::<Date>().map(DateTime::from)).map_err(|_| {
        Reason::new(format!("“{text}” is not a date"), "write it like 2027-09-24, 2027-09-24T09:00 or 2027-09-24T09:00:00+09:00")
    })?;
    Ok(instant_of(civil, zone))
}

/// The instant at which a wall clock in `zone` shows `civil`. A time that daylight saving
/// skips is the first instant after the gap; one that it repeats is the first of the two.
pub fn instant_of(civil: DateTime, zone: &TimeZone) -> Timestamp {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    let instant = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => offset.to_timestamp(civil),
        // Read with the offset after the gap, the skipped time falls just before the change.
        AmbiguousOffset::Gap { after, .. } => {
            after.to_timestamp(civil).map(|near| zone.following(near).next().map_or(near, |change| change.timestamp()))
        }
    };
    instant.map_or(Timestamp(i64::MAX), Timestamp::from)
}

/// Parses an IANA time zone name.
pub fn parse_zone(text: &str) -> Result<TimeZone, Reason> {
    TimeZone::get(text)
        .map_err(|_| Reason::new(format!("“{text}” is not a time zone"), "write an IANA name like Asia/Tokyo or Europe/London"))
}

/// Parses a length of time: a whole number and `s`, `m`, `h` or `d`.
pub fn parse_duration(text: &str) -> Result<Duration, Reason> {
    let refusal =
        || Reason::new(format!("“{text}” is not a length of time"), "write a whole number and s, m, h or d, like 90s, 10m, 12h or 14d");
    let text = text.trim();
    let unit = text.chars().last().ok_or_else(refusal)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(refusal()),
    };
    let count: u32 = text[..text.len() - 1].trim().parse().map_err(|_| refusal())?;
    Ok(Duration::from_secs(u64::from(count) * seconds))
}

impl FromNode for Duration {
    const EXPECTED: &'static str = "write a length of time like \"10m\", \"12h\" or \"14d\"";

    fn from_value(value: &Value) -> Option<Result<Self, Reason>> {
        let Value::Text(text) = value else { return None };
        Some(parse_duration(text))
    }
}

impl FromNode for TimeZone {
    const EXPECTED: &'static str = "write an IANA time zone name like \"Asia/Tokyo\"";

    fn from_value(value: &Value) -> Option<Result<Self, Reason>> {
        let Value::Text(text) = value else { return None };
        Some(parse_zone(text))
    }
}

/// A date or instant as written, to be placed in a time zone when that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenTime(pub String);

impl WrittenTime {
    /// The instant it means in `zone`.
    pub fn in_zone(&self, zone: &TimeZone) -> Result<Timestamp, Reason> {
        parse_local(&self.0, zone)
    }
}

impl FromNode for WrittenTime {
    const EXPECTED: &'static str = "write a date like 2027-09-24 or 2027-09-24T09:00:00+09:00";

    fn from_value(value: &Value) -> Option<Result<Self, Reason>> {
        let (Value::Text(text) | Value::Datetime(text)) = value else { return None };
        // Only the form is checked here, so any zone serves.
        Some(parse_local(text, &TimeZone::UTC).map(|_| Self(text.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> TimeZone {
        parse_zone(name).unwrap()
    }

    fn shown(instant: Timestamp) -> String {
        instant.to_string()
    }

    #[test]
    fn a_time_skipped_by_daylight_saving_is_the_first_instant_after_the_gap() {
        let london = zone("Europe/London");
        let skipped = "2027-03-28T01:30".parse().unwrap();
        assert_eq!(shown(instant_of(skipped, &london)), "2027-03-28T01:00:00Z");
    }

    #[test]
    fn a_time_repeated_by_daylight_saving_is_the_first_of_the_two() {
        let london = zone("Europe/London");
        let repeated = "2027-10-31T01:30".parse().unwrap();
        assert_eq!(shown(instant_of(repeated, &london)), "2027-10-31T00:30:00Z");
    }

    #[test]
    fn a_date_without_zone_is_local_and_one_with_zone_is_not() {
        let tokyo = zone("Asia/Tokyo");
        assert_eq!(shown(parse_local("2027-09-24", &tokyo).unwrap()), "2027-09-23T15:00:00Z");
        assert_eq!(shown(parse_local("2027-09-24T09:00", &tokyo).unwrap()), "2027-09-24T00:00:00Z");
        assert_eq!(shown(parse_local("2027-09-24T09:00:00Z", &tokyo).unwrap()), "2027-09-24T09:00:00Z");
        assert!(parse_local("next Tuesday", &tokyo).is_err());
    }

    #[test]
    fn lengths_of_time_have_a_unit() {
        assert_eq!(parse_duration("14d").unwrap(), Duration::from_hours(336));
        for wrong in ["", "14", "d", "-1h", "1w", "1.5h", "１４d"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }
}
