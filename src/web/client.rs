//! Which network a request comes from, and how much of one thing a network may ask for (S4).

use super::Settings;
use super::fields::{Fields, text};
use crate::clock::Timestamp;
use axum::http::HeaderName;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Who asks for something.
pub(super) struct Visitor<'v> {
    /// The other end of the connection, perhaps a proxy.
    pub(super) peer: SocketAddr,
    /// Of the request.
    pub(super) headers: Fields<'v>,
}

/// The network of a visitor, if it is one of the public internet: what has another address, a
/// proxy that is not named in `trusted_proxies` say, may stand for everybody.
pub(super) fn public_network(settings: &Settings, visitor: &Visitor<'_>) -> Option<IpNet> {
    let is_public = match address(settings, visitor.peer, visitor.headers) {
        IpAddr::V4(address) => !(address.is_loopback() || address.is_private() || address.is_link_local()),
        IpAddr::V6(address) => !(address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()),
    };
    is_public.then(|| network(settings, visitor.peer, visitor.headers))
}

/// The network of a client: an IPv4 /24 or an IPv6 /56, what one household or office has.
pub(super) fn network(settings: &Settings, peer: SocketAddr, headers: Fields<'_>) -> IpNet {
    let net = match address(settings, peer, headers) {
        IpAddr::V4(address) => Ipv4Net::new(address, 24).map(IpNet::V4),
        IpAddr::V6(address) => Ipv6Net::new(address, 56).map(IpNet::V6),
    };
    // The lengths of the prefixes are right, so this is never the whole internet.
    net.map_or_else(|_| IpNet::from(peer.ip()), |net| net.trunc())
}

/// The client's address. `X-Forwarded-For` counts only as far as trusted proxies wrote it: from
/// its end, through the trusted, to the first who is not.
fn address(settings: &Settings, peer: SocketAddr, headers: Fields<'_>) -> IpAddr {
    let trusted = |address: &IpAddr| settings.trusted_proxies.iter().any(|net| net.contains(address));
    let mut client = peer.ip().to_canonical();
    for hop in headers.all(FORWARDED).rev().filter_map(text).flat_map(|line| line.rsplit(',')) {
        let Some(hop) = parse_hop(hop.trim()) else { break };
        if !trusted(&client) {
            break;
        }
        client = hop;
    }
    client
}

/// Who asked a proxy, says the proxy.
const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");

/// An address, with or without a port.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let address = text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

/// Networks remembered at once; with more, whoever is not among them waits.
const NETWORKS: usize = 50_000;

/// Lets each network do something so many times in a span of time. Kept in memory only.
pub(super) struct NetworkLimit {
    times: usize,
    span: Duration,
    seen: Mutex<HashMap<IpNet, Vec<Timestamp>>>,
}

impl NetworkLimit {
    pub(super) fn new(times: usize, span: Duration) -> Self {
        Self { times, span, seen: Mutex::default() }
    }

    /// Whether a network may do it once more now; if so, it is counted.
    pub(super) fn admit(&self, network: IpNet, now: Timestamp) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= NETWORKS && !seen.contains_key(&network) {
            seen.retain(|_, times| times.iter().any(|time| now.since(*time) < self.span));
            if seen.len() >= NETWORKS {
                return false;
            }
        }
        let times = seen.entry(network).or_default();
        times.retain(|time| now.since(*time) < self.span);
        let admitted = times.len() < self.times;
        if admitted {
            times.push(now);
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen_as(trusted: &[&str], peer: &str, forwarded: &[&str]) -> String {
        let settings = Settings {
            listen: "127.0.0.1:0".parse().unwrap(),
            trusted_proxies: trusted.iter().map(|net| net.parse().unwrap()).collect(),
            metrics_listen: None,
        };
        let mut headers = axum::http::HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        network(&settings, peer.parse().unwrap(), (&headers).into()).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        assert_eq!(seen_as(&[], "192.0.2.9:1", &["198.51.100.7"]), "192.0.2.0/24");
        assert_eq!(seen_as(&["192.0.2.0/24"], "192.0.2.9:1", &["198.51.100.7"]), "198.51.100.0/24");
        assert_eq!(seen_as(&["192.0.2.0/24"], "192.0.2.9:1", &["203.0.113.1, 198.51.100.7:4711"]), "198.51.100.0/24");
        assert_eq!(seen_as(&["192.0.2.0/24"], "192.0.2.9:1", &["203.0.113.1", "192.0.2.10"]), "203.0.113.0/24");
        assert_eq!(seen_as(&["192.0.2.0/24"], "192.0.2.9:1", &["unknown"]), "192.0.2.0/24");
        assert_eq!(seen_as(&["192.0.2.0/24"], "192.0.2.9:1", &[]), "192.0.2.0/24");
    }

    #[test]
    fn an_ipv6_network_is_a_household() {
        assert_eq!(seen_as(&[], "[2001:db8:1:23ff::1]:1", &[]), "2001:db8:1:2300::/56");
        assert_eq!(seen_as(&[], "[::ffff:192.0.2.9]:1", &[]), "192.0.2.0/24");
    }

    #[test]
    fn a_network_waits_until_its_span_is_over() {
        let limit = NetworkLimit::new(2, Duration::from_hours(1));
        let net = |text: &str| text.parse::<IpNet>().unwrap();
        let start = Timestamp::from_millis(1_800_000_000_000);
        assert!(limit.admit(net("192.0.2.0/24"), start));
        assert!(limit.admit(net("192.0.2.0/24"), start + Duration::from_mins(30)));
        assert!(!limit.admit(net("192.0.2.0/24"), start + Duration::from_secs(3599)));
        assert!(limit.admit(net("198.51.100.0/24"), start + Duration::from_secs(3599)));
        assert!(limit.admit(net("192.0.2.0/24"), start + Duration::from_hours(1)));
        assert!(!limit.admit(net("192.0.2.0/24"), start + Duration::from_secs(3601)));
    }
}
