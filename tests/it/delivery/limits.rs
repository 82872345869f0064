//! How fast mail may leave: groups of domains, an hour's limit, a warm-up; and what stops or
//! holds a mailing.

use super::office::{address, digest_to, drain, enter_people, mail_out, plan, run_sql, state_of, states, step, step_with, to_relay};
use crate::digest::number;
use crate::support::relay::{Fault, Manner, Relay};
use crate::support::{World, on_each_engine};
use clarion::addressbook;
use clarion::delivery::{self, Again, DeliveryStep, Group, Kind, OnDoubt, Rates, Settings, WarmUp};
use clarion::task::{Step as _, Wake};
use std::time::Duration;

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

fn limited(world: &World, relay: &Relay, rates: Rates) -> DeliveryStep {
    let settings = Settings { connections: 8, per_second: 0, on_doubt: OnDoubt::Retry };
    step_with(world, to_relay(relay), settings).limited(rates).unwrap()
}

fn big(per_second: u32, per_hour: u32, connections: u32) -> Rates {
    let group = Group { name: "big".to_owned(), domains: vec!["big.example".to_owned()], per_second, per_hour, connections };
    Rates { groups: vec![group], ..Rates::default() }
}

/// So many people whose mail goes to `big.example`, and so many at `example.org`.
async fn crowd(world: &World, big: usize, others: usize) -> Vec<i64> {
    let mut people = enter_people(world, others).await;
    let mut tx = world.db.begin().await.unwrap();
    for number in 0..big {
        let address = address(&format!("someone{number}@big.example"));
        people.push(addressbook::find_or_enter(&mut tx, &world.vault, &address, world.clock.now()).await.unwrap());
    }
    tx.commit().await.unwrap();
    // Those of the group are claimed first.
    people.reverse();
    people
}

fn to_big(relay: &Relay) -> usize {
    relay.received().iter().filter(|mail| mail.to.ends_with("@big.example")).count()
}

#[tokio::test]
async fn a_group_gets_its_rate_and_holds_up_nobody_else() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let people = crowd(&world, 100, 50).await;
        let mailing = digest_to(&world, &people).await;
        let step = limited(&world, &relay, big(10, 0, 0));
        let wake = drain(&step).await;
        assert_eq!((to_big(&relay), relay.received().len()), (10, 60), "a second's worth");
        assert!(matches!(wake, Wake::At(at) if at > world.clock.now() && at.since(world.clock.now()) < Duration::from_secs(1)), "{wake:?}");
        world.pass(Duration::from_secs(1));
        // A restart fills no bucket.
        let step = limited(&world, &relay, big(10, 0, 0));
        drain(&step).await;
        assert!((18..=20).contains(&to_big(&relay)), "{}", to_big(&relay));
        for _ in 0..15 {
            world.pass(Duration::from_secs(1));
            drain(&step).await;
        }
        assert_eq!((to_big(&relay), state_of(&world, mailing).await.as_str()), (100, "done"));
        assert_eq!(number(&world, "SELECT COUNT(*) FROM delivery WHERE attempts <> 1").await, 0, "waiting is no attempt");
    })
    .await;
}

#[tokio::test]
async fn a_group_has_no_more_mails_on_their_way_at_once_than_it_may() {
    on_each_engine(async |world: World| {
        let relay = Relay::start_with(Manner { hesitation: Duration::from_millis(20), ..Manner::default() }).await;
        let people = crowd(&world, 20, 0).await;
        digest_to(&world, &people).await;
        drain(&limited(&world, &relay, big(0, 0, 2))).await;
        assert_eq!(to_big(&relay), 20);
        // One connection more may have been opened before it was known whom it is for.
        assert!(relay.peak() <= 3, "{} at once", relay.peak());
    })
    .await;
}

