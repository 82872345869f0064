//! The texts that are part of the program, as files and as what they mention.

use super::mention::{Mention, mentions};
use fluent_syntax::ast::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// The files of one shipped language, by name.
pub(super) type Rooms = &'static [(&'static str, &'static str)];

/// Names the files once: every language has the same.
macro_rules! shipped {
    ($($tag:literal),+) => { &[$(($tag, shipped!(@ $tag; "common", "reading", "subscription", "digest", "petition", "delivery", "notice"))),+] };
    (@ $tag:literal; $($room:literal),+) => {
        &[$((concat!($room, ".ftl"), include_str!(concat!("../../locales/", $tag, "/", $room, ".ftl")))),+]
    };
}

/// The shipped texts: Fluent files under `locales/`, one per language and room. English is the
/// first.
pub(super) const SHIPPED: &[(&str, Rooms)] = shipped!("en", "ja", "ko", "zh-Hans", "zh-Hant");

/// One text of a shipped language.
pub(super) struct ShippedText {
    /// The file it is in.
    pub(super) room: &'static str,
    /// The variables it is given, as far as it or what it mentions uses them.
    pub(super) variables: BTreeSet<&'static str>,
    mentions: Vec<Mention<'static>>,
}

/// Every text of a shipped language by its key; none, if it is not shipped.
pub(super) fn shipped_texts(tag: &str) -> BTreeMap<&'static str, ShippedText> {
    let mut texts = BTreeMap::new();
    for (room, file) in SHIPPED.iter().filter(|(known, _)| *known == tag).flat_map(|(_, rooms)| *rooms) {
        // That they are valid is seen when the catalogue is made.
        let resource = fluent_syntax::parser::parse_runtime(*file).unwrap_or_else(|(resource, _)| resource);
        for entry in resource.body {
            if let Entry::Message(message) = entry
                && let Some(pattern) = message.value
            {
                let mentions = mentions(&pattern);
                texts.insert(message.id.name, ShippedText { room, variables: BTreeSet::new(), mentions });
            }
        }
    }
    let variables: Vec<_> = texts.values().map(|text| variables(text, &texts)).collect();
    texts.values_mut().zip(variables).for_each(|(text, variables)| text.variables = variables);
    texts
}

/// What a text mentions it hands its variables to, so that counts here as its own.
fn variables(text: &ShippedText, texts: &BTreeMap<&'static str, ShippedText>) -> BTreeSet<&'static str> {
    let of = |mention: &Mention<'static>| match mention {
        Mention::Variable(name) => BTreeSet::from([*name]),
        Mention::Message(key) => texts.get(key).map(|mentioned| variables(mentioned, texts)).unwrap_or_default(),
        Mention::Term(_) | Mention::Function(_) => BTreeSet::new(),
    };
    text.mentions.iter().flat_map(of).collect()
}

/// Some texts of an English file, in the order of the file.
pub(super) fn excerpt(room: &str, keys: &[&str]) -> String {
    let english = SHIPPED[0].1.iter().find(|(name, _)| *name == room).map_or("", |(_, text)| text);
    let mut resource = fluent_syntax::parser::parse_runtime(english).unwrap_or_else(|(resource, _)| resource);
    resource.body.retain(|entry| matches!(entry, Entry::Message(message) if keys.contains(&message.id.name)));
    format!("# {room}\n{}\n", fluent_syntax::serializer::serialize(&resource))
}

#[cfg(test)]
mod tests {
    use super::super::{Catalogue, Language};
    use super::*;
    use fluent_bundle::concurrent::FluentBundle;
    use fluent_bundle::{FluentArgs, FluentResource};
    use fluent_syntax::ast::{Expression, InlineExpression, Pattern, PatternElement};

