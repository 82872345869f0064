//! What a step would send, as files to look at.

use super::file::Whom;
use super::office::Office;
use super::render::{mailing_key, render, without_slots};
use crate::language::Language;
use anyhow::{Context as _, bail};
use std::path::{Path, PathBuf};

/// Writes a step's mail as `STEP.LANG.html` and `STEP.LANG.txt` into a folder, in one language
/// or all, and returns the files. Nothing is stored or sent.
pub fn preview(office: &Office, slug: &str, step: &str, only: Option<&Language>, out: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let (folder, problems) = office.read(slug, None);
    let Some((_, file)) = &folder.file else {
        let list: Vec<String> = problems.iter().map(ToString::to_string).collect();
        bail!("the petition {slug} cannot be read:\n{}", list.join("\n"));
    };
    let Some(step) = file.steps.iter().find(|known| known.name == step) else {
        let names: Vec<&str> = file.steps.iter().map(|step| step.name.as_str()).collect();
        bail!("the petition {slug} has no step “{step}”; it has {}", names.join(", "));
    };
    std::fs::create_dir_all(out).with_context(|| format!("the folder {} cannot be made", out.display()))?;
    let key = mailing_key(slug, &file.edition.name(), &step.name);
    let mut written = Vec::new();
    for (language, text) in folder.texts.of(&step.text).filter(|(language, _)| only.is_none_or(|only| only == *language)) {
        let mail = render(office, &key, slug, language, text, step.to != Whom::Acted, 0)?;
        let page = office.site.link("/");
        let plain = format!("Subject: {}\n\n{}\n", mail.subject, without_slots(&mail.body_text, &mail.mark, &page));
        for (ending, content) in [("html", without_slots(&mail.body_html, &mail.mark, &page)), ("txt", plain)] {
            let path = out.join(format!("{}.{language}.{ending}", step.name));
            std::fs::write(&path, content).with_context(|| format!("{} cannot be written", path.display()))?;
            written.push(path);
        }
    }
    if written.is_empty() {
        bail!("the step “{}” has no text in that language", step.name);
    }
    Ok(written)
}
