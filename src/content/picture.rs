//! Pictures in sanitised HTML: their size, so that a page does not jump while they come.

use super::media::Files;
use super::tags::{Tag, tags};

/// Tells the size of pictures that are files of ours, and lets all but the first wait until a
/// reader comes to them. Only numbers and a fixed word are added.
pub(super) fn dress(html: &str, files: &Files) -> String {
    let mut dressed = String::with_capacity(html.len() + html.len() / 16);
    let (mut from, mut is_first) = (0, true);
    for tag in tags(html).filter(|tag| tag.is("img")) {
        let mut added = String::new();
        let is_sized = ["width", "height"].iter().any(|name| tag.attribute(name).is_some());
        let size = tag.attribute("src").filter(|_| !is_sized).and_then(|src| files.get(&src)?.size);
        if let Some((width, height)) = size {
            added = format!(" width=\"{width}\" height=\"{height}\"");
        }
        if !is_first {
            added.push_str(" loading=\"lazy\"");
        }
        is_first = false;
        // Before whatever ends the tag.
        let end = tag.at + tag.text.trim_end_matches(['>', '/', ' ']).len();
        dressed.push_str(&html[from..end]);
        dressed.push_str(&added);
        from = end;
    }
    dressed.push_str(&html[from..]);
    dressed
}

/// HTML without what only helps programs: two versions that give the same say the same.
pub(super) fn said(html: &str) -> String {
    let mut said = String::with_capacity(html.len());
    let mut from = 0;
    for tag in tags(html) {
        said.push_str(&html[from..tag.at]);
        said.push('<');
        said.push_str(if tag.text.starts_with("</") { tag.text } else { tag.name() });
        said.extend(kept(&tag));
        from = tag.at + tag.text.len();
    }
    said.push_str(&html[from..]);
    said
}

fn kept<'h>(tag: &Tag<'h>) -> impl Iterator<Item = &'h str> {
    let text = tag.text;
    let helps = |name: &str| matches!(name, "id" | "width" | "height" | "loading");
    tag.attributes().filter(move |(name, _)| !helps(name)).flat_map(move |(name, range)| [" ", name, "=", &text[range]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_pictures_but_the_first_wait_and_say_the_same() {
        let html = "<p>a <img src=\"a.jpg\" alt=\"1 > 0 <img>\"><img src=\"b.jpg\" /></p>";
        let dressed = dress(html, &Files::default());
        assert_eq!(dressed, "<p>a <img src=\"a.jpg\" alt=\"1 > 0 <img>\"><img src=\"b.jpg\" loading=\"lazy\" /></p>");
        assert_eq!(said(html), said(&dressed));
        assert_ne!(said(html), said(&html.replace("b.jpg", "c.jpg")));
        assert_ne!(said(html), said(&html.replace("</p>", "</div>")));
    }
}
