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

/// Text on one line, in NFC and without what XML cannot carry, for titles and names, whose
/// direction ends with it.
pub fn line(text: &str) -> String {
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

/// How wide a summary made from the text is at most, in columns: a character that takes two,
/// as those of Chinese, Japanese and Korean do, says as much as two Latin letters.
const WIDEST: usize = 200;

/// Marks that end a sentence wherever they stand.
const WIDE_STOPS: [char; 4] = ['。', '！', '？', '｡'];
/// Marks that end one where a space follows.
const STOPS: [char; 8] = ['.', '!', '?', '…', '؟', '۔', '।', '။'];
/// What closes after the mark and belongs to the sentence.
const CLOSING: [char; 11] = ['」', '』', '）', '”', '’', '"', '\'', ')', '»', '】', '〉'];

/// The beginning of a text: whole if short, else cut after a sentence or a word, never inside
/// a grapheme.
pub(super) fn excerpt(text: &str) -> String {
    let text = line(text);
    let mut width = 0;
    let end = text.grapheme_indices(true).find_map(|(at, grapheme)| {
        width += columns(grapheme);
        (width > WIDEST).then_some(at)
    });
    let Some(end) = end else { return text };
    // A sentence that ends in the second half is the best place.
    if let Some(at) = sentence_ends(&text, end).filter(|at| *at > end / 2) {
        return balance_directions(&text[..at]);
    }
    let head = &text[..end];
    let word = if text[end..].starts_with(' ') { Some(end) } else { head.rfind(' ').filter(|at| *at > end / 2) };
    let cut = head[..word.unwrap_or(end)].trim_end_matches([' ', ',', ';', ':', '、', '，', '–', '-', '「', '（', '(', '“']);
    balance_directions(&format!("{cut}…"))
}

/// One, or two for what is as wide as it is high.
fn columns(grapheme: &str) -> usize {
    let wide = |c: char| {
        matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
            | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{1f300}'..='\u{1faff}' | '\u{20000}'..='\u{3fffd}')
    };
    if grapheme.chars().any(wide) { 2 } else { 1 }
}

/// Where the last sentence that fits before `end` ends.
fn sentence_ends(text: &str, end: usize) -> Option<usize> {
    let mut last = None;
    for (at, mark) in text[..end].char_indices().filter(|(_, c)| WIDE_STOPS.contains(c) || STOPS.contains(c)) {
        let after = &text[at + mark.len_utf8()..];
        let follows = after.trim_start_matches(CLOSING);
        let stop = text.len() - follows.len();
        let ends = if WIDE_STOPS.contains(&mark) {
            !follows.starts_with(WIDE_STOPS)
        } else {
            follows.starts_with(' ') && !(mark == '.' && is_abbreviation(&text[..at]))
        };
        if ends && stop <= end {
            last = Some(stop);
        }
    }
    last
}

/// Whether the full stop after this is one of “Mr.”, “U.S.”, “No.” or “e.g.”.
fn is_abbreviation(before: &str) -> bool {
    const TITLES: [&str; 14] = ["mr", "mrs", "ms", "dr", "st", "no", "vs", "prof", "gen", "jan", "sept", "dec", "cf", "ca"];
    let word = before.rsplit([' ', '(', '“', '"']).next().unwrap_or_default();
    word.contains('.') || word.chars().count() == 1 || TITLES.contains(&word.to_lowercase().as_str())
}

/// So many columns of words tell what a text is about and in which language, and hold any
/// [`excerpt`].
const PLENTY: usize = 2 * WIDEST;

/// The first words of sanitised HTML, without headings, captions, footnotes, code and tables,
/// and with ruby read by its base text.
pub(super) fn words_of_html(html: &str, language: &Language) -> String {
    let mut words = Words::default();
    let mut rest = html;
    // The element that is not read aloud, and how many of its kind are open within it.
    let mut silent: Option<(&str, usize)> = None;
    while !words.are_plenty() {
        let at = rest.find('<').unwrap_or(rest.len());
        if silent.is_none() {
            words.add(&unescape(&rest[..at]));
        }
        let Some(end) = rest[at..].find('>') else { break };
        let tag = &rest[at + 1..at + end];
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        match &mut silent {
            Some((outer, depth)) if name == *outer => {
                *depth = if tag.starts_with('/') { *depth - 1 } else { *depth + 1 };
                if *depth == 0 {
                    silent = None;
                }
            }
            None if !tag.starts_with('/') && is_silent(name, tag) => silent = Some((name, 1)),
            _ => {}
        }
        if is_block(name) {
            words.add(" ");
        }
        rest = &rest[at + end + 1..];
    }
    let words = line(&words.text);
    // Japanese and Chinese paragraphs join without a space.
    match language.primary() {
        "ja" | "zh" => WIDE_STOPS
            .into_iter()
            .chain(CLOSING[..3].iter().copied())
            .fold(words, |words, mark| words.replace(&format!("{mark} "), &mark.to_string())),
        _ => words,
    }
}

/// Words as they are collected, until there are plenty.
#[derive(Default)]
struct Words {
    text: String,
    columns: usize,
}

impl Words {
    fn are_plenty(&self) -> bool {
        self.columns > PLENTY
    }

    fn add(&mut self, part: &str) {
        for grapheme in part.graphemes(true) {
            if self.are_plenty() {
                return;
            }
            self.text.push_str(grapheme);
            // Spaces are joined later.
            self.columns += if grapheme.chars().all(char::is_whitespace) { 0 } else { columns(grapheme) };
        }
    }
}

/// What stands beside the text, not in it.
fn is_silent(name: &str, tag: &str) -> bool {
    match name {
        "pre" | "table" | "figcaption" | "rt" | "rp" | "rtc" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => true,
        "sup" | "div" | "li" | "section" => tag.contains("footnote"),
        _ => false,
    }
}

fn is_block(name: &str) -> bool {
    matches!(name, "p" | "br" | "div" | "li" | "ul" | "ol" | "blockquote" | "hr" | "figure" | "figcaption" | "dd" | "dt" | "tr" | "td")
        || name.len() == 2 && name.starts_with('h')
}

/// Decodes the entities that the sanitiser writes.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    text.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&").into()
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
        assert!(excerpt(&english).ends_with("end."));
        let cut = excerpt(&"syllable ".repeat(40));
        assert!(cut.ends_with("syllable…") && cut.chars().count() <= 201, "{cut}");
        let titles = "word ".repeat(25)
            + "in the U.S. with Mr. Sample and No. 5 of the law, e.g. with more words than any summary has room for at all.";
        assert!(excerpt(&titles).ends_with('…'), "{}", excerpt(&titles));
        let quoted =
            "word ".repeat(25) + "“and so it ended.” Then came more words than any summary has room for, and more of them, and more.";
        assert!(excerpt(&quoted).ends_with("ended.”"), "{}", excerpt(&quoted));
        assert_eq!(excerpt("短い。"), "短い。");
    }

    #[test]
    fn every_script_is_cut_as_it_is_written() {
        // Text, how often, and how the cut ends.
        let table = [
            ("川を渡った家族が「助けてください。」と言いました。", 9, "と言いました。"),
            ("彼女は「もう大丈夫。」", 20, "「もう大丈夫。」"),
            ("北韓難民越過了河流，請求援助！", 10, "請求援助！"),
            ("탈북민 가족이 겨울에 강을 건넜습니다. ", 12, "건넜습니다."),
            ("띄어쓰기없이이어지는아주긴낱말", 20, "…"),
            ("ครอบครัวสี่คนข้ามแม่น้ำ ในฤดูหนาว ", 12, "…"),
            ("عبرت العائلة النهر. ", 20, "النهر."),
            ("परिवार ने नदी पार की। ", 20, "की।"),
            ("👨‍👩‍👧‍👦", 150, "👨‍👩‍👧‍👦…"),
            ("🇰🇷🇯🇵", 150, "🇯🇵…"),
            ("e\u{301}x\u{323}\u{307}", 150, "x\u{323}\u{307}…"),
        ];
        for (text, times, ending) in table {
            let cut = excerpt(&text.repeat(times));
            let ending = clean(ending);
            assert!(cut.ends_with(&ending), "{cut} does not end with {ending}");
            assert!(cut.graphemes(true).map(columns).sum::<usize>() <= WIDEST + 1, "{cut}");
            let (whole, text) = (line(&text.repeat(times)), cut.trim_end_matches('…'));
            assert!(whole.grapheme_indices(true).any(|(at, _)| at == text.len()), "{cut} ends inside a grapheme");
        }
        assert!(excerpt(&("\u{202e}".to_owned() + &"abc ".repeat(100))).ends_with('\u{202c}'), "a direction ends with its text");
    }

    #[test]
    fn the_words_of_an_article_leave_out_its_apparatus() {
        let read = |html: &str| words_of_html(html, &language("en"));
        let note = "<sup class=\"footnote-reference\"><a href=\"#1\">1</a></sup>";
        let definition = "<div class=\"footnote-definition\"><sup class=\"footnote-definition-label\">1</sup><div>a</div> b</div>";
        let html = format!("<h2>Head</h2><p>One &amp; two{note}.</p>{definition}<pre>code</pre><p>Three&nbsp;m<sup>2</sup>.</p>");
        assert_eq!(read(&html), "One & two. Three m2.");
        assert_eq!(read("<table><tr><td><table><tr><td>x</table></table><p>After</p>"), "After");
        assert_eq!(read("<figure><img alt=\"A\"><figcaption>Caption</figcaption></figure><p>Text"), "Text");
        let japanese = |html: &str| words_of_html(html, &language("ja"));
        assert_eq!(japanese("<p>一つ。</p>\n<p>「二つ。」</p>\n<p>三つ。</p>"), "一つ。「二つ。」三つ。");
        assert_eq!(japanese("<p><ruby>豆満江<rp>（</rp><rt>とまんこう</rt><rp>）</rp></ruby>を渡る</p>"), "豆満江を渡る");
    }
}
