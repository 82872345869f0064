//! Records the notice when its time has come.

use super::{LATE, SPAN, due_around, letter, store};
use crate::clock::Clock;
use crate::content;
use crate::db::Db;
use crate::language::Catalogue;
use crate::noticeboard::{self, Notice};
use crate::site::Site;
use crate::task::{Step, Wake};

/// Tells staff once a month what waits for a translator.
pub struct TranslationsStep {
    /// The database.
    pub db: Db,
    /// Time.
    pub clock: Clock,
    /// Its languages and its zone.
    pub site: Site,
    /// What it says.
    pub catalogue: Catalogue,
    /// Whether staff want it.
    pub wanted: bool,
}

impl Step for TranslationsStep {
    const NAME: &'static str = "translations";

    async fn step(&self) -> anyhow::Result<Wake> {
        if !self.wanted || self.site.languages.len() < 2 {
            return Ok(Wake::WhenKicked);
        }
        let now = self.clock.now();
        let (due, next) = due_around(now, &self.site.time_zone);
        let mut connection = self.db.reader().acquire().await?;
        let last = store::last_run(&mut connection).await?;
        if last.is_some_and(|last| last >= due) {
            return Ok(Wake::At(next));
        }
        // A site that has just begun is not told what everybody knows.
        let is_told = last.is_some() && now < due + LATE;
        let gaps = if is_told { content::gaps(&mut connection, &self.site, Some(now - SPAN)).await? } else { Vec::new() };
        drop(connection);
        let mut tx = self.db.begin().await?;
        if store::add_run(&mut tx, due, now).await? && !gaps.is_empty() {
            let (subject, body) = letter(&self.catalogue.voice(self.site.default_language()), &self.site, &gaps);
            let key = format!("translations:{}", self.site.month_of(due));
            noticeboard::record(&mut tx, &Notice { key: &key, subject: &subject, body: &body }, now).await?;
        }
        tx.commit().await?;
        Ok(Wake::At(next))
    }
}
