//! From a story to the finished bytes of a mail: a plain and an HTML part from one letter, and headers that only the
//! mail builder writes.

mod body;
mod marks;

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};
use uuid::Uuid;

use super::calendar::Entry;
use super::texts::{self, Letter, Voice};
use super::{Finished, NotifyError, Recipient, chart};
use crate::domain::notice::Story;
use crate::domain::time::UnixTime;

pub use body::PICTURE_ID;

/// What the headers of a mail need beside the story.
#[derive(Clone, Debug)]
pub struct MailHeaders {
    /// `<…@…>`, made once when the notice is queued and kept over every repeat; see [`message_id`].
    pub message_id: String,
    /// The sender, such as `simkeeper <keeper@example.net>`.
    pub from: String,
    /// The thread of the card's cycle; none for what concerns no card.
    pub thread: Option<Thread>,
    /// What stands in `Date`.
    pub date: UnixTime,
}

/// A thread that a mail belongs to. Mail programs keep it together by its root, so each subject is free to say what
/// happened: who sees only the subject on a phone must not read that of another mail.
#[derive(Clone, Debug)]
pub struct Thread {
    /// A message id that all mails of the thread refer to.
    pub root: String,
}

/// A message id at the sender's host, from a number that was made when the notice was queued.
#[must_use]
pub fn message_id(id: Uuid, from: &str) -> String {
    let host = from.parse::<Mailbox>().map_or_else(|_| "localhost".to_owned(), |from| from.email.domain().to_owned());
    let host = if host.is_ascii() { host } else { "localhost".to_owned() };
    format!("<{}@{host}>", id.simple())
}

/// The whole mail that tells `story` to `recipient`. The same arguments give the same bytes.
///
/// # Errors
/// An address or a message id that cannot stand in a header.
pub fn mail(story: &Story, recipient: &Recipient, headers: &MailHeaders) -> Result<Finished, NotifyError> {
    mail_with(story, recipient, headers, &[])
}

/// As [`mail()`], with other mails enclosed whole.
///
/// # Errors
/// An address or a message id that cannot stand in a header.
pub fn mail_with(
    story: &Story,
    recipient: &Recipient,
    headers: &MailHeaders,
    enclosed: &[Vec<u8>],
) -> Result<Finished, NotifyError> {
    let voice = Voice::of(recipient);
    let parts = parts(story, &voice)?;
    let subject = parts.subject.clone();
    let mut builder = Message::builder()
        .from(mailbox(&headers.from)?)
        .to(recipient_box(recipient)?)
        .subject(&subject)
        .date(SystemTime::UNIX_EPOCH + Duration::from_secs(headers.date.secs().unsigned_abs()))
        .message_id(Some(checked_id(&headers.message_id)?.to_owned()))
        .raw_header(raw("Auto-Submitted", "auto-generated"))
        .raw_header(raw("Content-Language", recipient.language.tag()));
    if let Some(thread) = &headers.thread {
        let root = checked_id(&thread.root)?;
        builder = builder.in_reply_to(root.to_owned()).references(root.to_owned());
    }
    let seed = headers.thread.as_ref().map_or(&headers.message_id, |thread| &thread.root);
    let texts = body::texts(parts, &headers.message_id, seed, story, recipient)?;
    let body = body::enclosing(texts, &headers.message_id, enclosed)?;
    let message = builder.multipart(body).map_err(|error| NotifyError::Build(error.to_string()))?;
    Ok(Finished { subject, bytes: message.formatted() })
}

/// The parts of a mail before they are put together.
pub(super) struct Parts {
    /// What stands in `Subject`.
    pub(super) subject: String,
    /// The plain part.
    pub(super) plain: String,
    /// The HTML part.
    pub(super) html: String,
    /// The picture that the HTML part shows.
    pub(super) picture: Option<Vec<u8>>,
    dates: Vec<Entry>,
}

/// The parts of the mail that tells `story`.
pub(super) fn parts(story: &Story, voice: &Voice) -> Result<Parts, NotifyError> {
    let letter = texts::letter(story, voice);
    let subject = texts::subject(story, &letter, voice);
    let picture = story.course.as_ref().and_then(chart::png);
    let (plain, html) = laid_out(&letter, voice, &subject, picture.is_some())?;
    Ok(Parts { subject, plain, html, picture, dates: letter.dates })
}

/// The templates of both parts, read once: reading them takes longer than filling them in.
static TEMPLATES: LazyLock<Result<Environment<'static>, minijinja::Error>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates
        .set_auto_escape_callback(|name| if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None });
    templates.add_filter("marked", marks::marked);
    templates.add_filter("unbroken", marks::unbroken);
    templates.add_template("mail.txt", include_str!("texts/mail.txt"))?;
    templates.add_template("mail.html", include_str!("texts/mail.html"))?;
    Ok(templates)
});

/// The plain and the HTML part.
fn laid_out(letter: &Letter, voice: &Voice, subject: &str, drawn: bool) -> Result<(String, String), NotifyError> {
    let failed = |error: &minijinja::Error| NotifyError::Build(error.to_string());
    let templates = TEMPLATES.as_ref().map_err(failed)?;
    let facts = context! {
        lang => voice.language.tag(),
        subject,
        colon => voice.colon(),
        footer => voice.footer(),
        first => letter.first.clone(),
        need => Value::from(Serde(&letter.need)),
        need_words => letter.need.words(voice),
        headings => voice.headings(),
        report => letter.report.clone(),
        caption => Value::from(Serde(&letter.caption)),
        picture => drawn.then_some(PICTURE_ID),
        changes => Value::from(Serde(&letter.changes)),
        rows => letter.rows.clone(),
        sections => Value::from(Serde(&letter.sections)),
        details => letter.details.clone(),
        next => letter.next.clone(),
        commands => letter.commands.clone(),
    };
    let render = |name| {
        let filled = templates.get_template(name).and_then(|template| template.render(facts.clone()));
        filled.map_err(|error| failed(&error))
    };
    Ok((render("mail.txt")?, render("mail.html")?))
}

fn recipient_box(recipient: &Recipient) -> Result<Mailbox, NotifyError> {
    let plain = mailbox(&recipient.address)?;
    Ok(Mailbox::new(Some(plain.name.unwrap_or_else(|| recipient.person.to_string())), plain.email))
}

/// Reads an address with or without a name.
pub(super) fn mailbox(address: &str) -> Result<Mailbox, NotifyError> {
    let wrong = || NotifyError::Address { address: texts::cut(address, 100) };
    if address.chars().any(char::is_control) {
        return Err(wrong());
    }
    address.parse().map_err(|_| wrong())
}

fn checked_id(id: &str) -> Result<&str, NotifyError> {
    let inner = id.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or("");
    let plain =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b'@'));
    match inner.split_once('@') {
        Some((left, host)) if plain(left) && plain(host) && id.len() <= 200 => Ok(id),
        _ => Err(NotifyError::MessageId { id: texts::cut(id, 100) }),
    }
}

fn raw(name: &'static str, value: &'static str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

#[cfg(test)]
mod tests;
