//! The content store: articles from the folder that staff edit, always the last good version.

mod alias;
mod attachments;
mod bulk;
mod category;
mod check;
mod draft;
mod embed;
mod first_look;
mod folder;
mod front_matter;
mod identity;
mod intake;
mod lease;
mod look;
mod manuscript;
mod markdown;
mod markup;
mod media;
mod memory;
mod picture;
mod record;
mod register;
mod remark;
mod removal;
mod rename;
mod scan;
mod source;
mod step;
mod store;
mod tags;
mod text;
mod tombstone;
mod translations;
mod trouble;
mod verdict;
mod video;
mod watch;
mod withdrawal;
pub mod wordpress;
mod worksheet;

pub use alias::{alias_spellings, numbered_alias};
pub use check::check;
pub use draft::{Unpublished, by_id, files_of, open_file_of, unpublished};
pub use first_look::{FirstLook, first_look};
pub use identity::authority;
pub use markdown::{stray_stars, stray_stars_reason};
pub use media::{Kind, Opened, Standing, Unopened, file_standing, open_file, path_of_address};
pub use register::{Label, Line, Lines, Register, Wanted, Words};
pub use remark::{Finding, has_noted, note};
pub use removal::{HeldRemoval, accept_removals, held_removals};
pub use source::{Kind as SourceKind, Settings as SourceSettings, SourceState, SourceStep, release_source, sources};
pub use step::ContentStep;
pub use store::*;
pub use text::line;
pub use tombstone::{Tombstone, gone};
pub use translations::{Gap, Lack, Version, gaps};
pub use trouble::problems;
pub use video::Video;
pub use withdrawal::{meant, undo_withdrawal, was_withdrawn_at, with_translations, withdraw};

use crate::clock::Timestamp;
use crate::language::Language;
use std::path::PathBuf;
use std::time::Duration;

/// The source of articles that have a file in the folder.
pub(crate) const FOLDER: &str = "folder";

/// Where articles come from and when they are announced.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder of articles.
    pub dir: PathBuf,
    /// An article dated longer ago than this when first seen is never mailed by itself.
    pub announce_within: Duration,
    /// Sites that are followed.
    pub sources: Vec<SourceSettings>,
}

crate::text_enum! {
    /// Where an article stands.
    pub enum ArticleState {
        /// Not for the public.
        Draft = "draft",
        /// Public when its date comes.
        Scheduled = "scheduled",
        /// Public.
        Published = "published",
        /// Its file is gone; its page answers 410.
        Gone = "gone",
    }
}

crate::text_enum! {
    /// What an article's file says about digests.
    pub enum Announce {
        /// By its date: see [`Settings::announce_within`].
        Auto = "auto",
        /// Never mailed.
        No = "no",
        /// Mailed, also to those who had it before.
        Again = "again",
    }
}

crate::text_enum! {
    /// What somebody did for an article.
    pub enum Role {
        /// Wrote it.
        Author = "author",
        /// Translated it.
        Translator = "translator",
        /// Signed it.
        Signatory = "signatory",
    }
}

/// Somebody named with an article.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credit {
    /// For what.
    pub role: Role,
    /// Their name.
    pub name: String,
    /// Their page.
    pub url: Option<String>,
}

/// A file that comes with an article (RSS `enclosure`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enclosure {
    /// Absolute.
    pub url: String,
    /// Such as `application/pdf`.
    pub media_type: String,
    /// In octets, where known.
    pub length: Option<i64>,
    /// What it is.
    pub title: Option<String>,
}

