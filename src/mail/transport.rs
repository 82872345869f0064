//! The two ways out, a folder and a relay, as one: open an envelope, then send the body.

use super::file::Folder;
use super::reply::Reply;
use super::smtp::{Answer, Connection, Envelope, Ready, Relay, RelayTimeouts};
use super::{RelaySettings, Settings, TransportSettings};
use crate::address::Address;
use anyhow::Context as _;

/// Where mail goes.
#[derive(Clone)]
pub enum Transport {
    /// Into a folder.
    Folder(Folder),
    /// To a relay.
    Relay(Box<Relay>),
}

/// A way that is open.
pub enum Link {
    /// A folder is always open.
    Folder(Folder),
    /// A connection.
    Relay(Connection),
}

/// What became of an envelope.
pub enum Begun<'l> {
    /// The body is waited for.
    Open(Opened<'l>),
    /// The recipient or the mail is refused: not now (4xx), or never (5xx).
    Refused(Reply),
    /// The relay does not take mail from our sender.
    SenderRefused(Reply),
    /// The relay cannot carry this address.
    NotCarried,
    /// The connection was lost, and the body had not begun.
    Lost(String),
}

/// An envelope that waits for its body. Dropped, nothing is sent.
pub enum Opened<'l> {
    /// A file of this name is to be written.
    Folder(&'l Folder),
    /// The relay said 354.
    Relay(Ready<'l>),
}

impl Transport {
    /// The configured ways out with their names, the preferred one first. A connection carries so
    /// many mails.
    pub fn all(settings: &Settings, mails_per_connection: u32) -> anyhow::Result<Vec<(String, Self)>> {
        let relay = |relay: &RelaySettings| {
            let way = Relay::new(relay, settings.from.address.domain())?.with_mails_per_connection(mails_per_connection);
            Ok((format!("{}:{}", relay.host, relay.port), Self::Relay(Box::new(way))))
        };
        match &settings.transport {
            TransportSettings::File { dir } => Ok(vec![("files".to_owned(), Self::Folder(Folder::new(dir.clone())))]),
            TransportSettings::Smtp(settings) => Ok(vec![relay(settings)?]),
            TransportSettings::Relays(list) => list.iter().map(relay).collect(),
        }
    }

    /// The preferred way out.
    pub fn new(settings: &Settings) -> anyhow::Result<Self> {
        let first = Self::all(settings, u32::MAX)?.into_iter().next();
        Ok(first.context("there is no relay")?.1)
    }

    /// The same way with other patience.
    #[must_use]
    pub fn with_timeouts(self, timeouts: RelayTimeouts) -> Self {
        match self {
            Self::Relay(relay) => Self::Relay(Box::new(relay.with_timeouts(timeouts))),
            Self::Folder(_) => self,
        }
    }

    /// Opens a way. An error means that no mail can leave now.
    pub async fn open(&self) -> anyhow::Result<Link> {
        match self {
            Self::Folder(folder) => Ok(Link::Folder(folder.clone())),
            Self::Relay(relay) => relay.connect().await.map(Link::Relay),
        }
    }
}

impl Link {
    /// Whether another mail can go this way.
    pub fn is_usable(&self) -> bool {
        match self {
            Self::Folder(_) => true,
            Self::Relay(connection) => connection.is_usable(),
        }
    }

    /// Whether a mail has gone this way, so that it may have been closed for idleness since.
    pub fn is_used(&self) -> bool {
        match self {
            Self::Folder(_) => true,
            Self::Relay(connection) => connection.is_used(),
        }
    }

    /// Whether the envelope of the mail after the next can be asked for with the next one's body.
    pub fn takes_groups(&self) -> bool {
        match self {
            Self::Folder(_) => false,
            Self::Relay(connection) => connection.takes_groups(),
        }
    }

    /// Whether the next envelope has been asked for with the last body.
    pub fn has_asked(&self) -> bool {
        match self {
            Self::Folder(_) => false,
            Self::Relay(connection) => connection.has_asked(),
        }
    }

    /// Opens an envelope.
    pub async fn begin(&mut self, from: &Address, to: &Address) -> Begun<'_> {
        match self {
            Self::Folder(folder) => Begun::Open(Opened::Folder(folder)),
            Self::Relay(connection) => match connection.envelope(from, to).await {
                Envelope::Ready(ready) => Begun::Open(Opened::Relay(ready)),
                Envelope::Refused(reply) => Begun::Refused(reply),
                Envelope::SenderRefused(reply) => Begun::SenderRefused(reply),
                Envelope::NotCarried => Begun::NotCarried,
                Envelope::Lost(why) => Begun::Lost(why),
            },
        }
    }

    /// Takes leave.
    pub async fn close(self) {
        if let Self::Relay(connection) = self {
            connection.quit().await;
        }
    }
}

impl Opened<'_> {
    /// Sends the body; `name` is that of the file, where it becomes one. The envelope that comes
    /// `next` may be asked for with it, and must then be the next that is begun.
    pub async fn send(self, name: &str, bytes: &[u8], next: Option<(&Address, &Address)>) -> Answer {
        match self {
            Self::Relay(ready) => ready.send_body(bytes, next).await,
            Self::Folder(folder) => match folder.write(name, bytes.to_vec()).await {
                Ok(()) => Answer::Accepted(Reply { code: 250, text: format!("written to {name}.eml") }),
                // RFC 3463 §3.4: nothing was sent, and there may be room later.
                Err(error) => Answer::Refused(Reply { code: 452, text: format!("4.3.1 {error:#}") }),
            },
        }
    }
}
