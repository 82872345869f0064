//! Whether somebody else can send in our name (DMARC, RFC 7489; S12).

use super::dmarc::{Policy, Record, is_aligned, places};
use super::dns::{Answer, Dns};
use super::sender::envelope_domain;
use super::{Finding, store};
use crate::clock::Timestamp;
use crate::config::Config;
use crate::db::Db;
use crate::noticeboard::{self, Notice};

const DMARC: &str = "DMARC";
/// What the absence of a record is called where it was accepted.
const NO_RECORD: &str = "no record";

/// A record and where it was found.
struct Found<'d> {
    at: &'d str,
    record: Record,
}

pub(super) async fn examine(config: &Config, dns: &Dns, db: Option<&Db>, now: Timestamp, accept: bool) -> Vec<Finding> {
    let domain = config.mail.from.address.domain();
    let found = match look(dns, domain).await {
        Ok(found) => found,
        Err(finding) => return vec![finding],
    };
    let Some(found) = found else {
        return vec![
            weak(db, domain, NO_RECORD, &format!("{domain} has no DMARC record: anybody can send in its name"), now, accept).await,
        ];
    };
    let policy = found.record.policy_for(found.at != domain);
    let mut findings = Vec::new();
    if let Some((state, what)) = gap(policy, &found.record) {
        let message = format!("the DMARC record at _dmarc.{} {what}: anybody can send in the name of {domain}", found.at);
        findings.push(weak(db, domain, state, &message, now, accept).await);
    } else {
        findings.push(protected(db, domain, &found, policy).await);
    }
    findings.extend(alignment(config, domain, &found));
    findings
}

/// Why a policy protects nobody, if so: in short, and in words.
fn gap(policy: Policy, record: &Record) -> Option<(&'static str, &'static str)> {
    match policy {
        Policy::None => Some(("p=none", "asks for nothing (p=none)")),
        _ if record.testing => Some(("t=y", "is only a test (t=y)")),
        // RFC 7489 §6.6.4: of none of it `reject` means `quarantine`, and `quarantine` means `none`.
        Policy::Quarantine if record.share == 0 => Some(("pct=0", "suspects nothing (p=quarantine; pct=0)")),
        _ => None,
    }
}

/// Looks at the domain and upwards. An error is what to tell instead.
async fn look<'d>(dns: &Dns, domain: &'d str) -> Result<Option<Found<'d>>, Finding> {
    for at in places(domain) {
        let texts = match dns.txt(&format!("_dmarc.{at}")).await {
            Answer::Found(texts) => texts,
            Answer::Nothing => continue,
            Answer::Unknown(trouble) => return Err(Finding::unknown(DMARC, &trouble)),
        };
        let meant: Vec<&String> = texts.iter().filter(|text| Record::is_meant(text)).collect();
        let text = match meant.as_slice() {
            [] => continue,
            [text] => text,
            _ => {
                let message = format!("there are several DMARC records at _dmarc.{at}, so receivers honour none");
                return Err(Finding::failure(DMARC, message, "leave one of them"));
            }
        };
        match Record::parse(text) {
            Ok(record) if record.public_suffix && at != domain => {}
            Ok(record) => return Ok(Some(Found { at, record })),
            Err(why) => {
                let message = format!("the DMARC record at _dmarc.{at} is worthless: {why}");
                return Err(Finding::failure(DMARC, message, "write it like: v=DMARC1; p=reject"));
            }
        }
    }
    Ok(None)
}

/// A policy that protects; what was accepted while there was none is forgotten.
async fn protected(db: Option<&Db>, domain: &str, found: &Found<'_>, policy: Policy) -> Finding {
    if let Some(db) = db
        && let Err(error) = forget(db, domain).await
    {
        tracing::warn!(error = format!("{error:#}"), "that a weak DMARC policy was accepted could not be forgotten");
    }
    let words = format!(
        "receivers are asked to {} what others send in the name of {domain}",
        if policy == Policy::Reject { "refuse" } else { "suspect" }
    );
    if found.record.share < 100 {
        let message = format!("{words}, but only {} % of it (pct)", found.record.share);
        return Finding::warning(DMARC, message, "take pct= out of the record");
    }
    if !found.record.reports {
        return Finding::warning(
            DMARC,
            format!("{words}; nobody is told when it happens"),
            format!("add to the record a mailbox for reports, like: rua=mailto:dmarc@{domain}"),
        );
    }
    Finding::ok(DMARC, words)
}

