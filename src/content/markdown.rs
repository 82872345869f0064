//! Markdown to HTML: `CommonMark` with what staff expect of it.

use super::text;
use crate::language::Language;
use crate::problem::Reason;
use crate::site::slug;
use pulldown_cmark::{CowStr, Event, LinkType, Options, Parser, Tag, TagEnd, TextMergeStream, TextMergeWithOffset};
use std::collections::{HashMap, HashSet};

/// What is understood beyond `CommonMark`: tables, footnotes, ~~struck~~ words, and headings
/// that name their id, `## Title {#id}`.
pub(super) const SYNTAX: Options =
    Options::ENABLE_TABLES.union(Options::ENABLE_FOOTNOTES).union(Options::ENABLE_STRIKETHROUGH).union(Options::ENABLE_HEADING_ATTRIBUTES);

/// HTML of a text; not yet sanitised.
pub(super) fn to_html(text: &str, language: &Language) -> String {
    let mut options = SYNTAX;
    // Japanese, Chinese and Korean have their own marks.
    options.set(Options::ENABLE_SMART_PUNCTUATION, !language.is_cjk());
    let events = TextMergeStream::new(Parser::new_ext(text, options));
    let mut events = link_bare_addresses(events);
    if matches!(language.primary(), "ja" | "zh") {
        join_lines(&mut events);
    }
    let mut events = notes_at_the_end(events);
    name_headings(&mut events);
    caption_pictures(&mut events);
    let mut html = String::with_capacity(text.len() * 3 / 2);
    pulldown_cmark::html::push_html(&mut html, events.into_iter());
    // The sanitiser lets no style pass; the older attribute says the same.
    for side in ["left", "center", "right"] {
        html = html.replace(&format!(" style=\"text-align: {side}\""), &format!(" align=\"{side}\""));
    }
    html
}

/// Where stars of bold type stand that do not make any, so that readers would see them. Markdown
/// takes `**「…」**は` for none, since a closing mark between punctuation and a letter closes
/// nothing (`CommonMark` 0.31, §6.2).
pub fn stray_stars(text: &str) -> Option<usize> {
    if !text.contains("**") {
        return None;
    }
    let mut in_code = false;
    for (event, range) in TextMergeWithOffset::new(Parser::new_ext(text, SYNTAX).into_offset_iter()) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(TagEnd::CodeBlock) => in_code = false,
            // In the source, since escaped stars are meant to be seen.
            Event::Text(_) if !in_code => {
                if let Some(at) = text[range.clone()].find("**") {
                    return Some(range.start + at);
                }
            }
            _ => {}
        }
    }
    None
}

/// What to say of [`stray_stars`].
pub fn stray_stars_reason() -> Reason {
    Reason::new(
        "the stars ** do not make bold type here, and readers would see them",
        "put them inside the brackets, like 「**…**」, or leave them out",
    )
}

