//! What the last looks at the folder have shown, and from it: which files are still enough to
//! be read, and which have been missing long enough to have vanished.
//!
//! A file that somebody is writing must never be published half. A file counts when its size,
//! time and inode have been still for a while, or when it came by an atomic rename; one that
//! is new and was last written a while ago counts at once.

use super::folder::{Sight, Stat};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;
use tokio::time::Instant;

/// What is to be done after a look.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Due {
    /// Files to read.
    pub(super) read: Vec<String>,
    /// Files of articles that have vanished.
    pub(super) vanished: Vec<String>,
    /// What is not yet still, or missing for too short a time: to be looked at again.
    pub(super) waiting: BTreeSet<String>,
}

/// Everything remembered.
#[derive(Debug, Default)]
pub(super) struct Memory {
    files: HashMap<String, Seen>,
    missing: HashMap<String, Instant>,
}

#[derive(Debug)]
struct Seen {
    stat: Stat,
    since: Instant,
    /// Whether it was read as it is.
    settled: bool,
}

impl Memory {
    /// Takes in a look at the folder. `arrived` came by rename; `known` are the paths in sight
    /// that the store has.
    pub(super) fn observe<'k>(
        &mut self,
        sight: &Sight,
        arrived: &BTreeSet<String>,
        known: impl Iterator<Item = &'k String>,
        now: Instant,
        stillness: Duration,
    ) -> Due {
        let mut due = Due::default();
        for (path, stat) in &sight.files {
            self.missing.remove(path);
            match self.see(path, *stat, arrived.contains(path), now, stillness) {
                Readiness::Settled => {}
                Readiness::Still => due.read.push(path.clone()),
                Readiness::Moving => {
                    due.waiting.insert(path.clone());
                }
            }
        }
        for path in known.filter(|path| !sight.files.contains_key(*path)) {
            self.files.remove(path);
            if sight.is_behind_closed(path) {
                continue;
            }
            let since = *self.missing.entry(path.clone()).or_insert(now);
            if now.duration_since(since) >= stillness {
                due.vanished.push(path.clone());
            } else {
                due.waiting.insert(path.clone());
            }
        }
        due
    }

    fn see(&mut self, path: &str, stat: Stat, arrived: bool, now: Instant, stillness: Duration) -> Readiness {
        let at_once = arrived || stat.rest() >= stillness;
        let Some(seen) = self.files.get_mut(path) else {
            self.files.insert(path.to_owned(), Seen { stat, since: now, settled: false });
            return if at_once { Readiness::Still } else { Readiness::Moving };
        };
        if seen.stat == stat {
            return match seen.settled {
                true => Readiness::Settled,
                false if arrived || now.duration_since(seen.since) >= stillness => Readiness::Still,
                false => Readiness::Moving,
            };
        }
        let replaced = seen.stat.inode != stat.inode;
        *seen = Seen { stat, since: now, settled: false };
        // Written in place, it may grow on, whatever its time says.
        if arrived || (replaced && at_once) { Readiness::Still } else { Readiness::Moving }
    }

    /// The file was read as it was last seen; it is left alone until it changes.
    pub(super) fn settle(&mut self, path: &str) {
        if let Some(seen) = self.files.get_mut(path) {
            seen.settled = true;
        }
    }

    /// The file is read again at the next look, and what is missing is forgotten.
    pub(super) fn forget(&mut self, path: &str) {
        self.files.remove(path);
        self.missing.remove(path);
    }
}

enum Readiness {
    Settled,
    Still,
    Moving,
}
