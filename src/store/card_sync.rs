//! Bringing the cards of `rules.toml` into the record: new ones are added, known ones changed, those that left the file
//! retired, those that return revived. A card keeps its row, and so its history, through a change of its name or of its
//! ICCID, as long as one of the two stays.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::card_rows::card_of;
use super::cards::{NewCard, insert, live_match, retire, retired_by_name, update};
use super::error::StoreError;
use super::fields::{change, first, rows};
use crate::domain::card::{Card, CardId};
use crate::domain::time::UnixTime;

const OF_FILE: &str = "SELECT id FROM card WHERE keeper = 'file' AND retired_at IS NULL ORDER BY id";
const RETIRED_BY_ICCID: &str = "SELECT * FROM card WHERE name = ?1 AND account = ?2 AND iccid = ?3 \
     AND retired_at IS NOT NULL ORDER BY retired_at DESC, id DESC LIMIT 1";
/// Frees name and ICCID of a card that is about to be overwritten, so that two cards can change places.
const LOOSEN: &str = "UPDATE card SET name = 'moving ' || id, iccid = NULL WHERE id = ?1";

/// The statements of this file.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[OF_FILE, RETIRED_BY_ICCID, LOOSEN];

/// What became of the cards of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncReport {
    /// New ones.
    pub added: Vec<CardId>,
    /// Known ones that are now different, those taken over from commands included.
    pub changed: Vec<CardId>,
    /// Retired ones that came back.
    pub revived: Vec<CardId>,
    /// Those that are no longer in the file.
    pub retired: Vec<CardId>,
}

/// Makes the record's cards those of the file. All of `cards` are kept by the file.
///
/// # Errors
/// [`StoreError::Taken`] if a card kept by command stands in the way; nothing of the transaction should then be kept.
pub fn sync_file_cards(conn: &Connection, cards: &[NewCard], now: UnixTime) -> Result<SyncReport, StoreError> {
    let mut report = SyncReport::default();
    let mut claimed = BTreeSet::new();
    let mut moving = Vec::new();
    let mut new = Vec::new();
    for card in cards {
        match live_match(conn, card)?.filter(|known| !claimed.contains(&known.id)) {
            Some(known) => {
                claimed.insert(known.id);
                if !card.describes(&known) {
                    moving.push((known.id, card));
                }
            }
            None => new.push(card),
        }
    }
    retire_leavers(conn, &claimed, now, &mut report)?;
    for (id, _) in &moving {
        change(conn, LOOSEN, [id.0])?;
    }
    for (id, card) in moving {
        update(conn, id, card, now)?;
        report.changed.push(id);
    }
    for card in new {
        add_or_revive(conn, card, now, &claimed, &mut report)?;
    }
    Ok(report)
}

fn retire_leavers(
    conn: &Connection,
    claimed: &BTreeSet<CardId>,
    now: UnixTime,
    report: &mut SyncReport,
) -> Result<(), StoreError> {
    for id in rows(conn, OF_FILE, [], |row| Ok(CardId(row.get(0)?)))? {
        if !claimed.contains(&id) {
            retire(conn, id, now)?;
            report.retired.push(id);
        }
    }
    Ok(())
}

fn add_or_revive(
    conn: &Connection,
    card: &NewCard,
    now: UnixTime,
    claimed: &BTreeSet<CardId>,
    report: &mut SyncReport,
) -> Result<(), StoreError> {
    let known = retired_match(conn, card)?.filter(|known| !claimed.contains(&known.id));
    match known {
        Some(known) => {
            update(conn, known.id, card, now)?;
            // A card whose entry only changed so much that it was not recognised was never gone.
            if let Some(place) = report.retired.iter().position(|id| *id == known.id) {
                report.retired.remove(place);
                report.changed.push(known.id);
            } else {
                report.revived.push(known.id);
            }
        }
        None => report.added.push(insert(conn, card, now)?),
    }
    Ok(())
}

