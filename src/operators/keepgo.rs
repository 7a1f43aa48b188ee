//! Keepgo / eSIMba API v2: data SIMs and eSIMs that live for years and are refilled.
//!
//! A refill takes no reference of ours and is found again in the list of the line's transactions and among its data
//! bundles. Keepgo can refill a line by itself; while it does, nothing is bought here, since two would pay.
//!
//! Facts come from the field list of an integrator's published proxy, from two integrators' clients and from the
//! vendor's pages, as far as they agree. The vendor documents neither errors nor limits, so no refusal is certain.

mod lines;
mod look_up;
mod reading;
mod refills;
mod session;
mod wire;

use secrecy::SecretString;

use self::session::Session;
use self::wire::{BalanceDoc, LineDoc, RefillsDoc};
use super::http::{HttpClient, HttpSetupError, Way};
use super::kit::{Listing, iccid_of, never, same_card, unknown};
use super::{Answer, Kind, Operator};
use crate::domain::card::Card;
use crate::domain::money::Currency;
use crate::domain::operator::{
    BuyAnswer, Capabilities, CardPage, Contact, Found, Lookup, OperatorError, Order, Preflight, PreparedOrder, Proof,
    RefusalKind, Repeat, SentOrder, Stacking, Terms, Wallet,
};
use crate::domain::plan::{Catalogue, Plan};
use crate::domain::reading::Reading;
use crate::domain::time::{Secs, UnixTime};

/// The vendor's own host; partners under another name have another.
const HOST: &str = "myaccount.keepgo.com";
/// The only way to pay for a refill.
const WALLET: &str = "wallet";
/// What a card is called in messages.
const NAME: &str = "Keepgo";
/// Prices are told in dollars only (`price_usd`), and the balance beside them without a currency.
const CURRENCY: Currency = Currency::USD;
/// Several cards in a row that cannot be read: the others wait for the next round.
const FAILURES_MAX: u32 = 3;

/// What Keepgo can do.
const CAPABILITIES: Capabilities = Capabilities {
    // A refill has no place for a key (integrators' clients); nothing is said of repeats.
    repeat: Repeat::Pays,
    burns_key: false,
    // `GET /line/{iccid}/transactions`. When a new one shows is not documented: a day, to be careful.
    lookup: Lookup::ByList { listing_delay_secs: Secs::DAY.0 },
    // Synchronous by the shape of its answer, but no time is documented.
    processing_max: None,
    // Each refill makes a data bundle, and the answer to it names that bundle.
    proof: Proof::AssetIds,
    // Not documented.
    late_change: None,
    two_phase: None,
    // `GET /lines` has the whole of each line.
    read_batch: 10_000,
    // Not documented.
    cached_for: Secs::minutes(20),
    effect_max: Secs::DAY,
    takes_codes: false,
    discovers: true,
    // Not documented.
    stacking: Stacking::Unknown,
};

/// Keepgo in the list of kinds.
pub const KIND: Kind = Kind {
    name: "keepgo",
    about: "data SIMs and eSIMs that are refilled, Keepgo / eSIMba API v2",
    capabilities: CAPABILITIES,
    terms,
};

fn terms() -> Terms {
    // No refusal is documented, so none is certain.
    Terms::of(&[HOST], &[], &[WALLET], &["iccid"])
}

/// One account at Keepgo, or at a partner that sells under its own name.
pub struct Keepgo {
    session: Session,
    host: String,
    fleet: Listing<LineDoc>,
}

impl std::fmt::Debug for Keepgo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keepgo")
    }
}

impl Keepgo {
    /// An account. Touches no network. `host` is the one of a partner that sells under its own name, without `https://`
    /// and path; it becomes the only host that is talked to.
    ///
    /// # Errors
    /// `host` is no host, the address is not of the host, or this system has no certificates.
    pub fn open(
        way: &Way,
        host: Option<&str>,
        api_key: SecretString,
        access_token: SecretString,
    ) -> Result<Self, HttpSetupError> {
        let host = checked_host(host.unwrap_or(HOST))?;
        let settings = way.settings(&format!("https://{host}/api/v2"), &[&host], CAPABILITIES.processing_max);
        let session = Session::new(way, HttpClient::new(&settings)?, api_key, access_token);
        Ok(Self { session, host, fleet: Listing::default() })
    }

