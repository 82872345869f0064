//! What staff must be told, recorded once; the module `notice` mails it.

use crate::clock::Timestamp;
use crate::db::{Counter, take_number};
use sqlx::AnyConnection;

/// Something staff must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice<'a> {
    /// What makes it the same notice: recorded again, nothing happens.
    pub key: &'a str,
    /// One line: the subject of the mail.
    pub subject: &'a str,
    /// Plain text in paragraphs: what happened, what it means, what to do.
    pub body: &'a str,
}

/// Records a notice in the caller's transaction, unless it was recorded before. Returns whether
/// it is new.
pub async fn record(connection: &mut AnyConnection, notice: &Notice<'_>, now: Timestamp) -> anyhow::Result<bool> {
    let id = take_number(connection, Counter::Notice).await?;
    let done =
        sqlx::query("INSERT INTO notice (id, key, subject, body, recorded_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (key) DO NOTHING")
            .bind(id)
            .bind(notice.key)
            .bind(notice.subject)
            .bind(notice.body)
            .bind(now.as_millis())
            .execute(connection)
            .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets every notice whose key begins so. Returns whether staff were told any of them.
pub async fn clear_all(connection: &mut AnyConnection, prefix: &str) -> anyhow::Result<bool> {
    let told: Vec<Option<i64>> = sqlx::query_scalar("DELETE FROM notice WHERE substr(key, 1, CAST($1 AS INTEGER)) = $2 RETURNING told_at")
        .bind(i64::try_from(prefix.chars().count())?)
        .bind(prefix)
        .fetch_all(connection)
        .await?;
    Ok(told.iter().any(Option::is_some))
}

/// The keys of all notices whose key begins so.
pub async fn keys(connection: &mut AnyConnection, prefix: &str) -> anyhow::Result<Vec<String>> {
    let keys = sqlx::query_scalar("SELECT key FROM notice WHERE substr(key, 1, CAST($1 AS INTEGER)) = $2 ORDER BY key")
        .bind(i64::try_from(prefix.chars().count())?)
        .bind(prefix)
        .fetch_all(connection)
        .await?;
    Ok(keys)
}

/// Forgets a notice, so that the same trouble is told again when it comes back.
pub async fn clear(connection: &mut AnyConnection, key: &str) -> anyhow::Result<bool> {
    let done = sqlx::query("DELETE FROM notice WHERE key = $1").bind(key).execute(connection).await?;
    Ok(done.rows_affected() == 1)
}
