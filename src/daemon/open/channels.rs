//! From the channels that the file describes to those that send.

use std::time::Duration;

use anyhow::Context;
use secrecy::SecretString;

use super::{Surroundings, secret};
use crate::config::{
    AliyunAccess, Carries, ChannelConfig, ChannelKind, Gateway, GatewayValue, HeaderValue, Method, Piece, Placeholder,
    SecretRef, Service, SmppAccess, Tls,
};
use crate::notify::{
    AliyunSettings, AndroidSettings, AnswerRule, Channel, ChannelSettings, GammuSettings, GatewayMethod,
    GatewaySettings, HeaderText, Login, Meaning, ModemSettings, NtfySettings, PlivoSettings, ProgramSettings,
    ServiceMethod, ServiceSettings, SmppSettings, SmtpSettings, SmtpTls, TelegramSettings, TwilioSettings,
    VonageSettings, WebhookSettings,
};

/// Connections to a mail server that are kept.
const SMTP_CONNECTIONS: usize = 8;
/// How long one step of a mail dialogue may take.
const SMTP_STEP: Duration = Duration::from_secs(60);
/// The folder of mails below the state directory where the file names none.
const MAIL_FOLDER: &str = "mail";

/// Who the messages of a channel come from; what is not named here knows it itself.
pub(in crate::daemon) fn sender(kind: &ChannelKind) -> String {
    match kind {
        ChannelKind::Smtp { from, .. } | ChannelKind::Maildir { from, .. } => from.to_string(),
        ChannelKind::Twilio { from, .. } => format!("+{}", from.digits()),
        ChannelKind::Vonage { from, .. } | ChannelKind::Plivo { from, .. } => from.clone(),
        ChannelKind::Aliyun(access) => access.from.clone(),
        ChannelKind::Smpp(access) => access.from.clone(),
        ChannelKind::Gateway(_)
        | ChannelKind::Android { .. }
        | ChannelKind::Gammu { .. }
        | ChannelKind::Modem { .. }
        | ChannelKind::Ntfy { .. }
        | ChannelKind::Telegram { .. }
        | ChannelKind::Webhook { .. }
        | ChannelKind::Program { .. }
        | ChannelKind::Service(_) => String::new(),
    }
}

