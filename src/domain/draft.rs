//! The attempt to be planned: which plan at which seller, with which discount code, and whether a person must agree.

use super::attempt::{Approval, AskWhy, Attempt, AttemptState, Cause, Snapshot};
use super::card::{CardId, Name};
use super::cover::Reckoning;
use super::limits;
use super::money::Money;
use super::operator::RefusalKind;
use super::plan::{Contents, Plan};
use super::retry;
use super::rule::Rule;
use super::sellers::Way;
use super::time::UnixTime;

/// An attempt before it has a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAttempt {
    /// The card.
    pub card: CardId,
    /// The need.
    pub cycle: u32,
    /// Which attempt of this cycle, from 1.
    pub number: u32,
    /// The account that buys.
    pub account: Name,
    /// Why it exists.
    pub cause: Cause,
    /// What is bought.
    pub plan: Plan,
    /// What the choice was reckoned by, where the rule looked ahead.
    pub reckoning: Option<Reckoning>,
    /// How it is paid.
    pub payment: String,
    /// The discount code.
    pub code: Option<String>,
    /// When it was planned.
    pub created_at: UnixTime,
    /// Whether a person must agree.
    pub approval: Approval,
    /// The card before the purchase, if it is known already.
    pub before: Option<Snapshot>,
    /// When it goes on.
    pub next_at: UnixTime,
}

/// What is bought, from whom, and why.
#[derive(Clone, Debug)]
pub struct Choice<'a> {
    /// The card.
    pub card: CardId,
    /// Its cycle.
    pub cycle: u32,
    /// Its attempts, oldest first.
    pub attempts: &'a [Attempt],
    /// The rule.
    pub rule: &'a Rule,
    /// The seller, and how it is paid.
    pub way: &'a Way,
    /// The plan.
    pub plan: &'a Plan,
    /// What it was chosen by, where the rule looks ahead.
    pub reckoning: Option<&'a Reckoning>,
    /// The card's first end, if it is known.
    pub ends: Option<UnixTime>,
    /// Whether the seller takes discount codes.
    pub takes_codes: bool,
    /// Why.
    pub cause: Cause,
}

/// The attempt to be planned. One that a person must agree to is due when they are to be reminded.
#[must_use]
pub fn draft(choice: Choice<'_>, now: UnixTime) -> NewAttempt {
    let approval = approval(&choice, now);
    let asked = matches!(approval, Approval::Asked { .. });
    let in_cycle = choice.attempts.iter().filter(|attempt| attempt.cycle == choice.cycle);
    let closed = in_cycle.filter(|attempt| super::ledger::ClosedAttempt::of(attempt).is_some());
    NewAttempt {
        before: None,
        next_at: match &choice.rule.unanswered {
            Some(unanswered) if asked => unanswered.next_look(now, choice.ends, now),
            None if asked => now.plus(retry::REMIND_EVERY),
            Some(_) | None => now,
        },
        card: choice.card,
        cycle: choice.cycle,
        number: closed.map(|attempt| attempt.number).max().unwrap_or(0) + 1,
        account: choice.way.account.clone(),
        payment: choice.way.payment.clone(),
        code: first_code(&choice),
        approval,
        plan: choice.plan.clone(),
        reckoning: choice.reckoning.cloned(),
        created_at: now,
        cause: choice.cause,
    }
}

/// An order that only the journal knows: nothing but its plan's id and price is left of it.
#[must_use]
pub fn from_journal(
    card: CardId,
    cycle: u32,
    account: &Name,
    (plan_id, price): (&str, Money),
    ordered_at: UnixTime,
    now: UnixTime,
) -> NewAttempt {
    NewAttempt {
        card,
        cycle,
        number: 1,
        account: account.clone(),
        cause: Cause::Journal,
        plan: Plan {
            id: plan_id.to_owned(),
            name: plan_id.to_owned(),
            contents: Contents::default(),
            validity_secs: None,
            price,
        },
        reckoning: None,
        payment: "unknown".to_owned(),
        code: None,
        created_at: ordered_at,
        approval: Approval::NotNeeded,
        before: None,
        next_at: now,
    }
}

/// The first discount code that was not refused in this cycle.
fn first_code(choice: &Choice<'_>) -> Option<String> {
    let refused = |code: &String| {
        choice
            .attempts
            .iter()
            .any(|attempt| attempt.cycle == choice.cycle && code_failed(attempt) && attempt.code.as_ref() == Some(code))
    };
    choice.rule.codes.iter().filter(|_| choice.takes_codes).find(|code| !refused(code)).cloned()
}

/// The code after one that the preflight refused: the next of the rule that no order of this cycle was refused for, or
/// none after the last.
#[must_use]
pub fn code_after<'a>(codes: &'a [String], refused: Option<&String>, this_cycle: &[Attempt]) -> Option<&'a str> {
    let failed = |code: &&String| this_cycle.iter().any(|one| code_failed(one) && one.code.as_ref() == Some(*code));
    let mut after = codes.iter().skip_while(|code| Some(*code) != refused).skip(1);
    after.find(|code| !failed(code)).map(String::as_str)
}

