//! The one that writes: results and marks of all connections, as many as wait, in one commit.
//!
//! A connection begins a body only after its own earlier results and this body's mark are
//! durable (DESIGN, Promises). One commit for all makes that cheap.

use super::ledger::{self, LEASE, Leaving};
use super::order::lock_deliveries;
use super::rules::Settlement;
use super::{DeliveryState, bounce};
use crate::db::{Db, Engine};
use anyhow::{Context as _, anyhow};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// Entries written in one commit, at most.
const PAGE: usize = 400;
/// A disk that is done sooner is written to more often.
const QUICK: Duration = Duration::from_millis(5);

/// A page waits no longer than this for more, nor where it would have to.
const MOMENT: Duration = Duration::from_millis(4);
/// Nor for more than this: of what such a page costs, the commit is a small part.
const WHOLE: usize = 24;

/// What one connection has to write.
struct Entry {
    settlements: Vec<Settlement>,
    /// Delivery and fence of the body about to leave.
    body: Option<(i64, i64)>,
    /// Answered when durable: whether the body may leave.
    done: oneshot::Sender<bool>,
}

/// Results that could not be written, because the database could not commit. They are written
/// before anything else is begun.
pub(super) type Unwritten = Arc<Mutex<Vec<Settlement>>>;

/// Where connections hand in what is to be written. Clones write into the same book.
#[derive(Clone)]
pub(super) struct Scribe(mpsc::Sender<Entry>);

impl Scribe {
    /// Starts writing for so many connections; ends when every clone is dropped.
    pub(super) fn start(db: Db, unwritten: Unwritten, connections: usize) -> (Self, tokio::task::JoinHandle<()>) {
        let (sender, receiver) = mpsc::channel(PAGE);
        (Self(sender), tokio::spawn(write_all(db, unwritten, receiver, connections)))
    }

    /// Writes results and, with them, the mark of a body about to leave. Returns, when all is
    /// durable, whether that body may leave: not if the delivery was cancelled, or has become
    /// somebody else's.
    pub(super) async fn write(&self, settlements: Vec<Settlement>, body: Option<(i64, i64)>) -> anyhow::Result<bool> {
        let (done, written) = oneshot::channel();
        self.0.send(Entry { settlements, body, done }).await.map_err(|_| anyhow!("nobody writes the ledger any more"))?;
        written.await.context("the ledger could not be written")
    }
}

/// A page is what half of the connections have to write, at most, while the disk is quick: else all
/// would come to wait for one commit, and then to send at one time, and of disk and relay one would
/// always be idle. Where commits alone would keep a processor busy, a page waits a moment for its half.
async fn write_all(db: Db, unwritten: Unwritten, mut receiver: mpsc::Receiver<Entry>, connections: usize) {
    let half = connections.div_ceil(2).min(PAGE);
    let (mut page, mut most, mut flow, mut written) = (Vec::new(), half, Flow::default(), Instant::now());
    while receiver.recv_many(&mut page, most).await > 0 {
        let whole = half.min(WHOLE);
        if flow.is_worth_waiting_for(whole.saturating_sub(page.len())) {
            // Cut short, it loses none that has come.
            let _ = tokio::time::timeout(MOMENT, fill(&mut page, &mut receiver, whole)).await;
        }
        match write(&db, &page).await {
            Ok((granted, took)) => {
                most = if took < QUICK { half } else { PAGE };
                flow.note(page.len(), written.elapsed(), took);
                written = Instant::now();
                for entry in page.drain(..) {
                    // Who does not wait any more has dropped its connection.
                    let _ = entry.done.send(entry.body.is_none_or(|body| granted.contains(&body)));
                }
            }
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "the ledger could not be written; sending stops");
                keep(&unwritten, page.drain(..).flat_map(|entry| entry.settlements).collect());
            }
        }
    }
}

