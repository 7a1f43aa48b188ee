//! How an order is settled that nobody knows the result of: by repeating it where its key is honoured, by looking it up,
//! by the card, in the end by a person; never by a second order.

use simkeeper::domain::time::Secs;
use simkeeper::sandbox::{Call, Class, FaultKind, Settings};

use crate::world::files::AUTO;
use crate::world::{CLASSES, KEYED, World, ending, low, quick};
use crate::{ALWAYS, made, posts};

const DOWN: FaultKind = FaultKind::ServerError { status: 503, accepted: false };

/// How often people hear that the doubt about the tablet is over: once if the order was found done. The first look-up may
/// also find it still being worked on; then the next that they hear is that it was bought.
fn settled_late(world: &World) -> usize {
    usize::from(!made(world, "tablet", "T14"))
}

#[test]
fn an_order_that_was_taken_and_whose_answer_was_lost_is_never_sent_under_another_key() {
    for class in CLASSES {
        let world = World::of(class, 300).card("tablet", low, AUTO);
        let mut world = world.fault(Call::Buy, FaultKind::LostAfter, 1).start();
        world.until_bought("tablet", 1);
        world.until_read_again(4);
        assert!(made(&world, "tablet", "T7"), "{class:?}");
        assert_eq!((world.orders("tablet").len(), world.attempts("tablet").len()), (1, 1), "{class:?}");
        // Where the key is honoured the same bytes may go out again; elsewhere nothing does.
        let most = if matches!(class, Class::KeyHonoured { .. }) { 2 } else { 1 };
        assert!(posts(&world) <= most, "{class:?}: {} posts", posts(&world));
        assert_eq!(world.told_of("tablet", "bought"), 1, "{class:?}");
        assert_eq!(
            world.told_of("tablet", "settled_late"),
            settled_late(&world),
            "{class:?}\n{}",
            world.state_of_affairs()
        );
    }
}

#[test]
fn an_order_that_is_taken_an_hour_and_a_half_after_our_time_out_is_waited_for_and_not_doubled() {
    for class in CLASSES {
        let settings = Settings { class, processing_max_secs: Some(7_200), ..quick() };
        let late = FaultKind::AcceptedLate { secs: 5_400 };
        let mut world = World::with(600, settings).card("tablet", low, AUTO).fault(Call::Buy, late, 1).start();
        world.until_attempt("tablet", "unknown");
        if class == Class::LookupOnly {
            // Three look-ups are done by then, and all of them were clean; the longest time has not passed.
            let begun = world.now();
            world.until("an hour", |world| world.now().since(begun) > Secs::minutes(65));
            assert_eq!(world.attempts("tablet").pop().unwrap().state, "unknown");
            assert_eq!(world.orders("tablet").len(), 0);
        }
        world.until_bought("tablet", 1);
        world.pass(Secs::hours(3));
        world.until_read_again(6);
        assert_eq!((world.orders("tablet").len(), world.attempts("tablet").len()), (1, 1), "{class:?}");
    }
}

#[test]
fn an_order_that_is_called_failed_and_is_done_later_is_told_as_settled_late() {
    for class in CLASSES {
        let failed = FaultKind::SaysFailed { secs: 900 };
        let mut world = World::of(class, 300).card("tablet", low, AUTO).fault(Call::Buy, failed, 1).start();
        world.until_bought("tablet", 1);
        assert!(made(&world, "tablet", "T7") && !made(&world, "tablet", "T6"), "{class:?}");
        assert_eq!(
            world.told_of("tablet", "settled_late"),
            settled_late(&world),
            "{class:?}\n{}",
            world.state_of_affairs()
        );
        assert_eq!((world.orders("tablet").len(), world.attempts("tablet").len()), (1, 1), "{class:?}");
    }
}

#[test]
fn an_order_that_is_pending_for_ever_is_asked_about_and_bought_no_second_time() {
    for class in CLASSES {
        let mut world = World::of(class, 300).card("tablet", ending, AUTO);
        world = world.fault(Call::Buy, FaultKind::PendingForever, ALWAYS).start();
        world.until_attempt("tablet", "pending");
        world.pass(Secs::days(4));
        world.until("a question", |world| world.told_of("tablet", "asked") >= 1);
        assert!(made(&world, "tablet", "T14") && made(&world, "tablet", "T13"), "{class:?}");
        world.pass(Secs::days(2));
        world.until("a reminder", |world| world.told_of("tablet", "asked") >= 2);
        assert_eq!((world.orders("tablet").len(), world.attempts("tablet").len()), (1, 1), "{class:?}");
    }
}

