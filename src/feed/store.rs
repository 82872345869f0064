//! SQL of the validators of feeds, and of where their archives are cut.

use super::history::{Cut, Document};
use super::validators::Validators;
use crate::clock::Timestamp;
use sqlx::{AnyConnection, Row as _};
use std::collections::HashMap;

/// What was published last at these paths.
pub(super) async fn validators(connection: &mut AnyConnection, keys: &[String]) -> anyhow::Result<HashMap<String, Validators>> {
    let mut found = HashMap::with_capacity(keys.len());
    for key in keys {
        let row = sqlx::query("SELECT hash, last_modified, sequence FROM feed WHERE key = $1").bind(key).fetch_optional(&mut *connection);
        if let Some(row) = row.await? {
            let last_modified = Timestamp::from_millis(row.try_get("last_modified")?);
            let validators = Validators { hash: row.try_get("hash")?, last_modified, sequence: row.try_get("sequence")? };
            found.insert(key.clone(), validators);
        }
    }
    Ok(found)
}

/// A feed as it was published last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publishing {
    /// Its path.
    pub path: String,
    /// When its bytes changed.
    pub changed: Timestamp,
    /// Entries in it; not known of what was published before they were counted.
    pub entries: Option<i64>,
}

/// The feeds that are kept ready, by their paths.
pub async fn published(connection: &mut AnyConnection) -> anyhow::Result<Vec<Publishing>> {
    let rows: Vec<(String, i64, Option<i64>)> =
        sqlx::query_as("SELECT key, last_modified, entries FROM feed ORDER BY key").fetch_all(connection).await?;
    let publishing = |(path, millis, entries)| Publishing { path, changed: Timestamp::from_millis(millis), entries };
    Ok(rows.into_iter().map(publishing).collect())
}

/// Remembers a publication with so many entries.
pub(super) async fn remember(connection: &mut AnyConnection, key: &str, validators: &Validators, entries: usize) -> anyhow::Result<()> {
    sqlx::query(
        "INSERT INTO feed (key, hash, last_modified, sequence, entries) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (key) DO UPDATE SET hash = excluded.hash, last_modified = excluded.last_modified, sequence = excluded.sequence,
             entries = excluded.entries",
    )
    .bind(key)
    .bind(validators.hash.as_str())
    .bind(validators.last_modified.as_millis())
    .bind(validators.sequence)
    .bind(i64::try_from(entries)?)
    .execute(connection)
    .await?;
    Ok(())
}

/// The newest document of a topic's archive.
pub(super) async fn last_cut(connection: &mut AnyConnection, topic: &str) -> anyhow::Result<Cut> {
    let row: Option<(i64, i64)> = sqlx::query_as("SELECT number, upper FROM feed_archive WHERE topic = $1 ORDER BY number DESC LIMIT 1")
        .bind(topic)
        .fetch_optional(connection)
        .await?;
    Ok(row.map(|(number, upper)| Cut { number, upper }).unwrap_or_default())
}

/// Cuts a document of a topic's archive. False: another daemon was ahead.
pub(super) async fn cut(connection: &mut AnyConnection, topic: &str, cut: Cut) -> anyhow::Result<bool> {
    let done = sqlx::query("INSERT INTO feed_archive (topic, number, upper) VALUES ($1, $2, $3) ON CONFLICT (topic, number) DO NOTHING")
        .bind(topic)
        .bind(cut.number)
        .bind(cut.upper)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// A document of a topic's archive.
pub(super) async fn document(connection: &mut AnyConnection, topic: &str, number: i64) -> anyhow::Result<Option<Document>> {
    let rows: Vec<(i64, i64)> = sqlx::query_as("SELECT number, upper FROM feed_archive WHERE topic = $1 AND number BETWEEN $2 AND $3")
        .bind(topic)
        .bind(number - 1)
        .bind(number + 1)
        .fetch_all(connection)
        .await?;
    let upper = |wanted: i64| rows.iter().find(|(number, _)| *number == wanted).map(|(_, upper)| *upper);
    let document = |found: i64| Document { above: upper(number - 1).unwrap_or(0), upper: found, has_next: upper(number + 1).is_some() };
    Ok(upper(number).map(document))
}

/// When a category's closing entry was first made: the same on every node, whenever it asks.
pub(super) async fn closing_told_at(connection: &mut AnyConnection, closing: &str, now: Timestamp) -> anyhow::Result<Timestamp> {
    let name = format!("feed_closing:{closing}");
    sqlx::query("INSERT INTO fact (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
        .bind(&name)
        .bind((now.as_seconds() * 1000).to_string())
        .execute(&mut *connection)
        .await?;
    let value: String = sqlx::query_scalar("SELECT value FROM fact WHERE name = $1").bind(&name).fetch_one(connection).await?;
    Ok(Timestamp::from_millis(value.parse()?))
}
