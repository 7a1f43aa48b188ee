//! What can go wrong, per card and per call: the faults a test or a curious person switches on.

use serde::{Deserialize, Serialize};

/// A call of the operator's interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Reading cards, one or many.
    Read,
    /// The plans for a card.
    Catalogue,
    /// The wallet.
    Wallet,
    /// Asking a price once more.
    Preflight,
    /// Ordering.
    Buy,
    /// Looking for an order.
    Find,
}

/// A fault that waits for its call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The ICCID it is for; any card, if none is told.
    #[serde(default)]
    pub card: Option<String>,
    /// The call it is for; any call, if none is told.
    #[serde(default)]
    pub call: Option<Call>,
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// How often it happens before it is over.
    #[serde(default = "once")]
    pub times: u32,
}

const fn once() -> u32 {
    1
}

impl Fault {
    /// Goes wrong once, in `call`, for the card `iccid`.
    #[must_use]
    pub fn on(iccid: &str, call: Call, kind: FaultKind) -> Self {
        Self { card: Some(iccid.to_owned()), call: Some(call), kind, times: 1 }
    }

    /// Goes wrong once, in `call`, for whichever card comes first.
    #[must_use]
    pub const fn anywhere(call: Call, kind: FaultKind) -> Self {
        Self { card: None, call: Some(call), kind, times: 1 }
    }

    /// The same, this often.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }
}

/// What goes wrong. `accepted` tells whether an order is taken all the same; calls that only read are always worked off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fault")]
pub enum FaultKind {
    /// The answer comes after this many real milliseconds.
    Late {
        /// The wait.
        millis: u64,
    },
    /// The connection is cut; nothing was done.
    LostBefore,
    /// Everything was done; the connection is cut without an answer.
    LostAfter,
    /// No answer ever comes.
    Hang {
        /// Whether the order is taken.
        #[serde(default)]
        accepted: bool,
    },
    /// The connection is cut; the order is taken this much later by the sandbox's clock.
    AcceptedLate {
        /// The delay.
        secs: i64,
    },
    /// The answer is sent twice on the same connection, and the order stands in the list twice.
    Doubled,
    /// A page of a 5xx status.
    ServerError {
        /// 500 to 599.
        #[serde(default = "status_500")]
        status: u16,
        /// Whether the order is taken.
        #[serde(default)]
        accepted: bool,
    },
    /// 429; nothing was done.
    Throttled {
        /// The `Retry-After` header, as it is sent: seconds, a date, or nonsense.
        #[serde(default)]
        retry_after: Option<String>,
    },
    /// A redirect; nothing was done.
    Redirect {
        /// 301, 302, 303, 307 or 308.
        status: u16,
        /// Where to; the same host, if nothing is told.
        #[serde(default)]
        to: Option<String>,
    },
    /// A listed refusal with a status of choice, such as 200; nothing was done.
    Refused {
        /// The code in the body.
        code: String,
        /// The status.
        #[serde(default = "status_422")]
        status: u16,
    },
    /// 401: the token is no longer good; nothing was done.
    TokenExpired,
    /// 409: the reference was used before.
    DuplicateReference {
        /// Whether the order is taken.
        #[serde(default)]
        accepted: bool,
    },
    /// The price shown or asked is this percentage of the right one.
    PriceChanged {
        /// 110 is ten per cent more.
        percent: u32,
    },
    /// The plan, or every plan, is not on sale.
    PlanGone,
    /// A reading as it was when the fault was set.
    StaleReading,
    /// Data below zero and a debt.
    Negative,
    /// A plan that ends in the year 9999.
    FarEnd,
    /// A plan that ended in 1970.
    PastEnd,
    /// The end of the plan is told so much later than it is, or earlier.
    EndShifted {
        /// By how much.
        secs: i64,
    },
    /// The end of the plan is left out.
    NoEnd,
    /// A text where a number belongs.
    TextForNumber,
    /// 1e308 bytes left.
    HugeNumber,
    /// Credit in a currency that does not exist.
    StrangeCurrency,
    /// Status 200 and a web page.
    Html {
        /// Whether the order is taken.
        #[serde(default)]
        accepted: bool,
    },
    /// Status 200 and nothing.
    EmptyBody {
        /// Whether the order is taken.
        #[serde(default)]
        accepted: bool,
    },
    /// Half the answer, then the connection is cut.
    CutBody {
        /// Whether the order is taken.
        #[serde(default)]
        accepted: bool,
    },
    /// A body of this many bytes.
    HugeBody {
        /// The size; 1 GiB, if nothing is told.
        #[serde(default = "one_gib")]
        bytes: u64,
        /// Whether the order is taken.
        #[serde(default)]
        accepted: bool,
    },
    /// A small compressed body that unpacks to this many bytes.
    GzipBomb {
        /// The unpacked size; 1 GiB, if nothing is told.
        #[serde(default = "one_gib")]
        bytes: u64,
        /// Whether the order is taken.
        #[serde(default)]
        accepted: bool,
    },
    /// The right answer, one byte every so many real milliseconds.
    SlowBytes {
        /// The wait between two bytes.
        millis: u64,
    },
    /// A success that names another reference and another amount.
    StrangeAnswer {
        /// Whether the order is taken.
        #[serde(default)]
        accepted: bool,
    },
    /// The card shows the effect this much later.
    EffectLate {
        /// The delay by the sandbox's clock.
        secs: i64,
    },
    /// The order is taken and paid; the card never shows it.
    EffectNever,
    /// The order stays pending.
    PendingForever,
    /// The order is taken back and refunded this much later.
    FailsLater {
        /// The delay by the sandbox's clock.
        secs: i64,
    },
    /// Answer and look-up say "failed" without a reason for this long, although the order was taken.
    SaysFailed {
        /// How long by the sandbox's clock.
        secs: i64,
    },
}

