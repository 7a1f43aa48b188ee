//! Orders as the daemon carries them: planned, intended, in the journal, answered, seen. Each move is one piece of work,
//! with its evidence and the notice about it in the same commit.

use std::sync::Arc;

use simkeeper::domain::attempt::{Approval, Attempt, AttemptState, Cause, Sent, Snapshot, Tally};
use simkeeper::domain::card::{CardId, Name};
use simkeeper::domain::money::{Currency, Money};
use simkeeper::domain::notice::{DedupKey, NoticeKind};
use simkeeper::domain::operator::{Doubt, OrderKey, PreparedOrder, Refusal, RefusalKind};
use simkeeper::domain::plan::{Contents, Plan};
use simkeeper::domain::time::{Secs, UnixTime};
use simkeeper::store::attempts::{self, Evidence, NewAttempt};
use simkeeper::store::journal::JournalLine;
use simkeeper::store::notices::{self, NewNotice};

use crate::chance::Chance;
use crate::mirror::Piece;

/// A name that is known to be one.
pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).expect("the names of this test are names")
}

/// The one channel.
pub(crate) fn channel() -> Name {
    name("mail")
}

fn evidence(transition: &'static str, what: &str, at: UnixTime) -> Evidence<'static> {
    Evidence { transition, what: what.to_owned(), digest: None, at }
}

/// A notice of some length, about a card or about the daemon itself.
pub(crate) fn notice(card: Option<CardId>, kind: NoticeKind, chance: &mut Chance, now: UnixTime) -> NewNotice {
    let number = chance.next();
    let length = if chance.once_in(16) { 5_000 + chance.below(20_000) } else { 200 + chance.below(1_500) };
    let bytes: Vec<u8> = (0..length).map(|place| b"From: keeper\r\nbought\r\n"[place as usize % 22]).collect();
    NewNotice {
        key: DedupKey { kind, card, cycle: 1, step: format!("attempt:{number}") },
        person: name("anna"),
        channel: channel(),
        address: "anna@example.net".into(),
        subject: format!("{} {number}", kind.as_str()),
        message_id: format!("<{number}@keeper.example.net>"),
        bytes,
        urgent: chance.once_in(3),
        resend_costs: false,
        attempt: None,
        created_at: now,
        send_at: now,
        expires_at: now.plus(Secs::days(7)),
    }
}

/// T1.
pub(crate) fn plan(card: CardId, number: u32, chance: &mut Chance, now: UnixTime) -> Piece {
    let new = NewAttempt {
        card,
        cycle: 1,
        number,
        account: name("try"),
        cause: Cause::Rule { rule: name("travel"), line: 12 },
        plan: Plan {
            id: "canada-7days-3gb".into(),
            name: "3 GB".into(),
            contents: Contents { data_bytes: Some(3_000_000_000), ..Contents::default() },
            validity_secs: Some(604_800),
            price: Money::new(40_000 + chance.below(9_999).cast_signed(), Currency::USD),
        },
        reckoning: None,
        payment: "wallet".into(),
        code: chance.once_in(4).then(|| "WINTER10".to_owned()),
        created_at: now,
        approval: Approval::NotNeeded,
        before: None,
        next_at: now,
    };
    Arc::new(move |conn| attempts::plan(conn, &new).map(drop))
}

/// T4: the key, and the exact bytes.
pub(crate) fn intend(attempt: Attempt, chance: &mut Chance, now: UnixTime) -> Piece {
    let key = OrderKey::new(u128::from(chance.next()) << 64 | u128::from(chance.next()));
    let body = vec![b'x'; 100 + chance.below(900) as usize];
    let order =
        PreparedOrder { key: key.clone(), path: "/orders".into(), content_type: "application/json".into(), body };
    let sent = Sent { key, first_sent_at: now, send_count: 1 };
    Arc::new(move |conn| {
        let looked = evidence("T2", "the card before the order", now);
        let attempt = attempts::set_before(conn, &attempt, &Snapshot::default(), &looked)?;
        attempts::start_sending(conn, &attempt, &sent, &order, now).map(drop)
    })
}

/// T4's line, between the intent and the order's first byte.
pub(crate) fn line(
    attempt: &Attempt,
    key: &OrderKey,
    sequence: u64,
    chance: &mut Chance,
    now: UnixTime,
) -> JournalLine {
    JournalLine {
        sequence,
        attempt: attempt.id,
        card: attempt.card,
        card_name: name(&format!("card {}", attempt.card.0)),
        account: attempt.account.clone(),
        key: key.clone(),
        // Long ones reach over the border between two sectors.
        plan_id: "canada-7days-3gb ".repeat(1 + chance.below(30) as usize),
        price: attempt.plan.price,
        at: now,
    }
}

/// T5 to T7, T10 or T15: where an order goes next from where it is.
pub(crate) fn go_on(attempt: Attempt, chance: &mut Chance, now: UnixTime) -> Piece {
    let later = now.plus(Secs::HOUR);
    let (transition, state, kind) = match (&attempt.state, chance.below(3)) {
        (AttemptState::Sending { sent }, 0) => {
            let (order_id, tally) = (None, Tally::default());
            let state =
                AttemptState::Unknown { sent: sent.clone(), order_id, doubt: Doubt::TimedOut, tally, next_at: later };
            ("T7", state, NoticeKind::Unknown)
        }
        (AttemptState::Sending { .. }, 1) => {
            let refusal = Refusal { kind: RefusalKind::WalletEmpty, code: "33".into(), text: "no money".into() };
            ("T6", AttemptState::Refused { at: now, refusal }, NoticeKind::Failed)
        }
        (AttemptState::Sending { sent } | AttemptState::Unknown { sent, .. }, _) => {
            let (order_id, charged) = (Some(format!("A-{}", chance.next())), Some(attempt.plan.price));
            let state =
                AttemptState::Accepted { sent: sent.clone(), order_id, charged, accepted_at: now, next_at: later };
            ("T5", state, NoticeKind::SettledLate)
        }
        _ => ("T15", AttemptState::Done { at: now, order_id: None, charged: None }, NoticeKind::Bought),
    };
    let told = notice(Some(attempt.card), kind, chance, now);
    Arc::new(move |conn| {
        attempts::advance(conn, &attempt, &state, None, &evidence(transition, "answered", now))?;
        notices::enqueue(conn, &told).map(drop)
    })
}

/// T7 at a start: the process that was sending has ended.
pub(crate) fn found_sending(attempt: Attempt, now: UnixTime) -> Option<Piece> {
    let AttemptState::Sending { sent } = attempt.state.clone() else { return None };
    Some(Arc::new(move |conn| {
        let (order_id, doubt, tally) = (None, Doubt::ProcessEnded, Tally::default());
        let state = AttemptState::Unknown { sent: sent.clone(), order_id, doubt, tally, next_at: now };
        attempts::advance(conn, &attempt, &state, None, &evidence("T7", "found at the start", now)).map(drop)
    }))
}
