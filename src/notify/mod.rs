//! Messages to people: texts, the finished bytes, and the channels that carry them.
//!
//! A [`Story`](crate::domain::notice::Story) comes in; [`mail`] and [`text_message`] make finished bytes of it in the
//! recipient's language and zone, and [`Channel`] carries bytes. The bytes are stored between the two, so a message that
//! is sent again is the same message.

mod calendar;
mod channel;
mod chart;
mod document;
mod heartbeat;
mod mail;
mod page;
mod picture;
mod previews;
mod push;
mod receipt;
mod samples;
pub mod sms;
mod texts;

use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use crate::domain::approval::Answering;
use crate::domain::card::Name;
use crate::domain::notice::Language;

pub use channel::{
    AliyunSettings, AndroidSettings, AnswerRule, Asked, Channel, ChannelSettings, DOUBT_WAIT, Delivery, GammuSettings,
    GatewayMethod, GatewaySettings, HeaderText, Login, Meaning, Memory, ModemSettings, NtfySettings, Outgoing,
    PlivoSettings, ProgramSettings, ServiceMethod, ServiceSettings, SmppSettings, SmtpSettings, SmtpTls,
    TelegramSettings, TwilioSettings, VonageSettings, WebhookSettings,
};
pub use document::document;
pub use heartbeat::Heartbeat;
pub use mail::{MailHeaders, Thread, mail, mail_with, message_id};
pub use page::{PAGE_STYLE, PageFacts, PageSays, page, page_of_nothing};
pub use picture::{Lane, Picture};
pub use previews::{PICTURE_ID, Preview, previewed};
pub use push::push;
pub use receipt::receipt;
pub use samples::{Sample, preview, samples, shown};
pub use sms::text_message;

/// A person, as a message needs to know them.
#[derive(Clone, Debug)]
pub struct Recipient {
    /// The name in the configuration; stands beside the address in a mail.
    pub person: Name,
    /// A mail address or a phone number.
    pub address: String,
    /// The language of the text.
    pub language: Language,
    /// The zone in which times are told.
    pub zone: TimeZone,
    /// How they can answer a question.
    pub answers: Answering,
}

/// A message that can be stored and sent as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// One line for lists; of a mail its subject, of a text message its beginning.
    pub subject: String,
    /// What is sent: a whole mail with its headers, or the UTF-8 of a text message.
    pub bytes: Vec<u8>,
}

/// Why a message could not be made or a channel not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotifyError {
    /// A mail address that no mail can go to.
    #[error("`{address}` is not a mail address; write it like anna@example.net or \"Anna <anna@example.net>\"")]
    Address {
        /// What was given.
        address: String,
    },
    /// A message id that would break the header.
    #[error("`{id}` is not a message id; it has the form <something@host>")]
    MessageId {
        /// What was given.
        id: String,
    },
    /// A part of the mail could not be made.
    #[error("the mail could not be put together: {0}")]
    Build(String),
    /// A setting of a channel that cannot work.
    #[error("{key}: {why}")]
    Setting {
        /// The key in the channel's table.
        key: &'static str,
        /// What is wrong, and what would be right.
        why: String,
    },
}

/// A word that stands for a text: the first 128 bits of its digest.
fn fingerprint(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
