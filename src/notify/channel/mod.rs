//! The channels: a closed set, each of which takes finished bytes and says what became of them.

mod aliyun;
mod android;
mod gammu;
mod gateway;
pub(super) mod http;
mod maildir;
mod memory;
mod modem;
mod ntfy;
mod plivo;
mod program;
mod service;
mod smpp;
mod smtp;
mod telegram;
mod tls;
mod twilio;
mod vonage;
mod webhook;
mod wire;

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use super::NotifyError;
use crate::domain::receipt::Receipt;
use crate::domain::time::{Secs, UnixTime};

pub use aliyun::AliyunSettings;
pub use android::AndroidSettings;
pub use gammu::GammuSettings;
pub use gateway::{AnswerRule, GatewayMethod, GatewaySettings, Meaning};
pub use memory::Memory;
pub use modem::ModemSettings;
pub use ntfy::NtfySettings;
pub use plivo::PlivoSettings;
pub use program::ProgramSettings;
pub use service::{HeaderText, ServiceMethod, ServiceSettings};
pub use smpp::SmppSettings;
pub use smtp::{Login, SmtpSettings, SmtpTls};
pub use telegram::TelegramSettings;
pub use twilio::TwilioSettings;
pub use vonage::VonageSettings;
pub use webhook::WebhookSettings;

/// How long to wait before a doubtful mail is sent again: RFC 1047 and RFC 5321 4.5.3.2.6 give the server ten minutes
/// to answer the final dot.
pub const DOUBT_WAIT: Secs = Secs::minutes(10);

/// So many texts are asked about at once where each is a request of its own, or a look into folders.
const ASKED_ONE_BY_ONE: usize = 20;
/// More than are sent in a day.
const ASKED_TOGETHER: usize = 100_000;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What a channel is made from.
#[derive(Debug)]
pub enum ChannelSettings {
    /// A mail server.
    Smtp(SmtpSettings),
    /// A folder of files, one per mail.
    Maildir {
        /// The folder; it is made, with mode 0700, if it does not exist.
        folder: PathBuf,
    },
    /// Twilio's Messages API.
    Twilio(TwilioSettings),
    /// A text gateway that the configuration describes.
    Gateway(GatewaySettings),
    /// Vonage's SMS API.
    Vonage(VonageSettings),
    /// A phone of one's own.
    Android(AndroidSettings),
    /// Alibaba Cloud's SMS service.
    Aliyun(AliyunSettings),
    /// Plivo's Message API.
    Plivo(PlivoSettings),
    /// gammu-smsd.
    Gammu(GammuSettings),
    /// A modem of this machine.
    Modem(ModemSettings),
    /// An SMS centre.
    Smpp(SmppSettings),
    /// An ntfy server.
    Ntfy(NtfySettings),
    /// A Telegram bot.
    Telegram(TelegramSettings),
    /// An address that takes documents.
    Webhook(WebhookSettings),
    /// A program that takes documents.
    Program(ProgramSettings),
    /// A service that the configuration describes.
    Service(Box<ServiceSettings>),
}

/// A message on its way out.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The notice's own id: letters, digits and hyphens, the same at every repeat.
    pub id: String,
    /// A mail address, a phone number, a topic or a chat.
    pub address: String,
    /// When this try is made.
    pub sent_at: UnixTime,
    /// The sender: a mail address, a phone number, a name or a Messaging Service.
    pub from: String,
    /// The finished mail, the UTF-8 of a text message, or a document.
    pub bytes: Vec<u8>,
    /// When it is no longer worth delivering.
    pub expires_at: UnixTime,
    /// Where the gateway is to report what became of it, if that is wanted; the address holds a secret.
    pub receipts: Option<SecretString>,
}

impl Outgoing {
    /// For how long it is worth delivering, within what the gateway takes.
    fn valid_for(&self, least: Secs, most: Secs) -> Secs {
        self.expires_at.since(self.sent_at).clamp(least, most)
    }
}

