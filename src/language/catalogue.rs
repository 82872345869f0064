//! Everything that Clarion says, by language, and the voice that says it.

use super::shipped::{self, Rooms, SHIPPED, shipped_texts};
use super::{Language, overlay};
use crate::problem::Problem;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

/// What Clarion says, in every language it ships and in those that an overlay adds. Clones
/// share the texts.
#[derive(Clone)]
pub struct Catalogue {
    /// English is the first: it says everything.
    tongues: Arc<Vec<Tongue>>,
    overlay: Option<PathBuf>,
}

/// One language's texts.
struct Tongue {
    language: Language,
    texts: FluentBundle<Arc<FluentResource>>,
}

static SHIPPED_CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::of(&[], None));

impl Catalogue {
    /// The shipped texts.
    pub fn shipped() -> Self {
        SHIPPED_CATALOGUE.clone()
    }

    /// The shipped texts, with those of a folder over them: `th/*.ftl` adds Thai, `ja/*.ftl`
    /// says some things otherwise in Japanese. Every mistake in the folder is told; with an
    /// error among them the catalogue is the shipped one.
    pub fn with_overlay(folder: &Path) -> (Self, Vec<Problem>) {
        let (sheets, problems) = overlay::read(folder);
        if problems.iter().any(Problem::is_error) {
            return (Self::shipped(), problems);
        }
        (Self::of(&sheets, Some(folder.to_owned())), problems)
    }

    fn of(sheets: &[overlay::Sheet], folder: Option<PathBuf>) -> Self {
        let mut tongues: Vec<Tongue> = SHIPPED.iter().map(|(tag, rooms)| Tongue::shipped(tag, rooms)).collect();
        for sheet in sheets {
            let at = tongues.iter().position(|tongue| tongue.language == sheet.language).unwrap_or_else(|| {
                tongues.push(Tongue::empty(sheet.language.clone()));
                tongues.len() - 1
            });
            tongues[at].texts.add_resource_overriding(Arc::clone(&sheet.resource));
        }
        Self { tongues: Arc::new(tongues), overlay: folder }
    }

    /// The voice that speaks to a reader of `language`: in it, the nearest to it, or English.
    pub fn voice(&self, language: &Language) -> Voice {
        let position = |language: &Language| self.tongues.iter().position(|tongue| tongue.language == *language);
        let own = language.fallbacks().filter_map(|wider| position(&wider));
        let kin = language.nearest(self.tongues.iter().map(|tongue| &tongue.language)).and_then(position);
        let mut order: Vec<usize> = Vec::new();
        for index in own.chain(kin).chain([0]) {
            if !order.contains(&index) {
                order.push(index);
            }
        }
        Voice { catalogue: self.clone(), order: order.into() }
    }

    /// Whether a reader of `language` is spoken to in it, or in one near to it.
    pub fn speaks(&self, language: &Language) -> bool {
        language.nearest(self.tongues.iter().map(|tongue| &tongue.language)).is_some()
    }

    /// What the languages of the overlay do not say yet, as warnings: one for each file.
    pub fn gaps(&self) -> Vec<Problem> {
        let Some(folder) = &self.overlay else { return Vec::new() };
        let added = self.tongues.iter().skip(SHIPPED.len());
        added.flat_map(|tongue| overlay::gaps(folder, &tongue.language, &self.unsaid(&tongue.language))).collect()
    }

    /// The texts that `language` does not say yet, in English and in Fluent, to be translated;
    /// nothing where it says everything.
    pub fn to_translate(&self, language: &Language) -> String {
        self.unsaid(language).iter().map(|(room, keys)| shipped::excerpt(room, keys)).collect()
    }

    /// The keys, by file, that a reader of `language` hears in English, though it is not theirs.
    fn unsaid(&self, language: &Language) -> BTreeMap<&'static str, Vec<&'static str>> {
        let voice = self.voice(language);
        let mut unsaid: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (key, text) in shipped_texts("en") {
            let said = voice.order.iter().any(|index| *index != 0 && self.tongues[*index].texts.has_message(key));
            if !said && language.primary() != "en" {
                unsaid.entry(text.room).or_default().push(key);
            }
        }
        unsaid
    }
}

impl fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.tongues.iter().map(|tongue| &tongue.language)).finish()
    }
}

impl Tongue {
    fn empty(language: Language) -> Self {
        let mut texts = FluentBundle::new_concurrent(vec![language.0.clone()]);
        // Isolation marks are invisible characters that break subjects and plain text.
        texts.set_use_isolating(false);
        Self { language, texts }
    }

