//! `clarion import wordpress`: an export of WordPress becomes a folder of articles.

use super::output;
use super::{Context, Outcome};
use crate::content::wordpress::{self, Options, Progress, Report};
use crate::fetch::{Fetch, Rules};
use crate::language::Language;
use anyhow::Context as _;
use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// From where.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum ImportCommand {
    /// Make articles of an export of WordPress (Tools, Export, All content).
    ///
    /// Ids, dates, categories, tags, authors and old addresses are kept, so that feed readers see
    /// nothing twice and old links still lead to the right page. Running it again with a newer
    /// export changes only what changed, and never what you edited.
    Wordpress(WordpressArguments),
}

/// See [`ImportCommand::Wordpress`].
#[derive(Clone, Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own on the command line")]
pub struct WordpressArguments {
    /// The file that WordPress made.
    #[arg(value_name = "EXPORT.xml")]
    pub export: PathBuf,
    /// The folder for the articles: your content folder, or an empty one to look at first.
    #[arg(long, value_name = "DIR")]
    pub into: PathBuf,
    /// Fetch pictures and other files from the old site, while it is still there.
    #[arg(long)]
    pub media: bool,
    /// Import pages too, as articles at their dates.
    #[arg(long)]
    pub pages: bool,
    /// Import what was never published, as drafts.
    #[arg(long)]
    pub drafts: bool,
    /// Import private and password-protected posts, as drafts.
    #[arg(long)]
    pub private: bool,
    /// Write again what you edited or deleted since the last import.
    #[arg(long)]
    pub force: bool,
    /// The language of posts that name none; else the one of the export.
    #[arg(long, value_name = "TAG")]
    pub language: Option<String>,
    /// Another name that the old site's host had; may be repeated.
    #[arg(long, value_name = "HOST")]
    pub old_host: Vec<String>,
    /// Let --media ask hosts in your own network and on this machine.
    #[arg(long)]
    pub allow_private: bool,
}

/// The largest file that is fetched: a film of an hour.
const MOST_OCTETS: u64 = 512 << 20;
const PATIENCE: Duration = Duration::from_mins(10);
/// How many posts are named for one thing that was not understood; `--json` names all.
const NAMED: usize = 3;

/// Runs the command.
pub async fn run(command: ImportCommand, context: &Context) -> anyhow::Result<Outcome> {
    let ImportCommand::Wordpress(arguments) = command;
    let site = &context.config.site;
    let language = match &arguments.language {
        Some(tag) => Some(Language::parse(tag).map_err(|reason| anyhow::anyhow!("--language: {reason}"))?),
        None => None,
    };
    let options = Options {
        pages: arguments.pages,
        drafts: arguments.drafts,
        private: arguments.private,
        force: arguments.force,
        language,
        old_hosts: arguments.old_host.clone(),
    };
    let rules = Rules { allow_private: arguments.allow_private, most_octets: MOST_OCTETS, timeout: PATIENCE };
    let client = if arguments.media { Some(Fetch::new(rules, &site.base_url)?) } else { None };
    let length = std::fs::metadata(&arguments.export).map_or(0, |metadata| metadata.len());
    let mut meter = Meter::new(length);
    let now = context.clock.now();
    let (export, into) = (&arguments.export, &arguments.into);
    let mut progress = |progress| meter.show(progress);
    let report = wordpress::import(export, into, site, &options, client.as_ref(), now, &mut progress).await;
    meter.clear();
    let report = report.with_context(|| format!("{} was not imported", arguments.export.display()))?;
    if context.json {
        output::json(&report)?;
    } else {
        print(&report, &arguments);
    }
    Ok(if report.wants_attention() { Outcome::ProblemFound } else { Outcome::Done })
}

/// Progress, on a terminal only.
struct Meter {
    length: u64,
    last: Option<Instant>,
    is_terminal: bool,
}

impl Meter {
    fn new(length: u64) -> Self {
        Self { length: length.max(1), last: None, is_terminal: std::io::stderr().is_terminal() }
    }

