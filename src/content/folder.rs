//! The content folder, never left: every path is resolved beneath its root by the kernel, so
//! that no link and no race leads out of it.

use super::identity::is_article_extension;
use crate::problem::{Problem, Reason};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, Metadata, MetadataExt as _, OpenOptions, OpenOptionsExt as _};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Nothing people write is longer: it is two thick books.
const LARGEST_FILE: u64 = 1 << 20;
/// Longer paths, and the ids made from them, are no key in the database.
const LONGEST_PATH: usize = 800;
/// Deeper folders are a mistake, or a game with links.
const DEEPEST: usize = 24;
/// `O_NONBLOCK` of Linux: to open a pipe that poses as an article must not wait for its writer.
const NONBLOCK: i32 = 0o4000;

/// By what one notices that a file has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) length: u64,
    pub(super) modified: Option<SystemTime>,
    /// When its bytes, its rights or its links changed (`st_ctime`), which no program can set
    /// back: a file that may be read again is read again.
    changed: (i64, i64),
    pub(super) inode: u64,
}

impl Stat {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            length: metadata.len(),
            modified: metadata.modified().ok().map(cap_std::time::SystemTime::into_std),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
        }
    }

    /// The same as text, to be compared after a restart.
    pub(super) fn stamp(&self) -> String {
        let modified = self.modified.and_then(|modified| modified.duration_since(SystemTime::UNIX_EPOCH).ok());
        let (seconds, nanoseconds) = self.changed;
        format!("{}-{}-{seconds}.{nanoseconds}", self.length, modified.unwrap_or_default().as_nanos())
    }

    /// How long ago the file was last written, by the machine's clock: file times know no other.
    /// Zero if that is in the future.
    pub(super) fn rest(&self) -> Duration {
        self.modified.and_then(|modified| modified.elapsed().ok()).unwrap_or(Duration::ZERO)
    }

    /// The same of a picture, whose camera may have thought that it is next year: then since its
    /// inode changed.
    pub(super) fn quiet(&self) -> Duration {
        let (seconds, nanoseconds) = self.changed;
        let since_change = || {
            let changed = Duration::new(u64::try_from(seconds).ok()?, u32::try_from(nanoseconds).ok()?);
            (SystemTime::UNIX_EPOCH + changed).elapsed().ok()
        };
        self.modified.and_then(|modified| modified.elapsed().ok()).or_else(since_change).unwrap_or(Duration::ZERO)
    }
}

/// What was seen in the folder.
#[derive(Debug, Default)]
pub(super) struct Sight {
    /// Articles by their path from the root, with slashes.
    pub(super) files: BTreeMap<String, Stat>,
    /// What looks like an article and cannot be read.
    pub(super) odd: Vec<Problem>,
    /// Folders that could not be looked into: what is in them has not vanished.
    pub(super) closed: Vec<String>,
}

impl Sight {
    /// Replaces what was seen at some paths, and in folders there, by a later look at them.
    pub(super) fn refresh(&mut self, paths: &BTreeSet<String>, later: Self) {
        self.files.retain(|path, _| !paths.contains(path));
        self.odd.retain(|problem| problem.file.to_str().is_none_or(|file| !paths.contains(file)));
        self.files.extend(later.files);
        self.odd.extend(later.odd);
        self.closed.extend(later.closed);
    }

    /// Whether a path is in a folder that could not be looked into.
    pub(super) fn is_behind_closed(&self, path: &str) -> bool {
        self.closed.iter().any(|folder| is_below(folder, path))
    }
}

/// The root, held open.
pub(super) struct Folder {
    root: Dir,
    /// Tells whether the root was replaced by another.
    pub(super) inode: u64,
}

/// What reading a file gave.
#[derive(Debug)]
pub(super) enum Bytes {
    /// All of it.
    Whole(Vec<u8>),
    /// Somebody wrote to it meanwhile: it is read when it is still.
    Moving,
    /// It cannot be read, for this reason.
    Unreadable(Reason),
}

