//! Whether our signatures verify with what DNS says, and whether they cover the way out (DKIM, RFC
//! 6376; RFC 8058 §4).

use super::Finding;
use super::dns::{Answer, Dns};
use crate::address::Address;
use crate::clock::Timestamp;
use crate::config::Config;
use crate::mail::Draft;
use crate::mail::dkim::record::KeyRecord;
use crate::mail::dkim::{Selected, Signer, record, tags};
use anyhow::Context as _;

const DKIM: &str = "DKIM";
/// What a one-click way out needs signed.
const WAY_OUT: [&str; 2] = ["list-unsubscribe", "list-unsubscribe-post"];

pub(super) async fn examine(config: &Config, dns: &Dns) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(signer) = &config.mail.dkim {
        for selected in signer.keys() {
            findings.push(published(signer, selected, dns).await);
        }
        findings.push(coverage(config, signer));
    } else {
        findings.push(Finding::warning(
            DKIM,
            "Clarion does not sign mail; if the relay does, whether its signature covers List-Unsubscribe cannot be seen from here",
            "let Clarion sign: clarion keys dkim tells how",
        ));
    }
    findings.extend(one_click(config));
    findings
}

/// Compares the published key with ours.
async fn published(signer: &Signer, selected: &Selected, dns: &Dns) -> Finding {
    let name = record::name(&selected.selector, signer.domain());
    let (ours, text) = match selected.key.public().and_then(|public| Ok((public, record::text(&selected.key)?))) {
        Ok(ours) => ours,
        Err(error) => {
            return Finding::failure(DKIM, format!("the key of {name} cannot be used: {error:#}"), "make another: clarion keys dkim");
        }
    };
    let publish = format!("publish at {name} one record of type TXT: {text}");
    let texts = match dns.txt(&name).await {
        Answer::Found(texts) => texts,
        Answer::Nothing => return Finding::failure(DKIM, format!("there is no key at {name}, so no signature verifies"), publish),
        Answer::Unknown(trouble) => return Finding::unknown(DKIM, &trouble),
    };
    let [text] = texts.as_slice() else {
        return Finding::failure(DKIM, format!("there are {} records at {name}; receivers take any of them", texts.len()), publish);
    };
    match KeyRecord::parse(text) {
        Err(why) => Finding::failure(DKIM, format!("the record at {name} is no key: {why}"), publish),
        Ok(found) if found.public.is_empty() => Finding::failure(DKIM, format!("the key at {name} is revoked (p= is empty)"), publish),
        Ok(found) if found.algorithm != selected.key.algorithm() || found.public != ours => {
            Finding::failure(DKIM, format!("the key at {name} is another than the one in {}", selected.key_file.display()), publish)
        }
        Ok(found) if !found.serves_mail => {
            Finding::failure(DKIM, format!("the key at {name} is not for mail, or not for SHA-256 (s=, h=)"), publish)
        }
        Ok(found) if found.testing => Finding::warning(
            DKIM,
            format!("the key at {name} is marked as a test (t=y), so receivers may ignore it"),
            "take t=y out of the record once mail arrives",
        ),
        Ok(found) => Finding::ok(DKIM, format!("the {} key at {name} is the one that signs", found.algorithm)),
    }
}

/// Signs a sample as mailings are signed, and reads what its signature covers.
fn coverage(config: &Config, signer: &Signer) -> Finding {
    match covered(config, signer) {
        Ok(missing) if missing.is_empty() => {
            Finding::ok(DKIM, "a sample was signed: the signature covers List-Unsubscribe and List-Unsubscribe-Post")
        }
        Ok(missing) => Finding::failure(
            DKIM,
            format!("a sample was signed, and the signature does not cover {}", missing.join(", ")),
            "this is a mistake in Clarion: please report it",
        ),
        Err(error) => Finding::failure(DKIM, format!("a sample could not be signed: {error:#}"), "make another key: clarion keys dkim"),
    }
}

/// What of the way out a signature leaves out.
fn covered(config: &Config, signer: &Signer) -> anyhow::Result<Vec<&'static str>> {
    let link = config.site.link("/unsubscribe/sample");
    let to = Address::parse("sample@example.org").map_err(|reason| anyhow::anyhow!("{reason}"))?;
    let draft = Draft {
        from: &config.mail.from,
        to: &to,
        reply_to: config.mail.reply_to.as_ref(),
        subject: "Sample",
        text: "Sample\n",
        html: "<p>Sample</p>",
        date: Timestamp::from_millis(0),
        identity: "0123456789abcdef0123456789abcdef",
        list_id: "news.example.org",
        unsubscribe: Some(&link),
        unsubscribe_mail: None,
        feedback_id: "1:news:en:sample",
    };
    let sample = String::from_utf8(signer.sign(&draft.build()?)?)?;
    let mut missing = Vec::new();
    for signature in sample.split("DKIM-Signature:").skip(1).take(signer.keys().len()) {
        let unfolded = signature.replace("\r\n\t", " ");
        let list = tags::parse(unfolded.lines().next().unwrap_or_default()).map_err(|why| anyhow::anyhow!(why))?;
        let names = tags::value(&list, "h").context("a signature without h=")?.to_ascii_lowercase();
        missing.extend(WAY_OUT.into_iter().filter(|wanted| !names.split(':').any(|name| name.trim() == *wanted)));
    }
    Ok(missing)
}

/// RFC 8058 §3.1: one click works by https only.
fn one_click(config: &Config) -> Option<Finding> {
    let base = &config.site.base_url;
    (base.scheme() != "https").then(|| {
        Finding::warning(
            "way out",
            format!("links begin with {base}, so mail programs do not offer to unsubscribe by one click"),
            "let a proxy serve the site by https, and write `site.base_url` with https://",
        )
    })
}
