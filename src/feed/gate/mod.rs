//! The gate before publication: new bytes are read again before they replace good ones. An entry
//! that spoils a feed is left out of it, so that no article takes the others with it; a feed that
//! is bad without any entry stays as it was.

mod json;
mod xml;

use super::clean::Clean;
use super::model::{Entry, Feed};
use super::remark::{LeftOut, Remark};
use crate::clock::Timestamp;
use crate::site::FeedFormat;
use std::collections::BTreeSet;
use url::Url;

/// How a feed becomes bytes.
pub(super) type Render = dyn Fn(&Feed<'_>, FeedFormat) -> anyhow::Result<Vec<u8>>;

/// What came through.
#[derive(Default)]
pub(super) struct Passed {
    /// Bytes that may be published.
    pub(super) documents: Vec<(FeedFormat, Vec<u8>)>,
    /// Formats of which the last good bytes stay, and why.
    pub(super) refused: Vec<(FeedFormat, String)>,
    /// What of the articles is not in it.
    pub(super) remarks: Vec<Remark>,
}

/// Makes a feed's documents in some formats and reads them again. The feed is left with the
/// entries that they have.
pub(super) fn pass(feed: &mut Feed<'_>, formats: &[FeedFormat], render: &Render) -> Passed {
    let mut remarks = std::mem::take(&mut feed.remarks);
    let mut ids = BTreeSet::new();
    put_out(feed, &mut remarks, |feed| {
        let entry = &feed.entries[0];
        fault_of(entry).or_else(|| (!ids.insert(entry.id.clone())).then(|| "another article has its id".to_owned()))
    });
    loop {
        let mut passed = Passed::default();
        for format in formats {
            match document(feed, *format, render) {
                Ok(bytes) => passed.documents.push((*format, bytes)),
                Err(why) => passed.refused.push((*format, why)),
            }
        }
        let bad: Vec<FeedFormat> = passed.refused.iter().map(|(format, _)| *format).collect();
        let before = feed.entries.len();
        if !bad.is_empty() && is_good_without_entries(feed, &bad, render) {
            put_out(feed, &mut remarks, |alone| bad.iter().find_map(|format| document(alone, *format, render).err()));
        }
        // No entry is bad, or none is bad alone.
        if feed.entries.len() == before {
            return Passed { remarks, ..passed };
        }
    }
}

fn is_good_without_entries(feed: &mut Feed<'_>, formats: &[FeedFormat], render: &Render) -> bool {
    let entries = std::mem::take(&mut feed.entries);
    let good = formats.iter().all(|format| document(feed, *format, render).is_ok());
    feed.entries = entries;
    good
}

/// Takes out the entries that have a fault: each is looked at as the only one of the feed.
fn put_out(feed: &mut Feed<'_>, remarks: &mut Vec<Remark>, mut fault: impl FnMut(&Feed<'_>) -> Option<String>) {
    let mut good = Vec::with_capacity(feed.entries.len());
    for entry in std::mem::take(&mut feed.entries) {
        feed.entries.push(entry);
        let found = fault(feed);
        let Some(entry) = feed.entries.pop() else { continue };
        match found {
            None => good.push(entry),
            Some(why) => remarks.push(Remark { article: entry.article, left_out: LeftOut::Entry(why) }),
        }
    }
    feed.entries = good;
}

/// What is wrong with an entry in every format.
fn fault_of(entry: &Entry) -> Option<String> {
    if entry.id.as_str().trim().is_empty() {
        return Some("its id is empty".to_owned());
    }
    if ![entry.published, entry.updated].into_iter().all(is_of_calendar) {
        return Some("its date is not in the years 1 to 9998".to_owned());
    }
    (entry.updated < entry.published).then(|| "it was changed before it was published".to_owned())
}

/// Dates of feeds have years of four digits, in every time zone.
fn is_of_calendar(instant: Timestamp) -> bool {
    const FIRST: i64 = -62_135_510_400_000;
    const LAST: i64 = 253_370_764_800_000;
    (FIRST..LAST).contains(&instant.as_millis())
}

/// The bytes of a feed in a format, if they say what the feed says and are what the format asks.
fn document(feed: &Feed<'_>, format: FeedFormat, render: &Render) -> Result<Vec<u8>, String> {
    let order = |entry: &Entry| (entry.published, entry.article);
    if !feed.entries.windows(2).all(|pair| order(&pair[0]) >= order(&pair[1])) {
        return Err("its entries are in no order".to_owned());
    }
    let bytes = render(feed, format).map_err(|error| format!("{error:#}"))?;
    let found = match format {
        FeedFormat::Rss | FeedFormat::Atom => xml::ids(&bytes)?,
        FeedFormat::Json => json::ids(&bytes)?,
    };
    let expected: Vec<&str> = feed.entries.iter().map(|entry| entry.id_in(format).as_str()).collect();
    // JSON Feed leaves out the oldest where there is no room.
    let compared = if format == FeedFormat::Json { &expected[..found.len().min(expected.len())] } else { &expected[..] };
    if found != compared || found.is_empty() != expected.is_empty() {
        return Err("its entries are not those that it should have".to_owned());
    }
    Ok(bytes)
}

/// Whether readers can follow it.
fn is_web(link: &str) -> bool {
    Url::parse(link).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) && link.is_ascii()
}

fn web(link: &str) -> Result<(), String> {
    if is_web(link) { Ok(()) } else { Err(format!("“{}” is no link", Clean::new(link).as_str())) }
}

#[cfg(test)]
mod tests;
