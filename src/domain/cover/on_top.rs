//! The cheapest sequence where what is bought adds to what is left: data to data, and time to the end. Then it does not
//! matter in which order plans are bought, only how much there is of each in all.

mod hopes;
mod search;

use self::search::{Found, Going, Looks, Search, TooMany};
use super::solver::{Answer, Offer, Solved};
use super::within::Purchase;

/// So much, for so long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Stock {
    pub(super) steps: usize,
    pub(super) bytes: u64,
}

impl Stock {
    /// The same with an offer on top; what is beyond `all` is of no use.
    fn with(self, offer: Offer, all: Self) -> Self {
        Self {
            steps: self.steps.saturating_add(offer.steps).min(all.steps),
            bytes: self.bytes.saturating_add(offer.bytes).min(all.bytes),
        }
    }

    /// What of it is of use where that is all.
    fn at_most(self, all: Self) -> Self {
        Self { steps: self.steps.min(all.steps), bytes: self.bytes.min(all.bytes) }
    }

    /// The step up to which it lasts.
    fn reaches(self, used: &[u64]) -> usize {
        let within = used.get(..self.steps).unwrap_or(used);
        within.partition_point(|used| *used <= self.bytes)
    }
}

/// What is bought on top of what is left, within what money and limits allow.
pub(super) struct Need<'a> {
    pub(super) offers: &'a [Offer],
    pub(super) used: &'a [u64],
    pub(super) left: Stock,
    pub(super) money: u64,
    /// Whether a place may be bought at a step, after purchases before it.
    pub(super) has_room: &'a dyn Fn(Purchase, &[Purchase]) -> bool,
}

/// The best way, and the step up to which it lasts.
struct Best {
    found: Found,
    covered: usize,
}

/// The cheapest sequence; none if there are too many ways, or if data is sold without limit, which adds to nothing.
pub(super) fn solve(need: &Need<'_>) -> Option<Answer> {
    if need.offers.iter().any(|offer| offer.bytes == u64::MAX) {
        return None;
    }
    let mut looks = Looks::default();
    let going = Going { money: need.money, is_barred: false, not_first: None };
    let free = need.whole_or_farthest(going, &mut looks).ok()?;
    let is_coverable = match &free {
        Some(best) if best.covered == need.used.len() => true,
        _ => need.to_the_end(Going { money: u64::MAX, ..going }).is_reached(&mut looks).ok()?,
    };
    let is_barred = free.as_ref().is_some_and(|best| !need.is_free(&best.found.purchases));
    let best = if is_barred { need.whole_or_farthest(Going { is_barred, ..going }, &mut looks).ok()? } else { free };
    let Some(best) = best.map(|best| need.larger_first(best)) else {
        return Some(Answer { solved: None, is_coverable });
    };
    // Where there are too many ways to begin with another, none of them is told.
    let runner_up = need.runner_up(&best, going, &mut looks).unwrap_or(None);
    let solved = Solved {
        sequence: places(&best.found.purchases),
        cost: best.found.cost,
        covered: best.covered,
        runner_up: runner_up.map(|other| (places(&other.purchases), other.cost)),
    };
    Some(Answer { solved: Some(solved), is_coverable })
}

fn places(purchases: &[Purchase]) -> Vec<usize> {
    purchases.iter().map(|(place, _)| *place).collect()
}

