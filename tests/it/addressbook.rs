//! The address book on both engines.

use crate::support::{World, on_each_engine};
use clarion::address::Address;
use clarion::addressbook::{self, Deliverability, Stream};

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

#[tokio::test]
async fn a_person_is_entered_once_however_they_are_spelt() {
    on_each_engine(async |world: World| {
        let mut tx = world.db.begin().await.unwrap();
        let now = world.clock.now();
        let kim = addressbook::find_or_enter(&mut tx, &world.vault, &address("kim@example.org"), now).await.unwrap();
        let again = addressbook::find_or_enter(&mut tx, &world.vault, &address("Kim@EXAMPLE.org"), now).await.unwrap();
        assert_eq!(kim, again);
        assert_eq!(addressbook::find(&mut tx, &world.vault, &address("lee@example.org")).await.unwrap(), None);
        let found = addressbook::address_of(&mut tx, &world.vault, kim).await.unwrap();
        assert_eq!(found, Some(address("kim@example.org")));
        assert_eq!(addressbook::deliverability(&mut tx, kim).await.unwrap(), Deliverability::Good);
        let stored: String = sqlx::query_scalar("SELECT address_sealed || address_index FROM person").fetch_one(&mut *tx).await.unwrap();
        assert!(!stored.contains("kim") && !stored.contains("example"));
    })
    .await;
}

#[tokio::test]
async fn strangers_who_enter_at_once_are_one_person() {
    on_each_engine(async |world: World| {
        let entries: Vec<_> = (0..8)
            .map(|_| {
                let (db, vault, now) = (world.db.clone(), world.vault.clone(), world.clock.now());
                tokio::spawn(async move {
                    let mut tx = db.begin().await.unwrap();
                    let person = addressbook::find_or_enter(&mut tx, &vault, &address("kim@example.org"), now).await.unwrap();
                    tx.commit().await.unwrap();
                    person
                })
            })
            .collect();
        let mut people = Vec::new();
        for entry in entries {
            people.push(entry.await.unwrap());
        }
        people.dedup();
        assert_eq!(people.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_refusal_holds_until_it_is_taken_back() {
    on_each_engine(async |world: World| {
        let mut tx = world.db.begin().await.unwrap();
        let now = world.clock.now();
        let kim = addressbook::find_or_enter(&mut tx, &world.vault, &address("kim@example.org"), now).await.unwrap();
        addressbook::refuse(&mut tx, kim, Stream::Petitions, now).await.unwrap();
        addressbook::refuse(&mut tx, kim, Stream::Petitions, now).await.unwrap();
        assert_eq!(addressbook::refused(&mut tx, kim).await.unwrap(), [Stream::Petitions]);
        addressbook::accept(&mut tx, kim, Stream::Petitions).await.unwrap();
        assert_eq!(addressbook::refused(&mut tx, kim).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn an_erased_address_is_gone_and_a_suppressed_one_is_known_by_its_index_alone() {
    on_each_engine(async |world: World| {
        let mut tx = world.db.begin().await.unwrap();
        let now = world.clock.now();
        let kim = addressbook::find_or_enter(&mut tx, &world.vault, &address("kim@example.org"), now).await.unwrap();
        addressbook::suppress(&mut tx, &world.vault, &address("kim@example.org"), "complaint", now).await.unwrap();
        assert!(addressbook::erase(&mut tx, kim, now).await.unwrap());
        assert!(!addressbook::erase(&mut tx, kim, now).await.unwrap());
        assert_eq!(addressbook::address_of(&mut tx, &world.vault, kim).await.unwrap(), None);
        assert_eq!(addressbook::find(&mut tx, &world.vault, &address("kim@example.org")).await.unwrap(), None);
        assert!(addressbook::is_suppressed(&mut tx, &world.vault.index(&address("kim@example.org"))).await.unwrap());
        assert!(!addressbook::is_suppressed(&mut tx, &world.vault.index(&address("lee@example.org"))).await.unwrap());
    })
    .await;
}
