//! The database layer on both engines.

use crate::support::{World, databases, is_sqlite, on_each_engine, sqlite_in};
use clarion::db::{Counter, DatabaseUrl, Db, take_number, take_numbers};
use std::os::unix::fs::PermissionsExt as _;

#[tokio::test]
async fn numbers_are_given_out_once_and_a_dropped_transaction_takes_none() {
    on_each_engine(async |world: World| {
        let mut tx = world.db.begin().await.unwrap();
        assert_eq!(take_numbers(&mut tx, Counter::Person, 10).await.unwrap(), 1);
        assert_eq!(take_number(&mut tx, Counter::Person).await.unwrap(), 11);
        tx.commit().await.unwrap();
        let mut tx = world.db.begin().await.unwrap();
        assert_eq!(take_number(&mut tx, Counter::Person).await.unwrap(), 12);
        drop(tx);
        let mut tx = world.db.begin().await.unwrap();
        assert_eq!(take_number(&mut tx, Counter::Person).await.unwrap(), 12);
    })
    .await;
}

#[tokio::test]
async fn writers_at_once_all_commit() {
    on_each_engine(async |world: World| {
        let writers: Vec<_> = (0..20)
            .map(|_| {
                let db = world.db.clone();
                tokio::spawn(async move {
                    for _ in 0..5 {
                        let mut tx = db.begin().await.unwrap();
                        take_number(&mut tx, Counter::Sequence).await.unwrap();
                        tx.commit().await.unwrap();
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
        let value: i64 =
            sqlx::query_scalar("SELECT value FROM counter WHERE name = 'sequence'").fetch_one(world.db.reader()).await.unwrap();
        assert_eq!(value, 100);
    })
    .await;
}

/// Only these column types can be read through `sqlx::Any` on both engines.
#[tokio::test]
async fn every_column_is_text_bigint_or_double_precision() {
    on_each_engine(async |world: World| {
        let sql = if is_sqlite(&world.db) {
            "SELECT m.name, c.name, upper(c.type) FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> '_sqlx_migrations'"
        } else {
            "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT), CAST(upper(data_type) AS TEXT) FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations'"
        };
        let columns: Vec<(String, String, String)> = sqlx::query_as(sql).fetch_all(world.db.reader()).await.unwrap();
        assert!(columns.len() > 100, "only {} columns seen", columns.len());
        for (table, column, kind) in columns {
            assert!(["TEXT", "BIGINT", "DOUBLE PRECISION"].contains(&kind.as_str()), "{table}.{column} is {kind}");
        }
    })
    .await;
}

#[tokio::test]
async fn opening_twice_migrates_once() {
    for url in databases().await {
        let folder = tempfile::tempdir().unwrap();
        let url = url.unwrap_or_else(|| sqlite_in(folder.path()));
        Db::open(&url).await.unwrap().close().await;
        Db::open(&url).await.unwrap().close().await;
    }
}

#[tokio::test]
async fn the_sqlite_file_and_its_log_are_for_one_user_only() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(&sqlite_in(folder.path())).await.unwrap();
    take_number(&mut db.begin().await.unwrap(), Counter::Person).await.unwrap();
    let mut seen = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", entry.file_name());
        seen += 1;
    }
    assert!(seen >= 2, "the file and its write-ahead log");
}

#[tokio::test]
async fn one_daemon_serves_one_sqlite_file() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(&sqlite_in(folder.path())).await.unwrap();
    let other = Db::open(&sqlite_in(folder.path())).await.unwrap();
    let lock = db.lock_daemon().unwrap();
    let refusal = other.lock_daemon().unwrap_err().to_string();
    assert!(refusal.contains("another clarion"), "{refusal}");
    let DatabaseUrl::Sqlite(path) = sqlite_in(folder.path()) else { unreachable!() };
    let alias = folder.path().join("alias.db");
    std::os::unix::fs::symlink(path, &alias).unwrap();
    let by_link = Db::open(&DatabaseUrl::Sqlite(alias)).await.unwrap();
    assert!(by_link.lock_daemon().is_err(), "a link is another name of the same file");
    drop(lock);
    assert!(other.lock_daemon().unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_database_may_be_opened_by_many_at_once() {
    for _ in 0..5 {
        let folder = tempfile::TempDir::new().unwrap();
        let url = crate::support::sqlite_in(folder.path());
        let opening: Vec<_> = (0..6)
            .map(|_| {
                tokio::spawn({
                    let url = url.clone();
                    async move { Db::open(&url).await }
                })
            })
            .collect();
        for opened in opening {
            opened.await.unwrap().unwrap().close().await;
        }
    }
}
