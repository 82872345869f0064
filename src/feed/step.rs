//! Publishing: which feeds a change touches, their new bytes, and when these may be served.

use super::gate::{self, Passed};
use super::report::{Board, Found};
use super::validators::{Decision, Validators, decide};
use super::{Feed, FeedKey, Published, Settings, Shelf, Topic, hub, render, store};
use crate::clock::{Clock, Timestamp};
use crate::content::{self, Article, Change, Selection};
use crate::db::Db;
use crate::metrics::Metrics;
use crate::site::{FeedFormat, Site};
use crate::task::{Step, Wake};
use crate::vault::content_hash;
use anyhow::Context as _;
use flate2::Compression;
use flate2::write::GzEncoder;
use sqlx::AnyConnection;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Topics made in one step.
const BATCH: usize = 32;
/// So many changes at once, an import say, are followed by making every feed.
const CROWD: usize = 500;
/// What is gone is told of so many articles.
const TOMBSTONES: i64 = 50;
/// How soon to look again when another daemon was ahead.
const GLANCE: Duration = Duration::from_millis(100);

/// Keeps the shelf up to date: every feed at the start, afterwards those that a change touches.
pub struct FeedStep {
    db: Db,
    clock: Clock,
    site: Arc<Site>,
    settings: Settings,
    shelf: Shelf,
    metrics: Metrics,
    progress: Mutex<Progress>,
    /// Whether the content folder must have been looked at before there are feeds.
    awaits_content: bool,
}

#[derive(Default)]
struct Progress {
    /// Changes up to here are noted; nothing before the first look.
    seen: Option<i64>,
    /// What must be made again.
    due: BTreeSet<Topic>,
    /// What each feed showed when it was last made.
    shown: HashMap<Topic, Shown>,
    /// Whose `tag:` URIs the feeds have.
    authority: Option<String>,
    /// Names of categories that are not configured.
    found: Arc<BTreeMap<String, String>>,
    /// What staff should know.
    board: Board,
}

/// An article that leaves a category no longer says where it was, and a new translation belongs
/// into feeds of other languages: what a feed shows is remembered.
#[derive(Default)]
struct Shown {
    articles: HashSet<i64>,
    groups: HashSet<String>,
}

/// Bytes of a feed, not yet published.
struct Draft {
    key: FeedKey,
    title: String,
    topic: String,
    bytes: Vec<u8>,
    hash: String,
}

impl Step for FeedStep {
    const NAME: &'static str = "feed";

    async fn step(&self) -> anyhow::Result<Wake> {
        let mut progress = self.progress.lock().await;
        if self.awaits_content && progress.seen.is_none() {
            let mut connection = self.db.reader().acquire().await?;
            if content::first_look(&mut connection).await?.is_none() {
                return Ok(Wake::WhenKicked);
            }
        }
        let sequence = self.look(&mut progress).await?;
        let batch: Vec<Topic> = progress.due.iter().take(BATCH).cloned().collect();
        if batch.is_empty() {
            if !self.shelf.is_complete() {
                self.shelf.publish(&[], true);
            }
            return Ok(Wake::WhenKicked);
        }
        let authority = self.authority(&mut progress).await?;
        let mut drafts = Vec::new();
        for topic in &batch {
            let (shown, found, made) = self.make(topic, &authority, &progress.found).await?;
            progress.board.note(topic, found);
            progress.shown.insert(topic.clone(), shown);
            drafts.extend(made);
        }
        let (published, waiting) = self.settle(drafts, sequence).await?;
        for topic in &batch {
            progress.due.remove(topic);
        }
        let more = !progress.due.is_empty();
        let pause = waiting.iter().map(|(_, pause)| *pause).min();
        progress.due.extend(waiting.into_iter().map(|(topic, _)| topic));
        let report = progress.board.report();
        report.show(&self.metrics, &self.shelf);
        self.shelf.publish(&published, progress.due.is_empty());
        self.metrics.feeds_published.inc_by(published.len() as u64);
        if progress.due.is_empty() {
            progress.board.tell(&self.db, &self.site, report, self.clock.now()).await?;
        }
        Ok(match pause {
            _ if more => Wake::Now,
            Some(pause) => Wake::At(self.clock.now() + pause),
            None => Wake::Now,
        })
    }
}

impl FeedStep {
    /// A step that publishes to `shelf`.
    pub fn new(db: Db, clock: Clock, site: Site, settings: Settings, shelf: Shelf, metrics: Metrics) -> Self {
        Self { db, clock, site: Arc::new(site), settings, shelf, metrics, progress: Mutex::default(), awaits_content: false }
    }

