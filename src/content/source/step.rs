//! Sources polled when they are due, one request a step.

use super::poll::{Context, Failure, Poll};
use super::store::{self, Followed};
use super::{Settings, pause_after, trouble};
use crate::clock::{Clock, Timestamp};
use crate::content::lease::Lease;
use crate::db::Db;
use crate::fetch::{Fetch, Rules};
use crate::metrics::Metrics;
use crate::problem::Reason;
use crate::site::Site;
use crate::task::{Kick, Step, Wake};
use crate::vault::{random, random_name};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// How long a daemon that has died keeps another from polling; twice a request.
const LEASE: Duration = Duration::from_mins(3);
/// For one request with its redirects and the whole answer.
const TIMEOUT: Duration = Duration::from_mins(1);
/// Of one answer: fifty long posts, or a feed that holds everything.
const MOST_OCTETS: u64 = 32 * 1024 * 1024;

/// Follows the sources.
pub struct SourceStep {
    db: Db,
    clock: Clock,
    site: Arc<Site>,
    sources: Vec<Settings>,
    names: Vec<String>,
    announce_within: Duration,
    metrics: Metrics,
    changed: Kick,
    lease: Lease,
    clients: HashMap<String, Fetch>,
    desk: Mutex<Desk>,
}

/// What is in progress; all of it can be begun again.
#[derive(Default)]
struct Desk {
    polls: HashMap<String, Poll>,
    /// Whose turn it was.
    turn: usize,
}

impl SourceStep {
    /// A step for the configured sources. `changed` is kicked after every change that feeds must
    /// follow.
    pub fn new(
        db: Db,
        clock: Clock,
        site: Arc<Site>,
        settings: &crate::content::Settings,
        metrics: Metrics,
        changed: Kick,
    ) -> anyhow::Result<Self> {
        Self::bounded(db, clock, site, settings, metrics, changed, MOST_OCTETS, TIMEOUT)
    }

    /// The same step with other bounds on what is asked.
    #[expect(clippy::too_many_arguments, reason = "what a step is given, and two bounds")]
    pub fn bounded(
        db: Db,
        clock: Clock,
        site: Arc<Site>,
        settings: &crate::content::Settings,
        metrics: Metrics,
        changed: Kick,
        most_octets: u64,
        timeout: Duration,
    ) -> anyhow::Result<Self> {
        let sources = settings.sources.clone();
        let client = |source: &Settings| {
            let rules = Rules { allow_private: source.allow_private, most_octets, timeout };
            Ok((source.name.clone(), Fetch::new(rules, &site.base_url)?))
        };
        let clients = sources.iter().map(client).collect::<anyhow::Result<_>>()?;
        Ok(Self {
            lease: Lease::new(db.clone(), "sources", random_name(), LEASE),
            names: sources.iter().map(|source| source.name.clone()).collect(),
            announce_within: settings.announce_within,
            db,
            clock,
            site,
            sources,
            metrics,
            changed,
            clients,
            desk: Mutex::default(),
        })
    }

    fn context<'c>(&'c self, settings: &'c Settings) -> Option<Context<'c>> {
        Some(Context {
            db: &self.db,
            lease: &self.lease,
            clock: &self.clock,
            site: &self.site,
            settings,
            names: &self.names,
            announce_within: self.announce_within,
            fetch: self.clients.get(&settings.name)?,
        })
    }

    /// How far each source has been followed, by what is configured now.
    async fn followed(&self) -> anyhow::Result<Vec<Followed>> {
        let mut all = Vec::with_capacity(self.sources.len());
        for settings in &self.sources {
            let known = store::followed(&mut *self.db.reader().acquire().await?, &settings.name).await?;
            let (identity, making) = (settings.identity(), settings.making(&self.site));
            let followed = match known {
                Some(known) if known.identity == identity && known.making == making => known,
                known => self.begin_anew(settings, known, identity, making).await?,
            };
            all.push(followed);
        }
        Ok(all)
    }

    /// A source that is new, or at another address, counts as never polled; one whose articles
    /// would now be made otherwise is fetched again.
    async fn begin_anew(&self, settings: &Settings, known: Option<Followed>, identity: String, making: String) -> anyhow::Result<Followed> {
        let same_site = known.filter(|known| known.identity == identity);
        let followed = Followed {
            name: settings.name.clone(),
            identity,
            making,
            complete_at: same_site.as_ref().and_then(|known| known.complete_at),
            polled_at: same_site.as_ref().and_then(|known| known.polled_at),
            ..Followed::default()
        };
        let mut tx = self.db.begin().await?;
        self.lease.renew(&mut tx).await?;
        store::forget_revisions(&mut tx, &settings.name).await?;
        store::save(&mut tx, &followed).await?;
        tx.commit().await?;
        Ok(followed)
    }

