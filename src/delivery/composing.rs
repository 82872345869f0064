//! Mails made ahead of their turn, on threads of their own: a signature takes a processor about a
//! fifth of a millisecond, and a thread that carries connections has none to spare (M6).
//!
//! The threads stay for as long as there is somebody who sends. Threads that come and go with each
//! round, or with each mail, leave behind what their allocator held (M16).

use super::filling::{Filled, Filler};
use super::ledger::{Claim, Variant};
use crate::mail::Press;
use anyhow::{Context as _, bail};
use std::collections::{HashMap, VecDeque};
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::{io, thread};
use tokio::sync::oneshot;

/// Mails that are made and not taken yet, at most: what they hold in memory does not grow with a
/// mailing (M16).
const AHEAD: usize = 128;
/// A thread that sleeps because so many are made is woken when there is room for so many, and not for
/// each.
const ROOM: usize = 16;

/// A mail, or why there is none.
pub(super) type Made = anyhow::Result<Filled>;

/// Makes the mails of one round after the other, in the order of its claims.
pub(super) struct Composer {
    desk: Arc<Desk>,
}

struct Desk {
    filler: Filler,
    work: Mutex<Work>,
    /// There is something to make, or nothing any more.
    changed: Condvar,
}

#[derive(Default)]
struct Work {
    variants: HashMap<i64, Arc<Variant>>,
    /// Somebody waits for these.
    awaited: VecDeque<(Claim, oneshot::Sender<Made>)>,
    /// Not begun.
    waiting: VecDeque<Claim>,
    /// Begun and not taken, by delivery.
    begun: HashMap<i64, oneshot::Receiver<Made>>,
    /// Threads that have nothing to do.
    asleep: usize,
    has_ended: bool,
}

/// What a thread does next.
struct Task {
    claim: Claim,
    variant: Option<Arc<Variant>>,
    sender: oneshot::Sender<Made>,
}

impl Composer {
    /// Starts the threads. They end when this is dropped.
    pub(super) fn start(filler: Filler) -> io::Result<Self> {
        let desk = Arc::new(Desk { filler, work: Mutex::default(), changed: Condvar::new() });
        let composer = Self { desk: Arc::clone(&desk) };
        for number in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            let desk = Arc::clone(&desk);
            thread::Builder::new().name(format!("composing-{number}")).spawn(move || desk.compose())?;
        }
        Ok(composer)
    }

    /// Begins to make the mails of these claims, behind those given before.
    pub(super) fn add(&self, variants: HashMap<i64, Variant>, claims: &[Claim]) {
        let mut work = self.desk.work();
        work.variants.extend(variants.into_iter().map(|(id, variant)| (id, Arc::new(variant))));
        work.waiting.extend(claims.iter().cloned());
        drop(work);
        self.desk.changed.notify_all();
    }

    /// The mail of a claim, as soon as it is made. One whose turn has not come does not wait for it,
    /// and one that comes a second time is made again, with the same bytes.
    pub(super) async fn take(&self, claim: &Claim) -> Made {
        let made = {
            let mut work = self.desk.work();
            let begun = work.begun.remove(&claim.attempt.id);
            let made = begun.unwrap_or_else(|| work.ask_for(claim));
            self.desk.wake_for(&work);
            made
        };
        made.await.context("the making of a mail was interrupted")?
    }

    /// The mail of a claim, if it is made.
    pub(super) fn take_made(&self, claim: &Claim) -> Option<Made> {
        let mut work = self.desk.work();
        let made = work.begun.get_mut(&claim.attempt.id)?.try_recv().ok()?;
        work.begun.remove(&claim.attempt.id);
        self.desk.wake_for(&work);
        Some(made)
    }

    /// Makes no more of what was added, and forgets what is made: the round is over.
    pub(super) fn clear(&self) {
        let mut work = self.desk.work();
        let ended = Work { asleep: work.asleep, has_ended: work.has_ended, ..Work::default() };
        *work = ended;
        drop(work);
        // To rest.
        self.desk.changed.notify_all();
    }
}

impl Drop for Composer {
    fn drop(&mut self) {
        self.desk.work().has_ended = true;
        self.desk.changed.notify_all();
    }
}

impl Work {
    /// Has a mail made before those that nobody waits for.
    fn ask_for(&mut self, claim: &Claim) -> oneshot::Receiver<Made> {
        // It is among the first, if it is there, or urgent.
        let at = self.waiting.iter().position(|waiting| waiting.attempt.id == claim.attempt.id);
        let claim = at.and_then(|at| self.waiting.remove(at)).unwrap_or_else(|| claim.clone());
        let (sender, receiver) = oneshot::channel();
        self.awaited.push_back((claim, sender));
        receiver
    }

    /// Takes up what comes next, if there is something, and room for it.
    fn next(&mut self) -> Option<Task> {
        let (claim, sender) = match self.awaited.pop_front() {
            Some(awaited) => awaited,
            None if self.begun.len() >= AHEAD => return None,
            None => {
                let claim = self.waiting.pop_front()?;
                let (sender, receiver) = oneshot::channel();
                self.begun.insert(claim.attempt.id, receiver);
                (claim, sender)
            }
        };
        Some(Task { variant: self.variants.get(&claim.variant).map(Arc::clone), claim, sender })
    }
}

impl Desk {
    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes a thread if there is work for it.
    fn wake_for(&self, work: &Work) {
        let has_room = work.begun.len() <= AHEAD - ROOM && !work.waiting.is_empty();
        if work.asleep > 0 && (has_room || !work.awaited.is_empty()) {
            self.changed.notify_one();
        }
    }

    /// Makes one mail after the other, until there is nobody to make them for.
    fn compose(&self) {
        let mut press = Press::default();
        while let Some(task) = self.next_task(&mut press) {
            let variant = task.variant.as_deref();
            // lettre has panicked on input before (M10); one delivery may fail for it, not the daemon.
            let made =
                catch_unwind(AssertUnwindSafe(|| self.filler.fill(&task.claim, variant.context("its text is missing")?, &mut press)));
            let made = made.unwrap_or_else(|_| {
                press = Press::default();
                bail!("the mail builder failed on this text")
            });
            // Who does not wait any more has ended its round.
            let _ = task.sender.send(made);
            // Whoever writes the ledger or carries a mail has little to do and is waited for.
            thread::yield_now();
        }
    }

    /// Waits for something to make; nothing once there will be no more.
    fn next_task(&self, press: &mut Press) -> Option<Task> {
        let mut work = self.work();
        loop {
            if work.has_ended {
                return None;
            }
            if let Some(task) = work.next() {
                return Some(task);
            }
            if work.waiting.is_empty() {
                // What was made last is not kept for longer than there is more of the kind.
                *press = Press::default();
            }
            work.asleep += 1;
            work = self.changed.wait(work).unwrap_or_else(PoisonError::into_inner);
            work.asleep -= 1;
        }
    }
}
