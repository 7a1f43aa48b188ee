//! Reading one card, and reading thousands.
//!
//! The list of all cards tells of each whether more than 20 %, less, or nothing of its bundle is left, and neither how
//! much nor until when. A card's quota tells that, in two calls a card. So a large fleet is read from the list alone,
//! and a card's quota only where the row says less than 20 %, where the row changed since it was last seen, and in turn
//! for a few whose quota was never read: half as many cards as there are pages, 25 at least, and none from the first
//! list after a start.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;

use super::session::{Session, read_error};
use super::short_iccid;
use super::wire::{QuotaDoc, SimDoc, expired, reading_of};
use crate::domain::card::Card;
use crate::domain::operator::{CardPage, OperatorError};
use crate::domain::reading::{CardState, Reading, Renewable};
use crate::domain::time::{End, UnixTime};
use crate::operators::http::HttpAnswer;
use crate::operators::kit::{IccidMap, Listing, path_part, same_card, unknown};

/// Cards on one page, the most that is allowed.
const PAGE_SIZE: usize = 100;
/// Pages of a list that is believed to end.
const PAGES_MAX: usize = 1_000;
/// So few cards are each read exactly, without the list.
const FEW: usize = 50;
/// So many cards at least are read in turn from each list.
const TURNS_MIN: usize = 25;
/// Cards of a page.
const PER_PAGE: &str = "100";
/// So many cards are remembered; when more come, remembering begins anew.
const CARDS_MAX: usize = 65_536;

/// What is remembered of the cards.
#[derive(Debug, Default)]
pub(super) struct Fleet {
    listing: Listing<SimDoc>,
    known: Mutex<HashMap<String, Known>>,
    turns: Mutex<Turns>,
}

/// What is remembered of one card.
#[derive(Clone, Debug)]
struct Known {
    /// Its row, as the list had it last.
    row: SimDoc,
    /// What only its quota tells, if that was read while the row was the same.
    exact: Option<Exact>,
}

/// What only a card's quota tells, and use does not change.
#[derive(Clone, Debug)]
struct Exact {
    plan_ends: Option<End>,
    assets: Vec<String>,
}

/// How many cards may still be read in turn from the present list.
#[derive(Clone, Copy, Debug, Default)]
struct Turns {
    asked_at: Option<UnixTime>,
    left: usize,
}

impl Fleet {
    /// Reads cards.
    pub(super) async fn read(
        &self,
        session: &Session,
        cards: &[Card],
        now: UnixTime,
    ) -> Vec<Result<Reading, OperatorError>> {
        let mut readings = Vec::with_capacity(cards.len());
        let wanted = if cards.len() > FEW { cards.len() } else { 0 };
        let list = match self.listing.for_many(wanted, now, all_rows(session)).await {
            Ok(list) => list,
            Err(error) => return cards.iter().map(|_| Err(error.clone())).collect(),
        };
        for card in cards {
            readings.push(match (short_iccid(card), &list) {
                (Err(error), _) => Err(error),
                (Ok(iccid), Some(list)) => match list.rows.get(iccid) {
                    Some(row) => self.listed(session, iccid, row, (list.asked_at, list.rows.len()), now).await,
                    None => self.one(session, iccid, now).await,
                },
                (Ok(iccid), None) => self.one(session, iccid, now).await,
            });
        }
        readings
    }

    /// Reads a card of the list, which was `asked` at this time and has so many rows.
    async fn listed(
        &self,
        session: &Session,
        iccid: &str,
        row: &SimDoc,
        asked: (UnixTime, usize),
        now: UnixTime,
    ) -> Result<Reading, OperatorError> {
        match self.remembered(iccid, row, asked) {
            Some(exact) => told(row, exact, asked.0, now),
            None => self.with_quota(session, iccid, row, now).await,
        }
    }

    /// Reads one card exactly.
    pub(super) async fn one(&self, session: &Session, iccid: &str, now: UnixTime) -> Result<Reading, OperatorError> {
        let path = format!("/v1/sims/{}", path_part(iccid, "an ICCID")?);
        let Some(answer) = unless_expired(session.get(&path, &[]).await?)? else { return Ok(expired(now)) };
        let sim: SimDoc = answer.json()?;
        if !sim.iccid().is_some_and(|told| same_card(told, iccid)) {
            return Err(unknown("1NCE answers with another card than was asked for"));
        }
        self.with_quota(session, iccid, &sim, now).await
    }

