//! `clarion inbound`: takes in a message that a mail server hands over, and shows what waits for
//! staff.

use super::{Context, Outcome, output};
use crate::inbound::{self, Desk, Kind, LONGEST_MESSAGE, Letter};
use std::io::{self, IsTerminal as _, Read as _, Write as _};

/// What to do with mail that came in.
#[derive(clap::Subcommand)]
pub enum InboundCommand {
    /// List what came in, was not understood and waits for you
    List,
    /// Show one message
    Show {
        /// Its number
        id: i64,
        /// As it came, with everything in it
        #[arg(long)]
        raw: bool,
    },
    /// Forget messages
    Drop {
        /// Their numbers
        #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
        ids: Vec<i64>,
        /// All that wait
        #[arg(long)]
        all: bool,
    },
}

/// Runs the command.
pub async fn run(command: Option<InboundCommand>, context: &Context) -> anyhow::Result<Outcome> {
    match command {
        None => receive(context).await,
        Some(InboundCommand::List) => list(context).await,
        Some(InboundCommand::Show { id, raw }) => show(id, raw, context).await,
        Some(InboundCommand::Drop { ids, all }) => forget(ids, all, context).await,
    }
}

async fn receive(context: &Context) -> anyhow::Result<Outcome> {
    if io::stdin().is_terminal() {
        return Ok(output::refuse(
            "this takes a message on standard input, from a mail server; to see what waits for you: clarion inbound list",
        ));
    }
    let message = tokio::task::spawn_blocking(read_message).await??;
    let (db, vault) = context.open().await?;
    let config = &context.config;
    let rhythms: Vec<String> = config.digests.iter().map(|digest| digest.name.clone()).collect();
    let desk = Desk::new(db.clone(), vault, context.clock.clone(), config.site.clone(), &config.mail, &config.inbound, &rhythms);
    let kind = desk.receive(&message).await?;
    db.close().await;
    // Mail servers send what is printed back to the sender.
    if context.json {
        output::json(&serde_json::json!({ "kind": kind }))?;
    }
    Ok(Outcome::Done)
}

/// As much as is read; the rest is taken too, so that whoever hands it over is not cut short.
fn read_message() -> io::Result<Vec<u8>> {
    let mut message = Vec::new();
    let mut input = io::stdin().lock();
    input.by_ref().take(LONGEST_MESSAGE as u64).read_to_end(&mut message)?;
    io::copy(&mut input, &mut io::sink())?;
    Ok(message)
}

async fn list(context: &Context) -> anyhow::Result<Outcome> {
    let (db, vault) = context.open().await?;
    let mut connection = db.reader().acquire().await?;
    let kept = inbound::kept(&mut connection).await?;
    if context.json {
        output::json(&kept)?;
        return Ok(Outcome::Done);
    }
    if kept.is_empty() {
        output::line("Nothing waits for you.");
        return Ok(Outcome::Done);
    }
    let mut rows = Vec::new();
    for one in kept {
        let subject = match inbound::open_kept(&mut connection, &vault, one.id).await? {
            Some(message) => Letter::read(&message).subject,
            None => continue,
        };
        let came = one.came_at.in_zone(&context.config.site.time_zone).strftime("%Y-%m-%d %H:%M").to_string();
        rows.push([one.id.to_string(), came, words(one.kind).to_owned(), subject.chars().take(60).collect()]);
    }
    output::table(["NUMBER", "CAME", "WHAT", "SUBJECT"], &rows);
    Ok(Outcome::Done)
}

fn words(kind: Kind) -> &'static str {
    match kind {
        Kind::Unproven => "a report that proves nothing",
        _ => "not understood",
    }
}

async fn show(id: i64, raw: bool, context: &Context) -> anyhow::Result<Outcome> {
    let (db, vault) = context.open().await?;
    let mut connection = db.reader().acquire().await?;
    let Some(message) = inbound::open_kept(&mut connection, &vault, id).await? else { return Ok(unknown(id)) };
    if raw {
        io::stdout().write_all(&message)?;
        return Ok(Outcome::Done);
    }
    let letter = Letter::read(&message);
    if context.json {
        output::json(&letter)?;
        return Ok(Outcome::Done);
    }
    for (name, value) in [("From", &letter.from), ("To", &letter.to), ("Date", &letter.date), ("Subject", &letter.subject)] {
        output::line(format_args!("{name:<8} {value}"));
    }
    output::line(format_args!("\n{}", letter.text));
    Ok(Outcome::Done)
}

/// Forgets these messages, or all; where one of them is not kept, none.
async fn forget(mut ids: Vec<i64>, all: bool, context: &Context) -> anyhow::Result<Outcome> {
    let (db, _) = context.open().await?;
    let mut tx = db.begin().await?;
    if all {
        ids = inbound::kept(&mut tx).await?.iter().map(|kept| kept.id).collect();
    }
    ids.sort_unstable();
    ids.dedup();
    for id in &ids {
        if !inbound::drop_kept(&mut tx, *id).await? {
            return Ok(unknown(*id));
        }
    }
    tx.commit().await?;
    let words = match ids.len() {
        0 => "Nothing waits for you.".to_owned(),
        1 => "Forgotten.".to_owned(),
        many => format!("{many} messages are forgotten."),
    };
    output::answer(context.json, &words, &serde_json::json!({ "dropped": ids }))?;
    Ok(Outcome::Done)
}

fn unknown(id: i64) -> Outcome {
    output::refuse(format_args!("no message {id} is kept; see: clarion inbound list"))
}
