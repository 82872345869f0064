//! Mail that comes in: tells bounce, complaint, answer of a program, joining, leaving and
//! confirming apart, and hands each to its owner. What it does not understand is kept sealed for
//! staff, counted, and never acted on.

mod desk;
mod imap;
mod letter;
mod maildir;
mod mime;
mod report;
mod sort;
mod step;
mod store;

pub use desk::{Desk, LONGEST_MESSAGE};
pub use imap::{After, ImapSettings, ImapStep};
pub use letter::Letter;
pub use maildir::MaildirStep;
pub use sort::{Sorted, sort};
pub use step::InboundStep;
pub use store::{Kept, drop_kept, kept, open_kept};

use crate::address::Address;
use crate::mail::EnvelopePattern;
use std::path::PathBuf;

/// By which ways mail comes in.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Whether the mail server hands messages to `clarion inbound`.
    pub pipe: bool,
    /// A Maildir that is watched.
    pub maildir: Option<PathBuf>,
    /// A mailbox at a provider.
    pub imap: Option<ImapSettings>,
    /// Where people write who want to be subscribed.
    pub join: Option<Address>,
    /// Where people write who want no more.
    pub leave: Option<Address>,
}

impl Settings {
    /// Whether anybody reads what is sent to our addresses.
    pub fn is_open(&self) -> bool {
        self.pipe || self.maildir.is_some() || self.imap.is_some()
    }
}

/// The addresses by which a message is told apart.
#[derive(Clone, Debug)]
pub struct Doors {
    /// Where reports come.
    pub envelope: EnvelopePattern,
    /// The visible sender of our own mails.
    pub own: Address,
    /// Where people write who want to be subscribed.
    pub join: Option<Address>,
    /// Where people write who want no more.
    pub leave: Option<Address>,
}

crate::text_enum! {
    /// What a message was.
    pub enum Kind {
        /// A report that a mail was not delivered, with our token.
        Bounce = "bounce",
        /// A report of a mail that arrived, or may still.
        Delay = "delay",
        /// A complaint, with our token.
        Complaint = "complaint",
        /// A report without a token of ours, or about what is long past: not believed.
        Unproven = "unproven",
        /// An answer of a program.
        AutoReply = "auto-reply",
        /// Somebody wants to be subscribed.
        Join = "join",
        /// Somebody wants no more.
        Leave = "leave",
        /// Somebody confirmed.
        Confirm = "confirm",
        /// Not understood.
        Unclear = "unclear",
        /// It had come in before.
        Known = "known",
    }
}
