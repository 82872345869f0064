//! SQL of petitions.

mod acts;
mod approvals;
mod editions;
mod lease;
mod steps;

pub(super) use acts::acted_between;
pub use acts::{acted_count, record_act};
pub(super) use approvals::{approvals_of, record_approval};
pub use editions::{EditionRow, editions, published};
pub(super) use editions::{
    FolderRow, edition, enter_edition, folder_row, lock_edition, publish, see_folder, set_asked, set_resumed, set_stopped, set_told,
};
pub(super) use lease::{hold_lease, release_lease};
pub(super) use steps::{
    Proposal, StepName, StoredText, Terms, awaited, deliveries_of, known_steps, propose, restart_stop_window, sending, set_approved,
    set_launched, set_state, step, texts_of,
};
pub use steps::{StepRow, StepState, steps_of};
