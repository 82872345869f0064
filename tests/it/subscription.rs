//! Subscriptions in the database, many at a time, and what happens to sign-ups off the page.

use crate::support::{World, language, on_each_engine};
use clarion::address::Address;
use clarion::addressbook::{self, Deliverability, Stream};
use clarion::language::Catalogue;
use clarion::subscription::{
    self, CONSENT_TEXT_VERSION, Choices, Confirmation, ConsentKind, Method, NewSignup, Occasion, SignupStep, SubscriptionState, Wish,
};
use clarion::task::{Kick, Step as _, Wake};
use clarion::vault::content_hash;
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

fn choices(topics: &[&str], languages: &[&str], rhythm: &str) -> Choices {
    Choices {
        topics: topics.iter().map(ToString::to_string).collect(),
        languages: languages.iter().map(|tag| language(tag)).collect(),
        rhythm: rhythm.to_owned(),
    }
}

async fn subscribe(world: &World, name: &str, choices: &Choices) -> i64 {
    let address = Address::parse(&format!("{name}@example.org")).unwrap();
    let mut tx = world.db.begin().await.unwrap();
    let person = addressbook::find_or_enter(&mut tx, &world.vault, &address, world.clock.now()).await.unwrap();
    subscription::subscribe_confirmed(&mut tx, person, choices, "a card signed at the bazaar", world.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    person
}

async fn sign_up(world: &World, name: &str, wish: Wish) -> i64 {
    let address = Address::parse(&format!("{name}@example.org")).unwrap();
    let choices = choices(&[], &["en"], "gone");
    let signup = NewSignup {
        wish,
        address: &address,
        language: &language("en"),
        choices: &choices,
        method: Method::Page,
        text_version: CONSENT_TEXT_VERSION,
    };
    let mut tx = world.db.begin().await.unwrap();
    let id = subscription::sign_up(&mut tx, &world.vault, &signup, world.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    id
}

fn step(world: &World) -> SignupStep {
    let (db, vault, clock) = (world.db.clone(), world.vault.clone(), world.clock.clone());
    SignupStep::new(db, vault, clock, world.site.clone(), Catalogue::shipped(), vec!["weekly".to_owned()], Kick::default())
}

async fn settle(step: &SignupStep) {
    while step.step().await.unwrap() == Wake::Now {}
}

async fn count(world: &World, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(world.db.reader()).await.unwrap()
}

#[tokio::test]
async fn readers_come_in_chunks_with_their_choices_in_order() {
    on_each_engine(async |world: World| {
        let weekly = choices(&["defectors", "petitions"], &["ja", "en"], "weekly");
        let daily = choices(&[], &["en"], "daily");
        let first = subscribe(&world, "a", &weekly).await;
        let second = subscribe(&world, "b", &daily).await;
        let third = subscribe(&world, "c", &weekly).await;
        let gone = subscribe(&world, "d", &weekly).await;
        let mut tx = world.db.begin().await.unwrap();
        subscription::leave(&mut tx, gone, &Stream::REFUSABLE, Occasion::by(Method::Mail), world.clock.now()).await.unwrap();
        subscription::advance_watermarks(&mut tx, &[first, second], 7).await.unwrap();
        subscription::advance_watermarks(&mut tx, &[first, third], 5).await.unwrap();
        subscription::advance_watermarks(&mut tx, &[], 9).await.unwrap();
        tx.commit().await.unwrap();

        let mut connection = world.db.reader().acquire().await.unwrap();
        let seen = |readers: &[subscription::Reader]| readers.iter().map(|reader| (reader.person, reader.watermark)).collect::<Vec<_>>();
        let chunk = subscription::readers(&mut connection, Some("weekly"), 0, 1).await.unwrap();
        assert_eq!(seen(&chunk), [(first, 7)], "a watermark never goes back");
        assert_eq!(chunk[0].choices, weekly);
        let rest = subscription::readers(&mut connection, Some("weekly"), first, 10).await.unwrap();
        assert_eq!(seen(&rest), [(third, 5)]);
        let all = subscription::readers(&mut connection, None, 0, 10).await.unwrap();
        assert_eq!(seen(&all), [(first, 7), (second, 7), (third, 5)]);
        assert_eq!(all[1].choices, daily);
        assert_eq!(subscription::readers(&mut connection, None, third, 10).await.unwrap(), []);
        assert_eq!(subscription::count_active(&mut connection).await.unwrap(), 3);
    })
    .await;
}

#[tokio::test]
async fn confirming_makes_a_bounced_address_good_again_and_is_recorded() {
    on_each_engine(async |world: World| {
        let person = subscribe(&world, "kim", &choices(&[], &["en"], "weekly")).await;
        let mut tx = world.db.begin().await.unwrap();
        subscription::leave(&mut tx, person, &[Stream::News, Stream::Petitions], Occasion::by(Method::Mail), world.clock.now())
            .await
            .unwrap();
        addressbook::set_deliverability(&mut tx, person, Deliverability::Bad).await.unwrap();
        tx.commit().await.unwrap();
        let id = sign_up(&world, "kim", Wish::Subscribe).await;
        let mut tx = world.db.begin().await.unwrap();
        let early = subscription::confirm(&mut tx, id, Occasion::by(Method::Mail), world.clock.now()).await.unwrap();
        assert_eq!(early, Confirmation::Gone, "nothing was mailed yet");
        tx.commit().await.unwrap();

        settle(&step(&world)).await;
        let mut tx = world.db.begin().await.unwrap();
        let now = world.clock.now();
        assert_eq!(subscription::confirm(&mut tx, id, Occasion::by(Method::Mail), now).await.unwrap(), Confirmation::Done);
        assert_eq!(subscription::confirm(&mut tx, id, Occasion::by(Method::Mail), now).await.unwrap(), Confirmation::Already);
        assert_eq!(addressbook::deliverability(&mut tx, person).await.unwrap(), Deliverability::Good);
        let found = subscription::subscription(&mut tx, person).await.unwrap().unwrap();
        assert_eq!((found.state, found.refused), (SubscriptionState::Active, vec![]));
        assert_eq!(found.choices.rhythm, "weekly", "a rhythm that is no more gives way to the first there is");
        let events = subscription::consent_events(&mut tx, person).await.unwrap();
        let first = &events[0];
        assert_eq!(
            (first.kind, first.method, first.note.as_deref()),
            (ConsentKind::Confirmed, Method::Staff, Some("a card signed at the bazaar"))
        );
        let last = events.last().unwrap();
        assert_eq!((last.kind, last.method, last.text_version.as_str()), (ConsentKind::Confirmed, Method::Mail, CONSENT_TEXT_VERSION));
    })
    .await;
}

#[tokio::test]
async fn asking_changes_nothing_for_who_is_subscribed() {
    on_each_engine(async |world: World| {
        let person = subscribe(&world, "kim", &choices(&["defectors"], &["ja"], "weekly")).await;
        let id = sign_up(&world, "kim", Wish::Subscribe).await;
        settle(&step(&world)).await;
        let mut tx = world.db.begin().await.unwrap();
        let found = subscription::subscription(&mut tx, person).await.unwrap().unwrap();
        assert_eq!((found.state, found.choices), (SubscriptionState::Active, choices(&["defectors"], &["ja"], "weekly")));
        let key: String = sqlx::query_scalar("SELECT key FROM mailing").fetch_one(&mut *tx).await.unwrap();
        assert_eq!(key, format!("preferences:{id}"), "a link to their choices, and no confirmation");
        let history = clarion::delivery::history(&mut tx, person, 10).await.unwrap();
        assert_eq!(history.len(), 1);
        assert_eq!((history[0].kind, history[0].state), (clarion::delivery::Kind::Account, clarion::delivery::DeliveryState::Queued));
    })
    .await;
}

#[tokio::test]
async fn sign_ups_are_forgotten_after_a_month_and_so_is_who_never_confirmed() {
    on_each_engine(async |world: World| {
        let member = subscribe(&world, "member", &choices(&[], &["en"], "weekly")).await;
        sign_up(&world, "stranger", Wish::Subscribe).await;
        sign_up(&world, "nobody", Wish::Preferences).await;
        let step = step(&world);
        settle(&step).await;
        assert_eq!(count(&world, "SELECT COUNT(*) FROM person WHERE address_index IS NOT NULL").await, 2);
        world.pass(30 * DAY);
        settle(&step).await;
        assert_eq!(count(&world, "SELECT COUNT(*) FROM signup").await, 2);
        world.pass(2 * DAY);
        settle(&step).await;
        assert_eq!(count(&world, "SELECT COUNT(*) FROM signup").await, 0);
        let left: Vec<i64> =
            sqlx::query_scalar("SELECT id FROM person WHERE address_index IS NOT NULL").fetch_all(world.db.reader()).await.unwrap();
        assert_eq!(left, [member]);
        assert_eq!(count(&world, "SELECT COUNT(*) FROM consent_event WHERE kind = 'erased' AND method = 'lapse'").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_flood_of_sign_ups_waits_and_staff_are_told() {
    on_each_engine(async |world: World| {
        let step = step(&world);
        for number in 0..501 {
            sign_up(&world, &format!("victim{number}"), Wish::Subscribe).await;
        }
        settle(&step).await;
        let sent = "SELECT COUNT(*) FROM signup WHERE state = 'mailed'";
        assert_eq!(count(&world, sent).await, 500);
        assert_eq!(count(&world, "SELECT COUNT(*) FROM notice").await, 1);
        world.pass(Duration::from_hours(1));
        settle(&step).await;
        assert_eq!(count(&world, sent).await, 501);
    })
    .await;
}

/// Consent can be proven only if every version of the text is known (S19).
#[test]
fn the_text_of_consent_has_the_version_it_says() {
    let text = |file: &str| file.lines().find(|line| line.starts_with("consent-text")).unwrap().to_owned();
    let english = text(include_str!("../../locales/en/subscription.ftl"));
    let japanese = text(include_str!("../../locales/ja/subscription.ftl"));
    let hash = content_hash(&[english.as_bytes(), japanese.as_bytes()]);
    assert_eq!(
        (CONSENT_TEXT_VERSION, &hash[..16]),
        ("2026-10", "ae892940ea56fcc0"),
        "the text of consent changed: give it a new version, then write its hash here"
    );
}
