//! Hologram REST API v1: SIM cards on plans that are charged to one organisation.
//!
//! A plan renews itself from the organisation's balance, and a card that reaches its data limit is paused until the
//! limit is higher. So a card is renewed by raising its limit, and nothing is bought for it alone. The balance is never
//! topped up from here: a thousand cards share it.
//!
//! Facts come from the vendor's API Blueprint of December 2023 and its current reference pages. What they do not say is
//! declared as the most careful choice.

mod wire;

use std::collections::HashSet;
use std::time::Duration;

use secrecy::SecretString;

use self::wire::{BalanceDoc, DevicesDoc, Envelope, Link, LinkDoc};
use super::http::{Call, HttpAnswer, HttpClient, HttpSetupError, Way};
use super::kit::{
    CardLimit, IccidMap, JSON, Limits, Listing, Pace, basic, found, iccid_of, limit_id, never, no_code, no_limit,
    path_part, raises, same_card, unknown, unproven, wallet_only,
};
use super::{Answer, Kind, Operator};
use crate::domain::card::Card;
use crate::domain::money::{Currency, Money};
use crate::domain::operator::{
    BuyAnswer, Capabilities, CardPage, Contact, Doubt, Found, Lookup, OperatorError, Order, Preflight, PreparedOrder,
    Proof, RefusalKind, Repeat, SentOrder, Stacking, Terms, Wallet,
};
use crate::domain::plan::{Catalogue, Plan};
use crate::domain::reading::Reading;
use crate::domain::time::{Secs, UnixTime};

/// The address of the API; there is no sandbox.
const BASE_URL: &str = "https://dashboard.hologram.io/api/1";
/// The only host.
const HOST: &str = "dashboard.hologram.io";
/// The operator's name in messages.
const NAME: &str = "Hologram";
/// What plans and used data are charged to.
const WALLET: &str = "wallet";
/// Prices and balances are in dollars; no answer names another currency.
const CURRENCY: Currency = Currency::USD;
/// Devices that one page is asked for.
const PAGE_SIZE: &str = "500";
/// Pages of a list that is believed to end.
const PAGES_MAX: usize = 400;
/// Decoded bytes of one page; a device takes about three thousand.
const PAGE_BYTES_MAX: usize = 8 << 20;
/// After "too many requests", 5 to 10 seconds are asked for.
const WAIT_WHEN_BUSY: Secs = Secs(10);

/// What Hologram can do.
const CAPABILITIES: Capabilities = Capabilities {
    // The limit is set to an absolute value, so the same again sets the same. Half an hour, since somebody may set
    // another meanwhile.
    repeat: Repeat::Replays(Secs::minutes(30)),
    burns_key: false,
    // The card itself tells its limit.
    lookup: Lookup::ByRef { listing_delay_secs: 0 },
    // Not documented.
    processing_max: None,
    // More is left of the limit.
    proof: Proof::Balance,
    late_change: None,
    two_phase: None,
    // A list of devices with their cards.
    read_batch: 10_000,
    // How old the usage is, is not documented.
    cached_for: Secs::minutes(20),
    // Not documented.
    effect_max: Secs::DAY,
    takes_codes: false,
    discovers: true,
    // Not documented.
    stacking: Stacking::Unknown,
};

/// Hologram in the list of kinds.
pub const KIND: Kind = Kind {
    name: "hologram",
    about: "SIM cards of an organisation (REST API v1): data limits are raised",
    capabilities: CAPABILITIES,
    terms,
};

fn terms() -> Terms {
    Terms::of(&[HOST], &[], &[WALLET], &["iccid"])
}

/// One organisation at Hologram.
pub struct Hologram {
    http: HttpClient,
    organisation: String,
    authorization: SecretString,
    pace: Pace,
    listing: Listing<Link>,
    limits: Limits,
}

impl std::fmt::Debug for Hologram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hologram")
    }
}

/// A page of the organisation's cards, and after which device the next one begins.
struct Page {
    links: Vec<Link>,
    next: Option<String>,
}

impl Hologram {
    /// The organisation of this id, by an API key of one of its administrators. A key reaches every organisation of its
    /// owner, so the id is sent with every list. Touches no network.
    ///
    /// # Errors
    /// The address is not Hologram's, or this system has no certificates.
    pub fn open(way: &Way, organisation: u64, api_key: &SecretString) -> Result<Self, HttpSetupError> {
        let settings = way.settings(BASE_URL, &[HOST], CAPABILITIES.processing_max);
        Ok(Self {
            http: HttpClient::new(&settings)?,
            organisation: organisation.to_string(),
            authorization: basic("apikey", api_key),
            // The limit is not published: no faster than two a second for long.
            pace: Pace::new(10, Duration::from_secs(5)),
            listing: Listing::default(),
            limits: Limits::default(),
        })
    }

