//! The mail that tells notices, in the words they were recorded with.

use super::store::Untold;
use crate::address::Address;
use crate::clock::Timestamp;
use crate::delivery::{self, Kind, Letter, To};
use crate::language::Catalogue;
use crate::mail::Frame;
use crate::site::Site;
use crate::vault::Vault;
use askama::Template;
use sqlx::AnyConnection;

#[derive(Template)]
#[template(path = "mail/notice/body.txt")]
struct Text<'a> {
    frame: &'a Frame,
    notices: &'a [Untold],
}

#[derive(Template)]
#[template(path = "mail/notice/body.html")]
struct Html<'a> {
    frame: &'a Frame,
    notices: &'a [Untold],
}

impl Untold {
    /// Its paragraphs, and the lines of each.
    fn paragraphs(&self) -> impl Iterator<Item = std::str::Lines<'_>> {
        self.body.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty()).map(str::lines)
    }
}

/// What writes to staff.
pub(super) struct Desk {
    pub(super) vault: Vault,
    pub(super) site: Site,
    pub(super) catalogue: Catalogue,
    pub(super) staff: Vec<Address>,
}

impl Desk {
    /// Puts one mail that tells these notices into the ledger.
    pub(super) async fn tell(&self, connection: &mut AnyConnection, notices: &[Untold], now: Timestamp) -> anyhow::Result<()> {
        let Some(first) = notices.first() else { return Ok(()) };
        let language = self.site.default_language();
        let frame = Frame::plain(&self.site, self.catalogue.voice(language), language);
        let subject = match notices {
            [only] => only.subject.clone(),
            several => frame.voice.say_with("notice-several", "count", several.len()),
        };
        // A notice that was cleared and came back is a new row, so that it is told again.
        let key = format!("notice:{}", first.id);
        let letter = Letter {
            key: &key,
            kind: Kind::Staff,
            language,
            subject: &subject,
            body_text: &Text { frame: &frame, notices }.render()?,
            body_html: &Html { frame: &frame, notices }.render()?,
            mark: &delivery::mark(&self.vault, &key),
            to: self.staff.iter().map(|address| (To::Staff(address.clone()), Vec::new())).collect(),
        };
        delivery::post(connection, &self.vault, &letter, now).await?;
        Ok(())
    }
}
