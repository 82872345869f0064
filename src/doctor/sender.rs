//! Whether the domain of the envelope lets our relay send (SPF, RFC 7208).

use super::Finding;
use super::dns::{Answer, Dns};
use super::relay::Sources;
use super::spf::{Hosts, Mechanism, Record, Verdict};
use crate::config::Config;
use crate::mail::EnvelopePattern;
use std::net::IpAddr;
use std::pin::Pin;

const SPF: &str = "SPF";
/// Questions that a record may cost a receiver (§4.6.4); beyond, it is worthless.
const MOST_LOOKUPS: usize = 10;
/// Questions without an answer among them (§4.6.4).
const MOST_VOID: usize = 2;
/// Where we stop asking ourselves.
const ENDLESS: usize = 30;

pub(super) async fn examine(config: &Config, dns: &Dns, sources: &Sources) -> Vec<Finding> {
    let Some(domain) = envelope_domain(&config.mail.envelope) else { return Vec::new() };
    let remedy = suggestion(&domain, sources);
    let record = match found(dns.txt(&domain).await) {
        Found::One(record) => record,
        Found::None => return vec![Finding::failure(SPF, format!("{domain} has no SPF record"), remedy)],
        Found::Several => {
            let message = format!("{domain} has several SPF records, so receivers honour none");
            return vec![Finding::failure(SPF, message, "leave one, and move what the others allow into it")];
        }
        Found::Wrong(why) => {
            return vec![Finding::failure(
                SPF,
                format!("the SPF record of {domain} is worthless: {why}"),
                "mend that word in the DNS record",
            )];
        }
        Found::Unknown(trouble) => return vec![Finding::unknown(SPF, &trouble)],
    };
    let mut walk = Walk { dns, addresses: &sources.addresses, lookups: 0, void: 0, broken: Vec::new(), unknown: None, opaque: false };
    let verdicts = walk.verdicts(&domain, &record).await;
    let mut findings = walk.shape(&domain, &record);
    if findings.iter().all(|finding| finding.level < super::Level::Failure) {
        findings.push(walk.judge(&domain, &verdicts, sources, remedy));
    }
    findings
}

/// Where bounces go: what SPF is about.
pub(super) fn envelope_domain(pattern: &EnvelopePattern) -> Option<String> {
    pattern.with("x").ok().map(|address| address.domain().to_owned())
}

fn suggestion(domain: &str, sources: &Sources) -> String {
    let example = match (sources.addresses.first(), &sources.host) {
        (Some(address), _) if sources.named => format!("{}:{address}", if address.is_ipv4() { "ip4" } else { "ip6" }),
        (_, Some(host)) => format!("a:{host}"),
        _ => "ip4:THE ADDRESS YOUR RELAY SENDS FROM".to_owned(),
    };
    format!(
        "whoever runs the relay says what to allow (often “include:…”); publish in the DNS of {domain} a record of type TXT like: v=spf1 {example} -all"
    )
}

/// The one record of a domain, or why there is none.
enum Found {
    One(Record),
    None,
    Several,
    Wrong(String),
    Unknown(String),
}

fn found(answer: Answer<String>) -> Found {
    let texts = match answer {
        Answer::Found(texts) => texts,
        Answer::Nothing => return Found::None,
        Answer::Unknown(trouble) => return Found::Unknown(trouble),
    };
    let mut meant = texts.iter().filter(|text| Record::is_meant(text));
    match (meant.next(), meant.next()) {
        (None, _) => Found::None,
        (Some(_), Some(_)) => Found::Several,
        (Some(text), None) => Record::parse(text).map_or_else(Found::Wrong, Found::One),
    }
}

/// A walk through a record and all it includes.
struct Walk<'w> {
    dns: &'w Dns,
    addresses: &'w [IpAddr],
    lookups: usize,
    void: usize,
    broken: Vec<String>,
    unknown: Option<String>,
    /// Whether something depends on the single mail (macros, §7).
    opaque: bool,
}

