//! What an address means: which feed. Ours (`/tag/family/atom.xml`), and those of WordPress, which
//! readers have kept for twenty years (`/category/a,b/feed/atom/`, `/?feed=rss2&cat=3,5`).

use super::place::{Address, language_of_host, month_of, year_of};
use crate::feed::{FeedKey, Filter, Part, Post, Subject, Terms, Topic};
use crate::site::{self, FeedFormat, Site};
use std::collections::BTreeSet;

/// A feed that an address asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FeedAddress {
    /// This one, which may exist or not.
    Of(FeedKey),
    /// One of which it is certain that it does not.
    Unknown,
}

/// What the end of an address says.
struct Ending<'s> {
    /// What stands before it.
    folder: &'s [&'s str],
    part: Option<Part>,
    format: FeedFormat,
    /// Whether WordPress had addresses that end so.
    wordpress: bool,
}

/// What is asked cannot be.
struct Impossible;

impl Address {
    /// The feed it asks for, if it asks for one.
    pub(super) fn feed(&self, site: &Site) -> Option<FeedAddress> {
        let segments: Vec<&str> = self.segments.iter().map(String::as_str).collect();
        let language = self.language.as_ref().unwrap_or_else(|| language_of_host(site, &self.host));
        let found = self.endings(&segments).into_iter().find_map(|ending| Some((self.subject(site, &ending)?, ending)));
        let (subject, Ending { part, format, .. }) = found?;
        let Ok(subject) = subject else { return Some(FeedAddress::Unknown) };
        let topic = Topic { language: language.clone(), subject };
        let part = part.unwrap_or_else(|| self.page());
        Some(FeedAddress::Of(FeedKey { topic, part, format }))
    }

