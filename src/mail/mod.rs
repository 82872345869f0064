//! Mail as bytes and as a dialogue: messages (RFC 5322, MIME), their signatures (RFC 6376) and
//! relay transports (RFC 5321).

pub mod dkim;
mod file;
mod frame;
mod lines;
mod message;
mod reply;
mod smtp;
mod tls;
mod transport;

pub use file::Folder;
pub use frame::Frame;
pub use message::{Draft, Press};
pub use reply::Reply;
pub use smtp::{Answer, Connection, Envelope, Ready, Relay, RelayTimeouts};
pub use tls::tls_connector;
pub use transport::{Begun, Link, Opened, Transport};

use crate::address::{Address, Mailbox};
use crate::problem::Reason;
use secrecy::SecretString;
use std::net::IpAddr;
use std::path::PathBuf;

/// Who mail comes from and how it leaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The visible sender.
    pub from: Mailbox,
    /// Where answers go.
    pub reply_to: Option<Address>,
    /// The envelope sender, which carries a token.
    pub envelope: EnvelopePattern,
    /// The way out.
    pub transport: TransportSettings,
    /// What signs mails; none: the relay does.
    pub dkim: Option<dkim::Signer>,
}

/// How mail leaves.
#[derive(Clone, Debug)]
pub enum TransportSettings {
    /// One `.eml` a delivery in a folder.
    File {
        /// The folder, made if missing.
        dir: PathBuf,
    },
    /// A relay.
    Smtp(RelaySettings),
    /// Several relays: the next where one is down.
    Relays(Vec<RelaySettings>),
}

impl TransportSettings {
    /// The relays, the preferred one first; none where mail goes to files.
    pub fn relays(&self) -> &[RelaySettings] {
        match self {
            Self::File { .. } => &[],
            Self::Smtp(relay) => std::slice::from_ref(relay),
            Self::Relays(relays) => relays,
        }
    }

    /// Whether mail can reach anybody: not while it goes to files or to this machine.
    pub fn leaves_the_machine(&self) -> bool {
        self.relays().iter().any(|relay| !relay.is_loopback())
    }
}

/// A relay.
#[derive(Clone, Debug)]
pub struct RelaySettings {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Encryption.
    pub tls: Tls,
    /// User and password, from a file.
    pub credentials: Option<(String, SecretString)>,
    /// Certificates (PEM) that its own is signed by, if no public authority signed it.
    pub ca_file: Option<PathBuf>,
}

impl RelaySettings {
    /// Whether the relay can only be this machine.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

/// Encryption to the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// None; for a relay on this machine only.
    None,
    /// STARTTLS, and no mail without it (RFC 3207).
    Required,
    /// From the first octet (RFC 8314 §3.3).
    Implicit,
}

/// An envelope sender with a place for the token: `bounces+{token}@example.org`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvelopePattern {
    before: String,
    after: String,
    /// Whether what is sent to these addresses is read.
    heard: bool,
}

/// Longer than any token with what is put before it.
const ROOM: &str = "confirm-abcdefghijklmnopqrstuvwx";

impl EnvelopePattern {
    /// Parses a pattern; with a token in its place it must be an address.
    pub fn parse(text: &str) -> Result<Self, Reason> {
        let reason = || Reason::new(format!("“{text}” is not an envelope sender"), "write it like bounces+{token}@example.org");
        let (before, after) = text.trim().split_once("{token}").ok_or_else(reason)?;
        Address::parse(&format!("{before}{ROOM}{after}")).map_err(|_| reason())?;
        Ok(Self { before: before.to_owned(), after: after.to_owned(), heard: false })
    }

    /// The same addresses where somebody reads what is sent to them: mails may offer them.
    #[must_use]
    pub fn heard(self) -> Self {
        Self { heard: true, ..self }
    }

    /// Whether what is sent to these addresses is read.
    pub fn is_heard(&self) -> bool {
        self.heard
    }

    /// The address with a token in it, in lower case: letters and digits only, so that it
    /// survives every relay.
    pub fn with(&self, token: &str) -> Result<Address, Reason> {
        Address::parse(&format!("{}{token}{}", self.before, self.after))
    }

    /// What stands in the token's place of an address of this pattern, in lower case.
    pub fn token_in(&self, address: &str) -> Option<String> {
        let address = address.to_lowercase();
        let inner = address.strip_prefix(&self.before.to_lowercase())?.strip_suffix(&self.after.to_lowercase())?;
        Some(inner.to_owned())
    }
}
