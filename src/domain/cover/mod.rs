//! The cheapest way to have data until a trip is over: the sequence of plans that covers every hour at the least cost. As a
//! rule plans follow each other: each begins when the one before is used up or ends.

#[cfg(test)]
mod adding_tests;
mod adds;
mod on_top;
mod solver;
#[cfg(test)]
mod tests;
mod within;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

pub use self::adds::{Adds, Left};
use self::on_top::Stock;
use self::solver::{Answer, Offer, solve};
use super::capabilities::Stacking;
use super::data::{DataSize, Percent};
use super::money::Money;
use super::plan::Plan;
use super::time::{Secs, UnixTime, day_after};

/// Nobody looks further ahead than this.
pub const LOOKS_AHEAD: Secs = Secs::days(LOOKS_AHEAD_DAYS as i64);
/// The same.
pub(super) const LOOKS_AHEAD_DAYS: usize = 180;
/// Time is reckoned in steps of this; a plan's last begun step does not count as covered.
const STEP: Secs = Secs::HOUR;
/// So much of its length may lie behind the trip without a word.
pub const OUTLASTS_BY: Percent = Percent(25);
/// Where the trip would be without data otherwise, so much of a plan may be left over, by its length or by its data.
const LEFT_OVER: Percent = Percent(50);
/// A plan may outlast the trip by this in any case, so that there is something for the last evening too.
const OUTLASTS_MIN: Secs = Secs::DAY;

/// What is needed, from the moment at which what is on the card is gone until the trip's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    from: UnixTime,
    until: UnixTime,
    /// Bytes that are used up to the end of each step.
    used: Vec<u64>,
    trip: TripEnd,
    adds: Adds,
}

/// The end of the trip, which nothing is to outlast by much. A need ends before it where only a part is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TripEnd {
    /// When it is.
    pub at: UnixTime,
    /// What may be used until then, from the need's beginning on.
    pub most_used: DataSize,
    /// How much of a plan's length may lie behind it, where the rule says so.
    pub outlast: Option<Percent>,
}

impl Need {
    /// So many bytes on each day.
    #[must_use]
    pub fn daily(from: UnixTime, until: UnixTime, zone: &TimeZone, on: impl Fn(Date) -> f64) -> Self {
        let steps_a_day = (Secs::DAY.0 / STEP.0) as f64;
        let (mut total, mut per_step, mut today_ends) = (0.0, 0.0, UnixTime::MIN);
        let used = (0..steps(from, until)).map(|step| {
            let at = from.plus(Secs(step * STEP.0));
            if at >= today_ends {
                let date = at.date_in(zone);
                (per_step, today_ends) = (on(date).max(0.0) / steps_a_day, day_after(date, zone));
            }
            total += per_step;
            // A number that is too large for its type becomes the largest: nothing but unlimited data covers it.
            total.ceil() as u64
        });
        Self::over(from, until, used.collect())
    }

    /// So many bytes in all, evenly.
    #[must_use]
    pub fn total(from: UnixTime, until: UnixTime, bytes: DataSize) -> Self {
        let steps = steps(from, until);
        let share =
            |step: i64| u128::from(bytes.bytes()) * step.unsigned_abs() as u128 / steps.unsigned_abs().max(1) as u128;
        // A share of a u64 fits into one.
        let used = (1..=steps).map(|step| u64::try_from(share(step)).unwrap_or(u64::MAX));
        Self::over(from, until, used.collect())
    }

    fn over(from: UnixTime, until: UnixTime, used: Vec<u64>) -> Self {
        let most_used = DataSize(used.last().copied().unwrap_or(0));
        Self { from, until, used, trip: TripEnd { at: until, most_used, outlast: None }, adds: Adds::Behind }
    }

    /// The same as a part of a trip.
    #[must_use]
    pub fn of_trip(self, trip: TripEnd) -> Self {
        let at = trip.at.max(self.until);
        let most_used = trip.most_used.max(self.bytes());
        Self { trip: TripEnd { at, most_used, ..trip }, ..self }
    }

