//! What feeds say of the site and of themselves.

use super::judge::assert_well_formed;
use super::tree::Node;
use super::{publish, published, step};
use crate::support::articles::draft;
use crate::support::web::{serve_shared, shared};
use crate::support::{local, on_each_engine};
use clarion::site::Imprint;
use std::time::Duration;

#[tokio::test]
async fn a_feed_shows_the_logo_and_says_whose_it_is() {
    on_each_engine(async |mut world| {
        world.site.imprint = Imprint {
            rights: Some(local("© LFNKR & friends", "© 基金")),
            logo: Some("images/the logo.png".to_owned()),
            icon: Some("wp-content/uploads/icon.png".to_owned()),
        };
        let folder = world.folder.path().join("content/images");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("the logo.png"), b"\x89PNG\r\n\x1a\n").unwrap();
        std::fs::write(folder.join("secret.png"), b"\x89PNG\r\n\x1a\n").unwrap();
        draft("en", "one", 1, &["defectors"]).save(&world).await;
        let (site, _) = published(&world).await;
        let logo = "http://news.example.org/files/images/the%20logo.png";

        let (_, text) = site.page("/category/defectors/feed.xml").await;
        assert_well_formed("RSS", &text);
        let root = Node::parse(&text);
        let channel = root.child("channel").unwrap();
        let image = channel.child("image").unwrap();
        assert_eq!((image.text_of("url"), image.text_of("link")), (logo, channel.text_of("link")));
        assert_eq!(image.text_of("title"), channel.text_of("title"));
        assert_eq!((channel.text_of("copyright"), channel.text_of("generator")), ("© LFNKR & friends", "Clarion"));

        let (_, text) = site.page("/ja/atom.xml").await;
        let feed = Node::parse(&text);
        assert_eq!((feed.text_of("logo"), feed.text_of("rights")), (logo, "© 基金"));
        assert_eq!(feed.text_of("icon"), "http://news.example.org/wp-content/uploads/icon.png");
        assert_eq!(
            (feed.text_of("generator"), feed.child("generator").unwrap().attributes.len()),
            ("Clarion", 0),
            "no version: no change by an upgrade"
        );

        let json: serde_json::Value = serde_json::from_str(&site.page("/feed.json").await.1).unwrap();
        assert_eq!(json["icon"], "http://news.example.org/wp-content/uploads/icon.png");
        assert_eq!(json["favicon"], json["icon"]);
        assert_eq!(site.get("/files/images/the%20logo.png").await.status(), 200, "served, though no article shows it");
        assert_eq!(site.get("/files/images/secret.png").await.status(), 404);
    })
    .await;
}

#[tokio::test]
async fn a_site_without_a_logo_says_nothing_of_one() {
    on_each_engine(async |world| {
        draft("en", "one", 1, &[]).save(&world).await;
        let (site, _) = published(&world).await;
        let rss = Node::parse(&site.page("/feed.xml").await.1);
        assert!(["image", "copyright"].iter().all(|name| rss.child("channel").unwrap().child(name).is_none()));
        let atom = Node::parse(&site.page("/atom.xml").await.1);
        assert!(["logo", "icon", "rights"].iter().all(|name| atom.child(name).is_none()));
    })
    .await;
}

#[tokio::test]
async fn what_a_feed_says_of_how_often_to_look_is_what_its_headers_say() {
    on_each_engine(async |world| {
        draft("en", "one", 1, &[]).save(&world).await;
        for minutes in [15, 30, 60, 120, 720, 1440] {
            let mut shared = shared(&world);
            shared.feed.ttl = Duration::from_mins(minutes);
            let site = serve_shared(shared).await;
            publish(&world, &step(&world, &site)).await;
            let response = site.get("/feed.xml").await;
            assert!(response.headers()["cache-control"].to_str().unwrap().starts_with(&format!("public, max-age={},", minutes * 60)));
            let root = Node::parse(&response.text().await.unwrap());
            let channel = root.child("channel").unwrap();
            assert_eq!(channel.text_of("ttl"), minutes.to_string());
            let period = if channel.text_of("sy:updatePeriod") == "hourly" { 60 } else { 1440 };
            let frequency: u64 = channel.text_of("sy:updateFrequency").parse().unwrap();
            assert_eq!(period / frequency, minutes, "{minutes}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_copy_names_its_original_and_a_followed_article_is_read_there() {
    on_each_engine(async |world| {
        let mut copy = draft("en", "copy", 1, &[]);
        copy.canonical_url = Some("https://other.example.org/a?b&c".to_owned());
        copy.save(&world).await;
        let (site, _) = published(&world).await;
        let feed = Node::parse(&site.page("/atom.xml").await.1);
        let entry = feed.child("entry").unwrap();
        let links: Vec<_> = entry.all("link").map(|link| (link.get("rel"), link.get("href"))).collect();
        assert_eq!(links, [("alternate", "http://news.example.org/2027/09/copy/"), ("related", "https://other.example.org/a?b&c")]);
        let json: serde_json::Value = serde_json::from_str(&site.page("/feed.json").await.1).unwrap();
        assert_eq!(json["items"][0]["external_url"], "https://other.example.org/a?b&c");
    })
    .await;
}

#[tokio::test]
async fn every_format_names_the_hubs() {
    on_each_engine(async |world| {
        draft("en", "one", 1, &[]).save(&world).await;
        let hub = "https://hub.example.org/?a=1&b";
        let mut shared = shared(&world);
        shared.feed.hubs = vec![hub.parse().unwrap()];
        let site = serve_shared(shared).await;
        publish(&world, &step(&world, &site)).await;
        let of = |links: &mut dyn Iterator<Item = &Node>| {
            links.filter(|link| link.get("rel") == "hub").map(|link| link.get("href").to_owned()).collect::<Vec<_>>()
        };
        let rss = Node::parse(&site.page("/feed.xml").await.1);
        assert_eq!(of(&mut rss.child("channel").unwrap().all("atom:link")), [hub]);
        let atom = Node::parse(&site.page("/atom.xml").await.1);
        assert_eq!(of(&mut atom.all("link")), [hub]);
        let json: serde_json::Value = serde_json::from_str(&site.page("/feed.json").await.1).unwrap();
        assert_eq!(json["hubs"], serde_json::json!([{"type": "WebSub", "url": hub}]));
    })
    .await;
}
