//! An edit touches the feeds of its article, and no other.

use super::{publish, published};
use crate::support::articles::{draft, save_all};
use crate::support::on_each_engine;
use crate::support::web::{Site, header};
use clarion::content::ArticleState;
use std::collections::BTreeMap;
use std::time::Duration;

/// The validators of every common feed, with its bytes.
async fn all(site: &Site) -> BTreeMap<String, (String, String, String)> {
    let mut feeds = BTreeMap::new();
    for language in ["", "/ja"] {
        for folder in ["", "/category/defectors", "/category/human-rights-abuses", "/category/events"] {
            for name in ["feed.xml", "atom.xml", "feed.json"] {
                let path = format!("{language}{folder}/{name}");
                let response = site.get(&path).await;
                assert_eq!(response.status(), 200, "{path}");
                let (tag, date) = (header(&response, "etag").to_owned(), header(&response, "last-modified").to_owned());
                feeds.insert(path, (tag, date, response.text().await.unwrap()));
            }
        }
    }
    feeds
}

#[tokio::test]
async fn bytes_tag_and_date_of_every_other_feed_stay() {
    on_each_engine(async |world| {
        let mut article = draft("en", "one", 1, &["defectors"]);
        let others = [
            draft("en", "two", 2, &["human-rights-abuses"]),
            draft("ja", "one", 1, &["human-rights-abuses"]),
            draft("ja", "three", 3, &["defectors", "events"]),
        ];
        save_all(&world.db, &world.site, &others).await;
        article.save(&world).await;
        let (site, step) = published(&world).await;
        let mut before = all(&site).await;
        let mut told = Vec::new();
        for turn in ["edited", "moved", "gone"] {
            tokio::time::sleep(Duration::from_millis(1100)).await;
            match turn {
                "edited" => "Another title".clone_into(&mut article.title),
                "moved" => article.categories = vec!["events".to_owned()],
                _ => article.state = ArticleState::Gone,
            }
            article.save(&world).await;
            publish(&world, &step).await;
            let after = all(&site).await;
            let changed = after.iter().filter(|(path, feed)| before[*path] != **feed).map(|(path, _)| path.as_str());
            let folders: std::collections::BTreeSet<&str> = changed.map(|path| &path[..path.rfind('/').unwrap_or(0)]).collect();
            told.push(folders.into_iter().collect::<Vec<_>>().join(" "));
            for (path, (tag, date, _)) in &after {
                assert_eq!(before[path].0 == *tag, before[path].1 == *date, "{turn} {path}: both change or none");
            }
            before = after;
        }
        // Its translation is linked while it is there, by Atom only: the page of an article.
        assert_eq!(told[0], " /category/defectors");
        assert_eq!(told[1], " /category/defectors /category/events");
        assert_eq!(told[2], " /category/events /ja /ja/category/human-rights-abuses");
    })
    .await;
}

#[tokio::test]
async fn a_category_that_comes_up_has_feeds_in_every_language_at_once() {
    on_each_engine(async |world| {
        let (site, step) = published(&world).await;
        draft("en", "one", 1, &["events"]).save(&world).await;
        publish(&world, &step).await;
        let before: Vec<u16> = [site.page("/category/events/feed.xml").await.0, site.page("/ja/category/events/feed.xml").await.0].into();
        let (restarted, _) = published(&world).await;
        let after: Vec<u16> =
            [restarted.page("/category/events/feed.xml").await.0, restarted.page("/ja/category/events/feed.xml").await.0].into();
        assert_eq!((before.as_slice(), after.as_slice()), (&[200, 200][..], &[200, 200][..]), "as after a restart");
    })
    .await;
}
