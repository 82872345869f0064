//! Articles that are not public yet, for those who may see them: staff, and who holds a link to a
//! preview.

use super::media::{self, Opened, Unopened};
use super::store::{self, Row, article_columns};
use super::{Article, FOLDER, Settings};
use crate::clock::Timestamp;
use crate::language::Language;
use crate::site::Site;
use sqlx::{AnyConnection, Row as _};

/// A draft, or an article dated in the future, as staff are told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpublished {
    /// Row number.
    pub id: i64,
    /// The id it will have in feeds.
    pub uid: String,
    /// Its name in addresses.
    pub slug: String,
    /// Of the version: another after every change.
    pub hash: String,
    /// Where its file is.
    pub path: String,
    /// Its language.
    pub language: Language,
    /// Its title.
    pub title: String,
    /// When it publishes itself; `None`: it is a draft.
    pub due: Option<Timestamp>,
}

/// Everything in the folder that is not public yet, the newest last.
pub async fn unpublished(connection: &mut AnyConnection) -> anyhow::Result<Vec<Unpublished>> {
    let rows = sqlx::query(
        "SELECT id, uid, slug, hash, path, language, title, CASE state WHEN 'scheduled' THEN published_at ELSE NULL END AS due
         FROM article WHERE state IN ('draft', 'scheduled') AND source = $1 ORDER BY id",
    )
    .bind(FOLDER)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Unpublished {
                id: row.try_get("id")?,
                uid: row.try_get("uid")?,
                slug: row.try_get("slug")?,
                hash: row.try_get("hash")?,
                path: row.try_get("path")?,
                language: Language::parse(row.try_get("language")?)?,
                title: row.try_get("title")?,
                due: row.try_get::<Option<i64>, _>("due")?.map(Timestamp::from_millis),
            })
        })
        .collect()
}

/// The newest version of an article, in whatever state it is.
pub async fn by_id(connection: &mut AnyConnection, id: i64) -> anyhow::Result<Option<Article>> {
    let row: Option<Row> = sqlx::query_as(concat!(article_columns!(), "WHERE a.id = $1")).bind(id).fetch_optional(&mut *connection).await?;
    Ok(store::complete(connection, row.into_iter().collect()).await?.pop())
}

/// The files of an article: their paths in the folder, and the links to them in its texts.
pub async fn files_of(connection: &mut AnyConnection, site: &Site, article: i64) -> anyhow::Result<Vec<(String, String)>> {
    let paths: Vec<String> = sqlx::query_scalar("SELECT path FROM article_file WHERE article_id = $1 AND stamp <> '' ORDER BY path")
        .bind(article)
        .fetch_all(connection)
        .await?;
    Ok(paths.into_iter().map(|path| (path.clone(), media::link_of(site, &path))).collect())
}

/// Opens a file of an article that need not be public: only one that the article refers to.
pub async fn open_file_of(
    connection: &mut AnyConnection,
    settings: &Settings,
    article: i64,
    path: &str,
) -> anyhow::Result<Result<Opened, Unopened>> {
    let known: Option<String> = sqlx::query_scalar("SELECT path FROM article_file WHERE article_id = $1 AND path = $2")
        .bind(article)
        .bind(path)
        .fetch_optional(connection)
        .await?;
    Ok(match known {
        Some(path) => media::open_file(settings, &path).await,
        None => Err(Unopened::Missing),
    })
}