/// The retired card of this name that was the same physical card, or that had no number to tell it by.
fn retired_match(conn: &Connection, card: &NewCard) -> Result<Option<Card>, StoreError> {
    if let Some(iccid) = &card.iccid {
        let same = (card.name.as_str(), card.account.as_str(), iccid.digits());
        if let Some(known) = first(conn, RETIRED_BY_ICCID, same, card_of)? {
            return Ok(Some(known));
        }
    }
    let known = retired_by_name(conn, &card.name)?;
    Ok(known.filter(|known| known.account == card.account && (known.iccid.is_none() || card.iccid.is_none())))
}

#[cfg(test)]
mod tests {
    use super::super::cards::{all, by_id, by_name};
    use super::super::polls;
    use super::super::tests::{NOW, memory, name};
    use super::*;
    use crate::domain::card::Keeper;
    use crate::domain::identity::Iccid;

    const A: &str = "8944501312167518236";
    const B: &str = "8901260882277048945";

    fn entry(label: &str, iccid: &str) -> NewCard {
        let iccid = (!iccid.is_empty()).then(|| Iccid::parse(iccid).unwrap());
        NewCard { iccid, ..NewCard::named(name(label), name("airalo"), Keeper::File) }
    }

    fn sync(conn: &Connection, cards: &[NewCard]) -> SyncReport {
        sync_file_cards(conn, cards, NOW).unwrap()
    }

    #[test]
    fn cards_come_change_leave_and_return() {
        let conn = memory();
        let first = sync(&conn, &[entry("one", A), entry("two", B)]);
        let (one, two) = (first.added[0], first.added[1]);
        assert_eq!(sync(&conn, &[entry("one", A), entry("two", B)]), SyncReport::default());
        assert_eq!(sync(&conn, &[entry("uno", A), entry("two", B)]).changed, [one]);
        let sold = NewCard { sellers: vec![name("dtone")], ..entry("two", B) };
        assert_eq!(sync(&conn, &[entry("uno", A), sold.clone()]).changed, [two]);
        assert_eq!(sync(&conn, &[entry("uno", A), sold]), SyncReport::default());
        assert_eq!(by_id(&conn, two).unwrap().unwrap().sellers, [name("dtone")]);
        assert_eq!(sync(&conn, &[entry("uno", A)]).retired, [two]);
        assert!(by_id(&conn, two).unwrap().unwrap().retired_at.is_some());
        assert_eq!(polls::schedule(&conn).unwrap(), [(one, NOW)]);
        let back = sync(&conn, &[entry("uno", A), entry("two", B)]);
        assert_eq!(back, SyncReport { revived: vec![two], ..SyncReport::default() });
        assert_eq!(polls::schedule(&conn).unwrap().len(), 2);
        assert_eq!(sync(&conn, &[]).retired, [one, two]);
    }

    #[test]
    fn two_cards_may_change_names_or_numbers() {
        let conn = memory();
        let first = sync(&conn, &[entry("one", A), entry("two", B)]);
        let swapped = sync(&conn, &[entry("two", A), entry("one", B)]);
        assert_eq!(swapped.changed, first.added);
        assert_eq!(by_name(&conn, &name("two")).unwrap().unwrap().id, first.added[0]);
        // A corrected number keeps the card.
        let report = sync(&conn, &[entry("two", "89883030001234567894"), entry("one", B)]);
        assert_eq!(report.changed, [first.added[0]]);
    }

    #[test]
    fn the_file_takes_over_a_card_of_the_same_name_or_number() {
        let conn = memory();
        let by_command = |entry: NewCard| NewCard { keeper: Keeper::Command, ..entry };
        let a = insert(&conn, &by_command(entry("a", A)), NOW).unwrap();
        let b = insert(&conn, &by_command(entry("b", "")), NOW).unwrap();
        let c = insert(&conn, &by_command(entry("c", "")), NOW).unwrap();
        assert_eq!(sync(&conn, &[entry("other", A), entry("b", B)]).changed, [a, b]);
        assert_eq!(sync(&conn, &[]).retired, [a, b]);
        assert_eq!(all(&conn).unwrap()[0].id, c, "cards of commands stay");
    }

    #[test]
    fn another_physical_card_under_an_old_name_is_a_new_card() {
        let conn = memory();
        let first = sync(&conn, &[entry("one", A)]);
        sync(&conn, &[]);
        assert_ne!(sync(&conn, &[entry("one", B)]).added, first.added);
    }
}
