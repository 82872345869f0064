//! The folder that an import writes to and never leaves, and what it remembers of earlier runs,
//! so that running again changes only what changed.

use crate::vault::content_hash;
use anyhow::Context as _;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::Path;

/// Hidden: no article.
const MEMORY: &str = ".clarion-import.json";
/// The name of a file until it is complete.
const PART: &str = ".clarion-import.part";
/// So many files are written between two records of what was written.
const EVERY: usize = 500;

/// What earlier runs wrote, by the site's address and the post's number.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Memory {
    version: u32,
    sites: BTreeMap<String, BTreeMap<String, Written>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Written {
    path: String,
    /// Of the file as it was written.
    hash: String,
}

/// What became of an article.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    New,
    Updated,
    Unchanged,
    /// Changed by staff, and the export says nothing new.
    Edited,
    /// Changed by staff, and the export says something new.
    Conflict(String),
    /// Deleted or moved by staff.
    Deleted(String),
}

/// An article that is to be in the folder.
pub(super) struct Document<'d> {
    /// The post's number, with its language where it is written in several.
    pub(super) key: &'d str,
    /// Where it is to be, if it is not yet anywhere: a path without language and extension.
    pub(super) stem: &'d str,
    /// `.ja.html`, `.html`.
    pub(super) suffix: &'d str,
    /// The line of the front matter that names its id, to know it again.
    pub(super) id_line: Option<&'d str>,
    /// Its text at a path.
    pub(super) text: &'d dyn Fn(&str) -> String,
}

/// See the module.
pub(super) struct Target {
    root: Dir,
    memory: Memory,
    site: String,
    seen: BTreeSet<String>,
    unsaved: usize,
}

impl Target {
    /// Opens the folder, which is made if it is not there.
    pub(super) fn open(root: &Path, site: &str) -> anyhow::Result<Self> {
        let shown = || format!("the folder {} cannot be written to", root.display());
        Dir::create_ambient_dir_all(root, ambient_authority()).with_context(shown)?;
        let root = Dir::open_ambient_dir(root, ambient_authority()).with_context(shown)?;
        let memory = match root.read(MEMORY) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .with_context(|| format!("{MEMORY} in that folder is broken; move it away, and the files are recognised by their ids"))?,
            Err(error) if error.kind() == ErrorKind::NotFound => Memory { version: 1, sites: BTreeMap::new() },
            Err(error) => return Err(error).context(MEMORY),
        };
        anyhow::ensure!(memory.version == 1, "{MEMORY} in that folder was written by a newer Clarion");
        Ok(Self { root, memory, site: site.to_owned(), seen: BTreeSet::new(), unsaved: 0 })
    }

    /// Whether a file is there.
    pub(super) fn holds(&self, path: &str) -> bool {
        self.root.metadata(path).is_ok_and(|metadata| metadata.is_file())
    }

    /// The length of a file, in octets.
    pub(super) fn length(&self, path: &str) -> Option<u64> {
        self.root.metadata(path).ok().filter(cap_std::fs::Metadata::is_file).map(|metadata| metadata.len())
    }

    /// Writes a whole file at once.
    pub(super) fn write(&self, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let part = if folder.is_empty() { PART.to_owned() } else { format!("{folder}/{PART}") };
        let written = || -> std::io::Result<()> {
            if !folder.is_empty() {
                self.root.create_dir_all(folder)?;
            }
            // A link in its place would be followed; the name is ours to remove.
            let _ = self.root.remove_file(&part);
            self.root.write(&part, bytes)?;
            self.root.rename(&part, &self.root, path)
        };
        written().map_err(|error| {
            let _ = self.root.remove_file(&part);
            anyhow::Error::new(error).context(format!("{path} could not be written; run the import again once that is mended"))
        })
    }

    /// Brings an article into the folder, unless staff changed it. Returns where it is, too.
    pub(super) fn put(&mut self, document: &Document<'_>, force: bool) -> anyhow::Result<(Outcome, String)> {
        self.seen.insert(document.key.to_owned());
        let known = self.memory.sites.get(&self.site).and_then(|posts| posts.get(document.key)).cloned();
        let (path, outcome) = match known {
            Some(known) => {
                let outcome = self.judge(&known, &hashed(&(document.text)(&known.path)), force);
                (known.path, outcome)
            }
            None => self.settle(document, force),
        };
        let text = (document.text)(&path);
        if matches!(outcome, Outcome::New | Outcome::Updated) {
            self.write(&path, text.as_bytes())?;
        }
        if matches!(outcome, Outcome::New | Outcome::Updated | Outcome::Unchanged) {
            let posts = self.memory.sites.entry(self.site.clone()).or_default();
            posts.insert(document.key.to_owned(), Written { path: path.clone(), hash: hashed(&text) });
            self.unsaved += 1;
            if self.unsaved >= EVERY {
                self.save()?;
            }
        }
        Ok((outcome, path))
    }

    /// What to do with an article that an earlier run wrote.
    fn judge(&self, known: &Written, hash: &str, force: bool) -> Outcome {
        let Ok(there) = self.root.read(&known.path) else {
            return if force { Outcome::New } else { Outcome::Deleted(known.path.clone()) };
        };
        let there = content_hash(&[&there]);
        let untouched = there == known.hash || there == content_hash(&[b""]);
        match (there == hash, untouched) {
            (true, _) => Outcome::Unchanged,
            (false, true) => Outcome::Updated,
            (false, false) if force => Outcome::Updated,
            (false, false) if known.hash == hash => Outcome::Edited,
            (false, false) => Outcome::Conflict(known.path.clone()),
        }
    }

    /// Finds the place of an article that no earlier run remembers.
    fn settle(&self, document: &Document<'_>, force: bool) -> (String, Outcome) {
        let mut path = format!("{}{}", document.stem, document.suffix);
        for number in 2.. {
            let Ok(there) = self.root.read(&path) else { break };
            if there == (document.text)(&path).as_bytes() {
                return (path, Outcome::Unchanged);
            }
            // Written by a run that was killed, or whose memory was lost.
            let text = String::from_utf8_lossy(&there);
            if there.is_empty() || document.id_line.is_some_and(|line| text.lines().take(12).any(|known| known == line)) {
                let outcome = if force || there.is_empty() { Outcome::Updated } else { Outcome::Conflict(path.clone()) };
                return (path, outcome);
            }
            path = format!("{}-{number}{}", document.stem, document.suffix);
        }
        (path, Outcome::New)
    }

    /// Files of earlier runs of which this one said nothing.
    pub(super) fn vanished(&self) -> Vec<String> {
        let posts = self.memory.sites.get(&self.site).into_iter().flatten();
        posts
            .filter(|(key, written)| !self.seen.contains(*key) && self.holds(&written.path))
            .map(|(_, written)| written.path.clone())
            .collect()
    }

    /// Records what was written.
    pub(super) fn save(&mut self) -> anyhow::Result<()> {
        self.unsaved = 0;
        self.write(MEMORY, &serde_json::to_vec_pretty(&self.memory)?)
    }
}

fn hashed(text: &str) -> String {
    content_hash(&[text.as_bytes()])
}
