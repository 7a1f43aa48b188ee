//! What can be wrong with the record itself, as far as people are told.

use serde::{Deserialize, Serialize};

use super::time::UnixTime;

/// What is wrong with the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordProblem {
    /// A check found damage; nothing is bought.
    Damaged {
        /// The first finding.
        why: String,
    },
    /// The journal of orders is damaged or missing; nothing is bought until a person has looked.
    JournalLost,
    /// The newest copy is days old although one is wanted every day.
    CopyOld {
        /// When it was made; none if there is none.
        newest: Option<UnixTime>,
    },
}
