//! What the operator of one number sells. A plan's id holds all that an order needs: the operator, the country, whether
//! the amount is what is sent or what arrives (`sender`, `local`), the amount and its currency: `535:GB:local:10:GBP`.

use serde_json::Value;

use super::wire::{CountryDoc, OperatorDoc};
use crate::domain::card::tamed;
use crate::domain::money::{Currency, Money};
use crate::domain::operator::{OperatorError, RefusalKind};
use crate::domain::plan::{Contents, Plan};
use crate::operators::kit::{
    AMOUNTS_MAX, Loose, json_number, never, paid_for, received_for, row_of, share_of, sound_plans, unknown, whole_units,
};

/// Where a number belongs, and what it is paid in.
pub(super) struct Place<'a> {
    /// The country of the number, two letters.
    pub(super) country: &'a str,
    /// The currency of the wallet.
    pub(super) currency: Currency,
}

/// A plan's id, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PlanId<'a> {
    pub(super) operator: u64,
    pub(super) country: &'a str,
    /// Whether the amount is what arrives.
    pub(super) local: bool,
    pub(super) amount: Money,
}

impl<'a> PlanId<'a> {
    /// Takes an id of ours apart.
    pub(super) fn of(id: &'a str) -> Option<Self> {
        let parts: Vec<&str> = id.split(':').collect();
        let [operator, country, which, amount, currency] = parts.as_slice() else { return None };
        let local = match *which {
            "local" => true,
            "sender" => false,
            _ => return None,
        };
        let amount = Money::from_decimal(amount, Currency::parse(currency).ok()?).ok()?;
        let sound = amount.ten_thousandths() > 0 && country.len() == 2;
        sound.then_some(Self { operator: operator.parse().ok()?, country, local, amount })
    }
}

/// The country of a number: the only one with the longest calling code that it begins with.
pub(super) fn country_of(number: &str, countries: &[CountryDoc]) -> Option<String> {
    let code_length = |country: &CountryDoc| {
        let codes =
            country.calling_codes.iter().flatten().map(|code| code.trim_start_matches('+').replace(['-', ' '], ""));
        codes.filter(|code| !code.is_empty() && number.starts_with(code.as_str())).map(|code| code.len()).max()
    };
    let longest = countries.iter().filter_map(code_length).max()?;
    let mut those = countries.iter().filter(|country| code_length(country) == Some(longest));
    let only = those.next().filter(|_| those.next().is_none())?;
    only.iso_name.clone()
}

/// The operator's number, under either of its names.
pub(super) fn operator_id(doc: &OperatorDoc) -> Result<String, String> {
    let id = doc.operator_id.as_ref().or(doc.id.as_ref()).ok_or_else(|| "the operator has no number".to_owned())?;
    id.whole()
        .and_then(|id| u64::try_from(id).map_err(|_| "the operator has no number".into()))
        .map(|id| id.to_string())
}

/// The plans of an operator, in whole units or as it lists them.
///
/// # Errors
/// It sells vouchers only, or not one of its offers makes sense.
pub(super) fn plans_of(doc: &OperatorDoc, place: &Place<'_>) -> Result<Vec<Plan>, OperatorError> {
    if is(doc.pin) {
        let why = "Reloadly sells only vouchers for this number's operator, which a person has to enter";
        return Err(never(RefusalKind::PlanGone, why));
    }
    let shop = Shop::of(doc, place).map_err(unknown)?;
    let amounts = shop.amounts().map_err(unknown)?;
    sound_plans(super::NAME, amounts.into_iter().map(|amount| shop.plan(amount).map(|plan| vec![plan])))
}

fn is(flag: Option<crate::operators::kit::Flag>) -> bool {
    flag.is_some_and(|flag| flag.0)
}

/// One operator's offers, with their currencies read.
struct Shop<'a> {
    doc: &'a OperatorDoc,
    id: String,
    country: &'a str,
    sender: Currency,
    recipient: Currency,
    local: bool,
}

impl<'a> Shop<'a> {
    fn of(doc: &'a OperatorDoc, place: &Place<'a>) -> Result<Self, String> {
        let (sender, recipient) =
            (Currency::parse(&doc.sender_currency_code)?, Currency::parse(&doc.destination_currency_code)?);
        if sender != place.currency {
            return Err(format!("it is sold in {sender}, and the wallet holds {}", place.currency));
        }
        let local = is(doc.supports_local_amounts);
        Ok(Self { doc, id: operator_id(doc)?, country: place.country, sender, recipient, local })
    }

