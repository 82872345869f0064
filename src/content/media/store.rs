//! SQL of the files that articles refer to.

use super::super::attachments::with_list;
use super::{File, Files, Known};
use sqlx::{AnyConnection, Row as _};
use std::collections::{BTreeMap, HashMap};

/// What the articles that refer to a file say about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// No public article knows it, or it is not there.
    Unknown,
    /// Only articles that are gone know it.
    Gone,
    /// A public article refers to it.
    Public,
}

/// Whether the file at a path may be served.
pub async fn file_standing(connection: &mut AnyConnection, path: &str) -> anyhow::Result<Standing> {
    let highest: Option<i64> = sqlx::query_scalar(
        "SELECT MAX(CASE WHEN a.state = 'published' AND f.stamp <> '' THEN 3
                         WHEN a.state = 'published' THEN 2
                         WHEN a.state = 'gone' AND a.published_seq IS NOT NULL THEN 1
                         ELSE 0 END)
         FROM article_file f JOIN article a ON a.id = f.article_id WHERE f.path = $1",
    )
    .bind(path)
    .fetch_one(connection)
    .await?;
    Ok(match highest {
        Some(3) => Standing::Public,
        Some(1) => Standing::Gone,
        _ => Standing::Unknown,
    })
}

/// How long the files of some articles are, by article and path.
pub(in crate::content) async fn lengths(connection: &mut AnyConnection, articles: &[i64]) -> anyhow::Result<HashMap<(i64, String), i64>> {
    if articles.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = with_list!(
        connection,
        ["SELECT article_id, path, length FROM article_file WHERE length IS NOT NULL AND article_id IN "],
        "BIGINT",
        ""
    );
    let rows: Vec<(i64, String, i64)> = sqlx::query_as(sql).bind(serde_json::to_string(articles)?).fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(article, path, length)| ((article, path), length)).collect())
}

/// Records the files of an article, if they are not recorded so already.
pub(in crate::content) async fn write(connection: &mut AnyConnection, article: i64, is_new: bool, files: &Files) -> anyhow::Result<()> {
    let wanted: BTreeMap<String, File> = files.iter().map(|(path, file)| (path.clone(), file.clone())).collect();
    if !is_new {
        if of_article(connection, article).await? == wanted {
            return Ok(());
        }
        sqlx::query("DELETE FROM article_file WHERE article_id = $1").bind(article).execute(&mut *connection).await?;
    }
    for (path, file) in &wanted {
        sqlx::query(
            "INSERT INTO article_file (article_id, path, stamp, media_type, length, width, height) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(article)
        .bind(path)
        .bind(&file.stamp)
        .bind(&file.media_type)
        .bind(file.length)
        .bind(file.size.map(|(width, _)| width))
        .bind(file.size.map(|(_, height)| height))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn of_article(connection: &mut AnyConnection, article: i64) -> anyhow::Result<BTreeMap<String, File>> {
    let sql = "SELECT path, stamp, media_type, length, width, height FROM article_file WHERE article_id = $1";
    let rows = sqlx::query(sql).bind(article).fetch_all(connection).await?;
    rows.iter().map(|row| Ok((row.try_get("path")?, file(row)?))).collect()
}

/// Every file of every article of the folder that is not gone.
pub(in crate::content) async fn known(connection: &mut AnyConnection) -> anyhow::Result<Known> {
    let rows = sqlx::query(
        "SELECT a.path AS article, f.path, f.stamp, f.media_type, f.length, f.width, f.height
         FROM article_file f JOIN article a ON a.id = f.article_id WHERE a.source = $1 AND a.state <> 'gone' ORDER BY a.path",
    )
    .bind(super::super::FOLDER)
    .fetch_all(connection)
    .await?;
    let mut of_articles: BTreeMap<String, Vec<(String, File)>> = BTreeMap::new();
    for row in &rows {
        of_articles.entry(row.try_get("article")?).or_default().push((row.try_get("path")?, file(row)?));
    }
    let known = Known::default();
    for (article, files) in of_articles {
        known.follow_each(&article, files);
    }
    Ok(known)
}

fn file(row: &sqlx::any::AnyRow) -> anyhow::Result<File> {
    let (width, height): (Option<i64>, Option<i64>) = (row.try_get("width")?, row.try_get("height")?);
    Ok(File {
        stamp: row.try_get("stamp")?,
        media_type: row.try_get("media_type")?,
        length: row.try_get("length")?,
        size: width.zip(height),
    })
}
