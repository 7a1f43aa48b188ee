//! Moves of attempts in the record: the step is decided in `domain`, written with its evidence, and told in the same
//! transaction.

use super::judge::wishes_used;
use super::live::Live;
use super::tell::{Telling, tell};
use crate::domain::attempt::{Approval, Attempt, AttemptState, Cause, Question, Snapshot, StateName};
use crate::domain::card::{Card, CardId};
use crate::domain::cycle::{self, Effect};
use crate::domain::gates::Gate;
use crate::domain::ledger::Spend;
use crate::domain::limits;
use crate::domain::money::Money;
use crate::domain::news::{self, News};
use crate::domain::notice::{Ask, Event as Told, FailedWhy};
use crate::domain::operator::{BuyAnswer, Found, Refusal, RefusalKind};
use crate::domain::reading::Recent;
use crate::domain::retry;
use crate::domain::sellers::{self, AnotherWay};
use crate::domain::step::{self, Decision, Event, Transition};
use crate::domain::time::{Secs, UnixTime};
use crate::store::attempts::{self, Evidence};
use crate::store::polls::{self, PollUpdate, Seen};
use crate::store::{Connection, StoreError, cards};

/// Where an attempt is after a move.
#[derive(Clone, Debug)]
pub(super) struct Moved {
    /// The card.
    pub(super) card: CardId,
    /// Where it is now.
    pub(super) state: StateName,
}

/// Moves an attempt by an event, with evidence and notices. An event that the state does not know changes nothing and is
/// an error in the log.
///
/// # Errors
/// When the record cannot be written, or the attempt was moved by another meanwhile.
pub(super) fn advance(
    conn: &Connection,
    live: &Live,
    attempt: &Attempt,
    event: Event,
    now: UnixTime,
) -> Result<Moved, StoreError> {
    let what = describe(&event);
    let (poll, card) = (polls::load(conn, attempt.card)?, cards::by_id(conn, attempt.card)?);
    let recent = poll.recent;
    let ends = recent.latest.as_ref().and_then(cycle::first_end);
    let capabilities = match &card {
        Some(card) => live.capabilities_for(&attempt.account, card),
        None => *live.capabilities(&attempt.account),
    };
    let moved = match step::step(attempt, event, &capabilities, ends, now) {
        Ok(moved) => moved,
        Err(illegal) => {
            tracing::error!(attempt.id = attempt.id.0, error = %illegal, what, "a move was not made");
            return Ok(Moved { card: attempt.card, state: attempt.state.name() });
        }
    };
    if moved.state == attempt.state {
        return Ok(Moved { card: attempt.card, state: attempt.state.name() });
    }
    let evidence = Evidence { transition: moved.transition.as_str(), what, digest: None, at: now };
    let after = attempts::advance(conn, attempt, &moved.state, None, &evidence)?;
    if after.state.name() != attempt.state.name() {
        tracing::info!(
            attempt.id = attempt.id.0,
            card.id = attempt.card.0,
            from = attempt.state.name().as_str(),
            to = after.state.name().as_str(),
            transition = moved.transition.as_str(),
            "attempt moved"
        );
    }
    if let Some(card) = card {
        let history = History { conn, live, card: &card, recent: &recent, now };
        history.tell_of(attempt, &after, moved.transition)?;
        if after.state.name() == StateName::Done {
            history.next_cycle(&after)?;
        }
    }
    Ok(Moved { card: after.card, state: after.state.name() })
}

/// Gives a planned attempt up because of a gate, and tells why if the reason is new.
pub(super) fn give_up(
    conn: &Connection,
    live: &Live,
    attempt: &Attempt,
    gate: Gate,
    now: UnixTime,
) -> Result<(), StoreError> {
    advance(conn, live, attempt, Event::GateClosed { gate: gate.to_string() }, now)?;
    let Some(card) = cards::by_id(conn, attempt.card)? else { return Ok(()) };
    let wait = match another_way(conn, live, &card, attempt.cycle, now)? {
        // Only a short wallet leaves another way.
        AnotherWay::Untried | AnotherWay::TriedLess => Secs::MINUTE,
        AnotherWay::None => retry::after_gates(1),
    };
    let event = Told::Failed {
        attempt: Some(attempt.id),
        plan: Some(attempt.plan.clone()),
        why: FailedWhy::Held(gate),
        next_try: Some(now.plus(wait)),
        support: live.support(&attempt.account),
    };
    let step = news::step_of_gate(gate, attempt, &card);
    tell(conn, live, Telling { card: Some(&card), cycle: attempt.cycle, step, attempt: Some(attempt.id), event }, now)
}

