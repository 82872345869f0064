//! SQL of subscriptions.

mod readers;
mod signups;
mod states;

pub use readers::*;
pub use signups::*;
pub use states::*;
