//! How fast this machine gets on at present. The worlds' time goes by it: no verdict may depend on how busy the machine
//! is with other things, so that where a start takes ten times as long, a day does too.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A reading is fresh enough for an order for ten minutes. In that time a daemon could be started so many times, which is
/// far more than an order takes.
const STARTS_IN_TEN_MINUTES: u64 = 40;
/// Nothing is won by more: what is waited for then is the work itself.
const SPEED_MAX: u64 = 240;
/// A day of the story never takes longer than this makes of it, however little the machine gets done.
const SPEED_MIN: u64 = 2;
/// How long a start takes before any was watched.
const FIRST_GUESS: Duration = Duration::from_millis(400);

/// How long a daemon takes from its start to its first answer, by those of all worlds that were watched of late.
pub(crate) struct Pace(AtomicU64);

impl Pace {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(millis(FIRST_GUESS)))
    }

    /// A start has taken so long. One that is slower counts at once, one that is faster a little.
    pub(crate) fn started_in(&self, took: Duration) {
        let took = millis(took);
        // Several worlds may say so in the same moment; one of them is as good as the other.
        let before = self.0.load(Ordering::Relaxed);
        self.0.store(took.max((3 * before + took) / 4), Ordering::Relaxed);
    }

    /// How long a start takes.
    pub(crate) fn start(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }

    /// How many times as fast as the machine's clock a story may go, halved so many times.
    pub(crate) fn speed(&self, halvings: u32) -> u32 {
        let ten_minutes = STARTS_IN_TEN_MINUTES * self.0.load(Ordering::Relaxed);
        let speed = (600_000 / ten_minutes.max(1)).min(SPEED_MAX) >> halvings;
        u32::try_from(speed.max(SPEED_MIN)).expect("small")
    }
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).expect("no start takes so long").max(1)
}

#[test]
fn where_a_start_takes_longer_a_story_goes_slower_and_what_fails_again_and_again_slower_still() {
    let pace = Pace::new();
    pace.started_in(Duration::from_millis(1_500));
    assert_eq!((pace.speed(0), pace.speed(1), pace.speed(9)), (10, 5, 2));
    // Faster starts are believed by and by.
    pace.started_in(Duration::from_millis(100));
    assert_eq!(pace.start(), Duration::from_millis(1_150));
    for _ in 0..40 {
        pace.started_in(Duration::from_millis(30));
    }
    assert_eq!(u64::from(pace.speed(0)), SPEED_MAX);
}
