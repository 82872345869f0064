//! Makes deliveries leave, in rounds: claim, carry on several connections at once, settle.

use super::Settings;
use super::board::Board;
use super::carrier::{Round, Tools};
use super::composing::Composer;
use super::filling::Filler;
use super::ledger::{self, Claim, Claimant};
use super::pace::Pace;
use super::rate::{Admitted, Allowance, Gate, Rates};
use super::relays::{Choice, Relays, forget_others, record_health};
use super::rules::{Ended, settle};
use super::scribe::{Scribe, Unwritten, catch_up};
use super::tidy::tidy;
use crate::clock::{Clock, Timestamp};
use crate::db::{Db, Engine};
use crate::mail::{self, Link, RelayTimeouts};
use crate::metrics::{Metrics, RelayName};
use crate::noticeboard::{self, Notice};
use crate::site::Site;
use crate::task::{Step, Wake};
use crate::vault::{Vault, random_name};
use anyhow::Context as _;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Deliveries claimed at once: enough that fifty connections do not wait for the next, and no more
/// than one commit gives back quickly.
const CLAIM: i64 = 800;
/// Staff are told of a relay that is down for so long.
const TELL_AFTER: Duration = Duration::from_mins(30);
/// Connections without work are closed after this: sooner than relays do it.
const IDLE: Duration = Duration::from_secs(20);
/// Claims are renewed so often while a relay lets us wait; a few times within [`ledger::LEASE`].
const RENEWAL: Duration = Duration::from_secs(15);
/// The notice of a relay that is down, before its name.
const RELAY_DOWN: &str = "relay-down";

/// Who this process is in leases.
static OWNER: LazyLock<String> = LazyLock::new(random_name);

/// Sends what is due.
pub struct DeliveryStep {
    db: Db,
    tools: Tools,
    settings: Settings,
    gate: Gate,
    /// Only this mailing, if one.
    only: Option<i64>,
    unwritten: Unwritten,
    memory: Mutex<Memory>,
}

