//! What can go wrong, in two steps: each site is switched on for a whole world with one chance in four, and where it is
//! on it fires at one visit in 4, 12, 35 or 100, which is drawn for the world, too: what happens all the time hides what
//! follows from happening once. Every hit is counted with the state of the order and the class of the operator.

use crate::chance::Chance;

/// Declares the sites with the numbers that they have in the catalogue of faults.
macro_rules! sites {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal,)+) => {
        /// A place where something can go wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Site {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Site {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The site of this name.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|site| site.name() == name)
            }

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// The fault of the catalogue that it stands for.
            #[must_use]
            pub const fn fault(self) -> u8 {
                match self { $(Self::$name => $number,)+ }
            }
        }
    };
}

sites! {
    /// No connection to send an order over.
    ConnectFails = 1,
    /// The order is lost on the way.
    RequestLost = 2,
    /// The order is taken, the answer lost.
    AnswerLost = 3,
    /// The order is taken after we gave up waiting.
    AcceptedLate = 4,
    /// The answer breaks off in its middle.
    AnswerCut = 5,
    /// A 5xx although it was taken.
    ErrorThoughTaken = 6,
    /// A 5xx, and it was not taken.
    ErrorNotTaken = 6,
    /// 429 to an order.
    OrderThrottled = 7,
    /// 429 to a reading or a look-up, with a wait.
    ReadThrottled = 7,
    /// A redirect.
    Redirected = 8,
    /// A business error that is not listed as final.
    UnlistedError = 9,
    /// A page of HTML with status 200, although it was taken.
    PageThoughTaken = 9,
    /// "Failed" in the answer although it was taken; later "done".
    FailedThoughTaken = 10,
    /// Taken, and later taken back.
    ReversedLater = 11,
    /// In work.
    Pending = 12,
    /// In work for ever.
    PendingForEver = 12,
    /// A repeat is told that the first is in work.
    RepeatInProgress = 13,
    /// A repeat is told that the reference is used.
    RepeatAlreadyUsed = 14,
    /// A repeat gets the stored 5xx of the first.
    RepeatOfError = 16,
    /// A taken order shows late in look-ups.
    ListedLate = 17,
    /// A look-up fails.
    LookupFails = 18,
    /// Look-ups fail for days.
    LookupsDown = 18,
    /// The effect shows late.
    EffectLate = 19,
    /// The effect never shows.
    EffectNever = 19,
    /// Somebody else buys for the card.
    PersonBuys = 20,
    /// The price changes.
    PriceMoves = 21,
    /// The plan is not sold for some days.
    PlanGone = 21,
    /// The wallet is empty.
    WalletEmpty = 22,
    /// The operator refuses for a reason that passes.
    RefusedForNow = 22,
    /// The operator blocks the card for some days.
    CardBlocked = 22,
    /// The access is refused between the last look and the order.
    TokenExpires = 23,
    /// The answer comes byte by byte until the time is over.
    SlowAnswer = 24,
    /// The answer is of another order.
    WrongAnswer = 25,
    /// A reading is of a moment ago, from a cache.
    StaleReading = 26,
    /// Ends are told in another zone, for good.
    EndsShifted = 27,
    /// Ends wobble by three hours.
    EndsWobble = 27,
    /// An end is missing.
    EndMissing = 28,
    /// An end lies in the year 9999.
    EndFar = 28,
    /// An end lies far back.
    EndShrinks = 28,
    /// An amount below zero.
    Negative = 29,
    /// An answer that cannot be read.
    Garbage = 29,
    /// A reading fails.
    ReadFails = 30,
    /// An operator does not answer for hours or days.
    OperatorDown = 30,
    /// One card cannot be read for days.
    CardPoisoned = 30,
    /// The process ends after a renewal was planned.
    CrashPlanned = 31,
    /// The process ends before an intent is committed.
    CrashBeforeIntent = 31,
    /// The process ends after an intent is committed.
    CrashAfterIntent = 31,
    /// The process ends after the line in the journal.
    CrashAfterJournal = 31,
    /// The process ends while an order is on its way.
    CrashInPost = 31,
    /// The process ends when the answer is there.
    CrashAfterPost = 31,
    /// The process ends after the outcome is committed.
    CrashAfterOutcome = 31,
    /// The process ends before a reading is committed.
    CrashBeforeReading = 31,
    /// The process ends after a reading is committed.
    CrashAfterReading = 31,
    /// The process ends after a step of settling.
    CrashSettling = 31,
    /// The process ends after a claim.
    CrashAfterClaim = 31,
    /// The process ends when the mail is out.
    CrashAfterSend = 51,
    /// The process ends again as soon as it has started.
    CrashAtStart = 32,
    /// The power goes, and with it what was not synced.
    PowerLost = 33,
    /// The disk is full for hours or days.
    DiskFull = 34,
    /// The database is replaced by an older copy.
    Restored = 36,
    /// The clock jumps.
    ClockJumps = 40,
    /// The machine sleeps for hours.
    Sleeps = 41,
    /// The machine starts with a clock of 1970.
    StartsWithoutTime = 43,
    /// The rule is taken out of the file for some days.
    RuleRemoved = 47,
    /// The mail server is down for days.
    MailDown = 49,
    /// The connection is lost after the last line of a mail.
    LostAfterDot = 50,
    /// The mail server takes nothing just now.
    MailLater = 52,
    /// The mail server never takes this one.
    MailRefused = 52,
    /// A message makes the process end.
    PoisonNotice = 56,
    /// Two people settle the same question.
    TwoPeople = 58,
    /// A card is paused for some days.
    Paused = 58,
}

