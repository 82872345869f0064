//! When digests run: downtime, clocks set back, and the hand of staff.

use super::{DAY, WEEK, choices, digests, drain, ledger, number, publish, started, step_with, subscribe};
use crate::support::{World, beginning, on_each_engine};
use clarion::clock::Timestamp;
use clarion::digest::{self, NextRun, RunState};
use clarion::task::Wake;
use std::time::Duration;

async fn weekly_runs(world: &World) -> Vec<(i64, String)> {
    let rows: Vec<(i64, String)> = sqlx::query_as("SELECT scheduled_at, state FROM run WHERE job = 'digest:weekly' ORDER BY scheduled_at")
        .fetch_all(world.db.reader())
        .await
        .unwrap();
    rows.into_iter().map(|(at, state)| ((at - beginning().as_millis()) / i64::try_from(DAY.as_millis()).unwrap(), state)).collect()
}

async fn next_weekly(world: &World) -> NextRun {
    let mut connection = world.db.reader().acquire().await.unwrap();
    digest::standing(&mut connection, &digests(world)[0], world.clock.now()).await.unwrap().next
}

#[tokio::test]
async fn a_digest_seen_for_the_first_time_runs_nothing_that_is_past() {
    on_each_engine(async |world: World| {
        publish(&world, "old", "en", "defectors").await;
        let step = step_with(&world, digests(&world));
        assert_eq!(drain(&step).await, Wake::At(beginning() + DAY), "the daily one");
        assert_eq!(number(&world, "SELECT COUNT(*) FROM mailing").await, 0);
        assert_eq!(weekly_runs(&world).await, [(0, "seen".to_owned())]);
    })
    .await;
}

#[tokio::test]
async fn after_downtime_one_run_covers_the_gap() {
    on_each_engine(async |world: World| {
        drop(started(&world).await);
        subscribe(&world, "a", &choices("en", "", "weekly")).await;
        publish(&world, "first", "en", "defectors").await;
        world.pass(WEEK * 2);
        publish(&world, "second", "en", "defectors").await;
        world.pass(WEEK * 3 + DAY);
        drain(&step_with(&world, digests(&world))).await;
        assert_eq!(ledger(&world).await, ["1: second en, first en"]);
        assert_eq!(weekly_runs(&world).await, [(0, "seen".to_owned()), (35, "done".to_owned())]);
    })
    .await;
}

#[tokio::test]
async fn a_clock_set_back_repeats_nothing() {
    on_each_engine(async |world: World| {
        let step = started(&world).await;
        subscribe(&world, "a", &choices("en", "", "weekly")).await;
        publish(&world, "first", "en", "defectors").await;
        world.pass(WEEK * 2);
        drain(&step).await;
        publish(&world, "second", "en", "defectors").await;
        for back in [Duration::from_mins(1), DAY, WEEK * 2] {
            world.clock.set(beginning() + WEEK * 2 - back);
            drain(&step).await;
            world.clock.set(beginning() + WEEK * 2);
            drain(&step).await;
        }
        assert_eq!(ledger(&world).await, ["1: first en"]);
        world.clock.set(beginning() + WEEK * 3);
        drain(&step).await;
        assert_eq!(ledger(&world).await, ["1: first en", "1: second en"]);
    })
    .await;
}

#[tokio::test]
async fn a_held_digest_waits_and_then_covers_what_it_missed() {
    on_each_engine(async |world: World| {
        let step = started(&world).await;
        subscribe(&world, "a", &choices("en", "", "weekly")).await;
        publish(&world, "first", "en", "defectors").await;
        let mut tx = world.db.begin().await.unwrap();
        assert!(digest::hold(&mut tx, "weekly", world.clock.now()).await.unwrap());
        assert!(!digest::hold(&mut tx, "weekly", world.clock.now()).await.unwrap(), "held already");
        tx.commit().await.unwrap();
        world.pass(WEEK * 2);
        drain(&step).await;
        assert_eq!(ledger(&world).await, [""; 0]);
        assert_eq!(next_weekly(&world).await, NextRun::Due(beginning() + WEEK * 2));

        let mut tx = world.db.begin().await.unwrap();
        assert!(digest::release(&mut tx, "weekly").await.unwrap());
        assert!(!digest::release(&mut tx, "weekly").await.unwrap(), "not held any more");
        tx.commit().await.unwrap();
        drain(&step).await;
        assert_eq!(ledger(&world).await, ["1: first en"]);
        assert_eq!(weekly_runs(&world).await, [(0, "seen".to_owned()), (14, "done".to_owned())]);
    })
    .await;
}

#[tokio::test]
async fn a_skipped_run_leaves_its_articles_to_the_next() {
    on_each_engine(async |world: World| {
        let step = started(&world).await;
        subscribe(&world, "a", &choices("en", "", "weekly")).await;
        publish(&world, "first", "en", "defectors").await;
        assert_eq!(skip(&world).await, Some(beginning() + WEEK));
        world.pass(WEEK);
        drain(&step).await;
        assert_eq!(ledger(&world).await, [""; 0]);
        assert_eq!(next_weekly(&world).await, NextRun::Later(beginning() + WEEK * 2));
        world.pass(WEEK);
        drain(&step).await;
        assert_eq!(ledger(&world).await, ["1: first en"]);
        let states = [(0, RunState::Seen), (7, RunState::Skipped), (14, RunState::Done)];
        assert_eq!(weekly_runs(&world).await, states.map(|(day, state)| (day, state.as_str().to_owned())));
    })
    .await;
}

#[tokio::test]
async fn what_came_due_while_held_can_be_skipped() {
    on_each_engine(async |world: World| {
        let step = started(&world).await;
        let mut tx = world.db.begin().await.unwrap();
        digest::hold(&mut tx, "weekly", world.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        world.pass(WEEK + DAY);
        drain(&step).await;
        assert_eq!(skip(&world).await, Some(beginning() + WEEK));
        let mut tx = world.db.begin().await.unwrap();
        digest::release(&mut tx, "weekly").await.unwrap();
        tx.commit().await.unwrap();
        drain(&step).await;
        assert_eq!(weekly_runs(&world).await, [(0, "seen".to_owned()), (7, "skipped".to_owned())]);
    })
    .await;
}

async fn skip(world: &World) -> Option<Timestamp> {
    let mut tx = world.db.begin().await.unwrap();
    let skipped = digest::skip(&mut tx, &digests(world)[0], world.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    skipped
}
