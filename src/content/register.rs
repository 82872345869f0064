//! The rows that a batch of versions may concern, loaded together, and what the batch makes of
//! them, written together. A statement for each question and each article would take most of
//! the time of a first scan.
//!
//! Whatever was loaded or put here is the truth for as long as the transaction lasts: the
//! database is asked only for what was never asked before.

use super::attachments::{self, Attachments, attachments, with_list};
use super::bulk::{Binding, Insert};
use super::store::{Row, article_columns};
use super::{ArticleState, identity};
use crate::clock::Timestamp;
use crate::db::{Counter, take_numbers};
use crate::site::Site;
use sqlx::AnyConnection;
use std::collections::{HashMap, HashSet};

/// By what an article is looked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// Its path, in the register's source.
    Path(String),
    /// Its id.
    Uid(String),
    /// The hash of its last version, in the register's source.
    Hash(String),
    /// Its stem, in the register's source.
    Stem(String),
    /// Its month and slug.
    Address(String, String),
}

/// Whether a version takes a number of the series of publications and changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// No reader sees a difference.
    Unseen,
    /// A reader does.
    Changed,
    /// It is new to readers.
    Published,
}

/// The rows of one source, and what is to become of them.
pub(super) struct Register {
    source: String,
    rows: HashMap<i64, Row>,
    attached: HashMap<i64, Attachments>,
    asked: HashSet<Key>,
    /// Who may answer to a key: looked at again when asked for, since rows change.
    found: HashMap<Key, Vec<i64>>,
    /// The path each row has in the database.
    stored_paths: HashMap<i64, String>,
    /// What to write, in the order in which it was put.
    due: Vec<i64>,
    steps: HashMap<i64, Step>,
    reattached: Vec<i64>,
    aliases: Vec<(String, i64)>,
    /// Numbers for new rows, taken in advance.
    numbers: std::ops::Range<i64>,
    newcomers: i64,
    authority: Option<String>,
    mentioned: HashSet<String>,
}

impl Register {
    /// An empty one for a source, in which about so many new articles are expected.
    pub(super) fn of(source: &str, newcomers: usize) -> Self {
        Self {
            source: source.to_owned(),
            rows: HashMap::new(),
            attached: HashMap::new(),
            asked: HashSet::new(),
            found: HashMap::new(),
            stored_paths: HashMap::new(),
            due: Vec::new(),
            steps: HashMap::new(),
            reattached: Vec::new(),
            aliases: Vec::new(),
            numbers: 0..0,
            newcomers: i64::try_from(newcomers).unwrap_or(1).max(1),
            authority: None,
            mentioned: HashSet::new(),
        }
    }

