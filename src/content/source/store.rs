//! SQL of what is known about sources.

use super::{Settings, is_living, name_of, row_source};
use crate::clock::Timestamp;
use crate::content::{Announce, ArticleState, removal};
use sqlx::AnyConnection;
use std::collections::{BTreeMap, HashMap};

/// How far a source has been followed.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Followed {
    pub(super) name: String,
    pub(super) identity: String,
    pub(super) making: String,
    pub(super) complete_at: Option<i64>,
    pub(super) polled_at: Option<i64>,
    pub(super) next_poll_at: i64,
    pub(super) failures: i64,
    pub(super) api: Option<String>,
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
    pub(super) listed_at: Option<i64>,
    pub(super) gap: i64,
}

impl Followed {
    /// What the first poll of a site brings is never mailed.
    pub(super) fn announce(&self) -> Announce {
        if self.complete_at.is_some() { Announce::Auto } else { Announce::No }
    }
}

/// A source as staff see it in a list.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct SourceState {
    /// As configured.
    pub name: String,
    /// Whether the configuration names it.
    pub configured: bool,
    /// How many of its articles are public.
    pub articles: i64,
    /// When it was last asked with success.
    pub polled_at: Option<Timestamp>,
    /// When it is asked next.
    pub next_poll_at: Option<Timestamp>,
    /// How often asking has failed since.
    pub failures: i64,
}

pub(super) async fn followed(connection: &mut AnyConnection, name: &str) -> anyhow::Result<Option<Followed>> {
    let sql = "SELECT name, identity, making, complete_at, polled_at, next_poll_at, failures, api, etag, last_modified, listed_at, gap
               FROM content_source WHERE name = $1";
    Ok(sqlx::query_as(sql).bind(name).fetch_optional(connection).await?)
}

pub(super) async fn save(connection: &mut AnyConnection, followed: &Followed) -> anyhow::Result<()> {
    sqlx::query(
        "INSERT INTO content_source (name, identity, making, complete_at, polled_at, next_poll_at, failures, api, etag, last_modified, listed_at, gap)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT (name) DO UPDATE SET identity = excluded.identity, making = excluded.making, complete_at = excluded.complete_at,
             polled_at = excluded.polled_at, next_poll_at = excluded.next_poll_at, failures = excluded.failures, api = excluded.api,
             etag = excluded.etag, last_modified = excluded.last_modified, listed_at = excluded.listed_at, gap = excluded.gap",
    )
    .bind(&followed.name)
    .bind(&followed.identity)
    .bind(&followed.making)
    .bind(followed.complete_at)
    .bind(followed.polled_at)
    .bind(followed.next_poll_at)
    .bind(followed.failures)
    .bind(&followed.api)
    .bind(&followed.etag)
    .bind(&followed.last_modified)
    .bind(followed.listed_at)
    .bind(followed.gap)
    .execute(connection)
    .await?;
    Ok(())
}

/// The posts that were fetched, with their revisions.
pub(super) async fn items(connection: &mut AnyConnection, name: &str) -> anyhow::Result<BTreeMap<i64, String>> {
    let rows: Vec<(i64, String)> =
        sqlx::query_as("SELECT item, revision FROM source_item WHERE source = $1").bind(name).fetch_all(connection).await?;
    Ok(rows.into_iter().collect())
}

pub(super) async fn save_item(connection: &mut AnyConnection, name: &str, item: i64, revision: &str) -> anyhow::Result<()> {
    sqlx::query(
        "INSERT INTO source_item (source, item, revision) VALUES ($1, $2, $3)
         ON CONFLICT (source, item) DO UPDATE SET revision = excluded.revision",
    )
    .bind(name)
    .bind(item)
    .bind(revision)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn forget_item(connection: &mut AnyConnection, name: &str, item: i64) -> anyhow::Result<()> {
    sqlx::query("DELETE FROM source_item WHERE source = $1 AND item = $2").bind(name).bind(item).execute(connection).await?;
    Ok(())
}

/// Everything is to be fetched again.
pub(super) async fn forget_revisions(connection: &mut AnyConnection, name: &str) -> anyhow::Result<()> {
    sqlx::query("UPDATE source_item SET revision = '' WHERE source = $1").bind(name).execute(connection).await?;
    Ok(())
}

/// The paths of a source's articles that are not gone.
pub(super) async fn paths(connection: &mut AnyConnection, name: &str) -> anyhow::Result<Vec<String>> {
    Ok(sqlx::query_scalar("SELECT path FROM article WHERE source = $1 AND state <> 'gone' ORDER BY path")
        .bind(row_source(name))
        .fetch_all(connection)
        .await?)
}

/// Every source that is configured or has articles.
pub async fn sources(connection: &mut AnyConnection, configured: &[Settings]) -> anyhow::Result<Vec<SourceState>> {
    let rows: Vec<(String, i64)> = sqlx::query_as("SELECT source, COUNT(*) FROM article WHERE state = $1 GROUP BY source")
        .bind(ArticleState::Published.as_str())
        .fetch_all(&mut *connection)
        .await?;
    let mut counts: HashMap<String, i64> =
        rows.into_iter().filter_map(|(source, count)| Some((name_of(&source)?.to_owned(), count))).collect();
    let mut states = Vec::new();
    for settings in configured {
        let known = followed(connection, &settings.name).await?;
        states.push(SourceState {
            articles: counts.remove(&settings.name).unwrap_or(0),
            name: settings.name.clone(),
            configured: true,
            polled_at: known.as_ref().and_then(|known| known.polled_at).map(Timestamp::from_millis),
            next_poll_at: known.as_ref().map(|known| Timestamp::from_millis(known.next_poll_at)),
            failures: known.map_or(0, |known| known.failures),
        });
    }
    let mut orphans: Vec<_> = counts.into_iter().collect();
    orphans.sort();
    states.extend(orphans.into_iter().map(|(name, articles)| SourceState {
        name,
        configured: false,
        articles,
        polled_at: None,
        next_poll_at: None,
        failures: 0,
    }));
    Ok(states)
}

/// Lets go of every article of a source that is no longer configured. Returns how many.
pub async fn release_source(connection: &mut AnyConnection, name: &str, now: Timestamp) -> anyhow::Result<usize> {
    let source = row_source(name);
    debug_assert!(is_living(&source));
    let paths = paths(connection, name).await?;
    if !paths.is_empty() {
        removal::remove(connection, &source, &paths, now).await?;
    }
    for sql in [
        "DELETE FROM held_removal WHERE article_id IN (SELECT id FROM article WHERE source = 'source:' || $1)",
        "DELETE FROM content_problem WHERE source = 'source:' || $1",
        "DELETE FROM source_item WHERE source = $1",
        "DELETE FROM content_source WHERE name = $1",
    ] {
        sqlx::query(sql).bind(name).execute(&mut *connection).await?;
    }
    Ok(paths.len())
}