impl Need<'_> {
    /// All of the need.
    fn all(&self) -> Stock {
        self.up_to(self.used.len())
    }

    /// What is needed up to the end of so many steps.
    fn up_to(&self, steps: usize) -> Stock {
        Stock { steps, bytes: super::solver::before(self.used, steps) }
    }

    /// What is there to add to.
    fn begins(&self) -> Stock {
        let all = self.all();
        let left = self.left.at_most(all);
        // What covers everything already is not what somebody looks ahead for who fears that it does not.
        if left.reaches(self.used) == all.steps { Stock::default() } else { left }
    }

    fn to_the_end(&self, going: Going) -> Search<'_> {
        Search::to(self.used.len(), self, going)
    }

    /// The cheapest way to the end; if there is none, the cheapest of those that last longest.
    fn whole_or_farthest(&self, going: Going, looks: &mut Looks) -> Result<Option<Best>, TooMany> {
        let mut beyond = self.used.len();
        if let Some(found) = self.to_the_end(going).cheapest(looks)? {
            return Ok(Some(Best { found, covered: beyond }));
        }
        // One that lasts no longer than what is left is of no use.
        let (mut best, mut covered) = (None, self.begins().reaches(self.used));
        while beyond - covered > 1 {
            let target = covered.midpoint(beyond);
            match Search::to(target, self, going).cheapest(looks)? {
                Some(found) => {
                    covered = self.reached(&found.purchases);
                    best = Some(Best { found, covered });
                }
                None => beyond = target,
            }
        }
        Ok(best)
    }

    /// The cheapest way that begins with another and lasts as long.
    fn runner_up(&self, best: &Best, going: Going, looks: &mut Looks) -> Result<Option<Found>, TooMany> {
        // Nothing is cheaper than the same in another order.
        if let Some(purchases) = self.other_first(best) {
            return Ok(Some(Found { purchases, ..best.found }));
        }
        let not_first = best.found.purchases.first().map(|(place, _)| *place);
        let going = Going { not_first, ..going };
        match Search::to(best.covered, self, going).cheapest(looks)? {
            Some(found) if !self.is_free(&found.purchases) => {
                Search::to(best.covered, self, Going { is_barred: true, ..going }).cheapest(looks)
            }
            free => Ok(free),
        }
    }

    /// The same purchases, another of them first.
    fn other_first(&self, best: &Best) -> Option<Vec<Purchase>> {
        let order = places(&best.found.purchases);
        let others = (1..order.len()).filter(|next| !order[..*next].contains(&order[*next]));
        others
            .map(|next| [&[order[next]], &order[..next], &order[next + 1..]].concat())
            .find_map(|order| self.bought(&order))
    }

    /// The purchases in this order, if they may be so.
    fn bought(&self, order: &[usize]) -> Option<Vec<Purchase>> {
        let (mut stock, all) = (self.begins(), self.all());
        let mut purchases = Vec::with_capacity(order.len());
        for place in order {
            let (offer, start) = (self.offers[*place], stock.reaches(self.used));
            if start > offer.last_start || (purchases.is_empty() && !offer.is_first) {
                return None;
            }
            purchases.push((*place, start));
            stock = stock.with(offer, all);
        }
        self.is_free(&purchases).then_some(purchases)
    }

    /// The step up to which all of it lasts.
    fn reached(&self, purchases: &[Purchase]) -> usize {
        let all = self.all();
        let stock = purchases.iter().fold(self.begins(), |stock, (place, _)| stock.with(self.offers[*place], all));
        stock.reaches(self.used)
    }

    /// An order of these after the first in which each begins in time. Whatever may be last at all may be so in any such order,
    /// since each of the others begins no later without it; so what comes last is found first.
    fn in_order(&self, first: &[usize], mut places: Vec<usize>) -> Option<Vec<usize>> {
        let sum = |sum: (u128, u128), offer: Offer| (sum.0 + offer.steps as u128, sum.1 + u128::from(offer.bytes));
        let (begins, all) = (self.begins(), self.all());
        let begins = (begins.steps as u128, u128::from(begins.bytes));
        let mut stock = first.iter().chain(&places).fold(begins, |stock, place| sum(stock, self.offers[*place]));
        places.sort_unstable();
        let mut backwards = Vec::with_capacity(places.len());
        while !places.is_empty() {
            let without = |offer: Offer| (stock.0 - offer.steps as u128, stock.1 - u128::from(offer.bytes));
            let capped = |(steps, bytes): (u128, u128)| Stock {
                steps: usize::try_from(steps).map_or(all.steps, |steps| steps.min(all.steps)),
                bytes: u64::try_from(bytes).map_or(all.bytes, |bytes| bytes.min(all.bytes)),
            };
            let may_be_last = |place: &usize| {
                let offer = self.offers[*place];
                capped(without(offer)).reaches(self.used) <= offer.last_start
            };
            let last = places.remove(places.iter().rposition(may_be_last)?);
            stock = without(self.offers[last]);
            backwards.push(last);
        }
        backwards.reverse();
        Some(backwards)
    }

    /// The same purchases with the larger ones first, if that may be, so that the next one is needed later.
    fn larger_first(&self, best: Best) -> Best {
        let mut order = places(&best.found.purchases);
        // Offers stand in that order.
        order.sort_unstable();
        match self.bought(&order) {
            Some(purchases) => Best { found: Found { purchases, ..best.found }, ..best },
            None => best,
        }
    }

    fn is_free(&self, purchases: &[Purchase]) -> bool {
        (0..purchases.len()).all(|last| (self.has_room)(purchases[last], &purchases[..last]))
    }
}
