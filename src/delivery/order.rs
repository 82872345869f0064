//! In which order rows are locked on `PostgreSQL`, so that nobody waits in a circle: mailings
//! first, then deliveries by number. SQLite has one writer, and nothing to lock.
//!
//! Marks and results touch deliveries alone; whoever stops or ends a mailing touches it first.

use super::store::is_postgres;
use sqlx::AnyConnection;

/// Locks a mailing: whoever claims of it, stops, resumes or ends it waits.
pub(super) async fn lock_mailing(connection: &mut AnyConnection, mailing: i64) -> anyhow::Result<()> {
    if is_postgres(connection) {
        sqlx::query("SELECT id FROM mailing WHERE id = $1 FOR NO KEY UPDATE").bind(mailing).fetch_all(connection).await?;
    }
    Ok(())
}

/// Locks what workers have of a mailing, or of all: the rows that they write to.
pub(super) async fn lock_under_way(connection: &mut AnyConnection, mailing: Option<i64>) -> anyhow::Result<()> {
    if is_postgres(connection) {
        sqlx::query(
            "SELECT id FROM delivery WHERE lease_owner IS NOT NULL AND (CAST($1 AS BIGINT) IS NULL OR mailing_id = $1)
             ORDER BY id FOR UPDATE",
        )
        .bind(mailing)
        .fetch_all(connection)
        .await?;
    }
    Ok(())
}

/// Locks these deliveries.
pub(super) async fn lock_deliveries(connection: &mut AnyConnection, ids: &[i64]) -> anyhow::Result<()> {
    if is_postgres(connection) && ids.len() > 1 {
        sqlx::query(
            "SELECT id FROM delivery WHERE id IN (SELECT CAST(d.value AS BIGINT) FROM json_array_elements_text($1::json) AS d(value))
             ORDER BY id FOR UPDATE",
        )
        .bind(serde_json::to_string(ids)?)
        .fetch_all(connection)
        .await?;
    }
    Ok(())
}
