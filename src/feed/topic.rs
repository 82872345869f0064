//! Which feeds there are: what a feed is about, and at which address it is.

use crate::content::{Line, Words};
use crate::language::Language;
use crate::site::{FeedFormat, Site};
use std::collections::BTreeSet;
use url::form_urlencoded;

/// Categories or tags that may be joined in one feed.
const MOST_TERMS: usize = 6;

/// What a feed is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Topic {
    /// In which language.
    pub language: Language,
    /// About what.
    pub subject: Subject,
}

/// About what a feed is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// Articles.
    Articles(Filter),
    /// The mailings marked public.
    Mailings,
    /// Comments, which are closed: what WordPress had, answered for those who still ask.
    Comments(Option<Post>),
}

/// A post whose comments somebody followed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Post {
    /// `yyyy/mm`.
    pub month: String,
    /// Its name in addresses.
    pub slug: String,
}

/// Which articles; what is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Filter {
    /// In these categories or below them.
    pub categories: Option<Terms>,
    /// With these tags.
    pub tags: Option<Terms>,
    /// By this author, by their slug.
    pub author: Option<String>,
    /// Of this year, `yyyy`, or month, `yyyy/mm`.
    pub time: Option<String>,
}

/// One or a few categories or tags.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Terms {
    /// Whether an article must have every one, or any.
    every: bool,
    /// In order, each once.
    slugs: Vec<String>,
}

/// Which document of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// The newest entries: what one subscribes to.
    Current,
    /// The second page or a later one, as WordPress counts them with `paged`.
    Page(u32),
    /// A document of the archive (RFC 5005 §4), from 1, the oldest.
    Archive(u32),
}

/// Which feed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FeedKey {
    /// On what.
    pub topic: Topic,
    /// Which document of it.
    pub part: Part,
    /// In which format.
    pub format: FeedFormat,
}

impl Terms {
    /// A single one.
    pub fn one(slug: &str) -> Self {
        Self { every: false, slugs: vec![slug.to_owned()] }
    }

    /// `a,b` for either, `a+b` for both, which reaches us as `a b` where a query was decoded:
    /// WordPress takes all of these. Nothing if it is none of them or longer than anybody needs.
    pub fn parse(text: &str) -> Option<Self> {
        let every = text.contains(['+', ' ']);
        if every && text.contains(',') {
            return None;
        }
        let parts = text.split([',', '+', ' ']).filter(|part| !part.is_empty());
        Self::of(every, parts.map(str::to_owned).collect())
    }

    /// Any or every one of these slugs.
    pub fn of(every: bool, slugs: BTreeSet<String>) -> Option<Self> {
        let every = every && slugs.len() > 1;
        (1..=MOST_TERMS).contains(&slugs.len()).then(|| Self { every, slugs: slugs.into_iter().collect() })
    }

    /// The same, each slug put into another form.
    #[must_use]
    pub fn map(self, form: impl Fn(&str) -> String) -> Self {
        let slugs: BTreeSet<String> = self.slugs.iter().map(|slug| form(slug)).collect();
        Self { every: self.every && slugs.len() > 1, slugs: slugs.into_iter().collect() }
    }

    /// The only one.
    pub fn single(&self) -> Option<&str> {
        match self.slugs.as_slice() {
            [slug] => Some(slug),
            _ => None,
        }
    }

    /// Each, in order.
    pub fn slugs(&self) -> impl Iterator<Item = &str> {
        self.slugs.iter().map(String::as_str)
    }

    /// What stands between them.
    pub(super) const fn joint(&self) -> &'static str {
        if self.every { "+" } else { "," }
    }

    fn hold(&self, has: impl Fn(&String) -> bool) -> bool {
        if self.every { self.slugs.iter().all(has) } else { self.slugs.iter().any(has) }
    }

    fn joined(&self) -> String {
        self.slugs.join(self.joint())
    }
}

impl Filter {
    /// Those of a category and of all below it.
    pub fn category(slug: &str) -> Self {
        Self { categories: Some(Terms::one(slug)), ..Self::default() }
    }

