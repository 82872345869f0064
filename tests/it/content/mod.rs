//! Articles: from files in a folder to what feeds, pages and digests read.

mod accidents;
mod articles;
mod files;
mod media;
mod pages;
mod previews;
mod races;
mod refused;
mod storm;
mod translations;

use crate::support::World;
use clarion::content::{self, Article, ContentStep, Selection, Settings};
use clarion::metrics::Metrics;
use clarion::task::{Kick, Step as _, Wake};
use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// Short, so that tests need not wait two seconds.
const STILLNESS: Duration = Duration::from_millis(200);

/// A content folder, and the step that keeps the store to it.
struct Room<'w> {
    world: &'w World,
    root: PathBuf,
    step: ContentStep,
    metrics: Metrics,
}

impl<'w> Room<'w> {
    fn new(world: &'w World) -> Self {
        let root = world.folder.path().join("content");
        fs::create_dir_all(&root).unwrap();
        let metrics = Metrics::default();
        let step = step(world, &root, &metrics);
        Self { world, root, step, metrics }
    }

    /// Puts a complete file into the folder, as editors and synchronisers do: by a rename.
    fn save(&self, path: &str, text: &str) {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let aside = self.world.folder.path().join(format!("aside-{number}"));
        fs::write(&aside, text).unwrap();
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + number);
        File::options().write(true).open(&aside).unwrap().set_modified(modified).unwrap();
        let target = self.root.join(path);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::rename(aside, target).unwrap();
    }

    fn delete(&self, path: &str) {
        fs::remove_file(self.root.join(path)).unwrap();
    }

    /// Calls the step until it has nothing more to do at once.
    async fn scan(&self) -> Wake {
        self.step.look_at_everything();
        loop {
            match self.step.step().await.unwrap() {
                Wake::Now => {}
                wake => return wake,
            }
        }
    }

    /// Scans, and again when what has changed in place, or vanished, counts.
    async fn scan_when_still(&self) {
        self.scan().await;
        tokio::time::sleep(STILLNESS + Duration::from_millis(50)).await;
        self.scan().await;
    }

    /// All public articles, the newest first.
    async fn articles(&self) -> Vec<Article> {
        let mut connection = self.world.db.reader().acquire().await.unwrap();
        content::latest(&mut connection, &Selection::default(), 1000, 0).await.unwrap()
    }

    async fn titles(&self) -> Vec<String> {
        self.articles().await.into_iter().map(|article| article.title).collect()
    }

    /// The one public article.
    async fn article(&self) -> Article {
        let mut articles = self.articles().await;
        assert_eq!(articles.len(), 1, "{articles:#?}");
        articles.remove(0)
    }

    /// What is wrong in the folder, a line each.
    async fn problems(&self) -> Vec<String> {
        let mut connection = self.world.db.reader().acquire().await.unwrap();
        content::problems(&mut connection).await.unwrap().iter().map(ToString::to_string).collect()
    }

    /// Subjects of the notices recorded, in order.
    async fn notices(&self) -> Vec<String> {
        sqlx::query_scalar("SELECT subject FROM notice ORDER BY id").fetch_all(self.world.db.reader()).await.unwrap()
    }

    /// Staff have had their mail.
    async fn tell(&self) {
        sqlx::query("UPDATE notice SET told_at = recorded_at").execute(self.world.db.reader()).await.unwrap();
    }

    async fn announced(&self) -> Vec<i64> {
        let mut connection = self.world.db.reader().acquire().await.unwrap();
        content::announced(&mut connection, 0, i64::MAX).await.unwrap().into_iter().map(|headline| headline.id).collect()
    }
}

fn step(world: &World, root: &std::path::Path, metrics: &Metrics) -> ContentStep {
    let settings = Settings { dir: root.to_owned(), announce_within: Duration::from_hours(14 * 24), sources: Vec::new() };
    let (wake, changed) = (Kick::default(), Kick::default());
    ContentStep::new(world.db.clone(), world.clock.clone(), Arc::new(world.site.clone()), settings, metrics.clone(), wake, changed)
        .with_stillness(STILLNESS)
}

/// An article's file.
fn file(title: &str, date: &str, more: &str, body: &str) -> String {
    format!("+++\ntitle = \"{title}\"\ndate = {date}\n{more}\n+++\n{body}\n")
}
