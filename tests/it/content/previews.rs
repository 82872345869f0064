//! Drafts that are seen before they are public, by a link in a mail.

use super::{Room, file};
use crate::support::inbox::Inbox;
use crate::support::program::Daemon;
use crate::support::web::{header, serve};
use crate::support::{World, language, on_each_engine};
use clarion::address::Address;
use clarion::language::Catalogue;
use clarion::notice::{PreviewStep, preview};
use clarion::task::{Kick, Step as _, Wake};
use std::fs;
use std::time::Duration;
use tokio::process::Command;

const DATE: &str = "2027-09-18";

fn step(world: &World) -> PreviewStep {
    PreviewStep {
        db: world.db.clone(),
        vault: world.vault.clone(),
        clock: world.clock.clone(),
        site: world.site.clone(),
        catalogue: Catalogue::shipped(),
        staff: vec![Address::parse("office@example.org").unwrap()],
        wanted: true,
        delivery: Kick::default(),
    }
}

/// Subject and text of every mail made.
async fn mails(world: &World) -> Vec<(String, String)> {
    sqlx::query_as("SELECT subject, body_text FROM variant ORDER BY id").fetch_all(world.db.reader()).await.unwrap()
}

/// The path of a link to the preview of the article in a file.
async fn link(world: &World, path: &str, tag: &str) -> String {
    let id: i64 = sqlx::query_scalar("SELECT id FROM article WHERE path = $1").bind(path).fetch_one(world.db.reader()).await.unwrap();
    let link = preview::link(&world.vault, &world.site, id, &language(tag), world.clock.now());
    link.strip_prefix("http://news.example.org").unwrap().to_owned()
}

#[tokio::test]
async fn each_version_that_is_saved_is_told_once_when_it_is_quiet() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        let step = step(&world);
        let call = async || step.step().await.unwrap();
        let quiet = Duration::from_secs(20);
        room.save("public.md", &file("Public", DATE, "", "x"));
        room.scan().await;
        assert_eq!(call().await, Wake::WhenKicked);

        room.save("river.md", &file("By the river", DATE, "draft = true", "x"));
        room.scan().await;
        assert_eq!(call().await, Wake::At(world.clock.now() + quiet));
        world.pass(Duration::from_secs(10));
        room.save("river.md", &file("By the river", DATE, "draft = true", "xy"));
        room.save("later.ja.md", &file("あとで", "2027-12-24T09:00:00", "", "x"));
        room.scan_when_still().await;
        assert_eq!(call().await, Wake::At(world.clock.now() + quiet), "it is still being written");
        world.pass(quiet);
        assert_eq!(call().await, Wake::Now);
        assert_eq!(call().await, Wake::WhenKicked);
        let sent = mails(&world).await;
        assert_eq!(sent.len(), 1);
        assert_eq!(sent[0].0, "2 drafts to look at");
        for part in [
            "By the river\nriver.md · English · draft\n",
            "later.ja.md · 日本語 · will be public on Friday, 24 December 2027, 09:00 (Asia/Tokyo)",
        ] {
            assert!(sent[0].1.contains(part), "{part}:\n{}", sent[0].1);
        }
        assert!(!sent[0].1.contains("/preview/"), "no token is stored");

        world.pass(Duration::from_hours(1));
        room.save("river.md", &file("By the river", DATE, "draft = true", "xyz"));
        room.scan_when_still().await;
        call().await;
        world.pass(quiet);
        call().await;
        assert_eq!(mails(&world).await[1].0, "A draft to look at");
        room.save("river.md", &file("By the river", DATE, "", "xyz"));
        room.scan_when_still().await;
        call().await;
        world.pass(quiet);
        call().await;
        assert_eq!(mails(&world).await.len(), 2, "it is public now");
    })
    .await;
}

