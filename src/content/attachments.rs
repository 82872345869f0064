//! SQL of what hangs on articles in tables of its own.

use super::{Credit, Enclosure, Role};
use sqlx::{AnyConnection, Row as _};
use std::collections::HashMap;

/// What hangs on an article in tables of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Attachments {
    pub(super) categories: Vec<String>,
    pub(super) tags: Vec<String>,
    pub(super) credits: Vec<Credit>,
    pub(super) enclosures: Vec<Enclosure>,
}

/// A query that takes a list, bound as JSON to `$1`: the engines unpack it differently.
macro_rules! with_list {
    ($connection:expr, [$($head:tt)+], $type:literal, $tail:literal) => {
        match $connection.backend_name() {
            "PostgreSQL" => {
                concat!($($head)+, "(SELECT CAST(value AS ", $type, ") FROM json_array_elements_text(CAST($1 AS JSON)) AS list (value)) ", $tail)
            }
            _ => concat!($($head)+, "(SELECT CAST(value AS ", $type, ") FROM json_each($1)) ", $tail),
        }
    };
}

pub(super) use with_list;

/// Loads what hangs on some articles.
pub(super) async fn attachments(connection: &mut AnyConnection, ids: &[i64]) -> anyhow::Result<HashMap<i64, Attachments>> {
    let mut all: HashMap<i64, Attachments> = HashMap::with_capacity(ids.len());
    if ids.is_empty() {
        return Ok(all);
    }
    for (id, categories) in categories_of(connection, ids).await? {
        all.entry(id).or_default().categories = categories;
    }
    let list = serde_json::to_string(ids)?;
    let sql =
        with_list!(connection, ["SELECT article_id, tag FROM article_tag WHERE article_id IN "], "BIGINT", "ORDER BY article_id, position");
    let tags: Vec<(i64, String)> = sqlx::query_as(sql).bind(&list).fetch_all(&mut *connection).await?;
    for (id, tag) in tags {
        all.entry(id).or_default().tags.push(tag);
    }
    let sql = with_list!(
        connection,
        ["SELECT article_id, role, name, url FROM article_credit WHERE article_id IN "],
        "BIGINT",
        "ORDER BY article_id, position"
    );
    let credits: Vec<(i64, String, String, Option<String>)> = sqlx::query_as(sql).bind(&list).fetch_all(&mut *connection).await?;
    for (id, role, name, url) in credits {
        all.entry(id).or_default().credits.push(Credit { role: Role::from_stored(&role)?, name, url });
    }
    let sql = with_list!(
        connection,
        ["SELECT article_id, url, media_type, length, title FROM article_enclosure WHERE article_id IN "],
        "BIGINT",
        "ORDER BY article_id, position"
    );
    for row in sqlx::query(sql).bind(&list).fetch_all(&mut *connection).await? {
        let enclosure = Enclosure {
            url: row.try_get("url")?,
            media_type: row.try_get("media_type")?,
            length: row.try_get("length")?,
            title: row.try_get("title")?,
        };
        all.entry(row.try_get("article_id")?).or_default().enclosures.push(enclosure);
    }
    Ok(all)
}

/// Loads the categories of some articles.
pub(super) async fn categories_of(connection: &mut AnyConnection, ids: &[i64]) -> anyhow::Result<HashMap<i64, Vec<String>>> {
    let mut all: HashMap<i64, Vec<String>> = HashMap::new();
    if ids.is_empty() {
        return Ok(all);
    }
    let sql = with_list!(
        connection,
        ["SELECT article_id, slug FROM article_category WHERE article_id IN "],
        "BIGINT",
        "ORDER BY article_id, slug"
    );
    let rows: Vec<(i64, String)> = sqlx::query_as(sql).bind(serde_json::to_string(ids)?).fetch_all(connection).await?;
    for (id, slug) in rows {
        all.entry(id).or_default().push(slug);
    }
    Ok(all)
}

/// Replaces what hangs on an article.
pub(super) async fn write(connection: &mut AnyConnection, article: i64, attached: &Attachments) -> anyhow::Result<()> {
    for sql in [
        "DELETE FROM article_category WHERE article_id = $1",
        "DELETE FROM article_tag WHERE article_id = $1",
        "DELETE FROM article_credit WHERE article_id = $1",
        "DELETE FROM article_enclosure WHERE article_id = $1",
    ] {
        sqlx::query(sql).bind(article).execute(&mut *connection).await?;
    }
    for slug in &attached.categories {
        let sql = "INSERT INTO article_category (article_id, slug) VALUES ($1, $2)";
        sqlx::query(sql).bind(article).bind(slug).execute(&mut *connection).await?;
    }
    for (position, tag) in (0_i64..).zip(&attached.tags) {
        let sql = "INSERT INTO article_tag (article_id, position, tag) VALUES ($1, $2, $3)";
        sqlx::query(sql).bind(article).bind(position).bind(tag).execute(&mut *connection).await?;
    }
    for (position, credit) in (0_i64..).zip(&attached.credits) {
        sqlx::query("INSERT INTO article_credit (article_id, position, role, name, url) VALUES ($1, $2, $3, $4, $5)")
            .bind(article)
            .bind(position)
            .bind(credit.role.as_str())
            .bind(&credit.name)
            .bind(&credit.url)
            .execute(&mut *connection)
            .await?;
    }
    for (position, enclosure) in (0_i64..).zip(&attached.enclosures) {
        sqlx::query("INSERT INTO article_enclosure (article_id, position, url, media_type, length, title) VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(article)
            .bind(position)
            .bind(&enclosure.url)
            .bind(&enclosure.media_type)
            .bind(enclosure.length)
            .bind(&enclosure.title)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
