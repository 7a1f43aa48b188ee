//! The cheapest sequence where a purchase may be barred by those before it, as limits of a month or a cycle bar it. What
//! would come of each step without any bar is known, so only ways are gone that could still be better than the best so far.

use super::solver::{Back, Offer, Rest, end_of};

/// So many purchases are looked at in an order before the best way so far is taken for the best. Where the bars leave fewer
/// ways it is the best.
const LOOKS_MOST: usize = 400;

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
    /// What could come of it if nothing were barred.
    hope: Rest,
    place: usize,
    start: usize,
    /// After its beginning.
    end: usize,
}

impl Onward {
    fn steps(self) -> u128 {
        (self.end - self.start) as u128
    }
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
        // What is still to be tried at each step of the way, what comes first last, with the cost until there.
        let mut open = vec![(self.onward(0, 0, order, may_be_first), 0_u64)];
        while let Some((untried, cost)) = open.last_mut() {
            let (cost, next) = (*cost, untried.pop().filter(|_| walk.looks < LOOKS_MOST));
            match next {
                Some(Onward { hope, place, start, end }) => {
                    walk.looks += 1;
                    if walk.is_better(hope) && (self.has_room)((place, start), &walk.purchases) {
                        let cost = cost.saturating_add(self.offers[place].price);
                        walk.purchases.push((place, start));
                        walk.stop(Rest { without: self.used.len() - end, cost });
                        open.push((self.onward(end, cost, order, &|_| true), cost));
                    }
                }
                None => {
                    open.pop();
                    walk.purchases.pop();
                }
            }
        }
    }

    /// What may follow at a step, what is tried first last.
    fn onward(&self, start: usize, cost: u64, order: Order, may_be: &impl Fn(usize) -> bool) -> Vec<Onward> {
        let places = self.offers.iter().enumerate().filter(|(_, offer)| offer.may_begin(start));
        let mut onward: Vec<Onward> = places
            .filter(|(place, offer)| may_be(*place) && cost.saturating_add(offer.price) <= self.money)
            .filter_map(|(place, offer)| {
                let end = end_of(*offer, start, self.used);
                let after = self.back.rest(end);
                let all = cost.saturating_add(offer.price).saturating_add(after.cost);
                (end > start).then_some(Onward { hope: Rest { cost: all, ..after }, place, start, end })
            })
            .collect();
        // Of those that promise the same, the one that stands first is tried first.
        onward.sort_by_key(|next| {
            let for_its_time = u128::from(self.offers[next.place].price) * u128::from(u32::MAX) / next.steps();
            std::cmp::Reverse(match order {
                Order::Hope => (0, next.hope, next.place),
                Order::Thrift => (for_its_time, next.hope, next.place),
            })
        });
        onward
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
