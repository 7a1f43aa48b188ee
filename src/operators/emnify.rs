//! emnify REST API: IoT SIMs whose device has a data quota with an end, set by the customer.
//!
//! Facts come from the operator's own OpenAPI fragments as a public repository has put them together, and from its page
//! on limits. What they do not say is declared as the most careful choice.

mod quota;
mod session;
mod wire;

use secrecy::SecretString;

use self::quota::{Quota, READING_FRESH};
use self::session::Session;
use self::wire::{QuotaDoc, SimDoc};
use super::http::{BuyOutcome, HttpAnswer, HttpClient, HttpSetupError, Way};
use super::kit::{
    IccidMap, JSON, Listing, Recall, doubtful, iccid_of, never, no_code, not_bought, path_part, refused, same_card,
    unknown, wallet_only,
};
use super::{Answer, Kind, Operator};
use crate::domain::card::{Card, tamed};
use crate::domain::identity::{Iccid, Msisdn};
use crate::domain::operator::{
    BuyAnswer, Capabilities, CardPage, Contact, Doubt, Found, ListedCard, Lookup, OperatorError, Order, Preflight,
    PreparedOrder, Proof, RefusalKind, Repeat, SentOrder, Stacking, Terms, Wallet,
};
use crate::domain::plan::{Catalogue, Plan};
use crate::domain::reading::{Allowance, AllowanceKind, AllowanceState, CardState, Reading, Renewable};
use crate::domain::time::{End, Secs, UnixTime};

/// The address.
const BASE_URL: &str = "https://cdn.emnify.net/api/v1";
/// The only host.
const HOST: &str = "cdn.emnify.net";
/// The name that messages use.
const NAME: &str = "emnify";
/// There is nothing to choose: what is used is billed to the workspace.
const WALLET: &str = "wallet";
/// Cards on one page of a list, the most that is allowed.
const CARDS_PER_PAGE: usize = 2_500;
/// Pages of a list that are read: half a million cards.
const PAGES_MAX: usize = 200;

/// What emnify can do.
const CAPABILITIES: Capabilities = Capabilities {
    // The quota is set to absolute numbers, so the same bytes again leave the same quota. Only soon: what the device used
    // in between would be given back to it.
    repeat: Repeat::Replays(Secs::minutes(10)),
    burns_key: false,
    // The quota is read back: by its end, it is ours or not. It holds at once ("can instantly use data services").
    lookup: Lookup::ByRef { listing_delay_secs: Secs::HOUR.0 },
    processing_max: None,
    proof: Proof::Expiry,
    late_change: None,
    two_phase: None,
    // The list of SIMs comes in pages, the quota of each device in a call of its own: 2000 calls in five minutes.
    read_batch: 200,
    cached_for: Secs::minutes(20),
    effect_max: Secs::hours(24),
    takes_codes: false,
    discovers: true,
    // What is written is what was read with the plan on top: its data added to the rest, its length to the end.
    stacking: Stacking::Extends,
};

/// emnify in the list of kinds.
pub const KIND: Kind = Kind {
    name: "emnify",
    about: "IoT SIMs with a data quota per device, REST API v1",
    capabilities: CAPABILITIES,
    terms,
};

fn terms() -> Terms {
    // The only refusal of a quota that is documented is the one of its numbers.
    Terms::of(&[HOST], &["422"], &[WALLET], &["iccid"])
}

/// One workspace at emnify.
pub struct Emnify {
    session: Session,
    /// What the owner says a quota costs: the operator tells no prices.
    plans: Vec<Plan>,
    listing: Listing<SimDoc>,
    quotas: Recall<Quota>,
}

impl std::fmt::Debug for Emnify {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Emnify")
    }
}

