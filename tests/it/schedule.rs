//! Schedules in every time zone, against a model that shares no code with them (D1).

use clarion::clock::{Timestamp, parse_instant, parse_zone};
use clarion::digest::Schedule;
use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use std::collections::BTreeSet;
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

/// A schedule, and what it means.
struct Sample {
    text: &'static str,
    days: fn(Date) -> bool,
    /// Hours and minutes.
    times: &'static [(i8, i8)],
}

/// Times about which clocks change somewhere, midnight among them.
const SAMPLES: [Sample; 4] = [
    Sample { text: "30 0,2 * * *", days: |_| true, times: &[(0, 30), (2, 30)] },
    Sample { text: "*/20 1 * * *", days: |_| true, times: &[(1, 0), (1, 20), (1, 40)] },
    Sample {
        text: "0 0,3 * * Sat,Sun",
        days: |day| matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday),
        times: &[(0, 0), (3, 0)],
    },
    Sample { text: "15 23 1-7 3,10,11 *", days: |day| day.day() <= 7 && matches!(day.month(), 3 | 10 | 11), times: &[(23, 15)] },
];

/// The zone as stretches of one offset: from when, until when, and seconds east of Greenwich.
struct Model(Vec<(Timestamp, Timestamp, i64)>);

impl Model {
    fn new(zone: &TimeZone) -> Self {
        let (from, until) = (parse_instant("2019-12-01T00:00:00Z").unwrap(), parse_instant("2036-02-01T00:00:00Z").unwrap());
        let mut changes: Vec<Timestamp> =
            zone.following(from.to_jiff()).map(|change| change.timestamp().into()).take_while(|at: &Timestamp| *at < until).collect();
        changes.insert(0, from);
        let ends = changes.iter().skip(1).copied().chain([until]);
        let offset = |at: Timestamp| i64::from(zone.to_offset(at.to_jiff()).seconds());
        Self(changes.iter().zip(ends).map(|(start, end)| (*start, end, offset(*start))).collect())
    }

    /// The first instant at which the wall clock shows this time or, where that is skipped, a
    /// later one.
    fn first_showing(&self, local: DateTime) -> Option<Timestamp> {
        let as_utc = TimeZone::UTC.to_timestamp(local).unwrap().as_millisecond();
        let shown = self.0.iter().map(|(start, end, offset)| (Timestamp::from_millis(as_utc - offset * 1000).max(*start), *end));
        shown.filter(|(at, end)| at < end).map(|(at, _)| at).min()
    }

    fn runs(&self, sample: &Sample, from: Timestamp, until: Timestamp) -> BTreeSet<Timestamp> {
        let first = (from - DAY - DAY).in_zone(&TimeZone::UTC).date();
        let days = first.series(jiff::Span::new().days(1)).take_while(|day| *day <= (until + DAY + DAY).in_zone(&TimeZone::UTC).date());
        days.filter(|day| (sample.days)(*day))
            .flat_map(|day| sample.times.iter().map(move |(hour, minute)| day.at(*hour, *minute, 0, 0)))
            .filter_map(|local| self.first_showing(local))
            .filter(|at| *at > from && *at <= until)
            .collect()
    }
}

#[test]
fn in_every_zone_from_2020_to_2035_schedules_run_as_wall_clocks_show() {
    let (mut zones, mut windows) = (0, 0);
    let samples: Vec<(Sample, Schedule)> = SAMPLES
        .into_iter()
        .map(|sample| {
            let schedule = Schedule::parse(sample.text).unwrap();
            (sample, schedule)
        })
        .collect();
    for name in jiff::tz::db().available() {
        let zone = parse_zone(name.as_str()).unwrap();
        let model = Model::new(&zone);
        // Everything that can go wrong does so where the clocks change; one date stands for the rest.
        let quiet = parse_instant("2024-02-28T12:00:00Z").unwrap();
        let changes = model.0.iter().map(|(start, ..)| *start).skip(1);
        for middle in changes.chain([quiet]) {
            for (sample, schedule) in &samples {
                let (from, until) = (middle - DAY * 2, middle + DAY * 2);
                let found: BTreeSet<Timestamp> =
                    std::iter::successors(schedule.next_after(from, &zone), |at| schedule.next_after(*at, &zone))
                        .take_while(|at| *at <= until)
                        .collect();
                assert_eq!(found, model.runs(sample, from, until), "{} in {name:?} about {middle}", sample.text);
                windows += 1;
            }
        }
        zones += 1;
    }
    assert!(zones > 400 && windows > 10_000, "{zones} zones, {windows} windows");
}

#[test]
fn through_a_whole_leap_year_no_monday_and_no_first_of_a_month_is_missed() {
    let tokyo = parse_zone("Asia/Tokyo").unwrap();
    let model = Model::new(&tokyo);
    let (from, until) = (parse_instant("2027-12-25T00:00:00+09:00").unwrap(), parse_instant("2029-01-02T00:00:00+09:00").unwrap());
    for (text, days) in [
        ("0 8 * * Mon", (|day: Date| day.weekday() == Weekday::Monday) as fn(Date) -> bool),
        ("0 8 1 * *", |day: Date| day.day() == 1),
        ("0 8 28 Feb *", |day: Date| (day.month(), day.day()) == (2, 28)),
    ] {
        let schedule = Schedule::parse(text).unwrap();
        let found: BTreeSet<Timestamp> = std::iter::successors(schedule.next_after(from, &tokyo), |at| schedule.next_after(*at, &tokyo))
            .take_while(|at| *at <= until)
            .collect();
        assert_eq!(found, model.runs(&Sample { text: "", days, times: &[(8, 0)] }, from, until), "{text}");
        assert!(!found.is_empty());
    }
}
