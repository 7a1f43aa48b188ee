//! What was told and may have to be told again or passed on: the story itself, how far each person's turn has come, and
//! which notices tell it.

use rusqlite::{Connection, Row};

use super::cards::bounded;
use super::error::StoreError;
use super::fields::{Fields, change, first, rows, scalar, sound_rows, to_json};
use crate::domain::attempt::AttemptId;
use crate::domain::card::{CardId, Name};
use crate::domain::insist::Turn;
use crate::domain::notice::{DedupKey, NoticeId, NoticeKind, Story};
use crate::domain::time::UnixTime;

const INSERT: &str = "INSERT INTO matter (kind, card, cycle, step, attempt, story, opened_at) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";
/// A later word about the same thing stands for the earlier ones; each of a card's ends is a thing of its own, named by what
/// stands before the colon of its steps.
const SUPERSEDE: &str = "UPDATE matter SET closed_at = ?5 WHERE closed_at IS NULL AND kind = ?2 AND card IS ?3 \
     AND (attempt IS ?4 OR kind <> 'asked') AND id < ?1 \
     AND (kind <> 'due_soon' OR substr(step, 1, instr(step, ':')) = substr(?6, 1, instr(?6, ':')))";
const PUT_TURN: &str = "INSERT INTO matter_turn (matter, person, repeats, repeat_at, passed_on, pass_on_at) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET repeats = excluded.repeats, \
     repeat_at = excluded.repeat_at, passed_on = excluded.passed_on, pass_on_at = excluded.pass_on_at";
const BELONGS: &str = "INSERT INTO matter_notice (notice, matter, person) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
const NEXT: &str = "SELECT min(at) FROM (SELECT min(repeat_at) AS at FROM matter_turn WHERE repeat_at IS NOT NULL \
     UNION ALL SELECT min(pass_on_at) FROM matter_turn WHERE pass_on_at IS NOT NULL)";
const DUE: &str = "SELECT matter.*, turn.person, turn.repeats, turn.repeat_at, turn.passed_on, turn.pass_on_at \
     FROM (SELECT matter, person FROM matter_turn WHERE repeat_at <= ?1 \
     UNION SELECT matter, person FROM matter_turn WHERE pass_on_at <= ?1 LIMIT ?2) AS due \
     JOIN matter_turn AS turn ON turn.matter = due.matter AND turn.person = due.person \
     JOIN matter ON matter.id = due.matter ORDER BY matter.id";
const OF_NOTICE: &str = "SELECT matter.*, turn.person, turn.repeats, turn.repeat_at, turn.passed_on, turn.pass_on_at \
     FROM matter_notice AS told JOIN matter ON matter.id = told.matter \
     JOIN matter_turn AS turn ON turn.matter = told.matter AND turn.person = told.person \
     WHERE told.notice = ?1 AND matter.closed_at IS NULL";
/// What is due and is so no more: the attempt moved on, the card was renewed or is no longer kept.
const CLOSE_UNTRUE: &str = "UPDATE matter SET closed_at = ?1 WHERE closed_at IS NULL \
     AND id IN (SELECT matter FROM matter_turn WHERE repeat_at <= ?1 OR pass_on_at <= ?1) AND ( \
     kind = 'unknown' AND NOT EXISTS (SELECT 1 FROM attempt WHERE attempt.id = matter.attempt AND state = 'unknown') \
     OR kind = 'asked' AND NOT EXISTS (SELECT 1 FROM attempt WHERE attempt.id = matter.attempt \
     AND (state = 'human' OR state = 'planned' AND approval = 'asked')) \
     OR kind IN ('failed', 'due_soon') AND cycle < (SELECT poll.cycle FROM poll WHERE poll.card = matter.card) \
     OR kind = 'failed' AND EXISTS (SELECT 1 FROM attempt WHERE attempt.card = matter.card \
     AND attempt.id > ifnull(matter.attempt, 0) AND first_sent_at >= matter.opened_at \
     AND state IN ('pending', 'accepted', 'done')) \
     OR EXISTS (SELECT 1 FROM card WHERE card.id = matter.card AND retired_at IS NOT NULL))";
/// Turns of what is closed are over.
const END_TURNS: &str = "UPDATE matter_turn SET repeat_at = NULL, pass_on_at = NULL \
     WHERE (repeat_at IS NOT NULL OR pass_on_at IS NOT NULL) \
     AND matter IN (SELECT id FROM matter WHERE closed_at IS NOT NULL)";
const OPEN_OF_NOTICE: &str = "SELECT matter FROM matter_notice JOIN matter ON matter.id = matter \
     WHERE notice = ?1 AND closed_at IS NULL";
