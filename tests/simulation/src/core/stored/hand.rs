//! Carries out each write of the driver by the functions that the daemon calls for it.

use simkeeper::domain::card::{Card, CardId, Keeper, Name};
use simkeeper::domain::intake::{self, Seen};
use simkeeper::domain::reading::Recent;
use simkeeper::domain::time::UnixTime;
use simkeeper::store::accounts::{self, AccountState};
use simkeeper::store::cards::{self, NewCard};
use simkeeper::store::journal::JournalLine;
use simkeeper::store::polls::{self, PollUpdate};
use simkeeper::store::{Connection, StoreError, attempts, examine, meta, notices};

use super::super::Simulation;
use super::super::clock::{ASK_WITHIN, LOOK_UP_WITHIN, SEND_WITHIN};
use super::super::record::Line;
use super::super::writes::Write;
use super::{Differs, Wrong, same};

/// What it takes to write beside what each write tells.
#[derive(Default)]
pub(super) struct Hand {
    pub(super) wrong: Option<Wrong>,
    cards: Vec<(CardId, Name)>,
    accounts: Vec<Name>,
    /// The journal of orders; a copy that is put back leaves it as it is.
    lines: Vec<JournalLine>,
}

/// Writes down what there is at first.
pub(super) fn furnish(
    conn: &Connection,
    rows: &[Card],
    last_seen: UnixTime,
    wrong: Option<Wrong>,
    now: UnixTime,
) -> Result<(), StoreError> {
    for card in rows {
        cards::insert(conn, &NewCard { keeper: Keeper::File, ..NewCard::of(card) }, now)?;
    }
    if let Some(sql) = wrong.and_then(Wrong::sabotage) {
        conn.execute_batch(sql)?;
    }
    meta::seen(conn, last_seen)
}

impl Hand {
    pub(super) fn of(simulation: &Simulation, wrong: Option<Wrong>) -> Self {
        let rows = &simulation.record.rows;
        Self {
            wrong,
            cards: rows.iter().map(|row| (row.card.id, row.card.name.clone())).collect(),
            accounts: simulation.world.operators.iter().map(|operator| operator.account.name.clone()).collect(),
            lines: Vec::new(),
        }
    }

