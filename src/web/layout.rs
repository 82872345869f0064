//! What surrounds every page: title, languages, navigation, feeds to discover.

use super::State;
use crate::language::{Language, Voice};
use crate::site::FeedFormat;

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
        let categories = site.categories.iter().map(|category| NavLink {
            href: site.page_path(&language, &["category", &category.slug]),
            text: category.title.get(&language).to_owned(),
        });
        let site_title = site.title.get(&language).to_owned();
        let feeds = FeedFormat::ALL.map(|format| FeedLink {
            href: site.link(&site.feed_path(&language, None, format)),
            media_type: format.media_type(),
            title: site_title.clone(),
        });
        let languages = site.languages.iter().filter(|other| **other != language).map(|other| LanguageLink {
            tag: other.to_string(),
            name: other.own_name(),
            href: site.path_in(other, path),
        });
        Self {
            home: site.page_path(&language, &[]),
            canonical: Some(site.link(&site.path_in(&language, path))),
            noindex: false,
            navigation: categories.collect(),
            languages: languages.collect(),
            feeds: feeds.into(),
            postal_address: site.postal_address.clone(),
            donate_url: site.donate_url.as_ref().map(ToString::to_string),
            contact_url: site.contact_url.as_ref().map(ToString::to_string),
            site_title,
            voice,
            language,
        }
    }

    /// For pages that belong to one person: no search engine, no canonical address.
    #[must_use]
    pub fn private(mut self) -> Self {
        self.noindex = true;
        self.canonical = None;
        self
    }

    /// The path of a page in this page's language.
    pub fn path(&self, path: &str) -> String {
        format!("{}{}", self.home.trim_end_matches('/'), path)
    }
}
