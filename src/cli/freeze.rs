//! `clarion freeze` and `clarion thaw`: all sending stops now, and goes on.

use super::{Context, Outcome, output};
use crate::db::Db;
use crate::delivery;
use serde_json::json;

/// Stops all sending, of whatever kind, on every daemon of this database.
pub(super) async fn freeze(context: &Context) -> anyhow::Result<Outcome> {
    let db = Db::open(&context.config.database).await?;
    let mut tx = db.begin().await?;
    let newly = delivery::freeze(&mut tx, context.clock.now()).await?;
    tx.commit().await?;
    db.close().await;
    let words = if newly {
        "All sending is stopped. A mail that is just being handed to the relay is finished; nothing else leaves until: clarion thaw"
    } else {
        "All sending was stopped already. It goes on with: clarion thaw"
    };
    output::answer(context.json, words, &json!({ "frozen": true, "newly": newly }))?;
    Ok(Outcome::Done)
}

/// Lets sending go on.
pub(super) async fn thaw(context: &Context) -> anyhow::Result<Outcome> {
    let db = Db::open(&context.config.database).await?;
    let mut tx = db.begin().await?;
    let newly = delivery::thaw(&mut tx).await?;
    tx.commit().await?;
    db.close().await;
    let words = if newly {
        "Sending goes on. What waited leaves now, but for what a deadline, a cancelled mailing or a stopped petition has ended, and for alerts that are too late by now: they are held, and staff are told."
    } else {
        "Sending was not stopped."
    };
    output::answer(context.json, words, &json!({ "frozen": false, "newly": newly }))?;
    Ok(Outcome::Done)
}