/// A text that is asked about.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Our id of it.
    pub id: String,
    /// The number that it went to.
    pub address: String,
    /// What the gateway called it.
    pub remote: Option<String>,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The next station took it.
    Sent {
        /// What it answered: its own id or its words, tamed.
        remote: String,
    },
    /// It was certainly not taken; trying again may help.
    Retry {
        /// What happened, for people.
        why: String,
        /// The station asked to be left alone for this long.
        not_before: Option<Secs>,
    },
    /// It will never be taken for this recipient.
    Dead {
        /// What happened, for people.
        why: String,
    },
    /// Nobody knows whether it was taken. A mail may be repeated after [`DOUBT_WAIT`]; a text message costs money.
    Doubtful {
        /// What happened, for people.
        why: String,
    },
}

impl Delivery {
    fn retry(why: impl Into<String>) -> Self {
        Self::Retry { why: why.into(), not_before: None }
    }
}

/// A way to a person.
#[derive(Debug)]
pub enum Channel {
    /// A mail server.
    Smtp(smtp::Smtp),
    /// A folder of files.
    Maildir(maildir::Maildir),
    /// Twilio's Messages API.
    Twilio(twilio::Twilio),
    /// A described text gateway.
    Gateway(gateway::Gateway),
    /// Vonage's SMS API.
    Vonage(vonage::Vonage),
    /// A phone of one's own.
    Android(android::Android),
    /// Alibaba Cloud's SMS service.
    Aliyun(aliyun::Aliyun),
    /// Plivo's Message API.
    Plivo(plivo::Plivo),
    /// gammu-smsd.
    Gammu(gammu::Gammu),
    /// A modem of this machine.
    Modem(modem::Modem),
    /// An SMS centre.
    Smpp(Box<smpp::Smpp>),
    /// An ntfy server.
    Ntfy(ntfy::Ntfy),
    /// A Telegram bot.
    Telegram(telegram::Telegram),
    /// An address that takes documents.
    Webhook(webhook::Webhook),
    /// A program that takes documents.
    Program(program::Program),
    /// A service that the configuration describes.
    Service(Box<service::Service>),
    /// A station in memory.
    Memory(Memory),
}

impl Channel {
    /// Checks the settings and gets ready. Touches files, but no network.
    ///
    /// # Errors
    /// [`NotifyError::Setting`] names the key and what would be right.
    pub fn open(settings: ChannelSettings) -> Result<Self, NotifyError> {
        Ok(match settings {
            ChannelSettings::Smtp(settings) => Self::Smtp(smtp::Smtp::open(settings)?),
            ChannelSettings::Maildir { folder } => Self::Maildir(maildir::Maildir::open(folder)?),
            ChannelSettings::Twilio(settings) => Self::Twilio(twilio::Twilio::open(settings)?),
            ChannelSettings::Gateway(settings) => Self::Gateway(gateway::Gateway::open(settings)?),
            ChannelSettings::Vonage(settings) => Self::Vonage(vonage::Vonage::open(settings)?),
            ChannelSettings::Android(settings) => Self::Android(android::Android::open(settings)?),
            ChannelSettings::Aliyun(settings) => Self::Aliyun(aliyun::Aliyun::open(settings)?),
            ChannelSettings::Plivo(settings) => Self::Plivo(plivo::Plivo::open(settings)?),
            ChannelSettings::Gammu(settings) => Self::Gammu(gammu::Gammu::open(settings)),
            ChannelSettings::Modem(settings) => Self::Modem(modem::Modem::open(settings)),
            ChannelSettings::Smpp(settings) => Self::Smpp(Box::new(smpp::Smpp::open(settings)?)),
            ChannelSettings::Ntfy(settings) => Self::Ntfy(ntfy::Ntfy::open(settings)?),
            ChannelSettings::Telegram(settings) => Self::Telegram(telegram::Telegram::open(settings)?),
            ChannelSettings::Webhook(settings) => Self::Webhook(webhook::Webhook::open(&settings)?),
            ChannelSettings::Program(settings) => Self::Program(program::Program::open(settings)),
            ChannelSettings::Service(settings) => Self::Service(Box::new(service::Service::open(*settings)?)),
        })
    }