    /// The same, where so much of a plan's length may lie behind the trip.
    #[must_use]
    pub fn outlasted_by(mut self, share: Percent) -> Self {
        self.trip.outlast = Some(share);
        self
    }

    /// The same, where what is bought adds so to what is on the card.
    #[must_use]
    pub const fn adding(mut self, adds: Adds) -> Self {
        self.adds = adds;
        self
    }

    /// When it begins.
    #[must_use]
    pub const fn begins(&self) -> UnixTime {
        self.from
    }

    /// Bytes in all.
    #[must_use]
    pub fn bytes(&self) -> DataSize {
        DataSize(self.used.last().copied().unwrap_or(0))
    }
}

/// Steps between two instants, the last one begun included.
fn steps(from: UnixTime, until: UnixTime) -> i64 {
    let length = until.since(from).0.clamp(0, LOOKS_AHEAD.0);
    (length + STEP.0 - 1) / STEP.0
}

/// What may be spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purse {
    /// On one plan.
    pub per_plan: Option<Money>,
    /// In all.
    pub in_all: Option<Money>,
}

/// The cheapest sequence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cover<'a> {
    /// Its plans in their order; there is at least one.
    pub plans: Vec<&'a Plan>,
    /// What they cost together.
    pub cost: Money,
    /// Until when they last.
    pub until: UnixTime,
    /// Whether that is the whole trip. If not, money or the plans on sale do not reach further.
    pub is_whole: bool,
    /// The cheapest sequence that begins with another plan and lasts as long, by its first plan.
    pub runner_up: Option<(&'a Plan, Money)>,
    /// Whether more of a plan than usual may be left over when the trip ends, since there would be less data otherwise.
    pub leaves_over: bool,
    /// What becomes of each of its plans while the one before still runs, as far as that was reckoned with.
    pub stacking: Stacking,
}

/// A purchase of a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purchase<'a> {
    /// What is bought.
    pub plan: &'a Plan,
    /// When it begins.
    pub begins: UnixTime,
}

/// Whether there is room for a purchase after those before it.
pub type HasRoom<'r> = &'r dyn Fn(Purchase<'_>, &[Purchase<'_>]) -> bool;

/// The sequence of plans of one currency that covers a need at the least cost; where none covers all of it, the one that
/// lasts longest. No plan of it outlasts the trip by more than a quarter of its length, unless the trip would be without
/// data otherwise. None if no plan is of any use.
#[must_use]
pub fn cheapest<'a>(plans: &'a [Plan], need: &Need, purse: Purse) -> Option<Cover<'a>> {
    cheapest_within(plans, need, purse, &|_, _| true)
}

/// The same of sequences for each purchase of which there is room.
#[must_use]
pub fn cheapest_within<'a>(plans: &'a [Plan], need: &Need, purse: Purse, has_room: HasRoom<'_>) -> Option<Cover<'a>> {
    let usual =
        Spare { by_length: need.trip.outlast.map_or(OUTLASTS_BY, |share| share.min(OUTLASTS_BY)), by_data: false };
    let (within_usual, is_coverable) = cheapest_with(plans, need, purse, usual, has_room);
    // Where only money is short, no other plan is to make it good.
    if is_coverable {
        return within_usual;
    }
    let widest = Spare { by_length: need.trip.outlast.unwrap_or(LEFT_OVER), by_data: need.trip.outlast.is_none() };
    let reaches = |cover: &Option<Cover<'_>>| cover.as_ref().map(|cover| cover.until);
    let farther =
        cheapest_with(plans, need, purse, widest, has_room).0.map(|cover| Cover { leaves_over: true, ..cover });
    if reaches(&farther) > reaches(&within_usual) { farther } else { within_usual }
}

