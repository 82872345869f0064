//! The right to scan or to poll: one daemon at a time, by the database server's clock.

use crate::clock::Timestamp;
use crate::db::{Db, Engine};
use anyhow::bail;
use sqlx::AnyConnection;
use std::time::Duration;

/// A lease, for one owner.
#[derive(Clone)]
pub(super) struct Lease {
    db: Db,
    name: &'static str,
    owner: String,
    /// How long a daemon that has died keeps the others waiting.
    lasts: Duration,
}

impl Lease {
    /// For an owner of a random name. It is renewed when less than two thirds of it are left, so
    /// a third of it is how long one piece of work may take.
    pub(super) fn new(db: Db, name: &'static str, owner: String, lasts: Duration) -> Self {
        Self { db, name, owner, lasts }
    }

    /// Takes or renews the lease; tells whether this owner has it.
    pub(super) async fn hold(&self) -> anyhow::Result<bool> {
        let mut connection = self.db.reader().acquire().await?;
        let now = self.db.lease_time(&mut connection).await?;
        let held: Option<(String, i64)> =
            sqlx::query_as("SELECT owner, until FROM lease WHERE name = $1").bind(self.name).fetch_optional(&mut *connection).await?;
        drop(connection);
        match held {
            Some((owner, until)) if owner == self.owner && until > (now + self.lasts * 2 / 3).as_millis() => return Ok(true),
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
            "INSERT INTO lease (name, owner, fence, until) VALUES ($4, $1, 1, $2)
             ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until,
                 fence = CASE WHEN lease.owner = excluded.owner THEN lease.fence ELSE lease.fence + 1 END
             WHERE lease.owner = excluded.owner OR lease.until < $3",
        )
        .bind(&self.owner)
        .bind((now + self.lasts).as_millis())
        .bind(over)
        .bind(self.name)
        .execute(connection)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Renews the lease in the transaction of a change, which fails if another has taken it:
    /// two daemons never write for one folder or site.
    pub(super) async fn renew(&self, connection: &mut AnyConnection) -> anyhow::Result<()> {
        let now = self.db.lease_time(connection).await?;
        let done = sqlx::query("UPDATE lease SET until = $1 WHERE name = $3 AND owner = $2")
            .bind((now + self.lasts).as_millis())
            .bind(&self.owner)
            .bind(self.name)
            .execute(connection)
            .await?;
        if done.rows_affected() != 1 {
            bail!("another daemon has taken over the work called {}", self.name);
        }
        Ok(())
    }

    /// Gives the lease back, so that the next daemon need not wait.
    pub(super) async fn release(&self) -> anyhow::Result<()> {
        let mut tx = self.db.begin().await?;
        sqlx::query("DELETE FROM lease WHERE name = $2 AND owner = $1").bind(&self.owner).bind(self.name).execute(&mut *tx).await?;
        tx.commit().await
    }
}
