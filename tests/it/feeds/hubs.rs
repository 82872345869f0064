//! WebSub: a feed names its hubs, and they are told of every change.

use super::{publish, step};
use crate::support::articles::draft;
use crate::support::host::{Asked, Host, Reply};
use crate::support::web::{Site, header, serve_shared, shared};
use crate::support::{World, on_each_engine};
use clarion::feed::HubStep;
use clarion::task::{Step as _, Wake};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;
use url::{Url, form_urlencoded};

/// A hub that answers with the status that the number holds.
async fn hub() -> (Host, Arc<AtomicU16>) {
    let status = Arc::new(AtomicU16::new(204));
    let answer = Arc::clone(&status);
    (Host::begin(move |_| Reply::status(answer.load(Ordering::Relaxed))).await, status)
}

async fn site_with(world: &World, hubs: &[Url]) -> (Site, HubStep) {
    let mut shared = shared(world);
    shared.feed.hubs = hubs.to_vec();
    let step = HubStep::new(world.db.clone(), world.clock.clone(), world.site.clone(), hubs.to_vec(), shared.metrics.clone()).unwrap();
    (serve_shared(shared).await, step)
}

/// Lets the step do all it has to do by now.
async fn run(step: &HubStep) {
    while step.step().await.unwrap() == Wake::Now {}
}

/// The feeds a hub was told of.
fn told(asked: &[Asked]) -> BTreeSet<String> {
    let field = |asked: &Asked, name: &str| form_urlencoded::parse(&asked.body).find(|(key, _)| key == name).unwrap().1.into_owned();
    assert!(asked.iter().all(|asked| field(asked, "hub.mode") == "publish" && field(asked, "hub.topic") == field(asked, "hub.url")));
    asked.iter().map(|asked| field(asked, "hub.url")).collect()
}

#[tokio::test]
async fn hubs_are_told_of_what_changed_and_of_nothing_else() {
    on_each_engine(async |world| {
        let (hub, _) = hub().await;
        let (site, hubs) = site_with(&world, &[hub.url("/hub")]).await;
        let mut article = draft("en", "one", 1, &["defectors"]);
        article.save(&world).await;
        let feeds = step(&world, &site);
        publish(&world, &feeds).await;
        run(&hubs).await;
        assert_eq!(hub.take_asked().len(), 0, "before every daemon serves it, nobody is told");
        world.pass(Duration::from_secs(2));
        run(&hubs).await;
        let all = told(&hub.take_asked());
        assert!(all.contains("http://news.example.org/feed.xml") && all.contains("http://news.example.org/ja/feed.json"), "{all:?}");

        article.title = "A correction".to_owned();
        article.save(&world).await;
        publish(&world, &feeds).await;
        world.pass(Duration::from_secs(2));
        run(&hubs).await;
        let formats = ["feed.xml", "atom.xml", "feed.json"];
        let touched =
            formats.iter().flat_map(|name| ["", "category/defectors/"].map(|folder| format!("http://news.example.org/{folder}{name}")));
        assert_eq!(told(&hub.take_asked()), touched.collect());
        world.pass(Duration::from_hours(24));
        run(&hubs).await;
        assert_eq!(hub.take_asked().len(), 0, "once is enough");
    })
    .await;
}

#[tokio::test]
async fn a_hub_that_does_not_hear_is_told_again_and_at_last_staff_are() {
    on_each_engine(async |world| {
        let ((good, _), (bad, status)) = (hub().await, hub().await);
        let (site, hubs) = site_with(&world, &[good.url("/"), bad.url("/")]).await;
        draft("en", "one", 1, &[]).save(&world).await;
        status.store(503, Ordering::Relaxed);
        publish(&world, &step(&world, &site)).await;
        let waits = async |span: Duration| {
            world.pass(span);
            run(&hubs).await;
            (good.take_asked().len(), bad.take_asked().len())
        };
        let (heard, missed) = waits(Duration::from_secs(2)).await;
        assert!(heard > 0 && heard == missed, "{heard} and {missed}");
        assert_eq!(waits(Duration::from_secs(59)).await, (0, 0));
        assert_eq!(waits(Duration::from_secs(1)).await, (0, missed));
        for _ in 0..8 {
            waits(Duration::from_hours(6)).await;
        }
        assert_eq!(waits(Duration::from_hours(48)).await, (0, 0), "not for ever");
        let told: Vec<String> = sqlx::query_scalar("SELECT subject FROM notice").fetch_all(world.db.reader()).await.unwrap();
        assert_eq!(told, [format!("A hub does not hear: {}", bad.url("/"))]);
    })
    .await;
}

#[tokio::test]
async fn a_feed_names_itself_and_its_hubs_in_headers_and_documents() {
    on_each_engine(async |world| {
        let hub: Url = "https://hub.example.org/?a=1&b=2".parse().unwrap();
        let (site, _) = site_with(&world, std::slice::from_ref(&hub)).await;
        draft("en", "one", 1, &["defectors"]).save(&world).await;
        publish(&world, &step(&world, &site)).await;
        for (path, own) in
            [("/feed/", "/feed.xml"), ("/atom.xml", "/atom.xml"), ("/category/defectors/feed.json", "/category/defectors/feed.json")]
        {
            let link = format!("<http://news.example.org{own}>; rel=\"self\", <{hub}>; rel=\"hub\"");
            for method in [reqwest::Method::GET, reqwest::Method::HEAD] {
                assert_eq!(header(&site.request(method, path).send().await.unwrap(), "link"), link, "{path}");
            }
        }
        let rss: rss::Channel = site.page("/feed.xml").await.1.parse().unwrap();
        let links: Vec<_> = rss.atom_ext.unwrap().links.into_iter().map(|link| (link.rel, link.href)).collect();
        assert!(links.contains(&("hub".to_owned(), hub.to_string())), "{links:?}");
        let atom: atom_syndication::Feed = site.page("/atom.xml").await.1.parse().unwrap();
        assert!(atom.links.iter().any(|link| link.rel == "hub" && link.href == hub.as_str()));
        let json: serde_json::Value = serde_json::from_str(&site.page("/feed.json").await.1).unwrap();
        assert_eq!(json["hubs"], serde_json::json!([{ "type": "WebSub", "url": hub.as_str() }]));
    })
    .await;
}
