//! `operator …`: which operators there are, how the accounts fare, and whether an account works. No command here buys.

pub(super) mod accounts;
pub(super) mod advice;
pub(super) mod catalogue;
pub(super) mod kinds;
pub(super) mod profile;
mod speak;
pub(super) mod trial;

use super::Context;
use super::exit::Stop;
use crate::config::{AccountConfig, Config};
use crate::daemon::open;
use crate::domain::card::{Card, CardId, Name};
use crate::store::{Store, StoreError, cards};

/// The account of this name.
fn account<'a>(config: &'a Config, name: &str) -> anyhow::Result<&'a AccountConfig> {
    let found = Name::parse(name).ok().and_then(|name| config.machine.account(&name));
    found.ok_or_else(|| {
        Stop::not_found(format!(
            "simkeeper.toml names no account `{name}` under [operator.…]; `simkeeper operator list` shows them"
        ))
    })
}

/// The record for reading, if the daemon has ever made one.
fn record(context: &Context) -> anyhow::Result<Option<Store>> {
    match Store::open_read_only(&context.places.state) {
        Ok(store) => Ok(Some(store)),
        Err(StoreError::NoDatabase { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The card of this name, from the record or else from rules.toml.
fn card(store: Option<&Store>, config: &Config, name: &str) -> anyhow::Result<Card> {
    let missing =
        || Stop::not_found(format!("there is no card named `{name}`; `simkeeper card find {name}` looks everywhere"));
    let parsed = Name::parse(name).map_err(|_| missing())?;
    let kept = match store {
        Some(store) => store.read_blocking(|conn| cards::by_name(conn, &parsed))?,
        None => None,
    };
    kept.or_else(|| of_file(config, |card| card.name == parsed)).ok_or_else(missing)
}

/// The first card of an account, from the record or else from rules.toml.
fn first_card(store: Option<&Store>, config: &Config, account: &Name) -> anyhow::Result<Option<Card>> {
    let kept = match store {
        Some(store) => store.read_blocking(|conn| cards::first_of(conn, account))?,
        None => None,
    };
    Ok(kept.or_else(|| of_file(config, |card| card.account == *account)))
}

/// A card that the file names and no daemon has taken over yet.
fn of_file(config: &Config, wanted: impl Fn(&crate::config::CardEntry) -> bool) -> Option<Card> {
    let entry = config.rules.cards.iter().find(|entry| wanted(entry))?;
    Some(unkept(open::new_card(entry)))
}

/// A card without a row.
fn unkept(card: cards::NewCard) -> Card {
    Card {
        sellers: card.sellers,
        iccid: card.iccid,
        msisdn: card.msisdn,
        imei: card.imei,
        eid: card.eid,
        fields: card.fields,
        labels: card.labels,
        contact: card.contact,
        zone: card.zone,
        notify: card.notify,
        rule: card.rule,
        keeper: card.keeper,
        ..Card::new(CardId(0), card.name, card.account)
    }
}
