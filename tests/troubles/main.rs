//! Troubles of every kind, against the real program: answers to an order that say little or nothing, settling that takes
//! long, readings that wobble, days on which the clocks change, and people of whom one cannot be reached. Most of the rows
//! of the table in docs/reliability.md are proved here.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail as loudly as tests")]

#[expect(dead_code, reason = "each test program uses its part of the world")]
#[path = "../world/mod.rs"]
mod world;

mod answers;
mod door;
mod people;
mod readings;
mod settling;
mod zones;

use simkeeper::sandbox::Call;

use world::World;

/// Goes wrong without end.
const ALWAYS: u32 = 10_000;

/// How many orders reached the operator, taken or not.
fn posts(world: &World) -> u64 {
    world.sandbox.requests().get(&Call::Buy).copied().unwrap_or(0)
}

/// The moves of a card's attempts by their names, oldest first.
fn moves(world: &World, card: &str) -> Vec<String> {
    let ids: Vec<String> = world.attempts(card).into_iter().map(|attempt| format!("{}: ", attempt.id)).collect();
    let story = world.record().map(|record| record.story()).unwrap_or_default();
    let of_card = story.iter().filter_map(|line| ids.iter().find_map(|id| line.strip_prefix(id.as_str())));
    of_card.filter_map(|line| line.split(' ').next().map(str::to_owned)).collect()
}

fn made(world: &World, card: &str, name: &str) -> bool {
    moves(world, card).iter().any(|made| made == name)
}
