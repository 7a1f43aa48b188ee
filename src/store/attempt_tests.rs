//! What the table of attempts must hold to: one open attempt a card, guarded moves, every state and back.

use super::super::cards;
use super::super::tests::{NOW, card, memory, name};
use super::*;
use crate::domain::attempt::{AskWhy, Cause, GivenUp};
use crate::domain::cover::Reckoning;
use crate::domain::money::{Currency, Money};
use crate::domain::operator::{Doubt, Refusal, RefusalKind, Stacking};
use crate::domain::plan::Contents;
use crate::domain::time::Secs;

fn usd(dollars: i64) -> Money {
    Money::new(dollars * 10_000, Currency::USD)
}

fn plan_of(dollars: i64) -> Plan {
    Plan {
        id: "canada-7days-3gb".into(),
        name: "3 GB".into(),
        contents: Contents { data_bytes: Some(3_000_000_000), credit: Some(usd(1)), ..Contents::default() },
        validity_secs: Some(7 * 86_400),
        price: usd(dollars),
    }
}

fn new(card: CardId, number: u32) -> NewAttempt {
    NewAttempt {
        card,
        cycle: 1,
        number,
        account: name("airalo"),
        cause: Cause::Rule { rule: name("travel"), line: 12 },
        plan: plan_of(9),
        reckoning: None,
        payment: "wallet".into(),
        code: Some("WINTER10".into()),
        created_at: NOW,
        approval: Approval::NotNeeded,
        before: None,
        next_at: NOW,
    }
}

fn sent() -> Sent {
    Sent { key: OrderKey::new(7), first_sent_at: NOW.plus(Secs(1)), send_count: 1 }
}

fn order() -> PreparedOrder {
    PreparedOrder {
        key: OrderKey::new(7),
        path: "/v2/orders/topups".into(),
        content_type: "application/json".into(),
        body: b"{\"iccid\":1}".to_vec(),
    }
}

fn seen(transition: &str) -> Evidence<'_> {
    Evidence { transition, what: "seen".into(), digest: Some("ab".into()), at: NOW.plus(Secs(9)) }
}

/// Every state, with everything that can be true in it.
fn every_state() -> Vec<AttemptState> {
    let (sent, at, next_at) = (sent(), NOW.plus(Secs(50)), NOW.plus(Secs(99)));
    let tally = Tally { lookups: 3, clean_negatives: 2 };
    let refusal = Refusal { kind: RefusalKind::WalletEmpty, code: "33".into(), text: "no money".into() };
    let person = GivenUp::Person { by: "anna".into(), reason: "not now".into() };
    let order_id = Some("A-1".to_owned());
    vec![
        AttemptState::Planned { next_at },
        AttemptState::Sending { sent: sent.clone() },
        AttemptState::Pending { sent: sent.clone(), order_id: "A-1".into(), tally, next_at },
        AttemptState::Accepted {
            sent: sent.clone(),
            order_id: order_id.clone(),
            charged: Some(usd(8)),
            accepted_at: at,
            next_at,
        },
        AttemptState::Accepted { sent: sent.clone(), order_id: None, charged: None, accepted_at: at, next_at },
        AttemptState::Unknown {
            sent: Sent { send_count: 2, ..sent.clone() },
            order_id: None,
            doubt: Doubt::TimedOut,
            tally,
            next_at,
        },
        AttemptState::Human {
            sent,
            order_id: order_id.clone(),
            question: Question::EffectMissing,
            asked_at: at,
            tally,
            next_at,
        },
        AttemptState::Done { at, order_id, charged: Some(usd(8)) },
        AttemptState::Refused { at, refusal },
        AttemptState::Absent { at },
        AttemptState::Abandoned { at, why: GivenUp::Gate("wallet_short".into()) },
        AttemptState::Abandoned { at, why: person },
        AttemptState::Abandoned { at, why: GivenUp::NotNeeded },
        AttemptState::Reversed { at, why: "refunded".into() },
    ]
}

