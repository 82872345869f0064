//! What the database refuses.

use super::{Room, file};
use crate::support::{World, on_each_engine};
use clarion::db::Engine;
use clarion::task::Step as _;

/// From now on the database refuses articles of one title.
async fn refuse(world: &World, title: &str) {
    let sql = match world.db.engine() {
        Engine::Sqlite => format!(
            "CREATE TRIGGER refusal BEFORE INSERT ON article WHEN NEW.title = '{title}' BEGIN SELECT RAISE(ABORT, 'no such title'); END"
        ),
        Engine::Postgres => format!("ALTER TABLE article ADD CONSTRAINT refusal CHECK (title <> '{title}')"),
    };
    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(world.db.reader()).await.unwrap();
}

#[tokio::test]
async fn one_file_that_the_database_refuses_stops_no_other() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        refuse(&world, "Refused").await;
        for number in 0..10 {
            room.save(&format!("{number}.md"), &file(&format!("N{number}"), "2027-09-18", "", "x"));
        }
        room.save("5b.md", &file("Refused", "2027-09-18", "", "x"));
        room.scan().await;
        assert_eq!(room.titles().await.len(), 10);
        let problems = room.problems().await;
        assert!(problems.len() == 1 && problems[0].starts_with("5b.md: error: the database refuses this article"), "{problems:?}");
        assert_eq!(room.notices().await, ["An article is not understood: 5b.md"]);
        assert_eq!(room.metrics.content_problems.get(), 1);
        room.scan().await;
        assert_eq!((room.problems().await.len(), room.notices().await.len()), (1, 1), "told once");
        room.save("5b.md", &file("Welcome", "2027-09-18", "", "x"));
        room.scan().await;
        assert_eq!((room.titles().await.len(), room.problems().await.len()), (11, 0));
    })
    .await;
}

#[tokio::test]
async fn a_database_that_fails_is_no_mistake_of_any_file() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        room.scan().await;
        sqlx::query("ALTER TABLE article_category RENAME TO elsewhere").execute(world.db.reader()).await.unwrap();
        room.save("a.md", &file("A", "2027-09-18", "categories = [\"defectors\"]", "x"));
        room.step.look_at_everything();
        assert!(room.step.step().await.is_err());
        sqlx::query("ALTER TABLE elsewhere RENAME TO article_category").execute(world.db.reader()).await.unwrap();
        room.scan().await;
        assert_eq!((room.titles().await, room.problems().await), (vec!["A".to_owned()], vec![]));
    })
    .await;
}
