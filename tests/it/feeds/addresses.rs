//! Where feeds are found.

use super::{etag, published};
use crate::support::articles::draft;
use crate::support::web::header;
use crate::support::{language, on_each_engine};
use clarion::content::{Credit, Role};
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
async fn two_old_sites_count_and_name_their_categories_each_for_itself() {
    on_each_engine(async |mut world| {
        let old = |host: &str, tag: &str, names: &[(&str, &str)]| LegacyHost {
            categories: names.iter().map(|(old, slug)| (LegacyHost::spelling(old), (*slug).to_owned())).collect(),
            authors: [("hana".to_owned(), "Hana Mori".to_owned())].into(),
            ..LegacyHost::new(host, language(tag))
        };
        // Both had a 7, and both a category that was called `news`.
        world.site.legacy = vec![
            old("old.example.org", "en", &[("7", "human-rights-abuses"), ("news", "human-rights-abuses")]),
            old("old-ja.example.org", "ja", &[("7", "defectors"), ("news", "defectors"), ("%e5%a3%b0%e6%98%8e", "defectors")]),
        ];
        for tag in ["en", "ja"] {
            for slug in ["defectors", "human-rights-abuses"] {
                let mut draft = draft(tag, &format!("{slug}-{tag}"), 1, &[slug]);
                draft.credits = vec![Credit { role: Role::Author, name: "Hana Mori".to_owned(), url: None }];
                draft.save(&world).await;
            }
        }
        let (site, _) = published(&world).await;
        let at = async |host: &str, path: &str| {
            let answer = site.request(Method::GET, path).header("host", host).send().await.unwrap();
            (answer.status().as_u16(), if answer.status() == 200 { header(&answer, "etag").to_owned() } else { String::new() })
        };
        let feed = async |path: &str| (200, etag(&site, path).await);
        let (abuses, defectors) = (feed("/category/human-rights-abuses/feed.xml").await, feed("/ja/category/defectors/feed.xml").await);
        for path in ["/?feed=rss2&cat=7", "/category/news/feed/", "/?feed=rss2&category_name=news"] {
            assert_eq!(at("old.example.org:8080", path).await, abuses, "{path}");
            assert_eq!(at("www.old-ja.example.org", path).await, defectors, "{path}");
        }
        assert_eq!(at("old-ja.example.org", "/category/%E5%A3%B0%E6%98%8E/feed/").await, defectors);
        // Our own name for a category is nobody else's, and an unknown number is no other site's.
        assert_eq!(
            at("old-ja.example.org", "/category/human-rights-abuses/feed/").await,
            feed("/ja/category/human-rights-abuses/feed.xml").await
        );
        assert_eq!(at("old.example.org", "/?feed=rss2&cat=8").await.0, 404);
        assert_eq!(at("news.example.org", "/?feed=rss2&cat=7").await, feed("/category/defectors/feed.xml").await, "`wp_id` for all others");
        assert_eq!(at("old.example.org", "/author/hana/feed/").await, feed("/author/hana-mori/feed.xml").await);
        for (path, page) in [("/?cat=7", "/category/human-rights-abuses/"), ("/category/news/", "/category/human-rights-abuses/")] {
            let answer = site.request(Method::GET, path).header("host", "old.example.org").send().await.unwrap();
            assert_eq!((answer.status().as_u16(), header(&answer, "location")), (301, page), "{path}");
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
