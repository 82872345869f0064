//! SQL of what hangs on articles in tables of its own.

use super::bulk::Insert;
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

/// Replaces what hangs on some articles. `old` are those of them on which something may hang
/// already.
pub(super) async fn replace(connection: &mut AnyConnection, old: &[i64], new: &[(i64, &Attachments)]) -> anyhow::Result<()> {
    remove(connection, old).await?;
    let categories: Vec<_> = new.iter().flat_map(|(id, attached)| attached.categories.iter().map(|slug| (*id, slug))).collect();
    CATEGORIES.all(connection, &categories, |query, (id, slug)| query.bind(*id).bind(*slug)).await?;
    let tags = numbered(new, |attached| &attached.tags);
    TAGS.all(connection, &tags, |query, (id, position, tag)| query.bind(*id).bind(*position).bind(*tag)).await?;
    let credits = numbered(new, |attached| &attached.credits);
    CREDITS
        .all(connection, &credits, |query, (id, position, credit)| {
            query.bind(*id).bind(*position).bind(credit.role.as_str()).bind(&credit.name).bind(&credit.url)
        })
        .await?;
    let enclosures = numbered(new, |attached| &attached.enclosures);
    ENCLOSURES
        .all(connection, &enclosures, |query, (id, position, file)| {
            query.bind(*id).bind(*position).bind(&file.url).bind(&file.media_type).bind(file.length).bind(&file.title)
        })
        .await
}

const CATEGORIES: Insert = Insert { head: "INSERT INTO article_category (article_id, slug)", columns: 2, tail: "" };
const TAGS: Insert = Insert { head: "INSERT INTO article_tag (article_id, position, tag)", columns: 3, tail: "" };
const CREDITS: Insert = Insert { head: "INSERT INTO article_credit (article_id, position, role, name, url)", columns: 5, tail: "" };
const ENCLOSURES: Insert =
    Insert { head: "INSERT INTO article_enclosure (article_id, position, url, media_type, length, title)", columns: 6, tail: "" };

/// The parts of each article with their places in its list.
fn numbered<'a, T>(articles: &[(i64, &'a Attachments)], parts: impl Fn(&'a Attachments) -> &'a Vec<T>) -> Vec<(i64, i64, &'a T)> {
    articles.iter().flat_map(|(id, attached)| (0_i64..).zip(parts(attached)).map(move |(position, part)| (*id, position, part))).collect()
}

async fn remove(connection: &mut AnyConnection, articles: &[i64]) -> anyhow::Result<()> {
    if articles.is_empty() {
        return Ok(());
    }
    let list = serde_json::to_string(articles)?;
    for sql in [
        with_list!(connection, ["DELETE FROM article_category WHERE article_id IN "], "BIGINT", ""),
        with_list!(connection, ["DELETE FROM article_tag WHERE article_id IN "], "BIGINT", ""),
        with_list!(connection, ["DELETE FROM article_credit WHERE article_id IN "], "BIGINT", ""),
        with_list!(connection, ["DELETE FROM article_enclosure WHERE article_id IN "], "BIGINT", ""),
    ] {
        sqlx::query(sql).bind(&list).execute(&mut *connection).await?;
    }
    Ok(())
}
