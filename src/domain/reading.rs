//! A reading: one answer of an operator about one card, and whether it makes sense.

use serde::{Deserialize, Serialize};

use super::busiest::Busiest;
use super::data::DataSize;
use super::money::{Currency, Money};
use super::time::{End, Secs, UnixTime};

/// What an allowance is of, and so the unit of its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AllowanceKind {
    /// Bytes.
    Data,
    /// Seconds of calls.
    Voice,
    /// Messages.
    Sms,
    /// Ten-thousandths of a unit of this currency.
    Credit(Currency),
}

/// Where an allowance stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AllowanceState {
    /// Bought, not begun.
    Queued,
    /// In use.
    Active,
    /// Used up.
    Finished,
    /// Its time is over.
    Expired,
}

/// Something a card may use: data, calls, texts or money, with its own times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Allowance {
    /// What it is of.
    pub kind: AllowanceKind,
    /// What is left, in the kind's unit. Below zero is kept as evidence and never acted upon.
    pub remaining: i64,
    /// What there was at the start, where the operator tells.
    pub total: Option<i64>,
    /// Whether it has no end; `remaining` and `total` then carry no meaning.
    pub unlimited: bool,
    /// Where it stands.
    pub state: AllowanceState,
    /// When it began or will.
    pub starts: Option<UnixTime>,
    /// When it ends.
    pub ends: Option<End>,
}

/// What the operator says about the card itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CardState {
    /// The operator does not tell, or tells something we have no word for.
    Unknown,
    /// An eSIM that no device has installed.
    NotInstalled,
    /// Installed or shipped, never used.
    NotActive,
    /// In use.
    Active,
    /// Everything it had is used up; it can be topped up.
    Finished,
    /// Its plan is over; it can be topped up.
    Expired,
    /// Blocked by the operator or its owner.
    Blocked,
    /// The operator has taken the number back; nothing can be bought for it.
    Recycled,
}

/// Whether this card can be renewed at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Renewable {
    /// The operator sells for it.
    Yes,
    /// One-off: when it is over, a new card is needed.
    OneOff,
    /// The operator cannot tell.
    Unknown,
}

/// The operator's own id of one plan on the card; a new one proves that something was bought.
pub type AssetId = String;

/// One answer about one card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reading {
    /// When we asked.
    pub read_at: UnixTime,
    /// For what time the answer holds; operators answer from caches.
    pub as_of: UnixTime,
    /// The card's state.
    pub state: CardState,
    /// Whether it can be renewed.
    pub renewable: Renewable,
    /// What it may use.
    pub allowances: Vec<Allowance>,
    /// When the present plan ends.
    pub plan_ends: Option<End>,
    /// When the credit is lost.
    pub credit_ends: Option<End>,
    /// When the number is taken back.
    pub number_ends: Option<End>,
    /// The plans on the card, where the operator names them.
    pub assets: Vec<AssetId>,
    /// The plan in use, where the operator names it; `buy = ["same"]` looks here.
    pub plan: Option<String>,
}

impl Reading {
    /// A reading of nothing but a state, for adapters and tests to fill.
    #[must_use]
    pub fn empty(read_at: UnixTime, state: CardState) -> Self {
        Self {
            read_at,
            as_of: read_at,
            state,
            renewable: Renewable::Unknown,
            allowances: Vec::new(),
            plan_ends: None,
            credit_ends: None,
            number_ends: None,
            assets: Vec::new(),
            plan: None,
        }
    }

    /// What is left of one kind over all allowances that are active or waiting. Nothing is left of what has expired, and
    /// that is known.
    #[must_use]
    pub fn left(&self, kind: AllowanceKind) -> Left {
        let mut left = Left::default();
        for allowance in self.allowances.iter().filter(|allowance| allowance.kind == kind) {
            left.known = true;
            if matches!(allowance.state, AllowanceState::Expired) {
                continue;
            }
            left.unlimited |= allowance.unlimited;
            left.remaining = left.remaining.saturating_add(allowance.remaining);
            left.total = match (left.total, allowance.total) {
                (Some(sum), Some(total)) => Some(sum.saturating_add(total)),
                _ => None,
            };
        }
        left
    }

    /// What is left of data, if the operator tells and it has an end.
    #[must_use]
    pub fn data_left(&self) -> Option<DataSize> {
        let left = self.left(AllowanceKind::Data);
        (left.known && !left.unlimited).then(|| DataSize(u64::try_from(left.remaining).unwrap_or(0)))
    }

