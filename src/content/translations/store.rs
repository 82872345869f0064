//! SQL of translations: every version that counts, without its text.

use super::super::{ArticleState, FOLDER, source};
use super::{Gap, Known, Version, gaps_of};
use crate::clock::Timestamp;
use crate::language::Language;
use crate::site::Site;
use sqlx::{AnyConnection, Row as _};

/// What is wanting in which language, in the order of the site's languages, in each the newest
/// first; nothing whose date, or whose original's change, is before `since`.
pub async fn gaps(connection: &mut AnyConnection, site: &Site, since: Option<Timestamp>) -> anyhow::Result<Vec<Gap>> {
    let rows = sqlx::query(
        "SELECT a.id, a.source, a.path, a.state, a.language, a.translation_group, a.title, a.published_at, a.updated_at,
                a.first_seen_at, a.published_seq, a.changed_seq,
                CASE WHEN EXISTS (SELECT 1 FROM article_credit c WHERE c.article_id = a.id AND c.role = 'translator')
                     THEN 1 ELSE 0 END AS translated
         FROM article a WHERE a.state IN ('published', 'draft', 'scheduled') ORDER BY a.id",
    )
    .fetch_all(connection)
    .await?;
    let mut versions = Vec::with_capacity(rows.len());
    for row in &rows {
        let source: String = row.try_get("source")?;
        if source == FOLDER || source::is_living(&source) {
            versions.push(known(row, source)?);
        }
    }
    Ok(gaps_of(site, versions, since))
}

fn known(row: &sqlx::any::AnyRow, source: String) -> anyhow::Result<Known> {
    let instant = |column: &str| row.try_get(column).map(Timestamp::from_millis);
    Ok(Known {
        id: row.try_get("id")?,
        group: row.try_get("translation_group")?,
        is_public: row.try_get::<&str, _>("state")? == ArticleState::Published.as_str(),
        names_translator: row.try_get::<i64, _>("translated")? != 0,
        first_seen_at: instant("first_seen_at")?,
        published_seq: row.try_get("published_seq")?,
        changed_seq: row.try_get("changed_seq")?,
        version: Version {
            source,
            path: row.try_get("path")?,
            language: Language::parse(row.try_get("language")?)?,
            title: row.try_get("title")?,
            published_at: instant("published_at")?,
            updated_at: instant("updated_at")?,
        },
    })
}
