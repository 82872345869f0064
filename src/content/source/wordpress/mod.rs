//! A WordPress that is followed by its REST interface (`wp/v2`, since WordPress 4.7).
//!
//! A poll asks what is newest and what was changed, and compares revisions; nothing depends on a
//! cursor, on pages staying where they are, or on what WordPress says of their number. Where the
//! count of posts shows that some have gone, and every few hours anyhow, all are listed. A post
//! that is missing then is asked for once more by its number before it is let go.

mod endpoint;
mod listing;
mod post;

use super::item::Item;
use super::poll::{Context, Failure, Progress, expected, validators};
use super::store::Followed;
use super::{removal, store, trouble};
use crate::clock::Timestamp;
use crate::fetch::{Request, Response};
use crate::problem::Reason;
use listing::{Page, numbers, page_of};
use post::{Categories, Category, Post, id_of, path_of};
use std::collections::BTreeMap;
use std::time::Duration;
use url::Url;

/// The most that `wp/v2` gives at once.
const PAGE: usize = 100;
/// Pages of a listing: a hundred thousand posts.
const MOST_PAGES: usize = 1000;
/// Posts fetched whole at once; WordPress takes a while to render them.
const BATCH: usize = 50;
/// Everything is listed at least this often, to find what has vanished.
const LISTED_EVERY: Duration = Duration::from_hours(6);
/// The same where WordPress does not say how many posts there are.
const LISTED_BLINDLY_EVERY: Duration = Duration::from_hours(1);
/// What was changed so long before the last change is listed again: some versions take a time in
/// UTC for one in the site's zone.
const OVERLAP: Duration = Duration::from_hours(24);

/// A poll in progress.
pub(super) struct Poll {
    followed: Followed,
    stage: Stage,
    api: Option<Url>,
    /// The revisions of posts that were fetched.
    known: BTreeMap<i64, String>,
    /// What a listing of everything has shown.
    seen: BTreeMap<i64, String>,
    /// Posts to be fetched, with the revisions that were listed.
    wanted: BTreeMap<i64, String>,
    missing: Vec<i64>,
    categories: Categories,
    total: Option<usize>,
    everything: bool,
    batch: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Find,
    Newest,
    Changed(usize),
    Everything(usize),
    Missing,
    Categories(usize),
    Posts,
    Done,
}

impl Poll {
    pub(super) async fn begin(context: &Context<'_>, followed: Followed) -> anyhow::Result<Self> {
        let known = store::items(&mut *context.db.reader().acquire().await?, &context.settings.name).await?;
        let api = followed.api.as_deref().and_then(|api| Url::parse(api).ok());
        Ok(Self {
            stage: if api.is_some() { Stage::Newest } else { Stage::Find },
            followed,
            api,
            known,
            seen: BTreeMap::new(),
            wanted: BTreeMap::new(),
            missing: Vec::new(),
            categories: Categories::new(),
            total: None,
            everything: false,
            batch: BATCH,
        })
    }

    pub(super) fn into_followed(self) -> Followed {
        self.followed
    }

    /// Makes one request and takes in what it brings.
    pub(super) async fn advance(&mut self, context: &Context<'_>) -> Result<Progress, Failure> {
        let mut changed = false;
        self.stage = match self.stage {
            Stage::Find => self.find(context).await?,
            Stage::Newest => self.newest(context).await?,
            Stage::Changed(page) => self.changed(context, page).await?,
            Stage::Everything(page) => self.everything(context, page).await?,
            Stage::Missing => {
                let (stage, went) = self.missing(context).await?;
                changed = went;
                stage
            }
            Stage::Categories(page) => self.categories(context, page).await?,
            Stage::Posts => {
                changed = self.posts(context).await?;
                if self.wanted.is_empty() { Stage::Done } else { Stage::Posts }
            }
            Stage::Done => Stage::Done,
        };
        if self.stage == Stage::Done {
            self.conclude(context).await?;
        }
        Ok(Progress { changed, done: self.stage == Stage::Done })
    }

