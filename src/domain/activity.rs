//! The cheapest thing on sale that keeps a number: what counts as activity, its owner says, since no operator's catalogue
//! tells it.

use serde::Serialize;

use super::plan::{Catalogue, Contents, Plan};

/// What may count as activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// Credit that is put on the card.
    Credit,
    /// A plan of data, calls or texts.
    Plan,
}

impl Activity {
    const fn is_in(self, contents: &Contents) -> bool {
        match self {
            Self::Credit => contents.credit.is_some(),
            Self::Plan => {
                let has_data = contents.unlimited_data || contents.data_bytes.is_some();
                has_data || contents.voice_secs.is_some() || contents.sms.is_some()
            }
        }
    }
}

/// The cheapest of what counts and `fits`, in the currency of the first that counts. What costs nothing is no activity
/// that could be relied on. Of equally cheap ones that is taken which lasts longest.
pub(super) fn cheapest<'a>(
    catalogue: &'a Catalogue,
    counts: &[Activity],
    fits: &impl Fn(&Plan) -> bool,
) -> Option<&'a Plan> {
    let is_activity =
        |plan: &&Plan| plan.price.ten_thousandths() > 0 && counts.iter().any(|activity| activity.is_in(&plan.contents));
    let mut counting = catalogue.plans.iter().filter(is_activity).peekable();
    let currency = counting.peek()?.price.currency();
    counting.filter(|plan| plan.price.currency() == currency && fits(plan)).min_by_key(|plan| {
        let lasts = plan.validity_secs.unwrap_or(i64::MAX);
        (plan.price.ten_thousandths(), std::cmp::Reverse(lasts), &plan.id)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::{Currency, Money};
    use crate::domain::testing::{NOW, plan, usd};

    const GB: u64 = 1_000_000_000;

    fn credit(id: &str, amount: Money, price: Money) -> Plan {
        let contents = Contents { credit: Some(amount), ..Contents::default() };
        Plan { contents, validity_secs: None, ..plan(id, 0, 0, price) }
    }

    #[test]
    fn the_cheapest_that_counts_is_taken_whatever_it_holds() {
        let texts = Plan { contents: Contents { sms: Some(10), ..Contents::default() }, ..plan("texts", 0, 7, usd(2)) };
        let euro = credit("euro", Money::new(1, Currency::EUR), Money::new(1, Currency::EUR));
        let sold = Catalogue::of(
            NOW,
            vec![
                plan("free", GB, 7, usd(0)),
                credit("20", usd(20), usd(20)),
                credit("5", usd(5), usd(5)),
                euro,
                plan("gb", GB, 7, usd(3)),
                plan("longer", GB, 8, usd(3)),
                texts,
            ],
        );
        let id = |counts: &[Activity], fits: &dyn Fn(&Plan) -> bool| {
            cheapest(&sold, counts, &fits).map(|plan| plan.id.clone()).unwrap_or_default()
        };
        assert_eq!(id(&[Activity::Credit], &|_| true), "5");
        assert_eq!(id(&[Activity::Plan], &|_| true), "texts");
        assert_eq!(id(&[Activity::Credit, Activity::Plan], &|_| true), "texts");
        assert_eq!(id(&[Activity::Plan], &|plan| plan.id != "texts"), "longer", "it lasts longer for the same");
        assert_eq!(id(&[Activity::Credit], &|plan| plan.id == "euro"), "", "prices of two currencies are not compared");
        assert_eq!(id(&[], &|_| true), "");
    }
}
