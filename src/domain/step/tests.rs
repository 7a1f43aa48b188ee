//! The table of moves, cell by cell, and each of its rows by name.

use super::*;
use crate::domain::operator::{Lookup, Proof, Refusal, RefusalKind};
use crate::domain::testing::*;

/// Events in the order of the table, with the names that stand in it.
fn every_event() -> Vec<(&'static str, Event)> {
    let bought = |decision| Event::Decided { by: "anna".into(), decision, reason: "saw the bill".into() };
    let order_id = || "o-2".to_owned();
    vec![
        ("gate closed", Event::GateClosed { gate: "paused".into() }),
        ("delayed", Event::Delayed { until: NOW.plus(Secs::HOUR) }),
        ("not needed", Event::NotNeeded),
        ("sends", Event::Sends(sent())),
        ("looked too long ago", Event::LookedTooLongAgo),
        ("resends", Event::Resends),
        ("answer accepted", Event::Answered(BuyAnswer::Accepted { order_id: Some(order_id()), charged: None })),
        ("answer pending", Event::Answered(BuyAnswer::Pending { order_id: order_id() })),
        ("answer refused", Event::Answered(BuyAnswer::Refused(refusal(RefusalKind::Passing)))),
        ("answer not sent", Event::Answered(BuyAnswer::NotSent { why: "no route".into() })),
        (
            "answer unknown",
            Event::Answered(BuyAnswer::Unknown { doubt: Doubt::Broken, detail: String::new(), retry_after: None }),
        ),
        ("found sending", Event::FoundSending),
        ("looked accepted", Event::LookedUp(Found::Accepted { order_id: order_id(), charged: None })),
        ("looked pending", Event::LookedUp(Found::Pending { order_id: order_id() })),
        ("looked refused", Event::LookedUp(Found::Refused(refusal(RefusalKind::Other)))),
        ("looked reversed", Event::LookedUp(Found::Reversed { order_id: order_id(), why: "refunded".into() })),
        ("looked nothing", Event::LookedUp(Found::Nothing)),
        ("look-up failed", Event::LookupFailed),
        ("card none", Event::CardShows(Effect::None)),
        ("card seen", Event::CardShows(Effect::Seen)),
        ("card more", Event::CardShows(Effect::More)),
        ("time passed", Event::TimePassed),
        ("says bought", bought(Decision::Bought)),
        ("says not bought", bought(Decision::NotBought)),
        ("says abandon", bought(Decision::Abandon)),
        ("rolled back", Event::RolledBack { left: None }),
        ("rolled back, and left since", Event::RolledBack { left: Some(sent()) }),
    ]
}

