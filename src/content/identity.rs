//! Names that stay: ids, slugs, translation groups, languages by file name.

use crate::clock::Timestamp;
use crate::language::Language;
use crate::site::{self, Site};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sqlx::AnyConnection;

/// What RFC 4151 §2 lets stand in the specific part of a `tag:` URI.
const SPECIFIC: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// In characters; a longer one helps nobody.
const LONGEST_SLUG: usize = 120;

/// The parts of an article's path, `statements/2027-09-24-name.ja.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PathName<'p> {
    /// `statements/2027-09-24-name`: what its translations share.
    pub(super) stem: &'p str,
    /// The language in the name.
    pub(super) language: Option<Language>,
}

impl<'p> PathName<'p> {
    /// Takes a path apart. A last part like `.ja` is a language if the site has it, if it has two
    /// letters, or if it is another writing of a language we know, like `.zh-Hant`;
    /// `report.v2.md` and `minutes.jan.md` keep theirs.
    pub(super) fn of(path: &'p str, site: &Site) -> Self {
        let name = without_extension(path);
        let folder = name.rfind('/').map_or(0, |at| at + 1);
        let suffix = name[folder..].rfind('.').map(|at| (&name[..folder + at], &name[folder + at + 1..]));
        if let Some((stem, tag)) = suffix
            && stem.len() > folder
            && let Ok(language) = Language::parse(tag)
            && (tag.len() == 2 || site.language_of(&language).is_some() || tag.contains('-') && language.has_name())
        {
            return Self { stem, language: Some(language) };
        }
        Self { stem: name, language: None }
    }
}

/// The date with which a file name begins, `2027-09-24-name`, and the rest.
pub(super) fn dated_name(stem: &str) -> (Option<jiff::civil::Date>, &str) {
    let name = stem.rsplit('/').next().unwrap_or(stem);
    let date = name.get(..10).and_then(|head| head.parse().ok());
    match date {
        Some(date) => (Some(date), name[10..].trim_start_matches(['-', '_', ' '])),
        None => (None, name),
    }
}

/// The slug: as wished, else from the file's name without its date, else from the title.
pub(super) fn slug_of(wished: Option<&str>, stem: &str, title: &str) -> String {
    [wished.unwrap_or_default(), dated_name(stem).1, title]
        .into_iter()
        .map(site::slug)
        .find(|slug| !slug.is_empty())
        .map_or_else(|| "article".to_owned(), |slug| slug.chars().take(LONGEST_SLUG).collect())
}

/// The `tag:` URI (RFC 4151) of an article first seen at a path with a date. A lost database
/// makes the same again.
pub(super) fn tag_uri(authority: &str, date: jiff::civil::Date, path: &str) -> String {
    format!("tag:{authority}:{date}:{}", utf8_percent_encode(without_extension(path), &SPECIFIC))
}

fn without_extension(path: &str) -> &str {
    match path.rsplit_once('.') {
        Some((name, extension)) if !extension.contains('/') && is_article_extension(extension) => name,
        _ => path,
    }
}

/// Whether files so named are articles.
pub(super) fn is_article_extension(extension: &str) -> bool {
    ["md", "markdown", "html", "htm"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// The authority of new `tag:` URIs: as configured, else made once from the host and the year
/// and kept, so that a move to another host changes no id.
pub async fn authority(connection: &mut AnyConnection, site: &Site, now: Timestamp) -> anyhow::Result<String> {
    if let Some(authority) = &site.id_authority {
        return Ok(authority.clone());
    }
    let made = format!("{},{:04}", site.base_url.host_str().unwrap_or("localhost"), now.in_zone(&site.time_zone).year());
    sqlx::query("INSERT INTO fact (name, value) VALUES ('id_authority', $1) ON CONFLICT (name) DO NOTHING")
        .bind(made)
        .execute(&mut *connection)
        .await?;
    Ok(sqlx::query_scalar("SELECT value FROM fact WHERE name = 'id_authority'").fetch_one(connection).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_before_the_name_is_no_part_of_the_slug() {
        assert_eq!(slug_of(None, "a/2027-09-24-a-safe-house", "Title"), "a-safe-house");
        assert_eq!(slug_of(None, "a/2027-09-24", "A title"), "a-title");
        assert_eq!(slug_of(Some("My Slug!"), "a/name", "Title"), "my-slug");
        assert_eq!(slug_of(Some(&"a".repeat(5000)), "a/name", "Title").len(), LONGEST_SLUG);
        assert_eq!(slug_of(None, "a/日本語の名前", "Title"), "日本語の名前");
    }

    #[test]
    fn an_id_is_a_tag_uri_of_ascii_letters() {
        let date = jiff::civil::date(2027, 9, 24);
        assert_eq!(tag_uri("example.org,2026", date, "a b/名.ja.md"), "tag:example.org,2026:2027-09-24:a%20b/%E5%90%8D.ja");
    }
}
