//! Sealing addresses: XChaCha20-Poly1305 with a random nonce, bound to the place where the
//! sealed text is kept, so that moving it to another row makes it unreadable.

use super::{Vault, encode, random};
use crate::address::Address;
use anyhow::{Context as _, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

const NONCE: usize = 24;

/// The place in the database that a sealed address is bound to.
#[derive(Clone, Copy, Debug)]
pub struct Cell<'a> {
    /// The table.
    pub table: &'a str,
    /// The column.
    pub column: &'a str,
    /// The row's key.
    pub row: i64,
}

/// A sealed address as stored: `KEY:BASE64`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed(pub String);

impl Vault {
    /// Seals an address for one place, with the newest key.
    pub fn seal(&self, address: &Address, cell: Cell<'_>) -> Sealed {
        self.seal_octets(address.expose().as_bytes(), cell)
    }

    /// Seals whatever may name somebody, such as a mail that came in.
    pub fn seal_octets(&self, plain: &[u8], cell: Cell<'_>) -> Sealed {
        // A keyring is never empty, so neither is this list.
        let (id, key) = &self.0.seal[self.0.seal.len() - 1];
        let nonce = random::<NONCE>();
        let associated = associated(cell, id);
        let payload = Payload { msg: plain, aad: associated.as_bytes() };
        #[expect(clippy::expect_used, reason = "only messages of 256 GiB are refused")]
        let cipher = XChaCha20Poly1305::new(key.as_slice().try_into().expect("32 octets"))
            .encrypt(&XNonce::from(nonce), payload)
            .expect("it is short enough");
        Sealed(format!("{id}:{}", encode(&[&nonce[..], &cipher].concat())))
    }

    /// Opens an address sealed for this place.
    pub fn open_address(&self, sealed: &Sealed, cell: Cell<'_>) -> anyhow::Result<Address> {
        let plain = self.open_octets(sealed, cell)?;
        let address = std::str::from_utf8(&plain).ok().and_then(|text| Address::parse(text).ok());
        address.with_context(|| unreadable(cell))
    }

    /// Opens what was sealed by [`Vault::seal_octets`] for this place. Wiped when dropped.
    pub fn open_octets(&self, sealed: &Sealed, cell: Cell<'_>) -> anyhow::Result<Zeroizing<Vec<u8>>> {
        let unreadable = || unreadable(cell);
        let (id, text) = sealed.0.split_once(':').with_context(unreadable)?;
        let (_, key) = self.0.seal.iter().find(|(known, _)| known == id).with_context(unreadable)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().with_context(unreadable)?;
        let (nonce, cipher) = bytes.split_at_checked(NONCE).with_context(unreadable)?;
        let nonce: [u8; NONCE] = nonce.try_into().ok().with_context(unreadable)?;
        let associated = associated(cell, id);
        #[expect(clippy::expect_used, reason = "a derived key has 32 octets")]
        let cipher_key = XChaCha20Poly1305::new(key.as_slice().try_into().expect("32 octets"));
        let plain =
            cipher_key.decrypt(&XNonce::from(nonce), Payload { msg: cipher, aad: associated.as_bytes() }).ok().with_context(unreadable)?;
        Ok(Zeroizing::new(plain))
    }
}

fn unreadable(cell: Cell<'_>) -> anyhow::Error {
    anyhow!("what is sealed in {}.{} of row {} cannot be opened with this keyring", cell.table, cell.column, cell.row)
}

fn associated(cell: Cell<'_>, key_id: &str) -> String {
    format!("{}|{}|{}|{key_id}", cell.table, cell.column, cell.row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::Keyring;

    const HERE: Cell<'_> = Cell { table: "person", column: "address_sealed", row: 7 };

    #[test]
    fn an_address_opens_only_where_it_was_sealed() {
        let vault = Vault::from_keyring(&Keyring::generate());
        let address = Address::parse("kim@example.org").unwrap();
        let sealed = vault.seal(&address, HERE);
        assert!(!sealed.0.contains("kim"));
        assert_ne!(sealed, vault.seal(&address, HERE), "the nonce is random");
        assert_eq!(vault.open_address(&sealed, HERE).unwrap(), address);
        for elsewhere in [Cell { row: 8, ..HERE }, Cell { table: "signup", ..HERE }, Cell { column: "other", ..HERE }] {
            assert!(vault.open_address(&sealed, elsewhere).is_err());
        }
        let other = Vault::from_keyring(&Keyring::generate());
        assert!(other.open_address(&sealed, HERE).is_err());
        for damaged in ["", "k1:", "k1:AAAA", "k2:AAAA", &sealed.0[..sealed.0.len() - 2]] {
            assert!(vault.open_address(&Sealed(damaged.to_owned()), HERE).is_err());
        }
    }

    #[test]
    fn the_index_is_one_for_all_spellings_and_differs_by_key() {
        let vault = Vault::from_keyring(&Keyring::generate());
        let index = |text: &str| vault.index(&Address::parse(text).unwrap());
        assert_eq!(index("Kim@Example.org"), index("kim@example.org"));
        assert_ne!(index("kim@example.org"), index("lee@example.org"));
        let other = Vault::from_keyring(&Keyring::generate());
        assert_ne!(other.index(&Address::parse("kim@example.org").unwrap()), index("kim@example.org"));
    }
}
