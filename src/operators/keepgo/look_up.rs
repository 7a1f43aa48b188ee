//! An order, found again. Keepgo keeps no reference of ours, so it is known by its line, its size and its time among the
//! transactions, and by the data bundle that was not there before.

use jiff::tz::TimeZone;

use super::lines;
use super::reading::KB_PER_MB;
use super::refills::parsed;
use super::session::{Session, of_line, told};
use super::wire::{BundleDoc, TransactionDoc, TransactionsDoc};
use crate::domain::attempt::Snapshot;
use crate::domain::card::tamed;
use crate::domain::money::{Currency, Money};
use crate::domain::operator::{Found, OperatorError, SentOrder};
use crate::domain::time::Secs;
use crate::operators::kit::{same_card, time_in, unknown};

/// Pages of transactions that are read.
const PAGES_MAX: u32 = 50;
/// A transaction may bear a time this much before ours, since clocks differ.
const EARLIER: Secs = Secs::HOUR;
/// The only status that is documented.
const COMPLETED: &str = "Completed";
/// What an order is called by whose bundle alone is known.
const BUNDLE: &str = "data bundle ";

/// Looks for an order: by its transaction where that is known, else by size and time.
pub(super) async fn find(session: &Session, iccid: &str, order: &SentOrder) -> Result<Found, OperatorError> {
    let transactions = transactions(session, iccid).await?;
    match order.order_id.as_deref() {
        Some(id) if id.starts_with(BUNDLE) => {
            let known = bundles(session, iccid).await?.iter().any(|bundle| bundle_name(bundle) == id);
            let accepted = Found::Accepted { order_id: id.to_owned(), charged: None };
            Ok(if known { accepted } else { Found::Nothing })
        }
        Some(id) => Ok(transactions.iter().find(|one| one.transaction_id.as_str() == id).map_or(Found::Nothing, found)),
        None => {
            let ours = fitting(&transactions, order)?;
            let new = match &order.before {
                Some(before) => new_bundles(&bundles(session, iccid).await?, order, before)?,
                None => Vec::new(),
            };
            the_one(&ours, &new)
        }
    }
}

/// All payments for a line, newest or oldest first.
async fn transactions(session: &Session, iccid: &str) -> Result<Vec<TransactionDoc>, OperatorError> {
    let path = of_line(iccid, "transactions")?;
    let mut all: Vec<TransactionDoc> = Vec::new();
    for number in 1..=PAGES_MAX {
        let text = number.to_string();
        let page = [("page", text.as_str())];
        let answer = session.get(&path, if number == 1 { &[] } else { &page }).await?;
        let TransactionsDoc { transactions } = told(&answer)?;
        let before = all.len();
        for one in transactions.data {
            if all.iter().all(|known| known.transaction_id != one.transaction_id) {
                all.push(one);
            }
        }
        // Whether there are pages at all is not documented: without their count, one that brings nothing new is the end.
        let told_last = transactions.last_page.and_then(|last| last.whole().ok());
        if told_last.map_or(all.len() == before, |last| i64::from(number) >= last) {
            return Ok(all);
        }
    }
    Err(unknown(format!("the line has more than {PAGES_MAX} pages of transactions")))
}

async fn bundles(session: &Session, iccid: &str) -> Result<Vec<BundleDoc>, OperatorError> {
    let (line, _) = lines::one(session, iccid).await?;
    if !same_card(&line.iccid.0, iccid) {
        return Err(unknown("the answer is about another card"));
    }
    line.data_bundles.ok_or_else(|| unknown("the line's data bundles are not told"))
}

/// The transactions of our size and time.
fn fitting<'a>(
    transactions: &'a [TransactionDoc],
    order: &SentOrder,
) -> Result<Vec<&'a TransactionDoc>, OperatorError> {
    let (megabytes, _) = parsed(&order.plan_id)?;
    let since = order.first_sent_at.minus(EARLIER);
    let mut ours = Vec::new();
    for one in transactions {
        let at = time_in(&one.created_at, &TimeZone::UTC).map_err(unknown)?;
        if at < since {
            continue;
        }
        let size = one
            .refill_amount_mb
            .as_ref()
            .ok_or_else(|| unknown(format!("the size of the transaction {} is not told", one.transaction_id)))?;
        if size.whole().map_err(unknown)? == megabytes {
            ours.push(one);
        }
    }
    Ok(ours)
}

/// The bundles of our size that the line did not have before.
fn new_bundles(bundles: &[BundleDoc], order: &SentOrder, before: &Snapshot) -> Result<Vec<String>, OperatorError> {
    let (megabytes, days) = parsed(&order.plan_id)?;
    let mut new = Vec::new();
    for bundle in bundles.iter().filter(|bundle| !before.assets.contains(&bundle.id.0)) {
        let untold = || unknown(format!("the size of the data bundle {} is not told", bundle.id));
        let size = bundle.allowed_usage_kb.as_ref().ok_or_else(untold)?.whole().map_err(unknown)?;
        let validity = bundle.validity.as_ref().map(|days| days.whole().map_err(unknown)).transpose()?;
        if size == megabytes.saturating_mul(KB_PER_MB) && validity == days {
            new.push(bundle_name(bundle));
        }
    }
    Ok(new)
}

fn bundle_name(bundle: &BundleDoc) -> String {
    format!("{BUNDLE}{}", tamed(&bundle.id.0, 60))
}

/// What transactions and new bundles say together.
fn the_one(ours: &[&TransactionDoc], new: &[String]) -> Result<Found, OperatorError> {
    match (ours, new) {
        ([], []) => Ok(Found::Nothing),
        // The bundle is there: whatever the payment's word is, the order was taken.
        ([one], [_]) => Ok(Found::Accepted { order_id: tamed(&one.transaction_id.0, 80), charged: charged(one) }),
        (_, [bundle]) => Ok(Found::Accepted { order_id: bundle.clone(), charged: None }),
        ([one], []) => Ok(found(one)),
        _ => Err(unknown("several refills of this size were made at that time, and nothing tells which is ours")),
    }
}

/// Any word but the documented one is taken as "not finished": none of them is known to mean that nothing was charged.
fn found(one: &TransactionDoc) -> Found {
    let order_id = tamed(&one.transaction_id.0, 80);
    if one.status.eq_ignore_ascii_case(COMPLETED) {
        Found::Accepted { order_id, charged: charged(one) }
    } else {
        Found::Pending { order_id }
    }
}

fn charged(one: &TransactionDoc) -> Option<Money> {
    let currency = Currency::parse(&one.currency.as_deref()?.to_ascii_uppercase()).ok()?;
    one.amount.as_ref()?.money(currency).ok()
}
