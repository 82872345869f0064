//! Signatures on what leaves (`DomainKeys` Identified Mail, RFC 6376): relaxed/relaxed, RSA, and a
//! second one by Ed25519 for those who want it (RFC 8463).
//!
//! Every field that we write is signed, so that none can be changed; those that a reader or a
//! program acts upon are named once more than they are there, so that none can be added (§8.15).
//! There is no `l=`, behind which anybody could add text (§8.2); no `x=`, since a mail may wait days
//! for a relay; and no `t=`, because verifiers refuse a signature from the future, and a cheap
//! machine's clock may be minutes fast. The same mail gets the same signature, however often it is
//! sent (M3): neither algorithm draws random numbers.
//!
//! lettre 0.11.23 signs too, but what it signs does not verify (M6).

mod canonical;
mod key;
pub mod record;
pub mod tags;

pub use key::{Algorithm, Key};

use anyhow::Context as _;
use aws_lc_rs::digest::{Digest, SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use canonical::{Field, relaxed_body, relaxed_field};
use std::path::PathBuf;
use std::sync::Arc;

/// Fields of which nobody may add another, whether they are there or not.
const SEALED: [&str; 16] = [
    "From",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Reply-To",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Help",
    "List-Subscribe",
    "List-Post",
    "List-Archive",
];
/// Where lines of the signature's own field are folded.
const WIDTH: usize = 76;

/// A key under the name by which its record is found.
#[derive(Debug)]
pub struct Selected {
    /// One or more labels (RFC 6376 §3.1).
    pub selector: String,
    /// What signs.
    pub key: Key,
    /// Where the key was read.
    pub key_file: PathBuf,
}

/// What signs mails. Clones share the keys.
#[derive(Clone, Debug)]
pub struct Signer {
    domain: String,
    keys: Arc<[Selected]>,
}

impl Signer {
    /// Signs for a domain (A-labels), once with each key.
    pub fn new(domain: String, keys: Vec<Selected>) -> Self {
        Self { domain, keys: keys.into() }
    }

    /// The domain that takes responsibility (`d=`).
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The keys, the one that everybody verifies first.
    pub fn keys(&self) -> &[Selected] {
        &self.keys
    }

    /// The mail with a signature of each key before it. Takes about a fifth of a millisecond of a
    /// processor for RSA: it is not for a thread that others wait for.
    pub fn sign(&self, mail: &[u8]) -> anyhow::Result<Vec<u8>> {
        let text = std::str::from_utf8(mail).context("a mail holds octets that are not text")?;
        let (fields, body) = canonical::split(text).context("a mail has a header line that cannot be signed")?;
        let body_hash = STANDARD.encode(sha256(relaxed_body(body).as_bytes()));
        let names = signed_names(&fields);
        let mut signed = Vec::with_capacity(mail.len() + 1024 * self.keys.len());
        for selected in self.keys.iter() {
            let value = self.unsigned_value(selected, &body_hash, &names);
            let signature = selected.key.sign(&signed_octets(&fields, &names, &value))?;
            signed.extend_from_slice(format!("DKIM-Signature:{value}{}\r\n", folded(&STANDARD.encode(signature))).as_bytes());
        }
        signed.extend_from_slice(mail);
        Ok(signed)
    }

    /// The signature's own field behind the colon, up to the signature itself (§3.5).
    fn unsigned_value(&self, selected: &Selected, body_hash: &str, names: &[&str]) -> String {
        format!(
            " v=1; a={}; c=relaxed/relaxed;\r\n\td={};\r\n\ts={};\r\n\tbh={body_hash};\r\n\th={};\r\n\tb=",
            selected.key.algorithm().signing_name(),
            self.domain,
            selected.selector,
            joined(names),
        )
    }
}

/// Every field that is there, in order, and once more each that nobody may add (§5.4.2).
fn signed_names<'m>(fields: &[Field<'m>]) -> Vec<&'m str> {
    fields.iter().map(|field| field.name).chain(SEALED).collect()
}

/// What is signed (§3.7): each named field, the last of its name first (§5.4.2), then the
/// signature's own without a line end.
fn signed_octets(fields: &[Field<'_>], names: &[&str], value: &str) -> Vec<u8> {
    let mut octets = String::new();
    let mut left: Vec<Field<'_>> = fields.to_vec();
    for name in names {
        // A field that is not there stands for nothing (§5.4).
        if let Some(at) = left.iter().rposition(|field| field.name.eq_ignore_ascii_case(name)) {
            octets.push_str(&relaxed_field(left.remove(at)));
            octets.push_str("\r\n");
        }
    }
    octets.push_str(&relaxed_field(Field { name: "DKIM-Signature", value }));
    octets.into_bytes()
}

/// Names with colons, in lines.
fn joined(names: &[&str]) -> String {
    let mut list = String::new();
    let mut line = "\th=".len();
    for (at, name) in names.iter().enumerate() {
        if at > 0 {
            list.push(':');
            line += 1;
            if line + name.len() >= WIDTH {
                list.push_str("\r\n\t");
                line = 1;
            }
        }
        list.push_str(name);
        line += name.len();
    }
    list
}

/// Base64 in lines.
fn folded(base64: &str) -> String {
    let mut lines = String::with_capacity(base64.len() + base64.len() / 20);
    let mut rest = base64;
    loop {
        let (line, after) = rest.split_at(rest.len().min(WIDTH - 4));
        lines.push_str(line);
        if after.is_empty() {
            return lines;
        }
        lines.push_str("\r\n\t");
        rest = after;
    }
}

fn sha256(octets: &[u8]) -> Digest {
    digest(&SHA256, octets)
}
