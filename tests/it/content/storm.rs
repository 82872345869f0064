//! A storm over the folder: at the end the index is what a reader of the folder finds, and at no
//! time was part of an article served.
//!
//! `CLARION_TEST_STORM=180` makes it last three minutes; `CLARION_TEST_STORM_SEED=7` repeats one.

use crate::support::web::{Site, serve_shared, shared};
use crate::support::{World, is_sqlite, on_each_engine, option};
use clarion::clock::Clock;
use clarion::content::{self, ContentStep, Selection};
use clarion::feed::FeedStep;
use clarion::task::{self, Kick, Step};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// FNV-1a, which is easy to have on both sides.
fn checksum(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, octet| (sum ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3))
}

/// Every article in what was served is whole: each tells the checksum of its own words before
/// and after them.
fn whole_articles(served: &str, place: &str) -> usize {
    let mut count = 0;
    for rest in served.split("begin-").skip(1) {
        let (sum, rest) = rest.split_once(' ').expect("a checksum");
        let end = rest.find(&format!(" end-{sum}"));
        let end = end.unwrap_or_else(|| panic!("{place} serves part of an article: begin-{sum} {}", &rest[..rest.len().min(200)]));
        assert_eq!(format!("{:x}", checksum(&rest[..end])), sum, "{place} serves an article that nobody wrote");
        count += 1;
    }
    count
}

struct Storm {
    root: PathBuf,
    aside: PathBuf,
    state: u64,
    number: u64,
    git: bool,
    done: BTreeMap<&'static str, usize>,
}

impl Storm {
    fn new(folder: &Path, seed: u64) -> Self {
        let (root, aside) = (folder.join("content"), folder.join("aside"));
        fs::create_dir_all(&root).unwrap();
        fs::create_dir_all(&aside).unwrap();
        Self { root, aside, state: seed.wrapping_mul(2).wrapping_add(1), number: 0, git: false, done: BTreeMap::new() }
    }