/// A policy that protects nobody: a failure, unless it was accepted as it is.
async fn weak(db: Option<&Db>, domain: &str, state: &str, message: &str, now: Timestamp, accept: bool) -> Finding {
    let remedy = format!(
        "publish in DNS at _dmarc.{domain} a record of type TXT: v=DMARC1; p=reject; rua=mailto:dmarc@{domain} — if other mail of {domain} would \
         suffer, send from a domain of your own below it, like news.{domain}, and publish it there; \
         people who write about North Korea are impersonated through gaps like this one"
    );
    let Some(db) = db else { return Finding::failure(DMARC, message, remedy) };
    match standing(db, domain, state, now, accept).await {
        Ok(Some(accepted)) => {
            let since = Timestamp::from_millis(accepted.at);
            Finding::warning(DMARC, format!("{message}; this was accepted on {since}"), remedy)
        }
        Ok(None) => Finding::failure(DMARC, message, remedy),
        Err(error) => Finding::failure(DMARC, format!("{message}; whether that was accepted cannot be read: {error:#}"), remedy),
    }
}

/// Whether this very state was accepted; accepts it if that is wished, and has staff told.
async fn standing(db: &Db, domain: &str, state: &str, now: Timestamp, accept: bool) -> anyhow::Result<Option<store::Accepted>> {
    if !accept {
        let accepted = store::accepted(&mut *db.reader().acquire().await?).await?;
        return Ok(accepted.filter(|accepted| accepted.domain == domain && accepted.state == state));
    }
    let mut tx = db.begin().await?;
    let accepted = store::accept(&mut tx, domain, state, now).await?;
    let body = format!(
        "Whoever runs Clarion has decided that mail is sent although DMARC does not protect {domain} ({state}): anybody can send mail that \
         seems to come from you, and receivers are not asked to refuse it.\n\nTo see how it stands and what to do: clarion doctor"
    );
    let notice = Notice { key: &notice_key(domain), subject: "Anybody can send mail in your name, and that was accepted", body: &body };
    noticeboard::record(&mut tx, &notice, now).await?;
    tx.commit().await?;
    Ok(Some(accepted))
}

async fn forget(db: &Db, domain: &str) -> anyhow::Result<()> {
    if store::accepted(&mut *db.reader().acquire().await?).await?.is_none() {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    store::forget(&mut tx).await?;
    noticeboard::clear(&mut tx, &notice_key(domain)).await?;
    tx.commit().await
}

fn notice_key(domain: &str) -> String {
    format!("weak-dmarc:{domain}")
}

/// Whether what signs and what bounces counts for the sender that people see (§3.1).
fn alignment(config: &Config, domain: &str, found: &Found<'_>) -> Option<Finding> {
    let envelope = envelope_domain(&config.mail.envelope)?;
    let spf = is_aligned(&envelope, domain, found.record.spf, found.at);
    let dkim = config.mail.dkim.as_ref().map(|signer| is_aligned(signer.domain(), domain, found.record.dkim, found.at));
    Some(match (dkim, spf) {
        (Some(true), _) => Finding::ok(DMARC, format!("the signature counts for {domain}")),
        (None, true) => {
            Finding::ok(DMARC, format!("the envelope's domain, {envelope}, counts for {domain}, as long as mail is not forwarded"))
        }
        (Some(false), _) => Finding::failure(
            DMARC,
            format!("the record demands a signature of {domain} exactly (adkim=s), and Clarion signs for another"),
            format!("write domain = \"{domain}\" in [mail.dkim]"),
        ),
        (None, false) => Finding::failure(
            DMARC,
            format!("neither a signature of ours nor the envelope's domain, {envelope}, counts for {domain}"),
            "let Clarion sign (clarion keys dkim tells how), or write an envelope of the sender's domain",
        ),
    })
}
