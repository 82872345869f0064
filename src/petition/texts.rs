//! The texts beside `petition.toml`: `NAME.LANG.md`, Markdown in one language. The first line,
//! `# …`, is the subject of the mail or letter; the rest is its body.

use crate::language::Language;
use crate::problem::{Problem, Reason, Source};
use std::collections::BTreeMap;
use std::ops::Range;

/// A text in one language.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) source: Source,
    /// The first line without its mark; never empty.
    pub(super) subject: String,
    /// Where the body begins, in octets.
    body: usize,
}

impl Text {
    /// The Markdown after the first line.
    pub(super) fn body(&self) -> &str {
        self.source.text()[self.body..].trim()
    }
}

/// Every text of a petition, by name and language.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts(BTreeMap<(String, Language), Text>);

impl Texts {
    pub(super) fn insert(&mut self, name: String, language: Language, text: Text) {
        self.0.insert((name, language), text);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Language, &Text)> {
        self.0.iter().map(|((name, language), text)| (name.as_str(), language, text))
    }

    /// The translations of one text.
    pub(super) fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a Language, &'a Text)> {
        self.iter().filter(move |(known, ..)| *known == name).map(|(_, language, text)| (language, text))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.of(name).next().is_some()
    }
}

/// Name and language of a text's file name: `call` and `en` of `call.en.md`.
pub(super) fn split_name(file_name: &str) -> Result<(String, Language), Reason> {
    let remedy = "name it like call.en.md: the text, its language, md";
    let stem = file_name.strip_suffix(".md").unwrap_or(file_name);
    let Some((name, tag)) = stem.rsplit_once('.') else {
        return Err(Reason::new("the file name does not say its language", remedy));
    };
    let language = Language::parse(tag).map_err(|reason| Reason::new(format!("the file name: {}", reason.message), remedy))?;
    Ok((name.to_owned(), language))
}

/// Reads a text, telling every mistake in it.
pub(super) fn parse(source: Source) -> (Option<Text>, Vec<Problem>) {
    let mut problems: Vec<Problem> =
        placeholders(source.text()).into_iter().map(|(span, found)| source.problem(span, placeholder_reason(found))).collect();
    let text = source.text();
    let start = text.len() - text.trim_start().len();
    let line = text[start..].lines().next().unwrap_or_default();
    let end = start + line.len();
    let subject = line.strip_prefix('#').filter(|rest| rest.starts_with([' ', '\u{3000}'])).map(|rest| rest.trim().to_owned());
    let refusal = match &subject {
        _ if line.is_empty() => Some(Reason::new("the file is empty", "write the subject on the first line after # and the text below")),
        None => Some(Reason::new(
            "the first line is not the subject",
            "begin the file with a line like  # Ten days are left  and the text below",
        )),
        Some(subject) if subject.is_empty() => Some(Reason::new("the subject is empty", "write it on the first line, after the #")),
        Some(_) if text[end..].trim().is_empty() => Some(Reason::new("there is no text below the subject", "write the text")),
        Some(_) => None,
    };
    if let Some(reason) = refusal {
        problems.push(source.problem(start..end, reason));
        return (None, problems);
    }
    (subject.map(|subject| Text { body: end, subject, source }), problems)
}

pub(super) fn placeholder_reason(found: &str) -> Reason {
    Reason::new(format!("a placeholder was left in: {found}"), "write what belongs there, or remove it")
}

/// What stands for something that was to be filled in, with its place.
pub(super) fn placeholders(text: &str) -> Vec<(Range<usize>, &str)> {
    const WORDS: [&str; 12] = ["XXX", "TODO", "TBD", "FIXME", "xxx", "○○", "〇〇", "◯◯", "●●", "△△", "××", "＊＊"];
    let words = WORDS.iter().flat_map(|word| text.match_indices(word));
    // `○○○` is one placeholder: it ends where its last character is not repeated.
    let whole = |(at, word): (usize, &str)| {
        let rest = &text[at + word.len()..];
        at..at + word.len() + rest.len() - rest.trim_start_matches(|c| word.ends_with(c)).len()
    };
    let mut found: Vec<Range<usize>> = words.map(whole).collect();
    found.extend(enclosed(text, '{', '}'));
    found.extend(enclosed(text, '[', ']').filter(|span| is_blank_to_fill(&text[span.clone()], &text[span.end..])));
    found.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    // `[XXX]` is one placeholder, not two.
    let mut merged: Vec<Range<usize>> = Vec::new();
    for span in found {
        match merged.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => merged.push(span),
        }
    }
    merged.into_iter().map(|span| (span.clone(), &text[span])).collect()
}

/// What stands between two brackets on one line, brackets included.
fn enclosed(text: &str, open: char, close: char) -> impl Iterator<Item = Range<usize>> {
    text.match_indices(open).filter_map(move |(at, _)| {
        let rest = &text[at..];
        let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
        line.find(close).map(|end| at..at + end + close.len_utf8())
    })
}

/// `[NAME]`, `[...]` and `[氏名]` wait to be filled in; `[a link](…)` and `[sic]` do not.
fn is_blank_to_fill(bracketed: &str, after: &str) -> bool {
    let inside = bracketed[1..bracketed.len() - 1].trim();
    let is_link = after.starts_with(['(', '[', ':']) || inside.starts_with('^');
    let has_words = inside.contains(|c: char| c.is_ascii_lowercase());
    let is_number = !inside.is_empty() && inside.chars().all(|c| c.is_ascii_digit());
    !is_link && !has_words && !is_number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_to_be_filled_in_is_found_and_links_are_not() {
        let found = |text: &'static str| placeholders(text).into_iter().map(|(_, found)| found).collect::<Vec<_>>();
        assert_eq!(found("Dear [NAME], on XXX we [...] {date}"), ["[NAME]", "XXX", "[...]", "{date}"]);
        assert_eq!(found("○○○様、[氏名]"), ["○○○", "[氏名]"]);
        assert!(found("[our page](https://example.org) and [sic] and [1] and [^2]").is_empty());
    }

    #[test]
    fn the_first_line_is_the_subject() {
        let (text, problems) = parse(Source::new("call.en.md", "# Ten days are left\n\nWrite today.\n"));
        let text = text.unwrap();
        assert_eq!((text.subject.as_str(), text.body()), ("Ten days are left", "Write today."));
        assert!(problems.is_empty());
    }
}
