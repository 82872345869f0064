//! SQL of the numbers of readers.

use serde::Serialize;
use sqlx::{AnyConnection, Row as _};

/// How many people read a feed through an aggregator, as it said on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Readership {
    /// The feed's path.
    #[serde(skip)]
    pub feed: String,
    /// Which.
    pub aggregator: String,
    /// The last day on which it said anything, `yyyy-mm-dd`.
    pub day: String,
    /// The most that it said on that day.
    pub readers: i64,
}

/// The last of every aggregator on every feed since a day, the most readers first.
pub async fn readership(connection: &mut AnyConnection, since: &str) -> anyhow::Result<Vec<Readership>> {
    let rows = sqlx::query(
        "SELECT feed, aggregator, day, readers FROM feed_reader
         WHERE day >= $1 AND day = (SELECT MAX(day) FROM feed_reader last
             WHERE last.feed = feed_reader.feed AND last.aggregator = feed_reader.aggregator)
         ORDER BY feed, readers DESC, aggregator",
    )
    .bind(since)
    .fetch_all(connection)
    .await?;
    let readership = |row: &sqlx::any::AnyRow| {
        let (feed, aggregator) = (row.try_get("feed")?, row.try_get("aggregator")?);
        Ok(Readership { feed, aggregator, day: row.try_get("day")?, readers: row.try_get("readers")? })
    };
    rows.iter().map(readership).collect()
}

/// Writes down what an aggregator said, if it is more than what it said on that day before.
pub(super) async fn remember(connection: &mut AnyConnection, said: &Readership) -> anyhow::Result<()> {
    sqlx::query(
        "INSERT INTO feed_reader (feed, day, aggregator, readers) VALUES ($1, $2, $3, $4)
         ON CONFLICT (feed, day, aggregator) DO UPDATE SET readers = excluded.readers
         WHERE feed_reader.readers < excluded.readers",
    )
    .bind(said.feed.as_str())
    .bind(said.day.as_str())
    .bind(said.aggregator.as_str())
    .bind(said.readers)
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets what was said before a day.
pub(super) async fn forget(connection: &mut AnyConnection, before: &str) -> anyhow::Result<()> {
    sqlx::query("DELETE FROM feed_reader WHERE day < $1").bind(before).execute(connection).await?;
    Ok(())
}
