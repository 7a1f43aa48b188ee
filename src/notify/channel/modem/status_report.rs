//! Status reports: the network answers a text with a message of its own that says what became of it. The report knows the
//! text by a reference of eight bits, which comes round after 256 texts, and by the number that it went to.

use std::collections::HashMap;

use zbus::{OwnedObjectPath, OwnedVariant};

use super::line::{Line, Trouble};
use crate::domain::receipt::{Fate, Receipt};
use crate::domain::time::{Secs, UnixTime};
use crate::notify::channel::Asked;

/// `MMSmsPduType`: a status report.
const STATUS_REPORT: u32 = 3;
/// A text is asked about for a day, and a centre's clock may be wrong by a zone.
const OLD: Secs = Secs::days(2);
/// A network reports a number with its country or without it; so many digits at the end are the same.
const SAME_DIGITS: usize = 7;

/// What the network says of one text.
pub(super) struct StatusReport {
    /// Where the modem holds it.
    pub(super) path: OwnedObjectPath,
    number: String,
    reference: u32,
    /// `MMSmsDeliveryState`.
    state: u32,
    /// When the centre took the text, by its own clock.
    taken_at: Option<UnixTime>,
}

/// The status reports that a modem holds.
pub(super) async fn held(line: &Line) -> Result<Vec<StatusReport>, Trouble> {
    let mut held = Vec::new();
    for path in line.messages().await? {
        let known = line.message(&path).await;
        held.extend(StatusReport::read(path, known));
    }
    Ok(held)
}

/// What the network calls a text that was sent.
pub(super) async fn reference(line: &Line, text: &OwnedObjectPath) -> Option<u32> {
    taken(&mut line.message(text).await, "MessageReference")
}

/// What a text is called in the record, so that its report is found.
pub(super) fn remote(text: &str, reference: Option<u32>) -> String {
    reference.map_or_else(|| text.to_owned(), |reference| format!("{text}#{reference}"))
}

impl StatusReport {
    fn read(path: OwnedObjectPath, mut known: HashMap<String, OwnedVariant>) -> Option<Self> {
        if taken::<u32>(&mut known, "PduType")? != STATUS_REPORT {
            return None;
        }
        let taken_at: Option<String> = taken(&mut known, "Timestamp");
        Some(Self {
            path,
            number: taken(&mut known, "Number")?,
            reference: taken(&mut known, "MessageReference")?,
            state: taken(&mut known, "DeliveryState")?,
            taken_at: taken_at.and_then(|at| UnixTime::parse(&at).ok()),
        })
    }

    /// Whether it is of this text.
    pub(super) fn is_of(&self, text: &Asked) -> bool {
        let reference = text.remote.as_deref().and_then(|remote| remote.rsplit_once('#')?.1.parse().ok());
        reference.is_some_and(|reference| self.has(reference)) && self.is_to(&text.address)
    }

    /// Whether it can only be of an earlier text: it was there before one with this reference was sent to this number, or
    /// is too old to be asked for.
    pub(super) fn is_left_over(&self, number: &str, reference: Option<u32>, now: UnixTime) -> bool {
        let old = self.taken_at.is_some_and(|at| now.since(at) > OLD);
        self.is_to(number) && (old || reference.is_some_and(|reference| self.has(reference)))
    }

    /// What it says in the end, if it does.
    pub(super) fn receipt(&self, remote: Option<String>) -> Option<Receipt> {
        let fate = fate(self.state)?;
        let why = format!("the network reported: {} (status {:#04x})", reason(self.state), self.state);
        Some(Receipt { fate, remote, why: (!fate.arrived()).then_some(why) })
    }

    /// Some modems count further than the network does.
    const fn has(&self, reference: u32) -> bool {
        self.reference % 256 == reference % 256
    }

    fn is_to(&self, number: &str) -> bool {
        let end =
            |number: &str| -> Vec<u8> { number.bytes().rev().filter(u8::is_ascii_digit).take(SAME_DIGITS).collect() };
        end(&self.number) == end(number)
    }
}

fn taken<T: TryFrom<OwnedVariant>>(known: &mut HashMap<String, OwnedVariant>, name: &str) -> Option<T> {
    T::try_from(known.remove(name)?).ok()
}

/// What a status says in the end (3GPP TS 23.040, 9.2.3.15).
const fn fate(state: u32) -> Option<Fate> {
    match state {
        0x00 => Some(Fate::Delivered),
        0x46 => Some(Fate::Expired),
        // The centre tries no longer.
        0x40..=0x7F => Some(Fate::Failed),
        // It still tries, or passed the text on and cannot say whether it arrived.
        _ => None,
    }
}

const fn reason(state: u32) -> &'static str {
    match state {
        0x41 => "the phone cannot take it",
        0x42 | 0x63 => "it was refused",
        0x43 => "nobody has this number",
        0x46 => "its time was over before the phone could be reached",
        0x47 | 0x48 => "it was deleted",
        0x60 => "the network was too busy",
        0x61 => "the phone was busy",
        0x62 => "the phone did not answer",
        0x65 => "the phone had an error",
        _ => "it could not be delivered",
    }
}
