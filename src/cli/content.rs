//! `clarion content`.

use super::{Context, Outcome};

/// What can be done.
#[derive(clap::Subcommand)]
pub enum ContentCommand {
    /// List.
    List,
}

/// Runs the command.
pub async fn run(_command: ContentCommand, _context: &Context) -> anyhow::Result<Outcome> {
    Ok(Outcome::Done)
}
