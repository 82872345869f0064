//! Consent and choices: sign-up, confirmation, preferences, leaving.

mod email;
mod step;
mod store;

pub use step::SignupStep;
pub use store::*;

use crate::addressbook::Stream;
use crate::clock::Timestamp;
use crate::language::Language;
use std::collections::BTreeSet;
use std::time::Duration;

/// Which text people consent to: the message `consent-text` of the page, in every language.
/// Whoever changes that text changes this too, so that consent can be proven (S19).
pub const CONSENT_TEXT_VERSION: &str = "2026-10";

/// The topic of petition alerts, beside the slugs of categories.
pub const PETITIONS: &str = "petitions";

/// How long a confirmation can be confirmed.
pub const CONFIRM_WITHIN: Duration = Duration::from_hours(72);

/// How long a link to one's choices holds.
pub const PREFERENCES_WITHIN: Duration = Duration::from_mins(30);

crate::text_enum! {
    /// Where a subscription stands.
    pub enum SubscriptionState {
        /// Asked for, not confirmed.
        Pending = "pending",
        /// Confirmed.
        Active = "active",
        /// Ended by the person.
        Left = "left",
    }
}

crate::text_enum! {
    /// What somebody asked for with an address.
    pub enum Wish {
        /// To be subscribed.
        Subscribe = "subscribe",
        /// A fresh link to their choices.
        Preferences = "preferences",
    }
}

crate::text_enum! {
    /// Where a sign-up stands.
    pub enum SignupState {
        /// Taken in, nothing done.
        New = "new",
        /// The mail for it is in the ledger.
        Mailed = "mailed",
        /// Its link was used.
        Confirmed = "confirmed",
        /// Nothing was mailed: suppressed, too many, or nobody we know.
        Dropped = "dropped",
    }
}

crate::text_enum! {
    /// What happened to somebody's consent.
    pub enum ConsentKind {
        /// Somebody asked with this address.
        Asked = "asked",
        /// The person confirmed.
        Confirmed = "confirmed",
        /// The person chose anew.
        Changed = "changed",
        /// The person left.
        Left = "left",
        /// The address was forgotten.
        Erased = "erased",
    }
}

crate::text_enum! {
    /// How it came about.
    pub enum Method {
        /// On a page.
        Page = "page",
        /// By a mail.
        Mail = "mail",
        /// By the button of a mail program (RFC 8058).
        OneClick = "one-click",
        /// Staff entered it.
        Staff = "staff",
        /// Nobody confirmed, and time went by.
        Lapse = "lapse",
    }
}

/// What a person chose.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Choices {
    /// Slugs of categories, and `petitions`; empty: everything.
    pub topics: BTreeSet<String>,
    /// In the order of preference; never empty.
    pub languages: Vec<Language>,
    /// The name of a digest.
    pub rhythm: String,
}

/// An active subscriber, as digests and petitions see one: no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// The person's number.
    pub person: i64,
    /// What they chose.
    pub choices: Choices,
    /// The highest `published_seq` considered for them.
    pub watermark: i64,
}

/// How something about somebody's consent came about, for the record.
#[derive(Clone, Copy, Debug)]
pub struct Occasion<'a> {
    /// By which way.
    pub method: Method,
    /// Which text was read.
    pub text_version: &'a str,
    /// In the words of staff.
    pub note: Option<&'a str>,
}

impl Occasion<'static> {
    /// On reading the present text.
    pub const fn by(method: Method) -> Self {
        Self { method, text_version: CONSENT_TEXT_VERSION, note: None }
    }
}

/// What somebody asked for with an address, before anything is known of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signup {
    /// Row number.
    pub id: i64,
    /// What was asked for.
    pub wish: Wish,
    /// The language of the page.
    pub language: Language,
    /// What was chosen.
    pub choices: Choices,
    /// The text that was read.
    pub text_version: String,
    /// How it came in.
    pub method: Method,
    /// When.
    pub asked_at: Timestamp,
    /// Where it stands.
    pub state: SignupState,
    /// Who it turned out to be.
    pub person: Option<i64>,
}

/// What confirming did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// The person is subscribed now.
    Done,
    /// It had been confirmed before; nothing changed.
    Already,
    /// The sign-up is no more: pruned, or its person was erased.
    Gone,
}

/// A subscription as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Subscription {
    /// Where it stands.
    pub state: SubscriptionState,
    /// What they chose.
    pub choices: Choices,
    /// Streams they refuse.
    pub refused: Vec<Stream>,
}

/// One entry of the proof of consent.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ConsentEvent {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: ConsentKind,
    /// The text read.
    pub text_version: String,
    /// How.
    pub method: Method,
    /// In the words of staff.
    pub note: Option<String>,
}
