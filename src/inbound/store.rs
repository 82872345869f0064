//! SQL of what came in.

use super::Kind;
use crate::clock::Timestamp;
use crate::db::{Counter, take_number};
use crate::vault::{Cell, Sealed, Vault};
use sqlx::AnyConnection;
use zeroize::Zeroizing;

/// Where a message is sealed.
fn cell(message: i64) -> Cell<'static> {
    Cell { table: "inbound", column: "sealed", row: message }
}

/// A message that is kept for staff.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Kept {
    /// Its number.
    pub id: i64,
    /// What it is taken for.
    pub kind: Kind,
    /// When it came.
    pub came_at: Timestamp,
}

/// Takes a message in by its hash. `None`: it had come before.
pub(super) async fn enter(connection: &mut AnyConnection, hash: &str, now: Timestamp) -> anyhow::Result<Option<i64>> {
    let id = take_number(connection, Counter::Inbound).await?;
    let done = sqlx::query("INSERT INTO inbound (id, hash, kind, came_at) VALUES ($1, $2, $3, $4) ON CONFLICT (hash) DO NOTHING")
        .bind(id)
        .bind(hash)
        .bind(Kind::Unclear.as_str())
        .bind(now.as_millis())
        .execute(connection)
        .await?;
    Ok((done.rows_affected() == 1).then_some(id))
}

/// Records what a message was, and counts it.
pub(super) async fn settle(connection: &mut AnyConnection, id: i64, kind: Kind) -> anyhow::Result<()> {
    sqlx::query("UPDATE inbound SET kind = $1 WHERE id = $2").bind(kind.as_str()).bind(id).execute(&mut *connection).await?;
    sqlx::query("INSERT INTO inbound_count (kind, total) VALUES ($1, 1) ON CONFLICT (kind) DO UPDATE SET total = inbound_count.total + 1")
        .bind(kind.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// Keeps a message for staff.
pub(super) async fn keep(connection: &mut AnyConnection, vault: &Vault, id: i64, message: &[u8]) -> anyhow::Result<()> {
    let sealed = vault.seal_octets(message, cell(id)).0;
    sqlx::query("UPDATE inbound SET sealed = $1 WHERE id = $2").bind(sealed).bind(id).execute(connection).await?;
    Ok(())
}

/// How many messages of a kind are kept.
pub(super) async fn count_kept(connection: &mut AnyConnection, kind: Kind) -> anyhow::Result<i64> {
    let count = sqlx::query_scalar("SELECT COUNT(*) FROM inbound WHERE sealed IS NOT NULL AND kind = $1");
    Ok(count.bind(kind.as_str()).fetch_one(connection).await?)
}

/// What is kept for staff, the oldest first.
pub async fn kept(connection: &mut AnyConnection) -> anyhow::Result<Vec<Kept>> {
    let rows: Vec<(i64, String, i64)> =
        sqlx::query_as("SELECT id, kind, came_at FROM inbound WHERE sealed IS NOT NULL ORDER BY id").fetch_all(connection).await?;
    rows.into_iter()
        .map(|(id, kind, came_at)| Ok(Kept { id, kind: Kind::from_stored(&kind)?, came_at: Timestamp::from_millis(came_at) }))
        .collect()
}

/// A message that is kept, opened. Whoever calls this must not log it.
pub async fn open_kept(connection: &mut AnyConnection, vault: &Vault, id: i64) -> anyhow::Result<Option<Zeroizing<Vec<u8>>>> {
    let sealed: Option<Option<String>> =
        sqlx::query_scalar("SELECT sealed FROM inbound WHERE id = $1").bind(id).fetch_optional(connection).await?;
    sealed.flatten().map(|sealed| vault.open_octets(&Sealed(sealed), cell(id))).transpose()
}

/// Forgets a message that is kept. False: there is none.
pub async fn drop_kept(connection: &mut AnyConnection, id: i64) -> anyhow::Result<bool> {
    let done = sqlx::query("UPDATE inbound SET sealed = NULL WHERE id = $1 AND sealed IS NOT NULL").bind(id).execute(connection).await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets what is kept since before `kept_since`, and that something came at all before
/// `known_since`: at most `limit` of each.
pub(super) async fn prune(connection: &mut AnyConnection, kept_since: Timestamp, known_since: Timestamp, limit: i64) -> anyhow::Result<()> {
    sqlx::query(
        "UPDATE inbound SET sealed = NULL
         WHERE id IN (SELECT id FROM inbound WHERE sealed IS NOT NULL AND came_at < $1 ORDER BY id LIMIT $2)",
    )
    .bind(kept_since.as_millis())
    .bind(limit)
    .execute(&mut *connection)
    .await?;
    sqlx::query("DELETE FROM inbound WHERE id IN (SELECT id FROM inbound WHERE came_at < $1 ORDER BY came_at LIMIT $2)")
        .bind(known_since.as_millis())
        .bind(limit)
        .execute(connection)
        .await?;
    Ok(())
}

/// How many messages of each kind came in, ever.
pub(super) async fn totals(connection: &mut AnyConnection) -> anyhow::Result<Vec<(String, i64)>> {
    Ok(sqlx::query_as("SELECT kind, total FROM inbound_count").fetch_all(connection).await?)
}

/// How far a mailbox has been read: its validity, and the highest UID.
pub(super) async fn mailbox(connection: &mut AnyConnection, name: &str) -> anyhow::Result<Option<(i64, i64)>> {
    let row = sqlx::query_as("SELECT validity, uid FROM inbound_mailbox WHERE name = $1");
    Ok(row.bind(name).fetch_optional(connection).await?)
}

/// Remembers how far a mailbox has been read.
pub(super) async fn set_mailbox(connection: &mut AnyConnection, name: &str, validity: i64, uid: i64) -> anyhow::Result<()> {
    sqlx::query(
        "INSERT INTO inbound_mailbox (name, validity, uid) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET validity = $2, uid = $3",
    )
    .bind(name)
    .bind(validity)
    .bind(uid)
    .execute(connection)
    .await?;
    Ok(())
}
