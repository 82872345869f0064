//! Several relays, and one that has too much to do.

use super::office::{digest_to, drain, enter_people, mail_out, mail_settings, plan, run_sql, state_of, states, step, step_with};
use crate::support::relay::{Fault, Manner, Relay};
use crate::support::{World, on_each_engine, on_sqlite};
use clarion::delivery::{self, DeliveryStep, Kind, OnDoubt, RelayState, Settings};
use clarion::mail::{RelaySettings, Tls, TransportSettings};
use clarion::task::Wake;
use std::time::Duration;

const MINUTE: Duration = Duration::from_mins(1);

fn settings(relay: &Relay) -> RelaySettings {
    RelaySettings { host: "127.0.0.1".to_owned(), port: relay.port(), tls: Tls::None, credentials: None, ca_file: None }
}

fn step_through(world: &World, relays: &[&Relay]) -> DeliveryStep {
    let relays = relays.iter().map(|relay| settings(relay)).collect();
    let settings = Settings { connections: 2, per_second: 0, on_doubt: OnDoubt::Retry };
    step_with(world, mail_settings(TransportSettings::Relays(relays)), settings)
}

/// How the relays are, in their order.
async fn health(world: &World, relays: &[&Relay]) -> Vec<Option<RelayState>> {
    let health = delivery::relay_health(&mut world.db.reader().acquire().await.unwrap()).await.unwrap();
    let of = |relay: &&Relay| health.iter().find(|known| known.name.ends_with(&format!(":{}", relay.port()))).map(|known| known.state);
    relays.iter().map(of).collect()
}

async fn again(world: &World, mailing: i64) {
    run_sql(world, "UPDATE delivery SET state = 'queued', attempts = 0, settled_at = NULL").await;
    run_sql(world, "UPDATE mailing SET state = 'running', finished_at = NULL").await;
    assert_eq!(state_of(world, mailing).await, "running");
}

