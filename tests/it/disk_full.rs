//! The real program on a disk that is full: it is not allowed to make any file longer than it is
//! (S22). Feeds go on, nothing is sent that could not be written down, and afterwards everything
//! goes on by itself.

use crate::support::program::Daemon;
use crate::support::relay::{Manner, Relay};
use crate::support::{language, sqlite_in};
use clarion::address::Address;
use clarion::clock::{Clock, parse_instant};
use clarion::db::Db;
use clarion::subscription::{self, Choices};
use clarion::vault::Vault;
use clarion::{addressbook, clock};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::Duration;

const BEFORE: &str = "2027-09-18T12:00:00+09:00";
const MONDAY: &str = "2027-09-20T08:00:30+09:00";
const ARTICLE: &str = "+++\ntitle = \"Report from the river\"\ndate = 2027-09-18\ncategories = [\"defectors\"]\n+++\nThe river is wide.\n";
const READERS: usize = 400;

/// From now on no write beyond so many octets of any file succeeds.
fn limit_files(daemon: &Daemon, octets: &str) {
    let done = Command::new("prlimit").arg(format!("--pid={}", daemon.id())).arg(format!("--fsize={octets}:")).status();
    assert!(done.expect("prlimit, of util-linux, is installed").success());
}

async fn subscribe(daemon: &Daemon) {
    let folder = daemon.folder().join("var");
    let db = Db::open(&sqlite_in(&folder)).await.unwrap();
    let before = parse_instant(BEFORE).unwrap();
    let vault = Vault::open(&db, &folder.join("clarion.key"), before).await.unwrap();
    let now = Clock::manual(clock::parse_instant(BEFORE).unwrap()).now();
    let choices = Choices { topics: BTreeSet::new(), languages: vec![language("en")], rhythm: "weekly".to_owned() };
    let mut tx = db.begin().await.unwrap();
    for number in 0..READERS {
        let address = Address::parse(&format!("person{number}@example.org")).unwrap();
        let person = addressbook::find_or_enter(&mut tx, &vault, &address, now).await.unwrap();
        subscription::subscribe_confirmed(&mut tx, person, &choices, "a test", now).await.unwrap();
    }
    tx.commit().await.unwrap();
    db.close().await;
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_mins(2), async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_feeds_go_on_and_mail_waits_until_there_is_room() {
    let relay = Relay::start_with(Manner { hesitation: Duration::from_millis(50), ..Manner::default() }).await;
    let mut daemon = Daemon::start(BEFORE, relay.port()).await;
    assert_eq!(daemon.terminate().await, Some(0));
    subscribe(&daemon).await;
    // A write that is refused is an error to it and not its end, as on a full disk. Its log is on
    // that disk too.
    daemon.restart_through(&["sh", "-c", "trap '' XFSZ; head -c 8192 /dev/zero > log; exec \"$@\" 2>> log", "sh"]).await;
    daemon.write("content/report.md", ARTICLE);
    daemon.wait_for("/feed.xml", "Report from the river").await;
    daemon.set_clock(MONDAY);
    until("nothing is sent", || relay.received().len() > 30).await;
    limit_files(&daemon, "4096");
    // What is durable already may still leave: a body for each connection.
    let before = relay.received().len();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let full = relay.received().len();
    assert!(full <= before + 2 * 8, "{full} after {before}");
    for _ in 0..20 {
        assert_eq!(daemon.get("/feed.xml").await.status(), 200);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(relay.received().len(), full, "a mail left that could not be written down before");
    limit_files(&daemon, "unlimited");
    until("the rest is never sent", || relay.received().len() >= READERS).await;
    assert_eq!(daemon.terminate().await, Some(0));
    let mut mails: BTreeMap<String, usize> = BTreeMap::new();
    for mail in relay.received().into_iter().filter(|mail| mail.to.starts_with("person")) {
        *mails.entry(mail.to).or_default() += 1;
    }
    assert!(mails.len() == READERS && mails.values().all(|count| *count == 1), "somebody got none, or two");
    let db = Db::open(&sqlite_in(&daemon.folder().join("var"))).await.unwrap();
    let doubts: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM delivery WHERE doubts > 0").fetch_one(db.reader()).await.unwrap();
    assert_eq!(doubts, 0);
    db.close().await;
}
