//! Reading files of the folder: bytes to manuscripts or problems, without the database.

use super::folder::{Bytes, Folder, Stat};
use super::manuscript::{self, Manuscript};
use super::media::Known;
use crate::problem::{Problem, Source};
use crate::site::Site;
use crate::vault::content_hash;
use std::path::Path;

/// Of one file; more help nobody.
const MOST_PROBLEMS: usize = 20;

/// What was found in a file.
#[derive(Debug)]
pub(super) enum Finding {
    /// It is being written.
    Moving,
    /// The version of this hash, which is known already.
    Known(String),
    /// A good version.
    Good(Box<Manuscript>),
    /// A version that cannot be used.
    Broken {
        /// Of the version, or of why it cannot be read.
        hash: String,
        /// All that is wrong.
        problems: Vec<Problem>,
    },
}

/// Files to be read, each as it was seen and with the hashes of the versions that are known.
pub(super) type Sheaf = Vec<(String, Stat, Vec<String>)>;

/// Reads files and renders what is good in them. `files` are those that articles had.
pub(super) fn read_files(folder: &Folder, sheaf: Sheaf, site: &Site, files: &Known) -> Vec<(String, Finding)> {
    let settings = manuscript::settings(site);
    let read = |(path, stat, known): (String, Stat, Vec<String>)| {
        let is_known = |hash: &str| known.iter().any(|known| known == hash);
        let mut finding = read_file(folder, &path, stat, Path::new(&path), (site, &settings), files, is_known);
        if let Finding::Good(manuscript) = &mut finding {
            manuscript.render_ahead(site);
        }
        (path, finding)
    };
    sheaf.into_iter().map(read).collect()
}

/// Reads a file. `shown` is its name in messages; `settings` are those of the site; `files` are
/// those that articles had, and `is_known` recognises versions by hash.
pub(super) fn read_file(
    folder: &Folder,
    path: &str,
    stat: Stat,
    shown: &Path,
    (site, settings): (&Site, &str),
    files: &Known,
    is_known: impl Fn(&str) -> bool,
) -> Finding {
    let bytes = match folder.read(path, stat) {
        Bytes::Moving => return Finding::Moving,
        Bytes::Unreadable(reason) => return broken(vec![Problem::of_file(shown, reason)]),
        Bytes::Whole(bytes) => bytes,
    };
    let hash = manuscript::hash(&bytes, settings);
    if is_known(&hash) {
        return Finding::Known(hash);
    }
    let read = Source::from_bytes(shown, &bytes).map_err(|problem| vec![*problem]);
    match read.and_then(|source| Manuscript::read(path, source, hash.clone(), site)) {
        Ok(mut manuscript) => {
            manuscript.find_files(folder, site, files);
            Finding::Good(Box::new(manuscript))
        }
        Err(mut problems) => {
            // Who has mended these will be told the next.
            problems.truncate(MOST_PROBLEMS);
            Finding::Broken { hash, problems }
        }
    }
}

/// A finding of what has no bytes to hash.
pub(super) fn broken(problems: Vec<Problem>) -> Finding {
    let told: String = problems.iter().map(ToString::to_string).collect();
    Finding::Broken { hash: content_hash(&[told.as_bytes()]), problems }
}