/// How much of a plan may be left over when the trip ends.
#[derive(Clone, Copy)]
struct Spare {
    by_length: Percent,
    /// Half of its data may, however long it lasts.
    by_data: bool,
}

/// The cheapest sequence, and whether all could be covered if money did not matter.
fn cheapest_with<'a>(
    plans: &'a [Plan],
    need: &Need,
    purse: Purse,
    spare: Spare,
    room: HasRoom<'_>,
) -> (Option<Cover<'a>>, bool) {
    let Some(currency) = plans.first().map(|plan| plan.price.currency()) else { return (None, false) };
    let usable = |plan: &&Plan| {
        let fits = |limit: Option<Money>| limit.is_none_or(|limit| plan.price.exceeds(limit) != Ok(true));
        plan.price.currency() == currency && plan.price.ten_thousandths() >= 0 && fits(purse.per_plan)
    };
    let begun = |plan, step| Purchase { plan, begins: need.from.plus(after(step)) };
    let mut useful: Vec<(&Plan, Offer)> = plans
        .iter()
        .filter(usable)
        .filter_map(|plan| Some((plan, offer(plan, need, spare, room(begun(plan, 0), &[]))?)))
        .collect();
    // Of sequences that cost the same the one is taken that begins with the larger plan, so that less is bought.
    useful.sort_by_key(|(plan, offer)| (std::cmp::Reverse((offer.bytes, offer.steps)), offer.price, &plan.id));
    let offers: Vec<Offer> = useful.iter().map(|(_, offer)| *offer).collect();
    // A limit in another currency cannot be compared; the last look before the order stops there.
    let in_all = purse.in_all.filter(|money| money.currency() == currency);
    let money = in_all.map_or(u64::MAX, |money| u64::try_from(money.ten_thousandths()).unwrap_or(0));
    let price = |cost: u64| Money::new(i64::try_from(cost).unwrap_or(i64::MAX), currency);
    let has_room = |(place, step): within::Purchase, before: &[within::Purchase]| {
        let before: Vec<Purchase<'_>> = before.iter().map(|(place, step)| begun(useful[*place].0, *step)).collect();
        room(begun(useful[place].0, step), &before)
    };
    let reckoned = match need.adds {
        Adds::Behind | Adds::Beside { .. } => Some(solve(&offers, &need.used, money, &has_room)),
        Adds::OnTop(left) => on_top(&offers, need, left, money, &has_room),
    };
    let Some(answer) = reckoned else {
        return cheapest_with(plans, &need.clone().adding(Adds::Behind), purse, spare, room);
    };
    let cover = answer.solved.map(|solved| Cover {
        plans: solved.sequence.iter().map(|place| useful[*place].0).collect(),
        cost: price(solved.cost),
        until: need.from.plus(after(solved.covered)).min(need.until),
        is_whole: solved.covered == need.used.len(),
        runner_up: solved.runner_up.and_then(|(other, cost)| Some((useful[*other.first()?].0, price(cost)))),
        leaves_over: false,
        stacking: need.adds.told(solved.sequence.len()),
    });
    (cover, answer.is_coverable)
}

/// The cheapest sequence of plans that add to what is left; none if that cannot be reckoned.
fn on_top(
    offers: &[Offer],
    need: &Need,
    left: Left,
    money: u64,
    has_room: &dyn Fn(within::Purchase, &[within::Purchase]) -> bool,
) -> Option<Answer> {
    let steps = usize::try_from(left.lasts.0 / STEP.0).unwrap_or(0);
    let left = Stock { steps, bytes: left.data.bytes() };
    on_top::solve(&on_top::Need { offers, used: &need.used, left, money, has_room })
}

/// How long so many steps are.
fn after(steps: usize) -> Secs {
    Secs(i64::try_from(steps).unwrap_or(i64::MAX).saturating_mul(STEP.0))
}

