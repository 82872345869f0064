//! The real program, killed in the middle of a mailing again and again: nobody is lost, and what
//! may come twice is as little as it can be (S20).
//!
//! `CLARION_TEST_KILLS=200` kills more often; `CLARION_TEST_SEED` repeats a run.

use crate::support::program::Daemon;
use crate::support::relay::{Manner, Received, Relay};
use crate::support::{language, sqlite_in};
use clarion::address::Address;
use clarion::clock::Clock;
use clarion::db::Db;
use clarion::subscription::{self, Choices};
use clarion::vault::Vault;
use clarion::{addressbook, clock};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

const BEFORE: &str = "2027-09-18T12:00:00+09:00";
const MONDAY: &str = "2027-09-20T08:00:30+09:00";
/// As `config/clarion.toml` has it.
const CONNECTIONS: usize = 8;
const ARTICLE: &str = "+++\ntitle = \"Report from the river\"\ndate = 2027-09-18\ncategories = [\"defectors\"]\n+++\nThe river is wide.\n";

fn number_from(variable: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "a test is told by the environment how long it may take")]
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

#[expect(clippy::disallowed_macros, reason = "who repeats a failed run needs the seed, who judges it the figures")]
fn tell(what: std::fmt::Arguments<'_>) {
    println!("{what}");
}

/// Moments to kill at: `SplitMix64`, its seed printed.
struct Moments(u64);

impl Moments {
    fn new() -> Self {
        let seed = number_from("CLARION_TEST_SEED").unwrap_or_else(|| RandomState::new().build_hasher().finish());
        tell(format_args!("CLARION_TEST_SEED={seed}"));
        Self(seed)
    }

    fn next(&mut self, within: Duration) -> Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Duration::from_micros((mixed ^ (mixed >> 31)) % u64::try_from(within.as_micros()).unwrap())
    }
}

/// A daemon with so many subscribers, about to cut and send Monday's digest.
struct Scene {
    daemon: Daemon,
    relay: Relay,
    people: BTreeSet<String>,
}

/// What the ledger says of a digest's delivery.
struct Entry {
    state: String,
    doubts: i64,
}

impl Scene {
    async fn set(readers: usize) -> Self {
        // The relay takes its time to answer, so that a kill finds every connection in doubt.
        let relay = Relay::start_with(Manner { hesitation: Duration::from_millis(50), ..Manner::default() }).await;
        let mut daemon = Daemon::start(BEFORE, relay.port()).await;
        assert_eq!(daemon.terminate().await, Some(0));
        let people: BTreeSet<String> = (0..readers).map(|number| format!("person{number}@example.org")).collect();
        subscribe(&daemon, &people).await;
        daemon.restart().await;
        daemon.write("content/report.md", ARTICLE);
        daemon.wait_for("/feed.xml", "Report from the river").await;
        Self { daemon, relay, people }
    }

    fn received(&self) -> BTreeMap<String, Vec<Received>> {
        let mut by_person: BTreeMap<String, Vec<Received>> = BTreeMap::new();
        for mail in self.relay.received().into_iter().filter(|mail| self.people.contains(&mail.to)) {
            by_person.entry(mail.to.clone()).or_default().push(mail);
        }
        by_person
    }

