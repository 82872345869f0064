//! SQL of the ledger: claim, renew, write.
//!
//! A claim gives a delivery to one worker for a while and raises its fence; whatever is written
//! about it later must show that fence. So a worker that was too slow, or thought dead, changes
//! nothing any more.
//!
//! A delivery has a `lease_owner` exactly while it is leased or in doubt. What rests and what workers
//! have are in two indexes, and a query of a mailing's deliveries says which of them it means, or it
//! reads the whole mailing.

use super::rules::{Attempt, Settlement, Standing, reason_to_skip};
use super::store::is_postgres;
use super::{DeliveryState, Kind, MailingState, OnDoubt, order, withdraw};
use crate::addressbook::{Deliverability, Stream};
use crate::clock::Timestamp;
use crate::language::Language;
use anyhow::Context as _;
use serde::Deserialize;
use serde_json::json;
use sqlx::{AnyConnection, FromRow};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// How long a claim holds. It is renewed while its round goes on, however long a relay lets us
/// wait, so what a dead daemon had is taken up again after this.
pub(super) const LEASE: Duration = Duration::from_mins(1);
/// Mailings that one claim looks into.
const MAILINGS: i64 = 50;

/// Who claims, and by which clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claimant<'a> {
    /// This process.
    pub(super) owner: &'a str,
    /// The instant at which work is due.
    pub(super) now: Timestamp,
    /// The instant by which leases are measured.
    pub(super) lease_time: Timestamp,
}

/// A delivery that this worker has.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    pub(super) attempt: Attempt,
    pub(super) mailing: i64,
    pub(super) mailing_key: String,
    pub(super) kind: Kind,
    pub(super) stream: Stream,
    pub(super) variant: i64,
    /// With the mailing's key it makes the Message-ID.
    pub(super) recipient: String,
    pub(super) person: Option<i64>,
    pub(super) address_sealed: String,
    pub(super) personal: Option<String>,
}

/// A rendered text, its slots open.
#[derive(Clone, Debug)]
pub(super) struct Variant {
    pub(super) language: Language,
    pub(super) subject: String,
    pub(super) body_text: String,
    pub(super) body_html: String,
    pub(super) mark: String,
}

/// Mailings that have something due, the most urgent first.
pub(super) async fn due_mailings(connection: &mut AnyConnection, only: Option<i64>, now: Timestamp) -> anyhow::Result<Vec<i64>> {
    Ok(sqlx::query_scalar(
        "SELECT m.id FROM mailing m
         WHERE m.state IN ('ready', 'running') AND m.not_before <= $1 AND (CAST($2 AS BIGINT) IS NULL OR m.id = $2)
           AND EXISTS (SELECT 1 FROM delivery d
                       WHERE d.mailing_id = m.id AND d.lease_owner IS NULL AND d.state IN ('queued', 'deferred') AND d.due_at <= $1)
         ORDER BY m.priority, m.id LIMIT $3",
    )
    .bind(now.as_millis())
    .bind(only)
    .bind(MAILINGS)
    .fetch_all(connection)
    .await?)
}

/// Claims up to `limit` deliveries of these mailings and skips those whose recipient must not
/// get them, or holds them where they may have arrived. Returns the claims, and how many were
/// skipped or held.
pub(super) async fn claim(
    connection: &mut AnyConnection,
    mailings: &[i64],
    limit: i64,
    claimant: Claimant<'_>,
) -> anyhow::Result<(Vec<Claim>, usize)> {
    let mut ids: Vec<i64> = Vec::new();
    let open = still_open(connection, mailings).await?;
    for mailing in &open {
        let room = usize::try_from(limit)?.saturating_sub(ids.len());
        if room == 0 {
            break;
        }
        let old = lock_due(connection, mailing.id, "deferred", i64::try_from(room)?, claimant.now).await?;
        let new = lock_due(connection, mailing.id, "queued", i64::try_from(room)?, claimant.now).await?;
        let again = share(room, old.len(), new.len());
        ids.extend(old.into_iter().take(again));
        ids.extend(new.into_iter().take(room - again));
    }
    let (mut claims, mut skipped) = (Vec::new(), Vec::new());
    let rows = look_up(connection, &ids).await?;
    // A cut that was being written while an article was withdrawn may carry it all the same.
    let withdrawn = withdraw::among(connection, rows.iter().map(|row| row.variant_id).collect()).await?;
    let open: HashMap<i64, OpenMailing> = open.into_iter().map(|mailing| (mailing.id, mailing)).collect();
    for row in rows {
        let mailing = open.get(&row.mailing_id).context("a delivery is of another mailing than was asked for")?;
        match reason_to_skip(&row.standing(mailing)?).or_else(|| withdrawn.contains(&row.variant_id).then_some(withdraw::WITHDRAWN)) {
            Some(reason) => skipped.push((row.id, reason)),
            None => claims.push(row.into_claim(mailing, claimant.now)?),
        }
    }
    skip(connection, &skipped, claimant.now).await?;
    take(connection, &claims, claimant).await?;
    Ok((claims, skipped.len()))
}

