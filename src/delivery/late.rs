//! What has waited too long, whatever it waited for, is held: an alert that comes late without a
//! word does harm.

use super::order::lock_mailing;
use crate::clock::Timestamp;
use crate::db::Db;
use crate::noticeboard::{self, Notice};
use sqlx::AnyConnection;

/// The reason of such a mailing.
const TOO_LATE: &str = "too late";

/// Sets the instant after which a mailing is held if somebody's mail has not been tried by then.
/// What was tried in time, and deferred, goes on.
pub async fn hold_after(connection: &mut AnyConnection, mailing: i64, instant: Timestamp) -> anyhow::Result<()> {
    sqlx::query("UPDATE mailing SET hold_after = $1 WHERE id = $2").bind(instant.as_millis()).bind(mailing).execute(connection).await?;
    Ok(())
}

/// Holds what has waited too long, and tells staff.
pub(super) async fn hold_late(db: &Db, now: Timestamp) -> anyhow::Result<()> {
    for mailing in late(&mut *db.reader().acquire().await?, now).await? {
        let mut tx = db.begin().await?;
        lock_mailing(&mut tx, mailing).await?;
        if late(&mut tx, now).await?.contains(&mailing) {
            hold(&mut tx, mailing, now).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}

/// Also paused ones: whoever resumes one is told first how late it is.
async fn late(connection: &mut AnyConnection, now: Timestamp) -> anyhow::Result<Vec<i64>> {
    Ok(sqlx::query_scalar(
        "SELECT m.id FROM mailing m WHERE m.state IN ('ready', 'running', 'paused') AND m.hold_after < $1
           AND EXISTS (SELECT 1 FROM delivery d WHERE d.mailing_id = m.id AND d.lease_owner IS NULL AND d.state = 'queued' AND d.attempts = 0)
         ORDER BY m.id",
    )
    .bind(now.as_millis())
    .fetch_all(connection)
    .await?)
}

async fn hold(connection: &mut AnyConnection, mailing: i64, now: Timestamp) -> anyhow::Result<()> {
    let (title, limit): (String, i64) =
        sqlx::query_as("UPDATE mailing SET state = 'held', reason = $1 WHERE id = $2 RETURNING title, hold_after")
            .bind(TOO_LATE)
            .bind(mailing)
            .fetch_one(&mut *connection)
            .await?;
    let sql = "SELECT COUNT(*) FROM delivery WHERE mailing_id = $1 AND lease_owner IS NULL AND state IN ('queued', 'deferred')";
    let waiting: i64 = sqlx::query_scalar(sql).bind(mailing).fetch_one(&mut *connection).await?;
    let body = format!(
        "The mailing “{title}” was to leave by {}. {waiting} of its mails have not left, because sending was stopped, slow or impossible. \
         They are held: what comes late without a word can do harm.\n\n\
         To send them all the same: clarion mailing resume {mailing}\n\
         To let it be: clarion mailing cancel {mailing}",
        Timestamp::from_millis(limit)
    );
    let notice = Notice { key: &format!("mailing-late:{mailing}:{now}"), subject: &format!("Too late, and held: {title}"), body: &body };
    noticeboard::record(connection, &notice, now).await?;
    Ok(())
}
