//! SQL of the address book.

use super::{Deliverability, Stream};
use crate::address::Address;
use crate::clock::Timestamp;
use crate::db::{Counter, take_number};
use crate::vault::{Cell, Sealed, Vault};
use sqlx::AnyConnection;

/// Why an address is suppressed whose owner called a mail unwanted.
pub const COMPLAINT: &str = "complaint";

/// Where a person's address is sealed.
pub fn cell(person: i64) -> Cell<'static> {
    Cell { table: "person", column: "address_sealed", row: person }
}

/// The number of the person with this address.
pub async fn find(connection: &mut AnyConnection, vault: &Vault, address: &Address) -> anyhow::Result<Option<i64>> {
    find_by_index(connection, &vault.index(address)).await
}

async fn find_by_index(connection: &mut AnyConnection, index: &str) -> anyhow::Result<Option<i64>> {
    Ok(sqlx::query_scalar("SELECT id FROM person WHERE address_index = $1").bind(index).fetch_optional(connection).await?)
}

/// The number of the person with this address, entered in the book if new.
pub async fn find_or_enter(connection: &mut AnyConnection, vault: &Vault, address: &Address, now: Timestamp) -> anyhow::Result<i64> {
    let index = vault.index(address);
    if let Some(person) = find_by_index(connection, &index).await? {
        return Ok(person);
    }
    // Taking the number locks the counter, so two entries of one address come one after the
    // other; the second finds the first.
    let id = take_number(connection, Counter::Person).await?;
    sqlx::query(
        "INSERT INTO person (id, address_sealed, address_index, deliverability, made_at)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (address_index) DO NOTHING",
    )
    .bind(id)
    .bind(vault.seal(address, cell(id)).0)
    .bind(&index)
    .bind(Deliverability::Good.as_str())
    .bind(now.as_millis())
    .execute(&mut *connection)
    .await?;
    find_by_index(connection, &index).await?.ok_or_else(|| anyhow::anyhow!("a person just entered is not found"))
}

/// The address of a person, unless erased.
pub async fn address_of(connection: &mut AnyConnection, vault: &Vault, person: i64) -> anyhow::Result<Option<Address>> {
    let sealed: Option<Option<String>> =
        sqlx::query_scalar("SELECT address_sealed FROM person WHERE id = $1").bind(person).fetch_optional(connection).await?;
    sealed.flatten().map(|sealed| vault.open_address(&Sealed(sealed), cell(person))).transpose()
}

/// Records that a person does not want a stream. Deliveries not yet sent are skipped when they
/// are claimed.
pub async fn refuse(connection: &mut AnyConnection, person: i64, stream: Stream, now: Timestamp) -> anyhow::Result<()> {
    sqlx::query("INSERT INTO refusal (person_id, stream, refused_at) VALUES ($1, $2, $3) ON CONFLICT (person_id, stream) DO NOTHING")
        .bind(person)
        .bind(stream.as_str())
        .bind(now.as_millis())
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes a refusal back.
pub async fn accept(connection: &mut AnyConnection, person: i64, stream: Stream) -> anyhow::Result<()> {
    sqlx::query("DELETE FROM refusal WHERE person_id = $1 AND stream = $2").bind(person).bind(stream.as_str()).execute(connection).await?;
    Ok(())
}

/// The streams a person refuses.
pub async fn refused(connection: &mut AnyConnection, person: i64) -> anyhow::Result<Vec<Stream>> {
    let words: Vec<String> =
        sqlx::query_scalar("SELECT stream FROM refusal WHERE person_id = $1 ORDER BY stream").bind(person).fetch_all(connection).await?;
    words.iter().map(|word| Stream::from_stored(word)).collect()
}

/// Records whether mail reaches a person.
pub async fn set_deliverability(connection: &mut AnyConnection, person: i64, deliverability: Deliverability) -> anyhow::Result<()> {
    sqlx::query("UPDATE person SET deliverability = $1 WHERE id = $2")
        .bind(deliverability.as_str())
        .bind(person)
        .execute(connection)
        .await?;
    Ok(())
}

/// Never writes to this address again, whoever asks. Keeps its index only.
pub async fn suppress(
    connection: &mut AnyConnection,
    vault: &Vault,
    address: &Address,
    reason: &str,
    now: Timestamp,
) -> anyhow::Result<()> {
    sqlx::query(
        "INSERT INTO suppression (address_index, reason, suppressed_at) VALUES ($1, $2, $3) ON CONFLICT (address_index) DO NOTHING",
    )
    .bind(vault.index(address))
    .bind(reason)
    .bind(now.as_millis())
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether an address index is suppressed.
pub async fn is_suppressed(connection: &mut AnyConnection, address_index: &str) -> anyhow::Result<bool> {
    let found: Option<String> = sqlx::query_scalar("SELECT reason FROM suppression WHERE address_index = $1")
        .bind(address_index)
        .fetch_optional(connection)
        .await?;
    Ok(found.is_some())
}

/// Takes back that an address is suppressed for a complaint. False: it is not, or for another
/// reason, which stays.
pub async fn lift_complaint(connection: &mut AnyConnection, address_index: &str) -> anyhow::Result<bool> {
    let done = sqlx::query("DELETE FROM suppression WHERE address_index = $1 AND reason = $2")
        .bind(address_index)
        .bind(COMPLAINT)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets a person's address for good. The row stays, so that the ledger keeps its sums.
/// Returns whether there was an address to forget.
pub async fn erase(connection: &mut AnyConnection, person: i64, now: Timestamp) -> anyhow::Result<bool> {
    let done =
        sqlx::query("UPDATE person SET address_sealed = NULL, address_index = NULL, erased_at = $1 WHERE id = $2 AND erased_at IS NULL")
            .bind(now.as_millis())
            .bind(person)
            .execute(connection)
            .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether mail reaches a person.
pub async fn deliverability(connection: &mut AnyConnection, person: i64) -> anyhow::Result<Deliverability> {
    let word: String = sqlx::query_scalar("SELECT deliverability FROM person WHERE id = $1").bind(person).fetch_one(connection).await?;
    Deliverability::from_stored(&word)
}

/// Pauses mail to a person whose mail bounces: they get what they ask for and nothing else.
pub async fn pause(connection: &mut AnyConnection, person: i64, now: Timestamp) -> anyhow::Result<()> {
    sqlx::query("UPDATE person SET deliverability = $1, paused_at = $2 WHERE id = $3")
        .bind(Deliverability::Paused.as_str())
        .bind(now.as_millis())
        .bind(person)
        .execute(connection)
        .await?;
    Ok(())
}

/// [`suppress`] for somebody in the book, without opening their address. An erased person has
/// none.
pub async fn suppress_person(connection: &mut AnyConnection, person: i64, reason: &str, now: Timestamp) -> anyhow::Result<()> {
    sqlx::query(
        "INSERT INTO suppression (address_index, reason, suppressed_at)
         SELECT address_index, $1, CAST($2 AS BIGINT) FROM person WHERE id = $3 AND address_index IS NOT NULL
         ON CONFLICT (address_index) DO NOTHING",
    )
    .bind(reason)
    .bind(now.as_millis())
    .bind(person)
    .execute(connection)
    .await?;
    Ok(())
}
