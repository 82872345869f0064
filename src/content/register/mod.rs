//! The register: one line for each public article, in memory, so that every list of the reading
//! pages (home, categories, months, years, tags, authors, series, the site map) is a walk over
//! it and no page waits for a count of a hundred thousand rows. It follows the sequence of
//! changes, so it is the same on every daemon, and it holds no text: what a page shows is read
//! from the database by row number.

mod store;
mod words;

pub use words::Words;

use crate::clock::Timestamp;
use crate::db::Db;
use crate::language::Language;
use crate::site::Site;
use anyhow::Context as _;
use arc_swap::ArcSwap;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};
use tokio::sync::Mutex;

/// The register as it is kept. Clones share it.
#[derive(Clone, Default)]
pub struct Register(Arc<Kept>);

#[derive(Default)]
struct Kept {
    lines: ArcSwap<Lines>,
    /// Whose turn it is to follow a change.
    turn: Mutex<()>,
}

/// A tag or an author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Its name in addresses.
    pub slug: Arc<str>,
    /// As the article writes it.
    pub name: Arc<str>,
}

/// What the register knows of a public article.
#[derive(Clone, Debug)]
pub struct Line {
    /// Row number.
    pub id: i64,
    /// Its place in the order of changes.
    pub changed_seq: i64,
    /// Its place in the order of publication.
    pub published_seq: i64,
    /// Its language.
    pub language: Language,
    /// What its translations have in common.
    pub group: Arc<str>,
    /// Its date.
    pub published_at: Timestamp,
    /// When it last changed in a way that matters.
    pub updated_at: Timestamp,
    /// `yyyy/mm`.
    pub month: Arc<str>,
    /// Slugs of its categories.
    pub categories: Vec<Arc<str>>,
    /// Its tags.
    pub tags: Vec<Label>,
    /// Who wrote it.
    pub authors: Vec<Label>,
    /// The series it is part of.
    pub series: Option<Arc<str>>,
    /// Whether its original is on another site.
    pub elsewhere: bool,
}

/// Which lines are wanted; what is `None` does not matter.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'w> {
    /// In one of these categories.
    pub categories: Option<&'w [String]>,
    /// With a month that begins so: `yyyy/` or `yyyy/mm`.
    pub time: Option<&'w str>,
    /// With this tag, by its slug.
    pub tag: Option<&'w str>,
    /// By this author, by their slug.
    pub author: Option<&'w str>,
}

/// Every public article at a moment, the newest first (`published_at`, then `id`, descending).
#[derive(Default)]
pub struct Lines {
    sequence: i64,
    all: Vec<Arc<Line>>,
    groups: HashMap<Arc<str>, Vec<Arc<Line>>>,
    /// What a reader of each of the site's languages is shown.
    shown: HashMap<Language, Vec<Arc<Line>>>,
    /// Found when they are first asked for.
    words: OnceLock<Words>,
}

impl Register {
    /// The lines as the database has them now. Holds no connection while it waits for others.
    pub async fn lines(&self, db: &Db, site: &Site) -> anyhow::Result<Arc<Lines>> {
        let sequence = super::high_water(&mut *db.reader().acquire().await?).await?;
        let known = self.0.lines.load_full();
        if known.sequence >= sequence {
            return Ok(known);
        }
        // Whoever asks may leave before it is done: the work is not lost with them.
        let (register, db, site) = (self.clone(), db.clone(), site.clone());
        tokio::spawn(async move { register.follow(&db, &site, sequence).await }).await.context("the register could not be made")?
    }

    async fn follow(&self, db: &Db, site: &Site, sequence: i64) -> anyhow::Result<Arc<Lines>> {
        let _turn = self.0.turn.lock().await;
        let known = self.0.lines.load_full();
        if known.sequence >= sequence {
            return Ok(known);
        }
        // What is committed after the number was read is seen once more at the next look.
        let changes = store::changes(&mut *db.reader().acquire().await?, site, known.sequence).await?;
        let languages = site.languages.clone();
        let next = tokio::task::spawn_blocking(move || known.after(changes, sequence, &languages)).await;
        let next = Arc::new(next.context("the register could not be sorted")?);
        self.0.lines.store(Arc::clone(&next));
        Ok(next)
    }
}

