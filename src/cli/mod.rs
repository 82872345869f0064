//! The command line: one file per command. Words for people on standard output, `--json` for
//! programs, problems on standard error.

pub mod mail;
pub mod mailing;
pub mod output;
pub mod petition;
pub mod subscriber;

use crate::clock::Clock;
use crate::config::Config;
use crate::db::Db;
use crate::vault::Vault;
use std::path::PathBuf;

/// What every command has.
pub struct Context {
    /// The checked configuration.
    pub config: Config,
    /// Where it is.
    pub config_path: PathBuf,
    /// Time.
    pub clock: Clock,
    /// Whether listings are for programs.
    pub json: bool,
}

impl Context {
    /// Opens the database and the vault, while a daemon may be using both.
    pub async fn open(&self) -> anyhow::Result<(Db, Vault)> {
        let db = Db::open(&self.config.database).await?;
        let vault = Vault::open(&db, &self.config.key_file, self.clock.now()).await?;
        Ok((db, vault))
    }
}

/// How a command ended, when it did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did what was asked: exit code 0.
    Done,
    /// It found a problem and said so: exit code 1.
    ProblemFound,
}
