//! Mailings and their deliveries.

mod commands;
mod control;
mod doubt;
mod making;
mod office;
mod sending;
mod signing;
mod trouble;
