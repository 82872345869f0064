//! The database: SQLite by default, PostgreSQL when one machine is not enough, one SQL text.
//!
//! What every query must keep to is in `docs/architecture.md`; the short form: `$1` placeholders
//! in static strings, columns `TEXT`, `BIGINT` and `DOUBLE PRECISION` only, time as Unix
//! milliseconds bound from the clock, writers through [`Db::begin`] or, for a single statement,
//! [`Db::writer`].

use crate::clock::{Clock, Timestamp};
use anyhow::{Context as _, bail};
use sqlx::any::AnyPoolOptions;
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, Connection as _, Executor as _, Transaction};
use std::fs::File;
use std::ops::{Deref, DerefMut};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard};

/// The migrations, part of the program.
static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// Which database engine a query runs on. Only a function whose SQL truly differs asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// One file beside the daemon.
    Sqlite,
    /// A server, which several daemons may share.
    Postgres,
}

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `sqlite:PATH`, the path made absolute.
    Sqlite(PathBuf),
    /// `postgres://…`, which may hold a password.
    Postgres(String),
}

/// Shows no password.
impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(_) => f.write_str("postgres://…"),
        }
    }
}

/// How often, and how far apart, emptying the journal is tried while somebody reads.
const CHECKPOINT_TRIALS: u32 = 50;
const CHECKPOINT_PAUSE: Duration = Duration::from_millis(100);

/// An open database. Clones share its connections.
#[derive(Clone)]
pub struct Db {
    pool: AnyPool,
    /// Where writers get their connection. On SQLite it is always the same one: what it has read
    /// stays valid in its cache until somebody else writes.
    writers: AnyPool,
    engine: Engine,
    path: Option<PathBuf>,
    /// SQLite has one writer at a time. Waiting here is fair; waiting in SQLite is not. Whose turn it
    /// is finds here the connection of the one before, if that was no transaction.
    turn: Arc<Mutex<Option<PoolConnection<Any>>>>,
}

impl Db {
    /// Opens the database, makes it if it is a file that is not there, and brings its tables
    /// up to date.
    pub async fn open(url: &DatabaseUrl) -> anyhow::Result<Self> {
        sqlx::any::install_default_drivers();
        let (engine, path, address) = match url {
            DatabaseUrl::Sqlite(path) => (Engine::Sqlite, Some(path.clone()), sqlite_address(path)?),
            DatabaseUrl::Postgres(address) => (Engine::Postgres, None, address.clone()),
        };
        let pool = pool_options(engine).max_connections(10).connect(&address).await;
        let pool = pool.with_context(|| format!("the database {url:?} cannot be opened"))?;
        let writers = match engine {
            Engine::Sqlite => pool_options(engine).max_connections(1).idle_timeout(None).max_lifetime(None).connect_lazy(&address)?,
            Engine::Postgres => pool.clone(),
        };
        let turn = path.clone().map(|path| tokio::task::spawn_blocking(move || migration_turn(&path)));
        let _turn = match turn {
            Some(turn) => Some(turn.await.context("waiting for another clarion was interrupted")??),
            None => None,
        };
        MIGRATIONS.run(&pool).await.with_context(|| format!("the tables of {url:?} cannot be brought up to date"))?;
        Ok(Self { pool, writers, engine, path, turn: Arc::default() })
    }

    /// The engine, for the few functions whose SQL differs.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Connections for reading: `fetch_all(db.reader())`.
    pub fn reader(&self) -> &AnyPool {
        &self.pool
    }

    /// Begins a transaction that writes. Dropped without [`Tx::commit`], it never happened.
    pub async fn begin(&self) -> anyhow::Result<Tx> {
        Ok(match self.engine {
            Engine::Sqlite => {
                let mut turn = Arc::clone(&self.turn).lock_owned().await;
                // Back to the pool.
                turn.take();
                // A deferred transaction that reads first fails at once when it comes to write.
                Tx { inner: self.writers.begin_with("BEGIN IMMEDIATE").await?, _turn: Some(turn) }
            }
            Engine::Postgres => Tx { inner: self.pool.begin().await?, _turn: None },
        })
    }

    /// A writer's connection, for one statement that is a transaction by itself. It is the same one
    /// each time and does not go back to the pool, which takes a turn to its thread and back: on
    /// PostgreSQL, where nobody waits for another, [`Db::begin`] is better.
    pub async fn writer(&self) -> anyhow::Result<Writer> {
        let mut turn = Arc::clone(&self.turn).lock_owned().await;
        if turn.is_none() {
            *turn = Some(self.writers.acquire().await?);
        }
        OwnedMutexGuard::try_map(turn, Option::as_mut).ok().context("a connection that is there is not there")
    }

