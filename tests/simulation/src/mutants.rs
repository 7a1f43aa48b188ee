//! Designs that are known to be wrong. Each is a change of the driver's steps, or a wrapper around what the domain says;
//! the daemon holds nothing of them. A suite that does not catch them proves nothing.

/// Declares the mutants with their names on the command line.
macro_rules! mutants {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal,)+) => {
        /// A wrong design.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Mutant {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Mutant {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Its name on the command line.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }
        }
    };
}

mutants! {
    /// After a time-out the order is made again with a new key.
    NewKeyOnTimeOut = "new-key-on-time-out",
    /// The order leaves before its intent is committed.
    PostBeforeCommit = "post-before-commit",
    /// A 5xx counts as a refusal.
    ErrorMeansRefused = "error-means-refused",
    /// Where a look-up misses the order, it is sent again.
    ResendAtFirstMiss = "resend-at-first-miss",
    /// The same bytes are sent again long after the operator has forgotten the key.
    ResendPastWindow = "resend-past-window",
    /// After a restore the cards buy at once.
    NoQuarantine = "no-quarantine",
    /// After a restore the journal is not looked at.
    JournalIgnored = "journal-ignored",
    /// An order that left after the copy was made is given up with the plan that the copy has.
    LeftSinceIgnored = "left-since-ignored",
    /// A card that was set aside is confirmed by its first two readings.
    QuarantineShort = "quarantine-short",
    /// Ends are compared by equality.
    EndsByEquality = "ends-by-equality",
    /// Commits are acknowledged before they are synced.
    NoSync = "no-sync",
    /// The clock is believed.
    NoClockCheck = "no-clock-check",
    /// An order is repeated without a look at the card.
    RepeatsUnseen = "repeats-unseen",
    /// A plan that had left the card, and that an answer from a cache brings back, counts as what was ordered.
    GonePlansCount = "gone-plans-count",
    /// An operator that pays twice gets the order again after an hour.
    ClassCResends = "class-c-resends",
    /// "Failed" in an answer is believed.
    FailedBelieved = "failed-believed",
    /// An answer that cannot be read counts as a refusal.
    UnreadableMeansRefused = "unreadable-means-refused",
    /// An accepted order is done before its effect is seen.
    DoneOnAcceptance = "done-on-acceptance",
    /// Only what is done counts against the limits.
    LimitsForgetUnknown = "limits-forget-unknown",
    /// Messages are queued after the commit of their cause.
    NoticeOutsideCommit = "notice-outside-commit",
    /// A message is deleted when it is claimed.
    NoticeDeletedOnClaim = "notice-deleted-on-claim",
    /// Orders that were on their way are forgotten at a start.
    SendingForgotten = "sending-forgotten",
    /// An end that is told no more is forgotten.
    MissingEndBelieved = "missing-end-believed",
    /// What a clock that ran ahead put off stays put off over a restart.
    WaitsOutlastRestart = "waits-outlast-restart",
    /// A closed gate is looked at again at once, without an end.
    GateAgainAtOnce = "gate-again-at-once",
    /// Nothing is ever bought.
    NeverBuys = "never-buys",
    /// A reading that makes no sense is acted upon.
    OddReadingBelieved = "odd-reading-believed",
    /// While an order is unknown, another seller is asked.
    SecondSellerUnguarded = "second-seller-unguarded",
    /// A question is put once and never again.
    QuestionNotRepeated = "question-not-repeated",
    /// An order counts as absent after an hour.
    AbsentAfterHour = "absent-after-hour",
    /// Nobody is ever asked.
    NeverAsks = "never-asks",
    /// The price is not looked at again.
    PriceNotChecked = "price-not-checked",
    /// A pause holds back nothing.
    PauseIgnored = "pause-ignored",
    /// A full disk holds back nothing.
    DiskIgnored = "disk-ignored",
    /// The rule's last day is not looked at.
    RuleEndIgnored = "rule-end-ignored",
    /// Nobody is warned before an end.
    NoWarnings = "no-warnings",
    /// Each cycle tells each warning once, whichever end it is about.
    WarnsByCycle = "warns-by-cycle",
    /// A message that was lost after the last line is sent again without end.
    SentTwice = "sent-twice",
}

impl Mutant {
    /// The mutant of this name.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|mutant| mutant.word() == word)
    }
}
