//! What the connections of a round share: what is left to do, and what has been learnt of the
//! relay.

use super::bounce::{Cause, Diagnosis};
use super::ledger::Claim;
use super::rules::Ended;
use std::collections::{HashMap, HashSet, VecDeque};

/// So many answers tell something of a relay.
const MANY: u32 = 10;
/// So many refusals that are no recipient's fault, if they are so large a part of all answers,
/// tell something of a mailing.
const UNWANTED: u32 = 5;
const SHARE: u32 = 20;

/// What is left to do, and what was learnt.
#[derive(Default)]
pub(super) struct Board {
    /// Claimed and not begun.
    pub(super) waiting: VecDeque<Claim>,
    /// Marked as about to leave and not begun after all: the ledger has them again.
    pub(super) returned: Vec<Claim>,
    /// Why nothing can be sent now, if so.
    pub(super) trouble: Option<String>,
    /// What the relay said when it closed a connection because it has too much to do, or refused
    /// one.
    pub(super) overloaded: Option<String>,
    /// What was said when a connection was lost before a body.
    lost: Option<String>,
    /// Mails that the relay gave an answer about, and those it did not want now.
    answered: u32,
    deferred: u32,
    /// Mails that were refused for what they are.
    unwanted: u32,
    /// Groups of recipients by delivery, how many of each may be on their way at once, and how many
    /// are.
    pub(super) groups: HashMap<i64, usize>,
    pub(super) caps: HashMap<usize, u32>,
    pub(super) busy: HashMap<usize, u32>,
    /// Whether more is being claimed.
    pub(super) refilling: bool,
    /// Claims that were taken to be carried.
    pub(super) taken: usize,
    /// Connections that have ended their work in the round.
    pub(super) ended: usize,
    /// Deliveries that met a relay which was too busy or too slow for them, and were given back.
    pub(super) spared: HashSet<i64>,
    /// Whether the ledger could not be written, so that nothing may be begun.
    pub(super) unwritable: bool,
    /// Whether something claimed was taken away: staff have stopped it, and the rest perhaps too.
    pub(super) revoked: bool,
    /// A mailing with a mail that could not be made, and why.
    pub(super) unmade: Option<(i64, String)>,
}

impl Board {
    /// A board of a round before which these were given back.
    pub(super) fn sparing(spared: HashSet<i64>) -> Self {
        Self { spared, ..Self::default() }
    }

    /// Takes the next claim that may go: the first whose group has room.
    pub(super) fn take_next(&mut self) -> Option<Claim> {
        let next = self.waiting.iter().position(|claim| self.has_room(claim))?;
        let claim = self.waiting.remove(next)?;
        self.taken += 1;
        if let Some(group) = self.group(&claim) {
            *self.busy.entry(group).or_default() += 1;
        }
        Some(claim)
    }

    /// What [`Board::take_next`] would take.
    pub(super) fn next(&self) -> Option<&Claim> {
        self.waiting.iter().find(|claim| self.has_room(claim))
    }

    /// Undoes [`Board::take_next`].
    pub(super) fn put_back(&mut self, claim: Claim) {
        self.taken -= 1;
        self.leave(self.group(&claim));
        self.waiting.push_front(claim);
    }

    /// A claim of this group is not on its way any more.
    pub(super) fn leave(&mut self, group: Option<usize>) {
        if let Some(busy) = group.and_then(|group| self.busy.get_mut(&group)) {
            *busy -= 1;
        }
    }

    fn has_room(&self, claim: &Claim) -> bool {
        let Some(group) = self.group(claim) else { return true };
        self.busy.get(&group).copied().unwrap_or(0) < self.caps.get(&group).copied().unwrap_or(u32::MAX)
    }

    /// The group of a claim, if it has one.
    pub(super) fn group(&self, claim: &Claim) -> Option<usize> {
        self.groups.get(&claim.attempt.id).copied()
    }

    /// Whether nothing more may be begun.
    pub(super) fn is_closed(&self) -> bool {
        self.trouble.is_some() || self.unwritable || self.revoked || self.is_unwanted()
    }

    /// Whether the relay should get fewer connections: it said so, or more than half of its
    /// answers were “not now”.
    pub(super) fn is_overloaded(&self) -> bool {
        self.overloaded.is_some() || (self.answered >= MANY && self.deferred * 2 > self.answered)
    }

    /// Whether so many mails are refused for what they are that it must be looked at before more
    /// are (M12): each one costs trust.
    pub(super) fn is_unwanted(&self) -> bool {
        self.unwanted >= UNWANTED && self.unwanted * SHARE >= self.answered
    }

    /// Why nothing can be sent now, if nothing can: the relay says so, or has said nothing else.
    pub(super) fn verdict(&self) -> Option<String> {
        let silent = || self.overloaded.as_ref().or(self.lost.as_ref()).filter(|_| self.answered == 0);
        self.trouble.as_ref().or_else(silent).cloned()
    }

    /// Whether the relay gave an answer about a mail.
    pub(super) fn has_answered(&self) -> bool {
        self.answered > 0
    }

    /// Remembers how one attempt ended.
    pub(super) fn note(&mut self, ended: &Ended) {
        match ended {
            Ended::Accepted(_) => self.answered += 1,
            Ended::Refused(reply) => {
                self.answered += 1;
                if reply.is_transient() {
                    self.deferred += 1;
                } else if Diagnosis::of_reply(&reply.to_string()).is_some_and(|found| found.cause == Cause::Policy) {
                    self.unwanted += 1;
                }
            }
            Ended::Lost(why) | Ended::InDoubt(why) => self.lost = Some(why.clone()),
            Ended::Impossible(_) | Ended::Untried => {}
        }
    }
}
