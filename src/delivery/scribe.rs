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
        (Self(sender), tokio::spawn(write_all(db, unwritten, receiver, connections.div_ceil(2))))
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
/// always be idle.
async fn write_all(db: Db, unwritten: Unwritten, mut receiver: mpsc::Receiver<Entry>, half: usize) {
    let (mut page, mut most) = (Vec::new(), half.min(PAGE));
    while receiver.recv_many(&mut page, most).await > 0 {
        match write(&db, &page).await {
            Ok((granted, took)) => {
                most = if took < QUICK { half.min(PAGE) } else { PAGE };
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
