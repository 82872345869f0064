//! The head of an article's file: TOML between lines of `+++`, or YAML between lines of `---`.

use super::alias;
use super::attachments::Attachments;
use super::{Announce, Credit, Enclosure, FoundCategory, Role, category, markup, media, text};
use crate::clock::{Timestamp, WrittenTime};
use crate::language::Language;
use crate::problem::{FromNode, Place, Problem, Reading, Reason, Source, Table, Value};
use crate::site::Site;
use std::ops::Range;
use url::Url;

/// What the front matter says, checked; links may still be relative to the article.
#[derive(Debug)]
pub(super) struct FrontMatter {
    pub(super) title: String,
    /// The date and where it stands.
    pub(super) date: Option<(Timestamp, Place)>,
    pub(super) updated: Option<Timestamp>,
    pub(super) uid: Option<(String, Place)>,
    pub(super) slug: Option<String>,
    pub(super) aliases: Vec<String>,
    pub(super) language: Option<(Language, Place)>,
    pub(super) translation: Option<String>,
    pub(super) found_categories: Vec<FoundCategory>,
    pub(super) categories_place: Option<Place>,
    pub(super) attachments: Attachments,
    pub(super) series: Option<String>,
    pub(super) summary: Option<String>,
    pub(super) draft: bool,
    pub(super) announce: Announce,
    pub(super) canonical_url: Option<String>,
    pub(super) image: Option<String>,
    pub(super) video: Option<String>,
}

/// Where the parts of a file are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    yaml: bool,
    head: Range<usize>,
    pub(super) body: Range<usize>,
}

/// In octets. Whatever is longer has lost its second fence, or is a game with the parsers.
const LONGEST_HEAD: usize = 64 << 10;

/// Parts a file at the lines of `+++` or `---`.
pub(super) fn part(source: &Source) -> Result<Parts, Vec<Problem>> {
    let whole = source.text();
    let start = whole.len() - whole.trim_start_matches(['\n', '\r', ' ', '\t']).len();
    let mut lines = Lines { text: whole, at: start };
    let fence = lines.next().map(|line| whole[line].trim_end()).unwrap_or_default();
    if fence != "+++" && fence != "---" {
        let reason = Reason::new(
            "the file does not begin with its title and date",
            "begin it with a line +++, then  title = \"…\"  and  date = 2027-09-24  on lines of their own, then another line +++",
        );
        return Err(vec![source.problem(start..start + fence.len(), reason)]);
    }
    let head = lines.at;
    let end = lines.find(|line| whole[line.clone()].trim_end() == fence).ok_or_else(|| {
        let reason = Reason::new(
            format!("the front matter that begins here never ends: a second line {fence} is missing"),
            format!("write  {fence}  on a line of its own between the front matter and the text"),
        );
        vec![source.problem(start..start + fence.len(), reason)]
    })?;
    if end.start - head > LONGEST_HEAD {
        let reason =
            Reason::new("the front matter that begins here is longer than 64 kB", format!("write  {fence}  where the text begins"));
        return Err(vec![source.problem(start..start + fence.len(), reason)]);
    }
    Ok(Parts { yaml: fence == "---", head: head..end.start, body: end.end..whole.len() })
}

/// The lines of a text as byte ranges, each with its line break.
struct Lines<'t> {
    text: &'t str,
    at: usize,
}

impl Iterator for Lines<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let start = self.at;
        self.at += rest.find('\n').map_or(rest.len(), |end| end + 1);
        Some(start..self.at)
    }
}

/// Reads the front matter; every mistake is told in `reading`. `None` only after telling why.
pub(super) fn read(reading: &Reading<'_>, parts: &Parts, site: &Site) -> Option<FrontMatter> {
    let head = parts.head.clone();
    let node = if parts.yaml { reading.yaml_in(head) } else { reading.toml_in(head) };
    let mut table = reading.root(node);
    let front_matter = keys(&mut table, site);
    table.finish();
    front_matter
}

fn keys(table: &mut Table<'_>, site: &Site) -> Option<FrontMatter> {
    let title = table.required_placed::<String>("title");
    if let Some((text, place)) = &title
        && text::line(text).is_empty()
    {
        table.reading().tell(place, Reason::new("`title` is empty", "write what the article is called"));
    }
    let date = time(table, "date", site);
    let updated = time(table, "updated", site);
    if let (Some((date, _)), Some((updated, place))) = (&date, &updated)
        && updated < date
    {
        table.reading().tell(place, Reason::new("`updated` is before `date`", "correct one of the two, or leave `updated` out"));
    }
    let written_categories = table.placed::<OneOrMore<String>>("categories");
    let categories_place = written_categories.as_ref().map(|(_, place)| place.clone());
    let (categories, found_categories) = written_categories.map(|written| categories(table, written, site)).unwrap_or_default();
    let mut attachments = Attachments { categories, tags: words(table, "tags"), ..Attachments::default() };
    attachments.credits = credits(table, site);
    attachments.enclosures = table.tables("enclosure", |table| enclosure(table, site)).into_iter().flatten().collect();
    Some(FrontMatter {
        date,
        updated: updated.map(|(instant, _)| instant),
        uid: uid(table),
        slug: slug(table),
        aliases: aliases(table, site),
        language: table.placed("lang"),
        translation: short_text(table, "translation"),
        found_categories,
        categories_place,
        attachments,
        series: short_text(table, "series"),
        summary: short_text(table, "summary"),
        draft: table.or("draft", false),
        announce: table.or("announce", Announce::Auto),
        canonical_url: link(table, "canonical_url", None),
        image: link(table, "image", Some(site)),
        video: link(table, "video", Some(site)),
        title: title?.0,
    })
}

