//! Mails that carry a withdrawn article: what has not left is stopped, and the text is wiped.

use super::order::lock_under_way;
use super::store::is_postgres;
use crate::clock::Timestamp;
use sqlx::AnyConnection;
use std::collections::{BTreeMap, BTreeSet};

/// The reason of deliveries that are stopped, in the ledger.
pub(super) const WITHDRAWN: &str = "withdrawn";

/// What became of mails that carried withdrawn articles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stopped {
    /// Mails that will not leave.
    pub mails: u64,
    /// Mails that were just being handed over: they may have arrived, and are not tried again.
    pub in_doubt: u64,
    /// Mails that had left.
    pub sent: u64,
    /// Who is to be considered again, from which `published_seq` on: their mails carried other
    /// articles as well.
    pub again: BTreeMap<i64, i64>,
}

/// Stops every mail that carries one of these articles, belongs to one of these mailings, or tells
/// staff of one of these names, in the caller's transaction.
pub async fn withdraw(
    connection: &mut AnyConnection,
    articles: &[i64],
    mailings: &[i64],
    names: &[String],
    now: Timestamp,
) -> anyhow::Result<Stopped> {
    let mut stopped = Stopped::default();
    let mut variants = variants(connection, articles).await?;
    for mailing in mailings {
        let all: Vec<i64> =
            sqlx::query_scalar("SELECT id FROM variant WHERE mailing_id = $1").bind(mailing).fetch_all(&mut *connection).await?;
        variants.extend(all);
    }
    for name in names.iter().filter(|name| !name.is_empty()) {
        variants.extend(letters_that_name(connection, name).await?);
    }
    variants.sort_unstable();
    variants.dedup();
    for variant in variants {
        lock_mailing(connection, variant).await?;
        let first = first_of_the_others(connection, variant, articles).await?;
        stop(connection, variant, first, now, &mut stopped).await?;
        sqlx::query("UPDATE variant SET subject = '', body_text = '', body_html = '' WHERE id = $1")
            .bind(variant)
            .execute(&mut *connection)
            .await?;
    }
    Ok(stopped)
}

async fn stop(
    connection: &mut AnyConnection,
    variant: i64,
    first: Option<i64>,
    now: Timestamp,
    stopped: &mut Stopped,
) -> anyhow::Result<()> {
    let mailing: Option<i64> =
        sqlx::query_scalar("SELECT mailing_id FROM variant WHERE id = $1").bind(variant).fetch_optional(&mut *connection).await?;
    lock_under_way(connection, mailing).await?;
    // A worker may start a body only while its delivery is leased to it, so a leased one can
    // still be taken away.
    let people: Vec<Option<i64>> = sqlx::query_scalar(
        "UPDATE delivery SET state = 'skipped', reason = $1, settled_at = $2, lease_owner = NULL, lease_until = NULL, fence = fence + 1
         WHERE variant_id = $3 AND state IN ('queued', 'deferred', 'leased') AND doubts = 0 RETURNING person_id",
    )
    .bind(WITHDRAWN)
    .bind(now.as_millis())
    .bind(variant)
    .fetch_all(&mut *connection)
    .await?;
    stopped.mails += people.len() as u64;
    if let Some(first) = first {
        for person in people.into_iter().flatten() {
            stopped.again.entry(person).and_modify(|known| *known = first.min(*known)).or_insert(first);
        }
    }
    // Of what may have arrived nobody says that it was skipped.
    let in_doubt = sqlx::query(
        "UPDATE delivery SET state = 'held', reason = $1, settled_at = $2, lease_owner = NULL, lease_until = NULL, fence = fence + 1
         WHERE variant_id = $3 AND state IN ('queued', 'deferred', 'leased', 'in_doubt', 'held')",
    )
    .bind(WITHDRAWN)
    .bind(now.as_millis())
    .bind(variant)
    .execute(&mut *connection)
    .await?;
    stopped.in_doubt += in_doubt.rows_affected();
    let sent: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM delivery d JOIN mailing m ON m.id = d.mailing_id
         WHERE d.variant_id = $1 AND d.state = 'sent' AND m.kind <> 'staff'",
    )
    .bind(variant)
    .fetch_one(&mut *connection)
    .await?;
    stopped.sent += u64::try_from(sent)?;
    Ok(())
}

