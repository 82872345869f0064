//! SQL that makes mailings: callers cut in their own transaction, so that a mailing and the
//! reason for it are durable together.

use super::{Letter, MailingRef, NewDelivery, NewMailing, NewVariant};
use crate::clock::Timestamp;
use crate::vault::Vault;
use sqlx::AnyConnection;

/// Makes a mailing in state `cutting`, or finds the one with the same key.
pub async fn open_mailing(connection: &mut AnyConnection, mailing: &NewMailing<'_>, now: Timestamp) -> anyhow::Result<MailingRef> {
    todo!()
}

/// The mailing with a key.
pub async fn find_mailing(connection: &mut AnyConnection, key: &str) -> anyhow::Result<Option<MailingRef>> {
    todo!()
}

/// The mark for the slots of a mailing's texts: the same for the same key.
pub fn mark(vault: &Vault, mailing_key: &str) -> String {
    vault.identity("slot", &[mailing_key])[..22].to_owned()
}

/// Adds a variant, or finds the one with the same key. Returns its number.
pub async fn add_variant(connection: &mut AnyConnection, mailing: i64, variant: &NewVariant<'_>) -> anyhow::Result<i64> {
    todo!()
}

/// Adds deliveries; recipients who are in the mailing already are left out. Returns how many
/// were added.
pub async fn add_deliveries(
    connection: &mut AnyConnection,
    vault: &Vault,
    mailing: i64,
    deliveries: &[NewDelivery],
    now: Timestamp,
) -> anyhow::Result<u64> {
    todo!()
}

/// Remembers the last person cut, to go on after a restart.
pub async fn set_cursor(connection: &mut AnyConnection, mailing: i64, cursor: i64) -> anyhow::Result<()> {
    todo!()
}

/// Ends the cutting: the mailing may be sent. One without deliveries is done at once.
pub async fn release(connection: &mut AnyConnection, mailing: i64, now: Timestamp) -> anyhow::Result<()> {
    todo!()
}

/// Makes and releases a mailing of one text. Returns false if the key exists already.
pub async fn post(connection: &mut AnyConnection, vault: &Vault, letter: &Letter<'_>, now: Timestamp) -> anyhow::Result<bool> {
    todo!()
}

/// Ends a mailing: what was not sent is skipped with the reason. Returns how many were skipped.
pub async fn cancel(connection: &mut AnyConnection, mailing: i64, reason: &str, now: Timestamp) -> anyhow::Result<u64> {
    todo!()
}

/// Which of these translation groups earlier deliveries carried to these people:
/// (person, group) pairs. Skipped deliveries carried nothing.
pub async fn carried(connection: &mut AnyConnection, people: &[i64], groups: &[String]) -> anyhow::Result<Vec<(i64, String)>> {
    todo!()
}
