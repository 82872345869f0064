//! A petition on a test's own desk: its folder, its step, its mail.

use crate::support::{World, language};
use clarion::address::Address;
use clarion::addressbook;
use clarion::clock::parse_instant;
use clarion::delivery::{OnDoubt, PersonalLink};
use clarion::language::Catalogue;
use clarion::petition::{self, Office, PetitionStep, Settings};
use clarion::subscription::{self, Choices};
use clarion::task::{Kick, Step as _, Wake};
use std::path::PathBuf;
use std::time::Duration;

/// The petition of most tests: its first step is due on 22 September 2027 at 09:00 in Tokyo, two
/// days and an hour after worlds begin.
pub const PETITION: &str = r#"
state = "ready"
title = { en = "Refugees Day", ja = "難民の日" }
prepared_by = "secretary@example.org"
targets = ["cn-tokyo"]
[edition]
day = "2027-09-24"
time_zone = "Asia/Tokyo"
deadline = "2027-09-30T18:00"
[audience]
fallback = ["en"]
[[step]]
name = "call"
at = "-2d 09:00"
[[step]]
name = "thanks"
at = "+2d 09:00"
to = "acted"
"#;

pub struct Bench {
    pub office: Office,
    pub step: PetitionStep,
    pub dir: PathBuf,
}

impl Bench {
    /// A petition `day` with its texts, in a world.
    pub fn new(world: &World) -> Self {
        Self::with(world, |_| {})
    }

    /// The same, with other settings.
    pub fn with(world: &World, change: impl FnOnce(&mut Settings)) -> Self {
        let folder = world.folder.path();
        let mut settings = Settings {
            dir: folder.join("petitions"),
            missions_file: folder.join("missions.toml"),
            approvers: ["chair@example.org", "secretary@example.org"].map(|text| Address::parse(text).unwrap()).into(),
            approvals_required: 1,
            stop_window: Duration::from_mins(10),
            late_limit: Duration::from_hours(12),
        };
        change(&mut settings);
        std::fs::write(
            &settings.missions_file,
            "[[mission]]\nid = \"cn-tokyo\"\nname = { en = \"Embassy in Tokyo\", ja = \"在京大使館\" }\ncity = \"Tokyo\"\ncountry = \"JP\"\npostal_address = \"1-1 Example\\nTokyo\"\nemail = \"embassy@example.org\"\nlanguages = [\"ja\"]\n",
        )
        .unwrap();
        let office = Office {
            db: world.db.clone(),
            vault: world.vault.clone(),
            clock: world.clock.clone(),
            site: world.site.clone(),
            catalogue: Catalogue::shipped(),
            staff: vec![Address::parse("office@example.org").unwrap()],
            mail_leaves: true,
            on_doubt: OnDoubt::Retry,
            delivery: Kick::default(),
            settings,
        };
        let bench = Self { step: PetitionStep::new(office.clone()), dir: office.settings.dir.join("day"), office };
        std::fs::create_dir_all(&bench.dir).unwrap();
        bench.write("petition.toml", PETITION);
        bench.write("call.en.md", "# Write today\n\nPlease **write** to them.\n");
        bench.write("call.ja.md", "# お手紙を\n\nお手紙をお書きください。\n");
        bench.write("thanks.en.md", "# Thank you\n\nThank you.\n");
        bench.write("letter.en.md", "# Protection\n\nExcellency,\n\nplease protect them.\n");
        bench.write("letter.ja.md", "# 保護のお願い\n\n大使閣下\n\n保護をお願いします。\n");
        bench.write("letter_short.ja.md", "# 保護のお願い\n\n保護をお願いします。\n");
        bench
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.dir.join(name), text).unwrap();
    }

    /// Another daemon on the same petitions.
    pub fn another(&self) -> PetitionStep {
        PetitionStep::new(self.office.clone())
    }

    /// Calls the step until it has nothing to do at once.
    pub async fn run(&self) {
        drain(&self.step).await;
    }

    /// Lets time pass, calling the step before and after.
    pub async fn pass(&self, world: &World, span: Duration) {
        self.run().await;
        world.pass(span);
        self.run().await;
    }

    /// Goes to an instant.
    pub async fn at(&self, world: &World, instant: &str) {
        world.clock.set(parse_instant(instant).unwrap());
        self.run().await;
    }

    /// Saves were quiet long enough for staff and approvers.
    pub async fn settle(&self, world: &World) {
        self.pass(world, Duration::from_secs(25)).await;
        self.pass(world, Duration::from_mins(2)).await;
    }

    /// The approval tokens mailed last, by approver.
    pub async fn tokens(&self, world: &World, kind: &str) -> Vec<String> {
        let mut tokens = Vec::new();
        for link in links(world, kind).await {
            tokens.push(world.vault.token(&link.claims));
        }
        tokens
    }

    /// Approves a step as the chair.
    pub async fn approve(&self, step: &str) -> Result<Vec<String>, petition::ApprovalRefused> {
        self.approve_as(step, "chair@example.org").await
    }

    /// Approves a step.
    pub async fn approve_as(&self, step: &str, who: &str) -> Result<Vec<String>, petition::ApprovalRefused> {
        self.office.approve("day", "2027", step, &Address::parse(who).unwrap()).await.unwrap()
    }
}

