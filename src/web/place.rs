//! What an address means: which page. Decided from the address alone.

use crate::language::Language;
use crate::site::Site;
use axum::http::HeaderMap;
use axum::http::header::HOST;
use percent_encoding::percent_decode_str;
use url::form_urlencoded;

/// An address with its language taken off.
pub(super) struct Address {
    /// As the client named it, perhaps with a port: that of an old site has a meaning.
    pub(super) host: String,
    /// The language named by the first segment, whether the site has it or not.
    pub(super) language: Option<Language>,
    /// Decoded, without empty ones.
    pub(super) segments: Vec<String>,
    /// The path as asked, without the language.
    path: String,
    query: String,
}

/// A page for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The newest articles.
    Home,
    /// Those of a category.
    Category(String),
    /// Those with a tag.
    Tag(String),
    /// Those of an author.
    Author(String),
    /// The titles of a year.
    Year(String),
    /// Those of a month, `yyyy/mm`.
    Month(String),
    /// One article.
    Article { month: String, slug: String },
}

/// Where an address leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// To this page of this place; pages count from 1.
    Page(Place, i64),
    /// To a page that has another address, in the language of this one, and the query of it.
    Elsewhere(String),
}

impl Address {
    /// Takes an address apart. A first segment that the site does not speak is a language only
    /// before an article: articles may come in languages that have no menu. Another tag for a
    /// language of the site is none, see [`retagged`].
    pub(super) fn of(site: &Site, host: &str, path: &str, query: Option<&str>) -> Self {
        let mut segments: Vec<String> = path.split('/').filter(|segment| !segment.is_empty()).map(decoded).collect();
        let first = segments.first().and_then(|first| Language::parse(first).ok().filter(|language| language.to_string() == *first));
        let is_article = segments.len() == 4 && year_of(&segments[1]).is_some();
        let language = first.filter(|language| match site.language_of(language) {
            Some(own) => own == language,
            None => is_article,
        });
        let mut rest = path;
        if language.is_some() {
            segments.remove(0);
            rest = path.trim_start_matches('/').find('/').map_or("", |at| &path.trim_start_matches('/')[at..]);
        }
        Self { host: host.to_owned(), language, segments, path: rest.to_owned(), query: query.unwrap_or_default().to_owned() }
    }

    /// The page it means, if any. WordPress's addresses of the same pages (`/page/2/`, a
    /// category below its parents, `?cat=7`) lead to ours.
    pub(super) fn way(&self, site: &Site) -> Option<Way> {
        let segments: Vec<&str> = self.segments.iter().map(String::as_str).collect();
        let (segments, counted) = match segments[..] {
            [ref list @ .., "page", number] => (list.to_vec(), Some(page_number(number)?)),
            _ => (segments, None),
        };
        let place = match segments[..] {
            [] => match self.category_of_query(site) {
                Asked::Category(slug) => return Some(self.elsewhere(site, &["category", &slug], counted)),
                Asked::Unknown => return None,
                Asked::Everything => Place::Home,
            },
            ["category", .., slug] if site.category_called(&self.host, slug) != slug => {
                return Some(self.elsewhere(site, &["category", site.category_called(&self.host, slug)], counted));
            }
            ["category", slug] => Place::Category(slug.to_owned()),
            // WordPress puts a category's ancestors before it.
            ["category", .., slug] => return Some(self.elsewhere(site, &["category", slug], counted)),
            ["tag", slug] => Place::Tag(slug.to_owned()),
            ["author", slug] => Place::Author(slug.to_owned()),
            [year] => Place::Year(year_of(year)?),
            [year, month] => Place::Month(month_of(year, month)?),
            [year, month, slug] => Place::Article { month: month_of(year, month)?, slug: slug.to_owned() },
            _ => return None,
        };
        if counted.is_some() {
            return Some(self.elsewhere(site, &segments, counted));
        }
        let number = self.parameter("page").map_or(Some(1), |text| page_number(&text))?;
        if self.path.ends_with('/') {
            return Some(Way::Page(place, number));
        }
        // One slash in front: two would name another host.
        let query = if self.query.is_empty() { String::new() } else { format!("?{}", self.query) };
        let language = self.language.as_ref().map_or_else(String::new, |language| format!("/{language}"));
        Some(Way::Elsewhere(format!("{language}/{}/{query}", self.path.trim_matches('/')).replacen("//", "/", 1)))
    }

