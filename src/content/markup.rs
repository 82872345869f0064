//! Markdown and HTML to HTML that is safe everywhere: on pages, in feeds, in mail.

use super::media::Files;
use super::{embed, markdown, picture};
use crate::language::Language;
use ammonia::Builder;
use std::borrow::Cow;
use std::collections::HashSet;
use url::Url;

/// Part of every article's hash: raised when the same file gives other HTML or another summary than before, so
/// that all are rendered anew.
pub(super) const VERSION: &str = "2";

/// What an article is written in.
#[derive(Clone, Copy, Debug)]
pub(super) enum Body<'b> {
    /// `CommonMark` with tables, footnotes, strikethrough and bare links.
    Markdown(&'b str),
    /// HTML, a whole document or a part of one.
    Html(&'b str),
}

/// Renders a body; its links lead to the files they mean, or are followed from `base`, the
/// article's own address.
pub(super) fn render(body: Body<'_>, language: &Language, base: &Url, files: &Files) -> String {
    let html = match body {
        Body::Markdown(text) => markdown::to_html(text, language),
        Body::Html(text) => text.to_owned(),
    };
    if weight(&html) > HEAVIEST {
        let (Body::Markdown(text) | Body::Html(text)) = body;
        return ammonia::clean_text(&super::text::clean(text));
    }
    let links = Links { base: base.clone(), files: files.clone() };
    picture::dress(&sanitise(&embed::link_players(&super::text::clean(&html)), links), files)
}

/// Where the links of an article lead.
pub(super) struct Links {
    pub(super) base: Url,
    pub(super) files: Files,
}

impl Links {
    /// The absolute link to what `link` means, if readers can follow it.
    pub(super) fn absolute(&self, link: &str) -> Option<String> {
        self.files.link(link).or_else(|| absolute(link, &self.base).map(String::from))
    }
}

/// A link made absolute, if it is one that readers can follow.
pub(super) fn absolute(link: &str, base: &Url) -> Option<Url> {
    base.join(link.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

/// A book of a thousand pages weighs less. What weighs more is a game with the parser, and is
/// shown as the text it is.
const HEAVIEST: usize = 1_000_000;

/// How much work HTML makes: for each tag, how many elements are open there. Elements that are
/// not closed, `<b id=1><b id=2>…`, are made anew in every paragraph that follows (HTML,
/// §13.2.4.3), so that a small file would take all the memory there is.
fn weight(html: &str) -> usize {
    const CLOSED_BY_OTHERS: [&str; 17] =
        ["p", "br", "li", "img", "td", "tr", "th", "hr", "dd", "dt", "tbody", "thead", "tfoot", "col", "source", "wbr", "input"];
    let (mut open, mut weight) = (0_usize, 0_usize);
    for (at, _) in html.match_indices('<') {
        let tag = &html[at + 1..];
        let (closes, tag) = tag.strip_prefix('/').map_or((false, tag), |tag| (true, tag));
        let name = &tag[..tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tag.len())];
        if name.is_empty() {
            continue;
        }
        if !CLOSED_BY_OTHERS.iter().any(|other| other.eq_ignore_ascii_case(name)) {
            open = if closes { open.saturating_sub(1) } else { open + 1 };
        }
        weight = weight.saturating_add(open);
    }
    weight
}

/// Before the ids in an article, so that they meet none of the page round it.
const ID_PREFIX: &str = "a-";

fn sanitise(html: &str, links: Links) -> String {
    Builder::default()
        .add_clean_content_tags(["title", "noscript", "template", "object", "applet", "textarea", "select", "button", "svg", "math"])
        .add_generic_attributes(["dir", "id"])
        .add_tag_attributes("img", ["srcset"])
        .add_allowed_classes("sup", ["footnote-reference", "footnote-definition-label"])
        .add_allowed_classes("div", ["footnote-definition"])
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel", "data"]))
        .attribute_filter(move |element, attribute, value| attribute_value(&links, element, attribute, value))
        .clean(html)
        .to_string()
}

/// What an attribute may say; `None` removes it.
fn attribute_value<'v>(links: &Links, element: &str, attribute: &str, value: &'v str) -> Option<Cow<'v, str>> {
    match (element, attribute) {
        (_, "id") => (!value.is_empty()).then(|| Cow::Owned(format!("{ID_PREFIX}{value}"))),
        (_, "dir") => matches!(value, "ltr" | "rtl" | "auto").then_some(Cow::Borrowed(value)),
        ("img", "src") if is_picture_data(value) => Some(value.into()),
        ("img", "src") | (_, "cite") => links.absolute(value).map(Cow::Owned),
        ("img", "srcset") => srcset(value, links).map(Cow::Owned),
        (_, "href") => match value.strip_prefix('#') {
            Some("") => Some(links.base.as_str().to_owned().into()),
            Some(id) => Some(format!("{}#{ID_PREFIX}{id}", links.base).into()),
            None => links.files.link(value).or_else(|| followed(value, &links.base)).map(Cow::Owned),
        },
        _ => Some(value.into()),
    }
}

/// A link of any scheme that the sanitiser lets pass, made absolute.
fn followed(link: &str, base: &Url) -> Option<String> {
    base.join(link.trim()).ok().filter(|url| url.scheme() != "data").map(String::from)
}

/// Pictures inside the text itself; SVG is left out, being a document of its own.
fn is_picture_data(value: &str) -> bool {
    let value = value.trim_start();
    ["png", "jpeg", "gif", "webp", "avif"].iter().any(|kind| {
        let head = format!("data:image/{kind}");
        value.get(..head.len()).is_some_and(|start| start.eq_ignore_ascii_case(&head)) && value[head.len()..].starts_with([';', ','])
    })
}

