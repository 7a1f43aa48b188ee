//! A card's columns: written from a [`NewCard`], read into a [`Card`].

use jiff::tz::TimeZone;
use rusqlite::{Connection, Row, named_params};

use super::cards::NewCard;
use super::error::StoreError;
use super::fields::{Fields, to_json};
use super::words::Word;
use crate::domain::card::{Card, CardId, Name, Pause, Wishes};
use crate::domain::identity::{Eid, Iccid, Imei, Msisdn};

/// The columns that a [`NewCard`] fills, in both statements below.
const INSERT: &str = "INSERT INTO card \
     (id, name, account, iccid, msisdn, imei, eid, fields, labels, contact, zone, notify, rule, keeper, sellers) VALUES (:id, \
     :name, :account, :iccid, :msisdn, :imei, :eid, :fields, :labels, :contact, :zone, :notify, :rule, :keeper, :sellers)";
const UPDATE: &str = "UPDATE card SET name = :name, account = :account, iccid = :iccid, msisdn = :msisdn, imei = :imei, \
     eid = :eid, fields = :fields, labels = :labels, contact = :contact, zone = :zone, notify = :notify, rule = :rule, \
     keeper = :keeper, sellers = :sellers, retired_at = NULL WHERE id = :id";

/// The statements of this file.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[INSERT, UPDATE];

pub(super) fn insert(conn: &Connection, card: &NewCard) -> Result<CardId, StoreError> {
    write(conn, INSERT, card, None)?;
    Ok(CardId(conn.last_insert_rowid()))
}

/// Overwrites what a card is, and makes it live; what people said about it stays.
pub(super) fn update(conn: &Connection, id: CardId, card: &NewCard) -> Result<(), StoreError> {
    match write(conn, UPDATE, card, Some(id))? {
        1 => Ok(()),
        _ => Err(StoreError::Missing { table: "card", row: id.0 }),
    }
}

/// Without an id the row gets the next one, never used before.
fn write(conn: &Connection, sql: &str, card: &NewCard, id: Option<CardId>) -> Result<usize, StoreError> {
    let mut statement = conn.prepare_cached(sql)?;
    let written = statement.execute(named_params! {
        ":id": id.map(|id| id.0),
        ":name": card.name.as_str(),
        ":account": card.account.as_str(),
        ":iccid": card.iccid.as_ref().map(Iccid::digits),
        ":msisdn": card.msisdn.as_ref().map(Msisdn::digits),
        ":imei": card.imei.as_ref().map(Imei::digits),
        ":eid": card.eid.as_ref().map(Eid::digits),
        ":fields": to_json(&card.fields)?,
        ":labels": to_json(&card.labels)?,
        ":contact": card.contact,
        ":zone": zone_name(&card.zone),
        ":notify": to_json(&card.notify)?,
        ":rule": card.rule.as_ref().map(Name::as_str),
        ":keeper": card.keeper.word(),
        ":sellers": to_json(&card.sellers)?,
    });
    written.map_err(|error| taken(error, card))
}

fn taken(error: rusqlite::Error, card: &NewCard) -> StoreError {
    let text = error.to_string();
    match &card.iccid {
        _ if !text.contains("UNIQUE") => error.into(),
        Some(iccid) if text.contains("card.iccid") => {
            StoreError::Taken { what: "the ICCID", value: iccid.digits().to_owned() }
        }
        _ => StoreError::Taken { what: "the card name", value: card.name.to_string() },
    }
}

/// The name under which a zone is stored.
fn zone_name(zone: &TimeZone) -> &str {
    zone.iana_name().unwrap_or("UTC")
}

fn zone_of(name: &str) -> Result<TimeZone, jiff::Error> {
    if name == "UTC" { Ok(TimeZone::UTC) } else { TimeZone::get(name) }
}

/// A card from a row with all columns of the table, which are read in their order.
pub(super) fn card_of(row: &Row<'_>) -> Result<Card, StoreError> {
    let row = Fields::of("card", "id", row)?;
    Ok(Card {
        id: CardId(row.id()),
        name: row.name("name")?,
        account: row.name("account")?,
        iccid: row.maybe("iccid", Iccid::parse)?,
        msisdn: row.maybe("msisdn", Msisdn::parse)?,
        imei: row.maybe("imei", Imei::parse)?,
        eid: row.maybe("eid", Eid::parse)?,
        fields: row.json("fields")?,
        labels: row.names("labels")?,
        contact: row.get("contact")?,
        zone: row.maybe("zone", zone_of)?.unwrap_or(TimeZone::UTC),
        notify: row.names("notify")?,
        rule: row.maybe("rule", Name::parse)?,
        keeper: row.word("keeper")?,
        wishes: wishes_of(&row)?,
        retired_at: row.maybe_time("retired_at")?,
        // A later schema added it, so that it stands last.
        sellers: row.names("sellers")?,
    })
}

fn wishes_of(row: &Fields<'_>) -> Result<Wishes, StoreError> {
    let (since, until) = (row.maybe_time("pause_since")?, row.maybe_time("pause_until")?);
    let by: Option<String> = row.get("pause_by")?;
    let pause = since.zip(by).map(|(since, by)| Pause { since, until, by });
    Ok(Wishes { pause, skip_next: row.get("skip_next")?, stop_after_next: row.get("stop_after_next")? })
}
