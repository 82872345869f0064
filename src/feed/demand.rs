//! Feeds that few ask for: of a tag, an author, a time, several categories; later pages; the
//! archive; public mailings; comments. They are made when somebody asks, and kept as long as there
//! is room.
//!
//! They are right after every change: what was kept is served only while nothing has changed since
//! it was made, or nothing that is in it. They carry an `ETag`, made from their bytes, which is
//! the same on every daemon, and no `Last-Modified`: that would have to be stored with every
//! request for a feed that nobody has asked for before, or differ between daemons.

use super::heading::Heading;
use super::plan::{Contents, Plan, Planner};
use super::step::{drafts, found_titles, published, title_of, translations};
use super::topic::{FeedKey, Subject, Topic};
use super::{Feed, Published, Settings};
use crate::clock::Clock;
use crate::content::{self, Lines, Register};
use crate::db::Db;
use crate::language::Catalogue;
use crate::site::Site;
use anyhow::Context as _;
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OnceCell, Semaphore};

/// In octets, of bytes with their compressed forms: some hundred feeds.
const ROOM: usize = 32_000_000;
/// Feeds made at the same moment: a small machine has other things to do.
const AT_ONCE: usize = 2;
/// Requests that may wait for a feed to be made.
const MOST_WAITING: usize = 64;
/// Requests for the same feed make it once: they wait for each other here.
const TURNS: usize = 64;

/// The feeds that are made when asked for. Clones share what is kept.
#[derive(Clone)]
pub struct Demand(Arc<Inner>);

struct Inner {
    db: Db,
    clock: Clock,
    site: Arc<Site>,
    settings: Settings,
    catalogue: Catalogue,
    register: Register,
    authority: OnceCell<String>,
    kept: Mutex<Kept>,
    turns: Vec<tokio::sync::Mutex<()>>,
    presses: Semaphore,
    waiting: AtomicUsize,
}

/// What a request for such a feed comes to.
pub enum Answer {
    /// Here it is.
    Found(Arc<Published>),
    /// There is none.
    Unknown,
    /// So many are being made that nobody can say when it would be this one's turn.
    Busy,
}

#[derive(Default)]
struct Kept {
    feeds: HashMap<FeedKey, Entry>,
    octets: usize,
    /// Counts uses: the smaller an entry's, the longer ago.
    uses: u64,
}

struct Entry {
    feed: Arc<Published>,
    /// Of everything that the bytes were made from.
    stamp: String,
    /// Nothing in it had changed by then.
    sequence: i64,
    used: u64,
}

impl Demand {
    /// Feeds of this site.
    pub fn new(db: Db, clock: Clock, site: Site, settings: Settings, catalogue: Catalogue, register: Register) -> Self {
        let turns = (0..TURNS).map(|_| tokio::sync::Mutex::default()).collect();
        Self(Arc::new(Inner {
            db,
            clock,
            site: Arc::new(site),
            settings,
            catalogue,
            register,
            authority: OnceCell::new(),
            kept: Mutex::default(),
            turns,
            presses: Semaphore::new(AT_ONCE),
            waiting: AtomicUsize::new(0),
        }))
    }

    /// A feed as it is now.
    pub async fn get(&self, key: &FeedKey) -> anyhow::Result<Answer> {
        let inner = &self.0;
        let lines = inner.register.lines(&inner.db, &inner.site).await?;
        if let Some(feed) = inner.kept(key, |entry| entry.sequence >= lines.sequence() && follows_articles(&key.topic)) {
            return Ok(Answer::Found(feed));
        }
        // Before anybody waits: what is asked at random costs a look-up.
        if !inner.is_known(key, &lines).await? {
            return Ok(Answer::Unknown);
        }
        let Some(_place) = Place::among(&inner.waiting) else { return Ok(Answer::Busy) };
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let turn = usize::try_from(hasher.finish() % TURNS as u64)?;
        let _turn = inner.turns[turn].lock().await;
        let _press = inner.presses.acquire().await?;
        inner.make(key, &lines).await
    }
}

/// Whether a feed changes with articles alone, so that their sequence tells that it has not.
fn follows_articles(topic: &Topic) -> bool {
    matches!(topic.subject, Subject::Articles(_))
}