const OPEN_OF_CARD: &str = "SELECT id FROM matter WHERE card = ?1 AND closed_at IS NULL";
const ACKNOWLEDGE: &str = "UPDATE matter SET closed_at = ?2, closed_by = ?3 WHERE id = ?1 AND closed_at IS NULL";
const TAKE_OUT: &str = "UPDATE notice SET state = 'expired', next_at = NULL, settled_at = ?2, why = ?3 \
     WHERE state = 'queued' AND attempts = 0 AND id IN (SELECT notice FROM matter_notice WHERE matter = ?1)";
const TAKEN_IN_HAND: &str = "SELECT closed_by FROM matter WHERE attempt = ?1 AND kind = ?2 ORDER BY id DESC LIMIT 1";
const END_TURN: &str = "DELETE FROM matter_turn WHERE matter = ?1 AND person = ?2";

/// The statements of this file.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    INSERT,
    SUPERSEDE,
    PUT_TURN,
    BELONGS,
    NEXT,
    DUE,
    OF_NOTICE,
    CLOSE_UNTRUE,
    END_TURNS,
    OPEN_OF_NOTICE,
    OPEN_OF_CARD,
    ACKNOWLEDGE,
    TAKE_OUT,
    TAKEN_IN_HAND,
    END_TURN,
];

/// The row of a matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatterId(i64);

/// A matter that is open, and one person's turn with it.
#[derive(Clone, Debug)]
pub struct Matter {
    /// Its row.
    pub id: MatterId,
    /// What makes its first telling one and the same.
    pub key: DedupKey,
    /// The attempt it is about.
    pub attempt: Option<AttemptId>,
    /// What happened.
    pub story: Story,
    /// When it was told first.
    pub opened_at: UnixTime,
    /// Whose turn it is.
    pub person: Name,
    /// How far that has come.
    pub turn: Turn,
}

/// Opens a matter; none if it is there already. An earlier one about the same is over.
///
/// # Errors
/// If the record cannot be written.
pub fn open(
    conn: &Connection,
    key: &DedupKey,
    attempt: Option<AttemptId>,
    story: &Story,
    now: UnixTime,
) -> Result<Option<MatterId>, StoreError> {
    let text = to_json(story)?;
    let (kind, card, attempt) = (key.kind.as_str(), key.card.map(|card| card.0), attempt.map(|attempt| attempt.0));
    if change(conn, INSERT, (kind, card, key.cycle, &key.step, attempt, text, now.secs()))? == 0 {
        return Ok(None);
    }
    let id = conn.last_insert_rowid();
    if change(conn, SUPERSEDE, (id, kind, card, attempt, now.secs(), &key.step))? > 0 {
        change(conn, END_TURNS, [])?;
    }
    Ok(Some(MatterId(id)))
}

/// Notes how far one person's turn has come.
///
/// # Errors
/// If the record cannot be written.
pub fn put_turn(conn: &Connection, matter: MatterId, person: &Name, turn: &Turn) -> Result<(), StoreError> {
    let (repeat_at, pass_on_at) = (turn.repeat_at.map(UnixTime::secs), turn.pass_on_at.map(UnixTime::secs));
    change(conn, PUT_TURN, (matter.0, person.as_str(), turn.repeats, repeat_at, turn.passed_on, pass_on_at)).map(drop)
}

/// Ends the turn of somebody who has left the file.
///
/// # Errors
/// If the record cannot be written.
pub fn end_turn(conn: &Connection, matter: MatterId, person: &Name) -> Result<(), StoreError> {
    change(conn, END_TURN, (matter.0, person.as_str())).map(drop)
}

/// Notes that a notice tells a matter, in somebody's turn.
///
/// # Errors
/// If the record cannot be written.
pub fn belongs(conn: &Connection, notice: NoticeId, matter: MatterId, person: &Name) -> Result<(), StoreError> {
    change(conn, BELONGS, (notice.0, matter.0, person.as_str())).map(drop)
}

/// When the next turn is due.
///
/// # Errors
/// If the record cannot be read.
pub fn next_due(conn: &Connection) -> Result<Option<UnixTime>, StoreError> {
    Ok(scalar::<Option<i64>>(conn, NEXT, [])?.flatten().map(UnixTime::clamped))
}

/// Closes what is due and is so no more.
///
/// # Errors
/// If the record cannot be written.
pub fn close_untrue(conn: &Connection, now: UnixTime) -> Result<(), StoreError> {
    if change(conn, CLOSE_UNTRUE, [now.secs()])? > 0 {
        change(conn, END_TURNS, [])?;
    }
    Ok(())
}

