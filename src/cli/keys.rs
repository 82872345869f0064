//! `clarion keys`: the key file that seals addresses; `dkim` has those that sign.

use super::dkim::DkimArguments;
use super::{Context, Outcome, output};

/// What can be done with keys.
#[derive(clap::Subcommand)]
pub(super) enum KeysCommand {
    /// Make the key file, if the database has none yet; otherwise verify it.
    ///
    /// The first start of the daemon does the same.
    Init,
    /// Make a key that signs mail, and tell what to publish in DNS for it.
    ///
    /// A key that is there is never overwritten: its record is told again.
    Dkim(DkimArguments),
}

pub(super) async fn run(command: KeysCommand, context: &Context) -> anyhow::Result<Outcome> {
    let KeysCommand::Init = command else { return Ok(Outcome::Done) };
    let existed = context.config.key_file.exists();
    let (db, _) = context.open().await?;
    db.close().await;
    let path = context.config.key_file.display();
    let words = if existed {
        format!("The key file {path} belongs to this database.")
    } else {
        format!(
            "Made the key file {path}.
Keep a copy on another machine: without it no subscriber's address can be read again."
        )
    };
    output::answer(context.json, words, &serde_json::json!({ "key_file": context.config.key_file, "made": !existed }))?;
    Ok(Outcome::Done)
}
