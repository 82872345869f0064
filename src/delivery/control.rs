//! The staff's view of mailings, and their hand on them.

use super::bounce::{Cause, came_back, forget_refusals};
use super::order::lock_mailing;
use super::store::is_postgres;
use super::{DeliveryState, Kind, MailingState, ledger};
use crate::clock::Timestamp;
use serde::Serialize;
use sqlx::{AnyConnection, FromRow};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// A mailing with its sums.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Its number.
    pub id: i64,
    /// What makes it itself.
    pub key: String,
    /// What it is for.
    pub kind: Kind,
    /// What it is.
    pub title: String,
    /// Where it stands.
    pub state: MailingState,
    /// Why it is held or cancelled.
    pub reason: Option<String>,
    /// When it was made.
    pub made_at: Timestamp,
    /// Nothing leaves before.
    pub not_before: Timestamp,
    /// Nothing leaves after.
    pub deadline: Option<Timestamp>,
    /// When the last delivery was settled.
    pub finished_at: Option<Timestamp>,
    /// Deliveries by state.
    pub deliveries: BTreeMap<DeliveryState, i64>,
}

/// One delivery, its recipient by number: never by address.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// Its number.
    pub id: i64,
    /// The person; none: somebody of the staff.
    pub person: Option<i64>,
    /// The language of its text.
    pub language: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// Why.
    pub reason: Option<String>,
    /// How often it was tried.
    pub attempts: i64,
    /// The relay's last words.
    pub reply: Option<String>,
    /// When it was settled.
    pub settled_at: Option<Timestamp>,
}

#[derive(FromRow)]
struct LineRow {
    id: i64,
    person: Option<i64>,
    language: String,
    state: String,
    reason: Option<String>,
    attempts: i64,
    reply: Option<String>,
    settled_at: Option<i64>,
}

#[derive(FromRow)]
struct MailingRow {
    id: i64,
    key: String,
    kind: String,
    title: String,
    state: String,
    reason: Option<String>,
    made_at: i64,
    not_before: i64,
    deadline: Option<i64>,
    finished_at: Option<i64>,
}

/// The newest mailings, with their sums, the newest first.
pub async fn newest_mailings(connection: &mut AnyConnection, limit: i64) -> anyhow::Result<Vec<Summary>> {
    let rows: Vec<MailingRow> = sqlx::query_as(
        "SELECT id, key, kind, title, state, reason, made_at, not_before, deadline, finished_at FROM mailing ORDER BY id DESC LIMIT $1",
    )
    .bind(limit)
    .fetch_all(&mut *connection)
    .await?;
    let Some(oldest) = rows.last().map(|row| row.id) else { return Ok(Vec::new()) };
    let counts = counts(connection, oldest, i64::MAX).await?;
    rows.into_iter().map(|row| summary(row, &counts)).collect()
}

/// One mailing with its sums.
pub async fn mailing_summary(connection: &mut AnyConnection, mailing: i64) -> anyhow::Result<Option<Summary>> {
    let row: Option<MailingRow> =
        sqlx::query_as("SELECT id, key, kind, title, state, reason, made_at, not_before, deadline, finished_at FROM mailing WHERE id = $1")
            .bind(mailing)
            .fetch_optional(&mut *connection)
            .await?;
    let Some(row) = row else { return Ok(None) };
    let counts = counts(connection, mailing, mailing).await?;
    summary(row, &counts).map(Some)
}

/// How many deliveries of these mailings are in which state: what rests from its index, what
/// workers have from theirs.
async fn counts(connection: &mut AnyConnection, first: i64, last: i64) -> anyhow::Result<Vec<(i64, String, i64)>> {
    Ok(sqlx::query_as(
        "SELECT mailing_id, state, COUNT(*) FROM delivery
         WHERE lease_owner IS NULL AND mailing_id BETWEEN $1 AND $2 GROUP BY mailing_id, state
         UNION ALL SELECT mailing_id, state, COUNT(*) FROM delivery
         WHERE lease_owner IS NOT NULL AND mailing_id BETWEEN $1 AND $2 GROUP BY mailing_id, state",
    )
    .bind(first)
    .bind(last)
    .fetch_all(connection)
    .await?)
}

