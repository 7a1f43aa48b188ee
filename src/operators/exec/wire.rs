//! The documents that a program writes, and what they mean.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::domain::card::{Card, tamed};
use crate::domain::data::DataSize;
use crate::domain::identity::{Iccid, Msisdn};
use crate::domain::money::{Currency, Money};
use crate::domain::operator::{
    CardPage, Found, ListedCard, OperatorError, Preflight, Refusal, RefusalKind, SentOrder, Wallet,
};
use crate::domain::plan::{Contents, Plan};
use crate::domain::reading::{Allowance, AllowanceKind, AllowanceState, CardState, Reading, Renewable};
use crate::domain::time::{End, UnixTime};
use crate::operators::kit::{Loose, unknown};

/// What may be known of a card to whoever buys for it.
#[derive(Serialize)]
pub(super) struct CardNumbers<'a> {
    name: &'a str,
    iccid: Option<&'a str>,
    msisdn: Option<&'a str>,
    fields: &'a BTreeMap<String, String>,
}

/// The numbers of a card, for an order.
pub(super) fn numbers_of(card: &Card) -> CardNumbers<'_> {
    CardNumbers {
        name: card.name.as_str(),
        iccid: card.iccid.as_ref().map(Iccid::digits),
        msisdn: card.msisdn.as_ref().map(Msisdn::digits),
        fields: &card.fields,
    }
}

/// The answer to `read`: one item per card, in their order.
#[derive(Deserialize)]
pub(super) struct ReadingsDoc {
    readings: Vec<ReadingDoc>,
}

