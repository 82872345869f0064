//! `clarion translations`: what waits for a translator.

use super::output;
use super::{Context, Outcome};
use crate::clock::{Timestamp, parse_local};
use crate::content::{self, Gap, Lack};
use crate::language::Language;
use crate::problem::Reason;
use jiff::Span;
use jiff::tz::TimeZone;
use serde::Serialize;

/// What to list.
#[derive(Clone, Debug, clap::Args)]
pub struct TranslationsArguments {
    /// Only into this language
    #[arg(long, value_name = "LANGUAGE")]
    lang: Option<String>,
    /// Only what was published, or whose original has changed, since: 30d, 6m, 2y, or a date
    #[arg(long, value_name = "SINCE")]
    since: Option<String>,
}

/// How much waits in a language.
#[derive(Serialize)]
struct Count {
    language: Language,
    missing: usize,
    begun: usize,
    older: usize,
}

#[derive(Serialize)]
struct Report {
    counts: Vec<Count>,
    articles: Vec<Gap>,
}

/// Runs the command.
pub async fn run(arguments: &TranslationsArguments, context: &Context) -> anyhow::Result<Outcome> {
    let site = &context.config.site;
    let languages = match &arguments.lang {
        None => site.languages.clone(),
        Some(tag) => vec![wanted(tag, &site.languages)?],
    };
    let since = arguments.since.as_deref().map(|text| instant_before(text, context.clock.now(), &site.time_zone)).transpose()?;
    let (db, _) = context.open().await?;
    let gaps = content::gaps(&mut *db.reader().acquire().await?, site, since).await;
    db.close().await;
    let articles: Vec<Gap> = gaps?.into_iter().filter(|gap| languages.contains(&gap.language)).collect();
    let counts = languages.into_iter().map(|language| count(language, &articles)).collect();
    let report = Report { counts, articles };
    if context.json {
        output::json(&report)?;
    } else {
        tell(&report, &site.time_zone);
    }
    Ok(Outcome::Done)
}

fn wanted(tag: &str, languages: &[Language]) -> Result<Language, Reason> {
    let language = Language::parse(tag)?;
    if languages.contains(&language) {
        return Ok(language);
    }
    let known: Vec<String> = languages.iter().map(ToString::to_string).collect();
    Err(Reason::new(format!("the site is not in {language}"), format!("name one of {}", known.join(", "))))
}

fn count(language: Language, gaps: &[Gap]) -> Count {
    let of = |lack: Lack| gaps.iter().filter(|gap| gap.language == language && gap.lack == lack).count();
    Count { missing: of(Lack::Missing), begun: of(Lack::Begun), older: of(Lack::Older), language }
}

/// The instant that lies so long before `now`: days, months or years as the calendar has them; or
/// the one that is named.
fn instant_before(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, Reason> {
    let refusal =
        || Reason::new(format!("“{text}” is not a time"), "write days, months or years like 30d, 6m or 2y, or a date like 2026-01-01");
    let number: Option<i32> = text.get(..text.len().saturating_sub(1)).and_then(|number| number.parse().ok()).filter(|number| *number >= 0);
    let span = match (number, text.chars().last()) {
        (Some(number), Some('d')) => Span::new().try_days(number),
        (Some(number), Some('m')) => Span::new().try_months(number),
        (Some(number), Some('y')) => Span::new().try_years(number),
        _ => return parse_local(text, zone).map_err(|_| refusal()),
    };
    let past = span.and_then(|span| now.in_zone(zone).checked_sub(span));
    past.map(|past| Timestamp::from(&past)).map_err(|_| refusal())
}

fn tell(report: &Report, zone: &TimeZone) {
    let day = |instant: Timestamp| instant.in_zone(zone).date().to_string();
    let row = |gap: &Gap| {
        let what = match gap.lack {
            Lack::Missing => "missing",
            Lack::Begun => "not public yet",
            Lack::Older => "older",
        };
        let shown = gap.translation.as_ref().unwrap_or(&gap.original);
        let from = gap.original.language.to_string();
        [gap.language.to_string(), what.to_owned(), day(gap.since), from, shown.place(), gap.original.title.clone()]
    };
    let rows: Vec<[String; 6]> = report.articles.iter().map(row).collect();
    if !rows.is_empty() {
        output::table(["LANGUAGE", "WHAT", "SINCE", "FROM", "FILE", "TITLE"], &rows);
        output::line("");
    }
    for count in &report.counts {
        let Count { language, missing, begun, older } = count;
        output::line(match missing + begun + older {
            0 => format!("{language}: nothing waits"),
            _ => format!("{language}: {missing} missing, {begun} not public yet, {older} older than the original"),
        });
    }
    if report.counts.iter().any(|count| count.older > 0) {
        output::line("A translation that needs no change is in order again when its file says  updated = (today)");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::parse_zone;

    #[test]
    fn a_time_before_is_counted_by_the_calendar_or_named() {
        let zone = parse_zone("Asia/Tokyo").unwrap();
        let now = parse_local("2028-02-29T08:00", &zone).unwrap();
        let before = |text: &str| instant_before(text, now, &zone).map(|instant| instant.in_zone(&zone).date().to_string());
        for (text, expected) in
            [("30d", "2028-01-30"), ("6m", "2027-08-29"), ("2y", "2026-02-28"), ("0d", "2028-02-29"), ("2020-01-01", "2020-01-01")]
        {
            assert_eq!(before(text).unwrap(), expected, "{text}");
        }
        for wrong in ["", "y", "2", "-1y", "2w", "99999y", "２年", "yesterday"] {
            assert!(before(wrong).is_err(), "{wrong}");
        }
    }
}
