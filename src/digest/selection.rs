//! What is new to one person: a pure choice among headlines.

use super::Settings;
use crate::content::Headline;
use crate::language::Language;
use crate::subscription::{Choices, Reader};
use std::collections::{HashMap, HashSet};

/// The articles that a run can carry, as it sees them.
#[derive(Debug, Default)]
pub(super) struct Offer {
    /// Announced in (the lowest watermark among the readers, `upper`], in that order.
    candidates: Vec<Headline>,
    upper: i64,
    /// All public versions of each translation group that has a candidate.
    versions: HashMap<String, Vec<Headline>>,
}

impl Offer {
    /// An offer of `candidates`. What was published after the run began (above `upper`) belongs
    /// to the next run.
    pub(super) fn new(mut candidates: Vec<Headline>, upper: i64) -> Self {
        candidates.retain(|headline| headline.published_seq <= upper);
        candidates.sort_by_key(|headline| headline.published_seq);
        Self { candidates, upper, versions: HashMap::new() }
    }

    /// Adds all public articles of the candidates' groups, announced or not.
    #[must_use]
    pub(super) fn with_versions(mut self, public: Vec<Headline>) -> Self {
        for headline in public.into_iter().filter(|headline| headline.published_seq <= self.upper) {
            self.versions.entry(headline.translation_group.clone()).or_default().push(headline);
        }
        self
    }

    /// The translation groups that have something new to somebody.
    pub(super) fn groups(&self) -> Vec<String> {
        let mut groups: Vec<String> = self.candidates.iter().map(|headline| headline.translation_group.clone()).collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    /// The version of a group that this person reads: in the first of their languages in which
    /// there is one. Of two in one language the later is meant.
    fn version(&self, group: &str, languages: &[Language]) -> Option<&Headline> {
        let versions = self.versions.get(group)?;
        languages.iter().find_map(|language| {
            versions.iter().filter(|version| version.language == *language).max_by_key(|version| version.published_seq)
        })
    }
}

/// How earlier mails carried a translation group to one person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Carried {
    /// The bound of the latest of these mailings.
    pub(super) up_to: i64,
    /// The versions it was carried in.
    pub(super) articles: HashSet<i64>,
}

/// What a run has for one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing new; everything has been considered.
    Nothing,
    /// Something, but less than the digest's minimum: it waits.
    Waits,
    /// These articles, the newest first.
    Send(Vec<i64>),
}

/// What of an offer is new to a reader, given the groups that were carried to them before.
pub(super) fn verdict(settings: &Settings, offer: &Offer, reader: &Reader, carried: &HashMap<String, Carried>) -> Verdict {
    let mut chosen: Vec<i64> = Vec::new();
    let mut seen: HashSet<&str> = HashSet::new();
    let news = offer.candidates.iter().rev().filter(|headline| headline.published_seq > reader.watermark);
    for headline in news.filter(|headline| is_wanted(settings, &reader.choices, headline) && is_new(headline, carried)) {
        if seen.insert(&headline.translation_group) {
            chosen.extend(offer.version(&headline.translation_group, &reader.choices.languages).map(|version| version.id));
        }
    }
    match chosen.len() {
        0 => Verdict::Nothing,
        count if count < settings.minimum_items as usize => Verdict::Waits,
        _ => Verdict::Send(chosen),
    }
}

/// Whether a headline is in a language the reader listed, and its categories are among theirs
/// and among the digest's.
fn is_wanted(settings: &Settings, choices: &Choices, headline: &Headline) -> bool {
    let categories = &headline.categories;
    choices.languages.contains(&headline.language)
        && (choices.topics.is_empty() || categories.iter().any(|category| choices.topics.contains(category)))
        && (settings.categories.is_empty() || categories.iter().any(|category| settings.categories.contains(category)))
}

