//! Reports of mail systems, each in its own dialect.

use super::office::{count, deliverability, desk, mailing, sample, state, token};
use crate::delivery::office::enter_people;
use crate::support::{World, on_each_engine};
use clarion::delivery::{self, Cause, Kind as For};
use clarion::inbound::Kind;
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn the_report_of_every_mail_system_is_understood_and_names_nobody() {
    on_each_engine(async |world: World| {
        let people = enter_people(&world, 1).await;
        for (name, cause, status) in [
            ("postfix", Cause::UnknownUser, "5.1.1"),
            ("exim", Cause::UnknownUser, "5.1.1"),
            ("exchange", Cause::BadAddress, "5.1.10"),
            ("gmail", Cause::UnknownUser, "5.1.1"),
            ("sendmail", Cause::Full, "5.2.2"),
        ] {
            // Long enough after the others that nothing adds up.
            world.pass(DAY * 400);
            let delivery = mailing(&world, &format!("digest:{name}"), For::Digest, &people).await[0];
            assert_eq!(state(&world, delivery).await.0, "sent");
            assert_eq!(desk(&world).receive(&sample(name, &token(&world, delivery).await)).await.unwrap(), Kind::Bounce, "{name}");
            assert_eq!(state(&world, delivery).await, ("failed".to_owned(), format!("came back: {cause}")), "{name}");
            let mut connection = world.db.reader().acquire().await.unwrap();
            let newest = delivery::bounces_of(&mut connection, people[0], 1).await.unwrap().remove(0);
            assert_eq!((newest.cause, newest.status.as_str()), (cause, status), "{name}");
            let words: String =
                sqlx::query_scalar("SELECT reply FROM delivery WHERE id = $1").bind(delivery).fetch_one(&mut *connection).await.unwrap();
            assert!(!words.is_empty() && !words.contains("person0") && !words.contains('@'), "{name}: {words}");
        }
        assert_eq!(deliverability(&world, people[0]).await, "good");
        assert_eq!(count(&world, "SELECT COUNT(*) FROM inbound WHERE sealed IS NOT NULL").await, 0);
        assert_eq!(count(&world, "SELECT total FROM inbound_count WHERE kind = 'bounce'").await, 5);
    })
    .await;
}

#[tokio::test]
async fn a_delay_and_an_answer_of_a_program_change_nothing_and_are_counted() {
    on_each_engine(async |world: World| {
        let people = enter_people(&world, 1).await;
        let delivery = mailing(&world, "digest:1", For::Digest, &people).await[0];
        let token = token(&world, delivery).await;
        assert_eq!(desk(&world).receive(&sample("delayed", &token)).await.unwrap(), Kind::Delay);
        assert_eq!(desk(&world).receive(&sample("vacation", &token)).await.unwrap(), Kind::AutoReply);
        assert_eq!(state(&world, delivery).await.0, "sent");
        assert_eq!(count(&world, "SELECT COUNT(*) FROM bounce").await, 0);
        assert_eq!(count(&world, "SELECT COUNT(*) FROM inbound WHERE sealed IS NOT NULL").await, 0);
    })
    .await;
}

#[tokio::test]
async fn what_is_not_understood_is_kept_sealed_and_told_once_a_day() {
    on_each_engine(async |world: World| {
        let people = enter_people(&world, 1).await;
        let delivery = mailing(&world, "digest:1", For::Digest, &people).await[0];
        let message = sample("qmail", &token(&world, delivery).await);
        assert_eq!(desk(&world).receive(&message).await.unwrap(), Kind::Unclear);
        assert_eq!(state(&world, delivery).await.0, "sent", "it is never acted on");
        for number in 0..3 {
            assert_eq!(desk(&world).receive(format!("Subject: {number}\n\nhello").as_bytes()).await.unwrap(), Kind::Unclear);
        }
        let told = "SELECT COUNT(*) FROM notice WHERE key LIKE 'inbound:%'";
        assert_eq!(count(&world, told).await, 1);
        world.pass(DAY);
        desk(&world).receive(b"Subject: tomorrow\n\nhello").await.unwrap();
        assert_eq!(count(&world, told).await, 2);
        let sealed: Vec<String> = sqlx::query_scalar("SELECT sealed FROM inbound ORDER BY id").fetch_all(world.db.reader()).await.unwrap();
        assert!(sealed.iter().all(|text| !text.contains("person0") && !text.contains("mx.example")));
        let mut connection = world.db.reader().acquire().await.unwrap();
        let opened = clarion::inbound::open_kept(&mut connection, &world.vault, 1).await.unwrap().unwrap();
        assert_eq!(*opened, message);
    })
    .await;
}

