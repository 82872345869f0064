//! What is wrong with a source, kept beside what is wrong in the folder, and told to staff once.

use super::row_source;
use crate::clock::Timestamp;
use crate::content::text;
use crate::noticeboard::{self, Notice};
use crate::problem::Reason;
use sqlx::AnyConnection;

/// Failures in a row before staff are told: a site that is being updated is back by then.
const TOLD_AFTER: i64 = 5;

/// The path under which the trouble of a whole source is kept.
pub(super) const WHOLE: &str = "";

/// Records that a source could not be read. Staff are mailed when it has lasted a while, or at
/// once where it never could be: then its settings are wrong.
pub(super) async fn record_failure(
    connection: &mut AnyConnection,
    name: &str,
    reason: &Reason,
    failures: i64,
    never_read: bool,
    now: Timestamp,
) -> anyhow::Result<()> {
    record(connection, name, WHOLE, "error", reason, now).await?;
    if failures < TOLD_AFTER && !never_read {
        return Ok(());
    }
    noticeboard::clear(connection, &mended_key(name)).await?;
    let Reason { message, remedy } = reason;
    let notice = Notice {
        key: &broken_key(name),
        subject: &format!("A site cannot be read: {name}"),
        body: &format!(
            "The source “{name}”, whose articles Clarion follows, cannot be read. What was published from it stays where it is; nothing is lost, but nothing new arrives.\n\nWhat happened: {message}.\nWhat to do: {remedy}.\n\nClarion goes on trying. You will be told when it succeeds.\n"
        ),
    };
    noticeboard::record(connection, &notice, now).await?;
    Ok(())
}

/// Records that a source was read. If staff were told that it could not be, they are told.
pub(super) async fn record_success(connection: &mut AnyConnection, name: &str, now: Timestamp) -> anyhow::Result<()> {
    clear(connection, name, WHOLE).await?;
    if !noticeboard::clear(connection, &broken_key(name)).await? {
        return Ok(());
    }
    let notice = Notice {
        key: &mended_key(name),
        subject: &format!("A site can be read again: {name}"),
        body: &format!("The source “{name}” was read, and what it says is published.\n"),
    };
    noticeboard::record(connection, &notice, now).await?;
    Ok(())
}

/// Records why an article of a source is not taken in.
pub(super) async fn record_item(
    connection: &mut AnyConnection,
    name: &str,
    path: &str,
    reason: &Reason,
    now: Timestamp,
) -> anyhow::Result<()> {
    record(connection, name, path, "warning", reason, now).await
}

/// Forgets what was wrong with an article, or with the whole.
pub(super) async fn clear(connection: &mut AnyConnection, name: &str, path: &str) -> anyhow::Result<()> {
    sqlx::query("DELETE FROM content_problem WHERE source = $1 AND path = $2")
        .bind(row_source(name))
        .bind(shown(name, path))
        .execute(connection)
        .await?;
    Ok(())
}

async fn record(
    connection: &mut AnyConnection,
    name: &str,
    path: &str,
    severity: &str,
    reason: &Reason,
    now: Timestamp,
) -> anyhow::Result<()> {
    sqlx::query(
        "INSERT INTO content_problem (source, path, position, line, column_number, severity, message, remedy, hash, since)
         VALUES ($1, $2, 0, 0, 0, $3, $4, $5, '', $6)
         ON CONFLICT (source, path, position) DO UPDATE SET severity = excluded.severity, message = excluded.message, remedy = excluded.remedy",
    )
    .bind(row_source(name))
    .bind(shown(name, path))
    .bind(severity)
    .bind(text::clean(&reason.message))
    .bind(text::clean(&reason.remedy))
    .bind(now.as_millis())
    .execute(connection)
    .await?;
    Ok(())
}

/// As people see it, where a file's name stands otherwise.
fn shown(name: &str, path: &str) -> String {
    if path == WHOLE { format!("source {name}") } else { format!("source {name}: {path}") }
}

fn broken_key(name: &str) -> String {
    format!("source-broken:{name}")
}

fn mended_key(name: &str) -> String {
    format!("source-mended:{name}")
}
