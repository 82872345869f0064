//! `clarion demo`: everything Clarion does, in a temporary folder, in about a minute, with a
//! clock of its own and mail to files.

mod stage;

use super::{Outcome, output};
use stage::{Mail, Stage};
use std::io::IsTerminal as _;

/// How to show it.
#[derive(clap::Args)]
pub(super) struct DemoArguments {
    /// End after the tour instead of serving on, so that pages can be opened.
    #[arg(long)]
    exit: bool,
}

const SUBSCRIBER: &str = "hana@example.org";
const FIRST_ARTICLE: &str = include_str!("../../../templates/demo/first.md");
const SECOND_ARTICLE: &str = include_str!("../../../templates/demo/second.md");
const SECOND_ARTICLE_JA: &str = include_str!("../../../templates/demo/second.ja.md");

pub(super) async fn run(arguments: DemoArguments) -> anyhow::Result<Outcome> {
    let stage = Stage::open("2027-09-04T12:00:00+09:00").await?;
    output::line(format!(
        "A week of a small organisation, in about a minute.\n\n  folder   {}\n  site     {}\n  mail     {}\n  clock    Saturday 4 September 2027, noon in Tokyo: the tour moves it on",
        stage.folder().display(),
        stage.base(),
        stage.mail_folder().display(),
    ));
    article(&stage).await?;
    let way_in = subscribe(&stage).await?;
    stage.post(&way_in, &[]).await?;
    output::line("  pressed  the button on that page: the subscription is confirmed");
    let digest = digest(&stage).await?;
    petition(&stage).await?;
    leave(&stage, &digest).await?;
    finish(stage, &arguments).await
}

async fn article(stage: &Stage) -> anyhow::Result<()> {
    heading("1. An article is saved, and is in the feeds");
    stage.write("content/a-family-reaches-seoul.md", FIRST_ARTICLE)?;
    for path in ["/feed.xml", "/category/defectors/atom.xml", "/feed.json"] {
        stage.wait_for(path, "A family reaches Seoul").await?;
        shown("feed", &stage.url(path));
    }
    shown("page", &stage.url("/"));
    Ok(())
}

/// Returns the link to confirm.
async fn subscribe(stage: &Stage) -> anyhow::Result<String> {
    heading("2. Somebody subscribes and confirms");
    shown("form", &stage.url("/subscribe"));
    stage.subscribe(SUBSCRIBER).await?;
    let mail = stage.mail_to(SUBSCRIBER, "/confirm/").await?;
    mail_shown(&mail);
    let link = mail.link("/confirm/")?;
    shown("page", &link);
    Ok(link)
}

async fn digest(stage: &Stage) -> anyhow::Result<Mail> {
    heading("3. On Monday at eight the digest brings what is new, in the reader's language");
    stage.set_clock("2027-09-05T12:00:00+09:00")?;
    stage.write("content/report-from-the-river.md", SECOND_ARTICLE)?;
    stage.write("content/report-from-the-river.ja.md", SECOND_ARTICLE_JA)?;
    stage.wait_for("/feed.xml", "Report from the river").await?;
    stage.set_clock("2027-09-06T08:00:30+09:00")?;
    let mail = stage.mail_to(SUBSCRIBER, "Report from the river").await?;
    mail_shown(&mail);
    Ok(mail)
}

async fn petition(stage: &Stage) -> anyhow::Result<()> {
    heading("4. A petition: staff save it, the chair approves it, supporters are called");
    let file = stage.write_petition()?;
    shown("wrote", &file);
    stage.advance(&["2027-09-06T09:00:00+09:00", "2027-09-06T09:01:00+09:00"]).await?;
    mail_shown(&stage.mail_to("office@example.org", "/stop/").await?);
    stage.advance(&["2027-09-06T09:03:30+09:00"]).await?;
    let question = stage.mail_to("chair@example.org", "/approve/").await?;
    mail_shown(&question);
    let link = question.link("/approve/")?;
    shown("page", &link);
    stage.post(&link, &[("step", "call")]).await?;
    output::line("  pressed  “Approve” on that page; ten minutes remain to stop it");
    stage.set_clock("2027-09-10T09:00:30+09:00")?;
    let alert = stage.mail_to(SUBSCRIBER, "/petitions/").await?;
    mail_shown(&alert);
    shown("page", &stage.url("/petitions/save-north-korean-refugees-day/"));
    Ok(())
}

async fn leave(stage: &Stage, digest: &Mail) -> anyhow::Result<()> {
    heading("5. One click, and no further mail");
    let link = digest.link("/unsubscribe/")?;
    shown("page", &link);
    stage.post(&link, &[("List-Unsubscribe", "One-Click")]).await?;
    stage.set_clock("2027-09-11T12:00:00+09:00")?;
    stage.write("content/later.md", &SECOND_ARTICLE.replace("Report from the river", "A later report").replace("09-05", "09-11"))?;
    stage.wait_for("/feed.xml", "A later report").await?;
    let before = stage.count_mails_to(SUBSCRIBER)?;
    stage.advance(&["2027-09-13T08:00:30+09:00"]).await?;
    anyhow::ensure!(stage.count_mails_to(SUBSCRIBER)? == before, "somebody who left was mailed");
    output::line("  Monday   came and went: nothing was sent");
    Ok(())
}

async fn finish(stage: Stage, arguments: &DemoArguments) -> anyhow::Result<Outcome> {
    heading("Look round");
    output::line(format!("  Everything is in {}: articles, petition, mails, database, key.", stage.folder().display()));
    if arguments.exit || !std::io::stdout().is_terminal() {
        stage.close().await?;
        return Ok(Outcome::Done);
    }
    output::line(format!("  The site stays at {} until you press Ctrl-C.", stage.base()));
    tokio::signal::ctrl_c().await?;
    stage.close().await?;
    Ok(Outcome::Done)
}

fn heading(text: &str) {
    output::line(format!("\n{text}"));
}

fn shown(what: &str, where_to: &str) {
    output::line(format!("  {what:<8} {where_to}"));
}

fn mail_shown(mail: &Mail) {
    output::line(format!("  mail     {}\n           “{}”", mail.path().display(), mail.subject()));
}