    async fn readings(&self, cards: &[Card], now: UnixTime) -> Vec<Result<Reading, OperatorError>> {
        let list = match self.listing.for_many(cards.len(), now, self.all_links()).await {
            Ok(list) => list,
            Err(error) => return cards.iter().map(|_| Err(error.clone())).collect(),
        };
        let mut readings = Vec::with_capacity(cards.len());
        for card in cards {
            let listed = list.as_ref().and_then(|list| Some((list.rows.get(card.iccid.as_ref()?.digits())?, list)));
            readings.push(match listed {
                Some((link, list)) => self.told(card, link, list.asked_at, now),
                // A card that the list lacks, or had in a row that made no sense, is asked for by itself.
                None => match self.one_link(card).await {
                    Ok((link, _)) => self.told(card, &link, now, now),
                    Err(error) => Err(error),
                },
            });
        }
        readings
    }

    fn told(&self, card: &Card, link: &Link, as_of: UnixTime, now: UnixTime) -> Result<Reading, OperatorError> {
        let iccid = iccid_of(card, NAME)?;
        let reading = link.reading(as_of, now).map_err(unknown)?;
        self.limits.keep(iccid, link.card_limit().map_err(unknown)?);
        Ok(reading)
    }

    /// Every card of the organisation, and how many pages they took.
    async fn all_links(&self) -> Result<(IccidMap<Link>, usize), OperatorError> {
        let (mut rows, mut after, mut begun) = (IccidMap::<Link>::default(), None::<String>, HashSet::new());
        for pages in 1..=PAGES_MAX {
            let page = self.page(after.as_deref()).await?;
            for link in page.links {
                let known = rows.get(link.iccid());
                // A number that was given up stands beside its present card.
                if known.is_none_or(|known| known.is_dead() || !link.is_dead()) {
                    rows.insert(link.iccid().to_owned(), link);
                }
            }
            let Some(next) = page.next else { return Ok((rows, pages)) };
            if !begun.insert(next.clone()) {
                return Err(unknown("Hologram's list of devices goes round in a circle"));
            }
            after = Some(next);
        }
        Err(unknown(format!("Hologram's list of devices does not end after {PAGES_MAX} pages, {} cards", rows.len())))
    }

    async fn page(&self, after: Option<&str>) -> Result<Page, OperatorError> {
        let mut query = vec![("orgid", self.organisation.as_str()), ("limit", PAGE_SIZE)];
        query.extend(after.map(|after| ("startafter", after)));
        let answer = self.get(Call::get("/devices").query(&query).body_bytes_max(PAGE_BYTES_MAX)).await?;
        let doc = answer.json::<DevicesDoc>()?.sound()?;
        let next = doc.next()?;
        Ok(Page { links: doc.links().0, next })
    }

    /// One card by its ICCID, and the operator's clock.
    async fn one_link(&self, card: &Card) -> Result<(Link, Option<UnixTime>), OperatorError> {
        let iccid = iccid_of(card, NAME)?;
        let query = [("orgid", self.organisation.as_str()), ("sim", iccid)];
        let answer = self.get(Call::get("/devices").query(&query)).await?;
        let (mut ours, odd) = answer.json::<DevicesDoc>()?.sound()?.links();
        ours.retain(|link| same_card(link.iccid(), iccid));
        if ours.iter().any(|link| !link.is_dead()) {
            ours.retain(|link| !link.is_dead());
        }
        match (ours.pop(), ours.is_empty()) {
            (Some(one), true) => Ok((one, answer.date)),
            (Some(_), false) => Err(unknown("Hologram lists more than one card with this ICCID")),
            (None, _) if odd => Err(unknown("Hologram's answer holds cards that make no sense")),
            (None, _) => {
                Err(never(RefusalKind::CardData, "Hologram does not know a card with this ICCID in this organisation"))
            }
        }
    }

    async fn get(&self, call: Call<'_>) -> Result<HttpAnswer, OperatorError> {
        self.pace.keep("").await;
        let answer = self.http.read(call.authorization(&self.authorization).header("accept", JSON)).await?;
        match answer.status {
            429 => Err(OperatorError::Later {
                retry_after: Some(answer.retry_after.unwrap_or(WAIT_WHEN_BUSY)),
                why: "Hologram asks for fewer calls".into(),
            }),
            _ => answer.checked(),
        }
    }

    async fn balance(&self) -> Result<Money, OperatorError> {
        let path = format!("/organizations/{}/balance", self.organisation);
        let data = self.get(Call::get(&path)).await?.json::<Envelope<BalanceDoc>>()?.sound()?;
        if data.orgid.as_ref().is_some_and(|id| id.as_str() != self.organisation) {
            return Err(unknown("Hologram's answer is about another organisation"));
        }
        data.balance(CURRENCY).map_err(unknown)
    }

