//! Mailings and the ledger of their deliveries: who is to get what, who got it, and what is in
//! doubt.

mod archive;
mod board;
mod bounce;
mod carried;
mod carrier;
mod composing;
mod control;
mod email;
mod filling;
mod history;
mod late;
mod ledger;
mod order;
mod pace;
mod rate;
mod relays;
mod rules;
mod scribe;
mod store;
mod tidy;
mod verp;
mod withdraw;
mod worker;

pub use archive::{PublicMailing, public_mailings, public_text};
pub use bounce::{
    Bounced, Cause, Diagnosis, Heard, Status, bounce_counts, bounced, bounces_of, complained, delivery_of_token, forgive_bounces,
    personal_links, recipient_of,
};
pub use carried::{CarriedArticle, carried};
pub use control::*;
pub use email::post_test;
pub use history::{Received, history};
pub use late::hold_after;
pub use rate::{Group, Rates, WarmUp, Warmth, warmth};
pub use relays::{RelayHealth, RelayState, relay_health};
pub use store::*;
pub use verp::{CONFIRM, ClaimedToken, LEAVE, Subject, bounce_token};
pub use withdraw::{Stopped, withdraw};
pub use worker::DeliveryStep;

use crate::address::Address;
use crate::addressbook::Stream;
use crate::clock::Timestamp;
use crate::language::Language;
use crate::vault::Claims;
use serde::{Deserialize, Serialize};

/// How mail is sent.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Connections to the relay, at most.
    pub connections: u32,
    /// Messages a second over all connections; 0: no limit.
    pub per_second: u32,
    /// What happens to a message that may or may not have been accepted, where the mailing does
    /// not say.
    pub on_doubt: OnDoubt,
}

crate::text_enum! {
    /// What a mailing is for.
    pub enum Kind {
        /// What is new, on a schedule.
        Digest = "digest",
        /// A step of a petition.
        Petition = "petition",
        /// What a person asked for: a confirmation, a link.
        Account = "account",
        /// Notices, plans, approvals.
        Staff = "staff",
    }
}

impl Kind {
    /// Smaller goes first: a person waits for a confirmation, nobody for a digest.
    pub const fn priority(self) -> i64 {
        match self {
            Self::Account => 0,
            Self::Staff => 1,
            Self::Petition => 2,
            Self::Digest => 3,
        }
    }

    /// Whether somebody waits for it: a confirmation, a notice. No limit holds it up.
    pub const fn is_urgent(self) -> bool {
        matches!(self, Self::Account | Self::Staff)
    }

    /// The stream its mails belong to.
    pub const fn stream(self) -> Stream {
        match self {
            Self::Account => Stream::Account,
            Self::Staff => Stream::Staff,
            Self::Petition => Stream::Petitions,
            Self::Digest => Stream::News,
        }
    }
}

crate::text_enum! {
    /// Where a mailing stands.
    pub enum MailingState {
        /// Its deliveries are being written.
        Cutting = "cutting",
        /// They are all there.
        Ready = "ready",
        /// The first has been claimed.
        Running = "running",
        /// All are settled.
        Done = "done",
        /// Stopped by staff; goes on when resumed.
        Paused = "paused",
        /// Stopped by Clarion, which says why.
        Held = "held",
        /// Ended; what was not sent is skipped.
        Cancelled = "cancelled",
    }
}

crate::text_enum! {
    /// Where a delivery stands.
    pub enum DeliveryState {
        /// Waiting.
        Queued = "queued",
        /// A worker has it.
        Leased = "leased",
        /// Its body may have been sent; the answer is not known.
        InDoubt = "in_doubt",
        /// Accepted by the relay.
        Sent = "sent",
        /// Refused for now; waiting to be tried again.
        Deferred = "deferred",
        /// Refused for good.
        Failed = "failed",
        /// In doubt and not to be tried again.
        Held = "held",
        /// Not sent, for the reason given.
        Skipped = "skipped",
    }
}

