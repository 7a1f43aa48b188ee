//! What a life does with the record: the steps of the daemon's rounds, in an order by chance. Several pieces wait at once
//! and share a commit, in the same order every time, so that a seed tells the whole story.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc;

use simkeeper::domain::attempt::{Attempt, AttemptState};
use simkeeper::domain::card::{CardId, Keeper};
use simkeeper::domain::notice::{NoticeId, NoticeKind};
use simkeeper::domain::reading::{Allowance, AllowanceKind, AllowanceState, CardState, Reading};
use simkeeper::domain::time::{Secs, UnixTime};
use simkeeper::store::notices::{NoticeState, Outcome};
use simkeeper::store::polls::{PollUpdate, Seen};
use simkeeper::store::{Connection, Store, StoreError, attempts, cards, decisions, meta, notices, polls};

use crate::chance::Chance;
use crate::mirror::Piece;
use crate::orders;

/// Cards of a world.
const CARDS: i64 = 5;

/// The pieces of the next commit: what a handful of rounds would write at the same time.
pub(crate) fn pieces(conn: &Connection, chance: &mut Chance, now: UnixTime) -> Result<Vec<Piece>, StoreError> {
    let known = cards::count(conn)?;
    if known == 0 {
        return Ok((1..=CARDS).map(new_card(now)).collect());
    }
    let mut pieces = Vec::new();
    for card in (1..=CARDS).map(CardId) {
        if chance.once_in(2) {
            pieces.extend(of_card(conn, card, chance, now)?);
        }
    }
    for _ in 0..chance.below(3) {
        pieces.extend(aside(conn, chance, now)?);
    }
    Ok(pieces)
}

fn new_card(now: UnixTime) -> impl Fn(i64) -> Piece {
    move |number| {
        let card = cards::NewCard::named(orders::name(&format!("card {number}")), orders::name("try"), Keeper::Command);
        Arc::new(move |conn| cards::insert(conn, &card, now).map(drop))
    }
}

/// What is next for a card: its open order, a new one, or a reading.
fn of_card(conn: &Connection, card: CardId, chance: &mut Chance, now: UnixTime) -> Result<Option<Piece>, StoreError> {
    let Some(attempt) = attempts::open_for(conn, card)? else {
        return Ok(Some(if chance.once_in(2) {
            orders::plan(card, 1 + chance.below(3) as u32, chance, now)
        } else {
            reading(card, chance, now)
        }));
    };
    Ok(match attempt.state {
        AttemptState::Planned { .. } => Some(orders::intend(attempt, chance, now)),
        // Its line is next, and then its answer; see `life`.
        AttemptState::Sending { .. } => None,
        _ => Some(orders::go_on(attempt, chance, now)),
    })
}

fn reading(card: CardId, chance: &mut Chance, now: UnixTime) -> Piece {
    let mut reading = Reading::empty(now, CardState::Active);
    reading.allowances.push(Allowance {
        kind: AllowanceKind::Data,
        remaining: chance.below(3_000_000_000).cast_signed(),
        total: Some(3_000_000_000),
        unlimited: false,
        state: AllowanceState::Active,
        starts: Some(now.minus(Secs::DAY)),
        ends: None,
    });
    reading.plan = Some("canada-7days-3gb".into());
    let update = PollUpdate { card, seen: Seen::Good(reading), next_poll_at: now.plus(Secs::HOUR), cycle: 1 };
    Arc::new(move |conn| polls::save(conn, std::slice::from_ref(&update)))
}

