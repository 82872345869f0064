//! `clarion petition`: the staff's view of petitions, and a hand on them.

use super::{Context, Outcome, output};
use crate::address::Address;
use crate::clock::Timestamp;
use crate::mail::{self, TransportSettings};
use crate::petition::{self, FileState, Office, Outlook, PlannedStep, StepState};
use crate::problem::Severity;
use crate::task::Kick;
use anyhow::{Context as _, bail};
use jiff::civil::Date;
use serde_json::json;

/// What to do with petitions.
#[derive(clap::Subcommand)]
pub enum PetitionCommand {
    /// Make the folder of a new petition, as a draft
    New {
        /// Its name in addresses, like refugees-day
        slug: String,
        /// The day of the edition [default: in three months]
        #[arg(long, value_name = "YYYY-MM-DD")]
        day: Option<Date>,
    },
    /// List the petitions
    List,
    /// Show mistakes, times and counts of one petition
    Plan {
        /// The petition
        slug: String,
    },
    /// Approve a step in an approver's name
    Approve {
        /// The petition
        slug: String,
        /// The step
        step: String,
        /// The approver's mail address
        #[arg(long = "as", value_name = "ADDRESS")]
        approver: String,
        /// The edition [default: the folder's]
        #[arg(long)]
        edition: Option<String>,
    },
    /// Stop a petition: nothing more of it goes out
    Stop {
        /// The petition
        slug: String,
        /// The edition [default: the folder's]
        #[arg(long)]
        edition: Option<String>,
    },
    /// Take a stop back
    Resume {
        /// The petition
        slug: String,
        /// The edition [default: the folder's]
        #[arg(long)]
        edition: Option<String>,
    },
}

/// Runs the command.
pub async fn run(command: PetitionCommand, context: &Context) -> anyhow::Result<Outcome> {
    match command {
        PetitionCommand::New { slug, day } => new(&slug, day, context),
        PetitionCommand::List => list(context).await,
        PetitionCommand::Plan { slug } => plan(&slug, context).await,
        PetitionCommand::Approve { slug, step, approver, edition } => approve(&slug, &step, &approver, edition, context).await,
        PetitionCommand::Stop { slug, edition } => stop(&slug, edition, context).await,
        PetitionCommand::Resume { slug, edition } => resume(&slug, edition, context).await,
    }
}

fn settings(context: &Context) -> anyhow::Result<&petition::Settings> {
    context.config.petitions.as_ref().context("the configuration has no [petitions]; add it with dir and approvers")
}

/// Whether mail goes to a relay, and not to files.
pub fn mail_leaves(mail: &mail::Settings) -> bool {
    !matches!(mail.transport, TransportSettings::File { .. })
}

/// What petition work needs, for commands: also for `clarion preview petition`.
pub async fn office(context: &Context) -> anyhow::Result<Office> {
    let settings = settings(context)?.clone();
    let (db, vault) = context.open().await?;
    Ok(Office {
        db,
        vault,
        clock: context.clock.clone(),
        site: context.config.site.clone(),
        catalogue: context.config.catalogue.clone(),
        settings,
        staff: context.config.staff.clone(),
        mail_leaves: mail_leaves(&context.config.mail),
        on_doubt: context.config.delivery.on_doubt,
        delivery: Kick::default(),
    })
}

fn new(slug: &str, day: Option<Date>, context: &Context) -> anyhow::Result<Outcome> {
    let today = context.clock.now().in_zone(&context.config.site.time_zone).date();
    let day = day.unwrap_or_else(|| today.saturating_add(jiff::Span::new().days(90)));
    let folder = petition::scaffold(&settings(context)?.dir, slug, day)?;
    let words = format!("Made {}. Write its texts; the office gets a mail after each save.", folder.display());
    output::answer(context.json, words, &json!({ "folder": folder }))?;
    Ok(Outcome::Done)
}

async fn list(context: &Context) -> anyhow::Result<Outcome> {
    let office = office(context).await?;
    let mut outlooks = Vec::new();
    for slug in petition::slugs(&office.settings.dir)? {
        outlooks.push(office.outlook(&slug).await?);
    }
    if context.json {
        output::json(&outlooks.iter().map(as_json).collect::<Vec<_>>())?;
    } else {
        let rows: Vec<[String; 5]> = outlooks.iter().map(|outlook| row(outlook, context)).collect();
        output::table(["PETITION", "EDITION", "STATE", "NEXT", "MISTAKES"], &rows);
    }
    Ok(Outcome::Done)
}

fn row(outlook: &Outlook, context: &Context) -> [String; 5] {
    let begun = |step: &&PlannedStep| !outlook.steps.iter().any(|row| row.name == step.name && row.state.has_begun());
    let next = outlook.plan.iter().filter(begun).filter_map(|step| Some((step.due?, &step.name))).min();
    [
        outlook.slug.clone(),
        outlook.edition.clone().unwrap_or_default(),
        state_of(outlook),
        next.map_or_else(String::new, |(due, name)| format!("{name} {}", local(due, context))),
        errors(outlook).to_string(),
    ]
}

fn local(due: Timestamp, context: &Context) -> String {
    due.in_zone(&context.config.site.time_zone).strftime("%Y-%m-%d %H:%M %Z").to_string()
}

fn state_of(outlook: &Outlook) -> String {
    if outlook.record.as_ref().is_some_and(|record| record.stopped_at.is_some()) {
        return "stopped".to_owned();
    }
    outlook.state.map_or_else(|| "unreadable".to_owned(), |state| state.to_string())
}

