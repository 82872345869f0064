//! The daemon's story: open, listen, run every step until told to stop.

use crate::clock::Clock;
use crate::config::Config;
use crate::content::ContentStep;
use crate::db::Db;
use crate::delivery::DeliveryStep;
use crate::digest::DigestStep;
use crate::feed::{FeedStep, Shelf};
use crate::language::Catalogue;
use crate::metrics::Metrics;
use crate::notice::NoticeStep;
use crate::petition::{Office, PetitionStep};
use crate::subscription::SignupStep;
use crate::task::{self, Kick, Step};
use crate::vault::Vault;
use crate::web::{self, Kicks, Server, Shared, State};
use anyhow::anyhow;
use std::fs::File;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What a daemon does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Everything.
    #[default]
    All,
    /// Pages and feeds.
    Web,
    /// Watching, cutting, sending.
    Worker,
}

/// A daemon, listening and ready to run.
pub struct App {
    state: State,
    role: Role,
    server: Option<Server>,
    metrics_server: Option<Server>,
    /// Held for as long as the daemon runs: one daemon per SQLite file.
    _lock: Option<File>,
}

impl App {
    /// Opens the database and the vault, and binds the addresses.
    pub async fn build(config: Config, clock: Clock, role: Role) -> anyhow::Result<Self> {
        let db = Db::open(&config.database).await?;
        let lock = db.lock_daemon()?;
        let vault = Vault::open(&db, &config.key_file, clock.now()).await?;
        let state = State::new(Shared {
            site: config.site,
            db,
            vault,
            clock,
            catalogue: Catalogue::shipped(),
            shelf: Shelf::default(),
            metrics: Metrics::default(),
            digests: config.digests,
            petitions: config.petitions,
            feed: config.feed,
            content: config.content,
            mail: config.mail,
            delivery: config.delivery,
            staff: config.staff,
            web: config.web,
            kicks: Kicks::default(),
        });
        let server = match role {
            Role::All | Role::Web => Some(Server::bind(state.web.listen, web::router(state.clone())).await?),
            Role::Worker => None,
        };
        let metrics_server = match state.web.metrics_listen {
            Some(listen) => Some(Server::bind(listen, web::metrics_router(state.clone())).await?),
            None => None,
        };
        Ok(Self { state, role, server, metrics_server, _lock: lock })
    }

    /// Where pages and feeds are served, if they are.
    pub fn address(&self) -> Option<SocketAddr> {
        self.server.as_ref().and_then(|server| server.address().ok())
    }

    /// Runs until shutdown; the step each loop is in is finished first.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let mut tasks = JoinSet::new();
        for server in [self.server, self.metrics_server].into_iter().flatten() {
            tasks.spawn(server.run(shutdown.clone()));
        }
        let state = &self.state;
        let mut loops = Loops { tasks: &mut tasks, clock: &state.clock, shutdown: &shutdown };
        if self.role != Role::Worker {
            loops.begin(feed_step(state), &state.kicks.feed);
        }
        if self.role != Role::Web {
            loops.begin(content_step(state), &state.kicks.content);
            loops.begin(signup_step(state), &state.kicks.signup);
            loops.begin(digest_step(state), &Kick::default());
            if let Some(step) = petition_step(state) {
                loops.begin(step, &state.kicks.petition);
            }
            loops.begin(notice_step(state), &Kick::default());
            loops.begin(delivery_step(state)?, &state.kicks.delivery);
        }
        supervise(tasks, &shutdown).await?;
        self.state.db.close().await;
        Ok(())
    }
}

fn feed_step(state: &State) -> FeedStep {
    FeedStep::new(state.db.clone(), state.clock.clone(), state.site.clone(), state.feed.clone(), state.shelf.clone(), state.metrics.clone())
}

fn content_step(state: &State) -> ContentStep {
    let (wake, changed) = (state.kicks.content.clone(), state.kicks.feed.clone());
    let site = Arc::new(state.site.clone());
    ContentStep::new(state.db.clone(), state.clock.clone(), site, state.content.clone(), state.metrics.clone(), wake, changed).watching()
}

fn signup_step(state: &State) -> SignupStep {
    let rhythms = state.digests.iter().map(|digest| digest.name.clone()).collect();
    let delivery = state.kicks.delivery.clone();
    SignupStep::new(
        state.db.clone(),
        state.vault.clone(),
        state.clock.clone(),
        state.site.clone(),
        state.catalogue.clone(),
        rhythms,
        delivery,
    )
}

fn digest_step(state: &State) -> DigestStep {
    DigestStep {
        db: state.db.clone(),
        vault: state.vault.clone(),
        clock: state.clock.clone(),
        site: state.site.clone(),
        catalogue: state.catalogue.clone(),
        digests: state.digests.clone(),
        on_doubt: state.delivery.on_doubt,
        delivery: state.kicks.delivery.clone(),
    }
}

fn petition_step(state: &State) -> Option<PetitionStep> {
    Some(PetitionStep::new(Office {
        db: state.db.clone(),
        vault: state.vault.clone(),
        clock: state.clock.clone(),
        site: state.site.clone(),
        catalogue: state.catalogue.clone(),
        settings: state.petitions.clone()?,
        staff: state.staff.clone(),
        mail_leaves: state.mail.transport.leaves_the_machine(),
        on_doubt: state.delivery.on_doubt,
        delivery: state.kicks.delivery.clone(),
    }))
}

fn notice_step(state: &State) -> NoticeStep {
    let (staff, delivery) = (state.staff.clone(), state.kicks.delivery.clone());
    NoticeStep::new(
        state.db.clone(),
        state.vault.clone(),
        state.clock.clone(),
        state.site.clone(),
        state.catalogue.clone(),
        staff,
        delivery,
    )
}

fn delivery_step(state: &State) -> anyhow::Result<DeliveryStep> {
    let (site, mail) = (state.site.clone(), state.mail.clone());
    DeliveryStep::new(state.db.clone(), state.vault.clone(), state.clock.clone(), site, mail, state.delivery.clone(), state.metrics.clone())
}

/// Begins the loops of steps.
struct Loops<'a> {
    tasks: &'a mut JoinSet<anyhow::Result<()>>,
    clock: &'a Clock,
    shutdown: &'a CancellationToken,
}

impl Loops<'_> {
    fn begin<S: Step>(&mut self, step: S, kick: &Kick) {
        let loop_ = task::run(Arc::new(step), self.clock.clone(), kick.clone(), self.shutdown.clone());
        self.tasks.spawn(async move {
            loop_.await;
            Ok(())
        });
    }
}

/// Waits for everything to end. What ends before shutdown ends the daemon: half a daemon that
/// seems to run is worse than one that is seen to have stopped.
async fn supervise(mut tasks: JoinSet<anyhow::Result<()>>, shutdown: &CancellationToken) -> anyhow::Result<()> {
    let mut outcome = Ok(());
    while let Some(ended) = tasks.join_next().await {
        let early = !shutdown.is_cancelled();
        shutdown.cancel();
        outcome = match ended {
            Ok(Ok(())) if early && outcome.is_ok() => Err(anyhow!("a part of the daemon ended before it was told to")),
            Ok(Ok(())) => outcome,
            Ok(Err(error)) => outcome.and(Err(error)),
            Err(panic) => outcome.and(Err(anyhow!("a part of the daemon broke down: {panic}"))),
        };
    }
    outcome
}
