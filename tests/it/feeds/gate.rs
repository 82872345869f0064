//! No article spoils a feed: what is not fit to be published is left out, and staff are told.

use super::{publish, published, step, titles};
use crate::support::articles::draft;
use crate::support::web::serve;
use crate::support::{World, on_each_engine};
use clarion::clock::Timestamp;
use clarion::content;

async fn problems(world: &World) -> Vec<String> {
    let mut connection = world.db.reader().acquire().await.unwrap();
    content::problems(&mut connection).await.unwrap().iter().map(ToString::to_string).collect()
}

async fn notices(world: &World) -> Vec<String> {
    sqlx::query_scalar("SELECT subject FROM notice ORDER BY id").fetch_all(world.db.reader()).await.unwrap()
}

#[tokio::test]
async fn an_article_that_would_spoil_the_feeds_is_left_out_and_told_of_once() {
    on_each_engine(async |world| {
        draft("en", "good", 3, &["defectors"]).save(&world).await;
        let mut bad = draft("en", "bad", 1, &["defectors"]);
        // No calendar of four digits has this year.
        bad.date = Timestamp::from_millis(300_000_000_000_000);
        bad.save(&world).await;
        let (site, step) = published(&world).await;
        for path in ["/feed.xml", "/category/defectors/feed.xml"] {
            assert_eq!(titles(&site, path).await, ["Title of good"], "{path}");
        }
        let told = problems(&world).await;
        assert_eq!(told.len(), 1, "once, whichever feeds it would be in: {told:?}");
        assert!(told[0].starts_with("test: ") && told[0].contains("error: the article is in no feed: its date"), "{told:?}");
        assert_eq!(notices(&world).await.len(), 1);
        assert!(site.state.metrics.render().contains("clarion_feed_entries_left_out 1\n"), "{}", site.state.metrics.render());

        // Others change meanwhile, and after a restart nothing is lost or told again.
        draft("en", "newer", 2, &["defectors"]).save(&world).await;
        publish(&world, &step).await;
        let (restarted, again) = published(&world).await;
        assert_eq!(titles(&restarted, "/feed.xml").await, ["Title of newer", "Title of good"]);
        assert_eq!((problems(&world).await.len(), notices(&world).await.len()), (1, 1));

        bad.date = draft("en", "bad", 1, &[]).date;
        bad.save(&world).await;
        publish(&world, &again).await;
        assert_eq!(titles(&restarted, "/feed.xml").await, ["Title of bad", "Title of newer", "Title of good"]);
        assert_eq!((problems(&world).await, notices(&world).await), (vec![], vec![]), "it is over");
        assert!(restarted.state.metrics.render().contains("clarion_feed_entries_left_out 0\n"));
    })
    .await;
}

#[tokio::test]
async fn what_is_told_of_an_article_goes_with_it() {
    on_each_engine(async |world| {
        let mut article = draft("en", "one", 1, &[]);
        article.body = "a\u{1}b\u{2}c".to_owned();
        article.save(&world).await;
        let (site, step) = published(&world).await;
        let told = problems(&world).await;
        assert_eq!(told.len(), 1);
        assert!(told[0].contains("warning: 2 invisible control characters are left out of feeds"), "{told:?}");
        assert!(site.state.metrics.render().contains("clarion_feed_characters_removed 2\n"));
        assert_eq!(notices(&world).await, Vec::<String>::new(), "a warning is no mail");
        article.state = content::ArticleState::Gone;
        article.save(&world).await;
        publish(&world, &step).await;
        assert_eq!(problems(&world).await, Vec::<String>::new());
        assert!(site.state.metrics.render().contains("clarion_feed_characters_removed 0\n"));
    })
    .await;
}

#[tokio::test]
async fn a_link_that_is_none_is_left_out_and_its_article_stays() {
    on_each_engine(async |world| {
        let mut article = draft("en", "one", 1, &[]);
        let file =
            |url: &str| content::Enclosure { url: url.to_owned(), media_type: "audio/mpeg".to_owned(), length: Some(5), title: None };
        article.enclosures = vec![file("talk.mp3"), file("https://example.org/talk.mp3")];
        article.canonical_url = Some("not a link".to_owned());
        article.save(&world).await;
        let (site, _) = published(&world).await;
        let channel = super::rss(&site, "/feed.xml").await;
        assert_eq!(channel.items[0].enclosure().unwrap().url(), "https://example.org/talk.mp3");
        assert_eq!(channel.items[0].link(), Some("http://news.example.org/2027/09/one/"));
        assert!(problems(&world).await[0].contains("“talk.mp3” is no address on the web"));
    })
    .await;
}

#[tokio::test]
async fn two_daemons_on_one_database_make_the_same_documents() {
    on_each_engine(async |world| {
        for age in 0..30 {
            draft("en", &format!("n{age}"), age / 3, &["defectors", "events"]).save(&world).await;
        }
        let (one, _) = published(&world).await;
        world.pass(std::time::Duration::from_hours(50));
        let other = serve(&world).await;
        publish(&world, &step(&world, &other)).await;
        for path in ["/feed.xml", "/atom.xml", "/feed.json", "/category/events/feed.xml", "/ja/atom.xml"] {
            let (first, second) = (one.get(path).await, other.get(path).await);
            for name in ["etag", "last-modified"] {
                assert_eq!(first.headers()[name], second.headers()[name], "{path}");
            }
            assert_eq!(first.bytes().await.unwrap(), second.bytes().await.unwrap(), "{path}");
        }
    })
    .await;
}
