//! `clarion content`: the articles in the store, what is wrong with files, removals that wait.

use super::output;
use super::{Context, Outcome};
use crate::content;
use crate::problem::Severity;

/// What to do with the content store.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum ContentCommand {
    /// List the articles, the newest first, with their state.
    List,
    /// Show what is wrong in the content folder, and removals that wait for a decision.
    Problems,
    /// Let go of the articles whose files vanished in a crowd.
    AcceptRemovals,
}

/// Runs the command.
pub async fn run(command: ContentCommand, context: &Context) -> anyhow::Result<Outcome> {
    let (db, _) = context.open().await?;
    let outcome = match command {
        ContentCommand::List => list(&db, context).await,
        ContentCommand::Problems => problems(&db, context).await,
        ContentCommand::AcceptRemovals => accept_removals(&db, context).await,
    };
    db.close().await;
    outcome
}

async fn list(db: &crate::db::Db, context: &Context) -> anyhow::Result<Outcome> {
    let articles = content::listing(&mut *db.reader().acquire().await?).await?;
    if context.json {
        output::json(&articles)?;
        return Ok(Outcome::Done);
    }
    let rows: Vec<[String; 5]> = articles
        .into_iter()
        .map(|article| {
            let day = article.published_at.in_zone(&context.config.site.time_zone).strftime("%Y-%m-%d").to_string();
            [day, article.state.to_string(), article.language.to_string(), article.path, article.title]
        })
        .collect();
    output::table(["DATE", "STATE", "LANGUAGE", "FILE", "TITLE"], &rows);
    Ok(Outcome::Done)
}

async fn problems(db: &crate::db::Db, context: &Context) -> anyhow::Result<Outcome> {
    let mut connection = db.reader().acquire().await?;
    let problems = content::problems(&mut connection).await?;
    let held = content::held_removals(&mut connection).await?;
    let found = !held.is_empty() || problems.iter().any(|problem| problem.severity == Severity::Error);
    if context.json {
        output::json(&serde_json::json!({ "problems": problems, "held_removals": held }))?;
    } else {
        for problem in &problems {
            output::line(problem);
        }
        for removal in &held {
            output::line(format!("{}: its file vanished with many others; “{}” stays published", removal.path, removal.title));
        }
        if !held.is_empty() {
            output::line("Put the files back, or run  clarion content accept-removals");
        } else if problems.is_empty() {
            output::line("Nothing is wrong.");
        }
    }
    Ok(if found { Outcome::ProblemFound } else { Outcome::Done })
}

async fn accept_removals(db: &crate::db::Db, context: &Context) -> anyhow::Result<Outcome> {
    let mut tx = db.begin().await?;
    let accepted = content::accept_removals(&mut tx, context.clock.now()).await?;
    tx.commit().await?;
    if context.json {
        output::json(&serde_json::json!({ "accepted": accepted }))?;
    } else {
        output::line(match accepted {
            0 => "No removal waits.".to_owned(),
            1 => "1 article was removed.".to_owned(),
            many => format!("{many} articles were removed."),
        });
    }
    Ok(Outcome::Done)
}
