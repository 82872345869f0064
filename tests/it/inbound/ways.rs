//! By which ways mail comes in: handed to the program, or found in a Maildir.

use super::office::{count, desk, mailing, sample, token};
use crate::delivery::office::{enter_people, run_sql};
use crate::support::command::context;
use crate::support::{World, is_sqlite, on_each_engine};
use clarion::cli::Outcome;
use clarion::cli::inbound::{self, InboundCommand};
use clarion::delivery::Kind as For;
use clarion::inbound::{InboundStep, MaildirStep};
use clarion::metrics::Metrics;
use clarion::task::{Step as _, Wake};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

fn maildir(world: &World) -> PathBuf {
    let folder = world.folder.path().join("Maildir");
    for name in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(folder.join(name)).unwrap();
    }
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_maildir_is_emptied_into_cur_after_the_commit_and_not_before() {
    on_each_engine(async |world: World| {
        let people = enter_people(&world, 1).await;
        let delivery = mailing(&world, "digest:1", For::Digest, &people).await[0];
        let folder = maildir(&world);
        std::fs::write(folder.join("new/1.a"), sample("postfix", &token(&world, delivery).await)).unwrap();
        std::fs::write(folder.join("new/2.b"), b"Subject: x\n\nwho are you?").unwrap();
        std::fs::write(folder.join("new/.hidden"), b"x").unwrap();
        std::os::unix::fs::symlink(world.folder.path().join("clarion.key"), folder.join("new/3.c")).unwrap();
        run_sql(&world, "ALTER TABLE inbound_count RENAME TO gone").await;
        let step = MaildirStep::new(desk(&world), folder.clone());
        assert!(step.step().await.is_err());
        assert_eq!(names(&folder.join("new")), [".hidden", "1.a", "2.b", "3.c"], "the database could not take it");
        assert_eq!(count(&world, "SELECT COUNT(*) FROM bounce").await, 0);
        run_sql(&world, "ALTER TABLE gone RENAME TO inbound_count").await;
        assert_eq!(step.step().await.unwrap(), Wake::WhenKicked);
        assert_eq!(names(&folder.join("new")), [".hidden", "3.c"]);
        assert_eq!(names(&folder.join("cur")), ["1.a:2,S", "2.b:2,S"]);
        assert_eq!(count(&world, "SELECT COUNT(*) FROM bounce").await, 1);
        let metrics = Metrics::default();
        InboundStep::new(world.db.clone(), world.clock.clone(), metrics.clone()).step().await.unwrap();
        let text = metrics.render();
        assert!(text.contains("clarion_inbound{kind=\"bounce\"} 1") && text.contains("clarion_inbound_waiting 1"), "{text}");
    })
    .await;
}

#[tokio::test]
async fn what_is_kept_is_forgotten_after_ninety_days() {
    on_each_engine(async |world: World| {
        desk(&world).receive(b"Subject: x\n\nhello").await.unwrap();
        let step = InboundStep::new(world.db.clone(), world.clock.clone(), Metrics::default());
        let kept = "SELECT COUNT(*) FROM inbound WHERE sealed IS NOT NULL";
        world.pass(std::time::Duration::from_hours(89 * 24));
        step.step().await.unwrap();
        assert_eq!(count(&world, kept).await, 1);
        world.pass(std::time::Duration::from_hours(2 * 24));
        step.step().await.unwrap();
        assert_eq!(count(&world, kept).await, 0);
        assert_eq!(count(&world, "SELECT COUNT(*) FROM inbound").await, 1, "it is still known when it comes again");
    })
    .await;
}

