//! Telling hubs.

use super::store::{self, Ping};
use super::{TURN, pause_after};
use crate::clock::{Clock, Timestamp};
use crate::db::Db;
use crate::fetch::{Fetch, Rules};
use crate::metrics::Metrics;
use crate::noticeboard::{self, Notice};
use crate::site::Site;
use crate::task::{Step, Wake};
use anyhow::Context as _;
use sqlx::AnyConnection;
use std::time::Duration;
use url::Url;

/// Pings in one call.
const BATCH: u32 = 20;
/// A hub only says that it has heard. It may stand in a private network: its address is from the
/// configuration, and redirects are not followed.
const RULES: Rules = Rules { allow_private: true, most_octets: 64 * 1024, timeout: Duration::from_secs(30) };

/// Tells every hub of every publication.
pub struct HubStep {
    db: Db,
    clock: Clock,
    site: Site,
    hubs: Vec<Url>,
    fetch: Fetch,
    metrics: Metrics,
}

impl HubStep {
    /// A step for these hubs.
    pub fn new(db: Db, clock: Clock, site: Site, hubs: Vec<Url>, metrics: Metrics) -> anyhow::Result<Self> {
        let fetch = Fetch::new(RULES, &site.base_url)?;
        Ok(Self { db, clock, site, hubs, fetch, metrics })
    }

    /// Deals with a ping that is due.
    async fn deal_with(&self, known: Ping, now: Timestamp) -> anyhow::Result<()> {
        let Some(hub) = self.hubs.iter().find(|hub| hub.as_str() == known.hub) else {
            // It is no longer configured.
            return self.write(async |connection| store::forget(connection, &known).await).await;
        };
        let ping = Ping { attempts: known.attempts + 1, due_at: (now + TURN).as_millis(), ..known.clone() };
        if !self.write(async |connection| store::replace(connection, &known, &ping).await).await? {
            return Ok(());
        }
        match self.tell(hub, &ping.topic).await {
            Ok(()) => {
                self.metrics.hub_pings.inc();
                self.write(async |connection| {
                    store::forget(connection, &ping).await?;
                    noticeboard::clear(connection, &notice_key(hub)).await.map(drop)
                })
                .await
            }
            Err(error) => self.put_off(hub, &ping, &format!("{error:#}")).await,
        }
    }

    /// Tells a hub that a feed has changed (WebSub §7 leaves the form of this to both; every hub
    /// understands that of `PubSubHubbub` 0.4 §7.1).
    async fn tell(&self, hub: &Url, topic: &str) -> anyhow::Result<()> {
        let link = self.site.link(topic);
        let form = [("hub.mode", "publish"), ("hub.url", link.as_str()), ("hub.topic", link.as_str())];
        let answer = self.fetch.post(hub, &form).await?;
        anyhow::ensure!((200..300).contains(&answer.status), "it answers {}", answer.status);
        Ok(())
    }

    async fn put_off(&self, hub: &Url, ping: &Ping, error: &str) -> anyhow::Result<()> {
        let now = self.clock.now();
        tracing::warn!(%hub, topic = ping.topic, attempt = ping.attempts, error, "a hub was not told of a change");
        let pause = pause_after(u32::try_from(ping.attempts)?);
        self.write(async |connection| {
            if let Some(pause) = pause {
                return store::replace(connection, ping, &Ping { due_at: (now + pause).as_millis(), ..ping.clone() }).await.map(drop);
            }
            store::forget(connection, ping).await?;
            tell_staff(connection, hub, error, now).await
        })
        .await
    }

    async fn write<T>(&self, work: impl AsyncFnOnce(&mut AnyConnection) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let mut tx = self.db.begin().await?;
        let done = work(&mut tx).await?;
        tx.commit().await?;
        Ok(done)
    }
}

impl Step for HubStep {
    const NAME: &'static str = "hub";

    async fn step(&self) -> anyhow::Result<Wake> {
        let mut connection = self.db.reader().acquire().await?;
        let pings = store::next(&mut connection, i64::from(BATCH)).await?;
        drop(connection);
        let now = self.clock.now();
        let mut again = Wake::WhenKicked;
        for ping in pings {
            let due = Timestamp::from_millis(ping.due_at);
            if due > now {
                return Ok(Wake::At(due));
            }
            self.deal_with(ping, now).await.context("a hub could not be dealt with")?;
            again = Wake::Now;
        }
        Ok(again)
    }
}

fn notice_key(hub: &Url) -> String {
    format!("hub:{hub}")
}

async fn tell_staff(connection: &mut AnyConnection, hub: &Url, error: &str, now: Timestamp) -> anyhow::Result<()> {
    let notice = Notice {
        key: &notice_key(hub),
        subject: &format!("A hub does not hear: {hub}"),
        body: &format!(
            "The hub {hub}, which tells feed readers of news within seconds, could not be told of a change for half a day. Nothing is lost: readers find the news when they next look, usually within an hour.\n\nWhat happened: {error}.\nWhat to do: ask whoever keeps Clarion to look whether that hub still exists, and to remove it from `hubs` in the section [feed] if it does not. Clarion tries again at the next change.\n"
        ),
    };
    noticeboard::record(connection, &notice, now).await.map(drop)
}
