//! What the operator answers to an order. Only a listed refusal is certain; everything else is a doubt (T7), settled by
//! evidence, and one order at most is taken.

use simkeeper::domain::time::Secs;
use simkeeper::sandbox::{Call, Class, FaultKind};

use crate::world::files::AUTO;
use crate::world::{CLASSES, KEYED, World, ending, low};
use crate::{ALWAYS, made, posts};

/// Answers that say nothing certain, and whether the order is taken all the same.
fn doubtful() -> Vec<(String, FaultKind, bool)> {
    let mut cases = Vec::new();
    for status in [500, 502, 503, 504] {
        for accepted in [false, true] {
            cases.push((format!("error-{status}-{accepted}"), FaultKind::ServerError { status, accepted }, accepted));
        }
    }
    for status in [301, 302, 303, 307, 308] {
        cases.push((format!("same-host-{status}"), FaultKind::Redirect { status, to: None }, false));
        let to = Some("http://127.0.0.1:9/elsewhere".to_owned());
        cases.push((format!("other-host-{status}"), FaultKind::Redirect { status, to }, false));
    }
    let unlisted = FaultKind::Refused { code: "something_new".to_owned(), status: 200 };
    let gib = 1 << 30;
    for (name, fault, taken) in [
        ("lost-before", FaultKind::LostBefore, false),
        ("unlisted-code", unlisted, false),
        ("html", FaultKind::Html { accepted: true }, true),
        ("empty", FaultKind::EmptyBody { accepted: false }, false),
        ("cut", FaultKind::CutBody { accepted: true }, true),
        ("huge", FaultKind::HugeBody { bytes: gib, accepted: true }, true),
        ("bomb", FaultKind::GzipBomb { bytes: gib, accepted: false }, false),
        ("slow-loris", FaultKind::SlowBytes { millis: 10_000 }, true),
        ("stranger", FaultKind::StrangeAnswer { accepted: true }, true),
        ("stranger-alone", FaultKind::StrangeAnswer { accepted: false }, false),
    ] {
        cases.push((name.to_owned(), fault, taken));
    }
    cases
}

fn every_doubtful_answer(class: Class) {
    let mut world = World::of(class, 600);
    for (name, fault, _) in doubtful() {
        world = world.card(&name, ending, AUTO).fault(Call::Buy, fault, 1);
    }
    let mut world = world.start();
    for (name, _, taken) in doubtful() {
        let blind = matches!(class, Class::Neither) && !taken;
        let goal = if blind { "human" } else { "done" };
        world.until(&format!("{name} to be {goal}"), |world| {
            world.attempts(&name).iter().any(|attempt| attempt.state == goal)
        });
        assert!(made(&world, &name, "T7"), "{name}\n{}", world.state_of_affairs());
        assert_eq!(world.told_of(&name, "unknown"), 1, "{name}: what is not known is told");
        assert_eq!(world.orders(&name).len(), usize::from(!blind), "{name}\n{}", world.state_of_affairs());
    }
    world.until_mail(&["same-host-307", "pointed to another address"]);
    world.until_mail(&["other-host-308", "pointed to another address"]);
    world.until_read_again(u64::try_from(doubtful().len()).unwrap());
    for (name, _, taken) in doubtful() {
        let blind = matches!(class, Class::Neither) && !taken;
        assert_eq!(world.orders(&name).len(), usize::from(!blind), "{name}\n{}", world.state_of_affairs());
    }
}

#[test]
fn every_answer_that_says_nothing_is_a_doubt_where_keys_are_honoured() {
    every_doubtful_answer(KEYED);
}

#[test]
fn every_answer_that_says_nothing_is_a_doubt_where_orders_can_be_looked_up() {
    every_doubtful_answer(Class::LookupOnly);
}

#[test]
fn every_answer_that_says_nothing_is_a_doubt_where_nothing_can_be_asked() {
    every_doubtful_answer(Class::Neither);
}

