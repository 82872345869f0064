//! SQL of the ledger: claim, mark, settle.
