//! How what is bought adds to what is on the card already: what the operator does with a plan while another still runs.

use super::super::capabilities::Stacking;
use super::super::data::DataSize;
use super::super::time::Secs;

/// What a plan of a sequence does with what is there before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Adds {
    /// It begins when that is used up or ends.
    #[default]
    Behind,
    /// Its time begins with its purchase, so long before that.
    Beside {
        /// So long.
        sooner: Secs,
    },
    /// Its data is added to what is left of that, its length to its end.
    OnTop(Left),
}

/// What is still there when a need begins: data that would be lost at the end of its plan, or time that is of no use
/// without data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// So much.
    pub data: DataSize,
    /// So long.
    pub lasts: Secs,
}

impl Adds {
    /// The same in the operator's word, where that makes a difference to what is reckoned.
    pub(super) fn told(self, purchases: usize) -> Stacking {
        match self {
            Self::Beside { sooner } if sooner >= super::STEP => Stacking::Beside,
            Self::OnTop(left) if purchases > 1 || left != Left::default() => Stacking::Extends,
            Self::Behind | Self::Beside { .. } | Self::OnTop(_) => Stacking::Queues,
        }
    }
}
