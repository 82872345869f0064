//! A feed before it takes a format: its text is clean by construction, so that no format can be
//! made ill-formed by what somebody wrote.

use super::{Part, Settings, Topic};
use crate::clock::Timestamp;
use crate::content::{Article, Credit, Role};
use crate::language::Language;
use crate::site::{FeedFormat, Site};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use std::fmt::Write as _;
use std::time::Duration;

/// Text that XML 1.0 can carry (§2.2). The feed crates write other code points as they are,
/// and what they write is then no XML.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(super) struct Clean(String);

impl Clean {
    pub(super) fn new(text: impl AsRef<str>) -> Self {
        Self(text.as_ref().chars().filter(|c| is_xml(*c)).collect())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&Clean> for String {
    fn from(text: &Clean) -> Self {
        text.0.clone()
    }
}

const fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// A feed of one topic, for all formats.
pub struct Feed<'a> {
    pub(super) site: &'a Site,
    pub(super) topic: &'a Topic,
    /// Permanent: no change of title or host touches it (RFC 4287 §4.2.6).
    pub(super) id: Clean,
    /// Of the topic alone.
    pub(super) name: Clean,
    pub(super) title: Clean,
    pub(super) description: Clean,
    pub(super) author: Clean,
    /// The page with the same articles.
    pub(super) home: Clean,
    pub(super) ttl: Duration,
    /// The newest first.
    pub(super) entries: Vec<Entry>,
    /// Which document of its topic it is.
    pub(super) part: Part,
    /// The documents before and after it, by relation (RFC 5005).
    pub(super) links: Vec<(&'static str, Part)>,
}

pub(super) struct Entry {
    /// As it was given, byte for byte.
    pub(super) id: Clean,
    /// The same where it is an address of any kind; Atom wants no other (RFC 4287 §4.2.6), and
    /// readers take one without a scheme for a path below the feed's own address.
    pub(super) iri: Clean,
    pub(super) link: Clean,
    pub(super) title: Clean,
    pub(super) summary: Clean,
    /// The text; `None` where the feed has no room for it, so that its summary and link stand
    /// for it.
    pub(super) html: Option<Clean>,
    pub(super) language: Language,
    pub(super) published: Timestamp,
    pub(super) updated: Timestamp,
    /// Tells apart entries that were updated in the same second.
    pub(super) tie: i64,
    pub(super) authors: Vec<Person>,
    pub(super) contributors: Vec<Person>,
    pub(super) categories: Vec<Label>,
    pub(super) tags: Vec<Clean>,
    pub(super) translations: Vec<Translation>,
    pub(super) attachments: Vec<Attachment>,
    pub(super) image: Option<Clean>,
}

/// An entry that is no article: a mailing, or the end of a feed.
#[derive(Clone, Debug)]
pub(super) struct Note {
    /// What its permanent id ends with.
    pub(super) name: String,
    /// Absolute.
    pub(super) link: String,
    pub(super) title: String,
    /// Plain text.
    pub(super) text: String,
    pub(super) language: Language,
    pub(super) at: Timestamp,
}

impl Note {
    pub(super) fn entry(self, authority: &str) -> Entry {
        let id = Clean::new(format!("tag:{authority}:{}", self.name.trim_start_matches('/')));
        Entry {
            iri: id.clone(),
            id,
            link: Clean::new(self.link),
            title: Clean::new(self.title),
            summary: Clean::new(self.text),
            html: None,
            language: self.language,
            published: self.at,
            updated: self.at,
            tie: 0,
            authors: Vec::new(),
            contributors: Vec::new(),
            categories: Vec::new(),
            tags: Vec::new(),
            translations: Vec::new(),
            attachments: Vec::new(),
            image: None,
        }
    }
}

pub(super) struct Person {
    pub(super) name: Clean,
    pub(super) url: Option<Clean>,
}

/// A category as feeds name it.
pub(super) struct Label {
    pub(super) slug: Clean,
    pub(super) title: Clean,
    /// The page of the category.
    pub(super) page: Clean,
}

pub(super) struct Translation {
    pub(super) language: Language,
    pub(super) link: Clean,
}

pub(super) struct Attachment {
    pub(super) url: Clean,
    pub(super) media_type: Clean,
    pub(super) length: Option<i64>,
    pub(super) title: Option<Clean>,
}

impl<'a> Feed<'a> {
    /// The feed of a topic. `title_of` names categories in the topic's language; `translations`
    /// are articles in other languages, of which each entry finds its own.
    pub fn new(
        site: &'a Site,
        settings: &Settings,
        authority: &str,
        topic: &'a Topic,
        articles: &[Article],
        translations: &[Article],
        title_of: &dyn Fn(&str) -> String,
    ) -> Self {
        let language = &topic.language;
        let site_title = site.title.get(language);
        let name = topic.category().map_or_else(|| site_title.to_owned(), title_of);
        let title = if topic.category().is_some() { format!("{name} – {site_title}") } else { name.clone() };
        let described = match topic.category() {
            Some(slug) => site.category(slug).and_then(|category| category.description.as_ref()),
            None => site.description.as_ref(),
        };
        Self {
            id: Clean::new(topic.id(site, authority)),
            name: Clean::new(name),
            title: Clean::new(&title),
            description: Clean::new(described.map_or(title.as_str(), |text| text.get(language))),
            author: Clean::new(site_title),
            home: Clean::new(site.link(&topic.page(site))),
            ttl: settings.ttl,
            entries: entries(articles, |article| entry(site, authority, language, article, translations, title_of)),
            site,
            topic,
            part: Part::Current,
            links: Vec::new(),
        }
    }

    /// Its own absolute address in a format.
    pub(super) fn address(&self, format: FeedFormat) -> String {
        self.address_of(self.part, format)
    }

    /// The absolute address of a document of the same topic in a format.
    pub(super) fn address_of(&self, part: Part, format: FeedFormat) -> String {
        self.site.link(&self.topic.part(part, format).path(self.site))
    }

    /// Whether it is a document of the archive, which readers need not ask for again (RFC 5005 §4).
    pub(super) fn is_archive(&self) -> bool {
        matches!(self.part, Part::Archive(_))
    }

    /// Calls it so.
    pub(super) fn call(&mut self, name: &str, title: &str, description: &str) {
        (self.name, self.title, self.description) = (Clean::new(name), Clean::new(title), Clean::new(description));
    }

    /// Says which document of its topic it is, and which are before and after it.
    pub(super) fn place(&mut self, part: Part, links: Vec<(&'static str, Part)>) {
        (self.part, self.links) = (part, links);
    }

    /// Adds entries that are no articles, each at its date.
    pub(super) fn add(&mut self, entries: impl IntoIterator<Item = Entry>) {
        self.entries.extend(entries);
        self.entries.sort_by_key(|entry| std::cmp::Reverse((entry.published, entry.tie)));
    }

    /// When the newest change of its entries was. There is no other time in a feed: the same
    /// articles give the same bytes.
    pub(super) fn updated(&self) -> Option<&Entry> {
        self.entries.iter().max_by_key(|entry| (entry.updated, entry.tie))
    }
}

/// In octets of HTML: a feed is fetched whole, by every reader, after every change.
const LARGEST: usize = 2_000_000;

/// Every article, the newest first; what has no room shows its summary and link only. A long one
/// hides none that follow it.
fn entries(articles: &[Article], entry: impl Fn(&Article) -> Entry) -> Vec<Entry> {
    let mut room = LARGEST;
    let with_room = |article: &Article| {
        let mut entry = entry(article);
        match room.checked_sub(article.body_html.len()) {
            Some(left) => room = left,
            None => entry.html = None,
        }
        entry
    };
    articles.iter().map(with_room).collect()
}

fn entry(
    site: &Site,
    authority: &str,
    language: &Language,
    article: &Article,
    translations: &[Article],
    title_of: &dyn Fn(&str) -> String,
) -> Entry {
    Entry {
        id: Clean::new(&article.uid),
        iri: Clean::new(iri(authority, &article.uid)),
        link: Clean::new(link_of(site, article)),
        title: Clean::new(&article.title),
        summary: Clean::new(&article.summary),
        html: Some(Clean::new(wrapped(&article.language, &article.body_with_video()))),
        language: article.language.clone(),
        published: article.published_at,
        updated: article.updated_at,
        tie: article.id,
        authors: people(&article.credits, |role| role == Role::Author),
        contributors: people(&article.credits, |role| role == Role::Translator),
        categories: article.categories.iter().map(|slug| label(site, language, slug, title_of)).collect(),
        tags: article.tags.iter().map(Clean::new).collect(),
        translations: translations_of(site, article, translations),
        attachments: article.enclosures.iter().map(attachment).collect(),
        image: article.image.as_ref().map(Clean::new),
    }
}

/// An id as an IRI: itself, if it has a scheme (RFC 3987 §2.2), else a `tag:` URI made of it.
fn iri(authority: &str, uid: &str) -> String {
    let has_scheme = uid.split_once(':').is_some_and(|(scheme, rest)| {
        !rest.is_empty()
            && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    });
    if has_scheme { uid.to_owned() } else { format!("tag:{authority}:id/{}", utf8_percent_encode(uid, NON_ALPHANUMERIC)) }
}

fn people(credits: &[Credit], wanted: impl Fn(Role) -> bool) -> Vec<Person> {
    let chosen = credits.iter().filter(|credit| wanted(credit.role));
    chosen.map(|credit| Person { name: Clean::new(&credit.name), url: credit.url.as_ref().map(Clean::new) }).collect()
}

fn label(site: &Site, language: &Language, slug: &str, title_of: &dyn Fn(&str) -> String) -> Label {
    Label {
        slug: Clean::new(slug),
        title: Clean::new(title_of(slug)),
        page: Clean::new(site.link(&site.page_path(language, &["category", slug]))),
    }
}

/// In the order of tags, and one for each language: two alternates of equal type and hreflang
/// are forbidden (RFC 4287 §4.1.2).
fn translations_of(site: &Site, article: &Article, candidates: &[Article]) -> Vec<Translation> {
    let mut found: Vec<Translation> = candidates
        .iter()
        .filter(|other| other.translation_group == article.translation_group && other.language != article.language)
        .map(|other| Translation { language: other.language.clone(), link: Clean::new(link_of(site, other)) })
        .collect();
    found.sort_by(|one, two| (&one.language, &one.link).cmp(&(&two.language, &two.link)));
    found.dedup_by(|next, kept| next.language == kept.language);
    found
}

fn attachment(enclosure: &crate::content::Enclosure) -> Attachment {
    Attachment {
        url: Clean::new(&enclosure.url),
        media_type: Clean::new(&enclosure.media_type),
        length: enclosure.length,
        title: enclosure.title.as_ref().map(Clean::new),
    }
}

/// Where an article is read: its own page, or where another room of this site shows it, or on the
/// site that keeps it.
pub fn link_of(site: &Site, article: &Article) -> String {
    let base = site.base_url.as_str();
    match &article.canonical_url {
        Some(url) if article.living || url.starts_with(base) => url.clone(),
        _ => site.link(&site.article_path(&article.language, &article.month, &article.slug)),
    }
}

/// The writing direction of a language, for `dir`.
pub fn direction(language: &Language) -> &'static str {
    language.direction()
}

/// Readers drop `xml:lang`, so the language stands in the HTML as well (F9).
fn wrapped(language: &Language, html: &str) -> String {
    format!("<div lang=\"{language}\" dir=\"{}\">{html}</div>", direction(language))
}

/// Plain text as HTML: what RSS calls a description is read as HTML.
pub(super) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            c => {
                let _ = html.write_char(c);
            }
        }
    }
    html
}
