//! The site: its name, its languages, its categories, and every absolute link to it.

use crate::clock::Timestamp;
use crate::language::{Language, LocalText};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::collections::BTreeMap;
use url::Url;

/// What may stand in a path segment as it is (RFC 3986 §3.3): the unreserved characters, and
/// what joins categories in the addresses of feeds.
const SEGMENT: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b',').remove(b'+');

/// What may stand in a path as it is.
const PATH: AsciiSet = SEGMENT.remove(b'/');

/// Where files of the content folder are served whose old address nobody need remember.
pub const FILES: &str = "/files/";
/// WordPress's uploads keep the addresses they always had (F2).
const KEPT: &str = "wp-content/";

/// The path at which a file of the content folder is served, from its path in the folder.
pub fn file_path(path: &str) -> String {
    let prefix = if path.starts_with(KEPT) { "/" } else { FILES };
    format!("{prefix}{}", utf8_percent_encode(path, &PATH))
}

/// A topic under which articles are filed and to which people subscribe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// Its name in addresses: lower-case letters, digits and hyphens.
    pub slug: String,
    /// Its name for people.
    pub title: LocalText,
    /// One or two sentences for its page and feeds.
    pub description: Option<LocalText>,
    /// Its number in the WordPress that Clarion took over: answers `?cat=`.
    pub wp_id: Option<i64>,
    /// The slug of the category it belongs to: its articles are that one's too.
    pub parent: Option<String>,
    /// Whether and when its feeds end.
    pub retired: Option<Retirement>,
}

/// The end of a category's page and feeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retirement {
    /// From this day on, in the site's time zone, they answer 410.
    pub on: Date,
    /// The slug of the category that goes on in its place; `None`: the one above it, or the
    /// whole site.
    pub successor: Option<String>,
}

/// The address of an old site, whose feed addresses carry only its language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegacyHost {
    /// Without `www.`.
    pub host: String,
    /// The language it was in.
    pub language: Language,
    /// The id that its Atom feed had, which the feed of the whole site in its language keeps
    /// (RFC 4287 §4.2.6). WordPress's is an address, like `http://old.example.org/feed/atom/`.
    pub atom_id: Option<String>,
    /// What its categories are here: from their number there, or their name in its addresses,
    /// in [`LegacyHost::spelling`], to the slug of one of ours.
    pub categories: BTreeMap<String, String>,
    /// What its authors' names in addresses (`hana`, in `/author/hana/feed/`) are here: their names
    /// as articles have them.
    pub authors: BTreeMap<String, String>,
}

impl LegacyHost {
    /// One of which nothing else is known.
    pub fn new(host: &str, language: Language) -> Self {
        let (categories, authors) = (BTreeMap::new(), BTreeMap::new());
        Self { host: host.trim_start_matches("www.").to_lowercase(), language, atom_id: None, categories, authors }
    }

    /// A category's name in old addresses, in one spelling: WordPress escapes all but Latin
    /// letters, in lower case (`%e8%84%b1`).
    pub fn spelling(name: &str) -> String {
        percent_decode_str(name).decode_utf8_lossy().to_lowercase()
    }
}

/// What tells whose the site is, and what may be done with what it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imprint {
    /// Who holds the rights, and who may copy what.
    pub rights: Option<LocalText>,
    /// A picture that stands for the site: a file of the content folder, by its path.
    pub logo: Option<String>,
    /// A small square one.
    pub icon: Option<String>,
}

impl Imprint {
    /// Whether it shows this file of the content folder.
    pub fn shows(&self, path: &str) -> bool {
        [&self.logo, &self.icon].into_iter().flatten().any(|file| file == path)
    }
}

/// A format of feeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FeedFormat {
    /// RSS 2.0.
    Rss,
    /// Atom 1.0, RFC 4287.
    Atom,
    /// JSON Feed 1.1.
    Json,
}

impl FeedFormat {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Rss, Self::Atom, Self::Json];

    /// The last segment of its address.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Rss => "feed.xml",
            Self::Atom => "atom.xml",
            Self::Json => "feed.json",
        }
    }

    /// What its documents of the archive end with.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Rss => "rss",
            Self::Atom => "atom",
            Self::Json => "json",
        }
    }

    /// Its name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rss => "RSS",
            Self::Atom => "Atom",
            Self::Json => "JSON Feed",
        }
    }

    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Rss => "application/rss+xml",
            Self::Atom => "application/atom+xml",
            Self::Json => "application/feed+json",
        }
    }
}