    fn random(&mut self, below: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state >> 33).unwrap() % below
    }

    fn article(&mut self) -> String {
        self.number += 1;
        let length = 20 + self.random(200);
        let words = (0..length).map(|at| format!("w{}x{at}", self.number)).collect::<Vec<_>>().join(" ");
        let sum = checksum(&words);
        let number = self.number;
        let (day, month) = (1 + number % 28, 1 + number % 12);
        format!(
            "+++\ntitle = \"N{number}\"\ndate = 2020-{month:02}-{day:02}\nsummary = \"s\"\ncategories = [\"defectors\"]\n+++\nbegin-{sum:x} {words} end-{sum:x}\n"
        )
    }

    fn any_path(&mut self) -> PathBuf {
        let folder = ["", "a", "a/b", "a/b/c", "d", "d/e/f/g"][self.random(6)];
        let number = self.random(40);
        self.root.join(folder).join(format!("f{number}.md"))
    }

    fn any_file(&mut self) -> Option<PathBuf> {
        let files = files_in(&self.root);
        (!files.is_empty()).then(|| files[self.random(files.len())].clone())
    }

    /// One act of somebody, or of some program. What is in the way of it does not matter.
    fn act(&mut self) {
        let (name, act): (&'static str, fn(&mut Self) -> std::io::Result<()>) = match self.random(100) {
            0..25 => ("renamed into place", Self::rename_into_place),
            25..50 => ("written in place", Self::write_in_place),
            50..58 => ("broken", Self::break_one),
            58..68 => ("deleted", |storm| storm.any_file().map_or(Ok(()), fs::remove_file)),
            68..82 => ("moved", |storm| {
                let Some(from) = storm.any_file() else { return Ok(()) };
                let to = storm.any_path();
                fs::create_dir_all(to.parent().unwrap())?;
                fs::rename(from, to)
            }),
            82..88 => ("folder moved", |storm| {
                let folders = ["a", "a/b", "d", "d/e", "z"];
                let (from, to) = (folders[storm.random(5)], folders[storm.random(5)]);
                fs::rename(storm.root.join(from), storm.root.join(to))
            }),
            88..90 => ("folder deleted", |storm| {
                let folder = ["a/b", "d/e", "z"][storm.random(3)];
                fs::remove_dir_all(storm.root.join(folder))
            }),
            90..95 => ("tree changed", Self::change_tree),
            95..97 => ("root replaced", Self::replace_root),
            _ => ("deep folders", |storm| {
                let (one, two, three) = (storm.random(4), storm.random(4), storm.random(4));
                let deep = storm.root.join(format!("m/{one}/{two}/{three}"));
                fs::create_dir_all(&deep)?;
                let text = storm.article();
                fs::write(deep.join("x.md"), text)
            }),
        };
        if act(self).is_ok() {
            *self.done.entry(name).or_default() += 1;
        }
    }

    fn rename_into_place(&mut self) -> std::io::Result<()> {
        let (text, path) = (self.article(), self.any_path());
        let aside = self.aside.join("one");
        fs::write(&aside, text)?;
        fs::create_dir_all(path.parent().unwrap())?;
        fs::rename(aside, path)
    }

    fn write_in_place(&mut self) -> std::io::Result<()> {
        let (text, path) = (self.article(), self.any_path());
        fs::create_dir_all(path.parent().unwrap())?;
        let mut out = File::create(path)?;
        let step = 1 + self.random(120);
        for chunk in text.as_bytes().chunks(step) {
            out.write_all(chunk)?;
            if self.random(8) == 0 {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        Ok(())
    }

    fn break_one(&mut self) -> std::io::Result<()> {
        let Some(path) = self.any_file() else { return Ok(()) };
        let text = self.article().replace("title = \"", "title = “");
        let aside = self.aside.join("broken");
        fs::write(&aside, text)?;
        fs::rename(aside, path)
    }

    /// Another tree takes the place of this one: `git checkout` where there is git.
    #[expect(clippy::unnecessary_wraps, reason = "all that a storm does has the same shape")]
    fn change_tree(&mut self) -> std::io::Result<()> {
        let git = |root: &Path, arguments: &[&str]| {
            let name = ["-c", "user.name=Nobody", "-c", "user.email=nobody@example.org", "-c", "commit.gpgsign=false"];
            let done = Command::new("git").arg("-C").arg(root).args(name).args(arguments).output();
            done.is_ok_and(|done| done.status.success())
        };
        let root = self.root.clone();
        if !root.join(".git").exists() {
            self.git = git(&root, &["init", "-q"]);
            let one = git(&root, &["checkout", "-q", "-b", "one"]) && git(&root, &["add", "."]);
            self.git &= one && git(&root, &["commit", "-q", "--allow-empty", "-m", "one"]) && git(&root, &["checkout", "-q", "-b", "two"]);
            return Ok(());
        }
        let branch = ["one", "two"][self.random(2)];
        git(&root, &["add", "."]);
        git(&root, &["commit", "-q", "-m", "more"]);
        self.git &= git(&root, &["checkout", "-q", "-f", branch]);
        Ok(())
    }

    fn replace_root(&mut self) -> std::io::Result<()> {
        let away = self.aside.join(format!("root-{}", self.number));
        fs::rename(&self.root, &away)?;
        if self.random(2) == 0 {
            std::thread::sleep(Duration::from_millis(300));
            return fs::rename(&away, &self.root);
        }
        fs::create_dir(&self.root)?;
        for _ in 0..20 {
            let (text, path) = (self.article(), self.any_path());
            fs::create_dir_all(path.parent().unwrap())?;
            fs::write(path, text)?;
        }
        fs::remove_dir_all(away)
    }

    /// Whoever made mistakes mends them.
    fn mend(&mut self) {
        for path in files_in(&self.root) {
            if fs::read_to_string(&path).unwrap().contains('“') {
                let text = self.article();
                fs::write(path, text).unwrap();
            }
        }
    }
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if path.is_dir() {
            found.extend(files_in(&path));
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Title and checksum of each article, with how often it is there.
fn tally(articles: impl Iterator<Item = String>) -> BTreeMap<(String, String), usize> {
    let mut tally = BTreeMap::new();
    for text in articles {
        let title = text.split("title = \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        let sum = text.split("begin-").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
        *tally.entry((title.to_owned(), sum.to_owned())).or_default() += 1;
    }
    tally
}

async fn index(world: &World) -> BTreeMap<(String, String), usize> {
    let mut connection = world.db.reader().acquire().await.unwrap();
    let articles = content::latest(&mut connection, &Selection::default(), 100_000, 0).await.unwrap();
    tally(articles.into_iter().map(|article| format!("title = \"{}\" {}", article.title, article.body_html)))
}

async fn read_everything(world: &World, site: &Site) -> usize {
    let mut whole = 0;
    for path in ["/feed.xml", "/atom.xml", "/feed.json", "/category/defectors/feed.xml", "/"] {
        whole += whole_articles(&site.page(path).await.1, path);
    }
    let mut connection = world.db.reader().acquire().await.unwrap();
    let newest = content::latest(&mut connection, &Selection::default(), 20, 0).await.unwrap();
    drop(connection);
    for article in newest {
        let path = format!("/{}/{}/", article.month, article.slug);
        let (status, page) = site.page(&path).await;
        assert!(status < 500, "{path}: {status}");
        whole += whole_articles(&page, &path);
    }
    whole
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_over_the_folder_leaves_the_index_equal_to_it() {
    let length = Duration::from_secs(option("CLARION_TEST_STORM").unwrap_or(6));
    let seed = option("CLARION_TEST_STORM_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    eprintln!("the storm has seed {seed} and lasts {length:?}");
    on_each_engine(async |world: World| {
        if is_sqlite(&world.db) {
            storm(&world, seed, length).await;
        }
    })
    .await;
}

async fn storm(world: &World, seed: u64, length: Duration) {
    let mut storm = Storm::new(world.folder.path(), seed);
    let site = serve_shared(shared(world)).await;
    let (state, shutdown) = (&site.state, CancellationToken::new());
    let (wake, changed) = (Kick::default(), Kick::default());
    let (all, clock) = (Arc::new(world.site.clone()), Clock::system());
    let (settings, metrics) = (state.content.clone(), state.metrics.clone());
    let content = ContentStep::new(world.db.clone(), clock.clone(), all, settings, metrics, wake.clone(), changed.clone()).watching();
    let (shelf, metrics) = (state.shelf.clone(), state.metrics.clone());
    let feed = FeedStep::new(world.db.clone(), clock, world.site.clone(), state.feed.clone(), shelf, metrics).awaiting_content();
    let tasks = [begin(content, wake, &shutdown), begin(feed, changed, &shutdown)];

    let writing = std::thread::spawn(move || {
        let began = Instant::now();
        while began.elapsed() < length {
            storm.act();
            std::thread::sleep(Duration::from_millis(u64::try_from(storm.random(25)).unwrap()));
        }
        fs::create_dir_all(&storm.root).unwrap();
        storm.mend();
        storm
    });
    let mut whole = 0;
    while !writing.is_finished() {
        whole += read_everything(world, &site).await;
    }
    let storm = writing.join().unwrap();
    let held = settle(world, &storm.root).await;
    whole += read_everything(world, &site).await;
    let files = files_in(&storm.root).len();
    eprintln!("{:?}; git {}; {files} files; {held} removals were held; {whole} whole articles read", storm.done, storm.git);
    assert!(whole > 0, "nothing was ever served");
    shutdown.cancel();
    for task in tasks {
        task.await.unwrap();
    }
}

fn begin(step: impl Step, kick: Kick, shutdown: &CancellationToken) -> tokio::task::JoinHandle<()> {
    tokio::spawn(task::run(Arc::new(step), Clock::system(), kick, shutdown.clone()))
}

/// Waits until the index is what the folder holds; staff accept removals that are held. Returns
/// how many were.
async fn settle(world: &World, root: &Path) -> usize {
    let began = Instant::now();
    let mut accepted = 0;
    loop {
        let wanted = tally(files_in(root).iter().map(|path| fs::read_to_string(path).unwrap()));
        let found = index(world).await;
        if wanted == found {
            return accepted;
        }
        if began.elapsed() > Duration::from_secs(5) {
            let mut tx = world.db.begin().await.unwrap();
            accepted += content::accept_removals(&mut tx, Clock::system().now()).await.unwrap();
            tx.commit().await.unwrap();
        }
        if began.elapsed() > Duration::from_mins(2) {
            let lacking: Vec<_> = wanted.iter().filter(|(key, count)| found.get(key) != Some(count)).collect();
            let extra: Vec<_> = found.iter().filter(|(key, count)| wanted.get(key) != Some(count)).collect();
            let mut connection = world.db.reader().acquire().await.unwrap();
            let states: Vec<_> = content::listing(&mut connection).await.unwrap();
            let of_lacking = |listed: &&content::Listed| lacking.iter().any(|((title, _), _)| *title == listed.title);
            let stored: Vec<_> = states.iter().filter(of_lacking).collect();
            panic!("the index is not the folder: lacking {lacking:?}, extra {extra:?}, stored as {stored:?}");
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}
