//! What a feed answers to every kind of conditional request and wish for a coding (F19–F22), on
//! the running server, byte by byte: no client library in between that repairs anything.

use super::{publish, published};
use crate::support::articles::draft;
use crate::support::on_each_engine;
use crate::support::web::Site;
use clarion::feed::{Coding, CodingStep};
use clarion::task::{Step as _, Wake};
use std::io::Read as _;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What is expected of an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Expected {
    /// 200 with the whole feed in this coding.
    Full(Coding),
    /// 304 with the entity tag of this coding.
    Same(Coding),
    /// This status, and nothing of a feed.
    Refused(u16),
}

use Coding::{Brotli, Gzip, Identity, Zstd};
use Expected::{Full, Refused, Same};

/// Method, query, header lines, what is expected. In the lines, `{stem}` stands for the hash, and
/// `{then}`, `{before}`, `{after}`, `{future}`, `{rfc850}`, `{asctime}` for dates.
const TABLE: &[(&str, &str, &str, Expected)] = &[
    // Nothing held.
    ("GET", "", "", Full(Identity)),
    ("HEAD", "", "", Full(Identity)),
    ("HEAD", "", "Accept-Encoding: gzip", Full(Gzip)),
    // Codings.
    ("GET", "", "Accept-Encoding: gzip", Full(Gzip)),
    ("GET", "", "Accept-Encoding: GZip", Full(Gzip)),
    ("GET", "", "Accept-Encoding: x-gzip", Full(Gzip)),
    ("GET", "", "Accept-Encoding: br", Full(Brotli)),
    ("GET", "", "Accept-Encoding: zstd", Full(Zstd)),
    ("GET", "", "Accept-Encoding: gzip, deflate, br, zstd", Full(Brotli)),
    ("GET", "", "Accept-Encoding: br;q=0.5, zstd;q=0.8, gzip;q=0.9", Full(Gzip)),
    ("GET", "", "Accept-Encoding: gzip;q=0.001, identity;q=0.002", Full(Identity)),
    ("GET", "", "Accept-Encoding: gzip;q=0", Full(Identity)),
    ("GET", "", "Accept-Encoding: identity;q=0, gzip;q=0.1", Full(Gzip)),
    ("GET", "", "Accept-Encoding: identity;q=0", Full(Identity)),
    ("GET", "", "Accept-Encoding: *;q=0", Full(Identity)),
    ("GET", "", "Accept-Encoding: *", Full(Gzip)),
    ("GET", "", "Accept-Encoding: gzip;q=0, *", Full(Identity)),
    ("GET", "", "Accept-Encoding: compress, exi, deflate", Full(Identity)),
    ("GET", "", "Accept-Encoding: gzip;q=2, br;q=x", Full(Identity)),
    ("GET", "", "Accept-Encoding: deflate\r\nAccept-Encoding: br;q=0.4, gzip", Full(Gzip)),
    ("GET", "", "Accept-Encoding:", Full(Identity)),
    // Entity tags.
    ("GET", "", "If-None-Match: \"{stem}\"", Same(Identity)),
    ("HEAD", "", "If-None-Match: \"{stem}\"", Same(Identity)),
    ("GET", "", "If-None-Match: W/\"{stem}\"", Same(Identity)),
    ("GET", "", "If-None-Match: w/\"{stem}\"", Full(Identity)),
    ("GET", "", "If-None-Match: {stem}", Full(Identity)),
    ("GET", "", "If-None-Match: \"{stem}", Full(Identity)),
    ("GET", "", "If-None-Match: \"other\"", Full(Identity)),
    ("GET", "", "If-None-Match: \"a\", W/\"{stem}\" ,\"b\"", Same(Identity)),
    ("GET", "", "If-None-Match: \"a\"\r\nIf-None-Match: \"{stem}\"", Same(Identity)),
    ("GET", "", "If-None-Match: *", Same(Identity)),
    ("GET", "", "If-None-Match: *\r\nAccept-Encoding: gzip", Same(Gzip)),
    ("GET", "", "If-None-Match: \"a,*,b\"", Full(Identity)),
    ("GET", "", "If-None-Match:", Full(Identity)),
    ("GET", "", "If-None-Match: \"\u{e9}\"", Full(Identity)),
    // Of a coding.
    ("GET", "", "If-None-Match: \"{stem}-gzip\"\r\nAccept-Encoding: gzip", Same(Gzip)),
    ("GET", "", "If-None-Match: \"{stem}-gzip\"\r\nAccept-Encoding: gzip, br", Same(Gzip)),
    ("GET", "", "If-None-Match: \"{stem}-br\"\r\nAccept-Encoding: gzip, br", Same(Brotli)),
    ("GET", "", "If-None-Match: \"{stem}-zstd\"\r\nAccept-Encoding: gzip, zstd", Same(Zstd)),
    ("GET", "", "If-None-Match: \"{stem}\"\r\nAccept-Encoding: gzip", Same(Identity)),
    ("GET", "", "If-None-Match: \"{stem}-gzip\"", Full(Identity)),
    ("GET", "", "If-None-Match: \"{stem}-br\"\r\nAccept-Encoding: gzip", Full(Gzip)),
    ("GET", "", "If-None-Match: \"{stem}\"\r\nAccept-Encoding: gzip, identity;q=0", Full(Gzip)),
    ("GET", "", "If-None-Match: \"{stem}-deflate\"\r\nAccept-Encoding: gzip", Full(Gzip)),
    // Dates.
    ("GET", "", "If-Modified-Since: {then}", Same(Identity)),
    ("HEAD", "", "If-Modified-Since: {then}", Same(Identity)),
    ("GET", "", "If-Modified-Since: {after}\r\nAccept-Encoding: gzip", Same(Gzip)),
    ("GET", "", "If-Modified-Since: {future}", Same(Identity)),
    ("GET", "", "If-Modified-Since: {before}", Full(Identity)),
    ("GET", "", "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT", Full(Identity)),
    ("GET", "", "If-Modified-Since: {rfc850}", Same(Identity)),
    ("GET", "", "If-Modified-Since: {asctime}", Same(Identity)),
    ("GET", "", "If-Modified-Since: yesterday", Full(Identity)),
    ("GET", "", "If-Modified-Since: 1821427200", Full(Identity)),
    ("GET", "", "If-Modified-Since:", Full(Identity)),
    ("GET", "", "If-Modified-Since: {then}\r\nIf-Modified-Since: {then}", Full(Identity)),
    // The tag outranks the date.
    ("GET", "", "If-None-Match: \"other\"\r\nIf-Modified-Since: {after}", Full(Identity)),
    ("GET", "", "If-Modified-Since: {before}\r\nIf-None-Match: \"{stem}\"", Same(Identity)),
    // Only what is known.
    ("GET", "", "If-Match: \"{stem}\"", Full(Identity)),
    ("GET", "", "If-Match: *", Full(Identity)),
    ("GET", "", "If-Match: \"other\"", Refused(412)),
    ("GET", "", "If-Match: W/\"{stem}\"", Refused(412)),
    ("GET", "", "If-Match: \"{stem}-gzip\"\r\nAccept-Encoding: gzip", Full(Gzip)),
    ("GET", "", "If-Match: \"{stem}\"\r\nIf-None-Match: \"{stem}\"", Same(Identity)),
    ("GET", "", "If-Match: \"other\"\r\nIf-None-Match: \"{stem}\"", Refused(412)),
    ("GET", "", "If-Unmodified-Since: {then}", Full(Identity)),
    ("GET", "", "If-Unmodified-Since: {before}", Refused(412)),
    ("GET", "", "If-Unmodified-Since: {before}\r\nIf-Match: \"{stem}\"", Full(Identity)),
    // What changes nothing.
    ("GET", "?utm_source=x&a=1", "If-None-Match: \"{stem}\"", Same(Identity)),
    ("GET", "?%00&&=;", "Accept-Encoding: gzip", Full(Gzip)),
    ("GET", "?raw", "", Full(Identity)),
    ("GET", "", "Range: bytes=0-9", Full(Identity)),
    ("GET", "", "Range: bytes=0-9\r\nIf-Range: \"{stem}\"\r\nAccept-Encoding: gzip", Full(Gzip)),
    ("GET", "", "Range: bytes=99999999-", Full(Identity)),
    ("GET", "", "A-IM: feed, gzip\r\nIf-None-Match: \"other\"", Full(Identity)),
    ("GET", "", "A-IM: feed\r\nIf-None-Match: \"{stem}\"", Same(Identity)),
    ("GET", "", "Cache-Control: no-cache\r\nPragma: no-cache\r\nIf-None-Match: \"{stem}\"", Same(Identity)),
    ("GET", "", "Accept: text/html\r\nUser-Agent: Bot/1.0", Full(Identity)),
    ("GET", "", "Cookie: a=b\r\nAuthorization: Basic eDp5", Full(Identity)),
    // What is no HTTP, or no way to ask.
    ("GET", "", "If-None-Match: \"a\",\r\n \"{stem}\"", Refused(400)),
    ("POST", "", "Content-Length: 0", Refused(405)),
    ("PROPFIND", "", "", Refused(405)),
];

