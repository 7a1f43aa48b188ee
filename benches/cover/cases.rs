//! What is measured: how plans add to each other, what limits bar, and how much money there is.

use jiff::tz::TimeZone;

use crate::domain::attempt::AttemptId;
use crate::domain::cover::{Adds, Cover, Left, Need, Purchase, Purse, cheapest_within};
use crate::domain::data::DataSize;
use crate::domain::ledger::Spend;
use crate::domain::limits;
use crate::domain::money::{Currency, Money};
use crate::domain::plan::{Contents, Plan};
use crate::domain::retry::mixed;
use crate::domain::rule::Limits;
use crate::domain::time::{Secs, UnixTime};

const NOW: UnixTime = UnixTime::clamped(1_797_336_000);
/// Plans on sale.
pub(crate) const PLANS: u64 = 200;
/// How long the trip is.
pub(crate) const DAYS: i64 = 180;

/// The cases of one name, with catalogues of several seeds.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) cases: Vec<Case>,
}

/// All of them: with money enough, and with half of what the whole costs.
pub(crate) fn groups(seeds: u64) -> Vec<Group> {
    let each = [
        ("cover", "cover_short", vec![(Adds::Behind, Limits::default())]),
        ("cover_limits", "cover_limits_short", barring().map(|limits| (Adds::Behind, limits)).to_vec()),
        ("cover_extends", "cover_extends_short", left().map(|left| (Adds::OnTop(left), Limits::default())).to_vec()),
        ("cover_beside", "cover_beside_short", vec![(Adds::Beside { sooner: Secs::days(2) }, Limits::default())]),
    ];
    let of_each = |(enough, half, kinds): (_, _, Vec<(Adds, Limits)>)| {
        let of_seed = |seed| kinds.iter().map(move |(adds, limits)| Case::of(seed, *adds, limits.clone()));
        let cases: Vec<Case> = (0..seeds).flat_map(of_seed).collect();
        let short = cases.iter().map(Case::with_half).collect();
        [Group { name: enough, cases }, Group { name: half, cases: short }]
    };
    each.into_iter().flat_map(of_each).collect()
}

/// Limits each of which bars something: of month and cycle, of money and counts.
fn barring() -> [Limits; 6] {
    let usd = |dollars: i64| Some(Money::new(dollars * 10_000, Currency::USD));
    [
        Limits { per_month: usd(20), ..Limits::default() },
        Limits { per_month: usd(12), ..Limits::default() },
        Limits { per_cycle: usd(15), ..Limits::default() },
        Limits { per_cycle: usd(8), per_month: usd(20), ..Limits::default() },
        Limits { renewals_per_cycle: Some(1), ..Limits::default() },
        Limits { renewals_per_cycle: Some(2), per_month: usd(25), ..Limits::default() },
    ]
}

/// What is still on the card to add to: nothing, data, or time.
const fn left() -> [Left; 3] {
    let nothing = Left { data: DataSize(0), lasts: Secs::ZERO };
    [nothing, Left { data: DataSize(2_000_000_000), ..nothing }, Left { lasts: Secs::days(5), ..nothing }]
}

/// One call.
pub(crate) struct Case {
    plans: Vec<Plan>,
    need: Need,
    purse: Purse,
    limits: Limits,
}

impl Case {
    fn of(seed: u64, adds: Adds, limits: Limits) -> Self {
        let until = NOW.plus(Secs::days(DAYS));
        let need = Need::daily(NOW, until, &TimeZone::UTC, |date| {
            250e6 * if date.weekday().to_monday_zero_offset() < 5 { 0.7 } else { 1.75 }
        });
        let purse = Purse { per_plan: None, in_all: limits::left_until(&limits, &[], &TimeZone::UTC, NOW, until) };
        Self { plans: (0..PLANS).map(|number| plan(seed, number)).collect(), need: need.adding(adds), purse, limits }
    }

    /// The same with half of the money that it takes.
    fn with_half(&self) -> Self {
        let half = self.cheapest().map(|cover| Money::new(cover.cost.ten_thousandths() / 2, cover.cost.currency()));
        let (plans, need, limits) = (self.plans.clone(), self.need.clone(), self.limits.clone());
        Self { plans, need, purse: Purse { per_plan: None, in_all: half }, limits }
    }

    /// What is measured.
    pub(crate) fn cheapest(&self) -> Option<Cover<'_>> {
        let spend =
            |bought: &Purchase<'_>| Spend { attempt: AttemptId(0), at: bought.begins, money: bought.plan.price };
        let has_room = |next: Purchase<'_>, before: &[Purchase<'_>]| {
            let spends: Vec<Spend> = before.iter().map(spend).collect();
            limits::has_room(&self.limits, next.plan, &spends, &TimeZone::UTC, next.begins)
        };
        cheapest_within(&self.plans, &self.need, self.purse, &has_room)
    }
}

/// More data, a longer time or both cost more, but by no fixed measure.
fn plan(seed: u64, number: u64) -> Plan {
    let chance = |what: u32, below: u64| mixed(seed << 32 | number, what) % below;
    let (megabytes, days) = (100 + chance(1, 20_000), 1 + chance(2, 60));
    let price = 10_000 + megabytes * (10 + chance(3, 10)) + days * (3_000 + chance(4, 2_000));
    Plan {
        id: format!("plan-{number}"),
        name: format!("{megabytes} MB for {days} days"),
        contents: Contents { data_bytes: Some(megabytes * 1_000_000), ..Contents::default() },
        validity_secs: Some(Secs::days(days as i64).0),
        price: Money::new(price as i64, Currency::USD),
    }
}
