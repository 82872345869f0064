//! Looks into the mailbox now and then, and takes in what is new.

use super::super::desk::Desk;
use super::super::store;
use super::ImapSettings;
use super::session::Mailbox;
use crate::clock::{Clock, Timestamp};
use crate::db::Db;
use crate::noticeboard::{self, Notice};
use crate::task::{Step, Wake};
use std::time::Duration;
use tokio::sync::Mutex;

/// Messages taken in at one look; the next one follows at once.
const BATCH: usize = 200;
/// The pause after trouble, at most.
const PAUSE: Duration = Duration::from_mins(5);
/// Staff are told when a mailbox could not be read for so long.
const TELL_AFTER: Duration = Duration::from_hours(2);
const UNREADABLE: &str = "imap-unreadable";

/// Takes messages in from a mailbox at a provider.
pub struct ImapStep {
    db: Db,
    desk: Desk,
    clock: Clock,
    settings: ImapSettings,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    /// When it is looked at next.
    due: Option<Timestamp>,
    /// Since when it cannot be read.
    since: Option<Timestamp>,
}

impl ImapStep {
    /// A step for one mailbox.
    pub fn new(db: Db, desk: Desk, clock: Clock, settings: ImapSettings) -> Self {
        Self { db, desk, clock, settings, memory: Mutex::default() }
    }

    /// Takes in what is new. Returns whether there is more.
    async fn look(&self) -> anyhow::Result<bool> {
        let mut mailbox = Mailbox::open(&self.settings).await?;
        let taken = self.take(&mut mailbox).await;
        mailbox.close().await;
        taken
    }

    async fn take(&self, mailbox: &mut Mailbox) -> anyhow::Result<bool> {
        let name = self.settings.name();
        let known = store::mailbox(&mut *self.db.reader().acquire().await?, &name).await?;
        let known = known.filter(|(validity, _)| *validity == mailbox.validity).map(|(_, uid)| uid);
        let after = known.unwrap_or(0);
        // At the first look, what people have read is theirs. Where the server numbers anew, what
        // comes again is known, and does nothing.
        let numbers = mailbox.numbers_after(u32::try_from(after)?, known.is_none()).await?;
        if known.is_none() {
            self.remember(&name, mailbox.validity, after).await?;
        }
        let mut outcome = Ok(numbers.len() > BATCH);
        for number in numbers.iter().take(BATCH) {
            if let Some(message) = mailbox.message(*number).await? {
                self.desk.receive(&message).await?;
                // A folder that is missing keeps nothing from being taken in.
                if let Err(error) = mailbox.put_away(*number, &self.settings.after).await {
                    outcome = Err(error);
                }
            }
            self.remember(&name, mailbox.validity, i64::from(*number)).await?;
        }
        outcome
    }

    /// How far the mailbox has been read.
    async fn remember(&self, name: &str, validity: i64, number: i64) -> anyhow::Result<()> {
        let mut tx = self.db.begin().await?;
        store::set_mailbox(&mut tx, name, validity, number).await?;
        tx.commit().await
    }

    async fn tell(&self, since: Timestamp, trouble: &str, now: Timestamp) -> anyhow::Result<()> {
        let body = format!(
            "Since {since} the mailbox at {} cannot be read: {trouble}\n\nNothing is lost: what comes in waits there. Until it is read, \
             nobody who leaves by mail is heard, and bounces are not seen. Look at [inbound.imap] in the configuration, or ask the provider.",
            self.settings.server.host
        );
        let notice = Notice { key: UNREADABLE, subject: "The mailbox for bounces cannot be read", body: &body };
        let mut tx = self.db.begin().await?;
        noticeboard::record(&mut tx, &notice, now).await?;
        tx.commit().await
    }

    async fn is_readable(&self) -> anyhow::Result<()> {
        let mut tx = self.db.begin().await?;
        noticeboard::clear(&mut tx, UNREADABLE).await?;
        tx.commit().await
    }
}

impl Step for ImapStep {
    const NAME: &'static str = "imap";

    async fn step(&self) -> anyhow::Result<Wake> {
        let mut memory = self.memory.lock().await;
        if let Some(due) = memory.due.filter(|due| *due > self.clock.now()) {
            return Ok(Wake::At(due));
        }
        let outcome = self.look().await;
        let now = self.clock.now();
        let pause = match outcome {
            Ok(true) => return Ok(Wake::Now),
            Ok(false) => {
                if memory.since.take().is_some() {
                    self.is_readable().await?;
                }
                self.settings.every
            }
            Err(error) => {
                let trouble = format!("{error:#}");
                tracing::warn!(trouble, "the mailbox cannot be read now; what is in it waits");
                let since = *memory.since.get_or_insert(now);
                if now.since(since) >= TELL_AFTER {
                    self.tell(since, &trouble, now).await?;
                }
                self.settings.every.min(PAUSE)
            }
        };
        memory.due = Some(now + pause);
        Ok(Wake::At(now + pause))
    }
}
