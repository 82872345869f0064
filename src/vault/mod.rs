//! Secrets: sealed addresses, their lookup index, and tokens that prove a link is ours.
//!
//! One keyring file holds root keys; everything else is derived from them by HKDF (RFC 5869),
//! each use with a label of its own, so that no key serves two purposes.

mod keyring;
mod seal;
mod token;

pub use keyring::{Keyring, KeyringError};
pub use seal::{Cell, Sealed};
pub use token::{Claims, Purpose, TokenRefused};

use crate::address::Address;
use crate::clock::Timestamp;
use crate::db::{Db, Tx};
use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A derived key, wiped when dropped.
pub(crate) type Key = Zeroizing<[u8; 32]>;

/// Everything derived from the keyring. Clones share the keys.
#[derive(Clone)]
pub struct Vault(Arc<Keys>);

struct Keys {
    /// Oldest first; the last seals, all open.
    seal: Vec<(String, Key)>,
    /// From the first root, which never retires: an index that changed would find nobody.
    index: Key,
    /// One per root, oldest first.
    tokens: Vec<Key>,
    identity: Key,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(…)")
    }
}

impl Vault {
    /// Opens the keyring that belongs to the database, or makes it at the first start of both.
    ///
    /// The database remembers a proof of each key. A missing file, another file, or a second
    /// first start end in a refusal that says what to do: never in a second key, with which
    /// nobody's address could be read again.
    pub async fn open(db: &Db, key_file: &Path, now: Timestamp) -> anyhow::Result<Self> {
        let mut tx = db.begin().await?;
        let proofs: Vec<(String, String)> =
            sqlx::query_as("SELECT key_id, proof FROM key_check ORDER BY made_at, key_id").fetch_all(&mut *tx).await?;
        let keyring = match Keyring::load(key_file) {
            Ok(keyring) => keyring,
            Err(KeyringError::Missing) if proofs.is_empty() => {
                claim_first_start(&mut tx, key_file).await?;
                let keyring = Keyring::generate();
                keyring.create(key_file)?;
                keyring
            }
            Err(KeyringError::Missing) => bail!(
                "the key file {} is missing, and this database was sealed with it. Put the file back from your backup. Without it no address can be read; Clarion will not make another one",
                key_file.display()
            ),
            Err(error) => return Err(error).with_context(|| format!("the key file {}", key_file.display())),
        };
        check(&mut tx, &keyring, &proofs, key_file, now).await?;
        tx.commit().await?;
        Ok(Self::from_keyring(&keyring))
    }

    /// Derives all keys of a keyring.
    pub fn from_keyring(keyring: &Keyring) -> Self {
        let first = keyring.first();
        Self(Arc::new(Keys {
            seal: keyring.roots().map(|(id, root)| (id.to_owned(), derive(root, "seal"))).collect(),
            index: derive(first, "index"),
            tokens: keyring.roots().map(|(_, root)| derive(root, "token")).collect(),
            identity: derive(first, "identity"),
        }))
    }

    /// The blind index of an address: the same for every spelling of one mailbox, and saying
    /// nothing about it to who lacks the key. 43 characters.
    pub fn index(&self, address: &Address) -> String {
        encode(&mac(&self.0.index, &[address.normalised().as_bytes()]))
    }

    /// A stable name for things that mails and feeds show, such as Message-IDs: the same for
    /// the same parts, and revealing none of them. 43 characters.
    pub fn identity(&self, label: &str, parts: &[&str]) -> String {
        let mut bytes: Vec<&[u8]> = vec![label.as_bytes()];
        bytes.extend(parts.iter().map(|part| part.as_bytes()));
        encode(&mac(&self.0.identity, &bytes))
    }
}

/// Two daemons whose key files differ may start at once on an empty database. Both come here;
/// the row makes the second wait for the first, then find its proof and stop.
async fn claim_first_start(tx: &mut Tx, key_file: &Path) -> anyhow::Result<()> {
    let claimed =
        sqlx::query("INSERT INTO fact (name, value) VALUES ('keyring', 'made') ON CONFLICT (name) DO NOTHING").execute(&mut **tx).await?;
    if claimed.rows_affected() == 0 {
        bail!(
            "another start has just made the keyring of this database, and {} is not it. Copy that key file here, then start again",
            key_file.display()
        );
    }
    Ok(())
}

/// Compares every key with the database's proof of it, and records a proof for a new key.
async fn check(tx: &mut Tx, keyring: &Keyring, proofs: &[(String, String)], key_file: &Path, now: Timestamp) -> anyhow::Result<()> {
    for (id, proof) in proofs {
        let known = keyring.roots().find(|(known, _)| known == id);
        if known.is_none_or(|(_, root)| prove(root) != *proof) {
            bail!(
                "the key file {} does not belong to this database (key {id}). Put back the file that was made with it, or name another database",
                key_file.display()
            );
        }
    }
    for (id, root) in keyring.roots().filter(|(id, _)| proofs.iter().all(|(known, _)| known != id)) {
        let done = sqlx::query("INSERT INTO key_check (key_id, proof, made_at) VALUES ($1, $2, $3) ON CONFLICT (key_id) DO NOTHING")
            .bind(id)
            .bind(prove(root))
            .bind(now.as_millis())
            .execute(&mut **tx)
            .await?;
        if done.rows_affected() == 0 {
            bail!("another start has just recorded key {id} in this database; start again");
        }
    }
    Ok(())
}

/// What the database may know of a root key.
fn prove(root: &Key) -> String {
    encode(&*derive(root, "check"))
}

fn derive(root: &Key, label: &str) -> Key {
    let mut key = Zeroizing::new([0; 32]);
    #[expect(clippy::expect_used, reason = "HKDF-SHA256 gives up to 8160 octets")]
    Hkdf::<Sha256>::new(Some(b"clarion/1"), root.as_slice()).expand(label.as_bytes(), key.as_mut_slice()).expect("32 octets are allowed");
    key
}

/// HMAC-SHA256 over parts, each preceded by its length, so that no two lists of parts collide.
fn mac(key: &Key, parts: &[&[u8]]) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_slice()).expect("any length will do");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// SHA-256 in hexadecimal: the hash of contents, which is no secret.
pub fn content_hash(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
        use std::fmt::Write as _;
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Random octets from the operating system: the one place that asks for them.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[expect(clippy::disallowed_methods, clippy::expect_used, reason = "the one place; without random numbers no secret can be kept")]
    getrandom::fill(&mut bytes).expect("the operating system gives random numbers");
    bytes
}

/// A random name of 22 characters, for lease owners and temporary files.
pub fn random_name() -> String {
    encode(&random::<16>())
}
