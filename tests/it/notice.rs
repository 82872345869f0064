//! Notices reach staff once, those of one moment together.

use crate::support::{World, on_each_engine};
use clarion::address::Address;
use clarion::language::Catalogue;
use clarion::notice::NoticeStep;
use clarion::noticeboard::{self, Notice};
use clarion::task::{Kick, Step as _, Wake};
use std::time::Duration;

fn step(world: &World, staff: &[&str]) -> NoticeStep {
    let staff = staff.iter().map(|address| Address::parse(address).unwrap()).collect();
    let (db, vault, clock) = (world.db.clone(), world.vault.clone(), world.clock.clone());
    NoticeStep::new(db, vault, clock, world.site.clone(), Catalogue::shipped(), staff, Kick::default())
}

async fn record(world: &World, key: &str) {
    let notice = Notice { key, subject: &format!("About {key}"), body: "What happened.\nMore of it.\n\nWhat to do: <mend> it." };
    let mut tx = world.db.begin().await.unwrap();
    noticeboard::record(&mut tx, &notice, world.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
}

/// Subject and text of every mail made, with how many get it.
async fn mails(world: &World) -> Vec<(String, String, i64)> {
    sqlx::query_as(
        "SELECT v.subject, v.body_text, COUNT(d.id) FROM variant v JOIN delivery d ON d.variant_id = v.id
         GROUP BY v.id, v.subject, v.body_text ORDER BY v.id",
    )
    .fetch_all(world.db.reader())
    .await
    .unwrap()
}

#[tokio::test]
async fn notices_of_one_moment_are_one_mail_and_told_once() {
    on_each_engine(async |world: World| {
        let step = step(&world, &["office@example.org", "chair@example.org"]);
        assert_eq!(step.step().await.unwrap(), Wake::WhenKicked);
        record(&world, "one").await;
        world.pass(Duration::from_secs(5));
        record(&world, "two").await;
        record(&world, "one").await;
        let due = world.clock.now() + Duration::from_secs(10);
        assert_eq!(step.step().await.unwrap(), Wake::At(due));
        assert_eq!(mails(&world).await, []);
        world.pass(Duration::from_secs(10));
        assert_eq!(step.step().await.unwrap(), Wake::Now);
        assert_eq!(step.step().await.unwrap(), Wake::WhenKicked);
        let sent = mails(&world).await;
        assert_eq!(sent.len(), 1);
        let (subject, text, recipients) = &sent[0];
        assert_eq!((subject.as_str(), *recipients), ("2 messages from Clarion", 2));
        let (one, two) = (text.find("About one").unwrap(), text.find("About two").unwrap());
        assert!(one < two && text.contains("What to do: <mend> it."), "{text}");
        let html: String = sqlx::query_scalar("SELECT body_html FROM variant").fetch_one(world.db.reader()).await.unwrap();
        assert!(html.contains("<p>What happened.<br>More of it.</p>") && html.contains("&#60;mend&#62;"), "{html}");

        let mut tx = world.db.begin().await.unwrap();
        noticeboard::clear(&mut tx, "one").await.unwrap();
        tx.commit().await.unwrap();
        record(&world, "one").await;
        world.pass(Duration::from_secs(10));
        step.step().await.unwrap();
        let sent = mails(&world).await;
        assert_eq!(sent[1].0, "About one", "trouble that came back is told again");
    })
    .await;
}

#[tokio::test]
async fn many_notices_do_not_wait() {
    on_each_engine(async |world: World| {
        for number in 0..21 {
            record(&world, &format!("n{number}")).await;
        }
        let step = step(&world, &["office@example.org"]);
        assert_eq!(step.step().await.unwrap(), Wake::Now);
        assert!(matches!(step.step().await.unwrap(), Wake::At(_)));
        assert_eq!(mails(&world).await[0].0, "20 messages from Clarion");
    })
    .await;
}

#[tokio::test]
async fn notices_wait_for_somebody_to_be_told() {
    on_each_engine(async |world: World| {
        record(&world, "one").await;
        world.pass(Duration::from_mins(1));
        assert_eq!(step(&world, &[]).step().await.unwrap(), Wake::WhenKicked);
        assert_eq!(step(&world, &["office@example.org"]).step().await.unwrap(), Wake::Now);
    })
    .await;
}