impl Wanted<'_> {
    fn matches(&self, line: &Line) -> bool {
        self.categories.is_none_or(|wanted| line.categories.iter().any(|slug| wanted.iter().any(|wanted| **wanted == **slug)))
            && self.time.is_none_or(|time| line.month.starts_with(time))
            && self.tag.is_none_or(|tag| line.tags.iter().any(|known| *known.slug == *tag))
            && self.author.is_none_or(|author| line.authors.iter().any(|known| *known.slug == *author))
    }
}

impl Line {
    /// Its place in the order of lists.
    fn place(&self) -> Reverse<(Timestamp, i64)> {
        Reverse((self.published_at, self.id))
    }
}

impl Lines {
    fn after(&self, changes: Vec<store::Change>, sequence: i64, languages: &[Language]) -> Self {
        let stale: HashSet<i64> = changes.iter().map(|(id, _)| *id).collect();
        let kept = self.all.iter().filter(|line| !stale.contains(&line.id)).cloned();
        let mut all: Vec<Arc<Line>> = kept.chain(changes.into_iter().filter_map(|(_, line)| line).map(Arc::new)).collect();
        all.sort_by_key(|line| line.place());
        let mut groups: HashMap<Arc<str>, Vec<Arc<Line>>> = HashMap::with_capacity(all.len());
        for line in &all {
            groups.entry(Arc::clone(&line.group)).or_default().push(Arc::clone(line));
        }
        let shown = languages.iter().map(|language| (language.clone(), shown(&all, &groups, language, languages))).collect();
        Self { sequence, all, groups, shown, words: OnceLock::new() }
    }

    /// The sequence that these lines follow.
    pub fn sequence(&self) -> i64 {
        self.sequence
    }

    /// The categories, tags, authors and times that any line has. The first who asks after a
    /// change walks over every line.
    pub fn words(&self) -> &Words {
        self.words.get_or_init(|| Words::of(&self.all))
    }

    /// Every line, the newest first.
    pub fn all(&self) -> &[Arc<Line>] {
        &self.all
    }

    /// What a reader of `language` is shown, the newest first: the articles in that language,
    /// and of those that are not, one version each, in a wider language, else in the first of
    /// the site's languages that has one.
    pub fn shown<'l, 'w: 'l>(&'l self, language: &Language, wanted: Wanted<'w>) -> impl Iterator<Item = &'l Arc<Line>> + use<'l, 'w> {
        self.shown.get(language).into_iter().flatten().filter(move |line| wanted.matches(line))
    }

    /// Whether a reader of `language` is shown any of these.
    pub fn any_shown(&self, language: &Language, wanted: Wanted<'_>) -> bool {
        self.shown(language, wanted).next().is_some()
    }

    /// The versions of an article in all languages.
    pub fn in_group(&self, group: &str) -> &[Arc<Line>] {
        self.groups.get(group).map_or(&[], Vec::as_slice)
    }

    /// The line of an article.
    pub fn line(&self, published_at: Timestamp, id: i64) -> Option<&Arc<Line>> {
        let at = self.all.binary_search_by_key(&Reverse((published_at, id)), |line| line.place()).ok()?;
        self.all.get(at)
    }

    /// The articles just before and just after one among those that a reader of `language` is
    /// shown: older, newer.
    pub fn neighbours(&self, language: &Language, line: &Line) -> (Option<&Arc<Line>>, Option<&Arc<Line>>) {
        let Some(shown) = self.shown.get(language) else { return (None, None) };
        let Ok(at) = shown.binary_search_by_key(&line.place(), |line| line.place()) else { return (None, None) };
        (shown.get(at + 1), at.checked_sub(1).and_then(|before| shown.get(before)))
    }

    /// The parts of the series that a line belongs to, in its language, the oldest first.
    pub fn series(&self, line: &Line) -> Vec<&Arc<Line>> {
        let Some(series) = &line.series else { return Vec::new() };
        let in_series = |other: &&Arc<Line>| other.series.as_ref() == Some(series) && other.language == line.language;
        self.all.iter().rev().filter(in_series).collect()
    }
}

