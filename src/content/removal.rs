//! Articles that are gone from the folder or from the site they came from. One at a time they go;
//! in a crowd they stay published until staff say that it was meant.

use super::{ArticleState, FOLDER, source};
use crate::clock::Timestamp;
use crate::db::{Counter, take_numbers};
use crate::noticeboard::{self, Notice};
use sqlx::AnyConnection;
use std::collections::BTreeMap;
use std::time::Duration;

/// Fewer than this are never a crowd: on a small site one removal is more than a tenth.
const SMALLEST_CROWD: usize = 5;
/// Removals within this time belong together, since a folder is not deleted in one instant.
const TOGETHER: Duration = Duration::from_mins(10);

/// The one notice of all removals of a source that wait.
fn notice_key(source: &str) -> String {
    if source == FOLDER { "content-removal".to_owned() } else { format!("content-removal:{source}") }
}

/// An article whose file vanished in a crowd.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct HeldRemoval {
    /// Row number.
    pub article: i64,
    /// Which folder or site it is from.
    pub source: String,
    /// Where its file was.
    pub path: String,
    /// Its title.
    pub title: String,
    /// Since when it is held.
    pub held_at: Timestamp,
}

/// Whether so many files vanished at once that it looks like an accident. `before` have gone
/// just before, or are held; `total` are all articles, these two included.
pub(super) fn looks_like_an_accident(vanished: usize, before: usize, total: usize, folder_is_empty: bool) -> bool {
    let crowd = vanished + before;
    folder_is_empty || (crowd >= SMALLEST_CROWD && crowd * 10 > total)
}

/// How many articles have gone, unasked, shortly before.
pub(super) async fn recently_gone(connection: &mut AnyConnection, source: &str, now: Timestamp) -> anyhow::Result<usize> {
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM article a WHERE a.source = $1 AND a.state = 'gone' AND a.gone_at > $2
           AND NOT EXISTS (SELECT 1 FROM held_removal h WHERE h.article_id = a.id)",
    )
    .bind(source)
    .bind((now - TOGETHER).as_millis())
    .fetch_one(connection)
    .await?;
    Ok(usize::try_from(count).unwrap_or(0))
}

/// Every removal of a source that is held or was accepted: path, and whether it was accepted.
pub(super) async fn known(connection: &mut AnyConnection, source: &str) -> anyhow::Result<Vec<(String, bool)>> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT a.path, CASE WHEN h.accepted_at IS NULL THEN 0 ELSE 1 END
         FROM held_removal h CROSS JOIN article a WHERE a.id = h.article_id AND a.source = $1",
    )
    .bind(source)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|(path, accepted)| (path, accepted != 0)).collect())
}

/// The removals that wait for staff.
pub async fn held_removals(connection: &mut AnyConnection) -> anyhow::Result<Vec<HeldRemoval>> {
    let rows: Vec<(i64, String, String, String, i64)> = sqlx::query_as(
        "SELECT a.id, a.source, a.path, a.title, h.held_at FROM held_removal h JOIN article a ON a.id = h.article_id
         WHERE h.accepted_at IS NULL ORDER BY a.source, a.path",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(article, source, path, title, held_at)| HeldRemoval {
            article,
            source,
            path,
            title,
            held_at: Timestamp::from_millis(held_at),
        })
        .collect())
}

/// Keeps the articles of these files published, and tells staff.
pub(super) async fn hold(connection: &mut AnyConnection, source: &str, paths: &[String], now: Timestamp) -> anyhow::Result<()> {
    for path in paths {
        sqlx::query(
            "INSERT INTO held_removal (article_id, held_at)
             SELECT id, $1 FROM article WHERE source = $2 AND path = $3 AND state <> 'gone'
             ON CONFLICT (article_id) DO UPDATE SET held_at = excluded.held_at, accepted_at = NULL",
        )
        .bind(now.as_millis())
        .bind(source)
        .bind(path)
        .execute(&mut *connection)
        .await?;
    }
    let place = match source::name_of(source) {
        Some(name) => format!("the site that the source {name} follows"),
        None => "the content folder".to_owned(),
    };
    let mut list: Vec<String> = paths.iter().take(20).map(|path| format!("  {path}")).collect();
    if paths.len() > list.len() {
        list.push(format!("  … and {} more", paths.len() - list.len()));
    }
    let list = list.join("\n");
    let count = paths.len();
    let notice = Notice {
        key: &notice_key(source),
        subject: &format!("{count} articles have vanished from {place}; they stay published"),
        body: &format!(
            "{count} articles are no longer in {place}:\n\n{list}\n\nSo many at once look like an accident, such as a disk or a database that is not there. The articles stay published.\n\nIf it was an accident, put them back; nothing else is needed. If they are to go, run  clarion content accept-removals\n"
        ),
    };
    noticeboard::record(connection, &notice, now).await?;
    Ok(())
}

