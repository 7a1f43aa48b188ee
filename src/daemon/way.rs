//! One way to one person: where a message goes, in which language, and when.

use jiff::tz::TimeZone;

use crate::config::Carries;
use crate::domain::card::Name;
use crate::domain::notice::Language;
use crate::domain::severity::Severity;
use crate::domain::text_limits::TextLimits;
use crate::domain::time::{LocalHours, Secs, UnixTime};

/// One way to one person.
#[derive(Clone, Debug)]
pub struct Way {
    /// The person.
    pub person: Name,
    /// The channel.
    pub channel: Name,
    /// The address there.
    pub address: String,
    /// Who the message comes from.
    pub from: String,
    /// The domain of message ids.
    pub domain: String,
    /// What goes over it.
    pub carries: Carries,
    /// The person's language.
    pub language: Language,
    /// The person's zone.
    pub zone: TimeZone,
    /// How much the message matters to the person.
    pub severity: Severity,
    /// The person's hours in which only what may wake them is sent.
    pub quiet: Option<LocalHours>,
    /// From which weight on a message may wake them.
    pub wakes: Severity,
    /// How long what is not urgent waits for others that can go with it.
    pub together: Option<Secs>,
    /// What its texts cost and how many there may be, if it carries texts.
    pub texts: Option<TextLimits>,
}

impl Way {
    /// When a message may go out: at once if it is urgent, else when those of its time go together, and not in quiet hours
    /// unless it may wake people.
    #[must_use]
    pub fn send_at(&self, now: UnixTime) -> UnixTime {
        match self.together {
            Some(length) if !self.is_urgent() => self.awake_at(now.next_multiple(length)),
            Some(_) | None => self.awake_at(now),
        }
    }

    /// `now`, or the end of the quiet hours.
    #[must_use]
    pub fn awake_at(&self, now: UnixTime) -> UnixTime {
        match self.quiet {
            Some(quiet) if self.severity < self.wakes => quiet.next_close(now, &self.zone),
            Some(_) | None => now,
        }
    }

    /// Whether the message goes out before others.
    #[must_use]
    pub const fn is_urgent(&self) -> bool {
        matches!(self.severity, Severity::Urgent)
    }
}
