//! Feeds over HTTP: headers, conditions, codings.

use super::{publish, published, step};
use crate::support::articles::draft;
use crate::support::on_each_engine;
use crate::support::web::{header, serve};
use flate2::read::GzDecoder;
use reqwest::Method;
use std::io::Read as _;
use std::time::Duration;

#[tokio::test]
async fn a_feed_is_served_with_all_that_caches_and_readers_need() {
    on_each_engine(async |world| {
        draft("en", "one", 1, &[]).save(&world).await;
        let (site, _) = published(&world).await;
        let plain = site.get("/feed.xml").await;
        for (name, value) in [
            ("content-type", "application/rss+xml; charset=utf-8"),
            ("cache-control", "public, max-age=1800, stale-if-error=86400"),
            ("vary", "Accept-Encoding, Sec-Fetch-Dest, Sec-Fetch-Mode"),
            ("access-control-allow-origin", "*"),
            ("x-content-type-options", "nosniff"),
            ("content-encoding", ""),
            ("set-cookie", ""),
        ] {
            assert_eq!(header(&plain, name), value, "{name}");
        }
        let (stem, date) = (header(&plain, "etag").trim_matches('"').to_owned(), header(&plain, "last-modified").to_owned());
        let told = httpdate::parse_http_date(&date).unwrap();
        assert!(told <= httpdate::parse_http_date(header(&plain, "date")).unwrap() + Duration::from_secs(1), "never in the future");
        let bytes = plain.bytes().await.unwrap();

        let zipped = site.request(Method::GET, "/feed.xml").header("accept-encoding", "gzip").send().await.unwrap();
        assert_eq!(header(&zipped, "content-encoding"), "gzip");
        assert_eq!(header(&zipped, "etag"), format!("\"{stem}-gzip\""));
        assert_eq!(header(&zipped, "last-modified"), date);
        let zipped = zipped.bytes().await.unwrap();
        let mut text = Vec::new();
        GzDecoder::new(&zipped[..]).read_to_end(&mut text).unwrap();
        assert_eq!(text, bytes);

        let head = site.request(Method::HEAD, "/feed.xml").send().await.unwrap();
        assert_eq!(header(&head, "content-length"), bytes.len().to_string());
        assert_eq!(header(&head, "etag"), format!("\"{stem}\""));
        assert!(head.bytes().await.unwrap().is_empty());

        let delta = site.request(Method::GET, "/feed.xml").header("a-im", "feed").send().await.unwrap();
        assert_eq!(delta.status(), 200);
        assert_eq!(site.request(Method::POST, "/feed.xml").send().await.unwrap().status(), 405);
    })
    .await;
}

#[tokio::test]
async fn an_unchanged_feed_costs_a_304() {
    on_each_engine(async |world| {
        draft("en", "one", 1, &[]).save(&world).await;
        let (site, _) = published(&world).await;
        let first = site.get("/atom.xml").await;
        let (tag, date) = (header(&first, "etag").to_owned(), header(&first, "last-modified").to_owned());
        let ask = async |name: &str, value: &str| site.request(Method::GET, "/atom.xml").header(name, value).send().await.unwrap();
        let weak = format!("\"x\", W/{tag}");
        for (name, value) in
            [("if-none-match", tag.as_str()), ("if-none-match", &weak), ("if-none-match", "*"), ("if-modified-since", &date)]
        {
            let response = ask(name, value).await;
            assert_eq!(response.status(), 304, "{name}: {value}");
            for name in ["etag", "cache-control", "vary"] {
                assert_eq!(header(&response, name), header(&first, name), "{name}");
            }
            assert!(response.bytes().await.unwrap().is_empty());
        }
        assert_eq!(ask("if-none-match", "\"other\"").await.status(), 200);
        let both = site.request(Method::GET, "/atom.xml").header("if-none-match", "\"other\"").header("if-modified-since", &date);
        assert_eq!(both.send().await.unwrap().status(), 200, "the tag outranks the date");
    })
    .await;
}

#[tokio::test]
async fn before_the_first_publication_readers_are_asked_to_come_back() {
    on_each_engine(async |world| {
        let site = serve(&world).await;
        let response = site.get("/feed.xml").await;
        assert_eq!(response.status(), 503);
        assert_eq!(header(&response, "retry-after"), "5");
        assert_eq!(site.get("/healthz").await.status(), 200);
        assert_eq!(site.get("/readyz").await.status(), 503);
        publish(&world, &step(&world, &site)).await;
        assert_eq!(site.get("/feed.xml").await.status(), 200);
        assert_eq!(site.get("/readyz").await.status(), 200);
    })
    .await;
}