#[test]
fn an_attempt_comes_back_as_it_was_planned() {
    let conn = memory();
    let id = card(&conn, "a");
    let snapshot =
        Snapshot { assets: vec!["x".into()], plan_ends: Some(NOW), credit: Some(usd(3)), ..Snapshot::default() };
    let reckoning = Reckoning {
        purchases: 2,
        cost: usd(14),
        from: NOW,
        until: NOW.plus(Secs::days(9)),
        is_whole: true,
        data_bytes: u64::MAX,
        runner_up: Some(("第二".into(), usd(15))),
        is_assumed: false,
        leaves_over: true,
        stacking: Stacking::Extends,
    };
    for (cause, approval) in [
        (Cause::Person { by: "anna".into() }, Approval::Asked { at: NOW, why: AskWhy::Dearer { before: usd(8) } }),
        (Cause::Journal, Approval::Given { by: "anna".into(), at: NOW }),
        (Cause::Rule { rule: name("r"), line: 3 }, Approval::Asked { at: NOW, why: AskWhy::Mode }),
    ] {
        let new = NewAttempt {
            cause,
            approval,
            before: Some(snapshot.clone()),
            reckoning: Some(reckoning.clone()),
            ..new(id, 1)
        };
        let attempt = plan(&conn, &new).unwrap();
        assert_eq!((&attempt.cause, &attempt.approval, &attempt.before), (&new.cause, &new.approval, &new.before));
        assert_eq!((&attempt.plan, &attempt.payment, &attempt.code), (&new.plan, &new.payment, &new.code));
        assert_eq!(attempt.reckoning, new.reckoning);
        assert_eq!((attempt.version, attempt.state.clone()), (1, AttemptState::Planned { next_at: NOW }));
        let closed = AttemptState::Abandoned { at: NOW, why: GivenUp::NotNeeded };
        advance(&conn, &attempt, &closed, None, &seen("T3")).unwrap();
    }
}

#[test]
fn every_state_leads_to_every_other_and_comes_back_whole() {
    let conn = memory();
    for from in every_state() {
        for to in every_state() {
            let id = card(&conn, &format!("c{}", conn.last_insert_rowid()));
            let planned = plan(&conn, &new(id, 1)).unwrap();
            let unique = OrderKey::new(u128::from(id.0.unsigned_abs()));
            let (from, to) = (with_key_of(&from, &unique), with_key_of(&to, &unique));
            let first = advance(&conn, &planned, &from, None, &seen("T4")).unwrap();
            assert_eq!(first.state, from);
            match advance(&conn, &first, &to, None, &seen("T5")) {
                Ok(second) => assert_eq!((second.state, second.version), (to, 3)),
                // The schema wants the order of what is on its way; a state without one cannot lead there.
                Err(error) => panic!("{from:?} to {to:?}: {error}"),
            }
            if let Some(open) = open_for(&conn, id).unwrap() {
                let closed = AttemptState::Absent { at: NOW };
                advance(&conn, &open, &closed, None, &seen("T12")).unwrap();
            }
        }
    }
}

fn with_key_of(state: &AttemptState, unique: &OrderKey) -> AttemptState {
    let mut state = state.clone();
    match &mut state {
        AttemptState::Sending { sent }
        | AttemptState::Pending { sent, .. }
        | AttemptState::Accepted { sent, .. }
        | AttemptState::Unknown { sent, .. }
        | AttemptState::Human { sent, .. } => sent.key = unique.clone(),
        AttemptState::Planned { .. }
        | AttemptState::Done { .. }
        | AttemptState::Refused { .. }
        | AttemptState::Absent { .. }
        | AttemptState::Abandoned { .. }
        | AttemptState::Reversed { .. } => {}
    }
    state
}

