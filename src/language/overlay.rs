//! A folder of texts that add to the shipped ones or replace them: `th/common.ftl`.
//!
//! The names of the files in a language's folder are free; those of Clarion's own are a good
//! choice.

use super::Language;
use super::mention::{Mention, mentions};
use super::shipped::{ShippedText, shipped_texts};
use crate::problem::{Problem, Reason, Source};
use fluent_bundle::FluentResource;
use fluent_syntax::ast::{Entry, Message, Pattern, PatternElement};
use fluent_syntax::parser::{ErrorKind, ParserError};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file of an overlay.
pub(super) struct Sheet {
    pub(super) language: Language,
    pub(super) resource: Arc<FluentResource>,
    source: Source,
}

impl Sheet {
    /// A problem at a part of the parsed text, which is a slice of the parser's copy of it.
    fn problem(&self, part: &str, reason: Reason) -> Problem {
        let start = (part.as_ptr() as usize).saturating_sub(self.resource.source().as_ptr() as usize);
        self.source.problem(start..start + part.len(), reason)
    }
}

/// Reads a folder, and tells every mistake in it.
pub(super) fn read(folder: &Path) -> (Vec<Sheet>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut sheets = Vec::new();
    for path in entries(folder, &mut problems) {
        if path.is_dir() {
            sheets.extend(read_language(&path, &mut problems));
        } else if is_ftl(&path) {
            let remedy = "move it into a folder named after its language, like th/common.ftl";
            problems.push(Problem::of_file(path, Reason::new("this file is in the folder of no language", remedy)));
        }
    }
    let languages: BTreeSet<&Language> = sheets.iter().map(|sheet| &sheet.language).collect();
    for language in languages {
        let own: Vec<&Sheet> = sheets.iter().filter(|sheet| sheet.language == *language).collect();
        problems.extend(judge(language, &own));
    }
    (sheets, problems)
}

/// What is in a folder, in order; hidden files are nobody's business.
fn entries(folder: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let listed = std::fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>());
    let mut paths = listed.unwrap_or_else(|error| {
        let remedy = "make the folder and let Clarion's user read it, or remove `site.locales_dir` from the configuration";
        problems.push(Problem::of_file(folder, Reason::new(format!("the folder of texts cannot be read: {error}"), remedy)));
        Vec::new()
    });
    paths.retain(|path| !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')));
    paths.sort();
    paths
}

fn is_ftl(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("ftl"))
}

fn read_language(folder: &Path, problems: &mut Vec<Problem>) -> Vec<Sheet> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let language = match Language::parse(&name) {
        Ok(language) => language,
        Err(reason) => {
            problems.push(Problem::of_file(
                folder,
                Reason::new(reason.message, format!("name the folder after its language: {}", reason.remedy)),
            ));
            return Vec::new();
        }
    };
    let files: Vec<PathBuf> = entries(folder, problems).into_iter().filter(|path| is_ftl(path)).collect();
    files.iter().filter_map(|path| read_sheet(path, &language, problems)).collect()
}

fn read_sheet(path: &Path, language: &Language, problems: &mut Vec<Problem>) -> Option<Sheet> {
    let bytes = std::fs::read(path).map_err(|error| {
        let reason = Reason::new(format!("the file cannot be read: {error}"), "let Clarion's user read it, or remove it");
        problems.push(Problem::of_file(path, reason));
    });
    let source = Source::from_bytes(path, &bytes.ok()?).map_err(|problem| problems.push(*problem)).ok()?;
    match FluentResource::try_new(source.text().to_owned()) {
        Ok(resource) => Some(Sheet { language: language.clone(), resource: Arc::new(resource), source }),
        Err((_, errors)) => {
            problems.extend(errors.into_iter().map(|error| syntax(&source, error)));
            None
        }
    }
}

/// A mistake in the form of a file (Fluent 1.0).
fn syntax(source: &Source, error: ParserError) -> Problem {
    let remedy = match error.kind {
        ErrorKind::MissingDefaultVariant | ErrorKind::MultipleDefaultVariants => "put one star before one of the variants: *[other] …",
        ErrorKind::UnbalancedClosingBrace => "write { before it, or {\"}\"} for a brace that is to be read",
        ErrorKind::UnterminatedStringLiteral => "end the text in quotes on its own line",
        _ => "write  key = text  at the beginning of a line; what goes on below begins with spaces, not with a tab",
    };
    let mut message = error.kind.to_string();
    message.get_mut(..1).into_iter().for_each(str::make_ascii_lowercase);
    source.problem(error.pos, Reason::new(message, remedy))
}

/// What is known of a language while its sheets are looked at.
struct Judge<'s> {
    english: BTreeMap<&'static str, ShippedText>,
    /// Keys that there are: in the sheets, and shipped in this language.
    messages: BTreeSet<&'s str>,
    /// Terms of the sheets.
    terms: BTreeSet<&'s str>,
    /// Keys that another text of the sheets mentions.
    mentioned: BTreeSet<&'s str>,
}

