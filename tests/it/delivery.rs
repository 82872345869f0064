//! Mailings and their deliveries.

mod control;
mod doubt;
mod making;
mod office;
mod sending;
mod trouble;
