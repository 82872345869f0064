//! What one person was sent, for staff who are asked.

use super::{DeliveryState, Kind};
use crate::clock::Timestamp;
use sqlx::AnyConnection;

/// One mailing as it went to one person.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Received {
    /// The mailing's number.
    pub mailing: i64,
    /// What it was for.
    pub kind: Kind,
    /// What it was.
    pub title: String,
    /// How it stands.
    pub state: DeliveryState,
    /// Why, where it was not sent.
    pub reason: Option<String>,
    /// When that was settled.
    pub settled_at: Option<Timestamp>,
}

/// The newest mailings a person is in, the newest first.
pub async fn history(connection: &mut AnyConnection, person: i64, limit: i64) -> anyhow::Result<Vec<Received>> {
    type Row = (i64, String, String, String, Option<String>, Option<i64>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT m.id, m.kind, m.title, d.state, d.reason, d.settled_at FROM delivery d JOIN mailing m ON m.id = d.mailing_id
         WHERE d.person_id = $1 ORDER BY d.id DESC LIMIT $2",
    )
    .bind(person)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    let received = |(mailing, kind, title, state, reason, settled_at): Row| {
        Ok(Received {
            mailing,
            kind: Kind::from_stored(&kind)?,
            title,
            state: DeliveryState::from_stored(&state)?,
            reason,
            settled_at: settled_at.map(Timestamp::from_millis),
        })
    };
    rows.into_iter().map(received).collect()
}
