//! The tables of channels to phones' own messages, to programs, and to further text gateways.

use std::path::Path;

use super::channel::{AliyunAccess, ChannelKind, SmppAccess, Tls};
use super::containers::OneOrMore;
use super::declare::table;
use super::machine_file::texts;
use super::reader::{Field, Notes};
use super::secret::SecretRef;
use super::values::{HostName, LocalUrl, SafeUrl, WholePath, Words, is_near};
use crate::domain::card::Name;
use crate::domain::identity::Iccid;
use crate::domain::money::Money;
use crate::domain::text_limits::TextLimits;
use crate::domain::time::Secs;

/// Where ntfy is if nothing is said.
const NTFY_USUAL: &str = "https://ntfy.sh/";
/// The place in a template of Alibaba Cloud if nothing is said.
const PLACE_USUAL: &str = "text";
/// The ports of SMPP.
const SMPP_USUAL: u16 = 2775;
const SMPP_TLS_USUAL: u16 = 3550;
/// Where Debian's gammu-smsd has its folders.
const SPOOL_USUAL: &str = "/var/spool/gammu";

table! {
    /// Messages by ntfy, to phones that have its app.
    struct NtfyTable {
        /// The server; ntfy.sh if nothing is said.
        may url: SafeUrl,
        /// An access token, where topics are protected.
        may token: SecretRef,
    }
}

table! {
    /// Messages by a Telegram bot.
    struct TelegramTable {
        /// The bot's token.
        must token: SecretRef,
        /// For a stand-in on this machine.
        may base_url: LocalUrl,
    }
}

table! {
    /// Every message as a signed JSON document to an address (docs/webhook.md).
    struct WebhookTable {
        /// The address.
        must url: SafeUrl,
        /// The secret that both sides have: whsec_ and 24 to 64 bytes in base64.
        must secret: SecretRef,
    }
}

table! {
    /// Every message as a JSON document to a program (docs/webhook.md).
    struct ProgramTable {
        /// The program; it gets one document on its standard input for each message.
        must program: WholePath,
        /// Its arguments.
        may args: OneOrMore<Words>,
        /// How long one run may take; 30s if nothing is said.
        may time_limit: Secs,
    }
}

table! {
    /// What texts cost and how many there may be.
    struct TextsTable {
        /// What each part of a text costs.
        may price: Money,
        /// The most texts within an hour; what is urgent passes it.
        may per_hour: u32,
        /// The most texts within 24 hours.
        may per_day: u32,
        /// The most texts within 30 days.
        may per_month: u32,
    }
}

/// The limits that a table of texts says.
pub(super) fn text_limits(table: &TextsTable, notes: &mut Notes<'_>) -> TextLimits {
    for (field, name) in [(&table.per_hour, "per_hour"), (&table.per_day, "per_day"), (&table.per_month, "per_month")] {
        if let Some(at) = field.good().filter(|at| at.value == 0) {
            let help = format!("{name} = 10, or leave the channel out");
            notes.contradiction(&at.span, "nothing could be sent over this channel", help);
        }
    }
    TextLimits {
        price: table.price.get().copied(),
        per_hour: table.per_hour.get().copied(),
        per_day: table.per_day.get().copied(),
        per_month: table.per_month.get().copied(),
    }
}

table! {
    /// Texts by Vonage's SMS API.
    struct VonageTable with texts: TextsTable {
        /// The account's API key.
        must account: Words,
        /// The API secret.
        must secret: SecretRef,
        /// The number or the name that texts come from.
        must from: Words,
        /// Whether it is told where to report what became of a text; needs listen, url and texts in [approval].
        may receipts: bool,
        /// For a stand-in on this machine.
        may base_url: LocalUrl,
    }
}

table! {
    /// Texts by a phone of one's own with SMS Gateway for Android.
    struct AndroidTable with texts: TextsTable {
        /// Where messages are handed in: the phone's address with /message, or the server's with /messages.
        must url: SafeUrl,
        /// The user.
        must user: Words,
        /// The user's password.
        must password: SecretRef,
        /// Whether it is asked what became of a text.
        may receipts: bool,
        /// The card of rules.toml that is in the phone, where it is one.
        may through: Name,
    }
}