    /// The amounts that may be asked for: what arrives, where the operator takes that, and else what is sent.
    fn amounts(&self) -> Result<Vec<Money>, String> {
        let doc = self.doc;
        let (fixed, least, most, currency) = if self.local {
            (&doc.local_fixed_amounts, &doc.local_min_amount, &doc.local_max_amount, self.recipient)
        } else {
            (&doc.fixed_amounts, &doc.min_amount, &doc.max_amount, self.sender)
        };
        let money = |amount: &Loose| amount.money(currency);
        match doc.denomination_type.as_str() {
            "FIXED" => fixed.iter().flatten().map(money).collect(),
            "RANGE" => {
                let bounds = least.as_ref().zip(most.as_ref()).ok_or_else(|| "the range has no ends".to_owned())?;
                let (least, most) = (money(bounds.0)?, money(bounds.1)?);
                let mut amounts = whole_units(least, most, AMOUNTS_MAX);
                // Suggested amounts are told in what is sent.
                for suggested in doc.suggested_amounts.iter().flatten().filter(|_| !self.local) {
                    let amount = money(suggested)?;
                    let within = (least.ten_thousandths()..=most.ten_thousandths()).contains(&amount.ten_thousandths());
                    if within && !amounts.contains(&amount) {
                        amounts.push(amount);
                    }
                }
                Ok(amounts)
            }
            other => Err(format!("`{}` is not a way to choose an amount", tamed(other, 40))),
        }
    }

    fn plan(&self, amount: Money) -> Result<Plan, String> {
        if amount.ten_thousandths() <= 0 {
            return Err("an amount is not above nothing".into());
        }
        let sent = if self.local { self.sent_for(amount)? } else { amount };
        let is_bundle = is(self.doc.data) || is(self.doc.bundle);
        let received = if self.local { Some(amount) } else { self.received_for(amount)? };
        let which = if self.local { "local" } else { "sender" };
        let number = json_number(amount).to_string();
        let described = self.described(&number).filter(|_| is_bundle);
        Ok(Plan {
            id: format!("{}:{}:{which}:{number}:{}", self.id, self.country, amount.currency()),
            name: tamed(&described.unwrap_or_else(|| format!("{} {amount}", self.doc.name)), 120),
            contents: Contents { credit: received.filter(|_| !is_bundle), ..Contents::default() },
            validity_secs: None,
            price: self.charge(sent)?,
        })
    }

    /// What is sent so that `amount` arrives, at the rate of the moment.
    fn sent_for(&self, amount: Money) -> Result<Money, String> {
        if self.sender == self.recipient {
            return Ok(amount);
        }
        let rate = self.rate().ok_or_else(|| "the rate is not told".to_owned())?;
        paid_for(amount, rate, self.sender)
    }

    /// What arrives for `amount`, as far as it is told: it follows the rate of the moment.
    fn received_for(&self, amount: Money) -> Result<Option<Money>, String> {
        if self.sender == self.recipient {
            return Ok(Some(amount));
        }
        let map = self.doc.suggested_amounts_map.as_ref().and_then(Value::as_object);
        let is_it = |key: &str| Loose(key.to_owned()).money(self.sender) == Ok(amount);
        if let Some((_, told)) = map.into_iter().flatten().find(|(key, _)| is_it(key)) {
            return row_of::<Loose>(told)?.money(self.recipient).map(Some);
        }
        self.rate().map(|rate| received_for(amount, rate, self.recipient)).transpose()
    }

    fn rate(&self) -> Option<&Loose> {
        self.doc.fx.as_ref()?.rate.as_ref()
    }

    /// What is taken from the wallet: the amount less the discount that is sure, and the highest fee. Which of the three
    /// discounts counts is not told, so the lowest is taken, and none if one is missing: what is shown is never below
    /// the charge.
    fn charge(&self, sent: Money) -> Result<Money, String> {
        let doc = self.doc;
        let mut sure = i64::MAX;
        for discount in [&doc.commission, &doc.international_discount, &doc.local_discount] {
            let share =
                discount.as_ref().map_or(Ok(0), |part| share_of(sent, part, false).map(Money::ten_thousandths))?;
            sure = sure.min(share);
        }
        let rest = sent.ten_thousandths() - sure;
        Money::new(rest, self.sender).plus(self.fee(sent)?).map_err(|error| error.to_string())
    }

    fn fee(&self, sent: Money) -> Result<Money, String> {
        let Some(fees) = &self.doc.fees else { return Ok(Money::zero(self.sender)) };
        let mut highest = 0;
        for (flat, percent) in
            [(&fees.international, &fees.international_percentage), (&fees.local, &fees.local_percentage)]
        {
            let flat = flat.as_ref().map_or(Ok(Money::zero(self.sender)), |flat| flat.money_up(self.sender))?;
            let share = percent.as_ref().map_or(Ok(Money::zero(self.sender)), |part| share_of(sent, part, true))?;
            highest = highest.max(flat.plus(share).map_err(|error| error.to_string())?.ten_thousandths());
        }
        Ok(Money::new(highest, self.sender))
    }

