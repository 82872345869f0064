//! An article of a source, whatever kind of source it is.

use super::{Settings, row_source};
use crate::clock::Timestamp;
use crate::content::attachments::Attachments;
use crate::content::category::{self, Named};
use crate::content::markup::{self, Body};
use crate::content::media::Files;
use crate::content::record::Entry;
use crate::content::{Announce, Credit, Enclosure, FoundCategory, identity, text};
use crate::language::Language;
use crate::site::Site;
use crate::vault::content_hash;
use percent_encoding::percent_decode_str;
use serde::Serialize;

/// An article as its source gives it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Item {
    /// Its key within the source, such as `posts/17`.
    pub(super) path: String,
    /// Its guid, byte for byte.
    pub(super) uid: String,
    /// Its own word for its language.
    pub(super) language: Option<String>,
    /// What its translations share, within the source.
    pub(super) group: Option<String>,
    /// As in the address, perhaps percent-encoded.
    pub(super) slug: String,
    /// Plain text.
    pub(super) title: String,
    /// Plain text; `None`: made from the text.
    pub(super) summary: Option<String>,
    /// Not yet sanitised.
    pub(super) html: String,
    /// In milliseconds since 1970; `None`: the source does not say.
    pub(super) date: Option<i64>,
    /// The same.
    pub(super) updated: Option<i64>,
    /// The permalink.
    pub(super) link: String,
    pub(super) categories: Vec<CategoryName>,
    pub(super) tags: Vec<String>,
    #[serde(skip)]
    pub(super) credits: Vec<Credit>,
    #[serde(skip)]
    pub(super) enclosures: Vec<Enclosure>,
    pub(super) image: Option<String>,
    /// None: what its links mean is on its own site.
    #[serde(skip)]
    pub(super) files: Files,
}

/// A category as a source names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct CategoryName {
    /// WordPress's number.
    pub(super) id: Option<i64>,
    pub(super) slug: String,
    pub(super) title: String,
}

/// What WordPress files under when nobody chose a category.
const UNFILED: [&str; 4] = ["uncategorized", "未分類", "未分类", "미분류"];

impl Item {
    /// Of everything it says; the same hash, the same article.
    pub(super) fn hash(&self, making: &str) -> anyhow::Result<String> {
        let hung_on = format!("{:?} {:?}", self.credits, self.enclosures);
        Ok(content_hash(&[making.as_bytes(), &serde_json::to_vec(self)?, hung_on.as_bytes()]))
    }

    /// In which language it is: as it says itself, as the source is configured, or as its script
    /// shows.
    fn language(&self, settings: &Settings, site: &Site) -> Language {
        let own = self.language.as_ref().and_then(|tag| Language::parse(&tag.replace('_', "-")).ok());
        let narrowed = own.map(|own| own.fallbacks().find(|wider| site.languages.contains(wider)).unwrap_or(own));
        narrowed.or_else(|| settings.language.clone()).unwrap_or_else(|| {
            let words = text::words_of_html(&format!("{} {}", self.title, self.html), site.default_language());
            site.language_of_words(&words).clone()
        })
    }

    /// What is to be recorded, and the categories that the configuration does not know.
    pub(super) fn entry<'e>(
        &'e self,
        settings: &Settings,
        source: &'e str,
        site: &Site,
        hash: String,
        announce: Announce,
        now: Timestamp,
    ) -> (Entry<'e>, Vec<FoundCategory>) {
        let (categories, found) = self.filed_under(site);
        let attachments =
            Attachments { categories, tags: self.tags.clone(), credits: self.credits.clone(), enclosures: self.enclosures.clone() };
        let slug = percent_decode_str(&self.slug).decode_utf8_lossy();
        let entry = Entry {
            source,
            path: &self.path,
            stem: &self.path,
            hash,
            uid: Some(self.uid.clone()),
            draft: false,
            announce,
            date: self.date.map_or(now, Timestamp::from_millis),
            updated: self.updated.map(Timestamp::from_millis),
            language: self.language(settings, site),
            translation: Some(format!("{}/{}", row_source(&settings.name), self.group.as_ref().unwrap_or(&self.path))),
            slug: identity::slug_of(Some(&slug), "", &self.title),
            slug_is_wished: false,
            title: self.title.clone(),
            summary: self.summary.clone(),
            body: Body::Html(&self.html),
            video: None,
            files: &self.files,
            rendered: None,
            attachments,
            canonical_url: Some(self.link.clone()),
            image: self.image.clone(),
            series: None,
            aliases: Vec::new(),
        };
        (entry, found)
    }

    /// Its categories as the site calls them: by WordPress's number, by slug, by title, or found.
    fn filed_under(&self, site: &Site) -> (Vec<String>, Vec<FoundCategory>) {
        let (mut slugs, mut found) = (Vec::new(), Vec::new());
        for name in &self.categories {
            if UNFILED.iter().any(|unfiled| *unfiled == name.slug || name.title.eq_ignore_ascii_case(unfiled)) {
                continue;
            }
            let numbered = site.categories.iter().find(|category| name.id.is_some() && category.wp_id == name.id);
            let declared = numbered.or_else(|| site.category(&name.slug)).map(|category| category.slug.clone());
            match declared.map_or_else(|| category::resolve(&name.title, site), |slug| Ok(Named::Declared(slug))) {
                Ok(Named::Declared(slug)) => slugs.push(slug),
                Ok(Named::Found(category)) => {
                    slugs.push(category.slug.clone());
                    found.push(category);
                }
                // A category without a letter in its name.
                Err(_) => {}
            }
        }
        (slugs, found)
    }
}

/// The text of a piece of HTML, such as a title: tags gone, references decoded, on one line.
pub(super) fn plain(html: &str) -> String {
    let cleaned = ammonia::Builder::empty().clean(html).to_string();
    text::line(&text::unescape(&cleaned))
}

/// A summary that somebody wrote; `None` if it was cut from the text by a machine.
pub(super) fn written_summary(html: &str) -> Option<String> {
    let words = plain(html);
    let cut = words.ends_with("[…]") || words.ends_with("[...]") || words.contains("[…]") || html.contains("more-link");
    (!words.is_empty() && !cut).then_some(words)
}

/// A link that readers can follow, made absolute.
pub(super) fn followable(link: &str, base: &url::Url) -> Option<String> {
    markup::absolute(link, base).map(String::from)
}
