//! What is decided about a delivery: whether it may be sent, and what follows from how it went.

use super::{DeliveryState, OnDoubt};
use crate::addressbook::{Deliverability, Stream};
use crate::clock::Timestamp;
use crate::mail::Reply;
use std::time::Duration;

/// The first pause after a refusal for now: greylisting passes in five minutes (S21).
const FIRST_PAUSE: Duration = Duration::from_mins(5);
const LONGEST_PAUSE: Duration = Duration::from_hours(4);
/// How long a delivery is tried.
const PATIENCE: Duration = Duration::from_hours(5 * 24);

/// What is known of a recipient when a delivery is claimed.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub(super) stream: Stream,
    pub(super) erased: bool,
    pub(super) suppressed: bool,
    /// The stream, or altogether.
    pub(super) left: bool,
    /// Of a person; nothing is known of staff.
    pub(super) deliverability: Option<Deliverability>,
}

/// Why a delivery is not to be sent, if it is not.
pub(super) fn reason_to_skip(standing: &Standing) -> Option<&'static str> {
    if standing.erased {
        return Some("erased");
    }
    if standing.suppressed {
        return Some("suppressed");
    }
    if standing.left && Stream::REFUSABLE.contains(&standing.stream) {
        return Some("left");
    }
    match standing.deliverability {
        Some(Deliverability::Bad) => Some("address does not exist"),
        // What a person asks for is the proof that mail reaches them again.
        Some(Deliverability::Paused) if standing.stream != Stream::Account => Some("bounced"),
        _ => None,
    }
}

/// How an attempt ended.
#[derive(Clone, Debug)]
pub(super) enum Ended {
    /// The relay is responsible now.
    Accepted(Reply),
    /// Refused: not now, or never.
    Refused(Reply),
    /// The connection was lost before the body.
    Lost(String),
    /// The body was on its way, and no answer came.
    InDoubt(String),
    /// It cannot be sent at all.
    Impossible(String),
    /// It was not tried; nothing is counted.
    Untried,
}

/// What an attempt was about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    pub(super) id: i64,
    pub(super) fence: i64,
    /// Counted before this one.
    pub(super) attempts: i64,
    /// Unresolved before this one.
    pub(super) doubts: i64,
    pub(super) on_doubt: OnDoubt,
    pub(super) first_attempt_at: Timestamp,
}

/// What is to be written about a delivery.
#[derive(Clone, Debug)]
pub(super) struct Settlement {
    pub(super) id: i64,
    pub(super) fence: i64,
    pub(super) state: DeliveryState,
    pub(super) reason: Option<String>,
    pub(super) attempts: i64,
    pub(super) doubts: i64,
    /// In Unix milliseconds.
    pub(super) due_at: i64,
    pub(super) reply: Option<String>,
    pub(super) settled_at: Option<i64>,
}

/// What follows from how an attempt ended.
pub(super) fn settle(attempt: &Attempt, ended: &Ended, now: Timestamp) -> Settlement {
    let tried = attempt.attempts + i64::from(!matches!(ended, Ended::Untried));
    let (state, reason, reply) = match ended {
        Ended::Accepted(reply) => (DeliveryState::Sent, None, Some(reply.to_string())),
        Ended::Refused(reply) if !reply.is_transient() => {
            (DeliveryState::Failed, Some("refused by the relay".to_owned()), Some(reply.to_string()))
        }
        Ended::Refused(_) | Ended::Lost(_) if now.since(attempt.first_attempt_at) >= PATIENCE => {
            (DeliveryState::Failed, Some("refused for five days".to_owned()), words(ended))
        }
        Ended::Refused(_) | Ended::Lost(_) => (DeliveryState::Deferred, None, words(ended)),
        Ended::InDoubt(why) if attempt.doubts == 0 && attempt.on_doubt == OnDoubt::Retry => {
            (DeliveryState::Deferred, Some("in doubt once".to_owned()), Some(why.clone()))
        }
        Ended::InDoubt(why) => (DeliveryState::Held, Some("in doubt".to_owned()), Some(why.clone())),
        Ended::Impossible(why) => (DeliveryState::Failed, Some(why.clone()), None),
        Ended::Untried => (DeliveryState::Queued, None, None),
    };
    let due = if state == DeliveryState::Deferred { now + pause(attempt.id, tried) } else { now };
    let is_settled = !matches!(state, DeliveryState::Deferred | DeliveryState::Queued);
    Settlement {
        id: attempt.id,
        fence: attempt.fence,
        state,
        reason,
        attempts: tried,
        doubts: attempt.doubts + i64::from(matches!(ended, Ended::InDoubt(_))),
        due_at: due.as_millis(),
        reply,
        settled_at: is_settled.then_some(now.as_millis()),
    }
}