#[tokio::test]
async fn no_domain_is_written_down() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let people = crowd(&world, 3, 0).await;
        digest_to(&world, &people).await;
        drain(&limited(&world, &relay, big(1, 100, 1))).await;
        let names: Vec<String> =
            sqlx::query_scalar("SELECT name FROM rate_bucket ORDER BY name").fetch_all(world.db.reader()).await.unwrap();
        assert_eq!(names, ["group:big/hour", "group:big/second"]);
    })
    .await;
}

#[tokio::test]
async fn an_hour_has_its_mails_and_what_somebody_waits_for_does_not_wait() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let people = enter_people(&world, 100).await;
        let mailing = digest_to(&world, &people).await;
        let rates = Rates { per_hour: 60, ..Rates::default() };
        let step = limited(&world, &relay, rates.clone());
        let mut within_the_hour = 0;
        for minute in 0..60 {
            drain(&step).await;
            within_the_hour = relay.received().len();
            assert!(within_the_hour <= minute + 2, "two at once, and then one a minute");
            world.pass(MINUTE);
        }
        assert!((50..=60).contains(&within_the_hour), "{within_the_hour} in an hour");
        let account = mail_out(&world, &plan(&world, "confirm:1", Kind::Account), &people[..1], &[]).await;
        // The bucket is empty now.
        run_sql(&world, "UPDATE rate_bucket SET tokens = -5").await;
        drain(&limited(&world, &relay, rates)).await;
        assert_eq!(state_of(&world, account).await, "done");
        assert_eq!(state_of(&world, mailing).await, "running");
    })
    .await;
}

#[tokio::test]
async fn a_new_sender_warms_up_over_days() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let people = enter_people(&world, 60).await;
        let mailing = digest_to(&world, &people).await;
        let rates = Rates { warm_up: Some(WarmUp { first_day: 10, growth: 2.0, since: None }), ..Rates::default() };
        let step = limited(&world, &relay, rates.clone());
        let mut sums = Vec::new();
        for _ in 0..3 {
            let wake = drain(&step).await;
            sums.push(relay.received().len());
            // Eight in the morning; the next day begins in sixteen hours.
            let midnight = Wake::At(world.clock.now() + Duration::from_hours(16));
            assert_eq!(wake, if sums.len() < 3 { midnight } else { Wake::WhenKicked });
            world.pass(DAY);
        }
        assert_eq!(sums, [10, 30, 60]);
        assert_eq!(state_of(&world, mailing).await, "done");
        let zone = world.site.time_zone.clone();
        let mut connection = world.db.reader().acquire().await.unwrap();
        let warmth = delivery::warmth(&mut connection, rates.warm_up.as_ref().unwrap(), &zone, world.clock.now()).await.unwrap();
        assert_eq!((warmth.day.as_str(), warmth.cap, warmth.sent), ("2027-09-23", 80, 0));
    })
    .await;
}

#[tokio::test]
async fn what_a_round_leaves_is_not_counted() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        relay.next(Fault::Mail("550 5.7.1 sender not allowed"));
        let people = enter_people(&world, 20).await;
        digest_to(&world, &people).await;
        let rates = Rates { warm_up: Some(WarmUp { first_day: 1000, growth: 1.0, since: None }), ..Rates::default() };
        let settings = Settings { connections: 1, per_second: 0, on_doubt: OnDoubt::Retry };
        drain(&step_with(&world, to_relay(&relay), settings).limited(rates).unwrap()).await;
        assert_eq!(number(&world, "SELECT mails FROM sending_day").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_mailing_whose_mails_are_refused_for_what_they_are_stops_and_goes_on_when_mended() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        for number in 0..500 {
            relay.always(&format!("person{number}@example.org"), Fault::Dot("550 5.7.26 unauthenticated mail is not accepted"));
        }
        let people = enter_people(&world, 500).await;
        let mailing = digest_to(&world, &people).await;
        let step = step(&world, &relay);
        drain(&step).await;
        assert_eq!(state_of(&world, mailing).await, "held");
        let failed = number(&world, "SELECT COUNT(*) FROM delivery WHERE state = 'failed'").await;
        // Five, and what the other connections had begun.
        assert!((5..30).contains(&failed), "{failed} in one round");
        assert_eq!(number(&world, "SELECT COUNT(*) FROM delivery WHERE state = 'queued'").await, 500 - failed);
        assert_eq!(number(&world, "SELECT COUNT(*) FROM notice WHERE key LIKE 'mailing-refused:%'").await, 1);
        assert_eq!(number(&world, "SELECT COUNT(*) FROM person WHERE deliverability <> 'good'").await, 0, "it is nobody's fault");
        relay.mend();
        let mut tx = world.db.begin().await.unwrap();
        assert_eq!(delivery::retry(&mut tx, mailing, Again::Both, world.clock.now()).await.unwrap(), u64::try_from(failed).unwrap());
        assert!(delivery::resume(&mut tx, mailing).await.unwrap());
        tx.commit().await.unwrap();
        for _ in 0..20 {
            drain(&step).await;
            world.pass(7 * MINUTE);
        }
        assert_eq!((relay.received().len(), state_of(&world, mailing).await.as_str()), (500, "done"));
    })
    .await;
}