    /// The time by which leases are measured: the database server's on PostgreSQL, so that
    /// daemons whose clocks differ agree; the machine's on SQLite. Never `CLARION_CLOCK`.
    pub async fn lease_time(&self, connection: &mut AnyConnection) -> anyhow::Result<Timestamp> {
        if self.engine == Engine::Sqlite {
            return Ok(Clock::system().now());
        }
        let sql = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";
        let millis: i64 = sqlx::query_scalar(sql).fetch_one(connection).await?;
        Ok(Timestamp::from_millis(millis))
    }

    /// Claims the right to be the one daemon of an SQLite file, for as long as the result
    /// lives. PostgreSQL takes any number of daemons.
    pub fn lock_daemon(&self) -> anyhow::Result<Option<File>> {
        let Some(path) = &self.path else { return Ok(None) };
        // By whatever link the file was reached.
        let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        let lock_path = path.with_extension("lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .with_context(|| format!("{} cannot be opened", lock_path.display()))?;
        if file.try_lock().is_err() {
            bail!("another clarion serves {} already; stop it first, or give this one a database of its own", path.display());
        }
        Ok(Some(file))
    }

    /// Empties SQLite's journal, so that what was wiped is nowhere on the disk. False: somebody
    /// read an older state for too long.
    pub async fn checkpoint(&self) -> anyhow::Result<bool> {
        if self.engine == Engine::Postgres {
            return Ok(true);
        }
        for _ in 0..CHECKPOINT_TRIALS {
            let (busy, ..): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&self.pool).await?;
            if busy == 0 {
                return Ok(true);
            }
            tokio::time::sleep(CHECKPOINT_PAUSE).await;
        }
        Ok(false)
    }

    /// Closes all connections; on SQLite this folds the write-ahead log into the file.
    pub async fn close(&self) {
        self.turn.lock().await.take();
        self.writers.close().await;
        self.pool.close().await;
    }
}

/// Whose turn it is to bring an SQLite file up to date, until dropped: a daemon and a command may
/// open a new one in the same moment, and sqlx lets both make the same tables. `PostgreSQL` has
/// sqlx's own lock.
fn migration_turn(path: &Path) -> anyhow::Result<File> {
    let path = path.with_extension("migration");
    let opened = File::options().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = opened.with_context(|| format!("{} cannot be opened", path.display()))?;
    file.lock().with_context(|| format!("{} cannot be locked", path.display()))?;
    Ok(file)
}

/// The URL for an SQLite file, whose folder is made if missing.
fn sqlite_address(path: &Path) -> anyhow::Result<String> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("the folder {} cannot be made", folder.display()))?;
    }
    // What follows two slashes and is not a third would be read as the name of a host.
    let path = std::path::absolute(path).with_context(|| format!("the database path {} is not usable", path.display()))?;
    // Made before SQLite makes it, for the daemon's user only; SQLite's other files follow it.
    // Where it cannot be written, the pool would try for half a minute, and log each attempt.
    let opened = File::options().create(true).append(true).mode(0o600).open(&path);
    opened.with_context(|| format!("the database {} cannot be written; run clarion as the user that owns it", path.display()))?;
    let path = path.to_str().with_context(|| format!("the database path {} is not UTF-8", path.display()))?;
    let escaped = percent_encoding::utf8_percent_encode(path, &PATH_ESCAPES);
    Ok(format!("sqlite://{escaped}?mode=rwc"))
}

/// What would end or change the path of an SQLite URL.
const PATH_ESCAPES: percent_encoding::AsciiSet = percent_encoding::CONTROLS.add(b'%').add(b'?').add(b'#').add(b' ');

/// Whether a connection can begin a transaction. When SQLite cannot write, as on a full disk, it
/// rolls back by itself; sqlx 0.9.0 then takes the connection to be inside a transaction for ever.
fn is_fit(connection: &AnyConnection) -> bool {
    !connection.is_in_transaction()
}

fn pool_options(engine: Engine) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .acquire_timeout(Duration::from_secs(30))
        // A file does not hang up.
        .test_before_acquire(engine == Engine::Postgres)
        .after_connect(move |connection, _| Box::pin(prepare(connection, engine)))
        .before_acquire(|connection, _| Box::pin(std::future::ready(Ok(is_fit(connection)))))
}

