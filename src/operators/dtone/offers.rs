//! What is on sale for one number or one eSIM. A plan's id names the service, so that an order is never made with the
//! wrong number: `mobile:1234`, `mobile:1234:10:GBP` for an amount within a range, `esim:5678`.

use serde_json::Value;

use super::wire::{BenefitDoc, Fields, ProductDoc, Span};
use crate::domain::card::tamed;
use crate::domain::money::{Currency, Money};
use crate::domain::operator::OperatorError;
use crate::domain::plan::{Contents, Plan};
use crate::domain::time::Secs;
use crate::operators::kit::{AMOUNTS_MAX, Loose, json_number, paid_for, row_of, sound_plans, whole_units};

/// The units of data. Whether a megabyte is of 1000² or 1024² bytes is not told: the smaller one is counted.
pub(super) const BYTES: &[(&str, i64)] =
    &[("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000), ("B", 1)];
/// The units of time of calls.
pub(super) const SECS: &[(&str, i64)] = &[
    ("HOUR", 3_600),
    ("HOURS", 3_600),
    ("MINUTE", 60),
    ("MINUTES", 60),
    ("MIN", 60),
    ("SECOND", 1),
    ("SECONDS", 1),
    ("SEC", 1),
];

/// How many of the smallest unit one `unit` has, if it is known.
pub(super) fn unit_factor(units: &[(&str, i64)], unit: &str) -> Option<i64> {
    units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).map(|(_, factor)| *factor)
}

/// What a card is to DT One.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    /// A phone number.
    Mobile,
    /// An eSIM, by its ICCID.
    Esim,
}

impl Service {
    /// DT One's number of it.
    pub(super) const fn id(self) -> &'static str {
        match self {
            Self::Mobile => "1",
            Self::Esim => "13",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Mobile => "mobile",
            Self::Esim => "esim",
        }
    }
}

/// A plan's id, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PlanId {
    pub(super) service: Service,
    pub(super) product: u64,
    /// What is to arrive, where the product takes any amount of a range.
    pub(super) amount: Option<Money>,
}

impl PlanId {
    /// Takes an id of ours apart.
    pub(super) fn of(id: &str) -> Option<Self> {
        let parts: Vec<&str> = id.split(':').collect();
        let (service, product, amount) = match parts.as_slice() {
            ["mobile", product] => (Service::Mobile, product, None),
            ["esim", product] => (Service::Esim, product, None),
            ["mobile", product, amount, currency] => {
                let amount = Money::from_decimal(amount, Currency::parse(currency).ok()?).ok()?;
                (Service::Mobile, product, Some(amount).filter(|amount| amount.ten_thousandths() > 0)?.into())
            }
            _ => return None,
        };
        Some(Self { service, product: product.parse().ok()?, amount })
    }
}

/// The plans of these products.
///
/// # Errors
/// Not one of them makes sense.
pub(super) fn plans_of(rows: &[Value], service: Service, currencies: &[Currency]) -> Result<Vec<Plan>, OperatorError> {
    let plans = rows.iter().map(|row| {
        let product: ProductDoc = row_of(row)?;
        let Some(is_ranged) = suits(&product, service) else { return Ok(Vec::new()) };
        let shop = Shop::of(&product, service, currencies)?;
        if is_ranged { shop.ranged() } else { shop.fixed().map(|plan| vec![plan]) }
    });
    sound_plans(super::NAME, plans)
}

/// Whether a product can be ordered for a card with nothing but its number, and whether it takes any amount.
///
/// Vouchers for numbers are left out, since a person would have to enter them; for eSIMs the type has the same name, and
/// the package goes to the ICCID.
fn suits(product: &ProductDoc, service: Service) -> Option<bool> {
    let wants = match service {
        Service::Mobile => "mobile_number",
        Service::Esim => "account_number",
    };
    let takes = |fields: &Fields| fields.iter().flatten().any(|all| all.len() == 1 && all[0] == wants);
    let wants_none = |fields: &Fields| fields.iter().flatten().next().is_none();
    let party = &product.required_credit_party_identifier_fields;
    // A product for eSIMs does not require the ICCID: without it, it is a new eSIM.
    let by_number = takes(party) || service == Service::Esim && wants_none(party);
    let wants_more = [
        &product.required_debit_party_identifier_fields,
        &product.required_sender_fields,
        &product.required_beneficiary_fields,
        &product.required_statement_identifier_fields,
        &product.required_additional_identifier_fields,
    ];
    if product.service.id.as_str() != service.id() || !by_number || !wants_more.into_iter().all(wants_none) {
        return None;
    }
    match (service, product.kind.as_str()) {
        (Service::Mobile, "FIXED_VALUE_RECHARGE") | (Service::Esim, "FIXED_VALUE_PIN_PURCHASE") => Some(false),
        (Service::Mobile, "RANGED_VALUE_RECHARGE") => {
            let modes = product.accepted_calculation_modes.iter().flatten();
            modes.into_iter().any(|mode| mode == "DESTINATION_AMOUNT").then_some(true)
        }
        _ => None,
    }
}

/// One product, with the currency that it is paid in.
struct Shop<'a> {
    product: &'a ProductDoc,
    id: u64,
    service: Service,
    currency: Currency,
    fee: Money,
}

