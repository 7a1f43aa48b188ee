//! Cards: adding, changing, finding and retiring them. A card is never deleted; its history stays its own.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use rusqlite::Connection;

use super::card_rows::{card_of, insert as insert_row, update as update_row};
pub use super::card_search::{count_by_account, find, first_of, known};
pub use super::card_sync::{SyncReport, sync_file_cards};
use super::error::StoreError;
use super::fields::{change, first, scalar, sound_rows};
use crate::domain::card::{Card, CardId, Keeper, Name, Wishes};
use crate::domain::identity::{Eid, Iccid, Imei, Msisdn};
use crate::domain::time::UnixTime;

const BY_ID: &str = "SELECT * FROM card WHERE id = ?1";
const ACCOUNT: &str = "SELECT account FROM card WHERE id = ?1";
const BY_NAME: &str = "SELECT * FROM card WHERE name = ?1 AND retired_at IS NULL";
const RETIRED_BY_NAME: &str =
    "SELECT * FROM card WHERE name = ?1 AND retired_at IS NOT NULL ORDER BY retired_at DESC, id DESC LIMIT 1";
const BY_ICCID: &str = "SELECT * FROM card WHERE account = ?1 AND iccid = ?2 AND retired_at IS NULL";
const ALL: &str = "SELECT * FROM card WHERE retired_at IS NULL ORDER BY id";
const PAGE: &str = "SELECT * FROM card WHERE id > ?1 AND retired_at IS NULL ORDER BY id LIMIT ?2";
const COUNT: &str = "SELECT count(*) FROM card WHERE retired_at IS NULL";
const RETIRE: &str = "UPDATE card SET retired_at = ?2 WHERE id = ?1 AND retired_at IS NULL";
const STOP_POLLING: &str = "UPDATE poll SET next_poll_at = NULL WHERE card = ?1";
const START_POLLING: &str = "INSERT INTO poll (card, next_poll_at) VALUES (?1, ?2) \
     ON CONFLICT (card) DO UPDATE SET next_poll_at = coalesce(next_poll_at, excluded.next_poll_at)";
const WISHES: &str = "UPDATE card SET pause_since = ?2, pause_until = ?3, pause_by = ?4, skip_next = ?5, \
     stop_after_next = ?6 WHERE id = ?1";

/// The statements of this file.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    BY_ID,
    ACCOUNT,
    BY_NAME,
    RETIRED_BY_NAME,
    BY_ICCID,
    ALL,
    PAGE,
    COUNT,
    RETIRE,
    STOP_POLLING,
    START_POLLING,
    WISHES,
];

/// What a card is, before it has a row: a [`Card`] without what the record adds.
#[derive(Clone, Debug)]
pub struct NewCard {
    /// The owner's name for it; no two live cards share one.
    pub name: Name,
    /// The account through which it is read, and which sells for it first.
    pub account: Name,
    /// Further accounts that may sell for it, in order.
    pub sellers: Vec<Name>,
    /// The number of the card; no two live cards of an account share one.
    pub iccid: Option<Iccid>,
    /// Its phone number.
    pub msisdn: Option<Msisdn>,
    /// The device it sits in.
    pub imei: Option<Imei>,
    /// The chip it is installed on.
    pub eid: Option<Eid>,
    /// What an operator wants beside these.
    pub fields: BTreeMap<String, String>,
    /// The owner's labels.
    pub labels: Vec<Name>,
    /// Who has it.
    pub contact: Option<String>,
    /// The zone whose hours and days count for it.
    pub zone: TimeZone,
    /// Who is told.
    pub notify: Vec<Name>,
    /// The rule that decides.
    pub rule: Option<Name>,
    /// Who keeps this entry.
    pub keeper: Keeper,
}

