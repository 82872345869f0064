//! Running an import again changes only what changed, and nothing that staff did.

use super::{Desk, EXPORT, post, whole};
use crate::support::{World, on_each_engine};
use clarion::content::wordpress::Options;
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// What shows that a file was touched: its inode and the time of its last change.
fn marks(desk: &Desk<'_>) -> BTreeMap<String, (u64, i64, i64)> {
    let mark = |file: &String| {
        let metadata = std::fs::metadata(desk.into.join(file)).unwrap();
        (metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
    };
    desk.files().iter().map(|file| (file.clone(), mark(file))).collect()
}

#[tokio::test]
async fn the_same_export_touches_no_file() {
    on_each_engine(async |world: World| {
        let desk = Desk::new(&world);
        let first = desk.import(Path::new(EXPORT), &Options::default()).await.unwrap();
        let before = marks(&desk);
        let again = desk.import(Path::new(EXPORT), &Options::default()).await.unwrap();
        assert_eq!((again.unchanged, again.new, again.updated), (first.new, 0, 0));
        assert_eq!(marks(&desk), before);
        // Killed before it could remember anything: it knows its files again.
        std::fs::remove_file(desk.into.join(".clarion-import.json")).unwrap();
        let again = desk.import(Path::new(EXPORT), &Options::default()).await.unwrap();
        assert_eq!((again.unchanged, again.new, again.updated), (first.new, 0, 0));
        assert_eq!(marks(&desk), before);
    })
    .await;
}

#[tokio::test]
async fn an_import_that_broke_off_is_completed() {
    on_each_engine(async |world: World| {
        let desk = Desk::new(&world);
        desk.import(Path::new(EXPORT), &Options::default()).await.unwrap();
        let whole: BTreeMap<String, String> = desk.files().into_iter().map(|file| (file.clone(), desk.text(&file))).collect();
        // As after a power cut: no memory, some files missing, one empty, one begun beside its place.
        std::fs::remove_file(desk.into.join(".clarion-import.json")).unwrap();
        for (number, file) in whole.keys().enumerate() {
            match number % 3 {
                0 => std::fs::remove_file(desk.into.join(file)).unwrap(),
                1 if number % 2 == 0 => std::fs::write(desk.into.join(file), "").unwrap(),
                _ => {}
            }
        }
        std::fs::write(desk.into.join("2011/.clarion-import.part"), "half").ok();
        let report = desk.import(Path::new(EXPORT), &Options::default()).await.unwrap();
        assert!(report.conflicts.is_empty() && report.new > 0, "{report:#?}");
        let after: BTreeMap<String, String> = desk.files().into_iter().map(|file| (file.clone(), desk.text(&file))).collect();
        assert_eq!(after, whole);
    })
    .await;
}

#[tokio::test]
async fn what_staff_edited_or_deleted_stays_so() {
    on_each_engine(async |world: World| {
        let desk = Desk::new(&world);
        let items = |text: &str| (1..=4).map(|id| post(id, &format!("name-{id}"), text, "")).collect::<String>();
        let none = Options::default();
        desk.import_items(&items("One."), &none).await.unwrap();
        let path = |id: u64| format!("2011/2011-07-05-name-{id}.html");
        let edited = desk.text(&path(1)).replace("One.", "Ours.");
        std::fs::write(desk.into.join(path(1)), &edited).unwrap();
        std::fs::remove_file(desk.into.join(path(2))).unwrap();

        let report = desk.import_items(&items("One."), &none).await.unwrap();
        assert_eq!((report.edited, report.unchanged, report.deleted.clone()), (1, 2, vec![path(2)]));

        let report = desk.import_items(&items("Two."), &none).await.unwrap();
        assert_eq!((report.updated, report.conflicts.clone(), report.deleted.clone()), (2, vec![path(1)], vec![path(2)]));
        assert_eq!(desk.text(&path(1)), edited);
        assert!(desk.text(&path(3)).contains("<p>Two.</p>"));
        assert!(report.wants_attention());

        let report = desk.import_items(&items("Two."), &Options { force: true, ..Options::default() }).await.unwrap();
        assert_eq!((report.updated, report.new, report.unchanged), (1, 1, 2));
        assert!(desk.text(&path(1)).contains("<p>Two.</p>") && desk.text(&path(2)).contains("<p>Two.</p>"));

        let report = desk.import_items(&post(1, "name-1", "Two.", ""), &none).await.unwrap();
        assert_eq!(report.vanished, [path(2), path(3), path(4)]);
        assert_eq!(desk.files().len(), 4);
    })
    .await;
}

#[tokio::test]
async fn a_new_title_and_name_keep_the_file_where_it_is() {
    on_each_engine(async |world: World| {
        let desk = Desk::new(&world);
        let none = Options::default();
        desk.import_items(&post(1, "first", "One.", ""), &none).await.unwrap();
        let report = desk.import_items(&post(1, "second", "One.", ""), &none).await.unwrap();
        assert_eq!(report.updated, 1);
        assert_eq!(desk.files(), ["2011/2011-07-05-first.html"]);
        assert!(desk.text("2011/2011-07-05-first.html").contains("\nslug = \"second\"\n"), "{}", desk.text("2011/2011-07-05-first.html"));
    })
    .await;
}

#[tokio::test]
async fn two_old_sites_share_a_folder() {
    on_each_engine(async |world: World| {
        let desk = Desk::new(&world);
        let none = Options::default();
        desk.import_items(&post(1, "name", "English.", ""), &none).await.unwrap();
        let other = whole(&post(1, "name", "日本語。", "")).replace("old.example.org", "old-ja.example.org").replace("en-US", "ja");
        let report = desk.import(&desk.write_export(&other), &none).await.unwrap();
        assert_eq!((report.new, report.vanished.len()), (1, 0));
        assert_eq!(desk.files(), ["2011/2011-07-05-name.html", "2011/2011-07-05-name.ja.html"]);
        assert_eq!(desk.mistakes(), Vec::<String>::new());
    })
    .await;
}
