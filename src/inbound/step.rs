//! Counts for who looks, and forgetting in time.

use super::store;
use crate::clock::{Clock, Timestamp};
use crate::db::Db;
use crate::metrics::{Arrival, Metrics};
use crate::task::{Step, Wake};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// How long a message is kept for staff.
const KEPT: Duration = Duration::from_hours(90 * 24);
/// How long one that comes again is known.
const KNOWN: Duration = Duration::from_hours(400 * 24);
/// Rows forgotten at once.
const PRUNED: i64 = 500;
const HOUR: Duration = Duration::from_hours(1);

/// Shows in the metrics what came in by whatever way, also by commands, and forgets what is old.
pub struct InboundStep {
    db: Db,
    clock: Clock,
    metrics: Metrics,
    /// When old messages were last forgotten, in Unix milliseconds.
    pruned_at: AtomicI64,
}

impl InboundStep {
    /// The step.
    pub fn new(db: Db, clock: Clock, metrics: Metrics) -> Self {
        Self { db, clock, metrics, pruned_at: AtomicI64::new(i64::MIN) }
    }

    async fn count(&self) -> anyhow::Result<()> {
        let mut connection = self.db.reader().acquire().await?;
        for (kind, total) in store::totals(&mut connection).await? {
            self.metrics.inbound.get_or_create(&Arrival { kind }).set(total);
        }
        let waiting = store::kept(&mut connection).await?.len();
        self.metrics.inbound_waiting.set(i64::try_from(waiting)?);
        Ok(())
    }

    async fn forget(&self, now: Timestamp) -> anyhow::Result<()> {
        let last = Timestamp::from_millis(self.pruned_at.load(Ordering::Relaxed));
        if last <= now && now.since(last) < HOUR {
            return Ok(());
        }
        let mut tx = self.db.begin().await?;
        store::prune(&mut tx, now - KEPT, now - KNOWN, PRUNED).await?;
        tx.commit().await?;
        self.pruned_at.store(now.as_millis(), Ordering::Relaxed);
        Ok(())
    }
}

impl Step for InboundStep {
    const NAME: &'static str = "inbound";

    async fn step(&self) -> anyhow::Result<Wake> {
        self.count().await?;
        self.forget(self.clock.now()).await?;
        Ok(Wake::WhenKicked)
    }
}