fn approval(choice: &Choice<'_>, now: UnixTime) -> Approval {
    let before = paid_before(choice.attempts, &choice.way.account, &choice.plan.id);
    let why = asks(choice.rule, before, choice.plan.price);
    why.map_or(Approval::NotNeeded, |why| Approval::Asked { at: now, why })
}

/// Why a person must agree first, if one must; `before` is what was paid last time.
#[must_use]
pub fn asks(rule: &Rule, before: Option<Money>, price: Money) -> Option<AskWhy> {
    rule.asks_at(price).or_else(|| limits::dearer(&rule.limits, before, price))
}

/// Whether an attempt came to nothing because of its discount code.
fn code_failed(attempt: &Attempt) -> bool {
    matches!(&attempt.state, AttemptState::Refused { refusal, .. } if refusal.kind == RefusalKind::BadCode)
}

/// What an account was paid for a plan last time.
#[must_use]
pub fn paid_before(attempts: &[Attempt], account: &Name, plan_id: &str) -> Option<Money> {
    let paid = |attempt: &&Attempt| attempt.account == *account && attempt.plan.id == plan_id;
    purchases(attempts).find(paid).map(|attempt| attempt.plan.price)
}

/// What was bought, newest first.
pub fn purchases(attempts: &[Attempt]) -> impl Iterator<Item = &Attempt> {
    let bought =
        |attempt: &&Attempt| matches!(attempt.state, AttemptState::Done { .. } | AttemptState::Accepted { .. });
    attempts.iter().rev().filter(bought)
}

/// The plan that this account sold last; else the one that any did, which another may sell under the same name.
#[must_use]
pub fn last_plan_of<'a>(attempts: &'a [Attempt], account: &Name) -> Option<&'a str> {
    let theirs = purchases(attempts).find(|attempt| attempt.account == *account);
    theirs.or_else(|| purchases(attempts).next()).map(|attempt| attempt.plan.id.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::attempt::AskWhy;
    use crate::domain::rule::Mode;
    use crate::domain::testing::{NOW, attempt, name, plan, refusal, rule, usd};
    use crate::domain::time::Secs;

    fn way() -> Way {
        Way { account: name("airalo"), payment: "wallet".into(), refused: 0 }
    }

    fn drafted(attempts: &[Attempt], rule: &Rule, price: Money) -> NewAttempt {
        let (way, plan) = (way(), plan("canada-30", 3_000_000_000, 30, price));
        let cause = Cause::Person { by: "anna".into() };
        let choice = Choice {
            card: CardId(1),
            cycle: 3,
            attempts,
            rule,
            way: &way,
            plan: &plan,
            reckoning: None,
            ends: None,
            takes_codes: true,
            cause,
        };
        draft(choice, NOW)
    }

    #[test]
    fn a_dearer_plan_and_a_rule_that_asks_wait_for_a_person() {
        let done = attempt(AttemptState::Done { at: NOW, order_id: None, charged: None });
        let auto = rule(Mode::Auto, &[]);
        assert_eq!(drafted(std::slice::from_ref(&done), &auto, usd(10)).approval, Approval::NotNeeded);
        assert_eq!(drafted(&[], &auto, usd(99)).approval, Approval::NotNeeded, "there is nothing to compare with");
        let dearer = drafted(&[done], &auto, usd(11));
        assert_eq!(dearer.approval, Approval::Asked { at: NOW, why: AskWhy::Dearer { before: usd(10) } });
        assert_eq!(dearer.next_at, NOW.plus(Secs::DAY));
        let asks = drafted(&[], &rule(Mode::Ask, &[]), usd(1));
        assert_eq!(asks.approval, Approval::Asked { at: NOW, why: AskWhy::Mode });
        let above = Rule { ask_above: Some(usd(10)), ..auto };
        assert_eq!(drafted(&[], &above, usd(10)).approval, Approval::NotNeeded);
        let asks = drafted(&[], &above, usd(11));
        assert_eq!(asks.approval, Approval::Asked { at: NOW, why: AskWhy::Above { limit: usd(10) } });
    }

    #[test]
    fn a_refused_code_makes_way_for_the_next_in_its_cycle_only() {
        let codes = Rule { codes: vec!["A".into(), "B".into()], ..rule(Mode::Auto, &[]) };
        let refused = |cycle| {
            let state = AttemptState::Refused { at: NOW, refusal: refusal(RefusalKind::BadCode) };
            Attempt { code: Some("A".into()), cycle, ..attempt(state) }
        };
        assert_eq!(drafted(&[], &codes, usd(10)).code.as_deref(), Some("A"));
        let second = drafted(&[refused(3)], &codes, usd(10));
        assert_eq!((second.code.as_deref(), second.number), (Some("B"), 2));
        assert_eq!(drafted(&[refused(2)], &codes, usd(10)).code.as_deref(), Some("A"));
        assert_eq!(code_after(&codes.codes, Some(&"A".to_owned()), &[]), Some("B"));
        let b_failed = Attempt { code: Some("B".into()), ..refused(3) };
        assert_eq!(code_after(&codes.codes, Some(&"A".to_owned()), &[b_failed]), None, "an order was refused for it");
        assert_eq!(code_after(&codes.codes, Some(&"B".to_owned()), &[]), None);
    }
}
