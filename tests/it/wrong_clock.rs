//! A machine whose clock is wrong does nothing by it, and says so (S23).

use crate::digest::number;
use crate::support::{is_sqlite, on_each_engine};
use clarion::app::Punctual;
use clarion::task::{Step, Wake};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Counting(Arc<AtomicUsize>);

impl Step for Counting {
    const NAME: &'static str = "counting";

    async fn step(&self) -> anyhow::Result<Wake> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(Wake::Now)
    }
}

#[tokio::test]
async fn a_clock_over_five_seconds_off_stops_the_work_of_its_machine_alone() {
    on_each_engine(async |world| {
        for (off, works) in [(0, true), (4_000, true), (-4_000, true), (6_000, false), (-6_000, false), (86_400_000, false), (0, true)] {
            let done = Arc::new(AtomicUsize::new(0));
            world.clock.set_machine_wrong_by(off);
            let step = Punctual::new(Counting(Arc::clone(&done)), world.db.clone(), world.clock.clone());
            let wake = step.step().await.unwrap();
            let works = works || is_sqlite(&world.db);
            assert_eq!((wake == Wake::Now, done.load(Ordering::SeqCst)), (works, usize::from(works)), "{off} milliseconds off");
        }
        let told = number(&world, "SELECT COUNT(*) FROM notice WHERE key = 'clock-off'").await;
        assert_eq!(told, i64::from(!is_sqlite(&world.db)));
    })
    .await;
}
