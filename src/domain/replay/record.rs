//! What the record says of one card's purchases: needs with their ends, what was paid, and what was on sale when.

use std::collections::BTreeSet;

use super::{Bought, Order, Past, Window};
use crate::domain::attempt::{Approval, AttemptState, Cause, StateName};
use crate::domain::capabilities::Stacking;
use crate::domain::ledger::{Spend, cost};
use crate::domain::money::Money;
use crate::domain::plan::{Catalogue, Plan};
use crate::domain::time::{Secs, UnixTime};

/// An order that the record began this soon after a reading was decided by it: a renewal that could not begin at once is
/// begun again within this time.
pub(super) const TOGETHER: Secs = Secs::minutes(15);

/// One need of the card that a rule worked off, in one attempt or several.
pub(super) struct Need {
    /// When its first attempt was planned.
    pub(super) begun: UnixTime,
    /// When its last attempt was closed; far ahead while it is open.
    pub(super) closed: UnixTime,
    /// What it bought.
    pub(super) bought: Option<Bought>,
    /// Whether the replay decided the same at the same reading.
    pub(super) met: bool,
    /// Whether the replay has heard of it otherwise.
    pub(super) heard: bool,
}

impl Need {
    /// Whether an order of `at` would have been this one.
    pub(super) fn meets(&self, at: UnixTime) -> bool {
        let ends = self.bought.as_ref().map_or(self.closed, |bought| bought.at);
        !self.met && !self.heard && self.begun <= at.plus(TOGETHER) && at <= ends
    }
}

/// Whether an order may have put something on the card, as far as is known.
const fn took_effect(state: StateName) -> bool {
    match state {
        StateName::Sending
        | StateName::Pending
        | StateName::Accepted
        | StateName::Unknown
        | StateName::Human
        | StateName::Done => true,
        StateName::Planned | StateName::Refused | StateName::Absent | StateName::Abandoned | StateName::Reversed => {
            false
        }
    }
}

/// When it was closed; far ahead while it is open.
const fn closed_at(state: &AttemptState) -> UnixTime {
    match state {
        AttemptState::Done { at, .. }
        | AttemptState::Refused { at, .. }
        | AttemptState::Absent { at }
        | AttemptState::Abandoned { at, .. }
        | AttemptState::Reversed { at, .. } => *at,
        AttemptState::Planned { .. }
        | AttemptState::Sending { .. }
        | AttemptState::Pending { .. }
        | AttemptState::Accepted { .. }
        | AttemptState::Unknown { .. }
        | AttemptState::Human { .. } => UnixTime::MAX,
    }
}

/// Whether a rule began it within the window: what is tried again. Everything else stays as it was.
fn is_tried_again(order: &Order, window: Window) -> bool {
    let by_rule = matches!(order.attempt.cause, Cause::Rule { .. });
    by_rule && (window.from..window.to).contains(&order.attempt.created_at)
}

fn bought(order: &Order) -> Bought {
    let attempt = &order.attempt;
    let line = match attempt.cause {
        Cause::Rule { line, .. } => Some(line),
        Cause::Person { .. } | Cause::Journal => None,
    };
    let asks = attempt.approval != Approval::NotNeeded;
    let (plan, account) = (attempt.plan.clone(), attempt.account.clone());
    Bought { at: order.sent_at, plan, paid: cost(attempt), account, line, asks }
}

impl Past {
    /// The needs that rules worked off within the window, oldest first.
    pub(super) fn needs(&self, window: Window) -> Vec<Need> {
        let mut needs: Vec<(u32, Need)> = Vec::new();
        for order in self.orders.iter().filter(|order| is_tried_again(order, window)) {
            let attempt = &order.attempt;
            let (closed, effect) = (closed_at(&attempt.state), took_effect(attempt.state.name()));
            let now_bought = effect.then(|| bought(order));
            match needs.last_mut().filter(|(cycle, need)| *cycle == attempt.cycle && need.bought.is_none()) {
                Some((_, need)) => {
                    need.closed = need.closed.max(closed);
                    need.bought = now_bought;
                }
                None => {
                    let begun = attempt.created_at;
                    let need = Need { begun, closed, bought: now_bought, met: false, heard: false };
                    needs.push((attempt.cycle, need));
                }
            }
        }
        needs.into_iter().map(|(_, need)| need).collect()
    }

