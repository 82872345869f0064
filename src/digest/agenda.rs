//! When a digest runs next, and the hand that staff have on it.

use super::Settings;
use super::store::{self, Run, RunState};
use crate::clock::Timestamp;
use sqlx::AnyConnection;

/// When a digest runs next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextRun {
    /// Now, for this time; earlier ones that were missed are not run for themselves.
    Due(Timestamp),
    /// At this time.
    Later(Timestamp),
    /// Its schedule has no time any more.
    Never,
}

impl NextRun {
    /// The scheduled time.
    pub fn at(self) -> Option<Timestamp> {
        match self {
            Self::Due(at) | Self::Later(at) => Some(at),
            Self::Never => None,
        }
    }
}

/// When a digest runs next, given the latest time dealt with. After a gap it runs once, for the
/// last time missed; a clock set back finds its times dealt with.
pub fn next_run(settings: &Settings, last: Timestamp, now: Timestamp) -> NextRun {
    let (schedule, zone) = (&settings.schedule, &settings.time_zone);
    match schedule.last_between(last, now, zone) {
        Some(at) => NextRun::Due(at),
        None => schedule.next_after(last.max(now), zone).map_or(NextRun::Never, NextRun::Later),
    }
}

/// Where a digest stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The latest time dealt with; none before the daemon first saw the digest.
    pub last: Option<Run>,
    /// When it runs next.
    pub next: NextRun,
    /// Since when staff hold it.
    pub held_since: Option<Timestamp>,
}

/// Where a digest stands now.
pub async fn standing(connection: &mut AnyConnection, settings: &Settings, now: Timestamp) -> anyhow::Result<Standing> {
    let last = store::last_run(connection, &settings.name).await?;
    let held_since = store::held_since(connection, &settings.name).await?;
    let next = next_run(settings, last.map_or(now, |run| run.scheduled_at), now);
    Ok(Standing { last, next, held_since })
}

/// Skips the next run, the one that is due among them: what it would have carried is carried by
/// the one after. Returns the time skipped.
pub async fn skip(connection: &mut AnyConnection, settings: &Settings, now: Timestamp) -> anyhow::Result<Option<Timestamp>> {
    let Some(at) = standing(connection, settings, now).await?.next.at() else { return Ok(None) };
    let skipped = Run { scheduled_at: at, state: RunState::Skipped };
    Ok(store::add_run(connection, &settings.name, skipped, now).await?.then_some(at))
}
