//! The operating system's word that something in the folder has changed. It is only a hint:
//! whatever is missed, the next look finds.

use super::folder::{article_path, file_path};
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

/// What has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Something that only a look at everything can tell.
    pub(super) everything: bool,
    /// The rights of a folder, so that it may have to be watched anew.
    pub(super) folders: bool,
    /// Files.
    pub(super) paths: BTreeSet<String>,
    /// Files that are no articles, but may belong to one.
    pub(super) files: BTreeSet<String>,
    /// Those that came whole, by a rename.
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

    fn add(&self, root: &Path, event: &Event) {
        let is_file = concerns_a_file(event.kind);
        if event.kind.is_access() && !is_file {
            return;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut news = false;
        for (index, path) in event.paths.iter().enumerate() {
            match article_path(root, path) {
                Some(_) if event.kind.is_access() => {}
                None if is_file => news |= file_path(root, path).is_some_and(|path| seen.files.insert(path)),
                Some(path) => {
                    if comes_whole(event.kind, index) {
                        news |= seen.arrived.insert(path.clone());
                    }
                    news |= seen.paths.insert(path);
                }
                // A folder that was closed may be open now: it is not watched yet.
                None if matches!(event.kind, EventKind::Modify(ModifyKind::Metadata(_))) && path.is_dir() => {
                    news |= !std::mem::replace(&mut seen.folders, true);
                }
                None if concerns_folders(event.kind) => news |= !std::mem::replace(&mut seen.everything, true),
                None => {}
            }
        }
        if event.need_rescan() {
            news |= !std::mem::replace(&mut seen.everything, true);
        }
        if news {
            self.kick.kick();
        }
    }
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

/// Whether such an event, of something that is no article, may have moved articles.
fn concerns_folders(kind: EventKind) -> bool {
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
