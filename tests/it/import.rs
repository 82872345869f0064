//! `clarion import wordpress`: from a real export to articles, and what an export may not do.

mod again;
mod command;
mod hostile;
mod media;
mod real;

use crate::support::World;
use clarion::content::wordpress::{self, Options, Report};
use clarion::content::{self, Settings};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Made by WordPress 6.1 itself: see `tests/wordpress/site`.
const EXPORT: &str = "tests/fixtures/wordpress/export.xml";

/// Everything that may be asked for.
fn everything() -> Options {
    Options { pages: true, drafts: true, private: true, ..Options::default() }
}

/// A world whose content folder is filled by imports.
struct Desk<'w> {
    world: &'w World,
    into: PathBuf,
}

impl<'w> Desk<'w> {
    fn new(world: &'w World) -> Self {
        Self { world, into: world.folder.path().join("content") }
    }

    async fn import(&self, export: &Path, options: &Options) -> anyhow::Result<Report> {
        let now = self.world.clock.now();
        wordpress::import(export, &self.into, &self.world.site, options, None, now, &mut |_| {}).await
    }

    /// Imports an export whose items are given.
    async fn import_items(&self, items: &str, options: &Options) -> anyhow::Result<Report> {
        self.import(&self.write_export(whole(items)), options).await
    }

    fn write_export(&self, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.world.folder.path().join("export.xml");
        std::fs::write(&path, text).unwrap();
        path
    }

    fn text(&self, path: &str) -> String {
        std::fs::read_to_string(self.into.join(path)).unwrap_or_else(|error| panic!("{path}: {error}; there are {:#?}", self.files()))
    }

    /// The paths of all articles, sorted.
    fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        collect(&self.into, &self.into, &mut files);
        files.retain(|file| Path::new(file).extension().is_some_and(|extension| extension == "html"));
        files.sort();
        files
    }

    /// What `clarion check` says of the folder.
    fn mistakes(&self) -> Vec<String> {
        let settings = Settings { dir: self.into.clone(), announce_within: Duration::from_hours(14 * 24), sources: Vec::new() };
        let problems = content::check(&settings, &self.world.site);
        problems.iter().map(ToString::to_string).filter(|problem| problem.contains("error: ")).collect()
    }
}

/// Every file below a folder, by its path from there.
fn collect(root: &Path, folder: &Path, files: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            files.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
        }
    }
}

/// An export with these items.
fn whole(items: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<rss version=\"2.0\"><channel><title>Old</title><language>en-US</language>\n\
         <wp:base_site_url>http://old.example.org</wp:base_site_url><wp:base_blog_url>http://old.example.org</wp:base_blog_url>\n{items}</channel></rss>"
    )
}

/// A published post of 5 July 2011, with more elements.
fn post(id: u64, name: &str, content: &str, more: &str) -> String {
    format!(
        "<item><title>Title {id}</title><link>http://old.example.org/archives/{id}</link><guid>http://old.example.org/?p={id}</guid>\
         <content:encoded><![CDATA[{content}]]></content:encoded><wp:post_id>{id}</wp:post_id>\
         <wp:post_date>2011-07-05 09:00:00</wp:post_date><wp:post_date_gmt>2011-07-05 00:00:00</wp:post_date_gmt>\
         <wp:post_name>{name}</wp:post_name><wp:status>publish</wp:status><wp:post_type>post</wp:post_type>{more}</item>\n"
    )
}