    async fn with_quota(
        &self,
        session: &Session,
        iccid: &str,
        sim: &SimDoc,
        now: UnixTime,
    ) -> Result<Reading, OperatorError> {
        let quota = async |service: &str| {
            let path = format!("/v2/sims/{}/quota/{service}", path_part(iccid, "an ICCID")?);
            unless_expired(session.get(&path, &[]).await?)?.map(|answer| answer.json::<QuotaDoc>()).transpose()
        };
        let Some(data) = quota("data").await? else { return Ok(expired(now)) };
        let sms = quota("sms").await?;
        let reading = reading_of(sim, &data, sms.as_ref(), now).map_err(unknown)?;
        let exact = Exact { plan_ends: reading.plan_ends, assets: reading.assets.clone() };
        self.remember(iccid, sim, Some(exact));
        Ok(reading)
    }

    /// What is remembered beside a row that suffices; none if the card is to be read exactly.
    fn remembered(&self, iccid: &str, row: &SimDoc, asked: (UnixTime, usize)) -> Option<Option<Exact>> {
        if !row.suffices() {
            return None;
        }
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(iccid).cloned();
        match known {
            Some(known) if known.row != *row => None,
            Some(Known { exact: Some(exact), .. }) => Some(Some(exact)),
            Some(Known { exact: None, .. }) if self.has_turn(asked) => None,
            Some(Known { exact: None, .. }) => Some(None),
            None => {
                self.remember(iccid, row, None);
                Some(None)
            }
        }
    }

    fn remember(&self, iccid: &str, row: &SimDoc, exact: Option<Exact>) {
        // A thread that panicked here left a map that is still whole.
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= CARDS_MAX && !all.contains_key(iccid) {
            all.clear();
        }
        all.insert(iccid.to_owned(), Known { row: row.clone(), exact });
    }

    /// Whether one more card may be read exactly because its turn has come. Each takes two calls.
    fn has_turn(&self, (asked_at, rows): (UnixTime, usize)) -> bool {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.asked_at != Some(asked_at) {
            let left = rows.div_ceil(PAGE_SIZE).div_ceil(2).max(TURNS_MIN);
            *turns = Turns { asked_at: Some(asked_at), left };
        }
        let has_left = turns.left > 0;
        turns.left = turns.left.saturating_sub(1);
        has_left
    }
}

/// A reading from a row of the list.
fn told(row: &SimDoc, exact: Option<Exact>, as_of: UnixTime, now: UnixTime) -> Result<Reading, OperatorError> {
    let mut reading = Reading { as_of, renewable: Renewable::Yes, ..Reading::empty(now, row.state()) };
    reading.allowances = row.allowances().map_err(unknown)?;
    reading.plan = Some(super::TOPUP.to_owned());
    if let Some(exact) = exact {
        (reading.plan_ends, reading.assets) = (exact.plan_ends, exact.assets);
        let over = reading.plan_ends.is_some_and(|end| end.at <= now);
        reading.state = if over { CardState::Expired } else { reading.state };
    }
    Ok(reading)
}

/// An answer about a card; none if the card is expired, which the operator says with 422 even to a reading.
fn unless_expired(answer: HttpAnswer) -> Result<Option<HttpAnswer>, OperatorError> {
    match answer.status {
        422 => Ok(None),
        _ if answer.is_success() => Ok(Some(answer)),
        _ => Err(read_error(&answer)),
    }
}

/// Every card of the customer, and how many pages they took.
async fn all_rows(session: &Session) -> Result<(IccidMap<SimDoc>, usize), OperatorError> {
    let mut rows = IccidMap::default();
    for number in 1..=PAGES_MAX {
        let (page, is_last) = page(session, number).await?;
        for row in page {
            let Some(iccid) = row.iccid().map(str::to_owned) else { continue };
            rows.insert(iccid, row);
        }
        if is_last {
            return Ok((rows, number));
        }
    }
    Err(unknown(format!("1NCE's list of cards does not end after {PAGES_MAX} pages and {} cards", rows.len())))
}

