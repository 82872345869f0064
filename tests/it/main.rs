//! Everything that is tested from outside a module, in one program: it links once.

#![expect(unreachable_pub, reason = "a test program exports nothing; here pub means shared between its modules")]

mod support;

mod content;
mod database;
mod delivery;
mod layers;
<<<<<<< HEAD
mod reading;
=======
mod mail;
>>>>>>> delivery
mod vault;