    /// Finds the REST interface: where the site's own page says, or where it usually is.
    async fn find(&mut self, context: &Context<'_>) -> Result<Stage, Failure> {
        let site = &context.settings.url;
        if site.path().contains("/wp-json") || site.query_pairs().any(|(name, _)| name == "rest_route") {
            self.api = Some(site.clone());
            return Ok(Stage::Newest);
        }
        let response = context.ask(Request::new(site.clone())).await?;
        if matches!(response.status, 429 | 503) {
            expected(response, context.clock.now())?;
            return Ok(Stage::Find);
        }
        self.api = endpoint::discovered(&response).or_else(|| endpoint::usual(&response.url));
        Ok(Stage::Newest)
    }

    async fn ask(&self, context: &Context<'_>, route: &str, parameters: &[(&str, &str)]) -> Result<Response, Failure> {
        context.ask(self.request(context, route, parameters)).await
    }

    fn request(&self, context: &Context<'_>, route: &str, parameters: &[(&str, &str)]) -> Request {
        let api = self.api.as_ref().unwrap_or(&context.settings.url);
        Request { accept: Some("application/json"), ..Request::new(endpoint::route(api, route, parameters)) }
    }

    /// A page of a listing of posts.
    async fn list(&self, context: &Context<'_>, page: usize, parameters: &[(&str, &str)]) -> Result<Page, Failure> {
        let (per_page, number) = (PAGE.to_string(), page.to_string());
        let mut all = vec![("_fields", "id,modified_gmt"), ("per_page", per_page.as_str()), ("page", number.as_str())];
        all.extend(parameters);
        let response = self.ask(context, "wp/v2/posts", &all).await?;
        page_of(response, page, context.clock.now())
    }

    /// What was published last: also what was written long ago and has come due.
    async fn newest(&mut self, context: &Context<'_>) -> Result<Stage, Failure> {
        let now = context.clock.now();
        let listed = self.followed.listed_at.map(Timestamp::from_millis);
        let per_page = PAGE.to_string();
        let parameters = [("_fields", "id,modified_gmt"), ("per_page", per_page.as_str()), ("orderby", "date"), ("order", "desc")];
        let mut request = self.request(context, "wp/v2/posts", &parameters);
        // WordPress gives no validators itself; what stands before it sometimes does.
        if listed.is_some_and(|listed| listed + LISTED_BLINDLY_EVERY > now) {
            (request.etag, request.last_modified) = (self.followed.etag.clone(), self.followed.last_modified.clone());
        }
        let response = context.ask(request).await?;
        if response.status == 304 {
            return Ok(Stage::Changed(1));
        }
        (self.followed.etag, self.followed.last_modified) = validators(&response);
        let page = page_of(response, 1, now)?;
        self.total = page.total;
        self.compare(&page);
        let known = self.known.keys().chain(self.wanted.keys().filter(|id| !self.known.contains_key(*id))).count();
        let gap = self.total.map(|total| distance(total, known));
        let pause = if gap.is_some() { LISTED_EVERY } else { LISTED_BLINDLY_EVERY };
        let due = listed.is_none_or(|listed| listed + pause <= now);
        self.everything = due || gap.is_some_and(|gap| gap != self.followed.gap);
        Ok(if self.everything { Stage::Everything(1) } else { Stage::Changed(1) })
    }

    /// Wants every post of a page whose revision is not the one that was fetched.
    fn compare(&mut self, page: &Page) -> bool {
        let mut news = false;
        for (id, revision) in &page.posts {
            if self.known.get(id) != Some(revision) {
                news |= self.wanted.insert(*id, revision.clone()).is_none();
            }
        }
        news
    }

    /// What was changed since the newest change that is known.
    async fn changed(&mut self, context: &Context<'_>, number: usize) -> Result<Stage, Failure> {
        let latest = self.known.values().filter_map(|revision| revision.parse::<jiff::civil::DateTime>().ok()).max();
        let Some(since) = latest.and_then(|latest| latest.checked_sub(OVERLAP).ok()) else { return Ok(self.fetch_wanted()) };
        let since = format!("{since}Z");
        let page = self.list(context, number, &[("orderby", "modified"), ("order", "desc"), ("modified_after", &since)]).await?;
        // The newest changes come first: a page without news is the last that matters.
        let news = self.compare(&page);
        Ok(if news && page.posts.len() == PAGE && number < MOST_PAGES { Stage::Changed(number + 1) } else { self.fetch_wanted() })
    }

