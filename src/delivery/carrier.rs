//! One connection's work in a round: take a delivery, open its envelope, have it marked, send
//! it, go on.

use super::board::Board;
use super::composing::Composer;
use super::filling::{Filled, Filler};
use super::ledger::{Claim, Variant};
use super::pace::Pace;
use super::rules::{Ended, Settlement, settle};
use super::scribe::Scribe;
use crate::clock::Clock;
use crate::mail::{Answer, Begun, Link, Opened, Reply, Transport};
use crate::metrics::{Metrics, Outcome};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// No delivery is taken up after this in a round, so that a shutdown does not wait for hundreds.
const ROUND: Duration = Duration::from_secs(10);
/// One that was asked for by then is begun within so much more; deadlines are looked at between rounds.
const GRACE: Duration = Duration::from_secs(5);
/// A relay that answers an envelope sooner than this is asked while the mark is being written.
const BRISK: Duration = Duration::from_millis(100);
/// But no longer than this: staff may have stopped the delivery since.
const STALE: Duration = Duration::from_millis(500);
/// Results are not left unwritten for longer than this.
const SHORT_WAIT: Duration = Duration::from_millis(20);

/// What every round needs.
#[derive(Clone)]
pub(super) struct Tools {
    pub(super) filler: Filler,
    pub(super) composer: Arc<Composer>,
    pub(super) clock: Clock,
    pub(super) metrics: Metrics,
    pub(super) pace: Arc<Pace>,
    /// Once it is cancelled nothing more is begun.
    pub(super) stop: CancellationToken,
}

/// A round: deliveries shared out among connections, and claimed while those before them leave.
pub(super) struct Round {
    tools: Tools,
    transport: Transport,
    scribe: Scribe,
    begun: Instant,
    board: Mutex<Board>,
    /// More is wanted when so few claims wait.
    low: usize,
    is_low: Notify,
    /// More has been claimed, or there is no more.
    refilled: Notify,
}

/// What a connection does next.
enum Turn<'r> {
    /// It carries this.
    Carry(Claim),
    /// It waits for what is being claimed.
    Wait(Notified<'r>),
    /// Nothing in this round. Where every group is at its cap, those who carry it go on by themselves.
    End,
}

/// A claim whose envelope is asked for before its turn, and its mail.
struct Ahead {
    claim: Claim,
    filled: Filled,
}

/// What follows for the connection.
enum Next {
    Settled(Ended),
    /// The delivery goes back and is tried again on a new connection.
    Again,
    /// The delivery goes back, and this connection ends for now.
    Leave,
    /// It is somebody else's, or cancelled.
    Dropped,
}

impl Round {
    /// A round that begins now, in which `spared` were given back by the one before. It asks for
    /// more when `low` claims are left.
    pub(super) fn new(tools: Tools, transport: Transport, scribe: Scribe, spared: HashSet<i64>, low: usize) -> Self {
        let board = Mutex::new(Board::sparing(spared));
        let (is_low, refilled) = (Notify::new(), Notify::new());
        Self { tools, transport, scribe, begun: Instant::now(), board, low, is_low, refilled }
    }

    /// Adds claims, the most urgent of all first. Some are in groups: no more of each may be on their
    /// way at once than its cap.
    pub(super) fn add(
        &self,
        claims: Vec<Claim>,
        variants: HashMap<i64, Variant>,
        groups: HashMap<i64, usize>,
        caps: impl IntoIterator<Item = (usize, u32)>,
    ) {
        self.tools.composer.add(variants, &claims);
        let mut board = self.board();
        // What is claimed a second time was taken away in between.
        let fresh: HashSet<i64> = claims.iter().map(|claim| claim.attempt.id).collect();
        board.revoked |= board.waiting.iter().any(|claim| fresh.contains(&claim.attempt.id));
        board.groups.extend(groups);
        board.caps.extend(caps);
        board.waiting.extend(claims);
        // What somebody waits for does not stand behind what was claimed before it.
        board.waiting.make_contiguous().sort_by_key(|claim| claim.kind.priority());
    }