    /// The credit, if the operator tells; the first currency, where there are several.
    #[must_use]
    pub fn credit(&self) -> Option<Money> {
        self.allowances.iter().find_map(|allowance| match allowance.kind {
            AllowanceKind::Credit(currency) => Some(self.credit_in(currency)),
            AllowanceKind::Data | AllowanceKind::Voice | AllowanceKind::Sms => None,
        })
    }

    fn credit_in(&self, currency: Currency) -> Money {
        Money::new(self.left(AllowanceKind::Credit(currency)).remaining, currency)
    }

    /// The three ends with their kinds, those that are known.
    pub fn ends(&self) -> impl Iterator<Item = (EndKind, End)> + '_ {
        let all =
            [(EndKind::Plan, self.plan_ends), (EndKind::Credit, self.credit_ends), (EndKind::Number, self.number_ends)];
        all.into_iter().filter_map(|(kind, end)| end.map(|end| (kind, end)))
    }
}

/// The sum over the allowances of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// Whether the operator told anything of this kind.
    pub known: bool,
    /// What is left, in the kind's unit.
    pub remaining: i64,
    /// What there was, if every allowance tells.
    pub total: Option<i64>,
    /// Whether one of them has no end.
    pub unlimited: bool,
}

impl Default for Left {
    fn default() -> Self {
        Self { known: false, remaining: 0, total: Some(0), unlimited: false }
    }
}

/// Which of the three dates; they are never mixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndKind {
    /// The plan's.
    Plan,
    /// The credit's.
    Credit,
    /// The number's.
    Number,
}

/// Why a reading is kept as evidence but not acted upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Oddity {
    /// An allowance below zero.
    Negative(AllowanceKind),
    /// More left than there was.
    MoreThanTotal(AllowanceKind),
    /// An end more than 30 years ahead.
    FarEnd(EndKind),
    /// An end that moved back by more than 12 hours since the reading before.
    ShrinkingEnd(EndKind),
    /// An end ahead that the reading before told is told no more, though the same is on the card.
    MissingEnd(EndKind),
    /// The answer holds for a time more than five minutes ahead of ours.
    FromTheFuture,
    /// The answer is older than the one before it.
    OlderThanBefore,
}

/// An end further away than this makes no sense for a prepaid card.
const FAR_AHEAD: Secs = Secs::days(30 * 366);
/// Ends of one plan wobble by less than this: operators round to days and mix zones.
pub const WOBBLE: Secs = Secs::hours(12);
/// A number that is in use after its end has another end, and an operator tells it within this time, if ever.
const KEPT_NUMBER_TOLD_WITHIN: Secs = Secs::days(7);
/// How far an operator's clock may run ahead of ours.
pub const CLOCK_TOLERANCE: Secs = Secs::minutes(5);

/// The first thing about `reading` that makes no sense, seen alone and beside the `previous` one.
#[must_use]
pub fn oddity(reading: &Reading, previous: Option<&Reading>) -> Option<Oddity> {
    odd_amount(reading)
        .or_else(|| odd_end(reading, previous))
        .or_else(|| missing_end(reading, previous?))
        .or_else(|| odd_time(reading, previous))
}

fn odd_amount(reading: &Reading) -> Option<Oddity> {
    reading.allowances.iter().filter(|allowance| !allowance.unlimited).find_map(|allowance| {
        // An account in debt is real; data below zero is not.
        let may_owe = matches!(allowance.kind, AllowanceKind::Credit(_));
        if allowance.remaining < 0 && !may_owe || allowance.total.is_some_and(|total| total < 0) {
            return Some(Oddity::Negative(allowance.kind));
        }
        allowance.total.filter(|total| allowance.remaining > *total).map(|_| Oddity::MoreThanTotal(allowance.kind))
    })
}

fn odd_end(reading: &Reading, previous: Option<&Reading>) -> Option<Oddity> {
    reading.ends().find_map(|(kind, end)| {
        if end.left(reading.read_at) > FAR_AHEAD {
            return Some(Oddity::FarEnd(kind));
        }
        let before = previous?.ends().find(|(other, _)| *other == kind)?.1;
        (before.at.since(end.at) > WOBBLE).then_some(Oddity::ShrinkingEnd(kind))
    })
}