    fn fetch_wanted(&self) -> Stage {
        if self.wanted.is_empty() { Stage::Done } else { Stage::Categories(1) }
    }

    async fn everything(&mut self, context: &Context<'_>, number: usize) -> Result<Stage, Failure> {
        let page = self.list(context, number, &[("orderby", "id"), ("order", "asc")]).await?;
        self.compare(&page);
        let before = self.seen.len();
        self.seen.extend(page.posts);
        let whole = page.total.is_some_and(|total| self.seen.len() >= total);
        if self.seen.len() > before && !whole && number < MOST_PAGES {
            return Ok(Stage::Everything(number + 1));
        }
        self.missing = self.known.keys().filter(|id| !self.seen.contains_key(*id)).copied().collect();
        Ok(Stage::Missing)
    }

    /// Asks once more for what was not in the listing, then lets go of what is really not there.
    async fn missing(&mut self, context: &Context<'_>) -> Result<(Stage, bool), Failure> {
        let unasked: Vec<i64> = self.missing.iter().filter(|id| !self.seen.contains_key(*id)).copied().collect();
        let at = unasked.iter().take(PAGE).copied().collect::<Vec<_>>();
        if !at.is_empty() {
            let page = self.list(context, 1, &[("include", &numbers(&at))]).await?;
            if page.posts.keys().any(|id| !at.contains(id)) {
                return Err(Failure::site(
                    format!("{} answers with other posts than it was asked for", context.settings.url),
                    "have whoever keeps the site leave wp-json out of its page cache",
                ));
            }
            self.missing.retain(|id| !page.posts.contains_key(id));
            // Asked and not there: no longer among those that are unasked.
            self.seen.extend(at.iter().map(|id| (*id, page.posts.get(id).cloned().unwrap_or_default())));
            if unasked.len() > at.len() {
                return Ok((Stage::Missing, false));
            }
        }
        let went = self.let_go(context).await?;
        Ok((self.fetch_wanted(), went))
    }

    async fn let_go(&mut self, context: &Context<'_>) -> anyhow::Result<bool> {
        let name = &context.settings.name;
        let vanished: Vec<String> = self.missing.iter().map(|id| path_of(*id)).collect();
        let there = |path: &str| id_of(path).is_some_and(|id| self.seen.contains_key(&id) && !self.missing.contains(&id));
        let now = context.clock.now();
        let mut tx = context.db.begin().await?;
        context.lease.renew(&mut tx).await?;
        let revived = removal::welcome_back(&mut tx, name, there).await?;
        let gone = removal::let_go(&mut tx, name, &vanished, now).await?;
        for id in gone.iter().filter_map(|path| id_of(path)) {
            store::forget_item(&mut tx, name, id).await?;
            trouble::clear(&mut tx, name, &path_of(id)).await?;
        }
        tx.commit().await?;
        for id in gone.iter().filter_map(|path| id_of(path)) {
            self.known.remove(&id);
        }
        for id in revived.iter().filter_map(|path| id_of(path)) {
            self.wanted.insert(id, self.seen.get(&id).cloned().unwrap_or_default());
        }
        Ok(!gone.is_empty())
    }

    /// What posts are filed under; a site that does not list it still names it in each post.
    async fn categories(&mut self, context: &Context<'_>, number: usize) -> Result<Stage, Failure> {
        let (per_page, page) = (PAGE.to_string(), number.to_string());
        let parameters = [("_fields", "id,name,slug,parent"), ("per_page", per_page.as_str()), ("page", page.as_str())];
        let response = self.ask(context, "wp/v2/categories", &parameters).await?;
        let listed: Vec<Category> = serde_json::from_slice(&response.body).unwrap_or_default();
        let before = self.categories.len();
        let count = listed.len();
        self.categories.extend(listed.into_iter().map(|category| (category.id, category)));
        let more = self.categories.len() > before && count == PAGE && number < MOST_PAGES;
        Ok(if more { Stage::Categories(number + 1) } else { Stage::Posts })
    }