/// A date in the site's zone, of a year that an archive can hold.
fn time(table: &mut Table<'_>, key: &'static str, site: &Site) -> Option<(Timestamp, Place)> {
    let (written, place) = table.placed::<WrittenTime>(key)?;
    let instant = written.in_zone(&site.time_zone).ok()?;
    let year = instant.in_zone(&site.time_zone).year();
    if !(1900..=9000).contains(&year) {
        let reason = Reason::new(format!("`{key}`: the year {year} cannot be meant"), WrittenTime::EXPECTED);
        table.reading().tell(&place, reason);
        return None;
    }
    Some((instant, place))
}

/// Longer ids, slugs and groups are nobody's intention, and no index takes them.
const LONGEST_NAME: usize = 400;

fn uid(table: &mut Table<'_>) -> Option<(String, Place)> {
    let (uid, place) = table.placed::<String>("id")?;
    let uid = uid.trim().to_owned();
    if uid.is_empty() || uid.len() > LONGEST_NAME || uid.contains(|c: char| c.is_control() || c.is_whitespace() || !text::is_xml_char(c)) {
        let remedy = "write it as it was in the old feed, or leave `id` out and one is made";
        table.reading().tell(&place, Reason::new("`id` is empty, very long, or holds a space", remedy));
        return None;
    }
    Some((uid, place))
}

fn slug(table: &mut Table<'_>) -> Option<String> {
    let (wished, place) = table.placed::<String>("slug")?;
    let slug = crate::site::slug(&wished);
    if slug.is_empty() {
        let remedy = "write a few words in small letters with hyphens, like \"a-safe-house\"";
        table.reading().tell(&place, Reason::new("`slug` holds neither letters nor digits", remedy));
        return None;
    }
    Some(slug)
}

/// One line of plain text.
fn short_text(table: &mut Table<'_>, key: &'static str) -> Option<String> {
    let (written, place) = table.placed::<String>(key)?;
    let line = text::line(&written);
    if key != "summary" && line.len() > LONGEST_NAME {
        table.reading().tell(&place, Reason::new(format!("`{key}` is very long"), "shorten it to a few words"));
    }
    (!line.is_empty()).then_some(line)
}

/// A list of words; a single one may stand without brackets.
fn words(table: &mut Table<'_>, key: &'static str) -> Vec<String> {
    let OneOrMore(words) = table.or(key, OneOrMore(Vec::<String>::new()));
    words.iter().map(|word| text::line(word)).filter(|word| !word.is_empty()).collect()
}

fn categories(table: &Table<'_>, (OneOrMore(names), place): (OneOrMore<String>, Place), site: &Site) -> (Vec<String>, Vec<FoundCategory>) {
    let mut slugs = Vec::new();
    let mut found = Vec::new();
    for name in names {
        match category::resolve(&name, site) {
            Ok(category::Named::Declared(slug)) => slugs.push(slug),
            Ok(category::Named::Found(category)) => {
                slugs.push(category.slug.clone());
                found.push(category);
            }
            Err(reason) => table.reading().tell(&place, reason),
        }
    }
    (slugs, found)
}

fn credits(table: &mut Table<'_>, site: &Site) -> Vec<Credit> {
    let mut credits = Vec::new();
    for (key, role) in [("authors", Role::Author), ("translators", Role::Translator)] {
        let Some((OneOrMore(names), place)) = table.placed::<OneOrMore<Named>>(key) else { continue };
        for Named { name, url } in names {
            let url = url.filter(|url| is_link(table, key, url, Some(site), &place));
            credits.push(Credit { role, name, url });
        }
    }
    let signatories = table.tables("signatory", |table| {
        let name = table.required::<String>("name");
        let url = link(table, "url", Some(site));
        Some(Credit { role: Role::Signatory, name: name?, url })
    });
    credits.extend(signatories.into_iter().flatten());
    credits.retain(|credit| !text::line(&credit.name).is_empty());
    credits
}

fn enclosure(table: &mut Table<'_>, site: &Site) -> Option<Enclosure> {
    let written = table.required_placed::<String>("url");
    let url = written.filter(|(url, place)| is_link(table, "enclosure.url", url, Some(site), place));
    let media_type = table.placed::<String>("type");
    let length = table.placed::<i64>("length");
    let title = short_text(table, "title");
    if let Some((length, place)) = &length
        && *length < 0
    {
        table.reading().tell(place, Reason::new("`enclosure.length` is negative", "write the size of the file in octets"));
    }
    let (url, place) = url?;
    let media_type = match media_type {
        Some((media_type, place)) => checked_media_type(table, media_type, &place)?,
        None => known_media_type(table, &url, &place)?,
    };
    Some(Enclosure { url, media_type, length: length.map(|(length, _)| length), title })
}

