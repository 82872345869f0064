//! The ways out in their order, and how each is: the next when one is down, back when it
//! recovers, and at most one connection a minute to one that is down (S21).

use super::board::Board;
use super::rate::Rates;
use crate::clock::Timestamp;
use crate::mail::{self, Link, RelayTimeouts, Transport};
use serde::Serialize;
use sqlx::AnyConnection;
use std::time::Duration;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

/// While a relay is down, it is tried so often.
const PAUSE: Duration = Duration::from_mins(1);
/// A relay that had too much to do gets one more connection after each such time without trouble.
const WIDEN_AFTER: Duration = Duration::from_secs(30);

crate::text_enum! {
    /// How a relay is.
    pub enum RelayState {
        /// It takes mail.
        Up = "up",
        /// It does not, and is tried again each minute.
        Down = "down",
    }
}

/// The relays, the preferred one first.
pub(super) struct Relays {
    all: Vec<Way>,
    widest: u32,
}

/// One of them.
pub(super) struct Way {
    /// `host:port`, or `files`.
    pub(super) name: String,
    pub(super) transport: Transport,
    pub(super) idle: Vec<(Link, Instant)>,
    /// Connections that it bears now.
    pub(super) width: u32,
    widened_at: Option<Timestamp>,
    down: Option<Down>,
    /// Somebody who tries, while mail leaves another way.
    knocking: Option<JoinHandle<anyhow::Result<Link>>>,
}

/// A relay that takes no mail.
#[derive(Clone, Debug)]
pub(super) struct Down {
    pub(super) since: Timestamp,
    until: Timestamp,
    pub(super) trouble: String,
}

impl Down {
    /// Whether that is so now, and not to be seen in this moment.
    pub(super) fn is_known(&self, now: Timestamp) -> bool {
        self.until > now
    }
}

/// Which way mail goes now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// This one; a connection to it is open.
    Way(usize),
    /// None before this instant.
    None(Timestamp),
}

impl Relays {
    pub(super) fn new(mail: &mail::Settings, rates: &Rates, widest: u32) -> anyhow::Result<Self> {
        let all = Transport::all(mail, rates.mails_per_connection)?;
        Ok(Self { all: all.into_iter().map(|(name, transport)| Way::new(name, transport, widest)).collect(), widest })
    }

    pub(super) fn set_timeouts(&mut self, timeouts: RelayTimeouts) {
        for way in &mut self.all {
            way.transport = way.transport.clone().with_timeouts(timeouts);
        }
    }

    pub(super) fn way(&mut self, index: usize) -> &mut Way {
        &mut self.all[index]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Way> {
        self.all.iter()
    }

    /// Takes leave on all connections without work for so long, at once: a relay that does not
    /// answer costs its two seconds once.
    pub(super) async fn close_idle(&mut self, longer_than: Duration) {
        let closing: JoinSet<()> = self.all.iter_mut().flat_map(|way| way.take_idle(longer_than)).map(Link::close).collect();
        closing.join_all().await;
    }

    /// The first way that is open or can be opened. One that is down is tried beside the work
    /// where another is up, so that a relay that lets us wait does not hold up all mail.
    pub(super) async fn choose(&mut self, now: Timestamp) -> Choice {
        for index in 0..self.all.len() {
            let another_is_up = self.all[index + 1..].iter().any(|way| way.down.is_none());
            if self.all[index].is_open(now, another_is_up).await {
                return Choice::Way(index);
            }
        }
        Choice::None(self.all.iter().filter_map(|way| way.down.as_ref()).map(|down| down.until).min().unwrap_or(now + PAUSE))
    }

    /// What a round taught about a way. Only an answer about a mail shows that it takes mail: one
    /// that lets us in and refuses our sender is as down as one that does not.
    pub(super) fn learn(&mut self, index: usize, board: &Board, now: Timestamp) {
        let widest = self.widest;
        let way = &mut self.all[index];
        if board.is_overloaded() {
            way.width = (way.width / 2).max(1);
            way.widened_at = Some(now);
        } else if way.widened_at.is_none_or(|at| now.since(at) >= WIDEN_AFTER) {
            way.width = (way.width + 1).min(widest);
            way.widened_at = Some(now);
        }
        if board.has_answered() {
            way.down = None;
        }
        if let Some(trouble) = board.verdict() {
            way.goes_down(trouble, now);
        }
    }
}

impl Way {
    fn new(name: String, transport: Transport, width: u32) -> Self {
        Self { name, transport, idle: Vec::new(), width, widened_at: None, down: None, knocking: None }
    }

