//! Which addresses of the internet may be asked.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Resolves names, and gives the client only addresses that may be asked. The client connects to
/// these very addresses, so no second answer of a name server can slip in between.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guard {
    pub(super) allow_private: bool,
}

/// A name has only addresses that may not be asked; this is one of them.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("{0} may not be asked")]
pub(super) struct Unreachable(pub(super) IpAddr);

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let (allowed, refused): (Vec<_>, Vec<_>) = found.into_iter().partition(|address| may_ask(address.ip(), allow_private));
            match (allowed.is_empty(), refused.first()) {
                (true, Some(address)) => Err(Unreachable(address.ip()).into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

/// Who can be found at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Everybody's.
    Public,
    /// This machine's and its own network's.
    Private,
    /// Nobody's whom a web server would ask, or those at which clouds tell a machine its secrets.
    Never,
}

/// Whether an address may be asked.
pub(super) fn may_ask(address: IpAddr, allow_private: bool) -> bool {
    let reach = match address {
        IpAddr::V4(address) => of_v4(address),
        IpAddr::V6(address) => of_v6(address),
    };
    match reach {
        Reach::Public => true,
        Reach::Private => allow_private,
        Reach::Never => false,
    }
}

/// By the IANA IPv4 Special-Purpose Address Registry (RFC 6890).
fn of_v4(address: Ipv4Addr) -> Reach {
    match address.octets() {
        // Loopback; RFC 1918; shared by carriers (RFC 6598), but not where Alibaba answers a
        // machine's questions about itself.
        octets @ ([127 | 10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..]) if octets != [100, 100, 100, 200] => {
            Reach::Private
        }
        // "This" network, link-local, protocol assignments, documentation, 6to4 relays,
        // benchmarks, multicast and what is reserved; the carriers' that is left from above, and
        // where Azure answers such questions.
        [0 | 224..=255, ..]
        | [169, 254, ..]
        | [192, 0, 0 | 2, _]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        | [192, 88, 99, _]
        | [198, 18..=19, ..]
        | [100, 64..=127, ..]
        | [168, 63, 129, 16] => Reach::Never,
        _ => Reach::Public,
    }
}

/// By the IANA IPv6 Special-Purpose Address Registry; an address that carries an IPv4 address is
/// what that one is.
fn of_v6(address: Ipv6Addr) -> Reach {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return of_v4(mapped);
    }
    let inner = |high: u16, low: u16| of_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Reach::Private,
        // NAT64 (RFC 6052) and 6to4 (RFC 3056).
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => inner(high, low),
        // Unique local (RFC 4193), but not where Amazon answers a machine's questions about itself.
        segments @ [0xfc00..=0xfdff, ..] if segments != [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] => Reach::Private,
        // Global unicast without protocol assignments (Teredo, ORCHID, benchmarks) and
        // documentation; link-local, multicast and all others are none.
        [0x2001, second, ..] if second > 0x1ff && second != 0xdb8 => Reach::Public,
        [0x3fff, second, ..] if second > 0xfff => Reach::Public,
        [first @ 0x2000..=0x3ffe, ..] if first != 0x2001 => Reach::Public,
        _ => Reach::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(address: &str) -> Reach {
        match address.parse().unwrap() {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => of_v6(address),
        }
    }

    #[test]
    fn only_the_public_internet_is_public() {
        for address in ["93.184.216.34", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "172.32.0.1", "192.0.1.1"]
        {
            assert_eq!(reach(address), Reach::Public, "{address}");
        }
        for address in ["127.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "::1", "fd12::1"] {
            assert_eq!(reach(address), Reach::Private, "{address}");
        }
    }

    #[test]
    fn an_ipv4_address_in_ipv6_is_what_it_is() {
        for address in ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1", "::ffff:192.168.0.1"] {
            assert_eq!(reach(address), Reach::Private, "{address}");
        }
        for address in ["::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "::127.0.0.1"] {
            assert_eq!(reach(address), Reach::Never, "{address}");
        }
    }

    #[test]
    fn what_tells_a_machine_its_secrets_is_never_asked() {
        for address in ["169.254.169.254", "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fe80::1"] {
            assert!(!may_ask(address.parse().unwrap(), true), "{address}");
        }
        for address in ["0.0.0.0", "255.255.255.255", "224.0.0.1", "::", "ff02::1", "2001::1", "2001:db8::1"] {
            assert_eq!(reach(address), Reach::Never, "{address}");
        }
    }
}