/// Letters to staff that quote a title or a path.
async fn letters_that_name(connection: &mut AnyConnection, name: &str) -> anyhow::Result<Vec<i64>> {
    // Replacing finds it, whatever LIKE would take for a pattern. Approvers' letters are another
    // room's.
    Ok(sqlx::query_scalar(
        "SELECT v.id FROM variant v JOIN mailing m ON m.id = v.mailing_id
         WHERE m.kind = 'staff' AND (m.key LIKE 'notice:%' OR m.key LIKE 'preview%')
           AND (replace(v.body_text, $1, '') <> v.body_text OR replace(v.subject, $1, '') <> v.subject)",
    )
    .bind(name)
    .fetch_all(connection)
    .await?)
}

/// Those of some variants that carry a withdrawn article.
pub(super) async fn among(connection: &mut AnyConnection, variants: BTreeSet<i64>) -> anyhow::Result<BTreeSet<i64>> {
    let sql = if is_postgres(connection) {
        "SELECT i.variant_id FROM variant_item i JOIN article a ON a.id = i.article_id
         WHERE a.withdrawn_at IS NOT NULL
           AND i.variant_id IN (SELECT CAST(v.value AS BIGINT) FROM json_array_elements_text($1::json) AS v(value))"
    } else {
        "SELECT i.variant_id FROM variant_item i JOIN article a ON a.id = i.article_id
         WHERE a.withdrawn_at IS NOT NULL AND i.variant_id IN (SELECT value FROM json_each($1))"
    };
    let found: Vec<i64> = sqlx::query_scalar(sql).bind(serde_json::to_string(&variants)?).fetch_all(connection).await?;
    Ok(found.into_iter().collect())
}

async fn variants(connection: &mut AnyConnection, articles: &[i64]) -> anyhow::Result<Vec<i64>> {
    let sql = if is_postgres(connection) {
        "SELECT DISTINCT i.variant_id FROM variant_item i
         WHERE i.article_id IN (SELECT CAST(a.value AS BIGINT) FROM json_array_elements_text($1::json) AS a(value)) ORDER BY 1"
    } else {
        "SELECT DISTINCT i.variant_id FROM variant_item i WHERE i.article_id IN (SELECT value FROM json_each($1)) ORDER BY 1"
    };
    Ok(sqlx::query_scalar(sql).bind(serde_json::to_string(articles)?).fetch_all(connection).await?)
}

/// A claim that is being written is waited for, so that it is taken back too.
async fn lock_mailing(connection: &mut AnyConnection, variant: i64) -> anyhow::Result<()> {
    if is_postgres(connection) {
        sqlx::query("SELECT m.id FROM mailing m JOIN variant v ON v.mailing_id = m.id WHERE v.id = $1 FOR NO KEY UPDATE OF m")
            .bind(variant)
            .fetch_all(connection)
            .await?;
    }
    Ok(())
}

/// The lowest `published_seq` of what a mail carried besides.
async fn first_of_the_others(connection: &mut AnyConnection, variant: i64, withdrawn: &[i64]) -> anyhow::Result<Option<i64>> {
    let others: Vec<(i64, Option<i64>)> = sqlx::query_as(
        "SELECT i.article_id, a.published_seq FROM variant_item i JOIN article a ON a.id = i.article_id
         WHERE i.variant_id = $1 AND a.state = 'published'",
    )
    .bind(variant)
    .fetch_all(connection)
    .await?;
    Ok(others.into_iter().filter(|(id, _)| !withdrawn.contains(id)).filter_map(|(_, sequence)| sequence).min())
}
