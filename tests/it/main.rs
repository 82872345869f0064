//! Everything that is tested from outside a module, in one program: it links once.

#![expect(unreachable_pub, reason = "a test program exports nothing; here pub means shared between its modules")]

mod support;

mod addressbook;
mod archive;
mod canary;
mod check;
mod commands;
mod configuration;
mod content;
mod database;
mod delivery;
mod digest;
mod disk_full;
mod doctor;
mod end_to_end;
mod feeds;
mod fetch;
mod frozen;
#[path = "../../fuzz/fuzz_targets/bodies.rs"]
mod fuzz_bodies;
mod fuzzed;
mod import;
mod inbound;
mod keys;
mod kill;
mod layers;
mod mail;
mod notice;
mod petition;
mod petitioning;
mod reading;
mod schedule;
mod signing;
mod slow_clients;
mod sources;
mod subscriber;
mod subscribing;
mod subscription;
mod tongues;
mod vault;
mod withdraw;
mod wrong_clock;