impl NewCard {
    /// A card of which only name and account are known; loaders and tests fill it.
    #[must_use]
    pub fn named(name: Name, account: Name, keeper: Keeper) -> Self {
        Self {
            name,
            account,
            sellers: Vec::new(),
            iccid: None,
            msisdn: None,
            imei: None,
            eid: None,
            fields: BTreeMap::new(),
            labels: Vec::new(),
            contact: None,
            zone: TimeZone::UTC,
            notify: Vec::new(),
            rule: None,
            keeper,
        }
    }

    /// What a stored card is, to be changed and written back.
    #[must_use]
    pub fn of(card: &Card) -> Self {
        Self {
            name: card.name.clone(),
            account: card.account.clone(),
            sellers: card.sellers.clone(),
            iccid: card.iccid.clone(),
            msisdn: card.msisdn.clone(),
            imei: card.imei.clone(),
            eid: card.eid.clone(),
            fields: card.fields.clone(),
            labels: card.labels.clone(),
            contact: card.contact.clone(),
            zone: card.zone.clone(),
            notify: card.notify.clone(),
            rule: card.rule.clone(),
            keeper: card.keeper,
        }
    }

    /// Whether a stored card is exactly this.
    #[must_use]
    pub fn describes(&self, card: &Card) -> bool {
        self.name == card.name
            && self.account == card.account
            && self.sellers == card.sellers
            && self.iccid == card.iccid
            && self.msisdn == card.msisdn
            && self.imei == card.imei
            && self.eid == card.eid
            && self.fields == card.fields
            && self.labels == card.labels
            && self.contact == card.contact
            && self.zone.iana_name() == card.zone.iana_name()
            && self.notify == card.notify
            && self.rule == card.rule
            && self.keeper == card.keeper
    }
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// New cards.
    pub added: Vec<CardId>,
    /// Cards that were known and are now different.
    pub changed: Vec<CardId>,
    /// How many were known exactly so.
    pub unchanged: usize,
    /// Which were not taken (place in the list, from 0), and why.
    pub refused: Vec<(usize, String)>,
}

/// Adds a card; it is due for its first reading at `now`.
///
/// # Errors
/// [`StoreError::Taken`] if a live card has its name or ICCID.
pub fn insert(conn: &Connection, card: &NewCard, now: UnixTime) -> Result<CardId, StoreError> {
    let id = insert_row(conn, card)?;
    start_polling(conn, id, now)?;
    Ok(id)
}

/// Overwrites what a card is; a retired one is live again. What people said about it stays.
///
/// # Errors
/// [`StoreError::Taken`] or [`StoreError::Missing`].
pub fn update(conn: &Connection, id: CardId, card: &NewCard, now: UnixTime) -> Result<(), StoreError> {
    update_row(conn, id, card)?;
    start_polling(conn, id, now)
}

