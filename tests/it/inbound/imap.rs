//! A mailbox at a provider: what is taken in from it, and what is left to people.

use super::office::{count, desk, letter, mailing, sample, token};
use crate::delivery::office::enter_people;
use crate::support::imap::Mailbox;
use crate::support::{World, on_each_engine};
use clarion::delivery::Kind as For;
use clarion::inbound::{After, ImapStep};
use clarion::task::{Step as _, Wake};
use std::time::Duration;

fn step(world: &World, mailbox: &Mailbox) -> ImapStep {
    ImapStep::new(world.db.clone(), desk(world), world.clock.clone(), mailbox.settings(After::Move("Clarion".to_owned())))
}

/// Lets it look, once it is time to.
async fn look(world: &World, step: &ImapStep) {
    world.pass(Duration::from_mins(5));
    while step.step().await.unwrap() == Wake::Now {}
}

const CAME_IN: &str = "SELECT COUNT(*) FROM inbound";

#[tokio::test]
async fn what_people_have_read_before_the_first_look_is_theirs_at_every_later_one() {
    on_each_engine(async |world: World| {
        let mailbox = Mailbox::start().await;
        let old = mailbox.put(letter("leave@example.org", "years ago"), true);
        let step = step(&world, &mailbox);
        // Nothing is unread.
        look(&world, &step).await;
        look(&world, &step).await;
        assert_eq!((count(&world, CAME_IN).await, mailbox.numbers()), (0, vec![old]));
        // From here on also what somebody was quicker to read.
        mailbox.put(letter("leave@example.org", "today"), true);
        mailbox.put(letter("join@example.org", "today"), false);
        look(&world, &step).await;
        assert_eq!((count(&world, CAME_IN).await, mailbox.numbers()), (2, vec![old]));
        assert!(mailbox.contents().moved.iter().all(|(folder, _)| folder == "Clarion"));
        // The server numbers anew.
        mailbox.contents().validity = 2;
        look(&world, &step).await;
        look(&world, &step).await;
        assert_eq!((count(&world, CAME_IN).await, mailbox.numbers()), (2, vec![old]));
    })
    .await;
}

#[tokio::test]
async fn at_the_first_look_all_that_is_unread_is_taken_in_however_much_it_is_and_whatever_breaks_it() {
    on_each_engine(async |world: World| {
        let mailbox = Mailbox::start().await;
        let old = mailbox.put(letter("leave@example.org", "years ago"), true);
        for number in 0..205 {
            mailbox.put(format!("Subject: {number}\r\n\r\nhello").into_bytes(), false);
        }
        let last = mailbox.put(letter("join@example.org", "hello"), false);
        mailbox.spoil(last);
        let step = step(&world, &mailbox);
        look(&world, &step).await;
        assert_eq!(count(&world, CAME_IN).await, 205);
        look(&world, &step).await;
        mailbox.contents().messages.iter_mut().for_each(|message| message.broken = false);
        look(&world, &step).await;
        look(&world, &step).await;
        assert_eq!((count(&world, CAME_IN).await, mailbox.numbers()), (206, vec![old]));
    })
    .await;
}

#[tokio::test]
async fn a_message_that_the_server_does_not_hand_out_is_stepped_over_after_three_looks_and_told() {
    on_each_engine(async |world: World| {
        let people = enter_people(&world, 1).await;
        let delivery = mailing(&world, "digest:1", For::Digest, &people).await[0];
        let mailbox = Mailbox::start().await;
        let step = step(&world, &mailbox);
        look(&world, &step).await;
        let broken = mailbox.put(b"Subject: x\r\n\r\n".to_vec(), false);
        mailbox.spoil(broken);
        mailbox.put(sample("postfix", &token(&world, delivery).await), false);
        let told = "SELECT COUNT(*) FROM notice WHERE key LIKE 'imap-withheld:%'";
        for _ in 0..3 {
            look(&world, &step).await;
            assert_eq!((count(&world, "SELECT COUNT(*) FROM bounce").await, count(&world, told).await), (0, 0));
        }
        look(&world, &step).await;
        look(&world, &step).await;
        assert_eq!((count(&world, "SELECT COUNT(*) FROM bounce").await, count(&world, told).await), (1, 1));
        assert_eq!(mailbox.contents().fetched, [1, 1, 1, 2]);
        assert_eq!(mailbox.numbers(), [broken], "it stays where it is");
        let body: String =
            sqlx::query_scalar("SELECT body FROM notice WHERE key LIKE 'imap-withheld:%'").fetch_one(world.db.reader()).await.unwrap();
        assert!(body.contains(&format!("UID {broken},")), "{body}");
    })
    .await;
}
