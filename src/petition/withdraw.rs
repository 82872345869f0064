//! Withdrawing an edition: its page, its letter and its texts are wiped, and it is stopped.

use super::public::PublicPage;
use super::store::Terms;
use crate::clock::Timestamp;
use sqlx::AnyConnection;

/// Wipes what is stored of an edition and stops it. Returns its mailings, whose texts are to be
/// withdrawn as well. Its folder is left to staff.
pub async fn withdraw(connection: &mut AnyConnection, slug: &str, edition: &str, now: Timestamp) -> anyhow::Result<Vec<i64>> {
    super::store::lock_edition(connection, slug, edition).await?;
    sqlx::query(
        "UPDATE petition_edition SET page = NULL, asked_hash = NULL, stopped_at = COALESCE(stopped_at, $1),
                stopped_by = COALESCE(stopped_by, 'withdrawn') WHERE slug = $2 AND edition = $3",
    )
    .bind(now.as_millis())
    .bind(slug)
    .bind(edition)
    .execute(&mut *connection)
    .await?;
    let steps: Vec<(i64, String, Option<i64>)> =
        sqlx::query_as("SELECT id, terms, mailing_id FROM petition_step WHERE slug = $1 AND edition = $2 ORDER BY id")
            .bind(slug)
            .bind(edition)
            .fetch_all(&mut *connection)
            .await?;
    let mut mailings = Vec::new();
    for (step, terms, mailing) in steps {
        mailings.extend(mailing);
        let mut terms: Terms = serde_json::from_str(&terms)?;
        terms.title = slug.to_owned();
        terms.article.clear();
        terms.page = PublicPage::default();
        sqlx::query("UPDATE petition_step SET terms = $1, content_hash = 'withdrawn' WHERE id = $2")
            .bind(serde_json::to_string(&terms)?)
            .bind(step)
            .execute(&mut *connection)
            .await?;
        sqlx::query("DELETE FROM petition_text WHERE step_id = $1").bind(step).execute(&mut *connection).await?;
    }
    mailings.extend(letters(connection, slug).await?);
    Ok(mailings)
}

/// What staff and approvers were written about a petition: it quotes the texts.
async fn letters(connection: &mut AnyConnection, slug: &str) -> anyhow::Result<Vec<i64>> {
    let letters: Vec<(i64, String)> =
        sqlx::query_as("SELECT id, key FROM mailing WHERE kind = 'staff' AND key LIKE 'petition-%'").fetch_all(connection).await?;
    Ok(letters.into_iter().filter(|(_, key)| key.split(':').nth(1) == Some(slug)).map(|(id, _)| id).collect())
}

/// The petition and edition whose page an article of this room is; see `launch`.
pub fn edition_of(path: &str) -> Option<(&str, &str)> {
    let mut parts = path.split('/');
    Some((parts.next()?, parts.next()?))
}