/// An article as published: the last good version of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Article {
    /// Row number.
    pub id: i64,
    /// The id in feeds; never changes.
    pub uid: String,
    /// Where it stands.
    pub state: ArticleState,
    /// Its place in the order of publication; `None` before.
    pub published_seq: Option<i64>,
    /// Its place in the order of changes.
    pub changed_seq: i64,
    /// Whether digests may carry it.
    pub announced: bool,
    /// Its language.
    pub language: Language,
    /// What its translations have in common.
    pub translation_group: String,
    /// Its name in addresses.
    pub slug: String,
    /// `yyyy/mm`: its folder in addresses.
    pub month: String,
    /// Plain text, NFC, without controls.
    pub title: String,
    /// Plain text.
    pub summary: String,
    /// Sanitised, all links absolute.
    pub body_html: String,
    /// Its date; never moves in feeds.
    pub published_at: Timestamp,
    /// When it last changed in a way that matters.
    pub updated_at: Timestamp,
    /// Slugs of its categories.
    pub categories: Vec<String>,
    /// Free words.
    pub tags: Vec<String>,
    /// Who wrote, translated, signed.
    pub credits: Vec<Credit>,
    /// Files.
    pub enclosures: Vec<Enclosure>,
    /// The original elsewhere.
    pub canonical_url: Option<String>,
    /// Whether it is kept on another site, which Clarion follows: `canonical_url` is its address.
    pub living: bool,
    /// Absolute.
    pub image: Option<String>,
    /// The page on which its video is watched, or its file; absolute.
    pub video: Option<String>,
    /// In octets, where it is a file of ours.
    pub video_length: Option<i64>,
    /// The series it is part of.
    pub series: Option<String>,
}

/// An article as staff see it in a list, public or not.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Listed {
    /// Row number.
    pub id: i64,
    /// The id in feeds.
    pub uid: String,
    /// Which room or folder it is from.
    pub source: String,
    /// Where its file is.
    pub path: String,
    /// Where it stands.
    pub state: ArticleState,
    /// Its language.
    pub language: Language,
    /// Its title.
    pub title: String,
    /// Its date.
    pub published_at: Timestamp,
    /// Whether digests may carry it.
    pub announced: bool,
}

/// Where an article is and what it is called: a line in a list of titles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signpost {
    /// Row number.
    pub id: i64,
    /// Its language.
    pub language: Language,
    /// Its title.
    pub title: String,
    /// `yyyy/mm`: its folder in addresses.
    pub month: String,
    /// Its name in addresses.
    pub slug: String,
    /// The original elsewhere, or the room of this site that shows it.
    pub canonical_url: Option<String>,
}

/// What a digest must know of an article to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headline {
    /// Row number.
    pub id: i64,
    /// Its place in the order of publication.
    pub published_seq: i64,
    /// Its language.
    pub language: Language,
    /// What its translations have in common.
    pub translation_group: String,
    /// Slugs of its categories.
    pub categories: Vec<String>,
}

/// Which articles are wanted; what is `None` does not matter.
#[derive(Clone, Debug, Default)]
pub struct Selection<'a> {
    /// In this language.
    pub language: Option<&'a Language>,
    /// In one of these categories.
    pub categories: Option<&'a [String]>,
    /// In this month, `yyyy/mm`.
    pub month: Option<&'a str>,
    /// In this translation group.
    pub translation_group: Option<&'a str>,
}

/// A change that feeds must follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Row number.
    pub id: i64,
    /// Its place in the order of changes.
    pub changed_seq: i64,
    /// Whether it is public now.
    pub is_public: bool,
    /// Its place in the order of publication.
    pub published_seq: i64,
    /// The article's language.
    pub language: Language,
    /// What its translations have in common.
    pub translation_group: String,
    /// Its date.
    pub published_at: Timestamp,
    /// The categories it is in now.
    pub categories: Vec<String>,
}

/// A category that articles named without its being configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundCategory {
    /// Made from its title.
    pub slug: String,
    /// As the article names it.
    pub title: String,
}

/// A page that another room publishes through the store, such as a petition's: it is in the
/// feeds like an article, and scans of the folder leave it alone.
#[derive(Clone, Debug)]
pub struct Page<'a> {
    /// The room, for example `petition`.
    pub source: &'a str,
    /// Its key within the room, for example `snkr-day/2027/en`.
    pub path: &'a str,
    /// Its language.
    pub language: &'a Language,
    /// What its translations have in common.
    pub translation_group: &'a str,
    /// Plain text.
    pub title: &'a str,
    /// Plain text.
    pub summary: &'a str,
    /// Markdown, to be rendered like an article's.
    pub markdown: &'a str,
    /// Slugs of its categories.
    pub categories: &'a [&'a str],
    /// Where it really lives, as an absolute link.
    pub canonical_url: &'a str,
}
