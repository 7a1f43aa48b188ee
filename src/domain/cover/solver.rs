//! The reckoning itself, in steps and whole numbers. From the end of the trip back to its beginning the least cost of all
//! that is still to come is known at each step, so each step asks only which plan to begin there.

use super::within::{Purchase, Ways};

/// A plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) price: u64,
    pub(super) bytes: u64,
    /// How many steps it lasts.
    pub(super) steps: usize,
    /// The last step at which it may begin.
    pub(super) last_start: usize,
    /// Whether a sequence may begin with it.
    pub(super) is_first: bool,
}

impl Offer {
    pub(super) fn may_begin(self, start: usize) -> bool {
        start <= self.last_start && (start > 0 || self.is_first)
    }
}

/// The cheapest sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Solved {
    /// Places of offers.
    pub(super) sequence: Vec<usize>,
    pub(super) cost: u64,
    /// Steps that are covered.
    pub(super) covered: usize,
    /// The cheapest sequence that begins with another, and its cost.
    pub(super) runner_up: Option<(Vec<usize>, u64)>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// None if nothing can be covered.
    pub(super) solved: Option<Solved>,
    /// Whether all steps could be covered if money did not matter.
    pub(super) is_coverable: bool,
}

/// What is still to come from a step on: how many steps stay without, and then what the others cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rest {
    pub(super) without: usize,
    pub(super) cost: u64,
}

/// What cannot be had costs this much.
const NEVER: u64 = u64::MAX;

/// The cheapest sequence that covers all steps for at most `money`; else the one that covers most of them. `used` is what
/// is used up to the end of each step. Nothing is bought for which `has_room` has none after the purchases before it.
pub(super) fn solve(
    offers: &[Offer],
    used: &[u64],
    money: u64,
    has_room: &dyn Fn(Purchase, &[Purchase]) -> bool,
) -> Answer {
    let back = Back::over(offers, used);
    let is_coverable = back.rest.first().is_some_and(|rest| rest.without == 0);
    let ways = Ways { offers, used, back: &back, money, has_room };
    let free = back.within(offers, used, money);
    let is_free = |solved: &Solved| ways.is_free(&solved.sequence);
    let is_other_free = |solved: &Solved| solved.runner_up.as_ref().is_none_or(|(other, _)| ways.is_free(other));
    let solved = match free.filter(is_free) {
        None => Solved::among(&ways),
        Some(solved) if is_other_free(&solved) => Some(solved),
        Some(solved) => Some(solved.with_runner_up(&ways)),
    };
    Answer { solved, is_coverable }
}

impl Solved {
    /// The best of the ways of which nothing is barred.
    fn among(ways: &Ways<'_>) -> Option<Self> {
        let best = ways.best(|_| true)?;
        let covered = ways.used.len() - best.left.without;
        let alone = Self { sequence: best.sequence, cost: best.left.cost, covered, runner_up: None };
        Some(alone.with_runner_up(ways).cheaper_first())
    }

    /// The same beside the best that begins with another and lasts as long.
    fn with_runner_up(self, ways: &Ways<'_>) -> Self {
        let other = ways.best(|place| Some(&place) != self.sequence.first());
        let as_long = other.filter(|other| ways.used.len() - other.left.without >= self.covered);
        Self { runner_up: as_long.map(|other| (other.sequence, other.left.cost)), ..self }
    }

    /// Where not all ways could be gone, one that begins with another may turn out to be the cheaper.
    fn cheaper_first(self) -> Self {
        match self.runner_up {
            Some((sequence, cost)) if cost < self.cost => {
                Self { sequence, cost, runner_up: Some((self.sequence, self.cost)), ..self }
            }
            runner_up => Self { runner_up, ..self },
        }
    }
}

/// What is used before a step.
pub(super) fn before(used: &[u64], step: usize) -> u64 {
    // The first step has none before it, and places behind the last are never asked for.
    step.checked_sub(1).and_then(|last| used.get(last)).copied().unwrap_or(0)
}

/// For each step the best that can still come of it, and with what.
pub(super) struct Back {
    rest: Vec<Rest>,
    begins_with: Vec<Option<usize>>,
    /// For each step where each offer ends that begins there; 0 for one that may not. Nobody looks further ahead than that
    /// many steps.
    ends: Vec<u16>,
    offers: usize,
}

impl Back {
    /// What still comes of a step.
    pub(super) fn rest(&self, step: usize) -> Rest {
        self.rest[step]
    }

    /// Where each offer ends that begins at a step.
    pub(super) fn ends(&self, step: usize) -> &[u16] {
        self.ends.get(step * self.offers..(step + 1) * self.offers).unwrap_or_default()
    }

