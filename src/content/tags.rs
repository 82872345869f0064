//! The tags of HTML, in order: enough to find links and to add attributes, never to decide what
//! is safe.

use std::ops::Range;

/// A tag as it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tag<'h> {
    /// Where its `<` is.
    pub(super) at: usize,
    /// From `<` to `>`.
    pub(super) text: &'h str,
}

/// All tags of `html`, without comments. One that never ends is the end.
pub(super) fn tags(html: &str) -> impl Iterator<Item = Tag<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let at = from + html[from..].find('<')?;
            let rest = &html[at..];
            if rest.starts_with("<!--") {
                from = at + rest.find("-->")? + 3;
            } else if rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') {
                let text = &rest[..length(rest)?];
                from = at + text.len();
                return Some(Tag { at, text });
            } else {
                from = at + 1;
            }
        }
    })
}

/// To the first `>` that no quotes hold.
fn length(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in tag.char_indices() {
        match (c, quote) {
            ('>', None) => return Some(at + 1),
            ('"' | '\'', None) if tag[..at].trim_end().ends_with('=') => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            _ => {}
        }
    }
    None
}

impl<'h> Tag<'h> {
    /// The element's name as written; empty for a closing tag.
    pub(super) fn name(&self) -> &'h str {
        let text = &self.text[1..];
        &text[..text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len())]
    }

    /// Whether it opens such an element.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name)
    }

    /// Names of attributes as written, and where in the tag their values are, without quotes.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (&'h str, Range<usize>)> {
        let text = self.text;
        let mut from = 1 + self.name().len();
        std::iter::from_fn(move || {
            let body = text.strip_suffix('>').unwrap_or(text);
            from += body.get(from..)?.find(|c: char| !c.is_ascii_whitespace() && c != '/')?;
            let name = &body[from..];
            let name = &name[..name.find(|c: char| c.is_ascii_whitespace() || matches!(c, '=' | '/')).unwrap_or(name.len())];
            from += name.len();
            let after = body[from..].trim_ascii_start();
            let Some(value) = after.strip_prefix('=') else {
                return if name.is_empty() { None } else { Some((name, from..from)) };
            };
            let value = value.trim_ascii_start();
            let start = body.len() - value.len();
            let range = match value.chars().next() {
                Some(quote @ ('"' | '\'')) => start + 1..start + 1 + value[1..].find(quote).unwrap_or(value.len() - 1),
                _ => start..start + value.find(|c: char| c.is_ascii_whitespace()).unwrap_or(value.len()),
            };
            // Past the closing quote.
            from = (range.end + usize::from(range.start > start)).min(body.len());
            Some((name, range))
        })
    }

    /// The value of an attribute, with the entities of addresses undone.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        let (_, range) = self.attributes().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(unescape(&self.text[range]))
    }
}

/// The entities that addresses in HTML hold.
pub(super) fn unescape(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    text.replace("&quot;", "\"").replace("&#39;", "'").replace("&#38;", "&").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found_whatever_their_attributes_hold() {
        let html = "a < b <!-- <img src=no> --> <IMG alt='1 > 0 <b>' src=a.jpg\n data-x title=\"t\"/>x</p><a href= 'b&amp;c'>";
        let found: Vec<_> = tags(html).collect();
        assert_eq!(found.iter().map(Tag::name).collect::<Vec<_>>(), ["IMG", "", "a"]);
        assert_eq!(found[0].attribute("src").as_deref(), Some("a.jpg"));
        assert_eq!(found[0].attribute("alt").as_deref(), Some("1 > 0 <b>"));
        assert_eq!(found[0].attributes().map(|(name, _)| name).collect::<Vec<_>>(), ["alt", "src", "data-x", "title"]);
        assert_eq!(found[2].attribute("href").as_deref(), Some("b&c"));
    }

    #[test]
    fn nothing_takes_more_than_one_walk() {
        for game in ["<a title=\"", "<", "<a", "<!--", "<a =", "<a b=\"'>"] {
            let html = game.repeat(100_000);
            let began = std::time::Instant::now();
            let count = tags(&html).map(|tag| tag.attributes().count()).sum::<usize>();
            assert!(count <= html.len() && began.elapsed().as_secs() < 20, "{game} took {:?}", began.elapsed());
        }
    }
}
