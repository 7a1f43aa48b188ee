//! Telnyx wireless API v2: SIM cards that are charged to one account as they are used.
//!
//! A card has a data limit for each billing cycle and nothing that is bought for it alone, so a card is renewed by
//! raising its limit. The account's balance is never topped up from here: a thousand cards share it.
//!
//! Facts come from the vendor's OpenAPI document of 2026-02-26. What it does not say is declared as the most careful
//! choice.

mod wire;

use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::OnceCell;

use self::wire::{BalanceDoc, PageDoc, SimDoc, Wrapped};
use super::http::{Call, HttpAnswer, HttpClient, HttpSetupError, Way};
use super::kit::{
    CardLimit, IccidMap, JSON, Limits, Listing, Pace, found, iccid_of, limit_id, never, no_code, no_limit, path_part,
    raises, same_card, unknown, unproven, wallet_only,
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
const BASE_URL: &str = "https://api.telnyx.com/v2";
/// The only host.
const HOST: &str = "api.telnyx.com";
/// The operator's name in messages.
const NAME: &str = "Telnyx";
/// What used data is charged to.
const WALLET: &str = "wallet";
/// Cards on one page, the most that is allowed.
const PAGE_SIZE: usize = 250;
/// Pages of a list that is believed to end.
const PAGES_MAX: u32 = 400;
/// Decoded bytes of one page; a card takes about one and a half thousand.
const PAGE_BYTES_MAX: usize = 4 << 20;
/// Digits that a number has in either of its forms.
const SHORT_DIGITS: usize = 19;

/// What Telnyx can do.
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
    // A list of 250 cards a page.
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

/// Telnyx in the list of kinds.
pub const KIND: Kind = Kind {
    name: "telnyx",
    about: "SIM cards charged by use (API v2): data limits are raised",
    capabilities: CAPABILITIES,
    terms,
};

fn terms() -> Terms {
    Terms::of(&[HOST], &[], &[WALLET], &["iccid"])
}

/// One account at Telnyx.
pub struct Telnyx {
    http: HttpClient,
    key: SecretString,
    pace: Pace,
    listing: Listing<SimDoc>,
    limits: Limits,
    /// The currency of the account, asked once.
    currency: OnceCell<Currency>,
}

impl std::fmt::Debug for Telnyx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Telnyx")
    }
}

/// A page of the account's cards.
struct Page {
    cards: Vec<SimDoc>,
    is_last: bool,
}

impl Telnyx {
    /// An account with its API v2 key. Touches no network.
    ///
    /// # Errors
    /// The address is not Telnyx's, or this system has no certificates.
    pub fn open(way: &Way, api_key: SecretString) -> Result<Self, HttpSetupError> {
        let settings = way.settings(BASE_URL, &[HOST], CAPABILITIES.processing_max);
        Ok(Self {
            http: HttpClient::new(&settings)?,
            key: api_key,
            // No limit is published: no faster than five a second for long.
            pace: Pace::new(20, Duration::from_secs(4)),
            listing: Listing::default(),
            limits: Limits::default(),
            currency: OnceCell::new(),
        })
    }

    async fn readings(&self, cards: &[Card], now: UnixTime) -> Vec<Result<Reading, OperatorError>> {
        let list = match self.listing.for_many(cards.len(), now, self.all_cards()).await {
            Ok(list) => list,
            Err(error) => return cards.iter().map(|_| Err(error.clone())).collect(),
        };
        let mut readings = Vec::with_capacity(cards.len());
        for card in cards {
            let listed = list.as_ref().and_then(|list| Some((list.rows.get(card.iccid.as_ref()?.digits())?, list)));
            readings.push(match listed {
                Some((doc, list)) => self.told(card, doc, list.asked_at, now),
                // A card that the list lacks, or had in a row that made no sense, is asked for by itself.
                None => match self.one_card(card).await {
                    Ok((doc, _)) => self.told(card, &doc, now, now),
                    Err(error) => Err(error),
                },
            });
        }
        readings
    }

