//! Long articles, and documents that stay small.

use super::{published, rss};
use crate::support::articles::{Draft, draft, save_all};
use crate::support::on_each_engine;

#[tokio::test]
async fn a_json_feed_stays_small_by_leaving_out_the_oldest() {
    on_each_engine(async |world| {
        let long: Vec<Draft> = (0..40)
            .map(|age| Draft { body: format!("<p>{}</p>", "長い文。".repeat(1000)), ..draft("en", &format!("n{age}"), age, &[]) })
            .collect();
        save_all(&world.db, &world.site, &long).await;
        let (site, _) = published(&world).await;
        let (_, text) = site.page("/feed.json").await;
        assert!((200_000..256_000).contains(&text.len()), "{} octets", text.len());
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["items"][0]["title"], "Title of n0");
    })
    .await;
}

#[tokio::test]
async fn a_feed_of_very_long_articles_has_as_many_texts_of_the_newest_as_fit() {
    on_each_engine(async |world| {
        for age in 0..4 {
            Draft { body: format!("<p>{}</p>", "x".repeat(900_000)), ..draft("en", &format!("n{age}"), age, &[]) }.save(&world).await;
        }
        let (site, _) = published(&world).await;
        let channel = rss(&site, "/feed.xml").await;
        assert_eq!(channel.items.iter().map(|item| item.content().is_some()).collect::<Vec<_>>(), [true, true, false, false]);
    })
    .await;
}

#[tokio::test]
async fn one_huge_article_hides_none_that_are_older() {
    on_each_engine(async |world| {
        draft("en", "new", 0, &[]).save(&world).await;
        Draft { body: format!("<p>{}</p>", "word ".repeat(500_000)), ..draft("en", "huge", 1, &[]) }.save(&world).await;
        draft("en", "old", 2, &[]).save(&world).await;
        let (site, _) = published(&world).await;
        let channel = rss(&site, "/feed.xml").await;
        let texts: Vec<_> = channel.items.iter().map(|item| (item.link().is_some(), item.content().is_some())).collect();
        assert_eq!(texts, [(true, true), (true, false), (true, true)]);
        assert_eq!(channel.items[1].description(), Some("Summary of huge"));
        let atom: atom_syndication::Feed = site.page("/atom.xml").await.1.parse().unwrap();
        assert_eq!(atom.entries.iter().map(|entry| entry.content().is_some()).collect::<Vec<_>>(), [true, false, true]);
        assert!(atom.entries[1].summary().is_some());
    })
    .await;
}

#[tokio::test]
async fn a_json_feed_stays_small_and_keeps_every_entry() {
    on_each_engine(async |world| {
        for age in 0..50 {
            let size = if age == 1 { 300_000 } else { 8_000 };
            Draft { body: format!("<p>{}</p>", "x".repeat(size)), ..draft("en", &format!("n{age}"), age, &[]) }.save(&world).await;
        }
        let (site, _) = published(&world).await;
        let (_, text) = site.page("/feed.json").await;
        assert!(text.len() <= 250_000, "{} octets", text.len());
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let items = json["items"].as_array().unwrap();
        assert_eq!(items.len(), 50);
        let whole = |item: &serde_json::Value| item["content_html"].is_string();
        assert!(whole(&items[0]) && !whole(&items[1]) && whole(&items[2]) && !whole(&items[49]));
        assert!(items.iter().all(|item| whole(item) != item["content_text"].is_string()), "each has a text, and one only");
    })
    .await;
}
