//! Things Mobile Business API: IoT SIMs whose data is recharged from the account's credit.
//!
//! The operator's own document is not public; facts come from integrators' open clients that cite its revision 1.52,
//! and from the answers that they keep as samples. What they do not say is declared as the most careful choice.

mod orders;
mod session;
mod wire;

use jiff::tz::{TimeZone, offset};
use secrecy::SecretString;
use tokio::sync::OnceCell;

use self::session::Session;
use self::wire::SimDoc;
use super::http::{HttpClient, HttpSetupError, Way};
use super::kit::{
    FORM, IccidMap, Listing, form_of, iccid_of, never, no_code, same_card, time_in, unknown, wallet_only,
};
use super::{Answer, Kind, Operator};
use crate::domain::card::{Card, tamed};
use crate::domain::identity::{Iccid, Msisdn};
use crate::domain::money::{Currency, Money};
use crate::domain::operator::{
    BuyAnswer, Capabilities, CardPage, Contact, Found, ListedCard, Lookup, OperatorError, Order, Preflight,
    PreparedOrder, Proof, RefusalKind, Repeat, SentOrder, Stacking, Terms, Wallet,
};
use crate::domain::plan::{Catalogue, Plan};
use crate::domain::reading::{Allowance, AllowanceKind, AllowanceState, CardState, Reading, Renewable};
use crate::domain::time::{End, Secs, UnixTime};

/// The address; the older host `www.` is going away.
const BASE_URL: &str = "https://api.thingsmobile.com/services/business-api";
/// The only host.
const HOST: &str = "api.thingsmobile.com";
/// The name that messages use.
const NAME: &str = "Things Mobile";
/// The only way to pay: the account's credit.
const WALLET: &str = "wallet";
/// Cards on one page of a list, the most that is allowed.
const CARDS_PER_PAGE: usize = 500;
/// Pages of a list that are read: a hundred thousand cards.
const PAGES_MAX: usize = 200;

/// What Things Mobile can do.
const CAPABILITIES: Capabilities = Capabilities {
    // No key and no reference of ours anywhere in the integrators' clients.
    repeat: Repeat::Pays,
    burns_key: false,
    // `credit` lists charges by phone number and time. When a new one shows is not documented: a day, to be careful.
    lookup: Lookup::ByList { listing_delay_secs: Secs::DAY.0 },
    processing_max: None,
    proof: Proof::Balance,
    late_change: None,
    two_phase: None,
    // `simListLite` lists the whole account.
    read_batch: 10_000,
    // No cache is documented; the polls of other operators are no faster.
    cached_for: Secs::minutes(20),
    effect_max: Secs::hours(24),
    takes_codes: false,
    discovers: true,
    // Not documented.
    stacking: Stacking::Unknown,
};

/// Things Mobile in the list of kinds.
pub const KIND: Kind = Kind {
    name: "things-mobile",
    about: "IoT SIMs with prepaid data, Business API 1.52",
    capabilities: CAPABILITIES,
    terms,
};

fn terms() -> Terms {
    Terms::of(&[HOST], orders::FINAL_CODES, &[WALLET], &["iccid"])
}

/// One account at Things Mobile.
pub struct ThingsMobile {
    session: Session,
    /// The zone of the operator's times, if the owner knows it: no document names it.
    zone: Option<TimeZone>,
    /// What the owner says a recharge costs: the operator tells no prices.
    plans: Vec<Plan>,
    listing: Listing<SimDoc>,
    currency: OnceCell<Currency>,
}

impl std::fmt::Debug for ThingsMobile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ThingsMobile")
    }
}

impl ThingsMobile {
    /// An account. Touches no network.
    ///
    /// `zone` is that of the times in the operator's answers; without it an order whose answer was lost is settled by
    /// readings or a person. `plans` are recharges of 1 to 1000 whole MB with the price that the owner knows.
    ///
    /// # Errors
    /// The address is not the operator's, or this system has no certificates.
    pub fn open(
        way: &Way,
        zone: Option<TimeZone>,
        username: &str,
        token: SecretString,
        plans: Vec<Plan>,
    ) -> Result<Self, HttpSetupError> {
        let settings = way.settings(BASE_URL, &[HOST], CAPABILITIES.processing_max);
        let session = Session::new(HttpClient::new(&settings)?, way, username.to_owned(), token);
        Ok(Self { session, zone, plans, listing: Listing::default(), currency: OnceCell::new() })
    }

    async fn readings(&self, cards: &[Card], now: UnixTime) -> Vec<Result<Reading, OperatorError>> {
        let list = match self.listing.for_many(cards.len(), now, self.whole_list()).await {
            Ok(list) => list,
            Err(error) => return cards.iter().map(|_| Err(error.clone())).collect(),
        };
        let mut readings = Vec::with_capacity(cards.len());
        for card in cards {
            let listed = list.as_ref().zip(card.iccid.as_ref());
            let row = listed.and_then(|(list, iccid)| Some((list.rows.get(iccid.digits())?, list.asked_at)));
            readings.push(match row {
                Some((sim, asked_at)) => self.reading_of(sim, now, asked_at),
                None => self.single(card, now).await,
            });
        }
        readings
    }

