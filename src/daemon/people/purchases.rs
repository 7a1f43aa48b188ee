//! Purchases by a person's word: preview, renew, approve, refuse, settle.

use std::sync::Arc;

use super::{Case, Daemon, Round, StoreError, case_of, no_such_card, note, refused};
use crate::daemon::fresh;
use crate::daemon::live::Live;
use crate::daemon::moves::advance;
use crate::daemon::offers::{self, Found};
use crate::daemon::renew_round;
use crate::daemon::request::{Refusal, Reply};
use crate::daemon::shared_limits;
use crate::domain::attempt::{Approval, Attempt, AttemptId, AttemptState, Cause, StateName};
use crate::domain::card::Card;
use crate::domain::limits;
use crate::domain::money::Money;
use crate::domain::plan::Plan;
use crate::domain::rule::{Buy, Choice, Mode, Rule};
use crate::domain::shared_limits::Counted;
use crate::domain::step::{Decision, Event};
use crate::domain::time::UnixTime;
use crate::store::Connection;
use crate::store::attempts::{self, Evidence};

/// A rule for a renewal that a person asks for: the card's own list and limits, whatever its mode; with the person's
/// plan in front.
pub(super) fn rule_for_person(case: &Case, live: &Live, plan: Option<&str>) -> Rule {
    let mut rule = case.rule(live).cloned().unwrap_or_else(|| Rule::watching(case.card.name.clone()));
    rule.mode = Mode::Auto;
    // They see the price before they say yes.
    rule.ask_above = None;
    rule.if_not_enough = None;
    if let Some(plan) = plan {
        rule.buy = vec![Buy { choice: Choice::Named(plan.to_owned()), line: rule.line }];
    }
    if rule.buy.is_empty() {
        rule.buy = vec![Buy { choice: Choice::Same, line: rule.line }];
    }
    rule
}

pub(super) async fn preview(daemon: &Arc<Daemon>, name: String) -> Result<Reply, StoreError> {
    let Some(known) = case_of(daemon, &name).await? else { return Ok(no_such_card(&name)) };
    let (live, now) = (daemon.live(), daemon.clock.now());
    let Some(desk) = live.desk(&known.card.account) else {
        return Ok(refused(
            Refusal::Wrong,
            format!("`{name}` is at the account `{}`, which simkeeper.toml does not name", known.card.account),
        ));
    };
    if let Err(error) = fresh::read(daemon, desk, &known.card).await? {
        return Ok(refused(Refusal::Failed, format!("`{name}` cannot be read at present: {error}")));
    }
    let Some(case) = case_of(daemon, &name).await? else { return Ok(no_such_card(&name)) };
    if case.poll.recent.latest.is_none() {
        let said = format!("what the operator says of `{name}` makes no sense; `simkeeper explain {name}` shows it");
        return Ok(refused(Refusal::NotNow, said));
    }
    let rule = rule_for_person(&case, &live, None);
    let data_use = renew_round::data_use(daemon, &case, &rule, now).await?;
    let offer = match offers::first(&live, &case, &rule, &data_use, now).await {
        Ok(Found::Offer(offer)) => *offer,
        Ok(Found::Lasts) => {
            let said = format!("what is left on `{name}` lasts until the rule's last day is over");
            return Ok(refused(Refusal::NotNow, said));
        }
        Ok(Found::Nothing) => {
            return Ok(refused(
                Refusal::NotNow,
                format!(
                    "no plan of the rule's list is on sale for `{name}` and ends in time for the rule's last day; see `simkeeper explain {name}`"
                ),
            ));
        }
        Err(unheard) => {
            let said = format!("`{}` sells nothing at present: {}", unheard.account, unheard.error);
            return Ok(refused(Refusal::Failed, said));
        }
    };
    let wallet = match live.desk(&offer.way.account) {
        Some(seller) => seller.operator.wallet().await.ok().and_then(|wallet| wallet.balance),
        None => None,
    };
    let plan = offer.plan;
    let (card, seller, cycle) = (case.card.clone(), offer.way.account, limits::cycle_of(&plan));
    let shared = daemon
        .store
        .read(move |conn| shared_limits::counted(conn, live.rules(), (&card, &seller), cycle, None, now))
        .await?;
    let closed = closed_now(&case, &rule, &plan, &shared, now);
    Ok(Reply::Preview { plan: plan.id, name: plan.name, price: plan.price, wallet, closed })
}

/// What would stand in the way now, in words.
pub(super) fn closed_now(case: &Case, rule: &Rule, plan: &Plan, shared: &[Counted], now: UnixTime) -> Vec<String> {
    let mut closed = Vec::new();
    if let Some(open) = case.open() {
        closed.push(format!("attempt {} is {}", open.id.0, open.state.name()));
    }
    if case.card.wishes.pause.as_ref().is_some_and(|pause| pause.holds(now)) {
        closed.push("the card is paused".to_owned());
    }
    let crossed = limits::stops(&rule.limits, plan, &case.ledger.spends, None, &case.card.zone, now);
    closed.extend(crossed.map(|gate| gate.to_string()));
    closed.extend(shared.iter().filter_map(|counted| counted.crossed(plan.price)).map(|gate| gate.to_string()));
    closed
}

