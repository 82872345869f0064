//! `clarion mailing`: who got what, and a hand on what is being sent. People appear by number.

mod report;
mod watch;

use super::output::{json, line, refuse, table};
use super::{Context, Outcome, sending};
use crate::clock::Timestamp;
use crate::db::{Db, Tx};
use crate::delivery::{self, Again, DeliveryState, Summary};

/// Mailings that `list` shows.
const SHOWN: i64 = 50;

/// What to do with mailings.
#[derive(clap::Subcommand)]
pub enum MailingCommand {
    /// Shows the newest mailings, with what became of their mails
    List,
    /// Shows one mailing
    Show {
        /// Its number
        id: i64,
    },
    /// Follows a mailing while it is sent: how far it is, how fast, how long it will take
    Watch {
        /// Its number
        id: i64,
    },
    /// Stops a mailing for a while
    Pause {
        /// Its number
        id: i64,
    },
    /// Lets a paused or held mailing go on
    Resume {
        /// Its number
        id: i64,
    },
    /// Ends a mailing; what was not sent is never sent
    Cancel {
        /// Its number
        id: i64,
    },
    /// Sends again what failed or is held in doubt
    Retry {
        /// Its number
        id: i64,
        /// Only what failed
        #[arg(long, conflicts_with = "held")]
        failed: bool,
        /// Only what is held because nobody knows whether it arrived
        #[arg(long)]
        held: bool,
    },
    /// Lists every mail of a mailing: the number of the person, what became of it, and why
    Report {
        /// Its number
        id: i64,
        /// As comma-separated values, for a spreadsheet
        #[arg(long)]
        csv: bool,
    },
}

/// Runs the command.
pub async fn run(command: MailingCommand, context: &Context) -> anyhow::Result<Outcome> {
    let db = Db::open(&context.config.database).await?;
    let outcome = match command {
        MailingCommand::List => list(&db, context).await,
        MailingCommand::Show { id } => show(&db, id, context).await,
        MailingCommand::Watch { id } => watch::run(&db, id, context).await,
        MailingCommand::Pause { id } => pause(&db, id, context).await,
        MailingCommand::Resume { id } => resume(&db, id, context).await,
        MailingCommand::Cancel { id } => cancel(&db, id, context).await,
        MailingCommand::Retry { id, failed, held } => retry(&db, id, Again::of(failed, held), context).await,
        MailingCommand::Report { id, csv } => report::run(&db, id, csv, context).await,
    };
    db.close().await;
    outcome
}

async fn list(db: &Db, context: &Context) -> anyhow::Result<Outcome> {
    let mut connection = db.reader().acquire().await?;
    let mailings = delivery::newest_mailings(&mut connection, SHOWN).await?;
    if context.json {
        json(&mailings)?;
        return Ok(Outcome::Done);
    }
    sending::tell(&mut connection, context).await?;
    if mailings.is_empty() {
        line("There is no mailing yet.");
        return Ok(Outcome::Done);
    }
    let rows: Vec<_> = mailings
        .iter()
        .map(|mailing| {
            let (kind, state) = (mailing.kind.to_string(), mailing.state.to_string());
            [mailing.id.to_string(), local(mailing.made_at, context), kind, state, sums(mailing), mailing.title.clone()]
        })
        .collect();
    table(["ID", "MADE", "KIND", "STATE", "MAILS", "TITLE"], &rows);
    Ok(Outcome::Done)
}

async fn show(db: &Db, id: i64, context: &Context) -> anyhow::Result<Outcome> {
    let mut connection = db.reader().acquire().await?;
    let Some(mailing) = delivery::mailing_summary(&mut connection, id).await? else { return Ok(unknown(id)) };
    if context.json {
        json(&mailing)?;
        return Ok(Outcome::Done);
    }
    let at = |instant: Option<Timestamp>| instant.map_or_else(|| "–".to_owned(), |instant| local(instant, context));
    let state = match &mailing.reason {
        Some(reason) => format!("{} ({reason})", mailing.state),
        None => mailing.state.to_string(),
    };
    let came_back = delivery::bounce_counts(&mut connection, id).await?;
    let came_back: Vec<String> = came_back.iter().map(|(cause, count)| format!("{count} {cause}")).collect();
    for (name, value) in [
        ("title", mailing.title.clone()),
        ("key", mailing.key.clone()),
        ("kind", mailing.kind.to_string()),
        ("state", state),
        ("made", at(Some(mailing.made_at))),
        ("not before", at(Some(mailing.not_before))),
        ("deadline", at(mailing.deadline)),
        ("finished", at(mailing.finished_at)),
        ("mails", sums(&mailing)),
        ("came back", if came_back.is_empty() { "none".to_owned() } else { came_back.join(", ") }),
    ] {
        line(format_args!("{name:<11} {value}"));
    }
    Ok(Outcome::Done)
}

async fn pause(db: &Db, id: i64, context: &Context) -> anyhow::Result<Outcome> {
    let mut tx = db.begin().await?;
    let done = delivery::pause(&mut tx, id).await?;
    conclude(tx, id, done, "Paused: what has not left waits. Let it go on with: clarion mailing resume", context).await
}

async fn resume(db: &Db, id: i64, context: &Context) -> anyhow::Result<Outcome> {
    let mut tx = db.begin().await?;
    let done = delivery::resume(&mut tx, id).await?;
    conclude(tx, id, done, "It goes on.", context).await
}

async fn cancel(db: &Db, id: i64, context: &Context) -> anyhow::Result<Outcome> {
    let mut tx = db.begin().await?;
    let skipped = delivery::cancel(&mut tx, id, "cancelled by staff", context.clock.now()).await?;
    let cancelled = delivery::mailing_summary(&mut tx, id).await?.is_some_and(|mailing| mailing.state.as_str() == "cancelled");
    conclude(tx, id, cancelled, &format!("Cancelled: {skipped} mails are not sent."), context).await
}

async fn retry(db: &Db, id: i64, what: Again, context: &Context) -> anyhow::Result<Outcome> {
    let mut tx = db.begin().await?;
    let again = delivery::retry(&mut tx, id, what, context.clock.now()).await?;
    conclude(tx, id, again > 0, &format!("{again} mails are sent again."), context).await
}

/// Commits and says what was done, or where the mailing stands that it could not be done to.
async fn conclude(mut tx: Tx, id: i64, done: bool, words: &str, context: &Context) -> anyhow::Result<Outcome> {
    let Some(mailing) = delivery::mailing_summary(&mut tx, id).await? else { return Ok(unknown(id)) };
    tx.commit().await?;
    if context.json {
        json(&mailing)?;
    } else if done {
        line(words);
    } else {
        line(format_args!("Nothing to do: mailing {id} is {} ({}).", mailing.state, sums(&mailing)));
    }
    Ok(if done { Outcome::Done } else { Outcome::ProblemFound })
}

fn unknown(id: i64) -> Outcome {
    refuse(format_args!("there is no mailing {id}; see: clarion mailing list"))
}

fn local(at: Timestamp, context: &Context) -> String {
    at.in_zone(&context.config.site.time_zone).strftime("%Y-%m-%d %H:%M").to_string()
}

/// “12 sent, 3 queued”.
fn sums(mailing: &Summary) -> String {
    let parts: Vec<String> = DeliveryState::ALL
        .iter()
        .filter_map(|state| mailing.deliveries.get(state).map(|count| format!("{count} {}", state.as_str().replace('_', " "))))
        .collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}