/// Candidates separated by commas, each an address and perhaps a width or density.
fn srcset(value: &str, links: &Links) -> Option<String> {
    let candidates: Vec<String> = value
        .split(", ")
        .filter_map(|candidate| {
            let mut parts = candidate.trim().trim_end_matches(',').split_whitespace();
            let url = links.absolute(parts.next()?)?;
            Some(parts.fold(url, |candidate, descriptor| format!("{candidate} {descriptor}")))
        })
        .collect();
    (!candidates.is_empty()).then(|| candidates.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(body: Body<'_>, language: &str) -> String {
        let base = Url::parse("https://example.org/2027/09/name/").unwrap();
        render(body, &Language::parse(language).unwrap(), &base, &Files::default())
    }

    #[test]
    fn links_are_followed_from_the_article() {
        let given = "[up](../other/) [top](/x) ![alt](photo.jpg) [note](#part) [mail](mailto:office@example.org)";
        let shown = html(Body::Markdown(given), "en");
        for link in [
            "href=\"https://example.org/2027/09/other/\"",
            "href=\"https://example.org/x\"",
            "src=\"https://example.org/2027/09/name/photo.jpg\"",
            "href=\"https://example.org/2027/09/name/#a-part\"",
            "href=\"mailto:office@example.org\"",
        ] {
            assert!(shown.contains(link), "{link} in {shown}");
        }
        let given = "<img src=a.png srcset='a.png 1x, b.png 2x'><blockquote cite=/q>q</blockquote>";
        let shown = html(Body::Html(given), "en");
        assert!(
            shown.contains("srcset=\"https://example.org/2027/09/name/a.png 1x, https://example.org/2027/09/name/b.png 2x\""),
            "{shown}"
        );
        assert!(shown.contains("cite=\"https://example.org/q\""), "{shown}");
    }

    #[test]
    fn bare_addresses_become_links_without_the_sentence_round_them() {
        let shown = html(Body::Markdown("See https://example.org/a_(b)_c. Or (https://example.org/d)! `https://example.org/code`"), "en");
        assert!(shown.contains(">https://example.org/a_(b)_c</a>. Or"), "{shown}");
        assert!(shown.contains(">https://example.org/d</a>)!"), "{shown}");
        assert!(shown.contains("<code>https://example.org/code</code>"), "{shown}");
        let shown = html(Body::Markdown("https://example.org/をご覧ください"), "ja");
        assert!(shown.contains(">https://example.org/</a>をご覧"), "{shown}");
        let shown = html(Body::Markdown("[https://example.org/](https://example.org/)"), "en");
        assert_eq!(shown.matches("<a ").count(), 1);
    }

    #[test]
    fn japanese_lines_join_without_a_space_and_keep_their_quotes() {
        assert_eq!(html(Body::Markdown("一行目\n二行目 \"a\""), "ja"), "<p>一行目二行目 \"a\"</p>\n");
        assert_eq!(html(Body::Markdown("It's \"one\"\ntwo"), "en"), "<p>It’s “one”\ntwo</p>\n");
    }

    #[test]
    fn tables_and_footnotes_survive() {
        let shown = html(Body::Markdown("| a | b |\n|--:|:-:|\n| 1 | 2 |\n\nText[^n].\n\n[^n]: Note."), "en");
        assert!(shown.contains("<td align=\"right\">1</td>"), "{shown}");
        assert!(shown.contains("id=\"a-n\"") && shown.contains("href=\"https://example.org/2027/09/name/#a-n\""), "{shown}");
        assert!(shown.contains("class=\"footnote-definition\""), "{shown}");
    }

    #[test]
    fn nothing_hostile_passes() {
        for hostile in include_str!("../../tests/fixtures/content/hostile.txt").lines().filter(|line| !line.is_empty()) {
            for shown in [html(Body::Html(hostile), "en"), html(Body::Markdown(hostile), "en")] {
                let lower = shown.to_lowercase();
                let tags: Vec<&str> = lower.split('<').skip(1).map(|tag| tag.split('>').next().unwrap_or_default()).collect();
                for tag in tags {
                    let bad = ["script", "style", "iframe", "form", "input", "object", "embed", "svg", "math", "link", "meta", "base"];
                    assert!(
                        !bad.iter().any(|name| tag.trim_start_matches('/').split([' ', '/']).next() == Some(name)),
                        "{hostile} gave {shown}"
                    );
                    let names = tag.split('"').step_by(2).collect::<String>();
                    assert!(!names.contains(" on") && !names.contains(" style"), "{hostile} gave {shown}");
                    assert!(
                        ["javascript:", "data:text", "vbscript:"].iter().all(|scheme| !tag.contains(&format!("\"{scheme}"))),
                        "{hostile} gave {shown}"
                    );
                }
            }
        }
    }

    #[test]
    fn no_text_takes_more_than_its_share_of_time_and_memory() {
        let many = 20_000;
        let open = (0..many / 10).map(|number| format!("<b id={number}>")).collect::<Vec<_>>().concat();
        let games = [
            open + &"<p>x".repeat(many),
            "<div>".repeat(many),
            ">".repeat(many),
            "<iframe> ".repeat(many) + &"</video>".repeat(many),
            "http://a ".repeat(many),
            format!("http://a{}", ").".repeat(many)),
        ];
        for game in games {
            let began = std::time::Instant::now();
            let shown = html(Body::Markdown(&game), "en");
            assert!(shown.len() < game.len() * 20, "{} octets of {}…", shown.len(), &game[..20]);
            assert!(began.elapsed().as_secs() < 20, "{:?} for {}…", began.elapsed(), &game[..20]);
        }
    }
}
