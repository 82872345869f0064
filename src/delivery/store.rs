//! SQL that makes mailings: callers cut in their own transaction, so that a mailing and the
//! reason for it are durable together.

use super::{DeliveryState, Letter, MailingRef, MailingState, NewDelivery, NewMailing, NewVariant, OnDoubt, To, ledger};
use crate::address::Address;
use crate::clock::Timestamp;
use crate::db::{Counter, take_number, take_numbers};
use crate::vault::{Cell, Vault};
use anyhow::Context as _;
use serde_json::json;
use sqlx::AnyConnection;

/// The one variant of a [`Letter`].
const LETTER_VARIANT: &str = "letter";

/// Where the address of a recipient of the staff is sealed.
pub(super) fn cell(delivery: i64) -> Cell<'static> {
    Cell { table: "delivery", column: "address_sealed", row: delivery }
}

/// Whether a connection leads to `PostgreSQL`, for the few statements that differ: those that
/// unpack a list bound as JSON.
pub(super) fn is_postgres(connection: &AnyConnection) -> bool {
    connection.backend_name() == "PostgreSQL"
}

/// Makes a mailing in state `cutting`, or finds the one with the same key.
pub async fn open_mailing(connection: &mut AnyConnection, mailing: &NewMailing<'_>, now: Timestamp) -> anyhow::Result<MailingRef> {
    if let Some(found) = find_mailing(connection, mailing.key).await? {
        return Ok(found);
    }
    let id = take_number(connection, Counter::Mailing).await?;
    sqlx::query(
        "INSERT INTO mailing (id, key, kind, stream, title, state, on_doubt, priority, public, upper_seq, cursor, not_before, deadline, made_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, $12, $13) ON CONFLICT (key) DO NOTHING",
    )
    .bind(id)
    .bind(mailing.key)
    .bind(mailing.kind.as_str())
    .bind(mailing.stream.as_str())
    .bind(mailing.title)
    .bind(MailingState::Cutting.as_str())
    .bind(mailing.on_doubt.as_str())
    .bind(mailing.kind.priority())
    .bind(if mailing.public { "yes" } else { "no" })
    .bind(mailing.upper_seq)
    .bind(mailing.not_before.as_millis())
    .bind(mailing.deadline.map(Timestamp::as_millis))
    .bind(now.as_millis())
    .execute(&mut *connection)
    .await?;
    find_mailing(connection, mailing.key).await?.context("a mailing just made is not found")
}

/// The mailing with a key.
pub async fn find_mailing(connection: &mut AnyConnection, key: &str) -> anyhow::Result<Option<MailingRef>> {
    let row: Option<(i64, String, i64, Option<i64>)> =
        sqlx::query_as("SELECT id, state, cursor, upper_seq FROM mailing WHERE key = $1").bind(key).fetch_optional(connection).await?;
    row.map(|(id, state, cursor, upper_seq)| Ok(MailingRef { id, state: MailingState::from_stored(&state)?, cursor, upper_seq }))
        .transpose()
}

/// The mark for the slots of a mailing's texts: the same for the same key.
pub fn mark(vault: &Vault, mailing_key: &str) -> String {
    vault.identity("slot", &[mailing_key])[..22].to_owned()
}

/// Adds a variant, or finds the one with the same key. Returns its number.
pub async fn add_variant(connection: &mut AnyConnection, mailing: i64, variant: &NewVariant<'_>) -> anyhow::Result<i64> {
    if let Some(found) = find_variant(connection, mailing, variant.key).await? {
        return Ok(found);
    }
    let id = take_number(connection, Counter::Variant).await?;
    let done = sqlx::query(
        "INSERT INTO variant (id, mailing_id, key, language, subject, body_text, body_html, mark)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (mailing_id, key) DO NOTHING",
    )
    .bind(id)
    .bind(mailing)
    .bind(variant.key)
    .bind(variant.language.to_string())
    .bind(variant.subject)
    .bind(variant.body_text)
    .bind(variant.body_html)
    .bind(variant.mark)
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() == 0 {
        return find_variant(connection, mailing, variant.key).await?.context("a variant just made is not found");
    }
    add_items(connection, id, variant.items).await?;
    Ok(id)
}

async fn find_variant(connection: &mut AnyConnection, mailing: i64, key: &str) -> anyhow::Result<Option<i64>> {
    Ok(sqlx::query_scalar("SELECT id FROM variant WHERE mailing_id = $1 AND key = $2")
        .bind(mailing)
        .bind(key)
        .fetch_optional(connection)
        .await?)
}