/// The state before, the row of the table, and the state after.
type Cell = (&'static str, &'static str, &'static str);

/// One minute after the first sending. A cell not named here is an illegal move; closed states but `done` know none.
const TABLE: [(&str, &[Cell]); 27] = [
    ("gate closed", &[("planned", "T3", "abandoned")]),
    ("delayed", &[("planned", "T2", "planned")]),
    ("not needed", &[("planned", "T3", "abandoned")]),
    ("sends", &[("planned", "T4", "sending")]),
    ("looked too long ago", &[("sending", "T2", "planned")]),
    ("resends", &[("unknown", "T9", "unknown")]),
    ("answer accepted", &[("sending", "T5", "accepted"), ("unknown", "T5", "accepted")]),
    ("answer pending", &[("sending", "T5", "pending"), ("unknown", "T5", "pending")]),
    ("answer refused", &[("sending", "T6", "refused"), ("unknown", "T6", "refused")]),
    ("answer not sent", &[("sending", "T8", "planned"), ("unknown", "T9", "unknown")]),
    ("answer unknown", &[("sending", "T7", "unknown"), ("unknown", "T9", "unknown")]),
    ("found sending", &[("sending", "T7", "unknown")]),
    (
        "looked accepted",
        &[
            ("pending", "T14", "accepted"),
            ("accepted", "T15", "accepted"),
            ("unknown", "T10", "accepted"),
            ("human", "T10", "accepted"),
        ],
    ),
    (
        "looked pending",
        &[
            ("pending", "T14", "pending"),
            ("accepted", "T15", "accepted"),
            ("unknown", "T10", "pending"),
            ("human", "T10", "pending"),
        ],
    ),
    (
        "looked refused",
        &[
            ("pending", "T14", "refused"),
            ("accepted", "T17", "reversed"),
            ("unknown", "T10", "refused"),
            ("human", "T10", "refused"),
            ("done", "T17", "reversed"),
        ],
    ),
    (
        "looked reversed",
        &[
            ("pending", "T17", "reversed"),
            ("accepted", "T17", "reversed"),
            ("unknown", "T17", "reversed"),
            ("human", "T17", "reversed"),
            ("done", "T17", "reversed"),
        ],
    ),
    (
        "looked nothing",
        &[
            ("pending", "T14", "pending"),
            ("accepted", "T15", "accepted"),
            ("unknown", "T10", "unknown"),
            ("human", "T10", "human"),
        ],
    ),
    (
        "look-up failed",
        &[
            ("pending", "T14", "pending"),
            ("accepted", "T15", "accepted"),
            ("unknown", "T10", "unknown"),
            ("human", "T10", "human"),
        ],
    ),
    (
        "card none",
        &[
            ("pending", "T11", "pending"),
            ("accepted", "T15", "accepted"),
            ("unknown", "T11", "unknown"),
            ("human", "T11", "human"),
        ],
    ),
    (
        "card seen",
        &[
            ("pending", "T11", "pending"),
            ("accepted", "T15", "done"),
            ("unknown", "T11", "accepted"),
            ("human", "T11", "accepted"),
        ],
    ),
    (
        "card more",
        &[
            ("pending", "T11", "pending"),
            ("accepted", "T15", "done"),
            ("unknown", "T13", "human"),
            ("human", "T11", "human"),
        ],
    ),
    (
        "time passed",
        &[
            ("pending", "T14", "pending"),
            ("accepted", "T15", "accepted"),
            ("unknown", "T13", "unknown"),
            ("human", "T13", "human"),
        ],
    ),
    ("says bought", &[("human", "T19", "accepted")]),
    ("says not bought", &[("planned", "T3", "abandoned"), ("human", "T19", "absent")]),
    ("says abandon", &[("planned", "T3", "abandoned"), ("human", "T19", "abandoned")]),
    (
        "rolled back",
        &[
            ("planned", "T3", "abandoned"),
            ("sending", "T20", "human"),
            ("pending", "T20", "human"),
            ("accepted", "T20", "human"),
            ("unknown", "T20", "human"),
            ("human", "T20", "human"),
        ],
    ),
    (
        "rolled back, and left since",
        &[
            ("planned", "T20", "human"),
            ("sending", "T20", "human"),
            ("pending", "T20", "human"),
            ("accepted", "T20", "human"),
            ("unknown", "T20", "human"),
            ("human", "T20", "human"),
        ],
    ),
];

/// What the table says for one cell, and where kinds of operators differ.
fn expected(class: &str, event: &str, state: &str) -> Option<(&'static str, &'static str)> {
    match (class, event, state) {
        ("refuses" | "class b" | "class c", "resends", _) => return None,
        // Where nothing can be looked up, a reading is the look-up.
        ("class c", "card none", "unknown") => return Some(("T10", "unknown")),
        ("class c", "card none" | "card more", "human") => return Some(("T10", "human")),
        _ => {}
    }
    let (_, cells) = TABLE.iter().find(|(name, _)| *name == event).unwrap();
    cells.iter().find(|(from, _, _)| *from == state).map(|(_, transition, to)| (*transition, *to))
}

fn go(state: AttemptState, event: Event, class: &Capabilities, after: Secs) -> Result<Move, IllegalMove> {
    step(&attempt(state), event, class, None, NOW.plus(after))
}

fn went(state: AttemptState, event: Event, class: &Capabilities, after: Secs) -> (&'static str, &'static str) {
    let moved = go(state, event, class, after).unwrap();
    (moved.transition.as_str(), moved.state.name().as_str())
}

fn nothing() -> Event {
    Event::LookedUp(Found::Nothing)
}

fn tally(lookups: u32, clean_negatives: u32) -> Tally {
    Tally { lookups, clean_negatives }
}

#[test]
fn every_pair_of_state_and_event_moves_as_the_table_says_or_not_at_all() {
    let mut cells = 0;
    for (class, capabilities) in CLASSES {
        for (name, event) in every_event() {
            for state in every_state() {
                let from = state.name();
                let moved = go(state, event.clone(), &capabilities, Secs::MINUTE);
                let seen = moved.as_ref().map(|moved| (moved.transition.as_str(), moved.state.name().as_str()));
                let illegal = IllegalMove { state: from };
                let wanted = expected(class, name, from.as_str()).ok_or(&illegal);
                assert_eq!(seen, wanted, "{class}: {name} in {}", from.as_str());
                cells += 1;
            }
        }
    }
    assert_eq!(cells, 4 * 27 * 11);
}

/// Operators whose record of an order is all the proof: with a look-up, and without.
const BY_ORDER: Capabilities = Capabilities { proof: Proof::Order, ..CLASS_B };
const BY_WORD: Capabilities = Capabilities { proof: Proof::Order, ..CLASS_C };

#[test]
fn t15_where_no_reading_can_prove_an_order_its_own_record_does_and_nothing_else_changes() {
    for (class, capabilities, like, done_by) in [
        ("class b", BY_ORDER, CLASS_B, &["looked accepted", "card seen", "card more"][..]),
        ("class c", BY_WORD, CLASS_C, &["looked accepted", "card none", "card seen", "card more", "time passed"]),
    ] {
        for (name, event) in every_event() {
            for state in every_state() {
                let from = state.name().as_str();
                let seen = go(state.clone(), event.clone(), &capabilities, Secs::MINUTE);
                let seen = seen.map(|moved| (moved.transition.as_str(), moved.state.name().as_str()));
                let usual = go(state, event.clone(), &like, Secs::MINUTE);
                let usual = usual.map(|moved| (moved.transition.as_str(), moved.state.name().as_str()));
                let wanted = if from == "accepted" && done_by.contains(&name) { Ok(("T15", "done")) } else { usual };
                assert_eq!(seen, wanted, "{class}: {name} in {from}");
            }
        }
    }
}

#[test]
fn t15_an_order_that_was_found_keeps_its_number_and_what_it_cost() {
    let found = || Event::LookedUp(Found::Accepted { order_id: "o-2".into(), charged: Some(usd(9)) });
    let done = go(accepted(), found(), &BY_ORDER, Secs::MINUTE).unwrap().state;
    let at = NOW.plus(Secs::MINUTE);
    assert_eq!(done, AttemptState::Done { at, order_id: Some("o-2".into()), charged: Some(usd(9)) });
    // Found too late, after a person was asked why nothing shows: it counts from here on, and the next look is the proof.
    let moved = went(human(Question::EffectMissing), found(), &BY_ORDER, Secs::days(2));
    assert_eq!(moved, ("T10", "accepted"));
    assert_eq!(went(human(Question::EffectMissing), found(), &CLASS_B, Secs::days(2)), ("T10", "human"));
    // Taken by its word and never found again is asked about.
    assert_eq!(went(accepted(), nothing(), &BY_ORDER, Secs::days(2)), ("T15", "accepted"));
    assert_eq!(went(accepted(), Event::TimePassed, &BY_ORDER, Secs::days(2)), ("T16", "human"));
}

#[test]
fn a_card_that_another_account_reads_is_proven_by_that_account() {
    let reader = Capabilities { proof: Proof::Balance, effect_max: Secs::days(3), cached_for: Secs::HOUR, ..CLASS_C };
    let both = BY_ORDER.read_through(&reader);
    assert_eq!((both.proof, both.effect_max, both.cached_for), (Proof::Balance, Secs::days(3), Secs::HOUR));
    assert_eq!((both.repeat, both.lookup), (BY_ORDER.repeat, BY_ORDER.lookup));
    assert_eq!(CLASS_B.read_through(&BY_ORDER).proof, Proof::Order);
    assert_eq!(CLASS_B.read_through(&CLASS_B), CLASS_B);
}

#[test]
fn a_move_that_stays_open_is_due_later_or_as_before() {
    for (class, capabilities) in CLASSES {
        for (name, event) in every_event() {
            for state in every_state() {
                let before = state.next_at();
                let Ok(moved) = go(state, event.clone(), &capabilities, Secs::MINUTE) else { continue };
                let Some(next_at) = moved.state.next_at() else { continue };
                assert!(next_at > NOW.plus(Secs::MINUTE) || Some(next_at) == before, "{class}: {name}");
            }
        }
    }
}

#[test]
fn nothing_panics_at_the_ends_of_time() {
    let limits = [Secs(i64::MAX), Secs(i64::MIN), Secs::ZERO];
    for now in [UnixTime::MIN, NOW, UnixTime::MAX] {
        for (window, (_, class)) in limits.into_iter().zip(CLASSES) {
            let class = Capabilities {
                repeat: Repeat::Replays(window),
                processing_max: Some(window),
                effect_max: window,
                cached_for: window,
                ..class
            };
            for (_, event) in every_event() {
                for state in every_state() {
                    let mut attempt = attempt(state);
                    attempt.plan.validity_secs = Some(window.0);
                    attempt.id.0 = i64::MIN;
                    let _ = step(&attempt, event.clone(), &class, Some(UnixTime::MAX), now);
                }
            }
        }
    }
    let counted = AttemptState::Unknown {
        sent: Sent { send_count: u32::MAX, ..sent() },
        order_id: None,
        doubt: Doubt::Broken,
        tally: tally(u32::MAX, u32::MAX),
        next_at: NOW,
    };
    assert!(go(counted.clone(), Event::Resends, &REPLAYS, Secs::ZERO).is_ok());
    assert!(go(counted, nothing(), &REPLAYS, Secs::ZERO).is_ok());
}

#[test]
fn t3_a_gate_or_a_person_ends_what_was_only_planned() {
    let planned = AttemptState::Planned { next_at: NOW };
    for (_, class) in CLASSES {
        let moved = go(planned.clone(), Event::GateClosed { gate: "paused".into() }, &class, Secs::ZERO).unwrap();
        assert_eq!(moved.state, AttemptState::Abandoned { at: NOW, why: GivenUp::Gate("paused".into()) });
        let no = Event::Decided { by: "anna".into(), decision: Decision::NotBought, reason: "dear".into() };
        let moved = go(planned.clone(), no, &class, Secs::ZERO).unwrap();
        let why = GivenUp::Person { by: "anna".into(), reason: "dear".into() };
        assert_eq!(moved.state, AttemptState::Abandoned { at: NOW, why });
    }
}

#[test]
fn t4_sends_unless_a_person_has_yet_to_agree() {
    use crate::domain::attempt::AskWhy;
    for (_, class) in CLASSES {
        let mut planned = attempt(AttemptState::Planned { next_at: NOW });
        let moved = step(&planned, Event::Sends(sent()), &class, None, NOW).unwrap();
        assert_eq!(moved.state, AttemptState::Sending { sent: sent() });
        planned.approval = Approval::Asked { at: NOW, why: AskWhy::Mode };
        assert!(step(&planned, Event::Sends(sent()), &class, None, NOW).is_err());
        planned.approval = Approval::Given { by: "anna".into(), at: NOW };
        assert!(step(&planned, Event::Sends(sent()), &class, None, NOW).is_ok());
    }
}

#[test]
fn t5_t6_t7_t8_an_answer_is_taken_at_its_word() {
    let sending = || AttemptState::Sending { sent: sent() };
    for (_, class) in CLASSES {
        let taken = BuyAnswer::Accepted { order_id: Some("o-2".into()), charged: Some(usd(9)) };
        let AttemptState::Accepted { order_id, charged, accepted_at, sent: order, .. } =
            go(sending(), Event::Answered(taken), &class, Secs(5)).unwrap().state
        else {
            panic!("accepted");
        };
        assert_eq!((order_id.as_deref(), charged, accepted_at), (Some("o-2"), Some(usd(9)), NOW.plus(Secs(5))));
        assert_eq!(order, sent());
        let refused = refusal(RefusalKind::WalletEmpty);
        let moved = go(sending(), Event::Answered(BuyAnswer::Refused(refused.clone())), &class, Secs(5)).unwrap();
        assert_eq!(moved.state, AttemptState::Refused { at: NOW.plus(Secs(5)), refusal: refused });
        for doubt in [Doubt::TimedOut, Doubt::ServerError, Doubt::AlreadyUsed, Doubt::Unproven] {
            let answer = BuyAnswer::Unknown { doubt, detail: String::new(), retry_after: None };
            let moved = go(sending(), Event::Answered(answer), &class, Secs(5)).unwrap();
            assert!(matches!(moved.state, AttemptState::Unknown { doubt: seen, .. } if seen == doubt));
        }
        let moved = go(sending(), Event::FoundSending, &class, Secs(5)).unwrap();
        assert!(matches!(moved.state, AttemptState::Unknown { doubt: Doubt::ProcessEnded, .. }));
        let not_sent = BuyAnswer::NotSent { why: "no route".into() };
        let moved = go(sending(), Event::Answered(not_sent), &class, Secs(5)).unwrap();
        assert!(moved.state.next_at() > Some(NOW.plus(Secs(5))) && moved.state.sent().is_none());
    }
}

#[test]
fn t9_the_same_bytes_go_out_again_within_three_quarters_of_the_window_only() {
    let window = |secs| Capabilities { repeat: Repeat::Replays(Secs(secs)), ..REPLAYS };
    for (secs, age, allowed) in [
        (86_400, 0, true),
        (86_400, 64_799, true),
        (86_400, 64_800, false),
        (86_400, 64_801, false),
        (7, 5, true),
        (7, 6, false),
        (3, 2, true),
        (1, 0, true),
        (1, 1, false),
        (0, 0, false),
        (-4, 0, false),
        (i64::MAX, 1_000_000_000, true),
        (86_400, -1, false),
    ] {
        assert_eq!(may_resend(&sent(), &window(secs), NOW.plus(Secs(age))), allowed, "{age} of {secs}");
        let moved = go(unknown(tally(1, 1)), Event::Resends, &window(secs), Secs(age));
        assert_eq!(moved.is_ok(), allowed);
    }
    for class in [REFUSES, CLASS_B, CLASS_C] {
        assert!(!may_resend(&sent(), &class, NOW));
    }
    let moved = go(unknown(tally(2, 2)), Event::Resends, &REPLAYS, Secs::MINUTE).unwrap();
    let AttemptState::Unknown { sent: order, tally: after, .. } = moved.state else { panic!("unknown") };
    assert_eq!((order.key, order.first_sent_at, order.send_count), (sent().key, NOW, 2));
    assert_eq!(after, tally(3, 0), "what was not there before the repeat proves nothing after it");
}

#[test]
fn t10_a_look_up_that_finds_the_order_settles_it() {
    for (_, class) in CLASSES {
        for state in [unknown(tally(3, 2)), human(Question::EndNear), human(Question::Contradiction)] {
            let found = Found::Accepted { order_id: "o-2".into(), charged: Some(usd(9)) };
            let moved = go(state.clone(), Event::LookedUp(found), &class, Secs::days(5)).unwrap();
            assert_eq!((moved.transition, moved.state.order_id()), (Transition::T10, Some("o-2")));
        }
        let pending = || Event::LookedUp(Found::Pending { order_id: "o-2".into() });
        let hours = |hours| Secs::hours(hours);
        assert_eq!(went(unknown(tally(1, 0)), pending(), &class, hours(72)), ("T10", "pending"));
        let later = Secs(hours(72).0 + 1);
        assert_eq!(went(unknown(tally(1, 0)), pending(), &class, later), ("T10", "unknown"), "no swinging");
        assert_eq!(went(human(Question::EndNear), pending(), &class, later), ("T10", "human"));
        assert_eq!(went(human(Question::EndNear), pending(), &class, hours(2)), ("T10", "pending"));
        // From a restore on it is never unknown again, and only what is unknown is ever sent again.
        assert_eq!(went(human(Question::Restored), pending(), &class, hours(2)), ("T10", "human"));
        let taken = Event::LookedUp(Found::Accepted { order_id: "o-2".into(), charged: None });
        assert_eq!(went(human(Question::EffectMissing), taken, &class, Secs::days(2)), ("T10", "human"));
    }
}

#[test]
fn t11_the_card_settles_what_only_this_purchase_explains() {
    let seen = || Event::CardShows(Effect::Seen);
    for (_, class) in CLASSES {
        assert_eq!(went(unknown(tally(0, 0)), seen(), &class, Secs::HOUR), ("T11", "accepted"));
        for (question, state) in [
            (Question::NoEvidence, "accepted"),
            (Question::KeyWindowOver, "accepted"),
            (Question::EndNear, "accepted"),
            (Question::EffectMissing, "accepted"),
            (Question::Contradiction, "human"),
            (Question::Restored, "human"),
        ] {
            assert_eq!(went(human(question), seen(), &class, Secs::HOUR).1, state, "{question:?}");
        }
        let moved = go(unknown(tally(0, 0)), Event::CardShows(Effect::More), &class, Secs::HOUR).unwrap();
        assert!(matches!(moved.state, AttemptState::Human { question: Question::Contradiction, .. }));
    }
    // The operator would list it by now and does not: somebody else bought.
    let limit = REPLAYS.may_show_until();
    assert_eq!(went(unknown(tally(1, 1)), seen(), &CLASS_B, limit), ("T11", "accepted"));
    assert_eq!(went(unknown(tally(1, 1)), seen(), &CLASS_B, Secs(limit.0 + 1)), ("T13", "human"));
    assert_eq!(went(unknown(tally(1, 0)), seen(), &CLASS_B, Secs(limit.0 + 1)), ("T11", "accepted"));
}

#[test]
fn t12_absent_needs_three_clean_look_ups_the_last_after_the_longest_time() {
    for class in [REPLAYS, REFUSES, CLASS_B] {
        let limit = class.may_show_until().0;
        for (negatives, age, state) in [
            (0, limit + 1, "unknown"),
            (1, limit + 1, "unknown"),
            (2, limit - 1, "unknown"),
            (2, limit, "unknown"),
            (2, limit + 1, "absent"),
            (9, limit, "unknown"),
            (9, limit + 1, "absent"),
        ] {
            let seen = went(unknown(tally(negatives, negatives)), nothing(), &class, Secs(age));
            assert_eq!(seen.1, state, "{negatives} negatives after {age}");
        }
        let undocumented = Capabilities { processing_max: None, ..class };
        assert_eq!(went(unknown(tally(9, 9)), nothing(), &undocumented, Secs::hours(72)).1, "unknown");
        assert_eq!(went(unknown(tally(9, 9)), nothing(), &undocumented, Secs(72 * 3_600 + 1)).1, "absent");
        assert_eq!(went(unknown(tally(9, 9)), Event::LookupFailed, &class, Secs::days(9)).1, "unknown");
    }
    assert_eq!(went(unknown(tally(9, 9)), nothing(), &CLASS_C, Secs::days(99)).1, "unknown", "it cannot be asked");
}

#[test]
fn t12_waits_for_the_whole_key_window_after_a_repeat() {
    let resent = AttemptState::Unknown {
        sent: Sent { send_count: 2, ..sent() },
        order_id: None,
        doubt: Doubt::TimedOut,
        tally: tally(9, 9),
        next_at: NOW,
    };
    let limit = 86_400 + REPLAYS.may_show_until().0;
    assert_eq!(went(resent.clone(), nothing(), &REPLAYS, Secs(limit)).1, "unknown");
    assert_eq!(went(resent, nothing(), &REPLAYS, Secs(limit + 1)).1, "absent");
}

#[test]
fn t13_time_makes_it_a_persons_question() {
    let blind_replays = Capabilities { lookup: Lookup::None, ..REPLAYS };
    let blind_refuses = Capabilities { lookup: Lookup::None, ..REFUSES };
    let shows_late = Capabilities { processing_max: Some(Secs::days(6)), ..REFUSES };
    let replays_long = Capabilities { repeat: Repeat::Replays(Secs::days(30)), ..REPLAYS };
    let slow = Capabilities { processing_max: Some(Secs::hours(60)), ..CLASS_C };
    for (class, age, question) in [
        (CLASS_C, 48 * 3_600, None),
        (CLASS_C, 48 * 3_600 + 1, Some(Question::NoEvidence)),
        (slow, 60 * 3_600, None),
        (slow, 60 * 3_600 + 1, Some(Question::NoEvidence)),
        (blind_refuses, 48 * 3_600 + 1, Some(Question::NoEvidence)),
        (blind_replays, 86_400, None),
        (blind_replays, 86_401, Some(Question::KeyWindowOver)),
        (REPLAYS, 4 * 86_400, None),
        (REPLAYS, 4 * 86_400 + 1, Some(Question::NoEvidence)),
        (REFUSES, 4 * 86_400, None),
        (REFUSES, 4 * 86_400 + 1, Some(Question::NoEvidence)),
        (CLASS_B, 4 * 86_400 + 1, Some(Question::NoEvidence)),
        (shows_late, 7 * 86_400 + 60, None),
        (shows_late, 7 * 86_400 + 61, Some(Question::NoEvidence)),
        (replays_long, 30 * 86_400, None),
    ] {
        let moved = go(unknown(tally(30, 0)), Event::TimePassed, &class, Secs(age)).unwrap();
        let asked = match moved.state {
            AttemptState::Human { question, .. } => Some(question),
            _ => None,
        };
        assert_eq!(asked, question, "{age}");
    }
}

#[test]
fn t13_asks_four_days_before_the_end_or_at_half_of_a_shorter_plan() {
    let four_days = 4 * 86_400;
    for (_, class) in CLASSES {
        for (days, left, lookups, age, asks) in [
            (30, four_days, 3, 3_601, false),
            (30, four_days - 1, 3, 3_601, true),
            (30, four_days - 1, 2, 3_601, false),
            (30, four_days - 1, 3, 3_600, false),
            (30, 0, 3, 3_601, true),
            (30, -5, 3, 3_601, true),
            (2, 86_400, 3, 3_601, false),
            (2, 86_399, 3, 3_601, true),
            (0, four_days - 1, 3, 3_601, true),
            (-3, four_days - 1, 3, 3_601, true),
        ] {
            let mut attempt = attempt(unknown(tally(lookups, 0)));
            attempt.plan.validity_secs = Some(days * 86_400);
            let now = NOW.plus(Secs(age));
            let ends = Some(now.plus(Secs(left)));
            let moved = step(&attempt, Event::TimePassed, &class, ends, now).unwrap();
            let seen = matches!(moved.state, AttemptState::Human { question: Question::EndNear, .. });
            assert_eq!(seen, asks, "{left} left of {days} days, {lookups} look-ups in {age}");
        }
    }
}

#[test]
fn t14_a_pending_order_is_waited_for_72_hours_and_a_vanished_one_until_it_would_show() {
    for (_, class) in CLASSES {
        let three_days = 72 * 3_600;
        let still = || Event::LookedUp(Found::Pending { order_id: "o-2".into() });
        let moved = go(pending(), still(), &class, Secs(three_days)).unwrap();
        assert!(
            matches!(&moved.state, AttemptState::Pending { order_id, tally, .. } if order_id == "o-2" && tally.lookups == 1)
        );
        assert_eq!(went(pending(), still(), &class, Secs(three_days + 1)), ("T14", "unknown"));
        // Where nothing can be looked up, time alone moves it on: it is looked at later, and never again and again.
        let moved = go(pending(), Event::TimePassed, &class, Secs(three_days)).unwrap();
        assert!(matches!(&moved.state, AttemptState::Pending { next_at, .. } if *next_at > NOW.plus(Secs(three_days))));
        assert_eq!(went(pending(), Event::TimePassed, &class, Secs(three_days + 1)), ("T14", "unknown"));
        let limit = class.may_show_until();
        assert_eq!(went(pending(), nothing(), &class, limit), ("T14", "pending"));
        let moved = go(pending(), nothing(), &class, Secs(limit.0 + 1)).unwrap();
        assert!(matches!(&moved.state, AttemptState::Unknown { doubt: Doubt::PendingLost, order_id: Some(_), .. }));
    }
}

#[test]
fn t15_only_the_card_makes_it_done() {
    for (_, class) in CLASSES {
        for (effect, state) in [(Effect::None, "accepted"), (Effect::Seen, "done"), (Effect::More, "done")] {
            assert_eq!(went(accepted(), Event::CardShows(effect), &class, Secs::HOUR), ("T15", state));
        }
        for age in [0, 599, 600, 86_400] {
            let moved = go(accepted(), Event::CardShows(Effect::None), &class, Secs(age)).unwrap();
            let wait = if age < 600 { Secs::MINUTE } else { class.cached_for };
            assert_eq!(moved.state.next_at(), Some(NOW.plus(Secs(age)).plus(wait)), "{age}");
        }
    }
}

#[test]
fn t16_an_effect_that_does_not_show_is_asked_about_and_never_bought_again() {
    for (_, class) in CLASSES {
        for event in [Event::TimePassed, Event::CardShows(Effect::None)] {
            assert_eq!(went(accepted(), event.clone(), &class, Secs::DAY), ("T15", "accepted"));
            assert_eq!(went(accepted(), event.clone(), &class, Secs(86_401)), ("T16", "human"));
            let AttemptState::Accepted { sent, order_id, charged, next_at, .. } = accepted() else {
                panic!("accepted")
            };
            let accepted_at = NOW.plus(Secs::days(20));
            let ahead = AttemptState::Accepted { sent, order_id, charged, accepted_at, next_at };
            assert_eq!(went(ahead, event.clone(), &class, Secs(86_401)), ("T16", "human"), "by a clock that ran ahead");
            let slow = Capabilities { effect_max: Secs::days(3), ..class };
            assert_eq!(went(accepted(), event.clone(), &slow, Secs::days(3)), ("T15", "accepted"));
            assert_eq!(went(accepted(), event, &slow, Secs(3 * 86_400 + 1)), ("T16", "human"));
        }
    }
}

#[test]
fn t17_what_was_taken_back_is_reversed_from_wherever_it_stood() {
    for (_, class) in CLASSES {
        for state in [pending(), accepted(), unknown(tally(0, 0)), human(Question::Restored), every_state()[6].clone()]
        {
            let back = Found::Reversed { order_id: "o-1".into(), why: "refunded".into() };
            let moved = go(state, Event::LookedUp(back), &class, Secs::DAY).unwrap();
            assert_eq!(moved.state, AttemptState::Reversed { at: NOW.plus(Secs::DAY), why: "refunded".into() });
        }
        for state in [accepted(), every_state()[6].clone()] {
            let failed = Refusal { kind: RefusalKind::Other, code: "9".into(), text: "failed after all".into() };
            let moved = go(state, Event::LookedUp(Found::Refused(failed)), &class, Secs::DAY).unwrap();
            assert_eq!(moved.state, AttemptState::Reversed { at: NOW.plus(Secs::DAY), why: "failed after all".into() });
        }
    }
}

#[test]
fn t19_a_named_person_settles_a_question_and_nothing_else() {
    let says = |decision| Event::Decided { by: "anna".into(), decision, reason: "called them".into() };
    for (_, class) in CLASSES {
        for question in [Question::NoEvidence, Question::Restored, Question::EffectMissing] {
            let state = human(question);
            assert_eq!(went(state.clone(), says(Decision::Bought), &class, Secs::DAY), ("T19", "accepted"));
            assert_eq!(went(state.clone(), says(Decision::NotBought), &class, Secs::DAY), ("T19", "absent"));
            assert_eq!(went(state, says(Decision::Abandon), &class, Secs::DAY), ("T19", "abandoned"));
        }
        for state in [AttemptState::Sending { sent: sent() }, pending(), accepted(), unknown(tally(0, 0))] {
            assert!(go(state, says(Decision::NotBought), &class, Secs::DAY).is_err());
        }
    }
}

#[test]
fn t20_after_a_restore_every_order_is_a_persons_question() {
    for (_, class) in CLASSES {
        for state in every_state().into_iter().filter(|state| state.sent().is_some()) {
            let moved = go(state.clone(), Event::RolledBack { left: None }, &class, Secs::DAY).unwrap();
            let AttemptState::Human { question, sent: order, order_id, .. } = moved.state else { panic!("human") };
            assert_eq!((question, order), (Question::Restored, sent()));
            assert_eq!(order_id.as_deref(), state.order_id());
        }
    }
}
