//! `clarion mail`: whether mail leaves at all.

use super::output::{json, line, refuse};
use super::{Context, Outcome};
use crate::address::Address;
use crate::db::Db;
use crate::delivery::{self, DeliveryState, DeliveryStep, Line};
use crate::mail::Transport;
use crate::metrics::Metrics;
use crate::task::Step as _;
use crate::vault::Vault;
use serde::Serialize;
use std::time::Duration;

/// How long a running daemon is given to send the test.
const PATIENCE: Duration = Duration::from_secs(30);
const GLANCE: Duration = Duration::from_millis(300);

/// What to do about mail.
#[derive(clap::Subcommand)]
pub enum MailCommand {
    /// Sends a test mail and tells what the relay answered
    Test {
        /// Who gets it
        address: String,
    },
}

/// How the test went, for programs.
#[derive(Serialize)]
struct Report<'a> {
    state: &'a str,
    reply: Option<&'a str>,
    reason: Option<&'a str>,
}

/// Runs the command.
pub async fn run(command: MailCommand, context: &Context) -> anyhow::Result<Outcome> {
    let MailCommand::Test { address } = command;
    test(&Address::parse(&address)?, context).await
}

async fn test(address: &Address, context: &Context) -> anyhow::Result<Outcome> {
    // What is wrong with the relay itself is told in its own words, and leaves nothing behind.
    match Transport::new(&context.config.mail)?.open().await {
        Ok(link) => link.close().await,
        Err(trouble) => {
            return Ok(refuse(format_args!("no mail can be sent: {trouble:#}")));
        }
    }
    let (db, vault) = context.open().await?;
    let mut tx = db.begin().await?;
    if delivery::frozen(&mut tx).await? {
        return Ok(refuse("all sending is stopped, so no test was sent; it goes on with: clarion thaw"));
    }
    let mailing =
        delivery::post_test(&mut tx, &vault, &context.config.site, &context.config.catalogue, address, context.clock.now()).await?;
    tx.commit().await?;
    send(&db, vault, mailing, context).await?;
    tell(&sent_line(&db, mailing).await?, context)
}

/// Leaves the sending to the daemon if there is one, and does it otherwise.
async fn send(db: &Db, vault: Vault, mailing: i64, context: &Context) -> anyhow::Result<()> {
    let Ok(_lock) = db.lock_daemon() else {
        let begun = tokio::time::Instant::now();
        while begun.elapsed() < PATIENCE && !is_settled(&sent_line(db, mailing).await?) {
            tokio::time::sleep(GLANCE).await;
        }
        return Ok(());
    };
    let config = &context.config;
    let (site, mail, settings) = (config.site.clone(), config.mail.clone(), config.delivery.clone());
    let step = DeliveryStep::new(db.clone(), vault, context.clock.clone(), site, mail, settings, Metrics::default())?.only(mailing);
    step.step().await?;
    Ok(())
}

async fn sent_line(db: &Db, mailing: i64) -> anyhow::Result<Line> {
    let mut connection = db.reader().acquire().await?;
    let numbers = delivery::delivery_numbers(&mut connection, mailing).await?.unwrap_or(0..=0);
    let mut lines = delivery::delivery_lines(&mut connection, mailing, numbers, 1).await?;
    lines.pop().ok_or_else(|| anyhow::anyhow!("the test mail is not in the ledger"))
}

fn is_settled(line: &Line) -> bool {
    line.reply.is_some() || line.settled_at.is_some()
}

fn tell(sent: &Line, context: &Context) -> anyhow::Result<Outcome> {
    let (state, reply, reason) = (sent.state, sent.reply.as_deref(), sent.reason.as_deref());
    if context.json {
        json(&Report { state: state.as_str(), reply, reason })?;
    } else {
        let said = reply.map(|reply| format!(": {reply}")).unwrap_or_default();
        match (state, reason) {
            (DeliveryState::Sent, _) => line(format_args!("The test mail was accepted{said}")),
            (DeliveryState::Queued | DeliveryState::Leased, _) => {
                line("The daemon has not sent the test mail yet; look again with: clarion mailing list");
            }
            (_, Some(reason)) => line(format_args!("The test mail was not sent ({state}, {reason}){said}")),
            (_, None) => line(format_args!("The test mail was not sent ({state}){said}")),
        }
    }
    Ok(if state == DeliveryState::Sent { Outcome::Done } else { Outcome::ProblemFound })
}
