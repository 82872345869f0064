//! An item of the export as the text of an article's file.

use super::blocks;
use super::dates;
use super::front::{Enclosed, Front};
use super::html::plain;
use super::links::{self, decoded};
use super::shortcode::{Library, Picture};
use super::survey::{Attachment, Plan, Survey};
use super::tidy;
use super::tongues;
use super::wxr::Item;
use crate::content::identity::{PathName, slug_of};
use crate::content::text;
use crate::language::Language;
use crate::site::Site;
use url::Url;

/// Files that are articles are no longer than this; see `content::folder`.
/// The head has at most 64 kB of that.
const LONGEST: usize = (1 << 20) - (64 << 10);
/// In characters; only a title made from the text is cut.
const LONGEST_TITLE: usize = 60;

/// What the whole import knows, for the making of one article.
pub(super) struct Surroundings<'s> {
    pub(super) survey: &'s Survey,
    pub(super) site: &'s Site,
    /// The length of a file below the folder, if it is there.
    pub(super) length: &'s dyn Fn(&str) -> Option<u64>,
    /// Whether another article has an id already.
    pub(super) id_is_taken: bool,
}

/// An article, to be written wherever its place is.
pub(super) struct Made {
    front: Front,
    body: String,
    slug: String,
    language: Language,
    /// The line that names its id.
    pub(super) id_line: Option<String>,
    /// `.html` or `.ja.html`.
    pub(super) suffix: String,
    /// What was not understood.
    pub(super) doubts: Vec<String>,
    pub(super) is_scheduled: bool,
}

impl Made {
    pub(super) fn title(&self) -> &str {
        &self.front.title
    }

    /// The text of its file at a path: what the name of the file does not say stands in its head.
    pub(super) fn text(&self, path: &str, site: &Site) -> String {
        let name = PathName::of(path, site);
        let slug = (slug_of(None, name.stem, &self.front.title) != self.slug).then(|| self.slug.clone());
        let is_said = name.language.is_some() || self.language == *site.default_language();
        let lang = (!is_said).then(|| self.language.to_string());
        format!("{}{}\n", Front { slug, lang, ..self.front.clone() }.toml(), self.body)
    }
}

/// Makes the article; `Err` says why it cannot be one.
pub(super) fn make(item: &Item, plan: &Plan, around: &Surroundings<'_>, now: crate::clock::Timestamp) -> Result<Made, String> {
    let Some(date) = dates::date(item, &around.site.time_zone) else { return Err("it has no date".to_owned()) };
    let part = |text: &str| plan.tongue.as_ref().map_or_else(|| text.to_owned(), |tag| tongues::part_in(text, tag));
    let album = Album { item, survey: around.survey };
    let (html, mut doubts) = blocks::render(&part(&item.content), &album, around.survey);
    let link =
        |address: &str| links::rewrite(&around.survey.old, &around.survey.addresses, &|path| (around.length)(path).is_some(), address);
    let body = tidy::tidy(&html, &link);
    let mut title = text::line(&plain(&part(&item.title)));
    if title.is_empty() {
        title = untitled(&body, item, &mut doubts);
    }
    let in_name = plan.language != *around.site.default_language() && around.site.languages.contains(&plan.language);
    let front = Front {
        updated: dates::updated(item, &date, &around.site.time_zone).map(|updated| updated.text),
        id: id(item, plan, around.id_is_taken, &mut doubts),
        slug: None,
        lang: None,
        translation: plan.group.clone(),
        categories: item
            .terms
            .iter()
            .filter(|term| term.domain == "category")
            .filter_map(|term| around.survey.categories.word(term))
            .collect(),
        tags: item.terms.iter().filter(|term| term.domain == "post_tag").map(|term| plain(&term.name)).collect(),
        authors: author(item, around.survey).into_iter().collect(),
        summary: Some(text::line(&plain(&part(&item.excerpt)))).filter(|summary| !summary.is_empty()),
        image: image(item, around.survey, &link),
        aliases: if plan.is_first && !plan.draft { aliases(item, plan, around.survey) } else { Vec::new() },
        draft: plan.draft,
        enclosures: enclosures(item, &body, around, &link, &mut doubts),
        date: date.text,
        title,
    };
    if body.len() > LONGEST {
        return Err(format!("its text is {} kB long; an article has at most 1 MB", body.len() >> 10));
    }
    doubts.extend(strange_terms(item));
    Ok(Made {
        id_line: front.id.as_deref().map(|id| format!("id = {}", super::front::quoted(id))),
        suffix: if in_name { format!(".{}.html", plan.language) } else { ".html".to_owned() },
        is_scheduled: !plan.draft && date.instant > now,
        slug: plan.slug.clone(),
        language: plan.language.clone(),
        front,
        body,
        doubts,
    })
}