    /// Waits until more is wanted, and says how much: what can be sent before the round ends, as fast
    /// as it went so far. None: nothing is wanted any more. Whoever was told that more is wanted says
    /// [`Round::refilled`] in the end.
    pub(super) async fn wants_more(&self, is_over: &CancellationToken) -> Option<usize> {
        loop {
            is_over.run_until_cancelled(self.is_low.notified()).await?;
            let mut board = self.board();
            let elapsed = self.begun.elapsed();
            // Deadlines, and how relays are, are looked at between rounds.
            if self.is_over(&board) || board.overloaded.is_some() || board.ended > 0 || elapsed > ROUND / 2 {
                return None;
            }
            let waiting = board.waiting.len();
            if waiting <= self.low {
                let (taken, left) = (board.taken as u128, ROUND.saturating_sub(elapsed).as_micros());
                let rest = usize::try_from(taken * left / elapsed.as_micros().max(1)).unwrap_or(usize::MAX);
                board.refilling = rest > waiting;
                return rest.checked_sub(waiting).filter(|wanted| *wanted > 0);
            }
        }
    }

    /// Lets those go on that wait for more.
    pub(super) fn refilled(&self) {
        self.board().refilling = false;
        self.refilled.notify_waiters();
    }

    /// What is left and what was learnt.
    pub(super) fn end(&self) -> Board {
        self.tools.composer.clear();
        std::mem::take(&mut *self.board())
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_over(&self, board: &Board) -> bool {
        self.is_stopped(board) || self.begun.elapsed() > ROUND
    }

    fn is_stopped(&self, board: &Board) -> bool {
        board.is_closed() || self.tools.stop.is_cancelled()
    }

    /// Whether not even that may be begun which has been asked for.
    fn is_too_late(&self) -> bool {
        self.is_stopped(&self.board()) || self.begun.elapsed() > ROUND + GRACE
    }

    /// What a connection does next.
    fn next_turn(&self) -> Turn<'_> {
        let refilled = self.refilled.notified();
        let mut board = self.board();
        if self.is_over(&board) {
            return Turn::End;
        }
        let next = board.take_next();
        if board.waiting.len() <= self.low {
            self.is_low.notify_one();
        }
        match next {
            Some(claim) => Turn::Carry(claim),
            None if board.refilling => Turn::Wait(refilled),
            None => Turn::End,
        }
    }

    /// The claim that comes next, if its mail is made and may leave at once. One of a group would
    /// take a place in it before its turn.
    fn look_ahead(&self) -> Option<Ahead> {
        let mut board = self.board();
        if self.is_over(&board) || !self.tools.pace.is_unlimited() {
            return None;
        }
        let next = board.next().filter(|claim| board.group(claim).is_none())?;
        // If it cannot be made, whoever takes it up is told.
        let filled = self.tools.composer.take_made(next)?.ok()?;
        let claim = board.take_next()?;
        if board.waiting.len() <= self.low {
            self.is_low.notify_one();
        }
        Some(Ahead { claim, filled })
    }

    /// Gives back what cannot be marked: where one mark cannot be written, none can.
    fn abandon(&self, claim: Claim) {
        let mut board = self.board();
        board.waiting.push_front(claim);
        board.unwritable = true;
    }

    /// Remembers that the relay has too much to do, if it says so (RFC 5321 §3.8).
    fn has_too_much(&self, reply: &Reply) {
        if reply.closes() {
            self.board().overloaded = Some(reply.to_string());
        }
    }

    /// Writes results and the mark of a body about to leave. False: the delivery is somebody
    /// else's by now, or cancelled.
    async fn mark(&self, claim: &Claim, results: Vec<Settlement>) -> anyhow::Result<bool> {
        match self.scribe.write(results, Some((claim.attempt.id, claim.attempt.fence))).await {
            Ok(granted) => {
                self.board().revoked |= !granted;
                Ok(granted)
            }
            Err(error) => {
                // Its body has not begun: it waits again, and not until its lease runs out.
                self.abandon(claim.clone());
                Err(error)
            }
        }
    }

    /// Whether a refusal is not the delivery's own: a relay with too much to do says 421 to
    /// whatever comes next. Said of the same delivery again, it may be about that one.
    fn spares(&self, claim: &Claim, reply: &Reply) -> bool {
        self.has_too_much(reply);
        reply.closes() && self.board().spared.insert(claim.attempt.id)
    }

