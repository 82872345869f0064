//! The content folder kept in step with the store: looks, reads what is still, records it, lets
//! go of what has vanished, and publishes what is due.

use super::intake::{Intake, Mirror};
use super::lease::Lease;
use super::look::{Backlog, Desk, Look};
use super::record::{self, Moment};
use super::scan::{self, Finding};
use super::watch::Hints;
use super::withdrawal::{self, Marks};
use super::{FOLDER, FirstLook, Selection, Settings, first_look, removal, rename, store, trouble, verdict::Verdict};
use crate::clock::Clock;
use crate::db::{self, Db};
use crate::metrics::Metrics;
use crate::problem::{Problem, Reason};
use crate::site::Site;
use crate::task::{Kick, Step, Wake};
use crate::vault::random_name;
use anyhow::Context as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How long a file must not have changed.
const STILLNESS: Duration = Duration::from_secs(2);
/// How long a daemon that has died keeps another from scanning.
const LEASE: Duration = Duration::from_secs(15);
/// Files recorded in one transaction.
const BATCH: usize = 400;
/// The first look is over although somebody still writes to a file.
const LONGEST_FIRST_LOOK: Duration = Duration::from_secs(10);
/// After this much reading the step returns, to be called again at once.
const LONGEST_READING: Duration = Duration::from_secs(3);

/// Keeps the store in step with the folder.
pub struct ContentStep {
    db: Db,
    clock: Clock,
    site: Arc<Site>,
    settings: Settings,
    metrics: Metrics,
    hints: Hints,
    changed: Kick,
    lease: Lease,
    stillness: Duration,
    watching: bool,
    desk: Mutex<Desk>,
}

/// How far a call came.
#[derive(Clone, Copy, Default)]
struct Progress {
    /// Whether anything public may have changed.
    changed: bool,
    /// Whether there is more to do at once.
    more: bool,
}

impl Progress {
    fn add(&mut self, other: Self) {
        self.changed |= other.changed;
        self.more |= other.more;
    }
}

impl ContentStep {
    /// A step for a folder. `wake` is what its loop listens to; `changed` is kicked after every
    /// change that feeds must follow.
    pub fn new(db: Db, clock: Clock, site: Arc<Site>, settings: Settings, metrics: Metrics, wake: Kick, changed: Kick) -> Self {
        let lease = Lease::new(db.clone(), "content", random_name(), LEASE);
        Self {
            db,
            clock,
            site,
            settings,
            metrics,
            hints: Hints::new(wake),
            changed,
            lease,
            stillness: STILLNESS,
            watching: false,
            desk: Mutex::default(),
        }
    }

    /// The same step, which also listens to the operating system, so that a change is seen at
    /// once.
    #[must_use]
    pub fn watching(mut self) -> Self {
        self.watching = true;
        self
    }

    /// The same step with another idea of how long a file must not have changed.
    #[must_use]
    pub fn with_stillness(mut self, stillness: Duration) -> Self {
        self.stillness = stillness;
        self
    }

    /// Looks at everything in the next call.
    pub fn look_at_everything(&self) {
        self.hints.everything();
    }

    async fn work(&self, desk: &mut Desk) -> anyhow::Result<Progress> {
        let mut connection = self.db.reader().acquire().await?;
        let withdrawals = withdrawal::tally(&mut connection).await?;
        if desk.begun.is_some() && desk.withdrawals != withdrawals {
            // What was withdrawn, or may come back, is another article than the mirror knows.
            *desk = Desk::default();
        }
        if desk.begun.is_none() {
            desk.mirror = Mirror::load(&mut connection).await?;
            desk.begun = Some(Instant::now());
            desk.withdrawals = withdrawals;
        }
        drop(connection);
        let mut progress = Progress { changed: self.publish_due().await?, more: false };
        if let Some(look) = desk.look(&self.settings.dir, &self.hints, self.watching, self.stillness).await? {
            let folder_is_there = look.folder.is_some();
            progress.add(self.follow(desk, look).await?);
            if !folder_is_there {
                progress.changed |= self.note_first_look(desk, FirstLook::NoFolder).await?;
            }
        }
        if let Some(backlog) = desk.backlog.take() {
            progress.add(self.go_on(desk, backlog).await?);
        }
        if desk.is_read_through(LONGEST_FIRST_LOOK) {
            progress.changed |= self.note_first_look(desk, FirstLook::Done).await?;
        }
        let broken = desk.mirror.troubles.values().filter(|known| known.broken).count();
        self.metrics.content_problems.set(i64::try_from(broken)?);
        Ok(progress)
    }

