//! A token bucket: it fills steadily, holds no more than a burst, and each mail takes one token.

use crate::clock::Timestamp;
use std::time::Duration;

/// How a bucket fills.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Filling {
    /// Tokens a millisecond.
    rate: f64,
    /// Tokens that it holds.
    burst: f64,
}

impl Filling {
    /// So many a second, a second's worth at once.
    pub(super) fn per_second(mails: u32) -> Self {
        Self { rate: f64::from(mails) / 1000.0, burst: f64::from(mails).max(1.0) }
    }

    /// So many in any hour, a minute's worth of them at once: the burst is part of the hour.
    pub(super) fn per_hour(mails: u32) -> Self {
        let whole = f64::from(mails);
        // Of one that holds a single token, half is lost to whoever looks once a minute.
        let burst = (whole / 60.0).max(if mails < 30 { 1.0 } else { 2.0 });
        Self { rate: (whole - burst).max(whole / 2.0) / 3_600_000.0, burst }
    }

    /// The time in which one token comes.
    pub(super) fn spacing(self) -> Duration {
        Duration::from_secs_f64(1.0 / self.rate / 1000.0)
    }
}

/// How full a bucket is, and when it was so.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Level {
    /// Below zero after what did not wait.
    pub(super) tokens: f64,
    pub(super) at: Timestamp,
}

impl Level {
    /// A bucket that was never used is full.
    pub(super) fn full(filling: Filling, now: Timestamp) -> Self {
        Self { tokens: filling.burst, at: now }
    }

    /// The level now. A clock that was set back fills nothing, and forgets nothing.
    pub(super) fn now(self, filling: Filling, now: Timestamp) -> Self {
        // A span of milliseconds is far below 2^52.
        let filled = now.since(self.at).as_secs_f64() * 1000.0 * filling.rate;
        Self { tokens: (self.tokens + filled).min(filling.burst), at: self.at.max(now) }
    }

    /// Takes as many whole tokens of those wanted as there are. Returns how many.
    pub(super) fn take(&mut self, wanted: usize) -> usize {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at least 0, at most a burst")]
        let there = self.tokens.max(0.0) as usize;
        let taken = there.min(wanted);
        self.take_all_the_same(taken);
        taken
    }

    /// Takes tokens that need not be there.
    pub(super) fn take_all_the_same(&mut self, count: usize) {
        self.tokens -= u32::try_from(count).map_or(f64::from(u32::MAX), f64::from);
    }

    /// When the next whole token is there.
    pub(super) fn next(self, filling: Filling) -> Timestamp {
        let lacking = (1.0 - self.tokens).max(0.0);
        // Rounded up, so that it is there then.
        self.at + Duration::from_secs_f64(lacking / filling.rate / 1000.0) + Duration::from_millis(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn later(millis: u64) -> Timestamp {
        NOW + Duration::from_millis(millis)
    }

    #[test]
    fn a_bucket_gives_a_burst_and_then_its_rate() {
        let filling = Filling::per_second(10);
        let mut level = Level::full(filling, NOW);
        assert_eq!(level.take(25), 10);
        assert_eq!(level.take(1), 0);
        assert_eq!(level.next(filling), later(101));
        let mut level = level.now(filling, later(550));
        assert_eq!(level.take(25), 5);
        let level = level.now(filling, later(3_600_000));
        assert!((level.tokens - 10.0).abs() < 1e-9, "it holds no more");
        assert_eq!(filling.spacing(), Duration::from_millis(100));
    }

    #[test]
    fn no_hour_has_more_than_an_hours_mails() {
        for mails in [1, 2, 59, 60, 500, 100_000] {
            let filling = Filling::per_hour(mails);
            let mut level = Level::full(filling, NOW);
            let mut sent = 0;
            for second in 0..3600 {
                level = level.now(filling, later(second * 1000));
                sent += level.take(usize::MAX);
            }
            assert!(sent <= mails as usize && sent * 3 >= mails as usize, "{sent} of {mails}");
        }
    }

    #[test]
    fn what_does_not_wait_is_waited_for_by_the_others_and_a_clock_set_back_fills_nothing() {
        let filling = Filling::per_second(1);
        let mut level = Level::full(filling, NOW);
        level.take_all_the_same(3);
        assert_eq!(level.next(filling), later(3001));
        let earlier = level.now(filling, Timestamp::from_millis(0));
        assert_eq!(earlier, level);
    }
}
