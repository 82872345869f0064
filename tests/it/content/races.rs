//! Who races with the daemon on the folder: with links that lead out of it, and with more folders
//! than anybody can hear of.
//!
//! `CLARION_TEST_SWAPS=100000` and `CLARION_TEST_FOLDERS=100000` make them long.

use super::{Room, file, step};
use crate::support::web::serve;
use crate::support::{World, is_sqlite, on_each_engine, option};
use clarion::clock::Clock;
use clarion::content::{self, ContentStep, Selection, Settings};
use clarion::metrics::Metrics;
use clarion::task::{self, Kick, Step as _};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

const DATE: &str = "2027-09-01";

/// Puts in turns an honest file and a link to the secret one at a path, each by a rename.
fn swap(root: &Path, path: &str, secret: &Path, honest: &[u8], turn: u64) {
    let aside = root.join(format!(".{}", path.replace('/', "-")));
    if turn.is_multiple_of(2) {
        symlink(secret, &aside).unwrap();
    } else {
        fs::write(&aside, honest).unwrap();
    }
    fs::rename(aside, root.join(path)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_race_of_links_with_files_leads_out_of_the_folder() {
    let swaps = option("CLARION_TEST_SWAPS").unwrap_or(1_000);
    on_each_engine(async |world: World| {
        if !is_sqlite(&world.db) {
            return;
        }
        let room = Room {
            step: step(&world, &world.folder.path().join("content"), &Metrics::default()).with_stillness(Duration::ZERO),
            ..Room::new(&world)
        };
        let outside = world.folder.path().join("outside");
        fs::create_dir_all(outside.join("folder")).unwrap();
        let (text, secret) = (file("Honest", DATE, "", "[b](paper.txt)"), file("Secret", DATE, "", "Secret"));
        for name in ["secret.md", "secret.txt", "folder/inner.md"] {
            fs::write(outside.join(name), &secret).unwrap();
        }
        fs::write(room.root.join("paper.txt"), "Honest").unwrap();
        room.save("a.md", &text);
        room.scan().await;
        let site = serve(&world).await;
        let done = AtomicU64::new(0);
        let (mut honest, mut refused) = (0, 0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for turn in 0..swaps {
                    swap(&room.root, "a.md", &outside.join("secret.md"), text.as_bytes(), turn);
                    swap(&room.root, "paper.txt", &outside.join("secret.txt"), b"Honest", turn);
                    // And a folder that becomes a link to one.
                    let _ = fs::remove_file(room.root.join("folder")).or_else(|_| fs::remove_dir(room.root.join("folder")));
                    let _ = if turn.is_multiple_of(2) {
                        symlink(outside.join("folder"), room.root.join("folder"))
                    } else {
                        fs::create_dir(room.root.join("folder"))
                    };
                    done.store(turn + 1, Ordering::Relaxed);
                }
            });
            tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(async {
                    while done.load(Ordering::Relaxed) < swaps {
                        room.scan().await;
                        assert!(room.titles().await.iter().all(|title| title == "Honest"), "what lies outside was published");
                        let (status, body) = site.page("/files/paper.txt").await;
                        assert!(!body.contains("Secret"), "what lies outside was served");
                        if status == 200 { honest += 1 } else { refused += 1 }
                    }
                });
            });
        });
        eprintln!("{swaps} swaps; the file was served {honest} times and refused {refused} times; {:?}", room.problems().await);
        assert!(honest > 0 && refused > 0, "there was no race");
        swap(&room.root, "a.md", &outside.join("secret.md"), text.as_bytes(), 1);
        room.scan().await;
        assert_eq!((room.titles().await, room.problems().await.len()), (vec!["Honest".to_owned()], 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_folders_ends_in_an_index_equal_to_the_folder() {
    let folders = option("CLARION_TEST_FOLDERS").unwrap_or(300);
    on_each_engine(async |world: World| {
        if !is_sqlite(&world.db) {
            return;
        }
        let root = world.folder.path().join("content");
        fs::create_dir_all(&root).unwrap();
        let settings = Settings { dir: root.clone(), announce_within: Duration::from_hours(14 * 24), sources: Vec::new() };
        let (wake, changed, shutdown) = (Kick::default(), Kick::default(), CancellationToken::new());
        let site = Arc::new(world.site.clone());
        let step =
            ContentStep::new(world.db.clone(), Clock::system(), site, settings, Metrics::default(), wake.clone(), changed).watching();
        step.step().await.unwrap();
        let running = tokio::spawn(task::run(Arc::new(step), Clock::system(), wake, shutdown.clone()));
        for number in 0..folders {
            // The file is there before anybody can watch its folder.
            let deep = root.join(format!("{}/{}/{number}", number % 7, number % 211));
            fs::create_dir_all(&deep).unwrap();
            fs::write(deep.join("x.md"), file(&format!("N{number}"), "2020-01-01", "", "Words.")).unwrap();
        }
        let over = Instant::now();
        loop {
            let mut connection = world.db.reader().acquire().await.unwrap();
            let found = content::count(&mut connection, &Selection::default()).await.unwrap();
            drop(connection);
            if found == i64::try_from(folders).unwrap() {
                break;
            }
            assert!(over.elapsed() < Duration::from_mins(2), "{found} of {folders} articles were found");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        eprintln!("{folders} folders: the index was equal {:.1} s after the last", over.elapsed().as_secs_f64());
        shutdown.cancel();
        running.await.unwrap();
    })
    .await;
}
