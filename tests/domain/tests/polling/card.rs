//! A card as its operator keeps it: what is left, until when, and what its rule waits for.

use super::habit::{Draw, Habit};
use crate::domain::card::Name;
use crate::domain::data::{DataSize, Percent};
use crate::domain::money::{Currency, Money};
use crate::domain::reading::{Allowance, AllowanceKind, AllowanceState, CardState, Reading};
use crate::domain::rule::{Condition, Mode, Rule, Trigger};
use crate::domain::time::{End, Secs, UnixTime};

const GB: i64 = 1_000_000_000;

/// A card.
pub(crate) struct SimCard {
    pub(crate) habit: Habit,
    kind: AllowanceKind,
    left: i64,
    total: i64,
    ends: UnixTime,
    /// What a purchase adds, and for how long.
    plan: (i64, Secs),
    condition: Option<Condition>,
    lead: Secs,
}

impl SimCard {
    pub(crate) fn new(card: u64, now: UnixTime) -> Self {
        // The remainder is below the number of habits.
        let habit = Habit::ALL[(card % Habit::ALL.len() as u64) as usize];
        let mut draw = Draw::of(card, -2);
        let days = Secs::days;
        let usd = |amount| Condition::CreditBelow(Money::new(amount, Currency::USD));
        let below = |size: i64| Condition::DataBelow(DataSize(size.unsigned_abs()));
        let share = |share| Condition::DataShareBelow(Percent(share));
        let (kind, plan, condition, lead) = match habit {
            Habit::Steady => (AllowanceKind::Data, (draw.between(4, 12) * GB, days(30)), Some(share(20)), days(2)),
            Habit::Weekends => (AllowanceKind::Data, (draw.between(8, 15) * GB, days(30)), Some(below(GB)), days(1)),
            Habit::Films => (AllowanceKind::Data, (draw.between(30, 60) * GB, days(30)), Some(share(10)), days(2)),
            Habit::Journeys => (AllowanceKind::Data, (5 * GB, days(60)), Some(below(GB / 2)), days(0)),
            Habit::Meter => (AllowanceKind::Data, (GB / 4, days(90)), Some(share(20)), days(7)),
            Habit::Calls => (AllowanceKind::Credit(Currency::USD), (200_000, days(180)), Some(usd(50_000)), days(14)),
            Habit::Kept => {
                (AllowanceKind::Credit(Currency::USD), (100_000, days(draw.between(60, 180))), None, days(14))
            }
        };
        let ends = now.plus(Secs(plan.1.0 * draw.between(40, 100) / 100));
        let left = plan.0 * draw.between(60, 100) / 100;
        Self { habit, kind, left, total: plan.0, ends, plan, condition, lead }
    }

    pub(crate) fn rule(&self, name: &Name) -> Rule {
        let mut rule = Rule { mode: Mode::Watch, ..Rule::watching(name.clone()) };
        let ends = match self.habit {
            Habit::Calls => Condition::CreditEndsWithin(self.lead),
            Habit::Kept => Condition::NumberEndsWithin(self.lead),
            Habit::Steady | Habit::Weekends | Habit::Films | Habit::Journeys | Habit::Meter => {
                Condition::PlanEndsWithin(self.lead)
            }
        };
        let conditions = self.condition.into_iter().chain([ends]);
        rule.renew_when.triggers = conditions.map(|condition| Trigger { condition, line: 1 }).collect();
        rule
    }

    pub(crate) fn use_up(&mut self, amount: i64) {
        self.left = (self.left - amount).max(0);
    }

    /// Whether what its rule waits for has come.
    pub(crate) fn is_due(&self, now: UnixTime) -> bool {
        let limit = match self.condition {
            Some(Condition::DataBelow(limit)) => i64::try_from(limit.bytes()).unwrap_or(i64::MAX),
            Some(Condition::DataShareBelow(share)) => self.total * i64::from(share.0) / 100,
            Some(Condition::CreditBelow(limit)) => limit.ten_thousandths(),
            _ => 0,
        };
        self.left < limit || self.ends.since(now) <= self.lead
    }

    /// When its end comes near enough for its rule.
    pub(crate) fn lead_begins(&self) -> UnixTime {
        self.ends.minus(self.lead)
    }

    pub(crate) fn buy(&mut self, now: UnixTime) {
        (self.left, self.total) = (self.left + self.plan.0, self.total.max(self.left + self.plan.0));
        self.ends = self.ends.max(now).plus(self.plan.1);
    }

    pub(crate) fn reading(&self, now: UnixTime) -> Reading {
        let allowance = Allowance {
            kind: self.kind,
            remaining: self.left,
            total: matches!(self.kind, AllowanceKind::Data).then_some(self.total),
            unlimited: false,
            state: AllowanceState::Active,
            starts: None,
            ends: None,
        };
        let end = Some(End::at(self.ends));
        let empty = Reading { allowances: vec![allowance], ..Reading::empty(now, CardState::Active) };
        match self.habit {
            Habit::Calls => Reading { credit_ends: end, ..empty },
            Habit::Kept => Reading { number_ends: end, ..empty },
            Habit::Steady | Habit::Weekends | Habit::Films | Habit::Journeys | Habit::Meter => {
                Reading { plan_ends: end, ..empty }
            }
        }
    }
}
