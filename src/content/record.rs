//! What a new version of an article changes, and what it never changes.

use super::attachments::Attachments;
use super::markup::Links;
use super::media::Files;
use super::store::{Row, article_columns};
use super::worksheet::{Key, Step, Worksheet};
use super::{Announce, ArticleState, embed, identity, markup, picture, text};
use crate::clock::Timestamp;
use crate::db::{Counter, take_number};
use crate::language::Language;
use crate::site::Site;
use anyhow::Context as _;
use sqlx::AnyConnection;
use std::time::Duration;
use url::Url;

/// A version of an article, as its file or room gives it.
#[derive(Debug)]
pub(super) struct Entry<'e> {
    pub(super) source: &'e str,
    pub(super) path: &'e str,
    pub(super) stem: &'e str,
    pub(super) hash: String,
    /// The id it names itself.
    pub(super) uid: Option<String>,
    pub(super) draft: bool,
    pub(super) announce: Announce,
    pub(super) date: Timestamp,
    /// When its author says it last changed.
    pub(super) updated: Option<Timestamp>,
    pub(super) language: Language,
    /// The translation group it names itself.
    pub(super) translation: Option<String>,
    pub(super) slug: String,
    /// Whether the file asks for this slug; else a public article keeps the one it has.
    pub(super) slug_is_wished: bool,
    pub(super) title: String,
    pub(super) summary: Option<String>,
    pub(super) body: markup::Body<'e>,
    /// The body as it was rendered before, for the address that it was to have.
    pub(super) rendered: Option<&'e Rendered>,
    /// A page on which its video is watched, or the player on it, or its file.
    pub(super) video: Option<String>,
    /// The files that all its links mean.
    pub(super) files: &'e Files,
    /// Links may be relative.
    pub(super) attachments: Attachments,
    pub(super) canonical_url: Option<String>,
    pub(super) image: Option<String>,
    pub(super) series: Option<String>,
    pub(super) aliases: Vec<String>,
}

/// A body rendered before it was known where its article is read: that is so only if nobody else
/// has the address.
#[derive(Debug)]
pub(super) struct Rendered {
    /// For this address, from which links are followed.
    base: Url,
    html: String,
    /// Made from the text.
    excerpt: Option<String>,
}

/// When, and by which rule, an article is recorded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) now: Timestamp,
    pub(super) announce_within: Duration,
}

/// The row of a file or page.
pub(super) async fn at_path(connection: &mut AnyConnection, source: &str, path: &str) -> anyhow::Result<Option<Row>> {
    let sql = concat!(article_columns!(), "WHERE a.source = $1 AND a.path = $2");
    Ok(sqlx::query_as(sql).bind(source).bind(path).fetch_optional(connection).await?)
}

/// The row with an id.
pub(super) async fn with_uid(connection: &mut AnyConnection, uid: &str) -> anyhow::Result<Option<Row>> {
    Ok(sqlx::query_as(concat!(article_columns!(), "WHERE a.uid = $1")).bind(uid).fetch_optional(connection).await?)
}

/// Records one version of an article in the caller's transaction. Returns whether a reader can
/// see a difference.
pub(super) async fn save_one(
    connection: &mut AnyConnection,
    site: &Site,
    entry: &Entry<'_>,
    stored: Option<Row>,
    moment: Moment,
) -> anyhow::Result<bool> {
    let mut sheet = Worksheet::of(entry.source, 1);
    if let Some(row) = &stored {
        sheet.adopt(row.clone());
    }
    let changed = save(connection, &mut sheet, site, entry, stored, moment).await?;
    sheet.write(connection).await?;
    Ok(changed)
}

/// Puts a version of an article into the sheet. Returns whether a reader can see a
/// difference.
pub(super) async fn save(
    connection: &mut AnyConnection,
    sheet: &mut Worksheet,
    site: &Site,
    entry: &Entry<'_>,
    stored: Option<Row>,
    moment: Moment,
) -> anyhow::Result<bool> {
    let before = match &stored {
        Some(row) => sheet.attached(connection, row.id).await?,
        None => Attachments::default(),
    };
    let standing = Standing::of(entry, stored.as_ref(), moment);
    let mut row = compose(connection, sheet, site, entry, stored.as_ref(), standing, moment.now).await?;
    let links = Links { base: address(site, entry, &row)?, files: entry.files.clone() };
    let attached = absolute_attachments(&entry.attachments, &links);
    row.updated_at = updated_at(entry, stored.as_ref(), &row, before.enclosures == attached.enclosures, moment.now);
    let unseen = stored.as_ref().is_some_and(|stored| before == attached && same_to_readers(stored, &row));
    let step = match (unseen, standing.publishes) {
        (true, _) => Step::Unseen,
        (false, false) => Step::Changed,
        (false, true) => Step::Published,
    };
    put_aliases(sheet, site, entry, stored.as_ref(), &row);
    sheet.put_files(row.id, entry.files);
    sheet.put(row, (before != attached).then_some(attached), step);
    Ok(!unseen)
}

