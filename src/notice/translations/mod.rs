//! Once a month staff are told what waits for a translator: on the first weekday, in the morning
//! of the site's zone. Where nothing waits, nothing is sent.

mod step;
mod store;

pub use step::TranslationsStep;

use crate::clock::{Timestamp, instant_of};
use crate::content::{Gap, Lack};
use crate::language::{Language, Voice};
use crate::site::Site;
use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use std::time::Duration;

/// The hour at which somebody is likely to read it.
const HOUR: i8 = 9;
/// After so long a month's mail is not sent any more: the next one tells the same.
const LATE: Duration = Duration::from_hours(7 * 24);
/// Only what is younger is told: older articles are for `clarion translations`.
const SPAN: Duration = Duration::from_hours(366 * 24);
/// In each language, at most.
const MOST: usize = 15;

/// When the mail of a month is due.
fn due_in(month: Date, zone: &TimeZone) -> Timestamp {
    let first = month.first_of_month();
    let day = match first.weekday() {
        Weekday::Saturday => first.saturating_add(2.days()),
        Weekday::Sunday => first.saturating_add(1.day()),
        _ => first,
    };
    instant_of(day.at(HOUR, 0, 0, 0), zone)
}

/// The last mail that was due, and the next that will be.
fn due_around(now: Timestamp, zone: &TimeZone) -> (Timestamp, Timestamp) {
    let today = now.in_zone(zone).date();
    let this = due_in(today, zone);
    let first = today.first_of_month();
    if this <= now { (this, due_in(first.saturating_add(1.month()), zone)) } else { (due_in(first.saturating_sub(1.month()), zone), this) }
}

/// The subject and the text.
fn letter(voice: &Voice, site: &Site, gaps: &[Gap]) -> (String, String) {
    let count = |lack: fn(Lack) -> bool| gaps.iter().filter(|gap| lack(gap.lack)).count();
    let (missing, older) = (count(|lack| lack != Lack::Older), count(|lack| lack == Lack::Older));
    let subject = voice.say_all("notice-translations-subject", &[("missing", missing.into()), ("older", older.into())]);
    let mut paragraphs = vec![voice.say("notice-translations-opening")];
    paragraphs.extend(site.languages.iter().filter_map(|language| of_language(voice, site, gaps, language)));
    paragraphs.push(voice.say("notice-translations-how"));
    paragraphs.push(voice.say("notice-translations-more-at"));
    (subject, paragraphs.join("\n\n"))
}

fn of_language(voice: &Voice, site: &Site, gaps: &[Gap], language: &Language) -> Option<String> {
    let of = || gaps.iter().filter(|gap| gap.language == *language);
    let count = of().count();
    let mut lines =
        vec![voice.say_all("notice-translations-language", &[("language", language.own_name().into()), ("count", count.into())])];
    lines.extend(of().take(MOST).map(|gap| line(voice, site, gap)));
    if count > MOST {
        lines.push(voice.say_with("notice-translations-left-out", "count", count - MOST));
    }
    (count > 0).then(|| lines.join("\n"))
}

fn line(voice: &Voice, site: &Site, gap: &Gap) -> String {
    let shown = gap.translation.as_ref().unwrap_or(&gap.original);
    let date = voice.date(gap.since.in_zone(&site.time_zone).date());
    voice.say_all(
        &format!("notice-translations-{}", gap.lack),
        // Mails are kept: what is withdrawn later shall not be named in them.
        &[("date", date.into()), ("file", shown.place().into())],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{parse_local, parse_zone};

    #[test]
    fn the_mail_is_due_on_the_first_weekday_in_the_morning_of_the_zone() {
        let zone = parse_zone("Asia/Tokyo").unwrap();
        let around = |now: &str| {
            let (last, next) = due_around(parse_local(now, &zone).unwrap(), &zone);
            [last, next].map(|due| due.in_zone(&zone).strftime("%Y-%m-%d %H:%M").to_string())
        };
        assert_eq!(around("2027-09-20T08:00"), ["2027-09-01 09:00", "2027-10-01 09:00"]);
        assert_eq!(around("2027-10-01T08:59"), ["2027-09-01 09:00", "2027-10-01 09:00"]);
        assert_eq!(around("2027-10-01T09:00"), ["2027-10-01 09:00", "2027-11-01 09:00"]);
        assert_eq!(around("2027-05-03T12:00"), ["2027-05-03 09:00", "2027-06-01 09:00"], "May begins on a Saturday");
        assert_eq!(around("2027-08-01T12:00"), ["2027-07-01 09:00", "2027-08-02 09:00"], "August on a Sunday");
        assert_eq!(around("2028-01-02T12:00"), ["2027-12-01 09:00", "2028-01-03 09:00"], "across the year");
    }
}
