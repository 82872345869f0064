//! Opening a file that is to be served.

use super::super::folder::{Folder, Stat};
use super::super::{Settings, look};
use super::kind::{HEAD, Kind};
use crate::clock::Timestamp;
use crate::vault::content_hash;
use std::io::{self, Read as _, Seek as _};
use std::time::UNIX_EPOCH;

/// A file, open; what is said of it is of these very bytes.
#[derive(Debug)]
pub struct Opened {
    /// At its beginning.
    pub file: std::fs::File,
    /// In octets.
    pub length: u64,
    /// When it was last written.
    pub modified: Timestamp,
    /// Another after every change (RFC 9110 §8.8.1): no program can set the time of the last
    /// change of an inode.
    pub validator: String,
    /// What it may be served as.
    pub kind: Kind,
}

/// Why a file was not opened.
#[derive(Debug)]
pub enum Unopened {
    /// There is none that may be served.
    Missing,
    /// The folder or the disk does not answer now.
    Unavailable(io::Error),
}

/// Opens the file at a path from the root of the content folder; no link and no race leads out
/// of it.
pub async fn open_file(settings: &Settings, path: &str) -> Result<Opened, Unopened> {
    let (root, path) = (settings.dir.clone(), path.to_owned());
    let opened = look::blocking(move || Ok(Folder::open(&root).and_then(|folder| open(&folder, &path)))).await;
    match opened {
        Ok(Ok(opened)) => Ok(opened),
        // cap-std says so, without a number, when a link would lead out of the root.
        Ok(Err(error)) if error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none() => Err(Unopened::Missing),
        Ok(Err(error)) => Err(Unopened::Unavailable(error)),
        Err(error) => Err(Unopened::Unavailable(io::Error::other(error))),
    }
}

fn open(folder: &Folder, path: &str) -> io::Result<Opened> {
    let file = folder.open_file(path)?;
    let stat = Stat::of(&file.metadata()?);
    let mut file = file.into_std();
    let mut head = Vec::with_capacity(HEAD);
    (&mut file).take(HEAD as u64).read_to_end(&mut head)?;
    file.rewind()?;
    let since = stat.modified.and_then(|modified| modified.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    Ok(Opened {
        length: stat.length,
        modified: Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(0)),
        validator: content_hash(&[path.as_bytes(), stat.stamp().as_bytes()])[..32].to_owned(),
        kind: Kind::of(path, &head),
        file,
    })
}
