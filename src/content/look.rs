//! Looking at the folder: at what was hinted at, or at everything when it is time for that.

use super::folder::{Folder, Sight, is_article};
use super::intake::Mirror;
use super::media::{Changes, Known};
use super::memory::{Due, Memory};
use super::watch::{Hints, Seen, Watch};
use crate::problem::Problem;
use anyhow::{Context as _, bail};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot::{self, error::TryRecvError};
use tokio::time::Instant;

/// Looking at everything takes at most one part in so many of the time.
const LOOKING_SHARE: u32 = 20;
/// A look this quick costs nothing.
const QUICK_LOOK: Duration = Duration::from_millis(100);
/// With a watch, everything is looked at no oftener and no more seldom than this.
const WATCHED_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// What the watch has missed waits so many times as long as the last look took.
const BREATH: u32 = 2;

/// What the step remembers between two calls; all of it can be found again.
#[derive(Default)]
pub(super) struct Desk {
    pub(super) memory: Memory,
    pub(super) mirror: Mirror,
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
    round: Option<Round>,
    /// Until when a look at everything is not repeated because the watch has missed something.
    rested: Option<Instant>,
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

/// A look at everything beside the work on hints, which need not wait for it.
struct Round {
    outcome: oneshot::Receiver<anyhow::Result<Shown>>,
    /// What was looked at since it began: it may have been there before the change.
    meanwhile: BTreeSet<String>,
}

/// What was seen in the folder, and which files of articles have changed.
#[derive(Default)]
struct Shown {
    sight: Sight,
    changes: Changes,
    took: Duration,
}

/// What to look at.
struct Aim {
    /// At everything, at once.
    asked: bool,
    /// At everything, since it is time for that.
    due: bool,
    /// Articles, and folders that came.
    paths: BTreeSet<String>,
    arrived: BTreeSet<String>,
    /// Files that articles refer to, among others.
    files: BTreeSet<String>,
}

impl Desk {
    /// Looks at what was hinted at, or at everything when it is time for that.
    pub(super) async fn look(&mut self, root: &Path, hints: &Hints, watching: bool, stillness: Duration) -> anyhow::Result<Option<Look>> {
        let aim = self.aim(hints.take());
        let round = self.round_done()?;
        if !aim.asked && !aim.due && round.is_none() && aim.paths.is_empty() && !self.mirror.files.concerns(&aim.files) {
            return Ok(None);
        }
        let full = aim.asked || aim.due || round.is_some();
        let Some(folder) = self.open(root).await? else {
            let (sight, anew) = (Sight::default(), Arc::default());
            return Ok(Some(Look { folder: None, sight, full, anew, paths: aim.paths, arrived: aim.arrived }));
        };
        if aim.due && !aim.asked && self.is_watched(&folder) {
            self.begin_round(&folder, hints, stillness);
        } else if aim.asked || aim.due {
            return self.look_at_everything(folder, root, hints, watching, stillness, aim).await.map(Some);
        }
        self.look_at_some(folder, stillness, aim, round).await.map(Some)
    }

    /// What hints, and what waited for this look, ask to be looked at.
    fn aim(&mut self, mut seen: Seen) -> Aim {
        let now = Instant::now();
        if seen.missed && !seen.everything {
            // A look finds what was not heard; a storm of changes is not to have one after the other.
            seen.everything = self.rested.is_none_or(|rested| now >= rested);
            self.next_full_look = self.next_full_look.map(|next| self.rested.map_or(now, |rested| next.min(rested)));
        }
        let asked = seen.everything || seen.folders;
        let due = self.backlog.is_none() && self.round.is_none() && self.next_full_look.is_none_or(|next| now >= next);
        let (mut paths, mut files) = (seen.paths, seen.files);
        // What was in a folder that went, or was there before another came, is asked for by name.
        let mut folders = seen.left;
        folders.extend(paths.iter().filter(|path| !is_article(path)).cloned());
        if !folders.is_empty() {
            paths.extend(self.mirror.below(&folders).cloned());
            files.extend(self.mirror.files.below(&folders));
        }
        paths.extend(self.waiting.iter().cloned());
        files.extend(self.moving.iter().cloned());
        if let Some(round) = &mut self.round {
            round.meanwhile.extend(paths.iter().cloned());
        }
        Aim { asked, due, paths, arrived: seen.arrived, files }
    }

    async fn open(&mut self, root: &Path) -> anyhow::Result<Option<Arc<Folder>>> {
        let path = root.to_owned();
        match blocking(move || Ok(Folder::open(&path))).await? {
            Ok(folder) => Ok(Some(Arc::new(folder))),
            Err(error) => {
                tracing::warn!(%error, folder = %root.display(), "the content folder cannot be opened; what was published stays");
                // A folder made in its place may have the same inode, but nobody watches it.
                (self.watch, self.round) = (None, None);
                Ok(None)
            }
        }
    }