/// How many of the room go to what was deferred: a quarter, and all that the queued leave. Under a
/// tight limit it would otherwise wait behind them until its five days are over, and who is behind
/// a greylist would never get it.
fn share(room: usize, deferred: usize, queued: usize) -> usize {
    deferred.min((room / 4).max(1).max(room.saturating_sub(queued)))
}

/// A mailing that may be sent, with what its deliveries have in common.
#[derive(FromRow)]
struct OpenMailing {
    id: i64,
    key: String,
    kind: String,
    stream: String,
    on_doubt: String,
}

/// Those of these mailings that may still be sent: connecting to the relay takes time, in which
/// staff may have stopped them. Whoever stops one from here on waits until the claim is written,
/// and takes it back.
async fn still_open(connection: &mut AnyConnection, mailings: &[i64]) -> anyhow::Result<Vec<OpenMailing>> {
    let sql = if is_postgres(connection) {
        "SELECT m.id, m.key, m.kind, m.stream, m.on_doubt FROM mailing m WHERE m.state IN ('ready', 'running')
           AND m.id IN (SELECT CAST(d.value AS BIGINT) FROM json_array_elements_text($1::json) AS d(value))
         ORDER BY m.priority, m.id FOR NO KEY UPDATE"
    } else {
        "SELECT m.id, m.key, m.kind, m.stream, m.on_doubt FROM mailing m
         WHERE m.state IN ('ready', 'running') AND m.id IN (SELECT value FROM json_each($1))
         ORDER BY m.priority, m.id"
    };
    let open = sqlx::query_as(sql).bind(serde_json::to_string(mailings)?).fetch_all(&mut *connection).await?;
    Ok(if super::frozen(connection).await? { Vec::new() } else { open })
}

/// Rows that nobody else is claiming in this moment.
async fn lock_due(connection: &mut AnyConnection, mailing: i64, state: &str, limit: i64, now: Timestamp) -> anyhow::Result<Vec<i64>> {
    // As one text: SQLite's driver takes a turn to its thread and back for each row.
    let sql = if is_postgres(connection) {
        "SELECT CAST(COALESCE(json_agg(due.id ORDER BY due.due_at, due.id), '[]') AS TEXT)
         FROM (SELECT id, due_at FROM delivery WHERE mailing_id = $1 AND lease_owner IS NULL AND state = $2 AND due_at <= $3
               ORDER BY due_at, id LIMIT $4 FOR UPDATE SKIP LOCKED) AS due"
    } else {
        "SELECT json_group_array(due.id ORDER BY due.due_at, due.id)
         FROM (SELECT id, due_at FROM delivery WHERE mailing_id = $1 AND lease_owner IS NULL AND state = $2 AND due_at <= $3
               ORDER BY due_at, id LIMIT $4) AS due"
    };
    let due: String = sqlx::query_scalar(sql).bind(mailing).bind(state).bind(now.as_millis()).bind(limit).fetch_one(connection).await?;
    Ok(serde_json::from_str(&due)?)
}

/// A delivery with everything that decides whether and how it is sent: in the order of [`look_up`].
#[derive(Deserialize)]
struct DueRow {
    id: i64,
    fence: i64,
    attempts: i64,
    doubts: i64,
    first_attempt_at: Option<i64>,
    mailing_id: i64,
    variant_id: i64,
    recipient: String,
    person_id: Option<i64>,
    address_sealed: Option<String>,
    personal: Option<String>,
    deliverability: Option<String>,
    suppressed: Option<String>,
    refused: Option<String>,
    subscription: Option<String>,
}