/// The lines for readers of a language, in the order of `all`.
fn shown(all: &[Arc<Line>], groups: &HashMap<Arc<str>, Vec<Arc<Line>>>, language: &Language, site: &[Language]) -> Vec<Arc<Line>> {
    let order: Vec<Language> = language.fallbacks().chain(site.iter().cloned()).collect();
    let rank = |line: &Line| order.iter().position(|known| *known == line.language).unwrap_or(order.len());
    let is_shown = |line: &&Arc<Line>| {
        let versions = groups.get(&line.group).map_or(&[][..], Vec::as_slice);
        line.language == *language
            || versions.len() == 1
            || versions
                .iter()
                .min_by_key(|version| (rank(version), version.language.to_string(), version.place()))
                .is_some_and(|best| best.id == line.id)
    };
    all.iter().filter(is_shown).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn language(tag: &str) -> Language {
        Language::parse(tag).unwrap()
    }

    /// `7:en:a` is article 7, in English, of group `a`; the number is its date too.
    fn line(text: &str) -> Line {
        let parts: Vec<&str> = text.split(':').collect();
        let id: i64 = parts[0].parse().unwrap();
        Line {
            id,
            changed_seq: id,
            published_seq: id,
            language: language(parts[1]),
            group: parts[2].into(),
            published_at: Timestamp::from_millis(id),
            updated_at: Timestamp::from_millis(id),
            month: "2027/09".into(),
            categories: Vec::new(),
            tags: Vec::new(),
            authors: Vec::new(),
            series: parts.get(3).map(|series| (*series).into()),
            elsewhere: false,
        }
    }

    fn lines(texts: &str, site: &[Language]) -> Lines {
        let changes = texts.split(' ').map(line).map(|line| (line.id, Some(line))).collect();
        Lines::default().after(changes, 1, site)
    }

    fn seen(lines: &Lines, tag: &str) -> Vec<i64> {
        lines.shown(&language(tag), Wanted::default()).map(|line| line.id).collect()
    }

    #[test]
    fn each_reader_sees_every_article_once_in_the_best_language_there_is() {
        let site = [language("en"), language("ja"), language("zh-Hant-HK")];
        let lines = lines("1:en:a 2:ja:a 3:en:b 4:ko:c 5:fr:c 6:zh-Hant:d 7:en:d 8:ja:d 9:ja:e 10:ja:e", &site);
        assert_eq!(seen(&lines, "en"), [10, 7, 5, 3, 1], "of languages without a menu, the first by its tag");
        assert_eq!(seen(&lines, "ja"), [10, 9, 8, 5, 3, 2], "two in one language are two");
        assert_eq!(seen(&lines, "zh-Hant-HK"), [10, 6, 5, 3, 1], "a wider language before the site's first");
        assert_eq!(seen(&lines, "ko"), [] as [i64; 0], "no language of the site");
    }

    #[test]
    fn a_change_replaces_moves_and_removes() {
        let site = [language("en"), language("ja")];
        let before = lines("1:en:a 2:ja:a 3:en:b", &site);
        let moved = Line { published_at: Timestamp::from_millis(9), ..line("1:en:a") };
        let after = before.after(vec![(1, Some(moved.clone())), (2, None), (4, Some(line("4:ja:b")))], 2, &site);
        assert_eq!((seen(&after, "en"), seen(&after, "ja")), (vec![1, 3], vec![1, 4]));
        assert_eq!(after.in_group("b").len(), 2);
        assert_eq!(after.line(moved.published_at, 1).unwrap().id, 1);
        assert!(after.line(Timestamp::from_millis(1), 1).is_none());
        assert_eq!(seen(&before, "en"), [3, 1], "who is reading goes on reading");
    }

    #[test]
    fn an_article_knows_its_neighbours_and_its_series() {
        let site = [language("en"), language("ja")];
        let lines = lines("1:en:a:s 2:en:b 3:ja:c:s 4:en:d:s 5:en:e:t", &site);
        let of = |line: Option<&Arc<Line>>| line.map(|line| line.id);
        let (older, newer) = lines.neighbours(&language("en"), &line("2:en:b"));
        assert_eq!((of(older), of(newer)), (Some(1), Some(3)));
        let (older, newer) = lines.neighbours(&language("en"), &line("5:en:e"));
        assert_eq!((of(older), of(newer)), (Some(4), None));
        let parts = |text: &str| lines.series(&line(text)).iter().map(|line| line.id).collect::<Vec<_>>();
        assert_eq!(parts("4:en:d:s"), [1, 4]);
        assert_eq!(parts("2:en:b"), [] as [i64; 0]);
    }
}
