//! The plans on sale for each card, as last fetched.

use rusqlite::Connection;

use super::error::StoreError;
use super::fields::{Fields, change, first, to_json};
use super::words::Word;
use crate::domain::card::CardId;
use crate::domain::plan::Catalogue;

const LOAD: &str = "SELECT * FROM catalogue WHERE card = ?1";
const SAVE: &str = "INSERT INTO catalogue (card, fetched_at, plans, stacking) VALUES (?1, ?2, ?3, ?4) \
     ON CONFLICT (card) DO UPDATE SET fetched_at = excluded.fetched_at, plans = excluded.plans, \
     stacking = excluded.stacking";

/// The statements of this file.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[LOAD, SAVE];

/// The catalogue of a card, if one was ever fetched.
///
/// # Errors
/// If its row cannot be read.
pub fn load(conn: &Connection, card: CardId) -> Result<Option<Catalogue>, StoreError> {
    first(conn, LOAD, [card.0], |row| {
        let row = Fields::of("catalogue", "card", row)?;
        Ok(Catalogue {
            fetched_at: row.time("fetched_at")?,
            plans: row.json("plans")?,
            stacking: row.word("stacking")?,
        })
    })
}

/// Keeps the catalogue of a card in place of the one before.
///
/// # Errors
/// If the record cannot be written.
pub fn save(conn: &Connection, card: CardId, catalogue: &Catalogue) -> Result<(), StoreError> {
    let Catalogue { fetched_at, plans, stacking } = catalogue;
    change(conn, SAVE, (card.0, fetched_at.secs(), to_json(plans)?, stacking.word()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NOW, card, memory};
    use super::*;
    use crate::domain::money::{Currency, Money};
    use crate::domain::operator::Stacking;
    use crate::domain::plan::{Contents, Plan};

    #[test]
    fn the_latest_catalogue_is_kept() {
        let conn = memory();
        let id = card(&conn, "a");
        assert_eq!(load(&conn, id).unwrap(), None);
        let plan = Plan {
            id: "p".into(),
            name: "3 GB".into(),
            contents: Contents { data_bytes: Some(u64::MAX), ..Contents::default() },
            validity_secs: None,
            price: Money::new(45_125, Currency::USD),
        };
        let catalogue = Catalogue { stacking: Stacking::Beside, ..Catalogue::of(NOW, vec![plan]) };
        save(&conn, id, &Catalogue::of(NOW, vec![])).unwrap();
        save(&conn, id, &catalogue).unwrap();
        assert_eq!(load(&conn, id).unwrap(), Some(catalogue));
    }
}
