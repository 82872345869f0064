//! Staff's Markdown as HTML for mail and as plain text.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, html};
use unicode_segmentation::UnicodeSegmentation as _;
use url::Url;

/// Sanitised HTML whose links are absolute.
pub(super) fn to_html(markdown: &str, base: &Url) -> String {
    let mut raw = String::new();
    html::push_html(&mut raw, Parser::new_ext(markdown, Options::ENABLE_STRIKETHROUGH));
    ammonia::Builder::default().url_relative(ammonia::UrlRelative::RewriteWithBase(base.clone())).clean(&raw).to_string()
}

/// Plain text in paragraphs; a link is followed by its address in angle brackets.
pub(super) fn to_text(markdown: &str) -> String {
    let mut writer = Writer::default();
    for event in Parser::new_ext(markdown, Options::ENABLE_STRIKETHROUGH) {
        writer.take(event);
    }
    writer.text.trim().to_owned()
}

/// The first paragraph as one line of at most so many characters.
pub(super) fn summary(markdown: &str, at_most: usize) -> String {
    let text = to_text(markdown);
    let first = text.split("\n\n").next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    if first.graphemes(true).count() <= at_most {
        return first;
    }
    let cut: String = first.graphemes(true).take(at_most - 1).collect();
    format!("{}…", cut.trim_end())
}

/// What is open while Markdown becomes text.
#[derive(Default)]
struct Writer {
    text: String,
    /// Addresses of the links we are in.
    links: Vec<String>,
    /// The next number of each list we are in; `None`: bullets.
    lists: Vec<Option<u64>>,
    /// How many quotations we are in.
    quotes: usize,
    /// Where the words of the present link begin.
    link_start: usize,
}

impl Writer {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.open(tag),
            Event::End(tag) => self.close(tag),
            Event::Text(text) | Event::Code(text) => self.text.push_str(&text),
            Event::SoftBreak | Event::HardBreak => self.line_break(),
            Event::Rule => self.text.push_str("* * *\n\n"),
            _ => {}
        }
    }

    fn open(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph if self.quotes > 0 => self.text.push_str("> "),
            Tag::BlockQuote(_) => self.quotes += 1,
            Tag::List(first) => {
                if !self.lists.is_empty() {
                    self.line_break();
                }
                self.lists.push(first);
            }
            Tag::Item => {
                let indent = "  ".repeat(self.lists.len().saturating_sub(1));
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "- ".to_owned(),
                };
                self.text.push_str(&indent);
                self.text.push_str(&mark);
            }
            Tag::Link { dest_url, .. } => {
                self.link_start = self.text.len();
                self.links.push(dest_url.into_string());
            }
            _ => {}
        }
    }

    fn close(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::CodeBlock => self.text.push_str("\n\n"),
            TagEnd::BlockQuote(_) => self.quotes = self.quotes.saturating_sub(1),
            TagEnd::Item => self.end_line(),
            TagEnd::List(_) => {
                self.lists.pop();
                if self.lists.is_empty() {
                    self.end_line();
                    self.text.push('\n');
                }
            }
            TagEnd::Link => {
                let address = self.links.pop().unwrap_or_default();
                if self.text[self.link_start.min(self.text.len())..] != address {
                    self.text.extend([" <", &address, ">"]);
                }
            }
            _ => {}
        }
    }

    fn line_break(&mut self) {
        self.text.push('\n');
        if self.quotes > 0 {
            self.text.push_str("> ");
        }
    }

    fn end_line(&mut self) {
        let trimmed = self.text.trim_end_matches('\n').len();
        self.text.truncate(trimmed);
        self.text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_reads_well_as_plain_text() {
        let text = to_text(
            "Dear *friends*,\n\nplease [write](https://example.org/w):\n\n- to Tokyo\n- to Osaka\n\n1. one\n2. two\n\n> Never again.\n\n<https://example.org>\n",
        );
        assert_eq!(
            text,
            "Dear friends,\n\nplease write <https://example.org/w>:\n\n- to Tokyo\n- to Osaka\n\n1. one\n2. two\n\n> Never again.\n\nhttps://example.org"
        );
    }

    #[test]
    fn html_carries_no_script_and_absolute_links() {
        let base = Url::parse("https://news.example.org/").unwrap();
        let html = to_html("[a](/b) <script>alert(1)</script> **c**", &base);
        assert!(html.contains("https://news.example.org/b") && !html.contains("script") && html.contains("<strong>"), "{html}");
    }

    #[test]
    fn a_summary_is_one_line_and_never_cuts_a_character() {
        assert_eq!(summary("One\ntwo.\n\nThree.", 20), "One two.");
        assert_eq!(summary("がぎぐげご", 4), "がぎぐ…");
    }
}