    /// Loads what answers to these keys, as far as nobody asked before.
    pub(super) async fn prepare(&mut self, connection: &mut AnyConnection, keys: Vec<Key>) -> anyhow::Result<()> {
        let [mut paths, mut uids, mut hashes, mut stems] = [const { Vec::<String>::new() }; 4];
        let mut addresses = Vec::new();
        for key in keys {
            if !self.asked.insert(key.clone()) {
                continue;
            }
            match key {
                Key::Path(path) => paths.push(path),
                Key::Uid(uid) => uids.push(uid),
                Key::Hash(hash) => hashes.push(hash),
                Key::Stem(stem) => stems.push(stem),
                Key::Address(month, slug) => addresses.push([month, slug]),
            }
        }
        let sql = with_list!(connection, [article_columns!(), "WHERE a.source = $2 AND a.path IN "], "TEXT", "");
        self.load(connection, sql, &paths, true).await?;
        let sql = with_list!(connection, [article_columns!(), "WHERE a.uid IN "], "TEXT", "");
        self.load(connection, sql, &uids, false).await?;
        let sql = with_list!(connection, [article_columns!(), "WHERE a.source = $2 AND a.hash IN "], "TEXT", "");
        self.load(connection, sql, &hashes, true).await?;
        let sql = with_list!(connection, [article_columns!(), "WHERE a.source = $2 AND a.stem IN "], "TEXT", "AND a.state <> 'gone'");
        self.load(connection, sql, &stems, true).await?;
        let sql = match connection.backend_name() {
            "PostgreSQL" => concat!(
                article_columns!(),
                "WHERE a.id IN (SELECT b.id FROM json_array_elements(CAST($1 AS JSON)) AS list (value) CROSS JOIN article b
                                WHERE b.month = list.value ->> 0 AND b.slug = list.value ->> 1)"
            ),
            _ => concat!(
                article_columns!(),
                "WHERE a.id IN (SELECT b.id FROM json_each($1) AS list CROSS JOIN article b
                                WHERE b.month = json_extract(list.value, '$[0]') AND b.slug = json_extract(list.value, '$[1]'))"
            ),
        };
        self.load(connection, sql, &addresses, false).await
    }

    async fn load<K: serde::Serialize>(
        &mut self,
        connection: &mut AnyConnection,
        sql: &'static str,
        list: &[K],
        of_source: bool,
    ) -> anyhow::Result<()> {
        if list.is_empty() {
            return Ok(());
        }
        let query = sqlx::query_as(sql).bind(serde_json::to_string(list)?);
        let query = if of_source { query.bind(self.source.clone()) } else { query };
        let rows: Vec<Row> = query.fetch_all(connection).await?;
        for row in rows {
            self.adopt(row);
        }
        Ok(())
    }

    /// Takes in a row as the database has it.
    pub(super) fn adopt(&mut self, row: Row) {
        if !self.rows.contains_key(&row.id) {
            self.stored_paths.insert(row.id, row.path.clone());
            self.index(&row);
            self.rows.insert(row.id, row);
        }
    }

    fn index(&mut self, row: &Row) {
        let mut keys = vec![Key::Uid(row.uid.clone()), Key::Address(row.month.clone(), row.slug.clone())];
        if row.source == self.source {
            keys.extend([Key::Path(row.path.clone()), Key::Hash(row.hash.clone()), Key::Stem(row.stem.clone())]);
        }
        for key in keys {
            let known = self.found.entry(key).or_default();
            if !known.contains(&row.id) {
                known.push(row.id);
            }
        }
    }

    /// The rows that answer to a key, in the order of their numbers.
    pub(super) async fn find(&mut self, connection: &mut AnyConnection, key: Key) -> anyhow::Result<Vec<&Row>> {
        if !self.asked.contains(&key) {
            self.prepare(connection, vec![key.clone()]).await?;
        }
        let known = self.found.get(&key).map(Vec::as_slice).unwrap_or_default();
        let mut rows: Vec<&Row> = known.iter().filter_map(|id| self.rows.get(id)).filter(|row| self.answers(row, &key)).collect();
        rows.sort_by_key(|row| row.id);
        Ok(rows)
    }

    fn answers(&self, row: &Row, key: &Key) -> bool {
        let own = row.source == self.source;
        match key {
            Key::Path(path) => own && row.path == *path,
            Key::Uid(uid) => row.uid == *uid,
            Key::Hash(hash) => own && row.hash == *hash,
            Key::Stem(stem) => own && row.stem == *stem && row.state != ArticleState::Gone.as_str(),
            Key::Address(month, slug) => row.month == *month && row.slug == *slug,
        }
    }

    /// The one row that answers to a key.
    pub(super) async fn one(&mut self, connection: &mut AnyConnection, key: Key) -> anyhow::Result<Option<Row>> {
        Ok(self.find(connection, key).await?.first().map(|row| (*row).clone()))
    }

    /// Loads what hangs on the rows that are here.
    pub(super) async fn prepare_attachments(&mut self, connection: &mut AnyConnection) -> anyhow::Result<()> {
        let ids: Vec<i64> = self.rows.keys().copied().filter(|id| !self.attached.contains_key(id)).collect();
        let mut loaded = attachments(connection, &ids).await?;
        for id in ids {
            self.attached.insert(id, loaded.remove(&id).unwrap_or_default());
        }
        Ok(())
    }

    /// What hangs on an article.
    pub(super) async fn attached(&mut self, connection: &mut AnyConnection, id: i64) -> anyhow::Result<Attachments> {
        if let Some(known) = self.attached.get(&id) {
            return Ok(known.clone());
        }
        let loaded = attachments(connection, &[id]).await?.remove(&id).unwrap_or_default();
        Ok(self.attached.entry(id).or_insert(loaded).clone())
    }

    /// The number of a new row.
    pub(super) async fn new_number(&mut self, connection: &mut AnyConnection) -> anyhow::Result<i64> {
        if self.numbers.is_empty() {
            let first = take_numbers(connection, Counter::Article, self.newcomers).await?;
            self.numbers = first..first + self.newcomers;
        }
        let number = self.numbers.start;
        self.numbers.start += 1;
        Ok(number)
    }

    /// Whose `tag:` URIs new articles have.
    pub(super) async fn authority(&mut self, connection: &mut AnyConnection, site: &Site, now: Timestamp) -> anyhow::Result<String> {
        if self.authority.is_none() {
            self.authority = Some(identity::authority(connection, site, now).await?);
        }
        Ok(self.authority.clone().unwrap_or_default())
    }

    /// Whether a category is mentioned for the first time here.
    pub(super) fn mentions(&mut self, category: &str) -> bool {
        self.mentioned.insert(category.to_owned())
    }

    /// Puts a new version of a row, to be written; `attached` where that changed.
    pub(super) fn put(&mut self, row: Row, attached: Option<Attachments>, step: Step) {
        let id = row.id;
        self.index(&row);
        self.rows.insert(id, row);
        if !self.steps.contains_key(&id) {
            self.due.push(id);
        }
        let taken = self.steps.entry(id).or_insert(step);
        *taken = step.max(*taken);
        if let Some(attached) = attached {
            self.attached.insert(id, attached);
            if !self.reattached.contains(&id) {
                self.reattached.push(id);
            }
        }
    }

    /// Puts an old address of an article; one that another article holds stays with it.
    pub(super) fn put_alias(&mut self, path: String, article: i64) {
        self.aliases.push((path, article));
    }

    /// Writes everything that was put.
    pub(super) async fn write(mut self, connection: &mut AnyConnection) -> anyhow::Result<()> {
        self.make_way(connection).await?;
        self.number(connection).await?;
        let rows: Vec<&Row> = self.due.iter().filter_map(|id| self.rows.get(id)).collect();
        ARTICLES.all(connection, &rows, |query, row| bind(query, row)).await?;
        let old: Vec<i64> = self.reattached.iter().copied().filter(|id| self.stored_paths.contains_key(id)).collect();
        let new: Vec<(i64, &Attachments)> =
            self.reattached.iter().filter_map(|id| self.attached.get(id).map(|attached| (*id, attached))).collect();
        attachments::replace(connection, &old, &new).await?;
        ALIASES.all(connection, &self.aliases, |query, (path, article)| query.bind(path).bind(article)).await
    }

    /// Paths are unique, and two articles may change places: those that move leave theirs first.
    async fn make_way(&self, connection: &mut AnyConnection) -> anyhow::Result<()> {
        let moves = |id: &&i64| self.stored_paths.get(*id).is_some_and(|path| *path != self.rows[*id].path);
        let moving: Vec<i64> = self.due.iter().filter(moves).copied().collect();
        if moving.is_empty() {
            return Ok(());
        }
        let sql = with_list!(connection, ["UPDATE article SET path = '#' || CAST(id AS TEXT) WHERE id IN "], "BIGINT", "");
        sqlx::query(sql).bind(serde_json::to_string(&moving)?).execute(connection).await?;
        Ok(())
    }

    /// Gives what readers see its place in the order of changes.
    async fn number(&mut self, connection: &mut AnyConnection) -> anyhow::Result<()> {
        let seen: Vec<i64> = self.due.iter().copied().filter(|id| self.steps[id] != Step::Unseen).collect();
        if seen.is_empty() {
            return Ok(());
        }
        let first = take_numbers(connection, Counter::Sequence, i64::try_from(seen.len())?).await?;
        for (sequence, id) in (first..).zip(seen) {
            let published = self.steps[&id] == Step::Published;
            if let Some(row) = self.rows.get_mut(&id) {
                row.changed_seq = sequence;
                row.published_seq = if published { Some(sequence) } else { row.published_seq };
            }
        }
        Ok(())
    }
}

