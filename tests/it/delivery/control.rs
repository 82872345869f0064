//! The staff's hand on mailings.

use super::office::{digest_to, drain, enter_people, mail_out, plan, run_sql, single_step, state_of, states, step};
use crate::digest::number;
use crate::support::relay::{Fault, Manner, Relay};
use crate::support::{World, on_each_engine};
use clarion::delivery::{self, Again, DeliveryState, Kind, MailingState};
use clarion::task::{Step as _, Wake};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

#[tokio::test]
async fn a_paused_mailing_waits_until_it_is_resumed() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let people = enter_people(&world, 3).await;
        let mailing = digest_to(&world, &people).await;
        let step = step(&world, &relay);
        let mut tx = world.db.begin().await.unwrap();
        assert!(delivery::pause(&mut tx, mailing).await.unwrap());
        assert!(!delivery::pause(&mut tx, mailing).await.unwrap());
        tx.commit().await.unwrap();
        drain(&step).await;
        assert!(relay.received().is_empty());
        assert_eq!(state_of(&world, mailing).await, "paused");
        let mut tx = world.db.begin().await.unwrap();
        assert!(delivery::resume(&mut tx, mailing).await.unwrap());
        assert!(!delivery::resume(&mut tx, mailing).await.unwrap());
        tx.commit().await.unwrap();
        drain(&step).await;
        assert_eq!(relay.received().len(), 3);
    })
    .await;
}

#[tokio::test]
async fn what_failed_or_is_held_is_sent_when_staff_say_so() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        relay.next(Fault::Rcpt("550 5.7.1 no"));
        let people = enter_people(&world, 2).await;
        let mailing = digest_to(&world, &people).await;
        let step = single_step(&world, &relay);
        drain(&step).await;
        assert_eq!(states(&world, mailing).await[0].0, "failed");
        let mut tx = world.db.begin().await.unwrap();
        assert_eq!(delivery::retry(&mut tx, mailing, Again::Held, world.clock.now()).await.unwrap(), 0);
        assert_eq!(delivery::retry(&mut tx, mailing, Again::Failed, world.clock.now()).await.unwrap(), 1);
        tx.commit().await.unwrap();
        drain(&step).await;
        assert_eq!(relay.received().len(), 2);
        assert_eq!(state_of(&world, mailing).await, "done");
    })
    .await;
}

#[tokio::test]
async fn frozen_nothing_leaves_until_it_thaws() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let people = enter_people(&world, 2).await;
        digest_to(&world, &people).await;
        let step = step(&world, &relay);
        let mut tx = world.db.begin().await.unwrap();
        assert!(delivery::freeze(&mut tx, world.clock.now()).await.unwrap());
        assert!(!delivery::freeze(&mut tx, world.clock.now()).await.unwrap());
        tx.commit().await.unwrap();
        drain(&step).await;
        assert!(relay.received().is_empty());
        let mut tx = world.db.begin().await.unwrap();
        assert!(delivery::thaw(&mut tx).await.unwrap());
        tx.commit().await.unwrap();
        drain(&step).await;
        assert_eq!(relay.received().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn sums_and_lines_tell_who_got_what_by_number_only() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        relay.always("person1@example.org", Fault::Rcpt("550 5.1.1 <person1@example.org> unknown"));
        let people = enter_people(&world, 3).await;
        let mailing = digest_to(&world, &people).await;
        drain(&step(&world, &relay)).await;
        let mut connection = world.db.reader().acquire().await.unwrap();
        let summary = delivery::mailing_summary(&mut connection, mailing).await.unwrap().unwrap();
        assert_eq!(summary.state, MailingState::Done);
        assert_eq!(summary.deliveries, [(DeliveryState::Sent, 2), (DeliveryState::Failed, 1)].into());
        assert_eq!(delivery::newest_mailings(&mut connection, 10).await.unwrap().len(), 1);
        assert!(delivery::mailing_summary(&mut connection, 99).await.unwrap().is_none());
        let first = delivery::delivery_lines(&mut connection, mailing, 0..=i64::MAX, 2).await.unwrap();
        let rest = delivery::delivery_lines(&mut connection, mailing, first[1].id + 1..=i64::MAX, 2).await.unwrap();
        let numbers: Vec<_> = first.iter().chain(&rest).map(|line| line.person.unwrap()).collect();
        assert_eq!(numbers, people);
        assert!(!serde_json::to_string(&(first, rest)).unwrap().contains('@'));
    })
    .await;
}