impl Walk<'_> {
    /// What the record says of each address. Every mechanism is asked, also behind one that
    /// matches: another address would come so far.
    fn verdicts<'a>(&'a mut self, domain: &'a str, record: &'a Record) -> Pin<Box<dyn Future<Output = Vec<Verdict>> + Send + 'a>> {
        Box::pin(async move {
            let mut verdicts = vec![None; self.addresses.len()];
            for (verdict, mechanism) in &record.terms {
                let matches = self.matches(domain, mechanism).await;
                for (said, matched) in verdicts.iter_mut().zip(matches) {
                    if matched && said.is_none() {
                        *said = Some(*verdict);
                    }
                }
            }
            // §6.1: beside “all” a redirect is not looked at.
            let redirected = match record.redirect.as_deref().filter(|_| record.rest().is_none()) {
                Some(target) => self.included(target).await,
                None => vec![Verdict::Neutral; self.addresses.len()],
            };
            verdicts.into_iter().zip(redirected).map(|(said, redirected)| said.unwrap_or(redirected)).collect()
        })
    }

    async fn matches(&mut self, domain: &str, mechanism: &Mechanism) -> Vec<bool> {
        let none = vec![false; self.addresses.len()];
        match mechanism {
            Mechanism::All => vec![true; self.addresses.len()],
            Mechanism::Network(network) => self.addresses.iter().map(|address| network.contains(address)).collect(),
            Mechanism::Include(target) => self.included(target).await.into_iter().map(|verdict| verdict == Verdict::Pass).collect(),
            Mechanism::A(hosts) => {
                let Some(name) = self.count(hosts.domain.as_deref().unwrap_or(domain)) else { return none };
                self.hosts_cover(hosts, &[name]).await
            }
            Mechanism::Mx(hosts) => {
                let Some(name) = self.count(hosts.domain.as_deref().unwrap_or(domain)) else { return none };
                let answer = self.dns.mx(&name).await;
                let servers = self.learn(answer).into_iter().map(|(_, host)| host).collect::<Vec<_>>();
                self.hosts_cover(hosts, &servers).await
            }
            Mechanism::Exists(name) => {
                let Some(name) = self.count(name) else { return none };
                let answer = self.dns.addresses(&name).await;
                vec![!self.learn(answer).is_empty(); self.addresses.len()]
            }
            Mechanism::Ptr => {
                // §5.5: it should not be used, and some receivers do not ask.
                self.lookups += 1;
                self.opaque = true;
                none
            }
        }
    }

    /// What the record of another domain says (§5.2, §6.1).
    async fn included(&mut self, target: &str) -> Vec<Verdict> {
        let nothing = vec![Verdict::Neutral; self.addresses.len()];
        let Some(target) = self.count(target) else { return nothing };
        let why = match found(self.dns.txt(&target).await) {
            Found::One(record) => return self.verdicts(&target, &record).await,
            Found::None => "has no SPF record".to_owned(),
            Found::Several => "has several SPF records".to_owned(),
            Found::Wrong(why) => format!("has a worthless SPF record: {why}"),
            Found::Unknown(trouble) => {
                self.unknown = Some(trouble);
                return nothing;
            }
        };
        self.broken.push(format!("{target}, which it includes, {why}"));
        nothing
    }

    /// Counts a question. `None`: it is not asked, because it depends on the mail, or because
    /// there is no end to it.
    fn count(&mut self, name: &str) -> Option<String> {
        self.lookups += 1;
        if name.contains('%') {
            self.opaque = true;
            return None;
        }
        (self.lookups <= ENDLESS).then(|| name.trim_end_matches('.').to_owned())
    }

    async fn hosts_cover(&mut self, hosts: &Hosts, names: &[String]) -> Vec<bool> {
        let mut covered = vec![false; self.addresses.len()];
        // §4.6.4: more than ten servers are an error.
        for name in names.iter().take(MOST_LOOKUPS) {
            let answer = self.dns.addresses(name).await;
            for host in self.learn(answer) {
                for (matched, address) in covered.iter_mut().zip(self.addresses) {
                    *matched |= hosts.cover(host, *address);
                }
            }
        }
        covered
    }

    fn learn<T>(&mut self, answer: Answer<T>) -> Vec<T> {
        match answer {
            Answer::Found(list) => list,
            Answer::Nothing => {
                self.void += 1;
                Vec::new()
            }
            Answer::Unknown(trouble) => {
                self.unknown = Some(trouble);
                Vec::new()
            }
        }
    }

    /// What is wrong with the record whoever sends.
    fn shape(&self, domain: &str, record: &Record) -> Vec<Finding> {
        let mut findings = Vec::new();
        for broken in &self.broken {
            findings.push(Finding::failure(
                SPF,
                format!("the SPF record of {domain} is worthless: {broken}"),
                "remove that “include:”, or ask who kept it",
            ));
        }
        if self.lookups > MOST_LOOKUPS {
            let count = if self.lookups > ENDLESS { "without end".to_owned() } else { format!("{} of them", self.lookups) };
            findings.push(Finding::failure(
                SPF,
                format!("the SPF record of {domain} costs more than {MOST_LOOKUPS} questions ({count}), so receivers do not honour it"),
                "remove what you do not send through any more; replace “a” and “mx” by “ip4:” and “ip6:”",
            ));
        }
        if self.void > MOST_VOID {
            let message =
                format!("{} names in the SPF record of {domain} do not exist; some receivers honour at most {MOST_VOID}", self.void);
            findings.push(Finding::warning(SPF, message, "remove the names that are gone"));
        }
        match record.rest() {
            Some(Verdict::Pass) => {
                let message = format!("the SPF record of {domain} lets the whole world send in its name (“+all”)");
                findings.push(Finding::failure(SPF, message, "end it with -all"));
            }
            Some(Verdict::Neutral) | None if record.redirect.is_none() => {
                let message = format!("the SPF record of {domain} does not say who may not send");
                findings.push(Finding::warning(SPF, message, "end it with -all, or with ~all while you try it out"));
            }
            _ => {}
        }
        findings
    }

    /// Whether our relay may send.
    fn judge(&self, domain: &str, verdicts: &[Verdict], sources: &Sources, remedy: String) -> Finding {
        if let Some(trouble) = &self.unknown {
            return Finding::unknown(SPF, trouble);
        }
        let refused: Vec<String> = sources
            .addresses
            .iter()
            .zip(verdicts)
            .filter(|(_, verdict)| **verdict != Verdict::Pass)
            .map(|(address, _)| address.to_string())
            .collect();
        if sources.addresses.is_empty() {
            let message = format!("{domain} has a sound SPF record; whether it allows your relay is not known: {}", sources.why_unknown());
            return Finding::ok(SPF, message);
        }
        let refused = refused.join(", ");
        match (refused.is_empty(), self.opaque, sources.named) {
            (true, ..) => Finding::ok(SPF, format!("{domain} lets {} send", sources.shown())),
            (false, true, _) => Finding::warning(
                SPF,
                format!("whether {domain} lets {refused} send depends on the mail (macros or “ptr”)"),
                "send a test to a mailbox elsewhere and look for spf=pass in its Authentication-Results",
            ),
            (false, false, true) => Finding::failure(SPF, format!("{domain} does not let {refused} send"), remedy),
            (false, false, false) => Finding::warning(
                SPF,
                format!("{domain} does not let {refused} send, where mail is handed to the relay; it may send from elsewhere"),
                format!("ask whoever runs the relay, and name the address with --sends-from; if it is not allowed: {remedy}"),
            ),
        }
    }
}
