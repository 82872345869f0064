//! When approval does not come: reminders, and the word to staff that time ran out.

use super::approve;
use super::file::StepPlan;
use super::launch::is_too_late;
use super::office::Office;
use super::step::{Case, PetitionStep};
use super::store::{self, StepRow, StepState};
use super::tell::{self, Links, Sheet};
use crate::address::Address;
use crate::clock::Timestamp;
use crate::noticeboard::{self, Notice};
use std::sync::PoisonError;
use std::time::Duration;

/// Approvers who have not approved are reminded so long before a step is due.
const REMINDERS: [Duration; 2] = [Duration::from_hours(2), Duration::from_hours(24)];

/// Tells approvers and staff what time asks of them.
pub(super) async fn tell_time(petition: &PetitionStep, case: &Case<'_>) -> anyhow::Result<()> {
    let now = petition.office.clock.now();
    for step in &case.file.steps {
        let Some(due) = step.due else { continue };
        let row = case.steps.iter().find(|row| row.name == step.name);
        if row.is_some_and(|row| row.state != StepState::Proposed) {
            continue;
        }
        match row.filter(|row| row.content_hash == case.folder.hash) {
            Some(row) if now < due => remind(petition, case, row, due).await?,
            // Staff were told when they saved it that its time was past already.
            _ if now >= due && due > Timestamp::from_millis(case.row.changed_at) => time_ran_out(petition, case, step, row, due).await?,
            _ => {}
        }
    }
    Ok(())
}

/// Reminds those who have not approved, once for each of the spans before the step.
async fn remind(petition: &PetitionStep, case: &Case<'_>, row: &StepRow, due: Timestamp) -> anyhow::Result<()> {
    let office = &petition.office;
    let now = office.clock.now();
    let Some(asked_at) = case.asked_at else { return Ok(()) };
    let Some(span) = REMINDERS.into_iter().find(|span| now >= due - *span && asked_at < due - *span) else { return Ok(()) };
    let hash = case.folder.hash.as_str();
    let (slug, edition) = (case.folder.slug.as_str(), case.edition);
    let key = format!("petition-reminder:{slug}:{edition}:{}:{}:{}h", row.name, tell::prefix(hash), span.as_secs() / 3600);
    if petition.knows(&key) {
        return Ok(());
    }
    let mut tx = office.db.begin().await?;
    let approved = store::approvals_of(&mut tx, row.id, hash).await?;
    let silent: Vec<Address> =
        office.settings.approvers.iter().filter(|address| !approved.contains(&office.vault.index(address))).cloned().collect();
    if silent.is_empty() {
        petition.remember(key);
        return Ok(());
    }
    let voice = office.voice();
    let title = case.file.title.get(office.site.default_language());
    let when = tell::local_time(&voice, due, &case.file.edition.time_zone);
    let variables = [("title", title.into()), ("step", row.name.as_str().into()), ("time", when.into())];
    let sheet = Sheet {
        heading: voice.say_all("petition-reminder-subject", &variables),
        paragraphs: vec![voice.say_all("petition-reminder-body", &variables)],
        ..Sheet::default()
    };
    let until = approve::until(&case.file.steps, case.file.edition.deadline, &office.settings, now);
    tell::post(office, &mut tx, &key, sheet, &silent, Links::Approve { slug, edition, hash, until }).await?;
    tx.commit().await?;
    petition.remember(key);
    office.delivery.kick();
    Ok(())
}

/// Tells staff that a step's time came without approval; and when even the late limit is over,
/// that it will not be sent.
async fn time_ran_out(
    petition: &PetitionStep,
    case: &Case<'_>,
    step: &StepPlan,
    row: Option<&StepRow>,
    due: Timestamp,
) -> anyhow::Result<()> {
    let office = &petition.office;
    let over = is_too_late(office.clock.now(), due, office.settings.late_limit, case.file.edition.deadline);
    let about = if over { "petition-missed" } else { "petition-overdue" };
    let key = format!("{about}:{}:{}:{}:{}", case.folder.slug, case.edition, step.name, due.as_millis());
    if petition.knows(&key) {
        return Ok(());
    }
    let mut tx = office.db.begin().await?;
    if let (true, Some(row)) = (over, row) {
        store::set_state(&mut tx, row.id, StepState::Proposed, StepState::Missed).await?;
    }
    record(office, &mut tx, case, &step.name, due, about, &key).await?;
    tx.commit().await?;
    petition.remember(key);
    Ok(())
}

/// Holds an approved step that is too late, and says so.
pub(super) async fn hold(office: &Office, case: &Case<'_>, row: &StepRow) -> anyhow::Result<()> {
    let due = row.due.unwrap_or_else(|| office.clock.now());
    let key = format!("petition-held:{}:{}:{}:{}", case.folder.slug, case.edition, row.name, due.as_millis());
    let mut tx = office.db.begin().await?;
    if store::set_state(&mut tx, row.id, StepState::Approved, StepState::Held).await? {
        record(office, &mut tx, case, &row.name, due, "petition-held", &key).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Tells staff of petitions whose folder is gone while something approved waits for its time:
/// nothing of them is sent.
pub(super) async fn tell_vanished(petition: &PetitionStep, there: &[&str]) -> anyhow::Result<()> {
    let office = &petition.office;
    let mut connection = office.db.reader().acquire().await?;
    let awaited = store::awaited(&mut connection).await?;
    drop(connection);
    for slug in awaited.iter().filter(|slug| !there.contains(&slug.as_str())) {
        let key = format!("petition-vanished:{slug}");
        if petition.knows(&key) {
            continue;
        }
        let voice = office.voice();
        let subject = voice.say_with("petition-vanished-subject", "slug", slug.as_str());
        let body = voice.say_with("petition-vanished-body", "slug", slug.as_str());
        let mut tx = office.db.begin().await?;
        noticeboard::record(&mut tx, &Notice { key: &key, subject: &subject, body: &body }, office.clock.now()).await?;
        tx.commit().await?;
        petition.remember(key);
    }
    Ok(())
}

/// Records the notice whose texts are `ABOUT-subject` and `ABOUT-body`.
async fn record(
    office: &Office,
    connection: &mut sqlx::AnyConnection,
    case: &Case<'_>,
    step: &str,
    due: Timestamp,
    about: &str,
    key: &str,
) -> anyhow::Result<()> {
    let voice = office.voice();
    let title = case.file.title.get(office.site.default_language());
    let when = tell::local_time(&voice, due, &case.file.edition.time_zone);
    let limit = tell::span(&voice, office.settings.late_limit);
    let variables = [("title", title.into()), ("step", step.into()), ("time", when.into()), ("limit", limit.into())];
    let subject = voice.say_all(&format!("{about}-subject"), &variables);
    let body = voice.say_all(&format!("{about}-body"), &variables);
    noticeboard::record(connection, &Notice { key, subject: &subject, body: &body }, office.clock.now()).await?;
    Ok(())
}

impl PetitionStep {
    /// Whether this process has dealt with a key. The database knows too; this spares it being
    /// asked every few seconds.
    fn knows(&self, key: &str) -> bool {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).contains(key)
    }

    fn remember(&self, key: String) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
    }
}
