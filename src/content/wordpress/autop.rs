//! Paragraphs where WordPress had blank lines: its classic editor stores text in which a blank
//! line ends a paragraph and a line break is a line break, mixed with HTML.
//!
//! WordPress makes them by some thirty replacements in a row when a page is shown (`wpautop`).
//! Here the text is read once, with the elements that are open, so that what comes out nests.

use super::html::{Piece, Tag, pieces};
use std::fmt::Write as _;

/// Text as WordPress's classic editor stores it, with its paragraphs and line breaks as tags.
/// HTML that has them already stays as it is, without comments.
pub(super) fn autop(html: &str) -> String {
    let mut writer = Writer { html: String::with_capacity(html.len() * 9 / 8), ..Writer::default() };
    let mut verbatim: Option<(&'static str, usize)> = None;
    for piece in pieces(html) {
        verbatim = match (verbatim, piece) {
            (Some((name, depth)), piece) => writer.verbatim(name, depth, piece),
            (None, Piece::Text(text)) => {
                writer.text(text);
                None
            }
            (None, Piece::Tag(tag)) => writer.tag(&tag),
            // Scripts and styles do nothing in an article; comments mark what WordPress cuts.
            (None, Piece::Raw(_) | Piece::Comment(_)) => None,
        };
    }
    writer.end_run();
    let end = writer.html.trim_end().len();
    writer.html.truncate(end);
    writer.html
}

/// Paragraphs stand in these always.
const FLOW: [&str; 10] = ["blockquote", "article", "section", "main", "aside", "header", "footer", "details", "form", "fieldset"];
/// In these only where there are several.
const CELLS: [&str; 6] = ["div", "li", "td", "th", "dd", "address"];
/// In these never.
const LINES: [&str; 13] = ["h1", "h2", "h3", "h4", "h5", "h6", "dt", "caption", "figcaption", "legend", "summary", "figure", "center"];
/// These hold other blocks only.
const FRAMES: [&str; 11] = ["ul", "ol", "dl", "table", "thead", "tbody", "tfoot", "tr", "colgroup", "menu", "nav"];
/// What is in these is not touched.
const VERBATIM: [&str; 6] = ["pre", "iframe", "video", "audio", "object", "svg"];
/// Blocks without an end.
const VOID: [&str; 2] = ["hr", "col"];
/// Open elements that the end of another may close; deeper ones are a game.
const REACH: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Flow,
    Cell,
    Line,
    Frame,
    Paragraph,
}

