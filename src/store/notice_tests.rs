//! The queue's contract: one row per key, stale settlements, expiry, and indexes that stay small.

use super::super::claims;
use super::super::notice_lists::{CLAIMED, DEAD, QUEUED};
use super::super::tests::{NOW, card, memory, name};
use super::*;
use crate::domain::notice::NoticeKind;
use crate::domain::time::Secs;

pub(in super::super) fn mail() -> Name {
    name("mail")
}

pub(in super::super) fn new(step: &str) -> NewNotice {
    NewNotice {
        key: DedupKey { kind: NoticeKind::Bought, card: None, cycle: 1, step: step.into() },
        person: name("anna"),
        channel: mail(),
        address: "anna@example.net".into(),
        subject: "3 GB for canada".into(),
        message_id: "<1@example.net>".into(),
        bytes: b"Subject: x\r\n\r\nhello".to_vec(),
        urgent: false,
        resend_costs: false,
        attempt: None,
        created_at: NOW,
        send_at: NOW,
        expires_at: NOW.plus(Secs::days(30)),
    }
}

pub(in super::super) fn queued(conn: &Connection, new: &NewNotice) -> NoticeId {
    enqueue(conn, new).unwrap().expect("it must be new")
}

pub(in super::super) fn claim_one(conn: &Connection, now: UnixTime) -> Claimed {
    let mut claimed = claim(conn, &mail(), 1, now).unwrap();
    assert_eq!(claimed.len(), 1);
    claimed.remove(0)
}

pub(in super::super) fn state_of(conn: &Connection, id: NoticeId) -> NoticeState {
    by_id(conn, id).unwrap().unwrap().state
}

fn retry_later() -> Outcome {
    Outcome::Retry { why: "450 try later".into(), not_before: None }
}

#[test]
fn the_same_notice_is_queued_once() {
    let conn = memory();
    let id = card(&conn, "a");
    let first = new("s");
    queued(&conn, &first);
    assert_eq!(enqueue(&conn, &first).unwrap(), None);
    assert_eq!(enqueue(&conn, &NewNotice { address: "other@example.net".into(), ..first.clone() }).unwrap(), None);
    let of_card = DedupKey { card: Some(id), ..first.key.clone() };
    for other in [
        NewNotice { key: of_card, ..first.clone() },
        NewNotice { key: DedupKey { cycle: 2, ..first.key.clone() }, ..first.clone() },
        NewNotice { key: DedupKey { kind: NoticeKind::Failed, ..first.key.clone() }, ..first.clone() },
        NewNotice { person: name("bo"), ..first.clone() },
        NewNotice { channel: name("sms"), ..first.clone() },
        new("t"),
    ] {
        queued(&conn, &other);
    }
    assert_eq!(gauges(&conn).unwrap(), Gauges { depth: 7, oldest: Some(NOW), dead: 0 });
}

#[test]
fn the_last_warning_of_a_step_is_found_over_cycles_and_ends() {
    let conn = memory();
    let id = card(&conn, "a");
    let told = |step: &str, cycle: u32, at: UnixTime| {
        let key = DedupKey { kind: NoticeKind::DueSoon, card: Some(id), cycle, step: step.to_owned() };
        queued(&conn, &NewNotice { key, created_at: at, ..new(step) });
    };
    let last = |step: &str| {
        let last = last_told(&conn, NoticeKind::DueSoon, id, step).unwrap();
        last.map(|told| (told.cycle, told.step, told.at))
    };
    assert_eq!(last("plan:7d"), None);
    told("plan:7d", 1, NOW.plus(Secs::DAY));
    told("plan:7d12h", 2, NOW);
    told("number:7d", 2, NOW);
    assert_eq!(last("plan:7d"), Some((1, "plan:7d".to_owned(), NOW.plus(Secs::DAY))));
    // By a clock that ran ahead before: what was queued later counts.
    told("plan:7d:2", 1, NOW);
    assert_eq!(last("plan:7d"), Some((1, "plan:7d:2".to_owned(), NOW)));
}

#[test]
fn what_is_too_old_to_be_claimed_is_not_due_either() {
    let conn = memory();
    let old = new("old");
    queued(&conn, &old);
    let last = old.expires_at.minus(Secs(1));
    assert_eq!(next_due(&conn, &mail(), last).unwrap(), Some(old.send_at));
    // A round that found it due and nothing to claim would look again at once, until somebody takes it out.
    assert_eq!(next_due(&conn, &mail(), old.expires_at).unwrap(), None);
    assert_eq!(claim(&conn, &mail(), 10, old.expires_at).unwrap(), []);
}