/// The site as configured.
#[derive(Clone, Debug)]
pub struct Site {
    /// Its name.
    pub title: LocalText,
    /// One or two sentences on what it is.
    pub description: Option<LocalText>,
    /// Scheme, host and port; no path.
    pub base_url: Url,
    /// At least one; the first is the default.
    pub languages: Vec<Language>,
    /// In which dates without zone are read and shown.
    pub time_zone: TimeZone,
    /// Where the organisation can be written to; every mail names it.
    pub postal_address: String,
    /// The authority of new `tag:` URIs (RFC 4151), `example.org,2026`; the default is made
    /// from the host when the database is new, and stored.
    pub id_authority: Option<String>,
    /// Where one can give.
    pub donate_url: Option<Url>,
    /// Where one can write.
    pub contact_url: Option<Url>,
    /// In the order of menus.
    pub categories: Vec<Category>,
    /// Old hosts.
    pub legacy: Vec<LegacyHost>,
    /// What feeds and pages say of the site itself.
    pub imprint: Imprint,
}

impl Site {
    /// The language of addresses without a language.
    pub fn default_language(&self) -> &Language {
        &self.languages[0]
    }

    /// The site's language for a reader of `wanted`: that, the nearest to it, else the default.
    pub fn nearest_language(&self, wanted: &Language) -> &Language {
        wanted.nearest(&self.languages).unwrap_or_else(|| self.default_language())
    }

    /// The site's language that a text in `written` is in: that, or a wider one (`zh-Hant` for
    /// `zh-TW`), but no other script.
    pub fn language_of(&self, written: &Language) -> Option<&Language> {
        written.fallbacks().find_map(|wider| self.languages.iter().find(|known| **known == wider))
    }

    /// The site's language that words are in, as their script shows: Japanese cannot be written
    /// without kana, nor Korean without hangul. A tenth of the letters is more than a name in an
    /// English text.
    pub fn language_of_words(&self, words: &str) -> &Language {
        let count = |range: fn(char) -> bool| words.chars().filter(|c| range(*c)).count() * 10;
        let letters = words.chars().filter(|c| c.is_alphabetic()).count();
        let kana = count(|c| matches!(c, '\u{3041}'..='\u{30ff}'));
        let hangul = count(|c| matches!(c, '\u{ac00}'..='\u{d7a3}'));
        let written_in = [("ja", kana), ("ko", hangul)].into_iter().find(|(_, tenfold)| *tenfold > letters).map(|(tag, _)| tag);
        let known = self.languages.iter().find(|language| Some(language.primary()) == written_in);
        // What is not Japanese in a site that begins with Japanese is in the next language.
        let plain = || self.languages.iter().find(|language| written_in.is_none() && !matches!(language.primary(), "ja" | "ko"));
        known.or_else(plain).unwrap_or_else(|| self.default_language())
    }

    /// A configured category.
    pub fn category(&self, slug: &str) -> Option<&Category> {
        self.categories.iter().find(|category| category.slug == slug)
    }

    /// The old site that had a host; a port and `www.` do not matter.
    pub fn legacy_of(&self, host: &str) -> Option<&LegacyHost> {
        let host = host.rsplit_once(':').map_or(host, |(name, _)| name).to_ascii_lowercase();
        let host = host.trim_start_matches("www.");
        self.legacy.iter().find(|legacy| legacy.host == host)
    }

    /// The slug of the category that had a number in the WordPress at a host. Two old sites
    /// count alike, so a host whose categories are named is asked for its own only.
    pub fn category_numbered(&self, host: &str, number: &str) -> Option<&str> {
        if let Some(legacy) = self.legacy_of(host).filter(|legacy| !legacy.categories.is_empty()) {
            return legacy.categories.get(number).map(String::as_str);
        }
        let known = self.categories.iter().find(|category| category.wp_id.is_some_and(|id| id.to_string() == number));
        known.map(|category| category.slug.as_str())
    }