/// What a new version makes of an article's place in the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Standing {
    state: ArticleState,
    published_at: Timestamp,
    first_seen_at: Timestamp,
    /// `yes`, `no` or `again`.
    announced: &'static str,
    /// Whether it takes a new `published_seq`.
    publishes: bool,
}

impl Standing {
    fn of(entry: &Entry<'_>, stored: Option<&Row>, moment: Moment) -> Self {
        let first_seen_at = stored.map_or(moment.now, |row| Timestamp::from_millis(row.first_seen_at));
        let public_before = stored.filter(|row| row.published_seq.is_some());
        // What readers have seen keeps its date.
        let published_at = public_before.map_or(entry.date, |row| Timestamp::from_millis(row.published_at));
        let state = match entry.draft {
            true => ArticleState::Draft,
            false if public_before.is_some() || published_at <= moment.now => ArticleState::Published,
            false => ArticleState::Scheduled,
        };
        let announced = match (entry.announce, public_before.map(|row| row.announced.as_str())) {
            (Announce::No, _) | (Announce::Auto, Some("no")) => "no",
            (Announce::Again, _) => "again",
            (Announce::Auto, None) if published_at + moment.announce_within < first_seen_at => "no",
            (Announce::Auto, _) => "yes",
        };
        let again = announced == "again" && public_before.is_some_and(|row| row.announced != "again");
        let publishes = state == ArticleState::Published && (public_before.is_none() || again);
        Self { state, published_at, first_seen_at, announced, publishes }
    }
}

/// The row as the new version makes it; its sequences and `updated_at` are still the old ones.
async fn compose(
    connection: &mut AnyConnection,
    sheet: &mut Worksheet,
    site: &Site,
    entry: &Entry<'_>,
    stored: Option<&Row>,
    standing: Standing,
    now: Timestamp,
) -> anyhow::Result<Row> {
    let id = match stored {
        Some(row) => row.id,
        None => sheet.new_number(connection).await?,
    };
    let month = site.month_of(standing.published_at);
    // What a draft takes back is gone to those who have read it.
    let taken_back = stored.filter(|row| standing.state == ArticleState::Draft && row.published_seq.is_some());
    let mut row = Row {
        id,
        uid: uid(connection, sheet, site, entry, stored, now).await?,
        source: entry.source.to_owned(),
        path: entry.path.to_owned(),
        stem: entry.stem.to_owned(),
        hash: entry.hash.clone(),
        state: standing.state.as_str().to_owned(),
        published_seq: stored.and_then(|row| row.published_seq),
        changed_seq: stored.map_or(0, |row| row.changed_seq),
        announced: standing.announced.to_owned(),
        language: entry.language.to_string(),
        translation_group: translation_group(connection, sheet, entry, stored).await?,
        slug: String::new(),
        title: text::line(&entry.title),
        summary: String::new(),
        body_html: String::new(),
        published_at: standing.published_at.as_millis(),
        updated_at: stored.map_or(0, |row| row.updated_at),
        month,
        canonical_url: entry.canonical_url.clone(),
        image: None,
        video: None,
        series: entry.series.as_deref().map(text::line),
        first_seen_at: standing.first_seen_at.as_millis(),
        gone_at: taken_back.map(|row| row.gone_at.unwrap_or(now.as_millis())),
    };
    row.slug = free_slug(connection, sheet, entry, stored, &row).await?;
    let links = Links { base: address(site, entry, &row)?, files: entry.files.clone() };
    let Rendered { html, excerpt, .. } = match entry.rendered.filter(|rendered| rendered.base == links.base) {
        Some(Rendered { html, excerpt, .. }) => Rendered { base: links.base.clone(), html: html.clone(), excerpt: excerpt.clone() },
        None => render(entry, links.base.clone()),
    };
    row.body_html = html;
    row.summary = entry.summary.as_deref().map(text::line).or(excerpt).unwrap_or_default();
    row.image = entry.image.as_deref().and_then(|link| links.absolute(link));
    row.video = entry.video.as_deref().and_then(embed::watch_address).and_then(|link| links.absolute(&link));
    Ok(row)
}

