//! Many readers: chunks, several daemons, and daemons that end in the middle.

use super::{WEEK, digests, drain, number, publish, started, step_with};
use crate::support::{World, on_each_engine};
use clarion::clock::Clock;
use clarion::task::{Step as _, Wake};
use clarion::{delivery, digest};
use std::time::Duration;

/// Two thousand readers of the weekly digest: every second one reads Japanese first.
async fn two_thousand_readers(world: &World) {
    const NUMBERS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)";
    let mut tx = world.db.begin().await.unwrap();
    for statement in [
        "INSERT INTO person (id, address_index, deliverability, made_at) {} SELECT i, CAST(i AS TEXT), 'good', 0 FROM n",
        "INSERT INTO subscription (person_id, state, rhythm, watermark) {} SELECT i, 'active', 'weekly', 0 FROM n",
        "INSERT INTO subscription_language (person_id, position, language) {} SELECT i, 0, CASE i % 2 WHEN 0 THEN 'ja' ELSE 'en' END FROM n",
        "INSERT INTO subscription_language (person_id, position, language) {} SELECT i, 1, CASE i % 2 WHEN 0 THEN 'en' ELSE 'ja' END FROM n",
    ] {
        sqlx::query(sqlx::AssertSqlSafe(statement.replace("{}", NUMBERS))).execute(&mut *tx).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn prepared(world: &World) {
    drop(started(world).await);
    two_thousand_readers(world).await;
    publish(world, "summit", "en", "defectors").await;
    publish(world, "summit", "ja", "defectors").await;
    publish(world, "visit", "en", "defectors").await;
    world.pass(WEEK);
}

/// One mailing, ready; everybody in it once, with what is theirs; everything considered.
async fn assert_everybody_once(world: &World) {
    assert_eq!(number(world, "SELECT COUNT(*) FROM mailing WHERE key LIKE 'digest:weekly:%'").await, 1);
    assert_eq!(number(world, "SELECT COUNT(*) FROM mailing WHERE key LIKE 'digest:weekly:%' AND state = 'ready'").await, 1);
    assert_eq!(number(world, "SELECT COUNT(*) FROM delivery").await, 2000);
    assert_eq!(number(world, "SELECT COUNT(DISTINCT person_id) FROM delivery").await, 2000);
    assert_eq!(number(world, "SELECT COUNT(*) FROM variant").await, 2, "one for each group, though there are four chunks");
    assert_eq!(number(world, "SELECT COUNT(*) FROM subscription WHERE watermark <> 3").await, 0);
    let japanese = "SELECT COUNT(*) FROM delivery d JOIN variant v ON v.id = d.variant_id WHERE v.language = 'ja' AND d.person_id % 2 = 0";
    assert_eq!(number(world, japanese).await, 1000);
}

#[tokio::test]
async fn two_thousand_readers_are_cut_in_four_chunks_with_one_variant_for_each_group() {
    on_each_engine(async |world: World| {
        prepared(&world).await;
        let step = step_with(&world, digests(&world));
        drain(&step).await;
        assert_everybody_once(&world).await;
        drain(&step).await;
        assert_everybody_once(&world).await;
    })
    .await;
}

#[tokio::test]
async fn a_daemon_that_ends_between_chunks_is_continued_by_the_next() {
    on_each_engine(async |world: World| {
        prepared(&world).await;
        let mut seen = Vec::new();
        for _ in 0..4 {
            // Each time a new daemon, which knows nothing but the database.
            step_with(&world, digests(&world)).step().await.unwrap();
            seen.push(number(&world, "SELECT COUNT(*) FROM delivery").await);
            publish(&world, &format!("late{}", seen.len()), "en", "defectors").await;
        }
        assert!(seen.windows(2).any(|pair| pair[0] > 0 && pair[0] < pair[1] && pair[1] < 2000), "{seen:?}");
        drain(&step_with(&world, digests(&world))).await;
        assert_everybody_once(&world).await;
    })
    .await;
}

#[tokio::test]
async fn a_daemon_that_ends_anywhere_leaves_nobody_out_and_nobody_twice() {
    on_each_engine(async |world: World| {
        prepared(&world).await;
        for millis in (0..25).map(|turn| 1 + turn * 8) {
            let step = step_with(&world, digests(&world));
            let _ = tokio::time::timeout(Duration::from_millis(millis), step.step()).await;
        }
        drain(&step_with(&world, digests(&world))).await;
        assert_everybody_once(&world).await;
    })
    .await;
}

#[tokio::test]
async fn two_daemons_at_once_make_one_mailing() {
    on_each_engine(async |world: World| {
        prepared(&world).await;
        let (one, two) = (step_with(&world, digests(&world)), step_with(&world, digests(&world)));
        tokio::join!(drain(&one), drain(&two));
        assert_everybody_once(&world).await;
        drain(&one).await;
        assert_everybody_once(&world).await;
    })
    .await;
}

/// Begins a run and cuts its first chunk.
async fn begun(world: &World) {
    prepared(world).await;
    let step = step_with(world, digests(world));
    while number(world, "SELECT COUNT(*) FROM delivery").await == 0 {
        step.step().await.unwrap();
    }
    assert_eq!(number(world, "SELECT COUNT(*) FROM delivery").await, 500);
}

#[tokio::test]
async fn a_run_that_is_held_in_the_middle_goes_on_when_released() {
    on_each_engine(async |world: World| {
        begun(&world).await;
        let step = step_with(&world, digests(&world));
        let mut tx = world.db.begin().await.unwrap();
        digest::hold(&mut tx, "weekly", world.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        assert_ne!(drain(&step).await, Wake::Now);
        assert_eq!(number(&world, "SELECT COUNT(*) FROM delivery").await, 500);
        let mut tx = world.db.begin().await.unwrap();
        digest::release(&mut tx, "weekly").await.unwrap();
        tx.commit().await.unwrap();
        drain(&step).await;
        assert_everybody_once(&world).await;
    })
    .await;
}

#[tokio::test]
async fn a_mailing_cancelled_while_it_is_cut_is_cut_no_further_and_the_others_lose_nothing() {
    on_each_engine(async |world: World| {
        begun(&world).await;
        let step = step_with(&world, digests(&world));
        let mut tx = world.db.begin().await.unwrap();
        let mailing = sqlx::query_scalar("SELECT mailing_id FROM delivery LIMIT 1").fetch_one(&mut *tx).await.unwrap();
        delivery::cancel(&mut tx, mailing, "stopped by staff", world.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        drain(&step).await;
        assert_eq!(number(&world, "SELECT COUNT(*) FROM delivery").await, 500);
        assert_eq!(number(&world, "SELECT COUNT(*) FROM run WHERE state = 'cutting'").await, 0);
        world.pass(WEEK);
        drain(&step).await;
        assert_eq!(number(&world, "SELECT COUNT(*) FROM delivery WHERE state = 'queued'").await, 1500, "those not reached, with the next");
    })
    .await;
}

#[tokio::test]
async fn a_run_whose_digest_is_no_longer_configured_ends_with_what_was_cut() {
    on_each_engine(async |world: World| {
        begun(&world).await;
        drain(&step_with(&world, Vec::new())).await;
        assert_eq!(number(&world, "SELECT COUNT(*) FROM mailing WHERE state = 'ready'").await, 1);
        assert_eq!(number(&world, "SELECT COUNT(*) FROM delivery").await, 500);
        assert_eq!(number(&world, "SELECT COUNT(*) FROM subscription WHERE watermark = 0").await, 1500);
    })
    .await;
}

#[tokio::test]
async fn the_machines_own_clock_is_compared_with_the_databases() {
    on_each_engine(async |world: World| {
        let mut step = step_with(&world, digests(&world));
        step.clock = Clock::system();
        assert!(matches!(drain(&step).await, Wake::At(at) if at > step.clock.now()));
        assert_eq!(number(&world, "SELECT COUNT(*) FROM run WHERE state = 'seen'").await, 2);
    })
    .await;
}
