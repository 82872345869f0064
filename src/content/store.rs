//! SQL that reads articles.

use super::{Article, Change, FoundCategory, Headline, Page, Selection};
use crate::clock::Timestamp;
use crate::site::Site;
use sqlx::AnyConnection;

/// Public articles, the newest first (`published_at`, then `id`, both descending), skipping
/// `offset`.
pub async fn latest(connection: &mut AnyConnection, selection: &Selection<'_>, limit: i64, offset: i64) -> anyhow::Result<Vec<Article>> {
    todo!()
}

/// How many public articles there are.
pub async fn count(connection: &mut AnyConnection, selection: &Selection<'_>) -> anyhow::Result<i64> {
    todo!()
}

/// The months that have public articles, the newest first, with how many.
pub async fn months(connection: &mut AnyConnection, selection: &Selection<'_>) -> anyhow::Result<Vec<(String, i64)>> {
    todo!()
}

/// Articles with these row numbers, in that order; those that are no longer public are left out.
pub async fn by_ids(connection: &mut AnyConnection, ids: &[i64]) -> anyhow::Result<Vec<Article>> {
    todo!()
}

/// The article, public or gone, at `/{month}/{slug}/` in a language.
pub async fn at_address(
    connection: &mut AnyConnection,
    language: &crate::language::Language,
    month: &str,
    slug: &str,
) -> anyhow::Result<Option<Article>> {
    todo!()
}

/// The public article that once had this path (`/2011-07-center.htm`).
pub async fn at_alias(connection: &mut AnyConnection, path: &str) -> anyhow::Result<Option<Article>> {
    todo!()
}

/// The highest number given out of the series of publications and changes.
pub async fn high_water(connection: &mut AnyConnection) -> anyhow::Result<i64> {
    todo!()
}

/// Public articles that digests may carry and whose `published_seq` is above `after` and not
/// above `up_to`, in that order.
pub async fn announced(connection: &mut AnyConnection, after: i64, up_to: i64) -> anyhow::Result<Vec<Headline>> {
    todo!()
}

/// All public articles of these translation groups, whether announced or not.
pub async fn in_groups(connection: &mut AnyConnection, groups: &[String]) -> anyhow::Result<Vec<Headline>> {
    todo!()
}

/// Articles changed since a sequence, in order: published, edited, gone.
pub async fn changed_since(connection: &mut AnyConnection, sequence: i64) -> anyhow::Result<Vec<Change>> {
    todo!()
}

/// Categories that articles name and the configuration does not declare.
pub async fn found_categories(connection: &mut AnyConnection) -> anyhow::Result<Vec<FoundCategory>> {
    todo!()
}

/// Publishes or updates a page of another room. Unchanged, nothing happens.
pub async fn publish_page(connection: &mut AnyConnection, site: &Site, page: &Page<'_>, now: Timestamp) -> anyhow::Result<()> {
    todo!()
}