table! {
    /// Texts by Alibaba Cloud's SMS service, through an approved template.
    struct AliyunTable with texts: TextsTable {
        /// The access key's id.
        must account: Words,
        /// The access key's secret.
        must secret: SecretRef,
        /// The approved signature.
        must from: Words,
        /// The code of the approved template, such as SMS_71390007.
        must template: Words,
        /// The name of the place in the template that the text fills; text if nothing is said.
        may place: Words,
        /// For a stand-in on this machine.
        may base_url: LocalUrl,
    }
}

table! {
    /// Texts by Plivo's Message API.
    struct PlivoTable with texts: TextsTable {
        /// The Auth ID.
        must account: Words,
        /// The Auth Token.
        must token: SecretRef,
        /// The number or the name that texts come from.
        must from: Words,
        /// Whether it is told where to report what became of a text; needs listen, url and texts in [approval].
        may receipts: bool,
        /// For a stand-in on this machine.
        may base_url: LocalUrl,
    }
}

table! {
    /// Texts by gammu-smsd with its files service, on this machine.
    struct GammuTable with texts: TextsTable {
        /// Its outboxpath; /var/spool/gammu/outbox if nothing is said.
        may outbox: WholePath,
        /// Its sentsmspath; /var/spool/gammu/sent if nothing is said.
        may sent: WholePath,
        /// Its errorsmspath; /var/spool/gammu/error if nothing is said.
        may error: WholePath,
        /// Whether its folder of errors is watched for what it gave up.
        may receipts: bool,
        /// The card of rules.toml by which it sends, where it is one.
        may through: Name,
    }
}

table! {
    /// Texts by SMPP 3.4, to an SMS centre.
    struct SmppTable with texts: TextsTable {
        /// The centre's name.
        must host: HostName,
        /// Its port; 2775, or 3550 with TLS, if nothing is said.
        may port: u16,
        /// implicit or none; implicit if nothing is said, none on this machine and private networks only.
        may tls: Tls,
        /// The login (system_id), at most 15 characters.
        must user: Words,
        /// Its password, at most 8 characters.
        must password: SecretRef,
        /// The system_type, where the centre wants one.
        may system_type: Words,
        /// A root certificate (PEM) to trust beside the system's.
        may ca_file: WholePath,
        /// The number or the name that texts come from.
        must from: Words,
    }
}

table! {
    /// Texts by a modem of this machine, by ModemManager.
    struct ModemTable with texts: TextsTable {
        /// The card that sends; the one modem that there is, if nothing is said.
        may iccid: Iccid,
        /// The address of the message bus; the system's if nothing is said.
        may bus: Words,
        /// Whether the network is asked to report what became of each text.
        may receipts: bool,
        /// The card of rules.toml that is in the modem, where it is one.
        may through: Name,
    }
}

pub(super) fn ntfy(table: &NtfyTable) -> Option<ChannelKind> {
    let url = table.url.get().map(|url| url.0.clone()).or_else(|| NTFY_USUAL.parse().ok())?;
    Some(ChannelKind::Ntfy { url, token: table.token.get().cloned() })
}

pub(super) fn telegram(table: &TelegramTable) -> Option<ChannelKind> {
    let base_url = table.base_url.get().map(|url| url.0.clone());
    Some(ChannelKind::Telegram { token: table.token.get()?.clone(), base_url })
}

pub(super) fn webhook(table: &WebhookTable) -> Option<ChannelKind> {
    Some(ChannelKind::Webhook { url: table.url.get()?.0.clone(), secret: table.secret.get()?.clone() })
}

