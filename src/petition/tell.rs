//! Mail to staff and approvers: mistakes, plans, what to approve, reminders.

use super::office::Office;
use super::plan::{Counts, PlannedStep};
use super::render::without_slots;
use super::store::StoredText;
use crate::address::Address;
use crate::clock::Timestamp;
use crate::delivery::{self, Kind, Letter, PersonalLink, To, mark, slot};
use crate::language::{Language, Voice};
use crate::mail::Frame;
use crate::vault::{Claims, Purpose};
use askama::Template;
use jiff::tz::TimeZone;
use sqlx::AnyConnection;

/// The slots of links in these mails.
const APPROVE: &str = "approve";
const STOP: &str = "stop";

/// A mail to staff: what it says, in order; what is empty is left out.
#[derive(Default)]
pub(super) struct Sheet {
    pub(super) heading: String,
    pub(super) paragraphs: Vec<String>,
    /// One line each: `file:line:column: error: what — remedy`.
    pub(super) problems: Vec<String>,
    pub(super) steps: Vec<StepView>,
    pub(super) texts: Vec<TextView>,
    /// What each says, and where it goes.
    pub(super) links: Vec<(String, String)>,
}

/// A step in a mail to staff.
pub(super) struct StepView {
    pub(super) name: String,
    pub(super) lines: Vec<String>,
}

/// A text to approve, in a mail.
pub(super) struct TextView {
    pub(super) label: String,
    pub(super) language: Language,
    pub(super) subject: String,
    pub(super) body: String,
}

#[derive(Template)]
#[template(path = "mail/petition-staff/body.txt")]
struct BodyText<'a> {
    frame: &'a Frame,
    sheet: &'a Sheet,
}

#[derive(Template)]
#[template(path = "mail/petition-staff/body.html")]
struct BodyHtml<'a> {
    frame: &'a Frame,
    sheet: &'a Sheet,
}

/// Which links a mail has besides those it spells out.
#[derive(Clone, Copy)]
pub(super) enum Links<'a> {
    /// The stop.
    Stop { slug: &'a str, edition: &'a str },
    /// The stop, and the approval of one content until an instant.
    Approve { slug: &'a str, edition: &'a str, hash: &'a str, until: Timestamp },
    /// None.
    Nothing,
}

/// The note of a stop token.
pub(super) fn stop_note(slug: &str, edition: &str) -> String {
    format!("{slug}/{edition}")
}

/// The note of an approval token.
pub(super) fn approve_note(slug: &str, edition: &str, hash: &str, approver: &str) -> String {
    format!("{slug}/{edition}/{}/{}", prefix(hash), prefix(approver))
}

/// Enough of a hash or index to know it again, in a link that stays short.
pub(super) fn prefix(text: &str) -> &str {
    text.get(..16).unwrap_or(text)
}

/// Posts a sheet, once for its key. Returns whether it was not posted before.
pub(super) async fn post(
    office: &Office,
    connection: &mut AnyConnection,
    key: &str,
    mut sheet: Sheet,
    to: &[Address],
    links: Links<'_>,
) -> anyhow::Result<bool> {
    let now = office.clock.now();
    let language = office.site.default_language();
    let voice = office.voice();
    let mark = mark(&office.vault, key);
    if let Links::Approve { .. } = links {
        sheet.links.push((voice.say("petition-mail-approve"), slot(&mark, APPROVE)));
    }
    if !matches!(links, Links::Nothing) {
        sheet.links.push((voice.say("petition-mail-stop"), slot(&mark, STOP)));
    }
    let frame = Frame::plain(&office.site, voice, language);
    let body_text = BodyText { frame: &frame, sheet: &sheet }.render()?;
    let body_html = BodyHtml { frame: &frame, sheet: &sheet }.render()?;
    let letter = Letter {
        key,
        kind: Kind::Staff,
        language,
        subject: &sheet.heading,
        body_text: &body_text,
        body_html: &body_html,
        mark: &mark,
        to: to.iter().map(|address| (To::Staff(address.clone()), personal(office, links, address))).collect(),
    };
    let posted = delivery::post(connection, &office.vault, &letter, now).await?;
    Ok(posted)
}

