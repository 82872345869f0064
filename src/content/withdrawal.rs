//! Withdrawing an article that endangers somebody: at once, everywhere, for good. Nothing of it
//! stays in the store but hashes, by which its file is refused and its addresses answer 410.

use super::store::{Row, article_columns};
use super::{ArticleState, Listed, listing, remark};
use crate::clock::Timestamp;
use crate::db::{Counter, take_numbers};
use crate::language::Language;
use crate::noticeboard::{self, Notice};
use crate::problem::Reason;
use crate::site::Site;
use crate::vault::content_hash;
use anyhow::Context as _;
use percent_encoding::percent_decode_str;
use sqlx::AnyConnection;
use std::collections::HashSet;
use url::{Position, Url};

/// The articles that staff may mean: by number, id, file, address or slug. Those withdrawn
/// already are not among them.
pub async fn meant(connection: &mut AnyConnection, site: &Site, wanted: &str) -> anyhow::Result<Vec<Listed>> {
    let wanted = wanted.trim();
    let address = wanted.strip_prefix(site.base_url.as_str().trim_end_matches('/')).unwrap_or(wanted);
    let segments = segments(address);
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let (month, slug) = match segments.as_slice() {
        [.., year, month, slug] => (Some(format!("{year}/{month}")), *slug),
        [.., slug] => (None, *slug),
        [] => (None, wanted),
    };
    let ids: Vec<i64> = sqlx::query_scalar(
        "SELECT id FROM article
         WHERE withdrawn_at IS NULL
           AND (CAST(id AS TEXT) = $1 OR uid = $1 OR path = $1 OR canonical_url = $1
                OR (slug = $2 AND (CAST($3 AS TEXT) IS NULL OR month = $3)))",
    )
    .bind(wanted)
    .bind(slug)
    .bind(month)
    .fetch_all(&mut *connection)
    .await?;
    Ok(listing(connection).await?.into_iter().filter(|article| ids.contains(&article.id)).collect())
}

/// These articles and their translations.
pub async fn with_translations(connection: &mut AnyConnection, articles: &[Listed]) -> anyhow::Result<Vec<Listed>> {
    let mut ids: Vec<i64> = Vec::new();
    for article in articles {
        let group: Vec<i64> = sqlx::query_scalar(
            "SELECT id FROM article WHERE withdrawn_at IS NULL
               AND translation_group = (SELECT translation_group FROM article WHERE id = $1)",
        )
        .bind(article.id)
        .fetch_all(&mut *connection)
        .await?;
        ids.extend(group);
    }
    Ok(listing(connection).await?.into_iter().filter(|article| ids.contains(&article.id)).collect())
}

/// Withdraws these articles in the caller's transaction, for readers and for good.
pub async fn withdraw(connection: &mut AnyConnection, site: &Site, articles: &[i64], now: Timestamp) -> anyhow::Result<()> {
    let first = take_numbers(connection, Counter::Sequence, i64::try_from(articles.len())?).await?;
    for (sequence, id) in (first..).zip(articles) {
        let row: Row = sqlx::query_as(concat!(article_columns!(), "WHERE a.id = $1"))
            .bind(id)
            .fetch_optional(&mut *connection)
            .await?
            .with_context(|| format!("there is no article {id}"))?;
        mark(connection, site, &row).await?;
        forget_what_was_said(connection, &row).await?;
        blank(connection, &row, sequence, now).await?;
        tell(connection, *id, now).await?;
    }
    Ok(())
}

/// Lets the file of a withdrawn article be read again, as a new article. False: there is no
/// withdrawn article of this number.
pub async fn undo_withdrawal(connection: &mut AnyConnection, article: i64) -> anyhow::Result<bool> {
    let done = sqlx::query("DELETE FROM withdrawal_mark WHERE article_id = $1").bind(article).execute(&mut *connection).await?;
    noticeboard::clear(connection, &notice_key(article)).await?;
    Ok(done.rows_affected() > 0)
}

/// Whether an article that was withdrawn had this address, `/2027/09/slug/` or an old one.
pub async fn was_withdrawn_at(connection: &mut AnyConnection, address: &str) -> anyhow::Result<bool> {
    let found: Option<i64> = sqlx::query_scalar("SELECT article_id FROM withdrawal_mark WHERE hash = $1")
        .bind(address_mark(address))
        .fetch_optional(connection)
        .await?;
    Ok(found.is_some())
}

/// How many withdrawals there are: when it changes, the folder is to be looked at anew.
pub(super) async fn tally(connection: &mut AnyConnection) -> anyhow::Result<i64> {
    Ok(sqlx::query_scalar("SELECT COUNT(*) FROM withdrawal_mark").fetch_one(connection).await?)
}

/// Hashes by which withdrawn articles are known again.
#[derive(Debug, Default)]
pub(super) struct Marks(HashSet<String>);

impl Marks {
    /// All there are: few, on every site.
    pub(super) async fn load(connection: &mut AnyConnection) -> anyhow::Result<Self> {
        let marks: Vec<String> = sqlx::query_scalar("SELECT hash FROM withdrawal_mark").fetch_all(connection).await?;
        Ok(Self(marks.into_iter().collect()))
    }

    /// Whether a version of an article is one of those that were withdrawn, by its place, its id
    /// or its bytes.
    pub(super) fn bar(&self, source: &str, path: &str, uid: Option<&str>, hash: &str) -> bool {
        !self.0.is_empty()
            && (self.0.contains(&path_mark(source, path))
                || uid.is_some_and(|uid| self.0.contains(&uid_mark(uid)))
                || self.0.contains(&version_mark(hash)))
    }
}