#[tokio::test]
async fn hundreds_of_drafts_are_one_mail_and_nobody_who_does_not_want_it_gets_one() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        for number in 0..23 {
            room.save(&format!("d{number:02}.md"), &file(&format!("Draft {number:02}."), DATE, "draft = true", "x"));
        }
        room.scan().await;
        for quiet in [PreviewStep { wanted: false, ..step(&world) }, PreviewStep { staff: Vec::new(), ..step(&world) }] {
            assert_eq!(quiet.step().await.unwrap(), Wake::WhenKicked);
        }
        let step = step(&world);
        step.step().await.unwrap();
        world.pass(Duration::from_secs(20));
        step.step().await.unwrap();
        assert_eq!(step.step().await.unwrap(), Wake::WhenKicked);
        let sent = mails(&world).await;
        assert_eq!((sent.len(), sent[0].0.as_str()), (1, "23 drafts to look at"));
        assert_eq!(sent[0].1.matches("Draft ").count(), 20);
        assert!(sent[0].1.contains("And 3 more"), "{}", sent[0].1);
    })
    .await;
}

#[tokio::test]
async fn who_has_the_link_sees_the_newest_version_as_its_page_will_look() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        let site = serve(&world).await;
        fs::write(room.root.join("river.png"), b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x08\0\0\0\x06\x08\x02\0\0\0").unwrap();
        fs::write(room.root.join("other.png"), b"\x89PNG\r\n\x1a\n").unwrap();
        for number in 0..5 {
            room.save(&format!("p{number}.md"), &file("Public", DATE, "", "x"));
        }
        room.save("river.md", &file("By the river", DATE, "draft = true\ncategories = [\"defectors\"]", "One. ![River](river.png)"));
        room.scan_when_still().await;
        let path = link(&world, "river.md", "en").await;
        let answer = site.get(&path).await;
        assert_eq!(answer.status(), 200);
        for (name, value) in [("cache-control", "no-store"), ("referrer-policy", "no-referrer"), ("x-robots-tag", "noindex, nofollow")] {
            assert_eq!(header(&answer, name), value);
        }
        let text = answer.text().await.unwrap();
        let picture = format!("<img src=\"http://news.example.org{path}/files/river.png\" alt=\"River\" width=\"8\" height=\"6\"");
        for part in [
            "Preview: this is a draft, and not public.",
            "until Wednesday, 20 October 2027",
            ">By the river</h1>",
            "One. ",
            ">Defectors</a>",
            "<meta name=\"robots\" content=\"noindex\">",
            &picture,
        ] {
            assert!(text.contains(part), "{part} is missing:\n{text}");
        }
        assert!(!text.contains("rel=\"canonical\""), "{text}");
        let answer = site.get(&format!("{path}/files/river.png")).await;
        assert_eq!(
            (answer.status().as_u16(), header(&answer, "content-type"), header(&answer, "cache-control")),
            (200, "image/png", "no-store")
        );
        for (closed, status) in [
            (format!("{path}/files/other.png"), 404),
            (format!("{path}/files/river.md"), 404),
            (format!("{path}/files/..%2fclarion.key"), 404),
            ("/files/river.png".to_owned(), 404),
            ("/2027/09/river/".to_owned(), 404),
        ] {
            assert_eq!(site.page(&closed).await.0, status, "{closed}");
        }
        let (_, home) = site.page("/").await;
        assert!(!home.contains("By the river"));

        room.save("river.md", &file("By the river", "2027-12-24T09:00:00", "", "Two."));
        room.scan_when_still().await;
        let (_, text) = site.page(&format!("/ja{path}")).await;
        assert!(
            text.contains("Two.") && text.contains("プレビュー：この記事は2027年12月24日（金）09:00（Asia/Tokyo）に公開されます。"),
            "{text}"
        );

        room.save("river.md", &file("By the river", DATE, "", "Three."));
        room.scan_when_still().await;
        let answer = site.get(&path).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "location")), (303, "http://news.example.org/2027/09/river/"));
        assert_eq!(header(&answer, "cache-control"), "no-store");
        room.delete("river.md");
        room.scan_when_still().await;
        let (status, text) = site.page(&path).await;
        assert!(status == 410 && !text.contains("By the river"), "{status} {text}");
    })
    .await;
}