pub(super) async fn renew(
    daemon: &Arc<Daemon>,
    by: String,
    name: String,
    plan: String,
    price: Money,
) -> Result<Reply, StoreError> {
    let Some(case) = case_of(daemon, &name).await? else { return Ok(no_such_card(&name)) };
    if let Some(open) = case.open() {
        let said = format!("`{name}` has attempt {} open ({}); one at a time", open.id.0, open.state.name());
        return Ok(refused(Refusal::NotNow, said));
    }
    let (live, now) = (daemon.live(), daemon.clock.now());
    let rule = rule_for_person(&case, &live, Some(&plan));
    let cause = Cause::Person { by: by.clone() };
    renew_round::plan_renewal(daemon, &case, &rule, cause, now).await?;
    let Some(attempt) = open_attempt(daemon, &case.card).await? else {
        let said = format!("`{plan}` is not on sale for `{name}` any more; preview it again");
        return Ok(refused(Refusal::NotNow, said));
    };
    if attempt.plan.price != price {
        let said =
            format!("the price is {} now, not {price}; nothing was bought, preview it again", attempt.plan.price);
        decide(daemon, by, attempt.id, Decision::Abandon, said.clone(), true).await?;
        return Ok(refused(Refusal::NotNow, said));
    }
    approve(daemon, by, attempt.id).await
}

pub(super) async fn open_attempt(daemon: &Arc<Daemon>, card: &Card) -> Result<Option<Attempt>, StoreError> {
    let id = card.id;
    daemon.store.read(move |conn| attempts::open_for(conn, id)).await
}

/// What an act on an attempt came to.
enum Act {
    Missing,
    NotNow(StateName),
    Done(Box<Attempt>),
}

pub(super) async fn approve(daemon: &Arc<Daemon>, by: String, id: AttemptId) -> Result<Reply, StoreError> {
    let now = daemon.clock.now();
    let act = daemon
        .store
        .write(move |conn| {
            let Some(attempt) = attempts::by_id(conn, id)? else { return Ok(Act::Missing) };
            if attempt.state.name() != StateName::Planned {
                return Ok(Act::NotNow(attempt.state.name()));
            }
            Ok(Act::Done(Box::new(agree(conn, &attempt, &by, now)?)))
        })
        .await?;
    daemon.bells.ring(Round::Renew);
    Ok(match act {
        Act::Missing => no_such_attempt(id),
        Act::NotNow(state) => {
            refused(Refusal::NotNow, format!("attempt {} is {state}; there is nothing to approve", id.0))
        }
        Act::Done(attempt) => Reply::Done { said: agreed(&attempt), attempt: Some(id.0), notices: Vec::new() },
    })
}

/// Writes that a person agrees to a planned attempt, which is due at once then.
pub(super) fn agree(conn: &Connection, attempt: &Attempt, by: &str, now: UnixTime) -> Result<Attempt, StoreError> {
    let evidence = Evidence { transition: "T2", what: format!("{by} agreed"), digest: None, at: now };
    let approval = Approval::Given { by: by.to_owned(), at: now };
    let due = AttemptState::Planned { next_at: now };
    let attempt = attempts::advance(conn, attempt, &due, Some(&approval), &evidence)?;
    note(conn, now, by, "approve", Some(attempt.card), Some(attempt.id), None)?;
    Ok(attempt)
}

pub(super) fn agreed(attempt: &Attempt) -> String {
    format!(
        "{} for {} will be bought once its gates are open; `simkeeper status` shows how it goes",
        attempt.plan.name, attempt.plan.price
    )
}

pub(super) fn no_such_attempt(id: AttemptId) -> Reply {
    refused(Refusal::NotFound, format!("there is no attempt {}; `simkeeper history` lists them", id.0))
}

/// T19, or the refusal of a planned attempt.
pub(super) async fn decide(
    daemon: &Arc<Daemon>,
    by: String,
    id: AttemptId,
    decision: Decision,
    reason: String,
    before_sending: bool,
) -> Result<Reply, StoreError> {
    let (live, now) = (daemon.live(), daemon.clock.now());
    let act = daemon
        .store
        .write(move |conn| {
            let Some(attempt) = attempts::by_id(conn, id)? else { return Ok(Act::Missing) };
            let wanted = if before_sending { StateName::Planned } else { StateName::Human };
            if attempt.state.name() != wanted {
                return Ok(Act::NotNow(attempt.state.name()));
            }
            let what = if before_sending { "refuse" } else { "settle" };
            note(conn, now, &by, what, Some(attempt.card), Some(id), Some(&reason))?;
            advance(conn, &live, &attempt, Event::Decided { by, decision, reason }, now)?;
            Ok(attempts::by_id(conn, id)?.map_or(Act::Missing, |attempt| Act::Done(Box::new(attempt))))
        })
        .await?;
    Ok(match act {
        Act::Missing => no_such_attempt(id),
        Act::NotNow(state) if before_sending => {
            refused(Refusal::NotNow, format!("attempt {} is {state}; only a planned one can be refused", id.0))
        }
        Act::NotNow(state) => refused(
            Refusal::NotNow,
            format!("attempt {} is {state}; it is settled by evidence, and you are asked if that does not work", id.0),
        ),
        Act::Done(attempt) => {
            daemon.hurry(attempt.card);
            daemon.bells.ring(Round::Settle);
            Reply::Done {
                said: format!("attempt {} is {} now", id.0, attempt.state.name()),
                attempt: Some(id.0),
                notices: Vec::new(),
            }
        }
    })
}
