//! Orders: a top-up without a body, what its answer means, and how it is found again among all orders.
//!
//! Nothing of ours goes with a top-up, so a lost one is known again only by its type, its card and its date.

use jiff::tz::TimeZone;
use serde::Deserialize;

use super::session::Session;
use super::{EXTENSION, METHODS, NAME, TOPUP, short_iccid};
use crate::domain::card::{Card, tamed};
use crate::domain::money::{Currency, Money};
use crate::domain::operator::{BuyAnswer, Found, OperatorError, Order, PreparedOrder, RefusalKind, SentOrder};
use crate::domain::time::{Secs, UnixTime};
use crate::operators::http::HttpAnswer;
use crate::operators::kit::{
    JSON, Loose, never, no_code, not_bought, path_part, refused, same_card, time_in, unknown, unproven,
};

/// What means "not accepted, for certain": documented statuses, and the text of the only documented 400.
pub(super) const FINAL_CODES: &[&str] = &["400 Payment method used is not valid.", "403", "404", "422"];
/// The text of the only 400 that is documented.
const NO_SUCH_METHOD: &str = "Payment method used is not valid.";
/// Orders on one page, the most that is allowed.
const PER_PAGE: usize = 10;
/// Pages that a look-up reads.
const PAGES_MAX: usize = 100;
/// How far the operator's clock may be behind ours.
const BEFORE_SENDING: Secs = Secs::HOUR;

/// The exact request of an order: for a top-up all of it stands in the address, and the body is empty.
pub(super) fn prepared(card: &Card, order: &Order) -> Result<PreparedOrder, OperatorError> {
    let iccid = path_part(short_iccid(card)?, "an ICCID")?;
    let Some(method) = METHODS.iter().find(|method| **method == order.payment) else {
        let why = format!("1NCE is paid by {}; write one of them in the account's `payment`", METHODS.join(", "));
        return Err(never(RefusalKind::PaymentDeclined, why));
    };
    no_code(order, NAME)?;
    let (path, body) = match order.plan.id.as_str() {
        TOPUP => (format!("/v1/sims/{iccid}/topup?payment_method={method}"), Vec::new()),
        EXTENSION => {
            (format!("/v1/sims/extension?payment_method={method}"), format!(r#"{{"iccids":["{iccid}"]}}"#).into_bytes())
        }
        other => {
            let why = format!("1NCE sells `topup` and `extension`, not `{}`", tamed(other, 40));
            return Err(never(RefusalKind::PlanGone, why));
        }
    };
    Ok(PreparedOrder { key: order.key.clone(), path, content_type: JSON.into(), body })
}

/// Sends a prepared order.
pub(super) async fn buy(session: &Session, order: &PreparedOrder) -> BuyAnswer {
    let (path, query) = order.path.split_once('?').unwrap_or((&order.path, ""));
    let Some(method) = query.strip_prefix("payment_method=").filter(|method| METHODS.contains(method)) else {
        // Without a method, 1NCE would send an invoice by bank transfer.
        return BuyAnswer::NotSent { why: "the order names no way to pay".into() };
    };
    let query = [("payment_method", method)];
    match session.buy(path, &query, &order.content_type, &order.body).await.map(|outcome| outcome.answered()) {
        Ok(Ok(answer)) => outcome(&answer, path),
        Ok(Err(told)) => told,
        Err(error) => not_bought(error),
    }
}

/// What the answer to an order means. Its address alone says for which card it is.
fn outcome(answer: &HttpAnswer, path: &str) -> BuyAnswer {
    match answer.status {
        201 if path.ends_with("/extension") => BuyAnswer::Accepted { order_id: order_in(answer), charged: None },
        201 => match order_in(answer) {
            Some(id) => BuyAnswer::Accepted { order_id: Some(id), charged: None },
            None => unproven("it says created, but not under which number"),
        },
        400 => match answer.document::<MessageDoc>() {
            Ok(doc) if doc.message == NO_SUCH_METHOD => {
                refused(RefusalKind::PaymentDeclined, FINAL_CODES[0], &doc.message)
            }
            Ok(_) | Err(_) => answer.in_doubt(),
        },
        403 => refused(RefusalKind::CardData, "403", "the card does not belong to this customer"),
        404 => refused(RefusalKind::CardData, "404", "1NCE does not know this card"),
        422 => refused(RefusalKind::PlanGone, "422", "the card is expired; only an extension is possible"),
        _ => answer.in_doubt(),
    }
}

/// The number at the end of `Location`; the address itself is not followed.
fn order_in(answer: &HttpAnswer) -> Option<String> {
    let id = answer.header("location")?.rsplit_once("/orders/")?.1;
    is_number(id).then(|| id.to_owned())
}

fn is_number(id: &str) -> bool {
    (1..=20).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())
}

#[derive(Deserialize)]
struct MessageDoc {
    message: String,
}

/// An order: `GET /v1/orders/{number}`, and a row of `GET /v1/orders`.
#[derive(Debug, Deserialize)]
struct OrderDoc {
    order_number: Loose,
    order_type: String,
    order_date: Option<String>,
    order_status: String,
    invoice_amount: Option<Loose>,
    currency: Option<String>,
    sims: Option<Vec<OrderedSimDoc>>,
}

#[derive(Debug, Deserialize)]
struct OrderedSimDoc {
    iccid: Loose,
}

/// What an order is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Likeness {
    /// It can only be ours.
    Ours,
    /// It is about our card, but not of the type that we sent.
    Near,
    /// It is about something else.
    Other,
}

