//! SQL of which versions of drafts have been seen and told.

use crate::clock::Timestamp;
use sqlx::AnyConnection;
use std::collections::HashMap;

/// What is known of a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// The version last seen.
    pub(super) seen_hash: String,
    /// When it was first seen.
    pub(super) seen_at: Timestamp,
    /// The version last told.
    pub(super) told_hash: Option<String>,
}

/// What is known of articles that are not public, by row number.
pub(super) async fn known(connection: &mut AnyConnection) -> anyhow::Result<HashMap<i64, Known>> {
    let rows: Vec<(i64, String, i64, Option<String>)> = sqlx::query_as(
        "SELECT p.article_id, p.seen_hash, p.seen_at, p.told_hash
         FROM draft_preview p JOIN article a ON a.id = p.article_id WHERE a.state IN ('draft', 'scheduled')",
    )
    .fetch_all(connection)
    .await?;
    let known = |(id, seen_hash, seen_at, told_hash)| (id, Known { seen_hash, seen_at: Timestamp::from_millis(seen_at), told_hash });
    Ok(rows.into_iter().map(known).collect())
}

/// Notes a version that was not seen before.
pub(super) async fn see(connection: &mut AnyConnection, article: i64, hash: &str, now: Timestamp) -> anyhow::Result<()> {
    sqlx::query(
        "INSERT INTO draft_preview (article_id, seen_hash, seen_at) VALUES ($1, $2, $3)
         ON CONFLICT (article_id) DO UPDATE SET seen_hash = excluded.seen_hash, seen_at = excluded.seen_at
         WHERE draft_preview.seen_hash <> excluded.seen_hash",
    )
    .bind(article)
    .bind(hash)
    .bind(now.as_millis())
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes a version to be told. Returns whether nobody has told it before.
pub(super) async fn take(connection: &mut AnyConnection, article: i64, hash: &str) -> anyhow::Result<bool> {
    let done = sqlx::query(
        "UPDATE draft_preview SET told_hash = $2
         WHERE article_id = $1 AND seen_hash = $2 AND (told_hash IS NULL OR told_hash <> $2)",
    )
    .bind(article)
    .bind(hash)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}
