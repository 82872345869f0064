//! `clarion keys dkim`: a key that signs mail, and the record to publish for it.

use super::{Outcome, check, output};
use crate::address::Address;
use crate::config::{Config, Refused};
use crate::mail::dkim::{Algorithm, Key, record};
use crate::problem::Problem;
use anyhow::{Context as _, bail, ensure};
use serde::Serialize;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Which key.
#[derive(clap::Args)]
pub(super) struct DkimArguments {
    /// The name under which the key is published: a new one for each key [default: c1, or e1 with --ed25519]
    #[arg(long, value_name = "NAME")]
    selector: Option<String>,
    /// Make a key for the second signature that `[mail.dkim.ed25519]` adds
    #[arg(long)]
    ed25519: bool,
    /// The domain that signs [default: that of the sender in the configuration]
    #[arg(long)]
    domain: Option<String>,
    /// Where the key is written [default: dkim-SELECTOR.pem beside the key file of the vault]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What was made or found, for programs.
#[derive(Serialize)]
struct Report {
    key_file: PathBuf,
    made: bool,
    name: String,
    value: String,
    /// The value in strings of at most 255 octets.
    strings: Vec<String>,
}

/// Runs the command; without a usable configuration too, if the domain is named, since the
/// configuration may name the very key that is to be made.
pub(super) fn run(
    arguments: &DkimArguments,
    loaded: Result<(Config, Vec<Problem>), Refused>,
    config_path: &Path,
    json: bool,
) -> anyhow::Result<Outcome> {
    let config = match (loaded, &arguments.domain) {
        (Ok((config, _)), _) => Some(config),
        (Err(_), Some(_)) => None,
        (Err(Refused { problems }), None) => {
            problems.iter().for_each(check::print);
            bail!("the configuration cannot be used; mend it, or name the domain of your sender: clarion keys dkim --domain example.org");
        }
    };
    let domain = domain(arguments, config.as_ref())?;
    let algorithm = if arguments.ed25519 { Algorithm::Ed25519 } else { Algorithm::Rsa };
    let selector =
        arguments.selector.clone().unwrap_or_else(|| if arguments.ed25519 { "e1" } else { "c1" }.to_owned()).to_ascii_lowercase();
    ensure!(record::is_selector(&selector), "“{selector}” is not a selector: write letters, digits and hyphens, like c1");
    let path = key_path(arguments, config.as_ref(), config_path, &selector)?;
    let (key, made) = make_or_read(&path, algorithm)?;
    let value = record::text(&key)?;
    let name = record::name(&selector, &domain);
    let strings: Vec<String> = record::strings(&value).into_iter().map(str::to_owned).collect();
    if json {
        output::json(&Report { key_file: path, made, name, value, strings })?;
    } else {
        output::line(told(made, &path));
        output::line(publishing(&name, &selector, &domain, &value, &strings));
        output::line(configuring(algorithm, &domain, &selector, &path));
    }
    Ok(Outcome::Done)
}

fn domain(arguments: &DkimArguments, config: Option<&Config>) -> anyhow::Result<String> {
    if let Some(text) = &arguments.domain {
        let address = Address::parse(&format!("x@{text}")).map_err(|_| anyhow::anyhow!("“{text}” is not a domain"))?;
        return Ok(address.domain().to_owned());
    }
    let mail = &config.context("no domain is known")?.mail;
    Ok(mail.dkim.as_ref().map_or_else(|| mail.from.address.domain(), |signer| signer.domain()).to_owned())
}

/// An absolute path, so that it can be put into the configuration wherever that is.
fn key_path(arguments: &DkimArguments, config: Option<&Config>, config_path: &Path, selector: &str) -> anyhow::Result<PathBuf> {
    let path = arguments.out.clone().unwrap_or_else(|| {
        let beside = config.map_or(config_path, |config| &config.key_file);
        beside.with_file_name(format!("dkim-{selector}.pem"))
    });
    std::path::absolute(&path).with_context(|| format!("{} is not a path", path.display()))
}

/// A new key, or the one that is there: a key that signs is never overwritten.
fn make_or_read(path: &Path, algorithm: Algorithm) -> anyhow::Result<(Key, bool)> {
    let key = Key::generate(algorithm)?;
    match key.create(path) {
        Ok(()) => Ok((key, true)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let known = Key::read(path).map_err(|reason| anyhow::anyhow!("{}; {}", reason.message, reason.remedy))?;
            ensure!(
                known.algorithm() == algorithm,
                "{} is there already and holds a key of the other kind ({}); name another selector: --selector NAME",
                path.display(),
                known.algorithm()
            );
            Ok((known, false))
        }
        Err(error) => Err(error).with_context(|| format!("{} cannot be written", path.display())),
    }
}

fn told(made: bool, path: &Path) -> String {
    let path = path.display();
    if made {
        format!("Made the key {path} (mode 400). Whoever has it can sign in your name: it stays on this machine.")
    } else {
        format!(
            "The key {path} is there already, and nothing was changed.\nFor a new one name another selector, like: clarion keys dkim --selector c2"
        )
    }
}

fn publishing(name: &str, selector: &str, domain: &str, value: &str, strings: &[String]) -> String {
    let quoted: Vec<String> = strings.iter().map(|string| format!("\"{string}\"")).collect();
    format!(
        "
1. In the DNS of {domain}, add a record of type TXT:

   name   {name}
          (where the form adds the domain by itself: {selector}._domainkey)
   value  {value}

   In a zone file, or where a form takes at most 255 characters, in pieces:

   {name}. IN TXT ( {} )",
        quoted.join("\n     ")
    )
}

fn configuring(algorithm: Algorithm, domain: &str, selector: &str, path: &Path) -> String {
    let section = match algorithm {
        Algorithm::Rsa => format!("[mail.dkim]\n   domain = \"{domain}\""),
        Algorithm::Ed25519 => "[mail.dkim.ed25519]".to_owned(),
    };
    format!(
        "
2. Once it is published (an hour, often less), write into the configuration:

   {section}
   selector = \"{selector}\"
   key_file = \"{}\"

3. See whether it is right:  clarion doctor
   Then start the daemon again: it reads the configuration at its start.

To change the key later: make one with another selector, publish it beside this one, write the new
selector and key_file into the configuration, start again; take the old record away a week later,
when no mail signed with it is on its way any more.",
        path.display()
    )
}
