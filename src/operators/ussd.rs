//! A card that sits in a modem of this machine: read by a USSD code, topped up by vouchers that were paid for before,
//! all through ModemManager's D-Bus interface.
//!
//! Facts come from ModemManager's published interface files and source (1.20.4). What an operator answers is known to
//! nobody but its customers, so that every code and every pattern is written by the person who has the card: nothing that
//! reads is put together by the daemon, since on the same network a neighbouring code may spend.
//!
//! A text that no pattern fits is an unknown reading, never a balance of nothing. A top-up counts as taken or refused only
//! if the person's own patterns say so; everything else is unknown, and stays with the readings that follow.

mod messages;
mod modem;
mod numbers;
mod patterns;
mod setup;
mod top_up;
mod trouble;
mod vouchers;

pub use self::setup::{Ends, MenuStep, SmsAnswer, TopUp, UssdSettings, UssdSetupError, VoucherList};

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use self::modem::{Bus, Modem};
use self::patterns::{Patterns, Told};
use self::top_up::{Counter, PAYMENT, REFUSED};
use self::trouble::Trouble;
use super::{Answer, Operator};
use crate::domain::card::Card;
use crate::domain::identity::Iccid;
use crate::domain::operator::{
    BuyAnswer, Capabilities, Found, Lookup, MOST_CAREFUL, OperatorError, Order, Preflight, PreparedOrder, Proof,
    RefusalKind, Repeat, SentOrder, Terms, Wallet,
};
use crate::domain::plan::{Catalogue, Plan};
use crate::domain::reading::Reading;
use crate::domain::time::{Secs, UnixTime};

/// For how long an answer stays as it is. No operator says; each reading also takes the modem for a while.
pub const CACHED_FOR: Secs = MOST_CAREFUL.cached_for;

/// What a card in a modem can do. No operator documents its USSD, so that nearly everything is the most careful choice.
const CAPABILITIES: Capabilities = Capabilities {
    // ModemManager's AT code sends a code a second time, unencoded, if the modem refuses it encoded: one call may reach
    // the network twice. A voucher is worth something once only, but nothing promises what the second answer says.
    repeat: Repeat::Pays,
    // A voucher is never offered to two orders.
    burns_key: true,
    // USSD has no list of past top-ups.
    lookup: Lookup::None,
    // A voucher puts money on the card and tells no id.
    proof: Proof::Balance,
    // One exchange is one card's.
    read_batch: 1,
    cached_for: CACHED_FOR,
    ..MOST_CAREFUL
};

/// Cards on a bus with which an exchange is under way or was: one at a time each, over all accounts, also while a new
/// configuration takes over from an old one. Without it a reading would end a top-up that is on its way.
static LINES: LazyLock<Mutex<BTreeMap<Place, Line>>> = LazyLock::new(Mutex::default);

/// A bus, and the number of a card.
type Place = (Option<String>, String);
/// The turns of one card.
type Line = Arc<tokio::sync::Mutex<()>>;

/// Cards of one operator in modems of this machine.
pub struct Ussd {
    bus: Option<String>,
    code: String,
    patterns: Patterns,
    limit: Duration,
    sms: Option<SmsAnswer>,
    counter: Option<Counter>,
}

impl std::fmt::Debug for Ussd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ussd").field("code", &self.code).finish_non_exhaustive()
    }
}

impl Ussd {
    /// What the settings describe. Touches no modem; the lists of vouchers are read once, so that what is wrong with them is
    /// logged before they are needed.
    ///
    /// # Errors
    /// Says which setting cannot work and what would be right.
    pub fn new(settings: UssdSettings) -> Result<Self, UssdSetupError> {
        setup::checked(&settings)?;
        let patterns = Patterns::new(&settings)?;
        let counter = settings.top_up.map(Counter::new).transpose()?;
        if let Some(why) = counter.as_ref().and_then(Counter::fault) {
            tracing::error!(%why, "no card is topped up by vouchers until this is mended");
        }
        let UssdSettings { bus, read: code, limit, sms, .. } = settings;
        Ok(Self { bus, code, patterns, limit, sms, counter })
    }

    async fn reading(&self, card: &Card, now: UnixTime) -> Result<Reading, OperatorError> {
        let iccid = iccid_of(card)?;
        let text = self.asked(iccid).await.map_err(Trouble::into_error)?;
        self.told(&text, now)
    }

    /// The reading that a text tells, by the patterns of this account.
    ///
    /// # Errors
    /// The text says that nothing can be told now, or no pattern makes sense of it.
    pub fn told(&self, text: &str, now: UnixTime) -> Result<Reading, OperatorError> {
        match self.patterns.told(text, now) {
            Told::Reading(reading) => Ok(*reading),
            Told::NotNow(why) => Err(OperatorError::Later { retry_after: None, why }),
            Told::Nothing(why) => Err(OperatorError::Unknown { why }),
        }
    }

    /// The text that answers the reading code: on the exchange, at the end of the menu if there is one, or by message.
    async fn asked(&self, iccid: &Iccid) -> Result<String, Trouble> {
        let line = self.line_of(iccid);
        let _turn = tokio::time::timeout(self.limit, line.lock()).await.map_err(|_| Trouble::Busy)?;
        let modem = self.modem(iccid).await?;
        let before = if self.sms.is_some() { modem.messages().await? } else { Vec::new() };
        let answer = self.dialogue(&modem).await;
        modem.close().await;
        match (&self.sms, answer) {
            // Who sends a message may well end the exchange without a word.
            (Some(sms), Ok(_) | Err(Trouble::Ended)) => {
                messages::answer(&modem, sms, &before, self.limit, |text| self.patterns.fit(text)).await
            }
            (_, answer) => answer,
        }
    }