#[test]
fn a_repeat_that_is_answered_with_reference_used_is_looked_up_and_gets_no_new_key() {
    // The first answer is lost; the repeat is told that the reference is in use.
    let world = World::of(KEYED, 300).card("taken", low, AUTO).fault(Call::Buy, FaultKind::LostAfter, 1);
    let world = world.fault(Call::Buy, FaultKind::DuplicateReference { accepted: false }, 2);
    let mut world = world.start();
    world.until_bought("taken", 1);
    world.until_read_again(3);
    assert!(made(&world, "taken", "T9"), "{}", world.state_of_affairs());
    assert_eq!((world.orders("taken").len(), world.attempts("taken").len()), (1, 1));
}

#[test]
fn reference_used_at_the_first_sending_is_evidence_and_no_refusal() {
    for class in CLASSES {
        let used = FaultKind::DuplicateReference { accepted: true };
        let mut world = World::of(class, 300).card("tablet", low, AUTO).fault(Call::Buy, used, 1).start();
        world.until_bought("tablet", 1);
        world.until_read_again(3);
        assert!(made(&world, "tablet", "T7"), "{class:?}");
        assert_eq!((world.orders("tablet").len(), world.attempts("tablet").len()), (1, 1), "{class:?}");
    }
}

#[test]
fn once_the_key_is_no_longer_honoured_nothing_is_sent_again() {
    let class = Class::KeyHonoured { window_secs: 1_200 };
    let world = World::of(class, 300).card("tablet", low, AUTO).fault(Call::Buy, FaultKind::LostBefore, ALWAYS);
    let mut world = world.fault(Call::Find, DOWN, ALWAYS).start();
    world.until("a repeat", |world| posts(world) >= 2);
    let sent_at = world.now();
    world.until("the time of the key to be over", |world| world.now().since(sent_at) > Secs(1_200));
    // From here on an order that left would be taken.
    let card = world.iccid("tablet");
    world.sandbox.clear_faults();
    world.sandbox.fault(simkeeper::sandbox::Fault::on(&card, Call::Find, DOWN).times(ALWAYS)).unwrap();
    let sent = posts(&world);
    world.pass(Secs::hours(3));
    world.until_read_again(4);
    assert_eq!((posts(&world), world.orders("tablet").len(), world.attempts("tablet").len()), (sent, 0, 1));
    // Look-ups that work again settle it, and then the need is met under a new key.
    world.sandbox.clear_faults();
    world.pass(Secs::days(1));
    world.until("it to be absent", |world| made(world, "tablet", "T12"));
    world.pass(Secs::hours(3));
    world.until_bought("tablet", 1);
    assert_eq!(world.orders("tablet").len(), 1);
}

#[test]
fn a_stored_error_that_is_replayed_keeps_the_order_unknown_under_its_key() {
    let error = FaultKind::ServerError { status: 500, accepted: false };
    let world = World::of(KEYED, 120).card("tablet", low, AUTO).fault(Call::Buy, FaultKind::LostBefore, 1);
    let mut world = world.fault(Call::Buy, error, ALWAYS).start();
    world.until("two replays", |world| posts(world) >= 3);
    let unknown = world.until_attempt("tablet", "unknown");
    world.pass(Secs::hours(2));
    world.until_read_again(2);
    let still = world.attempts("tablet");
    assert_eq!((still.len(), &still[0].state, &still[0].key), (1, &"unknown".to_owned(), &unknown.key));
    assert_eq!(world.told_of("tablet", "failed"), 0, "an error page is no refusal");
    world.sandbox.clear_faults();
    world.pass(Secs::hours(2));
    world.until_bought("tablet", 1);
    assert_eq!((world.orders("tablet").len(), world.attempts("tablet").len()), (1, 1));
}

