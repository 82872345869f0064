//! The right to scan: one daemon at a time, by the database server's clock.

use crate::clock::Timestamp;
use crate::db::{Db, Engine};
use anyhow::bail;
use sqlx::AnyConnection;
use std::time::Duration;

/// How long a daemon that has died keeps the others waiting.
const LASTS: Duration = Duration::from_secs(15);
/// Renewed when less than this is left.
const RENEWED_BELOW: Duration = Duration::from_secs(10);

/// The lease named `content`, for one owner.
#[derive(Clone)]
pub(super) struct Lease {
    db: Db,
    owner: String,
}

impl Lease {
    /// For an owner of a random name.
    pub(super) fn new(db: Db, owner: String) -> Self {
        Self { db, owner }
    }

    /// Takes or renews the lease; tells whether this owner has it.
    pub(super) async fn hold(&self) -> anyhow::Result<bool> {
        let mut connection = self.db.reader().acquire().await?;
        let now = self.db.lease_time(&mut connection).await?;
        let held: Option<(String, i64)> =
            sqlx::query_as("SELECT owner, until FROM lease WHERE name = 'content'").fetch_optional(&mut *connection).await?;
        drop(connection);
        match held {
            Some((owner, until)) if owner == self.owner && until > (now + RENEWED_BELOW).as_millis() => return Ok(true),
            Some((owner, until)) if owner != self.owner && until > now.as_millis() && self.db.engine() == Engine::Postgres => {
                return Ok(false);
            }
            _ => {}
        }
        let mut tx = self.db.begin().await?;
        let taken = self.take(&mut tx, now).await?;
        tx.commit().await?;
        Ok(taken)
    }

    async fn take(&self, connection: &mut AnyConnection, now: Timestamp) -> anyhow::Result<bool> {
        // One daemon at most has the SQLite file, which its lock ensures, so whoever is named
        // there is dead and need not be waited for.
        let over = match self.db.engine() {
            Engine::Sqlite => i64::MAX,
            Engine::Postgres => now.as_millis(),
        };
        let done = sqlx::query(
            "INSERT INTO lease (name, owner, fence, until) VALUES ('content', $1, 1, $2)
             ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until,
                 fence = CASE WHEN lease.owner = excluded.owner THEN lease.fence ELSE lease.fence + 1 END
             WHERE lease.owner = excluded.owner OR lease.until < $3",
        )
        .bind(&self.owner)
        .bind((now + LASTS).as_millis())
        .bind(over)
        .execute(connection)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Renews the lease in the transaction of a change, which fails if another has taken it:
    /// two daemons never write for one folder.
    pub(super) async fn renew(&self, connection: &mut AnyConnection) -> anyhow::Result<()> {
        let now = self.db.lease_time(connection).await?;
        let done = sqlx::query("UPDATE lease SET until = $1 WHERE name = 'content' AND owner = $2")
            .bind((now + LASTS).as_millis())
            .bind(&self.owner)
            .execute(connection)
            .await?;
        if done.rows_affected() != 1 {
            bail!("another daemon has taken over the content folder");
        }
        Ok(())
    }

    /// Gives the lease back, so that the next daemon need not wait.
    pub(super) async fn release(&self) -> anyhow::Result<()> {
        let mut tx = self.db.begin().await?;
        sqlx::query("DELETE FROM lease WHERE name = 'content' AND owner = $1").bind(&self.owner).execute(&mut *tx).await?;
        tx.commit().await
    }
}
