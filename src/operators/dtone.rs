//! DT One DVS API: top-up of phone numbers, and of eSIMs by their ICCID.
//!
//! Facts come from the vendor's OpenAPI document (1.23), its published libraries and its guide to eSIMs. An order is
//! made first and confirmed afterwards: what is not confirmed costs nothing. **An order for an eSIM without an ICCID
//! buys a new one**, so that plans for eSIMs are ordered with the ICCID only, and plans for numbers with the number.

mod offers;
mod orders;
mod reading;
mod session;
mod wire;

use secrecy::SecretString;
use serde_json::json;
use tokio::sync::OnceCell;

use self::offers::Service;
use self::session::Session;
use self::wire::{BalanceDoc, OperatorDoc};
use super::http::{HttpClient, HttpSetupError, Way};
use super::kit::{iccid_of, lacks, msisdn_of, never, path_part, row_of, unknown};
use super::{Answer, Kind, Operator};
use crate::domain::card::Card;
use crate::domain::money::{Currency, Money};
use crate::domain::operator::{
    BuyAnswer, Capabilities, Contact, Found, Lookup, OperatorError, Order, Preflight, PreparedOrder, Proof,
    RefusalKind, Repeat, SentOrder, Stacking, Terms, Wallet,
};
use crate::domain::plan::{Catalogue, Plan};
use crate::domain::reading::{CardState, Reading};
use crate::domain::time::{Secs, UnixTime};

/// The address of production.
const BASE_URL: &str = "https://dvs-api.dtone.com/v1";
/// The address of the sandbox, which has keys of its own.
const SANDBOX_URL: &str = "https://preprod-dvs-api.dtone.com/v1";
/// All hosts.
const HOSTS: &[&str] = &["dvs-api.dtone.com", "preprod-dvs-api.dtone.com"];
/// The name in messages.
const NAME: &str = "DT One";
/// The only way to pay.
const WALLET: &str = "wallet";
/// A card's field with DT One's number of its operator: wanted for eSIMs, and for numbers where it cannot be told.
const OPERATOR_FIELD: &str = "operator_id";
/// A card's field that says `esim` where the card has a phone number too.
const SERVICE_FIELD: &str = "service";

/// What DT One can do.
const CAPABILITIES: Capabilities = Capabilities {
    // A used `external_id` is refused with code 1007001 (vendor's OpenAPI 1.23); the first order stays.
    repeat: Repeat::Refuses,
    // The order that failed keeps its `external_id`.
    burns_key: true,
    // `GET /transactions?external_id=`. When an order shows is not documented: a day.
    lookup: Lookup::ByRef { listing_delay_secs: Secs::DAY.0 },
    processing_max: None,
    // Of numbers nothing can be read. eSIMs can be read, and a confirmed order that is `COMPLETED` is proof for both.
    proof: Proof::Order,
    // `REVERSED`: "a manual reversal, in very rare occasions"; how late is not documented: a month.
    late_change: Some(Secs::days(31)),
    // An order that is not confirmed ends at its `confirmation_expiration_date`; how far ahead is not documented: a day.
    two_phase: Some(Secs::DAY),
    // One card of one call for eSIMs, and nothing for numbers.
    read_batch: 1,
    // Not documented for eSIMs.
    cached_for: Secs::minutes(20),
    // Not documented.
    effect_max: Secs::hours(24),
    takes_codes: false,
    discovers: false,
    // Not documented.
    stacking: Stacking::Unknown,
};

/// DT One in the list of kinds.
pub const KIND: Kind =
    Kind { name: "dtone", about: "top-up of prepaid numbers and eSIMs, DVS API v1", capabilities: CAPABILITIES, terms };

fn terms() -> Terms {
    // A card needs its number or its ICCID; neither of them always.
    Terms::of(HOSTS, orders::FINAL_CODES, &[WALLET], &[])
}

/// One account at DT One.
pub struct DtOne {
    session: Session,
    /// The currencies that the account holds money in, asked once.
    currencies: OnceCell<Vec<Currency>>,
    decided: orders::Decided,
}

impl std::fmt::Debug for DtOne {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DtOne")
    }
}

impl DtOne {
    /// An account, in production or in the sandbox. Touches no network.
    ///
    /// # Errors
    /// The address is not DT One's, or this system has no certificates.
    pub fn open(way: &Way, sandbox: bool, key: SecretString, secret: SecretString) -> Result<Self, HttpSetupError> {
        let base = if sandbox { SANDBOX_URL } else { BASE_URL };
        let http = HttpClient::new(&way.settings(base, HOSTS, CAPABILITIES.processing_max))?;
        let session = Session::new(way, http, &key, &secret);
        Ok(Self { session, currencies: OnceCell::new(), decided: orders::Decided::default() })
    }

