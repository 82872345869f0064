//! Sites that are kept elsewhere and followed.

mod blog;
mod feeds;
mod following;
mod misbehaving;

use crate::support::{World, language};
use clarion::content::{self, Article, Selection, Settings, SourceKind, SourceSettings, SourceStep};
use clarion::metrics::Metrics;
use clarion::task::{Kick, Step as _, Wake};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Of one answer, so that tests need not send much.
const MOST_OCTETS: u64 = 300_000;

/// A world that follows some sites.
struct Follower<'w> {
    world: &'w World,
    step: SourceStep,
    metrics: Metrics,
}

/// A source on this machine.
fn source(name: &str, kind: SourceKind, url: Url) -> SourceSettings {
    SourceSettings { name: name.to_owned(), kind, url, language: Some(language("en")), every: Duration::from_mins(10), allow_private: true }
}

impl<'w> Follower<'w> {
    fn new(world: &'w World, sources: Vec<SourceSettings>) -> Self {
        let metrics = Metrics::default();
        let settings = Settings { dir: PathBuf::from("content"), announce_within: Duration::from_hours(14 * 24), sources };
        let (db, clock, site) = (world.db.clone(), world.clock.clone(), Arc::new(world.site.clone()));
        let timeout = Duration::from_millis(1500);
        let step = SourceStep::bounded(db, clock, site, &settings, metrics.clone(), Kick::default(), MOST_OCTETS, timeout).unwrap();
        Self { world, step, metrics }
    }

    /// Calls the step until nothing is due; tells when something is.
    async fn poll(&self) -> Duration {
        loop {
            match self.step.step().await.unwrap() {
                Wake::Now => {}
                Wake::At(next) => return next.since(self.world.clock.now()),
                Wake::WhenKicked => panic!("another follower polls"),
            }
        }
    }

    /// Polls when it is time for the next poll.
    async fn poll_later(&self) -> Duration {
        self.world.pass(Duration::from_mins(12));
        self.poll().await
    }

    /// All public articles, the newest first.
    async fn articles(&self) -> Vec<Article> {
        let mut connection = self.world.db.reader().acquire().await.unwrap();
        content::latest(&mut connection, &Selection::default(), 10_000, 0).await.unwrap()
    }

    async fn titles(&self) -> Vec<String> {
        self.articles().await.into_iter().map(|article| article.title).collect()
    }

    /// The public article with a title.
    async fn article(&self, title: &str) -> Article {
        let articles = self.articles().await;
        articles.iter().find(|article| article.title == title).unwrap_or_else(|| panic!("no {title} in {articles:#?}")).clone()
    }

    /// Titles of what digests may carry.
    async fn announced(&self) -> Vec<String> {
        let mut connection = self.world.db.reader().acquire().await.unwrap();
        let ids: Vec<i64> = content::announced(&mut connection, 0, i64::MAX).await.unwrap().iter().map(|headline| headline.id).collect();
        content::by_ids(&mut connection, &ids).await.unwrap().into_iter().map(|article| article.title).collect()
    }

    /// What is wrong, a line each.
    async fn problems(&self) -> Vec<String> {
        let mut connection = self.world.db.reader().acquire().await.unwrap();
        content::problems(&mut connection).await.unwrap().iter().map(ToString::to_string).collect()
    }

    /// Subjects of the notices recorded, in order.
    async fn notices(&self) -> Vec<String> {
        sqlx::query_scalar("SELECT subject FROM notice ORDER BY id").fetch_all(self.world.db.reader()).await.unwrap()
    }

    /// Feeds, pages and digests cannot tell whether an article was taken in twice.
    async fn uids(&self) -> Vec<String> {
        let mut uids: Vec<String> = self.articles().await.into_iter().map(|article| article.uid).collect();
        uids.sort();
        uids
    }
}
