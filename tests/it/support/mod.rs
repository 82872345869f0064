//! What tests share: a small world on each database engine.

pub mod articles;
pub mod command;
pub mod dkim;
pub mod dns;
pub mod host;
pub mod imap;
pub mod inbox;
pub mod postgres;
pub mod program;
pub mod relay;
pub mod rogue;
pub mod web;

use clarion::clock::{Clock, Timestamp, parse_instant};
use clarion::db::{DatabaseUrl, Db, Engine};
use clarion::language::{Language, LocalText};
use clarion::site::{Category, Imprint, Site};
use clarion::vault::Vault;
use std::path::Path;
use tempfile::TempDir;

/// An empty database with a vault, a clock that stands still, and the sample site.
pub struct World {
    pub db: Db,
    pub vault: Vault,
    pub clock: Clock,
    pub site: Site,
    /// A folder of the test's own, removed at the end.
    pub folder: TempDir,
}

/// When worlds begin: Monday 20 September 2027, 08:00 in Tokyo.
pub fn beginning() -> Timestamp {
    parse_instant("2027-09-20T08:00:00+09:00").unwrap()
}

impl World {
    async fn new(url: &DatabaseUrl, folder: TempDir) -> Self {
        let clock = Clock::manual(beginning());
        let db = Db::open(url).await.unwrap();
        let vault = Vault::open(&db, &folder.path().join("clarion.key"), clock.now()).await.unwrap();
        Self { db, vault, clock, site: site(), folder }
    }

    /// Moves the clock on.
    pub fn pass(&self, span: std::time::Duration) {
        self.clock.set(self.clock.now() + span);
    }
}

/// Runs a test on SQLite, and on PostgreSQL where its programs are installed.
pub async fn on_each_engine(body: impl AsyncFn(World)) {
    for url in databases().await {
        let folder = TempDir::new().unwrap();
        let url = match url {
            Some(url) => url,
            None => sqlite_in(folder.path()),
        };
        let world = World::new(&url, folder).await;
        let db = world.db.clone();
        body(world).await;
        ensure_owners(&db).await;
        db.close().await;
    }
}

/// Of what a worker has and only of that it is the owner: two indexes and every query of a mailing's
/// deliveries rely on it. Some tests have closed their database by now.
async fn ensure_owners(db: &Db) {
    let sql = "SELECT COUNT(*) FROM delivery WHERE (lease_owner IS NOT NULL) <> (state IN ('leased', 'in_doubt'))";
    if let Ok(wrong) = sqlx::query_scalar::<_, i64>(sql).fetch_one(db.reader()).await {
        assert_eq!(wrong, 0, "deliveries with an owner at rest, or without one under way");
    }
}

/// Runs a test on SQLite alone, where its point is not the database.
pub async fn on_sqlite(body: impl AsyncFn(World)) {
    let folder = TempDir::new().unwrap();
    let url = sqlite_in(folder.path());
    let world = World::new(&url, folder).await;
    let db = world.db.clone();
    body(world).await;
    db.close().await;
}

/// One database per engine: `None` stands for a new SQLite file.
pub async fn databases() -> Vec<Option<DatabaseUrl>> {
    let mut list = vec![None];
    list.extend(postgres::new_database().await.map(|url| Some(DatabaseUrl::Postgres(url))));
    list
}

/// The SQLite database in a folder.
pub fn sqlite_in(folder: &Path) -> DatabaseUrl {
    DatabaseUrl::Sqlite(folder.join("clarion.db"))
}

/// Whether a world runs on SQLite, for the few tests whose point is the engine.
pub fn is_sqlite(db: &Db) -> bool {
    db.engine() == Engine::Sqlite
}

/// A language by its tag.
pub fn language(tag: &str) -> Language {
    Language::parse(tag).unwrap()
}

/// A text in English and Japanese.
pub fn local(en: &str, ja: &str) -> LocalText {
    LocalText::By([(language("en"), en.to_owned()), (language("ja"), ja.to_owned())].into())
}

/// A site like the real one.
pub fn site() -> Site {
    let category = |slug: &str, en: &str, ja: &str, wp_id| Category {
        slug: slug.to_owned(),
        title: local(en, ja),
        description: None,
        wp_id: Some(wp_id),
        parent: None,
        retired: None,
    };
    Site {
        title: LocalText::Same("Life Funds for North Korean Refugees".to_owned()),
        description: Some(local("News about defectors and refugees.", "脱北者と難民についてのお知らせ。")),
        base_url: "http://news.example.org".parse().unwrap(),
        languages: vec![language("en"), language("ja")],
        time_zone: clarion::clock::parse_zone("Asia/Tokyo").unwrap(),
        postal_address: "1-1 Example, Tokyo".to_owned(),
        id_authority: Some("example.org,2026".to_owned()),
        donate_url: None,
        contact_url: None,
        categories: vec![
            category("defectors", "Defectors", "脱北者", 7),
            category("human-rights-abuses", "Human Rights Abuses", "人権侵害", 9),
        ],
        legacy: Vec::new(),
        imprint: Imprint::default(),
    }
}

/// A number by which a run of the tests is told how long or from where.
#[expect(clippy::disallowed_methods, reason = "how a run of the tests is told how long and from where")]
pub fn option(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}
