//! The cheapest sequence where a purchase may be barred by those before it, as limits of a month or a cycle bar it. What
//! would come of each step without any bar is known, so only ways are gone that could still be better than the best so far.

use super::solver::{Back, Offer, Rest, end_of};

/// So many purchases are looked at in an order before the best way so far is taken for the best. Where the bars leave fewer
/// ways it is the best.
const LOOKS_MOST: usize = 400;

/// Prices count so many times when they are divided by steps, so that small differences are told apart.
const FINE: u64 = 1 << 32;

/// In which order ways are gone.
#[derive(Clone, Copy)]
enum Order {
    /// First what could come to the best end if nothing were barred: as a rule nothing better follows.
    Hope,
    /// First what costs least for its time: where much is barred, it gets farther.
    Thrift,
}

/// What is bought, and at which step.
pub(super) type Purchase = (usize, usize);

/// A sequence, and what it leaves and costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) sequence: Vec<usize>,
    pub(super) left: Rest,
}

/// The ways through one need.
pub(super) struct Ways<'a> {
    pub(super) offers: &'a [Offer],
    pub(super) used: &'a [u64],
    /// What could come of each step if nothing were barred.
    pub(super) back: &'a Back,
    pub(super) money: u64,
    /// Whether a place may be bought at a step, after purchases before it.
    pub(super) has_room: &'a dyn Fn(Purchase, &[Purchase]) -> bool,
}

/// What may follow at a step.
#[derive(Clone, Copy)]
struct Onward {
    /// What could come of it from the step on if nothing were barred.
    hope: Rest,
    place: usize,
    /// After its beginning.
    end: usize,
}

/// Of those that promise the same, the one that stands first is tried first.
type Turn = (u64, Rest, usize);

/// A step of a way.
struct Here {
    /// The turn of what was tried last from there.
    tried: Option<Turn>,
    start: usize,
    /// What the way costs up to there.
    cost: u64,
}

/// A way that is being gone.
#[derive(Default)]
struct Walk {
    purchases: Vec<Purchase>,
    looks: usize,
    best: Option<Found>,
}

impl Ways<'_> {
    /// The best way that begins with a place that `may_be_first`: of those that leave the fewest steps without, the cheapest.
    pub(super) fn best(&self, may_be_first: impl Fn(usize) -> bool) -> Option<Found> {
        let mut walk = Walk::default();
        for order in [Order::Hope, Order::Thrift] {
            walk.looks = 0;
            self.go(&mut walk, order, &may_be_first);
            // Where all were looked at, another order finds nothing better.
            if walk.looks < LOOKS_MOST {
                break;
            }
        }
        walk.best
    }

    fn go(&self, walk: &mut Walk, order: Order, may_be_first: &impl Fn(usize) -> bool) {
        let mut open = vec![Here { tried: None, start: 0, cost: 0 }];
        while let Some(here) = open.last_mut() {
            let Some(next) = self.next(here, walk, order, may_be_first).filter(|_| walk.looks < LOOKS_MOST) else {
                open.pop();
                walk.purchases.pop();
                continue;
            };
            walk.looks += 1;
            let (start, cost) = (here.start, here.cost.saturating_add(self.offers[next.place].price));
            if (self.has_room)((next.place, start), &walk.purchases) {
                walk.purchases.push((next.place, start));
                walk.stop(Rest { without: self.used.len() - next.end, cost });
                open.push(Here { tried: None, start: next.end, cost });
            }
        }
    }

    /// The next to be tried of those that could still be better than the best way so far.
    fn next(
        &self,
        here: &mut Here,
        walk: &Walk,
        order: Order,
        may_be_first: &impl Fn(usize) -> bool,
    ) -> Option<Onward> {
        let may_be = |next: &Onward| {
            let all = Rest { cost: here.cost.saturating_add(next.hope.cost), ..next.hope };
            let is_within = here.cost.saturating_add(self.offers[next.place].price) <= self.money;
            walk.is_better(all) && is_within && (here.start > 0 || may_be_first(next.place))
        };
        let turns = self.onward(here.start).filter(may_be).map(|next| (self.turn(&next, here.start, order), next));
        let open = turns.filter(|(turn, _)| here.tried.is_none_or(|tried| *turn > tried));
        let (turn, next) = open.min_by_key(|(turn, _)| *turn)?;
        here.tried = Some(turn);
        Some(next)
    }

    /// What may follow at a step.
    fn onward(&self, start: usize) -> impl Iterator<Item = Onward> {
        self.offers.iter().zip(self.back.ends(start)).enumerate().filter_map(move |(place, (offer, end))| {
            let end = usize::from(*end);
            let after = self.back.rest(end);
            let hope = Rest { cost: offer.price.saturating_add(after.cost), ..after };
            (end > start).then_some(Onward { hope, place, end })
        })
    }

    fn turn(&self, next: &Onward, start: usize, order: Order) -> Turn {
        let for_its_time = match order {
            Order::Hope => 0,
            Order::Thrift => {
                let price = self.offers[next.place].price.saturating_mul(FINE);
                price / (next.end - start) as u64
            }
        };
        (for_its_time, next.hope, next.place)
    }

    /// Whether nothing of a sequence is barred.
    pub(super) fn is_free(&self, sequence: &[usize]) -> bool {
        let (mut step, mut purchases) = (0, Vec::new());
        sequence.iter().all(|place| {
            let is_free = (self.has_room)((*place, step), &purchases);
            purchases.push((*place, step));
            step = end_of(self.offers[*place], step, self.used);
            is_free
        })
    }
}

impl Walk {
    fn is_better(&self, hope: Rest) -> bool {
        self.best.as_ref().is_none_or(|best| hope < best.left)
    }

    /// Keeps the way so far if it is the best one that ends here.
    fn stop(&mut self, left: Rest) {
        if self.is_better(left) {
            let sequence = self.purchases.iter().map(|(place, _)| *place).collect();
            self.best = Some(Found { sequence, left });
        }
    }
}
