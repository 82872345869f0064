//! The petition's background work: looks at the folders, answers staff, asks approvers, launches
//! what is due. One call does one bounded piece.

use super::file::{FileState, PetitionFile};
use super::folder::{Folder, slugs};
use super::launch::{Verdict, cut, launch, verdict};
use super::office::Office;
use super::store::{self, FolderRow, StepRow, StepState};
use super::{answer, ask, remind, stop};
use crate::clock::Timestamp;
use crate::problem::{Problem, Severity};
use crate::task::{Step, Wake};
use crate::vault::random_name;
use anyhow::Context as _;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Folders are looked at no more often.
const GLANCE: Duration = Duration::from_secs(5);
/// Staff are answered when a folder has been still for so long.
const STILL: Duration = Duration::from_secs(20);
/// Approvers are asked when it has been still for so long.
const QUIET: Duration = Duration::from_mins(2);

/// Runs every petition.
pub struct PetitionStep {
    pub(super) office: Office,
    owner: String,
    seen: Mutex<Option<Seen>>,
    /// Keys of mails and notices this process knows to be recorded, to spare the database.
    pub(super) told: Mutex<HashSet<String>>,
}

/// The folders as they were at an instant.
#[derive(Clone)]
struct Seen {
    at: Timestamp,
    folders: Arc<Vec<(Folder, Vec<Problem>)>>,
}

/// A petition that can be read, in this step.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) folder: &'a Folder,
    pub(super) file: &'a PetitionFile,
    pub(super) edition: &'a str,
    pub(super) row: &'a FolderRow,
    pub(super) steps: &'a [StepRow],
    /// Whether a button or command stopped the edition.
    pub(super) stopped: bool,
    /// When approvers were asked about this content.
    pub(super) asked_at: Option<Timestamp>,
}

impl Step for PetitionStep {
    const NAME: &'static str = "petition";

    async fn step(&self) -> anyhow::Result<Wake> {
        if !store::hold_lease(&self.office.db, &self.owner).await? {
            return Ok(Wake::At(self.office.clock.now() + GLANCE));
        }
        if let Some((slug, edition, step)) = self.first_sending().await? {
            cut(&self.office, &slug, &edition, step).await?;
            return Ok(Wake::Now);
        }
        let mut wake = Wake::At(self.office.clock.now() + GLANCE);
        let mut failure = None;
        let folders = self.look().await?;
        remind::tell_vanished(self, &folders.iter().map(|(folder, _)| folder.slug.as_str()).collect::<Vec<_>>()).await?;
        for (folder, problems) in folders.iter() {
            match self.tend(folder, problems).await {
                Ok(wish) => wake = wake.or_sooner(wish),
                // One petition's trouble must not keep the others waiting.
                Err(error) => failure = Some(error.context(format!("the petition {}", folder.slug))),
            }
        }
        failure.map_or(Ok(wake), Err)
    }

    /// Another daemon need not wait for the lease to run out.
    async fn end(&self) -> anyhow::Result<()> {
        store::release_lease(&self.office.db, &self.owner).await
    }
}

impl PetitionStep {
    /// Work on every petition in the folder that the settings name.
    pub fn new(office: Office) -> Self {
        Self { office, owner: random_name(), seen: Mutex::default(), told: Mutex::default() }
    }

    async fn first_sending(&self) -> anyhow::Result<Option<(String, String, i64)>> {
        let mut connection = self.office.db.reader().acquire().await?;
        Ok(store::sending(&mut connection).await?.into_iter().next())
    }

    /// Every folder, read at most a few seconds ago.
    async fn look(&self) -> anyhow::Result<Arc<Vec<(Folder, Vec<Problem>)>>> {
        let now = self.office.clock.now();
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(seen) = seen.filter(|seen| seen.at <= now && now < seen.at + GLANCE) {
            return Ok(seen.folders);
        }
        let office = self.office.clone();
        let known = self.known_steps().await?;
        let folders = tokio::task::spawn_blocking(move || {
            // A folder that is not there yet holds no petitions; `clarion check` tells it.
            let slugs = slugs(&office.settings.dir).unwrap_or_default();
            slugs.iter().map(|slug| office.read(slug, Some(&known))).collect::<Vec<_>>()
        });
        let folders = Arc::new(folders.await.context("reading the petition folders failed")?);
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(Seen { at: now, folders: Arc::clone(&folders) });
        Ok(folders)
    }

    async fn known_steps(&self) -> anyhow::Result<Vec<store::StepName>> {
        let mut connection = self.office.db.reader().acquire().await?;
        store::known_steps(&mut connection).await
    }