impl Folder {
    /// Opens the root.
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        let root = Dir::open_ambient_dir(root, ambient_authority())?;
        let inode = root.dir_metadata()?.ino();
        Ok(Self { root, inode })
    }

    /// Looks at everything.
    pub(super) fn walk(&self) -> io::Result<Sight> {
        let mut sight = Sight::default();
        self.look_into(&self.root, "", 0, &mut sight)?;
        Ok(sight)
    }

    /// Looks at some paths only: files, and folders with all that is in them.
    pub(super) fn glance(&self, paths: &BTreeSet<String>) -> Sight {
        let mut sight = Sight::default();
        for path in paths {
            if self.is_folder(path) {
                self.descend(|| self.root.open_dir(path), path.clone(), path.split('/').count(), &mut sight);
            } else if is_article(path) {
                self.look_at(path, &mut sight);
            }
        }
        sight
    }

    /// Whether there is a folder at a path: no link to one, since those are not followed.
    fn is_folder(&self, path: &str) -> bool {
        self.root.symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
    }

    /// Whether there is a file at a path.
    pub(super) fn holds(&self, path: &str) -> bool {
        self.root.metadata(path).is_ok_and(|metadata| metadata.is_file())
    }

    /// What can be seen of the file at a path, if there is one.
    pub(super) fn stat(&self, path: &str) -> Option<Stat> {
        self.root.metadata(path).ok().filter(Metadata::is_file).map(|metadata| Stat::of(&metadata))
    }

    /// Opens the file at a path.
    pub(super) fn open_file(&self, path: &str) -> io::Result<File> {
        let file = self.root.open_with(path, OpenOptions::new().read(true).custom_flags(NONBLOCK))?;
        if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    /// The names in a folder, as many as a person keeps in one.
    pub(super) fn names(&self, folder: &str) -> Vec<String> {
        let entries = self.root.read_dir(if folder.is_empty() { "." } else { folder });
        entries.into_iter().flatten().take(10_000).filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
    }

    fn look_into(&self, folder: &Dir, prefix: &str, depth: usize, sight: &mut Sight) -> io::Result<()> {
        for entry in folder.entries()? {
            let entry = entry?;
            let name = entry.file_name();
            if is_hidden_name(&name.to_string_lossy()) {
                continue;
            }
            let (is_folder, is_file) = match entry.file_type() {
                Ok(kind) => (kind.is_dir(), kind.is_file()),
                // It went between the two looks.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            let Some(name) = name.to_str().filter(|name| !name.contains(char::is_control)) else {
                if is_folder || is_article(&name.to_string_lossy()) {
                    sight.odd.push(unspeakable(prefix, &name.to_string_lossy()));
                }
                continue;
            };
            let path = format!("{prefix}{name}");
            if is_folder {
                self.descend(|| entry.open_dir(), path, depth + 1, sight);
            } else if is_article(name) {
                match entry.metadata() {
                    // Nothing is to be followed, so its path need not be resolved from the root.
                    Ok(metadata) if is_file && metadata.is_file() && path.len() <= LONGEST_PATH => {
                        sight.files.insert(path, Stat::of(&metadata));
                    }
                    _ => self.look_at(&path, sight),
                }
            }
        }
        Ok(())
    }

    fn descend(&self, open: impl FnOnce() -> io::Result<Dir>, path: String, depth: usize, sight: &mut Sight) {
        let looked = match open() {
            Ok(_) if depth > DEEPEST => Err(io::Error::other("folders lie too deep in each other")),
            Ok(folder) => self.look_into(&folder, &format!("{path}/"), depth, sight),
            Err(error) => Err(error),
        };
        match looked {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let reason = Reason::new(format!("the folder cannot be read: {error}"), "let the user that runs Clarion read it");
                sight.odd.push(Problem::of_file(path.clone(), reason));
                sight.closed.push(path);
            }
            _ => {}
        }
    }

    fn look_at(&self, path: &str, sight: &mut Sight) {
        if path.len() > LONGEST_PATH {
            sight.odd.push(Problem::of_file(path, Reason::new("the file's path is too long", "give its folders and itself shorter names")));
            return;
        }
        match self.root.metadata(path) {
            Ok(metadata) if metadata.is_file() => {
                sight.files.insert(path.to_owned(), Stat::of(&metadata));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => sight.odd.push(Problem::of_file(path, unreachable_reason(&error))),
        }
    }

    /// Reads a file whose last [`Stat`] is known.
    pub(super) fn read(&self, path: &str, stat: Stat) -> Bytes {
        self.try_read(path, stat).unwrap_or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Bytes::Moving,
            _ => Bytes::Unreadable(unreachable_reason(&error)),
        })
    }

    fn try_read(&self, path: &str, stat: Stat) -> io::Result<Bytes> {
        let mut file = self.root.open_with(path, OpenOptions::new().read(true).custom_flags(NONBLOCK))?;
        let before = file.metadata()?;
        if !before.is_file() || Stat::of(&before) != stat {
            return Ok(Bytes::Moving);
        }
        if before.len() > LARGEST_FILE {
            let reason = Reason::new("the file is larger than 1 MB", "shorten it; pictures belong in files of their own");
            return Ok(Bytes::Unreadable(reason));
        }
        let mut bytes = Vec::new();
        (&mut file).take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
        let still = Stat::of(&file.metadata()?) == stat && bytes.len() as u64 == before.len();
        Ok(if still { Bytes::Whole(bytes) } else { Bytes::Moving })
    }
}

/// Whether a path leads into a folder.
pub(super) fn is_below(folder: &str, path: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Whether a path leads into any of these folders, however many there are.
pub(super) fn is_below_any(folders: &BTreeSet<String>, path: &str) -> bool {
    path.match_indices('/').any(|(at, _)| folders.contains(&path[..at]))
}

/// The path from the root of what the operating system calls `path`, unless it is hidden, or
/// has no name that could be shown.
pub(super) fn name_below(root: &Path, path: &Path) -> Option<String> {
    let name = path.strip_prefix(root).ok()?.to_str()?;
    (!name.is_empty() && !name.contains(char::is_control) && !is_hidden(root, path)).then(|| name.to_owned())
}

/// Whether a path lies in something hidden below the root, or is that itself.
pub(super) fn is_hidden(root: &Path, path: &Path) -> bool {
    path.strip_prefix(root).is_ok_and(|below| below.iter().any(|name| is_hidden_name(&name.to_string_lossy())))
}

/// A name that no mail, page or message could show as it is.
fn unspeakable(prefix: &str, name: &str) -> Problem {
    let shown: String = name.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect();
    let reason = Reason::new("the name holds a line break, or characters that are not UTF-8", "give it a name in plain letters");
    Problem::of_file(format!("{prefix}{shown}"), reason)
}

/// Whether a path has the name of an article.
pub(super) fn is_article(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, extension)| is_article_extension(extension))
}

/// Hidden files, and those that editors keep beside the one they edit.
fn is_hidden_name(name: &str) -> bool {
    name.starts_with(['.', '#', '~']) || name.ends_with(['~', '#'])
}

pub(super) fn unreachable_reason(error: &io::Error) -> Reason {
    // cap-std says so when a link or `..` would lead out of the root.
    if error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none() {
        return Reason::new("it is a link that leads out of the content folder", "put the file itself into the folder");
    }
    Reason::new(format!("the file cannot be read: {error}"), "let the user that runs Clarion read it")
}
