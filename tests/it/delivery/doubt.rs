//! When a connection breaks at the moment of handing over, nobody knows whether the mail
//! arrived.

use super::office::{digest_to, drain, enter_people, mail_out, plan, run_sql, single_step, state_of, states};
use crate::support::relay::{Fault, Manner, Relay};
use crate::support::{World, on_each_engine};
use clarion::delivery::{self, Kind, NewMailing, OnDoubt};
use clarion::task::Step as _;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const LATER: Duration = Duration::from_mins(30);

fn held() -> (String, String) {
    ("held".to_owned(), "in doubt".to_owned())
}

#[tokio::test]
async fn a_mail_in_doubt_is_sent_once_more_with_the_same_bytes_and_then_held() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        relay.next(Fault::CloseAfterDot);
        relay.next(Fault::CloseAfterDot);
        let people = enter_people(&world, 1).await;
        let mailing = digest_to(&world, &people).await;
        let step = single_step(&world, &relay);
        drain(&step).await;
        assert_eq!(states(&world, mailing).await, [("deferred".to_owned(), "in doubt once".to_owned())]);
        world.pass(LATER);
        drain(&step).await;
        assert_eq!(states(&world, mailing).await, [held()]);
        world.pass(LATER);
        drain(&step).await;
        let received = relay.received();
        assert_eq!(received.len(), 2);
        assert_eq!((&received[0].data, &received[0].from), (&received[1].data, &received[1].from), "the same mail, byte for byte");
        assert_eq!(state_of(&world, mailing).await, "done");
        let told: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM notice WHERE key LIKE 'mailing-held:%'").fetch_one(world.db.reader()).await.unwrap();
        assert_eq!(told, 1);
    })
    .await;
}

#[tokio::test]
async fn a_mailing_may_rather_have_doubtful_mail_held_at_once() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        relay.next(Fault::CloseInBody);
        let people = enter_people(&world, 1).await;
        let plan = NewMailing { on_doubt: OnDoubt::Hold, ..plan(&world, "petition:a:2027:call", Kind::Petition) };
        let mailing = mail_out(&world, &plan, &people, &[]).await;
        let step = single_step(&world, &relay);
        drain(&step).await;
        world.pass(LATER);
        drain(&step).await;
        assert_eq!(states(&world, mailing).await, [held()]);
        assert!(relay.received().is_empty());
    })
    .await;
}

/// As a crash between the mark and the answer leaves it.
#[tokio::test]
async fn what_a_crash_left_in_doubt_is_tried_once_more_and_what_it_left_claimed_is_simply_sent() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let people = enter_people(&world, 2).await;
        let mailing = digest_to(&world, &people).await;
        run_sql(
            &world,
            "UPDATE delivery SET state = CASE WHEN id = 1 THEN 'in_doubt' ELSE 'leased' END, fence = 1, lease_owner = 'gone', lease_until = 1,
                    first_attempt_at = due_at",
        )
        .await;
        let step = single_step(&world, &relay);
        drain(&step).await;
        assert_eq!(relay.received().len(), 2);
        let doubtful: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM delivery WHERE doubts = 1").fetch_one(world.db.reader()).await.unwrap();
        assert_eq!(doubtful, 1);
        run_sql(&world, "UPDATE delivery SET state = 'in_doubt', lease_owner = 'gone', lease_until = 1").await;
        run_sql(&world, "UPDATE mailing SET state = 'running'").await;
        drain(&step).await;
        let states = states(&world, mailing).await;
        assert_eq!(states[0], held(), "its second doubt");
        assert_eq!((relay.received().len(), states[1].0.as_str()), (3, "sent"));
    })
    .await;
}

#[tokio::test]
async fn a_claim_of_another_living_daemon_is_left_alone() {
    on_each_engine(async |world: World| {
        if crate::support::is_sqlite(&world.db) {
            return;
        }
        let relay = Relay::start().await;
        let people = enter_people(&world, 1).await;
        let mailing = digest_to(&world, &people).await;
        run_sql(&world, "UPDATE delivery SET state = 'leased', fence = 1, lease_owner = 'other', lease_until = 99999999999999").await;
        drain(&single_step(&world, &relay)).await;
        assert!(relay.received().is_empty());
        assert_eq!(states(&world, mailing).await[0].0, "leased");
    })
    .await;
}

#[tokio::test]
async fn a_result_that_comes_after_another_claim_is_ignored() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        relay.next(Fault::SilentAtDot);
        let people = enter_people(&world, 1).await;
        let mailing = digest_to(&world, &people).await;
        let step = std::sync::Arc::new(single_step(&world, &relay));
        let slow = {
            let step = std::sync::Arc::clone(&step);
            tokio::spawn(async move { clarion::task::Step::step(&*step).await })
        };
        while states(&world, mailing).await[0].0 != "in_doubt" {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // Somebody else claims it, as after a lease that ran out.
        run_sql(&world, "UPDATE delivery SET state = 'leased', fence = fence + 1, lease_owner = 'other', lease_until = 99999999999999")
            .await;
        // The relay goes, so the slow worker learns that it does not know.
        drop(relay);
        slow.await.unwrap().unwrap();
        let (state, owner): (String, Option<String>) =
            sqlx::query_as("SELECT state, lease_owner FROM delivery").fetch_one(world.db.reader()).await.unwrap();
        // On SQLite the next look takes back what no living daemon can hold; this one has not looked.
        assert_eq!((state.as_str(), owner.as_deref()), ("leased", Some("other")));
    })
    .await;
}

