//! Tells staff what was recorded for them.

use super::email::Desk;
use super::{store, told_at};
use crate::address::Address;
use crate::clock::Clock;
use crate::db::Db;
use crate::language::Catalogue;
use crate::site::Site;
use crate::task::{Kick, Step, Wake};
use crate::vault::Vault;

/// Mails notices that have not been told.
pub struct NoticeStep {
    db: Db,
    clock: Clock,
    desk: Desk,
    delivery: Kick,
}

impl NoticeStep {
    /// The step; `staff` are told, and `delivery` is kicked when there is a mail to send.
    pub fn new(db: Db, vault: Vault, clock: Clock, site: Site, catalogue: Catalogue, staff: Vec<Address>, delivery: Kick) -> Self {
        Self { db, clock, desk: Desk { vault, site, catalogue, staff }, delivery }
    }
}

impl Step for NoticeStep {
    const NAME: &'static str = "notice";

    async fn step(&self) -> anyhow::Result<Wake> {
        // Without anybody to tell, notices wait until somebody is named.
        if self.desk.staff.is_empty() {
            return Ok(Wake::WhenKicked);
        }
        let now = self.clock.now();
        let recorded = store::waiting(&mut *self.db.reader().acquire().await?).await?;
        match told_at(&recorded, now) {
            None => return Ok(Wake::WhenKicked),
            Some(due) if due > now => return Ok(Wake::At(due)),
            Some(_) => {}
        }
        let mut tx = self.db.begin().await?;
        let notices = store::take(&mut tx, now).await?;
        self.desk.tell(&mut tx, &notices, now).await?;
        tx.commit().await?;
        self.delivery.kick();
        Ok(Wake::Now)
    }
}
