//! `clarion feeds`: which feeds there are, and how many read them.

use super::output;
use super::{Context, Outcome};
use crate::clock::Timestamp;
use crate::feed::{self, Readership};
use jiff::ToSpan as _;
use serde::Serialize;
use std::collections::BTreeMap;

/// Aggregators come at least once in so many days, while anybody there follows the feed.
const DAYS: i64 = 7;

/// A feed and who reads it.
#[derive(Default, Serialize)]
struct Line {
    address: String,
    /// Not known of feeds that are made when asked for.
    entries: Option<i64>,
    changed: Option<Timestamp>,
    readers: Vec<Readership>,
}

/// Runs the command.
pub async fn run(context: &Context) -> anyhow::Result<Outcome> {
    let site = &context.config.site;
    let today = context.clock.now().in_zone(&site.time_zone).date();
    let (db, _) = context.open().await?;
    let mut connection = db.reader().acquire().await?;
    let published = feed::published(&mut connection).await?;
    let readership = feed::readership(&mut connection, &today.saturating_sub(DAYS.days()).to_string()).await?;
    drop(connection);
    db.close().await;
    let mut lines: BTreeMap<String, Line> = BTreeMap::new();
    for feed in published {
        let line = Line { entries: feed.entries, changed: Some(feed.changed), ..Line::default() };
        lines.insert(feed.path, line);
    }
    for said in readership {
        lines.entry(said.feed.clone()).or_default().readers.push(said);
    }
    for (path, line) in &mut lines {
        line.address = site.link(path);
    }
    let lines: Vec<Line> = lines.into_values().collect();
    if context.json {
        output::json(&lines)?;
    } else {
        tell(&lines, context);
    }
    Ok(Outcome::Done)
}

fn tell(lines: &[Line], context: &Context) {
    let row = |line: &Line| {
        let changed = line.changed.map(|instant| instant.in_zone(&context.config.site.time_zone).strftime("%Y-%m-%d %H:%M").to_string());
        let readers: Vec<String> = line.readers.iter().map(|said| format!("{} {}", said.aggregator, said.readers)).collect();
        [
            line.address.clone(),
            line.entries.map_or_else(|| "–".to_owned(), |entries| entries.to_string()),
            changed.unwrap_or_else(|| "–".to_owned()),
            readers.join(", "),
        ]
    };
    let rows: Vec<[String; 4]> = lines.iter().map(row).collect();
    if rows.is_empty() {
        return output::line("no feed has been published yet; start the daemon");
    }
    output::table(["FEED", "ENTRIES", "CHANGED", "READERS, AS AGGREGATORS SAY"], &rows);
}
