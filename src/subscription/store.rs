//! SQL of subscriptions.

use super::Reader;
use sqlx::AnyConnection;

/// Active subscribers to a rhythm whose number is above `after`, in order, at most `limit`.
/// `None`: to any rhythm. People who refuse or cannot get mail may be among them; the ledger
/// skips them at the claim.
pub async fn readers(connection: &mut AnyConnection, rhythm: Option<&str>, after: i64, limit: i64) -> anyhow::Result<Vec<Reader>> {
    todo!()
}

/// Records that everything up to `sequence` has been considered for these people.
pub async fn advance_watermarks(connection: &mut AnyConnection, people: &[i64], sequence: i64) -> anyhow::Result<()> {
    todo!()
}

/// How many active subscribers there are.
pub async fn count_active(connection: &mut AnyConnection) -> anyhow::Result<i64> {
    todo!()
}