/// The turns that are due. One whose story cannot be read, as after a step back to an older version, is left out.
///
/// # Errors
/// If the record cannot be read.
pub fn due(conn: &Connection, most: usize, now: UnixTime) -> Result<Vec<Matter>, StoreError> {
    sound_rows(conn, DUE, (now.secs(), bounded(most)), matter_of)
}

/// The open matter that a notice tells, and the turn in which it does.
///
/// # Errors
/// If the record cannot be read.
pub fn of_notice(conn: &Connection, notice: NoticeId) -> Result<Option<Matter>, StoreError> {
    first(conn, OF_NOTICE, [notice.0], matter_of)
}

/// The open matter that a notice tells.
///
/// # Errors
/// If the record cannot be read.
pub fn open_of_notice(conn: &Connection, notice: NoticeId) -> Result<Vec<MatterId>, StoreError> {
    rows(conn, OPEN_OF_NOTICE, [notice.0], |row| Ok(MatterId(row.get(0)?)))
}

/// The open matters of a card.
///
/// # Errors
/// If the record cannot be read.
pub fn open_of_card(conn: &Connection, card: CardId) -> Result<Vec<MatterId>, StoreError> {
    rows(conn, OPEN_OF_CARD, [card.0], |row| Ok(MatterId(row.get(0)?)))
}

/// Somebody takes matters in hand: they are told no more, and what waits to be sent about them does not go out.
///
/// # Errors
/// If the record cannot be written.
pub fn acknowledge(conn: &Connection, matters: &[MatterId], by: &str, now: UnixTime) -> Result<(), StoreError> {
    for matter in matters {
        change(conn, ACKNOWLEDGE, (matter.0, now.secs(), by))?;
        change(conn, TAKE_OUT, (matter.0, now.secs(), format!("{by} takes care of it")))?;
    }
    change(conn, END_TURNS, []).map(drop)
}

/// Whether somebody has taken in hand what was told last about an attempt.
///
/// # Errors
/// If the record cannot be read.
pub fn is_in_hand(conn: &Connection, attempt: AttemptId, kind: NoticeKind) -> Result<bool, StoreError> {
    Ok(scalar::<Option<String>>(conn, TAKEN_IN_HAND, (attempt.0, kind.as_str()))?.flatten().is_some())
}

