//! The tables of `simkeeper.toml`, declared once, and how they become a [`Machine`].

use lettre::message::Mailbox;

use super::account_file::{AccountTable, account};
use super::approval_file::{ApprovalTable, approval};
use super::channel::{ChannelConfig, ChannelKind, Method, Tls};
use super::channel_file::{
    AliyunTable, AndroidTable, GammuTable, ModemTable, NtfyTable, PlivoTable, ProgramTable, SmppTable, TelegramTable,
    TextsTable, VonageTable, WebhookTable, aliyun, android, gammu, modem, ntfy, plivo, program, smpp, telegram,
    text_limits, vonage, webhook,
};
use super::containers::OneOrMore;
use super::declare::{kinds, table, words};
use super::digest_file::{DigestWish, digests};
use super::gateway_file::{GatewayTable, gateway, wants_receipts};
use super::machine::{ApprovalConfig, HEARTBEAT_USUAL, HeartbeatConfig, Language, Machine, POLL_USUAL, Schedule};
use super::person_file::{PersonTable, Usual, check_reach, check_stand_ins, person};
use super::reader::{At, Entry, Field, Named, Notes, Span};
use super::secret::SecretRef;
use super::service_file::{ServiceTable, service};
use super::values::{Daily, HostName, LocalUrl, SafeUrl, Sender, TwilioAccount, WholePath, Words, is_loopback};
use crate::domain::card::Name;
use crate::domain::identity::Msisdn;
use crate::domain::money::Currency;
use crate::domain::time::Secs;

words! {
    Tls, "a way to protect mail": { "starttls" => Tls::Starttls, "implicit" => Tls::Implicit, "none" => Tls::None, }
    Method, "a method": { "get" => Method::Get, "post" => Method::Post, "put" => Method::Put, }
}

table! {
    /// simkeeper.toml: accounts, channels, people and schedule of this machine.
    struct MachineTable {
        /// The language of people who name none.
        may language: Language,
        /// The currency in which sums are shown; limits may name others.
        must currency: Currency,
        /// Accounts at operators, by name.
        may operator: Named<AccountTable>,
        /// Ways to people, by name; a maildir if there is none.
        may channel: Named<ChannelTable>,
        /// Who can be told, by name.
        may person: Named<PersonTable>,
        /// What happens when.
        may schedule: ScheduleTable,
        /// A monitor outside that notices when this daemon falls silent.
        may heartbeat: HeartbeatTable,
        /// Answering questions about purchases by a code.
        may approval: ApprovalTable,
    }
}

kinds! {
    /// A way to people.
    enum ChannelTable {
        "smtp" => Smtp(SmtpTable),
        "maildir" => Maildir(MaildirTable),
        "twilio" => Twilio(TwilioTable),
        "gateway" => Gateway(Box<GatewayTable>),
        "vonage" => Vonage(VonageTable),
        "android" => Android(AndroidTable),
        "aliyun" => Aliyun(AliyunTable),
        "plivo" => Plivo(PlivoTable),
        "gammu" => Gammu(GammuTable),
        "modem" => Modem(ModemTable),
        "smpp" => Smpp(SmppTable),
        "ntfy" => Ntfy(NtfyTable),
        "telegram" => Telegram(TelegramTable),
        "webhook" => Webhook(WebhookTable),
        "exec" => Program(ProgramTable),
        "http" => Service(Box<ServiceTable>),
    }
}

table! {
    /// A mail server.
    struct SmtpTable {
        /// Its name.
        must host: HostName,
        /// Its port; 587 for starttls, 465 for implicit, 25 for none.
        may port: u16,
        /// How the connection is protected; starttls if nothing is said, none on this machine only.
        may tls: Tls,
        /// The login.
        may user: Words,
        /// The login's password.
        may password: SecretRef,
        /// Who mails come from.
        must from: Sender,
        /// A root certificate (PEM) to trust beside the system's.
        may ca_file: WholePath,
    }
}

table! {
    /// Mails as files in a directory.
    struct MaildirTable {
        /// The directory; below the state directory if nothing is said.
        may path: WholePath,
        /// Who mails come from.
        may from: Sender,
    }
}

