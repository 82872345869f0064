//! Files that come with articles: pictures, recordings, documents. Which file a link means, what
//! it is, and where it is served.

mod changes;
mod kind;
mod probe;
mod reference;
mod resolve;
mod serve;
pub(super) mod store;

pub(super) use changes::{Changes, Known};
pub use kind::Kind;
pub use serve::{Opened, Unopened, open_file};
pub use store::{Standing, file_standing};

use super::folder::Folder;
use super::markup::Body;
use crate::problem::Reason;
use crate::site::Site;
use probe::Probe;
use reference::references;
use resolve::{Own, Target};
use std::collections::BTreeMap;
use std::ops::Range;

/// A file as it was last seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    /// By which a change is noticed; empty if it is not there.
    pub(super) stamp: String,
    /// Its media type.
    pub(super) media_type: String,
    /// In octets; `None` if it was never there.
    pub(super) length: Option<i64>,
    /// Width and height of a picture.
    pub(super) size: Option<(i64, i64)>,
}

/// The files that one article refers to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Files {
    article: String,
    own: Own,
    /// By their paths from the root.
    found: BTreeMap<String, File>,
}

/// A link in front matter or text, as [`Files::find`] takes it.
pub(super) struct Wanted<'w> {
    pub(super) link: &'w str,
    /// Where it stands in the file.
    pub(super) at: Range<usize>,
    /// Whether it must be a file.
    pub(super) is_picture: bool,
}

/// Something that is worth knowing about a link.
pub(super) type Remark = (Range<usize>, Reason);

/// The links of a body that stands at `offset` in its file.
pub(super) fn links_of(body: Body<'_>, offset: usize) -> Vec<(String, Range<usize>, bool)> {
    let moved = |at: Range<usize>| at.start + offset..at.end + offset;
    references(body).into_iter().map(|reference| (reference.link, moved(reference.at), reference.is_picture)).collect()
}

impl Files {
    /// Those of what has no folder: another room's page, another site's article.
    pub(super) const NONE: &'static Self = &Self { article: String::new(), own: Own::NONE, found: BTreeMap::new() };

    /// Looks for the files that the article at a path refers to. What has vanished keeps what
    /// was known of it, so that a disk which is not there changes no article.
    pub(super) fn find<'w>(
        folder: &Folder,
        site: &Site,
        article: &str,
        known: &Known,
        wanted: impl IntoIterator<Item = Wanted<'w>>,
    ) -> (Self, Vec<Remark>) {
        let mut files = Self { article: article.to_owned(), own: Own::of(site), found: BTreeMap::new() };
        let mut remarks = Vec::new();
        for Wanted { link, at, is_picture } in wanted {
            let told = match files.own.target(link, article) {
                Target::Elsewhere => None,
                Target::Outside => is_picture.then(|| outside(link)),
                Target::Path(path) if files.found.contains_key(&path) => None,
                Target::Path(path) if resolve::is_article(&path) => {
                    let beside = !link.starts_with('/') && !link.contains("//") && folder.holds(&path);
                    (is_picture || beside).then(|| an_article(link))
                }
                // A link to what has no such name is to a page.
                Target::Path(path) if !is_picture && Kind::by_name(&path).is_none() && !folder.holds(&path) => None,
                Target::Path(path) => {
                    let (file, told) = seen(folder, &path, known);
                    files.found.insert(path, file);
                    told
                }
            };
            remarks.extend(told.map(|reason| (at, reason)));
        }
        (files, remarks)
    }

    /// The file that a link means.
    pub(super) fn get(&self, link: &str) -> Option<&File> {
        match self.own.target(link, &self.article) {
            Target::Path(path) => self.found.get(&path),
            _ => None,
        }
    }

    /// The absolute link under which the file that a link means is served.
    pub(super) fn link(&self, link: &str) -> Option<String> {
        let Target::Path(path) = self.own.target(link, &self.article) else { return None };
        // An address on this host that is no file of the folder may be served by another program.
        let is_address = link.trim_start().starts_with('/') || link.contains("://");
        self.found.get(&path).filter(|file| file.length.is_some() || !is_address)?;
        let part = link.find('#').map_or("", |at| &link[at..]);
        Some(format!("{}{part}", self.own.link(&path)))
    }

    /// All of them by path.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &File)> {
        self.found.iter()
    }
}

/// What a file is now, and what is to be told of it.
fn seen(folder: &Folder, path: &str, known: &Known) -> (File, Option<Reason>) {
    match probe::probe(folder, path) {
        Probe::There(file, told) => (file, told),
        Probe::Missing(reason) => {
            let before = known.file(path);
            let media_type = Kind::by_name(path).map_or("application/octet-stream", Kind::essence).to_owned();
            let file = before.unwrap_or(File { stamp: String::new(), media_type, length: None, size: None });
            (File { stamp: String::new(), ..file }, Some(reason))
        }
    }
}

fn outside(link: &str) -> Reason {
    Reason::new(format!("“{link}” would be outside the content folder"), "put the file into the content folder and correct the link")
}

fn an_article(link: &str) -> Reason {
    Reason::new(
        format!("“{link}” is the file of an article, which is not served"),
        "link to the article's page instead, like /2027/09/a-safe-house/",
    )
}

/// The absolute link under which the file at a path is served when it is public.
pub(super) fn link_of(site: &Site, path: &str) -> String {
    Own::of(site).link(path)
}

/// What a file so named should be, as feeds name it.
pub(super) fn media_type_by_name(name: &str) -> Option<&'static str> {
    Kind::by_name(name.split(['?', '#']).next()?).map(Kind::essence)
}

/// Whether a path is one under which files may be served: the last part has an extension.
pub fn path_of_address(path: &str) -> Option<String> {
    let path = path.strip_prefix(crate::site::FILES).or_else(|| path.strip_prefix('/'))?;
    let name = path.rsplit('/').next()?;
    if !name.contains('.') {
        return None;
    }
    let path = percent_encoding::percent_decode_str(path).decode_utf8().ok()?;
    (!path.contains('\0')).then(|| path.into_owned())
}
