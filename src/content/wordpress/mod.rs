//! WordPress, left behind: its texts as clean HTML, its export as a folder of articles.
//!
//! An export is read twice. The first reading ([`survey`]) learns what there is and where each
//! article will be, and keeps only names; then files may be fetched ([`media`]); the second
//! reading makes one article after another. So memory is bounded by the number of posts, not by
//! their length, and links between posts are known wherever they lead.
//!
//! Bodies become `.html` files, never Markdown: what WordPress stores *is* HTML, with tables,
//! figures and embedded players that Markdown has no words for, and whatever a conversion lost
//! would be lost for good. An article in HTML is an article like any other here.

mod article;
mod autop;
mod blocks;
mod categories;
mod choice;
mod dates;
mod folder;
mod front;
mod guarded;
mod html;
mod links;
mod media;
mod players;
mod report;
mod shortcode;
mod survey;
mod tidy;
mod tongues;
mod wxr;

pub use report::{Doubt, ExportedSite, FailedFile, MediaReport, Report};

use crate::clock::Timestamp;
use crate::fetch::Fetch;
use crate::language::Language;
use crate::site::Site;
use article::Surroundings;
use choice::{Choice, choose};
use folder::{Document, Outcome, Target};
use std::collections::HashSet;
use std::path::Path;
use survey::Survey;
use wxr::{Export, Item, Part};

/// What to import, beside published posts.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own on the command line")]
pub struct Options {
    /// Pages, as articles at their dates.
    pub pages: bool,
    /// Posts that were never published, as drafts.
    pub drafts: bool,
    /// Private and password-protected posts, as drafts.
    pub private: bool,
    /// Whether what staff changed or deleted is written anew.
    pub force: bool,
    /// The language of posts that name none; else the export's.
    pub language: Option<Language>,
    /// Names that the old site's host had, beside the one in the export.
    pub old_hosts: Vec<String>,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Octets read for the first time.
    Surveyed(u64),
    /// Files of the old site looked after, of so many.
    Fetched(u64, u64),
    /// Octets read for the second time.
    Written(u64),
}

/// Imports an export into a folder. With a client, the files it uses are fetched as well.
///
/// # Errors
///
/// When the file is no export, or the folder cannot be written to. What is wrong with single
/// posts is in the report.
pub async fn import(
    export: &Path,
    into: &Path,
    site: &Site,
    options: &Options,
    client: Option<&Fetch>,
    now: Timestamp,
    progress: &mut dyn FnMut(Progress),
) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let survey = Survey::read(export, site, options, &mut report, &mut |octets| progress(Progress::Surveyed(octets)))?;
    let mut target = Target::open(into, &survey.header.home)?;
    if let Some(client) = client {
        let all = survey.uploads.len() as u64;
        media::fetch(&survey, &target, client, &mut report.media, &mut |done| progress(Progress::Fetched(done, all))).await;
    }
    media::count(&survey, &target, &mut report.media);
    let mut writer = Writer { survey: &survey, site, options, now, ids: HashSet::new(), report };
    let mut export = Export::open(export)?;
    loop {
        match export.next()? {
            Part::Header(_) => {}
            Part::Item(item) => {
                writer.item(&item, &mut target)?;
                progress(Progress::Written(export.octets()));
            }
            Part::End(_) => break,
        }
    }
    target.save()?;
    let mut report = writer.report;
    // Half a file says nothing of the other half.
    if report.cut_off.is_none() {
        report.vanished = target.vanished();
    }
    Ok(report)
}

struct Writer<'w> {
    survey: &'w Survey,
    site: &'w Site,
    options: &'w Options,
    now: Timestamp,
    /// Ids given so far.
    ids: HashSet<String>,
    report: Report,
}

impl Writer<'_> {
    fn item(&mut self, item: &Item, target: &mut Target) -> anyhow::Result<()> {
        if !matches!(choose(item, self.options), Choice::Take { .. }) {
            return Ok(());
        }
        for plan in self.survey.plans.get(&item.id).into_iter().flatten() {
            self.article(item, plan, target)?;
        }
        Ok(())
    }

    fn article(&mut self, item: &Item, plan: &survey::Plan, target: &mut Target) -> anyhow::Result<()> {
        let id_is_taken = plan.is_first && !self.ids.insert(item.guid.clone());
        let length = |path: &str| target.length(path);
        let around = Surroundings { survey: self.survey, site: self.site, length: &length, id_is_taken };
        let made = match article::make(item, plan, &around, self.now) {
            Ok(made) => made,
            Err(reason) => {
                self.report.leave_out("posts that cannot be articles");
                self.doubt(item, html::plain(&item.title), reason);
                return Ok(());
            }
        };
        let text = |path: &str| made.text(path, self.site);
        let document = Document { key: &plan.key, stem: &plan.stem, suffix: &made.suffix, id_line: made.id_line.as_deref(), text: &text };
        let (outcome, path) = target.put(&document, self.options.force)?;
        let report = &mut self.report;
        match outcome {
            Outcome::New => report.new += 1,
            Outcome::Updated => report.updated += 1,
            Outcome::Unchanged => report.unchanged += 1,
            Outcome::Edited => report.edited += 1,
            Outcome::Conflict(path) => report.conflicts.push(path),
            Outcome::Deleted(path) => {
                report.deleted.push(path);
                return Ok(());
            }
        }
        report.pages += u64::from(item.kind == "page");
        report.drafts += u64::from(plan.draft);
        report.scheduled += u64::from(made.is_scheduled);
        for reason in &made.doubts {
            self.doubt(item, format!("{} ({path})", made.title()), reason.clone());
        }
        Ok(())
    }

    fn doubt(&mut self, item: &Item, title: String, reason: String) {
        self.report.doubts.push(Doubt { post: item.id, title, reason });
    }
}
