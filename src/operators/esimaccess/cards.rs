//! The account's eSIMs: one by one for a few, page by page for many.
//!
//! An ICCID is given out again after its eSIM is over, also within one account. The eSIM's own number is not, so it is
//! learned from every answer and used wherever the API takes it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};

use super::reading::{is_over, is_taken_back, needs_usage, reading_of};
use super::session::Session;
use super::wire::{CardDoc, PageDoc, UsageDoc, UsagesDoc};
use super::{NAME, TRAN_NO};
use crate::domain::card::{Card, tamed};
use crate::domain::identity::{Iccid, Msisdn};
use crate::domain::operator::{CardPage, ListedCard, OperatorError, RefusalKind};
use crate::domain::reading::Reading;
use crate::domain::time::{Secs, UnixTime};
use crate::operators::kit::{IccidMap, Listing, iccid_of, never, same_card, unknown};

/// The most eSIMs that a page may hold.
const PER_PAGE: usize = 500;
/// Pages that are read at most: half a million eSIMs.
const PAGES_MAX: u32 = 1_000;
/// Before the API's first release (October 2022).
const SINCE: &str = "2022-01-01T00:00+00:00";
/// The end of the list where nobody has told the time yet.
const FAR_END: &str = "2099-12-31T23:59+00:00";
/// The most eSIMs in one call for their usage.
const USAGE_BATCH: usize = 10;

/// All rows of one ICCID; an odd one says why.
type Rows = Vec<Result<CardDoc, String>>;

/// What is known of the account's eSIMs.
#[derive(Default)]
pub(super) struct Cards {
    listing: Listing<Rows>,
    /// ICCID → the eSIM's own number, from the last answer about it.
    trans: Mutex<HashMap<String, String>>,
}

impl Cards {
    /// The eSIM's own number: from the card's fields, or else from the last answer.
    pub(super) fn tran_of(&self, card: &Card) -> Option<String> {
        if let Some(tran) = stated(card) {
            return Some(tran.to_owned());
        }
        let iccid = card.iccid.as_ref()?;
        self.trans.lock().unwrap_or_else(PoisonError::into_inner).get(iccid.digits()).cloned()
    }

    /// Reads cards: from the list if they are many, else one by one with their fresher usage.
    pub(super) async fn read(
        &self,
        session: &Session,
        cards: &[Card],
        now: UnixTime,
    ) -> Vec<Result<Reading, OperatorError>> {
        let list = match self.listing.for_many(cards.len(), now, all_rows(session)).await {
            Ok(list) => list,
            Err(error) => return vec![Err(error); cards.len()],
        };
        let Some(list) = list else { return self.read_singly(session, cards, now).await };
        let of_list = |card: &Card| {
            let rows = list.rows.get(iccid_of(card, NAME)?).ok_or_else(not_known)?;
            let rows: Vec<CardDoc> = rows.iter().cloned().collect::<Result<_, _>>().map_err(unknown)?;
            let doc = self.chosen(card, stated(card), &rows)?;
            reading_of(doc, None, list.asked_at).map_err(unknown)
        };
        cards.iter().map(of_list).collect()
    }

    async fn read_singly(
        &self,
        session: &Session,
        cards: &[Card],
        now: UnixTime,
    ) -> Vec<Result<Reading, OperatorError>> {
        let mut docs = Vec::with_capacity(cards.len());
        for card in cards {
            docs.push(self.ask_one(session, card, stated(card)).await);
        }
        let in_use: Vec<&str> = docs
            .iter()
            .filter_map(|doc| doc.as_ref().ok().filter(|doc| needs_usage(doc)))
            .map(|doc| doc.esim_tran_no.as_str())
            .collect();
        let usages = usages_of(session, &in_use).await;
        let of_doc = |doc: Result<CardDoc, OperatorError>| {
            let doc = doc?;
            let usages = usages.as_ref().map_err(OperatorError::clone);
            let usage = if needs_usage(&doc) { usages?.get(doc.esim_tran_no.as_str()) } else { None };
            reading_of(&doc, usage, now).map_err(unknown)
        };
        docs.into_iter().map(of_doc).collect()
    }

    /// Asks for the eSIM that was read or bought for last, whatever has become of its ICCID since.
    pub(super) async fn ask_again(&self, session: &Session, card: &Card) -> Result<CardDoc, OperatorError> {
        self.ask_one(session, card, self.tran_of(card).as_deref()).await
    }

