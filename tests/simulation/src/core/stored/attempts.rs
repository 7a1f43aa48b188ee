//! Attempts: each move is written as the daemon writes it, and must come to what memory came to; a second one that has seen
//! the same as the first must be refused.

use std::borrow::Cow;

use simkeeper::domain::attempt::{Attempt, AttemptId, AttemptState, Snapshot};
use simkeeper::domain::draft::NewAttempt;
use simkeeper::domain::operator::PreparedOrder;
use simkeeper::domain::time::UnixTime;
use simkeeper::store::attempts::{self, Evidence};
use simkeeper::store::{Connection, StoreError, polls, readings};

use super::hand::Hand;
use super::{Differs, Wrong, same};

const fn evidence(transition: &str, at: UnixTime) -> Evidence<'_> {
    Evidence { transition, what: String::new(), digest: None, at }
}

/// What was planned, by what became of it.
fn new_of(after: &Attempt) -> NewAttempt {
    let next_at = match &after.state {
        AttemptState::Planned { next_at } => *next_at,
        _ => after.created_at,
    };
    NewAttempt {
        card: after.card,
        cycle: after.cycle,
        number: after.number,
        account: after.account.clone(),
        cause: after.cause.clone(),
        plan: after.plan.clone(),
        reckoning: after.reckoning.clone(),
        payment: after.payment.clone(),
        code: after.code.clone(),
        created_at: after.created_at,
        approval: after.approval.clone(),
        before: after.before.clone(),
        next_at,
    }
}

impl Hand {
    pub(super) fn plan(&self, conn: &Connection, after: &Attempt) -> Result<(), Differs> {
        let new = new_of(after);
        same("a planned attempt", &attempts::plan(conn, &new)?, after)?;
        match attempts::plan(conn, &new) {
            Err(StoreError::Taken { .. }) => Ok(()),
            second => Err(Differs::new(format!("a second attempt beside an open one: {second:?}"))),
        }
    }

    pub(super) fn import(
        &self,
        conn: &Connection,
        wanted: AttemptId,
        after: &Attempt,
        now: UnixTime,
    ) -> Result<(), Differs> {
        let sent =
            after.state.sent().ok_or_else(|| Differs::new("an order of the journal that was not sent".to_owned()))?;
        let imported = attempts::import_from_journal(conn, wanted, &new_of(after), sent, now)?;
        same("an order of the journal", &imported, after)
    }

    pub(super) fn advance(
        &self,
        conn: &Connection,
        (before, after): (&Attempt, &Attempt),
        transition: &str,
        prepared: Option<&PreparedOrder>,
        now: UnixTime,
    ) -> Result<(), Differs> {
        let evidence = evidence(transition, now);
        let approval = Some(&after.approval).filter(|approval| **approval != before.approval);
        let moved = match (prepared, after.state.sent()) {
            (Some(prepared), Some(sent)) => attempts::start_sending(conn, before, sent, prepared, now)?,
            _ => attempts::advance(conn, before, &after.state, approval, &evidence)?,
        };
        same("a moved attempt", &moved, after)?;
        let seen = self.as_seen(conn, before)?;
        match attempts::advance(conn, &seen, &after.state, approval, &evidence) {
            Err(StoreError::Stale { .. }) => Ok(()),
            second => Err(Differs::new(format!("a move of an attempt that has moved since: {second:?}"))),
        }
    }

    /// The attempt that a move quotes.
    fn as_seen<'a>(&self, conn: &Connection, before: &'a Attempt) -> Result<Cow<'a, Attempt>, Differs> {
        if self.wrong != Some(Wrong::VersionForgotten) {
            return Ok(Cow::Borrowed(before));
        }
        let now = attempts::by_id(conn, before.id)?;
        Ok(now.map_or(Cow::Borrowed(before), Cow::Owned))
    }

    pub(super) fn set_code(
        &self,
        conn: &Connection,
        before: &Attempt,
        after: &Attempt,
        now: UnixTime,
    ) -> Result<(), Differs> {
        let evidence = evidence("T2", now);
        let set = attempts::set_offer(conn, before, &after.plan, &after.payment, after.code.as_deref(), &evidence)?;
        same("an attempt with another code", &set, after)
    }

    /// What the card was like before its order, from the readings on record.
    pub(super) fn look(
        &self,
        conn: &Connection,
        (before, after): (&Attempt, &Attempt),
        since: UnixTime,
        now: UnixTime,
    ) -> Result<(), Differs> {
        let latest = polls::load(conn, before.card)?.recent.latest;
        let lately = readings::known_since(conn, before.card, since, now)?;
        let found = latest.as_ref().map(Snapshot::of).unwrap_or_default();
        let found = found.with_lately(lately.iter().flat_map(|reading| &reading.assets));
        let sorted = |mut snapshot: Snapshot| {
            snapshot.assets.sort_unstable();
            snapshot
        };
        let known = after.before.clone().unwrap_or_default();
        same("the card before its order", &sorted(found), &sorted(known.clone()))?;
        let set = attempts::set_before(conn, before, &known, &evidence("T2", now))?;
        same("an attempt with what its card was like", &set, after)
    }
}