/// Waits until so many entries are on the page, or there will be no more.
async fn fill(page: &mut Vec<Entry>, receiver: &mut mpsc::Receiver<Entry>, wanted: usize) {
    while page.len() < wanted && receiver.recv_many(page, wanted - page.len()).await > 0 {}
}

/// How entries come and what a commit costs, lately: sums that forget.
#[derive(Default)]
struct Flow {
    pages: f64,
    entries: f64,
    /// In seconds, as the next.
    elapsed: f64,
    /// What the pages would have cost with one entry each.
    commits: f64,
}

impl Flow {
    /// What is left of the sums with each page.
    const KEPT: f64 = 0.875;
    /// Whatever takes longer counts as this, or it would be remembered for too long.
    const LONGEST: Duration = Duration::from_millis(50);
    /// So many entries cost about as much as the commit that they are in.
    const SHARE: f64 = 8.0;
    /// Of the time.
    const MUCH: f64 = 0.75;
    /// A commit that takes longer, in seconds, is waited for by a processor that has other work to
    /// do, and meanwhile a page fills by itself.
    const SHORT: f64 = 0.0005;

    /// A page of so many was written, so long after the one before.
    fn note(&mut self, entries: usize, elapsed: Duration, writing: Duration) {
        let entries = u32::try_from(entries).map_or(0.0, f64::from);
        let [elapsed, writing] = [elapsed, writing].map(|time| time.min(Self::LONGEST).as_secs_f64());
        let alone = writing * Self::SHARE / (Self::SHARE - 1.0 + entries);
        for (sum, more) in [(&mut self.pages, 1.0), (&mut self.entries, entries), (&mut self.elapsed, elapsed), (&mut self.commits, alone)]
        {
            *sum = *sum * Self::KEPT + more;
        }
    }

    /// Whether a commit for each entry would take much of a processor's time, or more than there is,
    /// and so many more can be expected in a moment.
    fn is_worth_waiting_for(&self, missing: usize) -> bool {
        let is_dense = self.entries * self.commits > Self::MUCH * self.elapsed * self.pages;
        let is_short = self.commits < Self::SHORT * self.pages;
        let missing = u32::try_from(missing).map_or(f64::MAX, f64::from);
        is_dense && is_short && missing * self.elapsed <= self.entries * MOMENT.as_secs_f64()
    }
}

/// Returns the bodies that may leave, and how long the writing took, without the waiting for its turn.
async fn write(db: &Db, page: &[Entry]) -> anyhow::Result<(HashSet<(i64, i64)>, Duration)> {
    let settlements: Vec<Settlement> = page.iter().flat_map(|entry| entry.settlements.iter().cloned()).collect();
    let bodies: Vec<(i64, i64)> = page.iter().filter_map(|entry| entry.body).collect();
    let says_no = settlements.iter().any(|settlement| settlement.state == DeliveryState::Failed);
    let start;
    let written = if db.engine() == Engine::Sqlite && !says_no {
        // Each turn to SQLite's thread and back costs as much as several rows.
        let mut writer = db.writer().await?;
        start = Instant::now();
        let lease_until = db.lease_time(&mut writer).await? + LEASE;
        ledger::write(&mut writer, &settlements, &Leaving { bodies, lease_until }).await?
    } else {
        let mut tx = db.begin().await?;
        start = Instant::now();
        let lease_until = db.lease_time(&mut tx).await? + LEASE;
        let ids: Vec<i64> = settlements.iter().map(|settlement| settlement.id).chain(bodies.iter().map(|(id, _)| *id)).collect();
        lock_deliveries(&mut tx, &ids).await?;
        let written = ledger::write(&mut tx, &settlements, &Leaving { bodies, lease_until }).await?;
        bounce::note_refusals(&mut tx, &settlements).await?;
        tx.commit().await?;
        written
    };
    // What staff have taken away before it was tried is given back in vain, and nobody minds.
    let tried = settlements.iter().filter(|settlement| settlement.state != DeliveryState::Queued).count() as u64;
    let late = tried.saturating_sub(written.settled);
    if late > 0 {
        tracing::warn!("{late} results came too late to be written: their deliveries had been claimed again");
    }
    Ok((written.granted, start.elapsed()))
}

