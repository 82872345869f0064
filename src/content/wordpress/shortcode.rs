//! Shortcodes, `[caption]…[/caption]`: what the common ones stand for, in plain HTML. Those that
//! nobody knows stay in the text as they are, and are told.

use super::html::{Piece, escape, pieces, unescape};
use super::players;

/// A picture of the site, as galleries show it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Picture {
    /// Where it is.
    pub(super) url: String,
    /// What is said of it to those who do not see it; plain text.
    pub(super) alt: String,
    /// What stands below it; HTML.
    pub(super) caption: String,
}

/// Where galleries find their pictures.
pub(super) trait Library {
    /// The picture with a number.
    fn picture(&self, id: u64) -> Option<Picture>;
    /// The pictures that were uploaded to the post, in order.
    fn attached(&self) -> Vec<Picture>;
}

/// No library: galleries stay as they are, and are told.
#[cfg(test)]
pub(super) struct NoLibrary;

#[cfg(test)]
impl Library for NoLibrary {
    fn picture(&self, _: u64) -> Option<Picture> {
        None
    }

    fn attached(&self) -> Vec<Picture> {
        Vec::new()
    }
}

/// Replaces the common shortcodes, and addresses alone on a line, by HTML. Returns also what was
/// not understood, in words.
pub(super) fn expand(text: &str, library: &dyn Library) -> (String, Vec<String>) {
    let text = players::embed_lines(text);
    let mut expanded = String::with_capacity(text.len());
    let mut doubts = Vec::new();
    let mut rest = text.as_str();
    let mut closings = Closings::default();
    // Behind the last bracket that closes, none opens anything.
    let last = text.rfind(']').unwrap_or(0);
    while let Some(at) = rest.find('[').filter(|at| text.len() - rest.len() + at < last) {
        expanded.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(written) = closings.written_of(rest) {
            expanded.push_str(&escape(written));
            rest = &rest[written.len() + 2..];
            continue;
        }
        let Some(code) = Code::at(rest) else {
            expanded.push('[');
            rest = &rest[1..];
            continue;
        };
        let after = &rest[code.length..];
        let closing = if code.closes_itself { None } else { closings.of(after, code.name) };
        let content = closing.map(|end| &after[..end]);
        match code.html(content, library) {
            Answer::Html(html) => {
                expanded.push_str(&html);
                rest = closing.map_or(after, |end| &after[end + code.name.len() + 3..]);
            }
            Answer::Unknown(doubt) => {
                doubts.extend(doubt.filter(|_| code.is_meant(closing.is_some())));
                expanded.push_str(&rest[..code.length]);
                rest = after;
            }
        }
    }
    expanded.push_str(rest);
    doubts.sort();
    doubts.dedup();
    (expanded, doubts)
}

/// Where closing codes are. What was looked for in vain is not looked for again.
#[derive(Default)]
struct Closings {
    none_of: Vec<String>,
}

impl Closings {
    fn of(&mut self, after: &str, name: &str) -> Option<usize> {
        if self.none_of.iter().any(|none| none == name) {
            return None;
        }
        let end = after.find(&format!("[/{name}]"));
        if end.is_none() && self.none_of.len() < 1000 {
            self.none_of.push(name.to_owned());
        }
        end
    }

    /// What is only written of: `[[gallery]]` shows `[gallery]`.
    fn written_of<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        let inner = text.strip_prefix('[').filter(|inner| inner.starts_with('['))?;
        let code = Code::at(inner)?;
        let after = &inner[code.length..];
        if after.starts_with(']') {
            return Some(&inner[..code.length]);
        }
        let closing = self.of(after, code.name)?;
        let end = code.length + closing + code.name.len() + 3;
        inner[end..].starts_with(']').then(|| &inner[..end])
    }
}

/// What a shortcode becomes.
enum Answer {
    Html(String),
    /// It stays, and this is to be told.
    Unknown(Option<String>),
}

/// An opening code, taken apart.
struct Code<'t> {
    name: &'t str,
    /// With brackets.
    length: usize,
    closes_itself: bool,
    attributes: Vec<(Option<String>, String)>,
}

/// No code is longer; what is, is text in brackets.
const LONGEST: usize = 2000;

impl<'t> Code<'t> {
    /// The code at the front of a text.
    fn at(text: &'t str) -> Option<Self> {
        let inner = text.strip_prefix('[')?;
        let name_length = inner.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')).unwrap_or(inner.len());
        let name = &inner[..name_length];
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || name.len() > 60 {
            return None;
        }
        let rest = &inner[name_length..];
        if !rest.starts_with([']', ' ', '/', '=', '\n', '\r', '\t', '\u{a0}']) {
            return None;
        }
        let end = rest.bytes().take(LONGEST).position(|byte| byte == b']')?;
        let written = rest[..end].trim_end();
        let closes_itself = written.ends_with('/');
        let attributes = attributes(written.trim_end_matches('/'));
        Some(Self { name, length: 1 + name_length + end + 1, closes_itself, attributes })
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known.as_deref() == Some(name));
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// What stands in it without a name, or after the name and an equals sign.
    fn bare(&self) -> Option<&str> {
        self.attributes.iter().find(|(name, _)| name.is_none()).map(|(_, value)| value.as_str())
    }

