//! Active subscribers, many at a time, for those who cut mailings.

use super::super::{Choices, Reader, SubscriptionState};
use crate::language::Language;
use sqlx::AnyConnection;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Active subscribers to a rhythm whose number is above `after`, in order, at most `limit`.
/// `None`: to any rhythm. People who refuse or cannot get mail may be among them; the ledger
/// skips them at the claim.
pub async fn readers(connection: &mut AnyConnection, rhythm: Option<&str>, after: i64, limit: i64) -> anyhow::Result<Vec<Reader>> {
    let rhythm = rhythm.unwrap_or_default();
    let people: Vec<(i64, String, i64)> = sqlx::query_as(
        "SELECT person_id, rhythm, watermark FROM subscription
         WHERE state = $1 AND ($2 = '' OR rhythm = $2) AND person_id > $3 ORDER BY person_id LIMIT $4",
    )
    .bind(SubscriptionState::Active.as_str())
    .bind(rhythm)
    .bind(after)
    .bind(limit)
    .fetch_all(&mut *connection)
    .await?;
    let Some((last, ..)) = people.last() else { return Ok(Vec::new()) };
    let among = Among { rhythm, after, last: *last };
    let mut topics = among.topics(connection).await?;
    let mut languages = among.languages(connection).await?;
    // Who has no language any more left, or chose another rhythm, between these queries.
    let readers = people.into_iter().filter_map(|(person, rhythm, watermark)| {
        let topics = topics.remove(&person).unwrap_or_default();
        let languages = languages.remove(&person)?;
        Some(Reader { person, choices: Choices { topics, languages, rhythm }, watermark })
    });
    Ok(readers.collect())
}

/// The active subscribers to a rhythm (or none named) above `after` up to `last`.
struct Among<'a> {
    rhythm: &'a str,
    after: i64,
    last: i64,
}

impl Among<'_> {
    async fn topics(&self, connection: &mut AnyConnection) -> anyhow::Result<HashMap<i64, BTreeSet<String>>> {
        let rows = self
            .rows(
                connection,
                "SELECT t.person_id, t.topic FROM subscription_topic t JOIN subscription s ON s.person_id = t.person_id
                 WHERE s.state = $1 AND ($2 = '' OR s.rhythm = $2) AND s.person_id > $3 AND s.person_id <= $4",
            )
            .await?;
        let mut topics: HashMap<i64, BTreeSet<String>> = HashMap::new();
        for (person, topic) in rows {
            topics.entry(person).or_default().insert(topic);
        }
        Ok(topics)
    }

    async fn languages(&self, connection: &mut AnyConnection) -> anyhow::Result<HashMap<i64, Vec<Language>>> {
        let rows = self
            .rows(
                connection,
                "SELECT l.person_id, l.language FROM subscription_language l JOIN subscription s ON s.person_id = l.person_id
                 WHERE s.state = $1 AND ($2 = '' OR s.rhythm = $2) AND s.person_id > $3 AND s.person_id <= $4
                 ORDER BY l.person_id, l.position",
            )
            .await?;
        let mut languages: HashMap<i64, Vec<Language>> = HashMap::new();
        for (person, tag) in rows {
            languages.entry(person).or_default().push(Language::parse(&tag)?);
        }
        Ok(languages)
    }

    async fn rows(&self, connection: &mut AnyConnection, sql: &'static str) -> anyhow::Result<Vec<(i64, String)>> {
        let query = sqlx::query_as(sql).bind(SubscriptionState::Active.as_str()).bind(self.rhythm).bind(self.after).bind(self.last);
        Ok(query.fetch_all(connection).await?)
    }
}

/// Records that everything up to `sequence` has been considered for these people. A watermark
/// never goes back.
pub async fn advance_watermarks(connection: &mut AnyConnection, people: &[i64], sequence: i64) -> anyhow::Result<()> {
    // One statement whatever their number: the list goes over as one JSON text.
    let sql = match connection.backend_name() {
        "PostgreSQL" => {
            "UPDATE subscription SET watermark = $1
             WHERE watermark < $1 AND person_id IN (SELECT CAST(value AS BIGINT) FROM json_array_elements_text($2::json))"
        }
        _ => "UPDATE subscription SET watermark = $1 WHERE watermark < $1 AND person_id IN (SELECT value FROM json_each($2))",
    };
    sqlx::query(sql).bind(sequence).bind(serde_json::to_string(people)?).execute(connection).await?;
    Ok(())
}

/// Lets articles from these `published_seq` on count as new again, for each of these people: the
/// mail that carried them was stopped. What other mails carried stays known from the ledger.
pub async fn reconsider(connection: &mut AnyConnection, people: &BTreeMap<i64, i64>) -> anyhow::Result<()> {
    for (person, first) in people {
        sqlx::query("UPDATE subscription SET watermark = $1 WHERE person_id = $2 AND watermark > $1")
            .bind(first - 1)
            .bind(person)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// The lowest watermark among the active subscribers to a rhythm; `None` if it has none.
pub async fn lowest_watermark(connection: &mut AnyConnection, rhythm: &str) -> anyhow::Result<Option<i64>> {
    let lowest = sqlx::query_scalar("SELECT MIN(watermark) FROM subscription WHERE state = $1 AND rhythm = $2");
    Ok(lowest.bind(SubscriptionState::Active.as_str()).bind(rhythm).fetch_one(connection).await?)
}

/// How many active subscribers there are.
pub async fn count_active(connection: &mut AnyConnection) -> anyhow::Result<i64> {
    let count = sqlx::query_scalar("SELECT COUNT(*) FROM subscription WHERE state = $1").bind(SubscriptionState::Active.as_str());
    Ok(count.fetch_one(connection).await?)
}
