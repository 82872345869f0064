//! Mails made ahead of their turn, on threads of their own: a signature takes a processor about a
//! fifth of a millisecond, and a thread that carries connections has none to spare (M6).

use super::filling::{Filled, Filler};
use super::ledger::{Claim, Variant};
use crate::mail::Press;
use anyhow::Context as _;
use std::collections::{HashMap, VecDeque};
use std::num::NonZero;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// Mails that are made and not taken yet, at most: what they hold in memory does not grow with a
/// mailing (M16).
const AHEAD: usize = 128;
/// Mails that a thread makes before it rests: it is woken for so many, and not for each.
const BATCH: usize = 16;

/// A mail that is made, and the place of its batch among those ahead.
type Made = (anyhow::Result<Filled>, Arc<OwnedSemaphorePermit>);

/// Makes the mails of a round, in the order of its claims. Dropped, it makes no more.
pub(super) struct Composer {
    desk: Arc<Desk>,
}

struct Desk {
    filler: Filler,
    /// A permit for each batch that may still be made ahead.
    room: Arc<Semaphore>,
    work: Mutex<Work>,
}

#[derive(Default)]
struct Work {
    variants: HashMap<i64, Arc<Variant>>,
    /// Not begun.
    waiting: VecDeque<Claim>,
    /// Begun and not taken, by delivery.
    begun: HashMap<i64, oneshot::Receiver<Made>>,
    /// Threads at work.
    hands: usize,
}

impl Composer {
    /// One that has nothing to do yet.
    pub(super) fn new(filler: Filler) -> Self {
        let desk = Desk { filler, room: Arc::new(Semaphore::new(AHEAD / BATCH)), work: Mutex::default() };
        Self { desk: Arc::new(desk) }
    }

    /// Begins to make the mails of these claims, behind those given before.
    pub(super) fn add(&self, variants: HashMap<i64, Variant>, claims: &[Claim]) {
        let mut work = self.desk.work();
        work.variants.extend(variants.into_iter().map(|(id, variant)| (id, Arc::new(variant))));
        work.waiting.extend(claims.iter().cloned());
        let wanted = std::thread::available_parallelism().map_or(1, NonZero::get).min(work.waiting.len());
        for _ in work.hands..wanted {
            let desk = Arc::clone(&self.desk);
            tokio::task::spawn_blocking(move || desk.compose(&Handle::current()));
        }
        work.hands = work.hands.max(wanted);
    }

    /// The mail of a claim, as soon as it is made; a claim whose turn has not come is not waited
    /// for, and one that comes a second time is made again, with the same bytes.
    pub(super) async fn take(&self, claim: &Claim) -> anyhow::Result<Filled> {
        let begun = {
            let mut work = self.desk.work();
            let begun = work.begun.remove(&claim.attempt.id);
            if begun.is_none() {
                // It is among the first, if it is there, or urgent.
                let at = work.waiting.iter().position(|waiting| waiting.attempt.id == claim.attempt.id);
                at.and_then(|at| work.waiting.remove(at));
            }
            begun
        };
        if let Some(begun) = begun
            && let Ok((made, _)) = begun.await
        {
            return made;
        }
        let (desk, claim) = (Arc::clone(&self.desk), claim.clone());
        tokio::task::spawn_blocking(move || desk.make(&claim, &mut Press::default()))
            .await
            .context("the making of a mail was interrupted")?
    }
}

impl Drop for Composer {
    fn drop(&mut self) {
        self.desk.room.close();
    }
}

impl Desk {
    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes one batch after the other, while there is room.
    fn compose(&self, handle: &Handle) {
        let mut press = Press::default();
        while let Ok(place) = handle.block_on(Arc::clone(&self.room).acquire_owned()) {
            let place = Arc::new(place);
            for _ in 0..BATCH {
                let (sender, receiver) = oneshot::channel();
                let claim = {
                    let mut work = self.work();
                    let Some(claim) = work.waiting.pop_front() else {
                        work.hands -= 1;
                        return;
                    };
                    work.begun.insert(claim.attempt.id, receiver);
                    claim
                };
                // Who does not wait any more has ended its round.
                let _ = sender.send((self.make(&claim, &mut press), Arc::clone(&place)));
            }
        }
    }

    fn make(&self, claim: &Claim, press: &mut Press) -> anyhow::Result<Filled> {
        let variant = self.work().variants.get(&claim.variant).map(Arc::clone).context("its text is missing")?;
        self.filler.fill(claim, &variant, press)
    }
}
