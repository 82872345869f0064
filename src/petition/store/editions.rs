//! Folders and editions.

use crate::clock::Timestamp;
use crate::petition::public::PublicPage;
use anyhow::Context as _;
use sqlx::AnyConnection;
use sqlx::FromRow;

/// What is known of an edition.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct EditionRow {
    /// The petition.
    pub slug: String,
    /// The year.
    pub edition: String,
    /// The content approvers were asked about.
    pub asked_hash: Option<String>,
    /// When they were asked, in Unix milliseconds.
    pub asked_at: Option<i64>,
    /// When a button or command stopped it.
    pub stopped_at: Option<i64>,
    /// What stopped it: `link` or `command`.
    pub stopped_by: Option<String>,
    /// When its first step launched.
    pub published_at: Option<i64>,
}

/// What a petition's folder said when it was last looked at.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub(in crate::petition) struct FolderRow {
    pub(in crate::petition) edition: Option<String>,
    pub(in crate::petition) content_hash: String,
    pub(in crate::petition) changed_at: i64,
    pub(in crate::petition) told_at: Option<i64>,
}

/// What was recorded of a folder.
pub(in crate::petition) async fn folder_row(connection: &mut AnyConnection, slug: &str) -> anyhow::Result<Option<FolderRow>> {
    let sql = "SELECT edition, content_hash, changed_at, told_at FROM petition_folder WHERE slug = $1";
    Ok(sqlx::query_as(sql).bind(slug).fetch_optional(connection).await?)
}

/// Records what a folder says. Where that is new, approvals of what has not begun are void and
/// approvers are to be asked again. Returns whether it is new.
pub(in crate::petition) async fn see_folder(
    connection: &mut AnyConnection,
    slug: &str,
    edition: Option<&str>,
    hash: &str,
    now: Timestamp,
) -> anyhow::Result<bool> {
    let done = sqlx::query(
        "INSERT INTO petition_folder (slug, edition, content_hash, changed_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (slug) DO UPDATE SET edition = $2, content_hash = $3, changed_at = $4, told_at = NULL
         WHERE petition_folder.content_hash <> $3",
    )
    .bind(slug)
    .bind(edition)
    .bind(hash)
    .bind(now.as_millis())
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    for sql in [
        "DELETE FROM petition_approval WHERE step_id IN (SELECT id FROM petition_step WHERE slug = $1 AND state IN ('proposed', 'approved'))",
        "UPDATE petition_step SET state = 'proposed', approved_at = NULL WHERE slug = $1 AND state = 'approved'",
        "UPDATE petition_edition SET asked_hash = NULL, asked_at = NULL WHERE slug = $1",
    ] {
        sqlx::query(sql).bind(slug).execute(&mut *connection).await?;
    }
    if let Some(edition) = edition {
        enter_edition(connection, slug, edition).await?;
    }
    Ok(true)
}

/// Makes an edition known.
pub(in crate::petition) async fn enter_edition(connection: &mut AnyConnection, slug: &str, edition: &str) -> anyhow::Result<()> {
    sqlx::query("INSERT INTO petition_edition (slug, edition) VALUES ($1, $2) ON CONFLICT (slug, edition) DO NOTHING")
        .bind(slug)
        .bind(edition)
        .execute(connection)
        .await?;
    Ok(())
}

/// Makes others who approve, stop or launch this edition wait until the transaction ends.
pub(in crate::petition) async fn lock_edition(connection: &mut AnyConnection, slug: &str, edition: &str) -> anyhow::Result<()> {
    sqlx::query("UPDATE petition_edition SET slug = slug WHERE slug = $1 AND edition = $2")
        .bind(slug)
        .bind(edition)
        .execute(connection)
        .await?;
    Ok(())
}

/// One edition.
pub(in crate::petition) async fn edition(connection: &mut AnyConnection, slug: &str, edition: &str) -> anyhow::Result<Option<EditionRow>> {
    let sql = "SELECT slug, edition, asked_hash, asked_at, stopped_at, stopped_by, published_at FROM petition_edition
               WHERE slug = $1 AND edition = $2";
    Ok(sqlx::query_as(sql).bind(slug).bind(edition).fetch_optional(connection).await?)
}