/// Four mails to each mailing: one with a worker, one in doubt, one sent and one waiting.
#[tokio::test]
async fn a_mailing_s_sums_and_lines_are_its_own_whatever_is_under_way() {
    on_each_engine(async |world: World| {
        let people = enter_people(&world, 4).await;
        let mut mailings = Vec::new();
        for key in ["digest:weekly:1", "digest:weekly:2", "digest:weekly:3"] {
            mailings.push(mail_out(&world, &plan(&world, key, Kind::Digest), &people, &[]).await);
        }
        let empty = mail_out(&world, &plan(&world, "digest:weekly:4", Kind::Digest), &[], &[]).await;
        run_sql(
            &world,
            "UPDATE delivery SET lease_owner = CASE WHEN id % 4 < 2 THEN 'other' END,
                    state = CASE id % 4 WHEN 0 THEN 'leased' WHEN 1 THEN 'in_doubt' WHEN 2 THEN 'sent' ELSE 'queued' END",
        )
        .await;
        let each = [DeliveryState::Leased, DeliveryState::InDoubt, DeliveryState::Sent, DeliveryState::Queued].map(|state| (state, 1));
        let mut tx = world.db.begin().await.unwrap();
        assert!(delivery::pause(&mut tx, mailings[1]).await.unwrap());
        for (mailing, expected) in mailings.iter().zip([
            BTreeMap::from(each),
            [(DeliveryState::InDoubt, 1), (DeliveryState::Sent, 1), (DeliveryState::Queued, 2)].into(),
            each.into(),
        ]) {
            let summary = delivery::mailing_summary(&mut tx, *mailing).await.unwrap().unwrap();
            assert_eq!(summary.deliveries, expected);
            let listed = delivery::newest_mailings(&mut tx, 10).await.unwrap();
            assert_eq!(listed.into_iter().find(|listed| listed.id == *mailing).unwrap().deliveries, expected);
            let numbers = delivery::delivery_numbers(&mut tx, *mailing).await.unwrap().unwrap();
            let lines = delivery::delivery_lines(&mut tx, *mailing, numbers, 10).await.unwrap();
            let told: Vec<_> = lines.iter().map(|line| line.person.unwrap()).collect();
            assert_eq!(told, people);
            assert_eq!(delivery::delivery_lines(&mut tx, *mailing, 0..=i64::MAX, 10).await.unwrap().len(), 4);
        }
        assert!(delivery::delivery_numbers(&mut tx, empty).await.unwrap().is_none());
        assert!(delivery::mailing_summary(&mut tx, empty).await.unwrap().unwrap().deliveries.is_empty());
    })
    .await;
}

