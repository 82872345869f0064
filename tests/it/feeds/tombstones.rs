//! What is deleted is told where it was (RFC 6721).

use super::tree::Node;
use super::{publish, published, titles};
use crate::support::articles::{Draft, draft};
use crate::support::web::Site;
use crate::support::{World, on_each_engine};
use clarion::content::{self, ArticleState};
use std::time::Duration;

/// Ids and times of the deleted entries that a feed names.
async fn deleted(site: &Site, path: &str) -> Vec<(String, String)> {
    let (status, text) = site.page(path).await;
    assert_eq!(status, 200);
    super::judge::assert_well_formed(path, &text);
    let root = Node::parse(&text);
    let gone = root.all("at:deleted-entry").map(|gone| (gone.get("ref").to_owned(), gone.get("when").to_owned())).collect();
    if root.child("at:deleted-entry").is_some() {
        assert_eq!(root.get("xmlns:at"), "http://purl.org/atompub/tombstones/1.0");
    }
    gone
}

/// Deletes an article, as the folder does when its file is gone.
async fn delete(world: &World, article: &mut Draft) {
    article.state = ArticleState::Gone;
    let id = article.save(world).await;
    sqlx::query("UPDATE article SET gone_at = $1 WHERE id = $2")
        .bind(world.clock.now().as_millis())
        .bind(id)
        .execute(world.db.reader())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_deleted_article_is_named_in_the_atom_feeds_where_it_was() {
    on_each_engine(async |world| {
        draft("en", "stays", 5, &["defectors"]).save(&world).await;
        let mut article = draft("en", "goes & <went>", 2, &["defectors"]);
        article.slug = "goes".to_owned();
        article.save(&world).await;
        let (site, step) = published(&world).await;
        assert_eq!(deleted(&site, "/atom.xml").await, []);
        world.pass(Duration::from_mins(5));
        delete(&world, &mut article).await;
        publish(&world, &step).await;
        let told = [("tag:example.org,2026:goes & <went>.en".to_owned(), "2027-09-19T23:05:00Z".to_owned())];
        for path in ["/atom.xml", "/category/defectors/atom.xml"] {
            assert_eq!(deleted(&site, path).await, told, "{path}");
        }
        for path in ["/ja/atom.xml", "/category/human-rights-abuses/atom.xml"] {
            assert_eq!(deleted(&site, path).await, [], "{path}");
        }
        let root = Node::parse(&site.page("/atom.xml").await.1);
        assert_eq!(root.text_of("updated"), "2027-09-19T23:05:00+00:00", "the feed has changed then");
        assert_eq!(titles(&site, "/feed.xml").await, ["Title of stays"]);
        let json: serde_json::Value = serde_json::from_str(&site.page("/feed.json").await.1).unwrap();
        assert_eq!(json["items"].as_array().unwrap().len(), 1);
        assert_eq!(site.get("/2027/09/goes/").await.status(), 410);

        article.state = ArticleState::Published;
        article.save(&world).await;
        publish(&world, &step).await;
        assert_eq!(deleted(&site, "/atom.xml").await, [], "it is back");
    })
    .await;
}

#[tokio::test]
async fn only_the_newest_of_half_a_year_are_named() {
    on_each_engine(async |world| {
        for number in 0..60 {
            delete(&world, &mut draft("en", &format!("gone-{number:02}"), 100, &[])).await;
            world.pass(Duration::from_mins(1));
        }
        let (site, step) = published(&world).await;
        let told = deleted(&site, "/atom.xml").await;
        assert_eq!((told.len(), told[0].0.as_str()), (50, "tag:example.org,2026:gone-59.en"));
        world.pass(Duration::from_hours(24 * 181));
        publish(&world, &step).await;
        assert_eq!(deleted(&site, "/atom.xml").await.len(), 50, "time alone changes no feed");
        let mut late = draft("en", "late", 0, &[]);
        (late.date, late.updated) = (world.clock.now(), world.clock.now());
        late.save(&world).await;
        publish(&world, &step).await;
        assert_eq!(deleted(&site, "/atom.xml").await, []);
    })
    .await;
}

#[tokio::test]
async fn a_withdrawn_article_is_named_nowhere() {
    on_each_engine(async |world| {
        let mut article = draft("en", "hidden", 2, &["defectors"]);
        article.body = "a\u{1}b".to_owned();
        let id = article.save(&world).await;
        let (site, step) = published(&world).await;
        let mut tx = world.db.begin().await.unwrap();
        content::withdraw(&mut tx, &world.site, &[id], world.clock.now()).await.unwrap();
        let problems = content::problems(&mut tx).await.unwrap();
        assert!(problems.is_empty(), "not even what feeds left out of it: {problems:?}");
        tx.commit().await.unwrap();
        publish(&world, &step).await;
        for path in ["/atom.xml", "/feed.xml", "/feed.json", "/category/defectors/atom.xml"] {
            let (status, text) = site.page(path).await;
            assert_eq!(status, 200);
            assert!(!text.contains("hidden") && !text.contains("withdrawn") && !text.contains("deleted-entry"), "{path}: {text}");
        }
    })
    .await;
}
