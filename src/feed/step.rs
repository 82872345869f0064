//! Publishing: which feeds a change touches, their new bytes, and when these may be served.

use super::gate::{self, Passed};
use super::history::{self, Cut};
use super::members::Members;
use super::report::{Board, Found};
use super::shelf::Publication;
use super::validators::{Decision, Validators, decide};
use super::{Feed, FeedKey, Part, Published, Settings, Shelf, Topic, closing, hub, render, store};
use crate::clock::{Clock, Timestamp};
use crate::content::{self, Article, Selection};
use crate::db::Db;
use crate::language::Catalogue;
use crate::metrics::Metrics;
use crate::site::{FeedFormat, Site};
use crate::task::{Step, Wake};
use crate::vault::content_hash;
use anyhow::Context as _;
use sqlx::AnyConnection;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Topics made in one step.
const BATCH: usize = 32;
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
    catalogue: Catalogue,
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
    /// Which articles each feed has.
    members: Members,
    /// What is the same as long as the program runs.
    lasting: Option<Arc<Lasting>>,
    /// Names of categories that are not configured.
    found: Arc<BTreeMap<String, String>>,
    /// What staff should know.
    board: Board,
}

/// What is fixed once, in the database, so that every daemon writes the same.
struct Lasting {
    /// Whose `tag:` URIs the feeds have.
    authority: String,
    /// When readers were first told of the end of a category, by its slug.
    closings: BTreeMap<String, Timestamp>,
}

/// A topic's feeds as they should be.
struct Made {
    topic: Topic,
    drafts: Vec<Publication>,
    /// Documents by which its archive grows first.
    cuts: Vec<Cut>,
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
        let lasting = self.lasting(&mut progress).await?;
        let mut made = Vec::new();
        for topic in &batch {
            let (topics_feeds, found) = self.make(topic, &lasting, &progress).await?;
            progress.board.note(topic, found);
            made.push(topics_feeds);
        }
        let (published, waiting) = self.settle(made, sequence).await?;
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
        let catalogue = Catalogue::shipped();
        Self { db, clock, site: Arc::new(site), settings, catalogue, shelf, metrics, progress: Mutex::default(), awaits_content: false }
    }

    /// The same step, which says what it has to say in these texts.
    #[must_use]
    pub fn saying(mut self, catalogue: Catalogue) -> Self {
        self.catalogue = catalogue;
        self
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
        let mut new = if progress.seen.is_none() { self.configured(progress) } else { Vec::new() };
        // At the start every feed is made in any case.
        let shown = if progress.seen.is_none() { 0 } else { usize::try_from(self.settings.items)? };
        for change in &changes {
            // A category has a feed in every language as soon as any article names it.
            for slug in &change.categories {
                let topics = self.site.languages.iter().map(|language| Topic::of_category(language, slug));
                new.extend(topics.filter(|topic| progress.members.open(topic.clone())));
            }
            progress.due.extend(progress.members.follow(&self.site, change, shown));
        }
        if !new.is_empty() {
            progress.found = Arc::new(found_titles(&mut connection).await?);
        }
        progress.due.extend(new);
        progress.seen = Some(high);
        Ok(high)
    }

    /// The feeds there are whatever articles there are.
    fn configured(&self, progress: &mut Progress) -> Vec<Topic> {
        let of_language = |language| {
            let categories = self.site.categories.iter().map(|category| Topic::of_category(language, &category.slug));
            categories.chain([Topic::site(language)]).collect::<Vec<_>>()
        };
        let topics: Vec<Topic> = self.site.languages.iter().flat_map(of_language).collect();
        for topic in &topics {
            progress.members.open(topic.clone());
        }
        topics
    }

    async fn lasting(&self, progress: &mut Progress) -> anyhow::Result<Arc<Lasting>> {
        if let Some(known) = &progress.lasting {
            return Ok(Arc::clone(known));
        }
        let mut tx = self.db.begin().await?;
        let now = self.clock.now();
        let authority = content::authority(&mut tx, &self.site, now).await?;
        let mut closings = BTreeMap::new();
        for category in &self.site.categories {
            if let Some(retired) = &category.retired {
                let told_at = store::closing_told_at(&mut tx, &closing::name(category, retired), now).await?;
                closings.insert(category.slug.clone(), told_at);
            }
        }
        tx.commit().await?;
        Ok(Arc::clone(progress.lasting.insert(Arc::new(Lasting { authority, closings }))))
    }

    /// Makes a topic's feeds in every format.
    async fn make(&self, topic: &Topic, lasting: &Arc<Lasting>, progress: &Progress) -> anyhow::Result<(Made, Found)> {
        let shown = progress.members.newest(topic, usize::try_from(self.settings.items)?);
        let mut connection = self.db.reader().acquire().await?;
        let articles = content::by_ids(&mut connection, &shown).await?;
        let translations = translations(&mut connection, &articles).await?;
        // A category's feed has what its page shows: also what was below it.
        let categories = topic.category().map(|slug| self.site.with_descendants(slug));
        let selection = Selection { language: Some(&topic.language), categories: categories.as_deref(), ..Selection::default() };
        let gone = content::gone(&mut connection, &selection, TOMBSTONES).await?;
        let last = store::last_cut(&mut connection, &topic.page(&self.site)).await?;
        drop(connection);
        let cuts = history::cuts(last, progress.members.above(topic, last.upper), &shown.into_iter().collect());
        let last = cuts.last().map_or(last.number, |cut| cut.number);
        let links = u32::try_from(last).ok().filter(|number| *number > 0).map(|number| ("prev-archive", Part::Archive(number)));
        let voice = self.catalogue.voice(&topic.language);
        let closing =
            topic.category().and_then(|slug| closing::note(&self.site, &voice, &topic.language, slug, *lasting.closings.get(slug)?));
        let (site, settings, found) = (Arc::clone(&self.site), self.settings.clone(), Arc::clone(&progress.found));
        let (topic, lasting) = (topic.clone(), Arc::clone(lasting));
        let work = move || {
            let title_of = |slug: &str| title_of(&site, &found, &topic, slug);
            let mut feed = Feed::new(&site, &settings, &lasting.authority, &topic, &articles, &translations, &title_of).with_deleted(&gone);
            feed.place(Part::Current, links.into_iter().collect());
            feed.add(closing.map(|note| note.entry(&lasting.authority)));
            let (drafts, found) = drafts(&mut feed, &FeedFormat::ALL);
            (Made { drafts, cuts, topic: topic.clone() }, found)
        };
        tokio::task::spawn_blocking(work).await.context("feeds could not be made")
    }

    /// Stores the validators of what may be published now, and where archives are cut; what must
    /// wait is named with the time to wait.
    async fn settle(&self, made: Vec<Made>, sequence: i64) -> anyhow::Result<(Vec<(FeedKey, Arc<Published>)>, Vec<(Topic, Duration)>)> {
        let mut tx = self.db.begin().await?;
        // Not the Clock: Last-Modified is compared with the Date of answers, and must agree
        // between daemons.
        let now = self.db.lease_time(&mut tx).await?;
        let (mut settled, mut waiting) = (Vec::new(), Vec::new());
        for Made { topic, drafts, cuts } in made {
            if !grow(&mut tx, &topic.page(&self.site), &cuts).await? {
                waiting.push((topic, GLANCE));
                continue;
            }
            let paths: Vec<String> = drafts.iter().map(|draft| draft.key.path(&self.site)).collect();
            let stored = store::validators(&mut tx, &paths).await?;
            for (draft, path) in drafts.into_iter().zip(paths) {
                match decide(stored.get(&path), &draft.hash, sequence, now) {
                    Decision::Same(last_modified) => settled.push((draft, last_modified)),
                    Decision::Publish(last_modified) => {
                        let validators = Validators { hash: draft.hash.clone(), last_modified, sequence };
                        store::remember(&mut tx, &path, &validators, draft.entries).await?;
                        hub::announce(&mut tx, &self.settings.hubs, &path, self.clock.now()).await?;
                        settled.push((draft, last_modified));
                    }
                    Decision::Wait(pause) => waiting.push((topic.clone(), pause)),
                    Decision::Behind => waiting.push((topic.clone(), GLANCE)),
                }
            }
        }
        tx.commit().await?;
        settled.retain(|(draft, _)| self.shelf.get(&draft.key).is_none_or(|served| served.hash != draft.hash));
        let compressed =
            tokio::task::spawn_blocking(move || settled.into_iter().map(|(draft, at)| published(draft, Some(at))).collect()).await;
        let compressed: anyhow::Result<_> = compressed.context("feeds could not be compressed")?;
        Ok((compressed?, waiting))
    }
}

