//! A message for programs: one JSON document with the words and every fact (docs/webhook.md). Its version rises when a
//! field changes its meaning or goes.

use serde::Serialize;

use super::push::told;
use super::texts::{self, Need, Voice};
use super::{Finished, NotifyError, Recipient};
use crate::domain::notice::{CardFacts, Event, Language, NoticeKind, Story};
use crate::domain::severity::Severity;
use crate::domain::time::UnixTime;

const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    id: &'a str,
    kind: NoticeKind,
    urgent: bool,
    severity: Severity,
    at: UnixTime,
    need: Need,
    language: Language,
    subject: &'a str,
    text: &'a str,
    card: Option<&'a CardFacts>,
    facts: &'a Event,
}

/// The document that tells `story`, which matters so much. `id` is the same over every try.
///
/// # Errors
/// The document could not be made.
pub fn document(story: &Story, recipient: &Recipient, severity: Severity, id: &str) -> Result<Finished, NotifyError> {
    let voice = Voice::of(recipient);
    let (subject, text) = told(story, &voice);
    let kind = story.event.kind();
    let document = Document {
        version: VERSION,
        id,
        kind,
        urgent: severity == Severity::Urgent,
        severity,
        at: story.at,
        need: texts::letter(story, &voice).need,
        language: recipient.language,
        subject: &subject,
        text: &text,
        card: story.card.as_ref(),
        facts: &story.event,
    };
    let bytes = serde_json::to_vec(&document).map_err(|error| NotifyError::Build(error.to_string()))?;
    Ok(Finished { subject, bytes })
}
