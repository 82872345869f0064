//! What a relay does to us, and that nothing is lost.

use super::office::{address, digest_to, drain, enter_people, run_sql, single_step, state_of, states, step, step_with, to_relay};
use crate::support::relay::{Fault, Manner, Relay};
use crate::support::{World, is_sqlite, on_each_engine};
use clarion::addressbook;
use clarion::delivery::{self, OnDoubt, RelayState, Settings};
use clarion::task::{Step as _, Wake};
use std::time::Duration;

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn what_is_refused_for_now_is_tried_again_later() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        relay.next(Fault::Rcpt("451 4.7.1 greylisted, try again"));
        let people = enter_people(&world, 1).await;
        let mailing = digest_to(&world, &people).await;
        let step = single_step(&world, &relay);
        drain(&step).await;
        assert_eq!(states(&world, mailing).await[0].0, "deferred");
        assert_eq!(state_of(&world, mailing).await, "running");
        world.pass(3 * MINUTE);
        drain(&step).await;
        assert!(relay.received().is_empty(), "not before five minutes, less a fifth");
        world.pass(4 * MINUTE);
        drain(&step).await;
        assert_eq!(states(&world, mailing).await[0].0, "sent");
        assert_eq!(state_of(&world, mailing).await, "done");
    })
    .await;
}

#[tokio::test]
async fn after_five_days_of_refusals_a_delivery_fails() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        relay.always("person0@example.org", Fault::Rcpt("452 4.2.2 full"));
        let people = enter_people(&world, 1).await;
        let mailing = digest_to(&world, &people).await;
        let step = single_step(&world, &relay);
        let mut attempts = 0;
        while states(&world, mailing).await[0].0 != "failed" {
            drain(&step).await;
            world.pass(5 * 60 * MINUTE);
            attempts += 1;
            assert!(attempts < 40);
        }
        assert!(attempts >= 24, "{attempts} attempts");
    })
    .await;
}

#[tokio::test]
async fn while_the_relay_is_down_nothing_is_lost_or_counted_and_it_is_tried_once_a_minute() {
    on_each_engine(async |world: World| {
        let mut relay = Relay::start().await;
        relay.go_down();
        let people = enter_people(&world, 20).await;
        let mailing = digest_to(&world, &people).await;
        let step = step(&world, &relay);
        for _ in 0..5 {
            assert_eq!(drain(&step).await, Wake::At(world.clock.now() + MINUTE));
        }
        assert!(states(&world, mailing).await.iter().all(|(state, _)| state == "queued"));
        world.pass(40 * MINUTE);
        drain(&step).await;
        let notices: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM notice WHERE key = 'relay-down'").fetch_one(world.db.reader()).await.unwrap();
        assert_eq!(notices, 1, "staff are told of a long silence");
        relay.come_up().await;
        drain(&step).await;
        assert!(relay.received().is_empty(), "the minute is not over");
        world.pass(MINUTE);
        drain(&step).await;
        assert_eq!(relay.received().len(), 20);
        let counted: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM delivery WHERE attempts > 1").fetch_one(world.db.reader()).await.unwrap();
        assert_eq!(counted, 0);
    })
    .await;
}

#[tokio::test]
async fn a_relay_that_refuses_our_sender_fails_nobody() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        relay.next(Fault::Mail("550 5.7.1 sender not allowed"));
        let people = enter_people(&world, 3).await;
        let mailing = digest_to(&world, &people).await;
        let step = single_step(&world, &relay);
        assert_eq!(drain(&step).await, Wake::At(world.clock.now() + MINUTE));
        assert!(states(&world, mailing).await.iter().all(|(state, _)| state == "queued"));
        world.pass(MINUTE);
        drain(&step).await;
        assert_eq!(relay.received().len(), 3);
    })
    .await;
}