    /// What the operator says that one gets for a fixed amount.
    fn described(&self, number: &str) -> Option<String> {
        let texts =
            if self.local { &self.doc.local_fixed_amounts_descriptions } else { &self.doc.fixed_amounts_descriptions };
        let amount = Loose(number.to_owned()).decimal()?;
        let texts = texts.as_ref().and_then(Value::as_object)?;
        let text = texts.iter().find(|(key, _)| Loose((*key).clone()).decimal() == Some(amount))?.1.as_str()?;
        Some(format!("{} {text}", self.doc.name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const USD: Currency = Currency::USD;

    fn operator(changes: &Value) -> OperatorDoc {
        let mut doc: Value = serde_json::from_str(include_str!("../../../tests/data/reloadly/operator.json")).unwrap();
        for (name, value) in changes.as_object().unwrap() {
            doc[name] = value.clone();
        }
        serde_json::from_value(doc).unwrap()
    }

    fn plans(changes: &Value) -> Result<Vec<Plan>, OperatorError> {
        plans_of(&operator(changes), &Place { country: "HT", currency: USD })
    }

    fn told(plan: &Plan) -> (String, String, String) {
        let credit = plan.contents.credit.map_or_else(|| "-".into(), |credit| credit.to_string());
        (plan.id.clone(), plan.price.to_string(), credit)
    }

    fn line(id: &str, price: &str, credit: &str) -> (String, String, String) {
        (id.into(), price.into(), credit.into())
    }

    #[test]
    fn a_range_that_is_sent_tells_what_arrives() {
        let plans = plans(&json!({})).unwrap();
        assert_eq!(plans.len(), 104);
        assert_eq!(told(&plans[0]), line("174:HT:sender:1:USD", "1.00 USD", "67.10 HTG"));
        assert_eq!(told(&plans[1]), line("174:HT:sender:2:USD", "2.00 USD", "134.24 HTG"));
        assert_eq!(plans[0].name, "Natcom Haiti 1.00 USD");
    }

    #[test]
    fn a_range_that_arrives_costs_what_the_rate_says() {
        let change = json!({ "supportsLocalAmounts": true, "localMinAmount": 99.5, "localMaxAmount": "101" });
        let plans = plans(&change).unwrap();
        assert_eq!(told(&plans[0]), line("174:HT:local:100:HTG", "1.49 USD", "100.00 HTG"));
        assert_eq!(plans.len(), 2);
    }

    #[test]
    fn fixed_amounts_are_offered_as_they_are() {
        let fixed = json!({ "denominationType": "FIXED", "fixedAmounts": [5, "7.50"], "data": true,
            "fixedAmountsDescriptions": { "7.5": "1 GB for 30 days" } });
        let plans = plans(&fixed).unwrap();
        assert_eq!(told(&plans[1]), line("174:HT:sender:7.5:USD", "7.50 USD", "-"));
        assert_eq!(plans[1].name, "Natcom Haiti 1 GB for 30 days");
        assert_eq!(plans[0].name, "Natcom Haiti 5.00 USD");
    }

    #[test]
    fn only_a_sure_discount_lowers_the_price_and_fees_raise_it() {
        let first = |changes: Value| plans(&changes).unwrap()[9].price.to_string();
        assert_eq!(first(json!({ "localDiscount": 13 })), "8.70 USD");
        assert_eq!(first(json!({ "localDiscount": null })), "10.00 USD");
        let fees = json!({ "international": 0.5, "internationalPercentage": 1, "local": 0, "localPercentage": 2 });
        assert_eq!(first(json!({ "fees": fees })), "10.60 USD");
    }

    #[test]
    fn what_a_person_would_have_to_do_or_what_makes_no_sense_is_not_offered() {
        assert!(matches!(plans(&json!({ "pin": true })), Err(OperatorError::Never { .. })));
        for odd in [
            json!({ "senderCurrencyCode": "EUR" }),
            json!({ "denominationType": "OTHER" }),
            json!({ "minAmount": null }),
            json!({ "supportsLocalAmounts": true }),
            json!({ "operatorId": "x" }),
        ] {
            assert!(matches!(plans(&odd), Err(OperatorError::Unknown { .. })), "{odd}");
        }
        assert_eq!(plans(&json!({ "denominationType": "FIXED" })).unwrap(), []);
    }

    #[test]
    fn ids_are_taken_apart() {
        let id = PlanId::of("535:GB:local:10:GBP").unwrap();
        let ten = Money::parse("10 GBP").unwrap();
        assert_eq!(id, PlanId { operator: 535, country: "GB", local: true, amount: ten });
        for odd in ["", "535", "535:GB:other:10:GBP", "535:GB:local:0:GBP", "535:GB:local:10:XX", "x:GB:local:1:GBP"] {
            assert_eq!(PlanId::of(odd), None, "{odd}");
        }
    }

    #[test]
    fn the_longest_calling_code_tells_the_country_if_one_has_it() {
        let rows = json!([
            { "isoName": "US", "callingCodes": ["+1"] }, { "isoName": "CA", "callingCodes": ["+1"] },
            { "isoName": "DO", "callingCodes": ["+1809", "+1-829"] }, { "isoName": "GB", "callingCodes": ["+44"] },
            {}, { "isoName": "AQ", "callingCodes": null }, { "callingCodes": ["+999"] },
        ]);
        let countries: Vec<CountryDoc> = serde_json::from_value(rows).unwrap();
        for (number, country) in [
            ("447951631337", Some("GB")),
            ("18295550100", Some("DO")),
            ("16135550123", None),
            ("509123", None),
            ("999123", None),
        ] {
            assert_eq!(country_of(number, &countries).as_deref(), country, "{number}");
        }
    }
}
