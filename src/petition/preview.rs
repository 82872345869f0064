//! What a step would send, to look at.

use super::file::Whom;
use super::office::Office;
use super::plan::{Reach, count};
use super::render::{mailing_key, render, without_slots};
use crate::language::Language;
use anyhow::bail;

/// A step's mail in one language, its personal links leading to the site.
#[derive(Clone, Debug)]
pub struct PreviewText {
    /// Its language.
    pub language: Language,
    /// How many people would get it now.
    pub readers: u64,
    /// One line.
    pub subject: String,
    /// The plain text.
    pub body_text: String,
    /// A whole HTML document.
    pub body_html: String,
}

/// A step's mails, in one language or all. Nothing is stored or sent.
pub async fn preview(office: &Office, slug: &str, step: &str, only: Option<&Language>) -> anyhow::Result<Vec<PreviewText>> {
    let (folder, problems) = office.read(slug, None);
    let Some((_, file)) = &folder.file else {
        let list: Vec<String> = problems.iter().map(ToString::to_string).collect();
        bail!("the petition {slug} cannot be read:\n{}", list.join("\n"));
    };
    let Some(step) = file.steps.iter().find(|known| known.name == step) else {
        let names: Vec<&str> = file.steps.iter().map(|step| step.name.as_str()).collect();
        bail!("the petition {slug} has no step “{step}”; it has {}", names.join(", "));
    };
    let edition = file.edition.name();
    let mut connection = office.db.reader().acquire().await?;
    let counts = count(&mut connection, slug, &edition, &[Reach::of(file, step, &folder)]).await?.pop().unwrap_or_default();
    let key = mailing_key(slug, &edition, &step.name);
    let page = office.site.link("/");
    let mut texts = Vec::new();
    for (language, text) in folder.texts.of(&step.text).filter(|(language, _)| only.is_none_or(|only| only == *language)) {
        let readers = counts.by_language.get(language).copied().unwrap_or(0);
        let mail = render(office, &key, slug, language, text, step.to != Whom::Acted, readers)?;
        texts.push(PreviewText {
            language: mail.language,
            readers,
            subject: mail.subject,
            body_text: without_slots(&mail.body_text, &mail.mark, &page),
            body_html: without_slots(&mail.body_html, &mail.mark, &page),
        });
    }
    if texts.is_empty() {
        bail!("the step “{}” has no text in that language", step.name);
    }
    Ok(texts)
}