    async fn single(&self, card: &Card, now: UnixTime) -> Result<Reading, OperatorError> {
        self.reading_of(&self.sim(iccid_of(card, NAME)?).await?, now, now)
    }

    /// One card, by its own number.
    async fn sim(&self, iccid: &str) -> Result<SimDoc, OperatorError> {
        let sims = self.session.ask("/simStatus", &[("iccid", iccid)], wire::sims).await?;
        let ours = |sim: &SimDoc| sim.iccid.as_deref().is_some_and(|told| same_card(told, iccid));
        sims.into_iter().find(ours).ok_or_else(|| unknown("the answer does not hold the card that was asked for"))
    }

    async fn page(&self, number: usize) -> Result<Vec<SimDoc>, OperatorError> {
        let (page, size) = (number.to_string(), CARDS_PER_PAGE.to_string());
        self.session.ask("/simListLite", &[("page", &page), ("pageSize", &size)], wire::sims).await
    }

    async fn whole_list(&self) -> Result<(IccidMap<SimDoc>, usize), OperatorError> {
        let mut rows = IccidMap::default();
        for number in 1..=PAGES_MAX {
            let (page, known) = (self.page(number).await?, rows.len());
            let is_last = page.len() < CARDS_PER_PAGE;
            for sim in page {
                // A row without its number cannot be told apart; its card is then asked for by itself.
                if let Some(iccid) = sim.iccid.clone() {
                    rows.insert(iccid, sim);
                }
            }
            // A server that ignores the page would send the same cards for ever.
            if is_last || rows.len() == known {
                return Ok((rows, number));
            }
        }
        Err(unknown(format!("the list of cards has more than {PAGES_MAX} pages")))
    }

    fn reading_of(&self, sim: &SimDoc, now: UnixTime, as_of: UnixTime) -> Result<Reading, OperatorError> {
        let state = state_of(sim.status.as_deref());
        let remaining = sim.balance.as_ref().map(|bytes| bytes.scaled(1)).transpose().map_err(unknown)?;
        // The balance is a bare number; integrators that cite the document read it as bytes, like the traffic.
        let allowances = remaining.map(|remaining| Allowance {
            kind: AllowanceKind::Data,
            remaining,
            total: None,
            unlimited: false,
            state: if remaining > 0 { AllowanceState::Active } else { AllowanceState::Finished },
            starts: None,
            ends: None,
        });
        Ok(Reading {
            as_of,
            renewable: if state == CardState::Active { Renewable::Yes } else { Renewable::Unknown },
            allowances: allowances.into_iter().collect(),
            number_ends: self.number_end(sim)?,
            ..Reading::empty(now, state)
        })
    }

    /// The day that the owner has set for the card to be blocked; none if it is not blocked then. Its first instant
    /// counts, in the earliest zone if none is known.
    fn number_end(&self, sim: &SimDoc) -> Result<Option<End>, OperatorError> {
        let told = sim.expires.as_deref().filter(|_| sim.blocks_when_expired.as_deref() != Some("0"));
        let earliest = TimeZone::fixed(offset(14));
        let zone = self.zone.as_ref().unwrap_or(&earliest);
        told.map(|told| time_in(told, zone).map(End::at).map_err(unknown)).transpose()
    }

    async fn money(&self) -> Result<Money, OperatorError> {
        let told = self.session.ask("/credit", &[("page", "1"), ("pageSize", "1")], wire::money).await?;
        let currency = Currency::parse(&told.currency).map_err(unknown)?;
        told.amount.money(currency).map_err(unknown)
    }

    /// The owner's plans, those that the operator would take from this account's credit.
    async fn plans_on_sale(&self) -> Result<Vec<Plan>, OperatorError> {
        let currency = *self.currency.get_or_try_init(async || Ok(self.money().await?.currency())).await?;
        let (mut plans, mut odd) = (Vec::new(), None);
        for plan in &self.plans {
            let wrong = match orders::megabytes(plan) {
                Ok(_) if plan.price.currency() == currency => None,
                Ok(_) => {
                    let why = format!("the plan `{}` is not priced in {currency}, the account's currency", plan.id);
                    Some(never(RefusalKind::PlanGone, why))
                }
                Err(error) => Some(error),
            };
            if let Some(error) = wrong {
                tracing::warn!(%error, "a plan is left out");
                odd = Some(error);
            } else {
                plans.push(plan.clone());
            }
        }
        if plans.is_empty() { odd.map_or_else(|| Ok(Vec::new()), Err) } else { Ok(plans) }
    }

