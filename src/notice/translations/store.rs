//! SQL of the monthly mail: which months have been dealt with.

use crate::clock::Timestamp;
use sqlx::AnyConnection;

const JOB: &str = "translations";

/// The latest month that has been dealt with, by when its mail was due.
pub(super) async fn last_run(connection: &mut AnyConnection) -> anyhow::Result<Option<Timestamp>> {
    let last: Option<i64> = sqlx::query_scalar("SELECT MAX(scheduled_at) FROM run WHERE job = $1").bind(JOB).fetch_one(connection).await?;
    Ok(last.map(Timestamp::from_millis))
}

/// Deals with a month. Returns whether nobody has before.
pub(super) async fn add_run(connection: &mut AnyConnection, due: Timestamp, now: Timestamp) -> anyhow::Result<bool> {
    let done = sqlx::query(
        "INSERT INTO run (job, scheduled_at, state, made_at) VALUES ($1, $2, 'done', $3) ON CONFLICT (job, scheduled_at) DO NOTHING",
    )
    .bind(JOB)
    .bind(due.as_millis())
    .bind(now.as_millis())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}
