//! How the parts of a mail lie in each other: the HTML part with its picture, beside the plain part, before the dates.

use lettre::message::header::{ContentDisposition, ContentTransferEncoding, ContentType};
use lettre::message::{Attachment, Body, MultiPart, SinglePart};

use super::Parts;
use crate::domain::notice::Story;
use crate::notify::calendar::calendar;
use crate::notify::{NotifyError, Recipient, fingerprint};

/// What the HTML part calls its picture.
pub const PICTURE_ID: &str = "course@simkeeper";

/// The parts of one mail, put together. The same arguments give the same bytes.
pub(super) fn texts(
    parts: Parts,
    message_id: &str,
    seed: &str,
    story: &Story,
    recipient: &Recipient,
) -> Result<MultiPart, NotifyError> {
    let html = SinglePart::builder().header(ContentType::TEXT_HTML).body(parts.html);
    let plain = SinglePart::builder().header(ContentType::TEXT_PLAIN).body(parts.plain);
    let texts = MultiPart::alternative().boundary(boundary(message_id, "texts")).singlepart(plain);
    let texts = match parts.picture {
        None => texts.singlepart(html),
        Some(png) => {
            let picture = Attachment::new_inline_with_name(PICTURE_ID.to_owned(), "course.png".to_owned());
            let shown = MultiPart::related().boundary(boundary(message_id, "shown")).singlepart(html);
            texts.multipart(shown.singlepart(picture.body(png, content_type("image/png")?)))
        }
    };
    let zone = story.card.as_ref().and_then(|card| jiff::tz::TimeZone::get(&card.zone).ok());
    let zone = zone.unwrap_or_else(|| recipient.zone.clone());
    Ok(match calendar(&parts.dates, seed, &zone, story.at) {
        None => texts,
        Some(dates) => {
            let kind = content_type("text/calendar; charset=utf-8; method=PUBLISH")?;
            let dates = Attachment::new("dates.ics".to_owned()).body(dates, kind);
            MultiPart::mixed().boundary(boundary(message_id, "whole")).multipart(texts).singlepart(dates)
        }
    })
}

/// The parts with other mails behind them. Those are of seven bits a byte, as this program makes them; another would not
/// survive every server on the way, and is left out.
pub(super) fn enclosing(texts: MultiPart, message_id: &str, enclosed: &[Vec<u8>]) -> Result<MultiPart, NotifyError> {
    if enclosed.is_empty() {
        return Ok(texts);
    }
    let mut whole = MultiPart::mixed().boundary(boundary(message_id, "enclosed")).multipart(texts);
    for (place, mail) in enclosed.iter().enumerate().filter(|(_, mail)| mail.is_ascii()) {
        let part = SinglePart::builder()
            .header(content_type("message/rfc822")?)
            .header(ContentDisposition::attachment(&format!("{}.eml", place + 1)));
        whole =
            whole.singlepart(part.body(Body::dangerous_pre_encoded(mail.clone(), ContentTransferEncoding::SevenBit)));
    }
    Ok(whole)
}

fn content_type(text: &str) -> Result<ContentType, NotifyError> {
    ContentType::parse(text).map_err(|error| NotifyError::Build(error.to_string()))
}

/// A line that no part contains, always the same for one mail and place.
fn boundary(message_id: &str, place: &str) -> String {
    format!("=_{}", fingerprint(&format!("{message_id}\n{place}")))
}