impl OrderDoc {
    fn placed_at(&self) -> Result<Option<UnixTime>, OperatorError> {
        self.order_date.as_deref().map(|date| time_in(date, &TimeZone::UTC)).transpose().map_err(unknown)
    }

    fn likeness(&self, iccid: &str, sent: &SentOrder) -> Result<Likeness, OperatorError> {
        let topped_up = matches!(self.order_type.as_str(), "TOPUP" | "BULK_TOPUP");
        let Some(sims) = &self.sims else {
            let wanted = topped_up || sent.plan_id != TOPUP;
            return if wanted { Err(unknown("an order of 1NCE does not tell its cards")) } else { Ok(Likeness::Other) };
        };
        if !sims.iter().any(|sim| same_card(sim.iccid.as_str(), iccid)) {
            return Ok(Likeness::Other);
        }
        let placed_at = self.placed_at()?.ok_or_else(|| unknown("an order for this card tells no date"))?;
        if placed_at < sent.first_sent_at.minus(BEFORE_SENDING) {
            return Ok(Likeness::Other);
        }
        Ok(match (sent.plan_id.as_str(), self.order_type.as_str()) {
            (TOPUP, "TOPUP") => Likeness::Ours,
            (TOPUP, "BULK_TOPUP") => Likeness::Near,
            (EXTENSION, "TOPUP" | "BULK_TOPUP" | "FIRST_ORDER" | "ADDITIONAL_ORDER") => Likeness::Other,
            // How an extension stands among the orders is not documented.
            (EXTENSION, _) => Likeness::Near,
            (_, _) => Likeness::Other,
        })
    }

    fn found(&self) -> Result<Found, OperatorError> {
        let order_id = tamed(self.order_number.as_str(), 40);
        if !is_number(&order_id) {
            return Err(unknown("an order of 1NCE has no number"));
        }
        Ok(match self.order_status.as_str() {
            "COMPLETED" => Found::Accepted { order_id, charged: self.charged() },
            // The other words are not documented: it exists, and it is not said to be done.
            _ => Found::Pending { order_id },
        })
    }

    /// The invoice's amount, with tax.
    fn charged(&self) -> Option<Money> {
        let currency = Currency::parse(self.currency.as_deref()?).ok()?;
        self.invoice_amount.as_ref()?.money(currency).ok()
    }
}

/// Looks for an order: by its number where it is known, else among the last ones.
pub(super) async fn find(session: &Session, card: &Card, sent: &SentOrder) -> Result<Found, OperatorError> {
    let iccid = short_iccid(card)?;
    if let Some(number) = sent.order_id.as_deref().filter(|id| is_number(id)) {
        let answer = session.get(&format!("/v1/orders/{number}"), &[]).await?;
        if answer.status != 404 {
            let doc: OrderDoc = answer.checked()?.json()?;
            let is_it = doc.order_number.as_str() == number
                && doc.sims.as_ref().is_some_and(|sims| sims.iter().any(|sim| same_card(sim.iccid.as_str(), iccid)));
            return if is_it {
                doc.found()
            } else {
                Err(unknown("1NCE answers with another order than was asked for"))
            };
        }
    }
    among_the_last(session, iccid, sent).await
}

/// Reads the list from its end, since it is in the order of the numbers, until a whole page is older than ours.
async fn among_the_last(session: &Session, iccid: &str, sent: &SentOrder) -> Result<Found, OperatorError> {
    let (first, pages) = page(session, 1).await?;
    let mut ours = Vec::new();
    let mut near = 0_usize;
    let mut number = pages;
    let mut read = 0_usize;
    let mut kept_first = Some(first);
    while number >= 1 {
        read += 1;
        if read > PAGES_MAX {
            return Err(unknown(format!("1NCE lists more than {PAGES_MAX} pages of orders since this one was sent")));
        }
        let rows = match kept_first.take_if(|_| number == 1) {
            Some(rows) => rows,
            None => page(session, number).await?.0,
        };
        let mut all_older = !rows.is_empty();
        for row in rows {
            // Of orders for other cards an odd date matters only here, and then the reading goes on.
            let placed_at = row.placed_at().ok().flatten();
            all_older &= placed_at.is_some_and(|at| at < sent.first_sent_at.minus(Secs::DAY));
            match row.likeness(iccid, sent)? {
                Likeness::Ours => ours.push(row),
                Likeness::Near => near += 1,
                Likeness::Other => {}
            }
        }
        if all_older {
            break;
        }
        number -= 1;
    }
    match (ours.as_slice(), near) {
        ([one], _) => one.found(),
        ([], 0) if sent.plan_id == TOPUP => Ok(Found::Nothing),
        ([], 0) => Err(unknown("1NCE does not document where an extension is listed; its absence proves nothing")),
        ([], _) => Err(unknown("1NCE lists an order for this card that may be ours, of another type")),
        (_, _) => Err(unknown("1NCE lists more than one top-up of this card since the order was sent")),
    }
}

/// A page of the list, and how many pages there are.
async fn page(session: &Session, number: usize) -> Result<(Vec<OrderDoc>, usize), OperatorError> {
    let (number, size) = (number.to_string(), PER_PAGE.to_string());
    let query = [("page", number.as_str()), ("pageSize", size.as_str()), ("sort", "order_number")];
    let answer = session.get("/v1/orders", &query).await?.checked()?;
    let rows: Vec<OrderDoc> = answer.json()?;
    let told = answer.header("x-total-pages").and_then(|pages| pages.trim().parse::<usize>().ok());
    match told {
        Some(pages) => Ok((rows, pages.max(1))),
        None if rows.len() < PER_PAGE => Ok((rows, 1)),
        None => Err(unknown("1NCE does not tell how many pages of orders there are")),
    }
}
