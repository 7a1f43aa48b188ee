//! What one adapter brings to the suite.
use simkeeper::domain::card::{Card, CardId, Name};
use simkeeper::domain::identity::{Iccid, Msisdn};
use simkeeper::domain::money::{Currency, Money};
use simkeeper::domain::operator::{Doubt, Order, OrderKey, RefusalKind, SentOrder, Wallet};
use simkeeper::domain::plan::{Catalogue, Contents, Plan};
use simkeeper::domain::reading::Reading;
use simkeeper::domain::time::UnixTime;
use simkeeper::operators::Operator;
use simkeeper::operators::http::HttpSetupError;
pub(crate) use simkeeper::operators::http::Way;
use std::sync::Arc;

pub(crate) use super::replies::Replies;

/// When everything happens, unless a contract says otherwise: 2026-11-22T12:00:00Z.
pub(crate) const NOW: UnixTime = UnixTime::clamped(1_795_348_800);

/// An adapter, the answers of its operator, and what they come to.
pub(crate) struct Contract {
    /// The word in `kind = "…"`.
    pub(crate) kind: &'static str,
    /// The adapter on a way.
    pub(crate) open: fn(&Way) -> Result<Arc<dyn Operator>, HttpSetupError>,
    /// When it is.
    pub(crate) now: UnixTime,
    /// The card that the answers are about.
    pub(crate) card: Card,
    /// The plan that is bought, as the catalogue has it.
    pub(crate) plan: Plan,
    /// How it is paid.
    pub(crate) payment: &'static str,
    /// The answers when all is well, for every call that the adapter makes.
    pub(crate) world: Replies,
    /// What the reading of the card is.
    pub(crate) reading: fn(&Reading),
    /// What is on sale.
    pub(crate) catalogue: fn(&Catalogue),
    /// What the wallet holds; none where the operator tells of no wallet and the adapter asks nothing.
    pub(crate) wallet: Option<fn(&Wallet)>,
    /// Calls without which a reading, a catalogue or a wallet is still right, such as a label beside it.
    pub(crate) dispensable: &'static [&'static str],
    /// The call that gives a token, where there is one.
    pub(crate) token_call: Option<&'static str>,
    /// The call that spends money.
    pub(crate) buy_call: &'static str,
    /// The operator's id of the order when all is well; none where its answer has no id.
    pub(crate) order_id: Option<&'static str>,
    /// Orders and what they come to.
    pub(crate) buys: Vec<BuyCase>,
    /// Look-ups and what they find.
    pub(crate) finds: Vec<FindCase>,
}

/// One way that an order can end.
pub(crate) struct BuyCase {
    /// What is special about it.
    pub(crate) name: &'static str,
    /// The answers.
    pub(crate) world: Replies,
    /// What the order comes to.
    pub(crate) expected: Bought,
}

/// What an order came to, as far as a case says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bought {
    /// Taken, under this id.
    Accepted(Option<&'static str>),
    /// Being worked on, under this id.
    Pending(&'static str),
    /// Certainly not taken.
    Refused(RefusalKind),
    /// Certainly not sent.
    NotSent,
    /// Nobody knows.
    Unknown(Doubt),
}

/// One way that a look-up can end.
pub(crate) struct FindCase {
    /// What is special about it.
    pub(crate) name: &'static str,
    /// The operator's id, where it was told.
    pub(crate) order_id: Option<&'static str>,
    /// The answers.
    pub(crate) world: Replies,
    /// What is found.
    pub(crate) expected: Seen,
}

/// What a look-up found, as far as a case says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Taken, under this id.
    Accepted(&'static str),
    /// Being worked on, under this id.
    Pending(&'static str),
    /// Certainly refused.
    Refused(RefusalKind),
    /// Taken back.
    Reversed,
    /// A clean answer without it.
    Nothing,
    /// Nothing can be said.
    Error,
}

impl Contract {
    /// The order of the cases.
    pub(crate) fn order(&self) -> Order {
        Order { key: key(), plan: self.plan.clone(), payment: self.payment.to_owned(), code: None }
    }

    /// The order as a look-up knows it: sent at [`Contract::now`].
    pub(crate) fn sent(&self, order_id: Option<&str>) -> SentOrder {
        SentOrder {
            key: key(),
            order_id: order_id.map(str::to_owned),
            plan_id: self.plan.id.clone(),
            price: self.plan.price,
            before: None,
            first_sent_at: self.now,
        }
    }
}

/// The key of every order here: `0123456789abcdef0123456789abcdef`.
pub(crate) fn key() -> OrderKey {
    OrderKey::new(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef)
}

/// The key's text, for documents that hold it.
pub(crate) const KEY: &str = "0123456789abcdef0123456789abcdef";

/// A card with these numbers.
pub(crate) fn card(iccid: Option<&str>, msisdn: Option<&str>) -> Card {
    Card {
        iccid: iccid.map(|iccid| Iccid::parse(iccid).unwrap()),
        msisdn: msisdn.map(|msisdn| Msisdn::parse(msisdn).unwrap()),
        ..Card::new(CardId(1), Name::parse("canada").unwrap(), Name::parse("operator").unwrap())
    }
}

/// A plan of this id, price, data and days.
pub(crate) fn plan(id: &str, name: &str, price: &str, data_bytes: Option<u64>, days: Option<i64>) -> Plan {
    Plan {
        id: id.to_owned(),
        name: name.to_owned(),
        contents: Contents { data_bytes, ..Contents::default() },
        validity_secs: days.map(|days| days * 86_400),
        price: money(price),
    }
}

/// An amount such as `4.50 USD`.
pub(crate) fn money(text: &str) -> Money {
    let (number, code) = text.split_once(' ').unwrap();
    Money::from_decimal(number, Currency::parse(code).unwrap()).unwrap()
}

/// A recorded document.
pub(crate) fn data(path: &str) -> String {
    let path = format!("{}/tests/data/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A recorded JSON document with some of its values changed: (JSON pointer, new value as JSON).
pub(crate) fn changed(path: &str, changes: &[(&str, &str)]) -> String {
    let mut doc: serde_json::Value = serde_json::from_str(&data(path)).unwrap();
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let place = doc.pointer_mut(parent).unwrap_or_else(|| panic!("{path} has no {parent}"));
        let value = serde_json::from_str(value).unwrap();
        match key.parse::<usize>() {
            Ok(index) if place.is_array() => place[index] = value,
            _ => place[key] = value,
        }
    }
    doc.to_string()
}