    /// Notes what came of the first look, unless that is known. Returns whether it is news.
    async fn note_first_look(&self, desk: &mut Desk, look: FirstLook) -> anyhow::Result<bool> {
        if matches!(desk.mirror.first_look, Some(known) if known == look || known == FirstLook::Done) {
            return Ok(false);
        }
        let mut tx = self.db.begin().await?;
        self.lease.renew(&mut tx).await?;
        first_look::note(&mut tx, look).await?;
        tx.commit().await?;
        desk.mirror.first_look = Some(look);
        Ok(true)
    }

    /// Brings the store to what a look has shown, as far as that is to be done at once.
    async fn follow(&self, desk: &mut Desk, look: Look) -> anyhow::Result<Progress> {
        let due = desk.observe(&look, self.stillness);
        desk.waiting = due.waiting;
        if look.full {
            desk.backlog = Some(Backlog { look, read: due.read, vanished: due.vanished });
            return Ok(Progress::default());
        }
        let (mut progress, unread) = self.read(desk, &look, due.read).await?;
        progress.more |= !unread.is_empty();
        desk.waiting.extend(unread);
        if !due.vanished.is_empty() {
            // Only a look at everything can tell an accident from a removal.
            desk.ask_for_a_full_look();
            desk.waiting.extend(due.vanished);
            progress.more |= desk.backlog.is_none();
        }
        Ok(progress)
    }

    /// Goes on with what a look at everything has shown.
    async fn go_on(&self, desk: &mut Desk, backlog: Backlog) -> anyhow::Result<Progress> {
        let Backlog { look, read, vanished } = backlog;
        let (mut progress, unread) = self.read(desk, &look, read).await?;
        if !unread.is_empty() {
            progress.more = true;
            desk.backlog = Some(Backlog { look, read: unread, vanished });
            return Ok(progress);
        }
        let lasting = desk.lasting(&look.sight.odd, self.stillness).into_iter();
        let mut odd: Vec<_> = lasting.map(|problem| (shown_path(&problem), scan::broken(vec![problem]))).collect();
        odd.retain(|(path, finding)| !matches!(finding, Finding::Broken { hash, .. } if desk.mirror.knows(path, hash)));
        self.record(desk, &look, odd).await?;
        progress.add(self.let_go(desk, &look, &vanished).await?);
        desk.seen_whole |= look.folder.is_some();
        Ok(progress)
    }

    /// Reads and records files, a batch a transaction: while one is recorded, the next is read.
    /// Returns also what there was no time for.
    async fn read(&self, desk: &mut Desk, look: &Look, mut paths: Vec<String>) -> anyhow::Result<(Progress, Vec<String>)> {
        let mut progress = Progress::default();
        let began = Instant::now();
        let mut reading = self.begin_reading(desk, look, &mut paths);
        while let Some(batch) = reading {
            let findings = batch.findings().await?;
            reading = if began.elapsed() > LONGEST_READING { None } else { self.begin_reading(desk, look, &mut paths) };
            progress.changed |= self.record(desk, look, findings).await?;
        }
        Ok((progress, paths))
    }

    /// Begins to read the next batch, on as many threads as there are processors.
    fn begin_reading(&self, desk: &Desk, look: &Look, paths: &mut Vec<String>) -> Option<Batch> {
        let folder = look.folder.clone()?;
        let after = paths.split_off(paths.len().min(BATCH));
        let files: scan::Sheaf = std::mem::replace(paths, after)
            .into_iter()
            .filter_map(|path| {
                let stat = *look.sight.files.get(&path)?;
                // Whose pictures have changed is read anew.
                let versions = desk.mirror.versions(&path).into_iter().flatten().filter(|_| !look.anew.contains(&path));
                let known = versions.cloned().collect();
                Some((path, stat, known))
            })
            .collect();
        if files.is_empty() {
            return None;
        }
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = files.len().div_ceil(threads);
        let mut parts = Vec::new();
        let mut rest = files;
        while !rest.is_empty() {
            let after = rest.split_off(rest.len().min(share));
            let part = std::mem::replace(&mut rest, after);
            let (folder, site, known) = (Arc::clone(&folder), Arc::clone(&self.site), desk.mirror.files.clone());
            parts.push(tokio::task::spawn_blocking(move || scan::read_files(&folder, part, &site, &known)));
        }
        Some(Batch(parts))
    }

