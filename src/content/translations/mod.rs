//! What waits for a translator: articles that lack a language of the site, and translations that
//! their original has left behind.
//!
//! The original of a translation group is the public article that names no translator; of
//! several, the earliest by date; of those with one date, the one in the language that stands
//! first in `site.languages`. An article of a site that is followed is counted only together
//! with others: alone, it is for that site to translate. Pages of other rooms, such as
//! petitions, are judged there.

mod store;

pub use store::gaps;

use super::source;
use crate::clock::Timestamp;
use crate::language::Language;
use crate::site::Site;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

/// Files that came within this time may have come together, as from another system: then when
/// they came says nothing of which is newer.
const TOGETHER: Duration = Duration::from_hours(24);
/// A date without a time stands for the whole day.
const DAY: Duration = Duration::from_millis(86_399_999);

crate::text_enum! {
    /// What is wanting in a language.
    pub enum Lack {
        /// There is no translation.
        Missing = "missing",
        /// There is one, but it is not public: a draft, or dated in the future.
        Begun = "begun",
        /// The original has changed since in a way that matters.
        Older = "older",
    }
}

/// One version of an article, as staff know it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Version {
    /// Which room or folder it is from.
    pub source: String,
    /// Where its file is.
    pub path: String,
    /// Its language.
    pub language: Language,
    /// Its title.
    pub title: String,
    /// Its date.
    pub published_at: Timestamp,
    /// When it last changed in a way that matters.
    pub updated_at: Timestamp,
}

impl Version {
    /// Where it is kept: its file, or the site that is followed and its key there.
    pub fn place(&self) -> String {
        if self.source == super::FOLDER { self.path.clone() } else { format!("{}: {}", self.source, self.path) }
    }
}

/// A language in which an article is wanting.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Gap {
    /// The language of the site.
    pub language: Language,
    /// What is wanting.
    pub lack: Lack,
    /// Since when: the original's date, or the date of its change.
    pub since: Timestamp,
    /// What is to be translated.
    pub original: Version,
    /// The translation that is not public yet, or older.
    pub translation: Option<Version>,
}

/// A version with what the rules ask.
#[derive(Clone, Debug)]
struct Known {
    id: i64,
    group: String,
    is_public: bool,
    names_translator: bool,
    first_seen_at: Timestamp,
    published_seq: Option<i64>,
    changed_seq: i64,
    version: Version,
}

/// What is wanting, in the order of the site's languages, in each the newest first.
fn gaps_of(site: &Site, versions: Vec<Known>, since: Option<Timestamp>) -> Vec<Gap> {
    let mut groups: BTreeMap<String, Vec<Known>> = BTreeMap::new();
    for known in versions {
        groups.entry(known.group.clone()).or_default().push(known);
    }
    let mut gaps: Vec<Gap> = groups.values().flat_map(|group| gaps_of_group(site, group)).collect();
    gaps.retain(|gap| since.is_none_or(|since| gap.since >= since));
    gaps.sort_by_key(|gap| (rank(site, &gap.language), Reverse(gap.since), gap.original.path.clone()));
    gaps
}

fn gaps_of_group(site: &Site, group: &[Known]) -> Vec<Gap> {
    let public = group.iter().filter(|known| known.is_public);
    let Some(original) = public.min_by_key(|known| place(site, known)) else { return Vec::new() };
    if group.len() == 1 && source::is_living(&original.version.source) {
        return Vec::new();
    }
    let own = site.language_of(&original.version.language);
    let wanted = site.languages.iter().filter(|language| Some(*language) != own);
    wanted.filter_map(|language| gap(site, original, group, language)).collect()
}

/// The lower, the rather it is the original.
fn place(site: &Site, known: &Known) -> (bool, Timestamp, usize, i64) {
    (known.names_translator, known.version.published_at, rank(site, &known.version.language), known.id)
}

fn rank(site: &Site, language: &Language) -> usize {
    let language = site.language_of(language);
    site.languages.iter().position(|known| Some(known) == language).unwrap_or(usize::MAX)
}