crate::text_enum! {
    /// What happens to a message that may or may not have been accepted.
    pub enum OnDoubt {
        /// It is sent once more, with the same Message-ID and bytes, then held.
        Retry = "retry",
        /// It is held.
        Hold = "hold",
    }
}

/// A mailing to be made. The key makes it the same mailing when made again.
#[derive(Clone, Debug)]
pub struct NewMailing<'a> {
    /// Unique for ever: `digest:weekly:1822345600000`, `petition:snkr-day:2027:call`.
    pub key: &'a str,
    /// What it is for.
    pub kind: Kind,
    /// Its stream.
    pub stream: Stream,
    /// For staff: what it is.
    pub title: &'a str,
    /// What happens in doubt.
    pub on_doubt: OnDoubt,
    /// Whether it is shown in the archive.
    pub public: bool,
    /// The highest `published_seq` it considers.
    pub upper_seq: Option<i64>,
    /// Nothing is sent before.
    pub not_before: Timestamp,
    /// Nothing is sent after; what is left is skipped.
    pub deadline: Option<Timestamp>,
}

/// A mailing that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailingRef {
    /// Its number.
    pub id: i64,
    /// Where it stands. Only [`MailingState::Cutting`] takes more deliveries.
    pub state: MailingState,
    /// The last person cut, to go on after.
    pub cursor: i64,
    /// The bound fixed when it was made.
    pub upper_seq: Option<i64>,
}

/// A rendered text, with [`slot`] marks where personal links go.
#[derive(Clone, Debug)]
pub struct NewVariant<'a> {
    /// What makes it the same variant within its mailing.
    pub key: &'a str,
    /// Its language.
    pub language: &'a Language,
    /// The subject, one line.
    pub subject: &'a str,
    /// The plain text, lines ended by LF.
    pub body_text: &'a str,
    /// A whole HTML document.
    pub body_html: &'a str,
    /// The mark its slots carry.
    pub mark: &'a str,
    /// Translation groups and articles it carries.
    pub items: &'a [(String, i64)],
}

/// Who gets a delivery.
#[derive(Clone, Debug)]
pub enum To {
    /// A person of the address book.
    Person(i64),
    /// Somebody of the staff.
    Staff(Address),
}

/// A link made for one recipient when their mail is sent: `path` and then the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonalLink {
    /// The slot it fills.
    pub slot: String,
    /// The path before the token, with its slash: `/confirm/`.
    pub path: String,
    /// What the token says.
    pub claims: Claims,
}

/// A delivery to be made.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    /// Who gets it.
    pub to: To,
    /// What they get.
    pub variant: i64,
    /// Links of their own, besides [`UNSUBSCRIBE`].
    pub personal: Vec<PersonalLink>,
}

/// The slot every mail of a refusable stream has: filled with the person's way out.
pub const UNSUBSCRIBE: &str = "unsubscribe";

/// The slot filled with the address by which the recipient confirms, in mails that carry a link to
/// confirm.
pub const CONFIRM_BY_MAIL: &str = "confirm-by-mail";

/// The text to put where a personal link goes: in a body or in an `href`. The mark cannot be
/// guessed, so no article can fill a slot of ours.
pub fn slot(mark: &str, name: &str) -> String {
    format!("{{{{slot:{mark}:{name}}}}}")
}

/// A mail of one text to few people: a confirmation, a plan for staff.
#[derive(Clone, Debug)]
pub struct Letter<'a> {
    /// Unique for ever.
    pub key: &'a str,
    /// [`Kind::Account`] or [`Kind::Staff`].
    pub kind: Kind,
    /// Its language.
    pub language: &'a Language,
    /// The subject, one line.
    pub subject: &'a str,
    /// The plain text.
    pub body_text: &'a str,
    /// A whole HTML document.
    pub body_html: &'a str,
    /// The mark its slots carry.
    pub mark: &'a str,
    /// Who gets it, each with links of their own.
    pub to: Vec<(To, Vec<PersonalLink>)>,
}
