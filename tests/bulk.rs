//! Many cards, few calls: what one call can read is read by one call, at the start and ever after; and an operator that
//! asks to be left alone is.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail as loudly as tests")]

#[expect(dead_code, reason = "each test program uses its part of the world")]
mod world;

use std::fmt::Write as _;

use simkeeper::domain::time::Secs;
use simkeeper::sandbox::{Call, Fault, FaultKind, Sandbox, Settings};

use world::files;
use world::{World, quick};

/// Cards that one call of the sandbox may name.
const BATCH: u32 = 500;

/// A daemon with so many cards, all of them watched.
fn fleet(cards: u32) -> World {
    let mut world = World::with(300, Settings { fleet: cards, ..quick() });
    world.write_files();
    let mut rules = String::new();
    for index in 0..cards {
        let iccid = Sandbox::fleet_iccid(index);
        write!(rules, "[card.c{index}]\noperator = \"try\"\niccid = \"{iccid}\"\n").unwrap();
    }
    files::write_rules(world.folder(), &rules);
    world.begin();
    world
}

fn calls(world: &World) -> u64 {
    world.sandbox.requests().get(&Call::Read).copied().unwrap_or(0)
}

/// What a round may cost: its four batches, and some more where a slow machine reads less quickly than cards fall due at
/// 300 times real speed. Cards read one by one would cost 2,000.
const ROUND: u64 = 24;

#[test]
fn a_fleet_costs_as_many_calls_as_its_batches_round_after_round() {
    let cards = 4 * BATCH;
    let mut world = fleet(cards);
    let read =
        |world: &World, since: u64| world.record().is_some_and(|record| record.read_since(since) == i64::from(cards));
    world.until("all to be read", |world| read(world, 1));
    // Two rounds more: the spread of the due times does not scatter what one call can read.
    for round in 1..=3 {
        let all = calls(&world);
        assert!((round * 4..=round * ROUND).contains(&all), "{all} calls by round {round}");
        let since = u64::try_from(world.now().secs()).unwrap();
        world.until("all to be read again", |world| read(world, since));
    }
}

#[test]
fn an_operator_that_asks_to_be_left_alone_hears_nothing_for_so_long() {
    let mut world = fleet(2 * BATCH);
    world.until("a first round", |world| calls(world) >= 2);
    let busy = FaultKind::Throttled { retry_after: Some("7200".to_owned()) };
    world.sandbox.fault(Fault::anywhere(Call::Read, busy).times(1)).unwrap();
    world.until("the wish to be noted", |world| world.record().is_some_and(|record| record.left_alone("try")));
    let before = calls(&world);
    // A restart does not forget it.
    world.pass(Secs::minutes(50));
    world.until("a keeping round", |world| world.log().matches("ready").count() >= 2);
    let begun = world.now();
    world.until("half an hour", |world| world.now().since(begun) > Secs::minutes(30));
    assert_eq!(calls(&world), before);
    world.pass(Secs::hours(1));
    world.until("it to go on", |world| calls(world) > before);
}