    /// Whether somebody meant a shortcode, not a word in brackets.
    fn is_meant(&self, is_closed: bool) -> bool {
        is_closed || self.closes_itself || self.name.contains(['-', '_']) || self.attributes.iter().any(|(name, _)| name.is_some())
    }

    fn html(&self, content: Option<&str>, library: &dyn Library) -> Answer {
        let known = match self.name {
            "caption" | "wp_caption" => content.map(|content| self.caption(content)),
            "embed" => self.attribute("src").or(content).or(self.bare()).and_then(players::embed),
            "youtube" | "vimeo" => self.video_page(content),
            "audio" => self.player("audio", &["src", "mp3", "m4a", "ogg", "wav", "flac", "wma"], content),
            "video" => self.player("video", &["src", "mp4", "m4v", "webm", "ogv", "flv", "wmv", "mov"], content),
            "gallery" => self.gallery(library),
            name => return Answer::Unknown(Some(format!("the shortcode [{name}]"))),
        };
        match known {
            // A blank line on both sides: none of these belongs in a paragraph.
            Some(html) => Answer::Html(format!("\n\n{html}\n\n")),
            None => Answer::Unknown(Some(format!("the shortcode [{}], which shows nothing that is in the export", self.name))),
        }
    }

    /// `[caption]<a><img></a> What is seen.[/caption]`, or with the words in an attribute.
    fn caption(&self, content: &str) -> String {
        let mut end = 0;
        let mut at = 0;
        for piece in pieces(content) {
            at += match piece {
                Piece::Text(text) | Piece::Raw(text) | Piece::Comment(text) => text.len(),
                Piece::Tag(tag) => tag.text.len(),
            };
            match piece {
                Piece::Tag(tag) if tag.is("img") => end = at,
                Piece::Tag(tag) if tag.closes && tag.is("a") && end > 0 => {
                    end = at;
                    break;
                }
                Piece::Text(text) if end > 0 && !text.trim().is_empty() => break,
                _ => {}
            }
        }
        let (picture, words) = content.split_at(end);
        let words = self.attribute("caption").map_or_else(|| words.trim().to_owned(), unescape);
        let words = words.replace("\r\n", "\n").split('\n').map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("<br>");
        figure(picture.trim(), &words)
    }

    fn gallery(&self, library: &dyn Library) -> Option<String> {
        let pictures: Vec<Picture> = match self.attribute("ids").or_else(|| self.attribute("include")) {
            Some(ids) => ids.split(',').filter_map(|id| library.picture(id.trim().parse().ok()?)).collect(),
            None => library.attached(),
        };
        let figures: Vec<String> = pictures
            .iter()
            .map(|picture| figure(&format!("<img src=\"{}\" alt=\"{}\">", escape(&picture.url), escape(&picture.alt)), &picture.caption))
            .collect();
        (!figures.is_empty()).then(|| figures.join("\n"))
    }

    fn player(&self, element: &str, kinds: &[&str], content: Option<&str>) -> Option<String> {
        let content = content.map(str::trim).filter(|content| content.starts_with("http"));
        let source = kinds.iter().find_map(|kind| self.attribute(kind)).or(content).or(self.bare())?;
        // `[video]` also takes the address of a video's page.
        if let Some(html) = players::embed(source).filter(|html| html.starts_with("<iframe")) {
            return Some(html);
        }
        let poster = self.attribute("poster").map_or_else(String::new, |poster| format!(" poster=\"{}\"", escape(&unescape(poster))));
        Some(format!("<{element} controls src=\"{}\"{poster}></{element}>", escape(&unescape(source))))
    }

    fn video_page(&self, content: Option<&str>) -> Option<String> {
        let given = self.attribute("id").or_else(|| self.attribute("url")).or_else(|| self.bare()).or(content)?.trim();
        let source = if self.name == "vimeo" { players::vimeo(given) } else { players::youtube(given) };
        match source {
            Some(source) => Some(format!("<iframe src=\"{source}\"></iframe>")),
            None => players::embed(given),
        }
    }
}

/// `name="value"`, `name='value'`, `name=value`, `"value"`, `value` and `=value`, as WordPress
/// reads them; quotes may have been made curly by an editor.
fn attributes(text: &str) -> Vec<(Option<String>, String)> {
    let mut attributes = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let name_length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')).unwrap_or(rest.len());
        let (name, after) = rest.split_at(name_length);
        let (name, value) = match after.trim_start().strip_prefix('=') {
            Some(value) => (Some(name.to_ascii_lowercase()).filter(|name| !name.is_empty()), value.trim_start()),
            None => (None, rest),
        };
        let (value, after) = value_at(value);
        if name.is_some() || !value.is_empty() {
            attributes.push((name, value.to_owned()));
        }
        rest = after.trim_start();
    }
    attributes
}

