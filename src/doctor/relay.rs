//! Whether the relay takes mail from us, encrypted, and whether the address it sends from has a
//! name. Nothing is sent.

use super::dns::{Answer, Dns};
use super::{Finding, Wish};
use crate::config::Config;
use crate::mail::{Relay, RelaySettings, RelayTimeouts, Tls, TransportSettings};
use std::net::IpAddr;
use std::time::Duration;

const RELAY: &str = "relay";
const PTR: &str = "PTR";
/// Somebody waits for the answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// From where mail reaches the world, as far as it is known.
pub(super) struct Sources {
    /// Public addresses.
    pub(super) addresses: Vec<IpAddr>,
    /// Whether somebody who knows them named them; else they are where the relay is spoken to.
    pub(super) named: bool,
    /// The relay's name, if it is one.
    pub(super) host: Option<String>,
}

impl Sources {
    /// The addresses, for people.
    pub(super) fn shown(&self) -> String {
        self.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    /// Why there are none.
    pub(super) fn why_unknown(&self) -> &'static str {
        match self.host {
            Some(_) => "the relay's name leads to no public address; name the one it sends from with --sends-from ADDRESS",
            None => "name the address it sends from with --sends-from ADDRESS",
        }
    }
}

/// Where the relay is, or where it sends from if that was said.
pub(super) async fn sources(config: &Config, dns: &Dns, wish: &Wish) -> Sources {
    let host = config.mail.transport.relays().iter().find(|relay| !relay.is_loopback()).map(|relay| relay.host.clone());
    if !wish.sends_from.is_empty() {
        return Sources { addresses: wish.sends_from.clone(), named: true, host };
    }
    let found = match host.as_deref().map(|host| (host, host.trim_matches(['[', ']']).parse::<IpAddr>())) {
        Some((_, Ok(address))) => vec![address],
        Some((name, Err(_))) => match dns.addresses(name).await {
            Answer::Found(addresses) => addresses,
            Answer::Nothing | Answer::Unknown(_) => Vec::new(),
        },
        None => Vec::new(),
    };
    let host = host.filter(|host| host.parse::<IpAddr>().is_err());
    Sources { addresses: found.into_iter().filter(is_public).collect(), named: false, host }
}

/// Whether the world can see an address: not within a machine or an intranet.
fn is_public(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !(address.is_loopback() || address.is_private() || address.is_link_local() || address.is_unspecified()),
        IpAddr::V6(address) => {
            !(address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local() || address.is_unspecified())
        }
    }
}

pub(super) async fn examine(config: &Config, dns: &Dns, sources: &Sources) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let TransportSettings::File { dir } = &config.mail.transport {
        findings.push(Finding::warning(
            RELAY,
            format!("mail goes to files in {}: nobody gets any", dir.display()),
            "that is right for a trial; in earnest write a relay into [mail] transport",
        ));
    }
    for relay in config.mail.transport.relays() {
        findings.push(greeted(config, relay).await);
    }
    for address in &sources.addresses {
        findings.push(named(dns, *address, sources.named).await);
    }
    findings
}

/// Connects, encrypts, introduces, logs in, and takes leave.
async fn greeted(config: &Config, relay: &RelaySettings) -> Finding {
    let place = format!("{}:{}", relay.host, relay.port);
    let opened = match Relay::new(relay, config.mail.from.address.domain()) {
        Ok(relay) => {
            relay.with_timeouts(RelayTimeouts { connect: PATIENCE, greeting: PATIENCE, command: PATIENCE, dot: PATIENCE }).connect().await
        }
        Err(error) => Err(error),
    };
    match opened {
        Ok(connection) => {
            connection.quit().await;
            let how = match relay.tls {
                Tls::None => "unencrypted, on this machine",
                Tls::Required => "by STARTTLS, with a certificate that is valid for its name",
                Tls::Implicit => "encrypted from the first octet, with a certificate that is valid for its name",
            };
            Finding::ok(RELAY, format!("{place} takes mail from us, {how}"))
        }
        Err(trouble) => Finding::failure(
            RELAY,
            format!("{place} does not take mail from us: {trouble:#}"),
            "look at [mail] transport: host, port, tls, user, password; then ask whoever runs the relay",
        ),
    }
}

/// Whether an address has a name that leads back to it, which large receivers demand (M1).
async fn named(dns: &Dns, address: IpAddr, sends: bool) -> Finding {
    let names = match dns.names(address).await {
        Answer::Found(names) => names,
        Answer::Nothing => Vec::new(),
        Answer::Unknown(trouble) => return Finding::unknown(PTR, &trouble),
    };
    for name in &names {
        match dns.addresses(name).await {
            Answer::Found(found) if found.contains(&address) => {
                return Finding::ok(PTR, format!("{address} is {name}, and {name} is {address}"));
            }
            Answer::Unknown(trouble) => return Finding::unknown(PTR, &trouble),
            _ => {}
        }
    }
    let message = match names.first() {
        None => format!("{address} has no name (PTR)"),
        Some(name) => format!("{address} is called {name}, but that name leads elsewhere"),
    };
    let remedy = "whoever provides that address sets its name; it must lead back to the address";
    if sends {
        Finding::failure(PTR, format!("{message}: large receivers refuse its mail"), remedy)
    } else {
        Finding::warning(PTR, format!("{message}; if mail leaves from it, large receivers refuse it"), remedy)
    }
}
