//! Living sources: sites that go on being kept elsewhere, and that Clarion follows.
//!
//! A source is asked every few minutes for what is new. Its articles are rows of the store like
//! all others, with the ids and permalinks that they have there. What a source says is taken in
//! page by page, each in one transaction; a poll that fails keeps all that is there.

mod feed;
mod intake;
mod item;
mod poll;
mod removal;
mod step;
mod store;
mod trouble;
mod wordpress;

pub use step::SourceStep;
pub use store::{SourceState, release_source, sources};

use crate::language::Language;
use crate::site::Site;
use crate::vault::content_hash;
use std::time::Duration;
use url::Url;

crate::text_enum! {
    /// How a site is asked.
    pub enum Kind {
        /// By WordPress's REST interface, `wp/v2`.
        WordPress = "wordpress",
        /// By a feed: RSS, Atom or JSON Feed.
        Feed = "feed",
    }
}

/// `[[content.source]]`: a site that is followed.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What it is called here; never changes, since its articles are filed under it.
    pub name: String,
    /// How it is asked.
    pub kind: Kind,
    /// Of the site, or of the feed.
    pub url: Url,
    /// Of articles that do not name their own.
    pub language: Option<Language>,
    /// How often.
    pub every: Duration,
    /// Whether it may be in a private network, or on this machine.
    pub allow_private: bool,
}

impl Settings {
    /// What makes it the same site as before.
    fn identity(&self) -> String {
        format!("{} {}", self.kind, self.url)
    }

    /// What else its articles are made from, as a hash.
    fn making(&self, site: &Site) -> String {
        let settings =
            format!("{} {:?} {:?} {:?} {}", super::markup::VERSION, self.language, site.languages, site.categories, site.base_url);
        content_hash(&[settings.as_bytes()])
    }
}

/// How the store names the rows of a source.
const PREFIX: &str = "source:";

fn row_source(name: &str) -> String {
    format!("{PREFIX}{name}")
}

/// Whether an article's row belongs to a living source.
pub(super) fn is_living(row_source: &str) -> bool {
    row_source.starts_with(PREFIX)
}

/// The name of the living source to which an article's row belongs.
pub(super) fn name_of(row_source: &str) -> Option<&str> {
    row_source.strip_prefix(PREFIX)
}

/// The first pause after a poll failed; it doubles.
const FIRST_PAUSE: Duration = Duration::from_mins(1);
/// However often it fails, a site is asked again after this, or after `every` if that is longer.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// What a site may ask for with `Retry-After`.
const LONGEST_REQUEST: Duration = Duration::from_hours(24);

/// How long to wait after so many failures in a row. `chance` is from 0 to 1: a tenth of the
/// pause is left to it, so that many daemons do not come back to a site in one instant.
fn pause_after(failures: u32, every: Duration, retry_after: Option<Duration>, chance: f64) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1 << failures.saturating_sub(1).min(16));
    let own = doubled.min(LONGEST_PAUSE.max(every));
    let pause = own.max(retry_after.unwrap_or_default().min(LONGEST_REQUEST));
    pause + pause.mul_f64(chance.clamp(0.0, 1.0) / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_that_fails_is_asked_less_and_less_often() {
        let pause = |failures, retry_after| pause_after(failures, Duration::from_mins(10), retry_after, 0.0).as_secs() / 60;
        assert_eq!([1, 2, 3, 5, 7, 1000].map(|failures| pause(failures, None)), [1, 2, 4, 16, 60, 60]);
        assert_eq!(pause(1, Some(Duration::from_mins(30))), 30, "what it asks for is heeded");
        assert_eq!(pause(1, Some(Duration::from_hours(1000))), 24 * 60, "within reason");
        let daily = pause_after(20, Duration::from_hours(24), None, 1.0);
        assert_eq!(daily, Duration::from_hours(24) + Duration::from_mins(144));
    }
}
