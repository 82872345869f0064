//! The record that says from where a domain's mail may come (SPF, RFC 7208): reading it.

use ipnet::IpNet;
use std::net::IpAddr;

/// What a mechanism says of an address that it matches (§4.6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// `+`: may send.
    Pass,
    /// `-`: may not.
    Fail,
    /// `~`: probably not.
    SoftFail,
    /// `?`, or nothing that matches: nothing is said.
    Neutral,
}

/// The addresses of a name, or a network about each (`a`, `mx`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hosts {
    /// None: the domain of the record.
    pub(super) domain: Option<String>,
    v4: u8,
    v6: u8,
}

impl Hosts {
    /// Whether an address is within the network about a host's.
    pub(super) fn cover(&self, host: IpAddr, address: IpAddr) -> bool {
        let prefix = if host.is_ipv4() { self.v4 } else { self.v6 };
        IpNet::new(host, prefix).is_ok_and(|network| network.contains(&address))
    }
}

/// What an address is compared with (§5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mechanism {
    All,
    Include(String),
    A(Hosts),
    Mx(Hosts),
    Ptr,
    Network(IpNet),
    Exists(String),
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) terms: Vec<(Verdict, Mechanism)>,
    pub(super) redirect: Option<String>,
}

impl Record {
    /// Whether a text is meant as one (§4.5).
    pub(super) fn is_meant(text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        text == "v=spf1" || text.starts_with("v=spf1 ")
    }

    /// Reads a record; one wrong word makes it worthless (§4.6).
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut record = Self { terms: Vec::new(), redirect: None };
        for word in text.split(' ').filter(|word| !word.is_empty()).skip(1) {
            let wrong = || format!("“{}” in it is not understood", word.chars().take(60).collect::<String>());
            if let Some((name, value)) = modifier(word) {
                if name.eq_ignore_ascii_case("redirect") && record.redirect.replace(value.to_owned()).is_some() {
                    return Err("“redirect=” is there twice".to_owned());
                }
                continue;
            }
            record.terms.push(term(word).ok_or_else(wrong)?);
        }
        Ok(record)
    }

    /// What is said of an address that nothing else matches; `None` if that is left open here, or
    /// to a redirect.
    pub(super) fn rest(&self) -> Option<Verdict> {
        self.terms.iter().find(|(_, mechanism)| *mechanism == Mechanism::All).map(|(verdict, _)| *verdict)
    }
}

/// `name=value` (§6); a mechanism has a colon or a slash before any equals sign.
fn modifier(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let is_name =
        name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    is_name.then_some((name, value))
}

fn term(word: &str) -> Option<(Verdict, Mechanism)> {
    let (verdict, word) = match word.as_bytes().first()? {
        b'+' => (Verdict::Pass, &word[1..]),
        b'-' => (Verdict::Fail, &word[1..]),
        b'~' => (Verdict::SoftFail, &word[1..]),
        b'?' => (Verdict::Neutral, &word[1..]),
        _ => (Verdict::Pass, word),
    };
    let end = word.find([':', '/']).unwrap_or(word.len());
    let (name, argument) = word.split_at(end);
    let domain = || argument.strip_prefix(':').filter(|domain| !domain.is_empty()).map(str::to_owned);
    let mechanism = match name.to_ascii_lowercase().as_str() {
        "all" if argument.is_empty() => Mechanism::All,
        "include" => Mechanism::Include(domain()?),
        "exists" => Mechanism::Exists(domain()?),
        "ptr" if argument.is_empty() || domain().is_some() => Mechanism::Ptr,
        "a" => Mechanism::A(hosts(argument)?),
        "mx" => Mechanism::Mx(hosts(argument)?),
        "ip4" => Mechanism::Network(network(argument.strip_prefix(':')?).filter(|network| matches!(network, IpNet::V4(_)))?),
        "ip6" => Mechanism::Network(network(argument.strip_prefix(':')?).filter(|network| matches!(network, IpNet::V6(_)))?),
        _ => return None,
    };
    Some((verdict, mechanism))
}

/// `[":" domain] ["/" bits] ["//" bits]` (§5.6).
fn hosts(argument: &str) -> Option<Hosts> {
    let (domain, bits) = match argument.find('/') {
        Some(at) => argument.split_at(at),
        None => (argument, ""),
    };
    let domain = match domain.strip_prefix(':') {
        Some("") => return None,
        Some(domain) => Some(domain.to_owned()),
        None => None,
    };
    let (v4, v6) = match bits.split_once("//") {
        Some((v4, v6)) => (v4, Some(v6)),
        None => (bits, None),
    };
    let v4 = match v4.strip_prefix('/') {
        Some(bits) => bits.parse().ok().filter(|bits| *bits <= 32)?,
        None => 32,
    };
    let v6 = match v6 {
        Some(bits) => bits.parse().ok().filter(|bits| *bits <= 128)?,
        None => 128,
    };
    Some(Hosts { domain, v4, v6 })
}

fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_mechanism_is_read() {
        let text =
            "v=spf1 ip4:192.0.2.0/24 IP6:2001:db8::/32 a mx:mail.example.org/28//64 ?include:_spf.example.net exists:%{i}.x.org -ptr ~all";
        assert!(Record::is_meant(text) && Record::is_meant("v=spf1") && !Record::is_meant("v=spf10 a"));
        let record = Record::parse(text).unwrap();
        assert_eq!(record.terms.len(), 8);
        assert_eq!(record.terms[0], (Verdict::Pass, Mechanism::Network("192.0.2.0/24".parse().unwrap())));
        assert_eq!(record.terms[4], (Verdict::Neutral, Mechanism::Include("_spf.example.net".to_owned())));
        assert_eq!(record.rest(), Some(Verdict::SoftFail));
        let Mechanism::Mx(hosts) = &record.terms[3].1 else { panic!("{record:?}") };
        assert_eq!(hosts.domain.as_deref(), Some("mail.example.org"));
        assert!(hosts.cover("192.0.2.1".parse().unwrap(), "192.0.2.14".parse().unwrap()));
        assert!(!hosts.cover("192.0.2.1".parse().unwrap(), "192.0.2.16".parse().unwrap()));
        assert!(!hosts.cover("192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()));
    }

    #[test]
    fn redirects_and_unknown_modifiers_are_no_mechanisms() {
        let record = Record::parse("v=spf1 redirect=_spf.example.org exp=why.example.org moo=x").unwrap();
        assert_eq!((record.terms.len(), record.redirect.as_deref()), (0, Some("_spf.example.org")));
        assert_eq!(record.rest(), None);
    }

    #[test]
    fn one_wrong_word_is_told() {
        for wrong in [
            "ip4:192.0.2",
            "ip4:2001:db8::1",
            "ip6:192.0.2.1",
            "include:",
            "a:",
            "a/33",
            "mx//129",
            "-al",
            "all:x",
            "ipv4:192.0.2.1",
            "10.0.0.1",
        ] {
            let told = Record::parse(&format!("v=spf1 {wrong} -all")).unwrap_err();
            assert!(told.contains(wrong), "{told}");
        }
        assert!(Record::parse("v=spf1 redirect=a redirect=b").is_err());
    }
}
