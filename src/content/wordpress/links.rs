//! Addresses of the old site, and what answers for them here.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use std::collections::HashMap;
use url::Url;

/// The folder of uploads, in every WordPress.
const UPLOADS: &str = "wp-content/uploads/";
/// What must be escaped in a path that stands in a link (RFC 3986 §3.3), beside all that is not
/// ASCII.
const PATH: AsciiSet =
    CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>').add(b'?').add(b'`').add(b'{').add(b'}').add(b'\\');
/// Files that would be taken for articles or programs, and those that are documents with
/// scripts of their own.
const REFUSED: [&str; 12] = ["md", "markdown", "html", "htm", "xhtml", "php", "phtml", "phar", "js", "css", "htaccess", "toml"];
/// In octets; longer paths are no name.
const LONGEST_PATH: usize = 600;

/// The hosts of the old site.
#[derive(Clone, Debug, Default)]
pub(super) struct OldSite {
    /// Lower case, without `www.`, with the port if there is one.
    hosts: Vec<String>,
    /// The home page's path, with a slash at the end.
    home: String,
    /// For links that begin with a slash.
    base: Option<Url>,
}

impl OldSite {
    /// From the addresses that the export names, and the names that the site had before.
    pub(super) fn new(home: &str, others: &[String]) -> Self {
        let base = Url::parse(home).ok().filter(Url::has_host);
        let mut hosts: Vec<String> = base.iter().filter_map(host).collect();
        for other in others {
            let url = Url::parse(other).or_else(|_| Url::parse(&format!("http://{other}")));
            hosts.extend(url.ok().as_ref().and_then(host));
        }
        let path = base.as_ref().map_or("/", Url::path);
        Self { hosts, home: format!("{}/", path.trim_end_matches('/')), base }
    }

    /// An address of the old site, in full; `None` for others.
    pub(super) fn own(&self, address: &str) -> Option<Url> {
        let url = match (Url::parse(address), &self.base) {
            (Ok(url), _) => url,
            (Err(_), Some(base)) if address.starts_with('/') => base.join(address).ok()?,
            _ => return None,
        };
        (matches!(url.scheme(), "http" | "https") && self.hosts.contains(&host(&url)?)).then_some(url)
    }

    /// Where an uploaded file is kept below the folder of articles: `wp-content/uploads/…`, each
    /// part an ordinary name. `Err`: it is one, but no file that may be kept.
    pub(super) fn upload(url: &Url) -> Option<Result<String, &'static str>> {
        let path = percent_decode_str(url.path()).decode_utf8().ok()?.into_owned();
        let at = path.find(&format!("/{UPLOADS}"))?;
        let path = &path[at + 1..];
        let rest = &path[UPLOADS.len()..];
        let parts: Vec<&str> = rest.split('/').collect();
        let bad =
            |part: &&str| part.is_empty() || part.starts_with('.') || part.contains(|c: char| c.is_control() || c == '\\' || c == ':');
        if parts.iter().any(bad) || path.len() > LONGEST_PATH || parts.iter().any(|part| part.len() > 250) {
            return Some(Err("its name leads elsewhere, or is no name"));
        }
        let extension = parts.last()?.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        match extension {
            None => Some(Err("it has no extension that says what it is")),
            Some(extension) if REFUSED.contains(&extension.as_str()) => Some(Err("files of its kind are not kept among articles")),
            Some(_) => Some(Ok(path.to_owned())),
        }
    }

    /// What tells posts apart by their address: the number in `?p=123`, or the path.
    pub(super) fn key(&self, url: &Url) -> Option<Key> {
        let number = url.query_pairs().find(|(name, _)| matches!(name.as_ref(), "p" | "page_id")).and_then(|(_, id)| id.parse().ok());
        if let Some(id) = number
            && (url.path() == self.home || url.path().trim_end_matches('/') == format!("{}index.php", self.home))
        {
            return Some(Key::Number(id));
        }
        let path = decoded(url.path());
        let path = path.trim_end_matches('/');
        (!path.is_empty() && path != self.home.trim_end_matches('/')).then(|| Key::Path(path.to_owned()))
    }
}

/// See [`OldSite::key`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// The post's number.
    Number(u64),
    /// Decoded, without the slash at its end.
    Path(String),
}

/// Where each imported post is read now.
pub(super) type Addresses = HashMap<Key, String>;

/// The new link for an old one: to what was imported, or to an uploaded file that is here.
pub(super) fn rewrite(old: &OldSite, addresses: &Addresses, is_here: &dyn Fn(&str) -> bool, address: &str) -> Option<String> {
    let url = old.own(address.trim())?;
    match OldSite::upload(&url) {
        Some(Ok(path)) => return is_here(&path).then(|| escaped(&format!("/{path}"))),
        Some(Err(_)) => return None,
        None => {}
    }
    let new = addresses.get(&old.key(&url)?)?;
    Some(url.fragment().map_or_else(|| new.clone(), |fragment| format!("{new}#{fragment}")))
}

/// A path as it stands in a link.
pub(super) fn escaped(path: &str) -> String {
    utf8_percent_encode(path, &PATH).to_string()
}

/// A path with its escapes read, if they are UTF-8.
pub(super) fn decoded(path: &str) -> String {
    percent_decode_str(path).decode_utf8().map_or_else(|_| path.to_owned(), std::borrow::Cow::into_owned)
}

fn host(url: &Url) -> Option<String> {
    let name = url.host_str()?.trim_start_matches("www.").to_ascii_lowercase();
    Some(url.port().map_or_else(|| name.clone(), |port| format!("{name}:{port}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn old() -> OldSite {
        OldSite::new("http://www.example.org/blog", &["old.example.org".to_owned()])
    }

    #[test]
    fn only_plain_files_below_uploads_are_kept() {
        let upload = |path: &str| OldSite::upload(&Url::parse(&format!("http://example.org{path}")).unwrap());
        assert_eq!(
            upload("/blog/wp-content/uploads/2011/07/%E5%86%99%E7%9C%9F-a.jpg"),
            Some(Ok("wp-content/uploads/2011/07/写真-a.jpg".into()))
        );
        for bad in [
            "..%2f..%2fetc/passwd.jpg",
            "%2e%2e/x.jpg",
            "a/.hidden.jpg",
            "a%00b.jpg",
            "a//b.jpg",
            "x.html",
            "x.MD",
            "x.php",
            "x",
            "a%5c..%5cb.jpg",
        ] {
            assert!(!matches!(upload(&format!("/wp-content/uploads/{bad}")), Some(Ok(_))), "{bad}");
        }
        assert_eq!(upload("/2011/07/x.jpg"), None);
    }

    #[test]
    fn old_links_lead_to_what_is_here() {
        let addresses = Addresses::from([
            (Key::Number(7), "/2011/07/a/".to_owned()),
            (Key::Path("/blog/2011/07/日本".to_owned()), "/ja/2011/07/日本/".to_owned()),
        ]);
        let new = |address: &str| rewrite(&old(), &addresses, &|path| path.ends_with("here.jpg"), address);
        assert_eq!(new("https://example.org/blog/?p=7").as_deref(), Some("/2011/07/a/"));
        assert_eq!(new("http://old.example.org/blog/2011/07/%e6%97%a5%e6%9c%ac#part").as_deref(), Some("/ja/2011/07/日本/#part"));
        assert_eq!(new("/blog/2011/07/%E6%97%A5%E6%9C%AC/").as_deref(), Some("/ja/2011/07/日本/"));
        assert_eq!(new("http://www.example.org/blog/wp-content/uploads/a%20here.jpg").as_deref(), Some("/wp-content/uploads/a%20here.jpg"));
        for kept in [
            "http://www.example.org/blog/wp-content/uploads/gone.jpg",
            "https://example.com/?p=7",
            "mailto:a@example.org",
            "#part",
            "/blog/?p=8",
        ] {
            assert_eq!(new(kept), None, "{kept}");
        }
    }
}
