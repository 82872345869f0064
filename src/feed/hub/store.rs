//! SQL of what hubs are yet to be told.

use super::SETTLED;
use crate::clock::Timestamp;
use sqlx::AnyConnection;
use url::Url;

/// A publication that a hub is to be told of.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Ping {
    /// Its address.
    pub(super) hub: String,
    /// The path of the feed.
    pub(super) topic: String,
    /// When; a later publication moves it.
    pub(super) due_at: i64,
    /// How often it was tried.
    pub(super) attempts: i64,
}

/// Has hubs told of a publication, in the transaction that makes it.
pub(in crate::feed) async fn announce(connection: &mut AnyConnection, hubs: &[Url], topic: &str, now: Timestamp) -> anyhow::Result<()> {
    for hub in hubs {
        sqlx::query(
            "INSERT INTO hub_ping (hub, topic, due_at, attempts) VALUES ($1, $2, $3, 0)
             ON CONFLICT (hub, topic) DO UPDATE SET due_at = excluded.due_at, attempts = 0",
        )
        .bind(hub.as_str())
        .bind(topic)
        .bind((now + SETTLED).as_millis())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// The next pings, the most pressing first.
pub(super) async fn next(connection: &mut AnyConnection, limit: i64) -> anyhow::Result<Vec<Ping>> {
    let sql = "SELECT hub, topic, due_at, attempts FROM hub_ping ORDER BY due_at, hub, topic LIMIT $1";
    Ok(sqlx::query_as(sql).bind(limit).fetch_all(connection).await?)
}

/// Makes of a ping another; tells whether it was still as it is known: neither announced anew nor
/// taken by another daemon.
pub(super) async fn replace(connection: &mut AnyConnection, known: &Ping, next: &Ping) -> anyhow::Result<bool> {
    let done = sqlx::query("UPDATE hub_ping SET due_at = $1, attempts = $2 WHERE hub = $3 AND topic = $4 AND due_at = $5")
        .bind(next.due_at)
        .bind(next.attempts)
        .bind(&known.hub)
        .bind(&known.topic)
        .bind(known.due_at)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets a ping, unless the feed was published anew meanwhile.
pub(super) async fn forget(connection: &mut AnyConnection, ping: &Ping) -> anyhow::Result<()> {
    sqlx::query("DELETE FROM hub_ping WHERE hub = $1 AND topic = $2 AND due_at = $3")
        .bind(&ping.hub)
        .bind(&ping.topic)
        .bind(ping.due_at)
        .execute(connection)
        .await?;
    Ok(())
}
