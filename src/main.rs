//! The program `clarion`.

fn main() {}
