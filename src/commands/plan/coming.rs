//! What is to be expected of the coming days in money, for whoever adds it up.

use super::{Told, of_cards};
use crate::commands::view::View;
use crate::domain::card::{Card, Name};
use crate::domain::money::Money;
use crate::domain::time::UnixTime;
use crate::store::{Connection, StoreError};

/// A purchase that is to be expected.
pub(in crate::commands) struct Coming {
    /// For which card.
    pub(in crate::commands) card: Name,
    /// When that is likely.
    pub(in crate::commands) at: UnixTime,
    /// At which price.
    pub(in crate::commands) price: Money,
}

/// The purchases of some cards until then, as far as their prices are known.
pub(in crate::commands) fn coming(
    view: &View,
    conn: &Connection,
    wanted: &[Card],
    until: UnixTime,
) -> Result<Vec<Coming>, StoreError> {
    let entries = of_cards(view, conn, wanted, until)?;
    let priced = entries.into_iter().filter_map(|entry| {
        let Told::Foreseen(foreseen) = entry.told else { return None };
        let at = foreseen.when.likely?;
        Some(Coming { card: entry.card, at, price: foreseen.what.bought()?.price })
    });
    Ok(priced.collect())
}
