//! Orders: the bytes of one, what its answer means, and how it is found again in the log of the account's credit.
//!
//! A recharge has no id and no place for a reference of ours, and the log names a phone number and money where the
//! request named an ICCID and MB. So a row is ours if it takes money for our number after we sent; two such rows cannot
//! be told apart.

use jiff::tz::TimeZone;

use super::session::Session;
use super::wire::{self, CreditDoc, RowDoc};
use crate::domain::card::tamed;
use crate::domain::identity::Msisdn;
use crate::domain::money::{Currency, Money};
use crate::domain::operator::{BuyAnswer, Doubt, Found, OperatorError, RefusalKind, SentOrder};
use crate::domain::plan::Plan;
use crate::domain::time::{Secs, UnixTime};
use crate::operators::http::HttpAnswer;
use crate::operators::kit::{doubtful, never, refused, time_in, unknown};

/// Codes that mean "not done, for certain". 10 (generic) says nothing, and 60 (too many requests) is not documented as
/// not done.
pub(super) const FINAL_CODES: &[&str] = &["20", "30", "40", "50"];
/// The most that one recharge may be.
const MB_MAX: u64 = 1_000;
/// Bytes of one MB, as an integrator of this API counts.
const MB: u64 = 1_000_000;
/// Rows on one page of the log.
const ROWS_PER_PAGE: usize = 500;
/// Pages of the log that are read for one order.
const PAGES_MAX: u32 = 20;
/// Our clocks may differ by this much.
const BEFORE: Secs = Secs::HOUR;
/// So long after an order a row can still be its.
const AFTER: Secs = Secs::days(4);
/// No zone is further from UTC.
const ZONE_MAX: Secs = Secs::hours(14);

/// The amount of a plan, in the unit of a recharge.
///
/// # Errors
/// It is not 1 to 1000 whole MB.
pub(super) fn megabytes(plan: &Plan) -> Result<u64, OperatorError> {
    let bytes = plan.contents.data_bytes.filter(|bytes| *bytes > 0 && bytes % MB == 0 && bytes / MB <= MB_MAX);
    bytes.map(|bytes| bytes / MB).ok_or_else(|| {
        let why = format!(
            "the plan `{}` cannot be bought: Things Mobile recharges 1 to 1000 whole MB; write data = \"500 MB\"",
            plan.id
        );
        never(RefusalKind::PlanGone, why)
    })
}

/// What the answer to an order means. It says no more than done or not done.
pub(super) fn outcome(answer: &HttpAnswer) -> BuyAnswer {
    if !answer.is_success() {
        return answer.in_doubt();
    }
    let denied = match wire::read(answer, |_| Ok(())) {
        Ok(Ok(())) => return BuyAnswer::Accepted { order_id: None, charged: None },
        Ok(Err(denied)) => denied,
        Err(why) => return doubtful(Doubt::Unreadable, why),
    };
    let code = denied.code.as_deref().unwrap_or_default();
    let kind = match code {
        "20" | "40" => RefusalKind::CardData,
        "30" => RefusalKind::Access,
        "50" => RefusalKind::Other,
        "60" => return doubtful(Doubt::Throttled, denied.message),
        _ => return doubtful(Doubt::UnlistedCode, format!("not done ({code}): {}", denied.message)),
    };
    refused(kind, code, &denied.message)
}

/// Looks for a recharge of this number in the log.
pub(super) async fn find(
    session: &Session,
    msisdn: &str,
    order: &SentOrder,
    zone: Option<&TimeZone>,
) -> Result<Found, OperatorError> {
    let since = order.first_sent_at.minus(BEFORE);
    let until = order.first_sent_at.plus(AFTER);
    // A day more on both sides: of which zone the range is, and whether its hours count, is not documented.
    let (from, to) = (log_time(since.minus(Secs::DAY)), log_time(until.plus(Secs::DAY)));
    let mut ours = Vec::new();
    for page in 1..=PAGES_MAX {
        let (page, size) = (page.to_string(), ROWS_PER_PAGE.to_string());
        let pairs = [("startDateRange", from.as_str()), ("endDateRange", &to), ("page", &page), ("pageSize", &size)];
        let log: CreditDoc = session.ask("/credit", &pairs, wire::credit).await?;
        let currency = Currency::parse(&log.currency).map_err(unknown)?;
        for row in &log.rows {
            ours.extend(Taken::of(row, msisdn, currency, (since, until), zone)?);
        }
        if log.rows.len() < ROWS_PER_PAGE {
            return the_one(&ours, msisdn, order);
        }
    }
    Err(unknown(format!("the log of one week has more than {PAGES_MAX} pages")))
}

fn log_time(at: UnixTime) -> String {
    at.in_zone(&TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Money that was taken for our number, at a time that can be the order's.
#[derive(Debug)]
struct Taken {
    at: String,
    money: Money,
    is_recharge: bool,
}

impl Taken {
    /// None if the row is of another number or time, or adds money.
    ///
    /// # Errors
    /// The row lacks what it is matched by, or its time may be the order's or not.
    fn of(
        row: &RowDoc,
        msisdn: &str,
        currency: Currency,
        (since, until): (UnixTime, UnixTime),
        zone: Option<&TimeZone>,
    ) -> Result<Option<Self>, OperatorError> {
        let lacking = |what: &str| unknown(format!("a row of the credit log has no {what}"));
        let amount = row.amount.as_ref().ok_or_else(|| lacking("amount"))?.money(currency).map_err(unknown)?;
        if amount.ten_thousandths() >= 0 {
            return Ok(None);
        }
        let number = row.msisdn.as_deref().ok_or_else(|| lacking("phone number"))?;
        if Msisdn::parse(number).map_err(unknown)?.digits() != msisdn {
            return Ok(None);
        }
        let at = row.loaded.clone().ok_or_else(|| lacking("date"))?;
        let read = time_in(&at, zone.unwrap_or(&TimeZone::UTC)).map_err(unknown)?;
        let slack = if zone.is_some() { Secs::ZERO } else { ZONE_MAX };
        if read < since.minus(slack) || read > until.plus(slack) {
            return Ok(None);
        }
        if zone.is_none() {
            return Err(unknown(format!(
                "the log has a recharge of this card at {at}, and of which zone that is nobody says; add `zone` to the account"
            )));
        }
        let what = row.what.as_deref().ok_or_else(|| lacking("description"))?.to_lowercase();
        let money = Money::new(amount.ten_thousandths().saturating_neg(), currency);
        Ok(Some(Self { at, money, is_recharge: what.contains("recharge") }))
    }
}

fn the_one(ours: &[Taken], msisdn: &str, order: &SentOrder) -> Result<Found, OperatorError> {
    let recharges: Vec<&Taken> = ours.iter().filter(|row| row.is_recharge).collect();
    let exact: Vec<&Taken> = recharges.iter().copied().filter(|row| row.money == order.price).collect();
    let one = match (exact.as_slice(), recharges.as_slice(), ours) {
        ([], [], []) => return Ok(Found::Nothing),
        ([one], _, _) | ([], [one], _) => one,
        ([], [], [other, ..]) => {
            return Err(unknown(format!("the log has a charge for this card at {} that is no recharge", other.at)));
        }
        ([one, other, ..], _, _) | ([], [one, other, ..], _) => {
            return Err(unknown(format!("two recharges of this card can be ours: {} and {}", one.at, other.at)));
        }
    };
    // The log has no ids; number and second name the row for people.
    Ok(Found::Accepted { order_id: tamed(&format!("{msisdn} {}", one.at), 80), charged: Some(one.money) })
}
