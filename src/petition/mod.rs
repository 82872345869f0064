//! Petitions: editions, steps, addressees, letters, approvals, acts.

use crate::address::Address;
use std::path::PathBuf;
use std::time::Duration;

/// How petitions are run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder of petition folders.
    pub dir: PathBuf,
    /// The file of addressees.
    pub missions_file: PathBuf,
    /// Who may approve.
    pub approvers: Vec<Address>,
    /// How many of them must.
    pub approvals_required: u32,
    /// Between approval and the first message.
    pub stop_window: Duration,
    /// A step later than this is held, never sent late without a word.
    pub late_limit: Duration,
}

/// The topic that subscribers to petition alerts choose, and the category of petition pages.
pub const TOPIC: &str = "petitions";
