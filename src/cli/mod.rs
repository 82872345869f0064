//! The command line: one file per command. Words for people on standard output, `--json` for
//! programs, problems on standard error.

pub mod check;
pub mod content;
pub mod demo;
pub mod digest;
mod dkim;
mod doctor;
mod draft;
pub mod feeds;
mod freeze;
pub mod import;
pub mod inbound;
pub mod keys;
pub mod mail;
pub mod mailing;
pub mod output;
pub mod petition;
pub mod preview;
mod sending;
pub mod serve;
pub mod subscriber;
pub mod texts;
pub mod translations;
pub mod withdraw;

use crate::clock::Clock;
use crate::config::{Config, Refused};
use crate::db::Db;
use crate::vault::Vault;
use anyhow::bail;
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Feeds, digests and petitions for a small organisation, from a folder of articles.
///
/// Without a command, clarion serves: it watches the content folder, publishes feeds and
/// pages, takes subscriptions, and sends what is due.
#[derive(Parser)]
#[command(name = "clarion", version, after_help = EXAMPLES)]
pub struct Arguments {
    /// The configuration file; relative paths in it are relative to its folder.
    #[arg(long, global = true, value_name = "FILE", env = "CLARION_CONFIG", default_value = "config/clarion.toml")]
    config: PathBuf,
    /// Print listings as JSON, for programs.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  clarion demo                       see everything it does, in about a minute
  clarion check                      look for mistakes in configuration, articles, petitions
  clarion                            serve, with config/clarion.toml
  clarion preview digest weekly      see what the next digest would send
  clarion petition plan SLUG         see what a petition would send, when, to how many
  clarion freeze                     stop all sending now; clarion thaw lets it go on
  clarion withdraw ARTICLE           take an article away everywhere at once

In the environment: CLARION_SECTION__KEY overrides a key (CLARION_WEB__LISTEN=127.0.0.1:0),
CLARION_LOG sets what is logged (warn, info, clarion=debug),
CLARION_CLOCK=2027-09-20T08:00:00+09:00 or file:PATH sets the clock, while mail stays here.";

#[derive(Subcommand)]
enum Command {
    /// Serve: watch, publish, take subscriptions, send what is due.
    Serve(serve::ServeArguments),
    /// Show everything Clarion does, in a temporary folder, in about a minute.
    Demo(demo::DemoArguments),
    /// Look for mistakes in the configuration, the articles and the petitions.
    Check,
    /// Write what would be sent, and to how many, without sending it.
    Preview {
        #[command(subcommand)]
        what: preview::PreviewCommand,
    },
    /// The next digests, and a hand on them.
    Digest {
        #[command(subcommand)]
        command: digest::DigestCommand,
    },
    /// Petitions: make, look at, approve, stop.
    Petition {
        #[command(subcommand)]
        command: petition::PetitionCommand,
    },
    /// Mailings: who got what, and a hand on them.
    Mailing {
        #[command(subcommand)]
        command: mailing::MailingCommand,
    },
    /// Stop all sending now, on every daemon of this database.
    Freeze,
    /// Let sending go on after a freeze.
    Thaw,
    /// Mail that comes in: without more, takes one message on standard input.
    ///
    /// For a mail server to hand its mail to. Exit 0: taken in, whatever it was; 75: not now, hand
    /// it over again.
    Inbound {
        #[command(subcommand)]
        command: Option<inbound::InboundCommand>,
    },
    /// One subscriber: add, look at, take off, erase.
    Subscriber {
        #[command(subcommand)]
        command: subscriber::SubscriberCommand,
    },
    /// The content store: what is in it, what is wrong in it.
    Content {
        #[command(subcommand)]
        command: content::ContentCommand,
    },
    /// List the feeds: address, entries, last change, readers.
    Feeds,
    /// Take an article away everywhere at once, because it endangers somebody.
    Withdraw(withdraw::WithdrawArguments),
    /// Bring articles from another system into a folder.
    Import {
        #[command(subcommand)]
        command: import::ImportCommand,
    },
    /// Keys: the one that seals addresses, those that sign mail.
    Keys {
        #[command(subcommand)]
        command: keys::KeysCommand,
    },
    /// What Clarion itself says and a language does not say yet, to be translated.
    Texts(texts::TextsArguments),
    /// List what waits for a translator: what is missing in a language, or older than its original.
    Translations(translations::TranslationsArguments),
    /// See whether mail will arrive: DNS, relay, keys, clock, disk.
    Doctor(doctor::DoctorArguments),
    /// Try the way out.
    Mail {
        #[command(subcommand)]
        command: mail::MailCommand,
    },
}

/// What every command has.
pub struct Context {
    /// The checked configuration.
    pub config: Config,
    /// Where it is.
    pub config_path: PathBuf,
    /// Time.
    pub clock: Clock,
    /// Whether listings are for programs.
    pub json: bool,
}

impl Context {
    /// Opens the database and the vault, while a daemon may be using both.
    pub async fn open(&self) -> anyhow::Result<(Db, Vault)> {
        let db = Db::open(&self.config.database).await?;
        let vault = Vault::open(&db, &self.config.key_file, self.clock.now()).await?;
        Ok((db, vault))
    }
}

/// How a command ended, when it did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did what was asked: exit code 0.
    Done,
    /// It found a problem and said so: exit code 1.
    ProblemFound,
    /// It cannot be done now, and whoever asked keeps what they brought (`EX_TEMPFAIL` of
    /// sysexits.h): exit code 75.
    TryLater,
}

