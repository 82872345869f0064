//! A Maildir that is watched: what is in `new` is taken in and then, and only then, moved to `cur`.

use super::desk::{Desk, LONGEST_MESSAGE};
use crate::task::{Step, Wake};
use anyhow::Context as _;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// Messages taken in at once.
const BATCH: usize = 100;

/// Takes messages in from a Maildir.
pub struct MaildirStep {
    desk: Desk,
    folder: PathBuf,
}

impl MaildirStep {
    /// A step for the Maildir `folder`, which holds `new` and `cur`.
    pub fn new(desk: Desk, folder: PathBuf) -> Self {
        Self { desk, folder }
    }

    /// Takes one message in. False: it cannot be read, and stays where it is.
    async fn take(&self, name: &str) -> anyhow::Result<bool> {
        let path = self.folder.join("new").join(name);
        let message = match read(self.folder.join("new"), name.to_owned()).await {
            Ok(message) => message,
            // Another daemon was quicker.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => {
                tracing::warn!(%error, "a message in the watched Maildir cannot be read and is left there");
                return Ok(false);
            }
        };
        self.desk.receive(&message).await?;
        // An error here costs nothing: the message is known when it is met again.
        let seen = self.folder.join("cur").join(format!("{name}:2,S"));
        match fs::rename(&path, &seen) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).context("a message that was taken in cannot be moved to cur in the watched Maildir")
            }
            _ => Ok(true),
        }
    }
}

impl Step for MaildirStep {
    const NAME: &'static str = "maildir";

    async fn step(&self) -> anyhow::Result<Wake> {
        let names = waiting(&self.folder)
            .with_context(|| format!("the watched Maildir {} cannot be read ([inbound] maildir)", self.folder.display()))?;
        let mut taken = 0;
        for name in &names {
            if taken == BATCH {
                return Ok(Wake::Now);
            }
            taken += usize::from(self.take(name).await?);
        }
        Ok(Wake::WhenKicked)
    }
}

/// What waits, in the order of arrival, which is the order of names.
fn waiting(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder.join("new"))? {
        let entry = entry?;
        if let (true, Ok(name)) = (entry.file_type()?.is_file(), entry.file_name().into_string())
            && !name.starts_with('.')
        {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// As much of a message as is read. A link out of the folder is not followed.
async fn read(folder: PathBuf, name: String) -> io::Result<Vec<u8>> {
    let reading = tokio::task::spawn_blocking(move || {
        let file = Dir::open_ambient_dir(folder, ambient_authority())?.open(name)?;
        let mut message = Vec::new();
        file.take(LONGEST_MESSAGE as u64).read_to_end(&mut message)?;
        Ok(message)
    });
    reading.await.map_err(io::Error::other)?
}