/// An answer as it came.
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    fn one(&self, name: &str) -> &str {
        let all = self.all(name);
        assert!(all.len() <= 1, "{name} is said {} times", all.len());
        all.first().copied().unwrap_or_default()
    }
}

async fn ask(site: &Site, path: &str, method: &str, lines: &str) -> Answer {
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    let lines = if lines.is_empty() { String::new() } else { format!("{lines}\r\n") };
    let request = format!("{method} {path} HTTP/1.1\r\nHost: news.example.org\r\nConnection: close\r\n{lines}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    // What is refused unread may end with a reset; what was said before it counts.
    let _ = stream.read_to_end(&mut bytes).await;
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer");
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut head = head.split("\r\n");
    let status = head.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = head.map(|line| line.split_once(": ").unwrap()).map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
    Answer { status, headers: headers.collect(), body: bytes[end + 4..].to_vec() }
}

fn decoded(coding: Coding, bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    match coding {
        Identity => text.extend(bytes),
        Gzip => drop(flate2::read::GzDecoder::new(bytes).read_to_end(&mut text).unwrap()),
        Brotli => drop(brotli::Decompressor::new(bytes, 4096).read_to_end(&mut text).unwrap()),
        Zstd => text = zstd::bulk::decompress(bytes, 10_000_000).unwrap(),
    }
    text
}

/// The dates and the tag that lines of the table name.
fn filled(lines: &str, stem: &str, then: SystemTime) -> String {
    let date = |instant: SystemTime| httpdate::fmt_http_date(instant);
    let civil = jiff::Timestamp::try_from(then).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
    lines
        .replace("{stem}", stem)
        .replace("{then}", &date(then))
        .replace("{before}", &date(then - Duration::from_secs(1)))
        .replace("{after}", &date(then + Duration::from_secs(1)))
        .replace("{future}", &date(then + Duration::from_hours(24 * 365 * 5)))
        .replace("{rfc850}", &civil.strftime("%A, %d-%b-%y %H:%M:%S GMT").to_string())
        .replace("{asctime}", &civil.strftime("%a %b %e %H:%M:%S %Y").to_string())
}

/// What every answer for a feed must say, and must not.
fn judge(answer: &Answer, method: &str, expected: Expected, first: &Answer, row: &str) {
    let hash = first.one("etag").trim_matches('"');
    // What is not sent again need not be described again (RFC 9110 §15.4.5).
    assert!(matches!(expected, Same(_)) || answer.one("x-content-type-options") == "nosniff", "{row}");
    assert!(answer.all("set-cookie").is_empty(), "{row}");
    let coding = match expected {
        Refused(_) => return assert_eq!(answer.one("etag"), "", "{row}"),
        Full(coding) | Same(coding) => coding,
    };
    assert_eq!(answer.one("etag"), format!("\"{hash}{}\"", coding.suffix()), "{row}");
    for name in ["cache-control", "vary", "last-modified", "access-control-allow-origin"] {
        assert_eq!(answer.one(name), first.one(name), "{name} of {row}");
        assert!(!answer.one(name).is_empty(), "{name} of {row}");
    }
    if let Same(_) = expected {
        assert!(answer.body.is_empty(), "{row}");
        for name in ["content-length", "content-type", "content-encoding", "transfer-encoding"] {
            assert_eq!(answer.one(name), "", "{name} of {row}");
        }
        return;
    }
    assert_eq!(answer.one("content-type"), first.one("content-type"), "{row}");
    let name = coding.name().map_or(String::new(), |name| name.to_str().unwrap().to_owned());
    assert_eq!(answer.one("content-encoding"), name, "{row}");
    if method == "HEAD" {
        assert!(answer.body.is_empty(), "{row}");
        let length: usize = answer.one("content-length").parse().unwrap();
        assert!(length > 0 && (coding == Identity) == (length == first.body.len()), "{row}");
    } else {
        assert_eq!(answer.one("content-length"), answer.body.len().to_string(), "{row}");
        assert_eq!(decoded(coding, &answer.body), first.body, "{row}");
    }
}

/// Makes every coding of what is on the shelf.
async fn code_all(site: &Site) {
    let step = CodingStep::new(site.state.shelf.clone(), site.state.clock.clone());
    while step.step().await.unwrap() != Wake::WhenKicked {}
}

#[tokio::test]
async fn every_conditional_request_has_its_answer() {
    on_each_engine(async |world| {
        draft("en", "one", 1, &["defectors"]).save(&world).await;
        let (site, _) = published(&world).await;
        code_all(&site).await;
        // At its own address, where it is found at once, and at WordPress's, by way of the router.
        for path in ["/feed.xml", "/feed/atom/"] {
            let first = ask(&site, path, "GET", "").await;
            let stem = first.one("etag").trim_matches('"').to_owned();
            let then = httpdate::parse_http_date(first.one("last-modified")).unwrap();
            assert_eq!((first.status, stem.len()), (200, 64));
            for (method, query, lines, expected) in TABLE {
                let row = format!("{method} {path}{query} {lines:?}");
                let answer = ask(&site, &format!("{path}{query}"), method, &filled(lines, &stem, then)).await;
                let status = match expected {
                    Full(_) => 200,
                    Same(_) => 304,
                    Refused(status) => *status,
                };
                assert_eq!(answer.status, status, "{row}");
                if status != 400 {
                    judge(&answer, method, *expected, &first, &row);
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_long_list_of_tags_is_read_and_one_without_end_is_refused() {
    on_each_engine(async |world| {
        draft("en", "one", 1, &[]).save(&world).await;
        let (site, _) = published(&world).await;
        let first = ask(&site, "/feed.json", "GET", "").await;
        let list = |count: usize| {
            let mut tags: Vec<String> = (0..count).map(|number| format!("\"{number:064}\"")).collect();
            tags.push(first.one("etag").to_owned());
            format!("If-None-Match: {}", tags.join(", "))
        };
        assert_eq!(ask(&site, "/feed.json", "GET", &list(400)).await.status, 304);
        assert_eq!(ask(&site, "/feed.json", "GET", &list(4_000)).await.status, 431);
        let many = vec!["If-None-Match: \"x\""; 60].join("\r\n");
        let spread = format!("{many}\r\nIf-None-Match: {}", first.one("etag"));
        assert_eq!(ask(&site, "/feed.json", "GET", &spread).await.status, 304);
    })
    .await;
}

#[tokio::test]
async fn until_br_and_zstd_are_made_gzip_is_served_and_they_are_known_already() {
    on_each_engine(async |world| {
        let mut article = draft("en", "one", 1, &[]);
        article.save(&world).await;
        let (site, step) = published(&world).await;
        let wish = "Accept-Encoding: gzip, deflate, br, zstd";
        let first = ask(&site, "/feed.xml", "GET", "").await;
        let early = ask(&site, "/feed.xml", "GET", wish).await;
        judge(&early, "GET", Full(Gzip), &first, "before");
        judge(&ask(&site, "/feed.xml", "GET", "Accept-Encoding: br").await, "GET", Full(Identity), &first, "br alone, before");
        let hash = first.one("etag").trim_matches('"');
        let held = format!("{wish}\r\nIf-None-Match: \"{hash}-br\"");
        judge(&ask(&site, "/feed.xml", "GET", &held).await, "GET", Same(Brotli), &first, "from another node");
        code_all(&site).await;
        judge(&ask(&site, "/feed.xml", "GET", wish).await, "GET", Full(Brotli), &first, "after");
        let held = format!("{wish}\r\nIf-None-Match: {}", early.one("etag"));
        judge(&ask(&site, "/feed.xml", "GET", &held).await, "GET", Same(Gzip), &first, "who has gzip keeps it");

        article.title = "A correction".to_owned();
        article.save(&world).await;
        publish(&world, &step).await;
        let next = ask(&site, "/feed.xml", "GET", "").await;
        assert_ne!(next.one("etag"), first.one("etag"));
        judge(&ask(&site, "/feed.xml", "GET", wish).await, "GET", Full(Gzip), &next, "new bytes, old codings are gone");
        let held = format!("{wish}\r\nIf-None-Match: {}", early.one("etag"));
        judge(&ask(&site, "/feed.xml", "GET", &held).await, "GET", Full(Gzip), &next, "what was held is old");
    })
    .await;
}