    /// What is in the account, one amount for each currency.
    async fn balances(&self) -> Result<Vec<Money>, OperatorError> {
        let docs: Vec<BalanceDoc> = self.session.get("/balances", &[]).await?.json()?;
        let money = docs.iter().filter(|doc| doc.unit_type.as_deref().is_none_or(|kind| kind == "CURRENCY"));
        let money = money.map(|doc| doc.available.money_down(Currency::parse(&doc.unit)?));
        let money = money.collect::<Result<Vec<_>, String>>().map_err(unknown)?;
        if money.is_empty() { Err(unknown("DT One tells no balance")) } else { Ok(money) }
    }

    async fn currencies(&self) -> Result<&[Currency], OperatorError> {
        let ask = async || Ok(self.balances().await?.into_iter().map(Money::currency).collect());
        self.currencies.get_or_try_init(ask).await.map(Vec::as_slice)
    }

    /// DT One's number of the card's operator.
    async fn operator(&self, card: &Card, service: Service) -> Result<String, OperatorError> {
        if let Some(id) = card.fields.get(OPERATOR_FIELD) {
            return Ok(path_part(id, "an operator of DT One")?.to_owned());
        }
        if service == Service::Esim {
            return Err(lacks(NAME, "the number of the eSIM's operator", OPERATOR_FIELD));
        }
        let ask = json!({ "mobile_number": format!("+{}", msisdn_of(card, NAME)?), "per_page": 100 }).to_string();
        let docs: Vec<OperatorDoc> = self.session.ask("/lookup/mobile-number", ask.as_bytes()).await?.json()?;
        let mut sure = docs.iter().filter(|doc| doc.identified.is_some_and(|flag| flag.0));
        match (sure.next(), sure.next()) {
            (Some(one), None) => Ok(one.id.to_string()),
            (Some(_) | None, _) => {
                let why = "DT One cannot tell which operator the number belongs to; add `operator_id` to the card's \
                           fields, with DT One's number of the operator";
                Err(never(RefusalKind::CardData, why))
            }
        }
    }

    async fn offers(&self, card: &Card) -> Result<Vec<Plan>, OperatorError> {
        let service = service_of(card);
        let operator = self.operator(card, service).await?;
        let currencies = self.currencies().await?;
        let query = [("operator_id", operator.as_str()), ("service_id", service.id())];
        let rows = self.session.list("/products", &query).await?;
        if rows.is_empty() {
            return Err(never(RefusalKind::PlanGone, "DT One sells nothing for this card's operator in this account"));
        }
        offers::plans_of(&rows, service, currencies)
    }

    /// The product as it is sold at this moment.
    async fn offer(&self, card: &Card, plan: &Plan) -> Result<Preflight, OperatorError> {
        let service = service_of(card);
        let Some(id) = offers::PlanId::of(&plan.id).filter(|id| id.service == service) else {
            return Ok(Preflight { offer: None, operator_time: None });
        };
        let currencies = self.currencies().await?;
        let answer = self.session.raw(&format!("/products/{}", id.product)).await?;
        if answer.status == 404 {
            return Ok(Preflight { offer: None, operator_time: answer.date });
        }
        if !answer.is_success() {
            return Err(session::read_error(&answer));
        }
        let plans = offers::plans_of(&[answer.json()?], service, currencies)?;
        Ok(Preflight { offer: plans.into_iter().find(|offer| offer.id == plan.id), operator_time: answer.date })
    }

    async fn reading(&self, card: &Card, now: UnixTime) -> Result<Reading, OperatorError> {
        if service_of(card) == Service::Mobile {
            return Ok(Reading::empty(now, CardState::Unknown));
        }
        let party = json!({ "account_number": iccid_of(card, NAME)? });
        let ask = json!({ "service_id": 13, "credit_party_identifier": party, "per_page": 100 }).to_string();
        let benefits = self.session.lookup("/lookup/credit-party-benefits", ask.as_bytes()).await?;
        let ask = json!({ "service_id": 13, "credit_party_identifier": party }).to_string();
        let status = self.session.lookup("/lookup/credit-party-status", ask.as_bytes()).await?;
        let rows: Option<Vec<serde_json::Value>> = benefits.map(|answer| answer.json()).transpose()?;
        let rows = rows.unwrap_or_default().iter().map(row_of).collect::<Result<Vec<_>, _>>().map_err(unknown)?;
        let state = status.map(|answer| answer.json()).transpose()?;
        reading::reading_of(&rows, state.as_ref(), now).map_err(unknown)
    }
}

/// What a card is to DT One: an eSIM, known by its ICCID, or a phone number. A card that has both is a number, unless it
/// says otherwise.
fn service_of(card: &Card) -> Service {
    let says_esim = card.fields.get(SERVICE_FIELD).is_some_and(|service| service == "esim");
    if says_esim || card.msisdn.is_none() { Service::Esim } else { Service::Mobile }
}

impl Operator for DtOne {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn terms(&self) -> Terms {
        terms()
    }

    fn contact(&self) -> Contact {
        self.session.contact()
    }

    fn read<'a>(&'a self, cards: &'a [Card], now: UnixTime) -> Answer<'a, Vec<Result<Reading, OperatorError>>> {
        Box::pin(async move {
            let mut readings = Vec::with_capacity(cards.len());
            for card in cards {
                readings.push(self.reading(card, now).await);
            }
            readings
        })
    }

