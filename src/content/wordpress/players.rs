//! Addresses that WordPress would have turned into players: alone on a line, or in `[embed]`.

use super::html::escape;
use url::Url;

/// What stands for an address that was to be embedded: a player where one is known, else a link.
/// On Clarion's pages a player becomes a link in turn, since pages load nothing of others.
pub(super) fn embed(address: &str) -> Option<String> {
    let address = address.trim().replace("&amp;", "&").replace("&#038;", "&");
    let url = Url::parse(&address).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    Some(match player(&url) {
        Some(source) => format!("<iframe src=\"{}\"></iframe>", escape(&source)),
        None => format!("<p><a href=\"{}\">{}</a></p>", escape(url.as_str()), escape(&address)),
    })
}

/// The address of the player for a video's page.
fn player(url: &Url) -> Option<String> {
    let host = url.host_str()?.trim_start_matches("www.").trim_start_matches("m.");
    let segments: Vec<&str> = url.path_segments()?.filter(|segment| !segment.is_empty()).collect();
    let watched = || url.query_pairs().find(|(key, _)| key == "v").map(|(_, id)| id.into_owned());
    match (host, &segments[..]) {
        ("youtube.com" | "youtube-nocookie.com", ["watch"]) => youtube(&watched()?),
        ("youtube.com" | "youtube-nocookie.com", ["embed" | "v" | "shorts" | "live", id]) | ("youtu.be", [id]) => youtube(id),
        ("vimeo.com", [id]) | ("player.vimeo.com", ["video", id]) => vimeo(id),
        _ => None,
    }
}

/// The player of a video known by its name on that site.
pub(super) fn youtube(id: &str) -> Option<String> {
    let named = !id.is_empty() && id.len() <= 64 && id.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    named.then(|| format!("https://www.youtube.com/embed/{id}"))
}

/// The same for the other site.
pub(super) fn vimeo(id: &str) -> Option<String> {
    (!id.is_empty() && id.len() <= 20 && id.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| format!("https://player.vimeo.com/video/{id}"))
}

/// Embeds every address that stands alone on its line, as WordPress does.
pub(super) fn embed_lines(text: &str) -> String {
    let mut embedded = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        match line_address(line).and_then(embed) {
            Some(html) => {
                embedded.push('\n');
                embedded.push_str(&html);
                embedded.push_str("\n\n");
            }
            None => embedded.push_str(line),
        }
    }
    embedded
}

/// The address that is all there is on a line, perhaps in a paragraph of its own.
fn line_address(line: &str) -> Option<&str> {
    let line = line.trim();
    let line = line.strip_prefix("<p>").and_then(|line| line.strip_suffix("</p>")).unwrap_or(line).trim();
    let is_address = line.starts_with("https://") || line.starts_with("http://");
    (is_address && !line.contains(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '[' | ']'))).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_alone_on_a_line_is_embedded() {
        assert_eq!(
            embed_lines("a\n\nhttps://youtu.be/abc-DEF_123\n\nhttps://example.org/a?b=1&amp;c=2\nsee https://example.org/"),
            "a\n\n\n<iframe src=\"https://www.youtube.com/embed/abc-DEF_123\"></iframe>\n\n\n\n<p><a href=\"https://example.org/a?b=1&amp;c=2\">https://example.org/a?b=1&amp;c=2</a></p>\n\nsee https://example.org/"
        );
        assert_eq!(
            embed("https://www.youtube.com/watch?t=3&v=abc").unwrap(),
            "<iframe src=\"https://www.youtube.com/embed/abc\"></iframe>"
        );
        assert_eq!(embed("http://vimeo.com/123").unwrap(), "<iframe src=\"https://player.vimeo.com/video/123\"></iframe>");
        assert_eq!(embed("javascript:alert(1)"), None);
        assert!(
            embed("https://www.youtube.com/watch?v=a\"b").unwrap().starts_with("<p><a href=\"https://www.youtube.com/watch?v=a%22b\">")
        );
    }
}