/// Renders an entry for the address that it has if nobody else has it: most of the work, and
/// none of it needs the database.
pub(super) fn render_ahead(site: &Site, entry: &Entry<'_>) -> Option<Rendered> {
    let path = site.article_path(&entry.language, &site.month_of(entry.date), &entry.slug);
    Some(render(entry, Url::parse(&site.link(&path)).ok()?))
}

fn render(entry: &Entry<'_>, base: Url) -> Rendered {
    let html = markup::render(entry.body, &entry.language, &base, entry.files);
    let excerpt = entry.summary.is_none().then(|| text::excerpt(&text::words_of_html(&html, &entry.language)));
    Rendered { base, html, excerpt }
}

/// Where the article is read, from which its links are followed.
fn address(site: &Site, entry: &Entry<'_>, row: &Row) -> anyhow::Result<Url> {
    let own = site.link(&site.article_path(&entry.language, &row.month, &row.slug));
    let address = if entry.source == super::FOLDER { &own } else { entry.canonical_url.as_ref().unwrap_or(&own) };
    Url::parse(address).with_context(|| format!("{address} is not an address"))
}

/// The id: as stored, as the file says, or made now and never again.
async fn uid(
    connection: &mut AnyConnection,
    sheet: &mut Worksheet,
    site: &Site,
    entry: &Entry<'_>,
    stored: Option<&Row>,
    now: Timestamp,
) -> anyhow::Result<String> {
    if let Some(uid) = &entry.uid {
        return Ok(uid.clone());
    }
    if let Some(row) = stored {
        return Ok(row.uid.clone());
    }
    let authority = sheet.authority(connection, site, now).await?;
    let made = made_uid(site, entry, &authority);
    // An article that was renamed keeps the id of its old path, which a new file may have now.
    let mut uid = made.clone();
    for number in 2.. {
        if sheet.find(connection, Key::Uid(uid.clone())).await?.is_empty() {
            break;
        }
        uid = format!("{made}-{number}");
    }
    Ok(uid)
}

/// The id made from the entry's date and path.
pub(super) fn made_uid(site: &Site, entry: &Entry<'_>, authority: &str) -> String {
    let date = entry.date.in_zone(&site.time_zone).date();
    let path = if entry.source == super::FOLDER { entry.path.to_owned() } else { format!("{}/{}", entry.source, entry.path) };
    identity::tag_uri(authority, date, &path)
}

/// What its translations share: as the file says, as the translation beside it says, as it was,
/// or its path without the language.
async fn translation_group(
    connection: &mut AnyConnection,
    sheet: &mut Worksheet,
    entry: &Entry<'_>,
    stored: Option<&Row>,
) -> anyhow::Result<String> {
    if let Some(group) = &entry.translation {
        return Ok(group.clone());
    }
    let siblings = sheet.find(connection, Key::Stem(entry.stem.to_owned())).await?;
    let beside = siblings.into_iter().find(|row| row.path != entry.path).map(|row| row.translation_group.clone());
    Ok(beside.or_else(|| stored.map(|row| row.translation_group.clone())).unwrap_or_else(|| entry.stem.to_owned()))
}

/// The slug, with a number after it where another article has the address already.
async fn free_slug(
    connection: &mut AnyConnection,
    sheet: &mut Worksheet,
    entry: &Entry<'_>,
    stored: Option<&Row>,
    row: &Row,
) -> anyhow::Result<String> {
    let kept = stored.filter(|row| row.published_seq.is_some() && !entry.slug_is_wished).map(|row| row.slug.clone());
    let wished = kept.unwrap_or_else(|| entry.slug.clone());
    let mut slug = wished.clone();
    for number in 2.. {
        let holders = sheet.find(connection, Key::Address(row.month.clone(), slug.clone())).await?;
        let gone = ArticleState::Gone.as_str();
        if !holders.iter().any(|other| other.language == row.language && other.id != row.id && other.state != gone) {
            break;
        }
        slug = format!("{wished}-{number}");
    }
    Ok(slug)
}

