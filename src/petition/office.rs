//! What petition work needs, and the view of a petition that staff get from the command line.

use super::Settings;
use super::file::FileState;
use super::folder::{Folder, read_folder};
use super::judge::{Circumstances, judge};
use super::missions::Missions;
use super::plan::{PlannedStep, plan};
use super::store::{self, EditionRow, StepName, StepRow};
use crate::address::Address;
use crate::clock::Clock;
use crate::db::Db;
use crate::delivery::OnDoubt;
use crate::language::Catalogue;
use crate::problem::Problem;
use crate::site::Site;
use crate::task::Kick;
use crate::vault::Vault;
use std::collections::BTreeSet;

/// What petition work needs. Clones are cheap enough.
#[derive(Clone)]
pub struct Office {
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
    /// How petitions are run.
    pub settings: Settings,
    /// Who is told of mistakes and plans.
    pub staff: Vec<Address>,
    /// Whether mail leaves the machine.
    pub mail_leaves: bool,
    /// What happens to a message in doubt.
    pub on_doubt: OnDoubt,
    /// Wakes delivery.
    pub delivery: Kick,
}

/// A petition as it stands.
pub struct Outlook {
    /// The folder's name.
    pub slug: String,
    /// The edition the folder speaks of.
    pub edition: Option<String>,
    /// Its title in the default language.
    pub title: String,
    /// What the file says of its state.
    pub state: Option<FileState>,
    /// Mistakes and warnings.
    pub problems: Vec<Problem>,
    /// What would be sent.
    pub plan: Vec<PlannedStep>,
    /// What approvers were asked about or what was sent.
    pub steps: Vec<StepRow>,
    /// What is recorded of the edition.
    pub record: Option<EditionRow>,
}

impl Office {
    /// Reads a petition's folder and every mistake in it.
    pub(super) fn read(&self, slug: &str, known_steps: Option<&[StepName]>) -> (Folder, Vec<Problem>) {
        let (missions, mut problems) = Missions::load(&self.settings.missions_file);
        let folder = read_folder(&self.settings.dir, slug, &missions);
        let edition = folder.edition();
        let own = |(known, year, _): &&StepName| known == slug && Some(year) == edition.as_ref();
        let known: Option<BTreeSet<String>> = known_steps.map(|steps| steps.iter().filter(own).map(|(_, _, name)| name.clone()).collect());
        let circumstances = Circumstances {
            settings: &self.settings,
            site: &self.site,
            now: self.clock.now(),
            known_steps: known.as_ref(),
            mail_leaves: self.mail_leaves,
        };
        problems.extend(judge(&folder, &missions, &circumstances));
        (folder, problems)
    }

    /// The editions of a petition that are recorded, the newest first.
    pub async fn editions(&self, slug: &str) -> anyhow::Result<Vec<String>> {
        let mut connection = self.db.reader().acquire().await?;
        Ok(store::editions(&mut connection, slug).await?.into_iter().map(|row| row.edition).collect())
    }

    /// A petition as it stands now: read anew, counted anew.
    pub async fn outlook(&self, slug: &str) -> anyhow::Result<Outlook> {
        let mut connection = self.db.reader().acquire().await?;
        let known = store::known_steps(&mut connection).await?;
        let (folder, problems) = self.read(slug, Some(&known));
        let edition = folder.edition();
        let (steps, record) = match &edition {
            Some(edition) => {
                (store::steps_of(&mut connection, slug, edition).await?, store::edition(&mut connection, slug, edition).await?)
            }
            None => (Vec::new(), None),
        };
        let file = folder.file.as_ref().map(|(_, file)| file);
        let plan = match file {
            Some(file) => plan(&mut connection, &folder, file, &self.site.languages).await?,
            None => Vec::new(),
        };
        let title = file.map_or_else(String::new, |file| file.title.get(self.site.default_language()).to_owned());
        Ok(Outlook { slug: slug.to_owned(), edition, title, state: file.map(|file| file.state), problems, plan, steps, record })
    }
}
