//! Files as they come: written slowly, linked elsewhere, in other encodings, by the hundred.

use super::{Room, STILLNESS, file};
use crate::support::{World, on_each_engine};
use clarion::clock::Clock;
use clarion::content::{self, ContentStep, Settings};
use clarion::metrics::Metrics;
use clarion::task::{self, Kick, Step as _};
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_file_written_octet_by_octet_is_never_published_in_part() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        let text = file("Slow", "2027-09-18", "", "The end.");
        let mut out = File::create(room.root.join("slow.md")).unwrap();
        for octet in text.as_bytes() {
            out.write_all(&[*octet]).unwrap();
            room.scan().await;
            assert_eq!((room.titles().await.len(), room.problems().await.len()), (0, 0));
        }
        drop(out);
        room.scan_when_still().await;
        assert!(room.article().await.body_html.contains("The end."));

        // Written anew in place: the last good version stays until it is complete.
        let mut out = File::create(room.root.join("slow.md")).unwrap();
        for octet in text.replace("The end", "Another end").as_bytes() {
            out.write_all(&[*octet]).unwrap();
            room.scan().await;
            assert!(room.article().await.body_html.contains("The end."));
        }
        drop(out);
        room.scan_when_still().await;
        assert!(room.article().await.body_html.contains("Another end."));
    })
    .await;
}

#[tokio::test]
async fn no_link_leads_out_of_the_folder() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        let outside = world.folder.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("secret.md"), file("Secret", "2027-09-18", "", "x")).unwrap();
        symlink(outside.join("secret.md"), room.root.join("absolute.md")).unwrap();
        symlink("../outside/secret.md", room.root.join("relative.md")).unwrap();
        symlink(&outside, room.root.join("folder")).unwrap();
        room.save("deep/real.md", &file("Real", "2027-09-18", "", "x"));
        symlink("deep/real.md", room.root.join("alias.md")).unwrap();
        room.scan_when_still().await;
        let titles = room.titles().await;
        assert!(titles.iter().all(|title| title == "Real"), "{titles:?}");
        let problems = room.problems().await;
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems.iter().all(|problem| problem.contains("a link that leads out of the content folder")), "{problems:?}");
        assert_eq!(room.notices().await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_read_for_a_moment_is_not_told() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        symlink("/etc/passwd", room.root.join("a.md")).unwrap();
        room.scan().await;
        fs::remove_file(room.root.join("a.md")).unwrap();
        room.scan_when_still().await;
        assert_eq!((room.problems().await, room.notices().await), (vec![], vec![]));
    })
    .await;
}

#[tokio::test]
async fn what_is_not_an_article_is_left_alone() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        let good = file("A", "2027-09-18", "", "x");
        for path in ["a.md", ".hidden.md", ".git/b.md", "a.md~", "#a.md#", ".#a.md", "~a.md", "a.md.swp", "notes.txt"] {
            room.save(path, &good);
        }
        // A pipe would wait for its writer.
        assert!(std::process::Command::new("mkfifo").arg(room.root.join("pipe.md")).status().unwrap().success());
        room.scan_when_still().await;
        assert_eq!((room.titles().await, room.problems().await), (vec!["A".to_owned()], vec![]));
    })
    .await;
}

#[tokio::test]
async fn a_change_is_seen_though_size_and_time_are_the_same() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        room.save("a.md", &file("Old", "2027-09-18", "", "x"));
        room.scan().await;
        let path = room.root.join("a.md");
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        fs::write(&path, file("New", "2027-09-18", "", "x")).unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        room.scan_when_still().await;
        assert_eq!(room.titles().await, ["New"]);
    })
    .await;
}

#[tokio::test]
async fn a_name_that_no_mail_can_show_is_told_and_not_published() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        room.save("a\nSubject: b.md", &file("A", "2027-09-18", "", "x"));
        room.save("folder\n/b.md", &file("B", "2027-09-18", "", "x"));
        room.scan_when_still().await;
        let (titles, problems) = (room.titles().await, room.problems().await);
        assert_eq!((titles.len(), problems.len()), (0, 2), "{titles:?} {problems:?}");
        assert!(problems.iter().all(|problem| problem.contains("the name holds a line break")), "{problems:?}");
        assert!(room.notices().await.iter().all(|subject| !subject.contains('\n')));
    })
    .await;
}

#[tokio::test]
async fn what_a_database_cannot_hold_stops_nothing() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        let more = "canonical_url = \"https://example.org/a\\u0000b\"\nimage = \"c\\u0000.png\"\nslug = \"d\\u0000e\"";
        room.save("a.md", &file("A", "2027-09-18", more, "x"));
        let long = ["名".repeat(60), "前".repeat(60), "長".repeat(60), "い".repeat(60)].join("/");
        room.save(&format!("{long}.md"), &file("B", "2027-09-17", "", "x"));
        room.scan_when_still().await;
        assert_eq!(room.titles().await, ["A", "B"]);
    })
    .await;
}