/// Adds documents to an archive. False: another daemon has cut it since it was looked at.
async fn grow(connection: &mut AnyConnection, topic: &str, cuts: &[Cut]) -> anyhow::Result<bool> {
    for cut in cuts {
        if !store::cut(connection, topic, *cut).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Titles of categories that are not configured, by slug.
pub(super) async fn found_titles(connection: &mut AnyConnection) -> anyhow::Result<BTreeMap<String, String>> {
    let found = content::found_categories(connection).await?;
    Ok(found.into_iter().map(|category| (category.slug, category.title)).collect())
}

/// The articles' translations into other languages.
pub(super) async fn translations(connection: &mut AnyConnection, articles: &[Article]) -> anyhow::Result<Vec<Article>> {
    let groups: Vec<String> = articles.iter().map(|article| article.translation_group.clone()).collect();
    let own: HashSet<i64> = articles.iter().map(|article| article.id).collect();
    let siblings = content::in_groups(connection, &groups).await?;
    let others: Vec<i64> = siblings.iter().map(|headline| headline.id).filter(|id| !own.contains(id)).collect();
    content::by_ids(connection, &others).await
}

/// The name of a category: configured, as articles name it, or its slug.
pub(super) fn title_of(site: &Site, found: &BTreeMap<String, String>, topic: &Topic, slug: &str) -> String {
    match site.category(slug) {
        Some(category) => category.title.get(&topic.language).to_owned(),
        None => found.get(slug).cloned().unwrap_or_else(|| slug.to_owned()),
    }
}

/// A document of a feed in some formats, and what was found when they were made.
pub(super) fn drafts(feed: &mut Feed<'_>, formats: &[FeedFormat]) -> (Vec<Publication>, Found) {
    let Passed { documents, refused, remarks } = gate::pass(feed, formats, &render);
    let draft = |(format, bytes): (FeedFormat, Vec<u8>)| {
        let key = feed.topic.part(feed.part, format);
        Publication {
            path: key.path(feed.site),
            links: feed.header_links(format),
            title: String::from(&feed.title),
            topic: String::from(&feed.name),
            hash: content_hash(&[&bytes]),
            entries: feed.entries.len(),
            headlines: feed.headlines(),
            key,
            bytes,
        }
    };
    (documents.into_iter().map(draft).collect(), Found { remarks, refused })
}

pub(super) fn published(draft: Publication, last_modified: Option<Timestamp>) -> anyhow::Result<(FeedKey, Arc<Published>)> {
    let key = draft.key.clone();
    Ok((key, Arc::new(Published::new(draft, last_modified)?)))
}
