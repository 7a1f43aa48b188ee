//! A card about which people want to hear nothing for a while.

use serde::Serialize;

use super::severity::Severity;
use super::time::UnixTime;

/// A silence, and who asked for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Silence {
    /// When it began.
    pub since: UnixTime,
    /// When it ends by itself.
    pub until: UnixTime,
    /// The person.
    pub by: String,
    /// Whether what is urgent is held back, too.
    pub urgent: bool,
}

impl Silence {
    /// Until when a message of this weight is held back, if it is.
    #[must_use]
    pub fn holds(&self, severity: Severity, now: UnixTime) -> Option<UnixTime> {
        let held = severity < Severity::Urgent || self.urgent;
        (held && now < self.until).then_some(self.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::NOW;
    use crate::domain::time::Secs;

    #[test]
    fn it_holds_back_what_is_not_urgent_until_it_is_over() {
        let until = NOW.plus(Secs::DAY);
        let silence = Silence { since: NOW, until, by: "anna".into(), urgent: false };
        assert_eq!(silence.holds(Severity::Warning, NOW), Some(until));
        assert_eq!(silence.holds(Severity::Warning, until), None);
        assert_eq!(silence.holds(Severity::Urgent, NOW), None);
        assert_eq!(Silence { urgent: true, ..silence }.holds(Severity::Urgent, NOW), Some(until));
    }
}
