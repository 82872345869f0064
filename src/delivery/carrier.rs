//! One connection's work in a round: take a delivery, open its envelope, have it marked, send
//! it, go on.

use super::composing::Composer;
use super::filling::{Filled, Filler};
use super::ledger::{Claim, Variant};
use super::pace::Pace;
use super::rules::{Ended, Settlement, settle};
use super::scribe::Scribe;
use crate::clock::Clock;
use crate::mail::{Answer, Begun, Link, Transport};
use crate::metrics::{Metrics, Outcome};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// No delivery is begun after this in a round, so that a shutdown does not wait for two hundred.
const ROUND: Duration = Duration::from_secs(10);
/// Results are not left unwritten for longer than this.
const SHORT_WAIT: Duration = Duration::from_millis(20);

/// What every round needs.
#[derive(Clone)]
pub(super) struct Tools {
    pub(super) filler: Filler,
    pub(super) transport: Transport,
    pub(super) clock: Clock,
    pub(super) metrics: Metrics,
    pub(super) pace: Arc<Pace>,
}

/// A round: deliveries claimed together, shared out among connections.
pub(super) struct Round {
    tools: Tools,
    scribe: Scribe,
    composer: Composer,
    begun: Instant,
    board: Mutex<Board>,
}

/// What is left to do, and what was learnt.
#[derive(Default)]
pub(super) struct Board {
    /// Claimed and not begun.
    pub(super) waiting: VecDeque<Claim>,
    /// Why nothing can be sent now, if so.
    pub(super) trouble: Option<String>,
    /// Whether the relay closed a connection because it has too much to do, or refused one.
    pub(super) overloaded: bool,
    /// Whether the ledger could not be written, so that nothing may be begun.
    pub(super) unwritable: bool,
    /// A mailing with a mail that could not be made, and why.
    pub(super) unmade: Option<(i64, String)>,
}

/// What follows for the connection.
enum Next {
    Settled(Ended),
    /// The delivery goes back and is tried again on a new connection.
    Again,
    /// It is somebody else's, or cancelled.
    Dropped,
}

impl Round {
    /// A round that begins now.
    pub(super) fn new(tools: Tools, scribe: Scribe, variants: HashMap<i64, Variant>, claims: Vec<Claim>) -> Self {
        let board = Board { waiting: claims.into(), ..Board::default() };
        let composer = Composer::start(tools.filler.clone(), variants, &board.waiting);
        Self { tools, scribe, composer, begun: Instant::now(), board: Mutex::new(board) }
    }

    /// What is left and what was learnt.
    pub(super) fn end(&self) -> Board {
        std::mem::take(&mut *self.board())
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_claim(&self) -> Option<Claim> {
        let mut board = self.board();
        if board.trouble.is_some() || board.unwritable || self.begun.elapsed() > ROUND { None } else { board.waiting.pop_front() }
    }

    fn give_back(&self, claim: Claim) {
        self.board().waiting.push_front(claim);
    }

    /// Gives back what cannot be marked: where one mark cannot be written, none can.
    fn abandon(&self, claim: Claim) {
        let mut board = self.board();
        board.waiting.push_front(claim);
        board.unwritable = true;
    }

    fn stop(&self, trouble: String) {
        self.board().trouble = Some(trouble);
    }

    /// Carries deliveries until none is left, and returns the connection if it still serves.
    pub(super) async fn carry(&self, link: Option<Link>) -> anyhow::Result<Option<Link>> {
        let mut carrier = Carrier { round: self, link, results: Vec::new() };
        while let Some(claim) = self.next_claim() {
            if !carrier.carry_one(claim).await? {
                break;
            }
        }
        carrier.write_results().await?;
        Ok(carrier.link.filter(Link::is_usable))
    }
}

/// One connection and the results on it that are not written yet.
struct Carrier<'r> {
    round: &'r Round,
    link: Option<Link>,
    results: Vec<Settlement>,
}

