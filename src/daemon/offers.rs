//! What can be bought for a card now, and from whom: the sellers in their turn, each with its own catalogue. Asks
//! operators for what they sell; buys nothing.

use super::case::Case;
use super::live::Live;
use crate::domain::card::Name;
use crate::domain::choose::{Occasion, choose};
use crate::domain::cover::Reckoning;
use crate::domain::forecast::Forecast;
use crate::domain::operator::{OperatorError, RulesOut};
use crate::domain::plan::{Catalogue, Plan};
use crate::domain::rule::Rule;
use crate::domain::sellers::{self, Way};
use crate::domain::time::UnixTime;

/// A plan on sale, and how it is to be bought.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    /// The account that sells it, and how it is paid.
    pub(super) way: Way,
    /// The plan.
    pub(super) plan: Plan,
    /// What the choice was reckoned by, where the rule looks ahead.
    pub(super) reckoning: Option<Reckoning>,
    /// What else that account sells for the card.
    pub(super) catalogue: Catalogue,
}

/// What came of asking.
#[derive(Clone, Debug)]
pub(super) enum Found {
    /// This is to be bought.
    Offer(Box<Offer>),
    /// Nothing has to be: what is on the card lasts until the rule's last day is over.
    Lasts,
    /// No seller sells anything of the rule's list.
    Nothing,
}

/// A seller that did not answer: nobody knows what it sells, so that the next one's turn has not come.
#[derive(Debug)]
pub(super) struct Unheard {
    /// The account.
    pub(super) account: Name,
    /// What happened.
    pub(super) error: OperatorError,
}

/// The first plan of the rule's list that the first seller in turn sells. A seller that certainly sells none of them
/// makes way for the next, as after a refusal.
///
/// # Errors
/// The seller whose turn it is did not answer.
pub(super) async fn first(
    live: &Live,
    case: &Case,
    rule: &Rule,
    data_use: &Forecast,
    now: UnixTime,
) -> Result<Found, Box<Unheard>> {
    let Some(occasion) = case.occasion(rule, data_use, now) else { return Ok(Found::Nothing) };
    let (has_others, mut passed) = (!case.card.sellers.is_empty(), Vec::new());
    for way in sellers::in_turn(&live.tills(&case.card), &case.attempts, case.poll.cycle) {
        let Some(desk) = live.desk(&way.account).filter(|_| !passed.contains(&way.account)) else { continue };
        if let Some(until) = desk.left_alone_until(now) {
            let why = "the operator is left alone for now".to_owned();
            let error = OperatorError::Later { retry_after: Some(until.since(now)), why };
            return Err(Box::new(Unheard { account: way.account, error }));
        }
        let catalogue = match desk.operator.catalogue(&case.card, now).await {
            Ok(catalogue) => catalogue,
            // It says for certain that it sells nothing here, as one does that only reads, or that refuses our login.
            Err(OperatorError::Never { kind, why }) if has_others && kind.rules_out() == RulesOut::Account => {
                tracing::info!(card.id = case.card.id.0, account = %way.account, why, "this account sells nothing for the card");
                passed.push(way.account);
                continue;
            }
            Err(error) => {
                desk.went_wrong(&error, now);
                return Err(Box::new(Unheard { account: way.account, error }));
            }
        };
        let chosen = choose(&Occasion { last_plan: case.last_plan_of(&way.account), ..occasion }, &catalogue);
        if chosen.lasts {
            return Ok(Found::Lasts);
        }
        let reckoning = chosen.reckoning;
        match chosen.plan.cloned() {
            Some(plan) => return Ok(Found::Offer(Box::new(Offer { way, plan, reckoning, catalogue }))),
            None => passed.push(way.account),
        }
    }
    Ok(Found::Nothing)
}
