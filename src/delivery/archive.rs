//! What was sent, read back: for digests, which do not repeat it, and for the public archive.

use super::store::is_postgres;
use crate::clock::Timestamp;
use crate::language::Language;
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

/// [`super::carried`] with the articles and the bounds of their mailings: what was announced
/// after such a bound was announced again.
pub async fn carried_articles(connection: &mut AnyConnection, people: &[i64], groups: &[String]) -> anyhow::Result<Vec<CarriedArticle>> {
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

/// A public mailing, as the archive lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicMailing {
    /// Its number.
    pub id: i64,
    /// When it was made.
    pub made_at: Timestamp,
    /// Its subject, in the language asked for where there is one.
    pub subject: String,
    /// The language of that.
    pub language: Language,
}

/// Public mailings of which something was sent and whose number is below `before`, the newest
/// first. What carried an article that has been withdrawn since is not shown: whoever must be
/// protected by that is protected here too.
pub async fn public_mailings(
    connection: &mut AnyConnection,
    language: &Language,
    before: i64,
    limit: i64,
) -> anyhow::Result<Vec<PublicMailing>> {
    let rows: Vec<(i64, i64, String, String)> = sqlx::query_as(
        "SELECT id, made_at, subject, language FROM (
             SELECT m.id AS id, m.made_at AS made_at, v.subject AS subject, v.language AS language,
                    ROW_NUMBER() OVER (PARTITION BY m.id ORDER BY CASE WHEN v.language = $1 THEN 0 ELSE 1 END,
                        (SELECT COUNT(*) FROM variant_item i WHERE i.variant_id = v.id) DESC, v.id) AS place
             FROM mailing m JOIN variant v ON v.mailing_id = m.id
             WHERE m.public = 'yes' AND m.state IN ('running', 'paused', 'done') AND m.id < $2
               AND NOT EXISTS (SELECT 1 FROM variant_item i JOIN article a ON a.id = i.article_id
                               WHERE i.variant_id = v.id AND a.state <> 'published')
         ) AS ranked WHERE place = 1 ORDER BY id DESC LIMIT $3",
    )
    .bind(language.to_string())
    .bind(before)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(id, made_at, subject, tag)| {
            let language = Language::parse(&tag)?;
            Ok(PublicMailing { id, made_at: Timestamp::from_millis(made_at), subject, language })
        })
        .collect()
}

/// The text of a public mailing, with the mark of its slots: of its variants the fullest, in
/// the language asked for where there is one, without withdrawn articles.
pub async fn public_text(connection: &mut AnyConnection, mailing: i64, language: &Language) -> anyhow::Result<Option<(String, String)>> {
    let text = sqlx::query_as(
        "SELECT v.body_html, v.mark FROM mailing m JOIN variant v ON v.mailing_id = m.id
         WHERE m.id = $1 AND m.public = 'yes' AND m.state IN ('running', 'paused', 'done')
           AND NOT EXISTS (SELECT 1 FROM variant_item i JOIN article a ON a.id = i.article_id
                           WHERE i.variant_id = v.id AND a.state <> 'published')
         ORDER BY CASE WHEN v.language = $2 THEN 0 ELSE 1 END,
                  (SELECT COUNT(*) FROM variant_item i WHERE i.variant_id = v.id) DESC, v.id
         LIMIT 1",
    );
    Ok(text.bind(mailing).bind(language.to_string()).fetch_optional(connection).await?)
}
