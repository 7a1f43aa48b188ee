//! What the sandbox sells, to which kind of card, and the codes that make it cheaper.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::money::{Currency, Money, PER_UNIT};
use crate::domain::plan::{Contents, Plan};

/// What a card is made for; it decides which plans are sold for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardKind {
    /// A travel eSIM or a router's card: data only.
    Data,
    /// A phone's card with a number, credit, calls and texts.
    Phone,
    /// A travel eSIM that cannot be renewed.
    OneOff,
}

/// A plan and the cards it is sold for.
#[derive(Clone, Debug)]
pub(super) struct OnSale {
    pub(super) plan: Plan,
    pub(super) kinds: Vec<CardKind>,
}

/// The shelf: plans in their order, and discount codes.
#[derive(Clone, Debug)]
pub(super) struct Shelf {
    on_sale: Vec<OnSale>,
    codes: BTreeMap<String, u32>,
}

/// Why there is no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoPrice {
    PlanGone,
    BadCode,
}

impl Shelf {
    pub(super) fn stocked(currency: Currency) -> Self {
        let data_cards = vec![CardKind::Data, CardKind::OneOff];
        let phones = vec![CardKind::Phone];
        let both = vec![CardKind::Data, CardKind::OneOff, CardKind::Phone];
        let sold = |kinds: &[CardKind], plan| OnSale { plan, kinds: kinds.to_vec() };
        let on_sale = vec![
            sold(&both, data_plan("data-1gb-7d", "1 GB for 7 days", Some(1), 7, 45_000, currency)),
            sold(&data_cards, data_plan("data-3gb-30d", "3 GB for 30 days", Some(3), 30, 110_000, currency)),
            sold(&data_cards, data_plan("data-10gb-30d", "10 GB for 30 days", Some(10), 30, 260_000, currency)),
            sold(&data_cards, data_plan("data-unlimited-3d", "Unlimited for 3 days", None, 3, 90_000, currency)),
            sold(&phones, talk_plan(currency)),
            sold(&phones, credit_plan("credit-10", 10, currency)),
            sold(&phones, credit_plan("credit-20", 20, currency)),
        ];
        Self { on_sale, codes: BTreeMap::from([("WINTER10".to_owned(), 10)]) }
    }

    /// The plans for one kind of card.
    pub(super) fn for_kind(&self, kind: CardKind) -> impl Iterator<Item = &Plan> {
        self.on_sale.iter().filter(move |sale| sale.kinds.contains(&kind)).map(|sale| &sale.plan)
    }

    /// A plan of any kind of card.
    pub(super) fn plan(&self, id: &str) -> Option<&Plan> {
        self.on_sale.iter().map(|sale| &sale.plan).find(|plan| plan.id == id)
    }

    /// The plan at the price that a card of `kind` pays with this code.
    pub(super) fn offer(&self, id: &str, kind: CardKind, code: Option<&str>) -> Result<Plan, NoPrice> {
        let mut plan = self.for_kind(kind).find(|plan| plan.id == id).cloned().ok_or(NoPrice::PlanGone)?;
        if let Some(code) = code {
            let percent_off = *self.codes.get(code).ok_or(NoPrice::BadCode)?;
            // Cut to hundredths, as a shop would.
            let kept = i128::from(plan.price.ten_thousandths()) * i128::from(100 - percent_off.min(100)) / 100;
            let cents = i64::try_from(kept / 100 * 100).unwrap_or(i64::MAX);
            plan.price = Money::new(cents, plan.price.currency());
        }
        Ok(plan)
    }

    pub(super) fn set_price(&mut self, id: &str, price: Money) -> bool {
        let found = self.on_sale.iter_mut().find(|sale| sale.plan.id == id);
        found.map(|sale| sale.plan.price = price).is_some()
    }

    pub(super) fn remove(&mut self, id: &str) -> bool {
        let before = self.on_sale.len();
        self.on_sale.retain(|sale| sale.plan.id != id);
        self.on_sale.len() < before
    }

    pub(super) fn put(&mut self, plan: Plan, kinds: Vec<CardKind>) {
        self.remove(&plan.id);
        self.on_sale.push(OnSale { plan, kinds });
    }

    pub(super) fn set_code(&mut self, code: &str, percent_off: Option<u32>) {
        match percent_off {
            Some(percent) => self.codes.insert(code.to_owned(), percent),
            None => self.codes.remove(code),
        };
    }
}

fn data_plan(id: &str, name: &str, gigabytes: Option<u64>, days: i64, price: i64, currency: Currency) -> Plan {
    let contents = Contents {
        data_bytes: gigabytes.map(|count| count * 1_000_000_000),
        unlimited_data: gigabytes.is_none(),
        ..Contents::default()
    };
    plan(id, name, contents, days, Money::new(price, currency))
}

fn talk_plan(currency: Currency) -> Plan {
    let contents =
        Contents { data_bytes: Some(2_000_000_000), voice_secs: Some(6_000), sms: Some(100), ..Contents::default() };
    plan("talk-30d", "2 GB, 100 minutes, 100 texts for 30 days", contents, 30, Money::new(80_000, currency))
}

fn credit_plan(id: &str, units: i64, currency: Currency) -> Plan {
    let credit = Money::new(units * PER_UNIT, currency);
    let contents = Contents { credit: Some(credit), ..Contents::default() };
    plan(id, &format!("Credit of {credit}"), contents, 180, credit)
}

fn plan(id: &str, name: &str, contents: Contents, days: i64, price: Money) -> Plan {
    Plan { id: id.to_owned(), name: name.to_owned(), contents, validity_secs: Some(days * 86_400), price }
}
