//! SQL of the validators of feeds.

use super::validators::Validators;
use crate::clock::Timestamp;
use sqlx::{AnyConnection, Row as _};
use std::collections::HashMap;

/// What was published last, by the feed's path.
pub(super) async fn validators(connection: &mut AnyConnection) -> anyhow::Result<HashMap<String, Validators>> {
    let rows = sqlx::query("SELECT key, hash, last_modified, sequence FROM feed").fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let last_modified = Timestamp::from_millis(row.try_get("last_modified")?);
            Ok((row.try_get("key")?, Validators { hash: row.try_get("hash")?, last_modified, sequence: row.try_get("sequence")? }))
        })
        .collect()
}

/// Remembers a publication.
pub(super) async fn remember(connection: &mut AnyConnection, key: &str, validators: &Validators) -> anyhow::Result<()> {
    sqlx::query(
        "INSERT INTO feed (key, hash, last_modified, sequence) VALUES ($1, $2, $3, $4)
         ON CONFLICT (key) DO UPDATE SET hash = excluded.hash, last_modified = excluded.last_modified, sequence = excluded.sequence",
    )
    .bind(key)
    .bind(validators.hash.as_str())
    .bind(validators.last_modified.as_millis())
    .bind(validators.sequence)
    .execute(connection)
    .await?;
    Ok(())
}