#[tokio::test]
async fn a_link_that_is_changed_meant_for_something_else_or_too_old_opens_nothing() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        let site = serve(&world).await;
        room.save("river.md", &file("By the river", DATE, "draft = true", "x"));
        room.scan().await;
        let path = link(&world, "river.md", "en").await;
        let confirm = world.vault.token(&clarion::vault::Claims::lasting(clarion::vault::Purpose::Confirm, 1));
        for wrong in [path[..path.len() - 1].to_owned(), format!("/preview/{confirm}"), "/preview/x".to_owned()] {
            let (status, text) = site.page(&wrong).await;
            assert!(status == 404 && text.contains("This link is not complete") && !text.contains("By the river"), "{wrong}: {text}");
        }
        assert_eq!(site.post(&path, &[]).await.status(), 405);
        world.pass(Duration::from_hours(30 * 24));
        assert_eq!(site.page(&path).await.0, 200);
        world.pass(Duration::from_secs(1));
        let (status, text) = site.page(&path).await;
        assert!(status == 410 && text.contains("This link is too old") && !text.contains("By the river"), "{text}");
    })
    .await;
}

/// Runs a command beside the daemon, and returns what it said.
async fn run(daemon: &Daemon, line: &[&str], code: i32) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clarion"));
    command.current_dir(daemon.folder()).env("CLARION_CLOCK", format!("file:{}", daemon.folder().join("clock").display()));
    let output = command.args(line).output().await.unwrap();
    assert_eq!(output.status.code(), Some(code), "{line:?}: {output:?}");
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_in_the_folder_becomes_a_mail_whose_link_shows_it() {
    let inbox = Inbox::open().await;
    let mut daemon = Daemon::start("2027-09-18T12:00:00+09:00", inbox.relay.port()).await;
    let draft = |text: &str| format!("+++\ntitle = \"By the river\"\ndate = 2027-09-18\ndraft = true\n+++\n{text}\n");
    daemon.write("content/river.md", &draft("One."));
    let clock = async {
        for minute in 1.. {
            tokio::time::sleep(Duration::from_secs(1)).await;
            daemon.set_clock(&format!("2027-09-18T12:{:02}:{:02}+09:00", minute / 2, minute % 2 * 30));
        }
    };
    let mail = tokio::select! {
        mail = inbox.wait_for("office@example.org", "By the river") => mail,
        () = clock => unreachable!("the clock goes on"),
    };
    assert_eq!(mail.subject, "A draft to look at");
    let link = mail.link("/preview/");
    daemon.wait_for(&link, "One.").await;
    daemon.write("content/river.md", &draft("Two."));
    daemon.wait_for(&link, "Two.").await;
    assert_eq!(daemon.get("/2027/09/river/").await.status(), 404);

    let said = run(&daemon, &["content", "preview", "river", "--to", "chair@example.org"], 0).await;
    assert!(said.contains("river.md"), "{said}");
    let link = inbox.wait_for("chair@example.org", "By the river").await.link("/preview/");
    daemon.wait_for(&link, "Two.").await;
    let printed = run(&daemon, &["content", "preview", "content/river.md"], 0).await;
    daemon.wait_for(printed.trim(), "Two.").await;
    let said = run(&daemon, &["content", "preview", "nothing"], 1).await;
    assert!(said.contains("river.md"), "{said}");

    // What is withdrawn before it was ever public is seen by nobody, and no mail names it.
    run(&daemon, &["withdraw", "river.md", "--yes"], 0).await;
    let gone = daemon.get(&link).await;
    assert_eq!(gone.status(), 410);
    assert!(!gone.text().await.unwrap().contains("By the river"));
    let db = clarion::db::Db::open(&clarion::db::DatabaseUrl::Sqlite(daemon.folder().join("var/clarion.db"))).await.unwrap();
    let named = "SELECT COUNT(*) FROM variant v JOIN mailing m ON m.id = v.mailing_id
                 WHERE v.body_text || v.body_html || v.subject || m.title LIKE '%By the river%'";
    assert_eq!(sqlx::query_scalar::<_, i64>(named).fetch_one(db.reader()).await.unwrap(), 0);
    db.close().await;
    assert_eq!(daemon.terminate().await, Some(0));
}
