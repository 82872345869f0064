//! Stops outrank everything.

use super::bench::{Bench, PETITION, bodies, deliveries, notices, subscribers};
use crate::support::{World, on_each_engine};
use clarion::petition::ApprovalRefused;
use std::time::Duration;

const CALL: &str = "petition:day:2027:call";

#[tokio::test]
async fn a_stop_before_the_time_sends_nothing_and_resuming_waits_a_whole_window() {
    on_each_engine(async |world: World| {
        let bench = Bench::new(&world);
        subscribers(&world).await;
        bench.settle(&world).await;
        bench.approve("call").await.unwrap();
        bench.at(&world, "2027-09-22T08:58:00+09:00").await;
        assert!(bench.office.stop("day", "2027").await.unwrap().newly);
        assert!(!bench.office.stop("day", "2027").await.unwrap().newly);
        bench.at(&world, "2027-09-22T09:30:00+09:00").await;
        assert!(deliveries(&world, CALL).await.is_empty());
        assert_eq!(bench.approve("thanks").await, Err(ApprovalRefused::Stopped));
        assert!(bench.office.resume("day", "2027").await.unwrap());
        bench.pass(&world, Duration::from_mins(9)).await;
        assert!(deliveries(&world, CALL).await.is_empty());
        bench.pass(&world, Duration::from_mins(1)).await;
        assert_eq!(deliveries(&world, CALL).await, [("en".to_owned(), 2), ("ja".to_owned(), 1)]);
    })
    .await;
}

#[tokio::test]
async fn a_stop_ends_a_mailing_under_way_and_saving_the_file_does_not_revive_it() {
    on_each_engine(async |world: World| {
        let bench = Bench::new(&world);
        subscribers(&world).await;
        bench.settle(&world).await;
        bench.approve("call").await.unwrap();
        bench.at(&world, "2027-09-22T09:00:00+09:00").await;
        let stopped = bench.office.stop("day", "2027").await.unwrap();
        assert_eq!((stopped.newly, stopped.skipped), (true, 3));
        assert!(notices(&world).await.iter().any(|key| key.starts_with("petition-stopped:day:2027")));
        bench.write("petition.toml", format!("{PETITION}\n# saved again\n"));
        bench.settle(&world).await;
        bench.office.resume("day", "2027").await.unwrap();
        bench.pass(&world, Duration::from_mins(20)).await;
        assert_eq!(states(&world).await, ["skipped", "skipped", "skipped"]);
    })
    .await;
}

#[tokio::test]
async fn the_file_can_stop_a_mailing_under_way() {
    on_each_engine(async |world: World| {
        let bench = Bench::new(&world);
        subscribers(&world).await;
        bench.settle(&world).await;
        bench.approve("call").await.unwrap();
        bench.at(&world, "2027-09-22T09:00:00+09:00").await;
        bench.write("petition.toml", PETITION.replace("ready", "stopped"));
        bench.pass(&world, Duration::from_secs(10)).await;
        assert_eq!(states(&world).await, ["skipped", "skipped", "skipped"]);
    })
    .await;
}

#[tokio::test]
async fn a_folder_that_vanishes_sends_nothing_and_staff_are_told_once() {
    on_each_engine(async |world: World| {
        let bench = Bench::new(&world);
        subscribers(&world).await;
        bench.settle(&world).await;
        bench.approve("call").await.unwrap();
        std::fs::remove_dir_all(&bench.dir).unwrap();
        bench.at(&world, "2027-09-22T09:00:00+09:00").await;
        super::bench::drain(&bench.another()).await;
        assert!(deliveries(&world, CALL).await.is_empty());
        assert_eq!(notices(&world).await, ["petition-vanished:day"]);
    })
    .await;
}

async fn states(world: &World) -> Vec<String> {
    let sql = "SELECT d.state FROM delivery d JOIN mailing m ON m.id = d.mailing_id WHERE m.key = $1 ORDER BY d.id";
    sqlx::query_scalar(sql).bind(CALL).fetch_all(world.db.reader()).await.unwrap()
}

#[tokio::test]
async fn who_saves_a_stopped_petition_is_told_that_nothing_goes_out_whatever_the_file_says() {
    on_each_engine(async |world: World| {
        let bench = Bench::new(&world);
        subscribers(&world).await;
        bench.settle(&world).await;
        bench.office.stop("day", "2027").await.unwrap();
        bench.write("petition.toml", format!("{PETITION}\n# saved again\n"));
        bench.settle(&world).await;
        let plans = bodies(&world, "petition-plan:").await;
        let last = plans.last().unwrap();
        assert!(last.contains("clarion petition resume day") && !last.contains("approvers are asked by mail"), "{last}");
    })
    .await;
}
