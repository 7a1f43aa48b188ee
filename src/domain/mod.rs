//! Where everything is decided: values in, values out; no I/O, no clock, no chance, no waiting.
pub mod assess;
pub mod attempt;
mod capabilities;
pub mod card;
pub mod choose;
pub mod cycle;
pub mod data;
pub mod gates;
pub mod identity;
pub mod ledger;
pub mod limits;
pub mod money;
pub mod notice;
pub mod operator;
mod pace;
pub mod plan;
pub mod reading;
pub mod retry;
pub mod rule;
mod state;
pub mod step;
#[cfg(test)]
mod testing;
pub mod time;
pub mod trigger;
mod warn;
pub mod words;