/// A delivery that must wait for its turn: nothing is counted.
pub(super) fn postpone(attempt: &Attempt, until: Timestamp) -> Settlement {
    settle(attempt, &Ended::Untried, until)
}

fn words(ended: &Ended) -> Option<String> {
    match ended {
        Ended::Refused(reply) => Some(reply.to_string()),
        Ended::Lost(why) => Some(why.clone()),
        _ => None,
    }
}

/// The pause after so many attempts: doubling, and a fifth more or less by the delivery's
/// number, so that what was refused together does not come back together.
fn pause(delivery: i64, attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.clamp(1, 16) - 1).unwrap_or(0);
    let whole = FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
    // SplitMix64's finaliser: every bit of the number moves every bit of the result.
    let mut mixed = delivery.wrapping_mul(31).wrapping_add(attempts).cast_unsigned();
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let per_mille = 800 + u32::try_from((mixed ^ (mixed >> 31)) % 401).unwrap_or(200);
    whole * per_mille / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn attempt() -> Attempt {
        Attempt { id: 1, fence: 1, attempts: 0, doubts: 0, on_doubt: OnDoubt::Retry, first_attempt_at: NOW }
    }

    fn refused(code: u16) -> Ended {
        Ended::Refused(Reply { code, text: String::new() })
    }

    fn standing() -> Standing {
        Standing { stream: Stream::News, erased: false, suppressed: false, left: false, deliverability: Some(Deliverability::Good) }
    }

    #[test]
    fn who_left_or_cannot_be_reached_is_skipped_and_a_link_asked_for_still_goes_out() {
        let account = Standing { stream: Stream::Account, ..standing() };
        let skipped = |standing: Standing| reason_to_skip(&standing);
        assert_eq!(skipped(standing()), None);
        assert_eq!(skipped(Standing { left: true, ..standing() }), Some("left"));
        assert_eq!(skipped(Standing { left: true, ..account.clone() }), None);
        assert_eq!(skipped(Standing { deliverability: Some(Deliverability::Paused), ..standing() }), Some("bounced"));
        assert_eq!(skipped(Standing { deliverability: Some(Deliverability::Paused), ..account.clone() }), None);
        assert_eq!(skipped(Standing { deliverability: Some(Deliverability::Bad), ..account.clone() }), Some("address does not exist"));
        assert_eq!(skipped(Standing { suppressed: true, ..account.clone() }), Some("suppressed"));
        assert_eq!(skipped(Standing { erased: true, ..account }), Some("erased"));
        let staff = Standing { stream: Stream::Staff, deliverability: None, ..standing() };
        assert_eq!(skipped(staff), None);
    }

    #[test]
    fn pauses_double_from_five_minutes_to_four_hours_give_or_take_a_fifth() {
        for id in 0..200 {
            for (attempts, minutes) in [(1, 5), (2, 10), (3, 20), (6, 160), (7, 240), (60, 240)] {
                let whole = Duration::from_secs(minutes * 60);
                let pause = pause(id, attempts);
                assert!(pause >= whole * 4 / 5 && pause <= whole * 6 / 5, "{pause:?}");
            }
        }
        assert_ne!(pause(1, 1), pause(2, 1));
        assert_eq!(pause(1, 1), pause(1, 1));
    }

    #[test]
    fn a_refusal_for_now_is_tried_for_five_days_and_one_for_good_is_not() {
        let later = NOW + PATIENCE;
        assert_eq!(settle(&attempt(), &refused(451), NOW).state, DeliveryState::Deferred);
        assert_eq!(settle(&attempt(), &refused(451), later).state, DeliveryState::Failed);
        assert_eq!(settle(&attempt(), &Ended::Lost("gone".into()), NOW).state, DeliveryState::Deferred);
        assert_eq!(settle(&attempt(), &refused(550), NOW).state, DeliveryState::Failed);
        let untried = settle(&attempt(), &Ended::Untried, NOW);
        assert_eq!((untried.state, untried.attempts), (DeliveryState::Queued, 0));
    }

    #[test]
    fn doubt_is_resolved_by_one_more_attempt_or_by_people() {
        let doubt = Ended::InDoubt("lost".into());
        let once = settle(&attempt(), &doubt, NOW);
        assert_eq!((once.state, once.doubts), (DeliveryState::Deferred, 1));
        assert_eq!(settle(&Attempt { doubts: 1, ..attempt() }, &doubt, NOW).state, DeliveryState::Held);
        assert_eq!(settle(&Attempt { on_doubt: OnDoubt::Hold, ..attempt() }, &doubt, NOW).state, DeliveryState::Held);
    }
}
