//! Orders: their bytes, what an answer to one proves, and how they are found again.

use serde::{Deserialize, Serialize};

use super::{ErrorWire, SandboxOperator, error_code, iccid, listed_error, money, refusal_kind};
use crate::domain::card::{Card, tamed};
use crate::domain::money::Money;
use crate::domain::operator::{
    BuyAnswer, Doubt, Found, Lookup, OperatorError, Order, PreparedOrder, Refusal, RefusalKind, SentOrder,
};
use crate::domain::time::Secs;
use crate::operators::Operator;
use crate::operators::http::{Call, HttpAnswer};

const PATH: &str = "/v1/orders";
const JSON: &str = "application/json";
/// Pages of a list that are looked through; more orders of one card within a look-up make no sense.
const PAGES_MAX: usize = 50;
/// A list is asked from this long before the order was sent, since clocks differ.
const LOOK_BACK: Secs = Secs::HOUR;

/// An order as the sandbox wants it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct OrderWire {
    reference: String,
    iccid: String,
    plan_id: String,
    amount: String,
    currency: String,
    payment: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    code: Option<String>,
}

/// An order as the sandbox tells of it.
#[derive(Debug, Deserialize)]
struct TakenWire {
    order_id: String,
    reference: String,
    iccid: String,
    plan_id: String,
    state: String,
    reason: Option<String>,
    amount: String,
    currency: String,
}

#[derive(Deserialize)]
struct PageWire {
    orders: Vec<TakenWire>,
    pages: usize,
}

/// The bytes of an order.
pub(super) fn prepared(iccid: &str, order: &Order) -> Result<PreparedOrder, OperatorError> {
    let wire = OrderWire {
        reference: order.key.as_str().to_owned(),
        iccid: iccid.to_owned(),
        plan_id: order.plan.id.clone(),
        amount: order.plan.price.number(),
        currency: order.plan.price.currency().code().to_owned(),
        payment: order.payment.clone(),
        code: order.code.clone(),
    };
    let body = serde_json::to_vec(&wire).map_err(|error| OperatorError::Unknown { why: error.to_string() })?;
    Ok(PreparedOrder { key: order.key.clone(), path: PATH.into(), content_type: JSON.into(), body })
}

impl SandboxOperator {
    pub(super) async fn place(&self, order: &PreparedOrder) -> BuyAnswer {
        let call = Call::post(&order.path, &order.content_type, &order.body).bearer(&self.key);
        match self.http.buy(call).await.answered() {
            Ok(answer) => judged(order, &answer),
            Err(failed) => failed,
        }
    }

    pub(super) async fn look_up(&self, card: &Card, order: &SentOrder) -> Result<Found, OperatorError> {
        match self.capabilities().lookup {
            Lookup::ByRef { .. } => self.by_reference(iccid(card)?, order).await,
            Lookup::ByList { .. } => self.by_list(iccid(card)?, order).await,
            // Never "nothing found": that would count as evidence.
            Lookup::None => Err(OperatorError::Never {
                kind: RefusalKind::Other,
                why: "this operator cannot be asked about orders".into(),
            }),
        }
    }

    async fn by_reference(&self, iccid: &str, order: &SentOrder) -> Result<Found, OperatorError> {
        let answer = self.fetch(&format!("{PATH}/{}", order.key.as_str()), &[("iccid", iccid)]).await?;
        if answer.status == 404 && error_code(&answer).is_some_and(|error| error.code == "order_unknown") {
            return Ok(Found::Nothing);
        }
        if let Some(error) = listed_error(&answer) {
            return Err(error);
        }
        let taken: TakenWire = answer.checked()?.json()?;
        if !is_ours(&taken, order) {
            return Err(OperatorError::Unknown { why: "the look-up answered with another order".into() });
        }
        found(taken)
    }

    async fn by_list(&self, iccid: &str, order: &SentOrder) -> Result<Found, OperatorError> {
        let from = order.first_sent_at.minus(LOOK_BACK).secs().to_string();
        for page in 1..=PAGES_MAX {
            let page_text = page.to_string();
            let query = [("iccid", iccid), ("from", from.as_str()), ("page", page_text.as_str())];
            let (told, _) = self.get::<PageWire>(PATH, &query).await?;
            if let Some(taken) = told.orders.into_iter().find(|taken| taken.iccid == iccid && is_ours(taken, order)) {
                return found(taken);
            }
            if page >= told.pages {
                return Ok(Found::Nothing);
            }
        }
        Err(OperatorError::Unknown { why: format!("the list of orders has more than {PAGES_MAX} pages") })
    }
}

/// The whole reference or the whole id, and the plan: a stranger's order may begin alike.
fn is_ours(taken: &TakenWire, order: &SentOrder) -> bool {
    let named = taken.reference == order.key.as_str() || order.order_id.as_deref() == Some(&taken.order_id);
    named && taken.plan_id == order.plan_id
}

fn found(taken: TakenWire) -> Result<Found, OperatorError> {
    let charged = money(&taken.amount, &taken.currency)?;
    let order_id = taken.order_id;
    match taken.state.as_str() {
        "completed" => Ok(Found::Accepted { order_id, charged: Some(charged) }),
        "pending" => Ok(Found::Pending { order_id }),
        "reversed" => Ok(Found::Reversed { order_id, why: tamed(taken.reason.as_deref().unwrap_or("no reason"), 200) }),
        // "failed" without a listed code is a word, not evidence.
        state => Err(OperatorError::Unknown {
            why: format!("the order is said to be `{}`, which proves nothing", tamed(state, 40)),
        }),
    }
}