#[tokio::test]
async fn single_refusals_of_that_kind_stop_nothing() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        for number in 0..4 {
            relay.always(&format!("person{number}@example.org"), Fault::Rcpt("550 5.7.1 not from you"));
        }
        let people = enter_people(&world, 30).await;
        let mailing = digest_to(&world, &people).await;
        drain(&step(&world, &relay)).await;
        assert_eq!((relay.received().len(), state_of(&world, mailing).await.as_str()), (26, "done"));
        assert_eq!(states(&world, mailing).await[0].1, "refused by the relay");
    })
    .await;
}

#[tokio::test]
async fn an_alert_that_waited_too_long_is_held_whatever_it_waited_for() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let people = enter_people(&world, 3).await;
        let step = step(&world, &relay);
        for key in ["frozen", "paused", "neither"] {
            let mailing = mail_out(&world, &plan(&world, key, Kind::Petition), &people, &[]).await;
            let mut tx = world.db.begin().await.unwrap();
            delivery::hold_after(&mut tx, mailing, world.clock.now() + DAY / 2).await.unwrap();
            match key {
                "frozen" => assert!(delivery::freeze(&mut tx, world.clock.now()).await.unwrap()),
                "paused" => assert!(delivery::pause(&mut tx, mailing).await.unwrap()),
                _ => {}
            }
            tx.commit().await.unwrap();
            if key != "neither" {
                drain(&step).await;
            }
            world.pass(DAY);
            let mut tx = world.db.begin().await.unwrap();
            delivery::thaw(&mut tx).await.unwrap();
            tx.commit().await.unwrap();
            drain(&step).await;
            assert_eq!(state_of(&world, mailing).await, "held", "{key}");
            assert!(relay.received().is_empty(), "{key}");
            let mut tx = world.db.begin().await.unwrap();
            assert!(delivery::resume(&mut tx, mailing).await.unwrap());
            tx.commit().await.unwrap();
            drain(&step).await;
            assert_eq!((relay.received().len(), state_of(&world, mailing).await.as_str()), (3, "done"), "staff have said so");
            relay.forget();
        }
        assert_eq!(number(&world, "SELECT COUNT(*) FROM notice WHERE key LIKE 'mailing-late:%'").await, 3);
    })
    .await;
}

#[tokio::test]
async fn what_was_tried_in_time_goes_on() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        relay.next(Fault::Rcpt("450 4.2.2 full"));
        let people = enter_people(&world, 2).await;
        let mailing = mail_out(&world, &plan(&world, "alert", Kind::Petition), &people, &[]).await;
        let mut tx = world.db.begin().await.unwrap();
        delivery::hold_after(&mut tx, mailing, world.clock.now() + MINUTE).await.unwrap();
        tx.commit().await.unwrap();
        let step = step(&world, &relay);
        drain(&step).await;
        world.pass(7 * MINUTE);
        drain(&step).await;
        assert_eq!((relay.received().len(), state_of(&world, mailing).await.as_str()), (2, "done"));
    })
    .await;
}

