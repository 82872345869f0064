//! Articles that are gone: what feeds tell of them.

use super::Selection;
use crate::clock::Timestamp;
use sqlx::AnyConnection;

/// An article that was public and was deleted, or is a draft again. One that was withdrawn has none: nothing of it is
/// kept by which it could be named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// The id it had in feeds.
    pub uid: String,
    /// When it went.
    pub at: Timestamp,
}

/// Those of a language and of categories, which a month and a group do not narrow, the newest
/// first.
pub async fn gone(connection: &mut AnyConnection, selection: &Selection<'_>, limit: i64) -> anyhow::Result<Vec<Tombstone>> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT a.uid, a.gone_at FROM article a
         WHERE a.state IN ('gone', 'draft') AND a.gone_at IS NOT NULL AND a.published_seq IS NOT NULL AND a.withdrawn_at IS NULL
           AND (CAST($1 AS TEXT) IS NULL OR a.language = $1)
           AND (CAST($2 AS TEXT) IS NULL OR EXISTS (
                SELECT 1 FROM article_category c WHERE c.article_id = a.id AND $2 LIKE '%,' || c.slug || ',%'))
         ORDER BY a.gone_at DESC, a.id DESC LIMIT $3",
    )
    .bind(selection.language.map(ToString::to_string))
    .bind(selection.category_list())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|(uid, at)| Tombstone { uid, at: Timestamp::from_millis(at) }).collect())
}