#[test]
fn a_sent_one_stays_sent() {
    let conn = memory();
    let id = queued(&conn, &new("s"));
    let claimed = claim_one(&conn, NOW);
    assert!(settle(&conn, id, claimed.attempt_no, &Outcome::Sent { remote: "250 ok".into() }, NOW).unwrap());
    assert!(!settle(&conn, id, claimed.attempt_no, &Outcome::Dead { why: "late".into() }, NOW).unwrap());
    assert!(!retry(&conn, id, NOW).unwrap());
    let sent = by_id(&conn, id).unwrap().unwrap();
    assert_eq!((sent.state, sent.remote.as_deref(), sent.settled_at), (NoticeState::Sent, Some("250 ok"), Some(NOW)));
    assert_eq!(bytes(&conn, id).unwrap(), new("s").bytes);
    assert_eq!(gauges(&conn).unwrap().depth, 0);
}

#[test]
fn a_retry_waits_by_the_table_and_a_stale_settlement_changes_nothing() {
    let conn = memory();
    let id = queued(&conn, &new("s"));
    let first = claim_one(&conn, NOW);
    assert!(settle(&conn, id, first.attempt_no, &retry_later(), NOW).unwrap());
    let due = by_id(&conn, id).unwrap().unwrap().next_at.unwrap();
    assert_eq!(due, NOW.plus(next_delivery(1, id.0.unsigned_abs())));
    let second = claim_one(&conn, due);
    assert_eq!(second.attempt_no, 2);
    // The first try's answer comes only now.
    assert!(!settle(&conn, id, first.attempt_no, &Outcome::Sent { remote: "late".into() }, due).unwrap());
    assert_eq!(state_of(&conn, id), NoticeState::Claimed);
    let not_before = due.plus(Secs::days(2));
    let outcome = Outcome::Retry { why: "lost after the dot".into(), not_before: Some(not_before) };
    assert!(settle(&conn, id, 2, &outcome, due).unwrap());
    assert_eq!(by_id(&conn, id).unwrap().unwrap().next_at, Some(not_before));
}

#[test]
fn what_is_no_longer_worth_sending_leaves_the_queue() {
    let conn = memory();
    let id = queued(&conn, &NewNotice { expires_at: NOW.plus(Secs(10)), ..new("s") });
    let other = queued(&conn, &new("t"));
    assert_eq!(expire(&conn, NOW.plus(Secs(9))).unwrap(), 0);
    let claimed = claim(&conn, &mail(), 9, NOW.plus(Secs(10))).unwrap();
    assert_eq!(claimed.iter().map(|one| one.id).collect::<Vec<_>>(), [other]);
    assert_eq!(expire(&conn, NOW.plus(Secs(10))).unwrap(), 1);
    assert_eq!(state_of(&conn, id), NoticeState::Expired);
    // Sent again by a person it is worth sending for as long as it was.
    assert!(retry(&conn, id, NOW.plus(Secs::DAY)).unwrap());
    assert_eq!(by_id(&conn, id).unwrap().unwrap().expires_at, NOW.plus(Secs::DAY).plus(Secs(10)));
}

#[test]
fn lists_are_newest_first_and_can_be_narrowed() {
    let conn = memory();
    let id = card(&conn, "a");
    let of_card = DedupKey { card: Some(id), ..new("s").key };
    let first = queued(&conn, &NewNotice { key: of_card, ..new("s") });
    let second = queued(&conn, &new("t"));
    settle(&conn, claim_one(&conn, NOW).id, 1, &Outcome::Dead { why: "550 unknown".into() }, NOW).unwrap();
    let ids = |state, card| list(&conn, state, card, 9).unwrap().into_iter().map(|one| one.id).collect::<Vec<_>>();
    assert_eq!(ids(None, None), [second, first]);
    assert_eq!(ids(Some(NoticeState::Dead), None), [first]);
    assert_eq!(ids(None, Some(id)), [first]);
    assert_eq!(ids(Some(NoticeState::Sent), Some(id)), []);
}

#[test]
fn the_queue_uses_its_small_indexes_only() {
    let conn = memory();
    for (sql, index) in [
        (claims::READY, "notice_queued"),
        (claims::SUSPECT, "notice_suspect"),
        (NEXT_DUE, "notice_queued"),
        (EXPIRE, "notice_queued"),
        (QUEUED, "notice_queued"),
        (CLAIMED, "notice_claimed"),
        (DEAD, "notice_dead"),
        (claims::LOST, "notice_claimed"),
    ] {
        let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let count = statement.parameter_count();
        let nulls = vec![rusqlite::types::Null; count];
        let plan: Vec<String> = statement
            .query_map(rusqlite::params_from_iter(nulls), |row| row.get(3))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert!(plan.iter().any(|line| line.contains(index)), "{sql}: {plan:?}");
        assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "{sql}: {plan:?}");
    }
}
