//! The end of a category: told in its feeds, then 410.

use super::{etag, published};
use crate::support::articles::draft;
use crate::support::on_each_engine;
use clarion::site::Retirement;
use std::time::Duration;

#[tokio::test]
async fn a_retired_feed_tells_its_readers_where_to_go_and_then_ends() {
    on_each_engine(async |mut world| {
        let on = "2027-09-22".parse().unwrap();
        world.site.categories[0].retired = Some(Retirement { on, successor: Some("human-rights-abuses".to_owned()) });
        draft("en", "one", 1, &["defectors"]).save(&world).await;
        let (site, _) = published(&world).await;
        let feed: atom_syndication::Feed = site.page("/category/defectors/atom.xml").await.1.parse().unwrap();
        let ids: Vec<&str> = feed.entries.iter().map(|entry| entry.id.as_str()).collect();
        assert_eq!(ids, ["tag:example.org,2026:closing/defectors/2027-09-22", "tag:example.org,2026:one.en"], "it keeps its entries");
        let closing = &feed.entries[0];
        assert_eq!(closing.title.value, "The feed “Defectors” ends on Wednesday, 22 September 2027");
        assert_eq!(closing.links[0].href, "http://news.example.org/category/human-rights-abuses/");
        let text = &closing.summary.as_ref().unwrap().value;
        assert!(text.contains("Human Rights Abuses") && text.contains("http://news.example.org/category/human-rights-abuses/"), "{text}");
        let japanese = site.page("/ja/category/defectors/feed.xml").await.1;
        assert!(
            japanese.contains("終了します") && japanese.contains("http://news.example.org/ja/category/human-rights-abuses/"),
            "{japanese}"
        );
        assert!(!site.page("/category/human-rights-abuses/feed.xml").await.1.contains("closing/"));
        assert!(!site.page("/feed.xml").await.1.contains("closing/"));

        // The same bytes whenever they are made.
        let before = etag(&site, "/category/defectors/feed.xml").await;
        world.pass(Duration::from_hours(24));
        let (restarted, _) = published(&world).await;
        assert_eq!(etag(&restarted, "/category/defectors/feed.xml").await, before);
        assert_eq!(restarted.page("/category/defectors/").await.0, 200);

        // 00:00 in Tokyo on that day.
        world.pass(Duration::from_hours(16) - Duration::from_secs(1));
        assert_eq!(restarted.page("/category/defectors/feed.xml").await.0, 200);
        world.pass(Duration::from_secs(1));
        for path in [
            "/category/defectors/feed.xml",
            "/category/defectors/feed/atom/",
            "/ja/category/defectors/feed.json",
            "/?feed=rss2&cat=7",
            "/category/defectors/feed/?paged=2",
            "/category/defectors/",
            "/ja/category/defectors/",
        ] {
            assert_eq!(restarted.page(path).await.0, 410, "{path}");
        }
        assert_eq!(restarted.page("/category/human-rights-abuses/feed.xml").await.0, 200);
        for path in ["/feeds.opml", "/", "/sitemap/lists.xml"] {
            assert!(!restarted.page(path).await.1.contains("/category/defectors/"), "{path}");
        }
        assert!(restarted.page("/feed.xml").await.1.contains("one.en"), "its articles stay");
    })
    .await;
}

#[tokio::test]
async fn without_a_successor_readers_are_sent_to_the_category_above_or_to_the_site() {
    on_each_engine(async |mut world| {
        let on = "2028-01-31".parse().unwrap();
        world.site.categories[0].retired = Some(Retirement { on, successor: None });
        let (site, _) = published(&world).await;
        assert!(site.page("/category/defectors/feed.json").await.1.contains("\"url\":\"http://news.example.org/\""));
        world.site.categories[0].parent = Some("human-rights-abuses".to_owned());
        let (site, _) = published(&world).await;
        assert!(
            site.page("/category/defectors/feed.json")
                .await
                .1
                .contains("\"url\":\"http://news.example.org/category/human-rights-abuses/\"")
        );
    })
    .await;
}
