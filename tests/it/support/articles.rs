//! Articles put straight into the store, for tests of what reads it.

use super::{World, beginning, language};
use clarion::clock::Timestamp;
use clarion::content::{ArticleState, Credit, Enclosure};
use clarion::db::{Counter, Db, take_number};
use sqlx::AnyConnection;
use std::time::Duration;

/// An article to be published.
#[derive(Clone)]
pub struct Draft {
    pub uid: String,
    pub state: ArticleState,
    pub language: String,
    pub group: String,
    pub slug: String,
    pub title: String,
    pub summary: String,
    pub body: String,
    pub date: Timestamp,
    pub updated: Timestamp,
    pub categories: Vec<String>,
    pub tags: Vec<String>,
    pub credits: Vec<Credit>,
    pub enclosures: Vec<Enclosure>,
    pub alias: Option<String>,
    pub series: Option<String>,
    pub canonical_url: Option<String>,
    pub image: Option<String>,
    pub video: Option<String>,
}

/// An article with a name; the higher `age`, the older, in hours.
pub fn draft(tag: &str, name: &str, age: u64, categories: &[&str]) -> Draft {
    let date = beginning() - Duration::from_secs(3600 * age);
    Draft {
        uid: format!("tag:example.org,2026:{name}.{tag}"),
        state: ArticleState::Published,
        language: tag.to_owned(),
        group: name.to_owned(),
        slug: name.to_owned(),
        title: format!("Title of {name}"),
        summary: format!("Summary of {name}"),
        body: format!("<p>Body of {name}</p>"),
        date,
        updated: date,
        categories: categories.iter().map(|slug| (*slug).to_owned()).collect(),
        tags: Vec::new(),
        credits: Vec::new(),
        enclosures: Vec::new(),
        alias: None,
        series: None,
        canonical_url: None,
        image: None,
        video: None,
    }
}

impl Draft {
    /// Publishes it, or a new version of what has its uid.
    pub async fn save(&self, world: &World) -> i64 {
        let ids = save_all(&world.db, &world.site, std::slice::from_ref(self)).await;
        ids[0]
    }
}

/// Saves many in one transaction.
pub async fn save_all(db: &Db, site: &clarion::site::Site, drafts: &[Draft]) -> Vec<i64> {
    let mut tx = db.begin().await.unwrap();
    let mut ids = Vec::new();
    for draft in drafts {
        ids.push(save_one(&mut tx, site, draft).await);
    }
    tx.commit().await.unwrap();
    ids
}

async fn save_one(tx: &mut AnyConnection, site: &clarion::site::Site, draft: &Draft) -> i64 {
    let known: Option<i64> =
        sqlx::query_scalar("SELECT id FROM article WHERE uid = $1").bind(&draft.uid).fetch_optional(&mut *tx).await.unwrap();
    if let Some(id) = known {
        forget(tx, id).await;
    }
    let id = match known {
        Some(id) => id,
        None => take_number(tx, Counter::Article).await.unwrap(),
    };
    let sequence = take_number(tx, Counter::Sequence).await.unwrap();
    sqlx::query(
        "INSERT INTO article (id, uid, source, path, stem, hash, state, published_seq, changed_seq, announced, language,
             translation_group, slug, title, summary, body_html, published_at, updated_at, month, canonical_url, series, first_seen_at,
             image, video)
         VALUES ($1, $2, 'test', $2, $2, $3, $4, $5, $5, 'yes', $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $12, $17, $18)",
    )
    .bind(id)
    .bind(&draft.uid)
    .bind(sequence.to_string())
    .bind(draft.state.as_str())
    .bind(sequence)
    .bind(language(&draft.language).to_string())
    .bind(&draft.group)
    .bind(&draft.slug)
    .bind(&draft.title)
    .bind(&draft.summary)
    .bind(&draft.body)
    .bind(draft.date.as_millis())
    .bind(draft.updated.as_millis())
    .bind(site.month_of(draft.date))
    .bind(draft.canonical_url.as_deref())
    .bind(draft.series.as_deref())
    .bind(draft.image.as_deref())
    .bind(draft.video.as_deref())
    .execute(&mut *tx)
    .await
    .unwrap();
    attach(tx, id, draft).await;
    id
}

async fn forget(tx: &mut AnyConnection, id: i64) {
    for sql in [
        "DELETE FROM article_category WHERE article_id = $1",
        "DELETE FROM article_tag WHERE article_id = $1",
        "DELETE FROM article_credit WHERE article_id = $1",
        "DELETE FROM article_enclosure WHERE article_id = $1",
        "DELETE FROM article_alias WHERE article_id = $1",
        "DELETE FROM article WHERE id = $1",
    ] {
        sqlx::query(sql).bind(id).execute(&mut *tx).await.unwrap();
    }
}

async fn attach(tx: &mut AnyConnection, id: i64, draft: &Draft) {
    for slug in &draft.categories {
        let sql = "INSERT INTO article_category (article_id, slug) VALUES ($1, $2)";
        sqlx::query(sql).bind(id).bind(slug).execute(&mut *tx).await.unwrap();
    }
    for (position, tag) in (0_i64..).zip(&draft.tags) {
        let sql = "INSERT INTO article_tag (article_id, position, tag) VALUES ($1, $2, $3)";
        sqlx::query(sql).bind(id).bind(position).bind(tag).execute(&mut *tx).await.unwrap();
    }
    for (position, credit) in (0_i64..).zip(&draft.credits) {
        let sql = "INSERT INTO article_credit (article_id, position, role, name, url) VALUES ($1, $2, $3, $4, $5)";
        let query = sqlx::query(sql).bind(id).bind(position).bind(credit.role.as_str()).bind(&credit.name);
        query.bind(credit.url.as_deref()).execute(&mut *tx).await.unwrap();
    }
    for (position, file) in (0_i64..).zip(&draft.enclosures) {
        let sql = "INSERT INTO article_enclosure (article_id, position, url, media_type, length, title) VALUES ($1, $2, $3, $4, $5, $6)";
        let query = sqlx::query(sql).bind(id).bind(position).bind(&file.url).bind(&file.media_type);
        query.bind(file.length).bind(file.title.as_deref()).execute(&mut *tx).await.unwrap();
    }
    if let Some(alias) = &draft.alias {
        let sql = "INSERT INTO article_alias (path, article_id) VALUES ($1, $2)";
        sqlx::query(sql).bind(alias).bind(id).execute(&mut *tx).await.unwrap();
    }
}
