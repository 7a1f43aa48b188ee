//! What the oracle is told: plain facts in plain numbers. Times are true seconds since the epoch, money is in
//! ten-thousandths of the one currency of the worlds.

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A card, when the world begins.
    Card {
        /// Which.
        card: usize,
        /// Until when it is provided for.
        covered_until: i64,
        /// This long before that its rule begins to buy.
        lead_secs: i64,
        /// Whether it comes to an end of which readings tell.
        ends: bool,
        /// The most that a month may cost.
        month_limit: Option<i64>,
        /// The last instant at which its rule buys.
        rule_over_at: Option<i64>,
        /// Whether nothing in this world may keep it from being bought for in time.
        must_live: bool,
    },
    /// An order reached the operator and was booked as a new one.
    Ordered {
        /// For which card.
        card: usize,
        /// Our key.
        key: u128,
        /// When it arrived.
        at: i64,
        /// When it was, or will be, taken; none if never.
        taken_at: Option<i64>,
        /// When it was, or will be, taken back.
        taken_back_at: Option<i64>,
        /// How long it provides for the card.
        extends_secs: i64,
        /// Whether nothing of it ever shows on the card.
        never_shows: bool,
        /// What was charged if it is taken.
        charge: i64,
    },
    /// Somebody else bought for the card.
    PersonBought {
        /// The card.
        card: usize,
        /// When.
        at: i64,
        /// How long it provides for the card.
        extends_secs: i64,
    },
    /// The operator said for certain that this order was not taken.
    ToldRefused {
        /// The key.
        key: u128,
    },
    /// The intent to send was committed.
    Intended {
        /// The card.
        card: usize,
        /// The attempt.
        attempt: i64,
        /// The key.
        key: u128,
        /// When.
        at: i64,
        /// How wrong the machine's clock was.
        clock_off_secs: i64,
        /// Whether the disk was full.
        disk_full: bool,
        /// Whether people had paused the card.
        paused: bool,
        /// Whether the card was set aside after a restore, in truth.
        set_aside: bool,
        /// The price that was decided.
        price: i64,
        /// The price on sale in truth.
        price_on_sale: i64,
        /// Whether the rule was in the file.
        has_rule: bool,
    },
    /// An attempt changed its state, in a commit.
    Moved {
        /// The card.
        card: usize,
        /// The attempt.
        attempt: i64,
        /// The key, if it has one.
        key: Option<u128>,
        /// The state before; empty for a new one.
        from: &'static str,
        /// The state after.
        to: &'static str,
        /// Whether a person's word moved it.
        by_person: bool,
        /// When.
        at: i64,
    },
    /// A message was queued, in a commit.
    Queued {
        /// Its row.
        notice: i64,
        /// The card.
        card: usize,
        /// The attempt it is about.
        attempt: Option<i64>,
        /// Its kind.
        kind: &'static str,
        /// Which way it goes; empty where there is one alone.
        way: &'static str,
        /// When.
        at: i64,
    },
    /// People were warned of an end; the one message of it is a fact of its own.
    Warned {
        /// The card.
        card: usize,
        /// Which of its ends.
        which: usize,
        /// Which of the steps before it.
        step_secs: i64,
        /// The end, as the operator told it.
        end: i64,
        /// When.
        at: i64,
        /// How wrong the machine's clock was.
        clock_off_secs: i64,
    },
    /// A process starts.
    Started {
        /// Commits that were acknowledged before.
        acknowledged: u64,
        /// Commits in the record.
        found: u64,
        /// When.
        at: i64,
        /// Whether an older copy was put in the record's place.
        restored: bool,
        /// Open attempts in the record, with their cards.
        open: Vec<(usize, i64)>,
    },
    /// The process ended.
    Stopped {
        /// When.
        at: i64,
    },
    /// A message reached its recipient's server.
    Delivered {
        /// Its row.
        notice: i64,
        /// Whether the sender could learn that.
        is_known: bool,
    },
    /// The process ended before it could note that this one is out.
    Unsettled {
        /// Its row.
        notice: i64,
    },
    /// A message was given up in sight of people, or expired.
    GivenUp {
        /// Its row.
        notice: i64,
        /// Whether its way failed for good; else it was no longer worth sending.
        way_failed: bool,
    },
    /// The daemon does the same over and over without an end.
    Spins {
        /// When.
        at: i64,
    },
    /// A card could not be read, or its clock was wrong, from here on.
    Blind {
        /// The card.
        card: usize,
        /// From when.
        from: i64,
        /// Until when.
        until: i64,
    },
    /// The world ends.
    Ended {
        /// When.
        at: i64,
        /// Open attempts: card, attempt, state, and since when it is in it.
        open: Vec<(usize, i64, &'static str, i64)>,
        /// Messages that still wait.
        waiting: Vec<i64>,
    },
}
