//! Feeds that are made when asked for: right after every change, and unchanged where nothing
//! changed.

use super::{etag, publish, published, step, titles};
use crate::support::articles::{Draft, draft, save_all};
use crate::support::on_each_engine;
use crate::support::web::{header, serve};
use clarion::content::ArticleState;
use reqwest::Method;

fn tagged(tag: &str, article: Draft) -> Draft {
    Draft { tags: vec![tag.to_owned()], ..article }
}

#[tokio::test]
async fn a_change_shows_at_once_where_it_belongs_and_leaves_the_others_their_tags() {
    on_each_engine(async |world| {
        let mut article = tagged("one", draft("en", "a", 1, &["defectors"]));
        article.save(&world).await;
        tagged("two", draft("en", "b", 2, &["human-rights-abuses"])).save(&world).await;
        let (site, _) = published(&world).await;
        let paths = ["/tag/one/feed.xml", "/tag/two/feed.xml", "/2027/09/atom.xml", "/category/defectors,human-rights-abuses/feed.json"];
        let mut before = Vec::new();
        for path in paths {
            before.push(etag(&site, path).await);
        }
        article.title = "A correction".to_owned();
        article.save(&world).await;
        for (path, tag) in paths.iter().zip(&before) {
            let unchanged = *path == "/tag/two/feed.xml";
            assert_eq!(etag(&site, path).await == *tag, unchanged, "{path}");
            let response = site.request(Method::GET, path).header("if-none-match", tag).send().await.unwrap();
            assert_eq!(response.status() == 304, unchanged, "{path}");
        }
        assert_eq!(titles(&site, "/tag/one/feed.xml").await, ["A correction"]);
        article.tags = vec!["two".to_owned()];
        article.save(&world).await;
        assert_eq!(site.get("/tag/one/feed.xml").await.status(), 404, "no article has it any more");
        assert_eq!(titles(&site, "/tag/two/feed.xml").await, ["A correction", "Title of b"]);
        article.state = ArticleState::Gone;
        article.save(&world).await;
        assert_eq!(titles(&site, "/tag/two/feed.xml").await, ["Title of b"]);
        assert_eq!(etag(&site, "/tag/two/feed.xml").await, before[1], "the same articles, the same bytes");
    })
    .await;
}

#[tokio::test]
async fn they_carry_the_same_tag_on_every_daemon_and_no_date() {
    on_each_engine(async |world| {
        let many: Vec<Draft> = (0..70).map(|age| tagged("x", draft("en", &format!("n{age}"), age, &["defectors"]))).collect();
        save_all(&world.db, &world.site, &many).await;
        let (one, _) = published(&world).await;
        let (two, _) = published(&world).await;
        for path in ["/tag/x/feed.xml", "/tag/x/atom.xml?paged=2", "/2027/feed.json", "/feed/archive/1.rss", "/comments/feed/"] {
            let response = one.get(path).await;
            assert_eq!(header(&response, "etag"), etag(&two, path).await, "{path}");
            assert_eq!(header(&response, "last-modified"), "", "{path}");
            assert!(header(&response, "cache-control").starts_with("public, max-age="), "{path}");
            let tag = header(&response, "etag").to_owned();
            for (name, value, status) in [
                ("if-none-match", tag.as_str(), 304),
                ("if-modified-since", "Mon, 20 Sep 2027 08:00:00 GMT", 200),
                ("if-none-match", "\"x\"", 200),
            ] {
                let answer = one.request(Method::GET, path).header(name, value).send().await.unwrap();
                assert_eq!(answer.status(), status, "{path} {name}: {value}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_new_translation_is_linked_from_them_too() {
    on_each_engine(async |world| {
        tagged("x", draft("en", "one", 1, &[])).save(&world).await;
        let (site, _) = published(&world).await;
        let before = etag(&site, "/tag/x/atom.xml").await;
        draft("ja", "one", 0, &[]).save(&world).await;
        assert_ne!(etag(&site, "/tag/x/atom.xml").await, before);
        assert!(site.page("/tag/x/atom.xml").await.1.contains("http://news.example.org/ja/2027/09/one/"));
    })
    .await;
}

#[tokio::test]
async fn many_who_ask_for_the_same_feed_at_once_get_the_same_answer() {
    on_each_engine(async |world| {
        let many: Vec<Draft> = (0..60).map(|age| tagged("x", draft("en", &format!("n{age}"), age, &[]))).collect();
        save_all(&world.db, &world.site, &many).await;
        let (site, _) = published(&world).await;
        let asked = (0..40).map(|_| site.request(Method::GET, "/tag/x/feed.xml").send());
        let answers: Vec<_> = asked.collect::<tokio::task::JoinSet<_>>().join_all().await.into_iter().map(Result::unwrap).collect();
        let tag = header(&answers[0], "etag").to_owned();
        assert!(!tag.is_empty());
        assert!(answers.iter().all(|answer| answer.status() == 200 && header(answer, "etag") == tag));
    })
    .await;
}

#[tokio::test]
async fn before_the_first_publication_their_readers_too_are_asked_to_come_back() {
    on_each_engine(async |world| {
        tagged("x", draft("en", "one", 1, &[])).save(&world).await;
        let site = serve(&world).await;
        assert_eq!(site.get("/tag/x/feed.xml").await.status(), 503);
        publish(&world, &step(&world, &site)).await;
        assert_eq!(site.get("/tag/x/feed.xml").await.status(), 200);
    })
    .await;
}