/// The file of an article is back: it is held no longer. If staff accept the removal in this very
/// moment, that is seen at the next look: `accepted` is what was known when this was decided.
pub(super) async fn lift(connection: &mut AnyConnection, source: &str, path: &str, accepted: bool) -> anyhow::Result<()> {
    let sql = if accepted {
        "DELETE FROM held_removal
         WHERE accepted_at IS NOT NULL AND article_id IN (SELECT id FROM article WHERE source = $1 AND path = $2)"
    } else {
        "DELETE FROM held_removal
         WHERE accepted_at IS NULL AND article_id IN (SELECT id FROM article WHERE source = $1 AND path = $2)"
    };
    sqlx::query(sql).bind(source).bind(path).execute(&mut *connection).await?;
    clear_notice(connection, source).await
}

/// When nothing waits any longer, the next accident is told anew.
async fn clear_notice(connection: &mut AnyConnection, source: &str) -> anyhow::Result<()> {
    let waiting: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM held_removal h CROSS JOIN article a
         WHERE a.id = h.article_id AND h.accepted_at IS NULL AND a.source = $1",
    )
    .bind(source)
    .fetch_one(&mut *connection)
    .await?;
    if waiting == 0 {
        noticeboard::clear(connection, &notice_key(source)).await?;
    }
    Ok(())
}

/// Turns articles whose files are gone into tombstones.
pub(super) async fn remove(connection: &mut AnyConnection, source: &str, paths: &[String], now: Timestamp) -> anyhow::Result<()> {
    let first = take_numbers(connection, Counter::Sequence, i64::try_from(paths.len())?).await?;
    for (sequence, path) in (first..).zip(paths) {
        sqlx::query("UPDATE article SET state = $1, gone_at = $2, changed_seq = $3 WHERE source = $4 AND path = $5 AND state <> 'gone'")
            .bind(ArticleState::Gone.as_str())
            .bind(now.as_millis())
            .bind(sequence)
            .bind(source)
            .bind(path)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Staff say that the held removals were meant: the articles go. Returns how many.
pub async fn accept_removals(connection: &mut AnyConnection, now: Timestamp) -> anyhow::Result<usize> {
    let mut waiting: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for held in held_removals(connection).await? {
        waiting.entry(held.source).or_default().push(held.path);
    }
    for (source, paths) in &waiting {
        remove(connection, source, paths, now).await?;
    }
    sqlx::query("UPDATE held_removal SET accepted_at = $1 WHERE accepted_at IS NULL")
        .bind(now.as_millis())
        .execute(&mut *connection)
        .await?;
    for source in waiting.keys() {
        clear_notice(connection, source).await?;
    }
    Ok(waiting.values().map(Vec::len).sum())
}

#[cfg(test)]
mod tests {
    use super::looks_like_an_accident;

    #[test]
    fn only_a_crowd_or_an_empty_folder_looks_like_an_accident() {
        assert!(!looks_like_an_accident(1, 0, 5, false));
        assert!(!looks_like_an_accident(4, 0, 5, false));
        assert!(looks_like_an_accident(5, 0, 20, false));
        assert!(!looks_like_an_accident(5, 0, 50, false));
        assert!(looks_like_an_accident(6, 0, 59, false));
        assert!(looks_like_an_accident(1, 9, 50, false), "a folder that is being deleted");
        assert!(looks_like_an_accident(1, 0, 1, true));
    }
}
