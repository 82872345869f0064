//! Which language a post is in, and what it is a translation of, as the plugins of WordPress
//! leave it in an export: Polylang by terms, WPML by custom fields, qTranslate in the text.

use super::wxr::{Header, Item};
use crate::language::Language;
use crate::site::Site;
use url::Url;

/// The language that a post itself names; `None`: that of the whole export.
pub(super) fn language(item: &Item, site: &Site) -> Option<Language> {
    let term = item.terms.iter().find(|term| term.domain == "language").map(|term| term.nicename.as_str());
    let field = ["_wpml_import_language_code", "_wpml_language", "_icl_lang"].iter().find_map(|key| item.meta(key));
    [term, field].into_iter().flatten().find_map(|tag| known(tag, site)).or_else(|| of_link(&item.link, site))
}

/// `/ja/2011/…` and `?lang=ja`, where the site has that language.
fn of_link(link: &str, site: &Site) -> Option<Language> {
    let url = Url::parse(link).ok()?;
    let asked = url.query_pairs().find(|(name, _)| name == "lang").map(|(_, tag)| tag.into_owned());
    let tag = asked.or_else(|| url.path_segments()?.find(|segment| !segment.is_empty()).map(str::to_owned))?;
    known(&tag, site).filter(|language| site.languages.contains(language))
}

/// A language tag as the site writes it: `en_US` and `en-US` are `en` where the site has only that.
pub(super) fn known(tag: &str, site: &Site) -> Option<Language> {
    let language = Language::parse(&tag.trim().replace('_', "-")).ok()?;
    Some(language.fallbacks().find(|wider| site.languages.contains(wider)).unwrap_or(language))
}

/// What a post shares with its translations.
pub(super) fn group(item: &Item) -> Option<String> {
    if let Some(term) = item.terms.iter().find(|term| term.domain == "post_translations") {
        return Some(term.nicename.clone());
    }
    let group = ["_wpml_import_translation_group", "trid", "_icl_trid"].iter().find_map(|key| item.meta(key));
    group.map(|group| format!("wpml-{group}"))
}

/// The post that this one repeats in another language (WPML).
pub(super) fn duplicate_of(item: &Item) -> Option<u64> {
    item.meta("_icl_lang_duplicate_of")?.parse().ok()
}

/// The languages in which a text is written at once, as qTranslate marks them: `[:en]…[:ja]…[:]`
/// or `<!--:en-->…<!--:-->`.
pub(super) fn languages_within(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (tag, _) in marks(text) {
        if !tag.is_empty() && !found.iter().any(|known| known == tag) {
            found.push(tag.to_owned());
        }
    }
    found
}

/// The part of a text in one language, with what is in all; a text without marks as it is.
pub(super) fn part_in(text: &str, tag: &str) -> String {
    let marks = marks(text);
    if marks.is_empty() {
        return text.to_owned();
    }
    let mut part = String::new();
    let (mut current, mut at) = ("", 0);
    for (next, range) in marks {
        if current.is_empty() || current == tag {
            part.push_str(&text[at..range.start]);
        }
        (current, at) = (next, range.end);
    }
    if current.is_empty() || current == tag {
        part.push_str(&text[at..]);
    }
    part
}

/// Each mark: its language, or nothing where a part ends; and where it stands.
fn marks(text: &str) -> Vec<(&str, std::ops::Range<usize>)> {
    let mut marks = Vec::new();
    for (open, close) in [("[:", "]"), ("<!--:", "-->")] {
        for (at, _) in text.match_indices(open) {
            let inner = &text[at + open.len()..];
            let Some(end) = inner.as_bytes().iter().take(12).position(|byte| close.as_bytes()[0] == *byte) else { continue };
            let tag = &inner[..end];
            let is_tag =
                tag.is_empty() || (2..=8).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
            if is_tag && inner[end..].starts_with(close) {
                marks.push((tag, at..at + open.len() + end + close.len()));
            }
        }
    }
    marks.sort_by_key(|(_, range)| range.start);
    // `[:]` alone is a smile, not a mark.
    if marks.iter().all(|(tag, _)| tag.is_empty()) { Vec::new() } else { marks }
}

/// Terms that are each other's translations, as Polylang keeps them: data of PHP, from which only
/// the pairs of a language and a number are read.
pub(super) fn term_groups(header: &Header) -> Vec<Vec<(String, u64)>> {
    let groups = header.terms.iter().filter(|term| term.taxonomy == "term_translations");
    groups.map(|term| pairs(&term.description)).filter(|group| group.len() > 1).collect()
}

/// `a:2:{s:2:"en";i:5;s:2:"ja";i:9;}`.
fn pairs(text: &str) -> Vec<(String, u64)> {
    let text = super::html::unescape(text);
    let mut pairs = Vec::new();
    let mut rest = text.as_str();
    while let Some((_, after)) = rest.split_once(":\"") {
        let Some((tag, after)) = after.split_once("\";") else { break };
        if let Some(number) = after.strip_prefix("i:")
            && let Some((digits, _)) = number.split_once(';')
            && let Ok(id) = digits.parse()
        {
            pairs.push((tag.to_owned(), id));
        }
        rest = after;
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_in_two_languages_is_two_texts() {
        for text in ["<p>[:en]One[:ja]一[:]</p>", "<p><!--:en-->One<!--:--><!--:ja-->一<!--:--></p>"] {
            assert_eq!(languages_within(text), ["en", "ja"]);
            assert_eq!(part_in(text, "en"), "<p>One</p>");
            assert_eq!(part_in(text, "ja"), "<p>一</p>");
        }
        assert_eq!(languages_within("a [:] smile [: a] and [1:en]"), Vec::<String>::new());
        assert_eq!(part_in("a [:] smile", "en"), "a [:] smile");
    }

    #[test]
    fn the_groups_of_polylang_are_read() {
        assert_eq!(pairs("a:2:{s:2:\"en\";i:5;s:2:\"ja\";i:9;}"), [("en".to_owned(), 5), ("ja".to_owned(), 9)]);
        assert_eq!(pairs("a:1:{s:2:\"en"), []);
    }
}