    async fn readings(&self, cards: &[Card], now: UnixTime) -> Vec<Result<Reading, OperatorError>> {
        let list = match self.fleet.for_many(cards.len(), now, lines::all(&self.session)).await {
            Ok(list) => list,
            Err(OperatorError::Unknown { why }) => {
                tracing::warn!(why, "Keepgo's list of lines makes no sense; cards are read one by one");
                None
            }
            Err(error) => return vec![Err(error); cards.len()],
        };
        let (mut readings, mut failures) = (Vec::with_capacity(cards.len()), 0);
        for card in cards {
            let row = card.iccid.as_ref().and_then(|iccid| list.as_ref()?.rows.get(iccid.digits()));
            let reading = match (row, list.as_ref(), readings.last()) {
                (Some(row), Some(list), _) => reading::reading_of(row, list.asked_at).map_err(unknown),
                (_, _, Some(Err(error))) if is_enough(error, failures) => Err(error.clone()),
                _ => self.reading(card, now).await,
            };
            failures = if matches!(reading, Err(OperatorError::Later { .. })) { failures + 1 } else { 0 };
            readings.push(reading);
        }
        readings
    }

    async fn reading(&self, card: &Card, now: UnixTime) -> Result<Reading, OperatorError> {
        let (line, _) = self.line(iccid_of(card, NAME)?).await?;
        reading::reading_of(&line, now).map_err(unknown)
    }

    /// A line, and Keepgo's clock.
    async fn line(&self, iccid: &str) -> Result<(LineDoc, Option<UnixTime>), OperatorError> {
        let (line, date) = lines::one(&self.session, iccid).await?;
        if same_card(&line.iccid.0, iccid) {
            Ok((line, date))
        } else {
            Err(unknown("the answer is about another card"))
        }
    }

    /// What is on sale for a card, and Keepgo's clock; an error while nothing may be bought for it.
    async fn offers(&self, card: &Card) -> Result<(Vec<Plan>, Option<UnixTime>), OperatorError> {
        let iccid = iccid_of(card, NAME)?;
        let (line, date) = self.line(iccid).await?;
        refillable(&line, date)?;
        let answer = self.session.get(&session::of_line(iccid, "available_refills")?, &[]).await?;
        let doc: RefillsDoc = session::told(&answer)?;
        Ok((refills::plans_of(&doc.available_refills)?, answer.date.or(date)))
    }
}

/// Whether no more cards are asked for in this round.
const fn is_enough(error: &OperatorError, failures: u32) -> bool {
    matches!(error, OperatorError::Later { retry_after, .. } if retry_after.is_some() || failures >= FAILURES_MAX)
}

/// What stands in the way of a refill, in words for the owner.
fn refillable(line: &LineDoc, keepgo_now: Option<UnixTime>) -> Result<(), OperatorError> {
    match line.auto_refill_turned_on {
        Some(on) if on.0 => {
            return Err(never(
                RefusalKind::Other,
                "Keepgo's own auto-refill is on for this card, and two would pay: turn it off in the Keepgo account, or \
                 take the rule from the card",
            ));
        }
        Some(_) => {}
        None => return Err(unknown("Keepgo does not say whether its own auto-refill is on for this card")),
    }
    let ended = reading::number_end(line).map_err(unknown)?.zip(keepgo_now).is_some_and(|(end, now)| end.at <= now);
    if ended || reading::is_deactivated(line) {
        return Err(never(
            RefusalKind::NotActive,
            "Keepgo has deactivated this line; set a later deactivation date in the Keepgo account if it is to live on",
        ));
    }
    Ok(())
}

/// A host name of letters, digits, dots and hyphens, with a dot in it.
fn checked_host(text: &str) -> Result<String, HttpSetupError> {
    let host = text.trim().to_ascii_lowercase();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let top = host.rsplit('.').next().unwrap_or_default();
    let fine = host.len() <= 253
        && host.contains('.')
        && host.split('.').all(is_label)
        && top.bytes().any(|byte| byte.is_ascii_alphabetic());
    if fine { Ok(host) } else { Err(HttpSetupError::Address(text.to_owned())) }
}

impl Operator for Keepgo {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn terms(&self) -> Terms {
        Terms { hosts: vec![self.host.clone()], ..terms() }
    }

    fn contact(&self) -> Contact {
        self.session.contact()
    }

    fn read<'a>(&'a self, cards: &'a [Card], now: UnixTime) -> Answer<'a, Vec<Result<Reading, OperatorError>>> {
        Box::pin(self.readings(cards, now))
    }

