//! A step's text as a mail: what approvers see and readers get.

use super::office::Office;
use super::prose;
use super::store::StoredText;
use super::texts::Text;
use crate::delivery::{UNSUBSCRIBE, mark, slot};
use crate::language::Language;
use crate::mail::Frame;
use askama::Template;

/// The slot of the link by which a supporter says “I have done it”.
pub(super) const ACT: &str = "act";

#[derive(Template)]
#[template(path = "mail/petition/subject.txt")]
struct Subject<'a> {
    subject: &'a str,
}

#[derive(Template)]
#[template(path = "mail/petition/body.txt")]
struct BodyText<'a> {
    frame: &'a Frame,
    text: String,
    page: &'a str,
    act: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "mail/petition/body.html")]
struct BodyHtml<'a> {
    frame: &'a Frame,
    subject: &'a str,
    summary: String,
    html: String,
    page: &'a str,
    act: Option<&'a str>,
}

/// The key of a step's mailing: unique for ever.
pub(super) fn mailing_key(slug: &str, edition: &str, step: &str) -> String {
    format!("petition:{slug}:{edition}:{step}")
}

/// Renders a text for its readers. `asks`: whether it asks for something, and so offers “I have
/// done it”.
pub(super) fn render(
    office: &Office,
    mailing_key: &str,
    slug: &str,
    language: &Language,
    text: &Text,
    asks: bool,
    readers: u64,
) -> anyhow::Result<StoredText> {
    let site = &office.site;
    let mark = mark(&office.vault, mailing_key);
    let frame = Frame::with_way_out(site, office.catalogue.voice(language), language, slot(&mark, UNSUBSCRIBE));
    let page = site.link(&site.page_path(site.nearest_language(language), &["petitions", slug]));
    let act = asks.then(|| slot(&mark, ACT));
    let act = act.as_deref();
    Ok(StoredText {
        subject: Subject { subject: &text.subject }.render()?.trim().to_owned(),
        body_text: BodyText { frame: &frame, text: prose::to_text(text.body()), page: &page, act }.render()?,
        body_html: BodyHtml {
            frame: &frame,
            subject: &text.subject,
            summary: prose::summary(text.body(), 120),
            html: prose::to_html(text.body(), &site.base_url),
            page: &page,
            act,
        }
        .render()?,
        language: language.clone(),
        mark,
        readers,
    })
}

/// A stored text for eyes other than its reader's: every slot shown as `instead`.
pub(super) fn without_slots(text: &str, mark: &str, instead: &str) -> String {
    [UNSUBSCRIBE, ACT].iter().fold(text.to_owned(), |text, name| text.replace(&slot(mark, name), instead))
}
