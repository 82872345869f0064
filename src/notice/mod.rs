//! What staff must be told is mailed to them, once; what comes together is told together.

mod email;
pub mod preview;
mod step;
mod store;
mod translations;

pub use preview::PreviewStep;
pub use step::NoticeStep;
pub use translations::TranslationsStep;

use crate::clock::Timestamp;
use std::time::Duration;

/// What staff are told without their asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Once a month, what waits for a translator.
    pub translations: bool,
    /// A link to each draft that is saved.
    pub draft_previews: bool,
}

/// Troubles seldom come alone: a mail waits until nothing new came for so long.
const QUIET: Duration = Duration::from_secs(10);
/// But with so many it goes at once. Also the most that one mail tells.
const MANY: usize = 20;

/// When notices that were recorded at these instants are told; `None` when there are none.
fn told_at(recorded: &[Timestamp], now: Timestamp) -> Option<Timestamp> {
    let last = recorded.iter().max()?;
    Some(if recorded.len() >= MANY { now } else { *last + QUIET })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_are_told_when_it_has_been_quiet_or_when_there_are_many() {
        let start = Timestamp::from_millis(1_800_000_000_000);
        let second = Duration::from_secs(1);
        assert_eq!(told_at(&[], start), None);
        assert_eq!(told_at(&[start], start), Some(start + QUIET));
        assert_eq!(told_at(&[start, start + second], start + second), Some(start + second + QUIET));
        assert_eq!(told_at(&[start; MANY], start), Some(start));
    }
}