    /// Money that was spent whatever the rules of the window say: by people, and before it.
    pub(super) fn fixed(&self, window: Window) -> Vec<Spend> {
        let fixed = self.orders.iter().filter(|order| !is_tried_again(order, window));
        let spent = fixed.filter(|order| order.attempt.state.name().counts_as_spent());
        let spend = |order: &Order| Spend { attempt: order.attempt.id, at: order.sent_at, money: cost(&order.attempt) };
        spent.map(spend).collect()
    }

    /// Whether an order from before the window, or of a person, keeps everything else from being bought.
    pub(super) fn is_occupied(&self, window: Window, now: UnixTime) -> bool {
        let fixed = self.orders.iter().filter(|order| !is_tried_again(order, window));
        fixed.map(|order| &order.attempt).any(|attempt| attempt.created_at <= now && now < closed_at(&attempt.state))
    }

    /// The last purchase of the record before `now` that the replay does not decide anew.
    pub(super) fn last_fixed(&self, window: Window, now: UnixTime) -> Option<Bought> {
        let fixed = self.orders.iter().rev().filter(|order| !is_tried_again(order, window));
        let taken = |order: &&Order| order.sent_at <= now && took_effect(order.attempt.state.name());
        let mut taken = fixed.filter(taken);
        taken.next().map(bought)
    }

    /// What the record paid last for a plan by `now`.
    pub(super) fn paid(&self, plan: &str, window: Window, now: UnixTime) -> Option<Money> {
        let of_plan = self.orders.iter().rev().filter(|order| order.attempt.plan.id == plan);
        let fixed = of_plan.filter(|order| !is_tried_again(order, window) && order.sent_at <= now);
        fixed.filter(|order| took_effect(order.attempt.state.name())).map(|order| cost(&order.attempt)).next()
    }

    /// What was on sale at `now`, as far as is known: the last catalogue, with each plan as it was in the order nearest
    /// before, or else after. What has left the catalogue was on sale until its last order.
    pub(super) fn on_sale(&self, now: UnixTime) -> Catalogue {
        let known = self.catalogue.as_ref();
        let fetched_at = known.map_or(UnixTime::MIN, |catalogue| catalogue.fetched_at);
        let mut plans: Vec<Plan> = known.map(|catalogue| catalogue.plans.clone()).unwrap_or_default();
        let soon = now.plus(TOGETHER);
        let ordered: BTreeSet<&str> = self.orders.iter().map(|order| order.attempt.plan.id.as_str()).collect();
        for id in ordered {
            let of_plan = || self.orders.iter().map(|order| &order.attempt).filter(|attempt| attempt.plan.id == id);
            let before = of_plan().rfind(|attempt| attempt.created_at <= soon);
            let after = of_plan().find(|attempt| attempt.created_at > soon);
            let last = of_plan().next_back().map_or(UnixTime::MIN, |attempt| attempt.created_at);
            let Some(nearest) = before.or(after) else { continue };
            match plans.iter_mut().find(|plan| plan.id == id) {
                // The catalogue is nearer.
                Some(_) if nearest.created_at < fetched_at && fetched_at <= now => {}
                Some(plan) => plan.clone_from(&nearest.plan),
                None if last.plus(TOGETHER) >= now => plans.push(nearest.plan.clone()),
                None => {}
            }
        }
        Catalogue { fetched_at: now, plans, stacking: self.stacking() }
    }

    /// What becomes of a plan that is bought while another still runs, as far as is known.
    pub(super) fn stacking(&self) -> Stacking {
        self.catalogue.as_ref().map_or(Stacking::Unknown, |known| known.stacking)
    }
}