/// An end is gone with its plan, with what the plan held, or when it is over. Else it is only not told, and a card without
/// an end would be without a warning.
fn missing_end(reading: &Reading, previous: &Reading) -> Option<Oddity> {
    let told = |kind| reading.ends().any(|(other, _)| other == kind);
    let is_over = |kind: EndKind, end: End| match kind {
        EndKind::Plan | EndKind::Credit => end.at <= reading.read_at,
        // A number that is in use after its end was kept by somebody, and its new end is not told yet.
        EndKind::Number => end.at.max(previous.read_at) <= reading.read_at.minus(KEPT_NUMBER_TOLD_WITHIN),
    };
    let (gone, _) = previous.ends().find(|(kind, end)| !is_over(*kind, *end) && !told(*kind))?;
    let in_use = match reading.state {
        CardState::Active | CardState::NotActive | CardState::Blocked | CardState::Unknown => true,
        CardState::NotInstalled | CardState::Finished | CardState::Expired | CardState::Recycled => false,
    };
    let used_up = reading.data_left().is_some_and(|left| left.bytes() == 0);
    (in_use && !used_up && holds_the_same(reading, previous)).then_some(Oddity::MissingEnd(gone))
}

/// Whether nothing has come onto the card, and what it lives on is still there: plans that are over may have left the
/// answer, and one from a cache may tell of a little more.
fn holds_the_same(reading: &Reading, previous: &Reading) -> bool {
    let no_more = |now: i64, before: i64| now <= before.saturating_add(before / 10).saturating_add(50_000_000);
    let known = |kind| previous.left(kind).known;
    reading.assets.iter().all(|asset| previous.assets.contains(asset))
        && reading.assets.is_empty() == previous.assets.is_empty()
        && reading.allowances.is_empty() == previous.allowances.is_empty()
        && reading
            .allowances
            .iter()
            .map(|one| one.kind)
            .all(|kind| known(kind) && no_more(reading.left(kind).remaining, previous.left(kind).remaining))
}

fn odd_time(reading: &Reading, previous: Option<&Reading>) -> Option<Oddity> {
    if reading.as_of.since(reading.read_at) > CLOCK_TOLERANCE {
        return Some(Oddity::FromTheFuture);
    }
    // A reading before this one that was taken later was taken by a clock that ran ahead: its time tells nothing.
    let before = previous.filter(|previous| previous.read_at <= reading.read_at);
    before.filter(|previous| reading.as_of < previous.as_of).map(|_| Oddity::OlderThanBefore)
}

