//! A file that was renamed and edited at once is, to the store, one that went and one that came.
//! It cannot know better, but staff can: they are told how to make them one again.

use super::FOLDER;
use crate::clock::Timestamp;
use crate::noticeboard::{self, Notice};
use sqlx::AnyConnection;
use std::time::Duration;

/// What went and what came within this time may be the same.
const TOGETHER: Duration = Duration::from_mins(10);

#[derive(sqlx::FromRow)]
struct Article {
    id: i64,
    uid: String,
    path: String,
    language: String,
    slug: String,
    title: String,
}

impl Article {
    /// Whether it came after the other, and somebody who reads both would take them for one.
    fn looks_like(&self, other: &Self) -> bool {
        self.id > other.id && self.language == other.language && (self.slug == other.slug || self.title == other.title)
    }
}

/// Tells staff, once, of every public article that went of late while one came that looks like
/// it.
pub(super) async fn tell_lookalikes(connection: &mut AnyConnection, now: Timestamp) -> anyhow::Result<()> {
    let since = (now - TOGETHER).as_millis();
    let gone: Vec<Article> = sqlx::query_as(
        "SELECT id, uid, path, language, slug, title FROM article
         WHERE gone_at > $1 AND state = 'gone' AND source = $2 AND published_seq IS NOT NULL ORDER BY id",
    )
    .bind(since)
    .bind(FOLDER)
    .fetch_all(&mut *connection)
    .await?;
    if gone.is_empty() {
        return Ok(());
    }
    let come: Vec<Article> = sqlx::query_as(
        "SELECT id, uid, path, language, slug, title FROM article
         WHERE first_seen_at > $1 AND state <> 'gone' AND source = $2 ORDER BY id",
    )
    .bind(since)
    .bind(FOLDER)
    .fetch_all(&mut *connection)
    .await?;
    for old in &gone {
        if let Some(new) = come.iter().find(|new| new.looks_like(old)) {
            tell(connection, old, new, now).await?;
        }
    }
    Ok(())
}

async fn tell(connection: &mut AnyConnection, old: &Article, new: &Article, now: Timestamp) -> anyhow::Result<()> {
    let Article { uid, path: from, .. } = old;
    let to = &new.path;
    let notice = Notice {
        key: &format!("content-renamed:{}:{}", old.id, new.id),
        subject: &format!("Was {from} renamed to {to}? Readers see a new article"),
        body: &format!(
            "The file {from} is gone, and {to}, which looks like it, is new. A file that is renamed keeps its article only if nothing else in it changes at the same time; so the old article has gone, and readers will see the new one as one they never had.\n\nIf the two are one article, write this line into the front matter of {to}, and it is the old one again:\n\n  id = \"{uid}\"\n\nIf they are not, nothing is to be done.\n"
        ),
    };
    if noticeboard::record(connection, &notice, now).await? {
        tracing::warn!(from, to, "a file seems to have been renamed and changed at once; its article is a new one now");
    }
    Ok(())
}
