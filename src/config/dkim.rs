//! `[mail.dkim]`: what signs the mails that leave.

use super::sections::{beside, parsed_required};
use crate::address::{Address, Mailbox};
use crate::mail::dkim::{Algorithm, Key, Selected, Signer};
use crate::problem::{Place, Reason, Table};
use std::path::Path;

/// Reads the section; `from` is the visible sender.
pub(super) fn read(table: &mut Table<'_>, folder: &Path, from: Option<&Mailbox>) -> Option<Signer> {
    let domain = domain(table, from);
    let first = selected(table, folder, Algorithm::Rsa);
    let second = table.table("ed25519", |table| selected(table, folder, Algorithm::Ed25519));
    let (first, place) = first?;
    let mut keys = vec![first];
    if let Some(second) = second {
        let (second, _) = second?;
        if second.selector == keys[0].selector {
            let reason = Reason::new(
                format!("two keys have the selector “{}”", second.selector),
                "give each key a selector of its own: a record in DNS holds one key",
            );
            table.reading().tell(&place, reason);
        }
        keys.push(second);
    }
    Some(Signer::new(domain?, keys))
}

/// The domain that signs: that of the sender, or one above it, or the signature would not count
/// for the sender that people see (DMARC; RFC 7489 §3.1.1).
fn domain(table: &mut Table<'_>, from: Option<&Mailbox>) -> Option<String> {
    let sender = from.map(|from| from.address.domain().to_owned());
    let Some((text, place)) = table.placed::<String>("domain") else { return sender };
    let Ok(address) = Address::parse(&format!("x@{text}")) else {
        let reason = Reason::new(format!("`mail.dkim.domain`: “{text}” is not a domain"), "write it like example.org, or leave it out");
        table.reading().tell(&place, reason);
        return None;
    };
    let domain = address.domain().to_owned();
    if let Some(sender) = sender.filter(|sender| *sender != domain && !sender.ends_with(&format!(".{domain}"))) {
        let reason = Reason::new(
            format!("`mail.dkim.domain` is {domain}, but mail comes from {sender}: the signature would not count for it"),
            format!("write domain = \"{sender}\", or leave it out"),
        );
        table.reading().tell(&place, reason);
        return None;
    }
    Some(domain)
}

/// A key of the kind that this place is for.
fn selected(table: &mut Table<'_>, folder: &Path, algorithm: Algorithm) -> Option<(Selected, Place)> {
    let selector = parsed_required(table, "selector", selector);
    let place = table.place().clone();
    let named = table.required_placed::<String>("key_file");
    let (path, key_place) = named.map(|(path, place)| (beside(folder, &path), place))?;
    let key = match Key::read(&path) {
        Ok(key) if key.algorithm() == algorithm => key,
        Ok(key) => {
            table.reading().tell(&key_place, misplaced(key.algorithm()));
            return None;
        }
        Err(reason) => {
            table.reading().tell(&key_place, Reason::new(format!("`key_file`: {}", reason.message), reason.remedy));
            return None;
        }
    };
    Some((Selected { selector: selector?, key, key_file: path }, place))
}

fn misplaced(found: Algorithm) -> Reason {
    match found {
        Algorithm::Ed25519 => Reason::new(
            "`key_file`: this is an Ed25519 key, which many receivers cannot verify",
            "name an RSA key here, and this one in [mail.dkim.ed25519] if you want a second signature",
        ),
        Algorithm::Rsa => Reason::new(
            "`key_file`: this is an RSA key, but [mail.dkim.ed25519] is for a key of the other kind",
            "make one with  clarion keys dkim --ed25519  or remove [mail.dkim.ed25519]",
        ),
    }
}

/// A name below `_domainkey` (RFC 6376 §3.1): labels as in host names.
fn selector(text: &str) -> Result<String, Reason> {
    crate::mail::dkim::record::is_selector(text).then(|| text.to_ascii_lowercase()).ok_or_else(|| {
        Reason::new(format!("“{text}” is not a selector"), "write letters, digits and hyphens, like c1; `clarion keys dkim` tells which")
    })
}
