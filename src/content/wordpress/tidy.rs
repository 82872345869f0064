//! HTML as staff would like to find it in a file they edit: without WordPress's classes and
//! sizes, and with links that stay valid when WordPress is gone.

use super::html::{Piece, Tag, escape, pieces, unescape};
use std::fmt::Write as _;

/// Attributes that mean nothing without WordPress's style sheets and scripts.
const DROPPED: [&str; 14] = [
    "class",
    "style",
    "srcset",
    "sizes",
    "loading",
    "decoding",
    "target",
    "rel",
    "role",
    "tabindex",
    "align",
    "border",
    "fetchpriority",
    "itemprop",
];
/// Elements that only carried such attributes.
const BARE: [&str; 2] = ["span", "font"];

/// Tidies HTML; `link` gives the new address of an old one, or `None` to keep it.
pub(super) fn tidy(html: &str, link: &dyn Fn(&str) -> Option<String>) -> String {
    let mut tidied = String::with_capacity(html.len());
    // Whether each `span` that is open was kept.
    let mut kept: Vec<bool> = Vec::new();
    for piece in pieces(html) {
        match piece {
            Piece::Text(text) | Piece::Raw(text) => tidied.push_str(text),
            Piece::Comment(_) => {}
            Piece::Tag(tag) if tag.closes => {
                if tag.one_of(&BARE).is_none() || kept.pop().unwrap_or(false) {
                    tidied.push_str(tag.text);
                }
            }
            Piece::Tag(tag) => {
                let attributes = attributes(&tag, link);
                let is_bare = tag.one_of(&BARE).is_some();
                if is_bare {
                    kept.push(!attributes.is_empty());
                }
                if !is_bare || !attributes.is_empty() {
                    let name = tag.text[1..].split(|c: char| c.is_whitespace() || matches!(c, '>' | '/')).next().unwrap_or_default();
                    let _ = write!(tidied, "<{}{attributes}>", name.to_ascii_lowercase());
                }
            }
        }
    }
    tidied
}

fn attributes(tag: &Tag<'_>, link: &dyn Fn(&str) -> Option<String>) -> String {
    let mut written = String::new();
    for (name, value) in tag.attributes() {
        let lower = name.to_ascii_lowercase();
        let is_table = tag.one_of(&["table", "td", "th", "tr", "col", "colgroup"]).is_some();
        let dropped = DROPPED.contains(&lower.as_str()) && !(lower == "align" && is_table);
        let of_wordpress = |value: &str| lower == "id" && ["attachment_", "wp-block", "block-"].iter().any(|head| value.starts_with(head));
        if dropped || lower.starts_with("data-") || lower.starts_with("aria-") || lower.starts_with("on") || value.is_some_and(of_wordpress)
        {
            continue;
        }
        written.push(' ');
        written.push_str(&lower);
        let Some(value) = value else { continue };
        let is_link = matches!(lower.as_str(), "href" | "src" | "poster" | "cite");
        let new = if is_link { link(&unescape(value)) } else { None };
        let value = new.map_or_else(|| value.replace('"', "&quot;"), |new| escape(&new));
        let _ = write!(written, "=\"{value}\"");
    }
    written
}

/// Every address that HTML points to, entities read.
pub(super) fn addresses(html: &str) -> Vec<String> {
    let mut addresses = Vec::new();
    for piece in pieces(html) {
        let Piece::Tag(tag) = piece else { continue };
        addresses.extend(["href", "src", "poster"].iter().filter_map(|name| tag.attribute(name)).map(unescape));
    }
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_wordpress_understands_goes() {
        let html = "<figure class=\"wp-block-image\" id='attachment_3'><IMG src='/a.jpg?x=1&amp;y=\"2\"' alt=\"A\" class=\"x\" srcset=\"/b.jpg 2x\" width=\"3\" /></figure><span style=\"color:red\">a</span> <span lang=\"ja\">b</span><td align=\"right\" onclick=\"x()\" data-x>c</td><!-- d -->";
        assert_eq!(
            tidy(html, &|_| None),
            "<figure><img src=\"/a.jpg?x=1&amp;y=&quot;2&quot;\" alt=\"A\" width=\"3\"></figure>a <span lang=\"ja\">b</span><td align=\"right\">c</td>"
        );
    }

    #[test]
    fn links_are_given_anew_and_escaped() {
        let link = |old: &str| (old == "http://a/?p=1&b=2").then(|| "/2011/07/\"x\"/".to_owned());
        assert_eq!(
            tidy("<a href=\"http://a/?p=1&#038;b=2\">x</a><a href=\"/y\">y</a>", &link),
            "<a href=\"/2011/07/&quot;x&quot;/\">x</a><a href=\"/y\">y</a>"
        );
        assert_eq!(addresses("<a href='/a&amp;b'><img src=c></a>"), ["/a&b", "c"]);
    }
}
