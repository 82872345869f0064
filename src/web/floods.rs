//! Who fetches whole feeds again and again (F22): a bounded memory that holds no address.

use crate::clock::Timestamp;
use ipnet::IpNet;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// Tenths of a second from one fetch to the next, on the long run.
const PACE: u32 = 2;
/// Fetches that may come at once: somebody who adds every feed of a large site to a reader, or a
/// university behind one address, on the day of an event.
const BURST: u32 = 1_000;
/// Networks that may be remembered, in eight octets each. Who meets another in its place is
/// forgotten: that admits too much, and never too little.
const PLACES: usize = 16_384;

/// Lets each network fetch so much in a span of time (the generic cell rate algorithm: an instant
/// is all that is kept of a network).
pub(super) struct Floods {
    /// A mark of the network in the upper half; in the lower the instant, in tenths of a second,
    /// at which all that it fetched would have come at the right pace.
    places: Box<[AtomicU64]>,
    /// Made anew at each start, so that nothing tells whose mark it is.
    marks: RandomState,
}

impl Default for Floods {
    fn default() -> Self {
        Self { places: (0..PLACES).map(|_| AtomicU64::new(0)).collect(), marks: RandomState::new() }
    }
}

impl Floods {
    /// Whether a network may fetch once more now; if so, it is counted.
    pub(super) fn admit(&self, network: IpNet, now: Timestamp) -> bool {
        let mark = self.marks.hash_one(network);
        let (upper, now) = (mark & !u64::from(u32::MAX), tenths(now));
        let place = usize::try_from(mark).unwrap_or(0) % PLACES;
        let next = |held: u64| {
            after(if held & !u64::from(u32::MAX) == upper { lower(held) } else { now }, now).map(|then| upper | u64::from(then))
        };
        self.places[place].fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }
}

/// The instant of a network after one more fetch; nothing if that would be too far ahead. What is
/// further ahead than can be, was written under another clock.
fn after(held: u32, now: u32) -> Option<u32> {
    let ahead = held.wrapping_sub(now);
    let ahead = if ahead > PACE * BURST { 0 } else { ahead };
    (ahead + PACE <= PACE * BURST).then(|| now.wrapping_add(ahead + PACE))
}

/// Round again after thirteen years.
fn tenths(now: Timestamp) -> u32 {
    lower(now.as_millis().unsigned_abs() / 100)
}

fn lower(number: u64) -> u32 {
    u32::try_from(number & u64::from(u32::MAX)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    #[test]
    fn a_burst_is_admitted_then_five_a_second() {
        let floods = Floods::default();
        let start = Timestamp::from_millis(1_800_000_000_000);
        let admitted = |network: &str, now: Timestamp, times: u32| (0..times).filter(|_| floods.admit(net(network), now)).count();
        assert_eq!(admitted("192.0.2.0/24", start, 5_000), 1_000);
        assert_eq!(admitted("198.51.100.0/24", start, 1), 1, "others are not touched");
        assert_eq!(admitted("192.0.2.0/24", start + Duration::from_secs(10), 5_000), 50);
        assert_eq!(admitted("192.0.2.0/24", start + Duration::from_secs(300), 5_000), 1_000);
        assert_eq!(admitted("192.0.2.0/24", start, 5), 5, "a clock set back holds nobody");
    }

    #[test]
    fn many_networks_are_forgotten_and_not_refused() {
        let floods = Floods::default();
        let start = Timestamp::from_millis(1_800_000_000_000);
        for number in 0..200_000u32 {
            let [_, a, b, c] = number.to_be_bytes();
            assert!(floods.admit(net(&format!("10.{a}.{b}.{c}/32")), start));
        }
        assert_eq!(floods.places.len(), PLACES);
    }
}
