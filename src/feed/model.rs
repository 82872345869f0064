//! A feed before it takes a format: its text is clean by construction, so that no format can be
//! made ill-formed by what somebody wrote.

use super::clean::{Clean, Link, Scrub};
use super::extension::{Element, Namespace};
use super::media::{self, Media};
use super::remark::{LeftOut, Remark};
use super::{Headline, Part, Settings, Topic};
use crate::clock::Timestamp;
use crate::content::{self, Article, Credit, Role, Tombstone};
use crate::language::Language;
use crate::site::{FeedFormat, Site, file_path};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::fmt::Write as _;
use std::time::Duration;

/// A feed of one topic, for all formats.
pub struct Feed<'a> {
    pub(super) site: &'a Site,
    pub(super) topic: &'a Topic,
    /// Whose `tag:` URIs it has.
    authority: String,
    /// Permanent: no change of title or host touches it (RFC 4287 §4.2.6).
    pub(super) id: Clean,
    /// Of the topic alone.
    pub(super) name: Clean,
    pub(super) title: Clean,
    pub(super) description: Clean,
    pub(super) author: Clean,
    /// The page with the same articles.
    pub(super) home: Link,
    /// Who may copy what.
    pub(super) rights: Option<Clean>,
    /// A picture that stands for the site, wider than high.
    pub(super) logo: Option<Link>,
    /// One as wide as high.
    pub(super) icon: Option<Link>,
    pub(super) ttl: Duration,
    /// Who tells readers of every change.
    pub(super) hubs: Vec<Link>,
    /// The newest first.
    pub(super) entries: Vec<Entry>,
    /// What was among them and is gone, the newest first.
    pub(super) deleted: Vec<Deleted>,
    /// What of the articles is not in it.
    pub(super) remarks: Vec<Remark>,
    /// Which document of its topic it is.
    pub(super) part: Part,
    /// The documents before and after it, by relation (RFC 5005).
    pub(super) links: Vec<(&'static str, Part)>,
}

pub(super) struct Entry {
    /// The article's row number; tells apart entries that were updated in the same second.
    pub(super) article: i64,
    /// As it was given, byte for byte.
    pub(super) id: Clean,
    /// The same where it is an address of any kind; Atom wants no other (RFC 4287 §4.2.6), and
    /// readers take one without a scheme for a path below the feed's own address.
    pub(super) iri: Clean,
    pub(super) link: Link,
    /// The original, where this is a copy of ours.
    pub(super) original: Option<Link>,
    pub(super) title: Clean,
    pub(super) summary: Clean,
    /// The text; `None` where the feed has no room for it, so that its summary and link stand
    /// for it.
    pub(super) html: Option<Clean>,
    pub(super) language: Language,
    pub(super) published: Timestamp,
    /// Never before `published`.
    pub(super) updated: Timestamp,
    pub(super) authors: Vec<Person>,
    pub(super) contributors: Vec<Person>,
    pub(super) categories: Vec<Label>,
    pub(super) tags: Vec<Clean>,
    pub(super) translations: Vec<Translation>,
    pub(super) media: Media,
    /// Ours, or the original site's.
    pub(super) picture: Option<Link>,
}

