//! Nothing vanishes by accident.

use super::{Room, file, step};
use crate::support::{World, on_each_engine};
use clarion::content;
use clarion::db::Engine;
use clarion::task::Step as _;
use std::fs;

async fn with_articles(room: &Room<'_>, count: usize) {
    for number in 0..count {
        room.save(&format!("{number:03}.md"), &file(&format!("N{number:03}"), "2027-09-18", "", "x"));
    }
    room.scan().await;
    assert_eq!(room.titles().await.len(), count);
}

async fn held(room: &Room<'_>) -> usize {
    let mut connection = room.world.db.reader().acquire().await.unwrap();
    content::held_removals(&mut connection).await.unwrap().len()
}

async fn accept(room: &Room<'_>) -> usize {
    let mut tx = room.world.db.begin().await.unwrap();
    let accepted = content::accept_removals(&mut tx, room.world.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    accepted
}

#[tokio::test]
async fn a_crowd_that_vanishes_is_held_until_staff_accept() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        with_articles(&room, 20).await;
        for number in 0..6 {
            room.delete(&format!("{number:03}.md"));
        }
        room.scan_when_still().await;
        room.scan_when_still().await;
        assert_eq!((room.titles().await.len(), held(&room).await), (20, 6));
        assert_eq!(room.notices().await, ["6 articles have vanished from the content folder; they stay published"]);

        // One comes back.
        room.save("000.md", &file("N000", "2027-09-18", "", "x"));
        room.scan().await;
        assert_eq!((held(&room).await, room.notices().await.len()), (5, 1));

        assert_eq!(accept(&room).await, 5);
        room.scan().await;
        assert_eq!((room.titles().await.len(), held(&room).await, room.notices().await.len()), (15, 0, 0));

        // One that staff let go comes back after all.
        room.save("001.md", &file("N001", "2027-09-18", "", "x"));
        room.scan().await;
        assert_eq!(room.titles().await.len(), 16);
    })
    .await;
}

#[tokio::test]
async fn what_staff_let_go_comes_back_also_with_its_warnings() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        with_articles(&room, 5).await;
        // Its date no longer moves, which is worth a warning.
        let warned = file("N000", "2027-09-11", "", "x");
        room.save("000.md", &warned);
        room.scan().await;
        assert_eq!(room.problems().await.len(), 1);
        let away = world.folder.path().join("away");
        fs::rename(&room.root, &away).unwrap();
        room.scan_when_still().await;
        assert_eq!(accept(&room).await, 5);
        fs::rename(&away, &room.root).unwrap();
        room.scan_when_still().await;
        assert_eq!(room.titles().await.len(), 5);
    })
    .await;
}

#[tokio::test]
async fn a_missing_folder_takes_nothing_with_it() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        with_articles(&room, 3).await;
        let away = world.folder.path().join("away");
        fs::rename(&room.root, &away).unwrap();
        room.scan_when_still().await;
        assert_eq!((room.titles().await.len(), held(&room).await), (3, 3));
        // A daemon that starts without it neither.
        room.step.end().await.unwrap();
        let again = step(&world, &room.root, &room.metrics);
        again.step().await.unwrap();
        assert_eq!(room.titles().await.len(), 3);
        again.end().await.unwrap();

        fs::rename(&away, &room.root).unwrap();
        room.scan().await;
        assert_eq!((room.titles().await.len(), held(&room).await, room.notices().await.len()), (3, 0, 0));
    })
    .await;
}

#[tokio::test]
async fn an_empty_folder_is_an_accident_and_one_of_five_is_not() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        with_articles(&room, 5).await;
        room.delete("000.md");
        room.scan_when_still().await;
        assert_eq!((room.titles().await.len(), held(&room).await), (4, 0));
        for number in 1..5 {
            room.delete(&format!("{number:03}.md"));
        }
        room.scan_when_still().await;
        assert_eq!((room.titles().await.len(), held(&room).await), (4, 4));
    })
    .await;
}

#[tokio::test]
async fn a_folder_that_is_deleted_slowly_is_still_a_crowd() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        with_articles(&room, 20).await;
        for number in 0..10 {
            room.delete(&format!("{number:03}.md"));
            if number % 3 == 2 {
                room.scan_when_still().await;
            }
        }
        room.scan_when_still().await;
        assert!(room.titles().await.len() >= 17, "{} are left", room.titles().await.len());
        assert!(held(&room).await >= 6);
    })
    .await;
}

#[tokio::test]
async fn one_daemon_scans_and_another_takes_over_when_it_lets_go() {
    on_each_engine(async |world: World| {
        // The lock on an SQLite file sees to it there.
        if world.db.engine() == Engine::Sqlite {
            return;
        }
        let room = Room::new(&world);
        with_articles(&room, 1).await;
        let other = step(&world, &room.root, &room.metrics);
        room.save("b.md", &file("B", "2027-09-18", "", "x"));
        other.step().await.unwrap();
        assert_eq!(room.titles().await.len(), 1, "the first daemon has the lease");
        room.step.end().await.unwrap();
        other.step().await.unwrap();
        assert_eq!(room.titles().await.len(), 2);
    })
    .await;
}