table! {
    /// Texts by Twilio's Messages API.
    struct TwilioTable with texts: TextsTable {
        /// The account SID.
        must account: TwilioAccount,
        /// The account's token.
        must token: SecretRef,
        /// The number that texts come from.
        must from: Msisdn,
        /// Whether it is told where to report what became of a text; needs listen, url and texts in [approval].
        may receipts: bool,
        /// For a stand-in on this machine.
        may base_url: LocalUrl,
    }
}

table! {
    /// What happens when.
    struct ScheduleTable {
        /// How often cards are read; 6h if nothing is said.
        may poll: Secs,
        /// When those who say nothing themselves get all their cards at a glance, by their own clocks; never if nothing is said.
        may digest: OneOrMore<DigestWish>,
        /// When the record is backed up.
        may backup: Daily,
    }
}

table! {
    /// A monitor outside that notices when this daemon falls silent.
    struct HeartbeatTable {
        /// Its address: a POST goes there after each full round.
        must url: SafeUrl,
        /// How often; 5m if nothing is said.
        may every: Secs,
    }
}

/// The machine that the file describes; what cannot be had is left out, and that was noted.
pub(super) fn machine(table: &MachineTable, notes: &mut Notes<'_>) -> Option<Machine> {
    let language = table.language.get().copied().unwrap_or_default();
    let accounts = entries(&table.operator).filter_map(|(entry, kind)| account(entry, kind, notes)).collect();
    let channels = channels(&table.channel, notes);
    let digests = table.schedule.get().and_then(|table| digests(&table.digest, notes)).unwrap_or_default();
    let usual = Usual { language, digests };
    let people = entries(&table.person).map(|(entry, value)| person(entry, value, &usual, notes)).collect::<Vec<_>>();
    if table.channel.get().is_none_or(|named| named.0.iter().all(|entry| entry.value.is_some())) {
        check_reach(&table.person, &channels, notes);
    }
    check_stand_ins(&table.person, notes);
    let schedule = schedule(table.schedule.get(), notes);
    let heartbeat = table.heartbeat.get().and_then(|table| heartbeat(table, notes));
    let approval = table.approval.get().map(|table| approval(table, &channels, notes));
    check_receipts(&table.channel, approval.as_ref(), notes);
    let currency = *table.currency.get()?;
    Some(Machine { language, currency, accounts, channels, people, schedule, heartbeat, approval })
}

/// The names in a table of names.
pub(super) fn names<T>(field: &Field<Named<T>>) -> Vec<&Name> {
    field.get().into_iter().flat_map(|named| named.0.iter().map(|entry| &entry.name)).collect()
}

/// The entries whose values could be read.
pub(super) fn entries<T>(field: &Field<Named<T>>) -> impl Iterator<Item = (&Entry<T>, &T)> {
    field.get().into_iter().flat_map(|named| named.0.iter()).filter_map(|entry| Some((entry, entry.value.as_ref()?)))
}

