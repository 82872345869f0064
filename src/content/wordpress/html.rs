//! HTML in pieces: tags, comments and the text between, as they were written. Nothing here
//! repairs or judges; the sanitiser does that when an article is published.

/// A piece of HTML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'h> {
    /// What stands between tags, entities as they are.
    Text(&'h str),
    /// What stands inside `script` and `style`.
    Raw(&'h str),
    /// A comment, a declaration or an instruction, with its brackets.
    Comment(&'h str),
    /// An opening or closing tag.
    Tag(Tag<'h>),
}

/// A tag as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag<'h> {
    /// With its brackets.
    pub(super) text: &'h str,
    /// As written, in capitals or not.
    name: &'h str,
    /// Whether it begins with `</`.
    pub(super) closes: bool,
}

impl<'h> Tag<'h> {
    /// The name in small letters, if it is one of some names.
    pub(super) fn one_of(&self, names: &[&'static str]) -> Option<&'static str> {
        names.iter().copied().find(|name| name.eq_ignore_ascii_case(self.name))
    }

    /// Whether it has this name.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The attributes, names as written, values with their entities; `None` for a name alone.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (&'h str, Option<&'h str>)> + use<'h> {
        let start = self.name.len() + 1 + usize::from(self.closes);
        Attributes { rest: self.text[start..].trim_end_matches('>').trim_end_matches('/') }
    }

    /// The value of an attribute, with its entities.
    pub(super) fn attribute(&self, name: &str) -> Option<&'h str> {
        self.attributes().find(|(known, _)| known.eq_ignore_ascii_case(name)).and_then(|(_, value)| value)
    }
}

struct Attributes<'h> {
    rest: &'h str,
}

impl<'h> Iterator for Attributes<'h> {
    type Item = (&'h str, Option<&'h str>);

    fn next(&mut self) -> Option<Self::Item> {
        self.rest = self.rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        let end = self.rest.find(|c: char| c.is_ascii_whitespace() || c == '=').unwrap_or(self.rest.len());
        // A stray equals sign is a name of its own (HTML, §13.2.5.32).
        let end = end.max(self.rest.chars().next()?.len_utf8());
        let (name, after) = self.rest.split_at(end);
        let Some(value) = after.trim_start().strip_prefix('=') else {
            self.rest = after;
            return Some((name, None));
        };
        let value = value.trim_start();
        let (value, after) = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
            _ => value.split_at(value.find(|c: char| c.is_ascii_whitespace()).unwrap_or(value.len())),
        };
        self.rest = after;
        Some((name, Some(value)))
    }
}

/// Takes HTML apart. The pieces together are the whole of it.
pub(super) fn pieces(html: &str) -> Pieces<'_> {
    Pieces { rest: html, raw: None, fruitless: 0, comments_end: true }
}

/// See [`pieces`].
pub(super) struct Pieces<'h> {
    rest: &'h str,
    /// The element whose end is all that counts.
    raw: Option<&'static str>,
    /// How often the end of a tag was looked for in vain.
    fruitless: usize,
    /// Whether a comment that opens may still close.
    comments_end: bool,
}

/// After so many tags that never end, brackets are taken for text: looking on would take time
/// in the square of the length.
const PATIENCE: usize = 20;

impl<'h> Pieces<'h> {
    fn take(&mut self, length: usize) -> &'h str {
        let (piece, rest) = self.rest.split_at(length);
        self.rest = rest;
        piece
    }

    /// What begins with the bracket at the front, if it is more than text.
    fn bracketed(&mut self) -> Option<Piece<'h>> {
        if self.rest.starts_with("<!--") {
            let end = if self.comments_end { self.rest.find("-->") } else { None };
            self.comments_end = end.is_some();
            return Some(Piece::Comment(self.take(end? + 3)));
        }
        if self.rest.starts_with("<!") || self.rest.starts_with("<?") {
            let end = if self.fruitless > PATIENCE { None } else { self.rest.find('>') };
            self.fruitless += usize::from(end.is_none());
            return Some(Piece::Comment(self.take(end? + 1)));
        }
        let closes = self.rest.starts_with("</");
        let name = &self.rest[1 + usize::from(closes)..];
        let name = &name[..name.find(|c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/')).unwrap_or(name.len())];
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || self.fruitless > PATIENCE {
            return None;
        }
        let Some(end) = end_of_tag(self.rest) else {
            self.fruitless += 1;
            return None;
        };
        let name_length = name.len();
        let text = self.take(end);
        let start = 1 + usize::from(closes);
        let tag = Tag { text, name: &text[start..start + name_length.min(end - start)], closes };
        if !closes {
            self.raw = tag.one_of(&["script", "style"]);
        }
        Some(Piece::Tag(tag))
    }
}

impl<'h> Iterator for Pieces<'h> {
    type Item = Piece<'h>;

    fn next(&mut self) -> Option<Piece<'h>> {
        if self.rest.is_empty() {
            return None;
        }
        if let Some(name) = self.raw.take() {
            let end = self.rest.match_indices("</").find(|(at, _)| starts_with_ignoring_case(&self.rest[at + 2..], name));
            let end = end.map_or(self.rest.len(), |(at, _)| at);
            if end > 0 {
                return Some(Piece::Raw(self.take(end)));
            }
        }
        if self.rest.starts_with('<')
            && let Some(piece) = self.bracketed()
        {
            return Some(piece);
        }
        // A bracket that begins nothing is text itself.
        let begin = usize::from(self.rest.starts_with('<'));
        let end = self.rest[begin..].find('<').map_or(self.rest.len(), |at| at + begin);
        Some(Piece::Text(self.take(end)))
    }
}

