//! Mail as files: one `.eml` a delivery, complete from the moment it has its name.

use anyhow::Context as _;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// A folder that mail is written to.
#[derive(Clone, Debug)]
pub struct Folder {
    dir: PathBuf,
}

impl Folder {
    /// A folder, made when the first mail is written.
    pub fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// Writes a mail under a name. Written again, the file is the same.
    pub async fn write(&self, name: &str, bytes: Vec<u8>) -> anyhow::Result<()> {
        let (dir, name) = (self.dir.clone(), format!("{name}.eml"));
        tokio::task::spawn_blocking(move || write(&dir, &name, &bytes)).await.context("writing a mail was interrupted")?
    }
}

fn write(dir: &Path, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let whole = || format!("a mail cannot be written into {}", dir.display());
    std::fs::create_dir_all(dir).with_context(whole)?;
    // Hidden, so that nothing that watches the folder takes half a mail.
    let part = dir.join(format!(".{name}.part"));
    // It holds an address, so nobody else reads it.
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part).with_context(whole)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).with_context(whole)?;
    std::fs::rename(&part, dir.join(name)).with_context(whole)?;
    // The new name is on the disk when its folder is.
    File::open(dir).and_then(|folder| folder.sync_all()).with_context(whole)
}