#[test]
fn the_schema_refuses_states_without_what_belongs_to_them() {
    let conn = memory();
    let id = card(&conn, "a");
    plan(&conn, &new(id, 1)).unwrap();
    for state in StateName::ALL.into_iter().filter(|state| *state != StateName::Planned) {
        let error = conn.execute("UPDATE attempt SET state = ?1", [state.as_str()]).unwrap_err();
        assert!(error.to_string().contains("CHECK"), "{state:?}: {error}");
    }
    assert!(conn.execute("UPDATE attempt SET state = 'elsewhere'", []).is_err());
    assert!(conn.execute("UPDATE attempt SET next_at = NULL", []).is_err());
}

#[test]
fn a_card_has_one_open_attempt() {
    let conn = memory();
    let (a, b) = (card(&conn, "a"), card(&conn, "b"));
    let first = plan(&conn, &new(a, 1)).unwrap();
    plan(&conn, &new(b, 1)).unwrap();
    assert!(matches!(plan(&conn, &new(a, 2)), Err(StoreError::Taken { .. })));
    let done = AttemptState::Done { at: NOW, order_id: None, charged: None };
    advance(&conn, &first, &done, None, &seen("T15")).unwrap();
    let second = plan(&conn, &new(a, 2)).unwrap();
    assert!(second.id > first.id);
    assert_eq!(open_for(&conn, a).unwrap().unwrap().id, second.id);
    assert_eq!(open(&conn).unwrap().len(), 2);
    assert_eq!(this_cycle(&conn, a, 1).unwrap().len(), 2);
    assert_eq!(last_done(&conn, a).unwrap().unwrap().id, first.id);
}

#[test]
fn a_stale_move_changes_nothing() {
    let conn = memory();
    let planned = plan(&conn, &new(card(&conn, "a"), 1)).unwrap();
    let moved = start_sending(&conn, &planned, &sent(), &order(), NOW).unwrap();
    let absent = AttemptState::Absent { at: NOW };
    let stale = StoreError::Stale { table: "attempt", row: planned.id.0 };
    assert_eq!(advance(&conn, &planned, &absent, None, &seen("T12")).unwrap_err(), stale);
    assert_eq!(set_before(&conn, &planned, &Snapshot::default(), &seen("T2")).unwrap_err(), stale);
    assert_eq!(set_offer(&conn, &moved, &plan_of(1), "x", None, &seen("T2")).unwrap_err(), stale);
    assert_eq!(by_id(&conn, planned.id).unwrap().unwrap(), moved);
    assert_eq!(events(&conn, planned.id).unwrap().len(), 2);
}

#[test]
fn the_intent_holds_the_exact_bytes_and_one_key() {
    let conn = memory();
    let planned = plan(&conn, &new(card(&conn, "a"), 1)).unwrap();
    assert!(matches!(prepared(&conn, planned.id), Err(StoreError::Missing { .. })));
    let sending_now = start_sending(&conn, &planned, &sent(), &order(), NOW).unwrap();
    assert_eq!(sending_now.state, AttemptState::Sending { sent: sent() });
    assert_eq!(prepared(&conn, planned.id).unwrap(), order());
    assert_eq!(sending(&conn).unwrap(), std::slice::from_ref(&sending_now));
    assert_eq!(with_key(&conn, &sent().key).unwrap(), Some(planned.id));
    assert_eq!(with_key(&conn, &OrderKey::new(8)).unwrap(), None);
    assert!(start_sending(&conn, &sending_now, &sent(), &order(), NOW).is_err());
    // No connection: the key stays.
    let again = advance(&conn, &sending_now, &AttemptState::Planned { next_at: NOW }, None, &seen("T8")).unwrap();
    assert_eq!(key_of(&conn, again.id).unwrap(), Some(sent().key));
    let other = Sent { key: OrderKey::new(8), ..sent() };
    let other_order = PreparedOrder { key: OrderKey::new(8), ..order() };
    assert!(matches!(start_sending(&conn, &again, &other, &other_order, NOW), Err(StoreError::Forbidden { .. })));
    start_sending(&conn, &again, &sent(), &order(), NOW).unwrap();
    conn.execute("UPDATE attempt_order SET body = x'00'", []).unwrap();
    assert!(matches!(prepared(&conn, again.id), Err(StoreError::Unreadable { column: "body", .. })));
}

