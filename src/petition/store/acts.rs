//! “I have done it.”

use crate::clock::Timestamp;
use sqlx::AnyConnection;
use std::collections::HashSet;

/// Records that a person did what an edition asks. Returns whether it is news.
pub async fn record_act(connection: &mut AnyConnection, slug: &str, edition: &str, person: i64, now: Timestamp) -> anyhow::Result<bool> {
    let done = sqlx::query(
        "INSERT INTO petition_act (slug, edition, person_id, acted_at)
         SELECT $1, $2, id, $4 FROM person WHERE id = $3 AND erased_at IS NULL
         ON CONFLICT (slug, edition, person_id) DO NOTHING",
    )
    .bind(slug)
    .bind(edition)
    .bind(person)
    .bind(now.as_millis())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How many people did it.
pub async fn acted_count(connection: &mut AnyConnection, slug: &str, edition: &str) -> anyhow::Result<i64> {
    let sql = "SELECT COUNT(*) FROM petition_act WHERE slug = $1 AND edition = $2";
    Ok(sqlx::query_scalar(sql).bind(slug).bind(edition).fetch_one(connection).await?)
}

/// Who did it, of the people with numbers above `after` and up to `up_to`.
pub(in crate::petition) async fn acted_between(
    connection: &mut AnyConnection,
    slug: &str,
    edition: &str,
    after: i64,
    up_to: i64,
) -> anyhow::Result<HashSet<i64>> {
    let sql = "SELECT person_id FROM petition_act WHERE slug = $1 AND edition = $2 AND person_id > $3 AND person_id <= $4";
    let people: Vec<i64> = sqlx::query_scalar(sql).bind(slug).bind(edition).bind(after).bind(up_to).fetch_all(connection).await?;
    Ok(people.into_iter().collect())
}
