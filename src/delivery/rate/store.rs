//! SQL of buckets and of the days of a warm-up.

use super::WarmUp;
use super::bucket::{Filling, Level};
use crate::clock::Timestamp;
use crate::delivery::store::is_postgres;
use jiff::tz::TimeZone;
use serde::Serialize;
use sqlx::AnyConnection;

/// How full a bucket is now. Its row stays locked until the transaction ends.
pub(super) async fn level(connection: &mut AnyConnection, name: &str, filling: Filling, now: Timestamp) -> anyhow::Result<Level> {
    let full = Level::full(filling, now);
    sqlx::query("INSERT INTO rate_bucket (name, tokens, filled_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING")
        .bind(name)
        .bind(full.tokens)
        .bind(full.at.as_millis())
        .execute(&mut *connection)
        .await?;
    let sql = if is_postgres(connection) {
        "SELECT tokens, filled_at FROM rate_bucket WHERE name = $1 FOR UPDATE"
    } else {
        "SELECT tokens, filled_at FROM rate_bucket WHERE name = $1"
    };
    let (tokens, at): (f64, i64) = sqlx::query_as(sql).bind(name).fetch_one(connection).await?;
    Ok(Level { tokens, at: Timestamp::from_millis(at) }.now(filling, now))
}

/// Writes a level read by [`level`] in the same transaction.
pub(super) async fn set_level(connection: &mut AnyConnection, name: &str, level: Level) -> anyhow::Result<()> {
    sqlx::query("UPDATE rate_bucket SET tokens = $1, filled_at = $2 WHERE name = $3")
        .bind(level.tokens)
        .bind(level.at.as_millis())
        .bind(name)
        .execute(connection)
        .await?;
    Ok(())
}

/// Gives tokens back that were not used.
pub(super) async fn refund(connection: &mut AnyConnection, name: &str, count: usize) -> anyhow::Result<()> {
    sqlx::query("UPDATE rate_bucket SET tokens = tokens + $1 WHERE name = $2")
        .bind(f64::from(u32::try_from(count)?))
        .bind(name)
        .execute(connection)
        .await?;
    Ok(())
}

/// A day of a warm-up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warmth {
    /// The day, in the site's time zone: `2027-09-20`.
    pub day: String,
    /// Mails that may leave on it.
    pub cap: i64,
    /// Mails that have left.
    pub sent: i64,
}

impl Warmth {
    /// Mails that may still leave today.
    pub fn left(&self) -> i64 {
        (self.cap - self.sent).max(0)
    }
}

/// Where a warm-up stands today.
pub async fn warmth(connection: &mut AnyConnection, warm_up: &WarmUp, zone: &TimeZone, now: Timestamp) -> anyhow::Result<Warmth> {
    let today = now.in_zone(zone).date();
    // Days as text sort as days.
    let since = warm_up.since.map_or_else(|| "0000-01-01".to_owned(), |day| day.to_string());
    let days: Vec<i64> = sqlx::query_scalar("SELECT mails FROM sending_day WHERE day < $1 AND day >= $2 ORDER BY day")
        .bind(today.to_string())
        .bind(since)
        .fetch_all(&mut *connection)
        .await?;
    let sent: Option<i64> =
        sqlx::query_scalar("SELECT mails FROM sending_day WHERE day = $1").bind(today.to_string()).fetch_optional(connection).await?;
    Ok(Warmth { day: today.to_string(), cap: warm_up.cap_after(&days), sent: sent.unwrap_or(0) })
}

/// Counts mails, or takes back what was counted, on a day.
pub(super) async fn count_day(connection: &mut AnyConnection, day: &str, mails: i64) -> anyhow::Result<()> {
    sqlx::query(
        "INSERT INTO sending_day (day, mails) VALUES ($1, $2) ON CONFLICT (day) DO UPDATE SET mails = sending_day.mails + excluded.mails",
    )
    .bind(day)
    .bind(mails)
    .execute(connection)
    .await?;
    Ok(())
}

/// When the next delivery that was put off is due.
pub(super) async fn next_due(connection: &mut AnyConnection, now: Timestamp) -> anyhow::Result<Option<Timestamp>> {
    let next: Option<i64> = sqlx::query_scalar(
        "SELECT MIN((SELECT MIN(d.due_at) FROM delivery d
                     WHERE d.mailing_id = m.id AND d.lease_owner IS NULL AND d.state = 'queued' AND d.due_at > $1))
         FROM mailing m WHERE m.state IN ('ready', 'running')",
    )
    .bind(now.as_millis())
    .fetch_one(connection)
    .await?;
    Ok(next.map(Timestamp::from_millis))
}