#[test]
fn a_listed_refusal_is_certain_and_the_same_words_on_an_error_page_are_a_doubt() {
    for class in CLASSES {
        let mut world = World::of(class, 300);
        let refused = |status| FaultKind::Refused { code: "card_recycled".to_owned(), status };
        for (name, status) in [("fine", 200), ("usual", 422), ("error", 500)] {
            world = world.card(name, low, AUTO).fault(Call::Buy, refused(status), 1);
        }
        let mut world = world.start();
        for name in ["fine", "usual"] {
            world.until_attempt(name, "refused");
            assert!(made(&world, name, "T6") && !made(&world, name, "T7"), "{class:?} {name}");
            assert_eq!(world.orders(name).len(), 0, "{class:?} {name}");
        }
        world.until("the error page to be a doubt", |world| made(world, "error", "T7"));
        assert!(!made(&world, "error", "T6"), "{class:?}");
    }
}

#[test]
fn a_refusal_that_cannot_pass_stops_at_once_and_is_told_once() {
    for code in ["card_recycled", "card_unknown", "card_not_active"] {
        for class in CLASSES {
            let refused = FaultKind::Refused { code: code.to_owned(), status: 422 };
            let mut world = World::of(class, 300).card("tablet", low, AUTO).fault(Call::Buy, refused, ALWAYS).start();
            world.until_attempt("tablet", "refused");
            world.pass(Secs::days(2));
            world.until_read_again(4);
            assert_eq!((posts(&world), world.told_of("tablet", "failed")), (1, 1), "{class:?} {code}");
        }
    }
}

/// The operator says that there are too many requests, and takes nothing.
fn too_many(class: Class, header: &str, leaves_alone: bool) {
    let busy = FaultKind::Throttled { retry_after: Some(header.to_owned()) };
    let mut world = World::of(class, 600).card("tablet", low, AUTO).fault(Call::Buy, busy, 1).start();
    world.until("the answer", |world| made(world, "tablet", "T7"));
    if leaves_alone {
        let calls = |world: &World| world.sandbox.requests().values().sum::<u64>();
        let (before, since) = (calls(&world), world.now());
        world.until("half an hour", |world| world.now().since(since) > Secs::minutes(30));
        assert_eq!(calls(&world), before, "{class:?} {header}\n{}", world.state_of_affairs());
        // However long it asks for, a day is the most.
        world.pass(Secs::hours(25));
    }
    if class == Class::Neither {
        world.pass(Secs::days(3));
        let asked = world.until_attempt("tablet", "human");
        world.settle_by_the_book(&asked);
    }
    world.pass(Secs::hours(3));
    world.until_bought("tablet", 1);
    assert_eq!(world.orders("tablet").len(), 1, "{class:?} {header}");
}

#[test]
fn an_operator_that_says_too_many_is_left_alone_for_as_long_as_it_asks_within_reason() {
    for class in CLASSES {
        too_many(class, "3600", true);
    }
    // A date, a wait beyond all reason, and nonsense.
    let others = [("Tue, 01 Dec 2026 02:00:00 GMT", true), ("99999999", true), ("-5", false), ("soon", false)];
    for (header, leaves_alone) in others {
        too_many(Class::LookupOnly, header, leaves_alone);
    }
}

#[test]
fn a_token_that_is_refused_for_an_order_costs_no_second_order_and_no_loop() {
    for class in CLASSES {
        let world = World::of(class, 300).card("once", ending, AUTO).fault(Call::Buy, FaultKind::TokenExpired, 1);
        let mut world = world.card("ever", ending, AUTO).fault(Call::Buy, FaultKind::TokenExpired, ALWAYS).start();
        world.until("both to be answered", |world| {
            ["once", "ever"].iter().all(|card| world.attempts(card).iter().any(|attempt| attempt.sent.is_some()))
        });
        world.pass(Secs::hours(3));
        world.until_read_again(6);
        world.pass(Secs::hours(9));
        world.until_read_again(6);
        assert_eq!(world.orders("ever").len(), 0, "{class:?}");
        assert!(world.orders("once").len() <= 1, "{class:?}");
        assert!(posts(&world) <= 40, "{class:?}: {} orders left in twelve hours", posts(&world));
        let told = world.told_of("ever", "failed") + world.told_of("ever", "unknown") + world.told_of("ever", "asked");
        assert!(told >= 1, "{class:?}\n{}", world.state_of_affairs());
    }
}
