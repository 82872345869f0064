//! A feed opened in a browser is a page for people (F25), and no cache mixes the two.

use super::published;
use crate::support::articles::draft;
use crate::support::on_each_engine;
use crate::support::web::{Site, header};
use reqwest::{Method, Response};

/// As Chromium, Firefox and Safari ask when somebody follows a link or types an address.
const NAVIGATION: &[(&str, &str)] = &[
    ("sec-fetch-dest", "document"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-site", "none"),
    ("sec-fetch-user", "?1"),
    ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
];

async fn visit(site: &Site, path: &str, more: &[(&str, &str)]) -> Response {
    let request = site.request(Method::GET, path);
    NAVIGATION.iter().chain(more).fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
}

#[tokio::test]
async fn a_person_sees_a_page_and_a_reader_the_feed() {
    on_each_engine(async |world| {
        draft("en", "one", 1, &["defectors"]).save(&world).await;
        draft("ja", "two", 1, &["defectors"]).save(&world).await;
        let (site, _) = published(&world).await;
        let page = visit(&site, "/category/defectors/feed.xml", &[]).await;
        assert_eq!(page.status(), 200);
        assert_eq!(header(&page, "content-type"), "text/html; charset=utf-8");
        assert!(header(&page, "content-security-policy").starts_with("default-src 'none'"));
        let text = page.text().await.unwrap();
        for part in [
            "<h1>Defectors</h1>",
            "<code dir=\"ltr\">http://news.example.org/category/defectors/feed.xml</code>",
            ">Title of one</a>",
            "href=\"/subscribe\"",
            "href=\"/category/defectors/atom.xml\"",
            "href=\"/category/defectors/feed.xml?raw\"",
            "feed reader",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        assert!(!text.contains("<script") && !text.contains("Title of two"));
        let japanese = visit(&site, "/ja/feed/atom/", &[]).await.text().await.unwrap();
        for part in ["lang=\"ja\"", "フィードリーダー", ">Title of two</a>", "http://news.example.org/ja/atom.xml"] {
            assert!(japanese.contains(part), "{part}");
        }
        let raw = visit(&site, "/feed.json?raw", &[]).await;
        assert_eq!(header(&raw, "content-type"), "application/feed+json; charset=utf-8");
        for path in ["/category/nothing/feed.xml", "/no-such-page/"] {
            assert_eq!(visit(&site, path, &[]).await.status(), 404, "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn whoever_is_no_browser_that_goes_somewhere_gets_the_feed() {
    on_each_engine(async |world| {
        draft("en", "one", 1, &[]).save(&world).await;
        let (site, _) = published(&world).await;
        let others: &[&[(&str, &str)]] = &[
            &[],
            &[("accept", "text/html,*/*")],
            &[("accept", "text/html"), ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0")],
            // A script of a web page, a frame, a reader that is a browser's extension.
            &[("sec-fetch-dest", "empty"), ("sec-fetch-mode", "cors")],
            &[("sec-fetch-dest", "empty"), ("sec-fetch-mode", "navigate")],
            &[("sec-fetch-dest", "iframe"), ("sec-fetch-mode", "navigate")],
            &[("sec-fetch-dest", "document"), ("sec-fetch-mode", "no-cors")],
            &[("sec-fetch-dest", "document")],
        ];
        for headers in others {
            let request =
                headers.iter().fold(site.request(Method::GET, "/feed.xml"), |request, (name, value)| request.header(*name, *value));
            let response = request.send().await.unwrap();
            assert_eq!(header(&response, "content-type"), "application/rss+xml; charset=utf-8", "{headers:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn no_cache_mixes_the_page_and_the_feed() {
    on_each_engine(async |world| {
        draft("en", "one", 1, &[]).save(&world).await;
        let (site, _) = published(&world).await;
        let (feed, page) = (site.get("/feed.xml").await, visit(&site, "/feed.xml", &[]).await);
        for response in [&feed, &page] {
            assert_eq!(header(response, "vary"), "Accept-Encoding, Sec-Fetch-Dest, Sec-Fetch-Mode");
        }
        assert!(header(&feed, "cache-control").starts_with("public, max-age="));
        assert_eq!(header(&page, "cache-control"), "private, no-cache");
        let (of_feed, of_page) = (header(&feed, "etag").to_owned(), header(&page, "etag").to_owned());
        assert!(of_page.starts_with("W/\"") && !of_page.contains(&of_feed), "{of_page}");
        let again = visit(&site, "/feed.xml", &[("if-none-match", &of_page)]).await;
        assert_eq!((again.status().as_u16(), header(&again, "vary")), (304, header(&page, "vary")));
        assert_eq!(visit(&site, "/feed.xml", &[("if-none-match", &of_feed)]).await.status(), 200, "it holds the feed, not the page");
        let reader = site.request(Method::GET, "/feed.xml").header("if-none-match", &of_page).send().await.unwrap();
        assert_eq!(reader.status(), 200, "it holds the page, not the feed");
    })
    .await;
}