fn checked_media_type(table: &Table<'_>, media_type: String, place: &Place) -> Option<String> {
    let token = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c));
    if media_type.split_once('/').is_some_and(|(kind, name)| token(kind) && token(name)) {
        return Some(media_type);
    }
    table.reading().tell(place, Reason::new("`enclosure.type` is not a media type", "write it like \"application/pdf\" or \"audio/mpeg\""));
    None
}

fn known_media_type(table: &Table<'_>, url: &str, place: &Place) -> Option<String> {
    let media_type = media::media_type_by_name(url);
    if media_type.is_none() {
        let message = "what kind of file `enclosure.url` is cannot be told from its name";
        table.reading().tell(place, Reason::new(message, "add  type = \"application/pdf\"  or what it is"));
    }
    media_type.map(str::to_owned)
}

/// Old addresses as paths, escaped as browsers ask for them.
fn aliases(table: &mut Table<'_>, site: &Site) -> Vec<String> {
    let Some((OneOrMore(written), place)) = table.placed::<OneOrMore<String>>("aliases") else { return Vec::new() };
    let mut aliases = Vec::new();
    for alias in written {
        let parsed = if alias.starts_with('/') { site.base_url.join(&alias).ok() } else { Url::parse(&alias).ok() };
        let path = parsed.as_ref().and_then(alias::stored).filter(|path| path.len() <= LONGEST_NAME * 3);
        if path.is_none() {
            let remedy = "write the path with its slash, like \"/2011-07-center.htm\"";
            table.reading().tell(&place, Reason::new(format!("`aliases`: “{alias}” is not an old address"), remedy));
        }
        aliases.extend(path);
    }
    aliases
}

/// A link; relative to the article where a site is given.
fn link(table: &mut Table<'_>, key: &'static str, site: Option<&Site>) -> Option<String> {
    let (written, place) = table.placed::<String>(key)?;
    if !is_link(table, key, &written, site, &place) {
        return None;
    }
    // In full, it is kept as the parser writes it: without spaces and controls.
    Some(Url::parse(written.trim()).map_or_else(|_| text::line(&written), String::from))
}

fn is_link(table: &Table<'_>, key: &str, written: &str, site: Option<&Site>, place: &Place) -> bool {
    let url = match site {
        Some(site) => markup::absolute(written, &site.base_url),
        None => Url::parse(written.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https")),
    };
    if url.is_none() || written.trim().is_empty() {
        let reason = Reason::new(format!("`{key}` is not a link"), "write it in full, like \"https://example.org/page\"");
        table.reading().tell(place, reason);
        return false;
    }
    true
}

/// A list, or a single value that stands for a list of one.
struct OneOrMore<T>(Vec<T>);

impl<T: FromNode> FromNode for OneOrMore<T> {
    const EXPECTED: &'static str = "write a list in brackets, like [\"one\", \"two\"]";

    fn from_value(value: &Value) -> Option<Result<Self, Reason>> {
        match value {
            Value::List(_) => Vec::<T>::from_value(value).map(|list| list.map(Self)),
            single => T::from_value(single).map(|value| value.map(|value| Self(vec![value]))),
        }
    }
}

/// Somebody by name alone, or with their page.
struct Named {
    name: String,
    url: Option<String>,
}

impl FromNode for Named {
    const EXPECTED: &'static str = "write a name in quotes, or { name = \"…\", url = \"…\" }";

    fn from_value(value: &Value) -> Option<Result<Self, Reason>> {
        let entries = match value {
            Value::Text(name) => return Some(Ok(Self { name: name.clone(), url: None })),
            Value::Table(entries) => entries,
            _ => return None,
        };
        let mut named = Self { name: String::new(), url: None };
        for (key, _, node) in entries {
            match (key.as_str(), &node.value) {
                ("name", Value::Text(name)) => named.name.clone_from(name),
                ("url", Value::Text(url)) => named.url = Some(url.clone()),
                _ => return Some(Err(Reason::new(format!("`{key}` does not belong to a person here"), Self::EXPECTED))),
            }
        }
        Some(if named.name.is_empty() { Err(Reason::new("somebody has no name", Self::EXPECTED)) } else { Ok(named) })
    }
}

impl FromNode for Announce {
    const EXPECTED: &'static str = "write announce = \"auto\", \"no\" or \"again\"";

    fn from_value(value: &Value) -> Option<Result<Self, Reason>> {
        let word = match value {
            Value::Text(word) => word.as_str(),
            Value::Boolean(false) => "no",
            _ => return None,
        };
        let announce = Self::ALL.iter().find(|announce| announce.as_str() == word);
        Some(announce.copied().ok_or_else(|| Reason::new(format!("“{word}” is not understood"), Self::EXPECTED)))
    }
}