/// A plan as the solver sees it; none if it holds no data, or so much of it would be left over even if it began at once.
fn offer(plan: &Plan, need: &Need, spare: Spare, is_first: bool) -> Option<Offer> {
    let bytes = if plan.contents.unlimited_data { u64::MAX } else { plan.contents.data()?.bytes() };
    // What passes of it before it is needed.
    let passes = if let Adds::Beside { sooner } = need.adds { sooner } else { Secs::ZERO };
    let (steps, last_start) = match (plan.validity(), need.adds) {
        // A plan without a length does not end, and gives nothing of it to another.
        (None, Adds::Behind | Adds::Beside { .. }) => (usize::MAX, usize::MAX),
        (None, Adds::OnTop(_)) => (0, usize::MAX),
        (Some(lasts), _) => {
            let by_length = last_start(lasts, passes, need, spare.by_length);
            let by_data = spare.by_data.then(|| last_use(bytes, need)).flatten();
            (usize::try_from(lasts.0.saturating_sub(passes.0) / STEP.0).ok()?, by_length.max(by_data)?)
        }
    };
    Some(Offer { price: u64::try_from(plan.price.ten_thousandths()).ok()?, bytes, steps, last_start, is_first })
}

/// The last step from which on a plan does not outlast the trip by more than that, if so much of it passes before.
fn last_start(lasts: Secs, passes: Secs, need: &Need, share: Percent) -> Option<usize> {
    let beyond = share_of(lasts, share).max(OUTLASTS_MIN);
    let within = lasts.0.saturating_sub(beyond.0).saturating_sub(passes.0);
    let latest = need.trip.at.since(need.from).0.saturating_sub(within);
    usize::try_from(latest.div_euclid(STEP.0)).ok()
}

/// A share of a length of time.
#[must_use]
pub fn share_of(length: Secs, share: Percent) -> Secs {
    let part = i128::from(length.0) * i128::from(share.0.min(100)) / 100;
    // A part is no longer than the whole.
    Secs(i64::try_from(part).unwrap_or(length.0))
}

/// The last step from which on half of so much data may still be used on the trip.
fn last_use(bytes: u64, need: &Need) -> Option<usize> {
    let needed = bytes - bytes / 2;
    let spare = need.trip.most_used.bytes().checked_sub(needed)?;
    Some(need.used.partition_point(|used| *used <= spare))
}

/// Why a plan was chosen, as it is kept and told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reckoning {
    /// How many purchases there are to be, this one included.
    pub purchases: u32,
    /// What they cost together.
    pub cost: Money,
    /// From when they are needed.
    pub from: UnixTime,
    /// Until when they last.
    pub until: UnixTime,
    /// Whether that is the whole trip.
    pub is_whole: bool,
    /// What is expected to be used until the trip's end.
    pub data_bytes: u64,
    /// What it would have cost to begin with another plan, and with which.
    pub runner_up: Option<(String, Money)>,
    /// Whether use is only assumed, since too little of it was seen.
    pub is_assumed: bool,
    /// Whether a part of a plan is likely to be left over when the trip ends, since there would be less data otherwise.
    #[serde(default)]
    pub leaves_over: bool,
    /// What becomes of each plan while the one before still runs, as far as that was reckoned with.
    #[serde(default)]
    pub stacking: Stacking,
}

impl Cover<'_> {
    /// What is kept of it and told.
    #[must_use]
    pub fn reckoning(&self, need: &Need, is_assumed: bool) -> Reckoning {
        Reckoning {
            purchases: u32::try_from(self.plans.len()).unwrap_or(u32::MAX),
            cost: self.cost,
            from: need.from,
            until: self.until,
            is_whole: self.is_whole,
            data_bytes: need.bytes().bytes(),
            runner_up: self.runner_up.map(|(plan, cost)| (plan.name.clone(), cost)),
            is_assumed,
            leaves_over: self.leaves_over,
            stacking: self.stacking,
        }
    }
}
