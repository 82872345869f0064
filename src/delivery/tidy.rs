//! What time changes by itself: claims run out, deadlines pass, mailings end.
//!
//! Each is looked for first and changed in a transaction of its own, so that an idle look writes
//! nothing and rows are locked in the order that [`order`](super::order) tells.

use super::bounce::hold_refused;
use super::late::hold_late;
use super::ledger::Claimant;
use super::order::{lock_mailing, lock_under_way};
use crate::clock::Timestamp;
use crate::db::{Db, Engine};
use crate::noticeboard::{self, Notice};
use sqlx::AnyConnection;

/// Puts in order what time has changed: claims that ran out, mailings past their deadline or too
/// late to begin, mailings whose last delivery is settled.
pub(super) async fn tidy(db: &Db, claimant: Claimant<'_>) -> anyhow::Result<()> {
    take_back(db, claimant).await?;
    skip_overdue(db, claimant.now).await?;
    end_cancelled(db, claimant.now).await?;
    hold_refused(db, claimant.now).await?;
    finish(db, claimant.now).await?;
    hold_late(db, claimant.now).await
}

async fn take_back(db: &Db, claimant: Claimant<'_>) -> anyhow::Result<()> {
    // One daemon serves an SQLite file, so what another owner holds there was left by a crash.
    let foreign = match db.engine() {
        Engine::Sqlite => claimant.owner,
        Engine::Postgres => "",
    };
    let left: Option<i64> = sqlx::query_scalar(
        "SELECT id FROM delivery WHERE lease_owner IS NOT NULL AND (lease_until < $1 OR ($2 <> '' AND lease_owner <> $2)) LIMIT 1",
    )
    .bind(claimant.lease_time.as_millis())
    .bind(foreign)
    .fetch_optional(db.reader())
    .await?;
    if left.is_none() {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    lock_under_way(&mut tx, None).await?;
    take_back_leased(&mut tx, foreign, claimant).await?;
    take_back_doubtful(&mut tx, foreign, claimant).await?;
    tx.commit().await
}

async fn take_back_leased(connection: &mut AnyConnection, foreign: &str, claimant: Claimant<'_>) -> anyhow::Result<()> {
    sqlx::query(
        "UPDATE delivery SET state = 'queued', lease_owner = NULL, lease_until = NULL
         WHERE lease_owner IS NOT NULL AND state = 'leased' AND (lease_until < $1 OR ($2 <> '' AND lease_owner <> $2))",
    )
    .bind(claimant.lease_time.as_millis())
    .bind(foreign)
    .execute(connection)
    .await?;
    Ok(())
}

/// What a crash left in doubt is tried once more or held, as its mailing says.
async fn take_back_doubtful(connection: &mut AnyConnection, foreign: &str, claimant: Claimant<'_>) -> anyhow::Result<()> {
    const RETRY: &str = "UPDATE delivery
        SET state = 'deferred', reason = 'in doubt once', reply = 'Clarion stopped before the relay answered', doubts = doubts + 1,
            attempts = attempts + 1, due_at = $1, lease_owner = NULL, lease_until = NULL
        WHERE lease_owner IS NOT NULL AND state = 'in_doubt' AND (lease_until < $2 OR ($3 <> '' AND lease_owner <> $3))
          AND doubts = 0 AND EXISTS (SELECT 1 FROM mailing m WHERE m.id = delivery.mailing_id AND m.on_doubt = 'retry')";
    const HOLD: &str = "UPDATE delivery
        SET state = 'held', reason = 'in doubt', reply = 'Clarion stopped before the relay answered', doubts = doubts + 1,
            attempts = attempts + 1, settled_at = $1, lease_owner = NULL, lease_until = NULL
        WHERE lease_owner IS NOT NULL AND state = 'in_doubt' AND (lease_until < $2 OR ($3 <> '' AND lease_owner <> $3))";
    for sql in [RETRY, HOLD] {
        sqlx::query(sql)
            .bind(claimant.now.as_millis())
            .bind(claimant.lease_time.as_millis())
            .bind(foreign)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn skip_overdue(db: &Db, now: Timestamp) -> anyhow::Result<()> {
    // One mailing at a time, so that no engine comes to read the whole ledger for it.
    let overdue: Vec<i64> = sqlx::query_scalar(
        "SELECT id FROM mailing m WHERE state IN ('ready', 'running', 'paused', 'held') AND deadline < $1
           AND EXISTS (SELECT 1 FROM delivery d WHERE d.mailing_id = m.id AND d.lease_owner IS NULL AND d.state IN ('queued', 'deferred'))
         ORDER BY id",
    )
    .bind(now.as_millis())
    .fetch_all(db.reader())
    .await?;
    for mailing in overdue {
        let mut tx = db.begin().await?;
        lock_mailing(&mut tx, mailing).await?;
        // Of what may have arrived nobody says that it was skipped.
        sqlx::query(
            "UPDATE delivery SET state = CASE WHEN doubts > 0 THEN 'held' ELSE 'skipped' END,
                    reason = CASE WHEN doubts > 0 THEN 'in doubt' ELSE 'deadline' END, settled_at = $1
             WHERE mailing_id = $2 AND lease_owner IS NULL AND state IN ('queued', 'deferred')",
        )
        .bind(now.as_millis())
        .bind(mailing)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
    }
    Ok(())
}

/// What was on its way when its mailing was cancelled, and was not accepted, is not tried again.
async fn end_cancelled(db: &Db, now: Timestamp) -> anyhow::Result<()> {
    let left: Vec<(i64, Option<String>)> = sqlx::query_as(
        "SELECT id, reason FROM mailing m WHERE state = 'cancelled'
           AND EXISTS (SELECT 1 FROM delivery d WHERE d.mailing_id = m.id AND d.lease_owner IS NULL AND d.state IN ('queued', 'deferred'))",
    )
    .fetch_all(db.reader())
    .await?;
    for (mailing, reason) in left {
        let mut tx = db.begin().await?;
        lock_mailing(&mut tx, mailing).await?;
        // Of what may have arrived nobody says that it was skipped.
        sqlx::query(
            "UPDATE delivery SET state = CASE WHEN doubts > 0 THEN 'held' ELSE 'skipped' END,
                    reason = CASE WHEN doubts > 0 THEN 'in doubt' ELSE $1 END, settled_at = $2
             WHERE mailing_id = $3 AND lease_owner IS NULL AND state IN ('queued', 'deferred')",
        )
        .bind(reason)
        .bind(now.as_millis())
        .bind(mailing)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Ends mailings whose last delivery is settled, and tells staff where something is held.
async fn finish(db: &Db, now: Timestamp) -> anyhow::Result<()> {
    let ended: Vec<i64> = sqlx::query_scalar(
        "SELECT id FROM mailing m WHERE state IN ('ready', 'running')
           AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.mailing_id = m.id AND d.lease_owner IS NOT NULL)
           AND NOT EXISTS (SELECT 1 FROM delivery d
                           WHERE d.mailing_id = m.id AND d.lease_owner IS NULL AND d.state IN ('queued', 'deferred'))
         ORDER BY id",
    )
    .fetch_all(db.reader())
    .await?;
    for mailing in ended {
        let mut tx = db.begin().await?;
        // Looked at again behind the lock: staff may have put back what failed in between.
        lock_mailing(&mut tx, mailing).await?;
        if let Some(title) = end(&mut tx, mailing, now).await? {
            let sql = "SELECT COUNT(*) FROM delivery WHERE mailing_id = $1 AND lease_owner IS NULL AND state = 'held'";
            let held: i64 = sqlx::query_scalar(sql).bind(mailing).fetch_one(&mut *tx).await?;
            if held > 0 {
                tell_of_held(&mut tx, mailing, &title, held, now).await?;
            }
        }
        tx.commit().await?;
    }
    Ok(())
}

/// Ends a mailing if it still can be ended. Returns its title.
async fn end(connection: &mut AnyConnection, mailing: i64, now: Timestamp) -> anyhow::Result<Option<String>> {
    Ok(sqlx::query_scalar(
        "UPDATE mailing SET state = 'done', finished_at = $1
         WHERE id = $2 AND state IN ('ready', 'running')
           AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.mailing_id = mailing.id AND d.lease_owner IS NOT NULL)
           AND NOT EXISTS (SELECT 1 FROM delivery d
                           WHERE d.mailing_id = mailing.id AND d.lease_owner IS NULL AND d.state IN ('queued', 'deferred'))
         RETURNING title",
    )
    .bind(now.as_millis())
    .bind(mailing)
    .fetch_optional(connection)
    .await?)
}

async fn tell_of_held(connection: &mut AnyConnection, mailing: i64, title: &str, held: i64, now: Timestamp) -> anyhow::Result<()> {
    let body = format!(
        "The mailing “{title}” has ended. For {held} of its mails the connection to the relay was lost at the moment of handing over, \
         so nobody can say whether they arrived. They are held, not sent again.\n\n\
         If the relay's log shows that they did not arrive, send them with: clarion mailing retry {mailing}\n\
         To see which they are: clarion mailing report {mailing}"
    );
    let notice = Notice { key: &format!("mailing-held:{mailing}"), subject: &format!("{held} mails are held: {title}"), body: &body };
    noticeboard::record(connection, &notice, now).await?;
    Ok(())
}