/// What is written beside the orders: the queue, decisions, the time, and work that fails in the middle.
fn aside(conn: &Connection, chance: &mut Chance, now: UnixTime) -> Result<Option<Piece>, StoreError> {
    Ok(Some(match chance.below(6) {
        0 => Arc::new(move |conn| meta::seen(conn, now)),
        1 => {
            let (card, number) = (CardId(1 + chance.below(CARDS as u64).cast_signed()), chance.next());
            let reasons = format!("[{{\"low\":{number}}}]");
            Arc::new(move |conn| decisions::record(conn, card, "wait", &reasons, now).map(drop))
        }
        2 => {
            let limit = 1 + chance.below(4) as usize;
            Arc::new(move |conn| notices::claim(conn, &orders::channel(), limit, now).map(drop))
        }
        3 => {
            let claimed = notices::list(conn, Some(NoticeState::Claimed), None, 1)?;
            let Some(first) = claimed.first() else { return Ok(None) };
            return Ok(Some(settle(first.id, first.attempts, chance, now)));
        }
        4 => {
            let told = orders::notice(None, NoticeKind::WalletLow, chance, now);
            Arc::new(move |conn| notices::enqueue(conn, &told).map(drop))
        }
        _ => {
            let told = orders::notice(None, NoticeKind::Test, chance, now);
            Arc::new(move |conn| {
                notices::enqueue(conn, &told)?;
                Err(StoreError::Forbidden { why: "this piece fails when half of it is done".into() })
            })
        }
    }))
}

fn settle(id: NoticeId, attempt_no: u32, chance: &mut Chance, now: UnixTime) -> Piece {
    let outcome = match chance.below(3) {
        0 => Outcome::Retry { why: "greylisted".into(), not_before: None },
        1 => Outcome::Dead { why: "no such person".into() },
        _ => Outcome::Sent { remote: "250 ok".into() },
    };
    Arc::new(move |conn| notices::settle(conn, id, attempt_no, &outcome, now).map(drop))
}

/// What a start does first: what was being sent is unknown, what was being told is due again.
pub(crate) fn at_start(conn: &Connection, now: UnixTime) -> Result<Vec<Piece>, StoreError> {
    let mut pieces: Vec<Piece> = vec![Arc::new(move |conn| notices::recover(conn, now).map(drop))];
    pieces.extend(attempts::sending(conn)?.into_iter().filter_map(|attempt| orders::found_sending(attempt, now)));
    Ok(pieces)
}

/// Orders whose intent is on disk and whose answer is not.
pub(crate) fn leaving(conn: &Connection) -> Result<Vec<Attempt>, StoreError> {
    attempts::sending(conn)
}

/// Gives all pieces to the store at once, as tasks of a runtime do, and waits for their one commit. A piece that fails
/// alone is no failure of the commit.
///
/// # Errors
/// Why the commit was lost.
pub(crate) fn commit(store: &Store, pieces: &[Piece]) -> Result<(), StoreError> {
    type Waiting<'a> = Pin<Box<dyn Future<Output = Result<(), StoreError>> + 'a>>;
    let (at_work, writer_is_busy) = mpsc::channel::<()>();
    let (go, gate) = mpsc::channel::<()>();
    let mut waiting: Vec<Waiting<'_>> = Vec::new();
    // The first keeps the writer busy until all others wait; it writes nothing, so it costs no sync.
    waiting.push(Box::pin(store.write(move |_| {
        drop(at_work);
        let _all_wait = gate.recv();
        Ok(())
    })));
    waiting.push(Box::pin(async move {
        let _is_busy = writer_is_busy.recv();
        Ok(())
    }));
    for piece in pieces {
        let piece = Arc::clone(piece);
        waiting.push(Box::pin(store.write(move |conn| piece(conn))));
    }
    waiting.push(Box::pin(async move {
        drop(go);
        Ok(())
    }));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without drivers starts");
    let answers = runtime.block_on(futures_util::future::join_all(waiting));
    let lost = answers.into_iter().find_map(|answer| match answer {
        Err(error @ (StoreError::Forbidden { .. } | StoreError::Stale { .. } | StoreError::Taken { .. })) => {
            drop(error);
            None
        }
        Err(error) => Some(error),
        Ok(()) => None,
    });
    lost.map_or(Ok(()), Err)
}