    /// Refuses a card whose plan is recharged by the operator itself: two payers would pay for one need. An account that
    /// may not see its plans is not held back.
    async fn refuse_second_payer(&self, card: &Card) -> Result<(), OperatorError> {
        let Some(plan) = self.sim(iccid_of(card, NAME)?).await?.plan else { return Ok(()) };
        let plans = self.session.ask_if_told("/customPlanList", wire::plans).await?.unwrap_or_default();
        let recharged = plans.iter().any(|known| known.recharges_itself && known.names.contains(&plan));
        if !recharged {
            return Ok(());
        }
        let why = format!(
            "Things Mobile recharges this card by itself (plan `{plan}`); switch its automatic recharge off or retire the card here"
        );
        Err(never(RefusalKind::Other, why))
    }

    /// The number that the credit log knows a card by.
    async fn number_of(&self, card: &Card) -> Result<String, OperatorError> {
        if let Some(msisdn) = &card.msisdn {
            return Ok(msisdn.digits().to_owned());
        }
        let told = self.sim(iccid_of(card, NAME)?).await?.msisdn.ok_or_else(|| unknown("the card has no number"))?;
        Msisdn::parse(&told).map(|msisdn| msisdn.digits().to_owned()).map_err(unknown)
    }
}

/// The card's state, from the word that the operator uses.
fn state_of(word: Option<&str>) -> CardState {
    match word.unwrap_or_default().to_ascii_lowercase().as_str() {
        "active" | "active waiting initial recharge" => CardState::Active,
        "to-activate" | "to activate" => CardState::NotActive,
        "suspended" | "deactivated" => CardState::Blocked,
        _ => CardState::Unknown,
    }
}

fn listed(sim: SimDoc) -> ListedCard {
    ListedCard {
        iccid: sim.iccid.and_then(|text| Iccid::parse(&text).ok()),
        msisdn: sim.msisdn.and_then(|text| Msisdn::parse(&text).ok()),
        label: sim.name.or(sim.tag).map(|text| tamed(&text, 80)),
        fields: std::collections::BTreeMap::new(),
    }
}

impl Operator for ThingsMobile {
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
        Box::pin(self.readings(cards, now))
    }

    fn catalogue<'a>(&'a self, _card: &'a Card, now: UnixTime) -> Answer<'a, Result<Catalogue, OperatorError>> {
        Box::pin(async move { Ok(Catalogue::of(now, self.plans_on_sale().await?)) })
    }

    fn wallet(&self) -> Answer<'_, Result<Wallet, OperatorError>> {
        Box::pin(async move { Ok(Wallet { balance: Some(self.money().await?), methods: vec![WALLET.into()] }) })
    }

    fn preflight<'a>(
        &'a self,
        card: &'a Card,
        plan: &'a Plan,
        _code: Option<&'a str>,
    ) -> Answer<'a, Result<Preflight, OperatorError>> {
        Box::pin(async move {
            self.refuse_second_payer(card).await?;
            let offer = self.plans_on_sale().await?.into_iter().find(|offer| offer.id == plan.id);
            Ok(Preflight { offer, operator_time: self.session.contact().clock })
        })
    }

    fn prepare(&self, card: &Card, order: &Order) -> Result<PreparedOrder, OperatorError> {
        wallet_only(order, NAME)?;
        no_code(order, NAME)?;
        let amount = orders::megabytes(&order.plan)?.to_string();
        let body = form_of(&[("iccid", iccid_of(card, NAME)?), ("amount", &amount)]);
        Ok(PreparedOrder { key: order.key.clone(), path: "/rechargeSim".into(), content_type: FORM.into(), body })
    }

    fn buy<'a>(&'a self, order: &'a PreparedOrder) -> Answer<'a, BuyAnswer> {
        Box::pin(async move {
            let outcome = self.session.buy(&order.path, &order.content_type, &order.body).await;
            outcome.answered().map_or_else(|told| told, |answer| orders::outcome(&answer))
        })
    }

    fn find<'a>(&'a self, card: &'a Card, order: &'a SentOrder) -> Answer<'a, Result<Found, OperatorError>> {
        Box::pin(async move {
            let number = self.number_of(card).await?;
            orders::find(&self.session, &number, order, self.zone.as_ref()).await
        })
    }

    fn discover<'a>(&'a self, page: Option<&'a str>) -> Answer<'a, Result<CardPage, OperatorError>> {
        Box::pin(async move {
            let number = page.map_or(Ok(1), str::parse::<usize>).map_err(|_| unknown("that is no page"))?;
            let sims = self.page(number).await?;
            let next = (sims.len() >= CARDS_PER_PAGE && number < PAGES_MAX).then(|| (number + 1).to_string());
            Ok(CardPage { cards: sims.into_iter().map(listed).collect(), next })
        })
    }
}
