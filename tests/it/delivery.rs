//! Mailings and their deliveries.

mod commands;
mod control;
mod doubt;
mod making;
pub mod office;
mod sending;
mod trouble;
