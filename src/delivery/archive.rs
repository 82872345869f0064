//! Public mailings, read back for the web archive.

use crate::clock::Timestamp;
use crate::language::Language;
use sqlx::AnyConnection;

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