async fn prepare(connection: &mut AnyConnection, engine: Engine) -> Result<(), sqlx::Error> {
    if engine == Engine::Sqlite {
        // FULL: what was answered is on the disk. secure_delete: what was erased is not.
        connection.execute("PRAGMA journal_mode = WAL").await?;
        connection.execute("PRAGMA synchronous = FULL").await?;
        connection.execute("PRAGMA foreign_keys = ON").await?;
        connection.execute("PRAGMA secure_delete = ON").await?;
        connection.execute("PRAGMA busy_timeout = 15000").await?;
    }
    Ok(())
}

/// A transaction that writes; use it as a connection: `execute(&mut *tx)`.
pub struct Tx {
    inner: Transaction<'static, Any>,
    _turn: Option<OwnedMutexGuard<Option<PoolConnection<Any>>>>,
}

impl Tx {
    /// Makes it durable.
    pub async fn commit(self) -> anyhow::Result<()> {
        self.inner.commit().await.context("the database could not commit")
    }
}

impl Deref for Tx {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.inner
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }
}

/// A connection that writes, without a transaction; use it as a connection: `execute(&mut **writer)`.
pub type Writer = OwnedMappedMutexGuard<Option<PoolConnection<Any>>, PoolConnection<Any>>;

/// Whether what failed was refused for what it is, so that it fails again however often it is
/// tried while other work succeeds: a value too long, a rule broken. Otherwise it is the database
/// that fails, such as by a full disk or a lost connection.
pub fn is_refusal(error: &anyhow::Error) -> bool {
    let Some(cause) = error.chain().find_map(|cause| cause.downcast_ref::<sqlx::Error>()) else { return true };
    match cause {
        sqlx::Error::Database(told) => told.code().is_some_and(|code| match code.parse::<u32>() {
            // SQLite: the result code is the lowest octet. TOOBIG, CONSTRAINT, MISMATCH, RANGE.
            Ok(number) if code.len() < 5 => matches!(number & 0xff, 18 | 19 | 20 | 25),
            // PostgreSQL: the class is the first two letters. Data, integrity, program limits.
            _ => ["22", "23", "54"].iter().any(|class| code.starts_with(class)),
        }),
        sqlx::Error::Encode(_) | sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => true,
        _ => false,
    }
}

/// A series of numbers given out in commit order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// Rows of `article`.
    Article,
    /// `published_seq` and `changed_seq`: one series, so that commit order is sequence order.
    Sequence,
    /// Rows of `person`.
    Person,
    /// Rows of `signup`.
    Signup,
    /// Rows of `consent_event`.
    Consent,
    /// Rows of `mailing`.
    Mailing,
    /// Rows of `variant`.
    Variant,
    /// Rows of `delivery`.
    Delivery,
    /// Rows of `petition_step` and their approvals.
    Petition,
    /// Rows of `notice`.
    Notice,
    /// Rows of `inbound`.
    Inbound,
}

impl Counter {
    fn name(self) -> &'static str {
        match self {
            Self::Article => "article",
            Self::Sequence => "sequence",
            Self::Person => "person",
            Self::Signup => "signup",
            Self::Consent => "consent",
            Self::Mailing => "mailing",
            Self::Variant => "variant",
            Self::Delivery => "delivery",
            Self::Petition => "petition",
            Self::Notice => "notice",
            Self::Inbound => "inbound",
        }
    }
}

/// Takes the next `count` numbers of a series and returns the first. The row stays locked until
/// the transaction ends, which is what makes the order hold.
pub async fn take_numbers(connection: &mut AnyConnection, counter: Counter, count: i64) -> anyhow::Result<i64> {
    let last: i64 = sqlx::query_scalar("UPDATE counter SET value = value + $1 WHERE name = $2 RETURNING value")
        .bind(count)
        .bind(counter.name())
        .fetch_one(connection)
        .await
        .with_context(|| format!("the counter {} is missing", counter.name()))?;
    Ok(last - count + 1)
}

/// Takes the next number of a series.
pub async fn take_number(connection: &mut AnyConnection, counter: Counter) -> anyhow::Result<i64> {
    take_numbers(connection, counter, 1).await
}

/// Defines an enum that is stored as a word: `text_enum! { /// Doc. pub enum State { Ready = "ready" } }`.
#[macro_export]
macro_rules! text_enum {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
        pub enum $name { $($(#[$variant_meta])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word stored in the database.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The value of a stored word.
            pub fn from_stored(text: &str) -> anyhow::Result<Self> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(anyhow::anyhow!(concat!("the database holds an unknown ", stringify!($name), " “{}”; it was written by a newer version"), text)),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
