//! Whether mail will arrive, and whether the machine is fit: what DNS says of our domains, the
//! relay, the clock, files, the disk. No mail is sent.
//!
//! `spf` and `dmarc` read records and know the rules; `dns` asks; the other files examine.

mod addresses;
mod dmarc;
mod dns;
mod machine;
mod policy;
mod relay;
mod sender;
mod signature;
mod spf;
mod store;

pub use store::{Accepted, accept, accepted, forget};

use crate::clock::Clock;
use crate::config::Config;
use dns::Dns;
use serde::Serialize;
use std::net::{IpAddr, SocketAddr};

crate::text_enum! {
    /// How it stands with something.
    pub enum Level {
        /// As it should be.
        Ok = "ok",
        /// It works, but should be better, or could not be looked at.
        Warning = "warning",
        /// Mail will be refused or lost, or somebody is in danger.
        Failure = "failure",
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How it stands.
    pub level: Level,
    /// With what: `SPF`, `relay`.
    pub about: &'static str,
    /// What was found, for people.
    pub message: String,
    /// What to do; nothing where all is well.
    pub remedy: Option<String>,
}

impl Finding {
    fn ok(about: &'static str, message: impl Into<String>) -> Self {
        Self { level: Level::Ok, about, message: message.into(), remedy: None }
    }

    fn warning(about: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Warning, about, message: message.into(), remedy: Some(remedy.into()) }
    }

    fn failure(about: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Failure, about, message: message.into(), remedy: Some(remedy.into()) }
    }

    /// DNS did not answer, so nothing is known.
    fn unknown(about: &'static str, trouble: &str) -> Self {
        Self::warning(
            about,
            format!("nothing is known: {trouble}"),
            "look at the network of this machine, or name a DNS server: --dns 9.9.9.9:53",
        )
    }
}

/// How to examine.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Whom to ask instead of the machine's own name servers.
    pub dns: Option<SocketAddr>,
    /// The addresses from which the relay sends to the world, where somebody knows them.
    pub sends_from: Vec<IpAddr>,
    /// Whether a DMARC policy that protects nobody is accepted, from now on.
    pub accept_weak_dmarc: bool,
}

/// Examines everything; in the order of the result nothing depends on what comes later.
pub async fn examine(config: &Config, clock: &Clock, wish: &Wish) -> anyhow::Result<Vec<Finding>> {
    let dns = Dns::new(wish.dns)?;
    let (machine, db) = machine::examine(config, clock).await;
    let sources = relay::sources(config, &dns, wish).await;
    let (sender, signature, policy, addresses, relay) = tokio::join!(
        sender::examine(config, &dns, &sources),
        signature::examine(config, &dns),
        policy::examine(config, &dns, db.as_ref(), clock.now(), wish.accept_weak_dmarc),
        addresses::examine(config, &dns),
        relay::examine(config, &dns, &sources),
    );
    if let Some(db) = db {
        db.close().await;
    }
    Ok([sender, signature, policy, addresses, relay, machine].concat())
}