/// What one round leaves to the next.
struct Memory {
    relays: Relays,
    /// What has been recorded of each relay: since when it is down.
    recorded: BTreeMap<String, Option<Timestamp>>,
    /// Nothing but urgent mail leaves before.
    full_until: Option<Timestamp>,
    /// Deliveries that a relay was too busy or too slow for.
    spared: HashSet<i64>,
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
        let relays = Relays::new(&mail, &Rates::default(), settings.connections).context("mail cannot be sent as configured")?;
        let memory = Mutex::new(Memory { relays, recorded: BTreeMap::new(), full_until: None, spared: HashSet::new() });
        let gate = Gate::new(Rates::default(), site.time_zone.clone());
        let pace = Arc::new(Pace::new(settings.per_second));
        let filler = Filler { vault, site, mail };
        let composer = Arc::new(Composer::start(filler.clone()).context("the operating system gives no threads")?);
        let tools = Tools { filler, composer, clock, metrics, pace, stop: CancellationToken::new() };
        Ok(Self { db, tools, settings, gate, only: None, unwritten: Unwritten::default(), memory })
    }

    /// The same step for one mailing alone.
    #[must_use]
    pub fn only(self, mailing: i64) -> Self {
        Self { only: Some(mailing), ..self }
    }

    /// The same step within limits.
    pub fn limited(mut self, rates: Rates) -> anyhow::Result<Self> {
        self.memory.get_mut().relays = Relays::new(&self.tools.filler.mail, &rates, self.settings.connections)?;
        self.gate = Gate::new(rates, self.tools.filler.site.time_zone.clone());
        Ok(self)
    }

    /// The same step, which begins nothing more once it is told to stop.
    #[must_use]
    pub fn until(mut self, stop: CancellationToken) -> Self {
        self.tools.stop = stop;
        self
    }

    /// The same step with other patience with relays.
    #[must_use]
    pub fn with_timeouts(mut self, timeouts: RelayTimeouts) -> Self {
        self.memory.get_mut().relays.set_timeouts(timeouts);
        self
    }

    /// What is due now, after everything that time has changed is put in order.
    async fn look(&self) -> anyhow::Result<Vec<i64>> {
        let mut connection = self.db.reader().acquire().await?;
        let claimant = self.claimant(&mut connection).await?;
        drop(connection);
        tidy(&self.db, claimant).await?;
        self.due().await
    }

    async fn due(&self) -> anyhow::Result<Vec<i64>> {
        let mut connection = self.db.reader().acquire().await?;
        if super::frozen(&mut connection).await? {
            return Ok(Vec::new());
        }
        ledger::due_mailings(&mut connection, self.only, self.tools.clock.now()).await
    }

    async fn claimant(&self, connection: &mut sqlx::AnyConnection) -> anyhow::Result<Claimant<'static>> {
        let lease_time = self.db.lease_time(connection).await?;
        Ok(Claimant { owner: &OWNER, now: self.tools.clock.now(), lease_time })
    }

    /// Whether a limit was reached and still is, and nobody waits for any of this: then no relay is
    /// connected to. The limits are asked again, and nothing is taken.
    async fn is_full(&self, memory: &Memory, due: &[i64]) -> anyhow::Result<bool> {
        let now = self.tools.clock.now();
        if memory.full_until.is_none_or(|until| until <= now) {
            return Ok(false);
        }
        let mut tx = self.db.begin().await?;
        let full = matches!(self.gate.allowance(&mut tx, now).await?, Allowance::UrgentBefore(_));
        Ok(full && ledger::urgent(&mut tx, due).await?.is_empty())
    }

    /// Claims what the limits allow, and no more than `most`.
    async fn claim(&self, memory: &mut Memory, due: &[i64], most: i64) -> anyhow::Result<Claimed> {
        let mut tx = self.db.begin().await?;
        let claimant = self.claimant(&mut tx).await?;
        let now = claimant.now;
        let (urgent, limit);
        let (due, limit) = match self.gate.allowance(&mut tx, now).await? {
            Allowance::Mails(mails) => {
                memory.full_until = None;
                limit = mails.min(most);
                (due, limit)
            }
            Allowance::UrgentBefore(until) => {
                memory.full_until = Some(until);
                urgent = ledger::urgent(&mut tx, due).await?;
                (&urgent[..], most)
            }
        };
        let (claims, skipped) = ledger::claim(&mut tx, due, limit, claimant).await?;
        let found = claims.len() + skipped;
        let admitted = self.gate.admit(&mut tx, &self.tools.filler, claims, now).await?;
        ledger::settle(&mut tx, &admitted.put_off).await?;
        let variants = ledger::variants(&mut tx, &admitted.claims).await?;
        tx.commit().await?;
        Ok(Claimed { admitted, variants, found, is_whole: i64::try_from(found)? >= limit })
    }

    /// Claims and carries through one relay. Returns whether anything was claimed or skipped.
    async fn round(&self, memory: &mut Memory, index: usize, due: &[i64]) -> anyhow::Result<bool> {
        let Claimed { admitted, variants, found, is_whole } = self.claim(memory, due, self.appetite()).await?;
        let way = memory.relays.way(index);
        let wide = usize::try_from(way.width)?.min(admitted.claims.len());
        if wide == 0 {
            return Ok(found > 0);
        }
        let (scribe, writing) = Scribe::start(self.db.clone(), Arc::clone(&self.unwritten), wide);
        // One that begins narrow is over soon, and the next is wider.
        let goes_on = is_whole && wide == usize::try_from(way.width)?;
        let (transport, mut idle) = (way.transport.clone(), std::mem::take(&mut way.idle));
        let (spared, low) = (std::mem::take(&mut memory.spared), usize::try_from(self.appetite() / 2)?);
        let round = Arc::new(Round::new(self.tools.clone(), transport, scribe.clone(), spared, low));
        self.add(&round, admitted, variants);
        let outcome = tokio::select! {
            outcome = self.carry(&round, &mut idle, wide, goes_on.then_some(&mut *memory)) => outcome,
            never = self.keep_claims() => match never {},
        };
        memory.relays.way(index).idle.append(&mut idle);
        let mut board = round.end();
        // Where nobody got an answer, it was not about them.
        memory.spared = if board.has_answered() { std::mem::take(&mut board.spared) } else { HashSet::new() };
        let returned = self.give_back(&scribe, &mut board).await;
        drop((round, scribe));
        writing.await.context("the ledger's writer failed")?;
        // Only now, when nothing claimed is left behind by an error.
        self.learn(memory, index, &board).await?;
        outcome.and(returned)?;
        Ok(found > 0)
    }

    fn add(&self, round: &Round, admitted: Admitted, variants: HashMap<i64, ledger::Variant>) {
        let caps: Vec<(usize, u32)> = admitted.groups.values().map(|group| (*group, self.gate.connections(*group))).collect();
        round.add(admitted.claims, variants, admitted.groups, caps);
    }

    /// Carries a round, and claims more for it where there is more.
    async fn carry(
        &self,
        round: &Arc<Round>,
        idle: &mut Vec<(Link, Instant)>,
        wide: usize,
        more: Option<&mut Memory>,
    ) -> anyhow::Result<()> {
        let is_over = CancellationToken::new();
        let carrying = async {
            let outcome = share_out(round, idle, wide).await;
            is_over.cancel();
            outcome
        };
        let refilling = async {
            match more {
                Some(memory) => self.refill(round, memory, &is_over).await,
                None => Ok(()),
            }
        };
        let (carried, refilled) = tokio::join!(carrying, refilling);
        carried.and(refilled)
    }

    /// Claims more while a round goes on, each time before its connections have nothing to do. A
    /// claim once begun is waited for, whatever becomes of the round: it is given back with the rest.
    async fn refill(&self, round: &Round, memory: &mut Memory, is_over: &CancellationToken) -> anyhow::Result<()> {
        while let Some(wanted) = round.wants_more(is_over).await {
            let claimed = async {
                let due = self.due().await?;
                self.claim(memory, &due, i64::try_from(wanted).unwrap_or(CLAIM).min(CLAIM)).await
            };
            let claimed = claimed.await.map(|Claimed { admitted, variants, is_whole, .. }| {
                self.add(round, admitted, variants);
                is_whole
            });
            round.refilled();
            if !claimed? {
                break;
            }
        }
        Ok(())
    }

    /// Renews what is claimed for as long as it is polled. On SQLite nobody else claims.
    async fn keep_claims(&self) -> std::convert::Infallible {
        if self.db.engine() == Engine::Sqlite {
            return std::future::pending().await;
        }
        loop {
            tokio::time::sleep(RENEWAL).await;
            let renewed = async {
                let mut tx = self.db.begin().await?;
                let claimant = self.claimant(&mut tx).await?;
                ledger::renew(&mut tx, claimant).await?;
                tx.commit().await
            };
            if let Err(error) = renewed.await {
                tracing::warn!(error = format!("{error:#}"), "claims could not be renewed; another daemon may take them up");
            }
        }
    }

    /// As many as can be sent at the configured pace while a round lasts.
    fn appetite(&self) -> i64 {
        match self.settings.per_second {
            0 => CLAIM,
            per_second => (i64::from(per_second) * 10).min(CLAIM),
        }
    }

    /// Deliveries that were not begun wait again, and nothing is counted.
    async fn give_back(&self, scribe: &Scribe, board: &mut Board) -> anyhow::Result<()> {
        let now = self.tools.clock.now();
        let waiting: Vec<Claim> = std::mem::take(&mut board.waiting).into();
        if !waiting.is_empty() {
            scribe.write(waiting.iter().map(|claim| settle(&claim.attempt, &Ended::Untried, now)).collect(), None).await?;
        }
        let claims: Vec<Claim> = waiting.into_iter().chain(std::mem::take(&mut board.returned)).collect();
        if self.gate.counts() && !claims.is_empty() {
            let mut tx = self.db.begin().await?;
            self.gate.refund(&mut tx, claims.iter().map(|claim| board.group(claim)), now).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// What a round showed of its relay and of its mailings.
    async fn learn(&self, memory: &mut Memory, index: usize, board: &Board) -> anyhow::Result<()> {
        let now = self.tools.clock.now();
        if let Some((mailing, why)) = &board.unmade {
            self.tell_of_unmade(*mailing, why).await?;
        }
        memory.relays.learn(index, board, now);
        self.record_relays(memory).await
    }

    /// Records what has changed about the relays, and tells staff of one that is down for long.
    async fn record_relays(&self, memory: &mut Memory) -> anyhow::Result<()> {
        let now = self.tools.clock.now();
        let many = memory.relays.iter().count() > 1;
        if memory.recorded.is_empty() {
            let names: Vec<&str> = memory.relays.iter().map(|way| way.name.as_str()).collect();
            let mut tx = self.db.begin().await?;
            forget_others(&mut tx, &names).await?;
            tx.commit().await?;
        }
        for way in memory.relays.iter() {
            let down = way.down();
            self.tools.metrics.relay_up.get_or_create(&RelayName { relay: way.name.clone() }).set(i64::from(down.is_none()));
            let key = if many { format!("{RELAY_DOWN}:{}", way.name) } else { RELAY_DOWN.to_owned() };
            let since = down.map(|down| down.since);
            if memory.recorded.get(&way.name) != Some(&since) {
                let mut tx = self.db.begin().await?;
                record_health(&mut tx, &way.name, down, now).await?;
                if since.is_none() {
                    noticeboard::clear(&mut tx, &key).await?;
                }
                tx.commit().await?;
                memory.recorded.insert(way.name.clone(), since);
            }
            if let Some(down) = down.filter(|down| down.is_known(now) && now.since(down.since) >= TELL_AFTER) {
                self.tell_of_relay(&key, &way.name, down.since, &down.trouble, many).await?;
            }
        }
        Ok(())
    }

    async fn tell_of_relay(&self, key: &str, name: &str, since: Timestamp, trouble: &str, many: bool) -> anyhow::Result<()> {
        let other = if many { " Where another relay takes mail, it goes through that one." } else { "" };
        let body = format!(
            "Since {since} no mail can be sent through {name}: {trouble}\n\nNothing is lost: what does not leave waits, and goes out when \
             the relay takes mail again.{other} Look at [mail] in the configuration, or ask whoever runs the relay."
        );
        let mut tx = self.db.begin().await?;
        let notice = Notice { key, subject: "The mail relay does not take mail", body: &body };
        noticeboard::record(&mut tx, &notice, self.tools.clock.now()).await?;
        tx.commit().await
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

    /// When there is something to do again, as far as is known.
    async fn wake(&self, memory: &Memory) -> anyhow::Result<Wake> {
        let now = self.tools.clock.now();
        let mut connection = self.db.reader().acquire().await?;
        let next = self.gate.next_due(&mut connection, now).await?;
        let times = [next, memory.full_until.filter(|until| *until > now)];
        Ok(times.into_iter().flatten().map(Wake::At).fold(Wake::WhenKicked, Wake::or_sooner))
    }
}

/// What was claimed for a round.
struct Claimed {
    admitted: Admitted,
    variants: HashMap<i64, ledger::Variant>,
    /// Claimed or skipped.
    found: usize,
    /// As many as were asked for, so that there may be more.
    is_whole: bool,
}

/// Shares a round out among so many connections and keeps those that still serve.
async fn share_out(round: &Arc<Round>, idle: &mut Vec<(Link, Instant)>, wide: usize) -> anyhow::Result<()> {
    let mut carriers = JoinSet::new();
    for _ in 0..wide {
        let (round, link) = (Arc::clone(round), idle.pop().map(|(link, _)| link));
        carriers.spawn(async move { round.carry(link).await });
    }
    let mut outcome = Ok(());
    while let Some(ended) = carriers.join_next().await {
        match ended.context("a connection's work failed").flatten() {
            Ok(Some(link)) => idle.push((link, Instant::now())),
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
        memory.relays.close_idle(IDLE).await;
        let due = self.look().await?;
        if due.is_empty() || self.is_full(&memory, &due).await? {
            return self.wake(&memory).await;
        }
        let choice = memory.relays.choose(self.tools.clock.now()).await;
        self.record_relays(&mut memory).await?;
        match choice {
            Choice::None(until) => Ok(Wake::At(until)),
            Choice::Way(index) if self.round(&mut memory, index, &due).await? => Ok(Wake::Now),
            Choice::Way(_) => self.wake(&memory).await,
        }
    }

    /// Takes leave of the relays.
    async fn end(&self) -> anyhow::Result<()> {
        self.memory.lock().await.relays.close_idle(Duration::ZERO).await;
        Ok(())
    }
}