    /// Everything of a text that is not a placeholder, in every branch of it.
    fn words(pattern: &Pattern<&str>) -> String {
        let of = |element: &PatternElement<&str>| match element {
            PatternElement::Placeable { expression: Expression::Select { variants, .. } } => {
                variants.iter().map(|variant| words(&variant.value)).collect()
            }
            PatternElement::TextElement { value }
            | PatternElement::Placeable { expression: Expression::Inline(InlineExpression::StringLiteral { value }) } => {
                (*value).to_owned()
            }
            PatternElement::Placeable { .. } => String::new(),
        };
        pattern.elements.iter().map(of).collect()
    }

    fn words_by_key(rooms: Rooms) -> BTreeMap<&'static str, String> {
        let parse = |file: &'static str| fluent_syntax::parser::parse_runtime(file).expect("valid Fluent").body;
        let texts = rooms.iter().flat_map(|(_, file)| parse(file)).filter_map(|entry| match entry {
            Entry::Message(message) => Some((message.id.name, words(&message.value.expect("a text")))),
            _ => None,
        });
        texts.collect()
    }

    #[test]
    fn every_folder_of_locales_is_shipped_with_every_file() {
        let names = |folder: &str| -> BTreeSet<String> {
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
        };
        let shipped: BTreeSet<String> = SHIPPED.iter().map(|(tag, _)| (*tag).to_owned()).collect();
        assert_eq!(names("locales"), shipped);
        for (tag, rooms) in SHIPPED {
            let files: BTreeSet<String> = rooms.iter().map(|(name, _)| (*name).to_owned()).collect();
            assert_eq!(names(&format!("locales/{tag}")), files, "{tag}");
        }
    }

    #[test]
    fn every_language_says_what_english_says_with_the_same_variables_in_the_same_file() {
        let english = shipped_texts("en");
        for (tag, _) in SHIPPED {
            let own = shipped_texts(tag);
            for (key, text) in &english {
                let Some(said) = own.get(key) else { panic!("{tag} does not say {key}") };
                assert_eq!(said.room, text.room, "{tag} {key}");
                assert_eq!(said.variables, text.variables, "{tag} {key}");
            }
            let alone: Vec<_> = own.keys().filter(|key| !english.contains_key(*key)).collect();
            assert!(alone.is_empty(), "{tag} says what English does not: {alone:?}");
        }
    }

    #[test]
    fn nothing_is_left_in_english() {
        let english = words_by_key(SHIPPED[0].1);
        // Word for word the same in any language.
        let same = |key: &str| english[key].chars().filter(|c| c.is_alphabetic()).count() < 2;
        for (tag, rooms) in &SHIPPED[1..] {
            for (key, words) in words_by_key(rooms).iter().filter(|(key, _)| !same(key)) {
                assert!(words.chars().any(|c| c.is_alphabetic() && !c.is_ascii()), "{tag} {key} says {words:?}");
            }
        }
    }

    #[test]
    fn every_text_can_be_said_with_any_number() {
        for (tag, rooms) in SHIPPED {
            let language = Language::parse(tag).unwrap();
            let mut bundle = FluentBundle::new_concurrent(vec![language.0.clone()]);
            bundle.set_use_isolating(false);
            for (_, file) in *rooms {
                bundle.add_resource(FluentResource::try_new((*file).to_owned()).unwrap()).unwrap();
            }
            let voice = Catalogue::shipped().voice(&language);
            assert_eq!(*voice.language(), language);
            for (key, text) in shipped_texts(tag) {
                for number in [0_i64, 1, 2, 1000] {
                    let mut args = FluentArgs::new();
                    for name in &text.variables {
                        match *name {
                            "count" | "weekday" | "month" | "day" => args.set(*name, number),
                            name => args.set(name, format!("<{name}>")),
                        }
                    }
                    let mut errors = Vec::new();
                    let pattern = bundle.get_message(key).unwrap().value().unwrap();
                    let said = bundle.format_pattern(pattern, Some(&args), &mut errors);
                    assert!(errors.is_empty(), "{tag} {key}: {errors:?}");
                    assert!(!said.trim().is_empty() || key.ends_with("separator"), "{tag} {key} is empty");
                    assert!(!key.ends_with("-subject") || !said.contains('\n'), "{tag} {key} has two lines");
                }
            }
        }
    }
}
