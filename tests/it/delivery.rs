//! Mailings and their deliveries.

mod commands;
mod contention;
mod control;
mod doubt;
mod limits;
mod making;
pub mod office;
mod relays;
mod rogue;
mod sending;
mod signing;
mod trouble;