fn errors(outlook: &Outlook) -> usize {
    outlook.problems.iter().filter(|problem| problem.severity == Severity::Error).count()
}

fn as_json(outlook: &Outlook) -> serde_json::Value {
    let steps = outlook.steps.iter().map(
        |step| json!({ "name": step.name, "state": step.state, "due": step.due, "approved_at": step.approved_at, "mailing": step.mailing }),
    );
    json!({
        "slug": outlook.slug,
        "edition": outlook.edition,
        "title": outlook.title,
        "state": state_of(outlook),
        "plan": outlook.plan,
        "steps": steps.collect::<Vec<_>>(),
        "problems": outlook.problems,
    })
}

async fn plan(slug: &str, context: &Context) -> anyhow::Result<Outcome> {
    let office = office(context).await?;
    known(&office, slug).await?;
    let outlook = office.outlook(slug).await?;
    if context.json {
        output::json(&as_json(&outlook))?;
    } else {
        let edition = outlook.edition.as_deref().unwrap_or_default();
        output::line(format!("{} {edition} ({})", outlook.title, state_of(&outlook)));
        for problem in &outlook.problems {
            output::line(problem);
        }
        let rows: Vec<[String; 5]> = outlook.plan.iter().map(|step| plan_row(&outlook, step, context)).collect();
        output::table(["STEP", "WHEN", "TO", "STATE", "PEOPLE"], &rows);
    }
    Ok(if errors(&outlook) > 0 { Outcome::ProblemFound } else { Outcome::Done })
}

fn plan_row(outlook: &Outlook, step: &PlannedStep, context: &Context) -> [String; 5] {
    let when = step.due.map_or_else(|| "on approval".to_owned(), |due| local(due, context));
    let state = outlook.steps.iter().find(|row| row.name == step.name).map_or("planned", |row| row.state.as_str());
    let counts: Vec<String> = step.counts.by_language.iter().map(|(language, count)| format!("{language} {count}")).collect();
    let people = format!("{} {}", step.counts.total(), counts.join(", "));
    [step.name.clone(), when, step.to.to_string(), state.to_owned(), people.trim().to_owned()]
}

/// Refuses the name of a petition that never was: a stop of it would stop nothing.
pub(super) async fn known(office: &Office, slug: &str) -> anyhow::Result<()> {
    let slugs = petition::slugs(&office.settings.dir).unwrap_or_default();
    if slugs.iter().any(|known| known == slug) || !office.editions(slug).await?.is_empty() {
        return Ok(());
    }
    bail!("there is no petition “{slug}”; there are: {}", slugs.join(", "))
}

/// The edition named, or the one the folder speaks of, or where that cannot be read the newest.
async fn edition_of(office: &Office, slug: &str, edition: Option<String>) -> anyhow::Result<String> {
    known(office, slug).await?;
    let editions = office.editions(slug).await?;
    let own = office.outlook(slug).await?.edition;
    match edition {
        Some(named) if own.as_ref() == Some(&named) || editions.contains(&named) => Ok(named),
        Some(named) => bail!("the petition {slug} has no edition {named}; it has: {}", editions.join(", ")),
        None => own.or_else(|| editions.into_iter().next()).with_context(|| {
            format!("the petition {slug} cannot be read, and nothing of it was ever planned; see: clarion petition plan {slug}")
        }),
    }
}

async fn approve(slug: &str, step: &str, approver: &str, edition: Option<String>, context: &Context) -> anyhow::Result<Outcome> {
    let office = office(context).await?;
    let edition = edition_of(&office, slug, edition).await?;
    match office.approve(slug, &edition, step, &Address::parse(approver)?).await? {
        Ok(steps) => {
            let rows = petition::steps_of(&mut *office.db.reader().acquire().await?, slug, &edition).await?;
            let waits = rows.iter().any(|row| steps.contains(&row.name) && row.state == StepState::Proposed);
            let more = if waits { " It is not enough yet: somebody else must approve too." } else { "" };
            let words = format!("Approved: {}.{more}", steps.join(", "));
            output::answer(context.json, words, &json!({ "approved": steps, "enough": !waits }))?;
            Ok(Outcome::Done)
        }
        Err(refused) => bail!("not approved: {refused}"),
    }
}

async fn stop(slug: &str, edition: Option<String>, context: &Context) -> anyhow::Result<Outcome> {
    let office = office(context).await?;
    let edition = edition_of(&office, slug, edition).await?;
    let stopped = office.stop(slug, &edition).await?;
    if context.json {
        output::json(&stopped)?;
    } else if stopped.newly {
        output::line(format!("Stopped {slug} {edition}. {} people will not get a mail they were to get.", stopped.skipped));
    } else {
        output::line(format!("{slug} {edition} was stopped already."));
    }
    Ok(Outcome::Done)
}

async fn resume(slug: &str, edition: Option<String>, context: &Context) -> anyhow::Result<Outcome> {
    let office = office(context).await?;
    let edition = edition_of(&office, slug, edition).await?;
    let resumed = office.resume(slug, &edition).await?;
    let words = if resumed {
        format!("{slug} {edition} goes on. What was approved waits for the stop window again; mailings that the stop ended stay ended.")
    } else if office.outlook(slug).await?.state == Some(FileState::Stopped) {
        format!("{slug} {edition} is stopped by its petition.toml: write state = \"ready\" there.")
    } else {
        format!("{slug} {edition} was not stopped.")
    };
    output::answer(context.json, words, &json!({ "resumed": resumed }))?;
    Ok(Outcome::Done)
}
