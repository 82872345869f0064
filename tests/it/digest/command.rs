//! `clarion digest` and `clarion preview digest`, beside a daemon that uses the same database.

use super::{WEEK, choices, drain, ledger, number, publish, started, subscribe};
use crate::support::command::context;
use crate::support::{World, is_sqlite, language, on_each_engine};
use clarion::cli::digest::{DigestCommand, run};
use clarion::cli::{Outcome, preview};
use mail_parser::MessageParser;

fn named(name: &str) -> [DigestCommand; 3] {
    let name = || name.to_owned();
    [DigestCommand::Hold { name: name() }, DigestCommand::Release { name: name() }, DigestCommand::Skip { name: name() }]
}

#[tokio::test]
async fn the_commands_hold_release_and_skip_what_the_daemon_runs() {
    on_each_engine(async |world: World| {
        if !is_sqlite(&world.db) {
            return;
        }
        let step = started(&world).await;
        subscribe(&world, "a", &choices("en", "", "weekly")).await;
        publish(&world, "summit", "en", "defectors").await;
        let mut context = context(&world);
        let [hold, release, skip] = named("weekly");
        assert_eq!(run(hold.clone(), &context).await.unwrap(), Outcome::Done);
        world.pass(WEEK);
        drain(&step).await;
        assert_eq!(ledger(&world).await, [""; 0]);
        context.json = true;
        assert_eq!(run(DigestCommand::List, &context).await.unwrap(), Outcome::Done);
        assert_eq!(run(skip, &context).await.unwrap(), Outcome::Done);
        assert_eq!(run(release.clone(), &context).await.unwrap(), Outcome::Done);
        drain(&step).await;
        assert_eq!(ledger(&world).await, [""; 0], "skipped");
        context.json = false;
        assert_eq!(run(DigestCommand::List, &context).await.unwrap(), Outcome::Done);
        world.pass(WEEK);
        drain(&step).await;
        assert_eq!(ledger(&world).await, ["1: summit en"]);
        for command in named("monthly") {
            assert_eq!(run(command, &context).await.unwrap(), Outcome::ProblemFound);
        }
        assert_eq!(number(&world, "SELECT COUNT(*) FROM fact WHERE name LIKE 'digest-held:%'").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_preview_is_written_as_html_text_and_mail() {
    on_each_engine(async |world: World| {
        if !is_sqlite(&world.db) {
            return;
        }
        let context = context(&world);
        let out = world.folder.path().join("out");
        assert_eq!(preview::digest("monthly", None, &out, &context).await.unwrap(), Outcome::ProblemFound);
        assert_eq!(preview::digest("weekly", None, &out, &context).await.unwrap(), Outcome::Done);
        assert!(!out.exists(), "nobody would get anything");
        subscribe(&world, "a", &choices("en", "", "weekly")).await;
        subscribe(&world, "b", &choices("ja", "", "weekly")).await;
        publish(&world, "summit", "en", "defectors").await;
        publish(&world, "summit", "ja", "defectors").await;
        assert_eq!(preview::digest("weekly", Some(&language("ja")), &out, &context).await.unwrap(), Outcome::Done);
        let mut names: Vec<String> =
            std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert_eq!(names, ["weekly-1.ja.eml", "weekly-1.ja.html", "weekly-1.ja.txt"]);
        let bytes = std::fs::read(out.join("weekly-1.ja.eml")).unwrap();
        let mail = MessageParser::default().parse(&bytes).unwrap();
        assert_eq!(mail.subject(), Some("【Life Funds for North Korean Refugees】summit ja"));
        assert_eq!(mail.to().unwrap().first().unwrap().address(), Some("news@example.org"));
        assert!(mail.body_text(0).unwrap().contains("http://news.example.org/ja/2027/09/summit-ja/"));
        assert!(mail.body_html(0).unwrap().contains("summit ja"));
        assert!(!String::from_utf8_lossy(&bytes).contains("{{slot"));
    })
    .await;
}
