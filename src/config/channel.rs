//! The ways to people and programs that `simkeeper.toml` names, each with what it needs.

use std::collections::BTreeSet;
use std::path::PathBuf;

use lettre::message::Mailbox;
use url::Url;

use super::secret::SecretRef;
use crate::domain::answers::{Answers, Pointer};
use crate::domain::card::Name;
use crate::domain::identity::{Iccid, Msisdn};
use crate::domain::template::Template;
use crate::domain::text_limits::TextLimits;
use crate::domain::time::Secs;

/// A way to people.
#[derive(Clone, Debug)]
pub struct ChannelConfig {
    /// Its name.
    pub name: Name,
    /// How it sends.
    pub kind: ChannelKind,
    /// The card that its texts go through, where it is one of ours.
    pub through: Option<Name>,
    /// What its texts cost and how many there may be, if it carries texts.
    pub texts: Option<TextLimits>,
    /// Whether its gateway is told where to report what became of a text.
    pub receipts: bool,
    /// Whether it is asked what became of texts.
    pub asks: bool,
}

/// What a channel carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Carries {
    /// Mails.
    Mail,
    /// Texts.
    Sms,
    /// Messages to phones' own messages.
    Push,
    /// Documents to programs, once each, whoever else is told.
    Document,
}

/// How a channel sends.
#[derive(Clone, Debug)]
pub enum ChannelKind {
    /// A mail server.
    Smtp {
        /// Its name.
        host: String,
        /// Its port.
        port: u16,
        /// How the connection is protected.
        tls: Tls,
        /// The login.
        user: Option<String>,
        /// The login's password; there if and only if `user` is.
        password: Option<SecretRef>,
        /// Who mails come from.
        from: Mailbox,
        /// A root certificate (PEM) to trust beside the system's, for a private mail server.
        ca_file: Option<PathBuf>,
    },
    /// Files in a directory.
    Maildir {
        /// The directory; `mail` below the state directory, if nothing is said.
        path: Option<PathBuf>,
        /// Who mails come from.
        from: Mailbox,
    },
    /// Twilio's Messages API.
    Twilio {
        /// The account SID.
        account: String,
        /// The account's token.
        token: SecretRef,
        /// The number that texts come from.
        from: Msisdn,
        /// An address on this machine that stands in for the real one.
        base_url: Option<Url>,
    },
    /// Any gateway that takes one HTTP request per text.
    Gateway(Box<Gateway>),
    /// Vonage's SMS API.
    Vonage {
        /// The API key.
        account: String,
        /// The API secret.
        secret: SecretRef,
        /// The number or the name that texts come from.
        from: String,
        /// An address on this machine that stands in for the real one.
        base_url: Option<Url>,
    },
    /// A phone of one's own.
    Android {
        /// Where messages are handed in.
        url: Url,
        /// The user.
        user: String,
        /// The user's password.
        password: SecretRef,
    },
    /// Alibaba Cloud's SMS service.
    Aliyun(Box<AliyunAccess>),
    /// Plivo's Message API.
    Plivo {
        /// The Auth ID.
        account: String,
        /// The Auth Token.
        token: SecretRef,
        /// The number or the name that texts come from.
        from: String,
        /// An address on this machine that stands in for the real one.
        base_url: Option<Url>,
    },
    /// gammu-smsd, by the folders of its files service.
    Gammu {
        /// Where it takes texts from.
        outbox: PathBuf,
        /// Where it puts those that were sent.
        sent: PathBuf,
        /// Where it puts those that it gave up.
        error: PathBuf,
    },
    /// A modem of this machine, by ModemManager.
    Modem {
        /// The card that sends; the one modem that there is, if nothing is said.
        iccid: Option<Iccid>,
        /// The address of the message bus; the system's, if nothing is said.
        bus: Option<String>,
        /// Whether the network is to report what became of each text.
        receipts: bool,
    },
    /// An SMS centre.
    Smpp(Box<SmppAccess>),
    /// An ntfy server.
    Ntfy {
        /// Its address.
        url: Url,
        /// An access token.
        token: Option<SecretRef>,
    },
    /// A Telegram bot.
    Telegram {
        /// Its token.
        token: SecretRef,
        /// An address on this machine that stands in for the real one.
        base_url: Option<Url>,
    },
    /// An address that takes documents.
    Webhook {
        /// The address.
        url: Url,
        /// The secret that both sides have.
        secret: SecretRef,
    },
    /// A program that takes documents.
    Program {
        /// The program.
        program: PathBuf,
        /// Its arguments.
        args: Vec<String>,
        /// How long one run may take.
        time_limit: Secs,
    },
    /// Any service that takes one HTTP request per message.
    Service(Box<Service>),
}