    fn show(&mut self, progress: Progress) {
        if !self.is_terminal || self.last.is_some_and(|last| last.elapsed() < Duration::from_millis(200)) {
            return;
        }
        self.last = Some(Instant::now());
        let words = match progress {
            Progress::Surveyed(octets) => format!("Looking through the export: {} %", octets * 100 / self.length),
            Progress::Fetched(done, all) => format!("Fetching files: {done} of {all}"),
            Progress::Written(octets) => format!("Writing articles: {} %", octets * 100 / self.length),
        };
        let _ = write!(std::io::stderr(), "\r\x1b[K{words}");
    }

    fn clear(&self) {
        if self.is_terminal {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

fn print(report: &Report, arguments: &WordpressArguments) {
    let Report { site, new, updated, unchanged, edited, .. } = report;
    output::line(format!("“{}”, {} ({})", site.title, site.url, site.language));
    let folder = arguments.into.display();
    output::line(format!("{} in {folder}: {new} new, {updated} changed, {unchanged} as they were.", count(report.articles(), "article")));
    let of_these = [(report.pages, "page"), (report.drafts, "draft")];
    let mut parts: Vec<String> = of_these.iter().filter(|(number, _)| *number > 0).map(|(number, what)| count(*number, what)).collect();
    if report.scheduled > 0 {
        parts.push(format!("{} for a day to come (remove  announce = \"no\"  where a digest shall carry one)", report.scheduled));
    }
    if !parts.is_empty() {
        output::line(format!("Of these: {}.", parts.join(", ")));
    }
    if *edited > 0 {
        output::line(format!("{} edited by you, with nothing new in the export: kept.", count(*edited, "article")));
    }
    print_files("You edited these, and the export has something new: kept. --force takes the export's.", &report.conflicts);
    print_files("You deleted or moved these: not brought back. --force brings them back.", &report.deleted);
    print_files("The export no longer has these: kept. Delete the files if they shall go.", &report.vanished);
    for (what, number) in &report.left_out {
        output::line(format!("Left out: {number} {what}."));
    }
    if report.comments > 0 {
        output::line(format!("{} stayed behind: Clarion has no comments.", count(report.comments, "comment")));
    }
    if report.characters_left_out > 0 {
        output::line(format!("{} that no feed can carry left out.", count(report.characters_left_out, "invisible character")));
    }
    print_media(report, arguments);
    print_doubts(report);
    if let Some(why) = &report.cut_off {
        output::line(format!(
            "\nThe file is not whole: {why}. What was before that is imported. Export again, in parts if need be (Tools, Export, Posts, by year)."
        ));
    }
    print_configuration(report);
}

fn print_files(heading: &str, files: &[String]) {
    if !files.is_empty() {
        output::line(heading);
        for file in files {
            output::line(format!("  {file}"));
        }
    }
}

fn print_media(report: &Report, arguments: &WordpressArguments) {
    let media = &report.media;
    if media.used == 0 {
        return;
    }
    let fetched = if arguments.media { format!(", {} fetched now", media.fetched) } else { String::new() };
    output::line(format!("{} uploaded to the old site: {} in the folder{fetched}.", count(media.used, "file"), media.present));
    if !arguments.media && media.present < media.used {
        output::line(
            "  Fetch them with --media while the old site is there, or copy its wp-content/uploads into the folder and import again.",
        );
    }
    for file in &media.failed {
        output::line(format!("  not fetched: {}: {}", file.url, file.reason));
    }
}

fn print_doubts(report: &Report) {
    let mut by_reason: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for doubt in &report.doubts {
        by_reason.entry(&doubt.reason).or_default().push(format!("post {}: {}", doubt.post, doubt.title));
    }
    if !by_reason.is_empty() {
        output::line("\nNot understood, and left in the text or out of it:");
    }
    for (reason, posts) in by_reason {
        output::line(format!("  {reason} ({})", count(posts.len() as u64, "post")));
        for post in posts.iter().take(NAMED) {
            output::line(format!("    {post}"));
        }
        if posts.len() > NAMED {
            output::line(format!("    and {} more; --json names all", posts.len() - NAMED));
        }
    }
}

fn print_configuration(report: &Report) {
    if report.categories_toml.is_empty() && report.legacy_toml.is_empty() {
        return;
    }
    output::line("\nFor the configuration, if it does not say so yet:\n");
    output::line(&report.legacy_toml);
    if !report.categories_toml.is_empty() {
        output::line(format!("\n{}", report.categories_toml));
    }
}

fn count(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
