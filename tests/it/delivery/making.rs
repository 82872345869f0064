//! Making mailings: the same key is the same mailing, and nobody is in one twice.

use crate::support::{World, language, on_each_engine};
use clarion::address::Address;
use clarion::addressbook::{self, Stream};
use clarion::clock::Timestamp;
use clarion::delivery::{self, Kind, Letter, MailingState, NewDelivery, NewMailing, NewVariant, OnDoubt, To};

fn digest(key: &str, now: Timestamp) -> NewMailing<'_> {
    NewMailing {
        key,
        kind: Kind::Digest,
        stream: Stream::News,
        title: "Weekly",
        on_doubt: OnDoubt::Retry,
        public: true,
        upper_seq: Some(7),
        not_before: now,
        deadline: None,
    }
}

fn variant<'a>(key: &'a str, language: &'a clarion::language::Language, items: &'a [(String, i64)]) -> NewVariant<'a> {
    NewVariant { key, language, subject: "News", body_text: "Hello", body_html: "<p>Hello</p>", mark: "m", items }
}

fn to_person(person: i64, variant: i64) -> NewDelivery {
    NewDelivery { to: To::Person(person), variant, personal: Vec::new() }
}

async fn enter_people(world: &World, count: usize) -> Vec<i64> {
    let mut tx = world.db.begin().await.unwrap();
    let mut people = Vec::new();
    for number in 0..count {
        let address = Address::parse(&format!("person{number}@example.org")).unwrap();
        people.push(addressbook::find_or_enter(&mut tx, &world.vault, &address, world.clock.now()).await.unwrap());
    }
    tx.commit().await.unwrap();
    people
}

async fn state_of(world: &World, mailing: i64) -> String {
    sqlx::query_scalar("SELECT state FROM mailing WHERE id = $1").bind(mailing).fetch_one(world.db.reader()).await.unwrap()
}