    /// Records findings. Returns whether anything public changed. What the database refuses is a
    /// mistake of that one file; the others are recorded without it.
    async fn record(&self, desk: &mut Desk, look: &Look, findings: Vec<(String, Finding)>) -> anyhow::Result<bool> {
        let together = self.try_record(desk, look, &findings).await;
        if !together.as_ref().is_err_and(db::is_refusal) {
            return together;
        }
        let mut changed = false;
        for finding in findings {
            let one = std::slice::from_ref(&finding);
            changed |= match self.try_record(desk, look, one).await {
                Err(error) if db::is_refusal(&error) => self.try_record(desk, look, &[refused(&finding, &error)]).await?,
                recorded => recorded?,
            };
        }
        Ok(changed)
    }

    /// Records findings in one transaction.
    async fn try_record(&self, desk: &mut Desk, look: &Look, findings: &[(String, Finding)]) -> anyhow::Result<bool> {
        let Some(folder) = look.folder.as_deref() else { return Ok(false) };
        // After a restart nearly every file is as it was.
        let (known, news): (Vec<_>, Vec<_>) =
            findings.iter().partition(|(path, finding)| matches!(finding, Finding::Known(_)) && !desk.mirror.troubles.contains_key(path));
        for (path, _) in &known {
            desk.memory.settle(path);
        }
        if news.is_empty() {
            return Ok(false);
        }
        let moment = Moment { now: self.clock.now(), announce_within: self.settings.announce_within };
        let mut tx = self.db.begin().await?;
        self.lease.renew(&mut tx).await?;
        let marks = Marks::load(&mut tx).await?;
        let intake = Intake { site: &self.site, folder, mirror: &desk.mirror, moment, marks: &marks };
        let effects = intake.take_in_all(&mut tx, &news).await?;
        tx.commit().await?;
        desk.waiting.extend(news.iter().filter(|(_, finding)| matches!(finding, Finding::Moving)).map(|(path, _)| path.clone()));
        let mirror = &mut desk.mirror;
        for effect in &effects {
            mirror.follow(effect);
            // What waits for another file to change is read again at each look at everything.
            if effect.settled {
                desk.memory.settle(&effect.path);
            }
        }
        Ok(effects.iter().any(|effect| effect.changed))
    }

    /// Lets go of articles whose files have vanished, or holds them if it looks like an
    /// accident; and lifts the hold of those that are back.
    async fn let_go(&self, desk: &mut Desk, look: &Look, vanished: &[String]) -> anyhow::Result<Progress> {
        let mut connection = self.db.reader().acquire().await?;
        let held = removal::known(&mut connection, FOLDER).await?;
        let now = self.clock.now();
        let recent = if vanished.is_empty() { 0 } else { removal::recently_gone(&mut connection, FOLDER, now).await? };
        drop(connection);
        let verdict = Verdict::of(&desk.mirror, look, vanished, &held, recent);
        if verdict == Verdict::default() {
            return Ok(Progress::default());
        }
        let mut tx = self.db.begin().await?;
        self.lease.renew(&mut tx).await?;
        for path in &verdict.back {
            removal::lift(&mut tx, FOLDER, path, verdict.revived.contains(path)).await?;
        }
        if !verdict.hold.is_empty() {
            removal::hold(&mut tx, FOLDER, &verdict.hold, now).await?;
        }
        if !verdict.remove.is_empty() {
            removal::remove(&mut tx, FOLDER, &verdict.remove, now).await?;
            rename::tell_lookalikes(&mut tx, now).await?;
        }
        for path in &verdict.mended {
            if let Some(known) = desk.mirror.troubles.get(path) {
                trouble::clear(&mut tx, path, known, None).await?;
            }
        }
        tx.commit().await?;
        let mirror = &mut desk.mirror;
        for path in verdict.remove.iter().chain(&verdict.accepted) {
            mirror.articles.remove(path);
            mirror.files.forget(path);
        }
        for path in &verdict.mended {
            mirror.troubles.remove(path);
        }
        // What was removed and is back is read as if it were new.
        for path in &verdict.revived {
            mirror.articles.remove(path);
            desk.memory.forget(path);
        }
        if !verdict.revived.is_empty() {
            desk.ask_for_a_full_look();
        }
        Ok(Progress { changed: !verdict.remove.is_empty(), more: !verdict.revived.is_empty() })
    }

