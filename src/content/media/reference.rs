//! Links of an article's text, with their places.

use super::super::markdown;
use super::super::markup::Body;
use super::super::tags::{Tag, tags, unescape};
use pulldown_cmark::{Event, Parser, Tag as Open};
use std::ops::Range;

/// A link in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) link: String,
    /// Where it stands in the text.
    pub(super) at: Range<usize>,
    /// Whether something is missing if no file is there: a picture is always a file.
    pub(super) is_picture: bool,
}

/// Every link of a body, in order.
pub(super) fn references(body: Body<'_>) -> Vec<Reference> {
    let mut found = Vec::new();
    match body {
        Body::Html(html) => in_html(html, 0, &mut found),
        Body::Markdown(text) if text.contains(['[', '<']) => in_markdown(text, &mut found),
        Body::Markdown(_) => {}
    }
    found
}

fn in_markdown(text: &str, found: &mut Vec<Reference>) {
    for (event, range) in Parser::new_ext(text, markdown::SYNTAX).into_offset_iter() {
        match event {
            Event::Start(Open::Image { dest_url, .. }) => found.push(in_words(text, range, &dest_url, true)),
            Event::Start(Open::Link { dest_url, .. }) => found.push(in_words(text, range, &dest_url, false)),
            // A tag may run over several lines, which come one by one.
            Event::Start(Open::HtmlBlock) | Event::InlineHtml(_) => in_html(&text[range.clone()], range.start, found),
            _ => {}
        }
    }
}

fn in_words(text: &str, range: Range<usize>, link: &str, is_picture: bool) -> Reference {
    // A link by reference has its address elsewhere.
    let at = text[range.clone()].find(link).map_or(range.start..range.start + 1, |at| range.start + at..range.start + at + link.len());
    Reference { link: link.to_owned(), at, is_picture }
}

fn in_html(html: &str, offset: usize, found: &mut Vec<Reference>) {
    for tag in tags(html) {
        for (name, range) in tag.attributes() {
            let is = |known: &str| name.eq_ignore_ascii_case(known);
            let whole = || unescape(&tag.text[range.clone()]);
            let links: Vec<String> = match () {
                () if is("src") || is("href") || is("poster") => vec![whole()],
                () if is("srcset") => whole().split(", ").filter_map(|one| one.split_whitespace().next().map(str::to_owned)).collect(),
                () => continue,
            };
            let at = offset + tag.at + range.start..offset + tag.at + range.end;
            let is_picture = is_picture(&tag, name);
            found.extend(links.into_iter().map(|link| Reference { link, at: at.clone(), is_picture }));
        }
    }
}

fn is_picture(tag: &Tag<'_>, attribute: &str) -> bool {
    tag.is("img") || attribute.eq_ignore_ascii_case("poster")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(body: Body<'_>) -> Vec<(String, bool)> {
        references(body).into_iter().map(|reference| (reference.link, reference.is_picture)).collect()
    }

    #[test]
    fn links_are_found_in_markdown_and_html() {
        let text = "A ![p](a.jpg \"T\") [r](b.pdf) <img src=c.png>\n\n<video poster='d.jpg'\n src=\"e.mp4\"></video>\n\n[s][t] `![no](no.jpg)`\n\n[t]: f.pdf\n";
        let expected = [("a.jpg", true), ("b.pdf", false), ("c.png", true), ("d.jpg", true), ("e.mp4", false), ("f.pdf", false)];
        assert_eq!(found(Body::Markdown(text)), expected.map(|(link, picture)| (link.to_owned(), picture)));
        let html = "<img srcset='a.png 1x, b.png 2x' src=\"c.png\"><!-- <img src=no> --><a href=d&amp;e.pdf>";
        let expected = [("a.png", true), ("b.png", true), ("c.png", true), ("d&e.pdf", false)];
        assert_eq!(found(Body::Html(html)), expected.map(|(link, picture)| (link.to_owned(), picture)));
        let at = references(Body::Markdown(text))[0].at.clone();
        assert_eq!(&text[at], "a.jpg");
    }
}
