//! The reckoning itself, in steps and whole numbers. From the end of the trip back to its beginning the least cost of all
//! that is still to come is known at each step, so each step asks only which plan to begin there.

/// A plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) price: u64,
    pub(super) bytes: u64,
    /// How many steps it lasts.
    pub(super) steps: usize,
    /// The last step at which it may begin.
    pub(super) last_start: usize,
}

/// The cheapest sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Solved {
    /// Places of offers.
    pub(super) sequence: Vec<usize>,
    pub(super) cost: u64,
    /// Steps that are covered.
    pub(super) covered: usize,
    /// The first plan of the cheapest sequence that begins with another, and that sequence's cost.
    pub(super) runner_up: Option<(usize, u64)>,
}

/// What cannot be had costs this much.
const NEVER: u64 = u64::MAX;

/// The cheapest sequence that covers all steps for at most `money`; else the one that covers most of them. `used` is what
/// is used up to the end of each step.
pub(super) fn solve(offers: &[Offer], used: &[u64], money: u64) -> Option<Solved> {
    if used.is_empty() {
        return None;
    }
    let whole = back_from(used.len(), offers, used);
    if let Some(solved) = whole.solved(offers, used).filter(|solved| solved.cost <= money) {
        return Some(solved);
    }
    let reach = farthest(offers, used, money);
    if reach == 0 { None } else { back_from(reach, offers, used).solved(offers, used) }
}

/// What is used before a step.
fn before(used: &[u64], step: usize) -> u64 {
    // The first step has none before it, and places behind the last are never asked for.
    step.checked_sub(1).and_then(|last| used.get(last)).copied().unwrap_or(0)
}

/// For each step the least cost from there to the goal.
struct Back {
    goal: usize,
    least: Vec<u64>,
    begins_with: Vec<usize>,
}

fn back_from(goal: usize, offers: &[Offer], used: &[u64]) -> Back {
    let mut back = Back { goal, least: vec![NEVER; goal + 1], begins_with: vec![0; goal] };
    back.least[goal] = 0;
    // Where each plan ends that begins at the step; an earlier beginning never means a later end.
    let mut ends: Vec<(Offer, usize)> = offers.iter().map(|offer| (*offer, goal)).collect();
    for start in (0..goal).rev() {
        let used_before = before(used, start);
        let (mut least, mut with) = (NEVER, 0);
        for (place, (offer, end)) in ends.iter_mut().enumerate() {
            *end = (*end).min(start.saturating_add(offer.steps));
            while *end > start && used[*end - 1] - used_before > offer.bytes {
                *end -= 1;
            }
            // Nothing is known yet of the step itself, so a plan that covers nothing costs too much.
            let cost = offer.price.saturating_add(back.least[*end]);
            if cost < least && start <= offer.last_start {
                (least, with) = (cost, place);
            }
        }
        (back.least[start], back.begins_with[start]) = (least, with);
    }
    back
}

impl Back {
    fn solved(&self, offers: &[Offer], used: &[u64]) -> Option<Solved> {
        let cost = self.least.first().copied().filter(|cost| *cost != NEVER)?;
        let (mut sequence, mut step) = (Vec::new(), 0);
        while step < self.goal {
            let place = self.begins_with[step];
            sequence.push(place);
            step = end_of(offers[place], step, self.goal, used);
        }
        let first = sequence.first().copied();
        let others = offers.iter().enumerate().filter(|(place, offer)| Some(*place) != first && offer.steps > 0);
        let costs = others.map(|(place, offer)| {
            let end = end_of(*offer, 0, self.goal, used);
            (place, if end == 0 { NEVER } else { offer.price.saturating_add(self.least[end]) })
        });
        let runner_up = costs.min_by_key(|(_, cost)| *cost).filter(|(_, cost)| *cost != NEVER);
        Some(Solved { sequence, cost, covered: self.goal, runner_up })
    }
}

/// Where a plan ends that begins at a step.
fn end_of(offer: Offer, start: usize, goal: usize, used: &[u64]) -> usize {
    let latest = start.saturating_add(offer.steps).min(goal);
    let most = before(used, start).saturating_add(offer.bytes);
    let lasts = used.get(start..latest).map_or(0, |ahead| ahead.partition_point(|used| *used <= most));
    start + lasts
}

/// The last step that can be reached for at most `money`.
fn farthest(offers: &[Offer], used: &[u64], money: u64) -> usize {
    let mut least = vec![NEVER; used.len() + 1];
    least[0] = 0;
    let mut reached = 0;
    // Where each plan ends that begins at the step; a later beginning never means an earlier end.
    let mut ends: Vec<(Offer, usize)> = offers.iter().map(|offer| (*offer, 0)).collect();
    for start in 0..used.len() {
        let (used_before, so_far) = (before(used, start), least[start]);
        if so_far == NEVER {
            continue;
        }
        for (offer, end) in ends.iter_mut().filter(|(offer, _)| start <= offer.last_start) {
            *end = (*end).max(start);
            let latest = start.saturating_add(offer.steps).min(used.len());
            while *end < latest && used[*end] - used_before <= offer.bytes {
                *end += 1;
            }
            let cost = so_far.saturating_add(offer.price);
            if *end > start && cost <= money && cost < NEVER {
                least[*end] = least[*end].min(cost);
                reached = reached.max(*end);
            }
        }
    }
    reached
}
