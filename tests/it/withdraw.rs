//! An article that endangers somebody is gone everywhere at once.

use crate::digest::{choices, drain, number, publish, started, subscribe};
use crate::support::inbox::Inbox;
use crate::support::program::Daemon;
use crate::support::{World, on_each_engine};
use clarion::{content, delivery, subscription};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

const WEEK: Duration = Duration::from_hours(7 * 24);

/// What endangers somebody, as it stands in text, addresses and feeds.
const NAMES: [&str; 3] = ["Mina", "mina", "ミナ"];

const STORY: &str = "+++
title = \"The road of Mina\"
date = 2027-09-18T10:00:00+09:00
categories = [\"Defectors\"]
tags = [\"Mina\"]
aliases = [\"/old/mina.htm\"]
+++
Mina walked for eleven weeks.
";
const STORY_JA: &str = "+++
title = \"ミナの道\"
date = 2027-09-18T10:00:00+09:00
categories = [\"脱北者\"]
+++
ミナは11週間歩きました。
";
const OTHER: &str = "+++
title = \"Volunteers wanted\"
date = 2027-09-18T11:00:00+09:00
categories = [\"Defectors\"]
+++
We look for translators.
";

async fn withdraw(world: &World, article: i64) -> delivery::Stopped {
    let now = world.clock.now();
    let mut tx = world.db.begin().await.unwrap();
    let stopped = delivery::withdraw(&mut tx, &[article], &[], &[], now).await.unwrap();
    subscription::reconsider(&mut tx, &stopped.again).await.unwrap();
    content::withdraw(&mut tx, &world.site, &[article], now).await.unwrap();
    tx.commit().await.unwrap();
    stopped
}

#[tokio::test]
async fn mails_that_carry_it_are_stopped_and_what_else_was_in_them_comes_next_time() {
    on_each_engine(async |world: World| {
        let step = started(&world).await;
        subscribe(&world, "a", &choices("en", "", "weekly")).await;
        subscribe(&world, "b", &choices("en", "human-rights-abuses", "weekly")).await;
        publish(&world, "name", "en", "defectors").await;
        publish(&world, "camp", "en", "human-rights-abuses").await;
        world.pass(WEEK);
        drain(&step).await;
        let article: i64 = sqlx::query_scalar("SELECT id FROM article WHERE path = 'name.en'").fetch_one(world.db.reader()).await.unwrap();
        let stopped = withdraw(&world, article).await;
        assert_eq!((stopped.mails, stopped.in_doubt, stopped.sent), (1, 0, 0));
        assert_eq!(number(&world, "SELECT COUNT(*) FROM delivery WHERE state = 'skipped' AND reason = 'withdrawn'").await, 1);
        assert_eq!(number(&world, "SELECT COUNT(*) FROM delivery WHERE state = 'queued'").await, 1, "who had not chosen its topic");
        assert_eq!(number(&world, "SELECT COUNT(*) FROM variant WHERE body_text LIKE '%name en%' OR body_html LIKE '%name en%'").await, 0);
        world.pass(WEEK);
        drain(&step).await;
        let again = "SELECT COUNT(*) FROM delivery d JOIN variant v ON v.id = d.variant_id
                     WHERE d.state = 'queued' AND v.body_text LIKE '%camp en%'";
        assert_eq!(number(&world, again).await, 2, "each of the two people once");
    })
    .await;
}

/// Every page and feed that can be reached from the first ones, as text.
async fn crawl(daemon: &Daemon) -> Vec<(String, String)> {
    let mut due: Vec<String> = ["/", "/ja/", "/feeds", "/sitemap.xml", "/archive/"].map(str::to_owned).to_vec();
    let mut seen = BTreeSet::new();
    let mut pages = Vec::new();
    while let Some(path) = due.pop() {
        if !seen.insert(path.clone()) || seen.len() > 300 {
            continue;
        }
        let answer = daemon.get(&path).await;
        let location = answer.headers().get("location").and_then(|to| to.to_str().ok()).map(str::to_owned);
        let text = answer.text().await.unwrap();
        let links = text.split(['"', '>', '<']).filter(|part| part.starts_with('/') || part.starts_with("http://news.example.org/"));
        due.extend(links.map(|link| link.replace("http://news.example.org", "").split('#').next().unwrap_or_default().to_owned()));
        due.extend(location);
        pages.push((path, text));
    }
    pages
}

#[expect(clippy::disallowed_macros, reason = "who judges it needs the figure")]
fn tell(what: std::fmt::Arguments<'_>) {
    println!("{what}");
}

fn names_in(text: &str) -> bool {
    NAMES.iter().any(|name| text.contains(name))
}

/// Runs a command beside the daemon, in its folder.
async fn clarion(daemon: &Daemon, arguments: &[&str]) -> String {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_clarion"));
    command.args(["--config", "config/clarion.toml"]).args(arguments).current_dir(daemon.folder());
    command.env("CLARION_CLOCK", format!("file:{}", daemon.folder().join("clock").display()));
    let output = command.output().await.unwrap();
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn files_with_names(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let bytes = std::fs::read(entry.path()).unwrap_or_default();
        if NAMES.iter().any(|name| bytes.windows(name.len()).any(|window| window == name.as_bytes())) {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_gone_from_every_page_every_feed_and_the_database() {
    let inbox = Inbox::open().await;
    let mut daemon = Daemon::start("2027-09-18T12:00:00+09:00", inbox.relay.port()).await;
    std::fs::create_dir_all(daemon.folder().join("content/stories")).unwrap();
    daemon.write("content/stories/mina.md", STORY);
    daemon.write("content/stories/mina.ja.md", STORY_JA);
    daemon.write("content/other.md", OTHER);
    for (path, text) in [("/feed.xml", "The road of Mina"), ("/ja/atom.xml", "ミナの道"), ("/feed.json", "Volunteers wanted")] {
        daemon.wait_for(path, text).await;
    }
    let before = crawl(&daemon).await;
    assert!(before.iter().filter(|(_, text)| names_in(text)).count() > 10, "the crawl finds it where it is");

    let refused = clarion(&daemon, &["withdraw", "stories/mina.md"]).await;
    assert!(refused.contains("The road of Mina") && refused.contains("--yes"), "nothing without a word: {refused}");
    assert_eq!(daemon.get("/2027/09/mina/").await.status(), 200);
    let began = Instant::now();
    let told = clarion(&daemon, &["withdraw", "http://news.example.org/2027/09/mina/", "--yes"]).await;
    assert!(told.contains("Withdrawn.") && told.contains("stories/mina.ja.md"), "{told}");
    let left = loop {
        let left: Vec<String> = crawl(&daemon).await.into_iter().filter(|(_, text)| names_in(text)).map(|(path, _)| path).collect();
        if left.is_empty() || began.elapsed() > Duration::from_mins(1) {
            break left;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert!(left.is_empty(), "still there after a minute: {left:?}");
    tell(format_args!("gone from every page and feed after {:.1} s", began.elapsed().as_secs_f64()));

    for path in ["/2027/09/mina/", "/ja/2027/09/mina/", "/old/mina.htm"] {
        let answer = daemon.get(path).await;
        assert_eq!(answer.status(), 410, "{path}");
        assert!(!names_in(&answer.text().await.unwrap()), "{path}");
    }
    daemon.wait_for("/feed.xml", "Volunteers wanted").await;

    // The file is still there: it stays unpublished, also when it is saved again, and staff are told.
    daemon.write("content/stories/mina.md", &STORY.replace("eleven", "twelve"));
    let told_of = async || clarion(&daemon, &["content", "problems"]).await.contains("this article was withdrawn");
    for _ in 0..100 {
        if told_of().await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(told_of().await);
    assert_eq!(daemon.get("/2027/09/mina/").await.status(), 410);
    // Notices wait a little for each other, by the daemon's clock.
    daemon.set_clock("2027-09-18T12:02:00+09:00");
    inbox.wait_for("office@example.org", "was withdrawn").await;

    // When the files are deleted, nothing in the folder of the database names anybody.
    for name in ["mina.md", "mina.ja.md"] {
        std::fs::remove_file(daemon.folder().join("content/stories").join(name)).unwrap();
    }
    while told_of().await {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(daemon.terminate().await, Some(0));
    assert_eq!(files_with_names(&daemon.folder().join("var")), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_by_mistake_is_undone() {
    let inbox = Inbox::open().await;
    let daemon = Daemon::start("2027-09-18T12:00:00+09:00", inbox.relay.port()).await;
    daemon.write("content/mina.md", STORY);
    daemon.write("content/mina.ja.md", STORY_JA);
    daemon.wait_for("/feed.xml", "The road of Mina").await;
    daemon.wait_for("/ja/feed.xml", "ミナの道").await;
    let told = clarion(&daemon, &["withdraw", "mina.md", "--only", "--yes"]).await;
    let number = told.rsplit("--undo ").next().unwrap().trim().to_owned();
    for _ in 0..100 {
        if daemon.get("/2027/09/mina/").await.status() == 410 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(daemon.get("/2027/09/mina/").await.status(), 410, "its translation does not stand in for it");
    assert_eq!(daemon.get("/ja/2027/09/mina/").await.status(), 200, "it was not meant");
    assert!(clarion(&daemon, &["withdraw", "--undo", &number]).await.contains("is read again"));
    daemon.wait_for("/feed.xml", "The road of Mina").await;
    assert_eq!(daemon.get("/2027/09/mina/").await.status(), 200);
}
