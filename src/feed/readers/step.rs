//! Writing down what aggregators said, the worth of some seconds at a time.

use super::Readers;
use super::store::{self, Readership};
use crate::clock::Clock;
use crate::db::Db;
use crate::metrics::{self, Metrics};
use crate::task::{Step, Wake};
use jiff::ToSpan as _;
use jiff::tz::TimeZone;

/// How long numbers are kept: a year can be compared with the one before.
const DAYS: i64 = 400;

/// Writes what was heard to the database, off the path of requests.
pub struct ReadersStep {
    db: Db,
    clock: Clock,
    zone: TimeZone,
    readers: Readers,
    metrics: Metrics,
}

impl ReadersStep {
    /// A step that writes down what `readers` hears; days are those of `zone`.
    pub fn new(db: Db, clock: Clock, zone: TimeZone, readers: Readers, metrics: Metrics) -> Self {
        Self { db, clock, zone, readers, metrics }
    }

    async fn write(&self) -> anyhow::Result<()> {
        let heard = self.readers.take();
        if heard.is_empty() {
            return Ok(());
        }
        let written = self.write_all(&heard).await;
        if written.is_err() {
            // It is said again only when the aggregator comes again.
            heard.into_iter().for_each(|(key, count)| self.readers.note(key, count));
        }
        written
    }

    async fn write_all(&self, heard: &super::Heard) -> anyhow::Result<()> {
        let today = self.clock.now().in_zone(&self.zone).date();
        let day = today.to_string();
        let mut tx = self.db.begin().await?;
        for ((feed, aggregator), count) in heard {
            let readers = i64::try_from(*count)?;
            let said = Readership { feed: feed.clone(), aggregator: (*aggregator).to_owned(), day: day.clone(), readers };
            store::remember(&mut tx, &said).await?;
            let labels = metrics::Readership { feed: said.feed, aggregator: said.aggregator };
            self.metrics.feed_readers.get_or_create(&labels).set(readers);
        }
        store::forget(&mut tx, &today.saturating_sub(DAYS.days()).to_string()).await?;
        tx.commit().await
    }
}

impl Step for ReadersStep {
    const NAME: &'static str = "readers";

    async fn step(&self) -> anyhow::Result<Wake> {
        self.write().await?;
        Ok(Wake::WhenKicked)
    }

    async fn end(&self) -> anyhow::Result<()> {
        self.write().await
    }
}