fn absolute_attachments(given: &Attachments, links: &Links) -> Attachments {
    let mut attached = given.clone();
    attached.categories.sort();
    attached.categories.dedup();
    for credit in &mut attached.credits {
        credit.name = text::line(&credit.name);
        credit.url = credit.url.as_deref().and_then(|link| links.absolute(link));
    }
    for enclosure in &mut attached.enclosures {
        // What staff wrote of a file of ours is only what it once was.
        if let Some(length) = links.files.get(&enclosure.url).and_then(|file| file.length) {
            enclosure.length = Some(length);
        }
        if let Some(url) = links.absolute(&enclosure.url) {
            enclosure.url = url;
        }
    }
    attached
}

/// `updated` of feeds: as the author says, else it moves only when the title, the text, its
/// links or its files change (RFC 4287 §4.2.15).
fn updated_at(entry: &Entry<'_>, stored: Option<&Row>, row: &Row, same_files: bool, now: Timestamp) -> i64 {
    if let Some(updated) = entry.updated {
        return updated.min(now).as_millis().max(row.published_at);
    }
    let Some(stored) = stored.filter(|stored| stored.published_seq.is_some()) else { return row.published_at };
    let same = same_files
        && stored.title == row.title
        && picture::said(&stored.body_html) == picture::said(&row.body_html)
        && stored.video == row.video
        && stored.canonical_url == row.canonical_url
        && stored.image == row.image;
    if same { stored.updated_at } else { now.as_millis().max(row.published_at) }
}

/// Whether two versions differ only in what nobody outside sees.
fn same_to_readers(stored: &Row, row: &Row) -> bool {
    let seen = |row: &Row| Row { path: String::new(), stem: String::new(), hash: String::new(), ..row.clone() };
    seen(stored) == seen(row)
}

/// Keeps the old addresses that the file names, and the one that a new slug leaves behind.
fn put_aliases(sheet: &mut Worksheet, site: &Site, entry: &Entry<'_>, stored: Option<&Row>, row: &Row) {
    let mut aliases = entry.aliases.clone();
    if let Some(stored) = stored.filter(|stored| stored.published_seq.is_some())
        && (&stored.slug, &stored.month, &stored.language) != (&row.slug, &row.month, &row.language)
        && let Ok(language) = Language::parse(&stored.language)
    {
        aliases.push(site.article_path(&language, &stored.month, &stored.slug));
    }
    for alias in aliases {
        sheet.put_alias(alias, row.id);
    }
}

/// Takes an article's path away, for another that is there now. Its own file is found elsewhere
/// in the same look, or it has vanished. Returns the path it has instead, with its hash.
pub(super) fn displace(sheet: &mut Worksheet, row: &Row) -> (String, String) {
    // No file of an article has such a name.
    let path = format!("#{}", row.id);
    sheet.put(Row { path: path.clone(), ..row.clone() }, None, Step::Unseen);
    (path, row.hash.clone())
}

/// Publishes what is scheduled and due, in the order of the dates. Returns how many.
pub(super) async fn publish_due(connection: &mut AnyConnection, now: Timestamp) -> anyhow::Result<usize> {
    let due: Vec<(i64,)> =
        sqlx::query_as("SELECT id FROM article WHERE state = 'scheduled' AND published_at <= $1 ORDER BY published_at, id")
            .bind(now.as_millis())
            .fetch_all(&mut *connection)
            .await?;
    for (id,) in &due {
        let sequence = take_number(connection, Counter::Sequence).await?;
        sqlx::query("UPDATE article SET state = $1, published_seq = $2, changed_seq = $2 WHERE id = $3")
            .bind(ArticleState::Published.as_str())
            .bind(sequence)
            .bind(id)
            .execute(&mut *connection)
            .await?;
    }
    Ok(due.len())
}

/// When the next scheduled article is due.
pub(super) async fn next_due(connection: &mut AnyConnection) -> anyhow::Result<Option<Timestamp>> {
    let next: Option<i64> =
        sqlx::query_scalar("SELECT MIN(published_at) FROM article WHERE state = 'scheduled'").fetch_one(connection).await?;
    Ok(next.map(Timestamp::from_millis))
}