/// Who is behind a greylist does not wait until everybody else has got theirs.
#[tokio::test]
async fn under_a_tight_limit_what_was_deferred_gets_a_share() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        for _ in 0..4 {
            relay.next(Fault::Rcpt("450 4.7.1 greylisted, try again in five minutes"));
        }
        let people = enter_people(&world, 60).await;
        digest_to(&world, &people).await;
        let rates = Rates { warm_up: Some(WarmUp { first_day: 10, growth: 1.0, since: None }), ..Rates::default() };
        let step = limited(&world, &relay, rates);
        let mut deferred = Vec::new();
        for _ in 0..3 {
            drain(&step).await;
            deferred.push(number(&world, "SELECT COUNT(*) FROM delivery WHERE state = 'deferred'").await);
            world.pass(DAY);
        }
        assert_eq!(deferred, [4, 2, 0], "a quarter of ten, rounded down, each day");
        assert_eq!(relay.received().len(), 26);
    })
    .await;
}

#[tokio::test]
async fn a_petition_does_not_wait_behind_a_digest_that_was_put_off() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let people = crowd(&world, 100, 0).await;
        let digest = digest_to(&world, &people).await;
        let step = limited(&world, &relay, big(0, 60, 0));
        drain(&step).await;
        let petition = mail_out(&world, &plan(&world, "petition", Kind::Petition), &people[..1], &[]).await;
        for _ in 0..35 {
            drain(&step).await;
            world.pass(MINUTE);
        }
        assert_eq!(state_of(&world, petition).await, "done", "within half an hour");
        assert_eq!(state_of(&world, digest).await, "running");
        assert!((30..=40).contains(&to_big(&relay)), "{} in 35 minutes, one a minute", to_big(&relay));
    })
    .await;
}

#[tokio::test]
async fn a_few_confirmations_a_day_do_not_use_up_a_warm_up() {
    on_each_engine(async |world: World| {
        run_sql(&world, "INSERT INTO sending_day (day, mails) VALUES ('2027-09-01', 3), ('2027-09-02', 49), ('2027-09-03', 0)").await;
        let warm_up = WarmUp { first_day: 100, growth: 2.0, since: None };
        let zone = world.site.time_zone.clone();
        let mut connection = world.db.reader().acquire().await.unwrap();
        let warmth = delivery::warmth(&mut connection, &warm_up, &zone, world.clock.now()).await.unwrap();
        assert_eq!(warmth.cap, 100, "nobody knows this sender yet");
        run_sql(&world, "UPDATE sending_day SET mails = 50 WHERE day = '2027-09-02'").await;
        let warmth = delivery::warmth(&mut connection, &warm_up, &zone, world.clock.now()).await.unwrap();
        assert_eq!(warmth.cap, 200);
    })
    .await;
}

#[tokio::test]
async fn while_a_limit_is_reached_no_relay_is_connected_to_but_for_urgent_mail() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let people = enter_people(&world, 20).await;
        digest_to(&world, &people).await;
        let rates = Rates { warm_up: Some(WarmUp { first_day: 10, growth: 2.0, since: None }), ..Rates::default() };
        let step = limited(&world, &relay, rates);
        drain(&step).await;
        let before = relay.connections();
        for _ in 0..3 {
            // As after twenty seconds without work.
            step.end().await.unwrap();
            assert_eq!(drain(&step).await, Wake::At(world.clock.now() + Duration::from_hours(16)));
        }
        assert_eq!((relay.connections(), relay.received().len()), (before, 10));
        let account = mail_out(&world, &plan(&world, "confirm:1", Kind::Account), &people[..1], &[]).await;
        drain(&step).await;
        assert_eq!((state_of(&world, account).await.as_str(), relay.received().len()), ("done", 11));
    })
    .await;
}
