//! SQL that reads articles. Whatever belongs to many articles is loaded for all of them at once.

use super::attachments::{Attachments, attachments, categories_of, with_list};
use super::media::{self, Files};
use super::record::{self, Entry};
use super::withdrawal::Marks;
use super::{
    Announce, Article, ArticleState, Change, FoundCategory, Headline, Listed, Page, Selection, Signpost, identity, markup, source, video,
};
use crate::clock::Timestamp;
use crate::language::Language;
use crate::site::Site;
use crate::vault::content_hash;
use sqlx::{AnyConnection, Row as _};
use std::collections::HashMap;

/// All columns of an article's row, for the beginning of a query.
macro_rules! article_columns {
    () => {
        "SELECT a.id, a.uid, a.source, a.path, a.stem, a.hash, a.state, a.published_seq, a.changed_seq, a.announced, a.language,
                a.translation_group, a.slug, a.title, a.summary, a.body_html, a.published_at, a.updated_at, a.month,
                a.canonical_url, a.image, a.video, a.series, a.first_seen_at, a.gone_at
         FROM article a "
    };
}
pub(super) use article_columns;

/// What a [`Selection`] asks, as the end of a query with `$1` to `$4`. Slugs hold neither comma
/// nor wildcard, so a list of them is one text that both engines search alike.
macro_rules! selected {
    () => {
        "WHERE a.state = 'published'
           AND (CAST($1 AS TEXT) IS NULL OR a.language = $1)
           AND (CAST($2 AS TEXT) IS NULL OR EXISTS (
                SELECT 1 FROM article_category c WHERE c.article_id = a.id AND $2 LIKE '%,' || c.slug || ',%'))
           AND (CAST($3 AS TEXT) IS NULL OR a.month = $3)
           AND (CAST($4 AS TEXT) IS NULL OR a.translation_group = $4) "
    };
}

impl Selection<'_> {
    /// `,one,two,`
    pub(super) fn category_list(&self) -> Option<String> {
        self.categories.map(|slugs| format!(",{},", slugs.join(",")))
    }
}

/// An article's row as it is.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) uid: String,
    pub(super) source: String,
    pub(super) path: String,
    pub(super) stem: String,
    pub(super) hash: String,
    pub(super) state: String,
    pub(super) published_seq: Option<i64>,
    pub(super) changed_seq: i64,
    pub(super) announced: String,
    pub(super) language: String,
    pub(super) translation_group: String,
    pub(super) slug: String,
    pub(super) title: String,
    pub(super) summary: String,
    pub(super) body_html: String,
    pub(super) published_at: i64,
    pub(super) updated_at: i64,
    pub(super) month: String,
    pub(super) canonical_url: Option<String>,
    pub(super) image: Option<String>,
    pub(super) video: Option<String>,
    pub(super) series: Option<String>,
    pub(super) first_seen_at: i64,
    pub(super) gone_at: Option<i64>,
}

/// Public articles, the newest first (`published_at`, then `id`, both descending), skipping
/// `offset`.
pub async fn latest(connection: &mut AnyConnection, selection: &Selection<'_>, limit: i64, offset: i64) -> anyhow::Result<Vec<Article>> {
    let sql = concat!(article_columns!(), selected!(), "ORDER BY a.published_at DESC, a.id DESC LIMIT $5 OFFSET $6");
    let rows = sqlx::query_as(sql)
        .bind(selection.language.map(ToString::to_string))
        .bind(selection.category_list())
        .bind(selection.month)
        .bind(selection.translation_group)
        .bind(limit)
        .bind(offset)
        .fetch_all(&mut *connection)
        .await?;
    complete(connection, rows).await
}

/// How many public articles there are.
pub async fn count(connection: &mut AnyConnection, selection: &Selection<'_>) -> anyhow::Result<i64> {
    Ok(sqlx::query_scalar(concat!("SELECT COUNT(*) FROM article a ", selected!()))
        .bind(selection.language.map(ToString::to_string))
        .bind(selection.category_list())
        .bind(selection.month)
        .bind(selection.translation_group)
        .fetch_one(connection)
        .await?)
}

