//! `clarion subscriber`: one person. An address given here reaches no log.

use super::{Context, Outcome, output};
use crate::address::Address;
use crate::addressbook::{self, Deliverability, Stream};
use crate::delivery::{self, Bounced, Received};
use crate::language::Language;
use crate::subscription::{self, CONSENT_TEXT_VERSION, Choices, ConsentEvent, Method, NewSignup, Occasion, PETITIONS, Subscription, Wish};
use anyhow::bail;
use std::collections::BTreeSet;

/// The newest mailings that `show` lists.
const SHOWN: i64 = 50;

/// What to do with a subscriber.
#[derive(clap::Subcommand)]
pub enum SubscriberCommand {
    /// Enter somebody: a confirmation is mailed, as from the page
    Add(NewSubscriber),
    /// Show choices, consent, and what was sent
    Show {
        /// The mail address
        address: String,
    },
    /// End a subscription, as if the person had left
    Leave {
        /// The mail address
        address: String,
    },
    /// Forget a person for good
    Erase {
        /// The mail address
        address: String,
    },
}

/// Somebody to enter.
#[derive(clap::Args)]
pub struct NewSubscriber {
    /// The mail address
    address: String,
    /// A language; again for the next in order [default: the site's first]
    #[arg(long, value_name = "LANGUAGE")]
    language: Vec<String>,
    /// A topic: the slug of a category, or petitions; again for more [default: everything]
    #[arg(long, value_name = "TOPIC")]
    topic: Vec<String>,
    /// The name of a digest [default: the first]
    #[arg(long, value_name = "NAME")]
    rhythm: Option<String>,
    /// Subscribe at once, since consent was given already; say how, for the record
    #[arg(long, value_name = "HOW")]
    confirmed: Option<String>,
}

/// Runs the command.
pub async fn run(command: SubscriberCommand, context: &Context) -> anyhow::Result<Outcome> {
    match command {
        SubscriberCommand::Add(new) => add(&new, context).await,
        SubscriberCommand::Show { address } => show(&Address::parse(&address)?, context).await,
        SubscriberCommand::Leave { address } => leave(&Address::parse(&address)?, context).await,
        SubscriberCommand::Erase { address } => erase(&Address::parse(&address)?, context).await,
    }
}

async fn add(new: &NewSubscriber, context: &Context) -> anyhow::Result<Outcome> {
    let address = Address::parse(&new.address)?;
    let choices = choices(new, context)?;
    let (db, vault) = context.open().await?;
    let now = context.clock.now();
    let mut tx = db.begin().await?;
    let index = vault.index(&address);
    // Who complained may think better of it, and say so to staff.
    let lifted = new.confirmed.is_some() && addressbook::lift_complaint(&mut tx, &index).await?;
    if addressbook::is_suppressed(&mut tx, &index).await? {
        return Ok(output::refuse(
            "this address must not be written to again: it complained, or asked for it; nothing was changed. Who complained and \
             told you since that they want mail again is entered with --confirmed HOW",
        ));
    }
    let words;
    if let Some(how) = &new.confirmed {
        let person = addressbook::find_or_enter(&mut tx, &vault, &address, now).await?;
        let how = if lifted { format!("{how} (after a complaint)") } else { how.clone() };
        subscription::subscribe_confirmed(&mut tx, person, &choices, &how, now).await?;
        words = if lifted {
            "Subscribed. This address had complained; on your word it is written to again. The words about consent are kept with it."
        } else {
            "Subscribed. The words about consent are kept with it."
        };
    } else {
        let signup = NewSignup {
            wish: Wish::Subscribe,
            address: &address,
            language: &choices.languages[0],
            choices: &choices,
            method: Method::Staff,
            text_version: CONSENT_TEXT_VERSION,
        };
        subscription::sign_up(&mut tx, &vault, &signup, now).await?;
        words = "Taken in. The daemon mails a confirmation, at most one a day to one address.";
    }
    tx.commit().await?;
    output::answer(context.json, words, &serde_json::json!({ "subscribed": new.confirmed.is_some() }))?;
    Ok(Outcome::Done)
}

/// The choices named on the command line, each of which must exist.
fn choices(new: &NewSubscriber, context: &Context) -> anyhow::Result<Choices> {
    let site = &context.config.site;
    let mut languages = Vec::new();
    for tag in &new.language {
        let language = Language::parse(tag)?;
        let Some(own) = site.language_of(&language) else {
            let known: Vec<_> = site.languages.iter().map(ToString::to_string).collect();
            bail!("the site has no language {language}; it has {}", known.join(", "));
        };
        languages.push(own.clone());
    }
    if languages.is_empty() {
        languages.push(site.default_language().clone());
    }
    let topics: Vec<&str> = site.categories.iter().map(|category| category.slug.as_str()).chain([PETITIONS]).collect();
    if let Some(unknown) = new.topic.iter().find(|topic| !topics.contains(&topic.as_str())) {
        bail!("there is no topic {unknown}; there are {}", topics.join(", "));
    }
    let digests: Vec<&str> = context.config.digests.iter().map(|digest| digest.name.as_str()).collect();
    let rhythm = match &new.rhythm {
        Some(name) if !digests.contains(&name.as_str()) => bail!("there is no digest {name}; there are {}", digests.join(", ")),
        Some(name) => name.clone(),
        None => digests.first().map_or_else(String::new, ToString::to_string),
    };
    Ok(Choices { topics: new.topic.iter().cloned().collect::<BTreeSet<_>>(), languages, rhythm })
}