impl DueRow {
    fn standing(&self, mailing: &OpenMailing) -> anyhow::Result<Standing> {
        Ok(Standing {
            stream: Stream::from_stored(&mailing.stream)?,
            erased: self.address_sealed.is_none(),
            suppressed: self.suppressed.is_some(),
            left: self.refused.is_some() || self.subscription.as_deref() == Some("left"),
            deliverability: self.deliverability.as_deref().map(Deliverability::from_stored).transpose()?,
        })
    }

    fn into_claim(self, mailing: &OpenMailing, now: Timestamp) -> anyhow::Result<Claim> {
        Ok(Claim {
            attempt: Attempt {
                id: self.id,
                fence: self.fence + 1,
                attempts: self.attempts,
                doubts: self.doubts,
                on_doubt: OnDoubt::from_stored(&mailing.on_doubt)?,
                // What was claimed before and not tried, as when staff paused, is begun only now.
                first_attempt_at: self.first_attempt_at.filter(|_| self.attempts > 0).map_or(now, Timestamp::from_millis),
            },
            mailing: mailing.id,
            mailing_key: mailing.key.clone(),
            kind: Kind::from_stored(&mailing.kind)?,
            stream: Stream::from_stored(&mailing.stream)?,
            variant: self.variant_id,
            recipient: self.recipient,
            person: self.person_id,
            address_sealed: self.address_sealed.unwrap_or_default(),
            personal: self.personal,
        })
    }
}

async fn look_up(connection: &mut AnyConnection, ids: &[i64]) -> anyhow::Result<Vec<DueRow>> {
    // The order of the list is the order of urgency. As one text: as in `lock_due`.
    let sql = if is_postgres(connection) {
        "SELECT CAST(COALESCE(json_agg(json_build_array(
                d.id, d.fence, d.attempts, d.doubts, d.first_attempt_at, d.mailing_id, d.variant_id, d.recipient, d.person_id,
                COALESCE(p.address_sealed, d.address_sealed), d.personal, p.deliverability, s.reason, r.stream, u.state
            ) ORDER BY due.place), '[]') AS TEXT)
         FROM json_array_elements_text($1::json) WITH ORDINALITY AS due(id, place)
         JOIN delivery d ON d.id = CAST(due.id AS BIGINT) JOIN mailing m ON m.id = d.mailing_id
         LEFT JOIN person p ON p.id = d.person_id
         LEFT JOIN suppression s ON s.address_index = COALESCE(p.address_index, substr(d.recipient, 3))
         LEFT JOIN refusal r ON r.person_id = d.person_id AND r.stream = m.stream
         LEFT JOIN subscription u ON u.person_id = d.person_id"
    } else {
        "SELECT json_group_array(json_array(
                d.id, d.fence, d.attempts, d.doubts, d.first_attempt_at, d.mailing_id, d.variant_id, d.recipient, d.person_id,
                COALESCE(p.address_sealed, d.address_sealed), d.personal, p.deliverability, s.reason, r.stream, u.state
            ) ORDER BY due.key)
         FROM json_each($1) AS due
         JOIN delivery d ON d.id = due.value JOIN mailing m ON m.id = d.mailing_id
         LEFT JOIN person p ON p.id = d.person_id
         LEFT JOIN suppression s ON s.address_index = COALESCE(p.address_index, substr(d.recipient, 3))
         LEFT JOIN refusal r ON r.person_id = d.person_id AND r.stream = m.stream
         LEFT JOIN subscription u ON u.person_id = d.person_id"
    };
    let due: String = sqlx::query_scalar(sql).bind(serde_json::to_string(ids)?).fetch_one(connection).await?;
    Ok(serde_json::from_str(&due)?)
}