/// What carries the messages of a channel.
///
/// # Errors
/// When a secret cannot be read or a setting cannot work.
pub(in crate::daemon) fn channel(channel: &ChannelConfig, around: &Surroundings) -> anyhow::Result<Channel> {
    let settings = match &channel.kind {
        ChannelKind::Smtp { host, port, tls, user, password, from: _, ca_file } => {
            ChannelSettings::Smtp(SmtpSettings {
                host: host.clone(),
                port: *port,
                tls: smtp_tls(*tls),
                login: login(user.as_deref(), password.as_ref(), around)?,
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
        ChannelKind::Vonage { account, secret: api_secret, from: _, base_url } => {
            ChannelSettings::Vonage(VonageSettings {
                account: account.clone(),
                secret: secret(api_secret, around)?,
                base_url: base_url.as_ref().map(ToString::to_string),
            })
        }
        ChannelKind::Android { url, user, password } => ChannelSettings::Android(AndroidSettings {
            url: url.to_string(),
            user: user.clone(),
            password: secret(password, around)?,
        }),
        ChannelKind::Aliyun(access) => ChannelSettings::Aliyun(aliyun(access, around)?),
        ChannelKind::Plivo { account, token, from: _, base_url } => ChannelSettings::Plivo(PlivoSettings {
            account: account.clone(),
            token: secret(token, around)?,
            base_url: base_url.as_ref().map(ToString::to_string),
        }),
        ChannelKind::Gammu { outbox, sent, error } => {
            ChannelSettings::Gammu(GammuSettings { outbox: outbox.clone(), sent: sent.clone(), error: error.clone() })
        }
        ChannelKind::Modem { iccid, bus, receipts } => {
            ChannelSettings::Modem(ModemSettings { bus: bus.clone(), iccid: iccid.clone(), receipts: *receipts })
        }
        ChannelKind::Smpp(access) => ChannelSettings::Smpp(smpp(access, around)?),
        ChannelKind::Ntfy { url, token } => ChannelSettings::Ntfy(NtfySettings {
            url: url.to_string(),
            token: token.as_ref().map(|token| secret(token, around)).transpose()?,
        }),
        ChannelKind::Telegram { token, base_url } => ChannelSettings::Telegram(TelegramSettings {
            token: secret(token, around)?,
            base_url: base_url.as_ref().map(ToString::to_string),
        }),
        ChannelKind::Webhook { url, secret: shared } => {
            ChannelSettings::Webhook(WebhookSettings { url: url.to_string(), secret: secret(shared, around)? })
        }
        ChannelKind::Program { program, args, time_limit } => ChannelSettings::Program(ProgramSettings {
            program: program.clone(),
            args: args.clone(),
            time_limit: Duration::from_secs(time_limit.0.unsigned_abs()),
        }),
        ChannelKind::Service(service) => ChannelSettings::Service(Box::new(described_service(service, around)?)),
    };
    Channel::open(settings).with_context(|| format!("channel `{}`", channel.name))
}

fn login(user: Option<&str>, password: Option<&SecretRef>, around: &Surroundings) -> anyhow::Result<Option<Login>> {
    let Some((user, password)) = user.zip(password) else { return Ok(None) };
    Ok(Some(Login { user: user.to_owned(), password: secret(password, around)? }))
}

fn aliyun(access: &AliyunAccess, around: &Surroundings) -> anyhow::Result<AliyunSettings> {
    Ok(AliyunSettings {
        account: access.account.clone(),
        secret: secret(&access.secret, around)?,
        template: access.template.clone(),
        place: access.place.clone(),
        base_url: access.base_url.as_ref().map(ToString::to_string),
    })
}

fn smpp(access: &SmppAccess, around: &Surroundings) -> anyhow::Result<SmppSettings> {
    Ok(SmppSettings {
        host: access.host.clone(),
        port: access.port,
        tls: access.tls,
        user: access.user.clone(),
        password: secret(&access.password, around)?,
        system_type: access.system_type.clone(),
        ca_file: access.ca_file.clone(),
    })
}

const fn smtp_tls(tls: Tls) -> SmtpTls {
    match tls {
        Tls::Starttls => SmtpTls::Starttls,
        Tls::Implicit => SmtpTls::Implicit,
        Tls::None => SmtpTls::None,
    }
}

fn described(gateway: &Gateway, around: &Surroundings) -> anyhow::Result<GatewaySettings> {
    let fields = |fields: &[(String, GatewayValue)]| -> anyhow::Result<Vec<(String, SecretString)>> {
        fields.iter().map(|(name, value)| Ok((name.clone(), filled(value, around)?))).collect()
    };
    Ok(GatewaySettings {
        method: match gateway.method {
            Method::Get => GatewayMethod::Get,
            Method::Post => GatewayMethod::Post,
            Method::Put => GatewayMethod::Put,
        },
        url: gateway.url.to_string(),
        query: fields(&gateway.query)?,
        form: fields(&gateway.form)?,
        headers: fields(&gateway.headers)?,
        answers: answers(gateway),
    })
}

fn described_service(service: &Service, around: &Surroundings) -> anyhow::Result<ServiceSettings> {
    let header = |value: &HeaderValue| {
        anyhow::Ok(match value {
            HeaderValue::Template(template) => HeaderText::Template(template.clone()),
            HeaderValue::Secret(reference) => HeaderText::Secret(secret(reference, around)?),
        })
    };
    let headers = service.headers.iter().map(|(name, value)| Ok((name.clone(), header(value)?)));
    let secrets = service.secrets.iter().map(|(name, reference)| Ok((name.clone(), secret(reference, around)?)));
    Ok(ServiceSettings {
        push: service.carries == Carries::Push,
        method: match service.method {
            Method::Get => ServiceMethod::Get,
            Method::Post => ServiceMethod::Post,
            Method::Put => ServiceMethod::Put,
        },
        url: service.url.clone(),
        headers: headers.collect::<anyhow::Result<_>>()?,
        content_type: service.content_type.clone(),
        body: service.body.clone(),
        secrets: secrets.collect::<anyhow::Result<_>>()?,
        answers: service.answers.clone(),
        remote_id: service.remote_id.clone(),
        drops_doubles: service.drops_doubles,
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
                    Piece::Placeholder(Placeholder::Minutes) => "{minutes}",
                    Piece::Placeholder(Placeholder::Receipts) => "{receipts}",
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