    /// How it is.
    pub(super) fn down(&self) -> Option<&Down> {
        self.down.as_ref()
    }

    async fn is_open(&mut self, now: Timestamp, another_is_up: bool) -> bool {
        if let Some(knocking) = self.knocking.take_if(|knocking| knocking.is_finished()) {
            let opened = knocking.await.unwrap_or_else(|error| Err(error.into()));
            return self.is_opened(opened, now);
        }
        if self.knocking.is_some() || self.down.as_ref().is_some_and(|down| down.until > now) {
            return false;
        }
        if !self.idle.is_empty() {
            return true;
        }
        if let Some(down) = self.down.as_mut().filter(|_| another_is_up) {
            down.until = now + PAUSE;
            let transport = self.transport.clone();
            self.knocking = Some(tokio::spawn(async move { transport.open().await }));
            return false;
        }
        let opened = self.transport.open().await;
        self.is_opened(opened, now)
    }

    fn is_opened(&mut self, opened: anyhow::Result<Link>, now: Timestamp) -> bool {
        match opened {
            Ok(link) => {
                self.idle.push((link, Instant::now()));
                // Whether it takes mail as well is seen now.
                if let Some(down) = &mut self.down {
                    down.until = now;
                }
                true
            }
            Err(trouble) => {
                self.goes_down(format!("{trouble:#}"), now);
                false
            }
        }
    }

    fn goes_down(&mut self, trouble: String, now: Timestamp) {
        tracing::warn!(relay = self.name, trouble, "the relay takes no mail now");
        let since = self.down.as_ref().map_or(now, |down| down.since);
        self.down = Some(Down { since, until: now + PAUSE, trouble });
    }

    fn take_idle(&mut self, longer_than: Duration) -> Vec<Link> {
        self.idle.extract_if(.., |(_, since)| since.elapsed() > longer_than).map(|(link, _)| link).collect()
    }
}

/// How a relay was when it last changed, as seen by any daemon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RelayHealth {
    /// `host:port`, or `files`.
    pub name: String,
    /// Whether it takes mail.
    pub state: RelayState,
    /// Since when.
    pub since: Timestamp,
    /// What it says, if it is down.
    pub reason: Option<String>,
}

/// How the relays are that mail has gone through, or could not.
pub async fn relay_health(connection: &mut AnyConnection) -> anyhow::Result<Vec<RelayHealth>> {
    let rows: Vec<(String, String, i64, Option<String>)> =
        sqlx::query_as("SELECT name, state, since, reason FROM relay_state ORDER BY name").fetch_all(connection).await?;
    rows.into_iter()
        .map(|(name, state, since, reason)| {
            Ok(RelayHealth { name, state: RelayState::from_stored(&state)?, since: Timestamp::from_millis(since), reason })
        })
        .collect()
}

/// Writes how a relay is.
pub(super) async fn record_health(connection: &mut AnyConnection, name: &str, down: Option<&Down>, now: Timestamp) -> anyhow::Result<()> {
    let state = if down.is_some() { RelayState::Down } else { RelayState::Up };
    sqlx::query(
        "INSERT INTO relay_state (name, state, since, reason) VALUES ($1, $2, $3, $4)
         ON CONFLICT (name) DO UPDATE SET state = excluded.state, since = excluded.since, reason = excluded.reason",
    )
    .bind(name)
    .bind(state.as_str())
    .bind(down.map_or(now, |down| down.since).as_millis())
    .bind(down.map(|down| down.trouble.as_str()))
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets relays that are not configured any more.
pub(super) async fn forget_others(connection: &mut AnyConnection, names: &[&str]) -> anyhow::Result<()> {
    let known: Vec<String> = sqlx::query_scalar("SELECT name FROM relay_state").fetch_all(&mut *connection).await?;
    for name in known.iter().filter(|name| !names.contains(&name.as_str())) {
        sqlx::query("DELETE FROM relay_state WHERE name = $1").bind(name).execute(&mut *connection).await?;
    }
    Ok(())
}
