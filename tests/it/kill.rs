//! The real program, killed in the middle of a mailing again and again: nobody is lost, and what
//! may come twice is as little as it can be (S20). On SQLite one daemon, on PostgreSQL two.
//!
//! `CLARION_TEST_KILLS=200` kills so often, in a mailing of 5,000; `CLARION_TEST_SEED` repeats a
//! run.

use crate::support::postgres;
use crate::support::program::Daemon;
use crate::support::relay::{Manner, Relay};
use crate::support::{language, option, sqlite_in};
use clarion::address::Address;
use clarion::clock::Clock;
use clarion::db::{DatabaseUrl, Db};
use clarion::subscription::{self, Choices};
use clarion::vault::Vault;
use clarion::{addressbook, clock};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

const BEFORE: &str = "2027-09-18T12:00:00+09:00";
const MONDAY: &str = "2027-09-20T08:00:30+09:00";
/// As `config/clarion.toml` has it.
pub const CONNECTIONS: usize = 8;
const ARTICLE: &str = "+++\ntitle = \"Report from the river\"\ndate = 2027-09-18\ncategories = [\"defectors\"]\n+++\nThe river is wide.\n";
/// A daemon lives for half of this in the middle.
const LIFE: Duration = Duration::from_millis(900);
/// A mailing is waited for so long: a claim of a dead daemon holds for a minute.
const PATIENCE: Duration = Duration::from_mins(5);

#[expect(clippy::disallowed_macros, reason = "who repeats a failed run needs the seed, who judges it the figures")]
fn tell(what: std::fmt::Arguments<'_>) {
    println!("{what}");
}

/// Moments to kill at: `SplitMix64`, its seed printed.
struct Moments(u64);

