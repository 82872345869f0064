//! Parts of `benches/mail.py`, which tells what they are for.
//!
//! - `mailroom crowd CONFIG PEOPLE` enters so many confirmed subscribers;
//! - `mailroom transport CONFIG FILE MESSAGES CONNECTIONS` sends a file so many times through
//!   the transport alone, without ledger or rendering, and prints the seconds it took;
//! - `mailroom line PORT TARGET MILLISECONDS` leads from one port of this machine to another, with
//!   so much time from question to answer.

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
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

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
        ["line", port, target, millis] => line(port.parse()?, target.parse()?, Duration::from_millis(millis.parse()?)),
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
    let take = || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
    let mut has_next = take();
    while has_next {
        if !link.is_usable() {
            link.close().await;
            link = transport.open().await?;
        }
        let Begun::Open(opened) = link.begin(&from, &from).await else { bail!("the relay refuses the envelope") };
        has_next = take();
        let next = has_next.then_some((&from, &from));
        let Answer::Accepted(_) = opened.send("mail", &bytes, next).await else { bail!("the relay refuses the mail") };
    }
    link.close().await;
    Ok(())
}

/// With threads that sleep: a runtime's timers are a millisecond late each time.
fn line(port: u16, target: u16, delay: Duration) -> anyhow::Result<()> {
    for here in TcpListener::bind(("127.0.0.1", port))?.incoming() {
        let (here, there) = (here?, TcpStream::connect(("127.0.0.1", target))?);
        for (from, to) in [(&here, &there), (&there, &here)] {
            from.set_nodelay(true)?;
            carry_late(from.try_clone()?, to.try_clone()?, delay / 2);
        }
    }
    Ok(())
}

/// Carries what comes, each piece so much later.
fn carry_late(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut piece = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from.read(&mut piece) {
            if sender.send((Instant::now() + delay, piece[..length].to_vec())).is_err() {
                return;
            }
        }
    });
    thread::spawn(move || {
        for (due, piece) in receiver {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&piece).is_err() {
                break;
            }
        }
        // Whoever is at the other end may have gone before.
        let _ = to.shutdown(Shutdown::Write);
    });
}
