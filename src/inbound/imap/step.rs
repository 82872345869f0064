//! Looks into the mailbox now and then, and takes in what is new.

use super::super::desk::Desk;
use super::super::store;
use super::ImapSettings;
use super::session::Mailbox;
use crate::clock::{Clock, Timestamp};
use crate::db::Db;
use crate::noticeboard::{self, Notice};
use crate::task::{Step, Wake};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::Mutex;

/// Messages taken in at one look but the first; the next one follows at once.
const BATCH: usize = 200;
/// Looks at which a message may fail to be handed out, before those behind it wait no longer.
const PATIENCE: u32 = 3;
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
    /// At how many looks the server did not hand out a message, by validity and number.
    withheld: BTreeMap<(i64, u32), u32>,
}

impl ImapStep {
    /// A step for one mailbox.
    pub fn new(db: Db, desk: Desk, clock: Clock, settings: ImapSettings) -> Self {
        Self { db, desk, clock, settings, memory: Mutex::default() }
    }

    /// Takes in what is new. Returns whether there is more.
    async fn look(&self, withheld: &mut BTreeMap<(i64, u32), u32>) -> anyhow::Result<bool> {
        let mut mailbox = Mailbox::open(&self.settings).await?;
        let taken = self.take(&mut mailbox, withheld).await;
        mailbox.close().await;
        taken
    }

    async fn take(&self, mailbox: &mut Mailbox, withheld: &mut BTreeMap<(i64, u32), u32>) -> anyhow::Result<bool> {
        let (name, validity) = (self.settings.name(), mailbox.validity);
        let known = store::mailbox(&mut *self.db.reader().acquire().await?, &name).await?;
        let known = known.filter(|(before, _)| *before == validity).map(|(_, uid)| uid);
        let Some(after) = known else { return self.take_first(mailbox, &name, withheld).await };
        let numbers = mailbox.numbers_after(u32::try_from(after)?).await?;
        let mut outcome = Ok(numbers.len() > BATCH);
        for number in numbers.into_iter().take(BATCH) {
            // A folder that is missing keeps nothing from being taken in.
            if let Err(error) = self.take_one(mailbox, number, withheld).await? {
                outcome = Err(error);
            }
            self.remember(&name, validity, number).await?;
        }
        withheld.clear();
        outcome
    }

    /// The first look, or the first since the server numbers anew. What people have read by then
    /// is theirs, also at every later look: so the bound is remembered, and only once all that is
    /// unread has been taken in. What arrives meanwhile is beyond it, and new at the next look.
    async fn take_first(&self, mailbox: &mut Mailbox, name: &str, withheld: &mut BTreeMap<(i64, u32), u32>) -> anyhow::Result<bool> {
        let last = mailbox.last_number().await?;
        let mut outcome = Ok(false);
        for number in mailbox.unread_until(last).await? {
            if let Err(error) = self.take_one(mailbox, number, withheld).await? {
                outcome = Err(error);
            }
        }
        self.remember(name, mailbox.validity, last).await?;
        withheld.clear();
        outcome
    }

    /// Takes one message in, and puts it away: the inner error says that it could not be put away.
    async fn take_one(
        &self,
        mailbox: &mut Mailbox,
        number: u32,
        withheld: &mut BTreeMap<(i64, u32), u32>,
    ) -> anyhow::Result<anyhow::Result<()>> {
        let looks = withheld.entry((mailbox.validity, number)).or_default();
        if *looks >= PATIENCE {
            self.tell_of_withheld(mailbox.validity, number).await?;
            return Ok(Ok(()));
        }
        *looks += 1;
        let Some(message) = mailbox.message(number).await? else { return Ok(Ok(())) };
        // Whether the database takes it is another matter.
        withheld.remove(&(mailbox.validity, number));
        self.desk.receive(&message).await?;
        Ok(mailbox.put_away(number, &self.settings.after).await)
    }

    /// How far the mailbox has been read.
    async fn remember(&self, name: &str, validity: i64, number: u32) -> anyhow::Result<()> {
        let mut tx = self.db.begin().await?;
        store::set_mailbox(&mut tx, name, validity, i64::from(number)).await?;
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

    /// Tells staff, once, of a message that is stepped over.
    async fn tell_of_withheld(&self, validity: i64, number: u32) -> anyhow::Result<()> {
        let ImapSettings { server, folder, .. } = &self.settings;
        let body = format!(
            "In the folder “{folder}” of the mailbox at {} there is a message, UID {number}, that the server lists and does not hand out. \
             Clarion asked for it {PATIENCE} times and goes on without it; it was not taken in, and stays where it is.\n\n\
             It may be somebody who wants to leave. Look at it with a mail program; if it can be saved as a file: clarion inbound < FILE",
            server.host
        );
        let key = format!("imap-withheld:{validity}:{number}");
        let notice = Notice { key: &key, subject: "A message in the mailbox for bounces cannot be read", body: &body };
        let mut tx = self.db.begin().await?;
        noticeboard::record(&mut tx, &notice, self.clock.now()).await?;
        tx.commit().await?;
        tracing::warn!(number, "the mailbox's server does not hand out a message; it is stepped over");
        Ok(())
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
        let outcome = self.look(&mut memory.withheld).await;
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