/// A translation of what a person has read is no news to them. The same version is, when it was
/// announced again since.
fn is_new(headline: &Headline, carried: &HashMap<String, Carried>) -> bool {
    carried
        .get(&headline.translation_group)
        .is_none_or(|before| before.articles.contains(&headline.id) && headline.published_seq > before.up_to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Schedule;
    use jiff::tz::TimeZone;

    fn language(tag: &str) -> Language {
        Language::parse(tag).unwrap()
    }

    /// `en:a:1` is version 1 of group `a` in English, with sequence and number 1, in category `x`.
    fn headline(text: &str) -> Headline {
        let parts: Vec<&str> = text.split(':').collect();
        let seq: i64 = parts[2].parse().unwrap();
        let categories = parts.get(3).unwrap_or(&"x").split('+').map(str::to_owned).collect();
        Headline { id: seq, published_seq: seq, language: language(parts[0]), translation_group: parts[1].to_owned(), categories }
    }

    struct Case<'a> {
        /// Announced.
        news: &'a str,
        /// Public without being announced.
        quiet: &'a str,
        languages: &'a str,
        topics: &'a str,
        watermark: i64,
        /// `a:1:5` is group `a`, carried as article 1 by a mailing with the bound 5.
        carried: &'a str,
        digest: &'a str,
        minimum: u32,
    }

    const CASE: Case<'_> = Case { news: "", quiet: "", languages: "en", topics: "", watermark: 0, carried: "", digest: "", minimum: 1 };

    fn words(text: &str) -> impl Iterator<Item = &str> {
        text.split_whitespace()
    }

    fn settings(case: &Case<'_>) -> Settings {
        Settings {
            name: "weekly".into(),
            schedule: Schedule::parse("0 8 * * Mon").unwrap(),
            time_zone: TimeZone::UTC,
            categories: words(case.digest).map(str::to_owned).collect(),
            minimum_items: case.minimum,
        }
    }

    fn reader(case: &Case<'_>) -> Reader {
        let choices = Choices {
            topics: words(case.topics).map(str::to_owned).collect(),
            languages: words(case.languages).map(language).collect(),
            rhythm: "weekly".into(),
        };
        Reader { person: 1, choices, watermark: case.watermark }
    }

    fn decide(case: &Case<'_>) -> Verdict {
        let news: Vec<Headline> = words(case.news).map(headline).collect();
        let public = news.iter().cloned().chain(words(case.quiet).map(headline)).collect();
        let mut carried: HashMap<String, Carried> = HashMap::new();
        for entry in words(case.carried) {
            let parts: Vec<&str> = entry.split(':').collect();
            let before = carried.entry(parts[0].to_owned()).or_default();
            before.articles.insert(parts[1].parse().unwrap());
            before.up_to = before.up_to.max(parts[2].parse().unwrap());
        }
        verdict(&settings(case), &Offer::new(news, 100).with_versions(public), &reader(case), &carried)
    }

    fn sends(case: &Case<'_>, ids: &[i64]) {
        let expected = if ids.is_empty() { Verdict::Nothing } else { Verdict::Send(ids.to_vec()) };
        assert_eq!(decide(case), expected);
    }

    #[test]
    fn what_is_above_the_watermark_is_new_and_the_newest_comes_first() {
        sends(&Case { news: "en:a:1 en:b:2 en:c:3", watermark: 1, ..CASE }, &[3, 2]);
        sends(&Case { news: "en:a:1 en:b:2 en:c:3", watermark: 3, ..CASE }, &[]);
        sends(&CASE, &[]);
    }

    #[test]
    fn what_was_published_after_the_run_began_waits_for_the_next() {
        sends(&Case { news: "en:a:99 en:b:101", ..CASE }, &[99]);
        sends(&Case { news: "en:a:99", quiet: "ja:a:101", languages: "ja en", ..CASE }, &[99]);
    }

    #[test]
    fn topics_of_the_person_and_categories_of_the_digest_both_restrict() {
        let news = "en:a:1:x en:b:2:y en:c:3:x+y en:d:4:z";
        sends(&Case { news, ..CASE }, &[4, 3, 2, 1]);
        sends(&Case { news, topics: "x", ..CASE }, &[3, 1]);
        sends(&Case { news, digest: "y", ..CASE }, &[3, 2]);
        sends(&Case { news, topics: "x", digest: "y", ..CASE }, &[3]);
        sends(&Case { news, topics: "z", digest: "y", ..CASE }, &[]);
    }

    #[test]
    fn one_version_comes_in_the_first_of_the_persons_languages_that_exists() {
        let news = "en:a:1 ja:a:2";
        sends(&Case { news, languages: "en", ..CASE }, &[1]);
        sends(&Case { news, languages: "ja en", ..CASE }, &[2]);
        sends(&Case { news, languages: "en ja", ..CASE }, &[1]);
        sends(&Case { news, languages: "ko ja en", ..CASE }, &[2]);
        sends(&Case { news, languages: "ko", ..CASE }, &[]);
        sends(&Case { news: "en:a:2", quiet: "ja:a:1", languages: "ja en", ..CASE }, &[1]);
    }

    #[test]
    fn an_article_waits_for_a_language_the_person_reads() {
        // The run at 5 had only English; the watermark moved on; the translation came at 7.
        sends(&Case { news: "en:a:1", languages: "ja", ..CASE }, &[]);
        sends(&Case { news: "ja:a:7", quiet: "en:a:1", languages: "ja", watermark: 5, ..CASE }, &[7]);
        sends(&Case { news: "en:a:7", quiet: "ja:a:1", languages: "ja", watermark: 5, ..CASE }, &[]);
    }

    #[test]
    fn a_translation_of_what_was_carried_is_no_news() {
        let later = Case { news: "ja:a:7", quiet: "en:a:1", watermark: 5, carried: "a:1:5", ..CASE };
        sends(&Case { languages: "en ja", ..later }, &[]);
        sends(&Case { languages: "ja en", ..later }, &[]);
    }

    #[test]
    fn what_is_announced_again_is_new_again_and_only_then() {
        let again = Case { news: "en:a:7", watermark: 5, ..CASE };
        sends(&Case { carried: "a:7:5", ..again }, &[7]);
        sends(&Case { carried: "a:7:5 a:7:8", ..again }, &[]);
        sends(&Case { carried: "a:1:5", ..again }, &[]);
    }

    #[test]
    fn fewer_than_the_minimum_wait_and_none_do_not() {
        let few = Case { news: "en:a:1 en:b:2", minimum: 3, ..CASE };
        assert_eq!(decide(&few), Verdict::Waits);
        sends(&Case { minimum: 2, ..few }, &[2, 1]);
        sends(&Case { watermark: 2, ..few }, &[]);
        sends(&Case { languages: "ja", ..few }, &[]);
    }

    /// Whatever happens in which order, nobody gets a group twice, a language they did not list,
    /// or one while a better of their own existed at the time.
    #[test]
    fn over_many_runs_each_group_comes_once_in_a_language_of_the_persons() {
        const TAGS: [&str; 3] = ["en", "ja", "ko"];
        let mut dice = crate::vault::random::<8>().iter().fold(1_u64, |seed, byte| seed.wrapping_mul(257).wrapping_add(u64::from(*byte)));
        let mut roll = |sides: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % sides
        };
        for _ in 0..300 {
            let order: Vec<&str> = (0..=roll(2)).map(|_| TAGS[usize::try_from(roll(3)).unwrap()]).collect();
            let (mut public, mut got, mut watermark): (Vec<Headline>, HashMap<String, Carried>, i64) = (Vec::new(), HashMap::new(), 0);
            for seq in 1..=30 {
                let (tag, group) = (TAGS[usize::try_from(roll(3)).unwrap()], roll(12));
                let twin = public.iter().any(|h| h.language == language(tag) && h.translation_group == group.to_string());
                if !twin {
                    public.push(headline(&format!("{tag}:{group}:{seq}")));
                }
                if roll(4) > 0 {
                    continue;
                }
                let case = Case { languages: &order.join(" "), watermark, ..CASE };
                let news: Vec<Headline> = public.iter().filter(|h| h.published_seq > watermark).cloned().collect();
                let ids = match verdict(&settings(&case), &Offer::new(news, seq).with_versions(public.clone()), &reader(&case), &got) {
                    Verdict::Send(ids) => ids,
                    Verdict::Nothing => Vec::new(),
                    Verdict::Waits => unreachable!("the minimum is one"),
                };
                watermark = seq;
                for id in ids {
                    let article = public.iter().find(|h| h.id == id).unwrap();
                    let rank = |h: &Headline| order.iter().position(|tag| language(tag) == h.language);
                    let best = public.iter().filter(|h| h.translation_group == article.translation_group).filter_map(rank).min();
                    assert!(best.is_some() && best == rank(article), "{order:?} {article:?}");
                    let before = got.insert(article.translation_group.clone(), Carried { up_to: seq, articles: [id].into() });
                    assert_eq!(before, None, "carried twice: {article:?}");
                }
                let missed =
                    public.iter().find(|h| order.iter().any(|tag| language(tag) == h.language) && !got.contains_key(&h.translation_group));
                assert_eq!(missed, None, "readable and never carried");
            }
        }
    }
}
