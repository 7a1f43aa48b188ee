//! Readings that wobble, shrink, or leave something out: kept as evidence, told, and bought upon neither twice nor at all
//! where they make no sense.

use simkeeper::domain::time::Secs;
use simkeeper::sandbox::{Call, Fault, FaultKind};

use crate::ALWAYS;
use crate::world::files::AUTO;
use crate::world::{World, full, low};

#[test]
fn an_end_that_wobbles_or_is_told_in_another_zone_or_by_the_day_is_the_same_need() {
    // Ten hours are a zone, a day's end is a rounding: neither is a new cycle, and none is a second purchase.
    for shift in [3 * 3_600, -3 * 3_600, 10 * 3_600, 11 * 3_600 + 1_800] {
        let mut world = World::new().card("tablet", low, AUTO).start();
        world.until_bought("tablet", 1);
        let card = world.iccid("tablet");
        for _ in 0..6 {
            world.sandbox.fault(Fault::on(&card, Call::Read, FaultKind::EndShifted { secs: shift })).unwrap();
            world.sandbox.fault(Fault::on(&card, Call::Read, FaultKind::EndShifted { secs: 0 })).unwrap();
        }
        world.until_read_again(12);
        assert_eq!((world.orders("tablet").len(), world.attempts("tablet").len()), (1, 1), "{shift}");
        // It is not blind for it either: the next need is met once.
        world.use_up("tablet");
        world.until_bought("tablet", 2);
        assert_eq!(world.orders("tablet").len(), 2, "{shift}");
    }
}

#[test]
fn an_end_that_is_past_far_missing_or_shrinks_is_kept_and_not_acted_upon() {
    let rule = "mode = \"auto\"\nrenew_when = { plan_ends_within = \"36h\" }\nbuy = [\"data-1gb-7d\"]";
    let odd = [
        ("past", FaultKind::PastEnd),
        ("far", FaultKind::FarEnd),
        ("missing", FaultKind::NoEnd),
        ("shrinking", FaultKind::EndShifted { secs: -59 * 86_400 }),
    ];
    let mut world = World::new();
    for (name, _) in &odd {
        world = world.card(name, full, rule);
    }
    let mut world = world.card("sound", low, AUTO).start();
    world.until("a sound reading of each", |world| {
        odd.iter().all(|(name, _)| world.record().is_some_and(|record| record.verdict(name).is_some()))
    });
    for (name, fault) in &odd {
        let fault = Fault::on(&world.iccid(name), Call::Read, fault.clone()).times(ALWAYS);
        world.sandbox.fault(fault).unwrap();
    }
    world.until_bought("sound", 1);
    world.pass(Secs::hours(2));
    for name in ["past", "far", "shrinking"] {
        world.until(&format!("{name} to be kept as odd"), |world| world.record().unwrap().odd(name).is_some());
    }
    world.until_read_again(15);
    let count = |world: &World, name: &str| world.told_of(name, "due_soon");
    let told: Vec<usize> = odd.iter().map(|(name, _)| count(&world, name)).collect();
    for (name, _) in &odd {
        assert_eq!(world.orders(name).len(), 0, "{name}\n{}", world.state_of_affairs());
        assert_eq!(world.attempts(name).len(), 0, "{name}");
        assert!(count(&world, name) <= 1, "{name}: told once at most");
    }
    for name in ["past", "far", "shrinking"] {
        assert!(world.record().unwrap().odd(name).is_some(), "{name} is kept as odd");
    }
    world.until_read_again(15);
    let later: Vec<usize> = odd.iter().map(|(name, _)| count(&world, name)).collect();
    assert_eq!(later, told, "the same oddity is not told again");
    // What makes sense again counts again.
    world.sandbox.clear_faults();
    world.pass(Secs::days(59));
    world.until("all of them to be renewed", |world| odd.iter().all(|(name, _)| world.orders(name).len() == 1));
}