    /// Asks for one eSIM: by its own number where that is given, else by ICCID.
    async fn ask_one(&self, session: &Session, card: &Card, tran: Option<&str>) -> Result<CardDoc, OperatorError> {
        let pager = json!({ "pageNum": 1, "pageSize": 50 });
        let asked = match tran {
            Some(tran) => json!({ "esimTranNo": tran, "pager": pager }),
            None => json!({ "iccid": iccid_of(card, NAME)?, "pager": pager }),
        };
        let page: PageDoc = session.ask("/esim/query", &asked).await?;
        let rows: Vec<CardDoc> = page.esim_list.iter().map(row_of).collect::<Result<_, _>>().map_err(unknown)?;
        Ok(self.chosen(card, tran, &rows)?.clone())
    }

    /// The card's row among those of its ICCID; its own number is kept.
    fn chosen<'a>(&self, card: &Card, tran: Option<&str>, rows: &'a [CardDoc]) -> Result<&'a CardDoc, OperatorError> {
        if rows.is_empty() {
            return Err(not_known());
        }
        let iccid = card.iccid.as_ref().map(Iccid::digits);
        let is_of_card = |row: &&CardDoc| {
            iccid.is_none_or(|ours| row.iccid.as_deref().is_some_and(|theirs| same_card(ours, theirs)))
        };
        let rows: Vec<&CardDoc> = rows
            .iter()
            .filter(is_of_card)
            .filter(|row| tran.is_none_or(|tran| row.esim_tran_no.as_str() == tran))
            .collect();
        let row = the_one(&rows)?;
        if let Some(iccid) = iccid {
            let tran = row.esim_tran_no.as_str().to_owned();
            self.trans.lock().unwrap_or_else(PoisonError::into_inner).insert(iccid.to_owned(), tran);
        }
        Ok(row)
    }

    /// A page of the account's eSIMs, without those that were cancelled or revoked.
    pub(super) async fn discover(&self, session: &Session, page: Option<&str>) -> Result<CardPage, OperatorError> {
        let number = page.map_or(Some(1), |page| page.parse().ok()).filter(|number| (1..=PAGES_MAX).contains(number));
        let number = number.ok_or_else(|| unknown("the list of eSIMs has no such page"))?;
        let (rows, is_last) = page_of(session, number, (number as usize - 1) * PER_PAGE).await?;
        let cards = rows.iter().filter_map(|row| row_of(row).ok()).filter(|doc| !is_taken_back(doc)).map(listed);
        Ok(CardPage { cards: cards.collect(), next: (!is_last).then(|| (number + 1).to_string()) })
    }
}

fn listed(doc: CardDoc) -> ListedCard {
    let newest = doc.package_list.as_deref().unwrap_or_default().last();
    ListedCard {
        iccid: doc.iccid.as_deref().and_then(|iccid| Iccid::parse(iccid).ok()),
        msisdn: doc.msisdn.as_deref().and_then(|number| Msisdn::parse(number).ok()),
        label: newest.and_then(|package| package.package_name.as_deref()).map(|name| tamed(name, 80)),
        fields: BTreeMap::from([(TRAN_NO.to_owned(), doc.esim_tran_no.0)]),
    }
}

/// The eSIM's own number, where the card states it.
fn stated(card: &Card) -> Option<&str> {
    card.fields.get(TRAN_NO).map(String::as_str)
}

fn not_known() -> OperatorError {
    never(RefusalKind::CardData, format!("{NAME} does not know a card with this ICCID in this account"))
}

fn row_of(row: &Value) -> Result<CardDoc, String> {
    CardDoc::deserialize(row).map_err(|error| tamed(&error.to_string(), 200))
}

/// The one row that the card can mean: the only one that is not over, or else the newest; cancelled and revoked ones
/// only where there is nothing else.
fn the_one<'a>(rows: &[&'a CardDoc]) -> Result<&'a CardDoc, OperatorError> {
    let kept: Vec<&CardDoc> = rows.iter().copied().filter(|row| !is_taken_back(row)).collect();
    let kept = if kept.is_empty() { rows } else { &kept };
    let mut alive = kept.iter().filter(|row| !is_over(row));
    if let (Some(one), Some(other)) = (alive.next(), alive.next()) {
        return Err(unknown(format!(
            "two eSIMs have this ICCID, {} and {}; add the right one to the card as `{TRAN_NO}`",
            one.esim_tran_no, other.esim_tran_no
        )));
    }
    let newest = |row: &&&CardDoc| (row.esim_tran_no.as_str().len(), row.esim_tran_no.as_str().to_owned());
    let one = kept.iter().find(|row| !is_over(row)).or_else(|| kept.iter().max_by_key(newest));
    one.copied().ok_or_else(|| unknown("the answer is about another card than ours"))
}

