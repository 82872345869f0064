//! The content folder kept in step with the store: looks, reads what is still, records it, lets
//! go of what has vanished, and publishes what is due.

use super::folder::Stat;
use super::intake::{Intake, Mirror};
use super::lease::Lease;
use super::look::{Desk, Look, blocking};
use super::record::{self, Moment};
use super::scan::{self, Finding};
use super::watch::Hints;
use super::{FOLDER, Selection, Settings, removal, store, trouble, verdict::Verdict};
use crate::clock::Clock;
use crate::db::Db;
use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::site::Site;
use crate::task::{Kick, Step, Wake};
use crate::vault::random_name;
use anyhow::Context as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long a file must not have changed.
const STILLNESS: Duration = Duration::from_secs(2);
/// How long a daemon that has died keeps another from scanning.
const LEASE: Duration = Duration::from_secs(15);
/// Files recorded in one transaction.
const BATCH: usize = 200;
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
        let first = !desk.begun;
        if first {
            let mut connection = self.db.reader().acquire().await?;
            desk.mirror = Arc::new(Mirror::load(&mut connection).await?);
            desk.begun = true;
        }
        let mut progress = Progress { changed: self.publish_due().await?, more: false };
        if let Some(look) = desk.look(&self.settings.dir, &self.hints, self.watching, self.stillness).await? {
            progress.add(self.follow(desk, &look).await?);
        }
        let broken = desk.mirror.troubles.values().filter(|known| known.broken).count();
        self.metrics.content_problems.set(i64::try_from(broken)?);
        if first || progress.changed {
            let mut connection = self.db.reader().acquire().await?;
            self.metrics.articles.set(store::count(&mut connection, &Selection::default()).await?);
        }
        Ok(progress)
    }

    /// Brings the store to what a look has shown.
    async fn follow(&self, desk: &mut Desk, look: &Look) -> anyhow::Result<Progress> {
        let due = desk.observe(look, self.stillness);
        desk.waiting = due.waiting;
        let mut progress = self.read(desk, look, &due.read).await?;
        if progress.more {
            return Ok(progress);
        }
        if look.full {
            let lasting = desk.lasting(&look.sight.odd, self.stillness).into_iter();
            let mut odd: Vec<_> = lasting.map(|problem| (shown_path(&problem), scan::broken(vec![problem]))).collect();
            odd.retain(|(path, finding)| !matches!(finding, Finding::Broken { hash, .. } if desk.mirror.knows(path, hash)));
            if !odd.is_empty() {
                self.record(desk, look, &odd).await?;
            }
            progress.add(self.let_go(desk, look, &due.vanished).await?);
        } else if !due.vanished.is_empty() {
            // Only a look at everything can tell an accident from a removal.
            desk.next_full_look = None;
            progress.more = true;
        }
        Ok(progress)
    }

    /// Reads and records files, a batch a transaction.
    async fn read(&self, desk: &mut Desk, look: &Look, paths: &[String]) -> anyhow::Result<Progress> {
        let mut progress = Progress::default();
        let began = Instant::now();
        for batch in paths.chunks(BATCH) {
            if began.elapsed() > LONGEST_READING {
                // The rest is as still at the next look.
                desk.next_full_look = None;
                progress.more = true;
                break;
            }
            let findings = self.findings(desk, look, batch).await?;
            progress.changed |= self.record(desk, look, &findings).await?;
        }
        Ok(progress)
    }

    async fn findings(&self, desk: &Desk, look: &Look, batch: &[String]) -> anyhow::Result<Vec<(String, Finding)>> {
        let Some(folder) = look.folder.clone() else { return Ok(Vec::new()) };
        let files: Vec<_> = batch.iter().filter_map(|path| Some((path.clone(), *look.sight.files.get(path)?))).collect();
        let (site, mirror, anew) = (Arc::clone(&self.site), Arc::clone(&desk.mirror), Arc::clone(&look.anew));
        let mut findings = blocking(move || {
            let read = |(path, stat): (String, Stat)| {
                let is_known = |hash: &str| !anew.contains(&path) && mirror.knows(&path, hash);
                let finding = scan::read_file(&folder, &path, stat, Path::new(&path), &site, &mirror.files, is_known);
                (path, finding)
            };
            Ok(files.into_iter().map(read).collect::<Vec<_>>())
        })
        .await?;
        // What appears together is published in the order of its dates.
        findings.sort_by_key(|(_, finding)| match finding {
            Finding::Good(manuscript) => Some(manuscript.date),
            _ => None,
        });
        Ok(findings)
    }

    /// Records findings in one transaction. Returns whether anything public changed.
    async fn record(&self, desk: &mut Desk, look: &Look, findings: &[(String, Finding)]) -> anyhow::Result<bool> {
        let Some(folder) = look.folder.as_deref() else { return Ok(false) };
        let moment = Moment { now: self.clock.now(), announce_within: self.settings.announce_within };
        let intake = Intake { site: &self.site, folder, mirror: &desk.mirror, moment };
        let mut effects = Vec::with_capacity(findings.len());
        let mut tx = self.db.begin().await?;
        self.lease.renew(&mut tx).await?;
        for (path, finding) in findings {
            let effect = intake.take_in(&mut tx, path, finding).await.with_context(|| format!("{path} could not be recorded"))?;
            if effect.is_none() {
                desk.waiting.insert(path.clone());
            }
            effects.extend(effect);
        }
        tx.commit().await?;
        let mirror = Arc::make_mut(&mut desk.mirror);
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
            removal::lift(&mut tx, FOLDER, path).await?;
        }
        if !verdict.hold.is_empty() {
            removal::hold(&mut tx, FOLDER, &verdict.hold, now).await?;
        }
        if !verdict.remove.is_empty() {
            removal::remove(&mut tx, FOLDER, &verdict.remove, now).await?;
        }
        for path in &verdict.mended {
            if let Some(known) = desk.mirror.troubles.get(path) {
                trouble::clear(&mut tx, path, known, None).await?;
            }
        }
        tx.commit().await?;
        let mirror = Arc::make_mut(&mut desk.mirror);
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
            desk.next_full_look = None;
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
        let worked = self.work(&mut desk).await;
        if worked.is_err() {
            *desk = Desk::default();
        }
        let progress = worked?;
        if progress.changed {
            self.changed.kick();
        }
        self.next_wake(&desk, progress).await
    }

    /// Gives up the right to scan, so that another daemon need not wait for it to run out.
    async fn end(&self) -> anyhow::Result<()> {
        self.lease.release().await
    }
}

/// The path by which a problem of the folder is kept.
fn shown_path(problem: &Problem) -> String {
    problem.file.to_string_lossy().into_owned()
}
