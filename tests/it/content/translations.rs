//! What waits for a translator, and the monthly mail about it.

use super::{Room, file};
use crate::support::{World, beginning, on_each_engine};
use clarion::clock::{Timestamp, parse_instant};
use clarion::content::{self, Gap};
use clarion::language::Catalogue;
use clarion::notice::TranslationsStep;
use clarion::task::{Step as _, Wake};
use std::time::Duration;

async fn gaps(world: &World) -> Vec<Gap> {
    let mut connection = world.db.reader().acquire().await.unwrap();
    content::gaps(&mut connection, &world.site, None).await.unwrap()
}

/// `ja missing a.md`, with the translation's file where there is one.
async fn told(world: &World) -> Vec<String> {
    let line = |gap: Gap| {
        let file = gap.translation.map_or(gap.original.path, |translation| translation.path);
        format!("{} {} {file}", gap.language, gap.lack)
    };
    gaps(world).await.into_iter().map(line).collect()
}

fn step(world: &World) -> TranslationsStep {
    TranslationsStep {
        db: world.db.clone(),
        clock: world.clock.clone(),
        site: world.site.clone(),
        catalogue: Catalogue::shipped(),
        wanted: true,
    }
}

async fn notices(world: &World) -> Vec<(String, String)> {
    sqlx::query_as("SELECT subject, body FROM notice WHERE key LIKE 'translations:%' ORDER BY id")
        .fetch_all(world.db.reader())
        .await
        .unwrap()
}

fn instant(text: &str) -> Timestamp {
    parse_instant(&format!("{text}:00+09:00")).unwrap()
}

#[tokio::test]
async fn what_is_missing_begun_or_older_is_told_until_it_is_in_order() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        room.save("a.md", &file("A", "2027-09-18", "", "One."));
        room.save("b.ja.md", &file("B", "2027-09-17", "", "x"));
        room.save("both.md", &file("C", "2027-09-16", "", "x"));
        room.save("both.ja.md", &file("C", "2027-09-16", "", "x"));
        room.scan().await;
        assert_eq!(told(&world).await, ["en missing b.ja.md", "ja missing a.md"]);

        room.save("a.ja.md", &file("A", "2027-09-18", "draft = true", "x"));
        room.scan_when_still().await;
        assert_eq!(told(&world).await, ["en missing b.ja.md", "ja begun a.ja.md"]);
        room.save("a.ja.md", &file("A", "2027-09-18", "", "x"));
        room.scan_when_still().await;
        assert_eq!(told(&world).await, ["en missing b.ja.md"]);

        world.pass(Duration::from_hours(24));
        room.save("a.md", &file("A", "2027-09-18", "tags = [\"new\"]", "One."));
        room.scan_when_still().await;
        assert_eq!(told(&world).await, ["en missing b.ja.md"], "a tag is nothing to translate");
        room.save("a.md", &file("A", "2027-09-18", "", "Two."));
        room.scan_when_still().await;
        assert_eq!(told(&world).await, ["en missing b.ja.md", "ja older a.ja.md"]);
        assert_eq!(gaps(&world).await[1].since, beginning() + Duration::from_hours(24));

        room.save("a.ja.md", &file("A", "2027-09-18", "updated = 2027-09-21", "x"));
        room.scan_when_still().await;
        assert_eq!(told(&world).await, ["en missing b.ja.md"], "its file says that it is in order");
    })
    .await;
}

#[tokio::test]
async fn once_a_month_staff_are_told_and_only_where_something_waits() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        let step = step(&world);
        room.save("a.md", &file("A family", "2027-09-18", "", "x"));
        room.save("old.md", &file("Long ago", "2017-09-18", "", "x"));
        room.scan().await;
        assert_eq!(step.step().await.unwrap(), Wake::At(instant("2027-10-01T09:00")));
        assert_eq!(notices(&world).await, [], "a site that has just begun");

        world.clock.set(instant("2027-10-01T08:59"));
        step.step().await.unwrap();
        assert_eq!(notices(&world).await, []);
        world.clock.set(instant("2027-10-01T09:00"));
        assert_eq!(step.step().await.unwrap(), Wake::At(instant("2027-11-01T09:00")));
        step.step().await.unwrap();
        let told = notices(&world).await;
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].0, "Translations: 1 missing, 0 older than their original");
        for part in ["日本語: 1\n- a.md (Saturday, 18 September 2027): no translation yet.", "clarion translations"] {
            assert!(told[0].1.contains(part), "{part}:\n{}", told[0].1);
        }
        assert!(!told[0].1.contains("old.md") && !told[0].1.contains("A family"), "{}", told[0].1);

        // Nothing waits: nothing is sent.
        room.save("a.ja.md", &file("家族", "2027-09-18", "", "x"));
        room.scan().await;
        world.clock.set(instant("2027-11-01T10:00"));
        step.step().await.unwrap();
        assert_eq!(notices(&world).await.len(), 1);

        // After a long pause it is too late for December, and January comes in its time.
        room.save("b.md", &file("B", "2027-12-01", "", "x"));
        world.clock.set(instant("2027-12-20T10:00"));
        room.scan().await;
        step.step().await.unwrap();
        assert_eq!(notices(&world).await.len(), 1);
        world.clock.set(instant("2028-01-03T09:00"));
        step.step().await.unwrap();
        assert_eq!(notices(&world).await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn who_does_not_want_the_monthly_mail_or_has_one_language_gets_none() {
    on_each_engine(async |mut world: World| {
        let room = Room::new(&world);
        room.save("a.md", &file("A", "2027-09-18", "", "x"));
        room.scan().await;
        let unwanted = TranslationsStep { wanted: false, ..step(&world) };
        drop(room);
        world.site.languages.truncate(1);
        let single = step(&world);
        for day in ["2027-09-20T09:00", "2027-10-01T09:00"] {
            world.clock.set(instant(day));
            assert_eq!(unwanted.step().await.unwrap(), Wake::WhenKicked);
            assert_eq!(single.step().await.unwrap(), Wake::WhenKicked);
        }
        assert_eq!(notices(&world).await, []);
    })
    .await;
}