/// An entry that is gone (RFC 6721 §3).
pub(super) struct Deleted {
    pub(super) id: Clean,
    pub(super) at: Timestamp,
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

impl Entry {
    /// Its id as a format has it.
    pub(super) const fn id_in(&self, format: FeedFormat) -> &Clean {
        match format {
            FeedFormat::Atom => &self.iri,
            FeedFormat::Rss | FeedFormat::Json => &self.id,
        }
    }
}

impl Note {
    pub(super) fn entry(self, authority: &str) -> Entry {
        let id = Clean::new(format!("tag:{authority}:{}", self.name.trim_start_matches('/')));
        Entry {
            article: 0,
            iri: id.clone(),
            id,
            link: Link::own(self.link),
            original: None,
            title: title_like(&self.title),
            summary: Clean::new(self.text),
            html: None,
            language: self.language,
            published: self.at,
            updated: self.at,
            authors: Vec::new(),
            contributors: Vec::new(),
            categories: Vec::new(),
            tags: Vec::new(),
            translations: Vec::new(),
            media: Media::default(),
            picture: None,
        }
    }
}

pub(super) struct Person {
    pub(super) name: Clean,
    pub(super) url: Option<Link>,
}

/// A category as feeds name it.
pub(super) struct Label {
    pub(super) slug: Clean,
    pub(super) title: Clean,
    /// The page of the category.
    pub(super) page: Link,
}

pub(super) struct Translation {
    pub(super) language: Language,
    pub(super) link: Link,
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
        let imprint = &site.imprint;
        let picture = |file: &Option<String>| file.as_ref().map(|path| Link::own(site.link(&file_path(path))));
        let mut feed = Self {
            authority: authority.to_owned(),
            id: Clean::new(topic.id(site, authority)),
            description: title_like(described.map_or(title.as_str(), |text| text.get(language))),
            name: title_like(&name),
            title: title_like(&title),
            author: title_like(site_title),
            home: Link::own(site.link(&topic.page(site))),
            rights: imprint.rights.as_ref().map(|rights| title_like(rights.get(language))),
            logo: picture(&imprint.logo),
            icon: picture(&imprint.icon),
            ttl: settings.ttl,
            hubs: settings.hubs.iter().filter_map(|hub| Link::parse(hub.as_str())).collect(),
            entries: Vec::new(),
            deleted: Vec::new(),
            remarks: Vec::new(),
            site,
            topic,
            part: Part::Current,
            links: Vec::new(),
        };
        feed.enter(articles, |article| entry(site, authority, language, article, translations, title_of));
        feed
    }

    /// The same feed, which tells also what is gone from it: of what went in the half year before
    /// its newest change. The clock does not count: the same articles give the same bytes.
    #[must_use]
    pub fn with_deleted(mut self, gone: &[Tombstone]) -> Self {
        let newest = gone.iter().map(|gone| gone.at).chain(self.entries.iter().map(|entry| entry.updated)).max();
        let recent = gone.iter().filter(|gone| newest.is_some_and(|newest| newest.since(gone.at) <= REMEMBERED));
        self.deleted = recent.map(|gone| Deleted { id: iri(&self.authority, &gone.uid), at: gone.at }).collect();
        self
    }