/// Puts footnotes after the text, in the order in which it refers to them, each with a way back.
fn notes_at_the_end(events: Vec<Event<'_>>) -> Vec<Event<'_>> {
    let mut numbers: HashMap<CowStr<'_>, usize> = HashMap::new();
    let mut body = Vec::with_capacity(events.len());
    let mut notes: Vec<(CowStr<'_>, Vec<Event<'_>>)> = Vec::new();
    let mut in_note = false;
    for event in events {
        let event = match event {
            Event::FootnoteReference(name) => {
                let next = numbers.len() + 1;
                let number = *numbers.entry(name.clone()).or_insert(next);
                reference(&name, number, number == next)
            }
            Event::Start(Tag::FootnoteDefinition(ref name)) => {
                notes.push((name.clone(), Vec::new()));
                in_note = true;
                event
            }
            event => event,
        };
        let ends = matches!(event, Event::End(TagEnd::FootnoteDefinition));
        match notes.last_mut() {
            Some((_, note)) if in_note => note.push(event),
            _ => body.push(event),
        }
        in_note &= !ends;
    }
    notes.sort_by_key(|(name, _)| numbers.get(name).copied().unwrap_or(usize::MAX));
    for (name, mut note) in notes {
        if numbers.contains_key(&name) {
            let back = Event::InlineHtml(format!(" <a href=\"#ref-{}\">↩</a>", escape(&name)).into());
            let end = note.iter().rposition(|event| matches!(event, Event::End(TagEnd::Paragraph))).unwrap_or(note.len() - 1);
            note.insert(end, back);
        }
        body.append(&mut note);
    }
    body
}

fn reference<'e>(name: &str, number: usize, is_first: bool) -> Event<'e> {
    let name = escape(name);
    let id = if is_first { format!(" id=\"ref-{name}\"") } else { String::new() };
    Event::InlineHtml(format!("<sup class=\"footnote-reference\"><a href=\"#{name}\"{id}>{number}</a></sup>").into())
}

/// In characters; who links to a heading copies the link.
const LONGEST_ID: usize = 60;

/// Gives every heading an id of its own, made from its words, so that it can be linked to.
fn name_headings(events: &mut [Event<'_>]) {
    let mut taken: HashSet<String> = HashSet::new();
    let mut counts: HashMap<String, usize> = HashMap::new();
    for event in events.iter() {
        match event {
            Event::Start(Tag::FootnoteDefinition(name)) => taken.insert(name.to_string()),
            Event::Start(Tag::Heading { id: Some(id), .. }) => taken.insert(id.to_string()),
            _ => continue,
        };
    }
    for at in 0..events.len() {
        if !matches!(events[at], Event::Start(Tag::Heading { id: None, .. })) {
            continue;
        }
        let words: String = events[at..]
            .iter()
            .take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))))
            .filter_map(|event| match event {
                Event::Text(words) | Event::Code(words) => Some(words.as_ref()),
                _ => None,
            })
            .collect();
        let words: String = slug(&text::line(&words)).chars().take(LONGEST_ID).collect();
        let words = if words.is_empty() { "section" } else { words.trim_end_matches('-') };
        let count = counts.entry(words.to_owned()).or_insert(0);
        let name = loop {
            *count += 1;
            let name = if *count == 1 { words.to_owned() } else { format!("{words}-{count}") };
            if taken.insert(name.clone()) {
                break name;
            }
        };
        if let Event::Start(Tag::Heading { id, .. }) = &mut events[at] {
            *id = Some(name.into());
        }
    }
}

/// Makes a figure of a picture that stands alone in its paragraph and has a title, its caption.
fn caption_pictures(events: &mut [Event<'_>]) {
    let mut at = 0;
    while at < events.len() {
        if let Some((picture, end)) = lone_picture(&events[at..]) {
            let Event::Start(Tag::Image { title, .. }) = &mut events[at + picture] else { break };
            // Said below the picture, it need not hover over it.
            let title = std::mem::replace(title, "".into());
            let caption = format!("<figcaption>{}</figcaption></figure>\n", escape(title.trim()));
            events[at] = Event::Html("<figure>".into());
            events[at + end] = Event::Html(caption.into());
            at += end;
        }
        at += 1;
    }
}

/// Where the picture with a title is that is all there is in the paragraph with which these
/// events begin, perhaps in a link, and where the paragraph ends.
fn lone_picture(events: &[Event<'_>]) -> Option<(usize, usize)> {
    if !matches!(events.first()?, Event::Start(Tag::Paragraph)) {
        return None;
    }
    let linked = matches!(events.get(1)?, Event::Start(Tag::Link { .. }));
    let first = 1 + usize::from(linked);
    let Event::Start(Tag::Image { title, .. }) = events.get(first)? else { return None };
    let last = first + events[first..].iter().position(|event| matches!(event, Event::End(TagEnd::Image)))?;
    let end = last + 1 + usize::from(linked);
    let is_alone =
        matches!(events.get(end)?, Event::End(TagEnd::Paragraph)) && (!linked || matches!(events[last + 1], Event::End(TagEnd::Link)));
    (is_alone && !title.trim().is_empty()).then_some((first, end))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Makes links of addresses that stand in the text as they are.
fn link_bare_addresses<'t>(events: impl Iterator<Item = Event<'t>>) -> Vec<Event<'t>> {
    let mut linked = Vec::new();
    // Inside links and code, an address stays text.
    let mut depth = 0_usize;
    for event in events {
        match &event {
            Event::Start(Tag::Link { .. } | Tag::CodeBlock(_)) => depth += 1,
            Event::End(TagEnd::Link | TagEnd::CodeBlock) => depth = depth.saturating_sub(1),
            _ => {}
        }
        match event {
            Event::Text(text) if depth == 0 && text.contains("://") => push_linked(&text, &mut linked),
            event => linked.push(event),
        }
    }
    linked
}

fn push_linked(text: &str, events: &mut Vec<Event<'_>>) {
    let mut rest = text;
    while let Some((at, _)) =
        rest.match_indices("http").find(|(at, _)| ["http://", "https://"].iter().any(|scheme| rest[*at..].starts_with(scheme)))
    {
        let address = bare_address(&rest[at..]);
        events.push(Event::Text(rest[..at].to_owned().into()));
        rest = &rest[at + address.len()..];
        let address: CowStr<'_> = address.to_owned().into();
        events.push(Event::Start(Tag::Link { link_type: LinkType::Autolink, dest_url: address.clone(), title: "".into(), id: "".into() }));
        events.push(Event::Text(address));
        events.push(Event::End(TagEnd::Link));
    }
    events.push(Event::Text(rest.to_owned().into()));
}

/// The address at the beginning of a text, without the punctuation of its sentence. Japanese
/// follows an address without a space, so only ASCII belongs to it.
fn bare_address(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_graphic() || matches!(c, '<' | '>' | '"' | '`')).unwrap_or(text.len());
    let mut address = &text[..end];
    // Closing brackets that nothing in the address opened.
    let mut foreign = address.matches(')').count().saturating_sub(address.matches('(').count());
    loop {
        let shorter = address.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '*', '_', '~']);
        let shorter = match shorter.strip_suffix(')') {
            Some(inner) if foreign > 0 => {
                foreign -= 1;
                inner
            }
            _ => shorter,
        };
        if shorter.len() == address.len() {
            return address;
        }
        address = shorter;
    }
}

