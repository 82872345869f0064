//! Who approved what.

use crate::clock::Timestamp;
use sqlx::AnyConnection;

/// Records an approval of a step's content. Returns whether it is new.
pub(in crate::petition) async fn record_approval(
    connection: &mut AnyConnection,
    step: i64,
    hash: &str,
    approver: &str,
    now: Timestamp,
) -> anyhow::Result<bool> {
    let done = sqlx::query(
        "INSERT INTO petition_approval (step_id, content_hash, approver_index, approved_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (step_id, content_hash, approver_index) DO NOTHING",
    )
    .bind(step)
    .bind(hash)
    .bind(approver)
    .bind(now.as_millis())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The blind indexes of those who approved a step's content.
pub(in crate::petition) async fn approvals_of(connection: &mut AnyConnection, step: i64, hash: &str) -> anyhow::Result<Vec<String>> {
    let sql = "SELECT approver_index FROM petition_approval WHERE step_id = $1 AND content_hash = $2 ORDER BY approved_at, approver_index";
    Ok(sqlx::query_scalar(sql).bind(step).bind(hash).fetch_all(connection).await?)
}
