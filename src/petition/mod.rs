//! Petitions: editions, steps, addressees, letters, approvals, acts.
//!
//! A petition is a folder that staff edit. Each save is answered by mail with the mistakes or
//! the plan ([`judge`], [`plan`]); what is ready is rendered and stored, and approvers are asked
//! ([`office`]); what is approved and due becomes a mailing of exactly the stored texts
//! ([`step`]). Supporters see what was launched, as it was launched ([`public`]).

mod answer;
mod approval;
mod approve;
mod ask;
mod dates;
mod file;
mod folder;
mod judge;
mod launch;
mod letter;
mod missions;
mod office;
mod plan;
mod preview;
mod prose;
mod public;
mod remind;
mod render;
mod scaffold;
mod step;
mod stop;
mod store;
mod tell;
mod texts;
mod withdraw;
mod years;

pub use approval::{Approval, ApprovalRefused, ApprovalStep, ApprovalText, read_approval};
pub use approve::approve;
pub use file::{FileState, Whom};
pub use folder::{Folder, read_folder, slugs};
pub use judge::{Circumstances, check};
pub use letter::{Filled, FilledLetter, Signature};
pub use missions::{Mission, Missions};
pub use office::{Office, Outlook};
pub use plan::{Counts, PlannedStep};
pub use preview::{PreviewText, preview};
pub use public::{LetterText, PageText, PublicMission, PublicPage, Signatory};
pub use scaffold::scaffold;
pub use step::PetitionStep;
pub use stop::{Standing, Stopped, read_stop, resume, stop};
pub use store::{EditionRow, StepRow, StepState, acted_count, editions, published, record_act, steps_of};
pub use withdraw::{edition_of, withdraw};

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