impl Emnify {
    /// A workspace. Touches no network.
    ///
    /// `plans` are quotas with data, validity and the price that the owner knows.
    ///
    /// # Errors
    /// The address is not emnify's, or this system has no certificates.
    pub fn open(way: &Way, application_token: SecretString, plans: Vec<Plan>) -> Result<Self, HttpSetupError> {
        let settings = way.settings(BASE_URL, &[HOST], CAPABILITIES.processing_max);
        let session = Session::new(HttpClient::new(&settings)?, way, application_token);
        Ok(Self { session, plans, listing: Listing::default(), quotas: Recall::new(READING_FRESH) })
    }

    async fn readings(&self, cards: &[Card], now: UnixTime) -> Vec<Result<Reading, OperatorError>> {
        let list = match self.listing.for_many(cards.len(), now, self.whole_list()).await {
            Ok(list) => list,
            Err(error) => return cards.iter().map(|_| Err(error.clone())).collect(),
        };
        let mut readings = Vec::with_capacity(cards.len());
        for card in cards {
            let listed = list.as_ref().zip(card.iccid.as_ref());
            readings.push(match listed.and_then(|(list, iccid)| list.rows.get(iccid.digits())) {
                Some(sim) => self.reading(card, sim, now).await,
                None => self.single(card, now).await,
            });
        }
        readings
    }

    async fn single(&self, card: &Card, now: UnixTime) -> Result<Reading, OperatorError> {
        self.reading(card, &self.sim(iccid_of(card, NAME)?).await?, now).await
    }

    async fn reading(&self, card: &Card, sim: &SimDoc, now: UnixTime) -> Result<Reading, OperatorError> {
        let state = state_of(sim);
        self.quotas.forget(card.id);
        let quota = match endpoint_of(sim)? {
            Some(endpoint) => self.quota(endpoint, now).await?,
            None => None,
        };
        let Some(quota) = quota else { return Ok(Reading::empty(now, state)) };
        self.quotas.put(card.id, quota.clone());
        let ends = quota.ends.map(End::at);
        let allowance = Allowance {
            kind: AllowanceKind::Data,
            remaining: quota.left_bytes,
            total: None,
            unlimited: false,
            state: quota.state,
            starts: None,
            ends,
        };
        let state = match (state, quota.state) {
            (CardState::Active, AllowanceState::Finished) => CardState::Finished,
            (CardState::Active, AllowanceState::Expired) => CardState::Expired,
            (state, _) => state,
        };
        let renewable = if quota.refills_itself { Renewable::Unknown } else { Renewable::Yes };
        Ok(Reading { renewable, allowances: vec![allowance], plan_ends: ends, ..Reading::empty(now, state) })
    }

    /// One card, by its number: operators and people write it with its check digit or without.
    async fn sim(&self, iccid: &str) -> Result<SimDoc, OperatorError> {
        let shorter = iccid.get(..iccid.len() - 1).unwrap_or(iccid);
        for (field, digits) in [("iccid", iccid), ("iccid_with_luhn", iccid), ("iccid", shorter)] {
            let query = format!("{field}:{digits}");
            let sims: Vec<SimDoc> = self.session.get("/sim", &[("q", &query)]).await?.checked()?.json()?;
            let is_ours = |sim: &&SimDoc| sim.iccid.as_ref().is_some_and(|told| same_card(told.as_str(), iccid));
            let mut ours = sims.iter().filter(is_ours);
            match (ours.next(), ours.next()) {
                (Some(sim), None) => return Ok(sim.clone()),
                (Some(_), Some(_)) => return Err(unknown("two SIMs have this ICCID")),
                (None, _) if sims.iter().any(|sim| sim.iccid.is_none()) => {
                    return Err(unknown("a SIM in the answer has no ICCID"));
                }
                (None, _) => {}
            }
        }
        Err(never(RefusalKind::CardData, "emnify does not know a SIM with this ICCID in this workspace"))
    }

    async fn page(&self, number: usize) -> Result<Vec<SimDoc>, OperatorError> {
        let (page, size) = (number.to_string(), CARDS_PER_PAGE.to_string());
        self.session.get("/sim", &[("page", &page), ("per_page", &size)]).await?.checked()?.json()
    }