    /// The same step, which makes no feed of a new database before the content folder has been
    /// looked at: readers would keep an empty feed.
    #[must_use]
    pub fn awaiting_content(mut self) -> Self {
        self.awaits_content = true;
        self
    }

    /// Notes what changed since the last look; returns the state of the articles seen.
    async fn look(&self, progress: &mut Progress) -> anyhow::Result<i64> {
        let mut connection = self.db.reader().acquire().await?;
        let high = content::high_water(&mut connection).await?;
        if progress.seen.is_some_and(|seen| seen >= high) {
            return Ok(high);
        }
        let changes = content::changed_since(&mut connection, progress.seen.unwrap_or(0)).await?;
        let found = content::found_categories(&mut connection).await?;
        progress.found = Arc::new(found.into_iter().map(|category| (category.slug, category.title)).collect());
        let topics = if progress.seen.is_none() || changes.len() > CROWD {
            self.all_topics(&progress.shown, &changes)
        } else {
            let ids: Vec<i64> = changes.iter().map(|change| change.id).collect();
            let public = content::by_ids(&mut connection, &ids).await?;
            self.touched(&progress.shown, &changes, &public)
        };
        progress.due.extend(topics);
        progress.seen = Some(high);
        Ok(high)
    }

    /// Whose `tag:` URIs the feeds have: fixed once, like those of the articles.
    async fn authority(&self, progress: &mut Progress) -> anyhow::Result<String> {
        if let Some(known) = &progress.authority {
            return Ok(known.clone());
        }
        let mut tx = self.db.begin().await?;
        let authority = content::authority(&mut tx, &self.site, self.clock.now()).await?;
        tx.commit().await?;
        Ok(progress.authority.insert(authority).clone())
    }

    /// Every feed there should be: a category is one that is configured, or that any article
    /// names.
    fn all_topics(&self, shown: &HashMap<Topic, Shown>, changes: &[Change]) -> BTreeSet<Topic> {
        let configured = self.site.categories.iter().map(|category| &category.slug);
        let named = changes.iter().flat_map(|change| &change.categories);
        let categories: BTreeSet<Option<&String>> = configured.chain(named).map(Some).chain([None]).collect();
        let of_language = |language| categories.iter().map(move |category| topic(language, category.cloned()));
        self.site.languages.iter().flat_map(of_language).chain(shown.keys().cloned()).collect()
    }

    /// The feeds of the article's language and categories, and those that showed it, a
    /// translation of it, or one of which it has become the translation.
    fn touched(&self, shown: &HashMap<Topic, Shown>, changes: &[Change], public: &[Article]) -> BTreeSet<Topic> {
        let here = changes.iter().filter(|change| self.site.languages.contains(&change.language));
        let mut touched: BTreeSet<Topic> = here
            .flat_map(|change| {
                let above = change.categories.iter().flat_map(|slug| self.site.ancestors(slug)).map(|category| category.slug.clone());
                let categories = change.categories.iter().cloned().chain(above).map(Some).chain([None]);
                categories.map(|category| topic(&change.language, category))
            })
            .collect();
        let concerned = |feed: &Shown| {
            changes.iter().any(|change| feed.articles.contains(&change.id))
                || public.iter().any(|article| feed.groups.contains(&article.translation_group))
        };
        touched.extend(shown.iter().filter(|(_, feed)| concerned(feed)).map(|(topic, _)| topic.clone()));
        touched
    }

