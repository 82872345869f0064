//! A post as WordPress's REST interface gives it (`wp/v2/posts`, with `_embed`).

use crate::content::media::Files;
use crate::content::source::item::{CategoryName, Item, plain, written_summary};
use crate::content::{Credit, Role};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;

/// Categories by their number.
pub(super) type Categories = HashMap<i64, Category>;

/// A line of a listing.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Listed {
    pub(super) id: i64,
    #[serde(default)]
    pub(super) modified_gmt: Option<String>,
}

/// A category, with what it is part of.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Category {
    pub(super) id: i64,
    pub(super) name: String,
    #[serde(default)]
    pub(super) slug: String,
    /// Zero for none.
    #[serde(default)]
    pub(super) parent: i64,
}

/// A post; what WordPress leaves out or plugins bend is missing, and the rest is used.
#[derive(Debug, Deserialize)]
pub(super) struct Post {
    pub(super) id: i64,
    #[serde(default)]
    pub(super) modified_gmt: Option<String>,
    #[serde(default)]
    date_gmt: Option<String>,
    guid: Rendered,
    link: String,
    #[serde(default)]
    slug: String,
    #[serde(default)]
    status: Option<String>,
    title: Rendered,
    content: Rendered,
    #[serde(default)]
    excerpt: Option<Rendered>,
    #[serde(default)]
    categories: Vec<i64>,
    /// Of Polylang Pro and others.
    #[serde(default)]
    lang: Option<Value>,
    #[serde(default)]
    translations: Option<HashMap<String, Value>>,
    #[serde(default, rename = "_embedded")]
    embedded: Value,
}

#[derive(Debug, Deserialize)]
struct Rendered {
    #[serde(default)]
    rendered: String,
    #[serde(default)]
    protected: bool,
}

/// Which key the article of a post has within its source.
pub(super) fn path_of(id: i64) -> String {
    format!("posts/{id}")
}

/// The number of the post that has this key.
pub(super) fn id_of(path: &str) -> Option<i64> {
    path.strip_prefix("posts/")?.parse().ok()
}

impl Post {
    /// Whether everybody may read it.
    pub(super) fn is_public(&self) -> bool {
        !self.content.protected && self.status.as_deref().is_none_or(|status| status == "publish")
    }

    /// The article.
    pub(super) fn into_item(self, categories: &Categories) -> Item {
        let terms = |taxonomy: &str| {
            let groups = self.embedded["wp:term"].as_array().into_iter().flatten();
            let terms = groups.filter_map(Value::as_array).flatten().filter(|term| term["taxonomy"] == taxonomy);
            terms.filter_map(|term| serde_json::from_value::<Category>(term.clone()).ok()).collect::<Vec<_>>()
        };
        let date = self.date_gmt.as_deref().and_then(millis);
        Item {
            path: path_of(self.id),
            uid: unescaped(&self.guid.rendered),
            language: self.lang.as_ref().and_then(language),
            group: self.translations.as_ref().and_then(|translations| group(self.id, translations)),
            slug: percent_decode_str(&self.slug).decode_utf8_lossy().into_owned(),
            title: plain(&self.title.rendered),
            summary: self.excerpt.as_ref().and_then(|excerpt| written_summary(&excerpt.rendered)),
            date,
            updated: self.modified_gmt.as_deref().and_then(millis).filter(|updated| date.is_some_and(|date| *updated > date)),
            categories: lineage(&self.categories, &terms("category"), categories),
            tags: terms("post_tag").iter().map(|tag| plain(&tag.name)).collect(),
            credits: credits(&self.embedded["author"]),
            enclosures: Vec::new(),
            image: self.embedded["wp:featuredmedia"][0]["source_url"].as_str().map(str::to_owned),
            files: Files::default(),
            html: self.content.rendered,
            link: self.link,
        }
    }
}

/// The guid as WordPress's feeds give it: `esc_url` has written `&` and `'` as references, which
/// the reader of a feed decodes and the reader of JSON does not.
fn unescaped(guid: &str) -> String {
    guid.replace("&#038;", "&").replace("&amp;", "&").replace("&#039;", "'")
}

/// `2011-07-05T03:04:05`, in UTC without saying so.
fn millis(text: &str) -> Option<i64> {
    let civil: jiff::civil::DateTime = text.trim_end_matches('Z').parse().ok()?;
    // Drafts have the year 0.
    (civil.year() > 0).then(|| civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp().as_millisecond())).flatten()
}

/// Polylang says `"ja"`, WPML and others `"ja_JP"` or an object.
fn language(value: &Value) -> Option<String> {
    let text = value.as_str().or_else(|| value["code"].as_str()).or_else(|| value["slug"].as_str())?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// Translations name each other; the lowest of their numbers stands for all.
fn group(own: i64, translations: &HashMap<String, Value>) -> Option<String> {
    let others = translations.values().filter_map(|value| value.as_i64().or_else(|| value["id"].as_i64()));
    others.chain([own]).min().map(path_of)
}

/// The categories of a post with all that they are part of, as WordPress's own archives have it.
fn lineage(ids: &[i64], embedded: &[Category], all: &Categories) -> Vec<CategoryName> {
    let mut names: Vec<CategoryName> = Vec::new();
    for id in ids {
        let mut next = *id;
        while let Some(category) = all.get(&next).or_else(|| embedded.iter().find(|category| category.id == next)) {
            if names.iter().any(|name| name.id == Some(next)) {
                break;
            }
            let slug = percent_decode_str(&category.slug).decode_utf8_lossy().into_owned();
            names.push(CategoryName { id: Some(next), slug, title: plain(&category.name) });
            next = category.parent;
        }
    }
    names
}

/// Where a plugin hides who writes, there is an error instead of a name.
fn credits(authors: &Value) -> Vec<Credit> {
    let authors = authors.as_array().into_iter().flatten();
    let named = authors.filter_map(|author| Some((author["name"].as_str().map(plain).filter(|name| !name.is_empty())?, author)));
    let page =
        |author: &Value| ["url", "link"].iter().find_map(|key| author[key].as_str().filter(|url| !url.is_empty()).map(str::to_owned));
    named.map(|(name, author)| Credit { role: Role::Author, name, url: page(author) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_is_what_a_reader_of_the_feed_has_seen() {
        assert_eq!(unescaped("http://example.org/?p=1&#038;lang=ja"), "http://example.org/?p=1&lang=ja");
        assert_eq!(unescaped("http://example.org/%e5%b3%a0/"), "http://example.org/%e5%b3%a0/");
        assert_eq!(unescaped("http://example.org/?a&amp;b=&#039;"), "http://example.org/?a&b='");
    }

    #[test]
    fn dates_are_utc_and_the_year_zero_is_none() {
        assert_eq!(millis("1970-01-01T00:00:01"), Some(1000));
        assert_eq!(millis("0000-00-00T00:00:00"), None);
        assert_eq!(millis("soon"), None);
    }

    #[test]
    fn a_circle_of_categories_ends() {
        let category = |id, parent| (id, Category { id, name: format!("C{id}"), slug: String::new(), parent });
        let all: Categories = [category(1, 2), category(2, 3), category(3, 1)].into();
        let names: Vec<String> = lineage(&[1], &[], &all).into_iter().map(|name| name.title).collect();
        assert_eq!(names, ["C1", "C2", "C3"]);
    }
}