/// Of what may have arrived nobody says that it was skipped: it is held.
async fn skip(connection: &mut AnyConnection, skipped: &[(i64, &str)], now: Timestamp) -> anyhow::Result<()> {
    if skipped.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = skipped.iter().map(|(id, reason)| json!({ "id": id, "reason": reason })).collect();
    let sql = if is_postgres(connection) {
        "UPDATE delivery SET state = CASE WHEN doubts > 0 THEN 'held' ELSE 'skipped' END,
                reason = CASE WHEN doubts > 0 THEN 'in doubt' ELSE r.reason END, settled_at = $1
         FROM json_to_recordset($2::json) AS r(id BIGINT, reason TEXT) WHERE delivery.id = r.id"
    } else {
        "UPDATE delivery SET state = CASE WHEN doubts > 0 THEN 'held' ELSE 'skipped' END,
                reason = CASE WHEN doubts > 0 THEN 'in doubt' ELSE r.reason END, settled_at = $1
         FROM (SELECT json_extract(value, '$.id') AS id, json_extract(value, '$.reason') AS reason FROM json_each($2)) AS r
         WHERE delivery.id = r.id"
    };
    sqlx::query(sql).bind(now.as_millis()).bind(serde_json::to_string(&rows)?).execute(connection).await?;
    Ok(())
}

