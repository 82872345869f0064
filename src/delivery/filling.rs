//! Makes the mail of one delivery: fills the slots, addresses it, signs it.

use super::ledger::{Claim, Variant};
use super::store::cell;
use super::verp::{CONFIRM, LEAVE, Subject, bounce_token};
use super::{CONFIRM_BY_MAIL, PersonalLink, UNSUBSCRIBE};
use crate::address::Address;
use crate::addressbook::{self, Stream};
use crate::mail::{self, Draft, Press};
use crate::site::Site;
use crate::vault::{Claims, Purpose, Sealed, Vault};
use anyhow::{Context as _, anyhow};

/// A mail ready to leave.
pub(super) struct Filled {
    pub(super) from: Address,
    pub(super) to: Address,
    pub(super) bytes: Vec<u8>,
    /// Its file, where it becomes one: sorts by time and names nobody.
    pub(super) name: String,
}

/// What filling needs.
#[derive(Clone)]
pub(super) struct Filler {
    pub(super) vault: Vault,
    pub(super) site: Site,
    pub(super) mail: mail::Settings,
}

impl Filler {
    /// The mail of a claim. The same claim gives the same bytes.
    pub(super) fn fill(&self, claim: &Claim, variant: &Variant, press: &mut Press) -> anyhow::Result<Filled> {
        let to = self.recipient(claim)?;
        let from = self.answering_address(claim, "")?;
        let bytes = self.build(claim, variant, &to, press)?;
        Ok(Filled { from, to, bytes, name: file_name(claim) })
    }

    /// Who gets it.
    pub(super) fn recipient(&self, claim: &Claim) -> anyhow::Result<Address> {
        let place = claim.person.map_or_else(|| cell(claim.attempt.id), addressbook::cell);
        self.vault.open_address(&Sealed(claim.address_sealed.clone()), place)
    }

    /// An address of ours that names the delivery: the envelope sender, or where its recipient
    /// writes for the purpose that `before` says.
    fn answering_address(&self, claim: &Claim, before: &str) -> anyhow::Result<Address> {
        let subject = Subject { delivery: claim.attempt.id, mailing_key: &claim.mailing_key, recipient: &claim.recipient };
        let token = bounce_token(&self.vault, subject);
        self.mail.envelope.with(&format!("{before}{token}")).map_err(|reason| anyhow!("the envelope sender cannot be made: {reason}"))
    }

    /// The way out for mail programs that know no button (RFC 2369 §3.2), where somebody reads it.
    fn way_out_by_mail(&self, claim: &Claim) -> anyhow::Result<Option<String>> {
        if self.way_out(claim).is_none() || !self.mail.envelope.is_heard() {
            return Ok(None);
        }
        let address = self.answering_address(claim, LEAVE)?;
        Ok(Some(format!("mailto:{}?subject=unsubscribe", percent_encoding::utf8_percent_encode(address.expose(), &OF_MAILTO))))
    }

    fn build(&self, claim: &Claim, variant: &Variant, to: &Address, press: &mut Press) -> anyhow::Result<Vec<u8>> {
        let links = self.links(claim, variant)?;
        let fill =
            |text: &str| fill_slots(text, &variant.mark, |name| links.iter().find(|(slot, _)| slot == name).map(|(_, link)| &**link));
        let (text, html) = (fill(&variant.body_text)?, fill(&variant.body_html)?);
        let way_out = self.way_out(claim).map(|path| self.site.link(&path));
        let way_out_by_mail = self.way_out_by_mail(claim)?;
        let host = self.site.base_url.host_str().unwrap_or_default();
        let sender: String = self.mail.from.address.domain().chars().filter(char::is_ascii_alphanumeric).take(15).collect();
        let draft = Draft {
            from: &self.mail.from,
            to,
            reply_to: self.mail.reply_to.as_ref(),
            subject: &variant.subject,
            text: &text,
            html: &html,
            date: claim.attempt.first_attempt_at,
            identity: &self.vault.identity("message", &[&claim.mailing_key, &claim.recipient]),
            list_id: &format!("{}.{host}", claim.stream),
            unsubscribe: way_out.as_deref(),
            unsubscribe_mail: way_out_by_mail.as_deref(),
            feedback_id: &format!("{}:{}:{}:{sender}", claim.mailing, claim.stream, variant.language),
        };
        let bytes = draft.print(press)?;
        match &self.mail.dkim {
            Some(signer) => signer.sign(&bytes),
            None => Ok(bytes),
        }
    }

