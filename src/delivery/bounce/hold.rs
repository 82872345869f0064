//! A mailing that is refused for what it is, not for whom it is to, stops before it spoils our
//! name everywhere (M12).

use super::Cause;
use crate::clock::Timestamp;
use crate::db::Db;
use crate::delivery::ledger;
use crate::noticeboard::{self, Notice};
use sqlx::AnyConnection;

/// Fewer refusals are somebody's odd filter.
const LEAST: i64 = 5;
/// One in so many is too much.
const SHARE: i64 = 20;

/// Whether so many refusals among so many settled mails are too many, after `seen` had been seen
/// when the mailing was last held for them: staff who let it go on know of those.
fn are_too_many(refusals: i64, settled: i64, seen: i64) -> bool {
    refusals - seen >= LEAST.max(seen) && refusals * SHARE >= settled
}

/// Holds every mailing that runs and is refused too often, and tells staff.
pub(in super::super) async fn hold_refused(db: &Db, now: Timestamp) -> anyhow::Result<()> {
    let suspects: Vec<(i64, String, i64, i64)> = sqlx::query_as(
        "SELECT id, title, refusals, refusals_seen FROM (
             SELECT m.id, m.title, m.refusals_seen,
                    (SELECT COUNT(*) FROM bounce b WHERE b.mailing_id = m.id AND b.cause = $1) AS refusals
             FROM mailing m WHERE m.state IN ('ready', 'running')
         ) AS running WHERE refusals - refusals_seen >= $2",
    )
    .bind(Cause::Policy.as_str())
    .bind(LEAST)
    .fetch_all(db.reader())
    .await?;
    for (mailing, title, refusals, seen) in suspects {
        let mut tx = db.begin().await?;
        if are_too_many(refusals, settled(&mut tx, mailing).await?, seen) && hold(&mut tx, mailing, refusals).await? {
            tell(&mut tx, mailing, &title, refusals, true, now).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}

/// Tells staff of a mailing that has ended and of which reports now say that it was refused.
pub(super) async fn tell_of_refused(connection: &mut AnyConnection, mailing: i64, now: Timestamp) -> anyhow::Result<()> {
    let ended: Option<String> = sqlx::query_scalar("SELECT title FROM mailing WHERE id = $1 AND state = 'done'")
        .bind(mailing)
        .fetch_optional(&mut *connection)
        .await?;
    let Some(title) = ended else { return Ok(()) };
    let refusals: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM bounce WHERE mailing_id = $1 AND cause = $2")
        .bind(mailing)
        .bind(Cause::Policy.as_str())
        .fetch_one(&mut *connection)
        .await?;
    if refusals >= LEAST && are_too_many(refusals, settled(connection, mailing).await?, 0) {
        tell(connection, mailing, &title, refusals, false, now).await?;
    }
    Ok(())
}

/// Forgets the refusals of what goes again, since its cause should have been mended: the next
/// ones count from the first. What is left staff know of, who ask for it.
pub(in super::super) async fn forget_refusals(connection: &mut AnyConnection, mailing: i64) -> anyhow::Result<()> {
    sqlx::query(
        "DELETE FROM bounce WHERE mailing_id = $1 AND cause = $2
           AND EXISTS (SELECT 1 FROM delivery d WHERE d.id = bounce.delivery_id AND d.state = 'queued')",
    )
    .bind(mailing)
    .bind(Cause::Policy.as_str())
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "UPDATE mailing SET refusals_seen = (SELECT COUNT(*) FROM bounce b WHERE b.mailing_id = $1 AND b.cause = $2) WHERE id = $1",
    )
    .bind(mailing)
    .bind(Cause::Policy.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

async fn settled(connection: &mut AnyConnection, mailing: i64) -> anyhow::Result<i64> {
    let sql = "SELECT COUNT(*) FROM delivery WHERE mailing_id = $1 AND lease_owner IS NULL AND state IN ('sent', 'failed', 'held')";
    Ok(sqlx::query_scalar(sql).bind(mailing).fetch_one(connection).await?)
}

/// The mailing first, then its deliveries: in the order in which a claim takes them.
async fn hold(connection: &mut AnyConnection, mailing: i64, refusals: i64) -> anyhow::Result<bool> {
    let held = sqlx::query(
        "UPDATE mailing SET state = 'held', reason = 'refused by mail systems', refusals_seen = $1
         WHERE id = $2 AND state IN ('ready', 'running')",
    )
    .bind(refusals)
    .bind(mailing)
    .execute(&mut *connection)
    .await?;
    ledger::recall(connection, Some(mailing)).await?;
    Ok(held.rows_affected() == 1)
}

async fn tell(connection: &mut AnyConnection, mailing: i64, title: &str, refusals: i64, held: bool, now: Timestamp) -> anyhow::Result<()> {
    let follows = if held {
        format!(
            "The mailing is held: what has not left waits. Once the cause is mended, let it go on with: clarion mailing resume {mailing}"
        )
    } else {
        format!("The mailing has ended. Once the cause is mended, send the refused mails again with: clarion mailing retry {mailing}")
    };
    let body = format!(
        "{refusals} mails of the mailing “{title}” were refused for a reason that is not the recipients' fault: who we are, how we send, \
         or what is in the mail. Whoever goes on against that is soon refused everywhere.\n\n\
         {follows}\n\n\
         To see what the mail systems say: clarion mailing report {mailing}\n\
         Usual causes: SPF, DKIM or DMARC of the sender's domain are not in order, or the relay is on a list of spammers."
    );
    let notice =
        Notice { key: &format!("mailing-refused:{mailing}:{refusals}"), subject: &format!("Mail is refused: {title}"), body: &body };
    // Of what has ended staff are told once, however many reports follow.
    let notice = if held { notice } else { Notice { key: &format!("mailing-refused:{mailing}"), ..notice } };
    noticeboard::record(connection, &notice, now).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::are_too_many;

    #[test]
    fn a_twentieth_and_five_at_least_are_too_many_and_twice_as_many_once_staff_let_it_go_on() {
        assert!(!are_too_many(4, 4, 0));
        assert!(are_too_many(5, 100, 0));
        assert!(!are_too_many(5, 101, 0));
        assert!(!are_too_many(9, 20, 5));
        assert!(are_too_many(10, 20, 5));
        assert!(!are_too_many(39, 40, 20));
    }
}
