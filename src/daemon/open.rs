//! From what the files say to what works: operators, channels, cards. The only place that knows both rooms of each.

pub(crate) mod accounts;
mod ussd;

use std::time::Duration;

use anyhow::Context;
use jiff::tz::TimeZone;
use secrecy::SecretString;

use super::desk::Fares;
use super::live::Surroundings;
use super::request::CardWords;
use crate::config::{
    CardEntry, ChannelConfig, ChannelKind, Config, Gateway, GatewayValue, Method, Piece, Placeholder, SecretRef, Tls,
};
use crate::domain::card::{Keeper, Name};
use crate::domain::identity::{Eid, Iccid, Imei, Msisdn};
use crate::notify::{
    AnswerRule, Channel, ChannelSettings, GatewayMethod, GatewaySettings, Login, Meaning, SmtpSettings, SmtpTls,
    TwilioSettings,
};
use crate::store::accounts::AccountState;
use crate::store::cards::NewCard;

/// Connections to a mail server that are kept.
const SMTP_CONNECTIONS: usize = 8;
/// How long one step of a mail dialogue may take.
const SMTP_STEP: Duration = Duration::from_secs(60);
/// The folder of mails below the state directory where the file names none.
const MAIL_FOLDER: &str = "mail";

/// A secret, read where the file says that it lies.
pub(super) fn secret(reference: &SecretRef, around: &Surroundings) -> anyhow::Result<SecretString> {
    Ok(reference.read(around.credentials.as_deref())?)
}

/// Who the messages of a channel come from; a described gateway knows it itself.
pub(super) fn sender(kind: &ChannelKind) -> String {
    match kind {
        ChannelKind::Smtp { from, .. } | ChannelKind::Maildir { from, .. } => from.to_string(),
        ChannelKind::Twilio { from, .. } => format!("+{}", from.digits()),
        ChannelKind::Gateway(_) => String::new(),
    }
}

/// What carries the messages of a channel.
///
/// # Errors
/// When a secret cannot be read or a setting cannot work.
pub(super) fn channel(channel: &ChannelConfig, around: &Surroundings) -> anyhow::Result<Channel> {
    let settings = match &channel.kind {
        ChannelKind::Smtp { host, port, tls, user, password, from: _, ca_file } => {
            let login = match (user, password) {
                (Some(user), Some(password)) => Some(Login { user: user.clone(), password: secret(password, around)? }),
                _ => None,
            };
            let tls = match tls {
                Tls::Starttls => SmtpTls::Starttls,
                Tls::Implicit => SmtpTls::Implicit,
                Tls::None => SmtpTls::None,
            };
            ChannelSettings::Smtp(SmtpSettings {
                host: host.clone(),
                port: *port,
                tls,
                login,
                ca_file: ca_file.clone(),
                connections: SMTP_CONNECTIONS,
                step_timeout: SMTP_STEP,
            })
        }
        ChannelKind::Maildir { path, from: _ } => {
            ChannelSettings::Maildir { folder: path.clone().unwrap_or_else(|| around.state.join(MAIL_FOLDER)) }
        }
        ChannelKind::Twilio { account, token, from: _, base_url } => ChannelSettings::Twilio(TwilioSettings {
            account: account.clone(),
            token: secret(token, around)?,
            base_url: base_url.as_ref().map(ToString::to_string),
        }),
        ChannelKind::Gateway(gateway) => ChannelSettings::Gateway(described(gateway, around)?),
    };
    Channel::open(settings).with_context(|| format!("channel `{}`", channel.name))
}

fn described(gateway: &Gateway, around: &Surroundings) -> anyhow::Result<GatewaySettings> {
    let fields = |fields: &[(String, GatewayValue)]| -> anyhow::Result<Vec<(String, SecretString)>> {
        fields.iter().map(|(name, value)| Ok((name.clone(), filled(value, around)?))).collect()
    };
    Ok(GatewaySettings {
        method: match gateway.method {
            Method::Get => GatewayMethod::Get,
            Method::Post => GatewayMethod::Post,
        },
        url: gateway.url.to_string(),
        query: fields(&gateway.query)?,
        form: fields(&gateway.form)?,
        headers: fields(&gateway.headers)?,
        answers: answers(gateway),
    })
}

/// A value as the channel takes it: places in braces, braces of the text itself doubled by nobody, since the file refuses
/// them.
fn filled(value: &GatewayValue, around: &Surroundings) -> anyhow::Result<SecretString> {
    match value {
        GatewayValue::Secret(reference) => secret(reference, around),
        GatewayValue::Template(pieces) => {
            let text: String = pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Literal(text) => text.as_str(),
                    Piece::Placeholder(Placeholder::To) => "{to}",
                    Piece::Placeholder(Placeholder::Text) => "{text}",
                    Piece::Placeholder(Placeholder::Id) => "{id}",
                    Piece::Placeholder(Placeholder::Coding) => "{coding}",
                })
                .collect();
            Ok(text.into())
        }
    }
}

/// What answers mean, the body first: "never" beats "taken", and where beginnings are listed, no other is "taken".
fn answers(gateway: &Gateway) -> Vec<AnswerRule> {
    let mut rules = Vec::new();
    let mut rule = |status: u16, prefix: Option<&String>, meaning| {
        rules.push(AnswerRule { status, body_prefix: prefix.cloned(), meaning });
    };
    for &status in &gateway.success_status {
        for prefix in &gateway.permanent_prefix {
            rule(status, Some(prefix), Meaning::Dead);
        }
        for prefix in &gateway.success_prefix {
            rule(status, Some(prefix), Meaning::Sent);
        }
        let otherwise = if gateway.success_prefix.is_empty() { Meaning::Sent } else { Meaning::Doubtful };
        rule(status, None, otherwise);
    }
    for &status in &gateway.permanent_status {
        rule(status, None, Meaning::Dead);
    }
    rules
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
