//! Mail that comes in: what is believed, what follows, and by which ways it comes.

mod errands;
mod forged;
mod imap;
mod office;
mod reports;
mod rules;
mod ways;
