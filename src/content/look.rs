//! Looking at the folder: at what was hinted at, or at everything when it is time for that.

use super::folder::{Folder, Sight};
use super::intake::Mirror;
use super::memory::{Due, Memory};
use super::watch::{Hints, Watch};
use crate::problem::Problem;
use anyhow::Context as _;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Looking at everything takes at most one part in so many of the time.
const LOOKING_SHARE: u32 = 20;
/// A look this quick costs nothing.
const QUICK_LOOK: Duration = Duration::from_millis(100);
/// With a watch, everything is looked at no oftener and no more seldom than this.
const WATCHED_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// What the step remembers between two calls; all of it can be found again.
#[derive(Default)]
pub(super) struct Desk {
    pub(super) memory: Memory,
    pub(super) mirror: Arc<Mirror>,
    /// Since when; the mirror was filled then.
    pub(super) begun: Option<Instant>,
    /// How many withdrawals there were then.
    pub(super) withdrawals: i64,
    /// Whether everything that was in the folder once has been taken in.
    pub(super) seen_whole: bool,
    /// What was not still at the last look.
    pub(super) waiting: BTreeSet<String>,
    /// Files of articles that were being written at the last look.
    pub(super) moving: BTreeSet<String>,
    pub(super) next_full_look: Option<Instant>,
    /// What the last look at everything has left to do.
    pub(super) backlog: Option<Backlog>,
    watch: Option<Watch>,
    /// Since when what cannot be read is in the way.
    odd: HashMap<PathBuf, Instant>,
}

/// What a look at everything has shown and is not done yet.
pub(super) struct Backlog {
    pub(super) look: Look,
    /// Files to read.
    pub(super) read: Vec<String>,
    /// Files of articles that have vanished.
    pub(super) vanished: Vec<String>,
}

/// A look at the folder.
pub(super) struct Look {
    /// `None` if it is not there.
    pub(super) folder: Option<Arc<Folder>>,
    pub(super) sight: Sight,
    /// Whether it was at everything, or only at these paths.
    pub(super) full: bool,
    /// Articles to be read though they are known, since their files have changed.
    pub(super) anew: Arc<BTreeSet<String>>,
    paths: BTreeSet<String>,
    arrived: BTreeSet<String>,
}

impl Desk {
    /// Looks at what was hinted at, or at everything when it is time for that.
    pub(super) async fn look(&mut self, root: &Path, hints: &Hints, watching: bool, stillness: Duration) -> anyhow::Result<Option<Look>> {
        let seen = hints.take();
        let is_time = self.backlog.is_none() && self.next_full_look.is_none_or(|next| Instant::now() >= next);
        let full = seen.everything || seen.folders || is_time;
        let paths: BTreeSet<String> = seen.paths.union(&self.waiting).cloned().collect();
        let files: BTreeSet<String> = seen.files.union(&self.moving).cloned().collect();
        if !full && paths.is_empty() && !self.mirror.files.concerns(&files) {
            return Ok(None);
        }
        let began = Instant::now();
        let path = root.to_owned();
        let folder = match blocking(move || Ok(Folder::open(&path))).await? {
            Ok(folder) => Some(Arc::new(folder)),
            Err(error) => {
                tracing::warn!(%error, folder = %root.display(), "the content folder cannot be opened; what was published stays");
                // A folder made in its place may have the same inode, but nobody watches it.
                self.watch = None;
                None
            }
        };
        let mut look = Look { folder, sight: Sight::default(), full, anew: Arc::default(), paths, arrived: seen.arrived };
        if let Some(folder) = look.folder.clone() {
            if full && watching {
                if let Some(watch) = &mut self.watch {
                    watch.is_whole &= !seen.folders;
                }
                // First the watch, then the look: nothing falls between.
                self.watch(root, hints, folder.inode).await?;
            }
            let (mirror, mut paths) = (Arc::clone(&self.mirror), look.paths.clone());
            let (sight, changes) = blocking(move || {
                let changes = mirror.files.changes(&folder, (!full).then_some(&files), stillness);
                paths.extend(changes.articles.iter().cloned());
                Ok((if full { folder.walk()? } else { folder.glance(&paths) }, changes))
            })
            .await?;
            for path in changes.articles.iter().filter(|path| sight.files.contains_key(*path)) {
                self.memory.forget(path);
            }
            (look.sight, look.anew, self.moving) = (sight, Arc::new(changes.articles), changes.moving);
        }
        if full {
            // What is in a folder that could not be looked into is not watched either.
            if let Some(watch) = &mut self.watch {
                watch.is_whole = look.sight.closed.is_empty();
            }
            self.next_full_look = Some(Instant::now() + pause_after(began.elapsed(), self.watch.is_some()));
        }
        Ok(Some(look))
    }

    /// Watches the folder, unless it is watched already.
    async fn watch(&mut self, root: &Path, hints: &Hints, inode: u64) -> anyhow::Result<()> {
        if self.watch.as_ref().is_some_and(|watch| watch.inode == inode && watch.is_whole) {
            return Ok(());
        }
        let (root, hints) = (root.to_owned(), hints.clone());
        self.watch = match blocking(move || Ok(Watch::begin(&root, inode, &hints))).await? {
            Ok(watch) => Some(watch),
            Err(error) => {
                tracing::warn!(%error, "the content folder cannot be watched; it is looked at every few seconds instead");
                None
            }
        };
        Ok(())
    }

    /// The next look is at everything.
    pub(super) fn ask_for_a_full_look(&mut self) {
        self.next_full_look = None;
    }

    /// Whether all there was at the first look is taken in, or has taken too long.
    pub(super) fn is_read_through(&self, at_most: Duration) -> bool {
        self.seen_whole && (self.waiting.is_empty() || self.begun.is_some_and(|begun| begun.elapsed() > at_most))
    }

    /// What cannot be read, and could not a while ago: synchronisers make folders that only they
    /// may open, and open them when all is in them.
    pub(super) fn lasting(&mut self, odd: &[Problem], stillness: Duration) -> Vec<Problem> {
        let now = Instant::now();
        self.odd.retain(|path, _| odd.iter().any(|problem| problem.file == *path));
        let mut lasting = Vec::new();
        for problem in odd {
            let since = *self.odd.entry(problem.file.clone()).or_insert(now);
            if now.duration_since(since) >= stillness {
                lasting.push(problem.clone());
            } else {
                self.next_full_look = Some(now + stillness);
            }
        }
        lasting
    }

    /// Takes in what a look has shown, and tells what is to be done.
    pub(super) fn observe(&mut self, look: &Look, stillness: Duration) -> Due {
        let mirror = Arc::clone(&self.mirror);
        let now = Instant::now();
        if look.full {
            let known = mirror.articles.keys().chain(mirror.troubles.keys());
            return self.memory.observe(&look.sight, &look.arrived, known, now, stillness);
        }
        let known = look.paths.iter().filter(|path| mirror.articles.contains_key(*path) || mirror.troubles.contains_key(*path));
        self.memory.observe(&look.sight, &look.arrived, known, now, stillness)
    }
}

/// How long after a look at everything the next may be.
fn pause_after(look: Duration, watched: bool) -> Duration {
    let share = if look < QUICK_LOOK { Duration::ZERO } else { look * LOOKING_SHARE };
    let least = if watched { WATCHED_PAUSE } else { Duration::ZERO };
    share.max(least).min(LONGEST_PAUSE)
}

/// Runs what waits for the disk where waiting hurts nobody.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> anyhow::Result<T> + Send + 'static) -> anyhow::Result<T> {
    tokio::task::spawn_blocking(work).await.context("reading the content folder was interrupted")?
}
