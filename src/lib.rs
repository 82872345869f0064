//! Clarion: the daemon by which a small human-rights organisation reaches the people who care.
//!
//! Articles lie in a folder. The daemon watches it, keeps the last good version of each article,
//! and publishes feeds from memory. People subscribe on a page, confirm, and choose topics,
//! languages and one rhythm. On a schedule digests are cut: one mail is rendered for each group
//! of people who would read the same thing, and a delivery per person is written to the ledger.
//! Petitions are folders that staff edit; approvers get what will be sent, with a button.
//! Workers lease deliveries, open the sealed address, send, and settle each one.
//!
//! Imports point one way, from the top of this list down; `tests/it/layers.rs` sees to it:
//!
//! 1. [`cli`]: one file per command
//! 2. [`app`]: the daemon in one page; [`doctor`]: whether mail will arrive
//! 3. [`config`], [`web`], [`inbound`]
//! 4. [`digest`], [`petition`], [`notice`]
//! 5. [`subscription`], [`feed`]
//! 6. [`delivery`]
//! 7. [`addressbook`], [`mail`], [`content`]
//! 8. [`vault`], [`fetch`], [`noticeboard`]
//! 9. [`db`]
//! 10. [`task`], [`metrics`]
//! 11. [`site`]
//! 12. [`language`], [`clock`], [`address`]
//! 13. [`problem`]
//!
//! `docs/architecture.md` tells why.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod address;
pub mod addressbook;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod content;
pub mod db;
pub mod delivery;
pub mod digest;
pub mod doctor;
pub mod feed;
pub mod fetch;
pub mod inbound;
pub mod language;
pub mod mail;
pub mod metrics;
pub mod notice;
pub mod noticeboard;
pub mod petition;
pub mod problem;
pub mod site;
pub mod subscription;
pub mod task;
pub mod vault;
pub mod web;
