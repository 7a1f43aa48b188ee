//! A disk that loses power, under the real store: it must come back with everything that it acknowledged.
//!
//! The spot between program and disk is the C library. SQLite's own file layer and Rust's standard library both call it
//! by name (`write`, `fsync`, `rename` and a dozen more), and a program's own functions of these names go before the
//! library's. `calls` stands in for them: it does what was asked, on real files in memory, and tells the [`disk`] of it.
//! So nothing of the program is changed for this proof, nothing is modelled that runs (locks, the shared index of the
//! log, the journal of orders, renames of backups), and a sync that somebody forgot is a sync that the disk never saw.
//!
//! The disk knows for every file what was synced and what was not, and for every folder which names were. When the power
//! goes, each change that was not synced is kept, dropped, torn or garbled, each by chance and in no order; what is left
//! is the disk of the next life.
//!
//! - [`chance`]: numbers from a seed. [`names`]: which file is which.
//! - [`mod@file`], [`folder`]: what was not synced, and what becomes of it. [`disk`]: both, and when the power goes.
//! - `calls`: the functions of the C library; the only unsafe code here.
//! - `orders`, `work`: what the daemon does with the store, in its order. [`mirror`]: what must then be there.
//! - [`life`]: from one start to the loss of power and what the next start finds. [`cases`]: openings, upgrades,
//!   backups and restores that are cut at every sync. [`run`]: thousands of lives. [`tally`]: the figures.
//! - [`mutant`]: known-wrong designs that the above must catch.

pub mod cases;
pub mod chance;
pub mod disk;
pub mod file;
pub mod folder;
pub mod life;
pub mod mirror;
pub mod mutant;
pub mod names;
pub mod run;
pub mod space;
pub mod tally;
pub mod world;

mod calls;
mod orders;
mod work;

use simkeeper::domain::attempt::AttemptId;
use simkeeper::domain::card::CardId;
use simkeeper::domain::money::{Currency, Money};
use simkeeper::domain::operator::OrderKey;
use simkeeper::store::journal::JournalLine;

/// A line of the order journal for tests that need any; its plan has a name of so many words.
#[must_use]
pub fn a_line(sequence: u64, words: u64) -> JournalLine {
    JournalLine {
        sequence,
        attempt: AttemptId(7),
        card: CardId(3),
        card_name: orders::name("card 3"),
        account: orders::name("try"),
        key: OrderKey::new(u128::from(sequence)),
        plan_id: "canada-7days-3gb ".repeat(usize::try_from(words).unwrap_or(1)),
        price: Money::new(45_125, Currency::USD),
        at: world::BEGINNING,
    }
}
