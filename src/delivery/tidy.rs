//! What time changes by itself: claims run out, deadlines pass, mailings end.

use super::bounce::hold_refused;
use super::ledger::Claimant;
use crate::clock::Timestamp;
use crate::db::Engine;
use crate::noticeboard::{self, Notice};
use sqlx::AnyConnection;

/// Puts in order what time has changed: claims that ran out, mailings past their deadline,
/// mailings whose last delivery is settled.
pub(super) async fn tidy(connection: &mut AnyConnection, engine: Engine, claimant: Claimant<'_>) -> anyhow::Result<()> {
    // One daemon serves an SQLite file, so what another owner holds there was left by a crash.
    let foreign = match engine {
        Engine::Sqlite => claimant.owner,
        Engine::Postgres => "",
    };
    take_back_leased(connection, foreign, claimant).await?;
    take_back_doubtful(connection, foreign, claimant).await?;
    skip_overdue(connection, claimant.now).await?;
    end_cancelled(connection, claimant.now).await?;
    hold_refused(connection, claimant.now).await?;
    finish(connection, claimant.now).await
}

async fn take_back_leased(connection: &mut AnyConnection, foreign: &str, claimant: Claimant<'_>) -> anyhow::Result<()> {
    sqlx::query(
        "UPDATE delivery SET state = 'queued', lease_owner = NULL, lease_until = NULL
         WHERE state = 'leased' AND (lease_until < $1 OR ($2 <> '' AND lease_owner <> $2))",
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
        WHERE state = 'in_doubt' AND (lease_until < $2 OR ($3 <> '' AND lease_owner <> $3))
          AND doubts = 0 AND EXISTS (SELECT 1 FROM mailing m WHERE m.id = delivery.mailing_id AND m.on_doubt = 'retry')";
    const HOLD: &str = "UPDATE delivery
        SET state = 'held', reason = 'in doubt', reply = 'Clarion stopped before the relay answered', doubts = doubts + 1,
            attempts = attempts + 1, settled_at = $1, lease_owner = NULL, lease_until = NULL
        WHERE state = 'in_doubt' AND (lease_until < $2 OR ($3 <> '' AND lease_owner <> $3))";
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

async fn skip_overdue(connection: &mut AnyConnection, now: Timestamp) -> anyhow::Result<()> {
    // One mailing at a time, so that no engine comes to read the whole ledger for it.
    let overdue: Vec<i64> =
        sqlx::query_scalar("SELECT id FROM mailing WHERE state IN ('ready', 'running', 'paused', 'held') AND deadline < $1")
            .bind(now.as_millis())
            .fetch_all(&mut *connection)
            .await?;
    for mailing in overdue {
        sqlx::query(
            "UPDATE delivery SET state = 'skipped', reason = 'deadline', settled_at = $1
             WHERE mailing_id = $2 AND state IN ('queued', 'deferred')",
        )
        .bind(now.as_millis())
        .bind(mailing)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// What was on its way when its mailing was cancelled, and was not accepted, is not tried again.
async fn end_cancelled(connection: &mut AnyConnection, now: Timestamp) -> anyhow::Result<()> {
    let left: Vec<(i64, Option<String>)> = sqlx::query_as(
        "SELECT id, reason FROM mailing m WHERE state = 'cancelled'
           AND EXISTS (SELECT 1 FROM delivery d WHERE d.mailing_id = m.id AND d.state IN ('queued', 'deferred'))",
    )
    .fetch_all(&mut *connection)
    .await?;
    for (mailing, reason) in left {
        // Of what may have arrived nobody says that it was skipped.
        sqlx::query(
            "UPDATE delivery SET state = CASE WHEN doubts > 0 THEN 'held' ELSE 'skipped' END,
                    reason = CASE WHEN doubts > 0 THEN 'in doubt' ELSE $1 END, settled_at = $2
             WHERE mailing_id = $3 AND state IN ('queued', 'deferred')",
        )
        .bind(reason)
        .bind(now.as_millis())
        .bind(mailing)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Ends mailings whose last delivery is settled, and tells staff where something is held.
async fn finish(connection: &mut AnyConnection, now: Timestamp) -> anyhow::Result<()> {
    let ended: Vec<(i64, String)> = sqlx::query_as(
        "UPDATE mailing SET state = 'done', finished_at = $1
         WHERE state IN ('ready', 'running')
           AND NOT EXISTS (SELECT 1 FROM delivery d
                           WHERE d.mailing_id = mailing.id AND d.state IN ('queued', 'leased', 'in_doubt', 'deferred'))
         RETURNING id, title",
    )
    .bind(now.as_millis())
    .fetch_all(&mut *connection)
    .await?;
    for (mailing, title) in ended {
        let held: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM delivery WHERE mailing_id = $1 AND state = 'held'")
            .bind(mailing)
            .fetch_one(&mut *connection)
            .await?;
        if held > 0 {
            tell_of_held(connection, mailing, &title, held, now).await?;
        }
    }
    Ok(())
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