/// A page of the list, and whether it is the last one.
async fn page(session: &Session, number: usize) -> Result<(Vec<SimDoc>, bool), OperatorError> {
    let answer =
        session.get("/v1/sims", &[("page", number.to_string().as_str()), ("pageSize", PER_PAGE)]).await?.checked()?;
    let all: Vec<serde_json::Value> = answer.json()?;
    let pages = answer.header("x-total-pages").and_then(|pages| pages.trim().parse::<usize>().ok());
    let is_last = all.is_empty() || pages.map_or(all.len() < PAGE_SIZE, |pages| number >= pages);
    // An odd row does not hide the others; its card is then asked for by itself.
    let rows = all.into_iter().filter_map(|row| match SimDoc::deserialize(row) {
        Ok(row) => Some(row),
        Err(error) => {
            tracing::warn!(%error, "one of 1NCE's cards makes no sense and is left out");
            None
        }
    });
    Ok((rows.collect(), is_last))
}

/// A page of the list for people.
pub(super) async fn listed(session: &Session, at: Option<&str>) -> Result<CardPage, OperatorError> {
    let number: usize = at.unwrap_or("1").parse().map_err(|_| unknown("that is not a page of 1NCE's list"))?;
    let (rows, is_last) = page(session, number).await?;
    let next = (!is_last && number < PAGES_MAX).then(|| (number + 1).to_string());
    Ok(CardPage { cards: rows.iter().map(SimDoc::listed).collect(), next })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::clamped(1_795_348_800);
    const ICCID: &str = "8988303000123456789";

    fn row(level: u32, quota: u32) -> SimDoc {
        let text = format!(
            r#"{{"iccid":"{ICCID}","status":"Enabled","current_quota":{quota},"quota_status":{{"id":{level}}},
            "current_quota_SMS":250,"quota_status_SMS":{{"id":0}}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn exact() -> Exact {
        Exact { plan_ends: Some(End::at(NOW)), assets: vec!["500 MB".into()] }
    }

    #[test]
    fn a_card_is_read_exactly_when_it_is_low_when_its_row_changed_and_in_turn() {
        let fleet = Fleet::default();
        let seen = |row: &SimDoc, asked_at: i64| {
            let remembered = fleet.remembered(ICCID, row, (UnixTime::clamped(asked_at), 10_000));
            remembered.map(|exact| exact.map(|exact| exact.assets))
        };
        assert_eq!(seen(&row(0, 500), 1), Some(None), "the first list alone");
        assert_eq!(seen(&row(0, 500), 2), None, "its turn");
        fleet.remember(ICCID, &row(0, 500), Some(exact()));
        assert_eq!(seen(&row(0, 500), 3), Some(Some(vec!["500 MB".into()])), "what use does not change is kept");
        assert_eq!(seen(&row(1, 500), 3), None, "low");
        assert_eq!(seen(&row(0, 1_000), 3), None, "topped up");
        assert_eq!(seen(&row(2, 500), 3), None, "used up since");
    }

    #[test]
    fn turns_are_half_the_pages_and_at_least_a_few() {
        let counted = |rows: usize| {
            let fleet = Fleet::default();
            (0..rows).filter(|_| fleet.has_turn((NOW, rows))).count()
        };
        assert_eq!((counted(10_000), counted(100)), (50, TURNS_MIN));
        let fleet = Fleet::default();
        while fleet.has_turn((NOW, 60)) {}
        assert!(fleet.has_turn((UnixTime::clamped(1), 60)), "each list has its own");
    }

    #[test]
    fn a_row_with_a_remembered_end_that_has_passed_is_expired() {
        let reading = told(&row(0, 500), Some(exact()), NOW, NOW).unwrap();
        assert_eq!((reading.state, reading.assets.len()), (CardState::Expired, 1));
        assert_eq!(told(&row(0, 500), None, NOW, NOW).unwrap().state, CardState::Active);
    }
}
