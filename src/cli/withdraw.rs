//! `clarion withdraw`: an article that endangers somebody is gone everywhere, at once.

use super::{Context, Outcome, output};
use crate::content::{self, Listed};
use crate::db::Db;
use crate::{delivery, petition, subscription};
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{BufRead as _, IsTerminal as _, Write as _};

/// Which article, and how sure.
#[derive(Clone, Debug, clap::Args)]
pub struct WithdrawArguments {
    /// Its address, file, slug, id, or number in `content list`.
    #[arg(required_unless_present = "undo")]
    article: Option<String>,
    /// Leave its translations published.
    #[arg(long)]
    only: bool,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    /// Let the file of a withdrawn article be read again: the number that was told then.
    #[arg(long, value_name = "NUMBER", conflicts_with = "article")]
    undo: Option<i64>,
}

/// Runs the command.
pub async fn run(arguments: &WithdrawArguments, context: &Context) -> anyhow::Result<Outcome> {
    let db = Db::open(&context.config.database).await?;
    let outcome = match (arguments.undo, &arguments.article) {
        (Some(number), _) => undo(&db, context, number).await,
        (None, Some(wanted)) => withdraw(&db, context, arguments, wanted).await,
        (None, None) => Ok(Outcome::ProblemFound),
    };
    db.close().await;
    outcome
}

async fn withdraw(db: &Db, context: &Context, arguments: &WithdrawArguments, wanted: &str) -> anyhow::Result<Outcome> {
    let site = &context.config.site;
    let mut connection = db.reader().acquire().await?;
    let meant = content::meant(&mut connection, site, wanted).await?;
    if meant.is_empty() {
        return Ok(output::refuse(format!("No article is called {wanted}: look for its file or number with  clarion content list")));
    }
    let all = content::with_translations(&mut connection, &meant).await?;
    drop(connection);
    let one_article = all.len() == meant.len() || meant.len() == 1;
    if meant.len() > 1 && !one_article || (meant.len() > 1 && arguments.only) {
        show(context, &meant);
        return Ok(output::refuse("Several articles may be meant. Say which by its number."));
    }
    let articles = if arguments.only { meant } else { all };
    if !arguments.yes && !agreed(context, &articles)? {
        return Ok(output::refuse("Nothing was withdrawn."));
    }
    let ids: Vec<i64> = articles.iter().map(|article| article.id).collect();
    let mut tx = db.begin().await?;
    let now = context.clock.now();
    let mut mailings = Vec::new();
    for (slug, edition) in editions(&articles) {
        mailings.extend(petition::withdraw(&mut tx, &slug, &edition, now).await?);
    }
    let names: Vec<String> = articles.iter().flat_map(|article| [article.title.clone(), article.path.clone()]).collect();
    let stopped = delivery::withdraw(&mut tx, &ids, &mailings, &names, now).await?;
    subscription::reconsider(&mut tx, &stopped.again).await?;
    content::withdraw(&mut tx, site, &ids, now).await?;
    tx.commit().await?;
    let wiped = db.checkpoint().await?;
    let words = told(&articles, &stopped, wiped);
    let value = json!({ "withdrawn": ids, "stopped": stopped.mails, "in_doubt": stopped.in_doubt, "sent": stopped.sent });
    output::answer(context.json, words, &value)?;
    Ok(Outcome::Done)
}

/// The editions of petitions whose pages are among these.
fn editions(articles: &[Listed]) -> BTreeSet<(String, String)> {
    let pages = articles.iter().filter(|article| article.source == "petition");
    pages.filter_map(|article| petition::edition_of(&article.path)).map(|(slug, edition)| (slug.to_owned(), edition.to_owned())).collect()
}

/// What was done, and what only people can do.
fn told(articles: &[Listed], stopped: &delivery::Stopped, wiped: bool) -> String {
    let mut words = format!(
        "Withdrawn. A daemon that runs takes it out of pages, feeds and archives within seconds.\n\
         Mails stopped: {}. Perhaps just handed over: {}. Sent before: {}.\n\n\
         Clarion cannot reach what follows. Delete what is still there:",
        stopped.mails, stopped.in_doubt, stopped.sent
    );
    for article in articles {
        let place = if article.source == "petition" { "the folder of the petition" } else { "in the content folder or on its own site" };
        let _ = write!(words, "\n  {}: {place}", article.path);
    }
    words.push_str("\n  backups, mails kept as files, and logs of web servers that name its address\n\nIf this was a mistake:");
    for article in articles {
        let _ = write!(words, "\n  clarion withdraw --undo {}", article.id);
    }
    if !wiped {
        words.push_str("\n\nThe database's journal is in use and may still hold the text: restart the daemon once.");
    }
    words
}

fn show(context: &Context, articles: &[Listed]) {
    let rows: Vec<[String; 5]> = articles
        .iter()
        .map(|article| {
            let day = article.published_at.in_zone(&context.config.site.time_zone).strftime("%Y-%m-%d").to_string();
            [article.id.to_string(), day, article.language.to_string(), article.path.clone(), article.title.clone()]
        })
        .collect();
    output::table(["NUMBER", "DATE", "LANGUAGE", "FILE", "TITLE"], &rows);
}

/// Asks whoever sits at a terminal; a program must say `--yes`.
fn agreed(context: &Context, articles: &[Listed]) -> anyhow::Result<bool> {
    show(context, articles);
    if !std::io::stdin().is_terminal() {
        output::line("Say  --yes  to withdraw this for good.");
        return Ok(false);
    }
    print!("Withdraw this for good? Its text is wiped from the database. Type yes: ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

async fn undo(db: &Db, context: &Context, number: i64) -> anyhow::Result<Outcome> {
    let mut tx = db.begin().await?;
    let undone = content::undo_withdrawal(&mut tx, number).await?;
    tx.commit().await?;
    if !undone {
        return Ok(output::refuse(format!("No article was withdrawn under the number {number}.")));
    }
    let words = "Its file is read again, and published as a new article if it is still there.";
    output::answer(context.json, words, &json!({ "undone": number }))?;
    Ok(Outcome::Done)
}