/// Every edition of a petition, the newest first.
pub async fn editions(connection: &mut AnyConnection, slug: &str) -> anyhow::Result<Vec<EditionRow>> {
    let sql = "SELECT slug, edition, asked_hash, asked_at, stopped_at, stopped_by, published_at FROM petition_edition
               WHERE slug = $1 ORDER BY edition DESC";
    Ok(sqlx::query_as(sql).bind(slug).fetch_all(connection).await?)
}

/// The editions the public may see, the newest first: their names and pages.
pub async fn published(connection: &mut AnyConnection, slug: &str) -> anyhow::Result<Vec<(String, PublicPage)>> {
    let sql = "SELECT edition, page FROM petition_edition WHERE slug = $1 AND published_at IS NOT NULL AND page IS NOT NULL ORDER BY edition DESC";
    let rows: Vec<(String, String)> = sqlx::query_as(sql).bind(slug).fetch_all(connection).await?;
    rows.into_iter()
        .map(|(edition, page)| Ok((edition, serde_json::from_str(&page).context("a petition's stored page cannot be read")?)))
        .collect()
}

/// Shows an edition to the public, or shows it anew.
pub(in crate::petition) async fn publish(
    connection: &mut AnyConnection,
    slug: &str,
    edition: &str,
    page: &PublicPage,
    now: Timestamp,
) -> anyhow::Result<()> {
    sqlx::query("UPDATE petition_edition SET page = $1, published_at = COALESCE(published_at, $2) WHERE slug = $3 AND edition = $4")
        .bind(serde_json::to_string(page)?)
        .bind(now.as_millis())
        .bind(slug)
        .bind(edition)
        .execute(connection)
        .await?;
    Ok(())
}

/// Records that staff were answered about this content. Returns whether nobody else did.
pub(in crate::petition) async fn set_told(connection: &mut AnyConnection, slug: &str, hash: &str, now: Timestamp) -> anyhow::Result<bool> {
    let sql = "UPDATE petition_folder SET told_at = $1 WHERE slug = $2 AND content_hash = $3 AND told_at IS NULL";
    let done = sqlx::query(sql).bind(now.as_millis()).bind(slug).bind(hash).execute(connection).await?;
    Ok(done.rows_affected() == 1)
}

/// Records that approvers were asked about this content. Returns whether nobody else did.
pub(in crate::petition) async fn set_asked(
    connection: &mut AnyConnection,
    slug: &str,
    edition: &str,
    hash: &str,
    now: Timestamp,
) -> anyhow::Result<bool> {
    let done = sqlx::query(
        "UPDATE petition_edition SET asked_hash = $1, asked_at = $2
         WHERE slug = $3 AND edition = $4 AND (asked_hash IS NULL OR asked_hash <> $1)",
    )
    .bind(hash)
    .bind(now.as_millis())
    .bind(slug)
    .bind(edition)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Stops an edition. Returns whether it ran.
pub(in crate::petition) async fn set_stopped(
    connection: &mut AnyConnection,
    slug: &str,
    edition: &str,
    by: &str,
    now: Timestamp,
) -> anyhow::Result<bool> {
    let sql = "UPDATE petition_edition SET stopped_at = $1, stopped_by = $2 WHERE slug = $3 AND edition = $4 AND stopped_at IS NULL";
    let done = sqlx::query(sql).bind(now.as_millis()).bind(by).bind(slug).bind(edition).execute(connection).await?;
    Ok(done.rows_affected() == 1)
}

/// Takes a stop back. Returns whether it was stopped.
pub(in crate::petition) async fn set_resumed(connection: &mut AnyConnection, slug: &str, edition: &str) -> anyhow::Result<bool> {
    let sql =
        "UPDATE petition_edition SET stopped_at = NULL, stopped_by = NULL WHERE slug = $1 AND edition = $2 AND stopped_at IS NOT NULL";
    let done = sqlx::query(sql).bind(slug).bind(edition).execute(connection).await?;
    Ok(done.rows_affected() == 1)
}