    async fn whole_list(&self) -> Result<(IccidMap<SimDoc>, usize), OperatorError> {
        let mut rows = IccidMap::default();
        for number in 1..=PAGES_MAX {
            let (page, known) = (self.page(number).await?, rows.len());
            let is_last = page.len() < CARDS_PER_PAGE;
            for sim in page {
                // A row without its number cannot be told apart; its card is then asked for by itself.
                if let Some(iccid) = sim.iccid.clone() {
                    rows.insert(iccid.0, sim);
                }
            }
            // A server that ignores the page would send the same cards for ever.
            if is_last || rows.len() == known {
                return Ok((rows, number));
            }
        }
        Err(unknown(format!("the list of SIMs has more than {PAGES_MAX} pages")))
    }

    /// The quota of a device; none if none is set.
    async fn quota(&self, endpoint: &str, now: UnixTime) -> Result<Option<Quota>, OperatorError> {
        let path = format!("/endpoint/{}/quota/data", path_part(endpoint, "the id of a device")?);
        let answer = self.session.get(&path, &[]).await?;
        if answer.status == 404 {
            return Ok(None);
        }
        let doc: QuotaDoc = answer.checked()?.json()?;
        Quota::of(&doc, endpoint, now).map(Some).map_err(unknown)
    }

    /// The quota that an order is made from, read anew: the daemon has just read the card, so the time is known.
    async fn last_look(&self, card: &Card) -> Result<(), OperatorError> {
        let (age, before) = self.quotas.get(card.id).ok_or_else(read_first)?;
        let now = before.read_at.plus(Secs(i64::try_from(age.as_secs()).unwrap_or(0)));
        self.quotas.forget(card.id);
        let quota = self.quota(&before.endpoint, now).await?.ok_or_else(read_first)?;
        quota.refuse_second_payer()?;
        self.quotas.put(card.id, quota);
        Ok(())
    }

    /// The owner's plans, those that can be written.
    fn plans_on_sale(&self) -> Result<Vec<Plan>, OperatorError> {
        let (mut plans, mut odd) = (Vec::new(), None);
        for plan in &self.plans {
            match quota::sized(plan) {
                Ok(_) => plans.push(plan.clone()),
                Err(error) => {
                    tracing::warn!(%error, "a plan is left out");
                    odd = Some(error);
                }
            }
        }
        if plans.is_empty() { odd.map_or_else(|| Ok(Vec::new()), Err) } else { Ok(plans) }
    }

    async fn look_up(&self, card: &Card, order: &SentOrder) -> Result<Found, OperatorError> {
        let plan = self.plans.iter().find(|plan| plan.id == order.plan_id);
        let gone = || unknown(format!("the plan `{}` is no longer described in the account", order.plan_id));
        let plan = plan.ok_or_else(gone)?;
        let sim = self.sim(iccid_of(card, NAME)?).await?;
        let endpoint = endpoint_of(&sim)?.ok_or_else(|| unknown("the SIM is no longer bound to a device"))?;
        let quota = self.quota(endpoint, order.first_sent_at).await?;
        quota.ok_or_else(|| unknown("the device no longer has a quota"))?.found(order, plan)
    }
}

/// A quota that was not read, or that is not there: what it is written over is not known.
fn read_first() -> OperatorError {
    let why = "emnify's quota is written over what was read, and none was read of this card just now; read it first (its first quota is set in emnify's portal)";
    OperatorError::Later { retry_after: None, why: why.into() }
}