    /// Whether nothing changes in it unheard, so that nobody waits for a look at everything.
    fn is_watched(&self, folder: &Folder) -> bool {
        self.seen_whole && self.watch.as_ref().is_some_and(|watch| watch.inode == folder.inode && watch.is_whole)
    }

    fn begin_round(&mut self, folder: &Arc<Folder>, hints: &Hints, stillness: Duration) {
        let (told, outcome) = oneshot::channel();
        let (folder, files, hints) = (Arc::clone(folder), self.mirror.files.clone(), hints.clone());
        tokio::task::spawn_blocking(move || {
            // Whoever gave it up does not listen.
            let _ = told.send(everything(&folder, &files, stillness));
            hints.wake();
        });
        self.round = Some(Round { outcome, meanwhile: BTreeSet::new() });
    }

    /// What a round has shown that is over, with what is to be looked at again.
    fn round_done(&mut self) -> anyhow::Result<Option<(Shown, BTreeSet<String>)>> {
        let Some(round) = &mut self.round else { return Ok(None) };
        let shown = match round.outcome.try_recv() {
            Ok(shown) => shown?,
            Err(TryRecvError::Empty) => return Ok(None),
            Err(TryRecvError::Closed) => bail!("reading the content folder was interrupted"),
        };
        Ok(self.round.take().map(|round| (shown, round.meanwhile)))
    }

    async fn look_at_everything(
        &mut self,
        folder: Arc<Folder>,
        root: &Path,
        hints: &Hints,
        watching: bool,
        stillness: Duration,
        aim: Aim,
    ) -> anyhow::Result<Look> {
        self.round = None;
        if watching {
            // First the watch, then the look: nothing falls between.
            self.watch(root, hints, folder.inode).await?;
        }
        let (looked_into, files) = (Arc::clone(&folder), self.mirror.files.clone());
        let shown = blocking(move || everything(&looked_into, &files, stillness)).await?;
        self.rest(&shown);
        Ok(self.note(folder, shown, true, aim))
    }

    /// Looks at what was hinted at, and takes in what a round has shown of everything else.
    async fn look_at_some(
        &mut self,
        folder: Arc<Folder>,
        stillness: Duration,
        aim: Aim,
        round: Option<(Shown, BTreeSet<String>)>,
    ) -> anyhow::Result<Look> {
        let full = round.is_some();
        let (round, meanwhile) = round.unwrap_or_default();
        let (looked_into, known, files) = (Arc::clone(&folder), self.mirror.files.clone(), aim.files.clone());
        let mut paths: BTreeSet<String> = aim.paths.union(&meanwhile).cloned().collect();
        let (changes, fresh, paths) = blocking(move || {
            let changes = known.changes(&looked_into, Some(&files), stillness);
            paths.extend(changes.articles.iter().cloned());
            Ok((changes, looked_into.glance(&paths), paths))
        })
        .await?;
        if full {
            self.rest(&round);
        }
        let mut shown = round;
        shown.sight.refresh(&paths, fresh);
        shown.changes.extend(changes);
        Ok(self.note(folder, shown, full, aim))
    }

    /// Remembers what a look has shown.
    fn note(&mut self, folder: Arc<Folder>, shown: Shown, full: bool, aim: Aim) -> Look {
        let Shown { sight, changes, .. } = shown;
        for path in changes.articles.iter().filter(|path| sight.files.contains_key(*path)) {
            self.memory.forget(path);
        }
        self.moving = changes.moving;
        Look { folder: Some(folder), sight, full, anew: Arc::new(changes.articles), paths: aim.paths, arrived: aim.arrived }
    }

    /// When everything is looked at again, after it was.
    fn rest(&mut self, shown: &Shown) {
        let now = Instant::now();
        if let Some(watch) = &mut self.watch {
            // What is in a folder that could not be looked into is not watched either.
            watch.is_whole = shown.sight.closed.is_empty();
        }
        self.rested = Some(now + shown.took * BREATH);
        self.next_full_look = Some(now + pause_after(shown.took, self.watch.is_some()));
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
        let (mirror, now) = (&self.mirror, Instant::now());
        if look.full {
            let known = mirror.articles.keys().chain(mirror.troubles.keys());
            return self.memory.observe(&look.sight, &look.arrived, known, now, stillness);
        }
        let known = look.paths.iter().filter(|path| mirror.articles.contains_key(*path) || mirror.troubles.contains_key(*path));
        self.memory.observe(&look.sight, &look.arrived, known, now, stillness)
    }
}

/// Looks at all articles and all files they refer to.
fn everything(folder: &Folder, files: &Known, stillness: Duration) -> anyhow::Result<Shown> {
    let began = Instant::now();
    let changes = files.changes(folder, None, stillness);
    Ok(Shown { sight: folder.walk()?, changes, took: began.elapsed() })
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
