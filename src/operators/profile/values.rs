//! What stands for a card and for a plan in templates.

use super::template::Values;
use crate::domain::card::Card;
use crate::domain::plan::Plan;

/// What stands for a card.
pub(super) fn values_of_card(card: &Card) -> Values {
    let mut values = Values::new();
    let mut put = |name: &str, value: Option<&str>| {
        values.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    };
    put("iccid", card.iccid.as_ref().map(|iccid| iccid.digits()));
    put("msisdn", card.msisdn.as_ref().map(|msisdn| msisdn.digits()));
    put("imei", card.imei.as_ref().map(|imei| imei.digits()));
    put("eid", card.eid.as_ref().map(|eid| eid.digits()));
    values.extend(card.fields.iter().map(|(name, value)| (format!("field.{name}"), value.clone())));
    values
}

/// What stands for a plan.
pub(super) fn add_plan(values: &mut Values, plan: &Plan) {
    let mut put = |name: &str, value: Option<String>| values.extend(value.map(|value| (name.to_owned(), value)));
    put("plan.id", Some(plan.id.clone()));
    put("plan.name", Some(plan.name.clone()));
    put("plan.price", Some(plan.price.number()));
    put("plan.currency", Some(plan.price.currency().code().to_owned()));
    put("plan.credit", plan.contents.credit.map(|credit| credit.number()));
    put("plan.data", plan.contents.data_bytes.map(|bytes| bytes.to_string()));
    put("plan.validity", plan.validity_secs.map(|secs| secs.to_string()));
}