    /// The person's own way out of a stream that can be refused. It never expires.
    fn way_out(&self, claim: &Claim) -> Option<String> {
        let person = claim.person.filter(|_| Stream::REFUSABLE.contains(&claim.stream))?;
        Some(format!("/unsubscribe/{}", self.vault.token(&Claims::lasting(Purpose::Unsubscribe, person))))
    }

    /// What may stand in the slots.
    fn links(&self, claim: &Claim, variant: &Variant) -> anyhow::Result<Vec<(String, String)>> {
        let personal: Vec<PersonalLink> = match &claim.personal {
            Some(json) => serde_json::from_str(json).context("the personal links of a delivery cannot be read")?,
            None => Vec::new(),
        };
        let confirms = personal.iter().any(|link| link.claims.purpose == Purpose::Confirm);
        let mut links: Vec<(String, String)> = personal
            .into_iter()
            .map(|link| (link.slot, self.site.link(&format!("{}{}", link.path, self.vault.token(&link.claims)))))
            .collect();
        if let Some(path) = self.way_out(claim) {
            links.push((UNSUBSCRIBE.to_owned(), self.site.link(&self.site.path_in(&variant.language, &path))));
        }
        if confirms {
            links.push((CONFIRM_BY_MAIL.to_owned(), self.answering_address(claim, CONFIRM)?.expose().to_owned()));
        }
        Ok(links)
    }
}

/// What an address in a `mailto:` link may hold as it is (RFC 6068 §2).
const OF_MAILTO: percent_encoding::AsciiSet =
    percent_encoding::NON_ALPHANUMERIC.remove(b'@').remove(b'.').remove(b'-').remove(b'_').remove(b'+').remove(b'~');

/// Replaces every `{{slot:MARK:NAME}}` of this mark. A slot that nothing fills is an error: a
/// mail with a hole in it is not sent.
fn fill_slots<'l>(text: &str, mark: &str, link: impl Fn(&str) -> Option<&'l str>) -> anyhow::Result<String> {
    let opening = format!("{{{{slot:{mark}:");
    let finder = memchr::memmem::Finder::new(&opening);
    let mut filled = String::with_capacity(text.len() + 256);
    let mut rest = text;
    while let Some(at) = finder.find(rest.as_bytes()) {
        let (name, after) = rest[at + opening.len()..].split_once("}}").context("a slot in the text does not end")?;
        filled.push_str(&rest[..at]);
        filled.push_str(link(name).with_context(|| format!("nothing fills the place “{name}” in the text"))?);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn file_name(claim: &Claim) -> String {
    let date = claim.attempt.first_attempt_at.to_string().replace(['-', ':'], "");
    format!("{date}-{}-{:09}", claim.kind, claim.attempt.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::slot;

    #[test]
    fn slots_of_this_mark_are_filled_and_no_others() {
        let link = |name: &str| (name == "unsubscribe").then_some("https://example.org/u/1");
        let text = format!("a {} b {} {{{{slot:other:unsubscribe}}}}", slot("m", "unsubscribe"), slot("m", "unsubscribe"));
        assert_eq!(fill_slots(&text, "m", link).unwrap(), "a https://example.org/u/1 b https://example.org/u/1 {{slot:other:unsubscribe}}");
        assert_eq!(fill_slots("no slot", "m", link).unwrap(), "no slot");
        for hole in [slot("m", "confirm"), "{{slot:m:unsubscribe".to_owned()] {
            assert!(fill_slots(&hole, "m", link).is_err());
        }
    }
}