    fn told(&self, card: &Card, doc: &SimDoc, as_of: UnixTime, now: UnixTime) -> Result<Reading, OperatorError> {
        let iccid = iccid_of(card, NAME)?;
        let limit = doc.card_limit().map_err(unknown)?;
        let reading = doc.reading(limit.as_ref(), as_of, now);
        self.limits.keep(iccid, limit);
        Ok(reading)
    }

    /// Every card of the account, and how many pages they took.
    async fn all_cards(&self) -> Result<(IccidMap<SimDoc>, usize), OperatorError> {
        let mut rows = IccidMap::default();
        for number in 1..=PAGES_MAX {
            let page = self.page(number).await?;
            for doc in page.cards {
                rows.insert(doc.iccid.as_str().to_owned(), doc);
            }
            if page.is_last {
                return Ok((rows, number as usize));
            }
        }
        Err(unknown(format!("Telnyx's list of cards does not end after {PAGES_MAX} pages and {} cards", rows.len())))
    }

    async fn page(&self, number: u32) -> Result<Page, OperatorError> {
        let (number_text, size) = (number.to_string(), PAGE_SIZE.to_string());
        let query = [("page[number]", number_text.as_str()), ("page[size]", size.as_str())];
        let call = Call::get("/sim_cards").query(&query).body_bytes_max(PAGE_BYTES_MAX);
        let doc: PageDoc = self.get(call).await?.json()?;
        let full = doc.data.len() >= PAGE_SIZE;
        let is_last = doc.data.is_empty() || doc.pages().map_or(!full, |pages| i64::from(number) >= pages);
        Ok(Page { cards: doc.cards(), is_last })
    }

    /// One card by its ICCID, and the operator's clock. The filter finds parts of numbers, so what it finds is compared.
    async fn one_card(&self, card: &Card) -> Result<(SimDoc, Option<UnixTime>), OperatorError> {
        let iccid = iccid_of(card, NAME)?;
        // Telnyx may have the number without its check digit.
        let shared = iccid.get(..SHORT_DIGITS).unwrap_or(iccid);
        let query = [("filter[iccid]", shared), ("page[size]", "250")];
        let answer = self.get(Call::get("/sim_cards").query(&query)).await?;
        let doc: PageDoc = answer.json()?;
        let rows = doc.data.len();
        let mut ours: Vec<SimDoc> = doc.cards();
        let odd = rows - ours.len();
        ours.retain(|row| same_card(row.iccid.as_str(), iccid));
        if ours.iter().any(|row| row.iccid.as_str() == iccid) {
            ours.retain(|row| row.iccid.as_str() == iccid);
        }
        match (ours.pop(), ours.is_empty()) {
            (Some(one), true) => Ok((one, answer.date)),
            (Some(_), false) => Err(unknown("Telnyx lists more than one card with this ICCID")),
            (None, _) if odd > 0 => Err(unknown("Telnyx's answer holds cards that make no sense")),
            (None, _) => {
                Err(never(RefusalKind::CardData, "Telnyx does not know a card with this ICCID in this account"))
            }
        }
    }

    async fn get(&self, call: Call<'_>) -> Result<HttpAnswer, OperatorError> {
        self.pace.keep("").await;
        self.http.read(call.bearer(&self.key).header("accept", JSON)).await?.checked()
    }

    async fn balance(&self) -> Result<(Option<Money>, Currency), OperatorError> {
        let Wrapped { data } = self.get(Call::get("/balance")).await?.json::<Wrapped<BalanceDoc>>()?;
        let currency = Currency::parse(&data.currency).map_err(unknown)?;
        Ok((data.to_spend(currency).map_err(unknown)?, currency))
    }

    async fn currency(&self) -> Result<Currency, OperatorError> {
        self.currency.get_or_try_init(async || Ok(self.balance().await?.1)).await.copied()
    }

