//! Taking findings into the store: whose version a file is, and what becomes of it.

use super::folder::{Folder, is_below_any};
use super::manuscript::Manuscript;
use super::media::{self, Files};
use super::record::{self, Moment};
use super::scan::Finding;
use super::store::Row;
use super::trouble::{self, Known};
use super::withdrawal::{self, Marks};
use super::worksheet::{Key, Worksheet};
use super::{ArticleState, FOLDER, FirstLook, category, first_look, rename, source, store};
use crate::clock::Timestamp;
use crate::problem::{Problem, Reason};
use crate::site::Site;
use crate::vault::content_hash;
use anyhow::Context as _;
use sqlx::AnyConnection;
use std::collections::{BTreeSet, HashMap, HashSet};

/// What the store has of the folder: kept in memory beside it, since only one daemon writes it.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    /// The hash of every article's last good version, by path.
    pub(super) articles: HashMap<String, String>,
    /// Files with problems.
    pub(super) troubles: HashMap<String, Known>,
    /// Files that articles refer to.
    pub(super) files: media::Known,
    /// Slugs of the categories that only articles know.
    categories: HashSet<String>,
    /// What came of the first look at the folder.
    pub(super) first_look: Option<FirstLook>,
}

impl Mirror {
    /// Reads it from the store.
    pub(super) async fn load(connection: &mut AnyConnection) -> anyhow::Result<Self> {
        let articles: Vec<(String, String)> = sqlx::query_as("SELECT path, hash FROM article WHERE source = $1 AND state <> 'gone'")
            .bind(FOLDER)
            .fetch_all(&mut *connection)
            .await?;
        let categories = store::found_categories(connection).await?;
        Ok(Self {
            articles: articles.into_iter().collect(),
            troubles: trouble::known(connection).await?,
            categories: categories.into_iter().map(|category| category.slug).collect(),
            files: media::store::known(connection).await?,
            first_look: first_look::first_look(connection).await?,
        })
    }

    /// The hashes by which versions of a file are known that were taken in before. A version that
    /// only has warnings is known as an article, or, once that is gone, not at all.
    pub(super) fn versions(&self, path: &str) -> [Option<&String>; 2] {
        [self.articles.get(path), self.troubles.get(path).filter(|known| known.broken).map(|known| &known.hash)]
    }

    /// Every path below any of these folders that has an article or a problem.
    pub(super) fn below(&self, folders: &BTreeSet<String>) -> impl Iterator<Item = &String> {
        self.articles.keys().chain(self.troubles.keys()).filter(move |path| is_below_any(folders, path))
    }

    /// Whether this version of a file was taken in before.
    pub(super) fn knows(&self, path: &str, hash: &str) -> bool {
        self.versions(path).into_iter().flatten().any(|known| known == hash)
    }

    /// Follows what was done, once it is durable.
    pub(super) fn follow(&mut self, effect: &Effect) {
        for path in &effect.left {
            self.articles.remove(path);
            self.files.forget(path);
        }
        if let Some(files) = &effect.files {
            self.files.follow(&effect.path, files);
        }
        self.articles.extend(effect.articles.iter().cloned());
        self.categories.extend(effect.categories.iter().cloned());
        match &effect.trouble {
            Some(known) => self.troubles.insert(effect.path.clone(), known.clone()),
            None => self.troubles.remove(&effect.path),
        };
    }
}

/// What taking in one finding did.
#[derive(Debug, Default)]
pub(super) struct Effect {
    pub(super) path: String,
    /// Paths that no longer have an article, because it moved.
    left: Vec<String>,
    /// Paths that have one now, with the hash.
    articles: Vec<(String, String)>,
    /// Files that it refers to now, if it was read.
    files: Option<Files>,
    /// Categories that it brought up.
    categories: Vec<String>,
    /// What is wrong with the file now.
    trouble: Option<Known>,
    /// Whether the file need not be read again until it changes.
    pub(super) settled: bool,
    /// Whether something public may have changed.
    pub(super) changed: bool,
    /// Whether it is an article that was never there before.
    is_new: bool,
}

/// What taking in needs to know.
pub(super) struct Intake<'i> {
    pub(super) site: &'i Site,
    pub(super) folder: &'i Folder,
    pub(super) mirror: &'i Mirror,
    pub(super) moment: Moment,
    pub(super) marks: &'i Marks,
}

/// Whose version a manuscript is.
enum Identity {
    /// Nobody's yet.
    New,
    /// A new version of this article, which may have been elsewhere.
    Of(Box<Row>),
    /// It cannot be taken in as long as this is so.
    Contested(Problem),
}

