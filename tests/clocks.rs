//! A machine's clock that is wrong, under a running daemon: it jumps ahead, back, to 1970, to 2038 and every minute, or
//! was never set at the start. Nothing is bought by such a clock, cards go on being read, people are told, and when the
//! time is right again everything goes on without a restart.
#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail as loudly as tests")]

#[expect(dead_code, reason = "each test program uses its part of the world")]
mod world;

use simkeeper::domain::time::{Secs, UnixTime};
use simkeeper::sandbox::{Call, FaultKind};

use world::files::AUTO;
use world::{CLASSES, World, full, low};

/// A card that was renewed once, so that the clock has been confirmed, and a card that needs nothing.
fn confirmed() -> World {
    let world = World::new().with_settable_clock().card("router", full, AUTO).card("tablet", low, AUTO);
    let mut world = world.start();
    world.until_bought("tablet", 1);
    world
}

/// The tablet needs a renewal while the clock is off; then the clock is set right. Whether anybody hears of it meanwhile
/// depends on the clock: by one that fell back, nothing has to be told yet.
fn buys_nothing_until_right_again(mut world: World, is_told: bool, set_wrong: impl Fn(&mut World)) {
    set_wrong(&mut world);
    world.until_read_again(2);
    world.use_up("tablet");
    world.until_read_again(4);
    set_wrong(&mut world);
    world.until_read_again(2);
    if is_told {
        world.until_mail(&["tablet", "clock"]);
    }
    assert_eq!(world.orders("tablet").len(), 1, "{}", world.state_of_affairs());
    world.clock().set_off_by(Secs(0));
    world.until_bought("tablet", 2);
    assert_eq!(world.orders("tablet").len(), 2, "{}", world.state_of_affairs());
    assert_eq!(world.orders("router").len(), 0, "{}", world.state_of_affairs());
    world.until_read_again(2);
    assert_eq!(world.orders("tablet").len(), 2, "{}", world.state_of_affairs());
    world.stop();
}

/// How far ahead a clock is that shows this instant now.
fn showing(world: &World, instant: &str) -> Secs {
    UnixTime::parse(instant).unwrap().since(world.now())
}

#[test]
fn a_clock_that_jumps_twenty_days_ahead_buys_nothing_until_it_is_right_again() {
    buys_nothing_until_right_again(confirmed(), true, |world| world.clock().set_off_by(Secs::days(20)));
}

#[test]
fn a_clock_that_jumps_twenty_days_back_buys_nothing_until_it_is_right_again() {
    buys_nothing_until_right_again(confirmed(), false, |world| world.clock().set_off_by(Secs::days(-20)));
}

#[test]
fn a_clock_that_falls_back_to_1970_buys_nothing_until_it_is_right_again() {
    buys_nothing_until_right_again(confirmed(), false, |world| {
        let ahead = showing(world, "1970-01-01T12:00:00Z");
        world.clock().set_off_by(ahead);
    });
}

#[test]
fn a_clock_that_jumps_to_2038_buys_nothing_until_it_is_right_again() {
    buys_nothing_until_right_again(confirmed(), true, |world| {
        let ahead = showing(world, "2038-01-20T00:00:00Z");
        world.clock().set_off_by(ahead);
    });
}

#[test]
fn a_clock_that_steps_every_minute_buys_nothing_until_it_is_right_again() {
    let mut world = confirmed();
    // Back and forth by hours, never near the right time.
    let steps = [90, -45, 600, -300, 20, -1_440, 30_000, -28_000, 15, -15];
    for (place, minutes) in steps.into_iter().enumerate() {
        world.clock().set_off_by(Secs::minutes(minutes));
        if place == 2 {
            world.use_up("tablet");
        }
        let next = world.now().plus(Secs::MINUTE);
        world.until("a minute to pass", |world| world.now() >= next);
    }
    world.until_read_again(2);
    assert_eq!(world.orders("tablet").len(), 1, "{}", world.state_of_affairs());
    world.clock().set_off_by(Secs(0));
    world.until_bought("tablet", 2);
    assert_eq!(world.orders("tablet").len(), 2, "{}", world.state_of_affairs());
}