/// Articles with these row numbers, in that order; those that are no longer public are left out.
pub async fn by_ids(connection: &mut AnyConnection, ids: &[i64]) -> anyhow::Result<Vec<Article>> {
    let sql = with_list!(connection, [article_columns!(), "WHERE a.state = 'published' AND a.id IN "], "BIGINT", "");
    let rows: Vec<Row> = sqlx::query_as(sql).bind(serde_json::to_string(ids)?).fetch_all(&mut *connection).await?;
    let mut found: HashMap<i64, Article> = complete(connection, rows).await?.into_iter().map(|article| (article.id, article)).collect();
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

/// Titles and addresses of public articles with these row numbers, in that order; those that are
/// no longer public are left out.
pub async fn signposts(connection: &mut AnyConnection, ids: &[i64]) -> anyhow::Result<Vec<Signpost>> {
    let sql = with_list!(
        connection,
        ["SELECT id, language, title, month, slug, canonical_url FROM article WHERE state = 'published' AND id IN "],
        "BIGINT",
        ""
    );
    let rows = sqlx::query(sql).bind(serde_json::to_string(ids)?).fetch_all(connection).await?;
    let signpost = |row: &sqlx::any::AnyRow| -> anyhow::Result<(i64, Signpost)> {
        let id = row.try_get("id")?;
        let language = stored_language(row.try_get("language")?)?;
        let (title, month, slug) = (row.try_get("title")?, row.try_get("month")?, row.try_get("slug")?);
        Ok((id, Signpost { id, language, title, month, slug, canonical_url: row.try_get("canonical_url")? }))
    };
    let mut found: HashMap<i64, Signpost> = rows.iter().map(signpost).collect::<anyhow::Result<_>>()?;
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

/// The article, public or gone, at `/{month}/{slug}/` in a language.
pub async fn at_address(connection: &mut AnyConnection, language: &Language, month: &str, slug: &str) -> anyhow::Result<Option<Article>> {
    let sql = concat!(
        article_columns!(),
        "WHERE a.month = $1 AND a.slug = $2 AND a.language = $3
           AND (a.state = 'published' OR (a.state = 'gone' AND a.published_seq IS NOT NULL))
         ORDER BY CASE a.state WHEN 'published' THEN 0 ELSE 1 END, a.id DESC LIMIT 1"
    );
    let row = sqlx::query_as(sql).bind(month).bind(slug).bind(language.to_string()).fetch_optional(&mut *connection).await?;
    Ok(complete(connection, row.into_iter().collect()).await?.pop())
}

/// The public article that once had this path (`/2011-07-center.htm`).
pub async fn at_alias(connection: &mut AnyConnection, path: &str) -> anyhow::Result<Option<Article>> {
    let sql = concat!(article_columns!(), "JOIN article_alias l ON l.article_id = a.id WHERE l.path = $1 AND a.state = 'published'");
    let row = sqlx::query_as(sql).bind(path).fetch_optional(&mut *connection).await?;
    Ok(complete(connection, row.into_iter().collect()).await?.pop())
}

/// The highest number given out of the series of publications and changes.
pub async fn high_water(connection: &mut AnyConnection) -> anyhow::Result<i64> {
    Ok(sqlx::query_scalar("SELECT value FROM counter WHERE name = 'sequence'").fetch_one(connection).await?)
}

/// Public articles that digests may carry and whose `published_seq` is above `after` and not
/// above `up_to`, in that order.
pub async fn announced(connection: &mut AnyConnection, after: i64, up_to: i64) -> anyhow::Result<Vec<Headline>> {
    let rows = sqlx::query_as(
        "SELECT id, published_seq, language, translation_group FROM article
         WHERE state = 'published' AND announced <> 'no' AND published_seq > $1 AND published_seq <= $2
         ORDER BY published_seq",
    )
    .bind(after)
    .bind(up_to)
    .fetch_all(&mut *connection)
    .await?;
    headlines(connection, rows).await
}

/// All public articles of these translation groups, whether announced or not.
pub async fn in_groups(connection: &mut AnyConnection, groups: &[String]) -> anyhow::Result<Vec<Headline>> {
    let sql = with_list!(
        connection,
        ["SELECT id, published_seq, language, translation_group FROM article WHERE state = 'published' AND translation_group IN "],
        "TEXT",
        "ORDER BY published_seq"
    );
    let rows = sqlx::query_as(sql).bind(serde_json::to_string(groups)?).fetch_all(&mut *connection).await?;
    headlines(connection, rows).await
}

/// Articles changed since a sequence, in order: published, edited, gone.
pub async fn changed_since(connection: &mut AnyConnection, sequence: i64) -> anyhow::Result<Vec<Change>> {
    // What was never public concerns no feed; what was, and is a draft again, does.
    let rows = sqlx::query(
        "SELECT id, changed_seq, state, published_seq, language, translation_group, published_at
         FROM article WHERE changed_seq > $1 AND published_seq IS NOT NULL ORDER BY changed_seq",
    )
    .bind(sequence)
    .fetch_all(&mut *connection)
    .await?;
    let ids: Vec<i64> = rows.iter().map(|row| row.try_get("id")).collect::<Result<_, _>>()?;
    let mut categories = categories_of(connection, &ids).await?;
    rows.iter()
        .zip(ids)
        .map(|(row, id)| {
            Ok(Change {
                id,
                changed_seq: row.try_get("changed_seq")?,
                is_public: row.try_get::<&str, _>("state")? == ArticleState::Published.as_str(),
                published_seq: row.try_get("published_seq")?,
                language: stored_language(row.try_get("language")?)?,
                translation_group: row.try_get("translation_group")?,
                published_at: Timestamp::from_millis(row.try_get("published_at")?),
                categories: categories.remove(&id).unwrap_or_default(),
            })
        })
        .collect()
}

/// Categories that articles name and the configuration does not declare.
pub async fn found_categories(connection: &mut AnyConnection) -> anyhow::Result<Vec<FoundCategory>> {
    let rows: Vec<(String, String)> = sqlx::query_as("SELECT slug, title FROM found_category ORDER BY slug").fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(slug, title)| FoundCategory { slug, title }).collect())
}