    /// Every article, the newest first; what has no room shows its summary and link only. A long
    /// one hides none that follow it.
    fn enter(&mut self, articles: &[Article], made: impl Fn(&Article) -> (Entry, Vec<LeftOut>)) {
        let mut room = LARGEST;
        for article in articles {
            let (mut entry, left_out) = made(article);
            match room.checked_sub(article.body_html.len()) {
                Some(left) => room = left,
                None => entry.html = None,
            }
            self.entries.push(entry);
            self.remarks.extend(left_out.into_iter().map(|left_out| Remark { article: article.id, left_out }));
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

    /// `fh:archive` (RFC 5005 §4) where it is one.
    pub(super) fn archive_mark(&self) -> Option<Element> {
        self.is_archive().then(|| Element::new(Namespace::History, "archive"))
    }

    /// Calls it so.
    pub(super) fn call(&mut self, name: &str, title: &str, description: &str) {
        (self.name, self.title, self.description) = (title_like(name), title_like(title), title_like(description));
    }

    /// Says which document of its topic it is, and which are before and after it.
    pub(super) fn place(&mut self, part: Part, links: Vec<(&'static str, Part)>) {
        (self.part, self.links) = (part, links);
        // Hubs are told of what is published, not of what is made when asked for: a reader who
        // waited for a hub would wait for ever.
        if part != Part::Current || !self.topic.is_common() {
            self.hubs.clear();
        }
    }

    /// Where it is and who tells of its changes, as the header field `Link` says it (RFC 8288 §3;
    /// WebSub §4).
    pub(super) fn header_links(&self, format: FeedFormat) -> String {
        let own = format!("<{}>; rel=\"self\"", self.address(format));
        self.hubs.iter().fold(own, |links, hub| format!("{links}, <{}>; rel=\"hub\"", String::from(hub)))
    }

    /// Adds entries that are no articles, each at its date.
    pub(super) fn add(&mut self, entries: impl IntoIterator<Item = Entry>) {
        self.entries.extend(entries);
        self.entries.sort_by_key(|entry| std::cmp::Reverse((entry.published, entry.article)));
    }

    /// What people are shown of it, the newest first.
    pub(super) fn headlines(&self) -> Vec<Headline> {
        let headline = |entry: &Entry| Headline {
            title: String::from(&entry.title),
            link: String::from(&entry.link),
            language: entry.language.clone(),
            published: entry.published,
        };
        self.entries.iter().take(Headline::SHOWN).map(headline).collect()
    }

    /// When it last changed, and what tells that from other changes of the same second. There is
    /// no other time in a feed: the same articles give the same bytes.
    pub(super) fn updated(&self) -> Option<(Timestamp, i64)> {
        let changed = self.entries.iter().map(|entry| (entry.updated, entry.article));
        changed.chain(self.deleted.iter().map(|gone| (gone.at, 0))).max()
    }
}

/// In octets of HTML: a feed is fetched whole, by every reader, after every change.
const LARGEST: usize = 2_000_000;
/// How long a feed tells of what is gone: who did not ask for half a year begins anew.
const REMEMBERED: Duration = Duration::from_hours(24 * 180);

fn entry(
    site: &Site,
    authority: &str,
    language: &Language,
    article: &Article,
    translations: &[Article],
    title_of: &dyn Fn(&str) -> String,
) -> (Entry, Vec<LeftOut>) {
    let mut scrub = Scrub::default();
    let (media, mut left_out) = Media::of(article, site, &mut scrub);
    let link = link(site, article);
    let entry = Entry {
        article: article.id,
        id: Clean::new(&article.uid),
        iri: iri(authority, &article.uid),
        original: article.canonical_url.as_deref().and_then(Link::parse).filter(|original| *original != link),
        link,
        title: scrub.text(&article.title),
        summary: scrub.text(&article.summary),
        html: Some(scrub.text(wrapped(&article.language, &article.body_with_video()))),
        language: article.language.clone(),
        published: article.published_at,
        updated: article.updated_at.max(article.published_at),
        authors: people(&article.credits, &mut scrub, |role| role == Role::Author),
        contributors: people(&article.credits, &mut scrub, |role| role == Role::Translator),
        categories: article.categories.iter().map(|slug| label(site, language, slug, title_of)).collect(),
        tags: article.tags.iter().map(|tag| scrub.text(tag)).collect(),
        translations: translations_of(site, article, translations),
        media,
        picture: media::picture(article, site),
    };
    if scrub.removed > 0 {
        left_out.push(LeftOut::Characters(scrub.removed));
    }
    (entry, left_out)
}

/// An id as an IRI: itself, if it has a scheme (RFC 3987 §2.2), else a `tag:` URI made of it.
fn iri(authority: &str, uid: &str) -> Clean {
    let id = Clean::new(uid);
    let has_scheme = id.as_str().split_once(':').is_some_and(|(scheme, rest)| {
        !rest.is_empty()
            && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    });
    if has_scheme { id } else { Clean::new(format!("tag:{authority}:id/{}", utf8_percent_encode(id.as_str(), NON_ALPHANUMERIC))) }
}

/// What the configuration says, as titles are: of one line, whose direction ends with it (F8).
fn title_like(text: &str) -> Clean {
    Clean::new(content::line(text))
}

fn people(credits: &[Credit], scrub: &mut Scrub, wanted: impl Fn(Role) -> bool) -> Vec<Person> {
    let chosen = credits.iter().filter(|credit| wanted(credit.role));
    chosen.map(|credit| Person { name: scrub.text(&credit.name), url: credit.url.as_deref().and_then(Link::parse) }).collect()
}

fn label(site: &Site, language: &Language, slug: &str, title_of: &dyn Fn(&str) -> String) -> Label {
    Label {
        slug: Clean::new(slug),
        title: title_like(&title_of(slug)),
        page: Link::own(site.link(&site.page_path(language, &["category", slug]))),
    }
}

/// In the order of tags, and one for each language: two alternates of equal type and hreflang
/// are forbidden (RFC 4287 §4.1.2).
fn translations_of(site: &Site, article: &Article, candidates: &[Article]) -> Vec<Translation> {
    let mut found: Vec<Translation> = candidates
        .iter()
        .filter(|other| other.translation_group == article.translation_group && other.language != article.language)
        .map(|other| Translation { language: other.language.clone(), link: link(site, other) })
        .collect();
    found.sort_by(|one, two| (&one.language, &one.link).cmp(&(&two.language, &two.link)));
    found.dedup_by(|next, kept| next.language == kept.language);
    found
}

/// [`link_of`] an article; its own page where that is no link.
fn link(site: &Site, article: &Article) -> Link {
    let own = || Link::own(site.link(&site.article_path(&article.language, &article.month, &article.slug)));
    Link::parse(&link_of(site, article)).unwrap_or_else(own)
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
