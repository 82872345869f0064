//! Everything that is tested from outside a module, in one program: it links once.

mod support;

mod database;
mod delivery;
mod layers;
mod mail;
mod vault;
