//! The daemon's story: open, listen, run every step until told to stop.

mod punctual;
mod steps;

pub use punctual::Punctual;

use crate::clock::Clock;
use crate::config::Config;
use crate::content::Register;
use crate::db::Db;
use crate::delivery::Rates;
use crate::feed::Shelf;
use crate::inbound;
use crate::metrics::Metrics;
use crate::task::{self, Kick, Step};
use crate::vault::Vault;
use crate::web::{self, Kicks, Server, Shared, State};
use anyhow::{Context as _, anyhow};
use std::fs::File;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

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
    inbound: inbound::Settings,
    role: Role,
    server: Option<Server>,
    metrics_server: Option<Server>,
    rates: Rates,
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
            catalogue: config.catalogue,
            shelf: Shelf::default(),
            register: Register::default(),
            metrics: Metrics::default(),
            digests: config.digests,
            petitions: config.petitions,
            feed: config.feed,
            content: config.content,
            mail: config.mail,
            delivery: config.delivery,
            staff: config.staff,
            notices: config.notices,
            web: config.web,
            kicks: Kicks::default(),
        });
        let server = match role {
            Role::All | Role::Web => Some(Server::bind(state.web.listen, web::answers(state.clone())).await?),
            Role::Worker => None,
        };
        let metrics_server = match state.web.metrics_listen {
            Some(listen) => Some(Server::bind(listen, web::metrics_router(state.clone())).await?),
            None => None,
        };
        Ok(Self { state, inbound: config.inbound, role, server, metrics_server, rates: config.rates, _lock: lock })
    }

    /// Where pages and feeds are served, if they are.
    pub fn address(&self) -> Option<SocketAddr> {
        self.server.as_ref().and_then(|server| server.address().ok())
    }

    /// Runs until shutdown; the step each loop is in is finished first.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        // What can be refused is refused before anything runs.
        let delivery = steps::delivery(&self.state)?.limited(self.rates)?.until(shutdown.clone());
        let sources = steps::sources(&self.state)?;
        let hub = steps::hub(&self.state)?;
        let mut tasks = JoinSet::new();
        for server in [self.server, self.metrics_server].into_iter().flatten() {
            tasks.spawn(server.run(shutdown.clone()));
        }
        let state = &self.state;
        // Until every other loop has ended, which may use a connection to the database made there.
        let apart = CancellationToken::new();
        let _apart = apart.clone().drop_guard();
        let lane = task::lane("delivery", apart)?;
        let mut loops = Loops { tasks: &mut tasks, clock: &state.clock, shutdown: &shutdown };
        if self.role != Role::Worker {
            let reading = state.clone();
            // The first visitor need not wait for it.
            tokio::spawn(async move { reading.register.lines(&reading.db, &reading.site).await });
            loops.begin(steps::feed(state), &state.kicks.feed);
            loops.begin(steps::coding(state), &state.shelf.published);
            loops.begin(steps::readers(state), &Kick::default());
        }
        if self.role != Role::Web {
            loops.begin(steps::content(state), &state.kicks.content);
            loops.begin(sources, &Kick::default());
            loops.begin(hub, &Kick::default());
            loops.begin(steps::signup(state), &state.kicks.signup);
            loops.begin(steps::inbound(state), &Kick::default());
            if let Some(step) = steps::maildir(state, &self.inbound) {
                loops.begin(step, &Kick::default());
            }
            if let Some(step) = steps::imap(state, &self.inbound) {
                loops.begin(step, &Kick::default());
            }
            loops.begin_punctual(steps::digest(state), &state.db, &Kick::default());
            if let Some(step) = steps::petition(state) {
                loops.begin_punctual(step, &state.db, &state.kicks.petition);
            }
            loops.begin_punctual(steps::notice(state), &state.db, &Kick::default());
            loops.begin_punctual(steps::translations(state), &state.db, &Kick::default());
            loops.begin_punctual(steps::preview(state), &state.db, &Kick::default());
            // A mail is a dozen short waits: for the relay, the ledger, the relay again.
            let delivery = loops.punctual(delivery, &state.db);
            loops.begin_on(&lane, delivery, &state.kicks.delivery);
        }
        supervise(tasks, &shutdown).await?;
        self.state.db.close().await;
        Ok(())
    }
}

/// Begins the loops of steps.
struct Loops<'a> {
    tasks: &'a mut JoinSet<anyhow::Result<()>>,
    clock: &'a Clock,
    shutdown: &'a CancellationToken,
}

impl Loops<'_> {
    /// Begins a step that must not run by a wrong clock.
    fn begin_punctual<S: Step>(&mut self, step: S, db: &Db, kick: &Kick) {
        self.begin(self.punctual(step, db), kick);
    }

    fn punctual<S: Step>(&self, step: S, db: &Db) -> Punctual<S> {
        Punctual::new(step, db.clone(), self.clock.clone())
    }

    fn begin<S: Step>(&mut self, step: S, kick: &Kick) {
        self.begin_on(&Handle::current(), step, kick);
    }

    fn begin_on<S: Step>(&mut self, runtime: &Handle, step: S, kick: &Kick) {
        let ended = runtime.spawn(task::run(Arc::new(step), self.clock.clone(), kick.clone(), self.shutdown.clone()));
        let ended = AbortOnDropHandle::new(ended);
        self.tasks.spawn(async move { ended.await.context("a step broke down") });
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