impl<'a> Shop<'a> {
    fn of(product: &'a ProductDoc, service: Service, currencies: &[Currency]) -> Result<Self, String> {
        let paid = &product.prices.wholesale;
        let currency = Currency::parse(paid.unit.as_deref().unwrap_or_default())?;
        if !currencies.contains(&currency) {
            return Err(format!("it is sold in {currency}, of which the account holds nothing"));
        }
        let fee = paid.fee.as_ref().ok_or_else(|| "a product tells no fee".to_owned())?.money_up(currency)?;
        let id = u64::try_from(product.id.whole()?).map_err(|_| "a product has no number".to_owned())?;
        if fee.ten_thousandths() < 0 {
            return Err(format!("the fee of product {id} is below nothing"));
        }
        Ok(Self { product, id, service, currency, fee })
    }

    fn fixed(&self) -> Result<Plan, String> {
        let Span::One(paid) = &self.product.prices.wholesale.amount else {
            return Err(format!("product {} has no price", self.id));
        };
        let (id, name) = (format!("{}:{}", self.service.word(), self.id), tamed(&self.product.name, 120));
        self.plan(id, name, contents_of(self.product.benefits.iter().flatten())?, paid.money_up(self.currency)?)
    }

    /// One plan for each whole unit that arrives.
    fn ranged(&self) -> Result<Vec<Plan>, String> {
        let Some(destination) = &self.product.destination else { return Err("what arrives is not told".into()) };
        let Span::Range { min, max, increment } = &destination.amount else {
            return Err(format!("product {} has no range", self.id));
        };
        let unit = Currency::parse(&destination.unit)?;
        let (least, most) = (min.money(unit)?, max.money(unit)?);
        let step = increment.as_ref().map(|step| step.money(unit)).transpose()?.map_or(1, Money::ten_thousandths);
        let rate = self.product.rates.as_ref().and_then(|rates| rates.wholesale.as_ref());
        let rate = rate.ok_or_else(|| format!("product {} tells no rate", self.id))?;
        let amounts = whole_units(least, most, AMOUNTS_MAX).into_iter();
        let fits = |amount: &Money| (amount.ten_thousandths() - least.ten_thousandths()) % step.max(1) == 0;
        amounts.filter(fits).map(|amount| self.of_amount(amount, rate)).collect()
    }

    fn of_amount(&self, amount: Money, rate: &Loose) -> Result<Plan, String> {
        let id = format!("{}:{}:{}:{}", self.service.word(), self.id, json_number(amount), amount.currency());
        let contents = Contents { credit: Some(amount), ..Contents::default() };
        let name = tamed(&format!("{} {amount}", self.product.name), 120);
        self.plan(id, name, contents, paid_for(amount, rate, self.currency)?)
    }

    fn plan(&self, id: String, name: String, contents: Contents, paid: Money) -> Result<Plan, String> {
        if paid.ten_thousandths() <= 0 {
            return Err(format!("product {} costs nothing", self.id));
        }
        let price = paid.plus(self.fee).map_err(|error| error.to_string())?;
        Ok(Plan { id, name, contents, validity_secs: self.validity_secs()?, price })
    }

    fn validity_secs(&self) -> Result<Option<i64>, String> {
        let Some(validity) = &self.product.validity else { return Ok(None) };
        let Some(quantity) = &validity.quantity else { return Ok(None) };
        let unit = match validity.unit.as_str() {
            "HOUR" => Secs::HOUR,
            "DAY" => Secs::DAY,
            "WEEK" => Secs::days(7),
            "MONTH" => Secs::days(30),
            other => return Err(format!("`{}` is not a unit of time", tamed(other, 40))),
        };
        // -1 is for ever.
        Ok(Some(quantity.whole()?).filter(|count| *count > 0).and_then(|count| count.checked_mul(unit.0)))
    }
}

/// What a product puts on the card, without what a promotion adds.
fn contents_of<'a>(benefits: impl Iterator<Item = &'a BenefitDoc>) -> Result<Contents, String> {
    let mut contents = Contents::default();
    for benefit in benefits {
        let Span::One(base) = &benefit.amount.base else { continue };
        let unlimited = base.decimal() == Some((-1).into());
        match (benefit.kind.as_str(), benefit.unit_type.as_deref()) {
            ("DATA", _) if unlimited => contents.unlimited_data = true,
            ("DATA", _) => {
                let factor = unit_factor(BYTES, &benefit.unit);
                contents.data_bytes = factor.map(|factor| base.counted(factor)).transpose()?;
            }
            ("TALKTIME", Some("TIME")) if !unlimited => {
                let factor = unit_factor(SECS, &benefit.unit);
                contents.voice_secs = factor.map(|factor| base.counted(factor)).transpose()?;
            }
            ("SMS", _) if !unlimited => contents.sms = Some(base.counted(1)?),
            ("CREDITS" | "TALKTIME", Some("CURRENCY")) if !unlimited => {
                contents.credit = Currency::parse(&benefit.unit).ok().and_then(|unit| base.money(unit).ok());
            }
            _ => {}
        }
    }
    Ok(contents)
}
