//! A mailbox at a provider, read over IMAP (RFC 3501): for who has a hosted mailbox and nothing
//! else.

mod session;
mod step;

pub use step::ImapStep;

use crate::mail::RelaySettings;
use std::time::Duration;

/// A mailbox.
#[derive(Clone, Debug)]
pub struct ImapSettings {
    /// The server, and who we are there.
    pub server: RelaySettings,
    /// The folder that is read.
    pub folder: String,
    /// What becomes of a message that was taken in.
    pub after: After,
    /// How often it is looked at.
    pub every: Duration,
}

impl ImapSettings {
    /// What makes it the same mailbox.
    fn name(&self) -> String {
        let user = self.server.credentials.as_ref().map_or("", |(user, _)| user);
        format!("{user}@{}:{}/{}", self.server.host, self.server.port, self.folder)
    }
}

/// What becomes of a message that was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// It stays, and is marked as read.
    Flag,
    /// It is moved to a folder.
    Move(String),
    /// It is deleted.
    Delete,
}
