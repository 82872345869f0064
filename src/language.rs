//! Languages: tags (BCP 47), fallback, and the catalogue of everything Clarion itself says to
//! readers and subscribers.

use crate::problem::{FromNode, Node, Reason, Table, Value};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use unic_langid::LanguageIdentifier;

/// A language tag in its canonical form (`en`, `ja`, `zh-Hant`).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(into = "String")]
pub struct Language(LanguageIdentifier);

impl Language {
    /// Parses a BCP 47 tag.
    pub fn parse(text: &str) -> Result<Self, Reason> {
        let refusal = || Reason::new(format!("“{text}” is not a language"), "write a language tag like en, ja, ko, zh-Hans or zh-Hant");
        let tag: LanguageIdentifier = text.trim().parse().map_err(|_| refusal())?;
        // The parser takes any word of up to eight letters; real languages have two or three.
        let primary = tag.language.as_str().len();
        if (2..=3).contains(&primary) && tag.language.as_str() != "und" { Ok(Self(tag)) } else { Err(refusal()) }
    }

    /// The primary subtag, `zh` of `zh-Hant`.
    pub fn primary(&self) -> &str {
        self.0.language.as_str()
    }

    /// Whether text in this language is written without spaces between words.
    pub fn is_cjk(&self) -> bool {
        matches!(self.primary(), "ja" | "zh" | "ko")
    }

    /// This language and then ever wider ones: `zh-Hant-TW`, `zh-Hant`, `zh`.
    pub fn fallbacks(&self) -> impl Iterator<Item = Self> + use<> {
        let mut next = Some(self.0.clone());
        std::iter::from_fn(move || {
            let this = next.take()?;
            let mut wider = this.clone();
            next = if wider.variants().len() > 0 {
                wider.clear_variants();
                Some(wider)
            } else if wider.region.take().is_some() || wider.script.take().is_some() {
                Some(wider)
            } else {
                None
            };
            Some(Self(this))
        })
    }

