//! Who would get what, and when: decided from the file, the texts there are, and what people
//! chose.

use super::file::{PetitionFile, StepPlan, Whom};
use super::folder::Folder;
use super::store;
use crate::clock::Timestamp;
use crate::language::Language;
use crate::subscription::{self, Choices};
use sqlx::AnyConnection;
use std::collections::{BTreeMap, BTreeSet};

/// People looked at in one query.
pub(super) const CHUNK: i64 = 500;

/// How many people a step would go to.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// By the language of the text they get.
    pub by_language: BTreeMap<Language, u64>,
    /// In the audience, but no text is in a language of theirs.
    pub without_text: u64,
}

impl Counts {
    /// Everybody who gets it.
    pub fn total(&self) -> u64 {
        self.by_language.values().sum()
    }
}

/// One step of the plan.
#[derive(Clone, Debug, serde::Serialize)]
pub struct PlannedStep {
    /// Its name.
    pub name: String,
    /// When it goes out; `None`: once approved.
    pub due: Option<Timestamp>,
    /// Whom of the audience it goes to.
    pub to: Whom,
    /// How many there are now.
    pub counts: Counts,
    /// Languages of the site without a text.
    pub missing: Vec<Language>,
}

/// Whom a text goes to.
#[derive(Clone, Debug)]
pub(super) struct Reach {
    pub(super) topics: BTreeSet<String>,
    pub(super) languages: Vec<Language>,
    pub(super) fallback: Vec<Language>,
    pub(super) to: Whom,
    /// The languages of the texts there are.
    pub(super) available: Vec<Language>,
}

impl Reach {
    pub(super) fn of(file: &PetitionFile, step: &StepPlan, folder: &Folder) -> Self {
        Self {
            topics: file.audience.topics.clone(),
            languages: file.audience.languages.clone(),
            fallback: file.audience.fallback.clone(),
            to: step.to,
            available: folder.texts.of(&step.text).map(|(language, _)| language.clone()).collect(),
        }
    }

    /// Whether a person chose to hear of it. No topic chosen means all.
    pub(super) fn includes(&self, choices: &Choices, acted: bool) -> bool {
        let topic = choices.topics.is_empty() || choices.topics.iter().any(|topic| self.topics.contains(topic));
        let language = self.languages.is_empty()
            || choices.languages.iter().flat_map(Language::fallbacks).any(|language| self.languages.contains(&language));
        let whom = match self.to {
            Whom::Everyone => true,
            Whom::Acted => acted,
            Whom::NotActed => !acted,
        };
        topic && language && whom
    }

    /// The text a person gets: in the first of their languages there is one in, of those the
    /// audience names, else a fallback.
    pub(super) fn language_for(&self, choices: &Choices) -> Option<&Language> {
        let named = |language: &Language| self.languages.is_empty() || self.languages.contains(language);
        let own = choices.languages.iter().flat_map(Language::fallbacks).filter(named);
        own.chain(self.fallback.iter().cloned()).find_map(|wanted| self.available.iter().find(|known| **known == wanted))
    }
}

/// Counts the people of several texts in one pass over all active subscribers.
pub(super) async fn count(connection: &mut AnyConnection, slug: &str, edition: &str, reaches: &[Reach]) -> anyhow::Result<Vec<Counts>> {
    let mut counts = vec![Counts::default(); reaches.len()];
    let mut after = 0;
    loop {
        let readers = subscription::readers(connection, None, after, CHUNK).await?;
        let Some(last) = readers.last().map(|reader| reader.person) else { return Ok(counts) };
        let acted = store::acted_between(connection, slug, edition, after, last).await?;
        for reader in &readers {
            for (reach, counts) in reaches.iter().zip(&mut counts) {
                if reach.includes(&reader.choices, acted.contains(&reader.person)) {
                    match reach.language_for(&reader.choices) {
                        Some(language) => *counts.by_language.entry(language.clone()).or_default() += 1,
                        None => counts.without_text += 1,
                    }
                }
            }
        }
        after = last;
    }
}

/// The plan of a petition, with exact counts.
pub(super) async fn plan(
    connection: &mut AnyConnection,
    folder: &Folder,
    file: &PetitionFile,
    languages: &[Language],
) -> anyhow::Result<Vec<PlannedStep>> {
    let reaches: Vec<Reach> = file.steps.iter().map(|step| Reach::of(file, step, folder)).collect();
    let counts = count(connection, &folder.slug, &file.edition.name(), &reaches).await?;
    let steps = file.steps.iter().zip(reaches).zip(counts).map(|((step, reach), counts)| PlannedStep {
        name: step.name.clone(),
        due: step.due,
        to: step.to,
        counts,
        missing: languages.iter().filter(|language| !reach.available.contains(language)).cloned().collect(),
    });
    Ok(steps.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(list: &[&str]) -> Vec<Language> {
        list.iter().map(|tag| Language::parse(tag).unwrap()).collect()
    }

    fn choices(topics: &[&str], languages: &[&str]) -> Choices {
        Choices { topics: topics.iter().map(|topic| (*topic).to_owned()).collect(), languages: tags(languages), rhythm: "weekly".into() }
    }

    fn reach(languages: &[&str], fallback: &[&str], to: Whom) -> Reach {
        Reach {
            topics: ["petitions".to_owned()].into(),
            languages: tags(languages),
            fallback: tags(fallback),
            to,
            available: tags(&["en", "ja"]),
        }
    }

    #[test]
    fn a_person_gets_the_text_in_the_first_language_there_is_else_the_fallback() {
        let reach = reach(&[], &["en"], Whom::Everyone);
        let language = |languages: &[&str]| reach.language_for(&choices(&[], languages)).map(ToString::to_string);
        assert_eq!(language(&["ko", "ja", "en"]).unwrap(), "ja");
        assert_eq!(language(&["ja-JP"]).unwrap(), "ja");
        assert_eq!(language(&["ko"]).unwrap(), "en");
        let japanese = Reach { languages: tags(&["ja"]), ..reach.clone() };
        assert_eq!(japanese.language_for(&choices(&[], &["en", "ja"])).map(ToString::to_string).unwrap(), "ja");
        assert_eq!(Reach { fallback: Vec::new(), ..reach.clone() }.language_for(&choices(&[], &["ko"])), None);
    }

    #[test]
    fn topics_languages_and_acts_decide_who_is_addressed() {
        let everyone = reach(&[], &[], Whom::Everyone);
        assert!(everyone.includes(&choices(&[], &["en"]), false));
        assert!(everyone.includes(&choices(&["petitions", "news"], &["en"]), true));
        assert!(!everyone.includes(&choices(&["defectors"], &["en"]), false));
        let japanese = reach(&["ja"], &[], Whom::Everyone);
        assert!(japanese.includes(&choices(&[], &["en", "ja"]), false));
        assert!(!japanese.includes(&choices(&[], &["en"]), false));
        assert!(!reach(&[], &[], Whom::Acted).includes(&choices(&[], &["en"]), false));
        assert!(!reach(&[], &[], Whom::NotActed).includes(&choices(&[], &["en"]), true));
    }
}