fn gap(site: &Site, original: &Known, group: &[Known], language: &Language) -> Option<Gap> {
    let translations = || group.iter().filter(|known| site.language_of(&known.version.language) == Some(language));
    let newest = |is_public: bool| translations().filter(|known| known.is_public == is_public).max_by_key(|known| known.version.updated_at);
    let (lack, since, translation) = match newest(true) {
        Some(_) if translations().any(|known| known.is_public && !is_older(known, original, &site.time_zone)) => return None,
        Some(older) => (Lack::Older, original.version.updated_at, Some(older)),
        None => match newest(false) {
            Some(begun) => (Lack::Begun, original.version.published_at, Some(begun)),
            None => (Lack::Missing, original.version.published_at, None),
        },
    };
    let translation = translation.map(|known| known.version.clone());
    Some(Gap { language: language.clone(), lack, since, original: original.version.clone(), translation })
}

/// Whether the original has changed since the translation was made.
fn is_older(translation: &Known, original: &Known, zone: &TimeZone) -> bool {
    let changed = original.version.updated_at;
    if whole_day(translation.version.updated_at, zone) >= changed {
        return false;
    }
    // A translation often carries the date of its original, so when it came counts too.
    let came_later = if changed >= original.first_seen_at {
        translation.first_seen_at >= changed || translation.published_seq.is_some_and(|sequence| sequence > original.changed_seq)
    } else {
        translation.first_seen_at > original.first_seen_at + TOGETHER
    };
    !came_later
}

