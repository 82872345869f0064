//! The configuration file: typed, every mistake told at once with its line and remedy.

mod category;
mod dkim;
mod environment;
mod inbound;
mod legacy;
mod rates;
mod sections;

use crate::address::Address;
use crate::db::DatabaseUrl;
use crate::language::Catalogue;
use crate::problem::{Problem, Reading, Reason, Severity, Source};
use crate::site::Site;
use crate::{content, delivery, digest, feed, mail, notice, petition, web};
use std::path::{Path, PathBuf};

/// Everything that can be configured, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[site]`, `[[category]]`.
    pub site: Site,
    /// What Clarion says: the shipped texts, and those of `[site] locales_dir` over them.
    pub catalogue: Catalogue,
    /// `[staff] mail`.
    pub staff: Vec<Address>,
    /// The rest of `[staff]`.
    pub notices: notice::Settings,
    /// `[content]`.
    pub content: content::Settings,
    /// `[feed]`.
    pub feed: feed::Settings,
    /// `[web]`.
    pub web: web::Settings,
    /// `[database] url`.
    pub database: DatabaseUrl,
    /// `[vault] key_file`.
    pub key_file: PathBuf,
    /// `[mail]`.
    pub mail: mail::Settings,
    /// `[inbound]`.
    pub inbound: crate::inbound::Settings,
    /// `[delivery]`.
    pub delivery: delivery::Settings,
    /// The limits in `[delivery]`.
    pub rates: delivery::Rates,
    /// `[[digest]]`.
    pub digests: Vec<digest::Settings>,
    /// `[petitions]`.
    pub petitions: Option<petition::Settings>,
}

/// A configuration that cannot be used, with every reason.
#[derive(Debug)]
pub struct Refused {
    /// Errors, and warnings among them, in the order of the file.
    pub problems: Vec<Problem>,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for problem in &self.problems {
            writeln!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refused {}

impl Config {
    /// Reads a configuration file, with overrides from `CLARION_SECTION__KEY` variables given
    /// as pairs. Returns warnings beside the configuration.
    pub fn load(path: &Path, environment: &[(String, String)]) -> Result<(Self, Vec<Problem>), Refused> {
        let source = read(path).map_err(|problem| Refused { problems: vec![*problem] })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        Self::parse(&source, folder, environment)
    }

    /// Reads a configuration; relative paths in it are relative to `folder`.
    pub fn parse(source: &Source, folder: &Path, environment: &[(String, String)]) -> Result<(Self, Vec<Problem>), Refused> {
        let reading = Reading::new(source);
        let mut node = reading.toml();
        for (variable, reason) in environment::apply(&mut node, environment) {
            reading.tell(&crate::problem::Place::Named(variable), reason);
        }
        let mut root = reading.root(node);
        let mut elsewhere = Vec::new();
        let config = sections::read(&mut root, folder, &mut elsewhere);
        root.finish();
        let mut problems = reading.into_problems();
        problems.extend(elsewhere);
        match config {
            Some(config) if problems.iter().all(|problem| problem.severity < Severity::Error) => Ok((config, problems)),
            _ => Err(Refused { problems }),
        }
    }
}

fn read(path: &Path) -> Result<Source, Box<Problem>> {
    let unreadable = |error: std::io::Error| {
        let remedy = "name the configuration with --config FILE, or run clarion in its folder";
        Problem::of_file(path, Reason::new(format!("the file cannot be read: {error}"), remedy))
    };
    let bytes = std::fs::read(path).map_err(unreadable)?;
    Source::from_bytes(path, &bytes)
}