#[tokio::test]
async fn where_one_relay_is_down_mail_goes_through_the_next_and_back_when_it_recovers() {
    on_each_engine(async |world: World| {
        let (mut first, second) = (Relay::start().await, Relay::start().await);
        first.go_down();
        let people = enter_people(&world, 10).await;
        let mailing = digest_to(&world, &people).await;
        let step = step_through(&world, &[&first, &second]);
        drain(&step).await;
        assert_eq!((second.received().len(), state_of(&world, mailing).await.as_str()), (10, "done"));
        assert_eq!(health(&world, &[&first, &second]).await, [Some(RelayState::Down), Some(RelayState::Up)]);
        first.come_up().await;
        again(&world, mailing).await;
        drain(&step).await;
        assert_eq!((first.received().len(), second.received().len()), (0, 20), "its minute is not over");
        // It is tried beside the work; the mail after that goes through it.
        world.pass(MINUTE);
        for round in 1.. {
            again(&world, mailing).await;
            drain(&step).await;
            if !first.received().is_empty() {
                break;
            }
            assert!(round < 50, "it is not gone back to");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(first.connections(), 2, "one tried it, one more carried with it");
        assert_eq!(health(&world, &[&first, &second]).await, [Some(RelayState::Up), Some(RelayState::Up)]);
    })
    .await;
}

/// One that takes connections and says nothing for long must not hold up the other.
#[tokio::test]
async fn a_relay_that_lets_us_wait_does_not_hold_up_the_next() {
    on_each_engine(async |world: World| {
        let shy = Manner { shyness: Duration::from_secs(3), greeting: "421 4.3.2 not now", ..Manner::default() };
        let (first, second) = (Relay::start_with(shy).await, Relay::start().await);
        let people = enter_people(&world, 5).await;
        let mailing = digest_to(&world, &people).await;
        let step = step_through(&world, &[&first, &second]);
        drain(&step).await;
        assert_eq!(second.received().len(), 5);
        for _ in 0..3 {
            world.pass(MINUTE);
            again(&world, mailing).await;
            let begun = std::time::Instant::now();
            drain(&step).await;
            assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        }
        assert_eq!(second.received().len(), 20);
        assert!(first.connections() <= 4, "{} connections in three minutes", first.connections());
    })
    .await;
}

#[tokio::test]
async fn where_all_relays_are_down_everything_waits_a_minute_and_staff_are_told_of_each() {
    on_each_engine(async |world: World| {
        let (mut first, mut second) = (Relay::start().await, Relay::start().await);
        first.go_down();
        second.go_down();
        let people = enter_people(&world, 3).await;
        let mailing = digest_to(&world, &people).await;
        let step = step_through(&world, &[&first, &second]);
        for _ in 0..5 {
            assert_eq!(drain(&step).await, Wake::At(world.clock.now() + MINUTE));
        }
        assert!(states(&world, mailing).await.iter().all(|(state, _)| state == "queued"));
        world.pass(40 * MINUTE);
        drain(&step).await;
        let told = "SELECT COUNT(*) FROM notice WHERE key LIKE 'relay-down:%'";
        assert_eq!(crate::digest::number(&world, told).await, 2);
        second.come_up().await;
        world.pass(MINUTE);
        drain(&step).await;
        assert_eq!(second.received().len(), 3);
        assert_eq!(crate::digest::number(&world, told).await, 1, "that one is well again");
    })
    .await;
}

/// Hours of it, with a clock that is set.
#[tokio::test]
async fn hours_of_a_relay_that_is_down_lose_nothing_and_cost_a_connection_a_minute() {
    on_each_engine(async |world: World| {
        let down = Relay::start_with(Manner { greeting: "421 4.3.2 down for maintenance", ..Manner::default() }).await;
        let people = enter_people(&world, 50).await;
        let mailing = digest_to(&world, &people).await;
        let step = step(&world, &down);
        for _ in 0..5 * 60 {
            drain(&step).await;
            world.pass(MINUTE / 2);
            drain(&step).await;
            world.pass(MINUTE / 2);
        }
        assert!(down.connections() <= 5 * 60, "{} connections in five hours", down.connections());
        let untouched = "SELECT COUNT(*) FROM delivery WHERE state = 'queued' AND attempts = 0";
        assert_eq!(crate::digest::number(&world, untouched).await, 50);
        let up = Relay::start().await;
        drain(&super::office::step(&world, &up)).await;
        assert_eq!((up.received().len(), state_of(&world, mailing).await.as_str()), (50, "done"));
    })
    .await;
}

/// Every second mail is told 421 until fifty have been.
#[tokio::test]
async fn a_storm_of_421_touches_no_delivery_and_halves_the_connections() {
    on_each_engine(async |world: World| {
        let relay = Relay::start_with(Manner { hesitation: Duration::from_millis(5), ..Manner::default() }).await;
        for _ in 0..50 {
            relay.next(Fault::None);
            relay.next(Fault::Mail("421 4.7.0 too many connections"));
        }
        let people = enter_people(&world, 300).await;
        let mailing = digest_to(&world, &people).await;
        let settings_ = Settings { connections: 8, per_second: 0, on_doubt: OnDoubt::Retry };
        let step = step_with(&world, mail_settings(TransportSettings::Smtp(settings(&relay))), settings_);
        drain(&step).await;
        relay.peak();
        for _ in 0..20 {
            world.pass(7 * MINUTE);
            drain(&step).await;
        }
        assert_eq!((relay.received().len(), state_of(&world, mailing).await.as_str()), (300, "done"));
        let attempts = "SELECT COUNT(*) FROM delivery WHERE attempts > 1";
        assert!(crate::digest::number(&world, attempts).await <= 10, "a relay with too much to do is not the deliveries' fault");
    })
    .await;
}

#[tokio::test]
async fn after_421_fewer_connections_are_used_and_more_again_only_slowly() {
    on_each_engine(async |world: World| {
        let relay = Relay::start_with(Manner { hesitation: Duration::from_millis(10), ..Manner::default() }).await;
        let people = enter_people(&world, 60).await;
        let mailing = digest_to(&world, &people).await;
        let settings_ = Settings { connections: 8, per_second: 0, on_doubt: OnDoubt::Retry };
        let step = step_with(&world, mail_settings(TransportSettings::Smtp(settings(&relay))), settings_);
        relay.next(Fault::None);
        relay.next(Fault::Mail("421 4.7.0 too many connections"));
        drain(&step).await;
        assert_eq!(relay.received().len(), 60);
        clarion::task::Step::end(&step).await.unwrap();
        let mut peaks = Vec::new();
        for _ in 0..4 {
            relay.peak();
            again(&world, mailing).await;
            drain(&step).await;
            clarion::task::Step::end(&step).await.unwrap();
            peaks.push(relay.peak());
            world.pass(MINUTE);
        }
        assert!(peaks[0] <= 5 && peaks[3] > peaks[0] && peaks[3] <= 8, "{peaks:?}");
    })
    .await;
}

/// A greylisting relay refuses what it sees first, each recipient by itself.
#[tokio::test]
async fn greylisting_passes() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        for _ in 0..40 {
            relay.next(Fault::Rcpt("450 4.7.1 greylisted, try again in five minutes"));
        }
        let people = enter_people(&world, 40).await;
        let mailing = digest_to(&world, &people).await;
        let step = step(&world, &relay);
        drain(&step).await;
        assert!(relay.received().is_empty());
        world.pass(7 * MINUTE);
        drain(&step).await;
        assert_eq!((relay.received().len(), state_of(&world, mailing).await.as_str()), (40, "done"));
        assert_eq!(crate::digest::number(&world, "SELECT COUNT(*) FROM delivery WHERE attempts = 2 AND doubts = 0").await, 40);
    })
    .await;
}

