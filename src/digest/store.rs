//! SQL of runs: which times have been dealt with, and which digests staff hold.

use crate::clock::Timestamp;
use sqlx::AnyConnection;

crate::text_enum! {
    /// What became of a scheduled time.
    pub enum RunState {
        /// The digest was first seen then; nothing earlier is run.
        Seen = "seen",
        /// Its mailing is being cut.
        Cutting = "cutting",
        /// Its mailing is in the ledger.
        Done = "done",
        /// Staff skipped it.
        Skipped = "skipped",
    }
}

/// A scheduled time that has been dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Run {
    /// For when it was scheduled.
    pub scheduled_at: Timestamp,
    /// What became of it.
    pub state: RunState,
}

fn job(digest: &str) -> String {
    format!("digest:{digest}")
}

fn held(digest: &str) -> String {
    format!("digest-held:{digest}")
}

/// The latest run of a digest.
pub(super) async fn last_run(connection: &mut AnyConnection, digest: &str) -> anyhow::Result<Option<Run>> {
    let row: Option<(i64, String)> =
        sqlx::query_as("SELECT scheduled_at, state FROM run WHERE job = $1 ORDER BY scheduled_at DESC LIMIT 1")
            .bind(job(digest))
            .fetch_optional(connection)
            .await?;
    row.map(|(at, state)| Ok(Run { scheduled_at: Timestamp::from_millis(at), state: RunState::from_stored(&state)? })).transpose()
}

/// The runs that are being cut: the name of the digest and the time, the earliest first.
pub(super) async fn open_runs(connection: &mut AnyConnection) -> anyhow::Result<Vec<(String, Timestamp)>> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as("SELECT job, scheduled_at FROM run WHERE job LIKE 'digest:%' AND state = 'cutting' ORDER BY scheduled_at, job")
            .fetch_all(connection)
            .await?;
    let named = rows.into_iter().filter_map(|(job, at)| Some((job.strip_prefix("digest:")?.to_owned(), Timestamp::from_millis(at))));
    Ok(named.collect())
}

/// Records a run unless there is one for this time. Returns whether it is new.
pub(super) async fn add_run(connection: &mut AnyConnection, digest: &str, run: Run, now: Timestamp) -> anyhow::Result<bool> {
    let done = sqlx::query(
        "INSERT INTO run (job, scheduled_at, state, made_at) VALUES ($1, $2, $3, $4) ON CONFLICT (job, scheduled_at) DO NOTHING",
    )
    .bind(job(digest))
    .bind(run.scheduled_at.as_millis())
    .bind(run.state.as_str())
    .bind(now.as_millis())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Connects a run with its mailing.
pub(super) async fn set_mailing(connection: &mut AnyConnection, digest: &str, at: Timestamp, mailing: i64) -> anyhow::Result<()> {
    sqlx::query("UPDATE run SET mailing_id = $1 WHERE job = $2 AND scheduled_at = $3")
        .bind(mailing)
        .bind(job(digest))
        .bind(at.as_millis())
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends a run.
pub(super) async fn end_run(connection: &mut AnyConnection, digest: &str, at: Timestamp) -> anyhow::Result<()> {
    sqlx::query("UPDATE run SET state = 'done' WHERE job = $1 AND scheduled_at = $2 AND state = 'cutting'")
        .bind(job(digest))
        .bind(at.as_millis())
        .execute(connection)
        .await?;
    Ok(())
}

/// Waits until no other daemon cuts a digest, and keeps the others waiting until the
/// transaction ends: of two runs at once, the second then reads what the first has carried to
/// somebody who changed their rhythm meanwhile.
pub(super) async fn take_turn(connection: &mut AnyConnection) -> anyhow::Result<()> {
    sqlx::query("INSERT INTO fact (name, value) VALUES ('digest-turn', '') ON CONFLICT (name) DO UPDATE SET value = excluded.value")
        .execute(connection)
        .await?;
    Ok(())
}

/// Since when staff hold a digest.
pub(super) async fn held_since(connection: &mut AnyConnection, digest: &str) -> anyhow::Result<Option<Timestamp>> {
    let since: Option<String> =
        sqlx::query_scalar("SELECT value FROM fact WHERE name = $1").bind(held(digest)).fetch_optional(connection).await?;
    since.map(|since| Ok(Timestamp::from_millis(since.parse()?))).transpose()
}

/// Holds a digest: it is not cut until released. Returns whether it was not held before.
pub async fn hold(connection: &mut AnyConnection, digest: &str, now: Timestamp) -> anyhow::Result<bool> {
    let done = sqlx::query("INSERT INTO fact (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
        .bind(held(digest))
        .bind(now.as_millis().to_string())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Releases a held digest; what was missed meanwhile is run once. Returns whether it was held.
pub async fn release(connection: &mut AnyConnection, digest: &str) -> anyhow::Result<bool> {
    let done = sqlx::query("DELETE FROM fact WHERE name = $1").bind(held(digest)).execute(connection).await?;
    Ok(done.rows_affected() == 1)
}