fn keep(unwritten: &Unwritten, settlements: Vec<Settlement>) {
    unwritten.lock().unwrap_or_else(PoisonError::into_inner).extend(settlements);
}

/// Writes what could not be written before. An error means that it still cannot.
pub(super) async fn catch_up(db: &Db, unwritten: &Unwritten) -> anyhow::Result<()> {
    let waiting = std::mem::take(&mut *unwritten.lock().unwrap_or_else(PoisonError::into_inner));
    if waiting.is_empty() {
        return Ok(());
    }
    let written = async {
        let mut tx = db.begin().await?;
        ledger::settle(&mut tx, &waiting).await?;
        bounce::note_refusals(&mut tx, &waiting).await?;
        tx.commit().await
    };
    match written.await {
        Ok(()) => Ok(()),
        Err(error) => {
            keep(unwritten, waiting);
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A flow of pages with so many entries, each so long after the last, and how long one takes to
    /// write, in microseconds.
    fn flow(entries: usize, elapsed: u64, writing: u64) -> Flow {
        let mut flow = Flow::default();
        (0..50).for_each(|_| flow.note(entries, Duration::from_micros(elapsed), Duration::from_micros(writing)));
        flow
    }

    #[test]
    fn a_page_waits_where_commits_take_the_time_and_not_the_relay() {
        assert!(!Flow::default().is_worth_waiting_for(1));
        // A relay that answers at once, and ten connections: before and after they wait for each other.
        assert!(flow(2, 320, 220).is_worth_waiting_for(3));
        assert!(flow(5, 680, 270).is_worth_waiting_for(4));
        // Fifty.
        assert!(flow(24, 3700, 700).is_worth_waiting_for(23));
        // A relay that takes 4 or 20 ms.
        assert!(!flow(1, 530, 220).is_worth_waiting_for(4));
        assert!(!flow(24, 14_000, 700).is_worth_waiting_for(20), "many at once, and then none for long");
        // A disk that takes a millisecond, or ten.
        assert!(!flow(5, 1200, 1000).is_worth_waiting_for(5));
        assert!(!flow(25, 12_000, 10_000).is_worth_waiting_for(5));
        // More than come in a moment.
        assert!(!flow(5, 680, 270).is_worth_waiting_for(40));
    }

    #[test]
    fn a_long_rest_and_a_slow_commit_are_noticed_and_forgotten() {
        let (rest, quick) = (Duration::from_hours(1), Duration::from_micros(200));
        for (elapsed, writing) in [(rest, quick), (quick, rest), (rest, rest)] {
            let mut flow = flow(5, 680, 270);
            flow.note(1, elapsed, writing);
            assert!(!flow.is_worth_waiting_for(3));
            (0..60).for_each(|_| flow.note(5, Duration::from_micros(680), Duration::from_micros(270)));
            assert!(flow.is_worth_waiting_for(3));
        }
    }

    #[tokio::test]
    async fn who_has_come_stays_on_a_page_that_waits_in_vain() {
        let (sender, mut receiver) = mpsc::channel(PAGE);
        let entry = || Entry { settlements: Vec::new(), body: None, done: oneshot::channel().0 };
        let mut page = vec![entry()];
        for _ in 0..2 {
            sender.try_send(entry()).ok().unwrap();
        }
        assert!(tokio::time::timeout(MOMENT, fill(&mut page, &mut receiver, 5)).await.is_err());
        assert_eq!(page.len(), 3);
        for _ in 0..4 {
            sender.try_send(entry()).ok().unwrap();
        }
        fill(&mut page, &mut receiver, 5).await;
        assert_eq!(page.len(), 5, "and no more than are wanted");
        drop(sender);
        fill(&mut page, &mut receiver, 400).await;
        assert_eq!(page.len(), 7, "nor does it wait for nobody");
    }
}
