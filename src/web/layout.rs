//! What surrounds every page: title, languages, navigation, feeds to discover.

use super::State;
use crate::feed::Topic;
use crate::language::{Language, Voice};
use crate::site::{Category, FeedFormat, Site};

/// A link with a text.
#[derive(Clone, Debug)]
pub struct NavLink {
    /// Where it goes.
    pub href: String,
    /// What it says.
    pub text: String,
}

/// A feed named in the head of a page (autodiscovery).
#[derive(Clone, Debug)]
pub struct FeedLink {
    /// Absolute.
    pub href: String,
    /// Its media type.
    pub media_type: &'static str,
    /// What it is called.
    pub title: String,
}

/// A page in another language.
#[derive(Clone, Debug)]
pub struct LanguageLink {
    /// Its tag.
    pub tag: String,
    /// The language's own name.
    pub name: String,
    /// Where it is.
    pub href: String,
}

/// What `layout.html` shows.
#[derive(Clone)]
pub struct Layout {
    /// Speaks the page's language.
    pub voice: Voice,
    /// The page's language.
    pub language: Language,
    /// The site's title.
    pub site_title: String,
    /// Where the site begins in this language.
    pub home: String,
    /// The page's own absolute address, or nothing where it must not be indexed.
    pub canonical: Option<String>,
    /// Whether search engines are told to keep away.
    pub noindex: bool,
    /// The menu.
    pub navigation: Vec<NavLink>,
    /// The same page in the other languages.
    pub languages: Vec<LanguageLink>,
    /// The same page in every language it is in, by absolute addresses, for search engines.
    pub alternates: Vec<LanguageLink>,
    /// Feeds to discover.
    pub feeds: Vec<FeedLink>,
    /// The organisation's postal address.
    pub postal_address: String,
    /// Where one can give.
    pub donate_url: Option<String>,
    /// Where one can write.
    pub contact_url: Option<String>,
}

impl Layout {
    /// The surroundings of the page at `path` (without language prefix, with leading slash).
    pub fn new(state: &State, language: &Language, path: &str) -> Self {
        let site = &state.site;
        let language = site.nearest_language(language).clone();
        let voice = state.catalogue.voice(&language);
        let going_on = |category: &&Category| !site.has_ended(&category.slug, state.clock.now());
        let categories = site.children(None).filter(going_on).map(|category| NavLink {
            href: site.page_path(&language, &["category", &category.slug]),
            text: category.title.get(&language).to_owned(),
        });
        let site_title = site.title.get(&language).to_owned();
        let feeds = feed_links(site, &Topic::site(&language), &site_title);
        let in_language = |other: &Language, href: String| LanguageLink { tag: other.to_string(), name: other.own_name(), href };
        let languages =
            site.languages.iter().filter(|other| **other != language).map(|other| in_language(other, site.path_in(other, path)));
        let alternates = site.languages.iter().map(|other| in_language(other, site.link(&site.path_in(other, path))));
        Self {
            home: site.page_path(&language, &[]),
            canonical: Some(site.link(&site.path_in(&language, path))),
            noindex: false,
            navigation: categories.collect(),
            languages: languages.collect(),
            alternates: if site.languages.len() > 1 { alternates.collect() } else { Vec::new() },
            feeds,
            postal_address: site.postal_address.clone(),
            donate_url: site.donate_url.as_ref().map(ToString::to_string),
            contact_url: site.contact_url.as_ref().map(ToString::to_string),
            site_title,
            voice,
            language,
        }
    }

    /// Names the feeds of these categories too, before the site's own: who reads on a topic is
    /// offered that topic first.
    #[must_use]
    pub fn with_category_feeds(mut self, state: &State, slugs: &[String]) -> Self {
        let of = |slug: &String| {
            let title = format!("{} – {}", self.category_title(state, slug), self.site_title);
            feed_links(&state.site, &Topic::of_category(&self.language, slug), &title)
        };
        let lasting = slugs.iter().filter(|slug| !state.site.has_ended(slug, state.clock.now()));
        let feeds: Vec<FeedLink> = lasting.flat_map(of).collect();
        self.feeds.splice(0..0, feeds);
        self
    }

    /// Names the feeds of what the page is about, before the site's own.
    #[must_use]
    pub fn with_feeds(mut self, state: &State, topic: &Topic, title: &str) -> Self {
        self.feeds.splice(0..0, feed_links(&state.site, topic, title));
        self
    }

    /// Offers the page only in those languages in which it has something to show.
    #[must_use]
    pub fn only_in(mut self, site: &Site, is_there: impl Fn(&Language) -> bool) -> Self {
        let there: Vec<String> = site.languages.iter().filter(|language| is_there(language)).map(ToString::to_string).collect();
        self.languages.retain(|link| there.contains(&link.tag));
        self.alternates.retain(|link| there.contains(&link.tag));
        self
    }

    /// A later page of a list has an address of its own.
    #[must_use]
    pub fn at_page(mut self, number: i64) -> Self {
        if number > 1 {
            self.canonical = self.canonical.map(|href| format!("{href}?page={number}"));
            self.alternates.clear();
        }
        self
    }

    /// The name of a category in the page's language: configured, as its feed calls it, or its
    /// slug.
    pub fn category_title(&self, state: &State, slug: &str) -> String {
        if let Some(category) = state.site.category(slug) {
            return category.title.get(&self.language).to_owned();
        }
        let topic = Topic::of_category(&self.language, slug);
        state.shelf.get(&topic.key(FeedFormat::Rss)).map_or_else(|| slug.to_owned(), |feed| feed.topic.clone())
    }

    /// For pages that belong to one person: no search engine, no canonical address.
    #[must_use]
    pub fn private(mut self) -> Self {
        self.noindex = true;
        self.canonical = None;
        self.alternates.clear();
        self
    }

    /// The path of a page in this page's language.
    pub fn path(&self, path: &str) -> String {
        format!("{}{}", self.home.trim_end_matches('/'), path)
    }
}

/// A topic's feed in each format.
fn feed_links(site: &Site, topic: &Topic, title: &str) -> Vec<FeedLink> {
    let link = |format: FeedFormat| FeedLink {
        href: site.link(&topic.key(format).path(site)),
        media_type: format.media_type(),
        title: format!("{title} ({})", format.name()),
    };
    FeedFormat::ALL.into_iter().map(link).collect()
}