async fn add_items(connection: &mut AnyConnection, variant: i64, items: &[(String, i64)]) -> anyhow::Result<()> {
    let rows: Vec<_> = items.iter().map(|(group, article)| json!({ "g": group, "a": article })).collect();
    let sql = if is_postgres(connection) {
        "INSERT INTO variant_item (variant_id, translation_group, article_id)
         SELECT $1, r.g, r.a FROM json_to_recordset($2::json) AS r(g TEXT, a BIGINT) WHERE true
         ON CONFLICT (variant_id, translation_group) DO NOTHING"
    } else {
        "INSERT INTO variant_item (variant_id, translation_group, article_id)
         SELECT $1, json_extract(value, '$.g'), json_extract(value, '$.a') FROM json_each($2) WHERE true
         ON CONFLICT (variant_id, translation_group) DO NOTHING"
    };
    sqlx::query(sql).bind(variant).bind(serde_json::to_string(&rows)?).execute(connection).await?;
    Ok(())
}

/// Adds deliveries; recipients who are in the mailing already are left out, and so is
/// everybody once the cutting has ended. Returns how many were added.
pub async fn add_deliveries(
    connection: &mut AnyConnection,
    vault: &Vault,
    mailing: i64,
    deliveries: &[NewDelivery],
    now: Timestamp,
) -> anyhow::Result<u64> {
    if deliveries.is_empty() {
        return Ok(0);
    }
    let first = take_numbers(connection, Counter::Delivery, i64::try_from(deliveries.len())?).await?;
    let rows = (first..).zip(deliveries).map(|(id, delivery)| row(vault, id, delivery)).collect::<anyhow::Result<Vec<_>>>()?;
    let sql = if is_postgres(connection) {
        "INSERT INTO delivery (id, mailing_id, variant_id, recipient, person_id, address_sealed, personal, state, attempts, doubts, due_at, fence)
         SELECT r.id, $1, r.variant, r.recipient, r.person, r.sealed, r.personal, $2, 0, 0, $3, 0
         FROM json_to_recordset($4::json) AS r(id BIGINT, variant BIGINT, recipient TEXT, person BIGINT, sealed TEXT, personal TEXT)
         WHERE EXISTS (SELECT 1 FROM mailing m WHERE m.id = $1 AND m.state = 'cutting')
         ON CONFLICT (mailing_id, recipient) DO NOTHING"
    } else {
        "INSERT INTO delivery (id, mailing_id, variant_id, recipient, person_id, address_sealed, personal, state, attempts, doubts, due_at, fence)
         SELECT json_extract(value, '$.id'), $1, json_extract(value, '$.variant'), json_extract(value, '$.recipient'),
                json_extract(value, '$.person'), json_extract(value, '$.sealed'), json_extract(value, '$.personal'), $2, 0, 0, $3, 0
         FROM json_each($4)
         WHERE EXISTS (SELECT 1 FROM mailing m WHERE m.id = $1 AND m.state = 'cutting')
         ON CONFLICT (mailing_id, recipient) DO NOTHING"
    };
    let done = sqlx::query(sql)
        .bind(mailing)
        .bind(DeliveryState::Queued.as_str())
        .bind(now.as_millis())
        .bind(serde_json::to_string(&rows)?)
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

fn row(vault: &Vault, id: i64, delivery: &NewDelivery) -> anyhow::Result<serde_json::Value> {
    let personal = if delivery.personal.is_empty() { None } else { Some(serde_json::to_string(&delivery.personal)?) };
    let (recipient, person, sealed) = match &delivery.to {
        To::Person(person) => (person_key(*person), Some(*person), None),
        To::Staff(address) => (staff_key(vault, address), None, Some(vault.seal(address, cell(id)).0)),
    };
    Ok(json!({ "id": id, "variant": delivery.variant, "recipient": recipient, "person": person, "sealed": sealed, "personal": personal }))
}

fn person_key(person: i64) -> String {
    format!("p:{person}")
}

fn staff_key(vault: &Vault, address: &Address) -> String {
    format!("s:{}", vault.index(address))
}

/// Remembers the last person cut, to go on after a restart.
pub async fn set_cursor(connection: &mut AnyConnection, mailing: i64, cursor: i64) -> anyhow::Result<()> {
    sqlx::query("UPDATE mailing SET cursor = $1 WHERE id = $2").bind(cursor).bind(mailing).execute(connection).await?;
    Ok(())
}

/// Ends the cutting: the mailing may be sent. One without deliveries is done at once.
pub async fn release(connection: &mut AnyConnection, mailing: i64, now: Timestamp) -> anyhow::Result<()> {
    sqlx::query(
        "UPDATE mailing
         SET state = CASE WHEN EXISTS (SELECT 1 FROM delivery d WHERE d.mailing_id = $1) THEN 'ready' ELSE 'done' END,
             finished_at = CASE WHEN EXISTS (SELECT 1 FROM delivery d WHERE d.mailing_id = $1) THEN NULL ELSE CAST($2 AS BIGINT) END
         WHERE id = $1 AND state = 'cutting'",
    )
    .bind(mailing)
    .bind(now.as_millis())
    .execute(connection)
    .await?;
    Ok(())
}

/// Makes and releases a mailing of one text. Returns false if the key exists already.
pub async fn post(connection: &mut AnyConnection, vault: &Vault, letter: &Letter<'_>, now: Timestamp) -> anyhow::Result<bool> {
    post_about(connection, vault, letter, &[], now).await
}

/// [`post`] for a letter that tells of articles: it is stopped and wiped when one is withdrawn.
pub async fn post_about(
    connection: &mut AnyConnection,
    vault: &Vault,
    letter: &Letter<'_>,
    articles: &[i64],
    now: Timestamp,
) -> anyhow::Result<bool> {
    // Each by itself, also where two are translations of each other.
    let items: Vec<(String, i64)> = articles.iter().map(|article| (format!("article:{article}"), *article)).collect();
    let mailing = NewMailing {
        key: letter.key,
        kind: letter.kind,
        stream: letter.kind.stream(),
        title: letter.subject,
        on_doubt: OnDoubt::Retry,
        public: false,
        upper_seq: None,
        not_before: now,
        deadline: None,
    };
    if find_mailing(connection, letter.key).await?.is_some() {
        return Ok(false);
    }
    let mailing = open_mailing(connection, &mailing, now).await?;
    if mailing.state != MailingState::Cutting {
        return Ok(false);
    }
    let variant = NewVariant {
        key: LETTER_VARIANT,
        language: letter.language,
        subject: letter.subject,
        body_text: letter.body_text,
        body_html: letter.body_html,
        mark: letter.mark,
        items: &items,
    };
    let variant = add_variant(connection, mailing.id, &variant).await?;
    let deliveries: Vec<NewDelivery> =
        letter.to.iter().map(|(to, personal)| NewDelivery { to: to.clone(), variant, personal: personal.clone() }).collect();
    add_deliveries(connection, vault, mailing.id, &deliveries, now).await?;
    release(connection, mailing.id, now).await?;
    Ok(true)
}

/// Ends a mailing: what was not sent is skipped with the reason, and what may have arrived is
/// held. Returns how many were skipped. A message whose body is on its way is not called back; its
/// answer is still recorded.
pub async fn cancel(connection: &mut AnyConnection, mailing: i64, reason: &str, now: Timestamp) -> anyhow::Result<u64> {
    let ended = sqlx::query(
        "UPDATE mailing SET state = 'cancelled', reason = $1, finished_at = $2 WHERE id = $3 AND state NOT IN ('done', 'cancelled')",
    )
    .bind(reason)
    .bind(now.as_millis())
    .bind(mailing)
    .execute(&mut *connection)
    .await?;
    if ended.rows_affected() == 0 {
        return Ok(0);
    }
    // A worker may start a body only while its delivery is leased to it, so a leased one can
    // still be taken away.
    ledger::recall(connection, Some(mailing)).await?;
    // Of what may have arrived nobody says that it was skipped.
    sqlx::query(
        "UPDATE delivery SET state = 'held', reason = 'in doubt', settled_at = $1, fence = fence + 1
         WHERE mailing_id = $2 AND lease_owner IS NULL AND state IN ('queued', 'deferred') AND doubts > 0",
    )
    .bind(now.as_millis())
    .bind(mailing)
    .execute(&mut *connection)
    .await?;
    let skipped = sqlx::query(
        "UPDATE delivery SET state = 'skipped', reason = $1, settled_at = $2, fence = fence + 1
         WHERE mailing_id = $3 AND lease_owner IS NULL AND state IN ('queued', 'deferred')",
    )
    .bind(reason)
    .bind(now.as_millis())
    .bind(mailing)
    .execute(connection)
    .await?;
    Ok(skipped.rows_affected())
}