#[tokio::test]
async fn a_file_in_another_encoding_is_told_so() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        fs::write(world.folder.path().join("sjis"), b"+++\ntitle = \"\x93\xfa\x96{\"\n+++\n").unwrap();
        fs::rename(world.folder.path().join("sjis"), room.root.join("a.ja.md")).unwrap();
        room.scan_when_still().await;
        assert!(room.problems().await[0].starts_with("a.ja.md: error: the file is saved as Shift_JIS"), "{:?}", room.problems().await);
    })
    .await;
}

#[tokio::test]
async fn two_hundred_articles_are_taken_in_at_once() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        for number in 0..200 {
            let date = format!("{}-{:02}-01", 2006 + number / 12, number % 12 + 1);
            room.save(&format!("{number}.md"), &file(&format!("N{number}"), &date, "categories = [\"defectors\"]", &"Words. ".repeat(300)));
        }
        let began = Instant::now();
        room.scan().await;
        let first = began.elapsed();
        assert_eq!(room.titles().await.len(), 200);
        // Generous: many tests share the machine.
        assert!(first < Duration::from_secs(10), "{first:?}");
        let order = room.articles().await;
        assert!(order.windows(2).all(|pair| pair[0].published_seq > pair[1].published_seq), "published in the order of their dates");
    })
    .await;
}

#[tokio::test]
async fn a_file_renamed_into_place_is_seen_at_once() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        let settings = Settings { dir: room.root.clone(), announce_within: Duration::from_hours(14 * 24), sources: Vec::new() };
        let (wake, changed) = (Kick::default(), Kick::default());
        let step = ContentStep::new(
            world.db.clone(),
            Clock::system(),
            Arc::new(world.site.clone()),
            settings,
            Metrics::default(),
            wake.clone(),
            changed,
        )
        .watching();
        step.step().await.unwrap();
        let shutdown = tokio_util::sync::CancellationToken::new();
        let running = tokio::spawn(task::run(Arc::new(step), Clock::system(), wake, shutdown.clone()));
        // Written just now, so only the rename says that it is complete.
        let aside = world.folder.path().join("aside");
        fs::write(&aside, file("A", "2020-09-18", "", "x")).unwrap();
        fs::create_dir(room.root.join("new")).unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        fs::rename(&aside, room.root.join("new/a.md")).unwrap();
        let began = Instant::now();
        while room.titles().await.is_empty() {
            assert!(began.elapsed() < Duration::from_secs(20), "the file was never seen");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(began.elapsed() < Duration::from_millis(1900), "seen by stillness only, after {:?}", began.elapsed());
        shutdown.cancel();
        running.await.unwrap();
    })
    .await;
}

#[test]
fn the_sample_articles_have_no_mistake() {
    let mut site = crate::support::site();
    for (slug, english, japanese) in [
        ("north-korean-refugees", "North Korean Refugees", "北朝鮮難民"),
        ("annual-reports", "Annual Reports", "年次報告"),
        ("statements", "Statements", "声明"),
    ] {
        let category = clarion::site::Category {
            slug: slug.to_owned(),
            title: crate::support::local(english, japanese),
            description: None,
            wp_id: None,
            parent: None,
            retired: None,
        };
        site.categories.push(category);
    }
    let settings = Settings { dir: "content".into(), announce_within: STILLNESS, sources: Vec::new() };
    let problems: Vec<String> = content::check(&settings, &site).iter().map(ToString::to_string).collect();
    assert_eq!(problems, Vec::<String>::new());
    assert!(fs::read_dir("content").unwrap().count() > 3);
}

#[test]
fn checking_tells_every_problem_of_the_folder_without_a_database() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.md"), file("A", "2027-09-18", "id = \"urn:x\"\ncategories = [\"Food\"]", "x")).unwrap();
    fs::write(folder.path().join("b.md"), file("B", "2027-09-18", "id = \"urn:x\"", "x")).unwrap();
    fs::write(folder.path().join("c.md"), "# no head").unwrap();
    let settings = Settings { dir: folder.path().to_owned(), announce_within: STILLNESS, sources: Vec::new() };
    let problems: Vec<String> = content::check(&settings, &crate::support::site()).iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 3, "{problems:#?}");
    assert!(problems[0].contains("a.md:5:14: warning: the category “Food” is not in the configuration"), "{problems:#?}");
    assert!(problems[1].contains("b.md:4:6: error: this file and a.md have the same id"), "{problems:#?}");
    assert!(problems[2].contains("c.md:1:1: error: the file does not begin with its title and date"), "{problems:#?}");
    let missing = Settings { dir: folder.path().join("none"), ..settings };
    assert!(content::check(&missing, &crate::support::site())[0].to_string().contains("the content folder cannot be read"));
}
