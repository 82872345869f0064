//! Plain text: clean for XML, on one line, and cut where a reader would.

use crate::language::Language;
use std::borrow::Cow;
use unicode_normalization::{UnicodeNormalization as _, is_nfc};
use unicode_segmentation::UnicodeSegmentation as _;

/// Whether XML 1.0 §2.2 allows this character in a document.
pub(super) fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// Text without what XML cannot carry, in NFC.
pub(super) fn clean(text: &str) -> String {
    let kept: Cow<'_, str> = if text.chars().all(is_xml_char) { text.into() } else { text.chars().filter(|c| is_xml_char(*c)).collect() };
    if is_nfc(&kept) { kept.into_owned() } else { kept.nfc().collect() }
}

/// [`clean`] text on one line, for titles and names, whose direction ends with it.
pub(super) fn line(text: &str) -> String {
    let words: Vec<String> = clean(text).split_whitespace().map(str::to_owned).collect();
    balance_directions(&words.join(" "))
}

/// Closes every bidirectional embedding and isolate that is left open, and drops what closes
/// none, so that a title turns nothing round that stands after it (Unicode UAX #9, §3.1).
fn balance_directions(text: &str) -> String {
    const POP_EMBEDDING: char = '\u{202c}';
    const POP_ISOLATE: char = '\u{2069}';
    let mut open: Vec<char> = Vec::new();
    let mut balanced = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{202a}' | '\u{202b}' | '\u{202d}' | '\u{202e}' => open.push(POP_EMBEDDING),
            '\u{2066}'..='\u{2068}' => open.push(POP_ISOLATE),
            POP_EMBEDDING | POP_ISOLATE if open.last() != Some(&c) => continue,
            POP_EMBEDDING | POP_ISOLATE => {
                open.pop();
            }
            _ => {}
        }
        balanced.push(c);
    }
    balanced.extend(open.into_iter().rev());
    balanced
}

/// How many characters a summary made from the text has at most.
const LATIN_LENGTH: usize = 200;
/// A CJK character says more.
const CJK_LENGTH: usize = 100;

/// The beginning of a text: whole if short, else cut after a sentence or a word, never inside
/// a grapheme.
pub(super) fn excerpt(text: &str, language: &Language) -> String {
    let text = line(text);
    let most = if language.is_cjk() { CJK_LENGTH } else { LATIN_LENGTH };
    let Some((end, _)) = text.grapheme_indices(true).nth(most) else { return text };
    let head = &text[..end];
    // A sentence that ends in the second half is the best place.
    let sentence = head.rmatch_indices(['。', '！', '？', '.', '!', '?']).map(|(at, mark)| at + mark.len()).find(|at| {
        let ends = head[..*at].ends_with(['。', '！', '？']) || text[*at..].starts_with(' ');
        ends && *at > end / 2
    });
    if let Some(at) = sentence {
        return head[..at].to_owned();
    }
    let word = if text[end..].starts_with(' ') { Some(end) } else { head.rfind(' ').filter(|at| *at > end / 2) };
    format!("{}…", head[..word.unwrap_or(end)].trim_end_matches([' ', ',', ';', ':', '、', '–', '-']))
}

/// The words of sanitised HTML, without footnotes, code and tables.
pub(super) fn words_of_html(html: &str, language: &Language) -> String {
    let body = html.find("<div class=\"footnote-definition\"").map_or(html, |at| &html[..at]);
    let mut words = String::new();
    let mut rest = body;
    // What stands between these tags is not read aloud.
    let mut silent: Option<&str> = None;
    while let Some(at) = rest.find('<') {
        if silent.is_none() {
            words.push_str(&rest[..at]);
        }
        let Some(end) = rest[at..].find('>') else { break };
        let tag = &rest[at + 1..at + end];
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        match silent {
            Some(outer) if tag.starts_with('/') && name == outer => silent = None,
            None => {
                silent = ["sup", "pre", "table", "h1", "h2", "h3", "h4", "h5", "h6"].into_iter().find(|word| *word == name);
            }
            Some(_) => {}
        }
        if is_block(name) {
            words.push(' ');
        }
        rest = &rest[at + end + 1..];
    }
    if silent.is_none() {
        words.push_str(rest);
    }
    let words = line(&unescape(&words));
    // Japanese and Chinese paragraphs join without a space.
    if matches!(language.primary(), "ja" | "zh") { words.replace("。 ", "。") } else { words }
}

fn is_block(name: &str) -> bool {
    matches!(name, "p" | "br" | "div" | "li" | "ul" | "ol" | "blockquote" | "hr" | "figure" | "figcaption" | "dd" | "dt" | "tr" | "td")
        || name.len() == 2 && name.starts_with('h')
}

/// The entities that the sanitiser writes.
/// Decodes what a sanitiser leaves encoded.
pub(super) fn unescape(text: &str) -> String {
    text.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn language(tag: &str) -> Language {
        Language::parse(tag).unwrap()
    }

    #[test]
    fn what_xml_cannot_carry_is_removed_and_the_rest_composed() {
        assert_eq!(clean("a\u{0}b\u{b}c\u{ffff}\td\u{1f600}"), "abc\td\u{1f600}");
        assert_eq!(clean("か\u{3099}"), "が");
    }

    #[test]
    fn a_title_is_one_line_and_turns_nothing_after_it() {
        assert_eq!(line("  Two\n  lines "), "Two lines");
        assert_eq!(line("a\u{202e}b"), "a\u{202e}b\u{202c}");
        assert_eq!(line("a\u{2069}b\u{2066}c\u{202a}d"), "ab\u{2066}c\u{202a}d\u{202c}\u{2069}");
    }

    #[test]
    fn an_excerpt_ends_where_a_reader_would_stop() {
        let english = "Word ".repeat(30) + "end. And more words follow here until it is far too long to be a summary of anything at all.";
        assert!(excerpt(&english, &language("en")).ends_with("end."));
        let no_stop = "syllable ".repeat(40);
        let cut = excerpt(&no_stop, &language("en"));
        assert!(cut.ends_with("syllable…") && cut.chars().count() <= 201, "{cut}");
        let family = "👨‍👩‍👧‍👦".repeat(150);
        let cut = excerpt(&family, &language("ja"));
        assert_eq!(cut, "👨‍👩‍👧‍👦".repeat(100) + "…");
        assert_eq!(excerpt("短い。", &language("ja")), "短い。");
    }

    #[test]
    fn the_words_of_an_article_leave_out_its_apparatus() {
        let html = "<h2>Head</h2><p>One &amp; two<sup class=\"footnote-reference\"><a href=\"#1\">1</a></sup>.</p><pre>code</pre><p>Three.</p><div class=\"footnote-definition\">note</div>";
        assert_eq!(words_of_html(html, &language("en")), "One & two. Three.");
        assert_eq!(words_of_html("<p>一つ。</p>\n<p>二つ。</p>", &language("ja")), "一つ。二つ。");
    }
}