    /// Takes the poll of a source one request further. Returns whether anything public changed.
    async fn advance(&self, desk: &mut Desk, settings: &Settings, followed: &Followed) -> anyhow::Result<bool> {
        let Some(context) = self.context(settings) else { return Ok(false) };
        let mut poll = match desk.polls.remove(&settings.name) {
            Some(poll) => poll,
            None => Poll::begin(&context, followed.clone()).await?,
        };
        match poll.advance(&context).await {
            Ok(progress) if progress.done => {
                self.succeeded(settings, poll.into_followed()).await?;
                Ok(progress.changed)
            }
            Ok(progress) => {
                desk.polls.insert(settings.name.clone(), poll);
                Ok(progress.changed)
            }
            Err(Failure::Own(error)) => Err(error),
            Err(Failure::TooLarge(reason)) => self.failed(settings, followed, &reason, None).await,
            Err(Failure::Site { reason, retry_after }) => self.failed(settings, followed, &reason, retry_after).await,
        }
    }

    async fn succeeded(&self, settings: &Settings, followed: Followed) -> anyhow::Result<()> {
        let now = self.clock.now();
        let first = followed.complete_at.is_none();
        let next = now + pause_after(0, settings.every, Some(settings.every), chance());
        let followed = Followed {
            complete_at: Some(followed.complete_at.unwrap_or(now.as_millis())),
            polled_at: Some(now.as_millis()),
            next_poll_at: next.as_millis(),
            failures: 0,
            ..followed
        };
        let mut tx = self.db.begin().await?;
        self.lease.renew(&mut tx).await?;
        store::save(&mut tx, &followed).await?;
        trouble::record_success(&mut tx, &settings.name, now).await?;
        tx.commit().await?;
        if first {
            tracing::info!(source = settings.name, "a source was read whole for the first time; from now on its news are announced");
        }
        Ok(())
    }

    /// Keeps everything, and tries again later.
    async fn failed(
        &self,
        settings: &Settings,
        followed: &Followed,
        reason: &Reason,
        retry_after: Option<Duration>,
    ) -> anyhow::Result<bool> {
        let now = self.clock.now();
        let failures = followed.failures.saturating_add(1);
        let pause = pause_after(u32::try_from(failures).unwrap_or(u32::MAX), settings.every, retry_after, chance());
        // Where the interface was found is found anew: it may have moved.
        let followed = Followed { failures, next_poll_at: (now + pause).as_millis(), api: None, ..followed.clone() };
        let mut tx = self.db.begin().await?;
        self.lease.renew(&mut tx).await?;
        store::save(&mut tx, &followed).await?;
        trouble::record_failure(&mut tx, &settings.name, reason, failures, followed.complete_at.is_none(), now).await?;
        tx.commit().await?;
        if failures == 1 {
            tracing::warn!(source = settings.name, error = reason.message, "a source could not be read; what was published stays");
        }
        Ok(false)
    }
}

impl Step for SourceStep {
    const NAME: &'static str = "sources";

    async fn step(&self) -> anyhow::Result<Wake> {
        if self.sources.is_empty() {
            return Ok(Wake::WhenKicked);
        }
        let mut desk = self.desk.lock().await;
        if !self.lease.hold().await? {
            // Another daemon polls.
            *desk = Desk::default();
            self.metrics.source_problems.set(0);
            return Ok(Wake::WhenKicked);
        }
        let followed = self.followed().await?;
        let now = self.clock.now();
        let is_due = |at: &usize| Timestamp::from_millis(followed[*at].next_poll_at) <= now;
        let count = self.sources.len();
        let Some(at) = (1..=count).map(|after| (desk.turn + after) % count).find(is_due) else {
            let failing = followed.iter().filter(|followed| followed.failures > 0).count();
            self.metrics.source_problems.set(i64::try_from(failing)?);
            let next = followed.iter().map(|followed| followed.next_poll_at).min();
            return Ok(next.map_or(Wake::WhenKicked, |next| Wake::At(Timestamp::from_millis(next))));
        };
        desk.turn = at;
        if self.advance(&mut desk, &self.sources[at], &followed[at]).await? {
            self.changed.kick();
        }
        Ok(Wake::Now)
    }

    /// Gives up the right to poll, so that another daemon need not wait for it to run out.
    async fn end(&self) -> anyhow::Result<()> {
        if self.sources.is_empty() { Ok(()) } else { self.lease.release().await }
    }
}

/// From 0 to 1.
fn chance() -> f64 {
    f64::from(u16::from_le_bytes(random())) / f64::from(u16::MAX)
}
