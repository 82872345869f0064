//! What follows from what comes back.

use super::office::{count, deliverability, desk, letter, mailing, sample, send, state, token};
use crate::delivery::office::{address, drain, enter_people, mail_out, plan, single_step, state_of};
use crate::support::relay::{Fault, Manner, Relay};
use crate::support::{World, language, on_each_engine};
use clarion::addressbook::Stream;
use clarion::delivery::{self, Again, Kind as For};
use clarion::inbound::Kind;
use clarion::language::Catalogue;
use clarion::subscription::{self, CONSENT_TEXT_VERSION, Choices, Confirmation, Method, NewSignup, Occasion, SignupStep, Wish};
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
    tidy(world).await;
    send(world).await;
}

/// Answers what was asked, and forgets what is old.
async fn tidy(world: &World) {
    let (db, vault, clock) = (world.db.clone(), world.vault.clone(), world.clock.clone());
    let step = SignupStep::new(db, vault, clock, world.site.clone(), Catalogue::shipped(), vec!["weekly".to_owned()], Kick::default());
    while step.step().await.unwrap() == Wake::Now {}
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
    assert_eq!(desk(world).receive(&sample(report, &token(world, delivery).await)).await.unwrap(), Kind::Bounce);
}

#[tokio::test]
async fn an_unknown_user_is_paused_at_the_second_mailing_and_suppressed_when_what_they_asked_for_comes_back_a_day_apart() {
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
        // Somebody asks with that address: it is tried once more, and again a day later.
        for (after, follows) in [(Duration::ZERO, "paused"), (DAY / 2, "paused"), (DAY, "bad")] {
            world.pass(after);
            ask(&world, Wish::Preferences).await;
            let trial = newest_delivery(&world).await;
            assert_eq!(state(&world, trial).await.0, "sent");
            assert_eq!(desk(&world).receive(&sample("exim", &token(&world, trial).await)).await.unwrap(), Kind::Bounce);
            assert_eq!(deliverability(&world, person).await, follows);
        }
        world.pass(DAY);
        ask(&world, Wish::Preferences).await;
        assert_eq!(state(&world, newest_delivery(&world).await).await, ("skipped".to_owned(), "address does not exist".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn mails_under_way_when_one_is_paused_are_no_trial_however_late_they_come_back() {
    on_each_engine(async |world: World| {
        let person = subscribe(&world).await;
        let mut under_way = Vec::new();
        for number in 0..4 {
            under_way.push(mailing(&world, &format!("digest:{number}"), For::Digest, &[person]).await[0]);
        }
        let late = under_way.pop().unwrap();
        for delivery in under_way {
            assert_eq!(desk(&world).receive(&sample("postfix", &token(&world, delivery).await)).await.unwrap(), Kind::Bounce);
        }
        // One had been claimed before the pause, and left when it was over with the relay.
        world.pass(DAY * 2);
        let mut tx = world.db.begin().await.unwrap();
        let leaves = sqlx::query("UPDATE delivery SET first_attempt_at = $1, settled_at = $1 WHERE id = $2");
        leaves.bind(world.clock.now().as_millis()).bind(late).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(desk(&world).receive(&sample("postfix", &token(&world, late).await)).await.unwrap(), Kind::Bounce);
        assert_eq!(deliverability(&world, person).await, "paused");
    })
    .await;
}

#[tokio::test]
async fn a_second_report_says_more_about_why_and_nothing_about_when_and_revives_nothing() {
    on_each_engine(async |world: World| {
        let person = subscribe(&world).await;
        let delivery = mailing(&world, "digest:1", For::Digest, &[person]).await[0];
        let left_at = world.clock.now().as_millis();
        world.pass(DAY * 2);
        assert_eq!(desk(&world).receive(&sample("sendmail", &token(&world, delivery).await)).await.unwrap(), Kind::Bounce);
        assert_eq!(count(&world, "SELECT bounced_at FROM bounce").await, left_at);
        let mut tx = world.db.begin().await.unwrap();
        delivery::forgive_bounces(&mut tx, person, world.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        let forgiven_at = count(&world, "SELECT forgiven_at FROM bounce").await;
        world.pass(DAY * 2);
        assert_eq!(desk(&world).receive(&sample("gmail", &token(&world, delivery).await)).await.unwrap(), Kind::Bounce);
        assert_eq!(count(&world, "SELECT COUNT(*) FROM bounce WHERE cause = 'unknown user'").await, 1);
        assert_eq!(count(&world, "SELECT bounced_at FROM bounce").await, left_at);
        assert_eq!(count(&world, "SELECT forgiven_at FROM bounce").await, forgiven_at);
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
async fn what_was_refused_for_what_it_is_goes_again_with_a_clean_count_and_dead_addresses_do_not() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let people = enter_people(&world, 300).await;
        for number in 0..250 {
            relay.always(&format!("person{number}@example.org"), Fault::Rcpt("550 5.7.1 this mail is not wanted here"));
        }
        let mailing = mail_out(&world, &plan(&world, "digest:1", For::Digest), &people, &[]).await;
        let go_on = async |again: bool| {
            let mut tx = world.db.begin().await.unwrap();
            let queued = if again { delivery::retry(&mut tx, mailing, Again::Both, world.clock.now()).await.unwrap() } else { 0 };
            delivery::resume(&mut tx, mailing).await.unwrap();
            tx.commit().await.unwrap();
            i64::try_from(queued).unwrap()
        };
        let refused = "SELECT COUNT(*) FROM bounce WHERE cause = 'policy'";
        while state_of(&world, mailing).await != "done" {
            drain(&single_step(&world, &relay)).await;
            go_on(false).await;
        }
        // Of those that were accepted, one has no such user, and one was refused further on.
        let sent: Vec<i64> = sqlx::query_scalar("SELECT id FROM delivery WHERE state = 'sent' ORDER BY id LIMIT 2")
            .fetch_all(world.db.reader())
            .await
            .unwrap();
        assert_eq!(desk(&world).receive(&sample("postfix", &token(&world, sent[0]).await)).await.unwrap(), Kind::Bounce);
        let report = String::from_utf8(sample("postfix", &token(&world, sent[1]).await)).unwrap();
        let report = report.replace("Status: 5.1.1", "Status: 5.7.1").replace("unknown user", "not wanted");
        assert_eq!(desk(&world).receive(report.as_bytes()).await.unwrap(), Kind::Bounce);
        assert_eq!(state(&world, sent[1]).await.1, "came back: policy");
        assert_eq!(count(&world, refused).await, 251);

        assert_eq!(go_on(true).await, 251);
        assert_eq!(state(&world, sent[0]).await, ("failed".to_owned(), "came back: unknown user".to_owned()));
        assert_eq!((count(&world, refused).await, count(&world, "SELECT refusals_seen FROM mailing").await), (0, 0));
        // The cause was not mended: the same mails are refused, and it is held once more.
        drain(&single_step(&world, &relay)).await;
        assert_eq!(state_of(&world, mailing).await, "held");
        let failed = count(&world, refused).await;
        assert!((5..250).contains(&failed), "{failed}");
        // It was: nothing that is past holds it.
        assert_eq!(go_on(true).await, failed);
        drain(&single_step(&world, &Relay::start().await)).await;
        assert_eq!(state_of(&world, mailing).await, "done");
        assert_eq!(count(&world, "SELECT COUNT(*) FROM delivery WHERE state = 'sent'").await, 299);
    })
    .await;
}

#[tokio::test]
async fn a_complaint_ends_everything_at_once() {
    on_each_engine(async |world: World| {
        let person = subscribe(&world).await;
        let delivery = mailing(&world, "digest:1", For::Digest, &[person]).await[0];
        let complaint = sample("complaint", &token(&world, delivery).await);
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
async fn who_never_confirmed_and_complains_confirms_nothing_later_and_is_forgotten() {
    on_each_engine(async |world: World| {
        ask(&world, Wish::Subscribe).await;
        let delivery = newest_delivery(&world).await;
        let signup = count(&world, "SELECT MAX(id) FROM signup").await;
        assert_eq!(desk(&world).receive(&sample("complaint", &token(&world, delivery).await)).await.unwrap(), Kind::Complaint);
        let mut tx = world.db.begin().await.unwrap();
        let confirmed = subscription::confirm(&mut tx, signup, Occasion::by(Method::Page), world.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(confirmed, Confirmation::Gone, "as if the link were no longer valid");
        assert_eq!(count(&world, "SELECT COUNT(*) FROM subscription WHERE state = 'active'").await, 0);
        world.pass(DAY * 32);
        tidy(&world).await;
        assert_eq!(count(&world, "SELECT COUNT(*) FROM person WHERE address_sealed IS NOT NULL").await, 0);
        assert_eq!(count(&world, "SELECT COUNT(*) FROM suppression").await, 1, "the index stays, so that nothing is ever sent there");
    })
    .await;
}

#[tokio::test]
async fn who_had_confirmed_and_left_may_still_look() {
    on_each_engine(async |world: World| {
        let person = subscribe(&world).await;
        let mut tx = world.db.begin().await.unwrap();
        subscription::leave(&mut tx, person, &Stream::REFUSABLE, Occasion::by(Method::Page), world.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        world.pass(DAY * 400);
        tidy(&world).await;
        assert_eq!(count(&world, "SELECT COUNT(*) FROM person WHERE address_sealed IS NOT NULL").await, 1);
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
            assert_eq!(desk(&world).receive(&sample("postfix", &token(&world, delivery).await)).await.unwrap(), Kind::Bounce);
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
        let name = token(&world, newest_delivery(&world).await).await;
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
        let address = format!("bounces+leave-{}@example.org", token(&world, delivery).await);
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