fn value_at(text: &str) -> (&str, &str) {
    for (open, close) in [("\"", "\""), ("'", "'"), ("“", "”"), ("”", "”"), ("&#8221;", "&#8221;"), ("&quot;", "&quot;")] {
        if let Some(inner) = text.strip_prefix(open) {
            return inner.split_once(close).unwrap_or((inner, ""));
        }
    }
    text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()))
}

fn figure(picture: &str, words: &str) -> String {
    let words = if words.is_empty() { String::new() } else { format!("<figcaption>{words}</figcaption>") };
    format!("<figure>{picture}{words}</figure>")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Album;

    impl Library for Album {
        fn picture(&self, id: u64) -> Option<Picture> {
            (id < 10).then(|| Picture { url: format!("/{id}.jpg"), alt: "A \"boat\"".into(), caption: "<em>Harbour</em>".into() })
        }

        fn attached(&self) -> Vec<Picture> {
            vec![Picture { url: "/own.jpg".into(), ..Picture::default() }]
        }
    }

    fn expanded(text: &str) -> String {
        expand(text, &Album).0.trim().to_owned()
    }

    #[test]
    fn a_caption_becomes_a_figure() {
        assert_eq!(
            expanded(
                "[caption id=\"attachment_3\" width=\"300\"]<a href=\"/a\"><img src=\"/a.jpg\" /></a> The <em>boat</em>\nleaves.[/caption]"
            ),
            "<figure><a href=\"/a\"><img src=\"/a.jpg\" /></a><figcaption>The <em>boat</em><br>leaves.</figcaption></figure>"
        );
        assert_eq!(
            expanded("[caption caption=\"Old &amp; new\"]<img src=\"/a.jpg\">[/caption]"),
            "<figure><img src=\"/a.jpg\"><figcaption>Old & new</figcaption></figure>"
        );
    }

    #[test]
    fn a_gallery_shows_its_pictures() {
        assert_eq!(
            expanded("[gallery ids=\"3, 99\" link=\"file\"]"),
            "<figure><img src=\"/3.jpg\" alt=\"A &quot;boat&quot;\"><figcaption><em>Harbour</em></figcaption></figure>"
        );
        assert_eq!(expanded("[gallery]"), "<figure><img src=\"/own.jpg\" alt=\"\"></figure>");
        let (text, doubts) = expand("[gallery ids=\"99\"]", &Album);
        assert_eq!(text, "[gallery ids=\"99\"]");
        assert_eq!(doubts, ["the shortcode [gallery], which shows nothing that is in the export"]);
    }

    #[test]
    fn players_and_embeds_are_understood_in_all_their_spellings() {
        let youtube = "<iframe src=\"https://www.youtube.com/embed/abc_1\"></iframe>";
        for code in [
            "[youtube abc_1]",
            "[youtube id=\"abc_1\"]",
            "[youtube=https://www.youtube.com/watch?v=abc_1&w=640]",
            "[youtube]https://youtu.be/abc_1[/youtube]",
            "[embed width=\"500\"]https://youtu.be/abc_1[/embed]",
            "[video src=\"https://youtu.be/abc_1\"]",
            "https://youtu.be/abc_1",
        ] {
            assert_eq!(expanded(code), youtube, "{code}");
        }
        assert_eq!(expanded("[audio mp3=\"/a.mp3\"][/audio]"), "<audio controls src=\"/a.mp3\"></audio>");
        assert_eq!(expanded("[audio http://example.org/a.mp3]"), "<audio controls src=\"http://example.org/a.mp3\"></audio>");
        assert_eq!(
            expanded("[video width=\"6\" mp4=\"/a.mp4\" poster='/a.jpg'][/video]"),
            "<video controls src=\"/a.mp4\" poster=\"/a.jpg\"></video>"
        );
        assert_eq!(expanded("[embed]https://example.org/x[/embed]"), "<p><a href=\"https://example.org/x\">https://example.org/x</a></p>");
    }

    #[test]
    fn unknown_codes_stay_and_are_told_and_words_in_brackets_are_only_words() {
        let text = "[contact-form-7 id=\"1\"] [1] [sic] [写真] [su_note]a[/su_note] [[gallery]] [[caption]x[/caption]] a[0] [box]b[/box]";
        let (kept, doubts) = expand(text, &Album);
        assert_eq!(
            kept,
            "[contact-form-7 id=\"1\"] [1] [sic] [写真] [su_note]a[/su_note] [gallery] [caption]x[/caption] a[0] [box]b[/box]"
        );
        assert_eq!(doubts, ["the shortcode [box]", "the shortcode [contact-form-7]", "the shortcode [su_note]"]);
    }

    #[test]
    fn nothing_written_in_a_code_becomes_a_tag() {
        assert_eq!(
            expanded("[video src='/a\"><script>alert(1)</script>']"),
            "<video controls src=\"/a&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\"></video>"
        );
        let began = std::time::Instant::now();
        for game in ["[caption]".repeat(50_000), "[[a".repeat(50_000), "[a ".repeat(50_000), "[embed][/embe".repeat(50_000)] {
            assert!(expand(&game, &Album).0.len() < game.len() * 30);
        }
        assert!(began.elapsed().as_secs() < 20);
    }
}
