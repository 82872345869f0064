//! The mail with links to previews. The links are made when it leaves: no token is stored.

use super::{claims, path};
use crate::address::Address;
use crate::clock::Timestamp;
use crate::content::Unpublished;
use crate::delivery::{self, Kind, Letter, PersonalLink, To};
use crate::language::{Catalogue, Voice};
use crate::mail::Frame;
use crate::site::Site;
use crate::vault::{Vault, random_name};
use askama::Template;
use sqlx::AnyConnection;

/// A draft as the mail shows it.
struct Item {
    title: String,
    language: String,
    /// Its file, its language, when it becomes public.
    detail: String,
    /// The slot of its link.
    link: String,
}

struct Sheet {
    heading: String,
    opening: String,
    items: Vec<Item>,
    left_out: Option<String>,
    closing: String,
    button: String,
}

#[derive(Template)]
#[template(path = "mail/preview/body.txt")]
struct Text<'a> {
    frame: &'a Frame,
    sheet: &'a Sheet,
}

#[derive(Template)]
#[template(path = "mail/preview/body.html")]
struct Html<'a> {
    frame: &'a Frame,
    sheet: &'a Sheet,
}

/// Writes to somebody about drafts.
pub struct Writer<'w> {
    /// Makes the links.
    pub vault: &'w Vault,
    /// Where they lead.
    pub site: &'w Site,
    /// What the mail says.
    pub catalogue: &'w Catalogue,
    /// Who gets it.
    pub to: &'w [Address],
}

impl Writer<'_> {
    /// Puts one mail with a link to each of these drafts into the ledger; of `left_out` more it
    /// says only that there are.
    pub async fn post(
        &self,
        connection: &mut AnyConnection,
        drafts: &[Unpublished],
        left_out: usize,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        let language = self.site.default_language();
        let frame = Frame::plain(self.site, self.catalogue.voice(language), language);
        let key = format!("preview:{}", random_name());
        let mark = delivery::mark(self.vault, &key);
        let sheet = sheet(&frame.voice, self.site, drafts, left_out, &mark);
        let link = |draft: &Unpublished| PersonalLink {
            slot: slot_name(draft),
            path: path(self.site, &draft.language),
            claims: claims(draft.id, now),
        };
        let links: Vec<PersonalLink> = drafts.iter().map(link).collect();
        let letter = Letter {
            key: &key,
            kind: Kind::Staff,
            language,
            subject: &sheet.heading,
            body_text: &Text { frame: &frame, sheet: &sheet }.render()?,
            body_html: &Html { frame: &frame, sheet: &sheet }.render()?,
            mark: &mark,
            to: self.to.iter().map(|address| (To::Staff(address.clone()), links.clone())).collect(),
        };
        let articles: Vec<i64> = drafts.iter().map(|draft| draft.id).collect();
        delivery::post_about(connection, self.vault, &letter, &articles, now).await?;
        Ok(())
    }
}

fn slot_name(draft: &Unpublished) -> String {
    format!("preview-{}", draft.id)
}

fn sheet(voice: &Voice, site: &Site, drafts: &[Unpublished], left_out: usize, mark: &str) -> Sheet {
    let item = |draft: &Unpublished| Item {
        title: draft.title.clone(),
        language: draft.language.to_string(),
        detail: detail(voice, site, draft),
        link: delivery::slot(mark, &slot_name(draft)),
    };
    Sheet {
        heading: match drafts {
            // Without the title: a subject is seen by more people and kept in more places.
            [_] if left_out == 0 => voice.say("preview-mail-subject"),
            several => voice.say_with("preview-mail-subject-several", "count", several.len() + left_out),
        },
        opening: voice.say("preview-mail-opening"),
        items: drafts.iter().map(item).collect(),
        left_out: (left_out > 0).then(|| voice.say_with("preview-mail-left-out", "count", left_out)),
        closing: voice.say("preview-mail-closing"),
        button: voice.say("preview-mail-button"),
    }
}

fn detail(voice: &Voice, site: &Site, draft: &Unpublished) -> String {
    let standing = match draft.due {
        None => voice.say("preview-mail-draft"),
        Some(due) => voice.say_with("preview-mail-scheduled", "time", voice.time(&due.in_zone(&site.time_zone))),
    };
    [draft.path.clone(), draft.language.own_name(), standing].join(" · ")
}
