//! Mailings and their deliveries.

mod commands;
mod control;
mod doubt;
mod limits;
mod making;
mod office;
mod relays;
mod rogue;
mod sending;
mod trouble;
