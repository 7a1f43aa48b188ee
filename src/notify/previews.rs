//! What a message looks like, made from a sample: every part of it by itself, for people who want to see before they are
//! told.

use jiff::tz::TimeZone;

use super::samples::{self, Sample};
use super::texts::Voice;
use super::{Finished, MailHeaders, NotifyError, Recipient, mail, sms};
use crate::domain::approval::Answering;
use crate::domain::card::Name;
use crate::domain::notice::Language;

pub use mail::PICTURE_ID;

/// The zone in which the samples are told, which is that of their card.
const ZONE: &str = "America/Toronto";

/// A sample in one language, as each channel carries it.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The subject of the mail.
    pub subject: String,
    /// Its plain part.
    pub plain: String,
    /// Its HTML part.
    pub html: String,
    /// The picture that the HTML part calls [`PICTURE_ID`], as PNG.
    pub picture: Option<Vec<u8>>,
    /// The whole mail.
    pub mail: Vec<u8>,
    /// The text message.
    pub text_message: String,
}

/// Makes everything that a sample can become. The same arguments give the same bytes.
///
/// # Errors
/// A part of the mail could not be made.
pub fn previewed(sample: &Sample, language: Language) -> Result<Preview, NotifyError> {
    let recipient = Recipient { answers: samples::answers(&sample.name), ..recipient(language)? };
    let voice = Voice::of(&recipient);
    let mail::Parts { subject, plain, html, picture, .. } = mail::parts(&sample.story, &voice)?;
    let headers = MailHeaders {
        message_id: format!("<{}.{}@example.net>", sample.name, language.tag()),
        from: "simkeeper <keeper@example.net>".to_owned(),
        thread: None,
        date: sample.story.at,
    };
    let Finished { bytes, .. } = mail(&sample.story, &recipient, &headers)?;
    let text = sms::text_message(&sample.story, &recipient);
    let text_message = String::from_utf8_lossy(&text.bytes).into_owned();
    Ok(Preview { subject, plain, html, picture, mail: bytes, text_message })
}

fn recipient(language: Language) -> Result<Recipient, NotifyError> {
    let wrong = |error: String| NotifyError::Build(error);
    Ok(Recipient {
        person: Name::parse("anna").map_err(|error| wrong(error.to_string()))?,
        address: "anna@example.net".to_owned(),
        language,
        zone: TimeZone::get(ZONE).map_err(|error| wrong(error.to_string()))?,
        answers: Answering::ByNumber,
    })
}
