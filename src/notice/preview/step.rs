//! Notices what was saved and mails the links.

use super::store::{self, Known};
use super::{MANY, Writer, told_at};
use crate::address::Address;
use crate::clock::{Clock, Timestamp};
use crate::content::{self, Unpublished};
use crate::db::Db;
use crate::language::Catalogue;
use crate::site::Site;
use crate::task::{Kick, Step, Wake};
use crate::vault::Vault;
use std::collections::HashMap;

/// Sends staff a link to each draft that is saved.
pub struct PreviewStep {
    /// The database.
    pub db: Db,
    /// Makes the links.
    pub vault: Vault,
    /// Time.
    pub clock: Clock,
    /// Where the links lead.
    pub site: Site,
    /// What the mail says.
    pub catalogue: Catalogue,
    /// Who gets it.
    pub staff: Vec<Address>,
    /// Whether they want it.
    pub wanted: bool,
    /// Kicked when there is a mail to send.
    pub delivery: Kick,
}

/// A draft of which something is to be done.
struct Waiting {
    draft: Unpublished,
    /// When this version was first seen; `None`: now.
    seen_at: Option<Timestamp>,
}

/// What has not been told, with when it was first seen.
fn waiting(drafts: Vec<Unpublished>, known: &HashMap<i64, Known>) -> Vec<Waiting> {
    let of = |draft: Unpublished| {
        let seen = known.get(&draft.id).filter(|known| known.seen_hash == draft.hash);
        let is_told = seen.is_some_and(|known| known.told_hash.as_ref() == Some(&draft.hash));
        (!is_told).then(|| Waiting { seen_at: seen.map(|known| known.seen_at), draft })
    };
    drafts.into_iter().filter_map(of).collect()
}

impl PreviewStep {
    async fn see(&self, waiting: &[Waiting], now: Timestamp) -> anyhow::Result<()> {
        let mut tx = self.db.begin().await?;
        for new in waiting.iter().filter(|waiting| waiting.seen_at.is_none()) {
            store::see(&mut tx, new.draft.id, &new.draft.hash, now).await?;
        }
        tx.commit().await
    }

    async fn tell(&self, waiting: Vec<Waiting>, now: Timestamp) -> anyhow::Result<()> {
        let mut tx = self.db.begin().await?;
        let mut taken = Vec::with_capacity(waiting.len());
        for Waiting { draft, .. } in waiting {
            // Another daemon may have been quicker.
            if store::take(&mut tx, draft.id, &draft.hash).await? {
                taken.push(draft);
            }
        }
        if !taken.is_empty() {
            let left_out = taken.len().saturating_sub(MANY);
            let writer = Writer { vault: &self.vault, site: &self.site, catalogue: &self.catalogue, to: &self.staff };
            writer.post(&mut tx, &taken[left_out..], left_out, now).await?;
        }
        tx.commit().await?;
        self.delivery.kick();
        Ok(())
    }
}

impl Step for PreviewStep {
    const NAME: &'static str = "preview";

    async fn step(&self) -> anyhow::Result<Wake> {
        if !self.wanted || self.staff.is_empty() {
            return Ok(Wake::WhenKicked);
        }
        let now = self.clock.now();
        let mut connection = self.db.reader().acquire().await?;
        let drafts = content::unpublished(&mut connection).await?;
        if drafts.is_empty() {
            return Ok(Wake::WhenKicked);
        }
        let waiting = waiting(drafts, &store::known(&mut connection).await?);
        drop(connection);
        if waiting.iter().any(|waiting| waiting.seen_at.is_none()) {
            self.see(&waiting, now).await?;
        }
        let seen: Vec<Timestamp> = waiting.iter().map(|waiting| waiting.seen_at.unwrap_or(now)).collect();
        match told_at(&seen) {
            None => Ok(Wake::WhenKicked),
            Some(due) if due > now => Ok(Wake::At(due)),
            Some(_) => {
                self.tell(waiting, now).await?;
                Ok(Wake::Now)
            }
        }
    }
}
