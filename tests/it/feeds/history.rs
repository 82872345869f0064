//! The archive of feeds (RFC 5005 §4), walked back as a reader does.

use super::{publish, published, step};
use crate::support::articles::{Draft, draft, save_all};
use crate::support::web::{Site, header, serve_shared, shared};
use crate::support::{World, on_each_engine};
use clarion::content::{self, ArticleState};
use clarion::feed::FeedStep;
use std::collections::{BTreeMap, BTreeSet};

/// What a reader finds in a document.
#[derive(Debug)]
struct Read {
    ids: Vec<String>,
    /// Paths, by relation.
    links: BTreeMap<String, String>,
    is_archive: bool,
}

/// `http://news.example.org/x` as `/x`.
fn path(address: &str) -> String {
    address.strip_prefix("http://news.example.org").unwrap_or_else(|| panic!("{address} is not absolute")).to_owned()
}

async fn read(site: &Site, path: &str) -> Read {
    let response = site.get(path).await;
    assert_eq!(response.status(), 200, "{path}");
    let media_type = header(&response, "content-type").to_owned();
    let text = response.text().await.unwrap();
    let is_archive = text.contains("xmlns:fh=\"http://purl.org/syndication/history/1.0\"") && text.contains("<fh:archive");
    if media_type.starts_with("application/atom") {
        let feed: atom_syndication::Feed = text.parse().unwrap();
        let links = feed.links.into_iter().map(|link| (link.rel, self::path(&link.href))).collect();
        return Read { ids: feed.entries.into_iter().map(|entry| entry.id).collect(), links, is_archive };
    }
    if media_type.starts_with("application/rss") {
        let channel: rss::Channel = text.parse().unwrap();
        let links = channel.atom_ext.unwrap().links.into_iter().map(|link| (link.rel, self::path(&link.href))).collect();
        return Read { ids: channel.items.into_iter().map(|item| item.guid.unwrap().value).collect(), links, is_archive };
    }
    let feed: serde_json::Value = serde_json::from_str(&text).unwrap();
    let ids = feed["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect();
    let links = feed["next_url"].as_str().map(|next| ("prev-archive".to_owned(), self::path(next))).into_iter().collect();
    Read { ids, links, is_archive }
}

/// Walks back from the current feed; `between` happens between two requests. Ids of the current
/// feed, and of each document of the archive, the newest first.
async fn walk(site: &Site, from: &str, between: impl AsyncFn(usize)) -> (Vec<String>, Vec<Vec<String>>) {
    let current = read(site, from).await;
    assert!(!current.is_archive, "{from}");
    let (mut documents, mut next, mut seen) = (Vec::new(), current.links.get("prev-archive").cloned(), BTreeSet::new());
    while let Some(address) = next {
        between(documents.len()).await;
        assert!(seen.insert(address.clone()), "{address} comes twice");
        let document = read(site, &address).await;
        // JSON Feed names older entries, and has no word for the rest.
        if address.rsplit('.').next() != Some("json") {
            assert!(document.is_archive, "{address}");
            assert_eq!(document.links["self"], address);
            assert_eq!(document.links["current"], from, "{address}");
        }
        next = document.links.get("prev-archive").cloned();
        documents.push(document.ids);
    }
    (current.ids, documents)
}

/// Every article is in the current feed or in one document, and in one only.
fn assert_whole(expected: &BTreeSet<String>, current: &[String], documents: &[Vec<String>], context: &str) {
    let archived: Vec<&String> = documents.iter().flatten().collect();
    let once: BTreeSet<&String> = archived.iter().copied().collect();
    assert_eq!(archived.len(), once.len(), "{context}: no article is in two documents");
    let all: BTreeSet<String> = current.iter().cloned().chain(archived.into_iter().cloned()).collect();
    assert_eq!(all.len(), expected.len(), "{context}");
    assert_eq!(all, *expected, "{context}");
}

/// Articles that appear one after the other, the oldest first.
async fn years(world: &World, count: u64) -> BTreeSet<String> {
    let all: Vec<Draft> = (0..count).rev().map(|age| draft("en", &format!("n{age}"), age + 10, &["defectors"])).collect();
    save_all(&world.db, &world.site, &all).await;
    all.into_iter().map(|article| article.uid).collect()
}

async fn add(world: &World, step: &FeedStep, article: &Draft) {
    article.save(world).await;
    publish(world, step).await;
}

#[tokio::test]
async fn walking_back_finds_every_article_in_every_format() {
    on_each_engine(async |world| {
        let expected = years(&world, 250).await;
        draft("ja", "other", 3, &["defectors"]).save(&world).await;
        let (site, _) = published(&world).await;
        for from in ["/feed.xml", "/atom.xml", "/feed.json", "/category/defectors/feed.xml", "/category/defectors/atom.xml"] {
            let (current, documents) = walk(&site, from, async |_| {}).await;
            assert_eq!(documents.iter().map(Vec::len).collect::<Vec<_>>(), [50, 50, 50, 50], "{from}");
            assert_whole(&expected, &current, &documents, from);
        }
        let (current, documents) = walk(&site, "/ja/atom.xml", async |_| {}).await;
        assert_eq!((current.len(), documents.len()), (1, 0), "what is shown needs no archive");
        let first = read(&site, "/feed/archive/1.atom").await;
        assert_eq!(first.links["next-archive"], "/feed/archive/2.atom");
        assert!(!first.links.contains_key("prev-archive"));
        let answer = site.get("/feed/archive/1.atom").await;
        assert_eq!(header(&answer, "cache-control"), "public, max-age=86400");
        for none in
            ["/feed/archive/5.atom", "/feed/archive/0.atom", "/feed/archive/01.atom", "/feed/archive/1.xml", "/ja/feed/archive/1.rss"]
        {
            assert_eq!(site.get(none).await.status(), 404, "{none}");
        }
    })
    .await;
}

#[tokio::test]
async fn nothing_is_lost_while_articles_are_added_between_two_requests() {
    on_each_engine(async |world| {
        let expected = years(&world, 250).await;
        let (site, step) = published(&world).await;
        let (current, documents) = walk(&site, "/atom.xml", async |turn| {
            let new: Vec<Draft> = (0..30).map(|number| draft("en", &format!("new-{turn}-{number}"), 5, &["defectors"])).collect();
            save_all(&world.db, &world.site, &new).await;
            publish(&world, &step).await;
        })
        .await;
        assert_whole(&expected, &current, &documents, "as it was when the walk began");
        let (current, documents) = walk(&site, "/atom.xml", async |_| {}).await;
        let later: BTreeSet<String> = current.iter().chain(documents.iter().flatten()).cloned().collect();
        assert_eq!(later.len(), 250 + 4 * 30, "and those that were added");
        assert!(documents.iter().all(|document| document.len() == 50), "documents are full");
    })
    .await;
}

#[tokio::test]
async fn a_document_of_the_archive_stays_as_it_is_whatever_comes_later() {
    on_each_engine(async |world| {
        let mut expected = years(&world, 170).await;
        let (site, step) = published(&world).await;
        let text = async |number: u32| site.page(&format!("/feed/archive/{number}.rss")).await.1;
        let (one, two) = (text(1).await, text(2).await);
        // One of today; one whose date is long ago, as a translation of an old report has.
        for article in [draft("en", "today", 0, &[]), draft("en", "long-ago", 9_000, &[])] {
            add(&world, &step, &article).await;
            expected.insert(article.uid);
            let (current, documents) = walk(&site, "/feed.xml", async |_| {}).await;
            assert_whole(&expected, &current, &documents, &article.slug);
        }
        assert_eq!((text(1).await, text(2).await), (one.clone(), two.clone()), "byte for byte");

        // An edit changes its document only.
        let mut old = draft("en", "n150", 160, &["defectors"]);
        old.title = "A correction".to_owned();
        let sequence: i64 = sqlx::query_scalar("SELECT published_seq FROM article WHERE uid = $1")
            .bind(&old.uid)
            .fetch_one(world.db.reader())
            .await
            .unwrap();
        add(&world, &step, &old).await;
        // Editing never gives a new place in the order of publication.
        sqlx::query("UPDATE article SET published_seq = $1 WHERE uid = $2")
            .bind(sequence)
            .bind(&old.uid)
            .execute(world.db.reader())
            .await
            .unwrap();
        draft("ja", "nudge", 0, &[]).save(&world).await;
        let (restarted, _) = published(&world).await;
        let edited = restarted.page("/feed/archive/1.rss").await.1;
        assert!(edited != one && edited.contains("A correction"));
        assert_eq!(restarted.page("/feed/archive/2.rss").await.1, two);
    })
    .await;
}

#[tokio::test]
async fn what_is_withdrawn_is_gone_from_the_archive_at_once_and_moves_nothing() {
    on_each_engine(async |world| {
        let mut expected = years(&world, 170).await;
        let (site, _) = published(&world).await;
        let (uid, id): (String, i64) =
            sqlx::query_as("SELECT uid, id FROM article WHERE slug = 'n160'").fetch_one(world.db.reader()).await.unwrap();
        assert!(site.page("/feed/archive/1.atom").await.1.contains(&uid));
        let two = site.page("/feed/archive/2.atom").await.1;
        let mut tx = world.db.begin().await.unwrap();
        content::withdraw(&mut tx, &world.site, &[id], world.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        // Before any step has run.
        for format in ["rss", "atom", "json"] {
            let document = site.page(&format!("/feed/archive/1.{format}")).await.1;
            assert!(!document.contains(&uid) && !document.contains("n160"), "{format}");
        }
        assert_eq!(read(&site, "/feed/archive/1.atom").await.ids.len(), 49);
        assert_eq!(site.page("/feed/archive/2.atom").await.1, two);
        expected.remove(&uid);
        let (restarted, _) = published(&world).await;
        let (current, documents) = walk(&restarted, "/atom.xml", async |_| {}).await;
        assert_whole(&expected, &current, &documents, "without it");
    })
    .await;
}

#[tokio::test]
async fn an_archive_cut_for_another_length_of_feeds_stays_whole() {
    on_each_engine(async |world| {
        let expected = years(&world, 170).await;
        let _ = published(&world).await;
        let mut shared = shared(&world);
        shared.feed.items = 10;
        let site = serve_shared(shared).await;
        publish(&world, &step(&world, &site)).await;
        let (current, documents) = walk(&site, "/feed.xml", async |_| {}).await;
        assert_eq!(current.len(), 10);
        assert_whole(&expected, &current, &documents, "ten entries");
    })
    .await;
}

#[tokio::test]
async fn two_daemons_cut_the_same_archive() {
    on_each_engine(async |world| {
        let mut expected = years(&world, 120).await;
        let (one, first) = published(&world).await;
        let (two, second) = published(&world).await;
        for turn in 0..3 {
            let more: Vec<Draft> = (0..20).map(|number| draft("en", &format!("more-{turn}-{number}"), 5, &["defectors"])).collect();
            save_all(&world.db, &world.site, &more).await;
            expected.extend(more.into_iter().map(|article| article.uid));
            tokio::join!(publish(&world, &first), publish(&world, &second));
            for site in [&one, &two] {
                let (current, documents) = walk(site, "/category/defectors/atom.xml", async |_| {}).await;
                assert_whole(&expected, &current, &documents, &format!("turn {turn}"));
            }
        }
        assert_eq!(one.page("/feed.xml").await.1, two.page("/feed.xml").await.1);
        let gone = Draft { state: ArticleState::Gone, ..draft("en", "more-0-0", 5, &["defectors"]) };
        gone.save(&world).await;
        publish(&world, &first).await;
        assert!(!one.page("/feed.xml").await.1.contains("more-0-0.en"));
    })
    .await;
}