fn channels(field: &Field<Named<ChannelTable>>, notes: &mut Notes<'_>) -> Vec<ChannelConfig> {
    let named = field.get().is_some_and(|named| !named.0.is_empty());
    if !named {
        return own_maildir().into_iter().collect();
    }
    entries(field)
        .filter_map(|(entry, table)| {
            let kind = match table {
                ChannelTable::Smtp(table) => smtp(table, notes),
                ChannelTable::Maildir(table) => maildir(table),
                ChannelTable::Twilio(table) => twilio(table),
                ChannelTable::Gateway(table) => gateway(table, &entry.key, notes),
                ChannelTable::Vonage(table) => vonage(table),
                ChannelTable::Android(table) => android(table),
                ChannelTable::Aliyun(table) => aliyun(table),
                ChannelTable::Plivo(table) => plivo(table),
                ChannelTable::Gammu(table) => Some(gammu(table)),
                ChannelTable::Modem(table) => Some(modem(table)),
                ChannelTable::Smpp(table) => smpp(table, notes),
                ChannelTable::Ntfy(table) => ntfy(table),
                ChannelTable::Telegram(table) => telegram(table),
                ChannelTable::Webhook(table) => webhook(table),
                ChannelTable::Program(table) => program(table, notes),
                ChannelTable::Service(table) => service(table, &entry.key, notes),
            };
            let (texts, through) = match table {
                ChannelTable::Gateway(table) => (Some(&table.texts), table.through.get()),
                ChannelTable::Android(table) => (Some(&table.texts), table.through.get()),
                ChannelTable::Twilio(table) => (Some(&table.texts), None),
                ChannelTable::Vonage(table) => (Some(&table.texts), None),
                ChannelTable::Aliyun(table) => (Some(&table.texts), None),
                ChannelTable::Plivo(table) => (Some(&table.texts), None),
                ChannelTable::Smpp(table) => (Some(&table.texts), None),
                ChannelTable::Gammu(table) => (Some(&table.texts), table.through.get()),
                ChannelTable::Modem(table) => (Some(&table.texts), table.through.get()),
                ChannelTable::Smtp(_)
                | ChannelTable::Maildir(_)
                | ChannelTable::Ntfy(_)
                | ChannelTable::Telegram(_)
                | ChannelTable::Webhook(_)
                | ChannelTable::Program(_)
                | ChannelTable::Service(_) => (None, None),
            };
            let texts = texts.map(|table| text_limits(table, notes));
            let found = receipts_of(&entry.key, table);
            Some(ChannelConfig {
                name: entry.name.clone(),
                kind: kind?,
                through: through.cloned(),
                texts,
                receipts: matches!(found, Receipts::Reported { .. }),
                asks: matches!(found, Receipts::Asked),
            })
        })
        .collect()
}

/// How it is found out what became of the texts of a channel.
enum Receipts<'a> {
    /// Not at all.
    Unknown,
    /// The gateway is told where to report, as is said here; `near` if that can be on this machine.
    Reported { at: &'a Span, near: bool },
    /// The channel is asked.
    Asked,
}

fn receipts_of<'a>(name: &'a Span, table: &'a ChannelTable) -> Receipts<'a> {
    let (said, asked) = match table {
        ChannelTable::Gateway(table) if wants_receipts(table) => return Receipts::Reported { at: name, near: true },
        // The centre tells over the connection that there is.
        ChannelTable::Smpp(_) => return Receipts::Asked,
        ChannelTable::Android(table) => (&table.receipts, true),
        ChannelTable::Gammu(table) => (&table.receipts, true),
        ChannelTable::Modem(table) => (&table.receipts, true),
        ChannelTable::Twilio(table) => (&table.receipts, false),
        ChannelTable::Vonage(table) => (&table.receipts, false),
        ChannelTable::Plivo(table) => (&table.receipts, false),
        ChannelTable::Gateway(_)
        | ChannelTable::Aliyun(_)
        | ChannelTable::Smtp(_)
        | ChannelTable::Maildir(_)
        | ChannelTable::Ntfy(_)
        | ChannelTable::Telegram(_)
        | ChannelTable::Webhook(_)
        | ChannelTable::Program(_)
        | ChannelTable::Service(_) => return Receipts::Unknown,
    };
    match said.good().filter(|at| at.value) {
        None => Receipts::Unknown,
        Some(_) if asked => Receipts::Asked,
        Some(at) => Receipts::Reported { at: &at.key, near: false },
    }
}

/// Receipts need the door at which gateways hand them in.
fn check_receipts(field: &Field<Named<ChannelTable>>, approval: Option<&ApprovalConfig>, notes: &mut Notes<'_>) {
    for (entry, table) in entries(field) {
        let Receipts::Reported { at, near } = receipts_of(&entry.key, table) else { continue };
        let open =
            approval.is_some_and(|door| door.listen.is_some() && door.texts.is_some() && (near || door.url.is_some()));
        if !open {
            let url = if near { "" } else { ", url = \"https://keeper.example.net/\"" };
            let help = format!(
                "[approval] with listen = \"127.0.0.1:8088\"{url} and texts = {{ credential = \"texts-word\" }}"
            );
            notes.contradiction(at, "there is no address at which receipts could be handed in", help);
        }
    }
}

/// The channel of a file that names none.
fn own_maildir() -> Option<ChannelConfig> {
    let kind = ChannelKind::Maildir { path: None, from: own_sender()? };
    Some(ChannelConfig {
        name: Name::parse("mail").ok()?,
        kind,
        through: None,
        texts: None,
        receipts: false,
        asks: false,
    })
}