#[test]
fn evidence_is_written_with_every_move_and_never_changed() {
    let conn = memory();
    let planned = plan(&conn, &new(card(&conn, "a"), 1)).unwrap();
    let given = Approval::Given { by: "anna".into(), at: NOW };
    let next = AttemptState::Planned { next_at: NOW.plus(Secs(5)) };
    let approved = advance(&conn, &planned, &next, Some(&given), &seen("T19")).unwrap();
    assert_eq!(approved.approval, given);
    let offered = set_offer(&conn, &approved, &plan_of(8), "card", None, &seen("T2")).unwrap();
    assert_eq!((offered.plan.price, offered.payment.as_str(), &offered.code), (usd(8), "card", &None));
    let snapshot = Snapshot { data_left: Some(3), ..Snapshot::default() };
    let viewed = set_before(&conn, &offered, &snapshot, &seen("T2")).unwrap();
    assert_eq!((viewed.before, viewed.version), (Some(snapshot), 4));
    let names: Vec<_> = events(&conn, planned.id).unwrap().into_iter().map(|event| event.transition).collect();
    assert_eq!(names, ["T1", "T19", "T2", "T2"]);
    assert!(conn.execute("UPDATE attempt_event SET what = 'x'", []).is_err());
    assert!(conn.execute("DELETE FROM attempt_event", []).is_err());
}

#[test]
fn due_work_is_found_in_order() {
    let conn = memory();
    assert_eq!(next_due_after(&conn, UnixTime::MIN).unwrap(), None);
    let later = NewAttempt { next_at: NOW.plus(Secs(10)), ..new(card(&conn, "a"), 1) };
    let a = plan(&conn, &later).unwrap();
    let b = plan(&conn, &new(card(&conn, "b"), 1)).unwrap();
    let c = plan(&conn, &new(card(&conn, "c"), 1)).unwrap();
    start_sending(&conn, &c, &sent(), &order(), NOW).unwrap();
    assert_eq!(next_due_after(&conn, UnixTime::MIN).unwrap(), Some(NOW));
    let ids = |now: UnixTime, limit| due(&conn, now, limit).unwrap().into_iter().map(|one| one.id).collect::<Vec<_>>();
    assert_eq!(ids(NOW.minus(Secs(1)), 9), []);
    assert_eq!(ids(NOW, 9), [b.id]);
    assert_eq!(ids(NOW.plus(Secs(10)), 9), [b.id, a.id]);
    assert_eq!(ids(NOW.plus(Secs(10)), 1), [b.id]);
}

#[test]
fn everything_that_may_have_been_charged_counts() {
    let conn = memory();
    let id = card(&conn, "a");
    for (place, state) in every_state().into_iter().enumerate() {
        let key = OrderKey::new(100 + place as u128);
        let planned = plan(&conn, &new(id, 1)).unwrap();
        let moved = advance(&conn, &planned, &with_key_of(&state, &key), None, &seen("T5")).unwrap();
        let counted = spends(&conn, id, NOW).unwrap().into_iter().find(|spend| spend.attempt == moved.id);
        assert_eq!(counted.is_some(), state.name().counts_as_spent(), "{state:?}");
        if let Some(spend) = counted {
            let charged = matches!(state, AttemptState::Accepted { charged: Some(_), .. } | AttemptState::Done { .. });
            assert_eq!(spend.money, if charged { usd(8) } else { usd(9) }, "{state:?}");
        }
        if state.name().is_open() {
            advance(&conn, &moved, &AttemptState::Absent { at: NOW }, None, &seen("T12")).unwrap();
        }
    }
    assert_eq!(spends(&conn, id, NOW.plus(Secs::DAY)).unwrap(), []);
    assert_eq!(last_paid(&conn, id, "canada-7days-3gb").unwrap(), Some(usd(8)));
    assert_eq!(last_paid(&conn, id, "other").unwrap(), None);
    let all = AttemptFilter { card: None, open_only: false, since: UnixTime::MIN, limit: 100 };
    assert_eq!(list(&conn, &all).unwrap().len(), every_state().len());
    assert_eq!(list(&conn, &AttemptFilter { card: Some(id), open_only: true, ..all }).unwrap(), []);
    assert_eq!(list(&conn, &AttemptFilter { limit: 2, ..all }).unwrap().len(), 2);
}