/// The last two readings of a card that made sense, and when and how the last try went wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Recent {
    /// The newest reading that makes sense.
    pub latest: Option<Reading>,
    /// The one before it.
    pub previous: Option<Reading>,
    /// The newest answer that made no sense, if it is newer than `latest`.
    pub odd: Option<(UnixTime, Oddity)>,
    /// What was used in the busiest hour and on the busiest day lately, by kind.
    pub busiest: Vec<Busiest>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::clamped(1_800_000_000);

    fn data(remaining: i64, total: Option<i64>) -> Allowance {
        Allowance {
            kind: AllowanceKind::Data,
            remaining,
            total,
            unlimited: false,
            state: AllowanceState::Active,
            starts: None,
            ends: None,
        }
    }

    fn with(allowances: Vec<Allowance>) -> Reading {
        Reading { allowances, ..Reading::empty(NOW, CardState::Active) }
    }

    #[test]
    fn sums_leave_out_what_is_over_and_keep_what_waits() {
        let mut queued = data(5, Some(5));
        queued.state = AllowanceState::Queued;
        let mut over = data(100, Some(100));
        over.state = AllowanceState::Expired;
        let left = with(vec![data(2, Some(3)), queued, over]).left(AllowanceKind::Data);
        assert_eq!((left.remaining, left.total, left.known), (7, Some(8), true));
        assert!(!with(vec![]).left(AllowanceKind::Sms).known);
        assert_eq!(with(vec![data(i64::MAX, None), data(1, None)]).left(AllowanceKind::Data).remaining, i64::MAX);
    }

    #[test]
    fn amounts_that_make_no_sense_are_named() {
        for (remaining, total, expected) in [
            (0, Some(0), None),
            (-1, None, Some(Oddity::Negative(AllowanceKind::Data))),
            (5, Some(5), None),
            (6, Some(5), Some(Oddity::MoreThanTotal(AllowanceKind::Data))),
            (1, Some(-1), Some(Oddity::Negative(AllowanceKind::Data))),
        ] {
            assert_eq!(oddity(&with(vec![data(remaining, total)]), None), expected, "{remaining} of {total:?}");
        }
        let mut unlimited = data(0, Some(0));
        unlimited.unlimited = true;
        unlimited.remaining = -1;
        assert_eq!(oddity(&with(vec![unlimited]), None), None);
    }

    #[test]
    fn ends_may_wobble_but_not_shrink_or_lie_in_another_age() {
        let ends = |at: UnixTime| Reading { plan_ends: Some(End::at(at)), ..Reading::empty(NOW, CardState::Active) };
        let base = ends(NOW.plus(Secs::days(10)));
        let odd = |moved: Secs| oddity(&ends(NOW.plus(Secs::days(10)).plus(moved)), Some(&base));
        assert_eq!(odd(Secs(0)), None);
        assert_eq!(odd(Secs(-WOBBLE.0)), None);
        assert_eq!(odd(Secs(-WOBBLE.0 - 1)), Some(Oddity::ShrinkingEnd(EndKind::Plan)));
        assert_eq!(odd(Secs::days(30)), None);
        assert_eq!(oddity(&ends(UnixTime::MAX), None), Some(Oddity::FarEnd(EndKind::Plan)));
    }

    #[test]
    fn an_end_ahead_that_is_told_no_more_is_odd_while_the_same_is_on_the_card() {
        let allowance = |remaining| data(remaining, Some(60_000_000));
        let reading = |end: Option<UnixTime>, remaining| Reading {
            plan_ends: end.map(End::at),
            assets: vec!["P1".into()],
            allowances: vec![allowance(remaining)],
            ..Reading::empty(NOW, CardState::Active)
        };
        let ahead = reading(Some(NOW.plus(Secs(1))), 5);
        let odd = |now: Reading| oddity(&now, Some(&ahead));
        let missing = Some(Oddity::MissingEnd(EndKind::Plan));
        assert_eq!((odd(reading(None, 5)), odd(reading(None, 4))), (missing, missing));
        assert_eq!(odd(reading(None, 0)), None, "used up");
        assert_eq!(odd(reading(None, 60_000_000)), None, "much more than before: something new is on it");
        assert_eq!(odd(Reading { assets: vec![], ..reading(None, 5) }), None, "the plan is gone");
        assert_eq!(odd(Reading { allowances: vec![], ..reading(None, 5) }), None, "what it held is gone");
        let other = Reading { assets: vec!["P2".into()], ..reading(None, 5) };
        assert_eq!(odd(other), None, "another plan");
        let two = Reading { assets: vec!["P0".into(), "P1".into()], ..ahead.clone() };
        assert_eq!(oddity(&reading(None, 5), Some(&two)), missing, "the plan before it has left the answer");
        assert_eq!(odd(Reading { state: CardState::Finished, ..reading(None, 5) }), None);
        assert_eq!(oddity(&reading(None, 5), Some(&reading(Some(NOW), 5))), None, "the end is over");
        assert_eq!(oddity(&reading(None, 5), Some(&reading(None, 5))), None, "nobody ever told one");
        assert_eq!(oddity(&reading(None, 5), None), None);
        let number =
            Reading { number_ends: Some(End::at(NOW.plus(Secs(1)))), ..Reading::empty(NOW, CardState::Active) };
        let without = Reading::empty(NOW, CardState::Active);
        assert_eq!(oddity(&without, Some(&number)), Some(Oddity::MissingEnd(EndKind::Number)));
        let later = |secs| Reading { read_at: NOW.plus(Secs(secs)), as_of: NOW.plus(Secs(secs)), ..without.clone() };
        let week = Secs::days(7).0;
        assert!(oddity(&later(week), Some(&number)).is_some(), "a number in use has an end");
        assert_eq!(oddity(&later(week + 1), Some(&number)), None);
        let over = Reading {
            number_ends: Some(End::at(NOW.minus(Secs::days(20)))),
            state: CardState::Expired,
            ..without.clone()
        };
        assert!(oddity(&later(week - 1), Some(&over)).is_some(), "somebody kept it");
        assert_eq!(oddity(&later(week), Some(&over)), None);
        let expired = Reading { state: CardState::Expired, ..later(1) };
        assert_eq!(oddity(&expired, Some(&number)), None);
    }

    #[test]
    fn answers_from_the_future_or_older_than_known_are_named() {
        let as_of = |at: UnixTime| Reading { as_of: at, ..Reading::empty(NOW, CardState::Active) };
        assert_eq!(oddity(&as_of(NOW.plus(CLOCK_TOLERANCE)), None), None);
        assert_eq!(oddity(&as_of(NOW.plus(Secs(301))), None), Some(Oddity::FromTheFuture));
        assert_eq!(oddity(&as_of(NOW.minus(Secs(1))), Some(&as_of(NOW))), Some(Oddity::OlderThanBefore));
    }
}