/// Drops the line break between two Japanese or Chinese characters: it would show as a space.
fn join_lines(events: &mut Vec<Event<'_>>) {
    let wide =
        |c: Option<char>| c.is_some_and(|c| matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ff60}'));
    let drop: Vec<bool> = (0..events.len())
        .map(|at| match (at.checked_sub(1).and_then(|before| events.get(before)), &events[at], events.get(at + 1)) {
            (Some(Event::Text(before)), Event::SoftBreak, Some(Event::Text(after))) => {
                wide(before.chars().next_back()) && wide(after.chars().next())
            }
            _ => false,
        })
        .collect();
    let mut drop = drop.into_iter();
    events.retain(|_| !drop.next().unwrap_or(false));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(text: &str, language: &str) -> String {
        to_html(text, &Language::parse(language).unwrap())
    }

    #[test]
    fn a_lone_picture_with_a_title_is_a_figure() {
        let shown =
            html("![A <b>](a.jpg \"The & river\")\n\n[![x](b.jpg \"Linked\")](b.pdf)\n\nText ![y](c.jpg \"No\")\n\n![z](d.jpg)", "en");
        assert!(shown.contains("<figure><img src=\"a.jpg\""), "{shown}");
        assert!(shown.contains("<figcaption>The &amp; river</figcaption></figure>"), "{shown}");
        assert!(shown.contains("<figure><a href=\"b.pdf\"><img") && shown.contains("<figcaption>Linked</figcaption>"), "{shown}");
        assert_eq!(shown.matches("<figure>").count(), 2, "{shown}");
        assert_eq!(html("- ![a](a.jpg \"In a list\")", "en").matches("<figure>").count(), 0);
    }

    #[test]
    fn headings_have_ids_of_their_own() {
        let shown = html(
            "## What happened\n\n## What *happened*\n\n## なぜ「帰国」か\n\n## ???\n\n## Mine {#note}\n\n# note\n\nx[^n]\n\n# n\n\n[^n]: y",
            "en",
        );
        for id in ["what-happened", "what-happened-2", "なぜ-帰国-か", "section", "note", "note-2", "n-2"] {
            assert!(shown.contains(&format!(" id=\"{id}\">")), "{id} in {shown}");
        }
    }

    #[test]
    fn footnotes_come_last_in_their_order_with_a_way_back() {
        let shown = html("One[^b] two[^a] one[^b].\n\n[^a]: Note a.\n\n[^b]: Note b.\n\nEnd.", "en");
        let order: Vec<_> = ["End.", "Note b.", "Note a."].map(|words| shown.find(words).unwrap()).into();
        assert!(order.is_sorted(), "{shown}");
        assert_eq!(shown.matches("id=\"ref-b\"").count(), 1, "{shown}");
        assert!(shown.contains("<a href=\"#b\">1</a>") && shown.contains("Note b. <a href=\"#ref-b\">↩</a></p>"), "{shown}");
        assert!(shown.contains("<sup class=\"footnote-definition-label\">1</sup>\n<p>Note b"), "{shown}");
    }

    #[test]
    fn stars_that_make_nothing_bold_are_found() {
        assert_eq!(stray_stars("彼は**「帰る」**と言った。"), Some("彼は".len()));
        assert_eq!(stray_stars("彼は「**帰る**」と言った。 `a**b` \\*\\*c"), None);
        assert_eq!(stray_stars("A **bold** word.\n\n    x ** y\n"), None);
    }
}
