//! The vault's bond with the database: never a second key.

use crate::support::{databases, sqlite_in};
use clarion::address::Address;
use clarion::clock::Timestamp;
use clarion::db::{DatabaseUrl, Db};
use clarion::vault::{Cell, Vault};
use std::path::Path;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const HERE: Cell<'_> = Cell { table: "person", column: "address_sealed", row: 1 };

async fn each_database(body: impl AsyncFn(DatabaseUrl, &Path)) {
    for url in databases().await {
        let folder = tempfile::tempdir().unwrap();
        let url = url.unwrap_or_else(|| sqlite_in(folder.path()));
        body(url, folder.path()).await;
    }
}

#[tokio::test]
async fn what_was_sealed_opens_after_a_restart() {
    each_database(async |url, folder| {
        let key = folder.join("clarion.key");
        let address = Address::parse("kim@example.org").unwrap();
        let first = Vault::open(&Db::open(&url).await.unwrap(), &key, NOW).await.unwrap();
        let sealed = first.seal(&address, HERE);
        let second = Vault::open(&Db::open(&url).await.unwrap(), &key, NOW).await.unwrap();
        assert_eq!(second.open_address(&sealed, HERE).unwrap(), address);
        assert_eq!(second.index(&address), first.index(&address));
    })
    .await;
}

#[tokio::test]
async fn a_lost_or_foreign_key_file_is_refused_and_none_is_made() {
    each_database(async |url, folder| {
        let key = folder.join("clarion.key");
        let db = Db::open(&url).await.unwrap();
        Vault::open(&db, &key, NOW).await.unwrap();
        std::fs::rename(&key, folder.join("kept.key")).unwrap();
        let lost = Vault::open(&db, &key, NOW).await.unwrap_err().to_string();
        assert!(lost.contains("missing") && lost.contains("backup"), "{lost}");
        assert!(!key.exists());
        clarion::vault::Keyring::generate().create(&key).unwrap();
        let foreign = Vault::open(&db, &key, NOW).await.unwrap_err().to_string();
        assert!(foreign.contains("does not belong"), "{foreign}");
        std::fs::rename(folder.join("kept.key"), &key).unwrap();
        Vault::open(&db, &key, NOW).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn two_first_starts_at_once_with_one_key_file_agree() {
    each_database(async |url, folder| {
        let key = folder.join("clarion.key");
        let (one, two) = (Db::open(&url).await.unwrap(), Db::open(&url).await.unwrap());
        let (first, second) = tokio::join!(Vault::open(&one, &key, NOW), Vault::open(&two, &key, NOW));
        let address = Address::parse("kim@example.org").unwrap();
        let opened: Vec<Vault> = [first, second].into_iter().flatten().collect();
        assert!(!opened.is_empty());
        let again = Vault::open(&one, &key, NOW).await.unwrap();
        for vault in opened {
            assert_eq!(vault.index(&address), again.index(&address));
        }
    })
    .await;
}

#[tokio::test]
async fn two_first_starts_at_once_with_two_key_files_end_in_one_keyring() {
    each_database(async |url, folder| {
        let (here, there) = (folder.join("here.key"), folder.join("there.key"));
        let (one, two) = (Db::open(&url).await.unwrap(), Db::open(&url).await.unwrap());
        let (first, second) = tokio::join!(Vault::open(&one, &here, NOW), Vault::open(&two, &there, NOW));
        assert_eq!(usize::from(first.is_ok()) + usize::from(second.is_ok()), 1, "exactly one start wins");
        let refusal = first.err().or(second.err()).unwrap().to_string();
        assert!(refusal.contains("missing") || refusal.contains("another start"), "{refusal}");
        assert_ne!(here.exists(), there.exists(), "the other makes no key file");
    })
    .await;
}