    async fn tend(&self, folder: &Folder, problems: &[Problem]) -> anyhow::Result<Wake> {
        let now = self.office.clock.now();
        let edition = folder.edition();
        let row = self.see(folder, edition.as_deref()).await?;
        let (Some((_, file)), Some(edition)) = (&folder.file, &edition) else {
            return self.answer(folder, &row, problems, None).await;
        };
        let (record, steps) = self.state_of(&folder.slug, edition).await?;
        let asked_at = record.as_ref().filter(|record| record.asked_hash.as_ref() == Some(&folder.hash)).and_then(|record| record.asked_at);
        let asked_at = asked_at.map(Timestamp::from_millis);
        let stopped = record.is_some_and(|record| record.stopped_at.is_some());
        let case = Case { folder, file, edition, row: &row, steps: &steps, stopped, asked_at };
        let wake = self.answer(folder, &row, problems, Some(&case)).await?;
        if file.state == FileState::Stopped && steps.iter().any(|step| matches!(step.state, StepState::Sending | StepState::Sent)) {
            self.stop_by_file(&case).await?;
        }
        if file.state != FileState::Ready || stopped {
            return Ok(wake);
        }
        let sound = problems.iter().all(|problem| problem.severity < Severity::Error);
        let wake = match asked_at {
            None if sound && now >= Timestamp::from_millis(row.changed_at) + QUIET => {
                ask::ask(&self.office, &case).await?;
                Wake::Now
            }
            None => wake.or_sooner(Wake::At(Timestamp::from_millis(row.changed_at) + QUIET)),
            Some(_) => wake.or_sooner(self.progress(&case).await?),
        };
        remind::tell_time(self, &case).await?;
        Ok(wake)
    }

    /// What is recorded of a folder, after recording what it says now.
    async fn see(&self, folder: &Folder, edition: Option<&str>) -> anyhow::Result<FolderRow> {
        let mut connection = self.office.db.reader().acquire().await?;
        if let Some(row) = store::folder_row(&mut connection, &folder.slug).await?.filter(|row| row.content_hash == folder.hash) {
            return Ok(row);
        }
        drop(connection);
        let mut tx = self.office.db.begin().await?;
        store::see_folder(&mut tx, &folder.slug, edition, &folder.hash, self.office.clock.now()).await?;
        let row = store::folder_row(&mut tx, &folder.slug).await?.context("a petition just seen is not found")?;
        tx.commit().await?;
        Ok(row)
    }

    async fn state_of(&self, slug: &str, edition: &str) -> anyhow::Result<(Option<store::EditionRow>, Vec<StepRow>)> {
        let mut connection = self.office.db.reader().acquire().await?;
        let record = store::edition(&mut connection, slug, edition).await?;
        Ok((record, store::steps_of(&mut connection, slug, edition).await?))
    }

    /// Answers a save by mail, once.
    async fn answer(&self, folder: &Folder, row: &FolderRow, problems: &[Problem], case: Option<&Case<'_>>) -> anyhow::Result<Wake> {
        if row.told_at.is_some() {
            return Ok(Wake::WhenKicked);
        }
        let still = Timestamp::from_millis(row.changed_at) + STILL;
        if self.office.clock.now() < still {
            return Ok(Wake::At(still));
        }
        answer::answer(&self.office, folder, row, problems, case).await?;
        Ok(Wake::WhenKicked)
    }

    async fn stop_by_file(&self, case: &Case<'_>) -> anyhow::Result<()> {
        let mut tx = self.office.db.begin().await?;
        store::lock_edition(&mut tx, &case.folder.slug, case.edition).await?;
        stop::cancel_unfinished(&mut tx, &case.folder.slug, case.edition, "its file", self.office.clock.now()).await?;
        tx.commit().await
    }

    /// Launches what is approved and due.
    async fn progress(&self, case: &Case<'_>) -> anyhow::Result<Wake> {
        let settings = &self.office.settings;
        let now = self.office.clock.now();
        let mut wake = Wake::WhenKicked;
        let approved = case.steps.iter().filter(|step| step.state == StepState::Approved && step.content_hash == case.folder.hash);
        for step in approved {
            let (Some(due), Some(approved_at)) = (step.due, step.approved_at) else { continue };
            match verdict(now, due, approved_at, (settings.stop_window, settings.late_limit), case.file.edition.deadline) {
                Verdict::Wait(until) => wake = wake.or_sooner(Wake::At(until)),
                Verdict::Launch => {
                    launch(&self.office, &case.folder.slug, case.edition, step.id).await?;
                    return Ok(Wake::Now);
                }
                Verdict::TooLate => remind::hold(&self.office, case, step).await?,
            }
        }
        Ok(wake)
    }
}