    /// Waits until the mailing is done, and reads the ledger by person.
    async fn ledger(&self) -> BTreeMap<String, Entry> {
        let (db, vault) = open(&self.daemon).await;
        for attempt in 0.. {
            let state: Option<String> =
                sqlx::query_scalar("SELECT state FROM mailing WHERE kind = 'digest'").fetch_optional(db.reader()).await.unwrap();
            if state.as_deref() == Some("done") {
                break;
            }
            assert!(attempt < 1200, "the mailing never ended: {state:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let rows: Vec<(String, i64, String)> = sqlx::query_as(
            "SELECT d.state, d.doubts, p.address_index FROM delivery d JOIN person p ON p.id = d.person_id
             JOIN mailing m ON m.id = d.mailing_id WHERE m.kind = 'digest'",
        )
        .fetch_all(db.reader())
        .await
        .unwrap();
        db.close().await;
        let mut rows: BTreeMap<String, Entry> = rows.into_iter().map(|(state, doubts, index)| (index, Entry { state, doubts })).collect();
        let entry =
            |person: &String| (person.clone(), rows.remove(&vault.index(&Address::parse(person).unwrap())).expect("a delivery each"));
        let ledger = self.people.iter().map(entry).collect();
        assert!(rows.is_empty(), "a delivery for somebody unknown");
        ledger
    }
}

async fn open(daemon: &Daemon) -> (Db, Vault) {
    let folder = daemon.folder().join("var");
    let db = Db::open(&sqlite_in(&folder)).await.unwrap();
    let vault = Vault::open(&db, &folder.join("clarion.key"), clock::parse_instant(BEFORE).unwrap()).await.unwrap();
    (db, vault)
}

async fn subscribe(daemon: &Daemon, people: &BTreeSet<String>) {
    let (db, vault) = open(daemon).await;
    let now = Clock::manual(clock::parse_instant(BEFORE).unwrap()).now();
    let choices = Choices { topics: BTreeSet::new(), languages: vec![language("en")], rhythm: "weekly".to_owned() };
    let mut tx = db.begin().await.unwrap();
    for person in people {
        let person = addressbook::find_or_enter(&mut tx, &vault, &Address::parse(person).unwrap(), now).await.unwrap();
        subscription::subscribe_confirmed(&mut tx, person, &choices, "a test", now).await.unwrap();
    }
    tx.commit().await.unwrap();
    db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_nobody_is_lost_and_few_get_the_same_mail_twice() {
    let kills = usize::try_from(number_from("CLARION_TEST_KILLS").unwrap_or(5)).unwrap();
    let mut moments = Moments::new();
    let mut scene = Scene::set(250 + 30 * kills).await;
    scene.daemon.set_clock(MONDAY);
    let mut connections = scene.relay.connections();
    let mut duplicates_allowed = 0;
    for _ in 0..kills {
        tokio::time::sleep(moments.next(Duration::from_millis(900))).await;
        scene.daemon.kill().await;
        // At most one for each connection that this life of the daemon has opened.
        duplicates_allowed += (scene.relay.connections() - connections).min(CONNECTIONS);
        connections = scene.relay.connections();
        scene.daemon.restart().await;
    }
    let ledger = scene.ledger().await;
    assert_eq!(scene.daemon.terminate().await, Some(0));
    let received = scene.received();
    let mut duplicates = 0;
    for (person, entry) in &ledger {
        let mails = received.get(person).map(Vec::as_slice).unwrap_or_default();
        assert!(mails.len() <= 2, "{} mails to one person", mails.len());
        assert!(mails.iter().all(|mail| (&mail.data, &mail.from) == (&mails[0].data, &mails[0].from)), "not the same mail, byte for byte");
        match entry.state.as_str() {
            "sent" => assert!(!mails.is_empty(), "lost"),
            "held" => assert_eq!(entry.doubts, 2, "held before its second attempt"),
            other => panic!("a delivery of a mailing that is done is {other}"),
        }
        if mails.len() == 2 {
            assert!(entry.doubts > 0, "sent twice, and the ledger has no doubt about it");
            duplicates += 1;
        }
    }
    let held = ledger.values().filter(|entry| entry.state == "held").count();
    tell(format_args!("{kills} kills: {duplicates} duplicates, {held} held, of {} in the mailing", ledger.len()));
    assert!(duplicates <= duplicates_allowed, "{duplicates} duplicates; {duplicates_allowed} connections were open at the kills");
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_in_the_middle_it_sends_nothing_twice() {
    let stops = usize::try_from(number_from("CLARION_TEST_KILLS").unwrap_or(3)).unwrap();
    let mut moments = Moments::new();
    let mut scene = Scene::set(200 + 100 * stops).await;
    scene.daemon.set_clock(MONDAY);
    for _ in 0..stops {
        tokio::time::sleep(moments.next(Duration::from_millis(900))).await;
        assert_eq!(scene.daemon.terminate().await, Some(0));
        scene.daemon.restart().await;
    }
    let ledger = scene.ledger().await;
    assert_eq!(scene.daemon.terminate().await, Some(0));
    let received = scene.received();
    for (person, entry) in &ledger {
        assert_eq!((entry.state.as_str(), entry.doubts), ("sent", 0));
        assert_eq!(received.get(person).map(Vec::len), Some(1));
    }
    let (db, _) = open(&scene.daemon).await;
    let leases: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM lease").fetch_one(db.reader()).await.unwrap();
    assert_eq!(leases, 0, "another daemon need not wait for a lease to run out");
    db.close().await;
}