pub(super) fn program(table: &ProgramTable, notes: &mut Notes<'_>) -> Option<ChannelKind> {
    if let Some(limit) = table.time_limit.good()
        && limit.value < Secs(1)
    {
        notes.contradiction(&limit.span, "no program ends within no time", "time_limit = \"30s\"".to_owned());
    }
    Some(ChannelKind::Program {
        program: table.program.get()?.0.clone(),
        args: texts(&table.args),
        time_limit: table.time_limit.get().copied().unwrap_or(Secs(30)),
    })
}

pub(super) fn vonage(table: &VonageTable) -> Option<ChannelKind> {
    Some(ChannelKind::Vonage {
        account: table.account.get()?.0.clone(),
        secret: table.secret.get()?.clone(),
        from: table.from.get()?.0.clone(),
        base_url: table.base_url.get().map(|url| url.0.clone()),
    })
}

pub(super) fn android(table: &AndroidTable) -> Option<ChannelKind> {
    Some(ChannelKind::Android {
        url: table.url.get()?.0.clone(),
        user: table.user.get()?.0.clone(),
        password: table.password.get()?.clone(),
    })
}

pub(super) fn aliyun(table: &AliyunTable) -> Option<ChannelKind> {
    Some(ChannelKind::Aliyun(Box::new(AliyunAccess {
        account: table.account.get()?.0.clone(),
        secret: table.secret.get()?.clone(),
        from: table.from.get()?.0.clone(),
        template: table.template.get()?.0.clone(),
        place: table.place.get().map_or_else(|| PLACE_USUAL.to_owned(), |words| words.0.clone()),
        base_url: table.base_url.get().map(|url| url.0.clone()),
    })))
}

pub(super) fn plivo(table: &PlivoTable) -> Option<ChannelKind> {
    Some(ChannelKind::Plivo {
        account: table.account.get()?.0.clone(),
        token: table.token.get()?.clone(),
        from: table.from.get()?.0.clone(),
        base_url: table.base_url.get().map(|url| url.0.clone()),
    })
}

pub(super) fn gammu(table: &GammuTable) -> ChannelKind {
    let folder = |field: &Field<WholePath>, name: &str| {
        field.get().map_or_else(|| Path::new(SPOOL_USUAL).join(name), |path| path.0.clone())
    };
    ChannelKind::Gammu {
        outbox: folder(&table.outbox, "outbox"),
        sent: folder(&table.sent, "sent"),
        error: folder(&table.error, "error"),
    }
}

pub(super) fn smpp(table: &SmppTable, notes: &mut Notes<'_>) -> Option<ChannelKind> {
    let host = table.host.get()?.0.clone();
    let tls = match table.tls.get().copied().unwrap_or(Tls::Implicit) {
        Tls::Implicit => true,
        Tls::None => false,
        Tls::Starttls => {
            if let Some(at) = table.tls.good() {
                notes.contradiction(&at.span, "SMPP has no STARTTLS", "tls = \"implicit\"".to_owned());
            }
            return None;
        }
    };
    if let Some(at) = table.tls.good().filter(|_| !tls && !is_near(&host)) {
        let help = "tls = \"implicit\"; \"none\" is for this machine and private addresses".to_owned();
        notes.contradiction(&at.span, format!("texts to `{host}` would cross the network unprotected"), help);
    }
    Some(ChannelKind::Smpp(Box::new(SmppAccess {
        host,
        port: table.port.get().copied().unwrap_or(if tls { SMPP_TLS_USUAL } else { SMPP_USUAL }),
        tls,
        user: table.user.get()?.0.clone(),
        password: table.password.get()?.clone(),
        system_type: table.system_type.get().map_or_else(String::new, |words| words.0.clone()),
        ca_file: table.ca_file.get().map(|path| path.0.clone()),
        from: table.from.get()?.0.clone(),
    })))
}

pub(super) fn modem(table: &ModemTable) -> ChannelKind {
    ChannelKind::Modem {
        iccid: table.iccid.get().cloned(),
        bus: table.bus.get().map(|words| words.0.clone()),
        receipts: table.receipts.get().copied().unwrap_or(false),
    }
}
