//! Which articles reached whom already: what digests must not repeat.

use super::store::is_postgres;
use sqlx::AnyConnection;

/// How a translation group reached a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarriedArticle {
    /// The person.
    pub person: i64,
    /// What the article's translations have in common.
    pub translation_group: String,
    /// The article itself.
    pub article: i64,
    /// The highest `published_seq` that the latest mailing with it considered.
    pub up_to: i64,
}

/// Which of these translation groups earlier deliveries carried to these people, with the
/// articles and the bounds of their mailings: what was announced after such a bound was
/// announced again. Skipped deliveries carried nothing.
pub async fn carried(connection: &mut AnyConnection, people: &[i64], groups: &[String]) -> anyhow::Result<Vec<CarriedArticle>> {
    // A mailing without a bound carried the article once and for all.
    let sql = if is_postgres(connection) {
        "SELECT d.person_id, i.translation_group, i.article_id, MAX(COALESCE(m.upper_seq, 9223372036854775807))
         FROM delivery d JOIN variant_item i ON i.variant_id = d.variant_id JOIN mailing m ON m.id = d.mailing_id
         WHERE d.person_id IN (SELECT CAST(p.value AS BIGINT) FROM json_array_elements_text($1::json) AS p(value))
           AND i.translation_group IN (SELECT g.value FROM json_array_elements_text($2::json) AS g(value))
           AND d.state <> 'skipped'
         GROUP BY d.person_id, i.translation_group, i.article_id"
    } else {
        "SELECT d.person_id, i.translation_group, i.article_id, MAX(COALESCE(m.upper_seq, 9223372036854775807))
         FROM delivery d JOIN variant_item i ON i.variant_id = d.variant_id JOIN mailing m ON m.id = d.mailing_id
         WHERE d.person_id IN (SELECT value FROM json_each($1))
           AND i.translation_group IN (SELECT value FROM json_each($2))
           AND d.state <> 'skipped'
         GROUP BY d.person_id, i.translation_group, i.article_id"
    };
    let rows: Vec<(i64, String, i64, i64)> =
        sqlx::query_as(sql).bind(serde_json::to_string(people)?).bind(serde_json::to_string(groups)?).fetch_all(connection).await?;
    Ok(rows
        .into_iter()
        .map(|(person, translation_group, article, up_to)| CarriedArticle { person, translation_group, article, up_to })
        .collect())
}