#[tokio::test]
async fn the_same_key_is_the_same_mailing_and_nobody_is_in_it_twice() {
    on_each_engine(async |world: World| {
        let now = world.clock.now();
        let people = enter_people(&world, 300).await;
        let english = language("en");
        let mut tx = world.db.begin().await.unwrap();
        let mailing = delivery::open_mailing(&mut tx, &digest("digest:weekly:1", now), now).await.unwrap();
        assert_eq!((mailing.state, mailing.cursor, mailing.upper_seq), (MailingState::Cutting, 0, Some(7)));
        let one = delivery::add_variant(&mut tx, mailing.id, &variant("en", &english, &[])).await.unwrap();
        assert_eq!(delivery::add_variant(&mut tx, mailing.id, &variant("en", &english, &[])).await.unwrap(), one);
        let first_half: Vec<_> = people[..200].iter().map(|person| to_person(*person, one)).collect();
        let all: Vec<_> = people.iter().map(|person| to_person(*person, one)).collect();
        assert_eq!(delivery::add_deliveries(&mut tx, &world.vault, mailing.id, &first_half, now).await.unwrap(), 200);
        delivery::set_cursor(&mut tx, mailing.id, people[199]).await.unwrap();
        assert_eq!(delivery::add_deliveries(&mut tx, &world.vault, mailing.id, &all, now).await.unwrap(), 100);
        let again = delivery::open_mailing(&mut tx, &digest("digest:weekly:1", now), now).await.unwrap();
        assert_eq!((again.id, again.cursor), (mailing.id, people[199]));
        delivery::release(&mut tx, mailing.id, now).await.unwrap();
        let found = delivery::find_mailing(&mut tx, "digest:weekly:1").await.unwrap().unwrap();
        assert_eq!(found.state, MailingState::Ready);
        let late = [NewDelivery { to: To::Staff(Address::parse("office@example.org").unwrap()), variant: one, personal: Vec::new() }];
        assert_eq!(delivery::add_deliveries(&mut tx, &world.vault, mailing.id, &late, now).await.unwrap(), 0, "the cutting is over");
        assert_eq!(delivery::find_mailing(&mut tx, "digest:weekly:2").await.unwrap(), None);
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_mailing_to_nobody_is_done_at_once() {
    on_each_engine(async |world: World| {
        let now = world.clock.now();
        let mut tx = world.db.begin().await.unwrap();
        let mailing = delivery::open_mailing(&mut tx, &digest("digest:weekly:1", now), now).await.unwrap();
        delivery::release(&mut tx, mailing.id, now).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(state_of(&world, mailing.id).await, "done");
    })
    .await;
}

#[tokio::test]
async fn a_letter_is_posted_once_and_its_staff_addresses_are_sealed() {
    on_each_engine(async |world: World| {
        let now = world.clock.now();
        let english = language("en");
        let office = Address::parse("office@example.org").unwrap();
        let letter = Letter {
            key: "plan:1",
            kind: Kind::Staff,
            language: &english,
            subject: "The plan",
            body_text: "Hello",
            body_html: "<p>Hello</p>",
            mark: "m",
            to: vec![(To::Staff(office.clone()), Vec::new()), (To::Staff(office), Vec::new())],
        };
        let mut tx = world.db.begin().await.unwrap();
        assert!(delivery::post(&mut tx, &world.vault, &letter, now).await.unwrap());
        assert!(!delivery::post(&mut tx, &world.vault, &letter, now).await.unwrap());
        tx.commit().await.unwrap();
        let rows: Vec<(String, String, String)> =
            sqlx::query_as("SELECT recipient, address_sealed, state FROM delivery").fetch_all(world.db.reader()).await.unwrap();
        assert_eq!(rows.len(), 1, "one address, one delivery");
        assert!(rows[0].0.starts_with("s:") && !format!("{rows:?}").contains("office"));
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_mailing_skips_what_was_not_sent() {
    on_each_engine(async |world: World| {
        let now = world.clock.now();
        let people = enter_people(&world, 3).await;
        let english = language("en");
        let mut tx = world.db.begin().await.unwrap();
        let mailing = delivery::open_mailing(&mut tx, &digest("digest:weekly:1", now), now).await.unwrap();
        let one = delivery::add_variant(&mut tx, mailing.id, &variant("en", &english, &[])).await.unwrap();
        let all: Vec<_> = people.iter().map(|person| to_person(*person, one)).collect();
        delivery::add_deliveries(&mut tx, &world.vault, mailing.id, &all, now).await.unwrap();
        delivery::release(&mut tx, mailing.id, now).await.unwrap();
        assert_eq!(delivery::cancel(&mut tx, mailing.id, "withdrawn", now).await.unwrap(), 3);
        assert_eq!(delivery::cancel(&mut tx, mailing.id, "withdrawn", now).await.unwrap(), 0);
        tx.commit().await.unwrap();
        assert_eq!(state_of(&world, mailing.id).await, "cancelled");
    })
    .await;
}

#[tokio::test]
async fn what_was_carried_is_known_by_person_and_group_and_skipped_mail_carried_nothing() {
    on_each_engine(async |world: World| {
        let now = world.clock.now();
        let people = enter_people(&world, 3).await;
        let english = language("en");
        let (a, b) = ([("a".to_owned(), 1), ("b".to_owned(), 2)], [("b".to_owned(), 3)]);
        let mut tx = world.db.begin().await.unwrap();
        let first = delivery::open_mailing(&mut tx, &digest("first", now), now).await.unwrap().id;
        let both = delivery::add_variant(&mut tx, first, &variant("both", &english, &a)).await.unwrap();
        let only_b = delivery::add_variant(&mut tx, first, &variant("b", &english, &b)).await.unwrap();
        let sent = [to_person(people[0], both), to_person(people[1], only_b)];
        delivery::add_deliveries(&mut tx, &world.vault, first, &sent, now).await.unwrap();
        delivery::release(&mut tx, first, now).await.unwrap();
        let second = delivery::open_mailing(&mut tx, &digest("second", now), now).await.unwrap().id;
        let again = delivery::add_variant(&mut tx, second, &variant("both", &english, &a)).await.unwrap();
        delivery::add_deliveries(&mut tx, &world.vault, second, &[to_person(people[2], again)], now).await.unwrap();
        delivery::cancel(&mut tx, second, "stopped", now).await.unwrap();
        let groups = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let mut pairs: Vec<_> = delivery::carried(&mut tx, &people, &groups)
            .await
            .unwrap()
            .into_iter()
            .map(|item| (item.person, item.translation_group))
            .collect();
        pairs.sort();
        assert_eq!(pairs, [(people[0], "a".to_owned()), (people[0], "b".to_owned()), (people[1], "b".to_owned())]);
        assert_eq!(delivery::carried(&mut tx, &people[1..], &groups[..1]).await.unwrap(), []);
        assert_eq!(delivery::carried(&mut tx, &[], &[]).await.unwrap(), []);
        tx.commit().await.unwrap();
    })
    .await;
}