#[test]
fn look_ups_that_fail_for_three_days_prove_nothing_and_people_hear_of_it_every_day() {
    for class in [KEYED, Class::LookupOnly] {
        let world = World::of(class, 300).card("tablet", ending, AUTO).fault(Call::Buy, FaultKind::LostBefore, ALWAYS);
        let mut world = world.fault(Call::Find, DOWN, ALWAYS).start();
        world.until_attempt("tablet", "unknown");
        for day in 1..=3 {
            world.pass(Secs::days(1));
            world.until("word of it", |world| world.told_of("tablet", "asked") >= day);
            assert_eq!(world.attempts("tablet").len(), 1, "{class:?}");
            assert!(world.attempts("tablet")[0].is_open(), "{class:?}\n{}", world.state_of_affairs());
        }
        assert_eq!(world.orders("tablet").len(), 0, "{class:?}");
        world.sandbox.clear_faults();
        let asked = world.until_attempt("tablet", "human");
        world.settle_by_the_book(&asked);
        world.pass(Secs::hours(3));
        world.until_bought("tablet", 1);
        assert_eq!(world.orders("tablet").len(), 1, "{class:?}");
    }
}

#[test]
fn an_effect_that_comes_after_six_hours_is_waited_for() {
    for class in CLASSES {
        let late = FaultKind::EffectLate { secs: 21_600 };
        let mut world = World::of(class, 600).card("tablet", ending, AUTO).fault(Call::Buy, late, 1).start();
        world.until_attempt("tablet", "accepted");
        world.pass(Secs::hours(3));
        world.until_read_again(4);
        assert_eq!(world.until_attempt("tablet", "accepted").state, "accepted", "{class:?}");
        world.pass(Secs::hours(3));
        world.until_bought("tablet", 1);
        assert!(made(&world, "tablet", "T15"), "{class:?}");
        assert_eq!((world.orders("tablet").len(), world.told_of("tablet", "asked")), (1, 0), "{class:?}");
    }
}

#[test]
fn what_a_person_buys_while_an_order_is_unknown_is_a_contradiction_that_a_person_settles() {
    for class in CLASSES {
        let settings = Settings { class, processing_max_secs: Some(7_200), ..quick() };
        let world = World::with(300, settings).card("tablet", low, AUTO);
        let mut world = world.fault(Call::Buy, FaultKind::LostBefore, ALWAYS).start();
        world.until_attempt("tablet", "unknown");
        // Two at once are more than this order explains.
        for _ in 0..2 {
            world.sandbox.buy_by_hand(&world.iccid("tablet"), "data-1gb-7d").unwrap();
        }
        let asked = world.until_attempt("tablet", "human");
        assert_eq!(asked.question.as_deref(), Some("contradiction"), "{class:?}");
        world.sandbox.clear_faults();
        world.settle_by_the_book(&asked);
        world.pass(Secs::hours(9));
        world.until_read_again(4);
        assert_eq!(world.orders("tablet").len(), 0, "{class:?}: the card has enough by now");
    }
}

#[test]
fn a_rule_or_a_card_that_goes_while_its_order_is_open_does_not_take_the_order_along() {
    for class in [KEYED, Class::LookupOnly] {
        let settings = Settings { class, processing_max_secs: Some(7_200), ..quick() };
        let world = World::with(300, settings).card("tablet", low, AUTO);
        let mut world = world.fault(Call::Buy, FaultKind::EffectLate { secs: 3_600 }, 1).start();
        world.until_attempt("tablet", "accepted");
        world.change_rule("tablet", "mode = \"watch\"");
        world.hang_up();
        world.until("the files to be taken over", |world| world.log().contains("the files were reloaded"));
        world.until_bought("tablet", 1);
        // The next order is lost, and then the whole card leaves the file.
        world.change_rule("tablet", AUTO);
        let lost = FaultKind::AcceptedLate { secs: 1_800 };
        let card = world.iccid("tablet");
        world.sandbox.fault(simkeeper::sandbox::Fault::on(&card, Call::Buy, lost)).unwrap();
        world.use_up("tablet");
        world.hang_up();
        world.until("the second order", |world| {
            world.attempts("tablet").len() == 2 && posts(world) >= 2 && world.attempts("tablet")[1].is_open()
        });
        crate::world::files::write_rules(world.folder(), "");
        world.hang_up();
        world.until("the card to be retired", |world| world.log().contains("retired=1"));
        world.until("the order to be settled", |world| {
            world.attempts("tablet").iter().all(|attempt| attempt.state == "done")
        });
        assert_eq!(world.orders("tablet").len(), 2, "{class:?}\n{}", world.state_of_affairs());
    }
}