fn summary(row: MailingRow, counts: &[(i64, String, i64)]) -> anyhow::Result<Summary> {
    let mut deliveries = BTreeMap::new();
    for (_, state, count) in counts.iter().filter(|(mailing, ..)| *mailing == row.id) {
        *deliveries.entry(DeliveryState::from_stored(state)?).or_default() += count;
    }
    Ok(Summary {
        id: row.id,
        key: row.key,
        kind: Kind::from_stored(&row.kind)?,
        title: row.title,
        state: MailingState::from_stored(&row.state)?,
        reason: row.reason,
        made_at: Timestamp::from_millis(row.made_at),
        not_before: Timestamp::from_millis(row.not_before),
        deadline: row.deadline.map(Timestamp::from_millis),
        finished_at: row.finished_at.map(Timestamp::from_millis),
        deliveries,
    })
}

/// The numbers of a mailing's deliveries, the first to the last, among which may be others'.
pub async fn delivery_numbers(connection: &mut AnyConnection, mailing: i64) -> anyhow::Result<Option<RangeInclusive<i64>>> {
    let (first, last): (Option<i64>, Option<i64>) =
        sqlx::query_as("SELECT MIN(id), MAX(id) FROM delivery WHERE mailing_id = $1").bind(mailing).fetch_one(connection).await?;
    Ok(first.zip(last).map(|(first, last)| first..=last))
}

/// Deliveries of a mailing among these numbers, in order.
pub async fn delivery_lines(
    connection: &mut AnyConnection,
    mailing: i64,
    numbers: RangeInclusive<i64>,
    limit: i64,
) -> anyhow::Result<Vec<Line>> {
    // The plus keeps an engine from sorting the whole mailing for each page.
    let rows: Vec<LineRow> = sqlx::query_as(
        "SELECT d.id, d.person_id AS person, v.language, d.state, d.reason, d.attempts, d.reply, d.settled_at
         FROM delivery d JOIN variant v ON v.id = d.variant_id
         WHERE +d.mailing_id = $1 AND d.id BETWEEN $2 AND $3 ORDER BY d.id LIMIT $4",
    )
    .bind(mailing)
    .bind(*numbers.start())
    .bind(*numbers.end())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let LineRow { id, person, language, state, reason, attempts, reply, settled_at } = row;
            let state = DeliveryState::from_stored(&state)?;
            Ok(Line { id, person, language, state, reason, attempts, reply, settled_at: settled_at.map(Timestamp::from_millis) })
        })
        .collect()
}

/// Stops a mailing for a while. What a worker has and has not begun comes back at once.
/// False: it is not one that could be stopped.
pub async fn pause(connection: &mut AnyConnection, mailing: i64) -> anyhow::Result<bool> {
    let done = sqlx::query("UPDATE mailing SET state = 'paused' WHERE id = $1 AND state IN ('ready', 'running')")
        .bind(mailing)
        .execute(&mut *connection)
        .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    ledger::recall(connection, Some(mailing)).await?;
    Ok(true)
}

/// Lets a paused or held mailing go on. False: it was neither.
pub async fn resume(connection: &mut AnyConnection, mailing: i64) -> anyhow::Result<bool> {
    // Who lets go on what is held for being late wants it to leave late. A paused one that has
    // become late is held first, with a word.
    let done = sqlx::query(
        "UPDATE mailing SET state = 'running', reason = NULL, hold_after = CASE WHEN state = 'held' THEN NULL ELSE hold_after END
         WHERE id = $1 AND state IN ('paused', 'held')",
    )
    .bind(mailing)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What is to be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// What failed.
    Failed,
    /// What is held in doubt.
    Held,
    /// Both.
    Both,
}

