//! Taking articles of a source into the store: whose version each is.

use super::item::Item;
use super::{Settings, is_living, name_of, row_source, trouble};
use crate::content::record::{self, Moment};
use crate::content::store::Row;
use crate::content::withdrawal::{self, Marks};
use crate::content::worksheet::Worksheet;
use crate::content::{Announce, ArticleState, category, removal};
use crate::problem::Reason;
use crate::site::Site;
use sqlx::AnyConnection;
use url::Url;

/// What taking in needs to know.
pub(super) struct Intake<'i> {
    pub(super) settings: &'i Settings,
    pub(super) site: &'i Site,
    /// The names of all sources that are configured.
    pub(super) names: &'i [String],
    /// See [`Settings::making`].
    pub(super) making: &'i str,
    /// No for what the first poll of a site brings.
    pub(super) announce: Announce,
    pub(super) moment: Moment,
}

/// Whose version an item is.
enum Identity {
    /// Nobody's yet.
    New,
    /// A new version of this article.
    Of(Box<Row>),
    /// It belongs to somebody else.
    Contested(Reason),
}

impl Intake<'_> {
    /// Takes in an item in the caller's transaction. Returns whether a reader can see a
    /// difference.
    pub(super) async fn take_in(&self, connection: &mut AnyConnection, item: &mut Item) -> anyhow::Result<bool> {
        let name = &self.settings.name;
        if let Some(reason) = unusable(item) {
            trouble::record_item(connection, name, &item.path, &reason, self.moment.now).await?;
            return Ok(false);
        }
        let source = row_source(name);
        if Marks::load(connection).await?.bar(&source, &item.path, Some(&item.uid), "") {
            trouble::record_item(connection, name, &item.path, &withdrawal::still_there(), self.moment.now).await?;
            return Ok(false);
        }
        let (stored, displaced) = match self.identify(connection, &source, item).await? {
            (Identity::Contested(reason), _) => {
                trouble::record_item(connection, name, &item.path, &reason, self.moment.now).await?;
                return Ok(false);
            }
            (Identity::Of(row), displaced) => (Some(*row), displaced),
            (Identity::New, displaced) => (None, displaced),
        };
        trouble::clear(connection, name, &item.path).await?;
        let hash = item.hash(self.making)?;
        let live = |row: &Row| row.state != ArticleState::Gone.as_str() && row.source == source && row.path == item.path;
        if stored.as_ref().is_some_and(|row| row.hash == hash && live(row)) {
            return Ok(displaced);
        }
        // What readers know keeps its id, whatever the site has made of it meanwhile.
        if let Some(row) = &stored {
            item.uid.clone_from(&row.uid);
        }
        let (entry, found) = item.entry(self.settings, &source, self.site, hash, self.announce, self.moment.now);
        let changed = record::save_one(connection, self.site, &entry, stored, self.moment).await?;
        for category in &found {
            category::record(connection, category, &format!("{name}: {}", item.path), self.moment.now).await?;
        }
        Ok(changed || displaced)
    }

    /// Finds the article whose version an item is: by its id, which is the same however a site is
    /// asked, or else by its key within the source. Tells also whether another article had to go.
    async fn identify(&self, connection: &mut AnyConnection, source: &str, item: &Item) -> anyhow::Result<(Identity, bool)> {
        let named = record::with_uid(connection, &item.uid).await?;
        let here = record::at_path(connection, source, &item.path).await?;
        match (named, here) {
            (Some(named), Some(here)) if named.id == here.id => Ok((Identity::Of(Box::new(named)), false)),
            (Some(named), here) => {
                if let Some(reason) = self.belongs_elsewhere(source, &named) {
                    return Ok((Identity::Contested(reason), false));
                }
                let went = self.displace(connection, source, here).await?;
                Ok((Identity::Of(Box::new(named)), went))
            }
            // Whoever moves a WordPress sometimes rewrites its guids.
            (None, Some(here)) if same_post(&here, item) => Ok((Identity::Of(Box::new(here)), false)),
            (None, here) => Ok((Identity::New, self.displace(connection, source, here).await?)),
        }
    }

    fn belongs_elsewhere(&self, source: &str, row: &Row) -> Option<Reason> {
        let configured = |name: &str| self.names.iter().any(|known| known == name);
        // What a source left behind that is no longer configured, another may go on with.
        if row.source == source || (is_living(&row.source) && name_of(&row.source).is_some_and(|name| !configured(name))) {
            return None;
        }
        let owner = match name_of(&row.source) {
            Some(other) => format!("source {other}: {}", row.path),
            None => row.path.clone(),
        };
        Some(Reason::new(
            format!("{owner} has the same id, {}, and is published", row.uid),
            "nothing, if it is the same article; else have the site give the new one a guid of its own",
        ))
    }

    /// Another article stands where this one is now: its post is not there any more.
    async fn displace(&self, connection: &mut AnyConnection, source: &str, row: Option<Row>) -> anyhow::Result<bool> {
        let Some(row) = row else { return Ok(false) };
        let mut sheet = Worksheet::of(source, 1);
        sheet.adopt(row.clone());
        let (path, _) = record::displace(&mut sheet, &row);
        sheet.write(connection).await?;
        if row.state == ArticleState::Gone.as_str() {
            return Ok(false);
        }
        removal::remove(connection, source, &[path], self.moment.now).await?;
        Ok(true)
    }
}

/// Whether a post is still the one it was, though its guid is another: its date or its name is
/// the same.
fn same_post(row: &Row, item: &Item) -> bool {
    item.date == Some(row.published_at) || item.link == row.canonical_url.as_deref().unwrap_or_default()
}

/// Why an item cannot be an article.
fn unusable(item: &Item) -> Option<Reason> {
    if item.uid.is_empty() {
        return Some(Reason::new("it has neither an id nor a link", "have the site give each of its articles a guid"));
    }
    if !Url::parse(&item.link).is_ok_and(|link| matches!(link.scheme(), "http" | "https")) {
        return Some(Reason::new("it has no address at which it can be read", "have the site give each of its articles a link"));
    }
    if item.title.is_empty() && item.html.trim().is_empty() {
        return Some(Reason::new("it has neither a title nor a text", "write one, or take it off the site"));
    }
    None
}
