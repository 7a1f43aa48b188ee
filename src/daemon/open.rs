//! From what the files say to what works: operators, channels, cards. The only place that knows both rooms of each.

pub(crate) mod accounts;
mod channels;
mod ussd;

use jiff::tz::TimeZone;
use secrecy::SecretString;

use super::desk::Fares;
use super::live::Surroundings;
use super::request::CardWords;
use crate::config::{CardEntry, Config, SecretRef};
use crate::domain::card::{Keeper, Name};
use crate::domain::identity::{Eid, Iccid, Imei, Msisdn};
use crate::store::accounts::AccountState;
use crate::store::cards::NewCard;

pub(super) use channels::{channel, sender};

/// A secret, read where the file says that it lies.
pub(super) fn secret(reference: &SecretRef, around: &Surroundings) -> anyhow::Result<SecretString> {
    Ok(reference.read(around.credentials.as_deref())?)
}

/// A card of `rules.toml`.
pub(crate) fn new_card(entry: &CardEntry) -> NewCard {
    NewCard {
        name: entry.name.clone(),
        account: entry.account.clone(),
        sellers: entry.sellers.clone(),
        iccid: entry.iccid.clone(),
        msisdn: entry.msisdn.clone(),
        imei: entry.imei.clone(),
        eid: entry.eid.clone(),
        fields: entry.fields.clone(),
        labels: entry.labels.clone(),
        contact: entry.contact.clone(),
        zone: entry.zone.clone(),
        notify: entry.notify.clone(),
        rule: entry.rule.clone(),
        keeper: Keeper::File,
    }
}

/// A card in a person's words.
///
/// # Errors
/// Says what would be right.
pub(crate) fn card(words: &CardWords, config: &Config) -> Result<NewCard, String> {
    let account = Name::parse(&words.operator)?;
    let known = config.machine.account(&account);
    let known = known.ok_or_else(|| format!("simkeeper.toml names no account `{account}` under [operator.…]"))?;
    let mut card = NewCard::named(Name::parse(&words.name)?, account, Keeper::Command);
    card.sellers = names(&words.sellers)?;
    for (place, seller) in card.sellers.iter().enumerate() {
        if config.machine.account(seller).is_none() {
            return Err(format!("simkeeper.toml names no account `{seller}` under [operator.…]"));
        }
        if *seller == card.account || card.sellers[..place].contains(seller) {
            return Err(format!(
                "the account `{seller}` is named twice; name each once, in the order in which they sell"
            ));
        }
    }
    card.iccid = words.iccid.as_deref().map(Iccid::parse).transpose()?;
    card.msisdn = words.msisdn.as_deref().map(Msisdn::parse).transpose()?;
    card.imei = words.imei.as_deref().map(Imei::parse).transpose()?;
    card.eid = words.eid.as_deref().map(Eid::parse).transpose()?;
    if card.iccid.is_none() && card.msisdn.is_none() {
        return Err("a card needs its ICCID or its phone number".to_owned());
    }
    card.labels = names(&words.labels)?;
    card.notify = names(&words.notify)?;
    if let Some(stranger) = card.notify.iter().find(|name| config.machine.person(name).is_none()) {
        return Err(format!("simkeeper.toml names no person `{stranger}`"));
    }
    card.contact.clone_from(&words.contact);
    card.zone = match &words.zone {
        Some(zone) => TimeZone::get(zone).map_err(|_| format!("`{zone}` is not a zone such as America/Toronto"))?,
        None => known.zone.clone().unwrap_or(TimeZone::UTC),
    };
    card.rule = words.rule.as_deref().map(Name::parse).transpose()?;
    if let Some(rule) = card.rule.as_ref().filter(|rule| config.rules.rule(rule).is_none()) {
        return Err(format!("rules.toml has no rule `{rule}`"));
    }
    Ok(card)
}

fn names(texts: &[String]) -> Result<Vec<Name>, String> {
    texts.iter().map(|text| Name::parse(text)).collect()
}

/// How the way to an operator fared, as the record has it.
pub(super) fn fares(state: &AccountState) -> Fares {
    Fares {
        failures: state.failures,
        until: state.open_until,
        asked: state.paused_until,
        clocks: state.clock,
        wallet: state.wallet.clone(),
    }
}