    /// Whether a delivery met a relay that was too slow or too busy for it, and was given back.
    fn is_spared(&self, claim: &Claim) -> bool {
        self.board().spared.contains(&claim.attempt.id)
    }

    /// The envelope that waits for its body, or what follows where there is none.
    fn opened<'l>(&self, claim: &Claim, begun: Begun<'l>, was_waiting: bool) -> Result<Opened<'l>, Next> {
        match begun {
            Begun::Open(opened) => Ok(opened),
            Begun::Refused(reply) if self.spares(claim, &reply) => Err(Next::Leave),
            Begun::Refused(reply) => Err(Next::Settled(Ended::Refused(reply))),
            Begun::SenderRefused(reply) => {
                self.stop(format!("the relay does not take mail from us: {reply}"));
                Err(Next::Again)
            }
            Begun::NotCarried => {
                let why = "the relay cannot carry an address with such letters before the @ (SMTPUTF8)";
                Err(Next::Settled(Ended::Impossible(why.to_owned())))
            }
            // It had been closed for idleness, as likely as not.
            Begun::Lost(_) if was_waiting => Err(Next::Again),
            Begun::Lost(why) => Err(Next::Settled(Ended::Lost(why))),
        }
    }

    fn stop(&self, trouble: String) {
        self.board().trouble = Some(trouble);
    }

    /// Carries deliveries until none is left, and returns the connection if it still serves.
    pub(super) async fn carry(&self, link: Option<Link>) -> anyhow::Result<Option<Link>> {
        let inherited = link.is_some();
        let mut carrier = Carrier { round: self, link, inherited, is_brisk: false, is_marked: false, results: Vec::new(), ahead: None };
        loop {
            let ahead = match carrier.ahead.take() {
                Some(ahead) if self.is_too_late() => {
                    // Hanging up: the relay waits for its body.
                    carrier.link = None;
                    self.board().put_back(ahead.claim);
                    break;
                }
                ahead => ahead,
            };
            let next = ahead.map_or_else(|| (self.next_turn(), None), |ahead| (Turn::Carry(ahead.claim), Some(ahead.filled)));
            let (claim, made) = match next {
                (Turn::Carry(claim), made) => (claim, made),
                (Turn::Wait(refilled), _) => {
                    carrier.write_results().await?;
                    refilled.await;
                    continue;
                }
                (Turn::End, _) => break,
            };
            let group = self.board().group(&claim);
            let outcome = carrier.carry_one(claim, made).await;
            self.board().leave(group);
            if !outcome? {
                break;
            }
        }
        self.board().ended += 1;
        carrier.write_results().await?;
        Ok(carrier.link.filter(Link::is_usable))
    }
}

/// One connection and the results on it that are not written yet.
struct Carrier<'r> {
    round: &'r Round,
    link: Option<Link>,
    /// Whether it was open before: for how long nobody knows.
    inherited: bool,
    /// Whether the relay answered the last envelope at once.
    is_brisk: bool,
    /// Whether the ledger says that the body of the delivery at hand may have left.
    is_marked: bool,
    results: Vec<Settlement>,
    /// What comes next on this connection, once it has been asked for.
    ahead: Option<Ahead>,
}

/// Does something, and tells how long it took.
async fn timed<T>(doing: impl Future<Output = T>) -> (T, Duration) {
    let start = Instant::now();
    (doing.await, start.elapsed())
}