    async fn dialogue(&self, modem: &Modem) -> Result<String, Trouble> {
        let mut text = modem.initiate(&self.code).await?;
        for step in self.patterns.menu() {
            if !step.fits(&text) {
                return Err(Trouble::OtherMenu(patterns::shown(&text)));
            }
            text = modem.respond(&step.reply).await?;
        }
        Ok(text)
    }

    /// The modem that holds the card at this moment, with no exchange open.
    async fn modem(&self, iccid: &Iccid) -> Result<Modem, Trouble> {
        let bus = Bus::open(self.bus.as_deref(), self.limit).await?;
        let modem = bus.modem_of(iccid).await?;
        modem.make_idle().await?;
        Ok(modem)
    }

    /// What time it is by the network that the card is in.
    async fn network_time(&self, iccid: &Iccid) -> Result<Option<UnixTime>, Trouble> {
        let bus = Bus::open(self.bus.as_deref(), self.limit).await?;
        Ok(bus.modem_of(iccid).await?.network_time().await)
    }

    async fn bought(&self, order: &PreparedOrder) -> BuyAnswer {
        let Some(counter) = &self.counter else { return not_sent("this account no longer tops up") };
        let ticket = match counter.ticket(order) {
            Ok(ticket) => ticket,
            Err(why) => return counter.gave_up(order, why),
        };
        let line = self.line_of(&ticket.iccid);
        let Ok(_turn) = tokio::time::timeout(self.limit, line.lock()).await else {
            return counter.gave_up(order, Trouble::Busy.to_string());
        };
        let modem = match self.modem(&ticket.iccid).await {
            Ok(modem) => modem,
            Err(trouble) => return counter.gave_up(order, trouble.to_string()),
        };
        if let Err(answer) = counter.mark(order, &ticket).await {
            return answer;
        }
        let answer = modem.initiate(&ticket.dial).await;
        modem.close().await;
        counter.outcome(order, &ticket, answer).await
    }

    fn line_of(&self, iccid: &Iccid) -> Line {
        let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(lines.entry((self.bus.clone(), iccid.digits().to_owned())).or_default())
    }

    fn counter(&self) -> Result<&Counter, OperatorError> {
        self.counter.as_ref().ok_or_else(|| OperatorError::Never {
            kind: RefusalKind::Other,
            why: "this account only reads; add [operator.NAME.top_up] to top up by vouchers".into(),
        })
    }
}

fn iccid_of(card: &Card) -> Result<&Iccid, OperatorError> {
    card.iccid.as_ref().ok_or_else(|| OperatorError::Never {
        kind: RefusalKind::CardData,
        why: "a card in a modem is known by its ICCID; add `iccid` to the card".into(),
    })
}

fn not_sent(why: &str) -> BuyAnswer {
    BuyAnswer::NotSent { why: why.to_owned() }
}

impl Operator for Ussd {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn terms(&self) -> Terms {
        let (codes, methods): (&[&str], &[&str]) =
            if self.counter.is_some() { (&[REFUSED], &[PAYMENT]) } else { (&[], &[]) };
        Terms::of(&[], codes, methods, &["iccid"])
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

    fn catalogue<'a>(&'a self, _card: &'a Card, now: UnixTime) -> Answer<'a, Result<Catalogue, OperatorError>> {
        Box::pin(async move {
            let plans = self.counter.as_ref().map_or_else(|| Ok(Vec::new()), Counter::plans)?;
            Ok(Catalogue::of(now, plans))
        })
    }

    fn wallet(&self) -> Answer<'_, Result<Wallet, OperatorError>> {
        // Vouchers are paid for before; how many are left is what the catalogue tells.
        let methods = self.counter.iter().map(|_| PAYMENT.to_owned()).collect();
        Box::pin(async { Ok(Wallet { balance: None, methods }) })
    }

    fn preflight<'a>(
        &'a self,
        card: &'a Card,
        plan: &'a Plan,
        _code: Option<&'a str>,
    ) -> Answer<'a, Result<Preflight, OperatorError>> {
        Box::pin(async move {
            let plans = self.counter()?.plans()?;
            let operator_time = self.network_time(iccid_of(card)?).await.map_err(Trouble::into_error)?;
            Ok(Preflight { offer: plans.into_iter().find(|offer| offer.id == plan.id), operator_time })
        })
    }

    fn prepare(&self, card: &Card, order: &Order) -> Result<PreparedOrder, OperatorError> {
        self.counter()?.prepared(iccid_of(card)?, order)
    }

    fn buy<'a>(&'a self, order: &'a PreparedOrder) -> Answer<'a, BuyAnswer> {
        Box::pin(self.bought(order))
    }

    fn find<'a>(&'a self, _card: &'a Card, _order: &'a SentOrder) -> Answer<'a, Result<Found, OperatorError>> {
        let why = "USSD keeps no list of top-ups; the balance or a person must tell".to_owned();
        Box::pin(async { Err(OperatorError::Unknown { why }) })
    }
}