/// An address with letters beyond ASCII before the @ is asked for with SMTPUTF8.
#[tokio::test]
async fn who_refuses_smtputf8_fails_that_delivery_alone_and_who_refuses_us_fails_nobody() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let mut tx = world.db.begin().await.unwrap();
        let beyond = addressbook::find_or_enter(&mut tx, &world.vault, &address("지원@example.org"), world.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        let people = enter_people(&world, 1).await;
        let mailing = digest_to(&world, &[beyond, people[0]]).await;
        // Once of the mail, and once of the sender alone.
        relay.next(Fault::Mail("550 5.7.1 sender not allowed"));
        relay.next(Fault::Mail("550 5.7.1 sender not allowed"));
        let step = single_step(&world, &relay);
        assert_eq!(drain(&step).await, Wake::At(world.clock.now() + MINUTE));
        assert!(states(&world, mailing).await.iter().all(|(state, _)| state == "queued"));
        relay.next(Fault::Mail("550 5.6.7 non-ASCII addresses are not permitted"));
        world.pass(MINUTE);
        drain(&step).await;
        let states: Vec<String> = states(&world, mailing).await.into_iter().map(|(state, _)| state).collect();
        assert_eq!(states, ["failed", "sent"]);
        let health = delivery::relay_health(&mut world.db.reader().acquire().await.unwrap()).await.unwrap();
        assert_eq!(health[0].state, RelayState::Up);
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_the_relay_closed_in_between_costs_no_attempt() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let people = enter_people(&world, 2).await;
        relay.next(Fault::None);
        relay.next(Fault::CloseAtData);
        let mailing = digest_to(&world, &people).await;
        drain(&single_step(&world, &relay)).await;
        assert!(states(&world, mailing).await.iter().all(|(state, _)| state == "sent"));
        assert_eq!((relay.received().len(), relay.connections()), (2, 2));
    })
    .await;
}

/// It may have been opened long ago, to see whether the relay is back.
#[tokio::test]
async fn a_connection_that_was_open_before_and_is_lost_in_its_first_mail_costs_no_attempt() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        relay.next(Fault::CloseAtData);
        let people = enter_people(&world, 1).await;
        let mailing = digest_to(&world, &people).await;
        drain(&single_step(&world, &relay)).await;
        assert_eq!(states(&world, mailing).await[0].0, "sent");
        assert_eq!(crate::digest::number(&world, "SELECT attempts FROM delivery").await, 1);
        let health = delivery::relay_health(&mut world.db.reader().acquire().await.unwrap()).await.unwrap();
        assert_eq!(health[0].state, RelayState::Up);
    })
    .await;
}

#[tokio::test]
async fn a_new_connection_lost_before_the_body_leaves_no_doubt() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        relay.next(Fault::CloseAtData);
        relay.next(Fault::CloseAtData);
        let people = enter_people(&world, 1).await;
        let mailing = digest_to(&world, &people).await;
        let step = single_step(&world, &relay);
        drain(&step).await;
        assert_eq!(states(&world, mailing).await, [("deferred".to_owned(), String::new())]);
        world.pass(7 * MINUTE);
        drain(&step).await;
        assert_eq!(states(&world, mailing).await[0].0, "sent");
    })
    .await;
}

#[tokio::test]
async fn a_relay_that_is_too_busy_gets_fewer_connections_and_loses_nothing() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let people = enter_people(&world, 10).await;
        for _ in 0..3 {
            relay.next(Fault::Mail("421 4.3.2 too busy"));
        }
        let mailing = digest_to(&world, &people).await;
        let step = step(&world, &relay);
        drain(&step).await;
        assert_eq!(relay.received().len(), 10);
        assert_eq!(state_of(&world, mailing).await, "done");
        let counted = "SELECT COUNT(*) FROM delivery WHERE attempts > 1";
        assert_eq!(crate::digest::number(&world, counted).await, 0, "it was no delivery's fault");
    })
    .await;
}

#[tokio::test]
async fn two_workers_on_one_database_never_send_twice() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let people = enter_people(&world, 300).await;
        let mailing = digest_to(&world, &people).await;
        let (one, two) = (step(&world, &relay), step(&world, &relay));
        tokio::join!(Box::pin(drain(&one)), Box::pin(drain(&two)));
        drain(&one).await;
        assert_eq!(relay.received().len(), 300);
        assert_eq!(state_of(&world, mailing).await, "done");
    })
    .await;
}