impl Intake<'_> {
    /// Takes in findings in the caller's transaction. What there is nothing to take of has no
    /// effect.
    pub(super) async fn take_in_all(&self, connection: &mut AnyConnection, findings: &[&(String, Finding)]) -> anyhow::Result<Vec<Effect>> {
        let mut sheet = self.sheet(connection, findings).await?;
        let mut effects = Vec::with_capacity(findings.len());
        for (path, finding) in findings {
            let taken = self.take_in(connection, &mut sheet, path, finding).await;
            effects.extend(taken.with_context(|| format!("{path} could not be recorded"))?);
        }
        sheet.write(connection).await?;
        if effects.iter().any(|effect| effect.is_new) {
            rename::tell_lookalikes(connection, self.moment.now).await?;
        }
        Ok(effects)
    }

    /// Loads all that the findings will ask for.
    async fn sheet(&self, connection: &mut AnyConnection, findings: &[&(String, Finding)]) -> anyhow::Result<Worksheet> {
        let good =
            || findings.iter().filter_map(|(_, finding)| if let Finding::Good(manuscript) = finding { Some(manuscript) } else { None });
        let mut sheet = Worksheet::of(FOLDER, good().filter(|manuscript| !self.mirror.articles.contains_key(&manuscript.path)).count());
        if good().next().is_none() {
            return Ok(sheet);
        }
        let authority = sheet.authority(connection, self.site, self.moment.now).await?;
        let mut keys = Vec::new();
        for manuscript in good() {
            let entry = manuscript.entry();
            keys.push(Key::Path(manuscript.path.clone()));
            keys.push(Key::Uid(entry.uid.clone().unwrap_or_else(|| record::made_uid(self.site, &entry, &authority))));
            if entry.uid.is_none() && !self.mirror.articles.contains_key(&manuscript.path) {
                keys.push(Key::Hash(manuscript.hash.clone()));
            }
        }
        sheet.prepare(connection, keys).await?;
        sheet.prepare_attachments(connection).await?;
        let mut keys = Vec::new();
        for manuscript in good() {
            let entry = manuscript.entry();
            keys.push(Key::Stem(entry.stem.to_owned()));
            keys.push(Key::Address(self.site.month_of(entry.date), entry.slug));
        }
        sheet.prepare(connection, keys).await?;
        Ok(sheet)
    }

    async fn take_in(
        &self,
        connection: &mut AnyConnection,
        sheet: &mut Worksheet,
        path: &str,
        finding: &Finding,
    ) -> anyhow::Result<Option<Effect>> {
        let before = self.mirror.troubles.get(path);
        let effect = Effect { path: path.to_owned(), trouble: before.cloned(), settled: true, ..Effect::default() };
        match finding {
            Finding::Moving => Ok(None),
            Finding::Known(hash) => match before {
                // The last good version is back.
                Some(known) if known.hash != *hash => {
                    trouble::clear(connection, path, known, Some(self.moment.now)).await?;
                    Ok(Some(Effect { trouble: None, ..effect }))
                }
                _ => Ok(Some(effect)),
            },
            Finding::Broken { hash, problems } => self.keep_last_good(connection, effect, hash, problems).await.map(Some),
            Finding::Good(manuscript) => self.publish(connection, sheet, effect, manuscript).await.map(Some),
        }
    }

    async fn keep_last_good(
        &self,
        connection: &mut AnyConnection,
        effect: Effect,
        hash: &str,
        problems: &[Problem],
    ) -> anyhow::Result<Effect> {
        if effect.trouble.as_ref().is_some_and(|known| known.hash == hash) {
            return Ok(effect);
        }
        trouble::record(connection, &effect.path, hash, problems, effect.trouble.as_ref(), self.moment.now).await?;
        Ok(Effect { trouble: Some(Known { hash: hash.to_owned(), broken: true }), ..effect })
    }

    async fn publish(
        &self,
        connection: &mut AnyConnection,
        sheet: &mut Worksheet,
        mut effect: Effect,
        manuscript: &Manuscript,
    ) -> anyhow::Result<Effect> {
        let uid = manuscript.head.uid.as_ref().map(|(uid, _)| uid.as_str());
        if self.marks.bar(FOLDER, &manuscript.path, uid, &manuscript.hash) {
            return self.keep_away(connection, effect, manuscript).await;
        }
        let row = match self.identify(connection, sheet, manuscript, &mut effect).await? {
            Identity::New => None,
            Identity::Of(row) => Some(*row),
            Identity::Contested(problem) => {
                // Another hash than the file's: the same bytes are taken in when the other
                // file has changed.
                let hash = content_hash(&[manuscript.hash.as_bytes(), problem.message.as_bytes()]);
                let effect = self.keep_last_good(connection, effect, &hash, &[problem]).await?;
                return Ok(Effect { settled: false, ..effect });
            }
        };
        let mut warnings = manuscript.warnings.clone();
        warnings.extend(row.as_ref().and_then(|row| self.immovable_date(row, manuscript)));
        effect.left.extend(row.as_ref().map(|row| row.path.clone()).filter(|path| *path != manuscript.path));
        effect.files = Some(manuscript.files.clone());
        effect.is_new = row.is_none();
        effect.changed = record::save(connection, sheet, self.site, &manuscript.entry(), row, self.moment).await?;
        for found in &manuscript.head.found_categories {
            if !self.mirror.categories.contains(&found.slug) && sheet.mentions(&found.slug) {
                category::record(connection, found, &manuscript.path, self.moment.now).await?;
                effect.categories.push(found.slug.clone());
            }
        }
        let (path, hash) = (&manuscript.path, &manuscript.hash);
        match (&effect.trouble, warnings.is_empty()) {
            (None, true) => {}
            (Some(known), true) => trouble::clear(connection, path, known, Some(self.moment.now)).await?,
            (before, false) => trouble::record(connection, path, hash, &warnings, before.as_ref(), self.moment.now).await?,
        }
        effect.trouble = (!warnings.is_empty()).then(|| Known { hash: hash.clone(), broken: false });
        effect.articles.push((path.clone(), hash.clone()));
        Ok(effect)
    }

    /// Leaves a file alone whose article was withdrawn, and says so.
    async fn keep_away(&self, connection: &mut AnyConnection, effect: Effect, manuscript: &Manuscript) -> anyhow::Result<Effect> {
        let problem = manuscript.problem_of_date(withdrawal::still_there()).as_warning();
        // Another hash than the file's: it is taken in when the withdrawal is undone.
        let hash = content_hash(&[manuscript.hash.as_bytes(), problem.message.as_bytes()]);
        if effect.trouble.as_ref().is_none_or(|known| known.hash != hash) {
            trouble::record(connection, &manuscript.path, &hash, &[problem], effect.trouble.as_ref(), self.moment.now).await?;
        }
        Ok(Effect { trouble: Some(Known { hash, broken: false }), ..effect })
    }

    /// Finds the article whose version this is: by the id it names, by its path, or, where the
    /// file was renamed, by its bytes.
    async fn identify(
        &self,
        connection: &mut AnyConnection,
        sheet: &mut Worksheet,
        manuscript: &Manuscript,
        effect: &mut Effect,
    ) -> anyhow::Result<Identity> {
        let here = sheet.one(connection, Key::Path(manuscript.path.clone())).await?;
        let Some((uid, _)) = &manuscript.head.uid else {
            if let Some(row) = here {
                return Ok(Identity::Of(Box::new(row)));
            }
            let same = sheet.find(connection, Key::Hash(manuscript.hash.clone())).await?;
            let mut same: Vec<Row> = same.into_iter().cloned().collect();
            same.retain(|row| !self.folder.holds(&row.path));
            // One whose file has just vanished comes before one that is gone.
            same.sort_by_key(|row| row.state == ArticleState::Gone.as_str());
            return Ok(same.into_iter().next().map_or(Identity::New, |row| Identity::Of(Box::new(row))));
        };
        let named = sheet.one(connection, Key::Uid(uid.clone())).await?;
        match (named, here) {
            (Some(named), Some(here)) if named.id == here.id => Ok(Identity::Of(Box::new(named))),
            (Some(named), _) if self.is_elsewhere(&named) => Ok(Identity::Contested(manuscript.twin_of(uid, &named.path))),
            (named, Some(here)) if named.is_some() || here.state == ArticleState::Gone.as_str() => {
                effect.articles.push(record::displace(sheet, &here));
                Ok(named.map_or(Identity::New, |row| Identity::Of(Box::new(row))))
            }
            (None, Some(here)) if here.published_seq.is_some() => Ok(Identity::Contested(changed_id(manuscript, &here.uid))),
            (named, here) => Ok(named.or(here).map_or(Identity::New, |row| Identity::Of(Box::new(row)))),
        }
    }

    /// Whether another file or room has the article. One that was followed on another site is
    /// moved into the folder by a file that names its id.
    fn is_elsewhere(&self, row: &Row) -> bool {
        (row.source != FOLDER && !source::is_living(&row.source))
            || (row.source == FOLDER && row.state != ArticleState::Gone.as_str() && self.folder.holds(&row.path))
    }

    /// Says that the date in the file no longer does anything.
    fn immovable_date(&self, row: &Row, manuscript: &Manuscript) -> Option<Problem> {
        let published = Timestamp::from_millis(row.published_at);
        if row.published_seq.is_none() || published == manuscript.date {
            return None;
        }
        let shown = published.in_zone(&self.site.time_zone).strftime("%Y-%m-%dT%H:%M").to_string();
        let reason = Reason::new(
            "the article is public already, and its date no longer moves",
            format!("write  date = {shown}  again; to say when it was revised, write `updated`"),
        );
        Some(manuscript.problem_of_date(reason).as_warning())
    }
}

fn changed_id(manuscript: &Manuscript, uid: &str) -> Problem {
    manuscript.problem_of_id(Reason::new(
        "the article is public already, and its id cannot change: every reader would see it as new",
        format!("write  id = \"{uid}\"  or remove the line; a different article needs a file of another name"),
    ))
}
