//! SQL of the address book.

use super::Stream;
use crate::address::Address;
use crate::clock::Timestamp;
use crate::vault::Vault;
use sqlx::AnyConnection;

/// The number of the person with this address.
pub async fn find(connection: &mut AnyConnection, vault: &Vault, address: &Address) -> anyhow::Result<Option<i64>> {
    todo!()
}

/// The number of the person with this address, entered in the book if new.
pub async fn find_or_enter(connection: &mut AnyConnection, vault: &Vault, address: &Address, now: Timestamp) -> anyhow::Result<i64> {
    todo!()
}

/// The address of a person, unless erased.
pub async fn address_of(connection: &mut AnyConnection, vault: &Vault, person: i64) -> anyhow::Result<Option<Address>> {
    todo!()
}

/// Records that a person does not want a stream. Deliveries not yet sent are skipped when they
/// are claimed.
pub async fn refuse(connection: &mut AnyConnection, person: i64, stream: Stream, now: Timestamp) -> anyhow::Result<()> {
    todo!()
}

/// Takes a refusal back.
pub async fn accept(connection: &mut AnyConnection, person: i64, stream: Stream) -> anyhow::Result<()> {
    todo!()
}

/// The streams a person refuses.
pub async fn refused(connection: &mut AnyConnection, person: i64) -> anyhow::Result<Vec<Stream>> {
    todo!()
}

/// Never writes to this address again, whoever asks. Keeps its index only.
pub async fn suppress(
    connection: &mut AnyConnection,
    vault: &Vault,
    address: &Address,
    reason: &str,
    now: Timestamp,
) -> anyhow::Result<()> {
    todo!()
}

/// Whether an address index is suppressed.
pub async fn is_suppressed(connection: &mut AnyConnection, address_index: &str) -> anyhow::Result<bool> {
    todo!()
}

/// Forgets a person's address for good. The row stays, so that the ledger keeps its sums.
pub async fn erase(connection: &mut AnyConnection, person: i64, now: Timestamp) -> anyhow::Result<()> {
    todo!()
}
