//! The cheapest way from a stock to a target. Ways are gone in the order of what they cost at least until the target is
//! reached, so the first one that reaches it is the cheapest.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use super::super::solver::Offer;
use super::super::within::Purchase;
use super::hopes::{Hopes, Tightest};
use super::{Need, Stock};

/// So many plans are looked at, at all steps of all ways to all targets. Where that is not enough, plans are reckoned as if
/// each began behind the one before, which costs somewhat more.
const LOOKS_MOST: usize = 200_000;
/// So many ways are gone where limits bar purchases, since each has to be held against the limits.
const BARRED_MOST: usize = 400;
/// A way is gone on for this part of the least cost before another has its turn.
const PATIENCE: u64 = 256;

/// There are too many ways.
pub(super) struct TooMany;

/// What may still be looked at.
pub(super) struct Looks {
    plans: usize,
    barred: usize,
}

impl Default for Looks {
    fn default() -> Self {
        Self { plans: LOOKS_MOST, barred: BARRED_MOST }
    }
}

/// How ways are gone.
#[derive(Clone, Copy)]
pub(super) struct Going {
    pub(super) money: u64,
    /// Whether each purchase has to have room. If not, of two ways that come to the same only the cheaper is gone on.
    pub(super) is_barred: bool,
    /// A place that it must not begin with.
    pub(super) not_first: Option<usize>,
}

/// An offer, its place, and what it costs above what it gives.
struct Useful {
    place: usize,
    offer: Offer,
    excess: u64,
}

/// A way to the target.
pub(super) struct Found {
    pub(super) cost: u64,
    pub(super) purchases: Vec<Purchase>,
}

/// A way up to here.
#[derive(Clone, Copy)]
struct Way {
    stock: Stock,
    cost: u64,
    count: u32,
    /// The first offer with which it may be gone on.
    next: u32,
    /// The last purchase, and the way before it; none before the first.
    last: Option<(Purchase, u32)>,
}

/// All ways to one target.
pub(super) struct Search<'a> {
    need: &'a Need<'a>,
    going: Going,
    /// The target: all that is needed up to a step.
    all: Stock,
    hopes: Hopes,
    tightest: Tightest,
    /// Those first that cost least above what they give.
    offers: Vec<Useful>,
    from: Stock,
    patience: u64,
    order: Order,
    /// Whether not each offer may be the first.
    is_first_chosen: bool,
}

/// In which order plans are bought.
#[derive(Clone, Copy)]
enum Order {
    /// In the order of the way, each as soon as the ones before it are used up.
    Kept,
    /// In whatever order, so that of all orders only that of [`Search::offers`] is gone.
    Any,
}

/// The next offer to go on with from a way; the least that this may cost comes first, then the fewest purchases.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    least: u64,
    count: u32,
    way: u32,
    next: u32,
}

/// Mixes the two numbers of a stock; nobody chooses them so that they meet.
#[derive(Default)]
struct Mixing(u64);

impl Hasher for Mixing {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(26) ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }
}

/// How a stock was come to: for how much, and from which offer on it may be gone on.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Come {
    cost: u64,
    next: u32,
}

impl Come {
    /// Whether all that `other` may become is to be had for no more.
    const fn is_as_good(self, other: Self) -> bool {
        self.cost <= other.cost && self.next <= other.next
    }
}

/// How each stock was come to.
type Cheapest = HashMap<Stock, Come, BuildHasherDefault<Mixing>>;

/// Where all ways have come to.
struct Open {
    ways: Vec<Way>,
    turns: BinaryHeap<Reverse<Turn>>,
    cheapest: Cheapest,
}

impl Open {
    fn from(search: &Search<'_>) -> Self {
        let least = search.hopes.least(search.from);
        let is_within = least <= search.going.money && least < u64::MAX;
        let turn = is_within.then_some(Reverse(Turn { least, count: 0, way: 0, next: 0 }));
        let way = Way { stock: search.from, cost: 0, count: 0, next: 0, last: None };
        Self { ways: vec![way], turns: turn.into_iter().collect(), cheapest: Cheapest::default() }
    }

