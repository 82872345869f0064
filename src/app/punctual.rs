//! A machine whose clock is wrong does no work that depends on the time (S23).

use crate::clock::{Clock, Timestamp};
use crate::db::{Db, Engine};
use crate::noticeboard::{self, Notice};
use crate::task::{Step, Wake};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// A clock that is further off from the database server's would send early, or twice.
const TOLERANCE: Duration = Duration::from_secs(5);
/// The clocks are compared so often.
const EVERY: Duration = Duration::from_secs(10);
const NOTICE: &str = "clock-off";

/// A step that rests while this machine's clock is over five seconds off from the database
/// server's. SQLite's clock is the machine's own.
pub struct Punctual<S> {
    step: S,
    db: Db,
    clock: Clock,
    compared: Mutex<Option<(Instant, bool)>>,
}

impl<S: Step> Punctual<S> {
    /// Watches over a step.
    pub fn new(step: S, db: Db, clock: Clock) -> Self {
        Self { step, db, clock, compared: Mutex::new(None) }
    }

    async fn is_right(&self) -> anyhow::Result<bool> {
        if self.db.engine() == Engine::Sqlite {
            return Ok(true);
        }
        let mut compared = self.compared.lock().await;
        if let Some((at, is_right)) = *compared
            && at.elapsed() < EVERY
        {
            return Ok(is_right);
        }
        let server = self.db.lease_time(&mut *self.db.reader().acquire().await?).await?;
        let machine = self.clock.machine();
        let is_right = distance(machine, server) <= TOLERANCE;
        let was_right = compared.replace((Instant::now(), is_right)).map(|(_, was_right)| was_right);
        match (is_right, was_right) {
            (false, _) => self.tell(machine, server).await?,
            (true, Some(false)) => self.take_back().await?,
            (true, _) => {}
        }
        Ok(is_right)
    }

    async fn tell(&self, machine: Timestamp, server: Timestamp) -> anyhow::Result<()> {
        let seconds = distance(machine, server).as_secs();
        tracing::error!(step = S::NAME, seconds, "this machine's clock is wrong; it schedules and sends nothing until it is right");
        let body = format!(
            "The clock of a machine that runs Clarion is {seconds} seconds off from the database server's: it shows {machine}, the server \
             {server}. That machine schedules and sends nothing until its clock is right; other machines go on.\n\n\
             Let a time service (systemd-timesyncd, chrony) keep both clocks."
        );
        let mut tx = self.db.begin().await?;
        noticeboard::record(&mut tx, &Notice { key: NOTICE, subject: "A machine's clock is wrong", body: &body }, server).await?;
        tx.commit().await
    }

    async fn take_back(&self) -> anyhow::Result<()> {
        let mut tx = self.db.begin().await?;
        noticeboard::clear(&mut tx, NOTICE).await?;
        tx.commit().await
    }
}

fn distance(one: Timestamp, other: Timestamp) -> Duration {
    one.since(other).max(other.since(one))
}

impl<S: Step> Step for Punctual<S> {
    const NAME: &'static str = S::NAME;

    async fn step(&self) -> anyhow::Result<Wake> {
        if self.is_right().await? { self.step.step().await } else { Ok(Wake::WhenKicked) }
    }

    async fn end(&self) -> anyhow::Result<()> {
        self.step.end().await
    }
}
