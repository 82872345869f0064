//! Everything that is tested from outside a module, in one program: it links once.

mod support;

mod database;
mod layers;
mod schedule;
mod vault;
