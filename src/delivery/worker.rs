//! Makes deliveries leave, in rounds: claim, carry on several connections at once, settle.

use super::Settings;
use super::carrier::{Board, Round, Tools};
use super::filling::Filler;
use super::ledger::{self, Claim, Claimant};
use super::pace::Pace;
use super::rules::{Ended, settle};
use super::scribe::{Scribe, Unwritten, catch_up};
use super::tidy::tidy;
use crate::clock::{Clock, Timestamp};
use crate::db::Db;
use crate::mail::{self, Link, Transport};
use crate::metrics::Metrics;
use crate::noticeboard::{self, Notice};
use crate::site::Site;
use crate::task::{Step, Wake};
use crate::vault::{Vault, random_name};
use anyhow::Context as _;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Deliveries claimed in one round, at most.
const CLAIM: i64 = 200;
/// While the relay is down, it is tried so often (S21).
const RELAY_PAUSE: Duration = Duration::from_mins(1);
/// Staff are told of a relay that is down for so long.
const TELL_AFTER: Duration = Duration::from_mins(30);
/// Connections without work are closed after this: sooner than relays do it.
const IDLE: Duration = Duration::from_secs(20);
/// The notice of a relay that is down.
const RELAY_DOWN: &str = "relay-down";

/// Who this process is in leases.
static OWNER: LazyLock<String> = LazyLock::new(random_name);

/// Sends what is due.
pub struct DeliveryStep {
    db: Db,
    tools: Tools,
    settings: Settings,
    /// Only this mailing, if one.
    only: Option<i64>,
    unwritten: Unwritten,
    memory: Mutex<Memory>,
}

/// What one round leaves to the next.
struct Memory {
    idle: Vec<(Link, Instant)>,
    /// Connections that the relay bears now.
    width: u32,
    /// Since when, and until when, nothing is tried.
    down: Option<(Timestamp, Timestamp)>,
}

impl DeliveryStep {
    /// Sends through the configured transport. On `SQLite` the caller holds
    /// [`Db::lock_daemon`]: what another process claimed there counts as left by a crash.
    pub fn new(
        db: Db,
        vault: Vault,
        clock: Clock,
        site: Site,
        mail: mail::Settings,
        settings: Settings,
        metrics: Metrics,
    ) -> anyhow::Result<Self> {
        let transport = Transport::new(&mail).context("mail cannot be sent as configured")?;
        let pace = Arc::new(Pace::new(settings.per_second));
        let memory = Mutex::new(Memory { idle: Vec::new(), width: settings.connections, down: None });
        let tools = Tools { filler: Filler { vault, site, mail }, transport, clock, metrics, pace };
        Ok(Self { db, tools, settings, only: None, unwritten: Unwritten::default(), memory })
    }

    /// The same step for one mailing alone.
    #[must_use]
    pub fn only(self, mailing: i64) -> Self {
        Self { only: Some(mailing), ..self }
    }

    /// What is due now, after everything that time has changed is put in order.
    async fn look(&self) -> anyhow::Result<Vec<i64>> {
        let mut tx = self.db.begin().await?;
        let claimant = self.claimant(&mut tx).await?;
        tidy(&mut tx, self.db.engine(), claimant).await?;
        let due = if super::frozen(&mut tx).await? { Vec::new() } else { ledger::due_mailings(&mut tx, self.only, claimant.now).await? };
        tx.commit().await?;
        Ok(due)
    }