    fn catalogue<'a>(&'a self, card: &'a Card, now: UnixTime) -> Answer<'a, Result<Catalogue, OperatorError>> {
        Box::pin(async move { Ok(Catalogue::of(now, self.offers(card).await?)) })
    }

    fn wallet(&self) -> Answer<'_, Result<Wallet, OperatorError>> {
        Box::pin(async move {
            // Which of several currencies a price is in is told with the price; no sum of them means anything.
            let balance = match self.balances().await?.as_slice() {
                [only] => Some(*only),
                _ => None,
            };
            Ok(Wallet { balance, methods: vec![WALLET.into()] })
        })
    }

    fn preflight<'a>(
        &'a self,
        card: &'a Card,
        plan: &'a Plan,
        _code: Option<&'a str>,
    ) -> Answer<'a, Result<Preflight, OperatorError>> {
        Box::pin(self.offer(card, plan))
    }

    fn prepare(&self, card: &Card, order: &Order) -> Result<PreparedOrder, OperatorError> {
        let prepared = orders::prepared(card, order)?;
        self.decided.note(&order.key, order.plan.price);
        Ok(prepared)
    }

    fn buy<'a>(&'a self, order: &'a PreparedOrder) -> Answer<'a, BuyAnswer> {
        Box::pin(orders::bought(&self.session, self.decided.price_of(&order.key), order))
    }

    fn find<'a>(&'a self, _card: &'a Card, order: &'a SentOrder) -> Answer<'a, Result<Found, OperatorError>> {
        Box::pin(orders::find(&self.session, order))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::card::{CardId, Name};
    use crate::domain::identity::{Iccid, Msisdn};
    use crate::domain::operator::OrderKey;
    use crate::domain::plan::Contents;

    fn prepared(
        plan: &str,
        iccid: Option<&str>,
        msisdn: Option<&str>,
        service: Option<&str>,
    ) -> Result<String, String> {
        let card = card(iccid, msisdn, service);
        let plan = Plan {
            id: plan.into(),
            name: "x".into(),
            contents: Contents::default(),
            validity_secs: None,
            price: Money::new(50_000, Currency::USD),
        };
        let order = Order { key: OrderKey::new(7), plan, payment: "wallet".into(), code: None };
        let made = orders::prepared(&card, &order).map_err(|error| error.to_string())?;
        Ok(String::from_utf8(made.body).unwrap())
    }

    fn card(iccid: Option<&str>, msisdn: Option<&str>, service: Option<&str>) -> Card {
        let named = Card::new(CardId(1), Name::parse("mama").unwrap(), Name::parse("dtone").unwrap());
        Card {
            iccid: iccid.map(|iccid| Iccid::parse(iccid).unwrap()),
            msisdn: msisdn.map(|msisdn| Msisdn::parse(msisdn).unwrap()),
            fields: service.map(|word| BTreeMap::from([(SERVICE_FIELD.into(), word.into())])).unwrap_or_default(),
            ..named
        }
    }

    const ICCID: &str = "8910300000005271146";
    const NUMBER: &str = "+447951631337";

    #[test]
    fn an_esim_is_never_ordered_without_its_iccid() {
        let body = prepared("esim:5", Some(ICCID), None, None).unwrap();
        assert!(body.contains(r#""credit_party_identifier":{"account_number":"8910300000005271146"}"#), "{body}");
        assert!(body.contains(r#""auto_confirm":false"#) && body.contains(r#""product_id":5"#), "{body}");
        assert!(prepared("esim:5", Some(ICCID), Some(NUMBER), Some("esim")).unwrap().contains(ICCID));
        assert!(prepared("esim:5", None, Some(NUMBER), None).is_err(), "a number");
        assert!(prepared("esim:5", None, Some(NUMBER), Some("esim")).is_err(), "an eSIM without its ICCID");
        assert!(prepared("esim:5", None, None, None).is_err());
        assert!(prepared("esim:5", Some(ICCID), Some(NUMBER), None).is_err(), "a number in a card that has an ICCID");
    }

    #[test]
    fn a_number_is_topped_up_by_its_number_and_amount() {
        let body = prepared("mobile:5:10:GBP", Some(ICCID), Some(NUMBER), None).unwrap();
        assert!(body.contains(r#""credit_party_identifier":{"mobile_number":"+447951631337"}"#), "{body}");
        assert!(body.contains(r#""destination":{"unit_type":"CURRENCY","unit":"GBP","amount":10}"#), "{body}");
        assert!(body.contains(r#""calculation_mode":"DESTINATION_AMOUNT""#), "{body}");
        assert!(prepared("mobile:5", Some(ICCID), None, None).is_err(), "an eSIM");
        for odd in ["", "5", "mobile:x", "mobile:5:0:GBP", "mobile:5:10:XX", "esim:5:10:GBP", "gift:5"] {
            assert!(prepared(odd, Some(ICCID), Some(NUMBER), None).is_err(), "{odd}");
        }
    }
}