    /// The slug here of a category that is asked for by name at a host: the name itself if it is
    /// one of ours, else what the old site called so.
    pub fn category_called<'s>(&'s self, host: &str, name: &'s str) -> &'s str {
        let ours = self.category(name).map(|_| name);
        let theirs = || self.legacy_of(host)?.categories.get(&LegacyHost::spelling(name)).map(String::as_str);
        let titled = || self.category_named(name).map(|category| category.slug.as_str());
        ours.or_else(theirs).or_else(titled).unwrap_or(name)
    }

    /// The slug here of an author who is asked for by name at a host.
    pub fn author_called(&self, host: &str, name: &str) -> String {
        let theirs = self.legacy_of(host).and_then(|legacy| legacy.authors.get(&LegacyHost::spelling(name)));
        slug(theirs.map_or(name, String::as_str))
    }

    /// The category that somebody means by this slug: its own, or one made from its title in any
    /// language, as WordPress made them (`/category/%e8%84%b1%e5%8c%97%e8%80%85/`).
    pub fn category_named(&self, slug: &str) -> Option<&Category> {
        let titled = |category: &&Category| category.title.all().any(|title| self::slug(title) == slug);
        self.category(slug).or_else(|| self.categories.iter().find(titled))
    }

    /// Whether a category's page and feeds have ended.
    pub fn has_ended(&self, slug: &str, now: Timestamp) -> bool {
        let retired = self.category(slug).and_then(|category| category.retired.as_ref());
        retired.is_some_and(|retired| now.in_zone(&self.time_zone).date() >= retired.on)
    }

    /// The categories directly below one, in the order of menus; below none, those at the top.
    pub fn children<'s>(&'s self, parent: Option<&'s str>) -> impl Iterator<Item = &'s Category> {
        self.categories.iter().filter(move |category| category.parent.as_deref() == parent)
    }

    /// The categories above one, the nearest first.
    pub fn ancestors<'s>(&'s self, slug: &str) -> impl Iterator<Item = &'s Category> {
        let above = |category: &'s Category| self.category(category.parent.as_deref()?);
        // Circles are refused with the configuration; a bound costs nothing.
        std::iter::successors(self.category(slug).and_then(above), move |category| above(category)).take(self.categories.len())
    }

    /// A category and all below it, by their slugs: whose articles its page and feeds show.
    pub fn with_descendants(&self, slug: &str) -> Vec<String> {
        let below = self.categories.iter().filter(|category| self.ancestors(&category.slug).any(|above| above.slug == slug));
        std::iter::once(slug.to_owned()).chain(below.map(|category| category.slug.clone())).collect()
    }

    /// An absolute link to a path, which begins with a slash and is escaped already.
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.base_url.as_str().trim_end_matches('/'))
    }

    /// A path in a language: the default language has no prefix.
    pub fn path_in(&self, language: &Language, path: &str) -> String {
        if language == self.default_language() { path.to_owned() } else { format!("/{language}{path}") }
    }

    /// The path of a page in a language, from raw segments; it ends with a slash.
    pub fn page_path(&self, language: &Language, segments: &[&str]) -> String {
        let mut path = String::from("/");
        for segment in segments {
            path.extend(utf8_percent_encode(segment, &SEGMENT));
            path.push('/');
        }
        self.path_in(language, &path)
    }

    /// The path of an article: `/2027/09/slug/`. `month` is `yyyy/mm`.
    pub fn article_path(&self, language: &Language, month: &str, slug: &str) -> String {
        let (year, month) = month.split_once('/').unwrap_or((month, "01"));
        self.page_path(language, &[year, month, slug])
    }

    /// The folder of an instant in addresses: `yyyy/mm` in the site's time zone.
    pub fn month_of(&self, instant: Timestamp) -> String {
        let local = instant.in_zone(&self.time_zone);
        format!("{:04}/{:02}", local.year(), local.month())
    }

    /// Whether only this machine can follow the site's links.
    pub fn is_loopback(&self) -> bool {
        match self.base_url.host() {
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            None => false,
        }
    }
}

/// A slug from a name: lower case, hyphens for everything that is neither letter nor digit.
/// Letters of every script stay, since a Japanese slug is better than none.
pub fn slug(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') && c != '\'' && c != '’' {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}