#[tokio::test]
async fn mail_leaves_no_faster_than_configured() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let people = enter_people(&world, 10).await;
        digest_to(&world, &people).await;
        let step = step_with(&world, to_relay(&relay), Settings { connections: 4, per_second: 20, on_doubt: OnDoubt::Retry });
        let begun = std::time::Instant::now();
        drain(&step).await;
        assert!(begun.elapsed() >= Duration::from_millis(440), "{:?}", begun.elapsed());
        assert_eq!(relay.received().len(), 10);
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_mailing_stops_in_the_middle() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let people = enter_people(&world, 30).await;
        let mailing = digest_to(&world, &people).await;
        let step = step_with(&world, to_relay(&relay), Settings { connections: 1, per_second: 50, on_doubt: OnDoubt::Retry });
        let cancelling = async {
            while relay.received().len() < 5 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let mut tx = world.db.begin().await.unwrap();
            let skipped = delivery::cancel(&mut tx, mailing, "stopped", world.clock.now()).await.unwrap();
            tx.commit().await.unwrap();
            skipped
        };
        let (ended, skipped) = tokio::join!(step.step(), cancelling);
        ended.unwrap();
        drain(&step).await;
        let states = states(&world, mailing).await;
        let sent = states.iter().filter(|(state, _)| state == "sent").count();
        assert_eq!(sent, relay.received().len());
        assert_eq!(states.iter().filter(|state| **state == ("skipped".to_owned(), "stopped".to_owned())).count() as u64, skipped);
        assert!(sent < 12 && skipped > 18 && sent as u64 + skipped == 30, "{sent} sent, {skipped} skipped");
        assert_eq!(state_of(&world, mailing).await, "cancelled");
    })
    .await;
}

/// As a full disk does it.
async fn refuse_to_write(world: &World) {
    if is_sqlite(&world.db) {
        run_sql(world, "CREATE TRIGGER full_disk BEFORE UPDATE ON delivery BEGIN SELECT RAISE(FAIL, 'the disk is full'); END").await;
    } else {
        run_sql(
            world,
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$",
        )
        .await;
        run_sql(world, "CREATE TRIGGER full_disk BEFORE UPDATE ON delivery FOR EACH ROW EXECUTE FUNCTION full_disk()").await;
    }
}

async fn write_again(world: &World) {
    run_sql(world, if is_sqlite(&world.db) { "DROP TRIGGER full_disk" } else { "DROP TRIGGER full_disk ON delivery" }).await;
}

#[tokio::test]
async fn while_nothing_can_be_written_nothing_is_sent_and_afterwards_all_is_sent_once_without_delay() {
    on_each_engine(async |world: World| {
        let relay = Relay::start_with(Manner { hesitation: Duration::from_millis(20), ..Manner::default() }).await;
        let people = enter_people(&world, 60).await;
        let mailing = digest_to(&world, &people).await;
        let step = step(&world, &relay);
        let filling = async {
            while relay.received().len() < 5 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            refuse_to_write(&world).await;
        };
        let (ended, ()) = tokio::join!(step.step(), filling);
        assert!(ended.is_err());
        let before = relay.received().len();
        assert!(before < 60);
        assert!(step.step().await.is_err(), "what is not written yet comes first");
        assert_eq!(relay.received().len(), before);
        write_again(&world).await;
        drain(&step).await;
        assert_eq!(relay.received().len(), 60);
        assert!(states(&world, mailing).await.iter().all(|(state, _)| state == "sent"));
    })
    .await;
}

#[tokio::test]
async fn what_is_claimed_and_not_tried_for_days_has_its_five_days_still_before_it() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let people = enter_people(&world, 1).await;
        let mailing = digest_to(&world, &people).await;
        relay.next(Fault::Mail("550 5.7.1 sender not allowed"));
        relay.next(Fault::Rcpt("451 4.7.1 greylisted, try again"));
        let step = single_step(&world, &relay);
        drain(&step).await;
        world.pass(6 * 24 * 60 * MINUTE);
        drain(&step).await;
        assert_eq!(states(&world, mailing).await[0].0, "deferred");
    })
    .await;
}

/// A cancelling finds some mails on their way; then the relay refuses one for now, and a crash
/// leaves another in doubt.
#[tokio::test]
async fn what_was_on_its_way_when_its_mailing_was_cancelled_is_settled_too() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let people = enter_people(&world, 2).await;
        let mailing = digest_to(&world, &people).await;
        run_sql(&world, "UPDATE mailing SET state = 'cancelled', reason = 'stopped'").await;
        run_sql(
            &world,
            "UPDATE delivery SET state = CASE WHEN id = 1 THEN 'deferred' ELSE 'in_doubt' END, fence = 1, attempts = 1,
                    lease_owner = CASE WHEN id = 1 THEN NULL ELSE 'gone' END, lease_until = CASE WHEN id = 1 THEN NULL ELSE 1 END",
        )
        .await;
        drain(&single_step(&world, &relay)).await;
        let expected = [("skipped", "stopped"), ("held", "in doubt")].map(|(state, reason)| (state.to_owned(), reason.to_owned()));
        assert_eq!(states(&world, mailing).await, expected);
        assert!(relay.received().is_empty());
    })
    .await;
}