impl ChannelKind {
    /// What it carries.
    #[must_use]
    pub const fn carries(&self) -> Carries {
        match self {
            Self::Smtp { .. } | Self::Maildir { .. } => Carries::Mail,
            Self::Twilio { .. }
            | Self::Gateway(_)
            | Self::Vonage { .. }
            | Self::Android { .. }
            | Self::Aliyun(_)
            | Self::Plivo { .. }
            | Self::Gammu { .. }
            | Self::Smpp(_)
            | Self::Modem { .. } => Carries::Sms,
            Self::Ntfy { .. } | Self::Telegram { .. } => Carries::Push,
            Self::Webhook { .. } | Self::Program { .. } => Carries::Document,
            Self::Service(service) => service.carries,
        }
    }
}

/// An access key at Alibaba Cloud, and the template that texts go through.
#[derive(Clone, Debug)]
pub struct AliyunAccess {
    /// The access key's id.
    pub account: String,
    /// The access key's secret.
    pub secret: SecretRef,
    /// The approved signature that texts begin with.
    pub from: String,
    /// The approved template.
    pub template: String,
    /// The place in it that the text fills.
    pub place: String,
    /// An address on this machine that stands in for the real one.
    pub base_url: Option<Url>,
}

/// An account at an SMS centre.
#[derive(Clone, Debug)]
pub struct SmppAccess {
    /// The centre's name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether the connection is protected.
    pub tls: bool,
    /// The login, `system_id`.
    pub user: String,
    /// Its password.
    pub password: SecretRef,
    /// `system_type`, where the centre wants one.
    pub system_type: String,
    /// A root certificate to trust beside the system's.
    pub ca_file: Option<PathBuf>,
    /// The number or the name that texts come from.
    pub from: String,
}

/// How a connection to a mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Plain at first, protected before anything is said; usual on port 587.
    Starttls,
    /// Protected from the first byte; usual on port 465.
    Implicit,
    /// Not at all; taken for this machine only.
    None,
}

/// One HTTP request per text, and how its answer is read.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// The method.
    pub method: Method,
    /// The address.
    pub url: Url,
    /// Parameters behind the address's `?`, in the order of the file.
    pub query: Vec<(String, GatewayValue)>,
    /// Fields of a form in the body.
    pub form: Vec<(String, GatewayValue)>,
    /// Headers.
    pub headers: Vec<(String, GatewayValue)>,
    /// Statuses that mean "taken", if the body does not say otherwise.
    pub success_status: BTreeSet<u16>,
    /// Statuses that mean "never"; all others are tried again.
    pub permanent_status: BTreeSet<u16>,
    /// Beginnings of a body that mean "taken"; any body, if there are none.
    pub success_prefix: Vec<String>,
    /// Beginnings of a body that mean "never".
    pub permanent_prefix: Vec<String>,
}

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
}

/// One HTTP request per message, and what its answers mean.
#[derive(Clone, Debug)]
pub struct Service {
    /// Texts or push messages.
    pub carries: Carries,
    /// The method.
    pub method: Method,
    /// The address; what stands before its path holds no places.
    pub url: Template,
    /// Headers.
    pub headers: Vec<(String, HeaderValue)>,
    /// The type of the body.
    pub content_type: String,
    /// The body.
    pub body: Option<Template>,
    /// Secrets that templates may name.
    pub secrets: Vec<(String, SecretRef)>,
    /// What answers mean.
    pub answers: Answers,
    /// Where an answer holds the service's own id of the message.
    pub remote_id: Option<Pointer>,
    /// Whether a second message with the same `id` goes nowhere.
    pub drops_doubles: bool,
}

/// The value of a header.
#[derive(Clone, Debug)]
pub enum HeaderValue {
    /// A text with places.
    Template(Template),
    /// A secret.
    Secret(SecretRef),
}

/// One value of a gateway's request.
#[derive(Clone, Debug)]
pub enum GatewayValue {
    /// Text and placeholders.
    Template(Vec<Piece>),
    /// A secret.
    Secret(SecretRef),
}

/// A piece of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// As it stands.
    Literal(String),
    /// What the message fills in.
    Placeholder(Placeholder),
}

/// What a message fills in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placeholder {
    /// `{to}`: the number with `+`.
    To,
    /// `{text}`: the text.
    Text,
    /// `{id}`: our id of the message, the same whenever it is tried.
    Id,
    /// `{coding}`: 0 where the text fits the GSM alphabet, else 2, as Kannel and others count.
    Coding,
    /// `{minutes}`: for how many minutes the text is worth delivering.
    Minutes,
    /// `{receipts}`: the address at which the gateway reports what became of the text.
    Receipts,
}

impl Placeholder {
    /// All of them, with their words.
    pub const ALL: [(&str, Self); 6] = [
        ("to", Self::To),
        ("text", Self::Text),
        ("id", Self::Id),
        ("coding", Self::Coding),
        ("minutes", Self::Minutes),
        ("receipts", Self::Receipts),
    ];
}