impl Again {
    /// As asked: what nobody names, is both.
    pub const fn of(failed: bool, held: bool) -> Self {
        match (failed, held) {
            (true, false) => Self::Failed,
            (false, true) => Self::Held,
            _ => Self::Both,
        }
    }

    const fn states(self) -> [DeliveryState; 2] {
        match self {
            Self::Failed => [DeliveryState::Failed; 2],
            Self::Held => [DeliveryState::Held; 2],
            Self::Both => [DeliveryState::Failed, DeliveryState::Held],
        }
    }
}

/// Queues again what failed or is held in doubt, but for what came back from an address that
/// takes no mail. Returns how many. A cancelled mailing stays cancelled.
pub async fn retry(connection: &mut AnyConnection, mailing: i64, what: Again, now: Timestamp) -> anyhow::Result<u64> {
    // Its end waits, and is then not its end.
    lock_mailing(connection, mailing).await?;
    let [one, other] = what.states();
    let again: Vec<i64> = sqlx::query_scalar(
        "UPDATE delivery SET state = 'queued', reason = NULL, doubts = 0, due_at = $1, settled_at = NULL, fence = fence + 1,
                -- What was refused is a new mail; what is in doubt must be the same one, with its
                -- first attempt's date.
                attempts = CASE WHEN state = 'failed' THEN 0 ELSE attempts END,
                first_attempt_at = CASE WHEN state = 'failed' THEN NULL ELSE first_attempt_at END
         WHERE mailing_id = $2 AND lease_owner IS NULL AND state IN ($3, $4)
           AND (reason IS NULL OR reason = $5 OR (reason <> 'withdrawn' AND reason NOT LIKE 'came back:%'))
           AND EXISTS (SELECT 1 FROM mailing m WHERE m.id = $2 AND m.state IN ('ready', 'running', 'paused', 'held', 'done'))
         RETURNING id",
    )
    .bind(now.as_millis())
    .bind(mailing)
    .bind(one.as_str())
    .bind(other.as_str())
    .bind(came_back(Cause::Policy))
    .fetch_all(&mut *connection)
    .await?;
    if !again.is_empty() {
        forget_refusals(connection, mailing).await?;
        sqlx::query("UPDATE mailing SET state = 'running', finished_at = NULL WHERE id = $1 AND state = 'done'")
            .bind(mailing)
            .execute(connection)
            .await?;
    }
    Ok(u64::try_from(again.len())?)
}

/// The fact that stops all sending.
const FROZEN: &str = "frozen";

/// Stops all sending now: whatever has not begun waits. False: it was stopped already.
pub async fn freeze(connection: &mut AnyConnection, now: Timestamp) -> anyhow::Result<bool> {
    let done = sqlx::query("INSERT INTO fact (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
        .bind(FROZEN)
        .bind(now.to_string())
        .execute(&mut *connection)
        .await?;
    if is_postgres(connection) {
        // A claim that is being written is waited for, so that it is taken back too.
        sqlx::query("SELECT id FROM mailing WHERE state IN ('ready', 'running') ORDER BY priority, id FOR NO KEY UPDATE")
            .fetch_all(&mut *connection)
            .await?;
    }
    ledger::recall(connection, None).await?;
    Ok(done.rows_affected() == 1)
}

/// Lets sending go on. False: it was not stopped.
pub async fn thaw(connection: &mut AnyConnection) -> anyhow::Result<bool> {
    let done = sqlx::query("DELETE FROM fact WHERE name = $1").bind(FROZEN).execute(connection).await?;
    Ok(done.rows_affected() == 1)
}

/// Whether all sending is stopped.
pub async fn frozen(connection: &mut AnyConnection) -> anyhow::Result<bool> {
    let since: Option<String> =
        sqlx::query_scalar("SELECT value FROM fact WHERE name = $1").bind(FROZEN).fetch_optional(connection).await?;
    Ok(since.is_some())
}