/// Every mistake in the texts of one language.
fn judge(language: &Language, sheets: &[&Sheet]) -> Vec<Problem> {
    let texts: Vec<(&Sheet, &Message<&str>)> = sheets.iter().flat_map(|sheet| messages(sheet)).collect();
    let mut judge = Judge {
        english: shipped_texts("en"),
        messages: shipped_texts(&language.to_string()).into_keys().collect(),
        terms: sheets.iter().flat_map(|sheet| terms(sheet)).collect(),
        mentioned: BTreeSet::new(),
    };
    judge.messages.extend(texts.iter().map(|(_, message)| message.id.name));
    for mention in texts.iter().filter_map(|(_, message)| message.value.as_ref()).flat_map(mentions) {
        if let Mention::Message(key) = mention {
            judge.mentioned.insert(key);
        }
    }
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    for (sheet, message) in texts {
        if !seen.insert(message.id.name) {
            let reason = Reason::new(format!("`{}` is said twice in {language}", message.id.name), "remove one of the two");
            problems.push(sheet.problem(message.id.name, reason));
        }
        problems.extend(judge.text(message).into_iter().map(|(part, reason, is_error)| {
            let problem = sheet.problem(part, reason);
            if is_error { problem } else { problem.as_warning() }
        }));
    }
    problems
}

impl<'s> Judge<'s> {
    /// The mistakes in one text: the part that is wrong, why, and whether the file cannot be
    /// used with it.
    fn text(&self, message: &Message<&'s str>) -> Vec<(&'s str, Reason, bool)> {
        let key = message.id.name;
        let Some(pattern) = &message.value else {
            return vec![(key, Reason::new(format!("`{key}` has no text"), "write the text after the ="), true)];
        };
        let mut found: Vec<_> = mentions(pattern).into_iter().filter_map(|mention| self.mention(key, mention)).collect();
        if !self.english.contains_key(key) && !self.mentioned.contains(key) {
            found.push((key, self.unknown(key), false));
        }
        if key.ends_with("-subject") && has_line_break(pattern) {
            let reason = Reason::new("the subject of a mail is one line", "write all of it on the line of its key");
            found.push((key, reason, true));
        }
        found
    }

    fn mention(&self, key: &'s str, mention: Mention<'s>) -> Option<(&'s str, Reason, bool)> {
        let (part, reason) = match mention {
            Mention::Variable(name) => {
                let given = &self.english.get(key)?.variables;
                (!given.contains(name)).then(|| (name, Reason::new(format!("`{key}` is not given ${name}"), variables_to_use(given))))?
            }
            Mention::Message(other) if !self.messages.contains(other) => {
                (other, Reason::new(format!("there is no text `{other}` in this language"), "write that text too, or do not mention it"))
            }
            Mention::Term(term) if !self.terms.contains(term) => {
                (term, Reason::new(format!("there is no term -{term} in this language"), format!("add  -{term} = …  or do not mention it")))
            }
            Mention::Function(name) => (name, Reason::new(format!("there is no function {name}"), "use the variable without a function")),
            Mention::Message(_) | Mention::Term(_) => return None,
        };
        Some((part, reason, true))
    }

    fn unknown(&self, key: &str) -> Reason {
        let near = self.english.keys().map(|known| (strsim::damerau_levenshtein(known, key), *known)).min();
        let remedy = match near {
            Some((distance, known)) if distance <= key.len().div_ceil(3) => format!("did you mean `{known}`?"),
            _ => "remove it; what Clarion says is printed by  clarion texts LANGUAGE  for a language it does not know".to_owned(),
        };
        Reason::new(format!("Clarion never says `{key}`"), remedy)
    }
}

fn variables_to_use(given: &BTreeSet<&str>) -> String {
    if given.is_empty() {
        return "write it without variables".to_owned();
    }
    format!("use {}", given.iter().map(|name| format!("${name}")).collect::<Vec<_>>().join(", "))
}

fn has_line_break(pattern: &Pattern<&str>) -> bool {
    pattern.elements.iter().any(|element| matches!(element, PatternElement::TextElement { value } if value.contains('\n')))
}

fn messages(sheet: &Sheet) -> impl Iterator<Item = (&Sheet, &Message<&str>)> {
    sheet.resource.entries().filter_map(move |entry| match entry {
        Entry::Message(message) => Some((sheet, message)),
        _ => None,
    })
}

fn terms(sheet: &Sheet) -> impl Iterator<Item = &str> {
    sheet.resource.entries().filter_map(|entry| match entry {
        Entry::Term(term) => Some(term.id.name),
        _ => None,
    })
}

/// What a language of the overlay does not say: keys by file.
pub(super) fn gaps(folder: &Path, language: &Language, unsaid: &BTreeMap<&str, Vec<&str>>) -> Vec<Problem> {
    let warning = |(room, keys): (&&str, &Vec<&str>)| {
        let count = if keys.len() == 1 { "one text is".to_owned() } else { format!("{} texts are", keys.len()) };
        let message = format!("{count} not said in {language}, but in English: {}", keys.join(", "));
        let remedy = format!("translate what  clarion texts {language}  prints");
        Problem::of_file(folder.join(language.to_string()).join(room), Reason::new(message, remedy)).as_warning()
    };
    unsaid.iter().map(warning).collect()
}