    pub(super) fn carry_out(&mut self, conn: &Connection, write: &Write) -> Result<(), Differs> {
        match write {
            Write::Planned { after } => self.plan(conn, after),
            Write::Imported { wanted, after, now } => self.import(conn, *wanted, after, *now),
            Write::Moved { before, after, transition, prepared, now } => {
                self.advance(conn, (before, after), transition, prepared.as_deref(), *now)
            }
            Write::Coded { before, after, now } => self.set_code(conn, before, after, *now),
            Write::Looked { before, after, looks_back, now } => {
                self.look(conn, (before, after), now.minus(*looks_back), *now)
            }
            Write::Repeats { attempt, prepared } => {
                same("the bytes that leave again", &attempts::prepared(conn, *attempt)?, prepared)
            }
            Write::FoundSending { attempts } => {
                let sending: Vec<_> = attempts::sending(conn)?.into_iter().map(|attempt| attempt.id).collect();
                same("orders found on their way", &sending, attempts)
            }
            Write::Told { place, kind, cycle, step, attempt, id, now } => {
                self.tell(conn, (self.card(*place), *kind, *cycle, step), *attempt, *id, *now)
            }
            Write::LastWarning { place, step, last } => self.last_warning(conn, self.card(*place), step, last.as_ref()),
            Write::Claimed { most, tries, now } => self.claim(conn, *most, tries, *now),
            Write::Settled { id, tries, outcome, now } => self.settle(conn, *id, *tries, *outcome, *now),
            Write::Expired { count, now } => same("messages that expire", &notices::expire(conn, *now)?, count),
            Write::Recovered { queued, dead, now } => self.recover(conn, *queued, dead, *now),
            Write::Judged { place, seen, recent, cycle, next_poll_at } => {
                judged(conn, self.card(*place), (seen, recent), *cycle, *next_poll_at)
            }
            Write::Cycle { place, cycle } => begin_cycle(conn, self.card(*place), *cycle),
            Write::Wished { place, wishes } => Ok(cards::set_wishes(conn, self.card(*place), wishes)?),
            Write::SetAside { since } => same(
                "cards set aside",
                &meta::quarantine_all(conn, "older than the journal", *since)?,
                &self.cards.len(),
            ),
            Write::Confirmed { place } => same("a card was set aside", &meta::lift(conn, self.card(*place))?, &true),
            Write::WaitsEnded { .. } if self.wrong == Some(Wrong::WaitsKept) => Ok(()),
            Write::WaitsEnded { now } => {
                attempts::bring_forward(conn, now.plus(ASK_WITHIN), now.plus(LOOK_UP_WITHIN), *now)?;
                Ok(notices::bring_forward(conn, now.plus(SEND_WITHIN), *now)?)
            }
            Write::LastSeen { at } => Ok(meta::seen(conn, *at)?),
            Write::Fared { operator, fares } => {
                let name = &self.accounts[*operator];
                let state = AccountState {
                    failures: fares.failures,
                    open_until: fares.until,
                    paused_until: fares.asked,
                    clock: fares.clocks,
                    wallet: fares.wallet.clone(),
                    capabilities: None,
                };
                Ok(accounts::save(conn, name, &state)?)
            }
            Write::Compared { unknown, sent_again } => {
                let found = examine::unknown(conn, &self.lines)?;
                let found: Vec<String> = found.iter().map(|line| line.key.as_str().to_owned()).collect();
                same("orders that only the journal knows", &found, unknown)?;
                same("orders that left again", &examine::sent_again(conn, &self.lines)?, sent_again)
            }
            Write::Line(_) | Write::Copied { .. } | Write::PutBack { .. } | Write::Committed | Write::Ended => {
                unreachable!("these are no changes within a commit")
            }
        }
    }

    fn card(&self, place: usize) -> CardId {
        self.cards[place].0
    }

    /// A line of the journal of orders.
    pub(super) fn keep_line(&mut self, line: &Line) {
        let name = self.cards.iter().find(|(id, _)| *id == line.card).map(|(_, name)| name.clone());
        self.lines.push(JournalLine {
            sequence: self.lines.len() as u64 + 1,
            attempt: line.attempt,
            card: line.card,
            card_name: name.unwrap_or_else(|| unreachable!("cards of a world stay")),
            account: line.account.clone(),
            key: line.key.clone(),
            plan_id: line.plan_id.clone(),
            price: line.price,
            at: line.at,
        });
    }
}

/// As the daemon's `judge` keeps an answer: by what the row itself holds.
fn judged(
    conn: &Connection,
    card: CardId,
    (seen, recent): (&Seen, &Recent),
    cycle: u32,
    next_poll_at: UnixTime,
) -> Result<(), Differs> {
    let mut poll = polls::load(conn, card)?;
    intake::take(&mut poll.recent, &mut poll.failures, seen);
    same("what is known after a reading", &poll.recent, recent)?;
    let in_row = if matches!(seen, Seen::Good(_)) { &poll.recent.previous } else { &poll.recent.latest };
    let update = PollUpdate { card, seen: seen.clone(), next_poll_at, cycle };
    Ok(polls::save_loaded(conn, &update, in_row.as_ref(), &poll.tail, &poll.recent)?)
}

/// As the daemon's `next_cycle`.
fn begin_cycle(conn: &Connection, card: CardId, cycle: u32) -> Result<(), Differs> {
    let next_poll_at = polls::load(conn, card)?.next_poll_at.unwrap_or(UnixTime::MIN);
    Ok(polls::save(conn, &[PollUpdate { card, seen: Seen::Nothing, next_poll_at, cycle }])?)
}