/// Calls a step until it has nothing to do at once.
pub async fn drain(step: &PetitionStep) {
    for _ in 0..50 {
        if step.step().await.unwrap() != Wake::Now {
            return;
        }
    }
    panic!("the step never rests");
}

/// The personal links for `/KIND/` in mails of the ledger, in order.
pub async fn links(world: &World, kind: &str) -> Vec<PersonalLink> {
    let rows: Vec<String> = sqlx::query_scalar("SELECT personal FROM delivery WHERE personal IS NOT NULL ORDER BY id")
        .fetch_all(world.db.reader())
        .await
        .unwrap();
    let links = rows.iter().flat_map(|row| serde_json::from_str::<Vec<PersonalLink>>(row).unwrap());
    links.filter(|link| link.path.ends_with(&format!("/{kind}/"))).collect()
}

/// Subjects of the mailings whose key begins so, in order.
pub async fn subjects(world: &World, key: &str) -> Vec<String> {
    let sql = "SELECT v.subject FROM mailing m JOIN variant v ON v.mailing_id = m.id WHERE m.key LIKE $1 ORDER BY v.id";
    sqlx::query_scalar(sql).bind(format!("{key}%")).fetch_all(world.db.reader()).await.unwrap()
}

/// The plain texts of the mailings whose key begins so, in order.
pub async fn bodies(world: &World, key: &str) -> Vec<String> {
    let sql = "SELECT v.body_text FROM mailing m JOIN variant v ON v.mailing_id = m.id WHERE m.key LIKE $1 ORDER BY v.id";
    sqlx::query_scalar(sql).bind(format!("{key}%")).fetch_all(world.db.reader()).await.unwrap()
}

/// How many deliveries a mailing has, by the language of the text.
pub async fn deliveries(world: &World, key: &str) -> Vec<(String, i64)> {
    let sql = "SELECT v.language, COUNT(*) FROM delivery d JOIN variant v ON v.id = d.variant_id JOIN mailing m ON m.id = d.mailing_id
               WHERE m.key = $1 GROUP BY v.language ORDER BY v.language";
    sqlx::query_as(sql).bind(key).fetch_all(world.db.reader()).await.unwrap()
}

/// Keys of notices for staff.
pub async fn notices(world: &World) -> Vec<String> {
    sqlx::query_scalar("SELECT key FROM notice ORDER BY id").fetch_all(world.db.reader()).await.unwrap()
}

/// Enters a confirmed subscriber; returns the person.
pub async fn subscriber(world: &World, name: &str, topics: &[&str], languages: &[&str]) -> i64 {
    let mut tx = world.db.begin().await.unwrap();
    let address = Address::parse(&format!("{name}@example.org")).unwrap();
    let person = addressbook::find_or_enter(&mut tx, &world.vault, &address, world.clock.now()).await.unwrap();
    let choices = Choices {
        topics: topics.iter().map(|topic| (*topic).to_owned()).collect(),
        languages: languages.iter().map(|tag| language(tag)).collect(),
        rhythm: "weekly".to_owned(),
    };
    subscription::subscribe_confirmed(&mut tx, person, &choices, "test", world.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    person
}

/// Ann reads English, Jun Japanese, Kim Korean; Dan wants news of defectors only.
pub async fn subscribers(world: &World) -> [i64; 4] {
    [
        subscriber(world, "ann", &[], &["en"]).await,
        subscriber(world, "jun", &["petitions"], &["ja", "en"]).await,
        subscriber(world, "kim", &["petitions", "defectors"], &["ko"]).await,
        subscriber(world, "dan", &["defectors"], &["en"]).await,
    ]
}
