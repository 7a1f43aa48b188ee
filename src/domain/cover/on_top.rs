//! The cheapest sequence where what is bought adds to what is left: data to data, and time to the end. Then it does not
//! matter in which order plans are bought, only how much there is of each in all. Ways are gone in the order of what they
//! cost at least until everything is covered, so the first one that covers it is the cheapest.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::solver::{Answer, Offer, Rest, Solved};
use super::within::Purchase;

/// So many plans are looked at, at all steps of all ways. Where that is not enough, plans are reckoned as if each began
/// behind the one before, which costs somewhat more.
const LOOKS_MOST: usize = 100_000;
/// So many ways are gone where limits bar purchases, since each has to be held against the limits.
const BARRED_MOST: usize = 400;
/// What a plan gives of time and of data is weighed against each other in so many ways.
const WEIGHTS: u128 = 8;
/// All of the time, or all of the data, in numbers fine enough for shares of it.
const ALL: u128 = 1 << 24;

/// So much, for so long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
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

/// What was found, beside the best way.
#[derive(Default)]
struct Found {
    best: Option<Best>,
    /// Whether money ended a way.
    is_short: bool,
}

struct Best {
    left: Rest,
    purchases: Vec<Purchase>,
}

/// How ways are gone.
#[derive(Clone, Copy)]
struct Going {
    money: u64,
    /// Whether each purchase has to have room. If not, of two ways that come to the same only the cheaper is gone on.
    is_barred: bool,
    /// A place that it must not begin with.
    not_first: Option<usize>,
}

/// A way up to here.
#[derive(Clone, Copy)]
struct Way {
    stock: Stock,
    cost: u64,
    count: usize,
    /// The last purchase, and the way before it; none before the first.
    last: Option<(Purchase, usize)>,
}

/// The cheapest sequence; none if there are too many ways, or if data is sold without limit, which adds to nothing.
pub(super) fn solve(need: &Need<'_>) -> Option<Answer> {
    if need.offers.iter().any(|offer| offer.bytes == u64::MAX) {
        return None;
    }
    let going = Going { money: need.money, is_barred: false, not_first: None };
    let free = need.search(going)?;
    let is_whole = |found: &Found| found.best.as_ref().is_some_and(|best| best.left.without == 0);
    let any_money = || need.search(Going { money: u64::MAX, ..going });
    let is_coverable = is_whole(&free) || (free.is_short && is_whole(&any_money()?));
    let is_barred = free.best.as_ref().is_some_and(|best| !need.is_free(&best.purchases));
    let best = if is_barred { need.search(Going { is_barred, ..going })?.best } else { free.best };
    let Some(best) = best.map(|best| need.larger_first(best)) else {
        return Some(Answer { solved: None, is_coverable });
    };
    let first = best.purchases.first().map(|(place, _)| *place);
    let other = need.runner_up(Going { not_first: first, ..going })?;
    let runner_up = other.filter(|other| other.left.without <= best.left.without);
    let solved = Solved {
        sequence: places(&best.purchases),
        cost: best.left.cost,
        covered: need.used.len() - best.left.without,
        runner_up: runner_up.map(|other| (places(&other.purchases), other.left.cost)),
    };
    Some(Answer { solved: Some(solved), is_coverable })
}

fn places(purchases: &[Purchase]) -> Vec<usize> {
    purchases.iter().map(|(place, _)| *place).collect()
}

