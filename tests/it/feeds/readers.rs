//! How many read a feed through an aggregator: as they say, by day, and nothing of anybody.

use super::published;
use crate::support::articles::draft;
use crate::support::program::Daemon;
use crate::support::web::{Site, header};
use crate::support::{World, on_each_engine};
use clarion::feed::{ReadersStep, Readership, readership};
use clarion::task::Step as _;
use reqwest::Method;
use std::time::Duration;

fn step(world: &World, site: &Site) -> ReadersStep {
    let state = &site.state;
    ReadersStep::new(world.db.clone(), world.clock.clone(), state.site.time_zone.clone(), state.readers().clone(), state.metrics.clone())
}

async fn poll(site: &Site, path: &str, agent: &str, tag: &str) -> u16 {
    let request = site.request(Method::GET, path).header("user-agent", agent).header("if-none-match", tag);
    request.send().await.unwrap().status().as_u16()
}

async fn written(world: &World) -> Vec<(String, String, String, i64)> {
    let mut connection = world.db.reader().acquire().await.unwrap();
    let row = |said: Readership| (said.feed, said.aggregator, said.day, said.readers);
    readership(&mut connection, "2000-01-01").await.unwrap().into_iter().map(row).collect()
}

fn said(feed: &str, aggregator: &str, day: &str, readers: i64) -> (String, String, String, i64) {
    (feed.to_owned(), aggregator.to_owned(), day.to_owned(), readers)
}

#[tokio::test]
async fn what_aggregators_say_is_kept_by_feed_and_day() {
    on_each_engine(async |world| {
        draft("en", "one", 1, &["defectors"]).save(&world).await;
        let (site, _) = published(&world).await;
        let step = step(&world, &site);
        let tag = header(&site.get("/feed.xml").await, "etag").to_owned();
        // Also from a 304, and from an old address of the same feed.
        assert_eq!(poll(&site, "/feed.xml", "Feedly/1.0 (+http://www.feedly.com/fetcher.html; 12 subscribers; )", &tag).await, 304);
        assert_eq!(poll(&site, "/feed/", "Feedly/1.0 (+http://www.feedly.com/fetcher.html; 7 subscribers; )", &tag).await, 304);
        assert_eq!(poll(&site, "/feed.xml", "Feedbin feed-id:1 - 45 subscribers", "\"old\"").await, 200);
        poll(&site, "/category/defectors/feed.xml", "Somebody/1.0 (3 subscribers)", "\"old\"").await;
        poll(&site, "/feed.xml", "newsboat/2.21.0 (Linux x86_64)", &tag).await;
        poll(&site, "/feed.xml", "Feedly (4000000000000 subscribers)", &tag).await;
        poll(&site, "/category/nothing/feed.xml", "Feedly (5 subscribers)", &tag).await;
        assert!(written(&world).await.is_empty(), "no request waits for the database");
        step.step().await.unwrap();
        let first = [
            said("/category/defectors/feed.xml", "other", "2027-09-20", 3),
            said("/feed.xml", "Feedbin", "2027-09-20", 45),
            said("/feed.xml", "Feedly", "2027-09-20", 12),
        ];
        assert_eq!(written(&world).await, first);
        assert!(site.state.metrics.render().contains("clarion_feed_readers{feed=\"/feed.xml\",aggregator=\"Feedly\"} 12"));

        poll(&site, "/feed.xml", "Feedly (9 subscribers)", &tag).await;
        step.step().await.unwrap();
        assert_eq!(written(&world).await, first, "less on the same day changes nothing");
        world.pass(Duration::from_hours(24));
        poll(&site, "/feed.xml", "Feedly (9 subscribers)", &tag).await;
        step.end().await.unwrap();
        assert_eq!(written(&world).await[2], said("/feed.xml", "Feedly", "2027-09-21", 9), "a daemon that stops loses nothing");

        world.pass(Duration::from_hours(24 * 401));
        poll(&site, "/feed.xml", "Feedly (10 subscribers)", &tag).await;
        step.step().await.unwrap();
        assert_eq!(written(&world).await, [said("/feed.xml", "Feedly", "2028-10-26", 10)], "what is older than 400 days is forgotten");
    })
    .await;
}

const CLOCK: &str = "2027-09-20T12:00:00+09:00";

/// What `clarion feeds` says beside a running daemon.
fn feeds(daemon: &Daemon, more: &[&str]) -> String {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_clarion"));
    let output = command.current_dir(daemon.folder()).env("CLARION_CLOCK", CLOCK).arg("feeds").args(more).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_lists_feeds_with_their_readers() {
    let daemon = Daemon::start(CLOCK, 1).await;
    daemon.write("content/one.md", "+++\ntitle = \"One\"\ndate = 2027-09-01\ncategories = [\"Defectors\"]\n+++\nText.\n");
    while !daemon.get("/feed.xml").await.text().await.unwrap().contains("One") {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let agent = "Feedly/1.0 (+http://www.feedly.com/fetcher.html; 12 subscribers)";
    let answer = daemon.send(Method::GET, "/feed.xml", |request| request.header("user-agent", agent)).await;
    assert_eq!(answer.status(), 200);
    let line = loop {
        let lines: Vec<serde_json::Value> = serde_json::from_str(&feeds(&daemon, &["--json"])).unwrap();
        let line = lines.into_iter().find(|line| line["address"] == "http://news.example.org/feed.xml").unwrap();
        if !line["readers"].as_array().unwrap().is_empty() {
            break line;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert_eq!(line["entries"], 1);
    assert_eq!(line["readers"], serde_json::json!([{ "aggregator": "Feedly", "day": "2027-09-20", "readers": 12 }]));
    let table = feeds(&daemon, &[]);
    let shown = table.lines().find(|line| line.starts_with("http://news.example.org/feed.xml ")).unwrap();
    assert!(shown.ends_with("Feedly 12") && table.starts_with("FEED"), "{table}");
}