impl Moments {
    fn new() -> Self {
        let seed = option("CLARION_TEST_SEED").unwrap_or_else(|| RandomState::new().build_hasher().finish());
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

/// How often a daemon is ended, in a mailing of how many.
pub struct Ordeal {
    pub ends: usize,
    pub readers: usize,
    /// How long the relay thinks about each mail, so that the mailing outlasts the ends.
    pub hesitation: Duration,
}

impl Ordeal {
    /// `daemons` work at the same time.
    fn new(few: usize, daemons: usize) -> Self {
        let ends = option("CLARION_TEST_KILLS").map_or(few, |kills| usize::try_from(kills).unwrap());
        let readers = if ends < 50 { 250 + 30 * ends } else { 5000.max(25 * ends) };
        // Half a life a time, at so many connections.
        let sending = LIFE * u32::try_from(ends * daemons * CONNECTIONS).unwrap() / 2;
        Self { ends, readers, hesitation: (sending / u32::try_from(readers).unwrap()).max(Duration::from_millis(50)) }
    }
}

/// Daemons with so many subscribers, about to cut and send Monday's digest.
pub struct Scene {
    pub daemons: Vec<Daemon>,
    database: Option<String>,
    pub relay: Relay,
    people: BTreeSet<String>,
    journal: PathBuf,
    _folder: TempDir,
}

/// What the ledger says of a digest's delivery.
pub struct Entry {
    pub state: String,
    pub doubts: i64,
}

impl Scene {
    /// On a file, or on a database server with as many daemons as are asked for.
    pub async fn set(ordeal: &Ordeal, database: Option<String>, daemons: usize) -> Self {
        let folder = TempDir::new().unwrap();
        let journal = folder.path().join("journal");
        // The relay takes its time to answer, so that a kill finds every connection in doubt.
        let manner = Manner { hesitation: ordeal.hesitation, journal: Some(journal.clone()), ..Manner::default() };
        let relay = Relay::start_with(manner).await;
        let mut first = Daemon::start_on(database.as_deref(), BEFORE, relay.port(), |_| {}).await;
        assert_eq!(first.terminate().await, Some(0));
        let people: BTreeSet<String> = (0..ordeal.readers).map(|number| format!("person{number}@example.org")).collect();
        let mut scene = Self { daemons: vec![first], database, relay, people, journal, _folder: folder };
        scene.subscribe().await;
        scene.daemons[0].restart().await;
        scene.daemons[0].write("content/report.md", ARTICLE);
        scene.daemons[0].wait_for("/feed.xml", "Report from the river").await;
        while scene.daemons.len() < daemons {
            let another = scene.daemons[0].beside().await;
            scene.daemons.push(another);
        }
        scene.daemons[0].set_clock(MONDAY);
        scene
    }

    async fn open(&self) -> (Db, Vault) {
        let folder = self.daemons[0].folder().join("var");
        let url = match &self.database {
            Some(url) => DatabaseUrl::Postgres(url.clone()),
            None => sqlite_in(&folder),
        };
        let db = Db::open(&url).await.unwrap();
        let vault = Vault::open(&db, &folder.join("clarion.key"), clock::parse_instant(BEFORE).unwrap()).await.unwrap();
        (db, vault)
    }

    async fn subscribe(&self) {
        let (db, vault) = self.open().await;
        let now = Clock::manual(clock::parse_instant(BEFORE).unwrap()).now();
        let choices = Choices { topics: BTreeSet::new(), languages: vec![language("en")], rhythm: "weekly".to_owned() };
        let mut tx = db.begin().await.unwrap();
        for person in &self.people {
            let person = addressbook::find_or_enter(&mut tx, &vault, &Address::parse(person).unwrap(), now).await.unwrap();
            subscription::subscribe_confirmed(&mut tx, person, &choices, "a test", now).await.unwrap();
        }
        tx.commit().await.unwrap();
        db.close().await;
    }

    /// What the relay's journal holds, by person: a hash a mail.
    pub fn received(&self) -> BTreeMap<String, Vec<String>> {
        let mut by_person: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in std::fs::read_to_string(&self.journal).unwrap().lines() {
            let (person, hash) = line.split_once(' ').expect("a whole line");
            if self.people.contains(person) {
                by_person.entry(person.to_owned()).or_default().push(hash.to_owned());
            }
        }
        by_person
    }

    /// Waits until the mailing is done, and reads the ledger by person.
    pub async fn ledger(&self) -> BTreeMap<String, Entry> {
        let (db, vault) = self.open().await;
        let begun = tokio::time::Instant::now();
        loop {
            let state: Option<String> =
                sqlx::query_scalar("SELECT state FROM mailing WHERE kind = 'digest'").fetch_optional(db.reader()).await.unwrap();
            if state.as_deref() == Some("done") {
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "the mailing never ended: {state:?}");
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

    pub async fn end(&mut self) {
        for daemon in &mut self.daemons {
            assert_eq!(daemon.terminate().await, Some(0));
        }
    }
}

/// A database server, if there is one, and the daemons that share it.
async fn server() -> Option<String> {
    postgres::new_database().await
}

async fn kill_again_and_again(database: Option<String>, daemons: usize) {
    let ordeal = Ordeal::new(5, daemons);
    let mut moments = Moments::new();
    let mut scene = Scene::set(&ordeal, database, daemons).await;
    let mut connections = scene.relay.connections();
    let mut duplicates_allowed = 0;
    for number in 0..ordeal.ends {
        tokio::time::sleep(moments.next(LIFE)).await;
        let victim = number % daemons;
        scene.daemons[victim].kill().await;
        // At most one for each connection that this life of the victim has opened, where it was
        // the only one that opened any.
        duplicates_allowed += if daemons == 1 { (scene.relay.connections() - connections).min(CONNECTIONS) } else { CONNECTIONS };
        connections = scene.relay.connections();
        scene.daemons[victim].restart().await;
    }
    let ledger = scene.ledger().await;
    scene.end().await;
    let received = scene.received();
    let mut duplicates = 0;
    for (person, entry) in &ledger {
        let mails = received.get(person).map(Vec::as_slice).unwrap_or_default();
        assert!(mails.len() <= 2, "{} mails to one person", mails.len());
        assert!(mails.iter().all(|mail| *mail == mails[0]), "not the same mail, byte for byte");
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
    let (sent, held): (Vec<_>, Vec<_>) = ledger.iter().partition(|(_, entry)| entry.state == "sent");
    let lost = sent.iter().filter(|(person, _)| !received.contains_key(*person)).count();
    let doubted = ledger.values().filter(|entry| entry.doubts > 0).count();
    tell(format_args!(
        "{} kills of {daemons} daemon(s), a mailing of {}: {lost} lost, {duplicates} repeated (allowed {duplicates_allowed}), \
         {doubted} in doubt once, {} of them held",
        ordeal.ends,
        ledger.len(),
        held.len()
    ));
    assert!(duplicates <= duplicates_allowed, "{duplicates} duplicates; {duplicates_allowed} connections were open at the kills");
}

async fn stop_again_and_again(database: Option<String>, daemons: usize) {
    let ordeal = Ordeal::new(4, daemons);
    let mut moments = Moments::new();
    let mut scene = Scene::set(&ordeal, database, daemons).await;
    for number in 0..ordeal.ends {
        tokio::time::sleep(moments.next(LIFE)).await;
        let one = &mut scene.daemons[number % daemons];
        assert_eq!(one.terminate().await, Some(0));
        one.restart().await;
    }
    let ledger = scene.ledger().await;
    scene.end().await;
    let received = scene.received();
    for (person, entry) in &ledger {
        assert_eq!((entry.state.as_str(), entry.doubts), ("sent", 0));
        assert_eq!(received.get(person).map(Vec::len), Some(1));
    }
    tell(format_args!(
        "{} stops of {daemons} daemon(s), a mailing of {}: none lost, none repeated, none in doubt",
        ordeal.ends,
        ledger.len()
    ));
    let (db, _) = scene.open().await;
    let leases: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM lease").fetch_one(db.reader()).await.unwrap();
    assert_eq!(leases, 0, "another daemon need not wait for a lease to run out");
    db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_nobody_is_lost_and_few_get_the_same_mail_twice() {
    kill_again_and_again(None, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_killed_in_the_middle_the_other_goes_on_and_nobody_is_lost() {
    if let Some(server) = server().await {
        kill_again_and_again(Some(server), 2).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_in_the_middle_it_sends_nothing_twice() {
    stop_again_and_again(None, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_told_to_stop_in_the_middle_nothing_is_sent_twice() {
    if let Some(server) = server().await {
        stop_again_and_again(Some(server), 2).await;
    }
}