    /// Fetches some of what is wanted, and takes it in.
    async fn posts(&mut self, context: &Context<'_>) -> Result<bool, Failure> {
        let at: BTreeMap<i64, String> = self.wanted.iter().take(self.batch).map(|(id, revision)| (*id, revision.clone())).collect();
        let ids: Vec<i64> = at.keys().copied().collect();
        let (include, per_page) = (numbers(&ids), ids.len().to_string());
        let parameters = [
            ("include", include.as_str()),
            ("per_page", per_page.as_str()),
            ("_embed", "author,wp:featuredmedia,wp:term"),
            ("context", "view"),
        ];
        let response = match self.ask(context, "wp/v2/posts", &parameters).await {
            Err(Failure::TooLarge(_)) if self.batch > 1 => {
                self.batch /= 2;
                return Ok(false);
            }
            Err(Failure::TooLarge(reason)) => {
                self.set_aside(context, &at, &reason).await?;
                return Ok(false);
            }
            answer => expected(answer?, context.clock.now())?,
        };
        let posts: Vec<serde_json::Value> = listing::array(&response)?;
        let changed = self.take_in(context, &at, posts).await?;
        for id in at.keys() {
            self.wanted.remove(id);
        }
        Ok(changed)
    }

    /// A post that is too large to be fetched waits for its next revision.
    async fn set_aside(&mut self, context: &Context<'_>, at: &BTreeMap<i64, String>, reason: &Reason) -> anyhow::Result<()> {
        let mut tx = context.db.begin().await?;
        context.lease.renew(&mut tx).await?;
        for (id, revision) in at {
            trouble::record_item(&mut tx, &context.settings.name, &path_of(*id), reason, context.clock.now()).await?;
            store::save_item(&mut tx, &context.settings.name, *id, revision).await?;
        }
        tx.commit().await?;
        for (id, revision) in at {
            self.wanted.remove(id);
            self.known.insert(*id, revision.clone());
        }
        Ok(())
    }

    /// Takes in posts in one transaction; those that are not for everybody go.
    async fn take_in(
        &mut self,
        context: &Context<'_>,
        asked: &BTreeMap<i64, String>,
        posts: Vec<serde_json::Value>,
    ) -> anyhow::Result<bool> {
        let name = &context.settings.name;
        let making = context.settings.making(context.site);
        let intake = context.intake(&making, self.followed.announce());
        let (mut items, mut hidden, mut revisions): (Vec<Item>, Vec<String>, Vec<(i64, String)>) = Default::default();
        let mut tx = context.db.begin().await?;
        context.lease.renew(&mut tx).await?;
        for value in posts {
            let Some(id) = value["id"].as_i64().filter(|id| asked.contains_key(id)) else { continue };
            match serde_json::from_value::<Post>(value) {
                Ok(post) => {
                    revisions.push((id, post.modified_gmt.clone().unwrap_or_default()));
                    if post.is_public() { items.push(post.into_item(&self.categories)) } else { hidden.push(path_of(id)) }
                }
                Err(error) => {
                    let reason = Reason::new(format!("the post is not understood: {error}"), "tell whoever keeps Clarion for you");
                    trouble::record_item(&mut tx, name, &path_of(id), &reason, intake.moment.now).await?;
                    revisions.push((id, asked[&id].clone()));
                }
            }
        }
        items.sort_by_key(|item| item.date);
        let mut changed = !removal::let_go(&mut tx, name, &hidden, intake.moment.now).await?.is_empty();
        for item in &mut items {
            changed |= intake.take_in(&mut tx, item).await?;
        }
        for (id, revision) in &revisions {
            store::save_item(&mut tx, name, *id, revision).await?;
        }
        tx.commit().await?;
        self.known.extend(revisions);
        Ok(changed)
    }

    /// Notes how far the source has been followed.
    async fn conclude(&mut self, context: &Context<'_>) -> anyhow::Result<()> {
        self.followed.api = self.api.as_ref().map(ToString::to_string);
        if self.everything {
            let count = store::items(&mut *context.db.reader().acquire().await?, &context.settings.name).await?.len();
            self.followed.listed_at = Some(context.clock.now().as_millis());
            self.followed.gap = self.total.map_or(0, |total| distance(total, count));
        }
        Ok(())
    }
}

/// How many more posts a site counts than are known; negative if fewer.
fn distance(total: usize, known: usize) -> i64 {
    i64::try_from(total).unwrap_or(i64::MAX) - i64::try_from(known).unwrap_or(i64::MAX)
}