/// Runs a command. `environment` holds the variables that begin with `CLARION_`.
pub async fn run(arguments: Arguments, environment: Vec<(String, String)>) -> anyhow::Result<Outcome> {
    let is_handed_mail = matches!(arguments.command, Some(Command::Inbound { command: None }));
    match run_command(arguments, environment).await {
        // Whatever it is, also a mistake in the configuration: the mail server keeps the message.
        Err(error) if is_handed_mail => {
            eprintln!("clarion: {error:#}");
            Ok(Outcome::TryLater)
        }
        outcome => outcome,
    }
}

async fn run_command(arguments: Arguments, environment: Vec<(String, String)>) -> anyhow::Result<Outcome> {
    let command = arguments.command.unwrap_or(Command::Serve(serve::ServeArguments::default()));
    if let Command::Demo(demo) = command {
        return demo::run(demo).await;
    }
    let loaded = Config::load(&arguments.config, &environment);
    if let Command::Check = command {
        return check::run(loaded, wanted_clock(&environment), arguments.json);
    }
    if let Command::Keys { command: keys::KeysCommand::Dkim(wish) } = &command {
        return dkim::run(wish, loaded, &arguments.config, arguments.json);
    }
    let context = match loaded {
        Ok((config, warnings)) => {
            warnings.iter().for_each(check::print);
            let clock = clock(&config, wanted_clock(&environment))?;
            Context { config, config_path: arguments.config, clock, json: arguments.json }
        }
        Err(Refused { problems }) => {
            problems.iter().for_each(check::print);
            bail!("the configuration cannot be used: {} to mend", count_errors(problems.len()));
        }
    };
    match command {
        Command::Serve(serve) => serve::run(serve, context).await,
        Command::Preview { what } => preview::run(what, &context).await,
        Command::Digest { command } => digest::run(command, &context).await,
        Command::Petition { command } => petition::run(command, &context).await,
        Command::Mailing { command } => mailing::run(command, &context).await,
        Command::Freeze => freeze::freeze(&context).await,
        Command::Thaw => freeze::thaw(&context).await,
        Command::Inbound { command } => inbound::run(command, &context).await,
        Command::Subscriber { command } => subscriber::run(command, &context).await,
        Command::Content { command } => content::run(command, &context).await,
        Command::Feeds => feeds::run(&context).await,
        Command::Withdraw(withdraw) => withdraw::run(&withdraw, &context).await,
        Command::Import { command } => import::run(command, &context).await,
        Command::Keys { command } => keys::run(command, &context).await,
        Command::Texts(texts) => texts::run(&texts, &context),
        Command::Translations(translations) => translations::run(&translations, &context).await,
        Command::Doctor(doctor) => doctor::run(doctor, &context).await,
        Command::Mail { command } => mail::run(command, &context).await,
        Command::Demo(_) | Command::Check => Ok(Outcome::Done),
    }
}

fn wanted_clock(environment: &[(String, String)]) -> Option<&str> {
    environment.iter().find(|(name, _)| name == "CLARION_CLOCK").map(|(_, text)| text.as_str())
}

/// The machine's clock, or the one that `CLARION_CLOCK` asks for: only while no mail can leave
/// the machine, since what a changed clock sends, it sends to real people.
fn clock(config: &Config, wanted: Option<&str>) -> anyhow::Result<Clock> {
    let Some(wanted) = wanted else { return Ok(Clock::system()) };
    if config.mail.transport.leaves_the_machine() {
        bail!("CLARION_CLOCK is set, but mail would leave this machine; unset it, or send mail to files or to a relay on this machine");
    }
    Clock::parse(wanted).map_err(|reason| anyhow::anyhow!("CLARION_CLOCK: {reason}"))
}

fn count_errors(count: usize) -> String {
    if count == 1 { "one mistake".to_owned() } else { format!("{count} mistakes") }
}