const fn status_500() -> u16 {
    500
}

const fn status_422() -> u16 {
    422
}

const fn one_gib() -> u64 {
    1 << 30
}

impl FaultKind {
    /// Whether its statuses are ones that an answer can have.
    pub(super) fn checked(&self) -> Result<(), String> {
        let (status, lowest, highest) = match self {
            Self::ServerError { status, .. } => (*status, 500, 599),
            Self::Redirect { status, .. } => (*status, 300, 399),
            Self::Refused { status, .. } => (*status, 200, 599),
            _ => return Ok(()),
        };
        match (lowest..=highest).contains(&status) {
            true => Ok(()),
            false => Err(format!("the status of this fault is {status}; it must be from {lowest} to {highest}")),
        }
    }

    /// Whether it is about what one reading says, and not about the answer as a whole.
    pub(super) const fn spoils_reading(&self) -> bool {
        matches!(
            self,
            Self::StaleReading
                | Self::Negative
                | Self::FarEnd
                | Self::PastEnd
                | Self::EndShifted { .. }
                | Self::NoEnd
                | Self::TextForNumber
                | Self::HugeNumber
                | Self::StrangeCurrency
        )
    }

    /// Whether an order that meets this fault is worked off.
    pub(super) const fn works_off_order(&self) -> bool {
        match self {
            Self::LostBefore
            | Self::AcceptedLate { .. }
            | Self::Throttled { .. }
            | Self::Redirect { .. }
            | Self::Refused { .. }
            | Self::TokenExpired => false,
            Self::Hang { accepted }
            | Self::ServerError { accepted, .. }
            | Self::DuplicateReference { accepted }
            | Self::Html { accepted }
            | Self::EmptyBody { accepted }
            | Self::CutBody { accepted }
            | Self::HugeBody { accepted, .. }
            | Self::GzipBomb { accepted, .. }
            | Self::StrangeAnswer { accepted } => *accepted,
            Self::Late { .. }
            | Self::LostAfter
            | Self::Doubled
            | Self::PriceChanged { .. }
            | Self::PlanGone
            | Self::StaleReading
            | Self::Negative
            | Self::FarEnd
            | Self::PastEnd
            | Self::EndShifted { .. }
            | Self::NoEnd
            | Self::TextForNumber
            | Self::HugeNumber
            | Self::StrangeCurrency
            | Self::SlowBytes { .. }
            | Self::EffectLate { .. }
            | Self::EffectNever
            | Self::PendingForever
            | Self::FailsLater { .. }
            | Self::SaysFailed { .. } => true,
        }
    }
}

/// The faults that wait, in the order in which they were set.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

/// Faults that may wait at once.
const FAULTS_MAX: usize = 10_000;

impl Faults {
    /// Adds one; false if too many wait already.
    pub(super) fn add(&mut self, fault: Fault) -> bool {
        let room = self.0.len() < FAULTS_MAX && fault.times > 0;
        if room {
            self.0.push(fault);
        }
        room
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn all(&self) -> &[Fault] {
        &self.0
    }

    /// The first that waits for this call and card, counted as used.
    pub(super) fn take(&mut self, call: Call, card: Option<&str>) -> Option<FaultKind> {
        let place = self.0.iter().position(|fault| {
            fault.call.is_none_or(|wanted| wanted == call)
                && fault.card.as_deref().is_none_or(|wanted| card == Some(wanted))
        })?;
        let fault = &mut self.0[place];
        fault.times -= 1;
        let kind = fault.kind.clone();
        if fault.times == 0 {
            self.0.remove(place);
        }
        Some(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_waits_for_its_card_and_call_and_is_used_up() {
        let mut faults = Faults::default();
        assert!(faults.add(Fault::on("1", Call::Buy, FaultKind::LostAfter).times(2)));
        assert!(!faults.add(Fault::anywhere(Call::Buy, FaultKind::LostAfter).times(0)));
        assert_eq!(faults.take(Call::Read, Some("1")), None);
        assert_eq!(faults.take(Call::Buy, Some("2")), None);
        assert_eq!(faults.take(Call::Buy, Some("1")), Some(FaultKind::LostAfter));
        assert_eq!(faults.take(Call::Buy, Some("1")), Some(FaultKind::LostAfter));
        assert!(faults.is_empty());
    }

    #[test]
    fn faults_are_written_as_json() {
        let text = r#"{"card":"8944","call":"buy","fault":"server_error","status":503,"accepted":true}"#;
        let fault: Fault = serde_json::from_str(text).unwrap();
        assert_eq!(fault, Fault::on("8944", Call::Buy, FaultKind::ServerError { status: 503, accepted: true }));
        let bare: Fault = serde_json::from_str(r#"{"fault":"lost_after"}"#).unwrap();
        assert_eq!(bare, Fault { card: None, call: None, kind: FaultKind::LostAfter, times: 1 });
    }
}