const ARTICLES: Insert = Insert {
    head: "INSERT INTO article (id, uid, source, path, stem, hash, state, published_seq, changed_seq, announced, language,
                                translation_group, slug, title, summary, body_html, published_at, updated_at, month,
                                canonical_url, image, series, first_seen_at, gone_at)",
    columns: 24,
    tail: "ON CONFLICT (id) DO UPDATE SET uid = excluded.uid, source = excluded.source, path = excluded.path, stem = excluded.stem,
             hash = excluded.hash, state = excluded.state, published_seq = excluded.published_seq,
             changed_seq = excluded.changed_seq, announced = excluded.announced, language = excluded.language,
             translation_group = excluded.translation_group, slug = excluded.slug, title = excluded.title,
             summary = excluded.summary, body_html = excluded.body_html, published_at = excluded.published_at,
             updated_at = excluded.updated_at, month = excluded.month, canonical_url = excluded.canonical_url,
             image = excluded.image, series = excluded.series, gone_at = excluded.gone_at",
};

const ALIASES: Insert = Insert { head: "INSERT INTO article_alias (path, article_id)", columns: 2, tail: "ON CONFLICT (path) DO NOTHING" };

fn bind<'q>(query: Binding<'q>, row: &'q Row) -> Binding<'q> {
    query
        .bind(row.id)
        .bind(&row.uid)
        .bind(&row.source)
        .bind(&row.path)
        .bind(&row.stem)
        .bind(&row.hash)
        .bind(&row.state)
        .bind(row.published_seq)
        .bind(row.changed_seq)
        .bind(&row.announced)
        .bind(&row.language)
        .bind(&row.translation_group)
        .bind(&row.slug)
        .bind(&row.title)
        .bind(&row.summary)
        .bind(&row.body_html)
        .bind(row.published_at)
        .bind(row.updated_at)
        .bind(&row.month)
        .bind(&row.canonical_url)
        .bind(&row.image)
        .bind(&row.series)
        .bind(row.first_seen_at)
        .bind(row.gone_at)
}