    async fn claimant(&self, connection: &mut sqlx::AnyConnection) -> anyhow::Result<Claimant<'static>> {
        let lease_time = self.db.lease_time(connection).await?;
        Ok(Claimant { owner: &OWNER, now: self.tools.clock.now(), lease_time })
    }

    /// Claims and carries. Returns whether anything was claimed or skipped.
    async fn round(&self, memory: &mut Memory, due: &[i64]) -> anyhow::Result<bool> {
        let mut tx = self.db.begin().await?;
        let claimant = self.claimant(&mut tx).await?;
        let (claims, skipped) = ledger::claim(&mut tx, due, self.appetite(), claimant).await?;
        let variants = ledger::variants(&mut tx, &claims).await?;
        tx.commit().await?;
        let wide = usize::try_from(memory.width)?.min(claims.len());
        let found = claims.len() + skipped;
        let (scribe, writing) = Scribe::start(self.db.clone(), Arc::clone(&self.unwritten));
        let round = Arc::new(Round::new(self.tools.clone(), scribe.clone(), variants, claims));
        let outcome = carry(&round, memory, wide).await;
        let mut board = round.end();
        let returned = self.give_back(&scribe, std::mem::take(&mut board.waiting)).await;
        drop((round, scribe));
        writing.await.context("the ledger's writer failed")?;
        // Only now, when nothing claimed is left behind by an error.
        self.learn(memory, &board).await?;
        outcome.and(returned)?;
        Ok(found > 0)
    }

    /// As many as a round can send at the configured pace.
    fn appetite(&self) -> i64 {
        match self.settings.per_second {
            0 => CLAIM,
            per_second => (i64::from(per_second) * 10).min(CLAIM),
        }
    }

    /// Deliveries that were not begun wait again, and nothing is counted.
    async fn give_back(&self, scribe: &Scribe, claims: impl IntoIterator<Item = Claim>) -> anyhow::Result<()> {
        let now = self.tools.clock.now();
        let untried: Vec<_> = claims.into_iter().map(|claim| settle(&claim.attempt, &Ended::Untried, now)).collect();
        if !untried.is_empty() {
            scribe.write(untried, None).await?;
        }
        Ok(())
    }

    /// A relay that has too much to do gets half as many connections, and one more after each
    /// good round (S21).
    async fn learn(&self, memory: &mut Memory, board: &Board) -> anyhow::Result<()> {
        memory.width = if board.overloaded { (memory.width / 2).max(1) } else { (memory.width + 1).min(self.settings.connections) };
        if let Some((mailing, why)) = &board.unmade {
            self.tell_of_unmade(*mailing, why).await?;
        }
        match &board.trouble {
            Some(trouble) => self.relay_is_down(memory, trouble).await,
            None => self.relay_is_up(memory).await,
        }
    }

    async fn relay_is_down(&self, memory: &mut Memory, trouble: &str) -> anyhow::Result<()> {
        let now = self.tools.clock.now();
        let since = memory.down.map_or(now, |(since, _)| since);
        memory.down = Some((since, now + RELAY_PAUSE));
        tracing::warn!(trouble, "no mail can be sent now; everything waits");
        if now.since(since) >= TELL_AFTER {
            let body = format!(
                "Since {since} no mail can be sent: {trouble}\n\nNothing is lost: everything waits and goes out when the relay takes mail \
                 again. Look at [mail] transport in the configuration, or ask whoever runs the relay."
            );
            let mut tx = self.db.begin().await?;
            noticeboard::record(&mut tx, &Notice { key: RELAY_DOWN, subject: "The mail relay does not take mail", body: &body }, now)
                .await?;
            tx.commit().await?;
        }
        Ok(())
    }

    async fn tell_of_unmade(&self, mailing: i64, why: &str) -> anyhow::Result<()> {
        let body = format!(
            "At least one mail of mailing {mailing} could not be made and was not sent: {why}\n\n\
             To see which: clarion mailing report {mailing}\nOnce the cause is mended, send them with: clarion mailing retry {mailing}"
        );
        let notice = Notice { key: &format!("mail-unmade:{mailing}"), subject: "A mail could not be made", body: &body };
        let mut tx = self.db.begin().await?;
        noticeboard::record(&mut tx, &notice, self.tools.clock.now()).await?;
        tx.commit().await
    }

    async fn relay_is_up(&self, memory: &mut Memory) -> anyhow::Result<()> {
        if memory.down.take().is_some() {
            let mut tx = self.db.begin().await?;
            noticeboard::clear(&mut tx, RELAY_DOWN).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Opens one connection before anything is claimed, so that a relay that is down costs
    /// nothing else.
    async fn probe(&self, memory: &mut Memory) -> anyhow::Result<bool> {
        if !memory.idle.is_empty() {
            return Ok(true);
        }
        match self.tools.transport.open().await {
            Ok(link) => {
                memory.idle.push((link, Instant::now()));
                Ok(true)
            }
            Err(trouble) => {
                self.relay_is_down(memory, &format!("{trouble:#}")).await?;
                Ok(false)
            }
        }
    }
}

impl Memory {
    fn blocked_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.down.map(|(_, until)| until).filter(|until| *until > now)
    }

    async fn close_idle(&mut self, longer_than: Duration) {
        for (link, since) in std::mem::take(&mut self.idle) {
            if since.elapsed() > longer_than {
                link.close().await;
            } else {
                self.idle.push((link, since));
            }
        }
    }
}

/// Shares a round out among so many connections and keeps those that still serve.
async fn carry(round: &Arc<Round>, memory: &mut Memory, wide: usize) -> anyhow::Result<()> {
    let mut carriers = JoinSet::new();
    for _ in 0..wide {
        let (round, link) = (Arc::clone(round), memory.idle.pop().map(|(link, _)| link));
        carriers.spawn(async move { round.carry(link).await });
    }
    let mut outcome = Ok(());
    while let Some(ended) = carriers.join_next().await {
        match ended.context("a connection's work failed").flatten() {
            Ok(Some(link)) => memory.idle.push((link, Instant::now())),
            Ok(None) => {}
            Err(error) => outcome = Err(error),
        }
    }
    outcome
}

impl Step for DeliveryStep {
    const NAME: &'static str = "delivery";

    async fn step(&self) -> anyhow::Result<Wake> {
        let mut memory = self.memory.lock().await;
        catch_up(&self.db, &self.unwritten).await?;
        memory.close_idle(IDLE).await;
        let due = self.look().await?;
        if due.is_empty() {
            return Ok(Wake::WhenKicked);
        }
        if let Some(until) = memory.blocked_until(self.tools.clock.now()) {
            return Ok(Wake::At(until));
        }
        if self.probe(&mut memory).await? && self.round(&mut memory, &due).await? && memory.down.is_none() {
            return Ok(Wake::Now);
        }
        Ok(memory.blocked_until(self.tools.clock.now()).map_or(Wake::WhenKicked, Wake::At))
    }

    /// Takes leave of the relay.
    async fn end(&self) -> anyhow::Result<()> {
        self.memory.lock().await.close_idle(Duration::ZERO).await;
        Ok(())
    }
}
