//! SQL of notices to be told.

use super::MANY;
use crate::clock::Timestamp;
use sqlx::{AnyConnection, FromRow};

/// A notice as recorded.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub(super) struct Untold {
    pub(super) id: i64,
    pub(super) subject: String,
    pub(super) body: String,
}

/// When the oldest notices not told yet were recorded.
pub(super) async fn waiting(connection: &mut AnyConnection) -> anyhow::Result<Vec<Timestamp>> {
    let times: Vec<i64> = sqlx::query_scalar("SELECT recorded_at FROM notice WHERE told_at IS NULL ORDER BY id LIMIT $1")
        .bind(i64::try_from(MANY)?)
        .fetch_all(connection)
        .await?;
    Ok(times.into_iter().map(Timestamp::from_millis).collect())
}

/// Takes the oldest notices not told yet, in order, and marks them as told: another daemon does
/// not get them too.
pub(super) async fn take(connection: &mut AnyConnection, now: Timestamp) -> anyhow::Result<Vec<Untold>> {
    let mut taken: Vec<Untold> = sqlx::query_as(
        "UPDATE notice SET told_at = $1
         WHERE told_at IS NULL AND id IN (SELECT id FROM notice WHERE told_at IS NULL ORDER BY id LIMIT $2)
         RETURNING id, subject, body",
    )
    .bind(now.as_millis())
    .bind(i64::try_from(MANY)?)
    .fetch_all(connection)
    .await?;
    taken.sort_by_key(|notice| notice.id);
    Ok(taken)
}
