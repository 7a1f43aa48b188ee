//! What is left to chance: which death comes next, which fault, how much time passes. It comes again with its seed.

use simkeeper::daemon::crash::POINTS;
use simkeeper::domain::retry::mixed;
use simkeeper::domain::time::Secs;
use simkeeper::sandbox::FaultKind;

/// Deaths at moments of chance, for each round of all points.
const RANDOM_DEATHS: usize = 12;
/// Where a first start dies, when the record is being made.
pub(crate) const FIRST_POINTS: [&str; 2] = ["before_migration", "after_migration"];
/// Points beside the way of a renewal that a life may pass: at each start, and when somebody wants a copy. Those of a
/// restore are passed by a command of its own, and the worlds of `tests/simulation` and `tests/powercut` end there.
pub(crate) const LATER_POINTS: [&str; 2] = ["in_take_up", COPY_POINT];
/// Passed when somebody wants a copy.
pub(crate) const COPY_POINT: &str = "in_backup";

/// How a process dies.
#[derive(Clone, Debug)]
pub(crate) enum Death {
    /// When it passes a point for the so-manieth time.
    AtPoint(&'static str, u32),
    /// So long after its start: hundredths of the time that a start takes at present.
    After(u32),
}

/// Numbers that look like chance and come again with the same seed.
pub(crate) struct Dice {
    seed: u64,
    thrown: u32,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, thrown: 0 }
    }

    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.thrown += 1;
        mixed(self.seed, self.thrown) % most
    }

    /// One of these.
    pub(crate) fn one_of<T: Clone>(&mut self, things: &[T]) -> T {
        let place = self.below(things.len() as u64);
        things[usize::try_from(place).expect("small")].clone()
    }

    fn shuffle<T>(&mut self, things: &mut [T]) {
        for place in (1..things.len()).rev() {
            let other = usize::try_from(self.below(place as u64 + 1)).expect("small");
            things.swap(place, other);
        }
    }

    /// Moments of chance alone, for a program without points.
    pub(crate) fn random_deaths(&mut self) -> Vec<Death> {
        // Half of them fall into the start itself.
        let most = |number: usize| if number.is_multiple_of(2) { 100 } else { 500 };
        let after = |number: usize| Death::After(u32::try_from(self.below(most(number))).expect("small"));
        (0..RANDOM_DEATHS).map(after).collect()
    }

    /// Every point of a renewal at its first and second passing, those beside it at the first, and moments of chance, in
    /// an order of chance.
    pub(crate) fn deaths(&mut self) -> Vec<Death> {
        let mut deaths: Vec<Death> = Vec::new();
        for point in POINTS {
            deaths.extend([1, 2].map(|visit| Death::AtPoint(point, visit)));
        }
        deaths.extend(LATER_POINTS.map(|point| Death::AtPoint(point, 1)));
        deaths.extend(self.random_deaths());
        self.shuffle(&mut deaths);
        deaths
    }

    /// How much later the machine is switched on again: mostly soon.
    pub(crate) fn time_off(&mut self) -> Secs {
        let most = if self.below(8) == 0 { 30 * 3_600 } else { 3_600 };
        Secs(i64::try_from(self.below(most)).expect("small"))
    }

    /// Something that happens to an order.
    pub(crate) fn some_fault(&mut self) -> FaultKind {
        self.one_of(&[
            FaultKind::LostBefore,
            FaultKind::LostAfter,
            FaultKind::ServerError { status: 500, accepted: true },
            FaultKind::ServerError { status: 503, accepted: false },
            FaultKind::CutBody { accepted: true },
            FaultKind::Html { accepted: false },
            FaultKind::AcceptedLate { secs: 40 },
            FaultKind::Doubled,
            FaultKind::StrangeAnswer { accepted: true },
            FaultKind::EmptyBody { accepted: true },
            FaultKind::DuplicateReference { accepted: true },
            FaultKind::SaysFailed { secs: 300 },
        ])
    }
}
