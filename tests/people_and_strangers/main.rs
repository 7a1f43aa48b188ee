//! People who act at the same time, and strangers who would like to act: hostile texts of operators, doors that must be
//! shut, secrets that must stay where they are. All of it through the real daemon.
#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail as loudly as tests")]

#[expect(dead_code, reason = "each test program uses its part of the world")]
#[path = "../world/mod.rs"]
mod world;

mod addresses;
mod codes;
mod connections;
mod doors;
mod people;
mod program;
mod secrets;
mod texts;