impl Need<'_> {
    /// All of the need.
    fn all(&self) -> Stock {
        Stock { steps: self.used.len(), bytes: self.used.last().copied().unwrap_or(0) }
    }

    /// The best way that begins with another; none, if there are too many ways.
    fn runner_up(&self, going: Going) -> Option<Option<Best>> {
        let free = self.search(going)?.best;
        match free {
            Some(best) if !self.is_free(&best.purchases) => Some(self.search(Going { is_barred: true, ..going })?.best),
            free => Some(free),
        }
    }

    /// What is there to add to.
    fn begins(&self) -> Stock {
        let all = self.all();
        let left = Stock { steps: self.left.steps.min(all.steps), bytes: self.left.bytes.min(all.bytes) };
        // What covers everything already is not what somebody looks ahead for who fears that it does not.
        if left.reaches(self.used) == all.steps { Stock::default() } else { left }
    }

    /// The same purchases with the larger ones first, if that may be, so that the next one is needed later.
    fn larger_first(&self, best: Best) -> Best {
        let mut order = places(&best.purchases);
        // Offers stand in that order.
        order.sort_unstable();
        let (mut stock, all) = (self.begins(), self.all());
        let purchase = |place: usize| {
            let start = stock.reaches(self.used);
            stock = stock.with(self.offers[place], all);
            (place, start)
        };
        let purchases: Vec<Purchase> = order.into_iter().map(purchase).collect();
        let may_begin = purchases.iter().all(|(place, start)| *start <= self.offers[*place].last_start);
        let is_first = purchases.first().is_some_and(|(place, _)| self.offers[*place].is_first);
        if may_begin && is_first && self.is_free(&purchases) { Best { purchases, ..best } } else { best }
    }

    fn is_free(&self, purchases: &[Purchase]) -> bool {
        (0..purchases.len()).all(|last| (self.has_room)(purchases[last], &purchases[..last]))
    }

    fn search(&self, going: Going) -> Option<Found> {
        let (all, hopes, left) = (self.all(), Hopes::of(self), self.begins());
        let mut ways = vec![Way { stock: left, cost: 0, count: 0, last: None }];
        let mut open = BinaryHeap::from([Reverse((0, 0, 0))]);
        let (mut cheapest, mut found, mut gone) = (BTreeMap::from([(left, 0)]), Found::default(), 0_usize);
        while let Some(Reverse((_, _, here))) = open.pop() {
            let way = ways[here];
            gone += 1;
            if gone.saturating_mul(self.offers.len()) > LOOKS_MOST || (going.is_barred && gone > BARRED_MOST) {
                return None;
            }
            if going.is_barred && !self.is_open(&ways, way) {
                continue;
            }
            if !going.is_barred && cheapest.get(&way.stock).is_some_and(|least| *least < way.cost) {
                continue;
            }
            let start = way.stock.reaches(self.used);
            found.stop(Rest { without: all.steps - start, cost: way.cost }, &ways, way);
            if start == all.steps {
                break;
            }
            for (place, offer) in self.may_follow(way, start, going) {
                let (stock, cost) = (way.stock.with(*offer, all), way.cost.saturating_add(offer.price));
                let is_better = going.is_barred || cheapest.get(&stock).is_none_or(|least| cost < *least);
                found.is_short |= cost > going.money;
                if stock == way.stock || cost > going.money || !is_better {
                    continue;
                }
                cheapest.insert(stock, cost);
                let count = way.count + 1;
                open.push(Reverse((cost.saturating_add(hopes.least(stock)), count, ways.len())));
                ways.push(Way { stock, cost, count, last: Some(((place, start), here)) });
            }
        }
        found.best = found.best.filter(|best| !best.purchases.is_empty());
        Some(found)
    }

    /// What may be bought where a way has come to, with its places.
    fn may_follow(&self, way: Way, start: usize, going: Going) -> impl Iterator<Item = (usize, &Offer)> {
        self.offers.iter().enumerate().filter(move |(place, offer)| {
            let may_be_first = offer.is_first && going.not_first != Some(*place);
            start <= offer.last_start && (way.last.is_some() || may_be_first)
        })
    }

    /// Whether there is room for the last purchase of a way; for those before it there was.
    fn is_open(&self, ways: &[Way], way: Way) -> bool {
        let Some((last, before)) = way.last else { return true };
        (self.has_room)(last, &purchases(ways, ways[before]))
    }
}

/// What was bought on a way, in its order.
fn purchases(ways: &[Way], mut way: Way) -> Vec<Purchase> {
    let mut purchases = Vec::new();
    while let Some((last, before)) = way.last {
        purchases.push(last);
        way = ways[before];
    }
    purchases.reverse();
    purchases
}

impl Found {
    /// Keeps a way if it is the best one that ends here. One that lasts no longer than what is left is of no use.
    fn stop(&mut self, left: Rest, ways: &[Way], way: Way) {
        if self.best.as_ref().is_none_or(|best| left < best.left) {
            self.best = Some(Best { left, purchases: purchases(ways, way) });
        }
    }
}

/// What the rest of a way costs at least.
struct Hopes {
    all: Stock,
    /// For each way to weigh time against data, what the offer costs that gives most for its price, and what that weighs.
    best: Vec<(u128, u128)>,
}

impl Hopes {
    fn of(need: &Need<'_>) -> Self {
        let all = need.all();
        let cheapest = |data| {
            let rated = need.offers.iter().map(|offer| {
                let gives = Stock::default().with(*offer, all);
                (u128::from(offer.price), weight(gives, all, data, u128::div_ceil))
            });
            rated.filter(|(_, weight)| *weight > 0).min_by(|(price, weight), (other, others)| {
                // Prices are numbers of 64 bits, and no weight is above eight times 2^24: a product has room.
                (price * others).cmp(&(other * weight))
            })
        };
        Self { all, best: (0..=WEIGHTS).map(|data| cheapest(data).unwrap_or((0, 1))).collect() }
    }

    fn least(&self, stock: Stock) -> u64 {
        let missing = Stock { steps: self.all.steps - stock.steps, bytes: self.all.bytes - stock.bytes };
        let least =
            self.best.iter().zip(0..).map(|((price, weighs), data)| {
                price * weight(missing, self.all, data, |part, all| part / all) / weighs
            });
        u64::try_from(least.max().unwrap_or(0)).unwrap_or(u64::MAX)
    }
}

/// What a stock weighs as a part of all, where data counts `data` of [`WEIGHTS`] and time the rest.
fn weight(stock: Stock, all: Stock, data: u128, divide: impl Fn(u128, u128) -> u128) -> u128 {
    let part = |of: u128, all: u128| if all == 0 { 0 } else { divide(of * ALL, all) };
    (WEIGHTS - data) * part(stock.steps as u128, all.steps as u128)
        + data * part(u128::from(stock.bytes), u128::from(all.bytes))
}
