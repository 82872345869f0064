//! Whether the addresses of the configuration can get mail (RFC 5321 §5.1, RFC 7505), and whether
//! mail to us may travel in the clear (MTA-STS, RFC 8461).

use super::Finding;
use super::dns::{Answer, Dns};
use super::sender::envelope_domain;
use crate::address::Address;
use crate::config::Config;
use crate::mail::dkim::tags;
use std::collections::BTreeMap;

const ADDRESSES: &str = "addresses";
const MTA_STS: &str = "MTA-STS";

pub(super) async fn examine(config: &Config, dns: &Dns) -> Vec<Finding> {
    // At once, because a name server that is silent costs seconds for each.
    let asked: Vec<_> = domains(config)
        .into_iter()
        .map(|(domain, roles)| {
            let (dns, what) = (dns.clone(), format!("{domain} ({})", roles.join(", ")));
            tokio::spawn(async move { reachable(&dns, &domain, &what).await })
        })
        .collect();
    let mut findings = Vec::new();
    for asked in asked {
        findings.extend(asked.await);
    }
    if let Some(domain) = envelope_domain(&config.mail.envelope) {
        findings.extend(strict_transport(dns, &domain).await);
    }
    findings
}

/// Each domain of the configuration with what it is there for.
fn domains(config: &Config) -> BTreeMap<String, Vec<&'static str>> {
    let mut domains: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    let mut add = |address: &Address, role| {
        let roles = domains.entry(address.domain().to_owned()).or_default();
        if !roles.contains(&role) {
            roles.push(role);
        }
    };
    add(&config.mail.from.address, "sender");
    config.mail.reply_to.iter().for_each(|address| add(address, "answers"));
    config.mail.envelope.with("x").iter().for_each(|address| add(address, "bounces"));
    config.staff.iter().for_each(|address| add(address, "staff"));
    config.petitions.iter().flat_map(|petitions| &petitions.approvers).for_each(|address| add(address, "approvers"));
    domains
}

async fn reachable(dns: &Dns, domain: &str, what: &str) -> Finding {
    let mend = format!("mend the MX record of {domain}, or write another address in the configuration");
    let servers = match dns.mx(domain).await {
        Answer::Found(servers) => servers,
        Answer::Unknown(trouble) => return Finding::unknown(ADDRESSES, &trouble),
        // RFC 5321 §5.1: then the domain itself is the server.
        Answer::Nothing => {
            return match dns.addresses(domain).await {
                Answer::Found(_) => Finding::warning(
                    ADDRESSES,
                    format!("{what} has no mail server of its own, so mail goes to the machine of that name"),
                    format!("if that machine takes no mail: {mend}"),
                ),
                Answer::Nothing => Finding::failure(ADDRESSES, format!("{what} has no mail server: mail to it is lost"), mend),
                Answer::Unknown(trouble) => Finding::unknown(ADDRESSES, &trouble),
            };
        }
    };
    if servers.iter().all(|(_, host)| host.is_empty() || host == ".") {
        return Finding::failure(ADDRESSES, format!("{what} says that it takes no mail (RFC 7505)"), mend);
    }
    let mut trouble = None;
    for (_, host) in &servers {
        match dns.addresses(host).await {
            Answer::Found(_) => return Finding::ok(ADDRESSES, format!("{what} has a mail server: {host}")),
            Answer::Nothing => {}
            Answer::Unknown(why) => trouble = Some(why),
        }
    }
    match trouble {
        Some(trouble) => Finding::unknown(ADDRESSES, &trouble),
        None => Finding::failure(ADDRESSES, format!("the mail servers of {what} do not exist: mail to it is lost"), mend),
    }
}

/// RFC 8461 §3.1. It is voluntary, so its absence is nothing to tell.
async fn strict_transport(dns: &Dns, domain: &str) -> Option<Finding> {
    let texts = match dns.txt(&format!("_mta-sts.{domain}")).await {
        Answer::Found(texts) => texts,
        Answer::Nothing => return None,
        Answer::Unknown(trouble) => return Some(Finding::unknown(MTA_STS, &trouble)),
    };
    let meant: Vec<&String> = texts.iter().filter(|text| text.trim_start().starts_with("v=STSv1")).collect();
    let sound = |text: &str| {
        let id = tags::parse(text).ok().and_then(|list| tags::value(&list, "id").map(str::to_owned));
        id.is_some_and(|id| !id.is_empty() && id.len() <= 32 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    };
    Some(match meant.as_slice() {
        [text] if sound(text) => Finding::ok(
            MTA_STS,
            format!("{domain} asks senders to encrypt; whether https://mta-sts.{domain}/.well-known/mta-sts.txt agrees is not looked at"),
        ),
        _ => Finding::warning(
            MTA_STS,
            format!("the record at _mta-sts.{domain} is not one that senders honour"),
            "leave one record there, like: v=STSv1; id=20270920; and change the id with each change of the policy",
        ),
    })
}