impl Carrier<'_> {
    /// Carries one delivery. False: this connection cannot go on in this round.
    async fn carry_one(&mut self, claim: Claim, made: Option<Filled>) -> anyhow::Result<bool> {
        self.is_marked = false;
        let made = match made {
            Some(filled) => Ok(filled),
            None => self.round.tools.composer.take(&claim).await,
        };
        let filled = match made {
            Ok(filled) => filled,
            Err(error) => {
                tracing::error!(delivery = claim.attempt.id, error = format!("{error:#}"), "a mail cannot be made");
                self.round.board().unmade = Some((claim.mailing, format!("{error:#}")));
                self.conclude(&claim, &Ended::Impossible(format!("{error:#}")));
                return Ok(true);
            }
        };
        let wait = self.round.tools.pace.take();
        if wait > SHORT_WAIT
            && let Err(error) = self.write_results().await
        {
            self.round.abandon(claim);
            return Err(error);
        }
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        if let Err(trouble) = self.open_link().await {
            // The others may go on; if none can, the next round finds out before it claims.
            let trouble = format!("{trouble:#}");
            tracing::warn!(trouble, "another connection to the relay could not be opened");
            self.give_back(claim).await?;
            self.round.board().overloaded = Some(trouble);
            return Ok(false);
        }
        match self.send(&claim, &filled).await? {
            Next::Settled(ended) => self.conclude(&claim, &ended),
            Next::Again => self.give_back(claim).await?,
            Next::Leave => {
                self.give_back(claim).await?;
                return Ok(false);
            }
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
        self.link = Some(self.round.transport.open().await?);
        (self.inherited, self.is_brisk) = (false, false);
        Ok(())
    }

    /// The envelope and the mark, then the body. A relay that answers at once is asked while the
    /// mark is being written; for one that takes its time the mark waits, so that what staff stop
    /// meanwhile does not leave.
    async fn send(&mut self, claim: &Claim, filled: &Filled) -> anyhow::Result<Next> {
        let (round, Some(link)) = (self.round, &mut self.link) else { return Ok(Next::Again) };
        let (was_waiting, was_asked, takes_groups) = (self.inherited || link.is_used(), link.has_asked(), link.takes_groups());
        let was_brisk = std::mem::take(&mut self.is_brisk);
        let envelope = timed(link.begin(&filled.from, &filled.to));
        let (begun, took) = if (was_asked || was_brisk) && !round.is_spared(claim) {
            let marking = round.mark(claim, std::mem::take(&mut self.results));
            let (envelope, marked) = tokio::join!(tokio::time::timeout(STALE, envelope), marking);
            if !marked? {
                return Ok(Next::Dropped);
            }
            self.is_marked = true;
            let Ok(envelope) = envelope else {
                round.board().spared.insert(claim.attempt.id);
                return Ok(Next::Again);
            };
            envelope
        } else {
            envelope.await
        };
        // How far the relay is, an envelope that was asked for with a body does not tell.
        self.is_brisk = matches!(begun, Begun::Open(_)) && if was_asked { was_brisk } else { took < BRISK };
        let opened = match round.opened(claim, begun, was_waiting) {
            Ok(opened) => opened,
            Err(next) => return Ok(next),
        };
        if !self.is_marked && !round.mark(claim, std::mem::take(&mut self.results)).await? {
            return Ok(Next::Dropped);
        }
        self.ahead = if takes_groups { round.look_ahead() } else { None };
        let next = self.ahead.as_ref().map(|ahead| (&ahead.filled.from, &ahead.filled.to));
        Ok(Next::Settled(match opened.send(&filled.name, &filled.bytes, next).await {
            Answer::Accepted(reply) => Ended::Accepted(reply),
            Answer::Refused(reply) => {
                round.has_too_much(&reply);
                Ended::Refused(reply)
            }
            Answer::InDoubt(why) => Ended::InDoubt(why),
        }))
    }

    /// Gives back a delivery whose body has not begun. One that is marked is for the ledger to give
    /// out again, and in doubt no longer than that takes.
    async fn give_back(&mut self, claim: Claim) -> anyhow::Result<()> {
        if !self.is_marked {
            self.round.board().waiting.push_front(claim);
            return Ok(());
        }
        self.results.push(settle(&claim.attempt, &Ended::Untried, self.round.tools.clock.now()));
        self.round.board().returned.push(claim);
        self.write_results().await
    }

    fn conclude(&mut self, claim: &Claim, ended: &Ended) {
        let mut board = self.round.board();
        board.note(ended);
        board.spared.remove(&claim.attempt.id);
        drop(board);
        let settlement = settle(&claim.attempt, ended, self.round.tools.clock.now());
        let outcome = Outcome { state: settlement.state.as_str().to_owned() };
        self.round.tools.metrics.deliveries.get_or_create(&outcome).inc();
        self.results.push(settlement);
    }

    async fn write_results(&mut self) -> anyhow::Result<()> {
        let results = std::mem::take(&mut self.results);
        if results.is_empty() {
            return Ok(());
        }
        let written = self.round.scribe.write(results, None).await;
        self.round.board().unwritable |= written.is_err();
        written.map(|_| ())
    }
}