fn whole_day(instant: Timestamp, zone: &TimeZone) -> Timestamp {
    if instant.in_zone(zone).time() == Time::midnight() { instant + DAY } else { instant }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::parse_local;
    use crate::language::LocalText;

    fn language(tag: &str) -> Language {
        Language::parse(tag).unwrap()
    }

    fn site() -> Site {
        Site {
            title: LocalText::Same("News".to_owned()),
            description: None,
            base_url: "http://news.example.org".parse().unwrap(),
            languages: vec![language("en"), language("ja"), language("zh-Hant")],
            time_zone: crate::clock::parse_zone("Asia/Tokyo").unwrap(),
            postal_address: String::new(),
            id_authority: None,
            donate_url: None,
            contact_url: None,
            categories: Vec::new(),
            legacy: Vec::new(),
            imprint: crate::site::Imprint::default(),
        }
    }

    fn instant(text: &str) -> Timestamp {
        parse_local(text, &site().time_zone).unwrap()
    }

    /// A public version, seen and published the day it is dated.
    fn version(id: i64, tag: &str, date: &str) -> Known {
        let date = instant(date);
        Known {
            id,
            group: "a".to_owned(),
            is_public: true,
            names_translator: false,
            first_seen_at: date,
            published_seq: Some(id),
            changed_seq: id,
            version: Version {
                source: super::super::FOLDER.to_owned(),
                path: format!("a.{tag}.md"),
                language: language(tag),
                title: "A".to_owned(),
                published_at: date,
                updated_at: date,
            },
        }
    }

    /// `ja missing a.en.md`
    fn told(versions: Vec<Known>) -> Vec<String> {
        let gaps = gaps_of(&site(), versions, None);
        gaps.iter().map(|gap| format!("{} {} {}", gap.language, gap.lack, gap.original.path)).collect()
    }

    #[test]
    fn each_language_of_the_site_that_has_no_public_version_is_told() {
        assert_eq!(told(vec![version(1, "en", "2027-09-01")]), ["ja missing a.en.md", "zh-Hant missing a.en.md"]);
        let begun = Known { is_public: false, published_seq: None, ..version(2, "ja", "2027-09-01") };
        assert_eq!(told(vec![version(1, "en", "2027-09-01"), begun.clone()]), ["ja begun a.en.md", "zh-Hant missing a.en.md"]);
        assert_eq!(told(vec![begun]), [] as [&str; 0], "nothing is public yet");
        let taiwan = version(3, "zh-TW", "2027-09-01");
        assert_eq!(told(vec![version(1, "en", "2027-09-01"), taiwan]), ["ja missing a.en.md"], "a wider language of the site");
        assert_eq!(told(vec![version(1, "fr", "2027-09-01")]).len(), 3, "written in a language that the site has not");
    }

    #[test]
    fn the_original_names_no_translator_is_the_earliest_and_in_the_first_language() {
        let original = |versions: Vec<Known>| told(versions)[0].rsplit(' ').next().unwrap().to_owned();
        assert_eq!(original(vec![version(1, "ja", "2027-09-01"), version(2, "en", "2027-09-01")]), "a.en.md");
        assert_eq!(original(vec![version(1, "ja", "2027-09-01"), version(2, "en", "2027-09-03")]), "a.ja.md");
        let translated = Known { names_translator: true, ..version(1, "en", "2027-08-01") };
        assert_eq!(original(vec![translated, version(2, "ja", "2027-09-01")]), "a.ja.md");
    }

    #[test]
    fn a_translation_is_older_when_its_original_has_changed_since() {
        let changed = |at: &str| {
            let mut original = version(1, "en", "2027-09-01");
            (original.version.updated_at, original.changed_seq) = (instant(at), 5);
            original
        };
        let japanese = || version(2, "ja", "2027-09-01");
        let told = |original: Known, translation: Known| told(vec![original, translation])[0] == "ja older a.en.md";
        assert!(told(changed("2027-09-10T11:00"), japanese()));
        assert!(!told(version(1, "en", "2027-09-01"), japanese()));
        let mut said = japanese();
        said.version.updated_at = instant("2027-09-10");
        assert!(!told(changed("2027-09-10T11:00"), said), "a day without a time is the whole day");
        let late = Known { first_seen_at: instant("2027-09-12"), ..japanese() };
        assert!(!told(changed("2027-09-10T11:00"), late), "it carries the date of its original, but came after the change");
        let kept = Known { published_seq: Some(6), ..japanese() };
        assert!(!told(changed("2027-09-10T11:00"), kept), "it was a draft until after the change");
    }

    #[test]
    fn of_versions_that_came_together_only_their_own_dates_count() {
        let imported = |known: Known| Known { first_seen_at: instant("2027-09-20"), ..known };
        let mut original = version(1, "en", "2017-01-01");
        original.version.updated_at = instant("2019-05-05T10:00");
        let japanese = version(2, "ja", "2017-01-01");
        assert_eq!(told(vec![imported(original.clone()), imported(japanese.clone())])[0], "ja older a.en.md");
        let later = Known { first_seen_at: instant("2027-09-25"), ..japanese };
        assert_eq!(told(vec![imported(original), later]), ["zh-Hant missing a.en.md"]);
    }

    #[test]
    fn an_article_of_a_site_that_is_followed_counts_in_company_only() {
        let living = |known: Known| Known { version: Version { source: "source:blog".to_owned(), ..known.version.clone() }, ..known };
        assert_eq!(told(vec![living(version(1, "en", "2027-09-01"))]), [] as [&str; 0]);
        let both = vec![living(version(1, "en", "2027-09-01")), version(2, "ja", "2027-09-01")];
        assert_eq!(told(both), ["zh-Hant missing a.en.md"]);
    }

    #[test]
    fn the_newest_stand_first_and_the_old_are_left_out_where_asked() {
        let other = |id, date| Known { group: format!("g{id}"), ..version(id, "en", date) };
        let known = vec![other(1, "2027-09-01"), other(2, "2027-09-05"), other(3, "2020-01-01")];
        let gaps = gaps_of(&site(), known, Some(instant("2027-01-01")));
        let dates: Vec<String> =
            gaps.iter().map(|gap| format!("{} {}", gap.language, gap.since.in_zone(&site().time_zone).date())).collect();
        assert_eq!(dates, ["ja 2027-09-05", "ja 2027-09-01", "zh-Hant 2027-09-05", "zh-Hant 2027-09-01"]);
    }
}
