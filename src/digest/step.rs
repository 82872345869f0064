//! Runs digests when they are due, a chunk of readers at a time.

use super::Settings;
use super::agenda::{NextRun, next_run};
use super::cut::{Mailing, Press, cut};
use super::store::{self, Run, RunState};
use crate::clock::{Clock, Timestamp};
use crate::content;
use crate::db::Db;
use crate::delivery::{self, Kind, MailingState, NewMailing, OnDoubt};
use crate::language::Catalogue;
use crate::site::Site;
use crate::subscription;
use crate::task::{Kick, Step, Wake};
use crate::vault::Vault;
use sqlx::AnyConnection;
use std::time::Duration;

/// Readers cut in one transaction.
const CHUNK: i64 = 500;
/// How far this machine's clock may be from the database server's before it schedules nothing.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(5);

/// Runs digests.
pub struct DigestStep {
    /// The database.
    pub db: Db,
    /// Keys.
    pub vault: Vault,
    /// Time.
    pub clock: Clock,
    /// The site.
    pub site: Site,
    /// What Clarion says.
    pub catalogue: Catalogue,
    /// The digests.
    pub digests: Vec<Settings>,
    /// What happens to a message in doubt.
    pub on_doubt: OnDoubt,
    /// Wakes the one who sends.
    pub delivery: Kick,
}

impl Step for DigestStep {
    const NAME: &'static str = "digest";

    async fn step(&self) -> anyhow::Result<Wake> {
        if !self.clock_is_right().await? {
            return Ok(Wake::WhenKicked);
        }
        let open = store::open_runs(&mut *self.db.reader().acquire().await?).await?;
        let mut wake = Wake::WhenKicked;
        for (name, at) in open {
            wake = wake.or_sooner(self.go_on(&name, at).await?);
        }
        for settings in &self.digests {
            wake = wake.or_sooner(self.begin_if_due(settings).await?);
        }
        Ok(wake)
    }
}

impl DigestStep {
    /// A daemon on several machines' database whose clock is wrong would run digests at wrong
    /// times for all of them.
    async fn clock_is_right(&self) -> anyhow::Result<bool> {
        if !self.clock.is_real() {
            return Ok(true);
        }
        let theirs = self.db.lease_time(&mut *self.db.reader().acquire().await?).await?;
        let ours = self.clock.now();
        let right = ours.since(theirs).max(theirs.since(ours)) <= CLOCK_TOLERANCE;
        if !right {
            tracing::error!(%ours, database = %theirs, "this machine's clock differs from the database server's; no digest is run until it is set");
        }
        Ok(right)
    }

    async fn begin_if_due(&self, settings: &Settings) -> anyhow::Result<Wake> {
        let now = self.clock.now();
        let name = &settings.name;
        let (last, held) = {
            let mut connection = self.db.reader().acquire().await?;
            (store::last_run(&mut connection, name).await?, store::held_since(&mut connection, name).await?)
        };
        if last.is_none() {
            let mut tx = self.db.begin().await?;
            store::add_run(&mut tx, name, Run { scheduled_at: now, state: RunState::Seen }, now).await?;
            tx.commit().await?;
        }
        match next_run(settings, last.map_or(now, |run| run.scheduled_at), now) {
            _ if held.is_some() => Ok(Wake::WhenKicked),
            NextRun::Never => Ok(Wake::WhenKicked),
            NextRun::Later(at) => Ok(Wake::At(at)),
            NextRun::Due(at) => {
                self.begin(settings, at, now).await?;
                Ok(Wake::Now)
            }
        }
    }

    /// Makes the run and its mailing, and fixes what it considers. Another daemon may have been
    /// quicker; then nothing happens.
    async fn begin(&self, settings: &Settings, at: Timestamp, now: Timestamp) -> anyhow::Result<()> {
        let mut tx = self.db.begin().await?;
        let upper = content::high_water(&mut tx).await?;
        let state = if is_anything_new(&mut tx, settings, upper).await? { RunState::Cutting } else { RunState::Done };
        let is_ours = store::add_run(&mut tx, &settings.name, Run { scheduled_at: at, state }, now).await?;
        if !is_ours || state == RunState::Done {
            return tx.commit().await;
        }
        let mailing = NewMailing {
            key: &mailing_key(&settings.name, at),
            kind: Kind::Digest,
            stream: Kind::Digest.stream(),
            title: &format!("{} {}", settings.name, at.in_zone(&settings.time_zone).strftime("%Y-%m-%d %H:%M")),
            on_doubt: self.on_doubt,
            public: true,
            upper_seq: Some(upper),
            not_before: now,
            deadline: None,
        };
        let mailing = delivery::open_mailing(&mut tx, &mailing, now).await?;
        store::set_mailing(&mut tx, &settings.name, at, mailing.id).await?;
        tx.commit().await?;
        tracing::info!(digest = settings.name, scheduled = %at, mailing = mailing.id, "a digest is being cut");
        Ok(())
    }

    /// Cuts the next chunk of a run, or ends it.
    async fn go_on(&self, name: &str, at: Timestamp) -> anyhow::Result<Wake> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        store::take_turn(&mut tx).await?;
        if store::held_since(&mut tx, name).await?.is_some() {
            return Ok(Wake::WhenKicked);
        }
        let key = mailing_key(name, at);
        let found = delivery::find_mailing(&mut tx, &key).await?.filter(|mailing| mailing.state == MailingState::Cutting);
        let settings = self.digests.iter().find(|settings| settings.name == name);
        // Stopped by staff while it was cut, or no longer configured: what is cut so far stands,
        // and the others keep their watermarks.
        let readers = match (&found, settings) {
            (Some(mailing), Some(_)) => subscription::readers(&mut tx, Some(name), mailing.cursor, CHUNK).await?,
            _ => Vec::new(),
        };
        let has_ended = if let (Some(found), Some(settings), Some(last)) = (&found, settings, readers.last()) {
            let press = Press { settings, site: &self.site, catalogue: &self.catalogue };
            let mailing = Mailing { id: found.id, key: &key, upper: found.upper_seq.unwrap_or(0) };
            let added = cut(&mut tx, &self.vault, &press, &mailing, &readers, now).await?;
            delivery::set_cursor(&mut tx, found.id, last.person).await?;
            tracing::debug!(digest = name, mailing = found.id, considered = readers.len(), added, "a chunk is cut");
            false
        } else {
            if let Some(mailing) = &found {
                delivery::release(&mut tx, mailing.id, now).await?;
            }
            store::end_run(&mut tx, name, at).await?;
            true
        };
        tx.commit().await?;
        if has_ended {
            // Not before the commit: whoever is woken then sees nothing to send.
            self.delivery.kick();
        }
        Ok(Wake::Now)
    }
}

/// Whether anything was announced that some reader of this digest has not had considered. A
/// digest that runs every few minutes mostly finds nothing, and leaves no empty mailings behind.
async fn is_anything_new(connection: &mut AnyConnection, settings: &Settings, upper: i64) -> anyhow::Result<bool> {
    match subscription::lowest_watermark(connection, &settings.name).await? {
        Some(lowest) => Ok(!content::announced(connection, lowest, upper).await?.is_empty()),
        None => Ok(false),
    }
}

fn mailing_key(digest: &str, at: Timestamp) -> String {
    format!("digest:{digest}:{}", at.as_millis())
}
