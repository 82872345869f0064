//! When new bytes are published, and under which validators.

use super::{publish, published, titles};
use crate::support::articles::draft;
use crate::support::on_each_engine;
use crate::support::web::{Site, header};
use clarion::task::Step as _;
use std::time::Duration;

#[tokio::test]
async fn validators_survive_a_restart_and_change_together() {
    on_each_engine(async |world| {
        let mut article = draft("en", "one", 1, &["defectors"]);
        article.save(&world).await;
        let (before, step) = published(&world).await;
        let pair = async |site: &Site, path: &str| {
            let response = site.get(path).await;
            (header(&response, "etag").to_owned(), header(&response, "last-modified").to_owned())
        };
        let paths = ["/feed.xml", "/category/defectors/atom.xml", "/ja/feed.json"];
        let mut stored = Vec::new();
        for path in paths {
            stored.push(pair(&before, path).await);
        }
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let (restarted, _) = published(&world).await;
        for (path, expected) in paths.iter().zip(&stored) {
            assert_eq!(pair(&restarted, path).await, *expected, "{path}");
        }

        article.title = "A correction".to_owned();
        article.save(&world).await;
        publish(&world, &step).await;
        let (tag, date) = pair(&before, "/feed.xml").await;
        assert_ne!(tag, stored[0].0);
        assert!(httpdate::parse_http_date(&date).unwrap() > httpdate::parse_http_date(&stored[0].1).unwrap());
        assert_eq!(pair(&before, "/ja/feed.json").await, stored[2], "what is not touched keeps both");
    })
    .await;
}

#[tokio::test]
async fn quick_changes_are_joined_into_one_publication_a_second() {
    on_each_engine(async |world| {
        let (site, step) = published(&world).await;
        let mut seen = std::collections::BTreeMap::new();
        let mut article = draft("en", "one", 1, &[]);
        for number in 0..12 {
            article.title = format!("Version {number}");
            article.save(&world).await;
            step.step().await.unwrap();
            let response = site.get("/feed.xml").await;
            let date = header(&response, "last-modified").to_owned();
            let tags: &mut std::collections::BTreeSet<String> = seen.entry(date).or_default();
            tags.insert(header(&response, "etag").to_owned());
            tokio::time::sleep(Duration::from_millis(120)).await;
        }
        for (date, tags) in &seen {
            assert_eq!(tags.len(), 1, "two bodies share {date}");
        }
        publish(&world, &step).await;
        assert_eq!(titles(&site, "/feed.xml").await, ["Version 11"], "the last one is not lost");
    })
    .await;
}