/// Whether a text begins with a word, in capitals or not.
pub(super) fn starts_with_ignoring_case(text: &str, word: &str) -> bool {
    text.as_bytes().get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))
}

/// Where the tag at the front ends; a bracket in quotes does not end it.
fn end_of_tag(html: &str) -> Option<usize> {
    let mut quote = None;
    let mut value_may_begin = false;
    for (at, byte) in html.bytes().enumerate() {
        if let Some(open) = quote {
            if open == byte {
                quote = None;
            }
        } else if byte == b'>' {
            return Some(at + 1);
        } else if value_may_begin && matches!(byte, b'"' | b'\'') {
            quote = Some(byte);
        }
        value_may_begin = byte == b'=' || value_may_begin && byte.is_ascii_whitespace();
    }
    None
}

/// Text as it stands in HTML, also between double quotes.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Plain text from a little HTML, such as a title: tags gone, entities read.
pub(super) fn plain(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    for piece in pieces(html) {
        match piece {
            Piece::Text(part) => text.push_str(&unescape(part)),
            // `<title>` is also what somebody may have written of a tag; nothing is lost but the tag.
            Piece::Tag(tag) if tag.one_of(&["br", "p", "div", "li"]).is_some() => text.push(' '),
            Piece::Tag(_) | Piece::Comment(_) | Piece::Raw(_) => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Reads the entities that WordPress and its editors write; others stay as they are.
pub(super) fn unescape(text: &str) -> String {
    let mut read = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        read.push_str(&rest[..at]);
        rest = &rest[at..];
        let (c, length) = entity(rest).unwrap_or(('&', 1));
        read.push(c);
        rest = &rest[length..];
    }
    read.push_str(rest);
    read
}

const ENTITIES: [(&str, char); 22] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{a0}'),
    ("ndash", '–'),
    ("mdash", '—'),
    ("hellip", '…'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("laquo", '«'),
    ("raquo", '»'),
    ("copy", '©'),
    ("reg", '®'),
    ("trade", '™'),
    ("middot", '·'),
    ("bull", '•'),
    ("eacute", 'é'),
    ("times", '×'),
];

/// The character that the entity at the front stands for, and the entity's length.
fn entity(text: &str) -> Option<(char, usize)> {
    let end = text.bytes().take(12).position(|byte| byte == b';')?;
    let name = &text[1..end];
    let c = match name.strip_prefix('#') {
        Some(number) => {
            let hexadecimal = number.strip_prefix(['x', 'X']);
            let code = hexadecimal.map_or_else(|| number.parse().ok(), |digits| u32::from_str_radix(digits, 16).ok())?;
            char::from_u32(code)?
        }
        None => ENTITIES.iter().find(|(known, _)| *known == name)?.1,
    };
    Some((c, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_together_are_the_whole() {
        let html = "a <b c='>'>d</B> < e <!-- f > --> <script>if (1 < 2) '</b>'</SCRIPT> <g h=\"&quot;>\"/> 3 <4 <unclosed \"";
        let text = |piece: Piece<'_>| match piece {
            Piece::Text(text) | Piece::Raw(text) | Piece::Comment(text) => text.to_owned(),
            Piece::Tag(tag) => tag.text.to_owned(),
        };
        assert_eq!(pieces(html).map(text).collect::<String>(), html);
        let tags: Vec<&str> = pieces(html).filter_map(|piece| if let Piece::Tag(tag) = piece { Some(tag.text) } else { None }).collect();
        assert_eq!(tags, ["<b c='>'>", "</B>", "<script>", "</SCRIPT>", "<g h=\"&quot;>\"/>"]);
        for long in
            ["<a <b ".repeat(50_000), "<!-- ".repeat(50_000), "<a x=\"".repeat(50_000), "<!x ".repeat(50_000), "<script>".repeat(50_000)]
        {
            assert!(pieces(&long).count() > 0);
        }
    }

    #[test]
    fn attributes_are_found_however_they_are_written() {
        let Some(Piece::Tag(tag)) = pieces("<IMG src=a.jpg ALT = 'a \"b\"' hidden data-x=\"1\"/>").next() else { panic!() };
        assert_eq!(tag.attribute("src"), Some("a.jpg"));
        assert_eq!(tag.attribute("alt"), Some("a \"b\""));
        assert_eq!(tag.attribute("data-x"), Some("1"));
        assert_eq!(tag.attributes().count(), 4);
        assert_eq!(tag.attribute("hidden"), None);
    }

    #[test]
    fn a_title_becomes_plain_text() {
        assert_eq!(plain("R&amp;D, it&#8217;s <i>3 &lt; 4</i> &#x1F30A; &unknown; <!-- x -->&"), "R&D, it’s 3 < 4 🌊 &unknown; &");
        assert_eq!(plain("「<em>峠</em>」 &amp; その先"), "「峠」 & その先");
    }
}