/// The id that readers know, byte for byte (F1); none where it could be no id.
fn id(item: &Item, plan: &Plan, is_taken: bool, doubts: &mut Vec<String>) -> Option<String> {
    if !plan.is_first {
        return None;
    }
    let guid = &item.guid;
    if guid.is_empty() || guid.len() > 400 || guid.contains(|c: char| c.is_whitespace() || c.is_control()) {
        doubts
            .push("its guid is empty, very long, or holds a space: it gets a new id, and readers of the old feed see it again".to_owned());
        return None;
    }
    if is_taken {
        doubts.push(format!("another post has the same guid, {guid}: this one gets a new id"));
        return None;
    }
    Some(guid.clone())
}

fn untitled(body: &str, item: &Item, doubts: &mut Vec<String>) -> String {
    let words = text::line(&plain(body));
    let mut title: String = words.chars().take(LONGEST_TITLE).collect();
    if title.len() < words.len() {
        title.push('…');
    }
    doubts.push("it has no title; one was made from its first words".to_owned());
    if title.is_empty() { format!("{}", item.id) } else { title }
}

fn author(item: &Item, survey: &Survey) -> Option<String> {
    let display = survey.header.authors.get(&item.creator).filter(|name| !name.trim().is_empty());
    Some(text::line(&plain(display.unwrap_or(&item.creator)))).filter(|name| !name.is_empty())
}

fn image(item: &Item, survey: &Survey, link: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let attachment = survey.attachments.get(&item.meta("_thumbnail_id")?.parse().ok()?)?;
    link(&attachment.url).or_else(|| Url::parse(&attachment.url).ok().map(String::from))
}

/// `/?p=123`, which answers in every WordPress, and the permalink where it is not ours as well.
fn aliases(item: &Item, plan: &Plan, survey: &Survey) -> Vec<String> {
    let mut aliases = vec![format!("/?p={}", item.id)];
    let Some(url) = survey.old.own(&item.link) else { return aliases };
    let path = decoded(url.path());
    // Only what means the same when it is escaped again is written readably.
    let readable =
        url.join(&links::escaped(&path)).is_ok_and(|again| decoded(again.path()) == path) && !path.contains(['?', '#', '%', '\\']);
    let is_same = path.trim_end_matches('/') == decoded(&plan.address).trim_end_matches('/');
    if url.path().len() > 1 && !is_same && matches!(survey.old.key(&url), Some(links::Key::Path(_))) {
        aliases.push(if readable { path } else { url.path().to_owned() });
    }
    aliases
}