/// Adds many cards, or changes those whose ICCID or name is known. Cards that `rules.toml` keeps are left alone. One that
/// cannot be taken stops none of the others.
///
/// # Errors
/// If the record cannot be written.
pub fn import(conn: &Connection, cards: &[NewCard], now: UnixTime) -> Result<ImportReport, StoreError> {
    let mut report = ImportReport::default();
    for (place, card) in cards.iter().enumerate() {
        match import_one(conn, card, now, &mut report) {
            Ok(()) => {}
            Err(error @ (StoreError::Taken { .. } | StoreError::Forbidden { .. })) => {
                report.refused.push((place, error.to_string()));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(report)
}

fn import_one(conn: &Connection, card: &NewCard, now: UnixTime, report: &mut ImportReport) -> Result<(), StoreError> {
    let Some(known) = live_match(conn, card)? else {
        report.added.push(insert(conn, card, now)?);
        return Ok(());
    };
    match known.keeper {
        _ if card.describes(&known) => report.unchanged += 1,
        Keeper::File if card.keeper == Keeper::Command => {
            let why = format!("rules.toml keeps the card `{}`; change it there", known.name);
            return Err(StoreError::Forbidden { why });
        }
        Keeper::File | Keeper::Command => {
            update(conn, known.id, card, now)?;
            report.changed.push(known.id);
        }
    }
    Ok(())
}

/// The live card with this ICCID, or else with this name.
pub(super) fn live_match(conn: &Connection, card: &NewCard) -> Result<Option<Card>, StoreError> {
    if let Some(iccid) = &card.iccid
        && let Some(known) = by_iccid(conn, &card.account, iccid)?
    {
        return Ok(Some(known));
    }
    by_name(conn, &card.name)
}

/// A card, live or retired.
///
/// # Errors
/// If its row cannot be read.
pub fn by_id(conn: &Connection, id: CardId) -> Result<Option<Card>, StoreError> {
    first(conn, BY_ID, [id.0], card_of)
}

/// Cards in the order of their rows; those that do not exist or cannot be read are left out, the latter with a word in
/// the log.
///
/// # Errors
/// If the record cannot be read.
pub fn by_ids(conn: &Connection, ids: &[CardId]) -> Result<Vec<Card>, StoreError> {
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut found = Vec::with_capacity(sorted.len());
    for id in sorted {
        found.extend(sound_rows(conn, BY_ID, [id.0], card_of)?);
    }
    Ok(found)
}

/// Cards by their account, each account's in the order of the rows; those that do not exist are left out. Reads nothing
/// else of them.
///
/// # Errors
/// If the record cannot be read.
pub fn by_account(conn: &Connection, ids: &[CardId]) -> Result<BTreeMap<Name, Vec<CardId>>, StoreError> {
    let mut grouped: BTreeMap<Name, Vec<CardId>> = BTreeMap::new();
    let mut statement = conn.prepare_cached(ACCOUNT)?;
    for id in ids {
        let mut answer = statement.query([id.0])?;
        let Some(row) = answer.next()? else { continue };
        let account = row.get_ref(0)?.as_str().unwrap_or_default();
        match grouped.get_mut(account) {
            Some(cards) => cards.push(*id),
            None => match Name::parse(account) {
                Ok(account) => drop(grouped.insert(account, vec![*id])),
                Err(why) => {
                    let error = StoreError::Unreadable { table: "card", column: "account", row: id.0, why };
                    tracing::error!(%error, "a row of the record is left out");
                }
            },
        }
    }
    Ok(grouped)
}

/// The live card of this name.
///
/// # Errors
/// If its row cannot be read.
pub fn by_name(conn: &Connection, name: &Name) -> Result<Option<Card>, StoreError> {
    first(conn, BY_NAME, [name.as_str()], card_of)
}

/// The card of this name that was retired last.
///
/// # Errors
/// If its row cannot be read.
pub fn retired_by_name(conn: &Connection, name: &Name) -> Result<Option<Card>, StoreError> {
    first(conn, RETIRED_BY_NAME, [name.as_str()], card_of)
}

/// The live card of this account with this ICCID.
///
/// # Errors
/// If its row cannot be read.
pub fn by_iccid(conn: &Connection, account: &Name, iccid: &Iccid) -> Result<Option<Card>, StoreError> {
    first(conn, BY_ICCID, [account.as_str(), iccid.digits()], card_of)
}

/// A count as SQLite takes it.
pub(super) fn bounded(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// All live cards in the order of their rows.
///
/// # Errors
/// If the record cannot be read.
pub fn all(conn: &Connection) -> Result<Vec<Card>, StoreError> {
    sound_rows(conn, ALL, [], card_of)
}

/// The live cards after `after` in the order of their rows, at most `limit`; begin with `CardId(0)`.
///
/// # Errors
/// If the record cannot be read.
pub fn page(conn: &Connection, after: CardId, limit: usize) -> Result<Vec<Card>, StoreError> {
    sound_rows(conn, PAGE, (after.0, bounded(limit)), card_of)
}

/// How many cards are live.
///
/// # Errors
/// If the record cannot be read.
pub fn count(conn: &Connection) -> Result<usize, StoreError> {
    let count: i64 = scalar(conn, COUNT, [])?.unwrap_or(0);
    Ok(usize::try_from(count).unwrap_or(0))
}

/// Retires a card: it is no longer read or renewed. Says whether it was live. An open attempt of it is still settled.
///
/// # Errors
/// If the record cannot be written.
pub fn retire(conn: &Connection, id: CardId, now: UnixTime) -> Result<bool, StoreError> {
    let retired = change(conn, RETIRE, (id.0, now.secs()))? == 1;
    change(conn, STOP_POLLING, [id.0])?;
    Ok(retired)
}

/// Records what people said about a card.
///
/// # Errors
/// [`StoreError::Missing`].
pub fn set_wishes(conn: &Connection, id: CardId, wishes: &Wishes) -> Result<(), StoreError> {
    let pause = wishes.pause.as_ref();
    let values = (
        id.0,
        pause.map(|pause| pause.since.secs()),
        pause.and_then(|pause| pause.until).map(UnixTime::secs),
        pause.map(|pause| pause.by.as_str()),
        wishes.skip_next,
        wishes.stop_after_next,
    );
    match change(conn, WISHES, values)? {
        1 => Ok(()),
        _ => Err(StoreError::Missing { table: "card", row: id.0 }),
    }
}

fn start_polling(conn: &Connection, id: CardId, now: UnixTime) -> Result<(), StoreError> {
    change(conn, START_POLLING, (id.0, now.secs()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NOW, memory, name};
    use super::*;
    use crate::domain::card::Pause;
    use crate::domain::time::Secs;

    const ICCIDS: [&str; 2] = ["8944501312167518236", "8901260882277048945"];

    fn full() -> NewCard {
        NewCard {
            iccid: Some(Iccid::parse(ICCIDS[0]).unwrap()),
            msisdn: Some(Msisdn::parse("+16135550123").unwrap()),
            imei: Some(Imei::parse("260531793113837").unwrap()),
            eid: Some(Eid::parse("89034011560010000000000000000121").unwrap()),
            fields: BTreeMap::from([("sim_id".to_owned(), "A_7%".to_owned())]),
            sellers: vec![name("dtone"), name("第二家")],
            labels: vec![name("trip"), name("路由器")],
            contact: Some("Anna, +49 30 1".into()),
            zone: TimeZone::get("America/Toronto").unwrap(),
            notify: vec![name("anna")],
            rule: Some(name("travel")),
            ..NewCard::named(name("canada"), name("airalo"), Keeper::Command)
        }
    }

    fn found(conn: &Connection, text: &str) -> Vec<String> {
        find(conn, text, 10).unwrap().into_iter().map(|card| card.name.to_string()).collect()
    }

    #[test]
    fn a_card_comes_back_as_it_was_written() {
        let conn = memory();
        let id = insert(&conn, &full(), NOW).unwrap();
        let card = by_id(&conn, id).unwrap().unwrap();
        assert!(full().describes(&card) && NewCard::of(&card).describes(&card));
        assert_eq!(by_name(&conn, &name("canada")).unwrap().unwrap().id, id);
        assert!(by_name(&conn, &name("other")).unwrap().is_none());
        assert_eq!(count(&conn).unwrap(), 1);
    }

    #[test]
    fn live_names_and_numbers_are_unique_and_free_again_after_retiring() {
        let conn = memory();
        let id = insert(&conn, &full(), NOW).unwrap();
        let same_name = NewCard { iccid: None, ..full() };
        let taken = insert(&conn, &same_name, NOW).unwrap_err();
        assert_eq!(taken, StoreError::Taken { what: "the card name", value: "canada".into() });
        let same_iccid = NewCard { name: name("other"), ..full() };
        let taken = insert(&conn, &same_iccid, NOW).unwrap_err();
        assert_eq!(taken, StoreError::Taken { what: "the ICCID", value: ICCIDS[0].into() });
        assert!(retire(&conn, id, NOW).unwrap());
        assert!(!retire(&conn, id, NOW).unwrap());
        let second = insert(&conn, &full(), NOW).unwrap();
        assert!(second > id);
        assert_eq!(retired_by_name(&conn, &name("canada")).unwrap().unwrap().id, id);
        assert_eq!(all(&conn).unwrap().len(), 1);
    }

    #[test]
    fn any_part_finds_a_card() {
        let conn = memory();
        insert(&conn, &full(), NOW).unwrap();
        insert(&conn, &NewCard::named(name("other"), name("airalo"), Keeper::Command), NOW).unwrap();
        for text in ["ANAD", "1216 7518", "+1 613-555", "260531", "890340115600", "anna", "路由", "_7%", "trip"] {
            assert_eq!(found(&conn, text), ["canada"], "{text}");
        }
        let digit = crate::domain::identity::luhn_digit(ICCIDS[0]);
        for text in [format!("{}{digit}", ICCIDS[0]), format!("2167 5182 36{digit}"), format!("{}x", ICCIDS[0])] {
            let expected = if text.ends_with('x') { vec![] } else { vec!["canada"] };
            assert_eq!(found(&conn, &text), expected, "{text}: with its check digit");
        }
        assert_eq!(found(&conn, &format!("216751823 6{}", (digit + 1) % 10)), [""; 0], "another check digit");
        assert_eq!(found(&conn, "nothing like it"), [""; 0]);
        assert_eq!(found(&conn, "%"), ["canada"], "only the card whose field has the sign");
    }

    #[test]
    fn an_import_adds_changes_and_leaves_alone() {
        let conn = memory();
        let mut file = NewCard::named(name("file"), name("airalo"), Keeper::File);
        insert(&conn, &file, NOW).unwrap();
        file.keeper = Keeper::Command;
        file.contact = Some("x".into());
        let report = import(&conn, &[full(), full(), NewCard { contact: None, ..full() }, file], NOW).unwrap();
        assert_eq!((report.added.len(), report.unchanged, report.changed.len()), (1, 1, 1));
        assert_eq!(report.refused.len(), 1);
        assert!(report.refused[0].0 == 3 && report.refused[0].1.contains("rules.toml"), "{:?}", report.refused);
    }

    #[test]
    fn wishes_and_pages_come_back() {
        let conn = memory();
        let ids: Vec<_> = ["a", "b", "c"]
            .iter()
            .map(|text| insert(&conn, &NewCard::named(name(text), name("x"), Keeper::Command), NOW).unwrap())
            .collect();
        let wishes = Wishes {
            pause: Some(Pause { since: NOW, until: Some(NOW.plus(Secs::DAY)), by: "anna".into() }),
            skip_next: true,
            stop_after_next: false,
        };
        set_wishes(&conn, ids[1], &wishes).unwrap();
        assert_eq!(by_id(&conn, ids[1]).unwrap().unwrap().wishes, wishes);
        let page_ids: Vec<_> = page(&conn, ids[0], 1).unwrap().iter().map(|card| card.id).collect();
        assert_eq!(page_ids, [ids[1]]);
        let sorted: Vec<_> = by_ids(&conn, &[ids[2], CardId(99), ids[0]]).unwrap().iter().map(|card| card.id).collect();
        assert_eq!(sorted, [ids[0], ids[2]]);
        assert!(matches!(set_wishes(&conn, CardId(99), &wishes), Err(StoreError::Missing { .. })));
    }

    #[test]
    fn one_bad_row_stops_none_of_the_others() {
        let conn = memory();
        let bad = insert(&conn, &full(), NOW).unwrap();
        insert(&conn, &NewCard::named(name("good"), name("x"), Keeper::Command), NOW).unwrap();
        conn.execute("UPDATE card SET zone = 'Nowhere/Atall' WHERE id = ?1", [bad.0]).unwrap();
        assert_eq!(all(&conn).unwrap().len(), 1);
        match by_id(&conn, bad) {
            Err(StoreError::Unreadable { table: "card", column: "zone", row, .. }) => assert_eq!(row, bad.0),
            other => panic!("{other:?}"),
        }
    }
}
