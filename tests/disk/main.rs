//! The daemon on disks that fail, beside files that were damaged, and on a machine that runs out of things. Whatever
//! breaks: nothing is bought twice, nothing is lost without a word, and the word says what to do.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail as loudly as tests")]

mod damage;
mod errors;
mod everywhere;
mod full;
mod journal;
mod limits;
mod panics;
mod trouble;
mod upgrade;
mod wire;
#[expect(dead_code, reason = "each test program uses its part of the world")]
#[path = "../world/mod.rs"]
mod world;
