//! Who can be written to: sealed addresses, the index to find them, refusals, suppression,
//! erasure.

mod store;

pub use store::*;

crate::text_enum! {
    /// What a person can refuse by itself; also the `List-Id` of its mails (RFC 2919).
    pub enum Stream {
        /// Digests.
        News = "news",
        /// Petition alerts.
        Petitions = "petitions",
        /// Confirmations and links a person asked for. Cannot be refused.
        Account = "account",
        /// Mail to staff. Cannot be refused.
        Staff = "staff",
    }
}

impl Stream {
    /// The streams that a person can refuse.
    pub const REFUSABLE: [Self; 2] = [Self::News, Self::Petitions];
}

crate::text_enum! {
    /// Whether mail reaches a person's address.
    pub enum Deliverability {
        /// As far as we know.
        Good = "good",
        /// It bounced; nothing is sent until somebody looks, or it is confirmed again.
        Paused = "paused",
        /// It does not exist.
        Bad = "bad",
    }
}
