//! SQL of the register: what has changed since a sequence, one line an article.

use super::{Label, Line};
use crate::clock::Timestamp;
use crate::content::ArticleState;
use crate::language::Language;
use crate::site::{self, Site};
use sqlx::{AnyConnection, Row as _};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Texts that many lines have in common, each kept once.
#[derive(Default)]
struct Texts(HashSet<Arc<str>>);

impl Texts {
    fn keep(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let kept: Arc<str> = text.into();
        self.0.insert(Arc::clone(&kept));
        kept
    }

    fn label(&mut self, name: &str) -> Label {
        Label { slug: self.keep(&site::slug(name)), name: self.keep(name) }
    }
}

/// A change of an article that is or was public: its line, or nothing where it has gone.
pub(super) type Change = (i64, Option<Line>);

/// What has changed after a sequence, in no order.
pub(super) async fn changes(connection: &mut AnyConnection, site: &Site, after: i64) -> anyhow::Result<Vec<Change>> {
    let mut texts = Texts::default();
    let mut hung = hung(connection, &mut texts, after).await?;
    let rows = sqlx::query(
        "SELECT id, changed_seq, published_seq, state, language, translation_group, published_at, updated_at, month, series, canonical_url
         FROM article WHERE changed_seq > $1 AND published_seq IS NOT NULL",
    )
    .bind(after)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let id: i64 = row.try_get("id")?;
            if row.try_get::<&str, _>("state")? != ArticleState::Published.as_str() {
                return Ok((id, None));
            }
            let (categories, tags, authors) = hung.remove(&id).unwrap_or_default();
            let elsewhere = row.try_get::<Option<&str>, _>("canonical_url")?.is_some_and(|url| !url.starts_with(site.base_url.as_str()));
            let line = Line {
                id,
                changed_seq: row.try_get("changed_seq")?,
                published_seq: row.try_get("published_seq")?,
                language: Language::parse(row.try_get("language")?)?,
                group: texts.keep(row.try_get("translation_group")?),
                published_at: Timestamp::from_millis(row.try_get("published_at")?),
                updated_at: Timestamp::from_millis(row.try_get("updated_at")?),
                month: texts.keep(row.try_get("month")?),
                series: row.try_get::<Option<&str>, _>("series")?.map(|series| texts.keep(series)),
                elsewhere,
                categories,
                tags,
                authors,
            };
            Ok((id, Some(line)))
        })
        .collect()
}

/// Categories, tags and authors.
type Hung = (Vec<Arc<str>>, Vec<Label>, Vec<Label>);

/// What hangs on the articles changed after a sequence, in the order of each. Everything is read
/// without asking which: SQLite would look up the article of every row, or every row of each.
macro_rules! hung {
    ($connection:expr, $after:expr, $columns:literal, $table:literal, $order:literal) => {
        if $after == 0 {
            sqlx::query_as(concat!("SELECT h.article_id, ", $columns, " FROM ", $table, " h ORDER BY h.article_id, ", $order))
                .fetch_all(&mut *$connection)
                .await
        } else {
            let from = concat!(
                "SELECT h.article_id, ",
                $columns,
                " FROM article a CROSS JOIN ",
                $table,
                " h
                                WHERE h.article_id = a.id AND a.changed_seq > $1 AND a.state = 'published' ORDER BY h.article_id, ",
                $order
            );
            sqlx::query_as(from).bind($after).fetch_all(&mut *$connection).await
        }
    };
}

async fn hung(connection: &mut AnyConnection, texts: &mut Texts, after: i64) -> anyhow::Result<HashMap<i64, Hung>> {
    let mut hung: HashMap<i64, Hung> = HashMap::new();
    let categories: Vec<(i64, String)> = hung!(connection, after, "h.slug", "article_category", "h.slug")?;
    for (id, slug) in categories {
        hung.entry(id).or_default().0.push(texts.keep(&slug));
    }
    let tags: Vec<(i64, String)> = hung!(connection, after, "h.tag", "article_tag", "h.position")?;
    for (id, tag) in tags {
        hung.entry(id).or_default().1.push(texts.label(&tag));
    }
    let credits: Vec<(i64, String, String)> = hung!(connection, after, "h.name, h.role", "article_credit", "h.position")?;
    for (id, name, _) in credits.into_iter().filter(|(.., role)| role == "author") {
        hung.entry(id).or_default().2.push(texts.label(&name));
    }
    Ok(hung)
}