/// What the answer to an order means: an empty 201 is all that success is.
fn outcome(answer: &HttpAnswer) -> BuyAnswer {
    if answer.status == 201 {
        let is_empty = answer.body.trim_ascii().is_empty();
        let readable = is_empty || answer.document::<serde_json::Map<String, serde_json::Value>>().is_ok();
        return if readable {
            BuyAnswer::Accepted { order_id: None, charged: None }
        } else {
            doubtful(Doubt::Unreadable, "the 201 holds something else than the documented empty body")
        };
    }
    match answer.document::<wire::ErrorDoc>() {
        Ok(told) if answer.status == 422 => refused(RefusalKind::Other, "422", &told.message),
        _ => answer.in_doubt(),
    }
}

fn endpoint_of(sim: &SimDoc) -> Result<Option<&str>, OperatorError> {
    let id = sim.endpoint.as_ref().and_then(|endpoint| endpoint.id.as_ref());
    id.map(|id| path_part(id.as_str(), "the id of a device")).transpose()
}

/// The card's state, from the operator's word, or else its id.
fn state_of(sim: &SimDoc) -> CardState {
    let ids = [("0", "ISSUED"), ("1", "ACTIVATED"), ("2", "SUSPENDED"), ("4", "FACTORY TEST")];
    match sim.status.as_ref().map(|status| status.word(&ids)).unwrap_or_default().as_str() {
        "ISSUED" => CardState::NotActive,
        "ACTIVATED" | "FACTORY TEST" => CardState::Active,
        "SUSPENDED" => CardState::Blocked,
        "DELETED" => CardState::Recycled,
        _ => CardState::Unknown,
    }
}

fn listed(sim: SimDoc) -> ListedCard {
    ListedCard {
        iccid: sim.iccid.and_then(|text| Iccid::parse(text.as_str()).ok()),
        msisdn: sim.msisdn.and_then(|text| Msisdn::parse(text.as_str()).ok()),
        label: sim.endpoint.and_then(|endpoint| endpoint.name).map(|text| tamed(&text, 80)),
        fields: std::collections::BTreeMap::new(),
    }
}

impl Operator for Emnify {
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
        Box::pin(async move { Ok(Catalogue::of(now, self.plans_on_sale()?)) })
    }

    fn wallet(&self) -> Answer<'_, Result<Wallet, OperatorError>> {
        // A workspace is billed afterwards; there is no balance to ask for.
        Box::pin(async { Ok(Wallet { balance: None, methods: vec![WALLET.into()] }) })
    }

    fn preflight<'a>(
        &'a self,
        card: &'a Card,
        plan: &'a Plan,
        _code: Option<&'a str>,
    ) -> Answer<'a, Result<Preflight, OperatorError>> {
        Box::pin(async move {
            self.last_look(card).await?;
            let offer = self.plans_on_sale()?.into_iter().find(|offer| offer.id == plan.id);
            Ok(Preflight { offer, operator_time: self.session.contact().clock })
        })
    }

    fn prepare(&self, card: &Card, order: &Order) -> Result<PreparedOrder, OperatorError> {
        wallet_only(order, NAME)?;
        no_code(order, NAME)?;
        iccid_of(card, NAME)?;
        let (_, quota) = self.quotas.get(card.id).ok_or_else(read_first)?;
        let body = quota.topped_up(&order.plan)?.into_bytes();
        let path = format!("/endpoint/{}/quota/data", path_part(&quota.endpoint, "the id of a device")?);
        Ok(PreparedOrder { key: order.key.clone(), path, content_type: JSON.into(), body })
    }

    fn buy<'a>(&'a self, order: &'a PreparedOrder) -> Answer<'a, BuyAnswer> {
        Box::pin(async move {
            match self.session.buy(&order.path, &order.content_type, &order.body).await.map(BuyOutcome::answered) {
                Ok(Ok(answer)) => outcome(&answer),
                Ok(Err(told)) => told,
                Err(error) => not_bought(error),
            }
        })
    }

    fn find<'a>(&'a self, card: &'a Card, order: &'a SentOrder) -> Answer<'a, Result<Found, OperatorError>> {
        Box::pin(self.look_up(card, order))
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
