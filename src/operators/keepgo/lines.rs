//! The lines of the account: one of them, all of them, and a page of them for people to choose from.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::session::{Session, of_line, told};
use super::wire::{DetailsDoc, LineDoc, LinesDoc, LinesPageDoc};
use crate::domain::card::tamed;
use crate::domain::identity::Iccid;
use crate::domain::operator::{CardPage, ListedCard, OperatorError};
use crate::domain::time::UnixTime;
use crate::operators::kit::{IccidMap, unknown};

/// Lines on one page; Keepgo's own number is 25, and the most is not documented.
const PER_PAGE: &str = "100";
/// No account has more pages than this.
const PAGES_MAX: u32 = 4_000;

/// One line, and Keepgo's clock.
pub(super) async fn one(session: &Session, iccid: &str) -> Result<(LineDoc, Option<UnixTime>), OperatorError> {
    let answer = session.get(&of_line(iccid, "get_details")?, &[]).await?;
    let DetailsDoc { sim_card } = told(&answer)?;
    Ok((sim_card, answer.date))
}

/// All lines that tell enough for a reading, and how many pages they took.
pub(super) async fn all(session: &Session) -> Result<(IccidMap<LineDoc>, usize), OperatorError> {
    let mut lines = IccidMap::default();
    for number in 1..=PAGES_MAX {
        let LinesPageDoc { items, last_page } = page(session, number).await?;
        let (before, is_last) = (lines.len(), is_last(number, last_page.as_ref()));
        let is_empty = items.is_empty();
        for line in items.into_iter().filter_map(line_of).filter(|line| line.data_bundles.is_some()) {
            lines.insert(line.iccid.0.clone(), line);
        }
        // Without the count of pages it is read until a page brings nothing.
        if is_last.unwrap_or(is_empty || lines.len() == before) {
            return Ok((lines, usize::try_from(number).unwrap_or(usize::MAX)));
        }
        if is_empty {
            return Err(unknown("a page in the middle of Keepgo's list of lines is empty"));
        }
    }
    Err(unknown(format!("Keepgo's list of lines has more than {PAGES_MAX} pages")))
}

/// One page of the list for people; `at` is its number, from 1.
pub(super) async fn listed(session: &Session, at: Option<&str>) -> Result<CardPage, OperatorError> {
    let number: u32 = match at {
        None => 1,
        Some(text) => text.parse().map_err(|_| unknown(format!("`{text}` is no page of Keepgo's list")))?,
    };
    let LinesPageDoc { items, last_page } = page(session, number).await?;
    let is_last = items.is_empty() || is_last(number, last_page.as_ref()).unwrap_or(false);
    if !is_last && number >= PAGES_MAX {
        return Err(unknown(format!("Keepgo's list of lines has more than {PAGES_MAX} pages")));
    }
    let rows = items.len();
    let cards: Vec<ListedCard> = items.into_iter().filter_map(line_of).filter_map(card_of).collect();
    if cards.is_empty() && rows > 0 {
        return Err(unknown("none of the lines that Keepgo lists makes sense"));
    }
    Ok(CardPage { cards, next: (!is_last).then(|| (number + 1).to_string()) })
}

async fn page(session: &Session, number: u32) -> Result<LinesPageDoc, OperatorError> {
    let number = number.to_string();
    let query = [("page", number.as_str()), ("per_page", PER_PAGE)];
    let mut answer = session.get("/lines", &query).await?;
    if matches!(answer.status, 400 | 422) {
        // So many lines at once may be too many.
        answer = session.get("/lines", &query[..1]).await?;
    }
    Ok(told::<LinesDoc>(&answer)?.sim_cards)
}

fn is_last(number: u32, last_page: Option<&crate::operators::kit::Loose>) -> Option<bool> {
    last_page.and_then(|last| last.whole().ok()).map(|last| i64::from(number) >= last)
}

fn line_of(row: serde_json::Value) -> Option<LineDoc> {
    match LineDoc::deserialize(row) {
        Ok(line) => Some(line),
        Err(error) => {
            let why = tamed(&error.to_string(), 200);
            tracing::warn!(why, "one of the lines that Keepgo lists makes no sense and is left out");
            None
        }
    }
}

fn card_of(line: LineDoc) -> Option<ListedCard> {
    let iccid = Iccid::parse(&line.iccid.0).ok()?;
    let label = line.notes.map(|notes| tamed(&notes, 80)).filter(|notes| !notes.is_empty());
    Some(ListedCard { iccid: Some(iccid), msisdn: None, label, fields: BTreeMap::new() })
}