/// Writes the leases, and that these mailings run.
async fn take(connection: &mut AnyConnection, claims: &[Claim], claimant: Claimant<'_>) -> anyhow::Result<()> {
    let ids: Vec<i64> = claims.iter().map(|claim| claim.attempt.id).collect();
    let sql = if is_postgres(connection) {
        "UPDATE delivery SET state = 'leased', lease_owner = $1, lease_until = $2, fence = fence + 1,
                first_attempt_at = CASE WHEN attempts > 0 THEN COALESCE(first_attempt_at, $3) ELSE $3 END
         WHERE id IN (SELECT CAST(c.value AS BIGINT) FROM json_array_elements_text($4::json) AS c(value))"
    } else {
        "UPDATE delivery SET state = 'leased', lease_owner = $1, lease_until = $2, fence = fence + 1,
                first_attempt_at = CASE WHEN attempts > 0 THEN COALESCE(first_attempt_at, $3) ELSE $3 END
         WHERE id IN (SELECT value FROM json_each($4))"
    };
    sqlx::query(sql)
        .bind(claimant.owner)
        .bind((claimant.lease_time + LEASE).as_millis())
        .bind(claimant.now.as_millis())
        .bind(serde_json::to_string(&ids)?)
        .execute(&mut *connection)
        .await?;
    let running: HashSet<i64> = claims.iter().map(|claim| claim.mailing).collect();
    for mailing in running {
        sqlx::query("UPDATE mailing SET state = $1 WHERE id = $2 AND state = 'ready'")
            .bind(MailingState::Running.as_str())
            .bind(mailing)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Takes back what workers have and have not begun, of a mailing or of all: whoever has it now may
/// not begin it.
pub(super) async fn recall(connection: &mut AnyConnection, mailing: Option<i64>) -> anyhow::Result<()> {
    order::lock_under_way(connection, mailing).await?;
    sqlx::query(
        "UPDATE delivery SET state = 'queued', lease_owner = NULL, lease_until = NULL, fence = fence + 1
         WHERE lease_owner IS NOT NULL AND state = 'leased' AND (CAST($1 AS BIGINT) IS NULL OR mailing_id = $1)",
    )
    .bind(mailing)
    .execute(connection)
    .await?;
    Ok(())
}

/// Renews what a worker has, on `PostgreSQL`: on SQLite nobody else claims.
pub(super) async fn renew(connection: &mut AnyConnection, claimant: Claimant<'_>) -> anyhow::Result<()> {
    let held = "SELECT id FROM delivery WHERE lease_owner = $1 ORDER BY id";
    let ids: Vec<i64> = sqlx::query_scalar(held).bind(claimant.owner).fetch_all(&mut *connection).await?;
    order::lock_deliveries(connection, &ids).await?;
    // No others: what was claimed since is not locked in order.
    sqlx::query(
        "UPDATE delivery SET lease_until = $1
         WHERE lease_owner = $2 AND id IN (SELECT CAST(d.value AS BIGINT) FROM json_array_elements_text($3::json) AS d(value))",
    )
    .bind((claimant.lease_time + LEASE).as_millis())
    .bind(claimant.owner)
    .bind(serde_json::to_string(&ids)?)
    .execute(connection)
    .await?;
    Ok(())
}

/// Those of these mailings that somebody waits for.
pub(super) async fn urgent(connection: &mut AnyConnection, mailings: &[i64]) -> anyhow::Result<Vec<i64>> {
    let mut urgent = Vec::new();
    for mailing in mailings {
        let kind: String = sqlx::query_scalar("SELECT kind FROM mailing WHERE id = $1").bind(mailing).fetch_one(&mut *connection).await?;
        if Kind::from_stored(&kind)?.is_urgent() {
            urgent.push(*mailing);
        }
    }
    Ok(urgent)
}

/// The texts of some claims.
pub(super) async fn variants(connection: &mut AnyConnection, claims: &[Claim]) -> anyhow::Result<HashMap<i64, Variant>> {
    let ids: HashSet<i64> = claims.iter().map(|claim| claim.variant).collect();
    let ids: Vec<i64> = ids.into_iter().collect();
    let sql = if is_postgres(connection) {
        "SELECT id, language, subject, body_text, body_html, mark FROM variant
         WHERE id IN (SELECT CAST(v.value AS BIGINT) FROM json_array_elements_text($1::json) AS v(value))"
    } else {
        "SELECT id, language, subject, body_text, body_html, mark FROM variant WHERE id IN (SELECT value FROM json_each($1))"
    };
    let rows: Vec<(i64, String, String, String, String, String)> =
        sqlx::query_as(sql).bind(serde_json::to_string(&ids)?).fetch_all(connection).await?;
    rows.into_iter()
        .map(|(id, language, subject, body_text, body_html, mark)| {
            Ok((id, Variant { language: Language::parse(&language)?, subject, body_text, body_html, mark }))
        })
        .collect()
}

/// Bodies that are about to leave.
pub(super) struct Leaving {
    /// Deliveries and their fences.
    pub(super) bodies: Vec<(i64, i64)>,
    /// Their leases are renewed to this.
    pub(super) lease_until: Timestamp,
}

/// What was written of a page.
pub(super) struct Written {
    /// How many results. A delivery that somebody else has claimed since, or that was cancelled, is
    /// left as it is.
    pub(super) settled: u64,
    /// Those that are marked as in doubt because they are still this worker's, with their fences:
    /// only their bodies may leave.
    pub(super) granted: HashSet<(i64, i64)>,
}

/// What a page says of a delivery: number, fence, state, reason, attempts, doubts, when it is due,
/// reply, when it was settled; until when it is leased, where its body is about to leave.
type Line<'s> =
    (i64, i64, DeliveryState, Option<&'s str>, Option<i64>, Option<i64>, Option<i64>, Option<&'s str>, Option<i64>, Option<i64>);

/// Writes results, and marks what is about to leave as in doubt, in one statement: of all that
/// sending does to the database this is done most often.
pub(super) async fn write(connection: &mut AnyConnection, settlements: &[Settlement], leaving: &Leaving) -> anyhow::Result<Written> {
    let results = settlements.iter().map(|s| -> Line<'_> {
        let (reason, reply) = (s.reason.as_deref(), s.reply.as_deref());
        (s.id, s.fence, s.state, reason, Some(s.attempts), Some(s.doubts), Some(s.due_at), reply, s.settled_at, None)
    });
    let until = Some(leaving.lease_until.as_millis());
    let marks = leaving
        .bodies
        .iter()
        .map(|(id, fence)| -> Line<'_> { (*id, *fence, DeliveryState::InDoubt, None, None, None, None, None, None, until) });
    let lines: Vec<Line<'_>> = results.chain(marks).collect();
    let all = u64::try_from(lines.len())?;
    let written = write_lines(connection, &lines).await?;
    let granted = if written == all { leaving.bodies.iter().copied().collect() } else { marked_among(connection, leaving).await? };
    Ok(Written { settled: written.saturating_sub(granted.len() as u64), granted })
}

/// Writes results alone. Returns how many were written.
pub(super) async fn settle(connection: &mut AnyConnection, settlements: &[Settlement]) -> anyhow::Result<u64> {
    let nothing = Leaving { bodies: Vec::new(), lease_until: Timestamp::from_millis(0) };
    Ok(write(connection, settlements, &nothing).await?.settled)
}

async fn write_lines(connection: &mut AnyConnection, lines: &[Line<'_>]) -> anyhow::Result<u64> {
    if lines.is_empty() {
        return Ok(0);
    }
    // Lines are lists: in objects SQLite looks for each name in each. One that is leased for a while
    // longer is a mark, any other a result.
    let sql = if is_postgres(connection) {
        "UPDATE delivery
         SET state = r.state, reason = CASE WHEN r.lease_until IS NULL THEN r.reason ELSE delivery.reason END,
             attempts = COALESCE(r.attempts, delivery.attempts), doubts = COALESCE(r.doubts, delivery.doubts),
             due_at = COALESCE(r.due_at, delivery.due_at), reply = COALESCE(r.reply, delivery.reply), settled_at = r.settled_at,
             lease_owner = CASE WHEN r.lease_until IS NULL THEN NULL ELSE delivery.lease_owner END, lease_until = r.lease_until
         FROM (SELECT CAST(value->>0 AS BIGINT) AS id, CAST(value->>1 AS BIGINT) AS fence, value->>2 AS state, value->>3 AS reason,
                      CAST(value->>4 AS BIGINT) AS attempts, CAST(value->>5 AS BIGINT) AS doubts, CAST(value->>6 AS BIGINT) AS due_at,
                      value->>7 AS reply, CAST(value->>8 AS BIGINT) AS settled_at, CAST(value->>9 AS BIGINT) AS lease_until
               FROM json_array_elements($1::json)) AS r
         WHERE delivery.id = r.id AND delivery.fence = r.fence
           AND (delivery.state = 'leased' OR (r.lease_until IS NULL AND delivery.state IN ('in_doubt', 'queued', 'deferred', 'held')))"
    } else {
        "UPDATE delivery
         SET state = r.state, reason = CASE WHEN r.lease_until IS NULL THEN r.reason ELSE delivery.reason END,
             attempts = COALESCE(r.attempts, delivery.attempts), doubts = COALESCE(r.doubts, delivery.doubts),
             due_at = COALESCE(r.due_at, delivery.due_at), reply = COALESCE(r.reply, delivery.reply), settled_at = r.settled_at,
             lease_owner = CASE WHEN r.lease_until IS NULL THEN NULL ELSE delivery.lease_owner END, lease_until = r.lease_until
         FROM (SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS fence, json_extract(value, '$[2]') AS state,
                      json_extract(value, '$[3]') AS reason, json_extract(value, '$[4]') AS attempts,
                      json_extract(value, '$[5]') AS doubts, json_extract(value, '$[6]') AS due_at, json_extract(value, '$[7]') AS reply,
                      json_extract(value, '$[8]') AS settled_at, json_extract(value, '$[9]') AS lease_until FROM json_each($1)) AS r
         WHERE delivery.id = r.id AND delivery.fence = r.fence
           AND (delivery.state = 'leased' OR (r.lease_until IS NULL AND delivery.state IN ('in_doubt', 'queued', 'deferred', 'held')))"
    };
    Ok(sqlx::query(sql).bind(serde_json::to_string(lines)?).execute(connection).await?.rows_affected())
}

/// Those of these deliveries that are marked.
async fn marked_among(connection: &mut AnyConnection, leaving: &Leaving) -> anyhow::Result<HashSet<(i64, i64)>> {
    let sql = if is_postgres(connection) {
        "SELECT d.id, d.fence FROM json_array_elements($1::json) AS r(value)
         JOIN delivery d ON d.id = CAST(r.value->>0 AS BIGINT) AND d.fence = CAST(r.value->>1 AS BIGINT) WHERE d.state = 'in_doubt'"
    } else {
        "SELECT d.id, d.fence FROM json_each($1) AS r
         JOIN delivery d ON d.id = json_extract(r.value, '$[0]') AND d.fence = json_extract(r.value, '$[1]') WHERE d.state = 'in_doubt'"
    };
    let marked: Vec<(i64, i64)> = sqlx::query_as(sql).bind(serde_json::to_string(&leaving.bodies)?).fetch_all(connection).await?;
    Ok(marked.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_deferred_gets_a_quarter_of_the_room_and_all_that_the_queued_leave() {
        assert_eq!(share(800, 500, 800), 200);
        assert_eq!(share(800, 50, 800), 50);
        assert_eq!(share(800, 800, 300), 500);
        assert_eq!(share(800, 800, 0), 800);
        assert_eq!(share(1, 1, 1), 1);
        assert_eq!(share(10, 0, 10), 0);
    }
}
