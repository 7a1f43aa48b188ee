//! What it costs at least to come from a stock to all that is needed, whatever is bought: time and data are weighed against
//! each other in several ways, and for each way there is an offer that gives most for its price.

use super::super::solver::Offer;
use super::Stock;

/// In so many ways time is weighed against data.
const WEIGHTS: u64 = 64;
/// All of the time, or all of the data, in numbers fine enough for shares of it.
const ALL: u64 = 1 << 24;
/// So many bits of what a weight costs stand behind the point. No weight has more than 31, so less than one is lost.
const FRACTION: u32 = 48;
/// A price above this counts as this, so that its product with a weight has room in 128 bits.
const PRICE_MOST: u64 = 1 << 48;

/// The least that is still to be paid.
pub(super) struct Hopes {
    all: Stock,
    weighings: Vec<Weighing>,
}

/// One way to weigh, with the offer that gives most for its price.
#[derive(Clone, Copy)]
struct Weighing {
    /// Data counts so many of [`WEIGHTS`], and time the rest.
    data: u64,
    /// None where nothing is sold that weighs anything.
    best: Option<usize>,
    /// What one weight of it costs.
    price: u128,
}

impl Hopes {
    pub(super) fn of(offers: &[Offer], all: Stock) -> Self {
        let gives: Vec<Shares> =
            offers.iter().map(|offer| Shares::at_most(Stock::default().with(*offer, all), all)).collect();
        let every: Vec<Weighing> = (0..=WEIGHTS).map(|data| Weighing::of(offers, &gives, data)).collect();
        // As long as the same offer is best, one of the outermost weights tells most.
        let is_outermost = |place: usize| {
            let beside =
                [place.checked_sub(1), place.checked_add(1)].map(|place| place.and_then(|place| every.get(place)));
            beside.iter().any(|other| other.is_none_or(|other| other.best != every[place].best))
        };
        let weighings = (0..every.len()).filter(|place| is_outermost(*place)).map(|place| every[place]).collect();
        Self { all, weighings }
    }

    /// What all that a stock lacks costs at least; [`u64::MAX`] if it is not sold.
    pub(super) fn least(&self, stock: Stock) -> u64 {
        let lacks = self.lacks(stock);
        self.weighings.iter().map(|weighing| weighing.least(lacks)).max().unwrap_or(0)
    }
}

impl Hopes {
    /// What each offer costs above what all that it gives costs at least, weighed as tells most of what is lacked `from`
    /// there; and what is to be paid at least where a stock has come to, weighed the same way.
    pub(super) fn tightest(&self, from: Stock) -> Tightest {
        let lacks = self.lacks(from);
        let weighing = self.weighings.iter().max_by_key(|weighing| weighing.least(lacks)).copied();
        Tightest { all: self.all, weighing: weighing.unwrap_or(Weighing { data: 0, best: Some(0), price: 0 }) }
    }

    fn lacks(&self, stock: Stock) -> Shares {
        lacks(stock, self.all)
    }
}

fn lacks(stock: Stock, all: Stock) -> Shares {
    Shares::at_least(Stock { steps: all.steps - stock.steps, bytes: all.bytes - stock.bytes }, all)
}

/// One way to weigh for a whole search.
#[derive(Clone, Copy)]
pub(super) struct Tightest {
    all: Stock,
    weighing: Weighing,
}

impl Tightest {
    /// What is still to be paid at least; never more than [`Hopes::least`].
    pub(super) fn least(self, stock: Stock) -> u64 {
        self.weighing.least(lacks(stock, self.all))
    }

    /// By so much at least the least that a way costs grows with an offer.
    pub(super) fn excess(self, offer: Offer) -> u64 {
        let gives = Shares::at_most(Stock::default().with(offer, self.all), self.all).weigh(self.weighing.data);
        let worth = (self.weighing.price * u128::from(gives)).div_ceil(1 << FRACTION);
        offer.price.saturating_sub(u64::try_from(worth).unwrap_or(u64::MAX))
    }
}

impl Weighing {
    fn of(offers: &[Offer], gives: &[Shares], data: u64) -> Self {
        let rated = offers.iter().zip(gives).map(|(offer, gives)| (offer.price.min(PRICE_MOST), gives.weigh(data)));
        let best = rated.enumerate().filter(|(_, (_, weight))| *weight > 0).min_by(|(_, one), (_, other)| {
            (u128::from(one.0) * u128::from(other.1)).cmp(&(u128::from(other.0) * u128::from(one.1)))
        });
        let price = best.map_or(0, |(_, (price, weight))| (u128::from(price) << FRACTION) / u128::from(weight));
        Self { data, best: best.map(|(place, _)| place), price }
    }

    fn least(self, lacks: Shares) -> u64 {
        match (lacks.weigh(self.data), self.best) {
            (0, _) => 0,
            (_, None) => u64::MAX,
            (weight, Some(_)) => u64::try_from((self.price * u128::from(weight)) >> FRACTION).unwrap_or(u64::MAX),
        }
    }
}

/// Shares of all time and of all data.
#[derive(Clone, Copy)]
struct Shares {
    time: u64,
    data: u64,
}

impl Shares {
    /// No more than they are.
    fn at_least(stock: Stock, all: Stock) -> Self {
        Self { time: share(stock.steps as u64, all.steps as u64), data: share(stock.bytes, all.bytes) }
    }

    /// No less than they are.
    fn at_most(stock: Stock, all: Stock) -> Self {
        let up = |share: u64, part: u64| if part == 0 { 0 } else { (share + 1).min(ALL) };
        let Self { time, data } = Self::at_least(stock, all);
        Self { time: up(time, stock.steps as u64), data: up(data, stock.bytes) }
    }

    const fn weigh(self, data: u64) -> u64 {
        (WEIGHTS - data) * self.time + data * self.data
    }
}

/// A part of all, rounded down.
fn share(part: u64, all: u64) -> u64 {
    match part.checked_mul(ALL) {
        _ if all == 0 => 0,
        Some(parts) => parts / all,
        // No part is more than all, so no share is more than `ALL`.
        None => u64::try_from(u128::from(part) * u128::from(ALL) / u128::from(all)).unwrap_or(ALL),
    }
}