/// Every article there is or was, the newest first, for staff.
pub async fn listing(connection: &mut AnyConnection) -> anyhow::Result<Vec<Listed>> {
    let rows = sqlx::query(
        "SELECT id, uid, source, path, state, language, title, published_at, announced FROM article ORDER BY published_at DESC, id DESC",
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Listed {
                id: row.try_get("id")?,
                uid: row.try_get("uid")?,
                source: row.try_get("source")?,
                path: row.try_get("path")?,
                state: ArticleState::from_stored(row.try_get("state")?)?,
                language: stored_language(row.try_get("language")?)?,
                title: row.try_get("title")?,
                published_at: Timestamp::from_millis(row.try_get("published_at")?),
                announced: row.try_get::<&str, _>("announced")? != "no",
            })
        })
        .collect()
}

/// Publishes or updates a page of another room. Unchanged, nothing happens. Digests leave it
/// alone: the room mails what it has to say itself.
pub async fn publish_page(connection: &mut AnyConnection, site: &Site, page: &Page<'_>, now: Timestamp) -> anyhow::Result<()> {
    let categories: Vec<String> = page.categories.iter().map(|slug| (*slug).to_owned()).collect();
    let parts = [page.title, page.summary, page.markdown, page.canonical_url, page.translation_group, &categories.join(" ")];
    let entry = Entry {
        source: page.source,
        path: page.path,
        stem: page.path,
        hash: content_hash(&parts.map(str::as_bytes)),
        uid: None,
        draft: false,
        announce: Announce::No,
        date: now,
        updated: None,
        language: page.language.clone(),
        translation: Some(page.translation_group.to_owned()),
        slug: identity::slug_of(None, page.path, page.title),
        slug_is_wished: false,
        title: page.title.to_owned(),
        summary: Some(page.summary.to_owned()),
        body: markup::Body::Markdown(page.markdown),
        rendered: None,
        video: None,
        files: Files::NONE,
        attachments: Attachments { categories, ..Attachments::default() },
        canonical_url: Some(page.canonical_url.to_owned()),
        image: None,
        series: None,
        aliases: Vec::new(),
    };
    if Marks::load(connection).await?.bar(page.source, page.path, None, "") {
        return Ok(());
    }
    let stored = record::at_path(connection, page.source, page.path).await?;
    if stored.as_ref().is_some_and(|row| row.hash == entry.hash && row.state == ArticleState::Published.as_str()) {
        return Ok(());
    }
    record::save_one(connection, site, &entry, stored, record::Moment { now, announce_within: std::time::Duration::ZERO }).await?;
    Ok(())
}

async fn headlines(connection: &mut AnyConnection, rows: Vec<(i64, i64, String, String)>) -> anyhow::Result<Vec<Headline>> {
    let ids: Vec<i64> = rows.iter().map(|(id, ..)| *id).collect();
    let mut categories = categories_of(connection, &ids).await?;
    rows.into_iter()
        .map(|(id, published_seq, language, translation_group)| {
            let categories = categories.remove(&id).unwrap_or_default();
            Ok(Headline { id, published_seq, language: stored_language(&language)?, translation_group, categories })
        })
        .collect()
}

/// Articles from their rows, in the same order.
pub(super) async fn complete(connection: &mut AnyConnection, rows: Vec<Row>) -> anyhow::Result<Vec<Article>> {
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let mut attachments = attachments(connection, &ids).await?;
    let filmed: Vec<i64> = rows.iter().filter(|row| row.video.is_some()).map(|row| row.id).collect();
    let lengths = media::store::lengths(connection, &filmed).await?;
    rows.into_iter()
        .map(|row| {
            let attached = attachments.remove(&row.id).unwrap_or_default();
            let mut article = row.into_article(attached)?;
            let file = article.video.as_deref().and_then(video::file_of);
            article.video_length = file.and_then(|path| lengths.get(&(article.id, path)).copied());
            Ok(article)
        })
        .collect()
}

impl Row {
    fn into_article(self, attached: Attachments) -> anyhow::Result<Article> {
        Ok(Article {
            id: self.id,
            state: ArticleState::from_stored(&self.state)?,
            published_seq: self.published_seq,
            changed_seq: self.changed_seq,
            announced: self.announced != "no",
            language: stored_language(&self.language)?,
            uid: self.uid,
            translation_group: self.translation_group,
            slug: self.slug,
            month: self.month,
            title: self.title,
            summary: self.summary,
            body_html: self.body_html,
            published_at: Timestamp::from_millis(self.published_at),
            updated_at: Timestamp::from_millis(self.updated_at),
            categories: attached.categories,
            tags: attached.tags,
            credits: attached.credits,
            enclosures: attached.enclosures,
            living: source::is_living(&self.source),
            canonical_url: self.canonical_url,
            image: self.image,
            video: self.video,
            video_length: None,
            series: self.series,
        })
    }
}

fn stored_language(tag: &str) -> anyhow::Result<Language> {
    Ok(Language::parse(tag)?)
}