    pub(super) fn over(offers: &[Offer], used: &[u64]) -> Self {
        let goal = used.len();
        let mut rest = vec![Rest { without: 0, cost: 0 }; goal + 1];
        let mut begins_with = vec![None; goal];
        // Where each plan ends that begins at the step; an earlier beginning never means a later end.
        let mut ends: Vec<(Offer, usize)> = offers.iter().map(|offer| (*offer, goal)).collect();
        let mut all_ends = vec![0; goal * offers.len()];
        for start in (0..goal).rev() {
            let ends_here = &mut all_ends[start * offers.len()..];
            let most = before(used, start);
            let (mut best, mut with) = (Rest { without: goal - start, cost: 0 }, None);
            for (place, (offer, end)) in ends.iter_mut().enumerate() {
                if !offer.may_begin(start) {
                    continue;
                }
                let most = most.saturating_add(offer.bytes);
                *end = (*end).min(start.saturating_add(offer.steps));
                while *end > start && used[*end - 1] > most {
                    *end -= 1;
                }
                ends_here[place] = *end as u16;
                let after = rest[*end];
                let now = Rest { cost: offer.price.saturating_add(after.cost), ..after };
                if now < best && *end > start {
                    (best, with) = (now, Some(place));
                }
            }
            (rest[start], begins_with[start]) = (best, with);
        }
        Self { rest, begins_with, ends: all_ends, offers: offers.len() }
    }

    /// The cheapest sequence for at most `money`, whatever is barred.
    fn within(&self, offers: &[Offer], used: &[u64], money: u64) -> Option<Solved> {
        // Where nothing covers anything, there is nothing to be paid either.
        if self.rest.first().is_some_and(|rest| rest.cost <= money) {
            return self.solved(offers, used);
        }
        let within_reach = used.get(..self.farthest(offers, money)).unwrap_or_default();
        self.up_to(within_reach.len(), offers).solved(offers, within_reach)
    }

    /// The same where all that is needed ends at a step.
    fn up_to(&self, goal: usize, offers: &[Offer]) -> Self {
        let mut rest = vec![Rest { without: 0, cost: 0 }; goal + 1];
        let mut begins_with = vec![None; goal];
        for start in (0..goal).rev() {
            let (mut best, mut with) = (Rest { without: goal - start, cost: 0 }, None);
            for (place, (offer, end)) in offers.iter().zip(self.ends(start)).enumerate() {
                let end = usize::from(*end).min(goal);
                let after = rest[end];
                let now = Rest { cost: offer.price.saturating_add(after.cost), ..after };
                if now < best && end > start {
                    (best, with) = (now, Some(place));
                }
            }
            (rest[start], begins_with[start]) = (best, with);
        }
        Self { rest, begins_with, ends: Vec::new(), offers: offers.len() }
    }

    /// The last step that can be reached for at most `money`.
    fn farthest(&self, offers: &[Offer], money: u64) -> usize {
        let goal = self.begins_with.len();
        let mut least = vec![NEVER; goal + 1];
        least[0] = 0;
        let mut reached = 0;
        for start in 0..goal {
            let so_far = least[start];
            if so_far == NEVER {
                continue;
            }
            for (offer, end) in offers.iter().zip(self.ends(start)) {
                let (end, cost) = (usize::from(*end), so_far.saturating_add(offer.price));
                if end > start && cost <= money && cost < least[end] {
                    least[end] = cost;
                    reached = reached.max(end);
                }
            }
        }
        reached
    }

    /// What comes of beginning with an offer; none if it covers nothing.
    fn beginning_with(&self, offer: Offer, used: &[u64]) -> Option<Rest> {
        let end = end_of(offer, 0, used);
        let after = self.rest[end];
        (end > 0).then(|| Rest { cost: offer.price.saturating_add(after.cost), ..after })
    }

    fn solved(&self, offers: &[Offer], used: &[u64]) -> Option<Solved> {
        let mut sequence = Vec::new();
        let step = self.follow(0, &mut sequence, offers, used);
        let (first, best) = (*sequence.first()?, *self.rest.first()?);
        let others = offers.iter().enumerate().filter(|(place, offer)| *place != first && offer.is_first);
        let rests = others.filter_map(|(place, offer)| Some((place, self.beginning_with(*offer, used)?)));
        let runner_up = rests.filter(|(_, rest)| rest.without == best.without).min_by_key(|(_, rest)| rest.cost);
        Some(Solved {
            sequence,
            cost: best.cost,
            covered: step,
            runner_up: runner_up.map(|(place, rest)| {
                let mut other = vec![place];
                self.follow(end_of(offers[place], 0, used), &mut other, offers, used);
                (other, rest.cost)
            }),
        })
    }

    /// Adds the best that can come from a step on; says where that ends.
    fn follow(&self, mut step: usize, sequence: &mut Vec<usize>, offers: &[Offer], used: &[u64]) -> usize {
        while let Some(place) = self.begins_with.get(step).copied().flatten() {
            sequence.push(place);
            step = end_of(offers[place], step, used);
        }
        step
    }
}

/// Where a plan ends that begins at a step.
pub(super) fn end_of(offer: Offer, start: usize, used: &[u64]) -> usize {
    let latest = start.saturating_add(offer.steps).min(used.len());
    let most = before(used, start).saturating_add(offer.bytes);
    let lasts = used.get(start..latest).map_or(0, |ahead| ahead.partition_point(|used| *used <= most));
    start + lasts
}
