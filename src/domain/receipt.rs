//! What a gateway reports about a text after it took it. A receipt comes late, twice, out of order or never, so the first
//! final word counts and changes a message once.

use serde::Serialize;

/// What became of a text in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// The phone has it.
    Delivered,
    /// It will not get there.
    Failed,
    /// It was not wanted any more before the phone could be reached.
    Expired,
}

impl Fate {
    /// Whether the person has the message.
    #[must_use]
    pub const fn arrived(self) -> bool {
        matches!(self, Self::Delivered)
    }
}

/// A receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// What became of the text.
    pub fate: Fate,
    /// The gateway's own id of it, where the receipt holds one.
    pub remote: Option<String>,
    /// Why it did not arrive, in the gateway's words.
    pub why: Option<String>,
}

/// Where a message stands when a receipt for it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// Nobody has tried to send it.
    Untried,
    /// A try is under way; the gateway reports faster than it answers.
    UnderWay,
    /// A try was taken.
    Taken,
    /// It was tried, and nobody knows that any try was taken: it waits for the next one, or was given up.
    InDoubt,
    /// A receipt came before.
    Known,
}

/// Whether a receipt changes where a message stands. That it arrived counts whatever was thought before: it is never sent
/// again. That it did not counts only of the try that was taken, since one in doubt is still judged by its own rule.
#[must_use]
pub fn counts(stands: Stands, remote: Option<&str>, receipt: &Receipt) -> bool {
    match stands {
        Stands::Untried | Stands::Known => false,
        Stands::UnderWay => true,
        Stands::InDoubt => receipt.fate.arrived(),
        Stands::Taken => {
            let other = remote.zip(receipt.remote.as_deref()).is_some_and(|(ours, theirs)| ours != theirs);
            receipt.fate.arrived() || !other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_final_word_counts_and_a_failure_only_of_what_was_taken() {
        let receipt = |fate, remote: Option<&str>| Receipt { fate, remote: remote.map(str::to_owned), why: None };
        let (arrived, failed) = (receipt(Fate::Delivered, Some("SM1")), receipt(Fate::Failed, Some("SM1")));
        for (stands, delivered, not_delivered) in [
            (Stands::Untried, false, false),
            (Stands::UnderWay, true, true),
            (Stands::Taken, true, true),
            (Stands::InDoubt, true, false),
            (Stands::Known, false, false),
        ] {
            assert_eq!(counts(stands, Some("SM1"), &arrived), delivered, "{stands:?}");
            assert_eq!(counts(stands, Some("SM1"), &failed), not_delivered, "{stands:?}");
        }
        // Of an earlier try, whose answer was lost.
        assert!(!counts(Stands::Taken, Some("SM2"), &failed) && counts(Stands::Taken, Some("SM2"), &arrived));
        assert!(counts(Stands::Taken, None, &failed));
        assert!(counts(Stands::Taken, Some("SM2"), &receipt(Fate::Expired, None)));
    }
}