#[tokio::test]
async fn staff_list_show_and_drop_what_waits() {
    on_each_engine(async |world: World| {
        if !is_sqlite(&world.db) {
            return;
        }
        let context = context(&world);
        for number in 1..=4 {
            desk(&world).receive(format!("From: kim@example.net\r\nSubject: {number}\r\n\r\nhello").as_bytes()).await.unwrap();
        }
        let kept = async || count(&world, "SELECT COUNT(*) FROM inbound WHERE sealed IS NOT NULL").await;
        let drop = |ids: &[i64]| InboundCommand::Drop { ids: ids.to_vec(), all: false };
        let run = async |command| inbound::run(Some(command), &context).await.unwrap();
        assert_eq!(run(InboundCommand::List).await, Outcome::Done);
        assert_eq!(run(InboundCommand::Show { id: 1, raw: false }).await, Outcome::Done);
        assert_eq!(run(drop(&[1])).await, Outcome::Done);
        assert_eq!(run(drop(&[2, 1])).await, Outcome::ProblemFound);
        assert_eq!(kept().await, 3, "all of them, or none");
        assert_eq!(run(drop(&[2, 3, 3])).await, Outcome::Done);
        assert_eq!(kept().await, 1);
        assert_eq!(run(InboundCommand::Drop { ids: Vec::new(), all: true }).await, Outcome::Done);
        assert_eq!(kept().await, 0);
        assert_eq!(run(InboundCommand::Show { id: 1, raw: false }).await, Outcome::ProblemFound);
    })
    .await;
}

#[tokio::test]
async fn when_too_many_wait_staff_are_told_once_a_day_that_further_ones_are_not_kept() {
    on_each_engine(async |world: World| {
        let desk = desk(&world);
        let kept = "SELECT COUNT(*) FROM inbound WHERE sealed IS NOT NULL";
        let told = "SELECT COUNT(*) FROM notice WHERE key LIKE 'inbound-full:%'";
        for number in 0..500 {
            desk.receive(format!("Subject: {number}\n\nhello").as_bytes()).await.unwrap();
        }
        assert_eq!((count(&world, kept).await, count(&world, told).await), (500, 0));
        for number in 500..503 {
            desk.receive(format!("Subject: {number}\n\nhello").as_bytes()).await.unwrap();
        }
        assert_eq!((count(&world, kept).await, count(&world, told).await), (500, 1));
        world.pass(std::time::Duration::from_hours(24));
        desk.receive(b"Subject: tomorrow\n\nhello").await.unwrap();
        assert_eq!((count(&world, kept).await, count(&world, told).await), (500, 2));
        let body: String = sqlx::query_scalar("SELECT body FROM notice WHERE key LIKE 'inbound-full:%' LIMIT 1")
            .fetch_one(world.db.reader())
            .await
            .unwrap();
        assert!(body.starts_with("500 mails") && body.contains("clarion inbound drop --all"), "{body}");
    })
    .await;
}

/// Hands a message to the real program, with a configuration in a folder of its own.
fn hand_over(folder: &Path, arguments: &[&str], message: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clarion"));
    command.current_dir(folder).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(message).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn the_program_takes_a_message_and_says_nothing_or_asks_for_it_again() {
    let folder = TempDir::new().unwrap();
    let config = folder.path().join("config");
    std::fs::create_dir_all(config.join("petitions")).unwrap();
    std::fs::create_dir_all(folder.path().join("content")).unwrap();
    std::fs::copy("config/missions.toml", config.join("missions.toml")).unwrap();
    let example = std::fs::read_to_string("config/clarion.toml").unwrap();
    std::fs::write(config.join("clarion.toml"), &example).unwrap();

    let taken = hand_over(folder.path(), &["inbound"], b"Subject: hello\n\nwho are you?\n");
    assert_eq!(taken.status.code(), Some(0), "{taken:?}");
    assert!(taken.stdout.is_empty(), "a mail server would send it back");
    // Longer than what is read, to the end.
    let long = [b"Subject: long\n\n".to_vec(), vec![b'x'; 3 << 20]].concat();
    assert_eq!(hand_over(folder.path(), &["inbound", "--json"], &long).stdout, b"{\n  \"kind\": \"unclear\"\n}\n");
    let listed = hand_over(folder.path(), &["inbound", "list", "--json"], b"");
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 2);

    // A mistake in the configuration, and a database that is not there: the mail server keeps it.
    std::fs::write(config.join("clarion.toml"), example.replace("[inbound]", "[inbownd]").replace("[staff]", "[stuff]")).unwrap();
    assert_eq!(hand_over(folder.path(), &["inbound"], b"Subject: x\n\n").status.code(), Some(75));
    std::fs::write(config.join("clarion.toml"), example.replace("sqlite:../var/clarion.db", "sqlite:../config/missions.toml/x.db"))
        .unwrap();
    assert_eq!(hand_over(folder.path(), &["inbound"], b"Subject: x\n\n").status.code(), Some(75));
}
