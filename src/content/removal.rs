//! Articles whose files are gone. One at a time they go; in a crowd they stay published until
//! staff say that it was meant.

use super::{ArticleState, FOLDER};
use crate::clock::Timestamp;
use crate::db::{Counter, take_numbers};
use crate::noticeboard::{self, Notice};
use sqlx::AnyConnection;
use std::time::Duration;

/// Fewer than this are never a crowd: on a small site one removal is more than a tenth.
const SMALLEST_CROWD: usize = 5;
/// Removals within this time belong together, since a folder is not deleted in one instant.
const TOGETHER: Duration = Duration::from_mins(10);

/// The one notice of all removals that wait.
const NOTICE: &str = "content-removal";

/// An article whose file vanished in a crowd.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct HeldRemoval {
    /// Row number.
    pub article: i64,
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
pub(super) async fn recently_gone(connection: &mut AnyConnection, now: Timestamp) -> anyhow::Result<usize> {
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM article a WHERE a.source = $1 AND a.state = 'gone' AND a.gone_at > $2
           AND NOT EXISTS (SELECT 1 FROM held_removal h WHERE h.article_id = a.id)",
    )
    .bind(FOLDER)
    .bind((now - TOGETHER).as_millis())
    .fetch_one(connection)
    .await?;
    Ok(usize::try_from(count).unwrap_or(0))
}

/// Every removal that is held or was accepted: path, and whether it was accepted.
pub(super) async fn known(connection: &mut AnyConnection) -> anyhow::Result<Vec<(String, bool)>> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT a.path, CASE WHEN h.accepted_at IS NULL THEN 0 ELSE 1 END
         FROM held_removal h JOIN article a ON a.id = h.article_id WHERE a.source = $1",
    )
    .bind(FOLDER)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|(path, accepted)| (path, accepted != 0)).collect())
}

/// The removals that wait for staff.
pub async fn held_removals(connection: &mut AnyConnection) -> anyhow::Result<Vec<HeldRemoval>> {
    let rows: Vec<(i64, String, String, i64)> = sqlx::query_as(
        "SELECT a.id, a.path, a.title, h.held_at FROM held_removal h JOIN article a ON a.id = h.article_id
         WHERE h.accepted_at IS NULL ORDER BY a.path",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(article, path, title, held_at)| HeldRemoval { article, path, title, held_at: Timestamp::from_millis(held_at) })
        .collect())
}

/// Keeps the articles of these files published, and tells staff.
pub(super) async fn hold(connection: &mut AnyConnection, paths: &[String], now: Timestamp) -> anyhow::Result<()> {
    for path in paths {
        sqlx::query(
            "INSERT INTO held_removal (article_id, held_at)
             SELECT id, $1 FROM article WHERE source = $2 AND path = $3 AND state <> 'gone'
             ON CONFLICT (article_id) DO UPDATE SET held_at = excluded.held_at, accepted_at = NULL",
        )
        .bind(now.as_millis())
        .bind(FOLDER)
        .bind(path)
        .execute(&mut *connection)
        .await?;
    }
    let mut list: Vec<String> = paths.iter().take(20).map(|path| format!("  {path}")).collect();
    if paths.len() > list.len() {
        list.push(format!("  … and {} more", paths.len() - list.len()));
    }
    let list = list.join("\n");
    let count = paths.len();
    let notice = Notice {
        key: NOTICE,
        subject: &format!("{count} articles have vanished from the content folder; they stay published"),
        body: &format!(
            "The files of {count} articles are no longer in the content folder:\n\n{list}\n\nSo many at once look like an accident, such as a disk that is not there. The articles stay published.\n\nIf it was an accident, put the files back; nothing else is needed. If they are to go, run  clarion content accept-removals\n"
        ),
    };
    noticeboard::record(connection, &notice, now).await?;
    Ok(())
}

/// The file of an article is back: it is held no longer. If staff accept the removal in this very
/// moment, that is seen at the next look: `accepted` is what was known when this was decided.
pub(super) async fn lift(connection: &mut AnyConnection, path: &str, accepted: bool) -> anyhow::Result<()> {
    let sql = match accepted {
        true => {
            "DELETE FROM held_removal
             WHERE accepted_at IS NOT NULL AND article_id IN (SELECT id FROM article WHERE source = $1 AND path = $2)"
        }
        false => {
            "DELETE FROM held_removal
             WHERE accepted_at IS NULL AND article_id IN (SELECT id FROM article WHERE source = $1 AND path = $2)"
        }
    };
    sqlx::query(sql).bind(FOLDER).bind(path).execute(&mut *connection).await?;
    clear_notice(connection).await
}

/// When nothing waits any longer, the next accident is told anew.
async fn clear_notice(connection: &mut AnyConnection) -> anyhow::Result<()> {
    let waiting: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM held_removal WHERE accepted_at IS NULL").fetch_one(&mut *connection).await?;
    if waiting == 0 {
        noticeboard::clear(connection, NOTICE).await?;
    }
    Ok(())
}

/// Turns articles whose files are gone into tombstones.
pub(super) async fn remove(connection: &mut AnyConnection, paths: &[String], now: Timestamp) -> anyhow::Result<()> {
    let first = take_numbers(connection, Counter::Sequence, i64::try_from(paths.len())?).await?;
    for (sequence, path) in (first..).zip(paths) {
        sqlx::query("UPDATE article SET state = $1, gone_at = $2, changed_seq = $3 WHERE source = $4 AND path = $5 AND state <> 'gone'")
            .bind(ArticleState::Gone.as_str())
            .bind(now.as_millis())
            .bind(sequence)
            .bind(FOLDER)
            .bind(path)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Staff say that the held removals were meant: the articles go. Returns how many.
pub async fn accept_removals(connection: &mut AnyConnection, now: Timestamp) -> anyhow::Result<usize> {
    let paths: Vec<String> = held_removals(connection).await?.into_iter().map(|held| held.path).collect();
    if paths.is_empty() {
        return Ok(0);
    }
    remove(connection, &paths, now).await?;
    sqlx::query("UPDATE held_removal SET accepted_at = $1 WHERE accepted_at IS NULL")
        .bind(now.as_millis())
        .execute(&mut *connection)
        .await?;
    clear_notice(connection).await?;
    Ok(paths.len())
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
