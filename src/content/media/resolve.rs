//! Which file of the folder a link means.

use super::super::identity::is_article_extension;
use crate::site::{FILES, Site, file_path};
use percent_encoding::percent_decode_str;
use url::Url;

/// What a link means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A page of somebody, or a part of this one.
    Elsewhere,
    /// What would be outside the content folder.
    Outside,
    /// A path from the root of the content folder, whether a file is there or not.
    Path(String),
}

/// Which hosts are ours, and where our addresses begin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Own {
    base: String,
    hosts: Vec<String>,
}

impl Own {
    /// No site at all.
    pub(super) const NONE: Self = Self { base: String::new(), hosts: Vec::new() };

    /// The site and the hosts it had before.
    pub(super) fn of(site: &Site) -> Self {
        let host = site.base_url.host_str().unwrap_or_default().trim_start_matches("www.").to_owned();
        let hosts = std::iter::once(host).chain(site.legacy.iter().map(|legacy| legacy.host.clone())).collect();
        Self { base: site.link(""), hosts }
    }

    /// The absolute link under which a file is served.
    pub(super) fn link(&self, path: &str) -> String {
        format!("{}{}", self.base, file_path(path))
    }

    /// What a link in the article at the path `article` means.
    pub(super) fn target(&self, link: &str, article: &str) -> Target {
        let link = link.trim().split(['?', '#']).next().unwrap_or_default().replace('\\', "/");
        let whole = if link.starts_with("//") { format!("https:{link}") } else { link.clone() };
        let (folder, path) = match Url::parse(&whole) {
            Ok(url) if self.is_own(&url) => ("", url.path().to_owned()),
            Ok(_) => return Target::Elsewhere,
            Err(_) if link.starts_with('/') => ("", link),
            Err(_) => (article.rsplit_once('/').map_or("", |(folder, _)| folder), link),
        };
        let path = if folder.is_empty() && path.starts_with(FILES) { &path[FILES.len()..] } else { &path };
        let Ok(path) = percent_decode_str(path).decode_utf8() else { return Target::Elsewhere };
        if path.is_empty() || path.ends_with('/') || path.contains(char::is_control) {
            return Target::Elsewhere;
        }
        let mut segments: Vec<&str> = folder.split('/').filter(|segment| !segment.is_empty()).collect();
        for segment in path.split('/') {
            match segment {
                "" | "." => {}
                ".." => match segments.pop() {
                    Some(_) => {}
                    None => return Target::Outside,
                },
                segment => segments.push(segment),
            }
        }
        // What is hidden from the scan is hidden from readers.
        let hidden = |segment: &&str| segment.starts_with(['.', '#', '~']) || segment.ends_with(['~', '#']);
        if segments.is_empty() || segments.iter().any(hidden) {
            return Target::Elsewhere;
        }
        Target::Path(segments.join("/"))
    }

    fn is_own(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default().trim_start_matches("www.");
        matches!(url.scheme(), "http" | "https") && self.hosts.iter().any(|own| own == host)
    }
}

/// Whether a path is that of an article, which is read as a page and never served as a file.
pub(super) fn is_article(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, extension)| is_article_extension(extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_means_a_file_beside_the_article_or_from_the_root() {
        let own = Own { base: "https://news.example.org".to_owned(), hosts: vec!["news.example.org".to_owned(), "example.org".to_owned()] };
        let table = [
            ("photo.jpg", Some("stories/2027/photo.jpg")),
            ("./photo.jpg?x=1#top", Some("stories/2027/photo.jpg")),
            ("../shared/%E5%86%99%E7%9C%9F.jpg", Some("stories/shared/写真.jpg")),
            ("images\\a b.png", Some("stories/2027/images/a b.png")),
            ("/wp-content/uploads/2011/07/x.jpg", Some("wp-content/uploads/2011/07/x.jpg")),
            ("http://www.example.org/wp-content/uploads/x.jpg", Some("wp-content/uploads/x.jpg")),
            ("//news.example.org/files/stories/x.jpg", Some("stories/x.jpg")),
            ("https://elsewhere.example/x.jpg", None),
            ("mailto:a@example.org", None),
            ("#part", None),
            ("../other/", None),
            (".git/config", None),
            ("/.env", None),
            ("a%00.jpg", None),
            ("%ff.jpg", None),
            ("", None),
        ];
        for (link, expected) in table {
            let expected = expected.map_or(Target::Elsewhere, |path| Target::Path(path.to_owned()));
            assert_eq!(own.target(link, "stories/2027/a.md"), expected, "{link}");
        }
        assert_eq!(own.target("../../../etc/passwd", "stories/2027/a.md"), Target::Outside);
        assert_eq!(own.target("%2e%2e/%2e%2e/%2e%2e/x", "stories/2027/a.md"), Target::Outside);
        assert_eq!(own.link("a b/写.jpg"), "https://news.example.org/files/a%20b/%E5%86%99.jpg");
        assert_eq!(own.link("wp-content/uploads/x.jpg"), "https://news.example.org/wp-content/uploads/x.jpg");
    }
}
