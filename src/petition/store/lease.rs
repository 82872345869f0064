//! Which daemon looks at the folders.

use crate::db::{Db, Engine};

/// How long a daemon that died keeps the others waiting, in milliseconds.
const LASTS: i64 = 15_000;
/// Renewed when less than this is left.
const RENEWED_BELOW: i64 = 10_000;

/// Takes or renews the right to look at the petition folders, so that of two daemons one does.
/// What follows is safe without it: every effect rests on a row of its own.
pub(in crate::petition) async fn hold_lease(db: &Db, owner: &str) -> anyhow::Result<bool> {
    let mut connection = db.reader().acquire().await?;
    let now = db.lease_time(&mut connection).await?.as_millis();
    let held: Option<(String, i64)> =
        sqlx::query_as("SELECT owner, until FROM lease WHERE name = 'petition'").fetch_optional(&mut *connection).await?;
    drop(connection);
    // An SQLite file has one daemon, so another owner there is one that ended.
    let shared = db.engine() == Engine::Postgres;
    match held {
        Some((known, until)) if known == owner && until > now + RENEWED_BELOW => return Ok(true),
        Some((known, until)) if known != owner && until > now && shared => return Ok(false),
        _ => {}
    }
    let mut tx = db.begin().await?;
    let taken = sqlx::query(
        "INSERT INTO lease (name, owner, fence, until) VALUES ('petition', $1, 1, $2)
         ON CONFLICT (name) DO UPDATE SET owner = $1, until = $2, fence = lease.fence + 1
         WHERE lease.owner = $1 OR lease.until <= $3",
    )
    .bind(owner)
    .bind(now + LASTS)
    .bind(if shared { now } else { i64::MAX })
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(taken.rows_affected() == 1)
}

/// Gives the right back.
pub(in crate::petition) async fn release_lease(db: &Db, owner: &str) -> anyhow::Result<()> {
    let mut tx = db.begin().await?;
    sqlx::query("DELETE FROM lease WHERE name = 'petition' AND owner = $1").bind(owner).execute(&mut *tx).await?;
    tx.commit().await
}
