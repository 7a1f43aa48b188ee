//! Keeps prepaid SIM cards and travel eSIMs alive: reads each card, decides by the owner's rules, buys the right plan
//! once and only once, checks that it took effect, and tells the owner.
//!
//! The rooms, in the order in which to read them. Each names only rooms above it in this list; `store`, `operators`,
//! `notify` and `config` do not name each other, and `tests/layers.rs` keeps it so.
//!
//! - [`domain`]: where everything is decided; values in, values out. Begin with `domain::assess`.
//! - [`config`]: `simkeeper.toml` and `rules.toml`.
//! - [`store`]: the record in SQLite.
//! - [`operators`]: the ways to operators.
//! - [`notify`]: messages to people.
//! - [`sandbox`]: the built-in operator for trying things out.
//! - [`daemon`]: the rounds that act on what `domain` decides.
//! - [`commands`]: the command line.

pub mod domain;

pub mod config;
pub mod notify;
pub mod operators;
pub mod sandbox;
pub mod store;

pub mod daemon;

pub mod commands;
