//! What will be bought for a card in the coming days, and when: the daemon's own decision, asked along the days to come. Use
//! goes on as the card's habit tells, and once more so that more and less is used, which gives each purchase its range.

mod holding;
mod path;
#[cfg(test)]
mod tests;
mod walk;

use self::path::{Expectations, Way};
use self::walk::Walk;
use super::assess::{Reason, Verdict};
use super::attempt::{AskWhy, Attempt};
use super::card::{Card, Name};
use super::choose::PassedOver;
use super::cover::Reckoning;
use super::forecast::Forecast;
use super::gates::Gate;
use super::ledger::{Ledger, OpenAttempt};
use super::pace;
use super::plan::{Catalogue, Plan};
use super::reading::{AllowanceKind, Recent};
use super::rule::{Condition, Line, Rule};
use super::time::{Secs, UnixTime};
use super::trigger::Check;
use super::usage;

/// How far beyond the last day it is looked for the latest day of a purchase.
const BEYOND: Secs = Secs::days(30);
/// What comes by use so soon after the last day is told as well: it may be a little earlier than anybody can tell.
const EDGE: Secs = Secs::DAY;

/// What is known of a card.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// The card.
    pub card: &'a Card,
    /// Its rule.
    pub rule: &'a Rule,
    /// What is on sale for it, if that was ever read.
    pub catalogue: Option<&'a Catalogue>,
    /// Its last readings.
    pub recent: &'a Recent,
    /// Its attempts and money.
    pub ledger: &'a Ledger,
    /// Its attempts of the last two months, oldest first.
    pub attempts: &'a [Attempt],
    /// The account whose turn it is to sell.
    pub seller: &'a Name,
    /// How each thing on it is used.
    pub uses: &'a [(AllowanceKind, Forecast)],
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// This is bought.
    Buys(Plan),
    /// A person is asked first; what comes after it is told as if the answer were yes.
    Asks(Plan, AskWhy),
    /// Something of the rule's list is bought; what is on sale was never read.
    Unpriced,
    /// An order that is on its way already.
    UnderWay(Plan, OpenAttempt),
    /// This would be bought, and does not fit under a limit.
    OverLimit(Plan, Gate),
    /// Nothing of the rule's list can be bought.
    NothingOnSale,
    /// What is on the card lasts until the rule's last day is over.
    Lasts,
    /// Something else stands in the way.
    Held(Verdict, Vec<Reason>),
}

impl Setting<'_> {
    /// How often the card is read at least.
    fn read_every(&self) -> Secs {
        self.ledger.pace.every.max(self.ledger.pace.at_most)
    }

    /// How long after a date the card is read at the latest.
    fn reads_after_dates(&self) -> Secs {
        pace::DATES_SPREAD.max(self.ledger.pace.at_most)
    }
}

impl What {
    /// The plan that is bought by this.
    #[must_use]
    pub const fn bought(&self) -> Option<&Plan> {
        match self {
            Self::Buys(plan) | Self::Asks(plan, _) => Some(plan),
            Self::Unpriced
            | Self::UnderWay(..)
            | Self::OverLimit(..)
            | Self::NothingOnSale
            | Self::Lasts
            | Self::Held(..) => None,
        }
    }

    /// Whether something is bought by this.
    #[must_use]
    pub const fn is_purchase(&self) -> bool {
        self.bought().is_some() || matches!(self, Self::Unpriced)
    }
}

/// Something that happens at one instant of one path.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    at: UnixTime,
    what: What,
    check: Option<Check>,
    passed_over: Vec<PassedOver>,
    reckoning: Option<Reckoning>,
}

/// When something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    /// When it begins to be due if more is used than expected.
    pub early: UnixTime,
    /// When it begins to be due as is expected; none if it comes in these days only if more is used.
    pub likely: Option<UnixTime>,
    /// When it is seen to be due at the latest, if less is used; none if it may not come for long, or not at all.
    pub late: Option<UnixTime>,
    /// Whether it follows from dates alone.
    pub is_certain: bool,
}

/// What may happen in place of something if use goes on otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Otherwise {
    /// If more is used; else if less is.
    pub if_more: bool,
    /// The plan.
    pub plan: Plan,
    /// The line of the condition.
    pub line: Option<Line>,
}

/// One thing that will happen, or what keeps it from happening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreseen {
    /// When.
    pub when: When,
    /// What.
    pub what: What,
    /// The condition that fires.
    pub check: Option<Check>,
    /// Entries of the rule's list before the one that is bought.
    pub passed_over: Vec<PassedOver>,
    /// What it was chosen by, where the rule looks ahead.
    pub reckoning: Option<Reckoning>,
    /// Other plans or conditions, if more or less is used.
    pub otherwise: Vec<Otherwise>,
}

