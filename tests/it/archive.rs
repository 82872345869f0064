//! The public archive of mailings.

use crate::digest::{choices, drain, publish, started, subscribe};
use crate::support::web::{header, serve};
use crate::support::{World, on_each_engine};
use std::time::Duration;

async fn set_state(world: &World, state: &str) {
    sqlx::query("UPDATE mailing SET state = $1").bind(state).execute(world.db.reader()).await.unwrap();
}

#[tokio::test]
async fn a_mailing_is_in_the_archive_once_it_was_sent_and_without_personal_links() {
    on_each_engine(async |world: World| {
        let step = started(&world).await;
        subscribe(&world, "a", &choices("en", "", "weekly")).await;
        subscribe(&world, "b", &choices("ja", "", "weekly")).await;
        subscribe(&world, "c", &choices("en", "human-rights-abuses", "weekly")).await;
        publish(&world, "camp", "en", "human-rights-abuses").await;
        publish(&world, "summit", "en", "defectors").await;
        publish(&world, "summit", "ja", "defectors").await;
        world.pass(Duration::from_hours(7 * 24));
        drain(&step).await;
        let site = serve(&world).await;
        let id: i64 = sqlx::query_scalar("SELECT id FROM mailing WHERE state = 'ready'").fetch_one(world.db.reader()).await.unwrap();
        let path = format!("/archive/{id}");

        let (status, empty) = site.page("/archive/").await;
        assert!(status == 200 && empty.contains("No mail has been sent yet"), "{status}");
        assert_eq!(site.page(&path).await.0, 404, "not before it goes out");

        set_state(&world, "running").await;
        let (_, english) = site.page("/archive/").await;
        assert!(english.contains(&format!("href=\"{path}\"")) && english.contains("summit en (and 1 more)"), "{english}");
        let (_, japanese) = site.page("/ja/archive/").await;
        assert!(japanese.contains(&format!("href=\"/ja{path}\"")) && japanese.contains("】summit ja"), "{japanese}");

        let answer = site.get(&path).await;
        assert_eq!(answer.status(), 200);
        let policy = header(&answer, "content-security-policy").to_owned();
        assert!(policy.contains("style-src 'unsafe-inline'") && policy.contains("default-src 'none'"), "{policy}");
        let mail = answer.text().await.unwrap();
        assert!(mail.contains("summit en") && mail.contains("camp en"), "the fullest in this language");
        assert!(!mail.contains("slot:") && mail.contains("href=\"/preferences\""));
        assert!(site.page(&format!("/ja{path}")).await.1.contains("summit ja"));

        let ordinary = site.get("/archive/").await;
        assert!(header(&ordinary, "content-security-policy").contains("style-src 'self'"));
        set_state(&world, "cancelled").await;
        assert_eq!(site.page(&path).await.0, 404, "what was called back is not shown");
    })
    .await;
}

#[tokio::test]
async fn what_carried_a_withdrawn_article_is_shown_no_more() {
    on_each_engine(async |world: World| {
        let step = started(&world).await;
        subscribe(&world, "a", &choices("en", "", "weekly")).await;
        subscribe(&world, "b", &choices("en", "human-rights-abuses", "weekly")).await;
        publish(&world, "camp", "en", "human-rights-abuses").await;
        publish(&world, "name", "en", "defectors").await;
        world.pass(Duration::from_hours(7 * 24));
        drain(&step).await;
        set_state(&world, "done").await;
        let site = serve(&world).await;
        let id: i64 = sqlx::query_scalar("SELECT mailing_id FROM variant LIMIT 1").fetch_one(world.db.reader()).await.unwrap();
        let path = format!("/archive/{id}");
        assert!(site.page(&path).await.1.contains("name en"));
        let withdraw = async |path: &str| {
            sqlx::query("UPDATE article SET state = 'gone' WHERE path = $1").bind(path).execute(world.db.reader()).await.unwrap();
        };
        withdraw("name.en").await;
        let (status, mail) = site.page(&path).await;
        assert!(status == 200 && mail.contains("camp en") && !mail.contains("name en"), "the mail of those who got only the other");
        assert!(!site.page("/archive/").await.1.contains("name en"));
        withdraw("camp.en").await;
        assert_eq!(site.page(&path).await.0, 404);
        assert_eq!(site.get("/ja/archive").await.headers()["location"], "/ja/archive/");
    })
    .await;
}

#[tokio::test]
async fn what_is_not_public_or_not_there_is_not_found() {
    on_each_engine(async |world: World| {
        let step = started(&world).await;
        subscribe(&world, "a", &choices("en", "", "weekly")).await;
        publish(&world, "summit", "en", "defectors").await;
        world.pass(Duration::from_hours(7 * 24));
        drain(&step).await;
        sqlx::query("UPDATE mailing SET state = 'done', public = 'no'").execute(world.db.reader()).await.unwrap();
        let site = serve(&world).await;
        for path in [
            "/archive/1",
            "/archive/2",
            "/archive/x",
            "/archive/99999999999999999999",
            "/xx/archive/",
            "/xx/archive/1",
            "/en/archive/?before=x",
        ] {
            let status = site.page(path).await.0;
            assert!(status == 404 || status == 400, "{path}: {status}");
        }
        assert_eq!(site.page("/archive/?before=5&utm_source=x").await.0, 200);
    })
    .await;
}

#[tokio::test]
async fn older_mailings_are_on_pages_of_their_own() {
    on_each_engine(async |world: World| {
        let mut tx = world.db.begin().await.unwrap();
        for sql in [
            "INSERT INTO mailing (id, key, kind, stream, title, state, on_doubt, priority, public, cursor, not_before, made_at)
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)
             SELECT i, 'k' || CAST(i AS TEXT), 'digest', 'news', 't', 'done', 'retry', 3, 'yes', 0, 0, 0 FROM n",
            "INSERT INTO variant (id, mailing_id, key, language, subject, body_text, body_html, mark)
             SELECT id, id, 'v', 'en', 'Number ' || CAST(id AS TEXT) || '.', '', '', 'm' FROM mailing",
        ] {
            sqlx::query(sql).execute(&mut *tx).await.unwrap();
        }
        tx.commit().await.unwrap();
        let site = serve(&world).await;
        let (_, first) = site.page("/archive/").await;
        assert!(first.contains("Number 60.") && first.contains("Number 11.") && !first.contains("Number 10."));
        assert!(first.contains("href=\"/archive/?before=11\""), "{first}");
        let (_, second) = site.page("/archive/?before=11").await;
        assert!(second.contains("Number 10.") && second.contains("Number 1.") && !second.contains("?before="));
    })
    .await;
}
