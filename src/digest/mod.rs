//! Digests: what is new to whom, when, and the mail that says it.

mod agenda;
mod cut;
mod email;
mod preview;
mod schedule;
mod selection;
mod step;
mod store;
mod wrap;

pub use agenda::{NextRun, Standing, next_run, skip, standing};
pub use email::Rendered;
pub use preview::{Preview, PreviewGroup, preview};
pub use schedule::Schedule;
pub use step::DigestStep;
pub use store::{Run, RunState, hold, release};

use jiff::tz::TimeZone;

/// A digest: a rhythm that people can choose.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its name, chosen by people as their rhythm.
    pub name: String,
    /// When it runs.
    pub schedule: Schedule,
    /// In which zone the schedule is meant and dates are shown.
    pub time_zone: TimeZone,
    /// Slugs of the categories it carries; empty: all.
    pub categories: Vec<String>,
    /// With fewer new articles nothing is sent, and the articles wait.
    pub minimum_items: u32,
}
