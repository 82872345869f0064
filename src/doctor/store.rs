//! That a DMARC policy which protects nobody was accepted (S12): one fact.

use crate::clock::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::AnyConnection;

/// The name of the fact.
const FACT: &str = "weak_dmarc_accepted";

/// What was accepted, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The sender's domain.
    pub domain: String,
    /// How it was protected then: `p=none`, or `no record`.
    pub state: String,
    /// Unix milliseconds.
    pub at: i64,
}

/// What was accepted, if anything.
pub async fn accepted(connection: &mut AnyConnection) -> anyhow::Result<Option<Accepted>> {
    let value: Option<String> = sqlx::query_scalar("SELECT value FROM fact WHERE name = $1").bind(FACT).fetch_optional(connection).await?;
    Ok(value.map(|json| serde_json::from_str(&json)).transpose()?)
}

/// Accepts what there is; the first acceptance of the same stays.
pub async fn accept(connection: &mut AnyConnection, domain: &str, state: &str, now: Timestamp) -> anyhow::Result<Accepted> {
    if let Some(known) = accepted(&mut *connection).await?.filter(|known| known.domain == domain && known.state == state) {
        return Ok(known);
    }
    let accepted = Accepted { domain: domain.to_owned(), state: state.to_owned(), at: now.as_millis() };
    sqlx::query("INSERT INTO fact (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value")
        .bind(FACT)
        .bind(serde_json::to_string(&accepted)?)
        .execute(connection)
        .await?;
    Ok(accepted)
}

/// Forgets it, because the policy protects now: if it is weakened again, that is told again.
pub async fn forget(connection: &mut AnyConnection) -> anyhow::Result<()> {
    sqlx::query("DELETE FROM fact WHERE name = $1").bind(FACT).execute(connection).await?;
    Ok(())
}
