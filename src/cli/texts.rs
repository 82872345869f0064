//! `clarion texts`: what is left to translate, for a language that `[site] locales_dir` adds.

use super::{Context, Outcome, output};
use crate::language::Language;

/// Which language.
#[derive(clap::Args)]
pub struct TextsArguments {
    /// The language to translate into, like th or pt-BR
    language: String,
}

/// Prints the texts in English, as a file to be translated and saved in the folder of the
/// language.
pub fn run(arguments: &TextsArguments, context: &Context) -> anyhow::Result<Outcome> {
    let language = Language::parse(&arguments.language)?;
    let texts = context.config.catalogue.to_translate(&language);
    if texts.is_empty() {
        output::answer(context.json, format!("# Nothing is left to translate into {language}."), &texts)?;
    } else {
        output::answer(context.json, texts.trim_end(), &texts)?;
    }
    Ok(Outcome::Done)
}
