//! Everything that is tested from outside a module, in one program: it links once.

mod support;

mod content;
mod database;
mod layers;
mod vault;
