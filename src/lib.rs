//! Clarion: the daemon by which a small human-rights organisation reaches the people who care.

pub mod address;
pub mod addressbook;
pub mod cli;
pub mod clock;
pub mod config;
pub mod content;
pub mod db;
pub mod delivery;
pub mod digest;
pub mod feed;
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