impl Inner {
    /// What is kept, if `fits`.
    fn kept(&self, key: &FeedKey, fits: impl Fn(&mut Entry) -> bool) -> Option<Arc<Published>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.uses += 1;
        let now = kept.uses;
        let entry = kept.feeds.get_mut(key)?;
        entry.used = now;
        fits(entry).then(|| Arc::clone(&entry.feed))
    }

    async fn is_known(&self, key: &FeedKey, lines: &Arc<Lines>) -> anyhow::Result<bool> {
        let Subject::Articles(filter) = &key.topic.subject else { return Ok(true) };
        let (filter, site, lines) = (filter.clone(), Arc::clone(&self.site), Arc::clone(lines));
        // The first after a change walks over every line, off the threads that answer.
        let known = tokio::task::spawn_blocking(move || filter.is_known(&site, lines.words())).await;
        known.context("the words of articles could not be found")
    }

    async fn make(&self, key: &FeedKey, lines: &Arc<Lines>) -> anyhow::Result<Answer> {
        let mut connection = self.db.reader().acquire().await?;
        let titles = Arc::new(found_titles(&mut connection).await?);
        let (voice, items) = (self.catalogue.voice(&key.topic.language), usize::try_from(self.settings.items)?);
        let planner = Planner { site: Arc::clone(&self.site), items, voice, titles: Arc::clone(&titles) };
        let Some(plan) = planner.plan(&mut connection, key, lines).await? else { return Ok(Answer::Unknown) };
        drop(connection);
        let confirmed = |entry: &mut Entry| {
            let same = entry.stamp == plan.stamp;
            if same {
                entry.sequence = entry.sequence.max(lines.sequence());
            }
            same
        };
        if let Some(feed) = self.kept(key, confirmed) {
            return Ok(Answer::Found(feed));
        }
        let stamp = plan.stamp.clone();
        let feed = Arc::new(self.print(key, plan, titles).await?);
        self.keep(key.clone(), Entry { feed: Arc::clone(&feed), stamp, sequence: lines.sequence(), used: 0 });
        Ok(Answer::Found(feed))
    }

    async fn print(&self, key: &FeedKey, plan: Plan, titles: Arc<BTreeMap<String, String>>) -> anyhow::Result<Published> {
        let authority = self.authority().await?.clone();
        let (articles, others) = match &plan.contents {
            Contents::Articles(ids) => {
                let mut connection = self.db.reader().acquire().await?;
                let articles = content::by_ids(&mut connection, ids).await?;
                let others = translations(&mut connection, &articles).await?;
                (articles, others)
            }
            Contents::Notes(_) => (Vec::new(), Vec::new()),
        };
        let (site, settings, key) = (Arc::clone(&self.site), self.settings.clone(), key.clone());
        let work = move || {
            let title = |slug: &str| title_of(&site, &titles, &key.topic, slug);
            let mut feed = Feed::new(&site, &settings, &authority, &key.topic, &articles, &others, &title);
            if let Some(Heading { name, title, description }) = plan.heading {
                feed.call(&name, &title, &description);
            }
            if let Contents::Notes(notes) = plan.contents {
                feed.add(notes.into_iter().map(|note| note.entry(&authority)));
            }
            feed.place(key.part, plan.beside);
            let (drafts, found) = drafts(&mut feed, &[key.format]);
            match drafts.into_iter().next() {
                Some(draft) => published(draft, None).map(|(_, feed)| feed),
                None => anyhow::bail!("what was made of a feed is not fit to be published: {:?}", found.refused),
            }
        };
        let feed = tokio::task::spawn_blocking(work).await.context("a feed could not be made")??;
        Arc::try_unwrap(feed).map_err(|_| anyhow::anyhow!("a feed just made is shared"))
    }

    async fn authority(&self) -> anyhow::Result<&String> {
        self.authority
            .get_or_try_init(|| async {
                let mut tx = self.db.begin().await?;
                let authority = content::authority(&mut tx, &self.site, self.clock.now()).await?;
                tx.commit().await?;
                Ok(authority)
            })
            .await
    }

    /// Keeps a feed, and lets go of those not asked for the longest where there is no room.
    fn keep(&self, key: FeedKey, mut entry: Entry) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.uses += 1;
        entry.used = kept.uses;
        kept.octets += size(&entry);
        if let Some(old) = kept.feeds.insert(key, entry) {
            kept.octets -= size(&old);
        }
        while kept.octets > ROOM {
            let Some(oldest) = kept.feeds.iter().min_by_key(|(_, entry)| entry.used).map(|(key, _)| key.clone()) else { break };
            if let Some(old) = kept.feeds.remove(&oldest) {
                kept.octets -= size(&old);
            }
        }
    }
}

fn size(entry: &Entry) -> usize {
    entry.feed.coded.octets()
}

/// A place among those who wait; given back when it is dropped.
struct Place<'w>(&'w AtomicUsize);

impl<'w> Place<'w> {
    fn among(waiting: &'w AtomicUsize) -> Option<Self> {
        let place = Self(waiting);
        (place.0.fetch_add(1, Ordering::Relaxed) < MOST_WAITING).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_takes_no_more_than_it_has_places_for() {
        let waiting = AtomicUsize::new(0);
        let mut places: Vec<_> = (0..MOST_WAITING).map(|_| Place::among(&waiting)).collect();
        assert!(places.iter().all(Option::is_some));
        assert!(Place::among(&waiting).is_none());
        assert!(Place::among(&waiting).is_none(), "who is turned away takes no place");
        places.pop();
        assert!(Place::among(&waiting).is_some());
    }
}