/// The usage of some eSIMs, by their own numbers.
async fn usages_of(session: &Session, trans: &[&str]) -> Result<HashMap<String, UsageDoc>, OperatorError> {
    let mut all = HashMap::new();
    for some in trans.chunks(USAGE_BATCH) {
        let doc: UsagesDoc = session.ask("/esim/usage/query", &json!({ "esimTranNoList": some })).await?;
        let (UsagesDoc::Bare(list) | UsagesDoc::Named { list }) = doc;
        all.extend(list.into_iter().map(|usage| (usage.esim_tran_no.0.clone(), usage)));
    }
    Ok(all)
}

/// The whole account.
async fn all_rows(session: &Session) -> Result<(IccidMap<Rows>, usize), OperatorError> {
    let mut by_iccid: HashMap<String, Rows> = HashMap::new();
    let mut seen = 0;
    for number in 1..=PAGES_MAX {
        let (rows, is_last) = page_of(session, number, seen).await?;
        seen += rows.len();
        for row in &rows {
            // A row without an ICCID is an eSIM that is still being made.
            let Some(iccid) = row.get("iccid").and_then(Value::as_str).filter(|iccid| !iccid.is_empty()) else {
                continue;
            };
            by_iccid.entry(iccid.to_owned()).or_default().push(row_of(row));
        }
        if is_last {
            let mut map = IccidMap::default();
            by_iccid.into_iter().for_each(|(iccid, rows)| map.insert(iccid, rows));
            return Ok((map, number as usize));
        }
    }
    Err(unknown(format!("the list of eSIMs has more than {PAGES_MAX} pages")))
}

/// The rows of one page, and whether it is the last; `before` rows stood on the pages before it.
async fn page_of(session: &Session, number: u32, before: usize) -> Result<(Vec<Value>, bool), OperatorError> {
    let asked = json!({
        "startTime": SINCE,
        "endTime": session.now().map_or_else(|| FAR_END.to_owned(), day_after),
        "pager": { "pageNum": number, "pageSize": PER_PAGE },
    });
    let page: PageDoc = session.ask_list("/esim/query", &asked).await?;
    let rows = page.esim_list;
    let total = page.pager.and_then(|pager| pager.total).map(|total| total.counted(1)).transpose().map_err(unknown)?;
    let is_last = match total.map(|total| usize::try_from(total).unwrap_or(usize::MAX)) {
        Some(total) if rows.is_empty() && before < total => {
            return Err(unknown(format!("the list of eSIMs ends after {before} of {total}")));
        }
        Some(total) => before + rows.len() >= total,
        None => rows.len() < PER_PAGE,
    };
    Ok((rows, is_last))
}

/// Tomorrow, in the form that the documentation has.
fn day_after(now: UnixTime) -> String {
    now.plus(Secs::DAY).in_zone(&TimeZone::UTC).strftime("%Y-%m-%dT%H:%M+00:00").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(tran: &str, status: &str) -> CardDoc {
        row_of(&json!({ "esimTranNo": tran, "iccid": "8910300000044404757", "esimStatus": status,
            "totalVolume": 1, "orderUsage": 0 }))
        .unwrap()
    }

    fn chosen(rows: &[(&str, &str)]) -> Result<String, OperatorError> {
        let rows: Vec<CardDoc> = rows.iter().map(|(tran, status)| row(tran, status)).collect();
        Ok(the_one(&rows.iter().collect::<Vec<_>>())?.esim_tran_no.0.clone())
    }

    #[test]
    fn of_a_recycled_iccid_the_living_esim_is_meant() {
        for (rows, expected) in [
            (&[("24010100000001", "USED_EXPIRED"), ("26010100000001", "IN_USE")][..], "26010100000001"),
            (&[("24010100000001", "IN_USE"), ("26010100000001", "CANCEL")], "24010100000001"),
            (&[("24010100000001", "USED_EXPIRED"), ("26010100000001", "UNUSED_EXPIRED")], "26010100000001"),
            (&[("24010100000001", "CANCEL"), ("26010100000001", "REVOKED")], "26010100000001"),
        ] {
            assert_eq!(chosen(rows).as_deref(), Ok(expected), "{rows:?}");
        }
        assert!(chosen(&[("1", "IN_USE"), ("2", "GOT_RESOURCE")]).is_err(), "nobody guesses between two");
        assert!(chosen(&[]).is_err());
    }

    #[test]
    fn the_list_ends_tomorrow() {
        assert_eq!(day_after(UnixTime::parse("2026-12-31T22:59:59Z").unwrap()), "2027-01-01T22:59+00:00");
    }
}
