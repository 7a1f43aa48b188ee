//! The eSIMs of the account. The list tells which cards there are and which of them were taken back; what is left on
//! a card it does not tell, whatever is asked to be included, so that readings need a call for each card.

use super::session::Session;
use super::wire::{SimDoc, SimsDoc};
use crate::domain::card::tamed;
use crate::domain::identity::Iccid;
use crate::domain::operator::{CardPage, ListedCard, OperatorError};
use crate::operators::kit::unknown;

/// Cards on one page.
const PER_PAGE: &str = "100";
/// No account has more pages than this.
const PAGES_MAX: u32 = 5_000;

/// One page of the list; `page` is its number, from 1.
pub(super) async fn listed(session: &Session, page: Option<&str>) -> Result<CardPage, OperatorError> {
    let number: u32 = match page {
        None => 1,
        Some(text) => text.parse().map_err(|_| unknown(format!("`{text}` is no page of Airalo's list")))?,
    };
    let asked = number.to_string();
    let query = [("limit", PER_PAGE), ("page", asked.as_str())];
    let SimsDoc { data, meta } = session.get("/sims", &query).await?.checked()?.json()?;
    let told_last = meta.and_then(|meta| meta.last_page).and_then(|last| last.whole().ok());
    // Without the count of pages it is read until one is empty.
    let is_last = data.is_empty() || told_last.is_some_and(|last| i64::from(number) >= last);
    if !is_last && number >= PAGES_MAX {
        return Err(unknown(format!("Airalo's list of cards has more than {PAGES_MAX} pages")));
    }
    Ok(CardPage { cards: cards_of(data)?, next: (!is_last).then(|| (number + 1).to_string()) })
}

/// The cards that can still be used; one that was taken back can never be topped up again.
fn cards_of(rows: Vec<SimDoc>) -> Result<Vec<ListedCard>, OperatorError> {
    let (mut cards, mut odd) = (Vec::new(), None);
    for row in rows {
        match Iccid::parse(&row.iccid.0) {
            Ok(_) if row.recycled.is_some_and(|recycled| recycled.0) => {}
            Ok(iccid) => {
                let label = row.simable.and_then(|order| order.package).map(|name| tamed(&name, 80));
                cards.push(ListedCard { iccid: Some(iccid), msisdn: None, label, fields: Default::default() });
            }
            Err(why) => {
                tracing::warn!(why, "one of the cards that Airalo lists makes no sense and is left out");
                odd = Some(why);
            }
        }
    }
    match odd {
        Some(why) if cards.is_empty() => Err(unknown(why)),
        Some(_) | None => Ok(cards),
    }
}
