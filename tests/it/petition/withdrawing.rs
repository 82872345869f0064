//! A petition whose page names somebody who must not be named.

use super::bench::{Bench, subscribers};
use crate::support::{World, on_each_engine};
use clarion::{content, delivery, petition};
use sqlx::AssertSqlSafe;
use std::time::Duration;

/// Where words of a petition are kept.
const PLACES: [(&str, &str); 6] = [
    ("petition_edition", "page"),
    ("petition_step", "terms"),
    ("petition_text", "body_text"),
    ("variant", "body_html"),
    ("variant", "subject"),
    ("article", "title"),
];

async fn rows_with(world: &World, name: &str) -> Vec<&'static str> {
    let mut found = Vec::new();
    for (table, column) in PLACES {
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE {column} LIKE '%{name}%'");
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(world.db.reader()).await.unwrap();
        if count > 0 {
            found.push(table);
        }
    }
    found
}

#[tokio::test]
async fn an_edition_is_withdrawn_with_its_page_its_texts_and_its_mails() {
    on_each_engine(async |world: World| {
        let bench = Bench::new(&world);
        subscribers(&world).await;
        bench.write("call.en.md", "# Write for Mina\n\nPlease write for Mina.\n");
        bench.settle(&world).await;
        assert_eq!(bench.approve("call").await.unwrap(), ["call"]);
        bench.at(&world, "2027-09-22T09:00:00+09:00").await;
        assert_eq!(rows_with(&world, "Mina").await, ["petition_edition", "petition_step", "petition_text", "variant", "variant"]);

        let now = world.clock.now();
        let mut tx = world.db.begin().await.unwrap();
        let pages = content::listing(&mut tx).await.unwrap();
        let pages = pages.into_iter().filter(|page| petition::edition_of(&page.path) == Some(("day", "2027")));
        let pages: Vec<i64> = pages.map(|page| page.id).collect();
        assert!(!pages.is_empty());
        let mailings = petition::withdraw(&mut tx, "day", "2027", now).await.unwrap();
        let stopped = delivery::withdraw(&mut tx, &pages, &mailings, &[], now).await.unwrap();
        content::withdraw(&mut tx, &world.site, &pages, now).await.unwrap();
        tx.commit().await.unwrap();
        assert!(stopped.mails >= 3, "{stopped:?}");
        assert_eq!(rows_with(&world, "Mina").await, Vec::<&str>::new());
        assert_eq!(rows_with(&world, "Refugees Day").await, Vec::<&str>::new());

        // Nothing brings it back or sends what is left of it.
        bench.pass(&world, Duration::from_hours(24)).await;
        bench.at(&world, "2027-09-26T09:00:00+09:00").await;
        let mut connection = world.db.reader().acquire().await.unwrap();
        let listed = content::listing(&mut connection).await.unwrap();
        assert!(listed.iter().all(|article| article.title.is_empty()), "{listed:?}");
        let left: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM delivery WHERE state = 'queued' AND person_id IS NOT NULL")
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        assert_eq!(left, 0);
    })
    .await;
}
