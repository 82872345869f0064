//! Which articles a feed shows.

use super::{publish, published, step, titles};
use crate::support::articles::{Draft, draft, save_all};
use crate::support::on_each_engine;
use crate::support::web::{serve_shared, shared};
use clarion::content::ArticleState;

#[tokio::test]
async fn every_article_is_in_the_feeds_of_its_language_and_categories_newest_first() {
    on_each_engine(async |world| {
        draft("en", "old", 2, &["defectors"]).save(&world).await;
        draft("en", "new", 1, &["human-rights-abuses"]).save(&world).await;
        draft("ja", "other", 0, &["defectors"]).save(&world).await;
        let (site, _) = published(&world).await;
        assert_eq!(titles(&site, "/feed.xml").await, ["Title of new", "Title of old"]);
        assert_eq!(titles(&site, "/category/defectors/feed.xml").await, ["Title of old"]);
        assert_eq!(titles(&site, "/ja/feed.xml").await, ["Title of other"]);
        assert_eq!(titles(&site, "/ja/category/defectors/feed.xml").await, ["Title of other"]);
        assert_eq!(titles(&site, "/ja/category/human-rights-abuses/feed.xml").await, Vec::<String>::new());
        let (status, text) = site.page("/ja/category/defectors/atom.xml").await;
        assert_eq!((status, text.parse::<atom_syndication::Feed>().unwrap().entries.len()), (200, 1));
        let (status, text) = site.page("/feed.json").await;
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((status, json["items"].as_array().unwrap().len()), (200, 2));
        assert!(text.starts_with("{\"version\":\"https://jsonfeed.org/version/1.1\""), "{text}");
        for unknown in ["/category/nothing/feed.xml", "/ko/feed.xml", "/category/nothing/feed/", "/?feed=rss2&cat=99"] {
            assert_eq!(site.get(unknown).await.status(), 404, "{unknown}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_article_that_moves_or_goes_leaves_its_old_feeds() {
    on_each_engine(async |world| {
        let mut article = draft("en", "one", 1, &["defectors"]);
        article.save(&world).await;
        let (site, step) = published(&world).await;
        article.categories = vec!["human-rights-abuses".to_owned()];
        article.save(&world).await;
        publish(&world, &step).await;
        assert_eq!(titles(&site, "/category/defectors/feed.xml").await, Vec::<String>::new());
        assert_eq!(titles(&site, "/category/human-rights-abuses/feed.xml").await, ["Title of one"]);
        article.state = ArticleState::Gone;
        article.save(&world).await;
        publish(&world, &step).await;
        for path in ["/feed.xml", "/category/human-rights-abuses/feed.xml"] {
            assert_eq!(titles(&site, path).await, Vec::<String>::new(), "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_new_translation_is_linked_from_the_feeds_of_the_other_language() {
    on_each_engine(async |world| {
        draft("en", "one", 1, &[]).save(&world).await;
        let (site, step) = published(&world).await;
        let alternates = async || {
            let feed: atom_syndication::Feed = site.page("/atom.xml").await.1.parse().unwrap();
            let links = feed.entries[0].links.iter().filter(|link| link.rel == "alternate");
            links.map(|link| (link.hreflang.clone().unwrap_or_default(), link.href.clone())).collect::<Vec<_>>()
        };
        let own = ("en".to_owned(), "http://news.example.org/2027/09/one/".to_owned());
        assert_eq!(alternates().await, std::slice::from_ref(&own));
        let mut translation = draft("ja", "one", 0, &[]);
        translation.save(&world).await;
        publish(&world, &step).await;
        // Of several some readers follow the first, others the last: its own page is both, and no
        // two are of one language (RFC 4287 §4.1.2).
        let again = (String::new(), own.1.clone());
        assert_eq!(alternates().await, [own.clone(), ("ja".to_owned(), "http://news.example.org/ja/2027/09/one/".to_owned()), again]);
        translation.state = ArticleState::Gone;
        translation.save(&world).await;
        publish(&world, &step).await;
        assert_eq!(alternates().await, [own]);
    })
    .await;
}

#[tokio::test]
async fn a_category_that_only_an_article_names_has_feeds_too() {
    on_each_engine(async |world| {
        let (site, step) = published(&world).await;
        assert_eq!(site.get("/category/events/feed.xml").await.status(), 404);
        draft("en", "one", 1, &["events"]).save(&world).await;
        publish(&world, &step).await;
        assert_eq!(titles(&site, "/category/events/feed.xml").await, ["Title of one"]);
        let (restarted, _) = published(&world).await;
        assert_eq!(titles(&restarted, "/category/events/feed.xml").await, ["Title of one"]);
    })
    .await;
}

#[tokio::test]
async fn a_feed_carries_so_many_entries_as_configured() {
    on_each_engine(async |world| {
        let many: Vec<Draft> = (0..12).map(|age| draft("en", &format!("n{age}"), age, &[])).collect();
        save_all(&world.db, &world.site, &many).await;
        let mut shared = shared(&world);
        shared.feed.items = 10;
        let site = serve_shared(shared).await;
        publish(&world, &step(&world, &site)).await;
        let titles = titles(&site, "/feed.xml").await;
        assert_eq!((titles.len(), titles[0].as_str(), titles[9].as_str()), (10, "Title of n0", "Title of n9"));
    })
    .await;
}

#[tokio::test]
async fn a_category_has_in_its_feeds_what_is_filed_below_it() {
    on_each_engine(async |mut world| {
        world.site.categories[0].parent = Some("human-rights-abuses".to_owned());
        draft("en", "above", 2, &["human-rights-abuses"]).save(&world).await;
        let (site, step) = published(&world).await;
        let parent = "/category/human-rights-abuses/feed.xml";
        assert_eq!(titles(&site, parent).await, ["Title of above"]);
        draft("en", "below", 1, &["defectors"]).save(&world).await;
        publish(&world, &step).await;
        assert_eq!(titles(&site, parent).await, ["Title of below", "Title of above"]);
        assert_eq!(titles(&site, "/category/defectors/feed.xml").await, ["Title of below"]);
        draft("en", "below", 1, &[]).save(&world).await;
        publish(&world, &step).await;
        assert_eq!(titles(&site, parent).await, ["Title of above"]);
    })
    .await;
}