    /// Those with a tag.
    pub fn tag(slug: &str) -> Self {
        Self { tags: Some(Terms::one(slug)), ..Self::default() }
    }

    /// Those by an author.
    pub fn author(slug: &str) -> Self {
        Self { author: Some(slug.to_owned()), ..Self::default() }
    }

    /// Those of a year, `yyyy`, or month, `yyyy/mm`.
    pub fn time(time: &str) -> Self {
        Self { time: Some(time.to_owned()), ..Self::default() }
    }

    /// Whether every word of it is one that some article has, or that the configuration names.
    pub(super) fn is_known(&self, site: &Site, words: &Words) -> bool {
        let category = |slug: &str| site.category(slug).is_some() || words.has_category(slug);
        self.categories.as_ref().is_none_or(|terms| terms.slugs().all(category))
            && self.tags.as_ref().is_none_or(|terms| terms.slugs().all(|slug| words.has_tag(slug)))
            && self.author.as_ref().is_none_or(|slug| words.has_author(slug))
            && self.time.as_ref().is_none_or(|time| words.has_time(time))
    }

    /// A test of lines, in whatever language.
    pub(super) fn matcher<'f>(&'f self, site: &Site) -> impl Fn(&Line) -> bool + use<'f> {
        let widened: Vec<(String, Vec<String>)> =
            self.categories.iter().flat_map(Terms::slugs).map(|slug| (slug.to_owned(), site.with_descendants(slug))).collect();
        move |line| {
            let below = |wanted: &[String]| line.categories.iter().any(|slug| wanted.iter().any(|wanted| **wanted == **slug));
            let filed = |slug: &String| widened.iter().any(|(known, wanted)| known == slug && below(wanted));
            self.categories.as_ref().is_none_or(|terms| terms.hold(filed))
                && self.tags.as_ref().is_none_or(|terms| terms.hold(|slug| line.tags.iter().any(|tag| *tag.slug == **slug)))
                && self.author.as_ref().is_none_or(|slug| line.authors.iter().any(|author| *author.slug == **slug))
                && self.time.as_ref().is_none_or(|time| line.month.starts_with(time))
        }
    }

    /// The folder in whose address the feed is, or nothing where it needs a query.
    fn folder(&self) -> Option<Vec<String>> {
        let named = |kind: &str, slug: String| Some(vec![kind.to_owned(), slug]);
        match (&self.categories, &self.tags, &self.author, &self.time) {
            (None, None, None, None) => Some(Vec::new()),
            (Some(terms), None, None, None) => named("category", terms.joined()),
            (None, Some(terms), None, None) => named("tag", terms.joined()),
            (None, None, Some(slug), None) => named("author", slug.clone()),
            (None, None, None, Some(time)) => Some(time.split('/').map(str::to_owned).collect()),
            _ => None,
        }
    }

    /// The query that asks for it, in WordPress's words.
    fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let mut ask = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                query.append_pair(name, &value);
            }
        };
        ask("category_name", self.categories.as_ref().map(Terms::joined));
        ask("tag", self.tags.as_ref().map(Terms::joined));
        ask("author_name", self.author.clone());
        ask("m", self.time.as_ref().map(|time| time.replace('/', "")));
        query.finish()
    }
}

impl Topic {
    /// Every article in a language.
    pub fn site(language: &Language) -> Self {
        Self::articles(language, Filter::default())
    }

    /// Those of a category.
    pub fn of_category(language: &Language, slug: &str) -> Self {
        Self::articles(language, Filter::category(slug))
    }

    /// Those that a filter lets through.
    pub fn articles(language: &Language, filter: Filter) -> Self {
        Self { language: language.clone(), subject: Subject::Articles(filter) }
    }

    /// The category, where it is about a single one and nothing else.
    pub fn category(&self) -> Option<&str> {
        match &self.subject {
            Subject::Articles(Filter { categories: Some(terms), tags: None, author: None, time: None }) => terms.single(),
            _ => None,
        }
    }

    /// Whether many follow it, so that it lies ready and has an archive: the whole site, or a
    /// single category. Other feeds are made when somebody asks.
    pub fn is_common(&self) -> bool {
        self.category().is_some() || self.subject == Subject::Articles(Filter::default())
    }

