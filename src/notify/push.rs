//! A message for a phone's own messages: a title and a few lines, finished and stored as a small JSON document that a
//! channel takes apart.

use serde::{Deserialize, Serialize};

use super::texts::{self, Voice, cut};
use super::{Finished, NotifyError, Recipient};
use crate::domain::notice::{Event, Story};
use crate::domain::severity::Severity;

/// Services take a few thousand characters; nobody reads more than this on a lock screen.
const LINE_MAX: usize = 600;

/// As many lines of lists are worth a look there.
const LISTED_MOST: usize = 8;

/// A message.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Push {
    pub(super) title: String,
    pub(super) text: String,
    pub(super) urgent: bool,
}

impl Push {
    /// The message of stored bytes; what is none, as after a restore from elsewhere, is shown as it is.
    pub(super) fn read(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).unwrap_or_else(|_| Self {
            title: "simkeeper".to_owned(),
            text: cut(&String::from_utf8_lossy(bytes), LINE_MAX),
            urgent: false,
        })
    }
}

/// The message that tells `story`: the subject, the whole story, whether to act, and what to type. How loud it is follows
/// from how much it matters to the person.
///
/// # Errors
/// The document could not be made.
pub fn push(story: &Story, recipient: &Recipient, severity: Severity) -> Result<Finished, NotifyError> {
    let voice = Voice::of(recipient);
    let (subject, text) = told(story, &voice);
    let push = Push { title: subject.clone(), text, urgent: severity == Severity::Urgent };
    let bytes = serde_json::to_vec(&push).map_err(|error| NotifyError::Build(error.to_string()))?;
    Ok(Finished { subject, bytes })
}

/// The subject, and a few lines.
pub(super) fn told(story: &Story, voice: &Voice) -> (String, String) {
    let letter = texts::letter(story, voice);
    let mut lines = vec![cut(&letter.first, LINE_MAX), letter.need.words(voice)];
    let listed = letter.sections.iter().flat_map(|section| &section.lines).take(LISTED_MOST);
    lines.extend(listed.map(|line| cut(&format!("{}: {}", line.label, line.value), LINE_MAX)));
    if let Event::Held { messages } = &story.event {
        lines.extend(messages.iter().skip(1).map(|message| cut(&message.subject, LINE_MAX)));
    }
    lines.extend(
        letter.commands.iter().map(|(why, line)| voice.command_line(&cut(why, LINE_MAX), &cut(line, LINE_MAX))),
    );
    (texts::subject(story, &letter, voice), lines.join("\n"))
}
