//! Languages: tags (BCP 47), fallback, and the catalogue of everything Clarion itself says to
//! readers and subscribers.

mod catalogue;
mod mention;
mod names;
mod overlay;
mod shipped;

pub use catalogue::{Catalogue, Voice};

use crate::problem::{FromNode, Node, Reason, Table, Value};
use std::collections::BTreeMap;
use std::fmt;
use unic_langid::{LanguageIdentifier, subtags};

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

    /// The direction in which it is written, for `dir`.
    pub fn direction(&self) -> &'static str {
        match self.primary() {
            "ar" | "dv" | "fa" | "he" | "ps" | "sd" | "ug" | "ur" | "yi" => "rtl",
            _ => "ltr",
        }
    }

    /// This language and then ever wider ones of the same script: `zh-Hant-TW`, `zh-Hant`, `zh`.
    /// Where the script goes without saying it is said (CLDR, likely subtags): `zh-TW`,
    /// `zh-Hant`, `zh`; and `zh` alone is read as `zh-Hans`.
    pub fn fallbacks(&self) -> impl Iterator<Item = Self> + use<> {
        let mut chain = vec![self.clone()];
        let mut wider = self.0.clone();
        if wider.variants().len() > 0 {
            wider.clear_variants();
            chain.push(Self(wider.clone()));
        }
        if wider.region.take().is_some() {
            wider.script = self.script();
            chain.push(Self(wider.clone()));
        }
        if wider.script.take().is_some() {
            chain.push(Self(wider));
        } else if let Some(script) = self.script() {
            wider.script = Some(script);
            chain.push(Self(wider));
        }
        chain.into_iter()
    }

    /// The script, written in the tag or going without saying. Of Chinese only: elsewhere the
    /// tags that people write name a script where it matters.
    fn script(&self) -> Option<subtags::Script> {
        let implied = || match self.0.region.as_ref().map(subtags::Region::as_str) {
            Some("HK" | "MO" | "TW") => "Hant",
            _ => "Hans",
        };
        self.0.script.or_else(|| (self.primary() == "zh").then(implied)?.parse().ok())
    }

    /// Which of `known` a reader of this language reads most easily: itself, a wider one, else
    /// the same language in another region or script. Nothing where none is of their language.
    pub fn nearest<'k>(&self, known: impl IntoIterator<Item = &'k Self>) -> Option<&'k Self> {
        known.into_iter().filter_map(|known| Some((self.distance(known)?, known))).min_by_key(|(far, _)| *far).map(|(_, known)| known)
    }

    /// How far a text in `known` is from a reader of this language; `None`: foreign to them.
    fn distance(&self, known: &Self) -> Option<usize> {
        /// Further than every wider language.
        const KIN: usize = 10;
        self.fallbacks().position(|wider| wider == *known).or_else(|| {
            let same_script = self.script() == known.script();
            (self.primary() == known.primary()).then_some(if same_script { KIN } else { KIN + 1 })
        })
    }

    /// The language's own name, for menus; its tag where Clarion does not know it.
    pub fn own_name(&self) -> String {
        names::own_name(self).unwrap_or_else(|| self.to_string())
    }

    /// Whether Clarion knows what the language calls itself.
    pub fn has_name(&self) -> bool {
        names::own_name(self).is_some()
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
    /// The text for a reader of `language`: their own, the nearest to it, else the first there is.
    pub fn get(&self, language: &Language) -> &str {
        match self {
            Self::Same(text) => text,
            Self::By(texts) => {
                let own = language.nearest(texts.keys()).and_then(|language| texts.get(language));
                own.or_else(|| texts.values().next()).map_or("", String::as_str)
            }
        }
    }

    /// The text in every language that it is in.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let (same, by) = match self {
            Self::Same(text) => (Some(text), None),
            Self::By(texts) => (None, Some(texts)),
        };
        same.into_iter().chain(by.into_iter().flat_map(BTreeMap::values)).map(String::as_str)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn language(tag: &str) -> Language {
        Language::parse(tag).unwrap()
    }

    #[test]
    fn a_language_falls_back_to_wider_ones() {
        for (tag, expected) in [
            ("zh-Hant-TW", "zh-Hant-TW zh-Hant zh"),
            ("zh-TW", "zh-TW zh-Hant zh"),
            ("zh-HK", "zh-HK zh-Hant zh"),
            ("zh-MO", "zh-MO zh-Hant zh"),
            ("zh-CN", "zh-CN zh-Hans zh"),
            ("zh-SG", "zh-SG zh-Hans zh"),
            ("zh-Hant", "zh-Hant zh"),
            ("zh", "zh zh-Hans"),
            ("en-GB", "en-GB en"),
            ("ca-valencia", "ca-valencia ca"),
            ("ko", "ko"),
        ] {
            let tags: Vec<_> = language(tag).fallbacks().map(|wider| wider.to_string()).collect();
            assert_eq!(tags.join(" "), expected);
        }
    }

    #[test]
    fn the_nearest_language_is_the_own_then_a_wider_then_kin_and_never_a_foreign_one() {
        for (wanted, known, nearest) in [
            ("zh-Hant", "en zh-Hans zh-Hant", "zh-Hant"),
            ("zh-TW", "en zh-Hans zh-Hant", "zh-Hant"),
            ("zh-HK", "en zh-Hans zh-Hant", "zh-Hant"),
            ("zh-CN", "en zh-Hant zh-Hans", "zh-Hans"),
            ("zh", "en zh-Hant zh-Hans", "zh-Hans"),
            ("zh-Hant", "en zh-Hans zh-TW", "zh-TW"),
            ("zh-Hant", "en zh-Hans", "zh-Hans"),
            ("zh-TW", "en zh", "zh"),
            ("en-GB", "ja en", "en"),
            ("en-GB", "ja en-US", "en-US"),
            ("ko", "en ja", ""),
        ] {
            let known: Vec<Language> = known.split(' ').map(language).collect();
            let found = language(wanted).nearest(&known).map(ToString::to_string).unwrap_or_default();
            assert_eq!(found, nearest, "{wanted}");
        }
    }

    #[test]
    fn a_word_is_not_a_language() {
        for wrong in ["", "english", "日本語", "e", "und", "en_US_", "x"] {
            assert!(Language::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(language("ZH-hant").to_string(), "zh-Hant");
    }
}