#[derive(Deserialize)]
struct ReadingDoc {
    error: Option<String>,
    state: Option<StateWord>,
    renewable: Option<bool>,
    as_of: Option<String>,
    #[serde(default)]
    allowances: Vec<AllowanceDoc>,
    plan_ends: Option<String>,
    credit_ends: Option<String>,
    number_ends: Option<String>,
    #[serde(default)]
    assets: Vec<String>,
    plan: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum StateWord {
    Unknown,
    NotInstalled,
    NotActive,
    Active,
    Finished,
    Expired,
    Blocked,
    Recycled,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AllowanceDoc {
    kind: KindWord,
    remaining: Option<Loose>,
    total: Option<Loose>,
    #[serde(default)]
    unlimited: bool,
    state: Option<AllowanceWord>,
    ends: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KindWord {
    Data,
    Voice,
    Sms,
    Credit,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum AllowanceWord {
    Queued,
    Active,
    Finished,
    Expired,
}

impl ReadingsDoc {
    pub(super) fn of_cards(self, cards: &[Card], now: UnixTime) -> Vec<Result<Reading, OperatorError>> {
        if self.readings.len() != cards.len() {
            let why = format!("the program told of {} cards; it was asked about {}", self.readings.len(), cards.len());
            return vec![Err(unknown(why)); cards.len()];
        }
        self.readings.into_iter().zip(cards).map(|(doc, card)| doc.reading(&card.zone, now).map_err(unknown)).collect()
    }
}

impl ReadingDoc {
    fn reading(self, zone: &TimeZone, now: UnixTime) -> Result<Reading, String> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let state = match self.state {
            Some(StateWord::NotInstalled) => CardState::NotInstalled,
            Some(StateWord::NotActive) => CardState::NotActive,
            Some(StateWord::Active) => CardState::Active,
            Some(StateWord::Finished) => CardState::Finished,
            Some(StateWord::Expired) => CardState::Expired,
            Some(StateWord::Blocked) => CardState::Blocked,
            Some(StateWord::Recycled) => CardState::Recycled,
            Some(StateWord::Unknown) | None => CardState::Unknown,
        };
        let end = |text: Option<String>| text.map(|text| end_of(&text, zone)).transpose();
        Ok(Reading {
            as_of: self.as_of.as_deref().map(UnixTime::parse).transpose()?.unwrap_or(now),
            renewable: match self.renewable {
                Some(true) => Renewable::Yes,
                Some(false) => Renewable::OneOff,
                None => Renewable::Unknown,
            },
            allowances: self.allowances.into_iter().map(|doc| doc.allowance(zone)).collect::<Result<_, _>>()?,
            plan_ends: end(self.plan_ends)?,
            credit_ends: end(self.credit_ends)?,
            number_ends: end(self.number_ends)?,
            assets: self.assets,
            plan: self.plan,
            ..Reading::empty(now, state)
        })
    }
}

/// An instant, or a day: then the end is the end of that day by the card's clock.
fn end_of(text: &str, zone: &TimeZone) -> Result<End, String> {
    match text.parse::<Date>() {
        Ok(day) if text.len() == 10 => Ok(End::on(day, zone)),
        Ok(_) | Err(_) => UnixTime::parse(text).map(End::at),
    }
}

impl AllowanceDoc {
    fn allowance(self, zone: &TimeZone) -> Result<Allowance, String> {
        let (kind, remaining) = match (&self.remaining, self.unlimited) {
            (Some(left), _) => self.kind.read(left)?,
            (None, true) => (self.kind.without_amount()?, 0),
            (None, false) => return Err("an allowance has `remaining`, or is `unlimited`".into()),
        };
        let total = self.total.as_ref().map(|total| self.kind.read(total)).transpose()?;
        if total.is_some_and(|(other, _)| other != kind) {
            return Err("an allowance is of one currency".into());
        }
        Ok(Allowance {
            kind,
            remaining,
            total: total.map(|(_, total)| total),
            unlimited: self.unlimited,
            state: match self.state {
                Some(AllowanceWord::Queued) => AllowanceState::Queued,
                Some(AllowanceWord::Finished) => AllowanceState::Finished,
                Some(AllowanceWord::Expired) => AllowanceState::Expired,
                Some(AllowanceWord::Active) | None => AllowanceState::Active,
            },
            starts: None,
            ends: self.ends.as_deref().map(|text| end_of(text, zone)).transpose()?,
        })
    }
}

impl KindWord {
    /// Data in bytes or with a unit, calls in seconds, texts as a count, credit with its currency.
    fn read(self, told: &Loose) -> Result<(AllowanceKind, i64), String> {
        match self {
            Self::Data => {
                let bytes = told.whole().or_else(|_| {
                    let size = DataSize::parse(told.as_str())?;
                    i64::try_from(size.bytes()).map_err(|_| format!("`{told}` is too large an amount"))
                })?;
                Ok((AllowanceKind::Data, bytes))
            }
            Self::Voice => Ok((AllowanceKind::Voice, told.whole()?)),
            Self::Sms => Ok((AllowanceKind::Sms, told.whole()?)),
            Self::Credit => {
                let money = amount(told.as_str())?;
                Ok((AllowanceKind::Credit(money.currency()), money.ten_thousandths()))
            }
        }
    }

    fn without_amount(self) -> Result<AllowanceKind, String> {
        match self {
            Self::Data => Ok(AllowanceKind::Data),
            Self::Voice => Ok(AllowanceKind::Voice),
            Self::Sms => Ok(AllowanceKind::Sms),
            Self::Credit => Err("credit has an end".into()),
        }
    }
}

/// An amount such as `-4.50 USD`, with up to four places.
pub(super) fn amount(text: &str) -> Result<Money, String> {
    let (number, code) = text.split_once(' ').ok_or_else(|| format!("`{text}` is not an amount such as 4.50 USD"))?;
    Money::from_decimal(number, Currency::parse(code)?)
}

/// The answer to `catalogue`.
#[derive(Deserialize)]
pub(super) struct CatalogueDoc {
    plans: Vec<PlanDoc>,
}

#[derive(Deserialize)]
struct PlanDoc {
    id: String,
    name: Option<String>,
    price: String,
    #[serde(default)]
    contents: Contents,
    validity_secs: Option<i64>,
}

impl PlanDoc {
    fn plan(self) -> Result<Plan, String> {
        let price = amount(&self.price)?;
        if price.ten_thousandths() < 0 || self.id.is_empty() {
            return Err(format!("`{}` is no plan: it has an id, and costs nothing or more", tamed(&self.id, 80)));
        }
        let name = tamed(self.name.as_deref().unwrap_or(&self.id), 120);
        let validity_secs = self.validity_secs.filter(|secs| *secs > 0);
        Ok(Plan { id: self.id, name, contents: self.contents, validity_secs, price })
    }
}

impl CatalogueDoc {
    pub(super) fn plans(self) -> Result<Vec<Plan>, String> {
        self.plans.into_iter().map(PlanDoc::plan).collect()
    }
}

/// The answer to `wallet`.
#[derive(Deserialize)]
pub(super) struct WalletDoc {
    balance: Option<String>,
    #[serde(default)]
    methods: Vec<String>,
}

impl WalletDoc {
    pub(super) fn wallet(self) -> Result<Wallet, String> {
        Ok(Wallet { balance: self.balance.as_deref().map(amount).transpose()?, methods: self.methods })
    }
}

/// The answer to `preflight`: the plan as it is sold now, or `null`.
#[derive(Deserialize)]
pub(super) struct PreflightDoc {
    // Told as null it is gone; left out the answer is not whole.
    #[serde(deserialize_with = "Option::deserialize")]
    offer: Option<PlanDoc>,
    operator_time: Option<String>,
}

impl PreflightDoc {
    pub(super) fn preflight(self, plan: &Plan) -> Result<Preflight, String> {
        let offer = self.offer.map(PlanDoc::plan).transpose()?;
        if offer.as_ref().is_some_and(|offer| offer.id != plan.id) {
            return Err("the price is that of another plan".into());
        }
        Ok(Preflight { offer, operator_time: self.operator_time.as_deref().map(UnixTime::parse).transpose()? })
    }
}

/// The answer to `find`.
#[derive(Deserialize)]
pub(super) struct FoundDoc {
    found: FoundWord,
    key: Option<String>,
    order_id: Option<String>,
    charged: Option<String>,
    kind: Option<String>,
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FoundWord {
    Accepted,
    Pending,
    Refused,
    Reversed,
    Nothing,
}

impl FoundDoc {
    pub(super) fn found(self, order: &SentOrder) -> Result<Found, String> {
        if self.found != FoundWord::Nothing && self.key.as_deref() != Some(order.key.as_str()) {
            return Err("what the program found does not name the key of our order".into());
        }
        let order_id = || self.order_id.as_deref().map(|id| tamed(id, 80)).ok_or("what was found has no `order_id`");
        Ok(match self.found {
            FoundWord::Accepted => {
                Found::Accepted { order_id: order_id()?, charged: self.charged.as_deref().map(amount).transpose()? }
            }
            FoundWord::Pending => Found::Pending { order_id: order_id()? },
            FoundWord::Refused => Found::Refused(Refusal {
                kind: self.kind.as_deref().and_then(refusal_kind).ok_or("a refusal has a known `kind`")?,
                code: tamed(&self.code, 80),
                text: tamed(&self.message, 200),
            }),
            FoundWord::Reversed => Found::Reversed { order_id: order_id()?, why: tamed(&self.message, 200) },
            FoundWord::Nothing => Found::Nothing,
        })
    }
}

/// The answer to `discover`.
#[derive(Deserialize)]
pub(super) struct CardPageDoc {
    cards: Vec<CardDoc>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct CardDoc {
    iccid: Option<String>,
    msisdn: Option<String>,
    label: Option<String>,
    #[serde(default)]
    fields: BTreeMap<String, String>,
}

impl CardPageDoc {
    pub(super) fn page(self) -> Result<CardPage, String> {
        let cards = self.cards.into_iter().map(|card| {
            Ok(ListedCard {
                iccid: card.iccid.as_deref().map(Iccid::parse).transpose()?,
                msisdn: card.msisdn.as_deref().map(Msisdn::parse).transpose()?,
                label: card.label.map(|label| tamed(&label, 80)),
                fields: card.fields,
            })
        });
        Ok(CardPage { cards: cards.collect::<Result<_, String>>()?, next: self.next })
    }
}

/// The kinds of refusals, by their words.
pub(super) fn refusal_kind(word: &str) -> Option<RefusalKind> {
    Some(match word {
        "wallet_empty" => RefusalKind::WalletEmpty,
        "payment_declined" => RefusalKind::PaymentDeclined,
        "plan_gone" => RefusalKind::PlanGone,
        "passing" => RefusalKind::Passing,
        "card_dead" => RefusalKind::CardDead,
        "card_data" => RefusalKind::CardData,
        "not_active" => RefusalKind::NotActive,
        "access" => RefusalKind::Access,
        "bad_code" => RefusalKind::BadCode,
        "other" => RefusalKind::Other,
        _ => return None,
    })
}
