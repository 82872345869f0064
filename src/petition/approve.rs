//! Recording approvals: by whom, of what, and when enough have.

use super::Settings;
use super::approval::{Approval, ApprovalRefused, approval_of};
use super::file::StepPlan;
use super::launch::is_too_late;
use super::office::Office;
use super::store::{self, StepRow, StepState};
use crate::address::Address;
use crate::clock::{Clock, Timestamp};
use sqlx::AnyConnection;
use std::time::Duration;

/// Until when an approval can be asked for where no step has a time.
const LONGEST: Duration = Duration::from_hours(30 * 24);

/// Records an approval of one step, or of all that wait. Returns the names of the steps it was
/// recorded for. The caller's transaction began before what is approved was read.
pub async fn approve(
    connection: &mut AnyConnection,
    settings: &Settings,
    approval: &Approval,
    step: Option<&str>,
    clock: &Clock,
) -> anyhow::Result<Result<Vec<String>, ApprovalRefused>> {
    store::lock_edition(connection, &approval.slug, &approval.edition).await?;
    if let Some(refused) = refusal(connection, approval).await? {
        return Ok(Err(refused));
    }
    let mut approved = Vec::new();
    let mut late = false;
    for found in store::steps_of(connection, &approval.slug, &approval.edition).await? {
        let named = step.is_none_or(|name| name == found.name);
        if !named || found.state != StepState::Proposed || found.content_hash != approval.hash {
            continue;
        }
        if record(connection, settings, approval, &found, clock.now()).await? {
            approved.push(found.name);
        } else {
            late = true;
        }
    }
    Ok(match (approved.is_empty(), late) {
        (false, _) => Ok(approved),
        (true, true) => Err(ApprovalRefused::TooLate),
        (true, false) => Err(ApprovalRefused::NotWaiting),
    })
}

/// Why nothing of a petition can be approved, looked at again under its lock.
async fn refusal(connection: &mut AnyConnection, approval: &Approval) -> anyhow::Result<Option<ApprovalRefused>> {
    let edition = store::edition(connection, &approval.slug, &approval.edition).await?;
    let folder = store::folder_row(connection, &approval.slug).await?;
    Ok(if edition.is_none_or(|edition| edition.stopped_at.is_some()) {
        Some(ApprovalRefused::Stopped)
    } else if approval.changed || folder.is_none_or(|folder| folder.content_hash != approval.hash) {
        Some(ApprovalRefused::Changed)
    } else {
        approval.preparer.then_some(ApprovalRefused::Preparer)
    })
}

/// Records an approval of one step, and whether it is enough. False: it is too late for it.
async fn record(
    connection: &mut AnyConnection,
    settings: &Settings,
    approval: &Approval,
    step: &StepRow,
    now: Timestamp,
) -> anyhow::Result<bool> {
    let (_, terms) = store::step(connection, step.id).await?;
    let first = now + settings.stop_window;
    let due = step.due.unwrap_or(first);
    if is_too_late(first.max(due), due, settings.late_limit, terms.deadline.map(Timestamp::from_millis)) {
        return Ok(false);
    }
    store::record_approval(connection, step.id, &approval.hash, &approval.approver, now).await?;
    let count = store::approvals_of(connection, step.id, &approval.hash).await?.len();
    if count >= settings.approvals_required as usize {
        store::set_approved(connection, step.id, due, now).await?;
    }
    Ok(true)
}

impl Office {
    /// Approves a step in the name of an approver, for the command line.
    pub async fn approve(
        &self,
        slug: &str,
        edition: &str,
        step: &str,
        approver: &Address,
    ) -> anyhow::Result<Result<Vec<String>, ApprovalRefused>> {
        let mut tx = self.db.begin().await?;
        let approval = match approval_of(&mut tx, self, slug, edition, approver).await? {
            Ok(approval) => approval,
            Err(refused) => return Ok(Err(refused)),
        };
        let outcome = approve(&mut tx, &self.settings, &approval, Some(step), &self.clock).await?;
        if outcome.is_ok() {
            tx.commit().await?;
        }
        Ok(outcome)
    }
}

/// Until when approvers' links hold: as long as what they approve can be sent.
pub(super) fn until(steps: &[StepPlan], deadline: Option<Timestamp>, settings: &Settings, now: Timestamp) -> Timestamp {
    let last = steps.iter().filter_map(|step| step.due).max().unwrap_or(now + LONGEST);
    deadline.unwrap_or(last + settings.late_limit).max(now)
}