    /// Carries one message to the next station. Ends within the channel's time limits.
    pub async fn send(&self, message: &Outgoing) -> Delivery {
        match self {
            Self::Smtp(channel) => channel.send(message).await,
            Self::Maildir(channel) => channel.send(message).await,
            Self::Twilio(channel) => channel.send(message).await,
            Self::Gateway(channel) => channel.send(message).await,
            Self::Vonage(channel) => channel.send(message).await,
            Self::Android(channel) => channel.send(message).await,
            Self::Aliyun(channel) => channel.send(message).await,
            Self::Plivo(channel) => channel.send(message).await,
            Self::Gammu(channel) => channel.send(message).await,
            Self::Modem(channel) => channel.send(message).await,
            Self::Smpp(channel) => channel.send(message).await,
            Self::Ntfy(channel) => channel.send(message).await,
            Self::Telegram(channel) => channel.send(message).await,
            Self::Webhook(channel) => channel.send(message).await,
            Self::Program(channel) => channel.send(message).await,
            Self::Service(channel) => channel.send(message).await,
            Self::Memory(channel) => channel.send(message).await,
        }
    }

    /// What became of texts that were taken, by our ids, as far as the channel can be asked and knows.
    pub async fn reports(&self, asked: &[Asked]) -> Vec<(String, Receipt)> {
        match self {
            Self::Android(channel) => channel.reports(asked).await,
            Self::Gammu(channel) => channel.reports(asked).await,
            Self::Modem(channel) => channel.reports(asked).await,
            Self::Smpp(channel) => channel.reports(asked).await,
            Self::Smtp(_)
            | Self::Maildir(_)
            | Self::Twilio(_)
            | Self::Gateway(_)
            | Self::Vonage(_)
            | Self::Aliyun(_)
            | Self::Plivo(_)
            | Self::Ntfy(_)
            | Self::Telegram(_)
            | Self::Webhook(_)
            | Self::Program(_)
            | Self::Service(_)
            | Self::Memory(_) => Vec::new(),
        }
    }

    /// How many texts it may be asked about at once. An SMS centre and a modem tell of all at once, so all must be known to
    /// them.
    #[must_use]
    pub const fn asked_at_once(&self) -> usize {
        if matches!(self, Self::Smpp(_) | Self::Modem(_)) { ASKED_TOGETHER } else { ASKED_ONE_BY_ONE }
    }

    /// Whether something was told of a text that was not asked about, so that it is to be asked once more.
    #[must_use]
    pub fn has_strays(&self) -> bool {
        matches!(self, Self::Smpp(channel) if channel.has_strays())
    }

    /// Says that what [`Self::reports`] told is written down, where the other side wants to know.
    pub async fn thank(&self) {
        match self {
            Self::Smpp(channel) => channel.thank().await,
            Self::Modem(channel) => channel.thank().await,
            Self::Smtp(_)
            | Self::Maildir(_)
            | Self::Twilio(_)
            | Self::Gateway(_)
            | Self::Vonage(_)
            | Self::Android(_)
            | Self::Aliyun(_)
            | Self::Plivo(_)
            | Self::Gammu(_)
            | Self::Ntfy(_)
            | Self::Telegram(_)
            | Self::Webhook(_)
            | Self::Program(_)
            | Self::Service(_)
            | Self::Memory(_) => {}
        }
    }

    /// Takes leave of kept connections.
    pub async fn close(&self) {
        match self {
            Self::Smtp(channel) => channel.close().await,
            Self::Smpp(channel) => channel.close().await,
            Self::Maildir(_)
            | Self::Twilio(_)
            | Self::Gateway(_)
            | Self::Vonage(_)
            | Self::Android(_)
            | Self::Aliyun(_)
            | Self::Plivo(_)
            | Self::Gammu(_)
            | Self::Modem(_)
            | Self::Ntfy(_)
            | Self::Telegram(_)
            | Self::Webhook(_)
            | Self::Program(_)
            | Self::Service(_)
            | Self::Memory(_) => {}
        }
    }
}

fn wrong(key: &'static str, why: impl Into<String>) -> NotifyError {
    NotifyError::Setting { key, why: why.into() }
}