    async fn publish_due(&self) -> anyhow::Result<bool> {
        let now = self.clock.now();
        let mut connection = self.db.reader().acquire().await?;
        let next = record::next_due(&mut connection).await?;
        drop(connection);
        if next.is_none_or(|next| next > now) {
            return Ok(false);
        }
        let mut tx = self.db.begin().await?;
        self.lease.renew(&mut tx).await?;
        let published = record::publish_due(&mut tx, now).await?;
        tx.commit().await?;
        Ok(published > 0)
    }

    async fn next_wake(&self, desk: &Desk, progress: Progress) -> anyhow::Result<Wake> {
        if progress.more {
            return Ok(Wake::Now);
        }
        let mut connection = self.db.reader().acquire().await?;
        let scheduled = record::next_due(&mut connection).await?.map_or(Wake::WhenKicked, Wake::At);
        let again =
            if desk.waiting.is_empty() && desk.moving.is_empty() { Wake::WhenKicked } else { Wake::At(self.clock.now() + self.stillness) };
        Ok(scheduled.or_sooner(again))
    }
}

impl Step for ContentStep {
    const NAME: &'static str = "content";

    async fn step(&self) -> anyhow::Result<Wake> {
        let mut desk = self.desk.lock().await;
        if !self.lease.hold().await? {
            // Another daemon scans; what it has done meanwhile is learnt anew.
            *desk = Desk::default();
            return Ok(Wake::WhenKicked);
        }
        let first = desk.begun.is_none();
        let worked = self.work(&mut desk).await;
        if worked.is_err() {
            *desk = Desk::default();
        }
        let progress = worked?;
        if progress.changed {
            self.changed.kick();
        }
        if (first || progress.changed) && !progress.more {
            let mut connection = self.db.reader().acquire().await?;
            self.metrics.articles.set(store::count(&mut connection, &Selection::default()).await?);
        }
        self.next_wake(&desk, progress).await
    }

    /// Gives up the right to scan, so that another daemon need not wait for it to run out.
    async fn end(&self) -> anyhow::Result<()> {
        self.lease.release().await
    }
}

/// Files being read.
struct Batch(Vec<JoinHandle<Vec<(String, Finding)>>>);

impl Batch {
    /// What was found. What appears together is published in the order of its dates.
    async fn findings(self) -> anyhow::Result<Vec<(String, Finding)>> {
        let mut findings = Vec::new();
        for part in self.0 {
            findings.extend(part.await.context("reading the content folder was interrupted")?);
        }
        findings.sort_by_key(|(_, finding)| match finding {
            Finding::Good(manuscript) => Some(manuscript.date),
            _ => None,
        });
        Ok(findings)
    }
}

/// A finding that the database refuses, as a mistake of its file.
fn refused((path, finding): &(String, Finding), error: &anyhow::Error) -> (String, Finding) {
    let reason = Reason::new(
        format!("the database refuses this article: {error:#}"),
        "change what it complains of, or show this message to whoever looks after Clarion",
    );
    let problems = vec![Problem::of_file(path, reason)];
    let broken = match finding {
        Finding::Good(manuscript) => Finding::Broken { hash: manuscript.hash.clone(), problems },
        Finding::Broken { hash, .. } | Finding::Known(hash) => Finding::Broken { hash: hash.clone(), problems },
        Finding::Moving => scan::broken(problems),
    };
    (path.clone(), broken)
}

/// The path by which a problem of the folder is kept.
fn shown_path(problem: &Problem) -> String {
    problem.file.to_string_lossy().into_owned()
}