/// What happens from `now` until `until`, in the order of time.
#[must_use]
pub fn foresee(setting: &Setting<'_>, now: UnixTime, until: UnixTime) -> Vec<Foreseen> {
    let from = setting.recent.latest.as_ref().map_or(now, |reading| reading.as_of.min(now));
    let far = until.plus(until.since(now)).plus(BEYOND);
    let expected = Expectations::of(setting.uses, from, far, &setting.card.zone);
    let lag = setting.read_every();
    let walk = |way: Way, until: UnixTime, lag: Secs| Walk::new(setting, expected.path(way), lag).go(now, until);
    let likely = walk(Way::Likely, far, Secs::ZERO);
    if expected.are_none() {
        let reads = setting.reads_after_dates();
        let at_dates =
            |at: UnixTime| When { early: at, likely: Some(at), late: Some(at.plus(reads)), is_certain: true };
        return likely.into_iter().filter(|step| step.at <= until).map(|step| Foreseen::of(step, at_dates)).collect();
    }
    let until = until.plus(EDGE);
    let more = walk(Way::More, until, Secs::ZERO);
    let less = walk(Way::Less, far, lag);
    Paths { likely, more, less, until, lag }.merged()
}

/// What happens on each path.
struct Paths {
    likely: Vec<Step>,
    more: Vec<Step>,
    less: Vec<Step>,
    until: UnixTime,
    lag: Secs,
}

impl Paths {
    fn merged(&self) -> Vec<Foreseen> {
        let mut found = self.purchases();
        found.extend(self.others());
        found.sort_by_key(|foreseen| foreseen.when.likely.unwrap_or(UnixTime::MAX));
        found
    }

    /// A purchase is the same on each path by its number.
    fn purchases(&self) -> Vec<Foreseen> {
        let bought = |steps: &[Step]| steps.iter().filter(|step| step.what.is_purchase()).cloned().collect::<Vec<_>>();
        let (likely, more, less) = (bought(&self.likely), bought(&self.more), bought(&self.less));
        let mut found = Vec::new();
        for number in 0..likely.len().max(more.len()) {
            let (middle, soon, late) = (likely.get(number), more.get(number), less.get(number));
            let Some(step) = middle.or(soon) else { break };
            let when = self.when(middle, soon, late);
            if when.early > self.until {
                break;
            }
            let mut foreseen = Foreseen::of(step.clone(), |_| when);
            let others = [(true, soon), (false, late)].into_iter();
            foreseen.otherwise = others.filter_map(|(if_more, other)| otherwise(step, if_more, other?)).collect();
            found.push(foreseen);
        }
        found
    }

    /// What else happens is told as it is expected, and a hindrance also where it comes only if more is used.
    fn others(&self) -> Vec<Foreseen> {
        let other = |step: &&Step| !step.what.is_purchase() && step.at <= self.until;
        let hinders = |step: &&Step| matches!(step.what, What::OverLimit(..) | What::NothingOnSale);
        let expected = self.likely.iter().filter(other);
        let told = expected.clone().any(|step| hinders(&step));
        let possible = self.more.iter().filter(other).filter(hinders).filter(|_| !told).take(1);
        let mut found: Vec<Foreseen> =
            possible.map(|step| Foreseen::of(step.clone(), |_| self.when(None, Some(step), None))).collect();
        found.extend(expected.map(|step| {
            let same = |other: &&Step| std::mem::discriminant(&other.what) == std::mem::discriminant(&step.what);
            let (soon, late) = (self.more.iter().find(same), self.less.iter().find(same));
            Foreseen::of(step.clone(), |_| self.when(Some(step), soon, late))
        }));
        found
    }

    /// A purchase may come sooner where less is used: of what is cheapest then there may be less.
    fn when(&self, likely: Option<&Step>, more: Option<&Step>, less: Option<&Step>) -> When {
        let all = [likely, more, less].into_iter().flatten().map(|step| step.at);
        let early = all.min().unwrap_or(self.until);
        let seen = [likely, more].into_iter().flatten().map(|step| step.at.plus(self.lag)).max();
        let late = less.map(|less| seen.map_or(less.at, |seen| seen.max(less.at)));
        let likely = likely.map(|step| step.at);
        let is_certain = likely == Some(early) && late == Some(early.plus(self.lag));
        When { early, likely, late, is_certain }
    }
}

fn otherwise(step: &Step, if_more: bool, other: &Step) -> Option<Otherwise> {
    let plan = other.what.bought()?.clone();
    let line = |step: &Step| step.check.map(|check| check.trigger.line);
    let same = step.what.bought() == Some(&plan) && line(step) == line(other);
    (!same).then(|| Otherwise { if_more, plan, line: line(other) })
}

impl Foreseen {
    fn of(step: Step, when: impl FnOnce(UnixTime) -> When) -> Self {
        Self {
            when: when(step.at),
            what: step.what,
            check: step.check,
            passed_over: step.passed_over,
            reckoning: step.reckoning,
            otherwise: Vec::new(),
        }
    }
}

/// Conditions on amounts of which nobody can tell yet when they will hold, with their lines.
#[must_use]
pub fn untold(setting: &Setting<'_>) -> Vec<(Condition, Line, Forecast)> {
    let Some(reading) = &setting.recent.latest else { return Vec::new() };
    let told = setting.rule.renew_when.triggers.iter().filter_map(|trigger| {
        let kind = usage::kind(trigger.condition)?;
        let left = reading.left(kind);
        let used = setting.uses.iter().find(|(known, _)| *known == kind).map(|(_, used)| used.clone());
        let used = used.unwrap_or_else(Forecast::unseen);
        let is_open = left.known && !left.unlimited && used.habit().is_none();
        is_open.then_some((trigger.condition, trigger.line, used))
    });
    told.collect()
}