impl Carrier<'_> {
    /// Carries one delivery. False: this connection cannot go on in this round.
    async fn carry_one(&mut self, claim: Claim) -> anyhow::Result<bool> {
        let filled = match self.round.composer.take(&claim).await {
            Ok(filled) => filled,
            Err(error) => {
                tracing::error!(delivery = claim.attempt.id, error = format!("{error:#}"), "a mail cannot be made");
                self.round.board().unmade = Some((claim.mailing, format!("{error:#}")));
                self.conclude(&claim, &Ended::Impossible(format!("{error:#}")));
                return Ok(true);
            }
        };
        let wait = self.round.tools.pace.take();
        if wait > SHORT_WAIT {
            self.write_results().await?;
        }
        tokio::time::sleep(wait).await;
        if let Err(trouble) = self.open_link().await {
            // The others may go on; if none can, the next round finds out before it claims.
            tracing::warn!(trouble = format!("{trouble:#}"), "another connection to the relay could not be opened");
            self.round.give_back(claim);
            self.round.board().overloaded = true;
            return Ok(false);
        }
        match self.send(&claim, &filled).await? {
            Next::Settled(ended) => self.conclude(&claim, &ended),
            Next::Again => self.round.give_back(claim),
            Next::Dropped => {}
        }
        Ok(true)
    }

    async fn open_link(&mut self) -> anyhow::Result<()> {
        if self.link.as_ref().is_some_and(Link::is_usable) {
            return Ok(());
        }
        if let Some(worn) = self.link.take() {
            worn.close().await;
        }
        self.link = Some(self.round.tools.transport.open().await?);
        Ok(())
    }

    /// The envelope, the mark, the body: in this order, whatever happens.
    async fn send(&mut self, claim: &Claim, filled: &Filled) -> anyhow::Result<Next> {
        let Some(link) = &mut self.link else { return Ok(Next::Again) };
        let was_used = link.is_used();
        let opened = match link.begin(&filled.from, &filled.to).await {
            Begun::Open(opened) => opened,
            Begun::Refused(reply) => {
                self.round.board().overloaded |= reply.closes();
                return Ok(Next::Settled(Ended::Refused(reply)));
            }
            Begun::SenderRefused(reply) => {
                self.round.stop(format!("the relay does not take mail from us: {reply}"));
                return Ok(Next::Again);
            }
            Begun::NotCarried => {
                let why = "the relay cannot carry an address with such letters before the @ (SMTPUTF8)";
                return Ok(Next::Settled(Ended::Impossible(why.to_owned())));
            }
            // It had been closed for idleness, as likely as not.
            Begun::Lost(_) if was_used => return Ok(Next::Again),
            Begun::Lost(why) => return Ok(Next::Settled(Ended::Lost(why))),
        };
        let results = std::mem::take(&mut self.results);
        match self.round.scribe.write(results, Some((claim.attempt.id, claim.attempt.fence))).await {
            Ok(true) => {}
            Ok(false) => return Ok(Next::Dropped),
            Err(error) => {
                // Its body has not begun: it waits again, and not until its lease runs out.
                self.round.abandon(claim.clone());
                return Err(error);
            }
        }
        Ok(Next::Settled(match opened.send(&filled.name, &filled.bytes).await {
            Answer::Accepted(reply) => Ended::Accepted(reply),
            Answer::Refused(reply) => {
                self.round.board().overloaded |= reply.closes();
                Ended::Refused(reply)
            }
            Answer::InDoubt(why) => Ended::InDoubt(why),
        }))
    }

    fn conclude(&mut self, claim: &Claim, ended: &Ended) {
        let settlement = settle(&claim.attempt, ended, self.round.tools.clock.now());
        let outcome = Outcome { state: settlement.state.as_str().to_owned() };
        self.round.tools.metrics.deliveries.get_or_create(&outcome).inc();
        self.results.push(settlement);
    }

    async fn write_results(&mut self) -> anyhow::Result<()> {
        let results = std::mem::take(&mut self.results);
        if !results.is_empty() {
            self.round.scribe.write(results, None).await?;
        }
        Ok(())
    }
}