    /// The language's own name, for menus; its tag where Clarion does not know it.
    pub fn own_name(&self) -> String {
        match self.to_string().as_str() {
            "en" => "English".into(),
            "ja" => "日本語".into(),
            "ko" => "한국어".into(),
            "zh-Hans" => "简体中文".into(),
            "zh-Hant" => "繁體中文".into(),
            tag => tag.to_owned(),
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Language> for String {
    fn from(language: Language) -> Self {
        language.to_string()
    }
}

impl FromNode for Language {
    const EXPECTED: &'static str = "write a language tag like \"en\" or \"ja\"";

    fn from_value(value: &Value) -> Option<Result<Self, Reason>> {
        let Value::Text(text) = value else { return None };
        Some(Self::parse(text))
    }
}

/// A text that may differ by language: `"Defectors"` for all, or `{ en = "…", ja = "…" }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LocalText {
    /// The same in every language.
    Same(String),
    /// One for each language named.
    By(BTreeMap<Language, String>),
}

impl LocalText {
    /// The text for a reader of `language`: their own, a wider one, else the first there is.
    pub fn get(&self, language: &Language) -> &str {
        match self {
            Self::Same(text) => text,
            Self::By(texts) => {
                language.fallbacks().find_map(|language| texts.get(&language)).or_else(|| texts.values().next()).map_or("", String::as_str)
            }
        }
    }

    /// Takes a key that holds such a text.
    pub fn take(table: &mut Table<'_>, key: &'static str) -> Option<Self> {
        let Node { value, place } = table.node(key)?;
        let entries = match value {
            Value::Table(entries) => entries,
            value => return table.read(key, &Node { value, place }).map(Self::Same),
        };
        let mut texts = BTreeMap::new();
        for (name, place, node) in entries {
            match Language::parse(&name) {
                Ok(language) => texts.extend(table.read(key, &node).map(|text: String| (language, text))),
                Err(reason) => table.reading().tell(&place, reason),
            }
        }
        (!texts.is_empty()).then_some(Self::By(texts))
    }

    /// [`LocalText::take`], telling when the key is missing.
    pub fn take_required(table: &mut Table<'_>, key: &'static str) -> Option<Self> {
        let text = Self::take(table, key);
        if text.is_none() {
            let remedy = format!("add  {key} = \"…\"  or by language  {key} = {{ en = \"…\", ja = \"…\" }}");
            table.reading().tell_missing(table.place(), Reason::new(format!("`{key}` is missing"), remedy));
        }
        text
    }
}

/// What Clarion says, in every language it ships. Clones share the catalogue.
#[derive(Clone)]
pub struct Catalogue {
    bundles: Arc<Vec<(Language, FluentBundle<FluentResource>)>>,
}

/// The shipped texts: Fluent files under `locales/`, one per language and room.
const SHIPPED: &[(&str, &[&str])] = &[
    (
        "en",
        &[
            include_str!("../locales/en/common.ftl"),
            include_str!("../locales/en/reading.ftl"),
            include_str!("../locales/en/subscription.ftl"),
            include_str!("../locales/en/digest.ftl"),
            include_str!("../locales/en/petition.ftl"),
            include_str!("../locales/en/delivery.ftl"),
        ],
    ),
    (
        "ja",
        &[
            include_str!("../locales/ja/common.ftl"),
            include_str!("../locales/ja/reading.ftl"),
            include_str!("../locales/ja/subscription.ftl"),
            include_str!("../locales/ja/digest.ftl"),
            include_str!("../locales/ja/petition.ftl"),
            include_str!("../locales/ja/delivery.ftl"),
        ],
    ),
];

impl Catalogue {
    /// The shipped texts.
    pub fn shipped() -> Self {
        let bundles = SHIPPED.iter().map(|(tag, files)| bundle(tag, files)).collect();
        Self { bundles: Arc::new(bundles) }
    }

    /// The voice that speaks to a reader of `language`: in it, a wider one, or English.
    pub fn voice(&self, language: &Language) -> Voice {
        let index = language.fallbacks().find_map(|language| self.bundles.iter().position(|(known, _)| *known == language)).unwrap_or(0);
        Voice { catalogue: self.clone(), index }
    }
}

#[expect(clippy::expect_used, reason = "the files are part of the program and every one is loaded by every test")]
fn bundle(tag: &str, files: &[&str]) -> (Language, FluentBundle<FluentResource>) {
    let language = Language::parse(tag).expect("a shipped language has a valid tag");
    let mut bundle = FluentBundle::new_concurrent(vec![language.0.clone()]);
    // Isolation marks are invisible characters that break subjects and plain text.
    bundle.set_use_isolating(false);
    for file in files {
        let resource =
            FluentResource::try_new((*file).to_owned()).map_err(|(_, errors)| errors).expect("a shipped text file is valid Fluent");
        bundle.add_resource(resource).expect("no shipped text is defined twice");
    }
    (language, bundle)
}

/// The catalogue in one language.
#[derive(Clone)]
pub struct Voice {
    catalogue: Catalogue,
    index: usize,
}

impl Voice {
    /// The language spoken, for `lang` attributes round these texts.
    pub fn language(&self) -> &Language {
        &self.catalogue.bundles[self.index].0
    }

    /// A text without variables.
    pub fn say(&self, key: &str) -> String {
        self.format(key, None)
    }

    /// A text with one variable.
    pub fn say_with<'a>(&self, key: &str, name: &'a str, value: impl Into<FluentValue<'a>>) -> String {
        let mut args = FluentArgs::new();
        args.set(name, value);
        self.format(key, Some(&args))
    }

    /// A text with several variables.
    pub fn say_all(&self, key: &str, variables: &[(&str, FluentValue<'_>)]) -> String {
        let args: FluentArgs<'_> = variables.iter().map(|(name, value)| (*name, value.clone())).collect();
        self.format(key, Some(&args))
    }

    /// A date in words, like “Thursday, 24 September 2027”.
    pub fn date(&self, day: jiff::civil::Date) -> String {
        self.say_all(
            "date-long",
            &[
                ("year", i64::from(day.year()).to_string().into()),
                ("month", i64::from(day.month()).into()),
                ("day", i64::from(day.day()).into()),
                ("weekday", i64::from(day.weekday().to_monday_one_offset()).into()),
            ],
        )
    }

    /// The text in this language, else in English, else the key itself, so that a missing text
    /// is seen and nothing breaks.
    fn format(&self, key: &str, args: Option<&FluentArgs<'_>>) -> String {
        for index in [self.index, 0] {
            let bundle = &self.catalogue.bundles[index].1;
            if let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) {
                return bundle.format_pattern(pattern, args, &mut Vec::new()).into_owned();
            }
        }
        key.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_falls_back_to_wider_ones() {
        let tags: Vec<_> = Language::parse("zh-Hant-TW").unwrap().fallbacks().map(|l| l.to_string()).collect();
        assert_eq!(tags, ["zh-Hant-TW", "zh-Hant", "zh"]);
    }

    #[test]
    fn a_word_is_not_a_language() {
        for wrong in ["", "english", "日本語", "e", "und", "en_US_", "x"] {
            assert!(Language::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Language::parse("ZH-hant").unwrap().to_string(), "zh-Hant");
    }

    #[test]
    fn every_language_says_everything_that_english_says() {
        let keys = |files: &[&str]| -> std::collections::BTreeSet<String> {
            files
                .iter()
                .flat_map(|file| file.lines())
                .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
                .filter_map(|line| line.split_once('=').map(|(key, _)| key.trim().to_owned()))
                .collect()
        };
        let english = keys(SHIPPED[0].1);
        for (tag, files) in SHIPPED {
            let own = keys(files);
            assert_eq!(english.symmetric_difference(&own).collect::<Vec<_>>(), Vec::<&String>::new(), "{tag}");
        }
    }

    #[test]
    fn dates_are_said_as_people_say_them() {
        let catalogue = Catalogue::shipped();
        let day = jiff::civil::date(2027, 9, 24);
        let say = |tag: &str| catalogue.voice(&Language::parse(tag).unwrap()).date(day);
        assert_eq!(say("en"), "Friday, 24 September 2027");
        assert_eq!(say("ja"), "2027年9月24日（金）");
    }
}