    fn next(&mut self) -> Option<Turn> {
        self.turns.pop().map(|Reverse(turn)| turn)
    }

    /// What the next way costs at least.
    fn soonest(&self) -> Option<u64> {
        self.turns.peek().map(|Reverse(turn)| turn.least)
    }
}

impl<'a> Search<'a> {
    /// To the end of the step before `target`.
    pub(super) fn to(target: usize, need: &'a Need<'a>, going: Going) -> Self {
        let all = need.up_to(target);
        let (hopes, from) = (Hopes::of(need.offers, all), need.begins().at_most(all));
        let tightest = hopes.tightest(from);
        let useful = |(place, offer): (usize, &Offer)| Useful { place, offer: *offer, excess: tightest.excess(*offer) };
        let mut offers: Vec<Useful> = need.offers.iter().enumerate().map(useful).collect();
        offers.sort_by_key(|useful| useful.excess);
        let patience = hopes.least(from) / PATIENCE;
        let is_first_chosen = going.not_first.is_some() || need.offers.iter().any(|offer| !offer.is_first);
        Self { need, going, all, hopes, tightest, offers, from, patience, order: Order::Any, is_first_chosen }
    }

    /// The cheapest, if there is one within the money.
    pub(super) fn cheapest(&mut self, looks: &mut Looks) -> Result<Option<Found>, TooMany> {
        if self.going.is_barred {
            return self.first(Order::Kept, looks);
        }
        // What is bought is found sooner without regard to the order, in which nearly always it may be bought.
        let Some(found) = self.first(Order::Any, looks)? else { return Ok(None) };
        match self.in_order(&found) {
            Some(found) => Ok(Some(found)),
            None => self.first(Order::Kept, looks),
        }
    }

    /// Whether the target is reached by what gives most for its price at each step, or else by any way at all.
    pub(super) fn is_reached(&mut self, looks: &mut Looks) -> Result<bool, TooMany> {
        let (mut stock, mut is_first) = (self.from, true);
        while stock != self.all {
            let start = stock.reaches(self.need.used);
            let gives = |Useful { offer, .. }: &&Useful| {
                start <= offer.last_start && (offer.is_first || !is_first) && stock.with(*offer, self.all) != stock
            };
            looks.plans = looks.plans.checked_sub(1).ok_or(TooMany)?;
            match self.offers.iter().find(gives) {
                Some(useful) => (stock, is_first) = (stock.with(useful.offer, self.all), false),
                None => return Ok(self.cheapest(looks)?.is_some()),
            }
        }
        Ok(true)
    }

    /// The first way that reaches the target.
    fn first(&mut self, order: Order, looks: &mut Looks) -> Result<Option<Found>, TooMany> {
        self.order = order;
        let mut open = Open::from(self);
        while let Some(turn) = open.next() {
            let way = open.ways[turn.way as usize];
            if !self.is_open(&open, turn, looks)? {
                continue;
            }
            if way.stock == self.all {
                return Ok(Some(Found { cost: way.cost, purchases: purchases(&open.ways, way) }));
            }
            self.go_on(&mut open, turn, looks)?;
        }
        Ok(None)
    }

    /// The same purchases in an order in which they may be bought, the smaller ones as late as may be.
    fn in_order(&self, found: &Found) -> Option<Found> {
        let mut places: Vec<usize> = found.purchases.iter().map(|(place, _)| *place).collect();
        let first: Vec<usize> = if self.is_first_chosen { places.drain(..1).collect() } else { Vec::new() };
        let ordered = self.need.in_order(&first, places)?;
        let purchases = self.need.bought(&[first, ordered].concat())?;
        Some(Found { purchases, ..*found })
    }

