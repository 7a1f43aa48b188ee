//! Whole worlds in which simkeeper must keep its promises: `world` is what is true, `core` drives the daemon's own
//! decisions through it, `daemon` the daemon itself with its record in SQLite, `oracle` judges.

pub mod chance;
pub mod core;
pub mod coverage;
pub mod daemon;
pub mod faults;
pub mod mutants;
pub mod oracle;
pub mod run;
pub mod world;