    /// Makes a topic's feeds in every format.
    async fn make(
        &self,
        topic: &Topic,
        authority: &str,
        found: &Arc<BTreeMap<String, String>>,
    ) -> anyhow::Result<(Shown, Found, Vec<Draft>)> {
        let mut connection = self.db.reader().acquire().await?;
        // A category's feed has what its page shows: also the articles of those below it.
        let categories = topic.category.as_ref().map(|slug| self.site.with_descendants(slug));
        let selection = Selection { language: Some(&topic.language), categories: categories.as_deref(), ..Selection::default() };
        let articles = content::latest(&mut connection, &selection, i64::from(self.settings.items), 0).await?;
        let translations = translations(&mut connection, &articles).await?;
        let gone = content::gone(&mut connection, &selection, TOMBSTONES).await?;
        drop(connection);
        let shown = Shown {
            articles: articles.iter().chain(&translations).map(|article| article.id).collect(),
            groups: articles.iter().map(|article| article.translation_group.clone()).collect(),
        };
        let (site, settings, found) = (Arc::clone(&self.site), self.settings.clone(), Arc::clone(found));
        let (topic, authority) = (topic.clone(), authority.to_owned());
        let work = move || {
            let title_of = |slug: &str| title_of(&site, &found, &topic, slug);
            let mut feed = Feed::new(&site, &settings, &authority, &topic, &articles, &translations, &title_of).with_deleted(&gone);
            let (title, name) = (String::from(&feed.title), String::from(&feed.name));
            let Passed { documents, refused, remarks } = gate::pass(&mut feed, &FeedFormat::ALL, &render);
            let draft = |(format, bytes): (FeedFormat, Vec<u8>)| {
                let hash = content_hash(&[&bytes]);
                Draft { key: topic.key(format), title: title.clone(), topic: name.clone(), bytes, hash }
            };
            (Found { remarks, refused }, documents.into_iter().map(draft).collect())
        };
        let (found, drafts) = tokio::task::spawn_blocking(work).await.context("feeds could not be made")?;
        Ok((shown, found, drafts))
    }

    /// Stores the validators of what may be published now; what must wait is named with the
    /// time to wait.
    async fn settle(&self, drafts: Vec<Draft>, sequence: i64) -> anyhow::Result<(Vec<(FeedKey, Arc<Published>)>, Vec<(Topic, Duration)>)> {
        let mut tx = self.db.begin().await?;
        // Not the Clock: Last-Modified is compared with the Date of answers, and must agree
        // between daemons.
        let now = self.db.lease_time(&mut tx).await?;
        let stored = store::validators(&mut tx).await?;
        let (mut settled, mut waiting) = (Vec::new(), Vec::new());
        for draft in drafts {
            let path = draft.key.path(&self.site);
            let wait = |pause| (Topic { language: draft.key.language.clone(), category: draft.key.category.clone() }, pause);
            match decide(stored.get(&path), &draft.hash, sequence, now) {
                Decision::Same(last_modified) => settled.push((draft, last_modified)),
                Decision::Publish(last_modified) => {
                    let validators = Validators { hash: draft.hash.clone(), last_modified, sequence };
                    store::remember(&mut tx, &path, &validators).await?;
                    hub::announce(&mut tx, &self.settings.hubs, &path, self.clock.now()).await?;
                    settled.push((draft, last_modified));
                }
                Decision::Wait(pause) => waiting.push(wait(pause)),
                Decision::Behind => waiting.push(wait(GLANCE)),
            }
        }
        tx.commit().await?;
        settled.retain(|(draft, _)| self.shelf.get(&draft.key).is_none_or(|served| served.hash != draft.hash));
        let compressed = tokio::task::spawn_blocking(move || settled.into_iter().map(published).collect()).await;
        let compressed: anyhow::Result<_> = compressed.context("feeds could not be compressed")?;
        Ok((compressed?, waiting))
    }
}

fn topic(language: &crate::language::Language, category: Option<String>) -> Topic {
    Topic { language: language.clone(), category }
}

/// The articles' translations into other languages.
async fn translations(connection: &mut AnyConnection, articles: &[Article]) -> anyhow::Result<Vec<Article>> {
    let groups: Vec<String> = articles.iter().map(|article| article.translation_group.clone()).collect();
    let own: HashSet<i64> = articles.iter().map(|article| article.id).collect();
    let siblings = content::in_groups(connection, &groups).await?;
    let others: Vec<i64> = siblings.iter().map(|headline| headline.id).filter(|id| !own.contains(id)).collect();
    content::by_ids(connection, &others).await
}

/// The name of a category: configured, as articles name it, or its slug.
fn title_of(site: &Site, found: &BTreeMap<String, String>, topic: &Topic, slug: &str) -> String {
    match site.category(slug) {
        Some(category) => category.title.get(&topic.language).to_owned(),
        None => found.get(slug).cloned().unwrap_or_else(|| slug.to_owned()),
    }
}

fn published((draft, last_modified): (Draft, Timestamp)) -> anyhow::Result<(FeedKey, Arc<Published>)> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(draft.bytes.len() / 3), Compression::default());
    encoder.write_all(&draft.bytes)?;
    let gzip = encoder.finish()?;
    let feed = Published { title: draft.title, topic: draft.topic, identity: draft.bytes, gzip, hash: draft.hash, last_modified };
    Ok((draft.key, Arc::new(feed)))
}