    /// Goes on from a way with one offer after the other, as long as no other way promises more.
    fn go_on(&self, open: &mut Open, turn: Turn, looks: &mut Looks) -> Result<(), TooMany> {
        let way = open.ways[turn.way as usize];
        let start = way.stock.reaches(self.need.used);
        let least = way.cost.saturating_add(self.tightest.least(way.stock));
        // A little further than the next best way promises: that is sooner done than taking turns.
        let soon = open.soonest().unwrap_or(turn.least).saturating_add(self.patience);
        for (next, useful) in self.offers.iter().enumerate().skip(turn.next as usize) {
            let at_least = least.saturating_add(useful.excess);
            if at_least > self.going.money {
                break;
            }
            if at_least > soon {
                open.turns.push(Reverse(Turn { least: at_least, next: next as u32, ..turn }));
                break;
            }
            looks.plans = looks.plans.checked_sub(1).ok_or(TooMany)?;
            if self.may_follow(useful, way, start) {
                self.add(open, turn.way, (next, useful), start);
            }
        }
        Ok(())
    }

    /// Notes a way with one more offer, if it is of any use.
    fn add(&self, open: &mut Open, before: u32, (next, useful): (usize, &Useful), start: usize) {
        let way = open.ways[before as usize];
        let (stock, cost) = (way.stock.with(useful.offer, self.all), way.cost.saturating_add(useful.offer.price));
        let least = cost.saturating_add(self.hopes.least(stock));
        // What costs as much as can be told is never paid.
        let is_within = least <= self.going.money && least < u64::MAX;
        let is_chosen_first = self.is_first_chosen && way.last.is_none();
        let next = match self.order {
            Order::Any if !is_chosen_first => next as u32,
            Order::Any | Order::Kept => 0,
        };
        let adds = stock != way.stock || (is_chosen_first && self.adds_beyond(useful.offer));
        if !adds || !is_within || !self.is_better(stock, Come { cost, next }, &mut open.cheapest) {
            return;
        }
        let (count, last) = (way.count + 1, Some(((useful.place, start), before)));
        open.turns.push(Reverse(Turn { least, count, way: open.ways.len() as u32, next }));
        open.ways.push(Way { stock, cost, count, next, last });
    }

    /// Whether the first offer adds to what is needed behind the target, and so may be bought all the same.
    fn adds_beyond(&self, offer: Offer) -> bool {
        let begins = self.need.begins();
        begins.with(offer, self.need.all()) != begins
    }

    /// Whether an offer may be bought where a way has come to.
    fn may_follow(&self, Useful { place, offer, .. }: &Useful, way: Way, start: usize) -> bool {
        let is_in_time = matches!(self.order, Order::Any) || start <= offer.last_start;
        let may_be_first = !self.is_first_chosen || (offer.is_first && self.going.not_first != Some(*place));
        is_in_time && (way.last.is_some() || may_be_first)
    }

    /// Whether a way is to be gone on: there is room for its last purchase, as there was for those before it, and no
    /// cheaper way came to the same since.
    fn is_open(&self, open: &Open, turn: Turn, looks: &mut Looks) -> Result<bool, TooMany> {
        let way = open.ways[turn.way as usize];
        let Some((last, before)) = way.last else { return Ok(true) };
        if !self.going.is_barred {
            let come = Come { cost: way.cost, next: way.next };
            return Ok(open.cheapest.get(&way.stock).is_none_or(|other| *other == come || !other.is_as_good(come)));
        }
        if turn.next > 0 {
            return Ok(true);
        }
        looks.barred = looks.barred.checked_sub(1).ok_or(TooMany)?;
        Ok((self.need.has_room)(last, &purchases(&open.ways, open.ways[before as usize])))
    }

    /// Whether a way is better than the one that came to the same before; where purchases bar others, each is gone.
    fn is_better(&self, stock: Stock, come: Come, cheapest: &mut Cheapest) -> bool {
        match cheapest.get_mut(&stock) {
            _ if self.going.is_barred => true,
            Some(other) if other.is_as_good(come) => false,
            Some(other) => {
                if come.cost <= other.cost {
                    *other = come;
                }
                true
            }
            None => cheapest.insert(stock, come).is_none(),
        }
    }
}

/// What was bought on a way, in its order.
fn purchases(ways: &[Way], mut way: Way) -> Vec<Purchase> {
    let mut purchases = Vec::with_capacity(way.count as usize);
    while let Some((last, before)) = way.last {
        purchases.push(last);
        way = ways[before as usize];
    }
    purchases.reverse();
    purchases
}
