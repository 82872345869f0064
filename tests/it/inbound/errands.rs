//! What people want by mail: to join, to leave, to confirm.

use super::office::{count, desk, letter, mailing, send, token};
use crate::delivery::office::enter_people;
use crate::support::{World, language, on_each_engine};
use clarion::delivery::Kind as For;
use clarion::inbound::Kind;
use clarion::language::Catalogue;
use clarion::subscription::{SignupStep, SubscriptionState};
use clarion::task::{Kick, Step as _, Wake};
use std::time::Duration;

/// Answers what was asked, and sends it.
async fn answer(world: &World) {
    let (db, vault, clock) = (world.db.clone(), world.vault.clone(), world.clock.clone());
    let step = SignupStep::new(db, vault, clock, world.site.clone(), Catalogue::shipped(), vec!["weekly".to_owned()], Kick::default());
    let step = step.reading_mail(true);
    while step.step().await.unwrap() == Wake::Now {}
    send(world).await;
}

/// The text of the newest mail.
fn newest_mail(world: &World) -> String {
    let mut mails: Vec<_> = std::fs::read_dir(world.folder.path().join("mail")).unwrap().map(|entry| entry.unwrap().path()).collect();
    mails.retain(|path| path.extension().is_some_and(|end| end == "eml"));
    mails.sort();
    let bytes = std::fs::read(mails.last().unwrap()).unwrap();
    let message = mail_parser::MessageParser::default().parse(&bytes).unwrap();
    message.body_text(0).unwrap().into_owned()
}

/// The address in a mail that begins so.
fn address_in(text: &str, before: &str) -> String {
    let found = text.split_whitespace().find(|word| word.starts_with(before));
    found.unwrap_or_else(|| panic!("no {before} in:\n{text}")).to_owned()
}

#[tokio::test]
async fn joining_by_mail_asks_for_confirmation_and_a_mail_confirms() {
    on_each_engine(async |world: World| {
        let message = letter("join@example.org", "参加します。よろしくお願いします");
        assert_eq!(desk(&world).receive(&message).await.unwrap(), Kind::Join);
        answer(&world).await;
        let text = newest_mail(&world);
        assert!(text.contains("空メール"), "in the language of who wrote: {text}");
        let address = address_in(&text, "bounces+confirm-");
        // A program that answers by itself confirms nothing.
        let automatic = [&b"Auto-Submitted: auto-replied\r\n"[..], &letter(&address, "")].concat();
        assert_eq!(desk(&world).receive(&automatic).await.unwrap(), Kind::AutoReply);
        assert_eq!(count(&world, "SELECT COUNT(*) FROM subscription WHERE state = 'active'").await, 0);
        assert_eq!(desk(&world).receive(&letter(&address, "")).await.unwrap(), Kind::Confirm);
        assert_eq!(count(&world, "SELECT COUNT(*) FROM subscription WHERE state = 'active'").await, 1);
        let mut connection = world.db.reader().acquire().await.unwrap();
        let found = clarion::subscription::subscription(&mut connection, 1).await.unwrap().unwrap();
        assert_eq!((found.state, found.choices.languages), (SubscriptionState::Active, vec![language("ja")]));
        assert_eq!(count(&world, "SELECT COUNT(*) FROM consent_event WHERE kind = 'confirmed' AND method = 'mail'").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_confirmation_by_mail_holds_as_long_as_the_link() {
    on_each_engine(async |world: World| {
        desk(&world).receive(&letter("join@example.org", "hello")).await.unwrap();
        answer(&world).await;
        let address = address_in(&newest_mail(&world), "bounces+confirm-");
        world.pass(Duration::from_hours(73));
        assert_eq!(desk(&world).receive(&letter(&address, "")).await.unwrap(), Kind::Unclear);
        assert_eq!(count(&world, "SELECT COUNT(*) FROM subscription WHERE state = 'active'").await, 0);
    })
    .await;
}

#[tokio::test]
async fn who_writes_to_leave_without_a_token_is_sent_the_link() {
    on_each_engine(async |world: World| {
        desk(&world).receive(&letter("join@example.org", "hello")).await.unwrap();
        answer(&world).await;
        let address = address_in(&newest_mail(&world), "bounces+confirm-");
        desk(&world).receive(&letter(&address, "")).await.unwrap();
        world.pass(Duration::from_hours(1));
        assert_eq!(desk(&world).receive(&letter("leave@example.org", "enough")).await.unwrap(), Kind::Leave);
        assert_eq!(
            count(&world, "SELECT COUNT(*) FROM subscription WHERE state = 'active'").await,
            1,
            "anybody can write in anybody's name"
        );
        answer(&world).await;
        assert!(newest_mail(&world).contains("/preferences/"));
    })
    .await;
}

#[tokio::test]
async fn a_flood_of_wishes_is_left_to_people() {
    on_each_engine(async |world: World| {
        for number in 0..102 {
            let message = format!("From: p{number}@example.org\r\nTo: join@example.org\r\n\r\n{number}\r\n");
            let kind = desk(&world).receive(message.as_bytes()).await.unwrap();
            assert_eq!(kind, if number < 100 { Kind::Join } else { Kind::Unclear }, "{number}");
        }
        assert_eq!(count(&world, "SELECT COUNT(*) FROM signup").await, 100);
    })
    .await;
}

#[tokio::test]
async fn a_wave_of_people_who_leave_by_their_mails_takes_no_turn_of_who_writes_to_leave() {
    on_each_engine(async |world: World| {
        let people = enter_people(&world, 101).await;
        let desk = desk(&world);
        for delivery in mailing(&world, "digest:1", For::Digest, &people).await {
            let address = format!("bounces+leave-{}@example.org", token(&world, delivery).await);
            assert_eq!(desk.receive(&letter(&address, "unsubscribe")).await.unwrap(), Kind::Leave);
        }
        assert_eq!(desk.receive(&letter("leave@example.org", "enough")).await.unwrap(), Kind::Leave);
        assert_eq!(count(&world, "SELECT COUNT(*) FROM signup WHERE wish = 'preferences'").await, 1);
    })
    .await;
}
