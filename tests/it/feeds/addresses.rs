//! Where feeds are found.

use super::{etag, published};
use crate::support::articles::draft;
use crate::support::web::header;
use crate::support::{language, on_each_engine};
use clarion::site::LegacyHost;
use reqwest::Method;

#[tokio::test]
async fn the_addresses_of_wordpress_are_answered_in_place() {
    on_each_engine(async |mut world| {
        world.site.legacy = vec![LegacyHost::new("old.example.org", language("ja"))];
        draft("en", "one", 1, &["defectors"]).save(&world).await;
        draft("ja", "two", 1, &["defectors"]).save(&world).await;
        let (site, _) = published(&world).await;
        let (rss, atom) = (etag(&site, "/feed.xml").await, etag(&site, "/atom.xml").await);
        for path in
            ["/feed", "/feed/", "/feed/rss2/", "/feed/rss", "/feed/rdf/", "/rss2", "/rss", "/wp-rss2.php", "/?feed=rss2", "/?feed=rdf"]
        {
            assert_eq!(etag(&site, path).await, rss, "{path}");
        }
        for path in ["/feed/atom", "/feed/atom/", "/atom", "/wp-atom.php", "/?feed=atom", "/index.php?feed=atom", "/atom.xml?utm_source=x"]
        {
            assert_eq!(etag(&site, path).await, atom, "{path}");
        }
        let category = etag(&site, "/category/defectors/feed.xml").await;
        for path in
            ["/category/defectors/feed/", "/category/news/defectors/feed", "/?feed=rss2&cat=7", "/?feed=rss2&category_name=defectors"]
        {
            assert_eq!(etag(&site, path).await, category, "{path}");
        }
        assert_eq!(etag(&site, "/category/defectors/feed/atom/").await, etag(&site, "/category/defectors/atom.xml").await);
        assert_eq!(etag(&site, "/ja/feed/").await, etag(&site, "/ja/feed.xml").await);
        for host in ["old.example.org", "www.old.example.org", "WWW.Old.example.org:8080"] {
            let response = site.request(Method::GET, "/feed/").header("host", host).send().await.unwrap();
            assert_eq!(header(&response, "etag"), etag(&site, "/ja/feed.xml").await, "{host}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_category_may_have_the_name_of_a_room() {
    on_each_engine(async |world| {
        let rooms = ["petitions", "archive", "confirm", "preferences", "unsubscribe", "approve", "stop", "feeds", "subscribe"];
        draft("en", "one", 1, &rooms).save(&world).await;
        let (site, _) = published(&world).await;
        for room in rooms {
            for name in ["feed.xml", "atom.xml", "feed.json", "feed/", ""] {
                let path = format!("/category/{room}/{name}");
                assert_eq!(site.page(&path).await.0, 200, "{path}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn the_catalogue_names_every_feed() {
    on_each_engine(async |world| {
        draft("en", "one", 1, &[]).save(&world).await;
        let (site, _) = published(&world).await;
        let (_, opml) = site.page("/feeds.opml").await;
        let (_, page) = site.page("/ja/feeds").await;
        for path in ["/feed.xml", "/ja/feed.xml", "/category/defectors/feed.xml", "/ja/category/human-rights-abuses/feed.xml"] {
            let address = format!("http://news.example.org{path}");
            assert!(opml.contains(&address), "{address} is missing:\n{opml}");
            assert!(page.contains(&address), "{address} is missing:\n{page}");
        }
        assert!(page.contains("脱北者") && opml.contains("Human Rights Abuses"));
    })
    .await;
}
