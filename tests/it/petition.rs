//! Petitions from the folder to the ledger, with a clock that stands still.

mod bench;
mod mistakes;
mod running;
mod sample;
mod stopping;
mod withdrawing;

pub use bench::{Bench, deliveries, links, subscribers};