/// What staff are told when its file is still there.
pub(super) fn still_there() -> Reason {
    Reason::new(
        "this article was withdrawn, and its text is still here; it stays unpublished",
        "delete it; if it was withdrawn by mistake:  clarion withdraw --undo NUMBER  with the number that was told then",
    )
}

async fn mark(connection: &mut AnyConnection, site: &Site, row: &Row) -> anyhow::Result<()> {
    let language = Language::parse(&row.language)?;
    let mut marks = vec![
        path_mark(&row.source, &row.path),
        uid_mark(&row.uid),
        version_mark(&row.hash),
        address_mark(&site.article_path(&language, &row.month, &row.slug)),
    ];
    let aliases: Vec<String> =
        sqlx::query_scalar("SELECT path FROM article_alias WHERE article_id = $1").bind(row.id).fetch_all(&mut *connection).await?;
    marks.extend(aliases.iter().map(|alias| address_mark(alias)));
    for mark in marks {
        sqlx::query("INSERT INTO withdrawal_mark (hash, article_id) VALUES ($1, $2) ON CONFLICT (hash) DO UPDATE SET article_id = $2")
            .bind(mark)
            .bind(row.id)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// What the store noted about the file, and notices that name it.
async fn forget_what_was_said(connection: &mut AnyConnection, row: &Row) -> anyhow::Result<()> {
    sqlx::query("DELETE FROM content_problem WHERE (source = $1 AND path = $2) OR path = $3 OR (source = 'feed' AND path = $2)")
        .bind(&row.source)
        .bind(&row.path)
        .bind(remark::place_of(&row.source, &row.path))
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE variant_item SET translation_group = $1 WHERE article_id = $2")
        .bind(tombstone_name(row.id))
        .bind(row.id)
        .execute(&mut *connection)
        .await?;
    for name in [&row.title, &row.path] {
        // Replacing finds it, whatever LIKE would take for a pattern.
        sqlx::query("DELETE FROM notice WHERE $1 <> '' AND (replace(body, $1, '') <> body OR replace(subject, $1, '') <> subject)")
            .bind(name)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Leaves a tombstone without a word. Its categories stay, so that their feeds are made anew.
async fn blank(connection: &mut AnyConnection, row: &Row, sequence: i64, now: Timestamp) -> anyhow::Result<()> {
    for sql in [
        "DELETE FROM article_tag WHERE article_id = $1",
        "DELETE FROM article_credit WHERE article_id = $1",
        "DELETE FROM article_enclosure WHERE article_id = $1",
        "DELETE FROM article_alias WHERE article_id = $1",
        "DELETE FROM article_file WHERE article_id = $1",
        "DELETE FROM held_removal WHERE article_id = $1",
    ] {
        sqlx::query(sql).bind(row.id).execute(&mut *connection).await?;
    }
    sqlx::query(
        "UPDATE article SET state = $1, withdrawn_at = $2, gone_at = $2, changed_seq = $3, uid = $4, path = $4, stem = $4,
                hash = '', translation_group = $4, slug = $5, title = '', summary = '', body_html = '',
                canonical_url = NULL, image = NULL, series = NULL, video = NULL
         WHERE id = $6",
    )
    .bind(ArticleState::Gone.as_str())
    .bind(now.as_millis())
    .bind(sequence)
    .bind(tombstone_name(row.id))
    .bind(format!("withdrawn-{}", row.id))
    .bind(row.id)
    .execute(connection)
    .await?;
    Ok(())
}

/// What stands where its id, its path and its translation group were.
fn tombstone_name(article: i64) -> String {
    format!("withdrawn/{article}")
}

fn notice_key(article: i64) -> String {
    format!("withdrawn:{article}")
}

async fn tell(connection: &mut AnyConnection, article: i64, now: Timestamp) -> anyhow::Result<()> {
    let notice = Notice {
        key: &notice_key(article),
        subject: &format!("Article {article} was withdrawn"),
        body: &format!(
            "Article {article} was withdrawn. Its page, its place in feeds, lists and web archives are gone, and mails with it that had not left are stopped.\n\n\
             Its file may still be in the content folder, or on the site that is followed: please delete it there, and in every copy. Mails that people have received, and what others have copied, nobody can call back.\n\n\
             If this was a mistake:  clarion withdraw --undo {article}\n"
        ),
    };
    noticeboard::record(connection, &notice, now).await?;
    Ok(())
}

fn path_mark(source: &str, path: &str) -> String {
    content_hash(&[b"path", source.as_bytes(), path.as_bytes()])
}

fn uid_mark(uid: &str) -> String {
    content_hash(&[b"uid", uid.as_bytes()])
}

fn version_mark(hash: &str) -> String {
    content_hash(&[b"version", hash.as_bytes()])
}

/// Of an address, however it is escaped.
fn address_mark(address: &str) -> String {
    content_hash(&[b"address", segments(address).join("/").as_bytes()])
}

/// The parts of a path or link, unescaped.
fn segments(address: &str) -> Vec<String> {
    let path = match Url::parse(address) {
        Ok(url) if url.has_host() => url[Position::BeforePath..].to_owned(),
        _ => address.to_owned(),
    };
    let parts = path.split('/').filter(|part| !part.is_empty());
    parts.map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::address_mark;

    #[test]
    fn an_address_is_known_again_however_it_is_written() {
        let known = address_mark("/2027/09/名前/");
        for same in ["/2027/09/%E5%90%8D%E5%89%8D", "https://example.org/2027/09/%e5%90%8d%e5%89%8d/"] {
            assert_eq!(address_mark(same), known, "{same}");
        }
        assert_ne!(address_mark("/ja/2027/09/名前/"), known, "its translation is another page");
        assert_ne!(address_mark("/2027/09/"), known);
        assert_ne!(address_mark("/?p=12"), address_mark("/"));
    }
}