    fn catalogue<'a>(&'a self, card: &'a Card, now: UnixTime) -> Answer<'a, Result<Catalogue, OperatorError>> {
        Box::pin(async move { Ok(Catalogue::of(now, self.offers(card).await?.0)) })
    }

    fn wallet(&self) -> Answer<'_, Result<Wallet, OperatorError>> {
        Box::pin(async move {
            let answer = self.session.get("/account_balance", &[]).await?;
            let doc: BalanceDoc = session::told(&answer)?;
            let balance = doc.account_balance.money(CURRENCY).map_err(unknown)?;
            Ok(Wallet { balance: Some(balance), methods: vec![WALLET.into()] })
        })
    }

    fn preflight<'a>(
        &'a self,
        card: &'a Card,
        plan: &'a Plan,
        _code: Option<&'a str>,
    ) -> Answer<'a, Result<Preflight, OperatorError>> {
        Box::pin(async move {
            let (plans, operator_time) = self.offers(card).await?;
            Ok(Preflight { offer: plans.into_iter().find(|offer| offer.id == plan.id), operator_time })
        })
    }

    fn prepare(&self, card: &Card, order: &Order) -> Result<PreparedOrder, OperatorError> {
        refills::prepared(card, order)
    }

    fn buy<'a>(&'a self, order: &'a PreparedOrder) -> Answer<'a, BuyAnswer> {
        Box::pin(async move {
            match self.session.buy(&order.path, &order.content_type, &order.body).await.answered() {
                Ok(answer) => refills::outcome(&answer),
                Err(told) => told,
            }
        })
    }

    fn find<'a>(&'a self, card: &'a Card, order: &'a SentOrder) -> Answer<'a, Result<Found, OperatorError>> {
        Box::pin(async move { look_up::find(&self.session, iccid_of(card, NAME)?, order).await })
    }

    fn discover<'a>(&'a self, page: Option<&'a str>) -> Answer<'a, Result<CardPage, OperatorError>> {
        Box::pin(lines::listed(&self.session, page))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partner_has_its_own_host_and_no_other_address() {
        let new = |host| Keepgo::open(&Way::default(), host, "a-key".into(), "a-token".into());
        assert_eq!(new(None).unwrap().terms(), terms());
        let partner = new(Some("Panel.Esimba.io")).unwrap();
        assert_eq!(partner.terms().hosts, ["panel.esimba.io"]);
        assert_eq!(format!("{partner:?}"), "Keepgo");
        for wrong in [
            "",
            "localhost",
            "https://panel.esimba.io",
            "panel.esimba.io/api",
            "panel.esimba.io:8443",
            "10.0.0.1",
            "a@panel.esimba.io",
            "panel..io",
            "-panel.io",
            "pänel.io",
        ] {
            assert!(matches!(new(Some(wrong)), Err(HttpSetupError::Address(_))), "{wrong}");
        }
    }

    #[test]
    fn nothing_is_bought_while_another_pays_or_the_line_is_gone() {
        let now = UnixTime::parse("2026-11-22T12:00:00Z").ok();
        let tried = |fields: &str| {
            let text = format!(r#"{{"iccid":"8965972579000123456","status":"Activated",{fields}}}"#);
            refillable(&serde_json::from_str(&text).unwrap(), now)
        };
        let kind = |fields| match tried(fields) {
            Err(OperatorError::Never { kind, .. }) => Some(kind),
            Err(OperatorError::Unknown { .. }) => Some(RefusalKind::Passing),
            _ => None,
        };
        for (fields, expected) in [
            (r#""auto_refill_turned_on":false"#, None),
            (r#""auto_refill_turned_on":0,"deactivation_date":"2026-11-22 12:00:01""#, None),
            (r#""auto_refill_turned_on":true"#, Some(RefusalKind::Other)),
            (r#""auto_refill_turned_on":"1""#, Some(RefusalKind::Other)),
            (
                r#""auto_refill_turned_on":false,"deactivation_date":"2026-11-22 12:00:00""#,
                Some(RefusalKind::NotActive),
            ),
            (r#""bundle":"Aquila""#, Some(RefusalKind::Passing)),
        ] {
            assert_eq!(kind(fields), expected, "{fields}");
        }
        let words = tried(r#""auto_refill_turned_on":true"#).unwrap_err().to_string();
        assert!(words.contains("two would pay"), "{words}");
    }
}
