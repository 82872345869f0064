//! The operating system's word that something in the folder has changed. It is only a hint:
//! whatever is missed, the next look finds.

use super::folder::{is_article, is_hidden, name_below};
use crate::task::Kick;
use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind, RemoveKind, RenameMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// What the watcher has seen since it was asked last. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Hints {
    seen: Arc<Mutex<Seen>>,
    kick: Kick,
}

/// What has changed, by paths from the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Something that only a look at everything can tell.
    pub(super) everything: bool,
    /// The watcher was too slow to hear it all.
    pub(super) missed: bool,
    /// The rights of a folder, so that it may have to be watched anew.
    pub(super) folders: bool,
    /// Articles, and folders that came.
    pub(super) paths: BTreeSet<String>,
    /// What went and may have been a folder.
    pub(super) left: BTreeSet<String>,
    /// Files, or folders of files, that are no articles, but may belong to one.
    pub(super) files: BTreeSet<String>,
    /// Articles that came whole, by a rename.
    pub(super) arrived: BTreeSet<String>,
}

impl Hints {
    /// Hints that wake a step.
    pub(super) fn new(kick: Kick) -> Self {
        Self { seen: Arc::default(), kick }
    }

    /// Everything seen since the last time.
    pub(super) fn take(&self) -> Seen {
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks for a look at everything.
    pub(super) fn everything(&self) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).everything = true;
        self.kick.kick();
    }

    /// Wakes the step.
    pub(super) fn wake(&self) {
        self.kick.kick();
    }

    fn add(&self, root: &Path, event: &Event) {
        if event.kind.is_access() && !concerns_a_file(event.kind) {
            return;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut news = event.need_rescan() && !std::mem::replace(&mut seen.missed, true);
        for (index, path) in event.paths.iter().enumerate() {
            news |= seen.add(root, path, event.kind, index);
        }
        if news {
            self.kick.kick();
        }
    }
}

impl Seen {
    /// Adds the path at `index` of an event; tells whether it is news.
    fn add(&mut self, root: &Path, path: &Path, kind: EventKind, index: usize) -> bool {
        let Some(name) = name_below(root, path) else {
            // The root itself, or what has no name that could be written down.
            return may_be_a_folder(kind) && !is_hidden(root, path) && !std::mem::replace(&mut self.everything, true);
        };
        match kind {
            EventKind::Access(_) | EventKind::Create(CreateKind::File) | EventKind::Remove(RemoveKind::File) if !is_article(&name) => {
                self.files.insert(name)
            }
            EventKind::Access(_) => false,
            // A folder that was closed may be open now: it is not watched yet.
            EventKind::Modify(ModifyKind::Metadata(_)) if path.is_dir() => !std::mem::replace(&mut self.folders, true),
            _ => {
                let mut news = false;
                if may_be_a_folder(kind) {
                    news |= if is_folder(path) { self.paths.insert(name.clone()) } else { self.left.insert(name.clone()) };
                    news |= self.files.insert(name.clone());
                }
                if is_article(&name) {
                    news |= comes_whole(kind, index) && self.arrived.insert(name.clone());
                    news |= self.paths.insert(name);
                }
                news
            }
        }
    }
}

/// Whether there is a folder; a link to one is none.
fn is_folder(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir())
}

/// Whether the path at `index` of such an event was renamed to what it is now.
fn comes_whole(kind: EventKind, index: usize) -> bool {
    match kind {
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) => true,
        EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => index == 1,
        _ => false,
    }
}

/// Whether a file was written to its end, made or removed. One that is being written tells so
/// at every piece, which nobody need hear.
fn concerns_a_file(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::Access(AccessKind::Close(AccessMode::Write)) | EventKind::Create(CreateKind::File) | EventKind::Remove(RemoveKind::File)
    )
}

/// Whether such an event may be of a folder that came or went, with all that is in it.
fn may_be_a_folder(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::Any
            | EventKind::Create(CreateKind::Folder | CreateKind::Any)
            | EventKind::Remove(RemoveKind::Folder | RemoveKind::Any)
            | EventKind::Modify(ModifyKind::Name(_))
    )
}

/// A folder being watched, until dropped.
pub(super) struct Watch {
    _watcher: RecommendedWatcher,
    /// The folder's inode: another one is not watched.
    pub(super) inode: u64,
    /// Whether every folder in it could be watched.
    pub(super) is_whole: bool,
}

impl Watch {
    /// Begins to watch; an error is no reason to stop, since the folder is looked at anyway.
    pub(super) fn begin(root: &Path, inode: u64, hints: &Hints) -> notify::Result<Self> {
        // Events name paths from the root of the machine, however the folder is named here.
        let root = std::path::absolute(root)?;
        let (folder, hints): (PathBuf, Hints) = (root.clone(), hints.clone());
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| match event {
            Ok(event) => hints.add(&folder, &event),
            Err(error) => {
                tracing::warn!(%error, "the watch on the content folder missed something; it is looked at instead");
                hints.everything();
            }
        })?;
        watcher.watch(&root, RecursiveMode::Recursive)?;
        Ok(Self { _watcher: watcher, inode, is_whole: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_folder_named_from_where_the_program_runs_is_heard_like_any_other() {
        // Tests run in the project's folder.
        let folder = tempfile::Builder::new().prefix("watched-").tempdir_in(".").unwrap();
        let relative = Path::new(folder.path().file_name().unwrap());
        let hints = Hints::default();
        let _watch = Watch::begin(relative, 0, &hints).unwrap();
        std::fs::write(folder.path().join("new.md"), "x").unwrap();
        let heard = (0..400).any(|_| {
            std::thread::sleep(Duration::from_millis(25));
            hints.take().paths.contains("new.md")
        });
        assert!(heard);
    }
}