/// A relay that answers at once is asked while the mark is being written. Here it thinks all of a
/// sudden, and the mark has long been durable when it is through.
#[tokio::test]
async fn what_is_stopped_while_the_relay_thinks_does_not_leave() {
    on_each_engine(async |world: World| {
        let people = enter_people(&world, 3).await;
        for freezes in [true, false] {
            let relay = Relay::start().await;
            let key = format!("digest:weekly:{freezes}");
            let mailing = mail_out(&world, &plan(&world, &key, Kind::Digest), &people, &[]).await;
            let step = single_step(&world, &relay);
            relay.next(Fault::None);
            relay.next(Fault::SlowMail(Duration::from_millis(1200)));
            let stopping = async {
                while relay.commands().iter().filter(|command| command.starts_with("MAIL")).count() < 2 {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                // The mark is written meanwhile.
                tokio::time::sleep(Duration::from_millis(300)).await;
                let mut tx = world.db.begin().await.unwrap();
                if freezes {
                    delivery::freeze(&mut tx, world.clock.now()).await.unwrap();
                } else {
                    delivery::pause(&mut tx, mailing).await.unwrap();
                }
                tx.commit().await.unwrap();
            };
            let (ended, ()) = tokio::join!(step.step(), stopping);
            ended.unwrap();
            drain(&step).await;
            assert_eq!((relay.bodies(), relay.received().len()), (1, 1));
            let left = [("queued".to_owned(), String::new()), ("queued".to_owned(), String::new())];
            assert_eq!(states(&world, mailing).await.into_iter().filter(|(state, _)| state != "sent").collect::<Vec<_>>(), left);
            let mut tx = world.db.begin().await.unwrap();
            if freezes {
                delivery::thaw(&mut tx).await.unwrap();
            } else {
                delivery::resume(&mut tx, mailing).await.unwrap();
            }
            tx.commit().await.unwrap();
            drain(&step).await;
            assert_eq!((relay.received().len(), state_of(&world, mailing).await.as_str()), (3, "done"));
            assert_eq!(number(&world, "SELECT COUNT(*) FROM delivery WHERE doubts > 0").await, 0);
        }
    })
    .await;
}

/// Between looking what is due and claiming it a connection is opened, which may take long.
/// The same delivery is then claimed a second time while its first claim still waits.
#[tokio::test]
async fn what_is_paused_and_resumed_while_a_round_goes_on_leaves_once() {
    on_each_engine(async |world: World| {
        let relay = Relay::start_with(Manner { hesitation: Duration::from_millis(5), ..Manner::default() }).await;
        let people = enter_people(&world, 800).await;
        mail_out(&world, &plan(&world, "petition:1", Kind::Petition), &people[..770], &[]).await;
        let digest = digest_to(&world, &people[770..]).await;
        let step = step(&world, &relay);
        let acting = async {
            while relay.received().len() < 20 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let mut tx = world.db.begin().await.unwrap();
            assert!(delivery::pause(&mut tx, digest).await.unwrap());
            assert!(delivery::resume(&mut tx, digest).await.unwrap());
            tx.commit().await.unwrap();
        };
        let (wake, ()) = tokio::join!(step.step(), acting);
        assert_eq!(wake.unwrap(), Wake::Now);
        drain(&step).await;
        let reached: HashSet<String> = relay.received().into_iter().map(|message| message.to).collect();
        assert_eq!((relay.received().len(), reached.len()), (800, 800));
        assert!(states(&world, digest).await.iter().all(|(state, _)| state == "sent"));
    })
    .await;
}

#[tokio::test]
async fn what_is_stopped_while_the_relay_is_dialled_does_not_leave() {
    on_each_engine(async |world: World| {
        let people = enter_people(&world, 3).await;
        let mailing = digest_to(&world, &people).await;
        for freezes in [true, false] {
            let relay = Relay::start_with(Manner { shyness: Duration::from_millis(300), ..Manner::default() }).await;
            let step = step(&world, &relay);
            let stopping = async {
                while relay.connections() == 0 {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                let mut tx = world.db.begin().await.unwrap();
                if freezes {
                    delivery::freeze(&mut tx, world.clock.now()).await.unwrap();
                } else {
                    delivery::pause(&mut tx, mailing).await.unwrap();
                }
                tx.commit().await.unwrap();
            };
            let (ended, ()) = tokio::join!(step.step(), stopping);
            ended.unwrap();
            assert!(relay.received().is_empty());
            assert!(states(&world, mailing).await.iter().all(|(state, _)| state == "queued"));
            let mut tx = world.db.begin().await.unwrap();
            delivery::thaw(&mut tx).await.unwrap();
            tx.commit().await.unwrap();
        }
    })
    .await;
}