/// Three people: the first may have got theirs, the second has not, the third has.
async fn one_of_each(world: &World, relay: &Relay, plan: &NewMailing<'_>) -> i64 {
    relay.next(Fault::CloseAfterDot);
    relay.next(Fault::Rcpt("450 4.2.2 full"));
    let people = enter_people(world, 3).await;
    let mailing = mail_out(world, plan, &people, &[]).await;
    drain(&single_step(world, relay)).await;
    let states: Vec<String> = states(world, mailing).await.into_iter().map(|(state, _)| state).collect();
    assert_eq!(states, ["deferred", "deferred", "sent"]);
    mailing
}

fn then(reason: &str) -> [(String, String); 3] {
    [held(), ("skipped".to_owned(), reason.to_owned()), ("sent".to_owned(), String::new())]
}

#[tokio::test]
async fn what_may_have_arrived_is_held_and_not_skipped_when_its_mailing_is_cancelled() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let mailing = one_of_each(&world, &relay, &plan(&world, "cancelled", Kind::Digest)).await;
        let mut tx = world.db.begin().await.unwrap();
        assert_eq!(delivery::cancel(&mut tx, mailing, "stopped", world.clock.now()).await.unwrap(), 1);
        tx.commit().await.unwrap();
        assert_eq!(states(&world, mailing).await, then("stopped"));
    })
    .await;
}

#[tokio::test]
async fn what_may_have_arrived_is_held_and_not_skipped_when_its_deadline_passes() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let plan = NewMailing { deadline: Some(world.clock.now() + LATER), ..plan(&world, "overdue", Kind::Petition) };
        let mailing = one_of_each(&world, &relay, &plan).await;
        world.pass(LATER * 2);
        drain(&single_step(&world, &relay)).await;
        assert_eq!(states(&world, mailing).await, then("deadline"));
    })
    .await;
}

#[tokio::test]
async fn what_may_have_arrived_is_held_and_not_skipped_when_its_recipient_leaves() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let mailing = one_of_each(&world, &relay, &plan(&world, "left", Kind::Digest)).await;
        run_sql(&world, "UPDATE person SET deliverability = 'paused'").await;
        world.pass(LATER);
        drain(&single_step(&world, &relay)).await;
        assert_eq!(states(&world, mailing).await, then("bounced"));
        assert_eq!(state_of(&world, mailing).await, "done");
    })
    .await;
}

#[tokio::test]
async fn what_was_asked_for_with_a_body_does_not_share_its_fate() {
    for (fault, copies) in [
        (Fault::CloseAfterDot, 2),
        (Fault::CloseInBody, 1),
        (Fault::Dot("421 4.3.2 closing"), 1),
        (Fault::Dot("451 4.3.0 later"), 1),
        (Fault::Dot("554 5.6.0 not this one"), 0),
    ] {
        on_each_engine(async |world: World| {
            let relay = Relay::start().await;
            relay.next(fault);
            let people = enter_people(&world, 3).await;
            let mailing = digest_to(&world, &people).await;
            let step = single_step(&world, &relay);
            for _ in 0..3 {
                drain(&step).await;
                world.pass(LATER);
            }
            assert_eq!(state_of(&world, mailing).await, "done", "{fault:?}");
            let rows: Vec<(String, i64, i64)> =
                sqlx::query_as("SELECT state, attempts, doubts FROM delivery ORDER BY id").fetch_all(world.db.reader()).await.unwrap();
            let sent = ("sent".to_owned(), 1, 0);
            assert_eq!(rows[1..], [sent.clone(), sent], "{fault:?}");
            let received = [0, 1, 2].map(|number| relay.received_by(&format!("person{number}@example.org")).len());
            assert_eq!(received, [copies, 1, 1], "{fault:?}");
        })
        .await;
    }
}

#[tokio::test]
async fn nothing_begins_that_was_asked_for_before_a_stop() {
    on_each_engine(async |world: World| {
        let relay = Relay::start_with(Manner { hesitation: Duration::from_millis(500), ..Manner::default() }).await;
        let people = enter_people(&world, 3).await;
        let mailing = digest_to(&world, &people).await;
        let shutdown = CancellationToken::new();
        let step = single_step(&world, &relay).until(shutdown.clone());
        let stopping = async {
            while relay.bodies() == 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            shutdown.cancel();
        };
        let (outcome, ()) = tokio::join!(step.step(), stopping);
        outcome.unwrap();
        let (sent, queued) = (("sent".to_owned(), String::new()), ("queued".to_owned(), String::new()));
        assert_eq!(states(&world, mailing).await, [sent, queued.clone(), queued]);
        assert_eq!((relay.bodies(), relay.received().len()), (1, 1));
        let next = single_step(&world, &relay);
        drain(&next).await;
        assert_eq!((state_of(&world, mailing).await.as_str(), relay.received().len()), ("done", 3));
    })
    .await;
}
