//! Background work: a *step* does one piece and says when to be called next; one loop calls it.
//!
//! Tests call steps directly, until there is nothing left to do.

use crate::clock::{Clock, Timestamp};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use std::{io, thread};
use tokio::runtime::{Builder, Handle};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// No step sleeps longer than this: another process (the command line, a second daemon) may
/// have written something for it to do.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);
/// The first pause after a step failed; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// A thread with a runtime of its own, which ends when it is told to. What is spawned on it moves to
/// no other thread, and wakes none: many short waits cost less there.
pub fn lane(name: &str, stop: CancellationToken) -> io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
    let handle = runtime.handle().clone();
    thread::Builder::new().name(name.to_owned()).spawn(move || runtime.block_on(stop.cancelled_owned()))?;
    Ok(handle)
}

/// When a step wants to be called again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// At once: there is more to do.
    Now,
    /// When the clock shows this instant, or earlier when kicked.
    At(Timestamp),
    /// When kicked; a look every few seconds all the same.
    WhenKicked,
}

impl Wake {
    /// The earlier of two wishes.
    #[must_use]
    pub fn or_sooner(self, other: Self) -> Self {
        match (self, other) {
            (Self::Now, _) | (_, Self::Now) => Self::Now,
            (Self::At(one), Self::At(two)) => Self::At(one.min(two)),
            (Self::At(instant), Self::WhenKicked) | (Self::WhenKicked, Self::At(instant)) => Self::At(instant),
            (Self::WhenKicked, Self::WhenKicked) => Self::WhenKicked,
        }
    }
}

/// One kind of background work.
pub trait Step: Send + Sync + 'static {
    /// The name in logs and metrics.
    const NAME: &'static str;

    /// Does one bounded piece of work. An error is logged and the step called again later, so
    /// whatever it was doing must be found again in the database.
    fn step(&self) -> impl Future<Output = anyhow::Result<Wake>> + Send;

    /// Called once when its loop has ended: gives back what another daemon would wait for.
    fn end(&self) -> impl Future<Output = anyhow::Result<()>> + Send {
        async { Ok(()) }
    }
}

/// A hint that there is work. Losing one loses time, never work.
#[derive(Clone, Debug, Default)]
pub struct Kick(Arc<Notify>);

impl Kick {
    /// Wakes the step that listens.
    pub fn kick(&self) {
        self.0.notify_one();
    }

    async fn kicked(&self) {
        self.0.notified().await;
    }
}

/// Calls a step again and again until shutdown. The step in progress is always finished.
pub async fn run<S: Step>(step: Arc<S>, clock: Clock, kick: Kick, shutdown: CancellationToken) {
    let mut pause = FIRST_PAUSE;
    while !shutdown.is_cancelled() {
        let (until, at_most) = match step.step().await {
            Ok(wake) => {
                pause = FIRST_PAUSE;
                match wake {
                    Wake::Now => continue,
                    Wake::At(instant) => (instant, LONGEST_SLEEP),
                    Wake::WhenKicked => (Timestamp::from_millis(i64::MAX), LONGEST_SLEEP),
                }
            }
            Err(error) => {
                tracing::error!(step = S::NAME, error = format!("{error:#}"), "a step failed and will be tried again");
                let this = pause;
                pause = (pause * 2).min(LONGEST_PAUSE);
                (Timestamp::from_millis(i64::MAX), this)
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = kick.kicked() => {}
            () = clock.sleep_until(until, at_most) => {}
        }
    }
    if let Err(error) = step.end().await {
        tracing::warn!(step = S::NAME, error = format!("{error:#}"), "a step could not end well; others may wait for its lease to run out");
    }
}