    /// The limit of a card that has one, and the operator's clock.
    async fn limit(&self, card: &Card) -> Result<(CardLimit, Option<UnixTime>), OperatorError> {
        let (link, date) = self.one_link(card).await?;
        let limit = link.card_limit().map_err(unknown)?;
        Ok((limit.ok_or_else(|| no_limit(card, NAME))?, date))
    }

    fn prepared(&self, card: &Card, order: &Order) -> Result<PreparedOrder, OperatorError> {
        let limit = self.limits.of(iccid_of(card, NAME)?)?;
        wallet_only(order, NAME)?;
        no_code(order, NAME)?;
        let link = path_part(&limit.id, "an id of a link")?;
        let body = wire::limit_body(limit.raised(&order.plan.id)?);
        let path = format!("/links/cellular/{link}/limit/overage");
        Ok(PreparedOrder { key: order.key.clone(), path, content_type: JSON.into(), body })
    }

    async fn bought(&self, order: &PreparedOrder) -> BuyAnswer {
        let call = Call::post(&order.path, &order.content_type, &order.body);
        match self.http.buy(call.authorization(&self.authorization).header("accept", JSON)).await.answered() {
            Ok(answer) if answer.is_success() => taken(&answer, order),
            // No status and no text of a refusal is documented, so none is certain.
            Ok(answer) => answer.in_doubt(),
            Err(told) => told,
        }
    }
}

/// Success counts only for our card with our limit.
fn taken(answer: &HttpAnswer, order: &PreparedOrder) -> BuyAnswer {
    let doc = match answer.document::<Envelope<LinkDoc>>().map_err(unknown).and_then(Envelope::sound) {
        Ok(doc) => doc,
        Err(error) => {
            return BuyAnswer::Unknown { doubt: Doubt::Unreadable, detail: error.to_string(), retry_after: None };
        }
    };
    let Some(ours) = wire::limit_in(&order.body) else { return unproven("the order holds no limit") };
    if order.path != format!("/links/cellular/{}/limit/overage", doc.id) {
        return unproven("it is about another card");
    }
    match doc.overage() {
        Ok(Some(limit)) if limit == ours => BuyAnswer::Accepted { order_id: Some(limit_id(ours)), charged: None },
        Ok(_) => unproven("it does not tell our limit"),
        Err(why) => unproven(why),
    }
}

impl Operator for Hologram {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn terms(&self) -> Terms {
        terms()
    }

    fn contact(&self) -> Contact {
        self.http.contact()
    }

    fn read<'a>(&'a self, cards: &'a [Card], now: UnixTime) -> Answer<'a, Vec<Result<Reading, OperatorError>>> {
        Box::pin(self.readings(cards, now))
    }

    fn catalogue<'a>(&'a self, card: &'a Card, now: UnixTime) -> Answer<'a, Result<Catalogue, OperatorError>> {
        Box::pin(async move {
            let (limit, _) = self.limit(card).await?;
            self.limits.keep(iccid_of(card, NAME)?, Some(limit));
            Ok(Catalogue::of(now, raises(CURRENCY)))
        })
    }

    fn wallet(&self) -> Answer<'_, Result<Wallet, OperatorError>> {
        Box::pin(async move { Ok(Wallet { balance: Some(self.balance().await?), methods: vec![WALLET.into()] }) })
    }

    fn preflight<'a>(
        &'a self,
        card: &'a Card,
        plan: &'a Plan,
        _code: Option<&'a str>,
    ) -> Answer<'a, Result<Preflight, OperatorError>> {
        Box::pin(async move {
            let (limit, operator_time) = self.limit(card).await?;
            self.limits.unchanged(iccid_of(card, NAME)?, &limit)?;
            let offer = raises(CURRENCY).into_iter().find(|offer| offer.id == plan.id);
            Ok(Preflight { offer, operator_time })
        })
    }

    fn prepare(&self, card: &Card, order: &Order) -> Result<PreparedOrder, OperatorError> {
        self.prepared(card, order)
    }

    fn buy<'a>(&'a self, order: &'a PreparedOrder) -> Answer<'a, BuyAnswer> {
        Box::pin(self.bought(order))
    }

    fn find<'a>(&'a self, card: &'a Card, order: &'a SentOrder) -> Answer<'a, Result<Found, OperatorError>> {
        Box::pin(async move {
            let (link, _) = self.one_link(card).await?;
            match link.doc.overage().map_err(unknown)? {
                Some(limit) if limit < 0 => found(None, order),
                Some(limit) => found(Some(limit), order),
                None => Err(unknown("the card's answer holds no data limit")),
            }
        })
    }

    fn discover<'a>(&'a self, page: Option<&'a str>) -> Answer<'a, Result<CardPage, OperatorError>> {
        Box::pin(async move {
            let page = self.page(page).await?;
            Ok(CardPage { cards: page.links.iter().map(Link::listed).collect(), next: page.next })
        })
    }
}