    /// The feed on this topic in a format.
    pub fn key(&self, format: FeedFormat) -> FeedKey {
        self.part(Part::Current, format)
    }

    /// A document on this topic.
    pub fn part(&self, part: Part, format: FeedFormat) -> FeedKey {
        FeedKey { topic: self.clone(), part, format }
    }

    /// The folder of its page and feeds; nothing where only a query tells it.
    fn folder(&self) -> Option<Vec<String>> {
        match &self.subject {
            Subject::Articles(filter) => filter.folder(),
            Subject::Mailings => Some(vec!["archive".to_owned()]),
            Subject::Comments(None) => Some(vec!["comments".to_owned()]),
            Subject::Comments(Some(post)) => Some(post.month.split('/').chain([post.slug.as_str()]).map(str::to_owned).collect()),
        }
    }

    /// The path of the page on the same; it ends with a slash. Comments were below their post,
    /// and what has no page has the first one.
    pub fn page(&self, site: &Site) -> String {
        let several = |terms: &Option<Terms>| terms.as_ref().is_some_and(|terms| terms.single().is_none());
        let folder = match &self.subject {
            Subject::Comments(None) => Vec::new(),
            Subject::Articles(filter) if several(&filter.categories) || several(&filter.tags) => Vec::new(),
            _ => self.folder().unwrap_or_default(),
        };
        site.page_path(&self.language, &folder.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Its permanent id: what the old site called its feed, or a `tag:` URI; no change of names
    /// touches it. WordPress has one id for all its feeds; ours keep it where that is right, for
    /// the whole site, since an id names one feed only (RFC 4287 §4.2.6).
    pub(super) fn id(&self, site: &Site, authority: &str) -> String {
        let mut kept = site.legacy.iter().filter(|legacy| *site.nearest_language(&legacy.language) == self.language);
        if let Some(id) = kept.find_map(|legacy| legacy.atom_id.as_ref())
            && self.subject == Subject::Articles(Filter::default())
        {
            return id.clone();
        }
        let joined = match (&self.subject, self.folder()) {
            (Subject::Articles(filter), None) => format!("?{}", filter.query()),
            (_, folder) => folder.unwrap_or_default().join("/"),
        };
        format!("tag:{authority}:feed{}", site.path_in(&self.language, &format!("/{joined}")))
    }
}

impl FeedKey {
    /// The path at which it is served, with its query where it needs one.
    pub fn path(&self, site: &Site) -> String {
        let Self { topic, part, format } = self;
        let folder = topic.folder();
        let segments: Vec<&str> = folder.iter().flatten().map(String::as_str).collect();
        let folder_path = site.page_path(&topic.language, &segments);
        let name = match (&topic.subject, part, format) {
            (_, Part::Archive(number), _) => format!("feed/archive/{number}.{}", format.extension()),
            // Below a post's own folder files of the post may lie.
            (Subject::Comments(_), _, FeedFormat::Rss) => "feed/".to_owned(),
            (Subject::Comments(_), ..) => format!("feed/{}/", format.extension()),
            _ => format.file_name().to_owned(),
        };
        let asked = match (&topic.subject, folder) {
            (Subject::Articles(filter), None) => filter.query(),
            _ => String::new(),
        };
        let paged = if let Part::Page(number) = part { format!("paged={number}") } else { String::new() };
        let query = [asked, paged].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("&");
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{folder_path}{name}{mark}{query}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_read_as_wordpress_reads_them() {
        let read = |text: &str| Terms::parse(text).map(|terms| (terms.every, terms.slugs.join(" ")));
        assert_eq!(read("a"), Some((false, "a".to_owned())));
        assert_eq!(read("b,a,b,"), Some((false, "a b".to_owned())));
        assert_eq!(read("b+a"), Some((true, "a b".to_owned())));
        assert_eq!(read("b a"), Some((true, "a b".to_owned())), "a query was decoded");
        assert_eq!(read("a+a"), Some((false, "a".to_owned())), "one is the same as itself alone");
        for none in ["", ",", "a,b+c", "a,b,c,d,e,f,g"] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
