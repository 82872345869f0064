//! Two halves of `benches/mail.py`, which tells what they are for.
//!
//! - `mailroom crowd CONFIG PEOPLE` enters so many confirmed subscribers;
//! - `mailroom transport CONFIG FILE MESSAGES CONNECTIONS` sends a file so many times through
//!   the transport alone, without ledger or rendering, and prints the seconds it took.

use anyhow::{Context as _, bail};
use clarion::address::Address;
use clarion::addressbook;
use clarion::clock::Clock;
use clarion::config::Config;
use clarion::db::Db;
use clarion::mail::{Answer, Begun, Transport};
use clarion::subscription::{Choices, subscribe_confirmed};
use clarion::vault::Vault;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Entered in one transaction.
const CHUNK: usize = 10_000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["crowd", config, people] => crowd(Path::new(config), people.parse()?).await,
        ["transport", config, file, messages, connections] => {
            transport(Path::new(config), file, messages.parse()?, connections.parse()?).await
        }
        _ => bail!("see the top of examples/mailroom.rs"),
    }
}

async fn crowd(config: &Path, people: usize) -> anyhow::Result<()> {
    let (config, _) = Config::load(config, &[])?;
    let (db, now) = (Db::open(&config.database).await?, Clock::system().now());
    let vault = Vault::open(&db, &config.key_file, now).await?;
    let rhythm = config.digests.first().context("there is no digest")?.name.clone();
    let choices = Choices { topics: BTreeSet::new(), languages: config.site.languages.clone(), rhythm };
    for start in (0..people).step_by(CHUNK) {
        let mut tx = db.begin().await?;
        for number in start..people.min(start + CHUNK) {
            let address = Address::parse(&format!("person{number}@host{}.example.org", number % 50))?;
            let person = addressbook::find_or_enter(&mut tx, &vault, &address, now).await?;
            subscribe_confirmed(&mut tx, person, &choices, "invented", now).await?;
        }
        tx.commit().await?;
    }
    db.close().await;
    Ok(())
}

#[expect(clippy::disallowed_macros, reason = "an example answers on standard output like any program")]
async fn transport(config: &Path, file: &str, messages: usize, connections: usize) -> anyhow::Result<()> {
    let (config, _) = Config::load(config, &[])?;
    let from = config.mail.from.address.clone();
    let (transport, bytes) = (Transport::new(&config.mail)?, Arc::new(std::fs::read(file)?));
    let (left, start) = (Arc::new(AtomicUsize::new(messages)), Instant::now());
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..connections {
        tasks.spawn(send_until_none(transport.clone(), from.clone(), Arc::clone(&bytes), Arc::clone(&left)));
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    println!("{}", start.elapsed().as_secs_f64());
    Ok(())
}

async fn send_until_none(transport: Transport, from: Address, bytes: Arc<Vec<u8>>, left: Arc<AtomicUsize>) -> anyhow::Result<()> {
    let mut link = transport.open().await?;
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
        if !link.is_usable() {
            link.close().await;
            link = transport.open().await?;
        }
        let Begun::Open(opened) = link.begin(&from, &from).await else { bail!("the relay refuses the envelope") };
        let Answer::Accepted(_) = opened.send("mail", &bytes).await else { bail!("the relay refuses the mail") };
    }
    link.close().await;
    Ok(())
}