    fn elsewhere(&self, site: &Site, segments: &[&str], counted: Option<i64>) -> Way {
        let path = site.page_path(self.language.as_ref().unwrap_or_else(|| site.default_language()), segments);
        let counted = counted.filter(|number| *number > 1).map_or_else(String::new, |number| format!("?page={number}"));
        Way::Elsewhere(format!("{path}{counted}"))
    }

    /// Whether `?raw` asks for a feed as programs see it, also in a browser.
    pub(super) fn asks_for_raw(&self) -> bool {
        self.parameter("raw").is_some()
    }

    /// `?cat=7` by the number it had in WordPress, or `?category_name=defectors`.
    fn category_of_query(&self, site: &Site) -> Asked {
        if let Some(slug) = self.parameter("category_name") {
            return Asked::Category(site.category_called(&self.host, &slug).to_owned());
        }
        let Some(number) = self.parameter("cat") else { return Asked::Everything };
        site.category_numbered(&self.host, &number).map_or(Asked::Unknown, |slug| Asked::Category(slug.to_owned()))
    }

    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.replace('\0', "\u{fffd}"))
    }
}

/// The path for one whose language has another tag here: `/zh-Hant/subscribe` for
/// `/zh-TW/subscribe`, and for `/zh-hant/subscribe`, as WordPress's plugins write it. The links of
/// old mails stay good when their language is given up.
pub(super) fn retagged(site: &Site, path: &str) -> Option<String> {
    const IN_MAILS: [&str; 4] = ["confirm", "preferences", "subscribe", "unsubscribe"];
    let rooted = path.strip_prefix('/')?;
    let (first, rest) = rooted.find('/').map_or((rooted, "/"), |at| rooted.split_at(at));
    let asked = Language::parse(first).ok()?;
    let of_a_mail = || rest.split('/').nth(1).is_some_and(|page| IN_MAILS.contains(&page));
    let given_up = || (asked.has_name() && of_a_mail()).then(|| site.nearest_language(&asked));
    let own = site.language_of(&asked).or_else(given_up)?;
    // One slash in front: two would name another host.
    (own.to_string() != first).then(|| site.path_in(own, &format!("/{}", rest.trim_start_matches('/'))))
}

enum Asked {
    Everything,
    Category(String),
    Unknown,
}

/// An escaped part of an address as text that a database takes: PostgreSQL has no NUL.
pub(super) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().replace('\0', "\u{fffd}")
}

/// The number of a page in a long list, from 1.
fn page_number(text: &str) -> Option<i64> {
    text.parse().ok().filter(|page| (1..=100_000).contains(page))
}

/// `yyyy`, if it is a year.
pub(super) fn year_of(year: &str) -> Option<String> {
    (year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit())).then(|| year.to_owned())
}

/// `yyyy/mm`, if the two are a year and a month.
pub(super) fn month_of(year: &str, month: &str) -> Option<String> {
    let valid = month.len() == 2 && month.bytes().all(|byte| byte.is_ascii_digit()) && ("01"..="12").contains(&month);
    year_of(year).filter(|_| valid).map(|year| format!("{year}/{month}"))
}

/// The host that a client asked.
pub(super) fn host(headers: &HeaderMap) -> &str {
    headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default()
}

/// An old site's host carries that site's language, with and without `www.`.
pub(super) fn language_of_host<'a>(site: &'a Site, host: &str) -> &'a Language {
    site.legacy_of(host).map_or_else(|| site.default_language(), |legacy| site.nearest_language(&legacy.language))
}
