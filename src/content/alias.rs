//! Old addresses of articles: in which spelling they are kept, and how one is found however a
//! browser, a feed reader or an old link spells it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::{Url, form_urlencoded};

/// What stands in a stored path as it is (RFC 3986 §2.3, and the slash).
const PATH: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// An old address as it is kept: a path, or `/?p=123`. `None` if it names nothing but the home
/// page.
pub(super) fn stored(url: &Url) -> Option<String> {
    number(url.path(), url.query()).or_else(|| Some(canonical(url.path())).filter(|path| path.len() > 1))
}

/// The spellings under which an asked path may be kept, the likeliest first.
pub fn alias_spellings(path: &str) -> Vec<String> {
    let canonical = canonical(path);
    let other = match canonical.strip_suffix('/') {
        Some(bare) => bare.to_owned(),
        None => format!("{canonical}/"),
    };
    let mut spellings = vec![canonical, other];
    // WordPress's “numeric” permalinks, which it also answers after they were changed.
    let number = path.strip_prefix("/index.php").unwrap_or(path).strip_prefix("/archives/").map(|rest| rest.trim_end_matches('/'));
    spellings.extend(number.and_then(numbered));
    spellings.retain(|spelling| spelling.len() > 1);
    spellings
}

/// WordPress's oldest address, `/?p=123`, as it is kept; pages had `page_id`. It answers whatever
/// permalinks a site chose.
pub fn numbered_alias(path: &str, query: Option<&str>) -> Option<String> {
    number(path, query)
}

fn number(path: &str, query: Option<&str>) -> Option<String> {
    if !matches!(path, "" | "/" | "/index.php") {
        return None;
    }
    let mut pairs = form_urlencoded::parse(query?.as_bytes());
    pairs.find(|(name, _)| matches!(name.as_ref(), "p" | "page_id")).and_then(|(_, id)| numbered(&id))
}

fn numbered(id: &str) -> Option<String> {
    let id: u64 = id.parse().ok()?;
    Some(format!("/?p={id}"))
}

/// A path with its escapes in one spelling: WordPress writes `%e5`, browsers `%E5`.
fn canonical(path: &str) -> String {
    match percent_decode_str(path).decode_utf8() {
        Ok(decoded) => utf8_percent_encode(&decoded, &PATH).to_string(),
        Err(_) => path.replace('\0', "%00"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_one_spelling() {
        let kept = |link: &str| stored(&Url::parse(&format!("https://example.org{link}")).unwrap());
        assert_eq!(kept("/2011/07/%e5%b3%a0/").as_deref(), Some("/2011/07/%E5%B3%A0/"));
        assert_eq!(kept("/2011/07/峠/"), kept("/2011/07/%E5%B3%A0/"));
        assert_eq!(kept("/2011-07-center.htm").as_deref(), Some("/2011-07-center.htm"));
        assert_eq!(kept("/?lang=ja&p=12").as_deref(), Some("/?p=12"));
        assert_eq!(kept("/index.php?page_id=12").as_deref(), Some("/?p=12"));
        assert_eq!(kept("/"), None);
        assert_eq!(kept("/?p=x"), None);
        assert!(alias_spellings("/2011/07/%e5%b3%a0").contains(&kept("/2011/07/峠/").unwrap()));
        assert!(alias_spellings("/archives/12/").contains(&"/?p=12".to_owned()));
    }
}
