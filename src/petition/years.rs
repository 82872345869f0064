//! A year left over from last time: what staff forget when they copy a petition.

use super::file::EditionPlan;
use super::texts::Text;
use crate::problem::{Problem, Reason};

const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

/// What is said of such a year.
pub(super) fn year_reason(year: i16, edition: &EditionPlan) -> Reason {
    Reason::new(
        format!("it says {year}, but this edition's day is {}", edition.day),
        format!("write {}, or mend the day in petition.toml", edition.day.year()),
    )
}

/// In the subject any near year but the edition's is a mistake; in the text only the edition's
/// own day with another year is, since last year may well be spoken of.
pub(super) fn years_in_text(text: &Text, edition: &EditionPlan) -> Vec<Problem> {
    let whole = text.source.text();
    let body_at = whole.len() - whole[whole.find('#').unwrap_or(0)..].trim_start().len();
    let first_line_end = body_at + whole[body_at..].find('\n').unwrap_or(whole.len() - body_at);
    let found = other_years(whole, edition.day.year()).into_iter();
    found
        .filter(|(at, _)| *at < first_line_end || is_the_day(&whole[..*at], &whole[at + 4..], edition))
        .map(|(at, year)| text.source.problem(at..at + 4, year_reason(year, edition)))
        .collect()
}

/// Years of the three before and the two after the edition, with their places.
pub(super) fn other_years(text: &str, edition: i16) -> Vec<(usize, i16)> {
    let mut found = Vec::new();
    for year in (edition - 3..=edition + 2).filter(|year| *year != edition) {
        for (at, digits) in text.match_indices(&year.to_string()) {
            let alone =
                !text[..at].ends_with(|c: char| c.is_ascii_digit()) && !text[at + digits.len()..].starts_with(|c: char| c.is_ascii_digit());
            if alone {
                found.push((at, year));
            }
        }
    }
    found
}

/// Whether the words round a year make it the edition's day: `September 24, 2026`,
/// `24 September 2026`, `2026年9月24日`, `2026-09-24`.
fn is_the_day(before: &str, after: &str, edition: &EditionPlan) -> bool {
    let (month, day) = (edition.day.month(), edition.day.day());
    if after.starts_with(&format!("年{month}月{day}日")) || after.starts_with(&format!("-{month:02}-{day:02}")) {
        return true;
    }
    let near: String = before.chars().rev().take(24).collect::<Vec<_>>().into_iter().rev().collect();
    let name = MONTHS[usize::from(month.unsigned_abs().saturating_sub(1)) % 12];
    let day = day.to_string();
    near.contains(name) && near.split(|c: char| !c.is_ascii_digit()).any(|number| number == day)
}
