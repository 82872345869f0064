//! What came back: why a mail was not delivered, and what follows for the person (M12, S11).
//!
//! The same rules serve a refusal in the dialogue with the relay and a report that comes later.

mod hold;
mod status;
mod store;

pub(super) use hold::{forget_refusals, hold_refused};
pub use status::{Diagnosis, Status};
pub use store::*;
pub(super) use store::{came_back, note_refusals};

use crate::clock::Timestamp;
use std::time::Duration;

crate::text_enum! {
    /// Why a mail did not arrive. The later ones say more about the address.
    pub enum Cause {
        /// Refused for what we sent, or how, or by whom: nothing that the recipient could mend.
        Policy = "policy",
        /// It does not say.
        Unclear = "unclear",
        /// The mailbox is full.
        Full = "full",
        /// The domain or mailbox may be gone: believed when it goes on.
        Doubtful = "doubtful",
        /// The address is not one that mail can be sent to.
        BadAddress = "bad address",
        /// There is no such user, without any doubt.
        UnknownUser = "unknown user",
        /// The recipient called it unwanted (RFC 5965).
        Complaint = "complaint",
    }
}

impl Cause {
    /// What it adds to a person's score on its day.
    const fn weight(self) -> f64 {
        match self {
            Self::Policy | Self::Complaint => 0.0,
            Self::Unclear | Self::Full => 0.25,
            Self::Doubtful => 0.5,
            Self::BadAddress | Self::UnknownUser => 1.0,
        }
    }
}

/// After so long a bounce counts half: a score, not a lifetime count. A quarter of a year, so that
/// two letters of a petition that is run each season are still seen together.
const HALF_LIFE: Duration = Duration::from_hours(92 * 24);
/// From this score on mail to a person pauses: two bad addresses, or six full mailboxes.
const PAUSE_SCORE: f64 = 1.5;
/// Nobody is paused for what one bad week of a mail server brought, unless there is no doubt.
const SPAN: Duration = Duration::from_hours(5 * 24);

/// A bounce of a person's mail. Each is of another mailing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Past {
    pub(crate) cause: Cause,
    pub(crate) at: Timestamp,
}

impl Past {
    fn weight(self, now: Timestamp) -> f64 {
        let age = now.since(self.at).as_secs_f64() / HALF_LIFE.as_secs_f64();
        self.cause.weight() * (-age).exp2()
    }
}

/// Whether mail to a person pauses: there is no such user, twice; or bounces add up over five days
/// and more.
pub(crate) fn is_unreachable(past: &[Past], now: Timestamp) -> bool {
    let score = |counts: fn(Cause) -> bool| past.iter().filter(|past| counts(past.cause)).map(|past| past.weight(now)).sum::<f64>();
    if score(|cause| cause == Cause::UnknownUser) >= PAUSE_SCORE {
        return true;
    }
    let counted = || past.iter().filter(|past| past.cause.weight() > 0.0).map(|past| past.at);
    let spans = counted().min().zip(counted().max()).is_some_and(|(first, last)| last.since(first) >= SPAN);
    spans && score(|_| true) >= PAUSE_SCORE
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
    const DAY: Duration = Duration::from_hours(24);

    /// Bounces so many days ago.
    fn past(cause: Cause, days: &[u32]) -> Vec<Past> {
        days.iter().map(|days| Past { cause, at: NOW - DAY * *days }).collect()
    }

    #[test]
    fn an_unknown_user_is_believed_at_the_second_mailing_and_any_other_bad_address_after_five_days() {
        assert!(!is_unreachable(&past(Cause::UnknownUser, &[0]), NOW));
        assert!(is_unreachable(&past(Cause::UnknownUser, &[0, 0]), NOW));
        assert!(!is_unreachable(&past(Cause::BadAddress, &[0]), NOW));
        assert!(!is_unreachable(&past(Cause::BadAddress, &[0, 4]), NOW));
        assert!(is_unreachable(&past(Cause::BadAddress, &[0, 5]), NOW));
        assert!(is_unreachable(&past(Cause::BadAddress, &[0, 91]), NOW));
    }

    #[test]
    fn doubts_and_full_mailboxes_must_go_on_and_what_is_long_ago_hardly_counts() {
        assert!(!is_unreachable(&past(Cause::Doubtful, &[0, 7]), NOW));
        assert!(is_unreachable(&past(Cause::Doubtful, &[0, 7, 14, 21]), NOW));
        assert!(!is_unreachable(&past(Cause::Full, &[0, 1, 2, 3, 4]), NOW));
        assert!(is_unreachable(&past(Cause::Full, &[0, 1, 2, 3, 4, 5, 6]), NOW));
        assert!(!is_unreachable(&past(Cause::BadAddress, &[0, 365]), NOW), "a bounce a year does not pause anybody");
        assert!(!is_unreachable(&past(Cause::Full, &[0, 60, 120, 180, 240, 300, 360]), NOW));
        assert!(!is_unreachable(&past(Cause::Policy, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 30]), NOW));
    }
}
