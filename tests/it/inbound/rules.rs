//! What follows from what comes back.

use super::office::{count, deliverability, desk, letter, mailing, sample, send, state, token};
use crate::delivery::office::{address, drain, enter_people, mail_out, plan, single_step, state_of};
use crate::support::relay::{Fault, Manner, Relay};
use crate::support::{World, language, on_each_engine};
use clarion::addressbook::Stream;
use clarion::delivery::{self, Kind as For};
use clarion::inbound::Kind;
use clarion::language::Catalogue;
use clarion::subscription::{self, CONSENT_TEXT_VERSION, Choices, Method, NewSignup, Occasion, SignupStep, Wish};
use clarion::task::{Kick, Step as _, Wake};
use std::collections::BTreeSet;
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

fn choices() -> Choices {
    Choices { topics: BTreeSet::new(), languages: vec![language("en")], rhythm: "weekly".to_owned() }
}

/// Somebody asks with the address of a person, and is answered.
async fn ask(world: &World, wish: Wish) {
    let signup = NewSignup {
        wish,
        address: &address("person0@example.org"),
        language: &language("en"),
        choices: &choices(),
        method: Method::Page,
        text_version: CONSENT_TEXT_VERSION,
    };
    let mut tx = world.db.begin().await.unwrap();
    subscription::sign_up(&mut tx, &world.vault, &signup, world.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    let (db, vault, clock) = (world.db.clone(), world.vault.clone(), world.clock.clone());
    let step = SignupStep::new(db, vault, clock, world.site.clone(), Catalogue::shipped(), vec!["weekly".to_owned()], Kick::default());
    while step.step().await.unwrap() == Wake::Now {}
    send(world).await;
}

async fn newest_delivery(world: &World) -> i64 {
    count(world, "SELECT MAX(id) FROM delivery").await
}

async fn subscribe(world: &World) -> i64 {
    let person = enter_people(world, 1).await[0];
    let mut tx = world.db.begin().await.unwrap();
    subscription::subscribe_confirmed(&mut tx, person, &choices(), "a card", world.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    person
}

/// A mailing whose mail to the person comes back so.
async fn comes_back(world: &World, key: &str, person: i64, report: &str) {
    let delivery = mailing(world, key, For::Digest, &[person]).await[0];
    assert_eq!(desk(world).receive(&sample(report, &token(world, delivery))).await.unwrap(), Kind::Bounce);
}

#[tokio::test]
async fn an_unknown_user_is_paused_at_the_second_mailing_and_suppressed_when_what_they_asked_for_comes_back_too() {
    on_each_engine(async |world: World| {
        let person = subscribe(&world).await;
        comes_back(&world, "digest:1", person, "postfix").await;
        assert_eq!(deliverability(&world, person).await, "good");
        world.pass(DAY);
        comes_back(&world, "digest:2", person, "gmail").await;
        assert_eq!(deliverability(&world, person).await, "paused");
        world.pass(DAY);
        let skipped = mailing(&world, "digest:3", For::Digest, &[person]).await[0];
        assert_eq!(state(&world, skipped).await, ("skipped".to_owned(), "bounced".to_owned()));
        // Somebody asks with that address: it is tried once more.
        ask(&world, Wish::Preferences).await;
        let trial = newest_delivery(&world).await;
        assert_eq!(state(&world, trial).await.0, "sent");
        assert_eq!(desk(&world).receive(&sample("exim", &token(&world, trial))).await.unwrap(), Kind::Bounce);
        assert_eq!(deliverability(&world, person).await, "bad");
        world.pass(DAY);
        ask(&world, Wish::Preferences).await;
        assert_eq!(state(&world, newest_delivery(&world).await).await, ("skipped".to_owned(), "address does not exist".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn any_other_bad_address_takes_two_mailings_five_days_apart() {
    on_each_engine(async |world: World| {
        let person = subscribe(&world).await;
        comes_back(&world, "digest:1", person, "exchange").await;
        world.pass(DAY * 3);
        comes_back(&world, "digest:2", person, "exchange").await;
        assert_eq!(deliverability(&world, person).await, "good", "three days may be one bad weekend");
        world.pass(DAY * 3);
        comes_back(&world, "digest:3", person, "exchange").await;
        assert_eq!(deliverability(&world, person).await, "paused");
    })
    .await;
}

#[tokio::test]
async fn a_full_mailbox_pauses_after_days_and_confirming_again_forgives_it() {
    on_each_engine(async |world: World| {
        let person = subscribe(&world).await;
        for number in 0..7 {
            assert_eq!(deliverability(&world, person).await, "good", "{number}");
            comes_back(&world, &format!("digest:{number}"), person, "sendmail").await;
            world.pass(DAY);
        }
        assert_eq!(deliverability(&world, person).await, "paused");
        let mut tx = world.db.begin().await.unwrap();
        assert!(subscription::change(&mut tx, person, &choices(), None, Occasion::by(Method::Page), world.clock.now()).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(deliverability(&world, person).await, "good");
        comes_back(&world, "digest:again", person, "sendmail").await;
        assert_eq!(deliverability(&world, person).await, "good", "what came back before counts no more");
    })
    .await;
}

#[tokio::test]
async fn refusals_in_the_dialogue_follow_the_same_rules() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        relay.always("person0@example.org", Fault::Rcpt("550 5.1.1 <person0@example.org> unknown"));
        let people = enter_people(&world, 2).await;
        for key in ["digest:1", "digest:2"] {
            assert_eq!(deliverability(&world, people[0]).await, "good");
            mail_out(&world, &plan(&world, key, For::Digest), &people, &[]).await;
            drain(&single_step(&world, &relay)).await;
            world.pass(DAY);
        }
        assert_eq!(deliverability(&world, people[0]).await, "paused");
        assert_eq!(deliverability(&world, people[1]).await, "good");
    })
    .await;
}

#[tokio::test]
async fn a_mailing_that_is_refused_for_what_it_is_is_held_and_pauses_nobody() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let people = enter_people(&world, 300).await;
        for number in 0..250 {
            relay.always(&format!("person{number}@example.org"), Fault::Rcpt("550 5.7.1 this mail is not wanted here"));
        }
        let mailing = mail_out(&world, &plan(&world, "digest:1", For::Digest), &people, &[]).await;
        drain(&single_step(&world, &relay)).await;
        assert_eq!(state_of(&world, mailing).await, "held");
        let refused = count(&world, "SELECT COUNT(*) FROM bounce WHERE cause = 'policy'").await;
        assert!((5..30).contains(&refused), "{refused}");
        assert_eq!(count(&world, "SELECT COUNT(*) FROM notice WHERE key LIKE 'mailing-refused:%'").await, 1);
        assert_eq!(count(&world, "SELECT COUNT(*) FROM person WHERE deliverability <> 'good'").await, 0);
        // Staff have seen it and let it go on: as often again, and it is held again.
        for _ in 0..7 {
            let mut tx = world.db.begin().await.unwrap();
            assert!(delivery::resume(&mut tx, mailing).await.unwrap());
            tx.commit().await.unwrap();
            drain(&single_step(&world, &relay)).await;
            if state_of(&world, mailing).await == "done" {
                break;
            }
        }
        assert_eq!(state_of(&world, mailing).await, "done");
        assert_eq!(relay.received().len(), 50);
    })
    .await;
}

#[tokio::test]
async fn a_complaint_ends_everything_at_once() {
    on_each_engine(async |world: World| {
        let person = subscribe(&world).await;
        let delivery = mailing(&world, "digest:1", For::Digest, &[person]).await[0];
        let complaint = sample("complaint", &token(&world, delivery));
        let praise = String::from_utf8(complaint.clone()).unwrap().replace("Feedback-Type: abuse", "Feedback-Type: not-spam");
        assert_eq!(desk(&world).receive(praise.as_bytes()).await.unwrap(), Kind::Unclear);
        assert_eq!(count(&world, "SELECT COUNT(*) FROM suppression").await, 0);
        assert_eq!(desk(&world).receive(&complaint).await.unwrap(), Kind::Complaint);
        assert_eq!(count(&world, "SELECT COUNT(*) FROM suppression WHERE reason = 'complaint'").await, 1);
        assert_eq!(count(&world, "SELECT COUNT(*) FROM subscription WHERE state = 'left'").await, 1);
        let skipped = mailing(&world, "digest:2", For::Digest, &[person]).await[0];
        assert_eq!(state(&world, skipped).await, ("skipped".to_owned(), "suppressed".to_owned()));
        let before = newest_delivery(&world).await;
        ask(&world, Wish::Subscribe).await;
        assert_eq!(newest_delivery(&world).await, before, "nobody can have mail sent there again");
    })
    .await;
}

#[tokio::test]
async fn staff_whose_mail_comes_back_are_not_paused_but_told_of_once() {
    on_each_engine(async |world: World| {
        let letter_to_staff = async |key: &str| {
            let mut tx = world.db.begin().await.unwrap();
            let letter = delivery::Letter {
                key,
                kind: For::Staff,
                language: &language("en"),
                subject: "A plan",
                body_text: "plan",
                body_html: "<p>plan</p>",
                mark: "m",
                to: vec![(delivery::To::Staff(address("office@example.org")), Vec::new())],
            };
            delivery::post(&mut tx, &world.vault, &letter, world.clock.now()).await.unwrap();
            tx.commit().await.unwrap();
            send(&world).await;
            newest_delivery(&world).await
        };
        for key in ["plan:1", "plan:2", "plan:3"] {
            let delivery = letter_to_staff(key).await;
            assert_eq!(state(&world, delivery).await.0, "sent");
            assert_eq!(desk(&world).receive(&sample("postfix", &token(&world, delivery))).await.unwrap(), Kind::Bounce);
        }
        assert_eq!(count(&world, "SELECT COUNT(*) FROM notice WHERE key LIKE 'staff-bounce:%'").await, 1);
    })
    .await;
}

#[tokio::test]
async fn reports_of_failure_are_asked_for_where_they_are_offered() {
    on_each_engine(async |world: World| {
        let offers = &["PIPELINING", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES"];
        let relay = Relay::start_with(Manner { offers, ..Manner::default() }).await;
        let people = enter_people(&world, 1).await;
        mail_out(&world, &plan(&world, "digest:1", For::Digest), &people, &[]).await;
        drain(&single_step(&world, &relay)).await;
        let name = token(&world, newest_delivery(&world).await);
        let commands = relay.commands();
        let mail = commands.iter().find(|command| command.starts_with("MAIL")).unwrap();
        assert!(mail.contains(" RET=HDRS") && mail.contains(&format!(" ENVID=bounces+2B{name}")), "{mail}");
        let rcpt = commands.iter().find(|command| command.starts_with("RCPT")).unwrap();
        assert!(rcpt.contains(" NOTIFY=FAILURE") && rcpt.contains(" ORCPT=rfc822;person0@example.org"), "{rcpt}");
        // The name alone is enough: whoever rewrites the sender leaves it.
        let report = String::from_utf8(sample("postfix", "aaaaaaaaaaaaaaaaaaaaaaaa")).unwrap();
        let report = report.replacen(
            "Original-Envelope-Id: bounces+aaaaaaaaaaaaaaaaaaaaaaaa",
            &format!("Original-Envelope-Id: bounces+2B{name}"),
            1,
        );
        assert_eq!(desk(&world).receive(report.as_bytes()).await.unwrap(), Kind::Bounce);
    })
    .await;
}

#[tokio::test]
async fn leaving_by_the_address_in_the_header_ends_it_without_a_question() {
    on_each_engine(async |world: World| {
        let person = subscribe(&world).await;
        let delivery = mailing(&world, "digest:1", For::Digest, &[person]).await[0];
        let folder = world.folder.path().join("mail");
        let mail = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.extension().is_some_and(|end| end == "eml"));
        let mail = std::fs::read_to_string(mail.unwrap()).unwrap().replace("\r\n ", " ");
        let address = format!("bounces+leave-{}@example.org", token(&world, delivery));
        assert!(mail.contains(&format!("<mailto:{address}?subject=unsubscribe>")), "{mail}");
        // Years later, and from whatever address.
        world.pass(DAY * 2000);
        let words = String::from_utf8(letter(&address, "unsubscribe")).unwrap().replace("person0@", "other@");
        assert_eq!(desk(&world).receive(words.as_bytes()).await.unwrap(), Kind::Leave);
        let mut connection = world.db.reader().acquire().await.unwrap();
        let left = subscription::subscription(&mut connection, person).await.unwrap().unwrap();
        assert_eq!((left.state.as_str(), left.refused.len()), ("left", Stream::REFUSABLE.len()));
    })
    .await;
}