    #[expect(clippy::expect_used, reason = "the files are part of the program and every one is loaded by every test")]
    fn shipped(tag: &str, rooms: Rooms) -> Self {
        let mut tongue = Self::empty(Language::parse(tag).expect("a shipped language has a valid tag"));
        for (_, text) in rooms {
            let resource = FluentResource::try_new((*text).to_owned()).map_err(|(_, errors)| errors);
            let resource = resource.expect("a shipped text file is valid Fluent");
            tongue.texts.add_resource(Arc::new(resource)).expect("no shipped text is defined twice");
        }
        tongue.texts.set_formatter(Some(grouped));
        tongue
    }
}

/// A number with a comma before each three digits, as all shipped languages write it.
fn grouped<M>(value: &FluentValue<'_>, _: &M) -> Option<String> {
    let FluentValue::Number(number) = value else { return None };
    let digits = number.as_string();
    if digits.len() <= 3 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    Some(text)
}

/// The catalogue in one language.
#[derive(Clone)]
pub struct Voice {
    catalogue: Catalogue,
    /// The language spoken, then those it falls back to; English is the last.
    order: Arc<[usize]>,
}

impl Voice {
    /// The language spoken, for `lang` attributes round these texts.
    pub fn language(&self) -> &Language {
        &self.catalogue.tongues[self.order[0]].language
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

    /// A date and a time in a zone, like “Thursday, 24 September 2027, 09:00 (Asia/Tokyo)”.
    pub fn time(&self, at: &jiff::Zoned) -> String {
        let zone = at.time_zone().iana_name().unwrap_or("UTC").to_owned();
        let time = at.strftime("%H:%M").to_string();
        self.say_all("time-long", &[("date", self.date(at.date()).into()), ("time", time.into()), ("zone", zone.into())])
    }

    /// Several things in a row: “one, two, three”.
    pub fn list(&self, things: &[impl Borrow<str>]) -> String {
        things.join(&self.say("list-separator"))
    }

    /// The text in this language, else in the next of the order, else the key itself, so that a
    /// missing text is seen and nothing breaks.
    fn format(&self, key: &str, args: Option<&FluentArgs<'_>>) -> String {
        for index in self.order.iter() {
            let texts = &self.catalogue.tongues[*index].texts;
            if let Some(pattern) = texts.get_message(key).and_then(|message| message.value()) {
                return texts.format_pattern(pattern, args, &mut Vec::new()).into_owned();
            }
        }
        key.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_said_as_people_say_them() {
        let catalogue = Catalogue::shipped();
        let at = jiff::civil::date(2027, 9, 24).at(9, 0, 0, 0).in_tz("Asia/Tokyo").unwrap();
        for (tag, date, time) in [
            ("en", "Friday, 24 September 2027", "Friday, 24 September 2027, 09:00 (Asia/Tokyo)"),
            ("ja", "2027年9月24日（金）", "2027年9月24日（金）09:00（Asia/Tokyo）"),
            ("ko", "2027년 9월 24일 금요일", "2027년 9월 24일 금요일 09:00 (Asia/Tokyo)"),
            ("zh-Hans", "2027年9月24日 星期五", "2027年9月24日 星期五 09:00（Asia/Tokyo）"),
            ("zh-Hant", "2027年9月24日（星期五）", "2027年9月24日（星期五）09:00（Asia/Tokyo）"),
        ] {
            let voice = catalogue.voice(&Language::parse(tag).unwrap());
            assert_eq!(voice.date(at.date()), date);
            assert_eq!(voice.time(&at), time);
        }
    }

    #[test]
    fn great_numbers_can_be_read() {
        let english = Catalogue::shipped().voice(&Language::parse("en").unwrap());
        for (count, said) in [(1_i64, "1 person"), (999, "999 people"), (1000, "1,000 people"), (1_234_567, "1,234,567 people")] {
            assert_eq!(english.say_with("petition-people", "count", count), said);
        }
    }

    #[test]
    fn a_voice_speaks_the_nearest_language_and_else_english() {
        let catalogue = Catalogue::shipped();
        for (wanted, spoken) in [
            ("zh-TW", "zh-Hant"),
            ("zh-HK", "zh-Hant"),
            ("zh-CN", "zh-Hans"),
            ("zh", "zh-Hans"),
            ("ko-KP", "ko"),
            ("en-GB", "en"),
            ("th", "en"),
        ] {
            let wanted = Language::parse(wanted).unwrap();
            assert_eq!(catalogue.voice(&wanted).language().to_string(), spoken);
            assert_eq!(catalogue.speaks(&wanted), wanted.primary() != "th");
        }
    }
}
