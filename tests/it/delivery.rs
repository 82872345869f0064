//! Mailings and their deliveries.

mod making;
