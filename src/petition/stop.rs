//! Stopping by link, by command or by the file, and taking a stop back.

use super::office::Office;
use super::render::mailing_key;
use super::store::{self, StepState};
use crate::clock::Timestamp;
use crate::delivery::{self, MailingState};
use crate::language::Voice;
use crate::noticeboard::{self, Notice};
use crate::vault::{Purpose, TokenRefused, Vault};
use sqlx::AnyConnection;

/// What a stop page shows before it acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The petition.
    pub slug: String,
    /// The edition.
    pub edition: String,
    /// What it is called, as approvers were asked about it; else its slug.
    pub title: String,
    /// Whether it is stopped already.
    pub stopped: bool,
}

/// What a stop did.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Stopped {
    /// Whether it was not stopped before.
    pub newly: bool,
    /// How many people will not get what they were to get.
    pub skipped: u64,
}

/// Reads what a stop link stops. Changes nothing.
pub async fn read_stop(
    connection: &mut AnyConnection,
    vault: &Vault,
    token: &str,
    now: Timestamp,
) -> anyhow::Result<Result<Standing, TokenRefused>> {
    let claims = match vault.read_token(Purpose::Stop, token, now) {
        Ok(claims) => claims,
        Err(refused) => return Ok(Err(refused)),
    };
    let Some((slug, edition)) = claims.note.split_once('/') else { return Ok(Err(TokenRefused::Invalid)) };
    let row = store::edition(connection, slug, edition).await?;
    let stopped = row.is_some_and(|row| row.stopped_at.is_some());
    let title = match store::steps_of(connection, slug, edition).await?.first() {
        Some(step) => store::step(connection, step.id).await?.1.title,
        None => slug.to_owned(),
    };
    Ok(Ok(Standing { slug: slug.to_owned(), edition: edition.to_owned(), title, stopped }))
}

/// Stops an edition: nothing more of it goes out, whatever its file says. `by` is `link` or
/// `command`; staff are told.
pub async fn stop(
    connection: &mut AnyConnection,
    slug: &str,
    edition: &str,
    by: &str,
    voice: &Voice,
    now: Timestamp,
) -> anyhow::Result<Stopped> {
    store::enter_edition(connection, slug, edition).await?;
    store::lock_edition(connection, slug, edition).await?;
    let newly = store::set_stopped(connection, slug, edition, by, now).await?;
    let skipped = cancel_unfinished(connection, slug, edition, by, now).await?;
    if newly {
        let variables = [("slug", slug.into()), ("edition", edition.into()), ("count", skipped.into())];
        let subject = voice.say_all("petition-stopped-subject", &variables);
        let body = voice.say_all("petition-stopped-notice", &variables);
        let key = format!("petition-stopped:{slug}:{edition}:{}", now.as_millis());
        noticeboard::record(connection, &Notice { key: &key, subject: &subject, body: &body }, now).await?;
    }
    Ok(Stopped { newly, skipped })
}

/// Ends the mailings of an edition that are not finished. Returns how many people get nothing.
pub(super) async fn cancel_unfinished(
    connection: &mut AnyConnection,
    slug: &str,
    edition: &str,
    by: &str,
    now: Timestamp,
) -> anyhow::Result<u64> {
    let mut skipped = 0;
    for step in store::steps_of(connection, slug, edition).await? {
        let (Some(mailing), true) = (step.mailing, matches!(step.state, StepState::Sending | StepState::Sent)) else { continue };
        skipped += delivery::cancel(connection, mailing, &format!("stopped by {by}"), now).await?;
        let found = delivery::find_mailing(connection, &mailing_key(slug, edition, &step.name)).await?;
        if found.is_some_and(|mailing| mailing.state == MailingState::Cancelled) {
            store::set_state(connection, step.id, step.state, StepState::Stopped).await?;
        }
    }
    Ok(skipped)
}

/// Takes a stop back. What was approved waits a whole stop window again; mailings that the stop
/// ended stay ended. Returns whether it was stopped.
pub async fn resume(connection: &mut AnyConnection, slug: &str, edition: &str, now: Timestamp) -> anyhow::Result<bool> {
    store::lock_edition(connection, slug, edition).await?;
    if !store::set_resumed(connection, slug, edition).await? {
        return Ok(false);
    }
    store::restart_stop_window(connection, slug, edition, now).await?;
    Ok(true)
}

impl Office {
    /// Stops an edition, for the command line.
    pub async fn stop(&self, slug: &str, edition: &str) -> anyhow::Result<Stopped> {
        let mut tx = self.db.begin().await?;
        let stopped = stop(&mut tx, slug, edition, "command", &self.voice(), self.clock.now()).await?;
        tx.commit().await?;
        Ok(stopped)
    }

    /// Takes a stop back, for the command line.
    pub async fn resume(&self, slug: &str, edition: &str) -> anyhow::Result<bool> {
        let mut tx = self.db.begin().await?;
        let resumed = resume(&mut tx, slug, edition, self.clock.now()).await?;
        tx.commit().await?;
        Ok(resumed)
    }
}
