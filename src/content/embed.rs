//! Embedded players become links: nothing of a third party is loaded before a reader asks.
//!
//! This runs before the sanitiser, on whatever HTML came in, and only replaces tags by links
//! and text; what it writes is sanitised like everything else.

use url::Url;

const PLAYERS: [&str; 3] = ["iframe", "video", "audio"];

/// Replaces every `iframe`, `video` and `audio` by a link to what it would have played.
pub(super) fn link_players(html: &str) -> String {
    let mut linked = String::with_capacity(html.len());
    // Looked for once: after the last of them, every player is only its opening tag.
    let last_ends = PLAYERS.map(|name| html.rmatch_indices("</").find(|(at, _)| opens(&html[at + 2..], name)).map_or(0, |(at, _)| at));
    let mut rest = html;
    while let Some((at, player)) = next_player(rest) {
        linked.push_str(&rest[..at]);
        let is_closed = html.len() - rest.len() + at < last_ends[player];
        let (inner, after) = element(&rest[at..], is_closed.then_some(PLAYERS[player]));
        linked.push_str(&player_link(inner));
        rest = after;
    }
    linked.push_str(rest);
    linked
}

/// The nearest opening tag of a player, and which of [`PLAYERS`] it is.
fn next_player(html: &str) -> Option<(usize, usize)> {
    html.match_indices('<').find_map(|(at, _)| {
        let player = PLAYERS.iter().position(|name| opens(&html[at + 1..], name))?;
        Some((at, player))
    })
}

fn opens(text: &str, name: &str) -> bool {
    text.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name))
        && text[name.len()..].starts_with(|c: char| c.is_ascii_whitespace() || c == '>' || c == '/')
}

/// The whole element at the beginning of `html`, and what follows it. One that is never closed,
/// for which there is no name to look for, is its opening tag only.
fn element<'h>(html: &'h str, name: Option<&str>) -> (&'h str, &'h str) {
    let closed = name.and_then(|name| html.match_indices("</").find(|(at, _)| opens(&html[at + 2..], name)));
    let end = match closed {
        Some((at, _)) => html[at..].find('>').map_or(html.len(), |close| at + close + 1),
        None => html.find('>').map_or(html.len(), |close| close + 1),
    };
    html.split_at(end)
}

fn player_link(element: &str) -> String {
    let Some(source) = attribute(element, "src") else { return String::new() };
    let Some(target) = watch_address(&source) else { return String::new() };
    linked_video(&target, attribute(element, "poster").as_deref())
}

/// A link to where a video is watched, on a picture of it if there is one.
pub(super) fn linked_video(target: &str, poster: Option<&str>) -> String {
    let name = target.trim_start_matches("https://").trim_start_matches("http://").trim_start_matches("www.");
    let target = escape(target);
    match poster {
        Some(poster) => {
            format!("<p><a href=\"{target}\"><img src=\"{}\" alt=\"▶ {}\"></a></p>", escape(poster), escape(name))
        }
        None => format!("<p><a href=\"{target}\">▶ {}</a></p>", escape(name)),
    }
}

/// The page on which a person watches what an address plays.
pub(super) fn watch_address(source: &str) -> Option<String> {
    let source = source.trim();
    let absolute = if source.starts_with("//") { format!("https:{source}") } else { source.to_owned() };
    let Ok(url) = Url::parse(&absolute) else {
        // A file of the site's own, made absolute later. Anything with a scheme has parsed.
        return (!absolute.is_empty() && !absolute.contains(':')).then_some(absolute);
    };
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let host = url.host_str().unwrap_or_default().trim_start_matches("www.");
    let mut segments = url.path_segments()?;
    let video = match (host, segments.next(), segments.next()) {
        ("youtube.com" | "youtube-nocookie.com", Some("embed" | "shorts" | "live"), Some(id)) | ("youtu.be", Some(id), None) => Some(id),
        ("player.vimeo.com", Some("video"), Some(id)) => return Some(format!("https://vimeo.com/{id}")),
        _ => None,
    };
    Some(match video.filter(|id| !id.is_empty()) {
        Some(id) => format!("https://www.youtube.com/watch?v={id}"),
        None => absolute,
    })
}

/// The value of the first attribute so named in an element.
fn attribute(element: &str, name: &str) -> Option<String> {
    let lower = element.to_ascii_lowercase();
    lower.match_indices(name).find_map(|(at, _)| {
        if !lower[..at].ends_with(|c: char| c.is_ascii_whitespace() || c == '"' || c == '\'') {
            return None;
        }
        let rest = element[at + name.len()..].trim_start().strip_prefix('=')?.trim_start();
        let value = match rest.chars().next()? {
            quote @ ('"' | '\'') => rest[1..].split(quote).next()?,
            _ => rest.split(|c: char| c.is_ascii_whitespace() || c == '>').next()?,
        };
        Some(value.replace("&amp;", "&"))
    })
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_player_becomes_a_link_to_its_page() {
        let html = "<p>a</p><IFRAME width=\"5\" src=\"//www.youtube.com/embed/abc123?rel=0\" allowfullscreen></IFRAME><p>b</p>";
        assert_eq!(
            link_players(html),
            "<p>a</p><p><a href=\"https://www.youtube.com/watch?v=abc123\">▶ youtube.com/watch?v=abc123</a></p><p>b</p>"
        );
        let html = "<video poster='p.jpg' controls><source src='talk.mp4'></video>";
        assert_eq!(link_players(html), "<p><a href=\"talk.mp4\"><img src=\"p.jpg\" alt=\"▶ talk.mp4\"></a></p>");
    }

    #[test]
    fn a_player_of_nothing_good_disappears() {
        for html in ["<iframe src=\"javascript:alert(1)\"></iframe>", "<iframe srcdoc='<b>x</b>'></iframe>", "<video></video>"] {
            assert_eq!(link_players(html), "", "{html}");
        }
        assert_eq!(link_players("<iframe src=data:text/html,x>tail"), "tail");
        assert_eq!(link_players("a < b, videos and <videoclip>"), "a < b, videos and <videoclip>");
    }
}
