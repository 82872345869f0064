//! The block editor's text (since WordPress 5.0): HTML in which comments say what each part is.
//! The comments go, the HTML stays; parts that WordPress makes when a page is shown are told.

use super::autop::autop;
use super::html::{Piece, pieces};
use super::shortcode::{Library, expand};

/// Blocks of which nothing is lost when only their HTML is kept, though they close themselves.
const EMPTY: [&str; 6] = ["more", "nextpage", "separator", "spacer", "paragraph", "post-title"];
/// A block that holds another that holds it would go on for ever.
const DEEPEST: usize = 4;

/// The blocks that several posts share, by number.
pub(super) trait Shared {
    /// The text of a shared block.
    fn shared(&self, id: u64) -> Option<&str>;
}

/// A post's text as plain HTML, with or without blocks, and what was not understood.
pub(super) fn render(text: &str, library: &dyn Library, shared: &dyn Shared) -> (String, Vec<String>) {
    let mut doubts = Vec::new();
    let html = rendered(text, library, shared, 0, &mut doubts);
    doubts.sort();
    doubts.dedup();
    (html, doubts)
}

fn rendered(text: &str, library: &dyn Library, shared: &dyn Shared, depth: usize, doubts: &mut Vec<String>) -> String {
    let classic = |text: &str, doubts: &mut Vec<String>| {
        let (html, found) = expand(text, library);
        doubts.extend(found);
        autop(&html)
    };
    if !text.contains("<!-- wp:") {
        return classic(text, doubts);
    }
    let mut html = String::with_capacity(text.len());
    let mut part = String::new();
    let mut open: Vec<&str> = Vec::new();
    for piece in pieces(text) {
        let Some(block) = (if let Piece::Comment(comment) = piece { Block::of(comment) } else { None }) else {
            match piece {
                Piece::Text(text) | Piece::Raw(text) => part.push_str(text),
                Piece::Tag(tag) => part.push_str(tag.text),
                Piece::Comment(_) => {}
            }
            continue;
        };
        // What stands between blocks, and in a block of a shortcode, is text of the classic editor.
        if open.is_empty() || open.last() == Some(&"shortcode") || open.last() == Some(&"freeform") {
            html.push_str(&classic(&part, doubts));
            html.push('\n');
            part.clear();
        }
        match block {
            Block { closes: true, .. } => {
                open.pop();
                if open.is_empty() {
                    let (done, found) = expand(part.trim(), library);
                    doubts.extend(found);
                    html.push_str(&done);
                    html.push('\n');
                    part.clear();
                }
            }
            Block { name: "block", reference: Some(id), .. } if depth < DEEPEST => match shared.shared(id) {
                Some(text) => {
                    let inner = rendered(text, library, shared, depth + 1, doubts);
                    if open.is_empty() { &mut html } else { &mut part }.push_str(&inner);
                }
                None => doubts.push("a shared block that is not in the export".to_owned()),
            },
            Block { closes_itself: true, name, .. } => {
                if !EMPTY.contains(&name) {
                    doubts.push(format!("the block {name}, which WordPress fills when a page is shown"));
                }
            }
            Block { name, .. } => open.push(name),
        }
    }
    html.push_str(&if open.is_empty() { classic(&part, doubts) } else { part });
    let lines: Vec<&str> = html.lines().map(str::trim_end).collect();
    // Blank lines mark nothing any more, except where text is kept as it is.
    if html.contains("<pre") {
        html.trim().to_owned()
    } else {
        lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    }
}

/// A comment that begins or ends a block.
#[derive(Clone, Copy, Debug)]
struct Block<'t> {
    /// Without `core/`.
    name: &'t str,
    closes: bool,
    closes_itself: bool,
    /// The number of a shared block.
    reference: Option<u64>,
}

impl<'t> Block<'t> {
    fn of(comment: &'t str) -> Option<Self> {
        let inner = comment.strip_prefix("<!--")?.strip_suffix("-->")?.trim();
        let (closes, inner) = inner.strip_prefix('/').map_or((false, inner), |inner| (true, inner));
        let inner = inner.strip_prefix("wp:")?;
        let name = &inner[..inner.find(|c: char| c.is_whitespace() || c == '{').unwrap_or(inner.len())];
        let reference = inner.split_once("\"ref\":").and_then(|(_, number)| {
            let digits = number.trim_start();
            digits[..digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len())].parse().ok()
        });
        let name = name.trim_end_matches('/');
        Some(Self { name: name.strip_prefix("core/").unwrap_or(name), closes, closes_itself: inner.ends_with('/'), reference })
    }
}

#[cfg(test)]
mod tests {
    use super::super::shortcode::NoLibrary;
    use super::*;

    struct One;

    impl Shared for One {
        fn shared(&self, id: u64) -> Option<&str> {
            match id {
                7 => Some("<!-- wp:paragraph --><p>Please give.</p><!-- /wp:paragraph -->"),
                8 => Some("<!-- wp:block {\"ref\":8} /-->again"),
                _ => None,
            }
        }
    }

    #[test]
    fn comments_of_blocks_go_and_their_html_stays() {
        let text = "<!-- wp:paragraph {\"align\":\"left\"} -->\n<p>One.</p>\n<!-- /wp:paragraph -->\n\n<!-- wp:columns -->\n<div><!-- wp:column -->\n<div><!-- wp:paragraph -->\n<p>Two.</p>\n<!-- /wp:paragraph --></div>\n<!-- /wp:column --></div>\n<!-- /wp:columns -->\n\nThree.\n\nFour.\n\n<!-- wp:more -->\n<!--more-->\n<!-- /wp:more -->\n<!-- wp:block {\"ref\":7} /-->\n<!-- wp:core/latest-posts {\"n\":3} /-->";
        let (html, doubts) = render(text, &NoLibrary, &One);
        assert_eq!(html, "<p>One.</p>\n<div>\n<div>\n<p>Two.</p>\n</div>\n</div>\n<p>Three.</p>\n<p>Four.</p>\n<p>Please give.</p>");
        assert_eq!(doubts, ["the block latest-posts, which WordPress fills when a page is shown"]);
    }

    #[test]
    fn embeds_and_shortcodes_in_blocks_are_understood() {
        let text = "<!-- wp:embed {\"url\":\"https://youtu.be/abc\"} -->\n<figure><div>\nhttps://youtu.be/abc\n</div></figure>\n<!-- /wp:embed -->\n\n<!-- wp:shortcode -->\n[youtube xyz]\n<!-- /wp:shortcode -->";
        let (html, doubts) = render(text, &NoLibrary, &One);
        assert_eq!(
            html,
            "<figure><div>\n<iframe src=\"https://www.youtube.com/embed/abc\"></iframe>\n</div></figure>\n<iframe src=\"https://www.youtube.com/embed/xyz\"></iframe>"
        );
        assert!(doubts.is_empty());
        assert!(render("<!-- wp:block {\"ref\":8} /-->", &NoLibrary, &One).0.len() < 200);
    }
}