/// What podcasts have in a custom field, and the PDFs that the text links to.
fn enclosures(
    item: &Item,
    body: &str,
    around: &Surroundings<'_>,
    link: &dyn Fn(&str) -> Option<String>,
    doubts: &mut Vec<String>,
) -> Vec<Enclosed> {
    let survey = around.survey;
    let mut enclosures: Vec<Enclosed> = Vec::new();
    let mut add = |address: &str, media_type: Option<&str>, length: Option<u64>| {
        let new = link(address);
        let Some(url) = new.clone().or_else(|| Url::parse(address).ok().filter(Url::has_host).map(String::from)) else {
            return false;
        };
        let there = new.as_deref().and_then(|new| (around.length)(decoded(new).trim_start_matches('/')));
        let title = survey.titles.get(address).or_else(|| survey.titles.get(&around.survey.old.own(address)?.to_string())).cloned();
        let title = title.filter(|title| !title.is_empty());
        if !enclosures.iter().any(|known| known.url == url) {
            enclosures.push(Enclosed { url, media_type: media_type.map(str::to_owned), length: there.or(length), title });
        }
        true
    };
    for (_, value) in item.meta.iter().filter(|(key, _)| key == "enclosure") {
        let mut lines = value.lines().map(str::trim);
        let address = lines.next().unwrap_or_default();
        let length = lines.next().and_then(|line| line.parse().ok()).filter(|length| *length > 0);
        let media_type = lines.next().filter(|line| is_media_type(line)).or_else(|| media_type(address));
        if media_type.is_none() || !add(address, media_type, length) {
            doubts.push(format!("the enclosure {address}, whose address or type is not understood"));
        }
    }
    for address in tidy::addresses(body) {
        let is_pdf = Url::parse(&address)
            .map_or_else(|_| address.to_lowercase().ends_with(".pdf"), |url| url.path().to_lowercase().ends_with(".pdf"));
        if is_pdf && (address.starts_with("/wp-content/") || survey.old.own(&address).is_some()) {
            add_local(&address, around, &mut add);
        }
    }
    enclosures
}

/// Takes an address, a type and a length; says whether the address is one.
type Add<'a> = dyn FnMut(&str, Option<&str>, Option<u64>) -> bool + 'a;

/// A link in the finished text may already lead here; its title is known by its old address.
fn add_local(address: &str, around: &Surroundings<'_>, add: &mut Add<'_>) {
    let path = decoded(address.trim_start_matches('/'));
    let old = around.survey.uploads.get(&path).map_or(address, String::as_str);
    add(old, Some("application/pdf"), None);
}

fn is_media_type(text: &str) -> bool {
    let token = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c));
    text.split_once('/').is_some_and(|(kind, name)| token(kind) && token(name))
}

fn media_type(address: &str) -> Option<&'static str> {
    let path = address.split(['?', '#']).next()?.to_ascii_lowercase();
    let known = [(".mp3", "audio/mpeg"), (".m4a", "audio/mp4"), (".ogg", "audio/ogg"), (".mp4", "video/mp4"), (".pdf", "application/pdf")];
    known.iter().find(|(end, _)| path.ends_with(end)).map(|(_, media_type)| *media_type)
}

/// Terms of taxonomies that Clarion has no place for.
fn strange_terms(item: &Item) -> Vec<String> {
    const KNOWN: [&str; 6] = ["category", "post_tag", "language", "post_translations", "post_format", "wp_pattern_category"];
    let mut strange: Vec<&str> = item.terms.iter().map(|term| term.domain.as_str()).filter(|domain| !KNOWN.contains(domain)).collect();
    strange.sort_unstable();
    strange.dedup();
    strange.into_iter().map(|domain| format!("it is filed under “{}”, which is neither category nor tag", text::line(domain))).collect()
}

/// The pictures of the site, as galleries in one post see them.
struct Album<'a> {
    item: &'a Item,
    survey: &'a Survey,
}

impl Library for Album<'_> {
    fn picture(&self, id: u64) -> Option<Picture> {
        let Attachment { url, alt, caption, .. } = self.survey.attachments.get(&id)?;
        (!url.is_empty()).then(|| Picture { url: url.clone(), alt: alt.clone(), caption: caption.trim().to_owned() })
    }

    fn attached(&self) -> Vec<Picture> {
        let is_picture = |picture: &Picture| {
            let path = picture.url.to_ascii_lowercase();
            ["jpg", "jpeg", "png", "gif", "webp", "avif"].iter().any(|extension| path.ends_with(&format!(".{extension}")))
        };
        let ids = self.survey.attached.get(&self.item.id).into_iter().flatten();
        ids.filter_map(|id| self.picture(*id)).filter(is_picture).collect()
    }
}