/// It lets us in, and takes nothing.
#[tokio::test]
async fn staff_are_told_once_of_a_relay_that_refuses_our_sender_for_long() {
    on_each_engine(async |world: World| {
        for reply in ["550 5.7.1 sender not allowed", "421 4.7.0 not from you now"] {
            let relay = Relay::start().await;
            for _ in 0..1000 {
                relay.next(Fault::Mail(reply));
            }
            let people = enter_people(&world, 3).await;
            mail_out(&world, &plan(&world, reply, Kind::Digest), &people, &[]).await;
            let step = step_through(&world, &[&relay]);
            for _ in 0..40 {
                drain(&step).await;
                assert_eq!(health(&world, &[&relay]).await, [Some(RelayState::Down)], "{reply}");
                world.pass(MINUTE);
            }
            assert_eq!(crate::digest::number(&world, "SELECT COUNT(*) FROM notice WHERE key = 'relay-down'").await, 1, "{reply}");
            let since = delivery::relay_health(&mut world.db.reader().acquire().await.unwrap()).await.unwrap()[0].since;
            assert_eq!(world.clock.now().since(since), 40 * MINUTE, "{reply}");
            run_sql(&world, "DELETE FROM notice").await;
        }
    })
    .await;
}

#[tokio::test]
async fn leave_is_taken_of_all_connections_at_once() {
    on_sqlite(async |world: World| {
        let manner = Manner { hesitation: Duration::from_millis(100), stays: true, ..Manner::default() };
        let relay = Relay::start_with(manner).await;
        let people = enter_people(&world, 8).await;
        digest_to(&world, &people).await;
        let settings_ = Settings { connections: 8, per_second: 0, on_doubt: OnDoubt::Retry };
        let step = step_with(&world, mail_settings(TransportSettings::Smtp(settings(&relay))), settings_);
        drain(&step).await;
        assert!(relay.peak() >= 4, "several are open");
        let begun = std::time::Instant::now();
        clarion::task::Step::end(&step).await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    })
    .await;
}