fn own_sender() -> Option<Mailbox> {
    "simkeeper <simkeeper@localhost>".parse().ok()
}

fn smtp(table: &SmtpTable, notes: &mut Notes<'_>) -> Option<ChannelKind> {
    let tls = table.tls.get().copied().unwrap_or(Tls::Starttls);
    if let (Tls::None, Some(host), Some(at)) = (tls, table.host.get(), table.tls.good())
        && !is_loopback(&host.0)
    {
        let message = format!("mail to `{}` would cross the network unprotected", host.0);
        let help = "tls = \"starttls\" or \"implicit\"; \"none\" is for a mail server on this machine";
        notes.contradiction(&at.span, message, help.to_owned());
    }
    check_login(table, notes);
    let usual_port = match tls {
        Tls::Starttls => 587,
        Tls::Implicit => 465,
        Tls::None => 25,
    };
    Some(ChannelKind::Smtp {
        host: table.host.get()?.0.clone(),
        port: table.port.get().copied().unwrap_or(usual_port),
        tls,
        user: table.user.get().map(|words| words.0.clone()),
        password: table.password.get().cloned(),
        from: table.from.get()?.0.clone(),
        ca_file: table.ca_file.get().map(|path| path.0.clone()),
    })
}

fn check_login(table: &SmtpTable, notes: &mut Notes<'_>) {
    match (&table.user, &table.password) {
        (Field::Good(user), Field::Absent) => {
            let help = "add password = { credential = \"NAME\" }, or leave user out".to_owned();
            notes.contradiction(&user.key, "a user without a password cannot log in", help);
        }
        (Field::Absent, Field::Good(password)) => {
            let help = "add user = \"…\", or leave password out".to_owned();
            notes.contradiction(&password.key, "a password without a user cannot log in", help);
        }
        (Field::Absent | Field::Bad | Field::Good(_), _) => {}
    }
    if let Some(port) = table.port.good()
        && port.value == 0
    {
        notes.error(&port.span, "0 is not a port", "port = 587".to_owned());
    }
}

fn maildir(table: &MaildirTable) -> Option<ChannelKind> {
    let from = table.from.get().map(|sender| sender.0.clone()).or_else(own_sender)?;
    Some(ChannelKind::Maildir { path: table.path.get().map(|path| path.0.clone()), from })
}

fn twilio(table: &TwilioTable) -> Option<ChannelKind> {
    Some(ChannelKind::Twilio {
        account: table.account.get()?.0.clone(),
        token: table.token.get()?.clone(),
        from: table.from.get()?.clone(),
        base_url: table.base_url.get().map(|url| url.0.clone()),
    })
}

fn schedule(table: Option<&ScheduleTable>, notes: &mut Notes<'_>) -> Schedule {
    let Some(table) = table else { return Schedule { poll: POLL_USUAL, backup: None } };
    check_poll(&table.poll, notes);
    Schedule { poll: table.poll.get().copied().unwrap_or(POLL_USUAL), backup: table.backup.get().copied() }
}

fn heartbeat(table: &HeartbeatTable, notes: &mut Notes<'_>) -> Option<HeartbeatConfig> {
    if let Some(At { value, span, .. }) = table.every.good()
        && *value < Secs::MINUTE
    {
        notes.contradiction(
            span,
            "rounds take up to a minute; no sign of life comes oftener",
            "every = \"1m\"".to_owned(),
        );
    }
    let every = table.every.get().copied().unwrap_or(HEARTBEAT_USUAL);
    Some(HeartbeatConfig { url: table.url.get()?.0.clone(), every })
}

/// Cards cannot be read without a pause.
pub(super) fn check_poll(poll: &Field<Secs>, notes: &mut Notes<'_>) {
    if let Some(At { value, span, .. }) = poll.good()
        && *value < Secs(1)
    {
        notes.contradiction(span, "cards cannot be read without a pause", "poll = \"6h\"".to_owned());
    }
}

/// The texts of a list of words.
pub(super) fn texts(field: &Field<OneOrMore<Words>>) -> Vec<String> {
    field.get().into_iter().flat_map(|list| list.0.iter().map(|at| at.value.0.clone())).collect()
}
