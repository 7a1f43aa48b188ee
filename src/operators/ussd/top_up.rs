//! Topping up: which voucher an order takes, what is dialled, and what the answer means.
//!
//! The order's bytes name the card, the code with its place, and the voucher by its fingerprint; the voucher itself stays
//! in the list of its owner, so that the record and its backups hold nothing that could be spent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use regex::Regex;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use super::patterns::{regexes, shown};
use super::setup::{PLACE, TopUp, UssdSetupError, VoucherList};
use super::trouble::Trouble;
use super::vouchers::{Book, Marked, Voucher, listed};
use crate::domain::identity::Iccid;
use crate::domain::money::Money;
use crate::domain::operator::{BuyAnswer, Doubt, OperatorError, Order, OrderKey, PreparedOrder, Refusal, RefusalKind};
use crate::domain::plan::{Contents, Plan};

/// The code of a refusal: that a pattern of the person says so.
pub(super) const REFUSED: &str = "refused";
/// The only way to pay: with a voucher that was paid for before.
pub(super) const PAYMENT: &str = "voucher";

/// The bytes of an order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderDoc {
    iccid: String,
    plan: String,
    code: String,
    voucher: String,
}

/// An order, ready to be dialled.
pub(super) struct Ticket {
    /// The card.
    pub(super) iccid: Iccid,
    /// The code with its voucher.
    pub(super) dial: String,
    voucher: Voucher,
}

/// Where vouchers are kept and handed out.
#[derive(Debug)]
pub(super) struct Counter {
    code: String,
    success: Vec<Regex>,
    refused: Vec<Regex>,
    lists: Vec<VoucherList>,
    book: Book,
    /// Vouchers by the keys of the orders that name them, from the naming to the end of the sending.
    named: Mutex<BTreeMap<String, String>>,
}

impl Counter {
    pub(super) fn new(top_up: TopUp) -> Result<Self, UssdSetupError> {
        let TopUp { code, success, refused, lists, used } = top_up;
        for (at, list) in lists.iter().enumerate() {
            if lists[..at].iter().any(|other| other.worth == list.worth) {
                let why = format!("two lists of vouchers are worth {}; put them into one file", list.worth);
                return Err(UssdSetupError::Other(why));
            }
        }
        let (success, refused) = (regexes("success", &success)?, regexes("refused", &refused)?);
        let (book, named) = (Book::new(used), Mutex::default());
        Ok(Self { code, success, refused, lists, book, named })
    }

    /// What is wrong with the lists and the book at this moment. It stops top-ups, and only those: cards must be read all
    /// the same.
    pub(super) fn fault(&self) -> Option<String> {
        let mut known = BTreeSet::new();
        for list in &self.lists {
            let vouchers = match listed(list) {
                Ok(vouchers) => vouchers,
                Err(why) => return Some(why),
            };
            if vouchers.into_iter().any(|voucher| !known.insert(voucher.fingerprint)) {
                return Some(format!("a voucher of {} stands in another list, too", list.path.display()));
            }
        }
        self.book.sent().err()
    }

    /// One plan for each list that has a voucher left.
    pub(super) fn plans(&self) -> Result<Vec<Plan>, OperatorError> {
        let mut plans = Vec::new();
        for list in &self.lists {
            if self.next(list, None)?.is_some() {
                plans.push(plan_of(list));
            }
        }
        Ok(plans)
    }

    /// The order's bytes, with the voucher that it takes. An order that is prepared again keeps its voucher.
    pub(super) fn prepared(&self, iccid: &Iccid, order: &Order) -> Result<PreparedOrder, OperatorError> {
        let never = |kind, why: &str| OperatorError::Never { kind, why: why.to_owned() };
        if order.payment != PAYMENT {
            return Err(never(
                RefusalKind::Other,
                "a card in a modem is topped up by vouchers; write payment = \"voucher\"",
            ));
        }
        if order.code.is_some() {
            return Err(never(RefusalKind::BadCode, "vouchers take no discount codes"));
        }
        let list = self.lists.iter().find(|list| plan_of(list) == order.plan);
        let list = list.ok_or_else(|| never(RefusalKind::PlanGone, "there is no list of such vouchers any more"))?;
        let voucher = self.next(list, Some(&order.key))?;
        let voucher = voucher.ok_or_else(|| never(RefusalKind::PlanGone, "no voucher is left"))?;
        let document = OrderDoc {
            iccid: iccid.digits().to_owned(),
            plan: order.plan.id.clone(),
            code: self.code.clone(),
            voucher: voucher.fingerprint,
        };
        let body = serde_json::to_vec(&document).map_err(|error| OperatorError::Unknown { why: error.to_string() })?;
        Ok(PreparedOrder {
            key: order.key.clone(),
            path: "Initiate".into(),
            content_type: "application/json".into(),
            body,
        })
    }

    /// The first voucher of a list that was not sent. For an order: its own one first, else one that no other order
    /// names, and it is named for it.
    fn next(&self, list: &VoucherList, key: Option<&OrderKey>) -> Result<Option<Voucher>, OperatorError> {
        // Not the operator's failure, so that nothing is postponed but the top-up.
        let never = |why| OperatorError::Never { kind: RefusalKind::Other, why };
        if let Some(why) = self.fault() {
            return Err(never(why));
        }
        let (vouchers, sent) = (listed(list).map_err(never)?, self.book.sent().map_err(never)?);
        let mut left = vouchers.into_iter().filter(|voucher| !sent.contains_key(&voucher.fingerprint));
        let Some(key) = key else { return Ok(left.next()) };
        let mut named = self.named();
        let own = named.get(key.as_str()).cloned();
        let mut left: Vec<Voucher> = left.collect();
        let is_own = |voucher: &Voucher| own.as_ref() == Some(&voucher.fingerprint);
        left.retain(|voucher| is_own(voucher) || !named.values().any(|taken| *taken == voucher.fingerprint));
        if left.is_empty() {
            return Ok(None);
        }
        let place = left.iter().position(is_own).unwrap_or(0);
        let voucher = left.swap_remove(place);
        named.insert(key.as_str().to_owned(), voucher.fingerprint.clone());
        Ok(Some(voucher))
    }

