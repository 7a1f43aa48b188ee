//! What happens when the plan that is to be bought cannot lift the card above the conditions for which it is bought. Never
//! one purchase after the other for one need, unless the rule leaves it open.

use serde::Serialize;

use super::capabilities::Stacking;
use super::carried;
use super::choose::{Occasion, Passed};
use super::limits;
use super::plan::{Catalogue, Plan};
use super::reading::Reading;
use super::rule::Rule;
use super::time::UnixTime;
use super::trigger::{self, Check};

/// What a rule does then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NotEnough {
    /// Buys it once, and nothing more within one length of the plan.
    Once,
    /// Takes the next entry of the list.
    Refuse,
    /// Buys the cheapest plan that is enough in one go.
    Enough,
}

/// The plan that is bought in the place of `plan`: itself where it is enough, or what the rule says.
pub(super) fn instead<'a>(
    occasion: &Occasion<'_>,
    plan: &'a Plan,
    catalogue: &'a Catalogue,
    fits: &impl Fn(&Plan) -> bool,
) -> Result<&'a Plan, Passed> {
    let Occasion { rule, reading, spends, now, .. } = *occasion;
    let lifts = |plan: &Plan| lifts(rule, reading, (plan, catalogue.stacking), now);
    match rule.if_not_enough {
        None => Ok(plan),
        Some(_) if lifts(plan) => Ok(plan),
        Some(NotEnough::Refuse) => Err(Passed::NotEnough),
        Some(NotEnough::Once) => {
            let cycle = limits::cycle_of(plan);
            let is_second = spends.iter().any(|spend| now.since(spend.at) < cycle);
            if is_second { Err(Passed::BoughtOnce) } else { Ok(plan) }
        }
        Some(NotEnough::Enough) => {
            let same = |other: &&Plan| other.price.currency() == plan.price.currency();
            let enough = catalogue.plans.iter().filter(same).filter(|other| fits(other) && lifts(other));
            enough.min_by_key(|other| (other.price.ten_thousandths(), &other.id)).ok_or(Passed::NotEnough)
        }
    }
}

/// Whether the rule no longer fires once this plan is on the card.
fn lifts(rule: &Rule, reading: &Reading, (plan, stacking): (&Plan, Stacking), now: UnixTime) -> bool {
    let mut after = reading.clone();
    carried::buy(&mut after, plan, stacking, now);
    let checks: Vec<Check> = trigger::checks(&rule.renew_when, &after, now).collect();
    trigger::firing(rule.renew_when.join, &checks).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::attempt::AttemptId;
    use crate::domain::data::DataSize;
    use crate::domain::forecast::Forecast;
    use crate::domain::ledger::Spend;
    use crate::domain::rule::{Condition, Mode};
    use crate::domain::testing::{NOW, card, plan, reading, rule, usd};
    use crate::domain::time::Secs;

    const MB: u64 = 1_000_000;

    /// What is bought in the place of 100 MB for a card with 50 MB left and a rule that wants 500 MB.
    fn bought(if_not_enough: Option<NotEnough>, days_ago: Option<i64>, on_sale: &[Plan]) -> Result<String, Passed> {
        let rule = Rule { if_not_enough, ..rule(Mode::Auto, &[Condition::DataBelow(DataSize(500 * MB))]) };
        let (card, reading, unseen) = (card(), reading(50_000_000), Forecast::unseen());
        let spend = |days| Spend { attempt: AttemptId(1), at: NOW.minus(Secs::days(days)), money: usd(1) };
        let spends: Vec<Spend> = days_ago.map(spend).into_iter().collect();
        let catalogue = Catalogue::of(NOW, on_sale.to_vec());
        let occasion = Occasion {
            card: &card,
            rule: &rule,
            reading: &reading,
            last_plan: None,
            data_use: &unseen,
            spends: &spends,
            now: NOW,
        };
        instead(&occasion, &on_sale[0], &catalogue, &|plan| plan.id != "long").map(|plan| plan.id.clone())
    }

    #[test]
    fn a_plan_that_cannot_lift_the_card_is_refused_bought_once_or_replaced_by_one_that_can() {
        let small = plan("small", 100 * MB, 7, usd(2));
        let sale = [
            small.clone(),
            plan("exact", 450 * MB, 7, usd(6)),
            plan("large", 900 * MB, 7, usd(5)),
            plan("long", 900 * MB, 90, usd(1)),
        ];
        let id = |text: &str| Ok(text.to_owned());
        assert_eq!(bought(None, Some(0), &sale), id("small"), "as ever, where nothing is said");
        assert_eq!(bought(Some(NotEnough::Refuse), None, &sale), Err(Passed::NotEnough));
        assert_eq!(bought(Some(NotEnough::Once), None, &sale), id("small"));
        assert_eq!(bought(Some(NotEnough::Once), Some(6), &sale), Err(Passed::BoughtOnce));
        assert_eq!(bought(Some(NotEnough::Once), Some(7), &sale), id("small"));
        assert_eq!(
            bought(Some(NotEnough::Enough), Some(0), &sale),
            id("large"),
            "the cheapest that is enough and fits"
        );
        assert_eq!(bought(Some(NotEnough::Enough), None, &sale[..1]), Err(Passed::NotEnough));
        for what in [NotEnough::Refuse, NotEnough::Once, NotEnough::Enough] {
            assert_eq!(bought(Some(what), Some(0), &sale[1..]), id("exact"), "at exactly the amount it is enough");
        }
    }
}