fn matter_of(row: &Row<'_>) -> Result<Matter, StoreError> {
    let row = Fields::of("matter", "id", row)?;
    Ok(Matter {
        id: MatterId(row.id()),
        key: DedupKey {
            kind: row.word("kind")?,
            card: row.get::<Option<i64>>("card")?.map(CardId),
            cycle: row.count("cycle")?,
            step: row.get("step")?,
        },
        attempt: row.get::<Option<i64>>("attempt")?.map(AttemptId),
        story: row.json("story")?,
        opened_at: row.time("opened_at")?,
        person: row.name("person")?,
        turn: Turn {
            repeats: row.count("repeats")?,
            repeat_at: row.maybe_time("repeat_at")?,
            passed_on: row.count("passed_on")?,
            pass_on_at: row.maybe_time("pass_on_at")?,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NOW, card, memory, name};
    use super::*;
    use crate::domain::notice::{Event, FailedWhy};
    use crate::domain::time::Secs;

    const DUE_AT: UnixTime = NOW.plus(Secs::HOUR);

    fn opened(conn: &Connection, kind: NoticeKind, card: CardId, attempt: Option<i64>, step: &str) -> MatterId {
        let event = Event::Failed { attempt: None, plan: None, why: FailedWhy::NoPlan, next_try: None, support: None };
        let story = Story { card: None, at: NOW, event, course: None, retold: None };
        let key = DedupKey { kind, card: Some(card), cycle: 1, step: step.into() };
        let matter = open(conn, &key, attempt.map(AttemptId), &story, NOW).unwrap().unwrap();
        let turn = Turn { repeat_at: Some(DUE_AT), ..Turn::default() };
        put_turn(conn, matter, &name("anna"), &turn).unwrap();
        matter
    }

    /// An attempt of a card, planned and waiting for a word.
    fn asked(conn: &Connection, card: CardId) -> i64 {
        conn.execute(
            "INSERT INTO attempt (card, cycle, number, account, cause, cause_by, plan, plan_id, price, currency, payment, \
             created_at, approval, approval_at, approval_why, state, next_at) VALUES (?1, 1, 1, 'a', 'person', 'anna', '{}', \
             'p', 1, 'USD', 'wallet', 1, 'asked', 1, '\"mode\"', 'planned', 1)",
            [card.0],
        )
        .unwrap();
        conn.last_insert_rowid()
    }

    fn is_open(conn: &Connection, matter: MatterId) -> bool {
        due(conn, 99, DUE_AT).unwrap().iter().any(|open| open.id == matter)
    }

    #[test]
    fn a_story_comes_back_whole_and_a_second_of_the_same_key_is_none() {
        let conn = memory();
        let id = card(&conn, "a");
        let matter = opened(&conn, NoticeKind::Failed, id, None, "attempt:1");
        assert_eq!(next_due(&conn).unwrap(), Some(DUE_AT));
        assert_eq!(due(&conn, 9, DUE_AT.minus(Secs(1))).unwrap().len(), 0);
        let found = due(&conn, 9, DUE_AT).unwrap().remove(0);
        assert_eq!((found.id, found.opened_at, found.person.as_str()), (matter, NOW, "anna"));
        assert!(open(&conn, &found.key, None, &found.story, NOW).unwrap().is_none());
        // A later word about the same card stands for the earlier one.
        let later = opened(&conn, NoticeKind::Failed, id, None, "attempt:2");
        assert!(!is_open(&conn, matter) && is_open(&conn, later));
    }

    #[test]
    fn a_later_warning_of_an_end_stands_for_the_earlier_ones_of_this_end_alone() {
        let conn = memory();
        let id = card(&conn, "a");
        let warned = |step| opened(&conn, NoticeKind::DueSoon, id, None, step);
        let (plan, number, later) = (warned("plan:7d"), warned("number:30d"), warned("plan:3d"));
        assert_eq!([plan, number, later].map(|matter| is_open(&conn, matter)), [false, true, true]);
    }

    #[test]
    fn a_question_is_open_until_it_is_answered_and_an_unknown_result_until_it_is_known() {
        let conn = memory();
        let (first, second) = (card(&conn, "a"), card(&conn, "b"));
        let question = asked(&conn, first);
        let matter = opened(&conn, NoticeKind::Asked, first, Some(question), "attempt:1:approve:0");
        let order = asked(&conn, second);
        conn.execute(
            "UPDATE attempt SET state = 'unknown', doubt = 'timed_out', order_key = ?2, first_sent_at = 1, send_count = 1 \
             WHERE id = ?1",
            (order, "k".repeat(32)),
        )
        .unwrap();
        let unknown = opened(&conn, NoticeKind::Unknown, second, Some(order), "attempt:2");
        close_untrue(&conn, DUE_AT).unwrap();
        assert!(is_open(&conn, matter) && is_open(&conn, unknown));
        conn.execute("UPDATE attempt SET approval = 'given', approval_by = 'anna', approval_why = NULL", []).unwrap();
        conn.execute("UPDATE attempt SET state = 'accepted', doubt = NULL, accepted_at = 1 WHERE id = ?1", [order])
            .unwrap();
        close_untrue(&conn, DUE_AT.minus(Secs(1))).unwrap();
        assert!(is_open(&conn, matter), "nobody looks before it is due");
        close_untrue(&conn, DUE_AT).unwrap();
        assert!(!is_open(&conn, matter) && !is_open(&conn, unknown));
        assert_eq!(next_due(&conn).unwrap(), None);
        assert!(!is_in_hand(&conn, AttemptId(question), NoticeKind::Asked).unwrap());
    }

    #[test]
    fn a_failure_is_over_when_a_later_order_is_taken() {
        let conn = memory();
        let id = card(&conn, "a");
        let failed = opened(&conn, NoticeKind::Failed, id, None, "gate");
        let order = asked(&conn, id);
        close_untrue(&conn, DUE_AT).unwrap();
        assert!(is_open(&conn, failed));
        conn.execute(
            "UPDATE attempt SET state = 'accepted', order_key = ?2, first_sent_at = ?3, send_count = 1, accepted_at = 1 \
             WHERE id = ?1",
            (order, "k".repeat(32), NOW.secs()),
        )
        .unwrap();
        close_untrue(&conn, DUE_AT).unwrap();
        assert!(!is_open(&conn, failed));
    }

    #[test]
    fn what_is_taken_in_hand_is_known_by_its_attempt() {
        let conn = memory();
        let id = card(&conn, "a");
        let question = asked(&conn, id);
        let matter = opened(&conn, NoticeKind::Asked, id, Some(question), "attempt:1:approve:0");
        assert_eq!(open_of_card(&conn, id).unwrap(), [matter]);
        acknowledge(&conn, &[matter], "anna", NOW).unwrap();
        assert!(is_in_hand(&conn, AttemptId(question), NoticeKind::Asked).unwrap());
        assert_eq!((open_of_card(&conn, id).unwrap(), next_due(&conn).unwrap()), (vec![], None));
    }
}
