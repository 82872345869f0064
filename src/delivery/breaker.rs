//! Stops a mailing whose mails are refused for what they are (M12): what one recipient's relay
//! says of the sender or the text, the others' will say too, and each time it costs trust.

use super::order::{lock_mailing, lock_under_way};
use super::rules::MAIL_REFUSED;
use crate::clock::Timestamp;
use crate::db::Db;
use crate::noticeboard::{self, Notice};
use sqlx::AnyConnection;

/// So many refusals may be chance.
const AT_LEAST: i64 = 5;
/// Of so many answered, one refused is too much.
const ONE_IN: i64 = 5;

/// Whether so many refusals of the mail itself, of so many mails answered, stop a mailing.
fn is_too_much(refused: i64, answered: i64) -> bool {
    refused >= AT_LEAST && refused * ONE_IN >= answered
}

/// Holds a mailing if too many of its mails have been refused for what they are. `words` are the
/// relay's last, without addresses.
pub(super) async fn look(db: &Db, mailing: i64, words: &str, now: Timestamp) -> anyhow::Result<()> {
    let mut tx = db.begin().await?;
    lock_mailing(&mut tx, mailing).await?;
    let (refused, answered) = sums(&mut tx, mailing).await?;
    if is_too_much(refused, answered) {
        hold(&mut tx, mailing, words, refused, now).await?;
    }
    tx.commit().await
}

async fn sums(connection: &mut AnyConnection, mailing: i64) -> anyhow::Result<(i64, i64)> {
    Ok(sqlx::query_as(
        "SELECT COUNT(CASE WHEN state = 'failed' AND reason = $1 THEN 1 END), COUNT(*)
         FROM delivery WHERE mailing_id = $2 AND state IN ('sent', 'failed')",
    )
    .bind(MAIL_REFUSED)
    .bind(mailing)
    .fetch_one(connection)
    .await?)
}

async fn hold(connection: &mut AnyConnection, mailing: i64, words: &str, refused: i64, now: Timestamp) -> anyhow::Result<()> {
    let title: Option<String> = sqlx::query_scalar(
        "UPDATE mailing SET state = 'held', reason = $1 WHERE id = $2 AND state IN ('ready', 'running') RETURNING title",
    )
    .bind(format!("{MAIL_REFUSED}: {words}"))
    .bind(mailing)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(title) = title else { return Ok(()) };
    lock_under_way(connection, Some(mailing)).await?;
    sqlx::query(
        "UPDATE delivery SET state = 'queued', lease_owner = NULL, lease_until = NULL, fence = fence + 1
         WHERE mailing_id = $1 AND state = 'leased'",
    )
    .bind(mailing)
    .execute(&mut *connection)
    .await?;
    let body = format!(
        "The mailing “{title}” is stopped: {refused} of its mails were refused for what they are or whom they come from, not for their \
         recipients. The last answer was: {words}\n\n\
         Look for the cause with whoever runs the relay: the sender's SPF, DKIM and DMARC, a limit, something in the text that filters \
         take offence at. Then put back what was refused, and let the mailing go on:\n\
         clarion mailing retry {mailing}\nclarion mailing resume {mailing}"
    );
    let notice = Notice { key: &format!("mailing-refused:{mailing}:{now}"), subject: &format!("A mailing is stopped: {title}"), body: &body };
    noticeboard::record(connection, &notice, now).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_too_much;

    #[test]
    fn a_few_refusals_are_chance_and_many_are_not() {
        for (refused, answered, stops) in [(4, 4, false), (5, 5, true), (5, 25, true), (5, 26, false), (1000, 5001, false), (1001, 5005, true)] {
            assert_eq!(is_too_much(refused, answered), stops, "{refused} of {answered}");
        }
    }
}
