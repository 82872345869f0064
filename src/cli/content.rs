//! `clarion content`: the articles in the store, what is wrong with files, removals that wait.

use super::{Context, Outcome};
use super::{draft, output};
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
    /// Mail a link to a draft, or print it: who has the link sees the draft, for thirty days.
    Preview {
        /// Its file, its id, or its name in addresses.
        article: String,
        /// Who gets the link.
        #[arg(long, value_name = "ADDRESS")]
        to: Vec<String>,
    },
    /// List the sites that are followed, and how that goes.
    Sources,
    /// Let go of every article of a site that is no longer followed.
    Release {
        /// The name it had in the configuration.
        source: String,
    },
}

/// Runs the command.
pub async fn run(command: ContentCommand, context: &Context) -> anyhow::Result<Outcome> {
    let (db, vault) = context.open().await?;
    let outcome = match command {
        ContentCommand::List => list(&db, context).await,
        ContentCommand::Problems => problems(&db, context).await,
        ContentCommand::AcceptRemovals => accept_removals(&db, context).await,
        ContentCommand::Preview { article, to } => draft::preview(&db, &vault, context, &article, &to).await,
        ContentCommand::Sources => sources(&db, context).await,
        ContentCommand::Release { source } => release(&db, context, &source).await,
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
            [day, article.state.to_string(), article.language.to_string(), place(&article.source, &article.path), article.title]
        })
        .collect();
    output::table(["DATE", "STATE", "LANGUAGE", "FILE", "TITLE"], &rows);
    Ok(Outcome::Done)
}

/// Where an article is kept: its file, or the site that is followed and its key there.
fn place(source: &str, path: &str) -> String {
    if source.contains(':') { format!("{source}: {path}") } else { path.to_owned() }
}

async fn sources(db: &crate::db::Db, context: &Context) -> anyhow::Result<Outcome> {
    let sources = content::sources(&mut *db.reader().acquire().await?, &context.config.content.sources).await?;
    if context.json {
        output::json(&sources)?;
        return Ok(Outcome::Done);
    }
    let shown = |instant: Option<crate::clock::Timestamp>| match instant {
        Some(instant) => instant.in_zone(&context.config.site.time_zone).strftime("%Y-%m-%d %H:%M").to_string(),
        None => "never".to_owned(),
    };
    let rows: Vec<[String; 5]> = sources
        .into_iter()
        .map(|source| {
            let state = match (source.configured, source.failures) {
                (false, _) => "no longer followed; see  clarion content release".to_owned(),
                (true, 0) => "in order".to_owned(),
                (true, failures) => format!("failed {failures} times; see  clarion content problems"),
            };
            [source.name, source.articles.to_string(), shown(source.polled_at), shown(source.next_poll_at), state]
        })
        .collect();
    output::table(["SOURCE", "ARTICLES", "READ", "NEXT", "STATE"], &rows);
    Ok(Outcome::Done)
}

async fn release(db: &crate::db::Db, context: &Context, name: &str) -> anyhow::Result<Outcome> {
    if context.config.content.sources.iter().any(|source| source.name == name) {
        anyhow::bail!("the source {name} is still followed: remove its [[content.source]] from the configuration first");
    }
    let mut tx = db.begin().await?;
    let released = content::release_source(&mut tx, name, context.clock.now()).await?;
    tx.commit().await?;
    if context.json {
        output::json(&serde_json::json!({ "released": released }))?;
    } else {
        output::line(match released {
            0 => format!("No article came from a source called {name}."),
            1 => "1 article was removed.".to_owned(),
            many => format!("{many} articles were removed."),
        });
    }
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
            output::line(format!(
                "{}: it vanished with many others; “{}” stays published",
                place(&removal.source, &removal.path),
                removal.title
            ));
        }
        if !held.is_empty() {
            output::line("Put them back, or run  clarion content accept-removals");
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
