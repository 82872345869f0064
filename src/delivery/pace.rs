//! So many messages a second over all connections.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Gives out moments to send at, evenly spaced. Moments that passed unused are not made up for.
pub(super) struct Pace {
    /// None: no limit.
    spacing: Option<Duration>,
    next: Mutex<Instant>,
}

impl Pace {
    /// So many a second; 0: no limit.
    pub(super) fn new(per_second: u32) -> Self {
        Self { spacing: (per_second > 0).then(|| Duration::from_secs(1) / per_second), next: Mutex::new(Instant::now()) }
    }

    /// Whether nothing ever waits.
    pub(super) fn is_unlimited(&self) -> bool {
        self.spacing.is_none()
    }

    /// How long to wait before the next message. The moment is taken.
    pub(super) fn take(&self) -> Duration {
        self.take_at(Instant::now())
    }

    fn take_at(&self, now: Instant) -> Duration {
        let Some(spacing) = self.spacing else { return Duration::ZERO };
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let at = (*next).max(now);
        *next = at + spacing;
        at - now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_spaced_and_lost_time_is_not_made_up_for() {
        let pace = Pace::new(10);
        let now = Instant::now();
        assert_eq!(pace.take_at(now), Duration::ZERO);
        assert_eq!(pace.take_at(now), Duration::from_millis(100));
        assert_eq!(pace.take_at(now), Duration::from_millis(200));
        let later = now + Duration::from_secs(5);
        assert_eq!(pace.take_at(later), Duration::ZERO);
        assert_eq!(pace.take_at(later), Duration::from_millis(100));
        assert_eq!(Pace::new(0).take_at(now), Duration::ZERO);
    }
}