    /// The ways to read its end, the best first.
    fn endings<'s>(&self, segments: &'s [&'s str]) -> Vec<Ending<'s>> {
        let mut endings = Vec::new();
        if let [folder @ .., "feed", "archive", name] = segments
            && let Some((number, format)) = archive_name(name)
        {
            endings.push(Ending { folder, part: Some(Part::Archive(number)), format, wordpress: false });
        }
        if let [folder @ .., "feed", kind] = segments
            && let Some(format) = wordpress_format(kind)
        {
            endings.push(Ending { folder, part: None, format, wordpress: true });
        }
        if let [folder @ .., "feed"] = segments {
            endings.push(Ending { folder, part: None, format: FeedFormat::Rss, wordpress: true });
        }
        if let [folder @ .., name] = segments
            && let Some(format) = FeedFormat::ALL.into_iter().find(|format| format.file_name() == *name)
        {
            endings.push(Ending { folder, part: None, format, wordpress: false });
        }
        if let [name] = segments
            && let Some(format) = program_format(name)
        {
            // What a program was asked for, it was asked for in the query.
            let folder = if *name == "wp-commentsrss2.php" { &["comments"][..] } else { &[] };
            endings.push(Ending { folder, part: None, format, wordpress: true });
        }
        if let Some(kind) = self.parameter("feed")
            && let Some(format) = wordpress_format(kind.trim_start_matches("comments-"))
        {
            let folder = match segments {
                _ if kind.starts_with("comments-") => &["comments"][..],
                ["index.php"] => &[],
                segments => segments,
            };
            endings.push(Ending { folder, part: None, format, wordpress: true });
        }
        endings
    }

    /// What a folder with such an ending is about; nothing if it is no feed's.
    fn subject(&self, site: &Site, ending: &Ending<'_>) -> Option<Result<Subject, Impossible>> {
        let filter = match ending.folder {
            [] if self.is_of_comments() => return Some(Ok(Subject::Comments(None))),
            [] => Filter::default(),
            // WordPress puts a category's ancestors before it.
            ["category", .., slugs] => match Terms::parse(slugs) {
                Some(terms) => Filter { categories: Some(self.categories(site, terms)), ..Filter::default() },
                None => return Some(Err(Impossible)),
            },
            ["tag", slugs] => match Terms::parse(slugs) {
                Some(terms) => Filter { tags: Some(terms.map(site::slug)), ..Filter::default() },
                None => return Some(Err(Impossible)),
            },
            ["author", name] => Filter::author(&site.author_called(&self.host, name)),
            ["archive"] if ending.part.is_none() => return Some(Ok(Subject::Mailings)),
            ["comments"] if ending.wordpress => return Some(Ok(Subject::Comments(None))),
            [year] => Filter::time(&year_of(year)?),
            [year, month] => Filter::time(&month_of(year, month)?),
            [year, month, slug] if ending.wordpress => {
                let post = Post { month: month_of(year, month)?, slug: (*slug).to_owned() };
                return Some(Ok(Subject::Comments(Some(post))));
            }
            _ => return None,
        };
        Some(self.narrowed(site, filter).map(Subject::Articles))
    }

    /// The filter of a path, narrowed by what the query says besides.
    fn narrowed(&self, site: &Site, path: Filter) -> Result<Filter, Impossible> {
        let asked = |name: &str| self.parameter(name).filter(|value| !value.is_empty());
        let terms = |name: &str| asked(name).map(|text| Terms::parse(&text).ok_or(Impossible)).transpose();
        let named = terms("category_name")?.map(|terms| self.categories(site, terms));
        let numbered = match asked("cat").filter(|number| number != "0") {
            Some(numbers) => Some(self.numbered(site, &numbers)?),
            None => None,
        };
        let time = match (asked("m"), asked("year").as_deref().and_then(year_of), asked("monthnum")) {
            (Some(time), ..) => time_of(&time)?,
            (None, Some(year), Some(month)) => Some(month_of(&year, &format!("{month:0>2}")).ok_or(Impossible)?),
            (None, year, _) => year,
        };
        Ok(Filter {
            categories: path.categories.or(named).or(numbered),
            tags: path.tags.or(terms("tag")?.map(|terms| terms.map(site::slug))),
            author: path.author.or(asked("author_name").map(|name| site.author_called(&self.host, &name))),
            time: path.time.or(time),
        })
    }

    /// Whether the query asks for the comments on a post.
    fn is_of_comments(&self) -> bool {
        ["p", "page_id", "withcomments"].into_iter().any(|name| self.parameter(name).is_some_and(|value| !value.is_empty()))
    }

    /// The slugs that are meant: old addresses have those that WordPress made.
    fn categories(&self, site: &Site, terms: Terms) -> Terms {
        terms.map(|name| site.category_called(&self.host, name).to_owned())
    }

    /// `3,5`: any of these. Without some of them (`-3`) nothing is offered here.
    fn numbered(&self, site: &Site, numbers: &str) -> Result<Terms, Impossible> {
        let parts = numbers.split([',', '+', ' ']).filter(|part| !part.is_empty());
        let slugs: Option<BTreeSet<String>> = parts.map(|number| site.category_numbered(&self.host, number).map(str::to_owned)).collect();
        slugs.and_then(|slugs| Terms::of(false, slugs)).ok_or(Impossible)
    }

    /// `?paged=2`
    fn page(&self) -> Part {
        let number = self.parameter("paged").and_then(|text| text.parse().ok());
        number.filter(|number| (2..=100_000).contains(number)).map_or(Part::Current, Part::Page)
    }
}

/// `yyyy` or `yyyymm`; a day is none of ours. What is no time at all is meant for others.
fn time_of(text: &str) -> Result<Option<String>, Impossible> {
    if text.len() < 4 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(None);
    }
    match text.split_at(4) {
        (year, "") => Ok(Some(year.to_owned())),
        (year, month) => month_of(year, month).map(Some).ok_or(Impossible),
    }
}

/// `3.atom`
fn archive_name(name: &str) -> Option<(u32, FeedFormat)> {
    let (number, extension) = name.split_once('.')?;
    let format = FeedFormat::ALL.into_iter().find(|format| format.extension() == extension)?;
    // One spelling: no +3, no 03.
    let number = number.parse::<u32>().ok().filter(|parsed| *parsed > 0 && parsed.to_string() == number)?;
    Some((number, format))
}

/// WordPress's kinds of feeds. Its RSS 0.92 and RDF are answered in RSS 2.0, which their
/// readers understand.
fn wordpress_format(kind: &str) -> Option<FeedFormat> {
    match kind {
        "feed" | "rss" | "rss2" | "rdf" => Some(FeedFormat::Rss),
        "atom" => Some(FeedFormat::Atom),
        "json" => Some(FeedFormat::Json),
        _ => None,
    }
}

/// WordPress's oldest addresses.
fn program_format(name: &str) -> Option<FeedFormat> {
    match name {
        "rss" | "rss2" | "rdf" | "wp-feed.php" | "wp-rss.php" | "wp-rss2.php" | "wp-rdf.php" | "wp-commentsrss2.php" => {
            Some(FeedFormat::Rss)
        }
        "atom" | "wp-atom.php" => Some(FeedFormat::Atom),
        _ => None,
    }
}
