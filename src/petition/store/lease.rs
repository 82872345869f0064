//! Which daemon looks at the folders.

use crate::db::Db;

/// How long a daemon that vanished keeps the folders to itself.
const LEASE: i64 = 30_000;

/// Takes or renews the right to look at the petition folders, so that of two daemons one does.
/// What follows is safe without it: every effect rests on a row of its own.
pub(in crate::petition) async fn hold_lease(db: &Db, owner: &str) -> anyhow::Result<bool> {
    let mut tx = db.begin().await?;
    let now = db.lease_time(&mut tx).await?.as_millis();
    let held: Option<String> = sqlx::query_scalar(
        "INSERT INTO lease (name, owner, fence, until) VALUES ('petition', $1, 1, $2)
         ON CONFLICT (name) DO UPDATE SET owner = $1, until = $2, fence = lease.fence + 1
         WHERE lease.owner = $1 OR lease.until < $3
         RETURNING owner",
    )
    .bind(owner)
    .bind(now + LEASE)
    .bind(now)
    .fetch_optional(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(held.is_some())
}
