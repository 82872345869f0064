//! What an import did and what it did not understand, for people and for programs.

use serde::Serialize;
use std::collections::BTreeMap;

/// The whole of it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// The site's name, address and language, as the export says.
    pub site: ExportedSite,
    /// Why the file ends in the middle; what was before is imported.
    pub cut_off: Option<String>,
    /// Articles written for the first time.
    pub new: u64,
    /// Articles written again, since the export says something new.
    pub updated: u64,
    /// Articles that are as they were.
    pub unchanged: u64,
    /// Files that staff changed since the import and of which the export says nothing new.
    pub edited: u64,
    /// Of all these: pages, drafts, and those whose day is still to come.
    pub pages: u64,
    /// Imported as drafts.
    pub drafts: u64,
    /// Dated in the future.
    pub scheduled: u64,
    /// Files that staff changed and of which the export says something new: left as they are.
    pub conflicts: Vec<String>,
    /// Files that were deleted or moved since the import: not brought back.
    pub deleted: Vec<String>,
    /// Files of posts that the export no longer has: left as they are.
    pub vanished: Vec<String>,
    /// What was left out, by what it is, in words.
    pub left_out: BTreeMap<String, u64>,
    /// Comments, which are not imported.
    pub comments: u64,
    /// Characters that no XML and no UTF-8 has, left out.
    pub characters_left_out: u64,
    /// Uploaded files.
    pub media: MediaReport,
    /// What was not understood.
    pub doubts: Vec<Doubt>,
    /// `[[category]]` tables for the configuration.
    pub categories_toml: String,
    /// A `[[site.legacy]]` table for the configuration.
    pub legacy_toml: String,
}

/// See [`Report::site`].
#[derive(Clone, Debug, Default, Serialize)]
pub struct ExportedSite {
    /// Plain text.
    pub title: String,
    /// The home page.
    pub url: String,
    /// As WordPress writes it.
    pub language: String,
}

/// See [`Report::media`].
#[derive(Clone, Debug, Default, Serialize)]
pub struct MediaReport {
    /// Files that articles use.
    pub used: u64,
    /// Of these, in the folder now.
    pub present: u64,
    /// Fetched in this run.
    pub fetched: u64,
    /// Files that could not be had, and why.
    pub failed: Vec<FailedFile>,
}

/// See [`MediaReport::failed`].
#[derive(Clone, Debug, Serialize)]
pub struct FailedFile {
    /// Where it was asked for.
    pub url: String,
    /// Why it was not had.
    pub reason: String,
}

/// Something in a post that was not understood.
#[derive(Clone, Debug, Serialize)]
pub struct Doubt {
    /// The post's number in WordPress.
    pub post: u64,
    /// Its title.
    pub title: String,
    /// What it is about.
    pub reason: String,
}

impl Report {
    /// Articles in the folder that this export is the source of.
    pub fn articles(&self) -> u64 {
        self.new + self.updated + self.unchanged + self.edited + self.conflicts.len() as u64
    }

    /// Whether somebody should look at something.
    pub fn wants_attention(&self) -> bool {
        self.cut_off.is_some() || !self.conflicts.is_empty() || !self.media.failed.is_empty()
    }

    pub(super) fn leave_out(&mut self, what: impl Into<String>) {
        *self.left_out.entry(what.into()).or_default() += 1;
    }
}
