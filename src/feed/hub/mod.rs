//! Hubs (WebSub): whoever reads a feed through one is told of a change within seconds, without
//! asking. A feed names its hubs, and each is told of every publication until it has heard.
//!
//! Hubs are never followed in the other direction: nobody can ask Clarion to call an address.

mod step;
mod store;

pub use step::HubStep;
pub(super) use store::announce;

use std::time::Duration;

/// How long after its publication a feed is announced: by then every daemon serves it, and what
/// comes in the next second is fetched with it.
const SETTLED: Duration = Duration::from_secs(2);
/// How long a hub may take to answer before another daemon asks it.
const TURN: Duration = Duration::from_mins(2);
/// The first pause after a hub did not hear; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_mins(1);
const LONGEST_PAUSE: Duration = Duration::from_hours(6);
/// Then it is given up, until the feed changes again: about fifteen hours.
const MOST_ATTEMPTS: u32 = 10;

/// How long to wait after so many attempts; `None`: no longer.
fn pause_after(attempts: u32) -> Option<Duration> {
    let doubled = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1)));
    (attempts < MOST_ATTEMPTS).then(|| doubled.min(LONGEST_PAUSE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hub_that_does_not_hear_is_told_again_ever_more_rarely_and_not_for_ever() {
        let pauses: Vec<u64> = (1..).map_while(pause_after).map(|pause| pause.as_secs() / 60).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256]);
    }
}
