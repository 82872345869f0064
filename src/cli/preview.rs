//! `clarion preview`: what would be sent, without sending it.

use super::digest::find;
use super::output::{json, line};
use super::{Context, Outcome};
use crate::addressbook::Stream;
use crate::digest::{self, PreviewGroup, Rendered};
use crate::language::Language;
use crate::mail::Draft;
use crate::petition::{self, PreviewText};
use crate::vault::Vault;
use anyhow::Context as _;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What to look at.
#[derive(clap::Subcommand)]
pub enum PreviewCommand {
    /// The mails that a digest would send now, one for each group of readers
    Digest {
        /// The name of the digest
        name: String,
        /// In which language, and where to
        #[command(flatten)]
        how: How,
    },
    /// The mails of one step of a petition
    Petition {
        /// The petition
        slug: String,
        /// The step
        step: String,
        /// In which language, and where to
        #[command(flatten)]
        how: How,
    },
}

/// How to look at it.
#[derive(clap::Args)]
pub struct How {
    /// In this language only
    #[arg(long, value_name = "LANGUAGE")]
    lang: Option<String>,
    /// The folder to write to
    #[arg(long, value_name = "DIR", default_value = "preview")]
    out: PathBuf,
}

/// Runs the command.
pub async fn run(command: PreviewCommand, context: &Context) -> anyhow::Result<Outcome> {
    match command {
        PreviewCommand::Digest { name, how } => digest(&name, how.language()?.as_ref(), &how.out, context).await,
        PreviewCommand::Petition { slug, step, how } => petition(&slug, &step, how.language()?.as_ref(), &how.out, context).await,
    }
}

impl How {
    fn language(&self) -> anyhow::Result<Option<Language>> {
        Ok(self.lang.as_deref().map(Language::parse).transpose()?)
    }
}

async fn petition(slug: &str, step: &str, language: Option<&Language>, out: &Path, context: &Context) -> anyhow::Result<Outcome> {
    let office = super::petition::office(context).await?;
    super::petition::known(&office, slug).await?;
    let folder = Folder { path: out, context, vault: &office.vault, stream: Stream::Petitions };
    let mut mails = Vec::new();
    for text in petition::preview(&office, slug, step, language).await? {
        let PreviewText { language, readers, subject, body_text, body_html } = text;
        let rendered = Rendered { subject, body_text, body_html };
        let files = folder.write(&format!("{step}.{language}"), &rendered)?;
        mails.push(ListedText { language, subject: rendered.subject, readers, files });
    }
    if context.json {
        json(&mails)?;
    } else {
        for mail in &mails {
            tell_mail(&mail.subject, &mail.language, &format!("readers: {}", mail.readers), &mail.files);
        }
    }
    Ok(Outcome::Done)
}

/// One mail of a petition, as programs see it.
#[derive(Serialize)]
struct ListedText {
    language: Language,
    subject: String,
    readers: u64,
    files: Vec<PathBuf>,
}

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
    let (db, vault) = context.open().await?;
    let preview = {
        let mut connection = db.reader().acquire().await?;
        digest::preview(&mut connection, settings, &context.config.site, &context.config.catalogue).await?
    };
    let folder = Folder { path: out, context, vault: &vault, stream: Stream::News };
    let wanted = preview.groups.iter().filter(|group| language.is_none_or(|language| group.language == *language));
    let mut mails = Vec::new();
    for (number, group) in (1..).zip(wanted) {
        mails.push(folder.take(&format!("{name}-{number}.{}", group.language), group)?);
    }
    let summary = Summary { digest: name.to_owned(), mails, waiting: preview.waiting, nothing_new: preview.nothing };
    if context.json {
        json(&summary)?;
    } else {
        tell(&summary);
    }
    Ok(Outcome::Done)
}

/// Where previews are written.
struct Folder<'a> {
    path: &'a Path,
    context: &'a Context,
    vault: &'a Vault,
    stream: Stream,
}

impl Folder<'_> {
    fn take(&self, stem: &str, group: &PreviewGroup) -> anyhow::Result<Listed> {
        Ok(Listed {
            language: group.language.clone(),
            subject: group.rendered.subject.clone(),
            articles: group.articles,
            readers: group.readers,
            files: self.write(stem, &group.rendered)?,
        })
    }

    /// Writes a mail as HTML, as text and as a mail program keeps it.
    fn write(&self, stem: &str, rendered: &Rendered) -> anyhow::Result<Vec<PathBuf>> {
        std::fs::create_dir_all(self.path).with_context(|| format!("the folder {} cannot be made", self.path.display()))?;
        let message = self.message(stem, rendered)?;
        let mut files = Vec::new();
        for (extension, bytes) in [("html", rendered.body_html.as_bytes()), ("txt", rendered.body_text.as_bytes()), ("eml", &message)] {
            let file = self.path.join(format!("{stem}.{extension}"));
            std::fs::write(&file, bytes).with_context(|| format!("{} cannot be written", file.display()))?;
            files.push(file);
        }
        Ok(files)
    }

    /// The mail as a mail program opens it, addressed to the sender: it belongs to no reader.
    fn message(&self, stem: &str, rendered: &Rendered) -> anyhow::Result<Vec<u8>> {
        let mail = &self.context.config.mail;
        let host = self.context.config.site.base_url.host_str().unwrap_or("localhost");
        let draft = Draft {
            from: &mail.from,
            to: &mail.from.address,
            reply_to: mail.reply_to.as_ref(),
            subject: &rendered.subject,
            text: &rendered.body_text,
            html: &rendered.body_html,
            date: self.context.clock.now(),
            identity: &self.vault.identity("preview", &[stem]),
            list_id: &format!("{}.{host}", self.stream),
            unsubscribe: None,
            unsubscribe_mail: None,
            feedback_id: "preview",
        };
        draft.build()
    }
}

fn tell_mail(subject: &str, language: &Language, counts: &str, files: &[PathBuf]) {
    line(format_args!("{subject}  [{language}]"));
    line(format_args!("  {counts}"));
    for file in files {
        line(format_args!("  {}", file.display()));
    }
}

fn tell(summary: &Summary) {
    for mail in &summary.mails {
        let counts = format!("articles: {}, readers: {}", mail.articles, mail.readers);
        tell_mail(&mail.subject, &mail.language, &counts, &mail.files);
    }
    if summary.mails.is_empty() {
        line(format_args!("The digest “{}” has nothing to send now.", summary.digest));
    }
    line(format_args!("Readers with too few new articles, who wait: {}. With nothing new: {}.", summary.waiting, summary.nothing_new));
}