    /// The raises for a card, with its limit and the operator's clock.
    async fn offers(&self, card: &Card) -> Result<(Vec<Plan>, CardLimit, Option<UnixTime>), OperatorError> {
        let currency = self.currency().await?;
        let (doc, date) = self.one_card(card).await?;
        let limit = doc.card_limit().map_err(unknown)?.ok_or_else(|| no_limit(card, NAME))?;
        Ok((raises(currency), limit, date))
    }

    fn prepared(&self, card: &Card, order: &Order) -> Result<PreparedOrder, OperatorError> {
        let limit = self.limits.of(iccid_of(card, NAME)?)?;
        wallet_only(order, NAME)?;
        no_code(order, NAME)?;
        let id = path_part(&limit.id, "an id of a card")?;
        let body = wire::limit_body(limit.raised(&order.plan.id)?, limit.unit);
        let path = format!("/sim_cards/{id}");
        Ok(PreparedOrder { key: order.key.clone(), path, content_type: JSON.into(), body })
    }

    async fn bought(&self, order: &PreparedOrder) -> BuyAnswer {
        let call = Call::patch(&order.path, &order.content_type, &order.body);
        match self.http.buy(call.bearer(&self.key).header("accept", JSON)).await.answered() {
            Ok(answer) if answer.is_success() => taken(&answer, order),
            Ok(answer) => answer.in_doubt(),
            Err(told) => told,
        }
    }
}

/// Success counts only for our card with our limit. A limit that is still the old one may be on its way.
fn taken(answer: &HttpAnswer, order: &PreparedOrder) -> BuyAnswer {
    let doc = match answer.document::<Wrapped<SimDoc>>() {
        Ok(Wrapped { data }) => data,
        Err(why) => return BuyAnswer::Unknown { doubt: Doubt::Unreadable, detail: why, retry_after: None },
    };
    let Some(ours) = wire::limit_in(&order.body) else { return unproven("the order holds no limit") };
    if order.path.strip_prefix("/sim_cards/") != Some(doc.id.as_str()) {
        return unproven("it is about another card");
    }
    match doc.limit_bytes() {
        Ok(Some(limit)) if limit == ours => BuyAnswer::Accepted { order_id: Some(limit_id(ours)), charged: None },
        Ok(_) => unproven("it does not tell our limit"),
        Err(why) => unproven(why),
    }
}

impl Operator for Telnyx {
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
            let (plans, limit, _) = self.offers(card).await?;
            self.limits.keep(iccid_of(card, NAME)?, Some(limit));
            Ok(Catalogue::of(now, plans))
        })
    }

    fn wallet(&self) -> Answer<'_, Result<Wallet, OperatorError>> {
        Box::pin(async move { Ok(Wallet { balance: self.balance().await?.0, methods: vec![WALLET.into()] }) })
    }

    fn preflight<'a>(
        &'a self,
        card: &'a Card,
        plan: &'a Plan,
        _code: Option<&'a str>,
    ) -> Answer<'a, Result<Preflight, OperatorError>> {
        Box::pin(async move {
            let (plans, limit, operator_time) = self.offers(card).await?;
            self.limits.unchanged(iccid_of(card, NAME)?, &limit)?;
            Ok(Preflight { offer: plans.into_iter().find(|offer| offer.id == plan.id), operator_time })
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
            let (doc, _) = self.one_card(card).await?;
            let limit = doc.limit_bytes().map_err(unknown)?;
            // A card that never tells a limit was not ours to raise.
            found(Some(limit.ok_or_else(|| unknown("the card's answer holds no data limit"))?), order)
        })
    }

    fn discover<'a>(&'a self, page: Option<&'a str>) -> Answer<'a, Result<CardPage, OperatorError>> {
        Box::pin(async move {
            let number: u32 =
                page.unwrap_or("1").parse().map_err(|_| unknown("that is not a page of Telnyx's list"))?;
            let page = self.page(number).await?;
            let next = (!page.is_last && number < PAGES_MAX).then(|| (number + 1).to_string());
            Ok(CardPage { cards: page.cards.iter().map(SimDoc::listed).collect(), next })
        })
    }
}