/// The machine falls asleep when the order is written down and about to leave. Before it wakes somebody renews the card.
#[test]
fn a_machine_that_slept_before_its_order_left_looks_at_the_card_again() {
    for by_hand in [true, false] {
        let mut world = World::new().with_settable_clock().card("tablet", low, AUTO);
        world.write_files();
        world.environment(vec![("SIMKEEPER_CRASH_AT", "stop@after_journal:1".into())]);
        world.launch();
        world.until("the machine to fall asleep", |world| {
            world.attempts("tablet").iter().any(|one| one.state == "sending")
        });
        world.keeper().until_asleep();
        if by_hand {
            world.sandbox.buy_by_hand(&world.iccid("tablet"), "data-1gb-7d").unwrap();
        }
        // Longer than a look holds, which the speed of this world stretches to ten hours.
        world.sleep(Secs::hours(20));
        world.until("it to look again", |world| world.log().contains("the machine slept"));
        if by_hand {
            world.until_attempt("tablet", "abandoned");
            world.until_read_again(4);
        } else {
            world.until_bought("tablet", 1);
        }
        assert_eq!(world.orders("tablet").len(), usize::from(!by_hand), "{}", world.state_of_affairs());
        world.stop();
    }
}

#[test]
fn a_start_before_network_and_time_are_there_watches_and_buys_when_they_are() {
    let world = World::new().with_settable_clock().card("tablet", low, AUTO);
    let world = world.fault(Call::Read, FaultKind::LostBefore, 4);
    let ahead = showing(&world, "1970-01-01T00:03:00Z");
    world.clock().set_off_by(ahead);
    let mut world = world.start();
    world.until_read_again(7);
    assert_eq!(world.orders("tablet").len(), 0, "{}", world.state_of_affairs());
    world.clock().set_off_by(Secs(0));
    world.until_bought("tablet", 1);
    assert_eq!(world.orders("tablet").len(), 1);
    world.stop();
}

#[test]
fn a_record_that_is_made_by_a_clock_that_runs_ahead_believes_the_right_time_later() {
    let world = World::new().with_settable_clock().card("tablet", low, AUTO);
    world.clock().set_off_by(Secs::days(20));
    let mut world = world.start();
    world.until_read_again(3);
    assert_eq!(world.orders("tablet").len(), 0, "{}", world.state_of_affairs());
    // The machine is switched off, and has the right time when it comes back.
    world.stop();
    world.clock().set_off_by(Secs(0));
    world.begin();
    world.until_bought("tablet", 1);
    assert_eq!(world.orders("tablet").len(), 1);
    world.stop();
}

/// An order of which nobody knows, taken forty minutes later, whatever the daemon's clock says until then.
fn settles_a_late_order(days_off: i64) {
    for class in CLASSES {
        let world = World::of(class, 300).with_settable_clock().card("tablet", low, AUTO);
        let mut world = world.fault(Call::Buy, FaultKind::AcceptedLate { secs: 2_400 }, 1).start();
        world.until_attempt("tablet", "unknown");
        world.clock().set_off_by(Secs::days(days_off));
        world.until_read_again(3);
        // By the world's own time the order may have been taken meanwhile; only then may it be done.
        let attempt = world.attempts("tablet").pop().unwrap();
        assert!(attempt.is_open() || attempt.state == "done", "{class:?}: {attempt:?}\n{}", world.state_of_affairs());
        world.clock().set_off_by(Secs(0));
        world.until("the order to be taken", |world| !world.orders("tablet").is_empty());
        world.until_bought("tablet", 1);
        let counts = (world.orders("tablet").len(), world.attempts("tablet").len());
        assert_eq!(counts, (1, 1), "{class:?}: {}", world.state_of_affairs());
        world.stop();
    }
}

#[test]
fn a_clock_that_runs_ahead_does_not_take_an_unknown_order_for_one_that_never_arrives() {
    settles_a_late_order(20);
}

#[test]
fn a_clock_that_was_set_back_does_not_repeat_an_unknown_order() {
    settles_a_late_order(-20);
}