/// How many sites there are.
pub const SITES: usize = Site::ALL.len();
/// Nothing is open, then the six open states in the order of the table.
pub const STATES: [&str; 7] = ["none", "planned", "sending", "pending", "accepted", "unknown", "human"];
/// The classes of operators.
pub const CLASSES: [&str; 3] = ["A", "B", "C"];

/// How often each site fired: by state of the card's order, and class of the operator.
pub type Hits = [[[u64; 3]; 7]; SITES];

/// Which sites are on in a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switches {
    /// By chance.
    Chance,
    /// None.
    AllOff,
    /// All.
    AllOn,
    /// All, at one visit in two thousand, so that one order in a hundred meets one of them.
    Calm,
    /// One alone.
    Only(Site),
}

impl Switches {
    /// Whether mishaps come in the middle of orders, beside what chance brings.
    #[must_use]
    pub const fn brings_mishaps(self) -> bool {
        match self {
            Self::Chance | Self::AllOn => true,
            Self::AllOff | Self::Calm | Self::Only(_) => false,
        }
    }

    /// Whether nothing of it may keep a card from being bought for: what passes by itself within days is no excuse.
    #[must_use]
    pub const fn lets_live(self) -> bool {
        match self {
            Self::AllOff => true,
            Self::Chance | Self::AllOn | Self::Calm => false,
            Self::Only(site) => matches!(
                site,
                Site::ClockJumps
                    | Site::StartsWithoutTime
                    | Site::Sleeps
                    | Site::PowerLost
                    | Site::CrashAtStart
                    | Site::CrashPlanned
                    | Site::CrashBeforeIntent
                    | Site::CrashBeforeReading
                    | Site::CrashAfterReading
                    | Site::CrashAfterOutcome
                    | Site::AnswerCut
                    | Site::ErrorThoughTaken
                    | Site::ConnectFails
                    | Site::ReadFails
                    | Site::EndsWobble
                    | Site::EndsShifted
            ),
        }
    }
}

/// The switches of a world, and what was hit.
#[derive(Clone, Debug)]
pub struct Faults {
    seed: u64,
    /// How often each site fires, in ten thousand visits.
    often: [u16; SITES],
    visits: Vec<[u32; SITES]>,
    /// A site that fires at its next visit in this lane.
    strikes: Option<(Site, usize)>,
    /// What was hit.
    pub hits: Box<Hits>,
}

impl Faults {
    /// The faults of a world with so many lanes: one for each card, and one for the machine.
    #[must_use]
    pub fn new(seed: u64, switches: Switches, lanes: usize) -> Self {
        let mut chance = Chance::new(seed, 0xfa);
        let often = std::array::from_fn(|place| {
            let (drawn, often) = (chance.percent(25), *chance.pick(&[2_500, 800, 300, 100]));
            let on = match switches {
                Switches::Chance => drawn,
                Switches::AllOff => false,
                Switches::AllOn => true,
                Switches::Calm => return 5,
                Switches::Only(site) => return if site as usize == place { 2_500 } else { 0 },
            };
            if on { often } else { 0 }
        });
        Self { seed, often, visits: vec![[0; SITES]; lanes], strikes: None, hits: Box::new([[[0; 3]; 7]; SITES]) }
    }

    /// Whether a site is on.
    #[must_use]
    pub const fn is_on(&self, site: Site) -> bool {
        self.often[site as usize] > 0
    }

    /// Makes a site that is on fire at its next visit in a lane.
    pub fn strike(&mut self, site: Site, lane: usize) {
        self.strikes = Some((site, lane)).filter(|_| self.is_on(site));
    }

    /// What was to strike and did not has missed its moment.
    pub const fn calm(&mut self) {
        self.strikes = None;
    }

    /// Visits a site; says whether it fires.
    pub fn fires(&mut self, site: Site, lane: usize, state: usize, class: usize) -> bool {
        if !self.is_on(site) {
            return false;
        }
        let visits = &mut self.visits[lane][site as usize];
        *visits += 1;
        let stream = (site as u64) << 48 | (lane as u64) << 32 | u64::from(*visits);
        let struck = self.strikes.take_if(|struck| *struck == (site, lane)).is_some();
        let fired = struck || self.drawn(site, stream);
        if fired {
            self.hits[site as usize][state][class] += 1;
        }
        fired
    }

    fn drawn(&self, site: Site, stream: u64) -> bool {
        let (mut chance, often) = (Chance::new(self.seed, stream), u64::from(self.often[site as usize]));
        if often < 100 { chance.below(10_000) < often } else { chance.percent(often / 100) }
    }

    /// How often anything fired.
    #[must_use]
    pub fn fired(&self) -> u64 {
        self.hits.iter().flatten().flatten().sum()
    }
}