/// Whether a card can be bought for in another way after what happened last.
fn another_way(
    conn: &Connection,
    live: &Live,
    card: &Card,
    cycle: u32,
    now: UnixTime,
) -> Result<AnotherWay, StoreError> {
    let attempts = super::case::recent_attempts(conn, card.id, now)?;
    Ok(sellers::another_way(&live.tills(card), &attempts, cycle))
}

struct History<'a> {
    conn: &'a Connection,
    live: &'a Live,
    card: &'a Card,
    recent: &'a Recent,
    now: UnixTime,
}

impl History<'_> {
    /// What people are told of a move, if anything.
    fn tell_of(&self, before: &Attempt, after: &Attempt, transition: Transition) -> Result<(), StoreError> {
        let Some(news) = news::of_move(before, after, transition) else { return Ok(()) };
        let sent_at = before.state.sent().map_or(self.now, |sent| sent.first_sent_at);
        let (attempt, plan) = (after.id, after.plan.clone());
        let event = match news {
            News::Settled(outcome) => Told::SettledLate { attempt, plan, sent_at, outcome },
            News::Refused(refusal) => self.failed(after, FailedWhy::Refused(refusal))?,
            News::Reversed(why) => self.failed(after, FailedWhy::Reversed(why))?,
            News::Doubtful(doubt) => Told::Unknown { attempt, plan, sent_at, doubt },
            News::Asked(question) => self.asked(after, question, sent_at, 0),
            News::Bought => self.bought(after)?,
            News::NotSent => {
                self.failed(after, FailedWhy::NotSent("no connection to the operator could be made".into()))?
            }
        };
        self.tell(after, news::step_of(after, transition), event)
    }

    fn tell(&self, attempt: &Attempt, step: String, event: Told) -> Result<(), StoreError> {
        let telling = Telling { card: Some(self.card), cycle: attempt.cycle, step, attempt: Some(attempt.id), event };
        tell(self.conn, self.live, telling, self.now)
    }

    fn failed(&self, attempt: &Attempt, why: FailedWhy) -> Result<Told, StoreError> {
        let next_try = match &attempt.state {
            AttemptState::Planned { next_at } => Some(*next_at),
            AttemptState::Refused { refusal, .. } => self.wait(attempt, refusal)?.map(|wait| self.now.plus(wait)),
            _ => None,
        };
        Ok(Told::Failed {
            attempt: Some(attempt.id),
            plan: Some(attempt.plan.clone()),
            why,
            next_try,
            support: self.live.support(&attempt.account),
        })
    }

    /// How long it takes until the next attempt after a refusal, if there is one: the card is assessed by the same words.
    fn wait(&self, attempt: &Attempt, refusal: &Refusal) -> Result<Option<Secs>, StoreError> {
        let later = retry::next_attempt(attempt.number);
        Ok(match another_way(self.conn, self.live, self.card, attempt.cycle, self.now)? {
            AnotherWay::Untried => Some(Secs::MINUTE),
            AnotherWay::TriedLess => later.map(|_| Secs::MINUTE),
            AnotherWay::None if refusal.kind == RefusalKind::BadCode => later.map(|_| Secs::MINUTE),
            AnotherWay::None if refusal.kind.can_pass() => later,
            AnotherWay::None => None,
        })
    }

    fn asked(&self, attempt: &Attempt, question: Question, sent_at: UnixTime, reminders: u32) -> Told {
        Told::Asked {
            attempt: attempt.id,
            plan: attempt.plan.clone(),
            reckoning: None,
            ask: Ask::Settle { question, sent_at },
            unanswered: None,
            ends: self.recent.latest.as_ref().and_then(cycle::first_end),
            reminders,
            support: self.live.support(&attempt.account),
        }
    }

    fn bought(&self, attempt: &Attempt) -> Result<Told, StoreError> {
        let (order_id, charged) = match &attempt.state {
            AttemptState::Done { order_id, charged, .. } => (order_id.clone(), *charged),
            _ => (None, None),
        };
        let rule = self.live.rule_of(self.card);
        let spends = self.spends()?;
        Ok(Told::Bought {
            attempt: attempt.id,
            plan: attempt.plan.clone(),
            reckoning: attempt.reckoning.clone().map(Box::new),
            charged: charged.unwrap_or(attempt.plan.price),
            order_id,
            before: attempt.before.clone().unwrap_or_default(),
            after: Box::new(self.recent.latest.as_ref().map(Snapshot::of).unwrap_or_default()),
            cause: match &attempt.cause {
                Cause::Rule { rule, line } => Some((rule.clone(), *line)),
                Cause::Person { .. } | Cause::Journal => None,
            },
            agreed_by: match &attempt.approval {
                Approval::Given { by, .. } => Some(by.clone()),
                Approval::NotNeeded | Approval::Asked { .. } => None,
            },
            month_left: rule.and_then(|rule| limits::month_left(&rule.limits, &spends, &self.card.zone, self.now)),
        })
    }

    fn spends(&self) -> Result<Vec<Spend>, StoreError> {
        super::case::spends(self.conn, self.card.id, self.now)
    }

    /// The effect was seen: the need is met, and a new cycle begins.
    fn next_cycle(&self, attempt: &Attempt) -> Result<(), StoreError> {
        let next_poll_at = polls::load(self.conn, self.card.id)?.next_poll_at.unwrap_or(self.now);
        let cycle = attempt.cycle.saturating_add(1);
        polls::save(self.conn, &[PollUpdate { card: self.card.id, seen: Seen::Nothing, next_poll_at, cycle }])?;
        wishes_used(self.conn, self.card, self.now)
    }
}

