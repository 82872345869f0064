//! `clarion preview`: what would be sent, without sending it.

use super::digest::find;
use super::output::{json, line};
use super::{Context, Outcome};
use crate::digest::{self, PreviewGroup};
use crate::language::{Catalogue, Language};
use anyhow::Context as _;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Where previews go unless told otherwise.
pub const DEFAULT_OUT: &str = "preview";

/// One mail of a digest, as programs see it.
#[derive(Serialize)]
struct Listed {
    language: Language,
    subject: String,
    articles: usize,
    readers: usize,
    files: Vec<PathBuf>,
}

/// All of a digest.
#[derive(Serialize)]
struct Summary {
    digest: String,
    mails: Vec<Listed>,
    waiting: usize,
    nothing_new: usize,
}

/// Writes what a digest would send now to each group of its readers, and tells the counts. No
/// watermark moves.
pub async fn digest(name: &str, language: Option<&Language>, out: &Path, context: &Context) -> anyhow::Result<Outcome> {
    let Some(settings) = find(context, name) else { return Ok(Outcome::ProblemFound) };
    let (db, _) = context.open().await?;
    let preview = {
        let mut connection = db.reader().acquire().await?;
        digest::preview(&mut connection, settings, &context.config.site, &Catalogue::shipped()).await?
    };
    let wanted = preview.groups.iter().filter(|group| language.is_none_or(|language| group.language == *language));
    let mut mails = Vec::new();
    for (number, group) in (1..).zip(wanted) {
        mails.push(write(name, number, group, out)?);
    }
    let summary = Summary { digest: name.to_owned(), mails, waiting: preview.waiting, nothing_new: preview.nothing };
    if context.json {
        json(&summary)?
    } else {
        tell(&summary)
    }
    Ok(Outcome::Done)
}

fn write(name: &str, number: u32, group: &PreviewGroup, out: &Path) -> anyhow::Result<Listed> {
    std::fs::create_dir_all(out).with_context(|| format!("the folder {} cannot be made", out.display()))?;
    let mut files = Vec::new();
    for (extension, text) in [("html", &group.rendered.body_html), ("txt", &group.rendered.body_text)] {
        let file = out.join(format!("{name}-{number}.{}.{extension}", group.language));
        std::fs::write(&file, text).with_context(|| format!("{} cannot be written", file.display()))?;
        files.push(file);
    }
    Ok(Listed {
        language: group.language.clone(),
        subject: group.rendered.subject.clone(),
        articles: group.articles,
        readers: group.readers,
        files,
    })
}

fn tell(summary: &Summary) {
    for mail in &summary.mails {
        line(format_args!("{}  [{}]", mail.subject, mail.language));
        line(format_args!("  articles: {}, readers: {}", mail.articles, mail.readers));
        for file in &mail.files {
            line(format_args!("  {}", file.display()));
        }
    }
    if summary.mails.is_empty() {
        line(format_args!("The digest “{}” has nothing to send now.", summary.digest));
    }
    line(format_args!("Readers with too few new articles, who wait: {}. With nothing new: {}.", summary.waiting, summary.nothing_new));
}