#[tokio::test]
async fn the_same_message_counts_once_and_a_second_report_of_one_delivery_is_no_second_bounce() {
    on_each_engine(async |world: World| {
        let people = enter_people(&world, 1).await;
        let delivery = mailing(&world, "digest:1", For::Digest, &people).await[0];
        let message = sample("postfix", &token(&world, delivery).await);
        let desk = desk(&world);
        assert_eq!(desk.receive(&message).await.unwrap(), Kind::Bounce);
        assert_eq!(desk.receive(&message).await.unwrap(), Kind::Known);
        assert_eq!(desk.receive(&sample("gmail", &token(&world, delivery).await)).await.unwrap(), Kind::Bounce);
        assert_eq!(count(&world, "SELECT COUNT(*) FROM bounce").await, 1);
        assert_eq!(deliverability(&world, people[0]).await, "good");
        assert_eq!(count(&world, "SELECT total FROM inbound_count WHERE kind = 'bounce'").await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_report_of_a_mail_long_ago_or_not_sent_yet_is_not_believed() {
    on_each_engine(async |world: World| {
        let people = enter_people(&world, 2).await;
        let delivery = mailing(&world, "digest:1", For::Digest, &people[..1]).await[0];
        world.pass(DAY * 31);
        assert_eq!(desk(&world).receive(&sample("postfix", &token(&world, delivery).await)).await.unwrap(), Kind::Unproven);
        // Not claimed yet.
        let waiting = crate::delivery::office::digest_to(&world, &people[1..]).await;
        let mut connection = world.db.reader().acquire().await.unwrap();
        let line = delivery::delivery_lines(&mut connection, waiting, 0..=i64::MAX, 1).await.unwrap().remove(0);
        drop(connection);
        assert_eq!(desk(&world).receive(&sample("postfix", &token(&world, line.id).await)).await.unwrap(), Kind::Unproven);
        assert_eq!(count(&world, "SELECT COUNT(*) FROM bounce").await, 0);
    })
    .await;
}

#[tokio::test]
async fn of_several_recipients_in_one_report_a_failed_one_says_little_and_nothing_where_another_was_reached() {
    on_each_engine(async |world: World| {
        let people = enter_people(&world, 1).await;
        let delivery = mailing(&world, "digest:1", For::Digest, &people).await[0];
        let report = String::from_utf8(sample("postfix", &token(&world, delivery).await)).unwrap();
        let with_another = |action: &str| {
            let other = format!("Final-Recipient: rfc822; other@example.net\r\nAction: {action}\r\n\r\nFinal-Recipient:");
            report.replacen("Final-Recipient:", &other, 1).into_bytes()
        };
        for action in ["relayed", "delivered", "expanded"] {
            assert_eq!(desk(&world).receive(&with_another(action)).await.unwrap(), Kind::Delay);
            assert_eq!(state(&world, delivery).await.0, "sent", "{action}");
        }
        assert_eq!(count(&world, "SELECT COUNT(*) FROM bounce").await, 0);
        assert_eq!(desk(&world).receive(&with_another("delayed")).await.unwrap(), Kind::Bounce);
        assert_eq!(state(&world, delivery).await.1, "came back: unclear");
    })
    .await;
}