    /// What is dialled for an order.
    pub(super) fn ticket(&self, order: &PreparedOrder) -> Result<Ticket, String> {
        let document: OrderDoc = serde_json::from_slice(&order.body).map_err(|error| error.to_string())?;
        let iccid = Iccid::parse(&document.iccid)?;
        for list in &self.lists {
            let found = listed(list)?.into_iter().find(|voucher| voucher.fingerprint == document.voucher);
            if let Some(voucher) = found {
                let dial = document.code.replacen(PLACE, voucher.code.expose_secret(), 1);
                return Ok(Ticket { iccid, dial, voucher });
            }
        }
        Err("the voucher of this order is no longer in its list".into())
    }

    /// Writes the voucher into the book; if that fails, the answer to the order, which was not sent.
    pub(super) async fn mark(&self, order: &PreparedOrder, ticket: &Ticket) -> Result<(), BuyAnswer> {
        let (book, key) = (self.book.clone(), order.key.clone());
        let voucher = Voucher { code: ticket.voucher.code.clone(), fingerprint: ticket.voucher.fingerprint.clone() };
        let marked = tokio::task::spawn_blocking(move || book.mark(&voucher, &key)).await;
        match marked.map_err(|error| error.to_string()).flatten() {
            Ok(Marked::Now) => Ok(()),
            Ok(Marked::Before(key)) if key == order.key.as_str() => Err(BuyAnswer::Unknown {
                doubt: Doubt::AlreadyUsed,
                detail: "the voucher of this order was sent before".into(),
                retry_after: None,
            }),
            Ok(Marked::Before(_)) => Err(self.gave_up(order, "another order took this voucher meanwhile".into())),
            Err(why) => Err(self.gave_up(order, why)),
        }
    }

    /// The answer to an order that was certainly not sent; its voucher is free for others.
    pub(super) fn gave_up(&self, order: &PreparedOrder, why: String) -> BuyAnswer {
        self.named().remove(order.key.as_str());
        BuyAnswer::NotSent { why }
    }

    /// What came of a voucher that was sent.
    pub(super) async fn outcome(
        &self,
        order: &PreparedOrder,
        ticket: &Ticket,
        answer: Result<String, Trouble>,
    ) -> BuyAnswer {
        let told = match answer {
            Ok(text) => self.told(&text),
            Err(trouble) if trouble.was_turned_away() => return self.turned_away(order, ticket, &trouble).await,
            Err(trouble) => {
                BuyAnswer::Unknown { doubt: trouble.doubt(), detail: trouble.to_string(), retry_after: None }
            }
        };
        self.named().remove(order.key.as_str());
        told
    }

    async fn turned_away(&self, order: &PreparedOrder, ticket: &Ticket, trouble: &Trouble) -> BuyAnswer {
        let (book, key) = (self.book.clone(), order.key.clone());
        let fingerprint = ticket.voucher.fingerprint.clone();
        let freed = tokio::task::spawn_blocking(move || book.free(&fingerprint, &key)).await;
        if let Err(why) = freed.map_err(|error| error.to_string()).flatten() {
            tracing::warn!(%why, "a voucher that was not sent stays in the book as sent");
        }
        self.gave_up(order, trouble.to_string())
    }

    /// What the network's text means: only the person's patterns make it certain, and only if they agree.
    fn told(&self, text: &str) -> BuyAnswer {
        let fits = |patterns: &[Regex]| patterns.iter().any(|pattern| pattern.is_match(text));
        match (fits(&self.success), fits(&self.refused)) {
            (true, false) => BuyAnswer::Accepted { order_id: None, charged: None },
            (false, true) => BuyAnswer::Refused(Refusal {
                // Whether another voucher would fare better nobody knows, and some operators lock a card after a few
                // wrong ones: a person looks first.
                kind: RefusalKind::Other,
                code: REFUSED.into(),
                text: shown(text),
            }),
            (true, true) => unproven(format!("patterns of success and of refusal fit it: {}", shown(text))),
            (false, false) => unproven(format!("no pattern of success or refusal fits it: {}", shown(text))),
        }
    }

    fn named(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.named.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unproven(detail: String) -> BuyAnswer {
    BuyAnswer::Unknown { doubt: Doubt::Unproven, detail, retry_after: None }
}

fn plan_of(list: &VoucherList) -> Plan {
    let amount = plain_amount(list.worth);
    let currency = list.worth.currency();
    Plan {
        id: format!("voucher-{amount}-{currency}"),
        name: format!("Voucher {amount} {currency}"),
        contents: Contents { credit: Some(list.worth), ..Contents::default() },
        validity_secs: None,
        price: list.price,
    }
}

/// An amount without needless zeros: `10`, `7.5`.
fn plain_amount(money: Money) -> String {
    rust_decimal::Decimal::new(money.ten_thousandths(), 4).normalize().to_string()
}