/// What the answer to an order proves. Only a success for this very order is one, and only a listed code is a refusal.
fn judged(order: &PreparedOrder, answer: &HttpAnswer) -> BuyAnswer {
    let may_mean_something = answer.is_success() || (400..500).contains(&answer.status) && answer.status != 429;
    if !may_mean_something {
        return answer.in_doubt();
    }
    if let Some(error) = error_code(answer) {
        return refused(&error, answer);
    }
    match answer.document::<TakenWire>() {
        Ok(taken) if answer.is_success() => proven(order, taken),
        Ok(_) | Err(_) => answer.in_doubt(),
    }
}

fn refused(error: &ErrorWire, answer: &HttpAnswer) -> BuyAnswer {
    let text = tamed(&error.message, 200);
    if let Some(kind) = refusal_kind(&error.code) {
        return BuyAnswer::Refused(Refusal { kind, code: tamed(&error.code, 40), text });
    }
    let doubt = match error.code.as_str() {
        "in_progress" | "reference_used" | "reference_mismatch" => Doubt::AlreadyUsed,
        _ => Doubt::UnlistedCode,
    };
    let detail = format!("HTTP {}, {}: {text}", answer.status, tamed(&error.code, 40));
    BuyAnswer::Unknown { doubt, detail, retry_after: None }
}

fn proven(order: &PreparedOrder, taken: TakenWire) -> BuyAnswer {
    let doubt = |doubt, detail: &str| BuyAnswer::Unknown { doubt, detail: detail.to_owned(), retry_after: None };
    let Ok(ordered) = serde_json::from_slice::<OrderWire>(&order.body) else {
        return doubt(Doubt::Unproven, "the stored order could not be read again");
    };
    let same = taken.reference == ordered.reference && taken.iccid == ordered.iccid && taken.plan_id == ordered.plan_id;
    if !same {
        return doubt(Doubt::Unproven, "the answer is about another order");
    }
    let Some(charged) = agreed_charge(&ordered, &taken) else {
        return doubt(Doubt::Unproven, "another amount was charged than was agreed");
    };
    match taken.state.as_str() {
        "completed" => BuyAnswer::Accepted { order_id: Some(taken.order_id), charged: Some(charged) },
        "pending" => BuyAnswer::Pending { order_id: taken.order_id },
        state => doubt(Doubt::UnlistedCode, &format!("the order is said to be `{}`", tamed(state, 40))),
    }
}

/// What was charged, if it is the agreed price, or with a discount code no more than that.
fn agreed_charge(ordered: &OrderWire, taken: &TakenWire) -> Option<Money> {
    let charged = money(&taken.amount, &taken.currency).ok()?;
    let agreed = money(&ordered.amount, &ordered.currency).ok()?;
    let fits = charged == agreed || (ordered.code.is_some() && charged.exceeds(agreed) == Ok(false));
    fits.then_some(charged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::operator::OrderKey;
    use crate::domain::time::UnixTime;

    fn taken(reference: &str, amount: &str) -> TakenWire {
        TakenWire {
            order_id: "SBX-00000007".into(),
            reference: reference.into(),
            iccid: "8944501312167518236".into(),
            plan_id: "p".into(),
            state: "completed".into(),
            reason: None,
            amount: amount.into(),
            currency: "USD".into(),
        }
    }

    #[test]
    fn a_strangers_order_that_begins_alike_is_not_ours() {
        let key = OrderKey::new(7);
        let mut sent = SentOrder {
            key: key.clone(),
            order_id: None,
            plan_id: "p".into(),
            price: Money::zero(crate::domain::money::Currency::USD),
            before: None,
            first_sent_at: UnixTime::clamped(1_800_000_000),
        };
        assert!(is_ours(&taken(key.as_str(), "1.00"), &sent));
        for other in [&format!("{}0", key.as_str()), &key.as_str()[..31], ""] {
            assert!(!is_ours(&taken(other, "1.00"), &sent), "{other}");
        }
        sent.order_id = Some("SBX-0000000".into());
        assert!(!is_ours(&taken("", "1.00"), &sent));
        sent.order_id = Some("SBX-00000007".into());
        assert!(is_ours(&taken("", "1.00"), &sent));
        sent.plan_id = "q".into();
        assert!(!is_ours(&taken(key.as_str(), "1.00"), &sent));
    }

    #[test]
    fn the_charge_is_the_price_or_with_a_code_at_most_that() {
        let ordered = |code: Option<&str>| OrderWire {
            reference: "r".into(),
            iccid: "8944501312167518236".into(),
            plan_id: "p".into(),
            amount: "4.50".into(),
            currency: "USD".into(),
            payment: "wallet".into(),
            code: code.map(str::to_owned),
        };
        for (amount, without, with) in
            [("4.50", true, true), ("4.05", false, true), ("4.51", false, false), ("four", false, false)]
        {
            assert_eq!(agreed_charge(&ordered(None), &taken("r", amount)).is_some(), without, "{amount}");
            assert_eq!(agreed_charge(&ordered(Some("X")), &taken("r", amount)).is_some(), with, "{amount}");
        }
        let euros = TakenWire { currency: "EUR".into(), ..taken("r", "4.50") };
        assert_eq!(agreed_charge(&ordered(Some("X")), &euros), None);
    }
}
