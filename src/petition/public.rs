//! What the public sees of an edition: taken from the folder when approvers are asked, stored
//! with what they approve, and shown from the launch on. Later edits of the folder do not reach
//! it until they are approved in their turn.

use super::file::PetitionFile;
use super::folder::Folder;
use super::missions::Mission;
use super::prose;
use super::texts::Texts;
use crate::language::{Language, LocalText};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The longest summary, in characters.
const SUMMARY: usize = 200;

/// An edition as launched. Languages are their tags.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicPage {
    /// `2027-09-24`.
    pub day: String,
    /// The title and text in each language.
    pub texts: BTreeMap<String, PageText>,
    /// The letter in each language.
    pub letters: BTreeMap<String, LetterText>,
    /// The short letter, for mail programs, in each language.
    pub short_letters: BTreeMap<String, LetterText>,
    /// Whom it can be sent to.
    pub missions: Vec<PublicMission>,
    /// Who signed.
    pub signatories: Vec<Signatory>,
}

/// The petition's page in one language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageText {
    /// Plain text.
    pub title: String,
    /// Plain text.
    pub summary: String,
    /// Markdown.
    pub markdown: String,
}

/// A letter in one language, as plain text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterText {
    /// Its subject.
    pub subject: String,
    /// Its text, paragraphs separated by empty lines.
    pub body: String,
}

/// An addressee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicMission {
    /// Its name in addresses.
    pub id: String,
    /// By language.
    pub name: BTreeMap<String, String>,
    /// By language.
    pub city: BTreeMap<String, String>,
    /// Two letters.
    pub country: String,
    /// By language; lines separated by line feeds.
    pub postal_address: BTreeMap<String, String>,
    /// Telephone.
    pub phone: Option<String>,
    /// Fax.
    pub fax: Option<String>,
    /// Mail.
    pub email: Option<String>,
    /// What it reads, the best first.
    pub languages: Vec<String>,
}

/// Somebody who signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signatory {
    /// The name.
    pub name: String,
    /// Their page.
    pub url: Option<String>,
}

impl PublicPage {
    /// What the public would see of a folder.
    pub(super) fn of(file: &PetitionFile, folder: &Folder, languages: &[Language]) -> Self {
        // A text called `page` is the page's own; else the page says what the first mail says.
        let page = if folder.texts.has("page") { "page" } else { file.steps.first().map_or("page", |step| step.text.as_str()) };
        let texts = folder.texts.of(page).map(|(language, text)| {
            let markdown = text.body().to_owned();
            let page = PageText { title: file.title.get(language).to_owned(), summary: prose::summary(&markdown, SUMMARY), markdown };
            (language.to_string(), page)
        });
        Self {
            day: file.edition.day.to_string(),
            texts: texts.collect(),
            letters: letters(&folder.texts, "letter"),
            short_letters: letters(&folder.texts, "letter_short"),
            missions: folder.targets.iter().map(|mission| PublicMission::of(mission, languages)).collect(),
            signatories: file.signatories.clone(),
        }
    }

    /// The text for a reader of `language`, with the tag it is in: their own, a wider one, else
    /// the first there is.
    pub fn text(&self, language: &Language) -> Option<(&str, &PageText)> {
        nearest(&self.texts, language)
    }

    /// The letter in a language.
    pub fn letter(&self, tag: &str) -> Option<&LetterText> {
        self.letters.get(tag)
    }

    /// The language of the letter that suits an addressee best.
    pub fn letter_for(&self, mission: &PublicMission) -> Option<&str> {
        let own = mission.languages.iter().find_map(|tag| self.letters.get_key_value(tag));
        own.or_else(|| self.letters.first_key_value()).map(|(tag, _)| tag.as_str())
    }

    /// The addressee with an id.
    pub fn mission(&self, id: &str) -> Option<&PublicMission> {
        self.missions.iter().find(|mission| mission.id == id)
    }
}

impl PageText {
    /// The text as sanitised HTML with absolute links.
    pub fn html(&self, base: &url::Url) -> String {
        prose::to_html(&self.markdown, base)
    }
}

impl PublicMission {
    pub(super) fn of(mission: &Mission, languages: &[Language]) -> Self {
        let by_language = |text: &LocalText| -> BTreeMap<String, String> {
            let own: Vec<&Language> = match text {
                LocalText::By(texts) => texts.keys().collect(),
                LocalText::Same(_) => Vec::new(),
            };
            languages.iter().chain(own).map(|language| (language.to_string(), text.get(language).to_owned())).collect()
        };
        Self {
            id: mission.id.clone(),
            name: by_language(&mission.name),
            city: by_language(&mission.city),
            country: mission.country.clone(),
            postal_address: mission.postal_address.as_ref().map(by_language).unwrap_or_default(),
            phone: mission.phone.clone(),
            fax: mission.fax.clone(),
            email: mission.email.as_ref().map(|email| email.expose().to_owned()),
            languages: mission.languages.iter().map(ToString::to_string).collect(),
        }
    }

    /// Its name for a reader of `language`.
    pub fn name_in(&self, language: &Language) -> &str {
        nearest(&self.name, language).map_or("", |(_, text)| text)
    }

    /// Its city for a reader of `language`.
    pub fn city_in(&self, language: &Language) -> &str {
        nearest(&self.city, language).map_or("", |(_, text)| text)
    }

    /// Its postal address, line by line, for a reader of `language`.
    pub fn address_in(&self, language: &Language) -> Vec<&str> {
        nearest(&self.postal_address, language).map_or(Vec::new(), |(_, text)| text.lines().map(str::trim).collect())
    }
}

fn nearest<'a, T>(by_tag: &'a BTreeMap<String, T>, language: &Language) -> Option<(&'a str, &'a T)> {
    let own = language.fallbacks().find_map(|language| by_tag.get_key_value(&language.to_string()));
    own.or_else(|| by_tag.first_key_value()).map(|(tag, value)| (tag.as_str(), value))
}

fn letters(texts: &Texts, name: &str) -> BTreeMap<String, LetterText> {
    let letter = |text: &super::texts::Text| LetterText { subject: text.subject.clone(), body: prose::to_text(text.body()) };
    texts.of(name).map(|(language, text)| (language.to_string(), letter(text))).collect()
}
