//! Known-wrong surroundings: each breaks one thing that the daemon rests on, so that it is shown that this layer can fail.

/// Something that is wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// The journal of orders is emptied when an older record is put in its place.
    JournalEmptied,
    /// A process that ends loses what it had committed since its start.
    CommitsLost,
    /// A channel says "sent" and loses the message.
    ChannelLoses,
    /// The person of the files can be reached by mail alone.
    OneWayAlone,
    /// An operator's clock is taken to be our own.
    ClockBelieved,
    /// An adapter calls every error of an order a refusal.
    ErrorsAreRefusals,
    /// An adapter finds nothing where its look-up failed.
    FailedLookupIsNothing,
    /// Every order has the same key.
    OneKey,
    /// An adapter sends an order twice.
    SendsTwice,
}

impl Wrong {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::JournalEmptied,
        Self::CommitsLost,
        Self::ChannelLoses,
        Self::OneWayAlone,
        Self::ClockBelieved,
        Self::ErrorsAreRefusals,
        Self::FailedLookupIsNothing,
        Self::OneKey,
        Self::SendsTwice,
    ];

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::JournalEmptied => "journal-emptied",
            Self::CommitsLost => "commits-lost",
            Self::ChannelLoses => "channel-loses",
            Self::OneWayAlone => "one-way-alone",
            Self::ClockBelieved => "clock-believed",
            Self::ErrorsAreRefusals => "errors-are-refusals",
            Self::FailedLookupIsNothing => "failed-lookup-is-nothing",
            Self::OneKey => "one-key",
            Self::SendsTwice => "sends-twice",
        }
    }
}
