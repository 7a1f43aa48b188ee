//! Whole worlds in which simkeeper must keep its promises: `world` is what is true, `core` drives the daemon's own
//! decisions through it, `daemon` the daemon itself with its record in SQLite, `oracle` judges.

// The same sources of `domain`, by whichever name they come.
#[cfg(not(feature = "daemon"))]
extern crate simkeeper_domain as simkeeper;

pub mod chance;
pub mod core;
pub mod coverage;
#[cfg(feature = "daemon")]
pub mod daemon;
pub mod faults;
pub mod mutants;
pub mod oracle;
pub mod questions;
pub mod run;
pub mod world;
