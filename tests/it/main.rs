//! Everything that is tested from outside a module, in one program: it links once.

#![expect(unreachable_pub, reason = "a test program exports nothing; here pub means shared between its modules")]

mod support;

mod addressbook;
mod content;
mod database;
mod delivery;
mod feeds;
mod layers;
mod notice;
mod reading;
mod subscriber;
mod subscribing;
mod subscription;
mod vault;
