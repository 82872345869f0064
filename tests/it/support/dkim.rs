//! A verifier of DKIM signatures (RFC 6376 §6.1.3), written from the RFC alone and slowly; the
//! example of RFC 8463 passes it. `.ci/dkim` asks verifiers that others have written.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clarion::mail::dkim::{Algorithm, Key, Selected, Signer, record};
use std::collections::HashMap;
use std::path::PathBuf;

/// Names and texts of TXT records.
pub type Zone = HashMap<String, String>;

/// A signer for `example.org` with keys of its own, and the records for them: RSA as `c1`, Ed25519
/// as `e1`.
pub fn signer() -> (Signer, Zone) {
    let keys = [("c1", Algorithm::Rsa), ("e1", Algorithm::Ed25519)].map(|(selector, algorithm)| Selected {
        selector: selector.to_owned(),
        key: Key::generate(algorithm).unwrap(),
        key_file: PathBuf::from(selector),
    });
    let zone =
        keys.iter().map(|selected| (record::name(&selected.selector, "example.org"), record::text(&selected.key).unwrap())).collect();
    (Signer::new("example.org".to_owned(), keys.into()), zone)
}

/// What became of each signature, from the first on: its algorithm, or why it is bad.
pub fn verify(mail: &[u8], zone: &Zone) -> Vec<Result<String, String>> {
    let mail = std::str::from_utf8(mail).unwrap();
    let (head, body) = mail.split_once("\r\n\r\n").unwrap();
    let fields = fields(head);
    let signatures = fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case("dkim-signature"));
    signatures.map(|signature| verify_one(signature, &fields, body, zone)).collect()
}

/// Whether both signatures of [`signer`] are good.
pub fn both_are_good(mail: &[u8], zone: &Zone) -> bool {
    verify(mail, zone) == [Ok("rsa-sha256".to_owned()), Ok("ed25519-sha256".to_owned())]
}

/// Whether every signature is bad.
pub fn none_is_good(mail: &[u8], zone: &Zone) -> bool {
    let results = verify(mail, zone);
    !results.is_empty() && results.iter().all(Result::is_err)
}

fn fields(head: &str) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in head.split("\r\n") {
        if line.starts_with([' ', '\t']) {
            let (_, value) = fields.last_mut().unwrap();
            value.push_str("\r\n");
            value.push_str(line);
        } else {
            let (name, value) = line.split_once(':').unwrap();
            fields.push((name.to_owned(), value.to_owned()));
        }
    }
    fields
}

fn tags(value: &str) -> HashMap<String, String> {
    let pairs = value.split(';').filter_map(|tag| tag.split_once('='));
    pairs.map(|(name, value)| (name.trim().to_owned(), value.split_ascii_whitespace().collect())).collect()
}

/// §3.4.2, step by step.
fn relaxed(name: &str, value: &str) -> String {
    let unfolded = value.replace("\r\n", "").replace('\t', " ");
    let mut single = unfolded;
    while single.contains("  ") {
        single = single.replace("  ", " ");
    }
    format!("{}:{}", name.trim().to_lowercase(), single.trim())
}

/// §3.4.4, step by step.
fn relaxed_body(body: &str) -> String {
    let mut text = body.replace('\t', " ");
    while text.contains("  ") {
        text = text.replace("  ", " ");
    }
    text = text.replace(" \r\n", "\r\n");
    text.truncate(text.trim_end_matches("\r\n").len());
    let text = text.strip_suffix(' ').unwrap_or(&text).trim_end_matches("\r\n");
    if text.is_empty() { String::new() } else { format!("{text}\r\n") }
}

fn verify_one((name, value): &(String, String), fields: &[(String, String)], body: &str, zone: &Zone) -> Result<String, String> {
    let tags = tags(value);
    let tag = |name: &str| tags.get(name).cloned().ok_or_else(|| format!("no {name}="));
    assert_eq!((tag("v")?.as_str(), tag("c")?.as_str()), ("1", "relaxed/relaxed"));
    if tags.contains_key("l") {
        return Err("anybody could add text (§8.2)".to_owned());
    }
    let hash = STANDARD.encode(digest(&SHA256, relaxed_body(body).as_bytes()));
    if hash != tag("bh")? {
        return Err("the body is another".to_owned());
    }
    let mut octets = String::new();
    let mut left: Vec<&(String, String)> = fields.iter().collect();
    for wanted in tag("h")?.split(':') {
        if let Some(at) = left.iter().rposition(|(name, _)| name.trim().eq_ignore_ascii_case(wanted)) {
            let (name, value) = left.remove(at);
            octets.push_str(&relaxed(name, value));
            octets.push_str("\r\n");
        }
    }
    // The signature is taken out of its own field (§3.7).
    let at = value.match_indices("b=").map(|(at, _)| at).filter(|at| value[..*at].trim_end().ends_with(';')).last().unwrap();
    octets.push_str(&relaxed(name, &value[..at + 2]));
    let signature = STANDARD.decode(tag("b")?).map_err(|error| error.to_string())?;
    let record = zone.get(&format!("{}._domainkey.{}", tag("s")?, tag("d")?)).ok_or("no key")?;
    let public = STANDARD.decode(&self::tags(record)["p"]).unwrap();
    let algorithm = tag("a")?;
    let good = match algorithm.as_str() {
        "rsa-sha256" => UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public).verify(octets.as_bytes(), &signature),
        "ed25519-sha256" => UnparsedPublicKey::new(&ED25519, public).verify(digest(&SHA256, octets.as_bytes()).as_ref(), &signature),
        other => return Err(format!("{other} is not known")),
    };
    good.map(|()| algorithm).map_err(|_| "the signature is not of these headers".to_owned())
}
