//! Staff's commands while daemons work: nobody waits in a circle, nothing is lost between two.

use super::office::{digest_to, drain, enter_people, mail_out, plan, state_of, step, step_to_port};
use crate::digest::number;
use crate::support::relay::{Fault, Manner, Relay};
use crate::support::rogue::{Rogue, Turn};
use crate::support::{World, is_sqlite, on_each_engine};
use clarion::delivery::{self, Again, Group, Kind, Rates, WarmUp};
use clarion::task::Step as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Retries what failed, again and again, while the last deliveries of the mailing are settled:
/// a mailing that ends in that moment must not end with somebody left in it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_back_while_its_mailing_ends_is_sent() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let people = enter_people(&world, 2).await;
        let step = step(&world, &relay);
        for round in 0..40 {
            let key = format!("round:{round}");
            relay.always("person0@example.org", Fault::Rcpt("550 5.7.1 not from you"));
            let mailing = mail_out(&world, &plan(&world, &key, Kind::Petition), &people, &[]).await;
            let retrying = async {
                // As soon as it has failed.
                while number(&world, "SELECT COUNT(*) FROM delivery WHERE state = 'failed'").await == 0 {
                    tokio::task::yield_now().await;
                }
                relay.always("person0@example.org", Fault::None);
                let mut tx = world.db.begin().await.unwrap();
                let again = delivery::retry(&mut tx, mailing, Again::Both, world.clock.now()).await.unwrap();
                tokio::time::sleep(Duration::from_millis(round % 5)).await;
                tx.commit().await.unwrap();
                again
            };
            let (_, again) = tokio::join!(drain(&step), retrying);
            assert_eq!(again, 1);
            drain(&step).await;
            assert_eq!(state_of(&world, mailing).await, "done");
            assert_eq!(number(&world, "SELECT COUNT(*) FROM delivery WHERE state <> 'sent'").await, 0, "in round {round}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_and_two_daemons_do_not_wait_in_a_circle() {
    on_each_engine(async |world: World| {
        let relay = Relay::start_with(Manner { hesitation: Duration::from_millis(1), ..Manner::default() }).await;
        let people = enter_people(&world, 200).await;
        let first = digest_to(&world, &people).await;
        let second = mail_out(&world, &plan(&world, "petition", Kind::Petition), &people, &[]).await;
        let (one, two) = (step(&world, &relay), step(&world, &relay));
        let done = AtomicBool::new(false);
        let working = async {
            while state_of(&world, first).await != "done" || state_of(&world, second).await != "done" {
                let (one, two) = tokio::join!(one.step(), two.step());
                one.unwrap();
                two.unwrap();
            }
            done.store(true, Ordering::SeqCst);
        };
        // So often, and then the work is left to end.
        let freezing = async {
            for _ in 0..20 {
                if done.load(Ordering::SeqCst) {
                    break;
                }
                let mut tx = world.db.begin().await.unwrap();
                delivery::freeze(&mut tx, world.clock.now()).await.unwrap();
                tx.commit().await.unwrap();
                tokio::time::sleep(Duration::from_millis(7)).await;
                let mut tx = world.db.begin().await.unwrap();
                delivery::thaw(&mut tx).await.unwrap();
                tx.commit().await.unwrap();
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        let pausing = async {
            for _ in 0..20 {
                if done.load(Ordering::SeqCst) {
                    break;
                }
                for mailing in [first, second] {
                    let mut tx = world.db.begin().await.unwrap();
                    delivery::pause(&mut tx, mailing).await.unwrap();
                    tx.commit().await.unwrap();
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    let mut tx = world.db.begin().await.unwrap();
                    delivery::resume(&mut tx, mailing).await.unwrap();
                    delivery::retry(&mut tx, mailing, Again::Both, world.clock.now()).await.unwrap();
                    tx.commit().await.unwrap();
                    tokio::time::sleep(Duration::from_millis(60)).await;
                }
            }
        };
        tokio::join!(Box::pin(working), freezing, pausing);
        assert_eq!(relay.received().len(), 400, "nobody twice, nobody never");
    })
    .await;
}

/// What is claimed, marked or on its way when staff freeze: nothing more begins from that moment.
#[tokio::test(flavor = "multi_thread")]
async fn from_the_moment_of_a_freeze_no_mail_begins() {
    on_each_engine(async |world: World| {
        let relay = Relay::start_with(Manner { hesitation: Duration::from_millis(20), ..Manner::default() }).await;
        let people = enter_people(&world, 200).await;
        let mailing = digest_to(&world, &people).await;
        let step = step(&world, &relay);
        let freezing = async {
            while relay.received().len() < 20 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            let begun = std::time::Instant::now();
            let mut tx = world.db.begin().await.unwrap();
            delivery::freeze(&mut tx, world.clock.now()).await.unwrap();
            tx.commit().await.unwrap();
            assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
            relay.bodies()
        };
        let (ended, bodies) = tokio::join!(step.step(), freezing);
        ended.unwrap();
        drain(&step).await;
        // Four were being marked or handed over.
        assert!(relay.bodies() <= bodies + 4, "{} bodies after {bodies}", relay.bodies());
        let mut tx = world.db.begin().await.unwrap();
        delivery::thaw(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        drain(&step).await;
        assert_eq!((relay.received().len(), state_of(&world, mailing).await.as_str()), (200, "done"));
    })
    .await;
}

/// Sessions that wait for a lock.
async fn waiting(world: &World, count: i64) {
    let mut looks = 0;
    while number(world, "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").await
        < count
    {
        looks += 1;
        assert!(looks < 1000, "nobody waits");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Both look at the day's cap before one of them has counted.
#[tokio::test(flavor = "multi_thread")]
async fn two_daemons_use_the_cap_of_a_day_once() {
    on_each_engine(async |world: World| {
        if is_sqlite(&world.db) {
            return;
        }
        let relay = Relay::start().await;
        let people = enter_people(&world, 60).await;
        digest_to(&world, &people).await;
        let rates = Rates { warm_up: Some(WarmUp { first_day: 10, growth: 2.0, since: None }), ..Rates::default() };
        let (one, two) = (step(&world, &relay).limited(rates.clone()).unwrap(), step(&world, &relay).limited(rates).unwrap());
        let mut tx = world.db.begin().await.unwrap();
        sqlx::query("SELECT id FROM mailing FOR UPDATE").fetch_all(&mut *tx).await.unwrap();
        let releasing = async {
            waiting(&world, 2).await;
            drop(tx);
        };
        tokio::join!(Box::pin(drain(&one)), Box::pin(drain(&two)), releasing);
        assert_eq!(relay.received().len(), 10);
    })
    .await;
}

/// One gives back what it did not try while the other counts what it claims.
#[tokio::test(flavor = "multi_thread")]
async fn who_gives_back_and_who_claims_do_not_wait_in_a_circle() {
    on_each_engine(async |world: World| {
        if is_sqlite(&world.db) {
            return;
        }
        // Slowly, so that the group can be locked between its claim and its giving back.
        let refusal = [
            Turn::Say(b"220 relay.example.org ESMTP\r\n"),
            Turn::Hear("EHLO"),
            Turn::Say(b"250 relay.example.org\r\n"),
            Turn::Hear("MAIL"),
            Turn::Drip(b"550 5.7.1 not from you, whoever you are\r\n", Duration::from_millis(100)),
        ];
        let (rogue, relay) = (Rogue::start(refusal.to_vec()).await, Relay::start().await);
        let people = enter_people(&world, 40).await;
        digest_to(&world, &people).await;
        let group = Group { name: "all".into(), domains: vec!["example.org".into()], per_second: 0, per_hour: 100_000, connections: 0 };
        let rates = Rates { per_hour: 6000, groups: vec![group], ..Rates::default() };
        let one = step_to_port(&world, rogue.port()).limited(rates.clone()).unwrap();
        let two = step_to_port(&world, relay.port()).limited(rates).unwrap();
        let circle = async {
            while number(&world, "SELECT COUNT(*) FROM delivery WHERE state = 'leased'").await == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            mail_out(&world, &plan(&world, "petition", Kind::Petition), &people, &[]).await;
            let mut tx = world.db.begin().await.unwrap();
            sqlx::query("SELECT name FROM rate_bucket WHERE name LIKE 'group:%' FOR UPDATE").fetch_all(&mut *tx).await.unwrap();
            waiting(&world, 1).await;
            let claiming = two.step();
            let releasing = async {
                waiting(&world, 2).await;
                drop(tx);
            };
            tokio::join!(claiming, releasing).0
        };
        let (gave_back, claimed) = tokio::join!(Box::pin(one.step()), Box::pin(circle));
        gave_back.unwrap();
        claimed.unwrap();
    })
    .await;
}
