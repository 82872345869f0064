//! `clarion digest`: the next runs, and a hand on them.

use super::output::{json, line, refuse, table};
use super::{Context, Outcome};
use crate::clock::Timestamp;
use crate::digest::{self, NextRun, Settings, Standing};
use serde::Serialize;

/// What to do with digests.
#[derive(Clone, clap::Subcommand)]
pub enum DigestCommand {
    /// Shows every digest: its schedule, its last and next run, whether it is held.
    List,
    /// Holds a digest: nothing of it is sent until it is released.
    Hold {
        /// The digest.
        name: String,
    },
    /// Releases a held digest; what was missed meanwhile goes out in one mail.
    Release {
        /// The digest.
        name: String,
    },
    /// Skips the next run; what it would have carried comes with the one after.
    Skip {
        /// The digest.
        name: String,
    },
}

/// Runs the command.
pub async fn run(command: DigestCommand, context: &Context) -> anyhow::Result<Outcome> {
    match command {
        DigestCommand::List => list(context).await,
        DigestCommand::Hold { name } => with_digest(context, &name, hold).await,
        DigestCommand::Release { name } => with_digest(context, &name, release).await,
        DigestCommand::Skip { name } => with_digest(context, &name, skip).await,
    }
}

/// A digest, as programs see it.
#[derive(Serialize)]
struct Listed {
    name: String,
    cron: String,
    time_zone: String,
    /// In the digest's time zone, with its offset.
    last: Option<String>,
    last_state: Option<digest::RunState>,
    next: Option<String>,
    due: bool,
    held_since: Option<String>,
}

fn listed(settings: &Settings, standing: &Standing) -> Listed {
    let local = |at: Timestamp| at.in_zone(&settings.time_zone).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
    Listed {
        name: settings.name.clone(),
        cron: settings.schedule.as_str().to_owned(),
        time_zone: zone_name(settings),
        last: standing.last.map(|run| local(run.scheduled_at)),
        last_state: standing.last.map(|run| run.state),
        next: standing.next.at().map(local),
        due: matches!(standing.next, NextRun::Due(_)),
        held_since: standing.held_since.map(local),
    }
}

fn zone_name(settings: &Settings) -> String {
    settings.time_zone.iana_name().unwrap_or("UTC").to_owned()
}

async fn list(context: &Context) -> anyhow::Result<Outcome> {
    let (db, _) = context.open().await?;
    let now = context.clock.now();
    let mut connection = db.reader().acquire().await?;
    let mut standings = Vec::new();
    for settings in &context.config.digests {
        standings.push((settings, digest::standing(&mut connection, settings, now).await?));
    }
    if context.json {
        let rows: Vec<Listed> = standings.iter().map(|(settings, standing)| listed(settings, standing)).collect();
        json(&rows)?;
        return Ok(Outcome::Done);
    }
    if standings.is_empty() {
        line("No digest is configured. Add a [[digest]] section to have one.");
        return Ok(Outcome::Done);
    }
    let rows: Vec<[String; 5]> = standings
        .iter()
        .map(|(settings, standing)| {
            let last = standing.last.map_or("never yet".to_owned(), |run| format!("{} ({})", local(settings, run.scheduled_at), run.state));
            [
                settings.name.clone(),
                format!("{} {}", settings.schedule.as_str(), zone_name(settings)),
                last,
                next(settings, standing),
                held(settings, standing),
            ]
        })
        .collect();
    table(["DIGEST", "SCHEDULE", "LAST RUN", "NEXT RUN", "HELD"], &rows);
    Ok(Outcome::Done)
}

fn local(settings: &Settings, at: Timestamp) -> String {
    at.in_zone(&settings.time_zone).strftime("%a %Y-%m-%d %H:%M").to_string()
}

fn next(settings: &Settings, standing: &Standing) -> String {
    match standing.next {
        NextRun::Due(at) => format!("{} (due)", local(settings, at)),
        NextRun::Later(at) => local(settings, at),
        NextRun::Never => "never".to_owned(),
    }
}

fn held(settings: &Settings, standing: &Standing) -> String {
    standing.held_since.map_or("no".to_owned(), |since| format!("since {}", local(settings, since)))
}

/// The digest with a name; if there is none, says which there are.
pub(super) fn find<'a>(context: &'a Context, name: &str) -> Option<&'a Settings> {
    let found = context.config.digests.iter().find(|digest| digest.name == name);
    if found.is_none() {
        let known: Vec<&str> = context.config.digests.iter().map(|digest| digest.name.as_str()).collect();
        refuse(format_args!("there is no digest “{name}”; there are: {}", known.join(", ")));
    }
    found
}

async fn with_digest(
    context: &Context,
    name: &str,
    act: impl AsyncFnOnce(&Settings, &mut sqlx::AnyConnection, Timestamp) -> anyhow::Result<String>,
) -> anyhow::Result<Outcome> {
    let Some(settings) = find(context, name) else { return Ok(Outcome::ProblemFound) };
    let (db, _) = context.open().await?;
    let mut tx = db.begin().await?;
    let now = context.clock.now();
    let done = act(settings, &mut tx, now).await?;
    let standing = digest::standing(&mut tx, settings, now).await?;
    tx.commit().await?;
    if context.json {
        json(&listed(settings, &standing))?;
    } else {
        line(done);
        line(format_args!("Next run: {}. Held: {}.", next(settings, &standing), held(settings, &standing)));
    }
    Ok(Outcome::Done)
}

async fn hold(settings: &Settings, connection: &mut sqlx::AnyConnection, now: Timestamp) -> anyhow::Result<String> {
    let new = digest::hold(connection, &settings.name, now).await?;
    Ok(if new {
        format!("The digest “{0}” is held. Nothing of it is made until: clarion digest release {0}", settings.name)
    } else {
        format!("The digest “{}” was held already.", settings.name)
    })
}

async fn release(settings: &Settings, connection: &mut sqlx::AnyConnection, _: Timestamp) -> anyhow::Result<String> {
    let was_held = digest::release(connection, &settings.name).await?;
    Ok(if was_held {
        format!("The digest “{}” is released.", settings.name)
    } else {
        format!("The digest “{}” was not held.", settings.name)
    })
}

async fn skip(settings: &Settings, connection: &mut sqlx::AnyConnection, now: Timestamp) -> anyhow::Result<String> {
    let skipped = digest::skip(connection, settings, now).await?;
    Ok(match skipped {
        Some(at) => format!("The run of {} is skipped; what is new by then comes with the next.", local(settings, at)),
        None => "There is no run to skip.".to_owned(),
    })
}
