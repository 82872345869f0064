//! Consent and choices: sign-up, confirmation, preferences, leaving.

mod email;
mod step;
mod store;

pub use step::SignupStep;
pub use store::*;

use crate::language::Language;
use std::collections::BTreeSet;

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

/// What a person chose.
#[derive(Clone, Debug, PartialEq, Eq)]
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