fn personal(office: &Office, links: Links<'_>, address: &Address) -> Vec<PersonalLink> {
    let stop = |slug, edition| PersonalLink {
        slot: STOP.to_owned(),
        path: "/stop/".to_owned(),
        // Valid as long as anything can be stopped; the page knows.
        claims: Claims::lasting(Purpose::Stop, 0).with_note(stop_note(slug, edition)),
    };
    match links {
        Links::Nothing => Vec::new(),
        Links::Stop { slug, edition } => vec![stop(slug, edition)],
        Links::Approve { slug, edition, hash, until } => {
            let note = approve_note(slug, edition, hash, &office.vault.index(address));
            let claims = Claims::until(Purpose::Approve, 0, until).with_note(note);
            vec![PersonalLink { slot: APPROVE.to_owned(), path: "/approve/".to_owned(), claims }, stop(slug, edition)]
        }
    }
}

impl Office {
    /// Speaks to staff: in the site's default language.
    pub(super) fn voice(&self) -> Voice {
        self.catalogue.voice(self.site.default_language())
    }
}

/// An instant as staff read it: `Friday, 10 September 2027, 09:00 (Asia/Tokyo)`.
pub(super) fn local_time(voice: &Voice, instant: Timestamp, zone: &TimeZone) -> String {
    voice.time(&instant.in_zone(zone))
}

/// When a step goes out, in words.
pub(super) fn when(voice: &Voice, due: Option<Timestamp>, zone: &TimeZone) -> String {
    due.map_or_else(|| voice.say("petition-on-approval"), |due| local_time(voice, due, zone))
}

/// How many people get it, in words: the sum, then by language.
pub(super) fn counts_line(voice: &Voice, counts: &Counts) -> String {
    let by_language: Vec<String> = counts.by_language.iter().map(|(language, count)| of_language(voice, language, *count)).collect();
    let sum = voice.say_with("petition-people", "count", counts.total());
    if by_language.is_empty() {
        return sum;
    }
    voice.say_all("petition-people-by-language", &[("people", sum.into()), ("languages", voice.list(&by_language).into())])
}

fn of_language(voice: &Voice, language: &Language, count: u64) -> String {
    voice.say_all("petition-people-of-language", &[("language", language.own_name().into()), ("count", count.into())])
}

/// A step of the plan, in words.
pub(super) fn planned(voice: &Voice, step: &PlannedStep, zone: &TimeZone) -> StepView {
    let mut lines = vec![
        when(voice, step.due, zone),
        voice.say(&format!("petition-to-{}", step.to.as_str().replace('_', "-"))),
        counts_line(voice, &step.counts),
    ];
    if step.counts.without_text > 0 {
        lines.push(voice.say_with("petition-without-text", "count", step.counts.without_text));
    }
    if !step.missing.is_empty() {
        let missing: Vec<String> = step.missing.iter().map(Language::own_name).collect();
        lines.push(voice.say_with("petition-missing-languages", "languages", voice.list(&missing)));
    }
    StepView { name: step.name.clone(), lines }
}

/// A stored text, in words for approvers.
pub(super) fn text_view(voice: &Voice, step: &str, text: &StoredText) -> TextView {
    let label = voice.say_all(
        "petition-text-label",
        &[("step", step.into()), ("language", text.language.own_name().into()), ("count", text.readers.into())],
    );
    let body = without_slots(&text.body_text, &text.mark, &voice.say("petition-personal-link"));
    TextView { label, language: text.language.clone(), subject: text.subject.clone(), body }
}

/// A length of time in words: whole hours where it has them, else minutes.
pub(super) fn span(voice: &Voice, span: std::time::Duration) -> String {
    let minutes = span.as_secs().div_ceil(60);
    if minutes >= 60 && minutes.is_multiple_of(60) {
        voice.say_with("petition-hours", "count", minutes / 60)
    } else {
        voice.say_with("petition-minutes", "count", minutes)
    }
}