/// An open question is put again, once a day.
pub(super) fn remind(
    conn: &Connection,
    live: &Live,
    attempt: &Attempt,
    reminders: u32,
    now: UnixTime,
) -> Result<(), StoreError> {
    let AttemptState::Human { question, sent, .. } = &attempt.state else { return Ok(()) };
    let Some(card) = cards::by_id(conn, attempt.card)? else { return Ok(()) };
    let recent = polls::load(conn, attempt.card)?.recent;
    let history = History { conn, live, card: &card, recent: &recent, now };
    let event = history.asked(attempt, *question, sent.first_sent_at, reminders);
    history.tell(attempt, news::step_of_question(attempt, reminders), event)
}

/// The evidence of an event in words, for the record.
fn describe(event: &Event) -> String {
    match event {
        Event::GateClosed { gate } => format!("a gate is closed: {gate}"),
        Event::Delayed { until } => format!("waits until {until}"),
        Event::NotNeeded => "the card shows that it is not needed".to_owned(),
        Event::Sends(_) => "the order goes out".to_owned(),
        Event::Resends => "the same bytes go out again".to_owned(),
        Event::Answered(answer) => answered(answer),
        Event::FoundSending => "found on its way without a sender".to_owned(),
        Event::LookedUp(found) => looked_up(found),
        Event::LookupFailed => "a look-up failed".to_owned(),
        Event::CardShows(Effect::None) => "the card shows no change".to_owned(),
        Event::CardShows(Effect::Seen) => "the card shows the effect".to_owned(),
        Event::CardShows(Effect::More) => "the card changed by more than this order explains".to_owned(),
        Event::TimePassed => "time passed".to_owned(),
        Event::Decided { by, decision, reason } => {
            let decision = match decision {
                Decision::Bought => "was taken",
                Decision::NotBought => "was not taken",
                Decision::Abandon => "is left be",
            };
            format!("{by} says that it {decision}: {reason}")
        }
        Event::LookedTooLongAgo => "it did not leave: the last look was too long ago".to_owned(),
        Event::RolledBack { left: None } => "the records were restored".to_owned(),
        Event::RolledBack { left: Some(_) } => "the records were restored from before it left".to_owned(),
    }
}

/// What an order came to, in words.
pub(super) fn answered(answer: &BuyAnswer) -> String {
    match answer {
        BuyAnswer::Accepted { order_id, charged } => {
            format!("the operator took it{}{}", numbered(order_id.as_deref()), cost(*charged))
        }
        BuyAnswer::Pending { order_id } => format!("the operator works on it{}", numbered(Some(order_id))),
        BuyAnswer::Refused(refusal) => refused(refusal),
        BuyAnswer::NotSent { why } => format!("it did not leave: {why}"),
        BuyAnswer::Unknown { doubt, detail, .. } => format!("{doubt} ({detail})"),
    }
}

fn looked_up(found: &Found) -> String {
    match found {
        Found::Accepted { order_id, charged } => {
            format!("found{}: taken{}", numbered(Some(order_id)), cost(*charged))
        }
        Found::Pending { order_id } => format!("found{}: being worked on", numbered(Some(order_id))),
        Found::Refused(refusal) => format!("found: {}", refused(refusal)),
        Found::Reversed { order_id, why } => format!("found{}: taken back: {why}", numbered(Some(order_id))),
        Found::Nothing => "not found in the operator's list".to_owned(),
    }
}

fn refused(refusal: &Refusal) -> String {
    format!("refused with {}: {}", refusal.code, refusal.text)
}

fn numbered(order_id: Option<&str>) -> String {
    order_id.map_or_else(String::new, |id| format!(" as {id}"))
}

fn cost(charged: Option<Money>) -> String {
    charged.map_or_else(String::new, |money| format!(", charged {money}"))
}
