//! What a claim takes and in which order, and what a restart makes of what was on its way.

use super::super::notices::tests::{claim_one, mail, new, queued, state_of};
use super::super::notices::{NewNotice, Outcome, by_id, gauges, next_due, retry, settle};
use super::super::tests::{NOW, memory, name};
use super::*;
use crate::domain::time::Secs;

fn ids(claimed: &[Claimed]) -> Vec<NoticeId> {
    claimed.iter().map(|one| one.id).collect()
}

fn sent(conn: &Connection, claimed: &[Claimed]) {
    for one in claimed {
        settle(conn, one.id, one.attempt_no, &Outcome::Sent { remote: "250 ok".into() }, NOW).unwrap();
    }
}

#[test]
fn urgent_ones_go_first_then_the_longest_due() {
    let conn = memory();
    let later = queued(&conn, &NewNotice { send_at: NOW.plus(Secs(5)), ..new("later") });
    let early = queued(&conn, &new("early"));
    let urgent = queued(&conn, &NewNotice { urgent: true, send_at: NOW.plus(Secs(5)), ..new("urgent") });
    queued(&conn, &NewNotice { channel: name("sms"), ..new("elsewhere") });
    queued(&conn, &NewNotice { send_at: NOW.plus(Secs(6)), ..new("not yet") });
    let claimed = claim(&conn, &mail(), 10, NOW.plus(Secs(5))).unwrap();
    assert_eq!(claimed.iter().map(|one| one.id).collect::<Vec<_>>(), [urgent, early, later]);
    assert_eq!(claimed[0].bytes, new("x").bytes);
    assert_eq!(claimed[0].attempt_no, 1);
    assert_eq!(claim(&conn, &mail(), 10, NOW.plus(Secs(5))).unwrap(), []);
    assert_eq!(next_due(&conn, &mail(), NOW).unwrap(), Some(NOW.plus(Secs(6))));
    assert_eq!(next_due(&conn, &name("none"), NOW).unwrap(), None);
}

#[test]
fn a_claim_is_limited() {
    let conn = memory();
    for step in ["a", "b", "c"] {
        queued(&conn, &NewNotice { urgent: step != "c", ..new(step) });
    }
    assert_eq!(claim(&conn, &mail(), 0, NOW).unwrap().len(), 0);
    assert_eq!(claim(&conn, &mail(), 2, NOW).unwrap().len(), 2);
    assert_eq!(claim(&conn, &mail(), 2, NOW).unwrap().len(), 1);
}

#[test]
fn a_restart_makes_claims_due_at_once_and_sets_poison_aside() {
    let conn = memory();
    let id = queued(&conn, &new("s"));
    let now = NOW;
    for crash in 1..=CRASHES_MAX {
        claim_one(&conn, now);
        let found = recover(&conn, now).unwrap();
        let dead = if crash == CRASHES_MAX { vec![id] } else { vec![] };
        assert_eq!(found, Recovered { queued: 1 - dead.len(), dead });
    }
    let notice = by_id(&conn, id).unwrap().unwrap();
    assert_eq!((notice.state, notice.crashes), (NoticeState::Dead, 3));
    assert!(notice.why.unwrap().contains("3 times"));
    assert_eq!(gauges(&conn).unwrap().dead, 1);
    assert_eq!(recover(&conn, now).unwrap(), Recovered::default());
    // A person may send it all the same.
    assert!(retry(&conn, id, now).unwrap());
    claim_one(&conn, now);
}

#[test]
fn a_paid_message_goes_out_once_more_only_if_it_is_urgent() {
    let conn = memory();
    let plain = queued(&conn, &NewNotice { resend_costs: true, ..new("plain") });
    let urgent = queued(&conn, &NewNotice { resend_costs: true, urgent: true, ..new("urgent") });
    claim(&conn, &mail(), 9, NOW).unwrap();
    assert_eq!(recover(&conn, NOW).unwrap(), Recovered { queued: 1, dead: vec![plain] });
    assert_eq!((state_of(&conn, plain), state_of(&conn, urgent)), (NoticeState::Dead, NoticeState::Queued));
    claim(&conn, &mail(), 9, NOW).unwrap();
    assert_eq!(recover(&conn, NOW).unwrap(), Recovered { queued: 0, dead: vec![urgent] });
    assert_eq!(state_of(&conn, urgent), NoticeState::Dead);
}

#[test]
fn of_what_was_on_its_way_when_a_process_ended_one_at_a_time_goes_out() {
    let conn = memory();
    let lost: Vec<NoticeId> = ["a", "b", "c"].map(|step| queued(&conn, &new(step))).into();
    assert_eq!(claim(&conn, &mail(), 9, NOW).unwrap().len(), 3);
    recover(&conn, NOW).unwrap();
    let other = queued(&conn, &new("d"));
    let again = claim(&conn, &mail(), 9, NOW).unwrap();
    assert_eq!(ids(&again), [lost[0], other]);
    assert_eq!((again[0].suspect, again[0].attempt_no, again[1].suspect), (true, 2, false));
    let room = Room { suspect: false, ..Room::of(9) };
    assert_eq!(claim_within(&conn, &mail(), room, NOW).unwrap(), [], "one is under way");
    // It ends once more: the one of which least is known goes first.
    recover(&conn, NOW).unwrap();
    assert_eq!(ids(&claim(&conn, &mail(), 9, NOW).unwrap()), [lost[1]]);
    let urgent = queued(&conn, &NewNotice { urgent: true, ..new("e") });
    claim_one(&conn, NOW);
    recover_channel(&conn, &mail(), NOW).unwrap();
    assert_eq!(ids(&claim(&conn, &mail(), 1, NOW).unwrap()), [urgent], "urgent suspects before others");
}

#[test]
fn one_that_ends_every_process_is_set_aside_alone() {
    let conn = memory();
    let all: Vec<NoticeId> = (0..40).map(|number| queued(&conn, &new(&format!("step {number}")))).collect();
    let guilty = all[7];
    let mut ends = 0;
    loop {
        let claimed = claim(&conn, &mail(), 64, NOW).unwrap();
        if claimed.is_empty() {
            break;
        }
        if ids(&claimed).contains(&guilty) {
            ends += 1;
            recover(&conn, NOW).unwrap();
        } else {
            sent(&conn, &claimed);
        }
    }
    assert_eq!(ends, CRASHES_MAX);
    for id in all {
        let state = if id == guilty { NoticeState::Dead } else { NoticeState::Sent };
        assert_eq!(state_of(&conn, id), state, "{id:?}");
    }
}