fn kind(tag: &Tag<'_>) -> Option<(&'static str, Kind)> {
    let of = |names: &[&'static str], kind| tag.one_of(names).map(|name| (name, kind));
    of(&["p"], Kind::Paragraph)
        .or_else(|| of(&FLOW, Kind::Flow))
        .or_else(|| of(&CELLS, Kind::Cell))
        .or_else(|| of(&LINES, Kind::Line))
        .or_else(|| of(&FRAMES, Kind::Frame))
}

/// A paragraph while it is read.
#[derive(Debug, Default)]
struct Paragraph {
    html: String,
    /// Whether there is something to see in it.
    shows: bool,
    /// Where it ends in a line break.
    ends_in_break: bool,
}

#[derive(Debug, Default)]
struct Writer {
    html: String,
    open: Vec<(&'static str, Kind)>,
    /// Paragraphs since the last tag of a block.
    run: Vec<Paragraph>,
    current: Paragraph,
    /// Line breaks since the last word.
    breaks: usize,
    /// Whether a blank line stands at the beginning of the run.
    spaced: bool,
}

impl Writer {
    fn text(&mut self, text: &str) {
        for (number, line) in text.split('\n').enumerate() {
            if number > 0 {
                self.breaks += 1;
            }
            let line = line.trim_end_matches('\r');
            if line.trim().is_empty() {
                if self.breaks == 0 && !self.current.html.is_empty() {
                    self.current.html.push_str(line);
                }
                continue;
            }
            let begins = self.breaks > 0 || self.current.html.is_empty();
            self.continue_line();
            self.current.html.push_str(if begins { line.trim_start_matches([' ', '\t']) } else { line });
            // The visual editor wrote `&nbsp;` into each line that was left empty.
            self.current.shows |= line.trim() != "&nbsp;" && line.trim() != "\u{a0}";
            self.current.ends_in_break = false;
        }
    }

    /// Makes of the line breaks before more text what they mean.
    fn continue_line(&mut self) {
        match self.breaks {
            0 => {}
            _ if self.current.html.is_empty() => self.spaced |= self.breaks > 1 && self.run.is_empty(),
            1 => {
                let end = self.current.html.trim_end().len();
                self.current.html.truncate(end);
                self.current.html.push_str(if self.current.ends_in_break || !self.current.shows { "\n" } else { "<br>\n" });
            }
            _ => self.end_paragraph(),
        }
        self.breaks = 0;
    }

    fn end_paragraph(&mut self) {
        let mut paragraph = std::mem::take(&mut self.current);
        let kept = paragraph.html.trim_end();
        let kept = if paragraph.ends_in_break { kept.trim_end_matches("<br>").trim_end() } else { kept };
        paragraph.html.truncate(kept.len());
        if !paragraph.html.is_empty() {
            self.run.push(paragraph);
        }
    }

    fn tag(&mut self, tag: &Tag<'_>) -> Option<(&'static str, usize)> {
        if let Some(name) = tag.one_of(&VERBATIM) {
            self.end_run();
            if !tag.closes {
                self.html.push_str(tag.text);
                return (!tag.text.ends_with("/>")).then_some((name, 1));
            }
        } else if tag.one_of(&VOID).is_some() {
            self.end_run();
            self.html.push_str(tag.text);
            self.html.push('\n');
        } else if tag.is("br") {
            self.line_break();
        } else if let Some((name, kind)) = kind(tag) {
            self.block(tag, name, kind);
        } else if tag.one_of(&["script", "style"]).is_none() {
            self.continue_line();
            self.current.shows |= tag.one_of(&["img", "input", "embed", "picture", "source"]).is_some();
            self.current.html.push_str(tag.text);
            self.current.ends_in_break = false;
        }
        None
    }

    /// Two in a row are the end of a paragraph.
    fn line_break(&mut self) {
        if self.current.ends_in_break {
            self.breaks = 2;
            return;
        }
        self.continue_line();
        if self.current.shows {
            self.current.html.push_str("<br>");
            self.current.ends_in_break = true;
        }
    }

    fn block(&mut self, tag: &Tag<'_>, name: &'static str, kind: Kind) {
        self.end_run();
        if tag.closes {
            let from = self.open.len().saturating_sub(REACH);
            // An end of nothing is dropped: browsers would make an empty paragraph of it.
            let Some(at) = self.open[from..].iter().rposition(|(open, _)| *open == name) else { return };
            self.open.truncate(from + at);
            self.html.push_str(tag.text);
            self.html.push('\n');
            return;
        }
        if self.open.last().is_some_and(|(open, kind)| *kind == Kind::Paragraph || *open == name && name == "li")
            && let Some((open, _)) = self.open.pop()
        {
            let _ = writeln!(self.html, "</{open}>");
        }
        self.html.push_str(tag.text);
        self.open.push((name, kind));
        if matches!(kind, Kind::Flow | Kind::Frame) {
            self.html.push('\n');
        }
    }

    /// Writes the paragraphs before a block's tag or the end, as the element they are in wants.
    fn end_run(&mut self) {
        let spaced = self.spaced || self.breaks > 1;
        self.end_paragraph();
        (self.breaks, self.spaced) = (0, false);
        let run = std::mem::take(&mut self.run);
        let kind = self.open.last().map_or(Kind::Flow, |(_, kind)| *kind);
        let wraps = kind == Kind::Flow || kind == Kind::Cell && (run.len() > 1 || spaced);
        let last = run.len().saturating_sub(1);
        for (number, paragraph) in run.into_iter().enumerate() {
            if wraps && paragraph.shows {
                let _ = writeln!(self.html, "<p>{}</p>", paragraph.html);
            } else if !wraps || paragraph.html != "&nbsp;" {
                self.html.push_str(&paragraph.html);
                if number < last {
                    self.html.push_str(if kind == Kind::Paragraph { "</p>\n<p>" } else { "<br>\n" });
                }
            }
        }
    }

    /// Goes through an element whose inside is not touched; says how deep it is in it.
    fn verbatim(&mut self, name: &'static str, depth: usize, piece: Piece<'_>) -> Option<(&'static str, usize)> {
        let (text, depth) = match piece {
            Piece::Tag(tag) if tag.is(name) => (tag.text, if tag.closes { depth - 1 } else { depth + 1 }),
            Piece::Tag(tag) => (tag.text, depth),
            Piece::Text(text) | Piece::Raw(text) => (text, depth),
            Piece::Comment(_) => ("", depth),
        };
        self.html.push_str(text);
        if depth == 0 {
            self.html.push('\n');
            return None;
        }
        Some((name, depth))
    }
}

#[cfg(test)]
mod tests {
    use super::autop;

    #[test]
    fn blank_lines_end_paragraphs_and_line_breaks_stay() {
        assert_eq!(autop("One.\nTwo.\n\nThree.\r\n\r\n\r\nFour."), "<p>One.<br>\nTwo.</p>\n<p>Three.</p>\n<p>Four.</p>");
        assert_eq!(autop("一行目。\n\n二段落。"), "<p>一行目。</p>\n<p>二段落。</p>");
        assert_eq!(autop("a<br />\nb<br>c<br><br>d"), "<p>a<br>\nb<br>c</p>\n<p>d</p>");
        assert_eq!(autop("a\n&nbsp;\n\n&nbsp;\n\nb <!--more--> c"), "<p>a<br>\n&nbsp;</p>\n<p>b  c</p>");
        assert_eq!(autop(" \n\n "), "");
    }

    #[test]
    fn blocks_stand_by_themselves() {
        assert_eq!(autop("a\n<h2>b</h2>\nc"), "<p>a</p>\n<h2>b</h2>\n<p>c</p>");
        assert_eq!(autop("<ul>\n<li>a</li>\n<li>b\n\nc</li>\n</ul>"), "<ul>\n<li>a</li>\n<li><p>b</p>\n<p>c</p>\n</li>\n</ul>");
        assert_eq!(autop("<blockquote>a\n\nb</blockquote>c"), "<blockquote>\n<p>a</p>\n<p>b</p>\n</blockquote>\n<p>c</p>");
        assert_eq!(autop("<div>a</div>\n<div>a\n\nb</div>"), "<div>a</div>\n<div><p>a</p>\n<p>b</p>\n</div>");
        assert_eq!(autop("<table>\n<tr>\n<td>1</td>\n</tr>\n</table>\nx"), "<table>\n<tr>\n<td>1</td>\n</tr>\n</table>\n<p>x</p>");
        assert_eq!(autop("a\n<hr />\nb"), "<p>a</p>\n<hr />\n<p>b</p>");
        assert_eq!(
            autop("<figure><img src=\"a\"><figcaption>b</figcaption></figure>"),
            "<figure><img src=\"a\"><figcaption>b</figcaption>\n</figure>"
        );
    }

    #[test]
    fn paragraphs_that_are_there_stay() {
        assert_eq!(autop("<p>a</p>\n<p>b</p>"), "<p>a</p>\n<p>b</p>");
        assert_eq!(autop("<p class=\"x\">a\nb\n\nc</p>\nd"), "<p class=\"x\">a<br>\nb</p>\n<p>c</p>\n<p>d</p>");
        assert_eq!(autop("<p>a\n<p>b</p></p>"), "<p>a</p>\n<p>b</p>");
    }

    #[test]
    fn what_must_not_change_does_not() {
        assert_eq!(autop("<pre>a\n\n  b\n</pre>\nc"), "<pre>a\n\n  b\n</pre>\n<p>c</p>");
        assert_eq!(autop("a\n\n<script>x\n\ny</script>\n\nb"), "<p>a</p>\n<p>b</p>");
        assert_eq!(autop("<iframe src=\"a\"></iframe>\n\nb"), "<iframe src=\"a\"></iframe>\n<p>b</p>");
        assert_eq!(autop("<strong>a\n\nb</strong>"), "<p><strong>a</p>\n<p>b</strong></p>");
        assert_eq!(autop("<a href=\"x\"><img src=\"y\"></a>"), "<p><a href=\"x\"><img src=\"y\"></a></p>");
    }

    #[test]
    fn hostile_nesting_takes_linear_time() {
        let began = std::time::Instant::now();
        for game in ["<div>".repeat(100_000) + &"</p>".repeat(100_000), "<li><ul>".repeat(100_000), "\n\n<b>".repeat(100_000)] {
            assert!(autop(&game).len() < game.len() * 12);
        }
        assert!(began.elapsed().as_secs() < 20);
    }
}