/// What is known of a person, without the address.
#[derive(serde::Serialize)]
struct Record {
    person: i64,
    subscription: Option<Subscription>,
    deliverability: Deliverability,
    consent: Vec<ConsentEvent>,
    deliveries: Vec<Received>,
    bounces: Vec<Bounced>,
}

async fn show(address: &Address, context: &Context) -> anyhow::Result<Outcome> {
    let (db, vault) = context.open().await?;
    let mut connection = db.reader().acquire().await?;
    let Some(person) = addressbook::find(&mut connection, &vault, address).await? else { return Ok(unknown()) };
    let record = Record {
        person,
        subscription: subscription::subscription(&mut connection, person).await?,
        deliverability: addressbook::deliverability(&mut connection, person).await?,
        consent: subscription::consent_events(&mut connection, person).await?,
        deliveries: delivery::history(&mut connection, person, SHOWN).await?,
        bounces: delivery::bounces_of(&mut connection, person, SHOWN).await?,
    };
    if context.json {
        output::json(&record)?;
    } else {
        print(&record);
    }
    Ok(Outcome::Done)
}

fn print(record: &Record) {
    output::line(format!("Person         {}", record.person));
    match &record.subscription {
        Some(subscription) => print_choices(subscription),
        None => output::line("Subscription   none"),
    }
    output::line(format!("Mail arrives   {}", record.deliverability));
    output::line("");
    let consent = record.consent.iter().map(|event| {
        let note = event.note.clone().unwrap_or_default();
        [event.at.to_string(), event.kind.to_string(), event.method.to_string(), event.text_version.clone(), note]
    });
    output::table(["CONSENT", "WHAT", "HOW", "TEXT", "NOTE"], &consent.collect::<Vec<_>>());
    output::line("");
    let deliveries = record.deliveries.iter().map(|one| {
        let when = one.settled_at.map_or_else(String::new, |at| at.to_string());
        [one.mailing.to_string(), one.title.clone(), one.state.to_string(), when, one.reason.clone().unwrap_or_default()]
    });
    output::table(["MAILING", "TITLE", "STATE", "WHEN", "WHY"], &deliveries.collect::<Vec<_>>());
    if record.bounces.is_empty() {
        return;
    }
    output::line("");
    let bounces = record.bounces.iter().map(|one| {
        let counts = if one.forgiven { "no more" } else { "yes" };
        [one.mailing.to_string(), one.at.to_string(), one.cause.to_string(), one.status.clone(), counts.to_owned()]
    });
    output::table(["MAILING", "LEFT", "WHY", "CODE", "COUNTS"], &bounces.collect::<Vec<_>>());
}

fn print_choices(Subscription { state, choices, refused }: &Subscription) {
    let list = |words: Vec<String>, none: &str| if words.is_empty() { none.to_owned() } else { words.join(", ") };
    output::line(format!("Subscription   {state}"));
    output::line(format!("Topics         {}", list(choices.topics.iter().cloned().collect(), "everything")));
    output::line(format!("Languages      {}", list(choices.languages.iter().map(ToString::to_string).collect(), "none")));
    output::line(format!("Rhythm         {}", choices.rhythm));
    output::line(format!("Refuses        {}", list(refused.iter().map(ToString::to_string).collect(), "nothing")));
}

async fn leave(address: &Address, context: &Context) -> anyhow::Result<Outcome> {
    let (db, vault) = context.open().await?;
    let mut tx = db.begin().await?;
    let Some(person) = addressbook::find(&mut tx, &vault, address).await? else { return Ok(unknown()) };
    subscription::leave(&mut tx, person, &Stream::REFUSABLE, Occasion::by(Method::Staff), context.clock.now()).await?;
    tx.commit().await?;
    output::answer(context.json, "The subscription has ended. What was not sent yet is not sent.", &serde_json::json!({ "left": true }))?;
    Ok(Outcome::Done)
}

async fn erase(address: &Address, context: &Context) -> anyhow::Result<Outcome> {
    let (db, vault) = context.open().await?;
    let mut tx = db.begin().await?;
    let Some(person) = addressbook::find(&mut tx, &vault, address).await? else { return Ok(unknown()) };
    subscription::erase(&mut tx, person, Occasion::by(Method::Staff), context.clock.now()).await?;
    tx.commit().await?;
    output::answer(context.json, "Forgotten. The ledger keeps numbers without a name.", &serde_json::json!({ "erased": true }))?;
    Ok(Outcome::Done)
}

fn unknown() -> Outcome {
    output::refuse("nobody with this address is in the book")
}