/// One that the ledger did not know would let the next reading of a cache buy again.
#[test]
fn an_attempt_that_a_clock_of_1970_planned_is_known_by_when_it_was_sent() {
    let conn = memory();
    let id = card(&conn, "a");
    let planned = plan(&conn, &NewAttempt { created_at: UnixTime::clamped(60), ..new(id, 1) }).unwrap();
    let since_now = AttemptFilter { card: Some(id), open_only: false, since: NOW, limit: 9 };
    assert_eq!(list(&conn, &since_now).unwrap(), []);
    let sending = advance(&conn, &planned, &AttemptState::Sending { sent: sent() }, None, &seen("T4")).unwrap();
    let done = AttemptState::Done { at: NOW, order_id: None, charged: None };
    let done = advance(&conn, &sending, &done, None, &seen("T15")).unwrap();
    assert_eq!(list(&conn, &since_now).unwrap(), [done]);
}

#[test]
fn orders_that_only_the_journal_knows_become_questions() {
    let conn = memory();
    let id = card(&conn, "a");
    let lost = NewAttempt { cause: Cause::Journal, ..new(id, 1) };
    let attempt = import_from_journal(&conn, AttemptId(40), &lost, &sent(), NOW).unwrap();
    assert_eq!((attempt.id, attempt.state.name()), (AttemptId(40), StateName::Human));
    assert!(matches!(import_from_journal(&conn, AttemptId(40), &lost, &sent(), NOW), Err(StoreError::Taken { .. })));
    assert!(matches!(import_from_journal(&conn, AttemptId(41), &lost, &sent(), NOW), Err(StoreError::Taken { .. })));
    // Numbers go on behind those of the journal.
    assert_eq!(plan(&conn, &new(card(&conn, "b"), 1)).unwrap().id, AttemptId(41));
    // A number that a later attempt was given stays that attempt's.
    let late = NewAttempt { cause: Cause::Journal, ..new(card(&conn, "c"), 1) };
    let other = Sent { key: OrderKey::new(41), ..sent() };
    assert_eq!(import_from_journal(&conn, AttemptId(41), &late, &other, NOW).unwrap().id, AttemptId(42));
}

#[test]
fn a_card_is_found_by_the_plan_and_the_key_of_its_order() {
    let conn = memory();
    let (bought, other) = (card(&conn, "bought"), card(&conn, "other"));
    let planned = plan(&conn, &new(bought, 1)).unwrap();
    start_sending(&conn, &planned, &sent(), &order(), NOW).unwrap();
    let key = key_of(&conn, planned.id).unwrap().unwrap();
    for text in [planned.plan.id.as_str(), planned.plan.name.as_str(), &key.as_str()[4..20]] {
        let found: Vec<CardId> = cards::find(&conn, text, 9).unwrap().into_iter().map(|card| card.id).collect();
        assert_eq!(found, [bought], "{text}");
    }
    assert_eq!(cards::count_by_account(&conn).unwrap(), [(name("account"), 2)].into());
    assert_eq!(cards::first_of(&conn, &name("account")).unwrap().map(|card| card.id), Some(bought));
    cards::retire(&conn, bought, NOW).unwrap();
    assert_eq!(cards::first_of(&conn, &name("account")).unwrap().map(|card| card.id), Some(other));
    assert_eq!(cards::known(&conn).unwrap().iter().filter(|card| card.retired).count(), 1);
}
