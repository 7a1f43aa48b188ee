//! One card through one trip: read when the daemon would read it, judged by `assess`, bought for by `choose`.

use jiff::tz::TimeZone;
use simkeeper_domain::domain::assess::{Verdict, assess};
use simkeeper_domain::domain::attempt::AttemptId;
use simkeeper_domain::domain::card::{Card, CardId, Name};
use simkeeper_domain::domain::choose::{Occasion, choose};
use simkeeper_domain::domain::data::{DataSize, Percent};
use simkeeper_domain::domain::forecast::Forecast;
use simkeeper_domain::domain::intake::{self, Seen};
use simkeeper_domain::domain::ledger::{Ledger, Spend};
use simkeeper_domain::domain::plan::{Catalogue, Plan};
use simkeeper_domain::domain::reading::{AllowanceKind, Reading, Recent};
use simkeeper_domain::domain::rule::{Buy, Choice, Condition, Mode, Rule, Trigger};
use simkeeper_domain::domain::time::{Secs, UnixTime};

use super::card::SimCard;
use super::draw::Trip;

/// Use and readings go by this.
const STEP: Secs = Secs::minutes(10);

/// What came of it.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) spent: i64,
    /// Hours in which something was wanted and not there.
    pub(crate) dry_hours: i64,
    pub(crate) purchases: usize,
    /// Purchases after the last day.
    pub(crate) after_end: u32,
    /// Plans most of which would have been left over even if they had begun when they were bought.
    pub(crate) left_over: u32,
    /// Plans most of which were left over since less was used than expected or they began late.
    pub(crate) late: u32,
}

pub(crate) fn travel(trip: &Trip, choice: &Choice, outlast: Option<Percent>) -> Told {
    let card = Card::new(CardId(1), Name::parse("canada").unwrap(), Name::parse("airalo").unwrap());
    let rule = Rule { outlast, ..rule(trip, choice.clone()) };
    let catalogue = Catalogue::of(trip.from, trip.plans.clone());
    let mut told = Told::default();
    let mut sim = SimCard::default();
    sim.buy(&trip.plans[trip.first]);
    sim.use_data(0, trip.from);
    let (mut readings, mut ledger) = (Vec::<Reading>::new(), Ledger::default());
    let mut last_plan = trip.plans[trip.first].id.clone();
    let (mut next_poll, mut now, mut dry) = (trip.from, trip.from, false);
    let (begins, mut recent) = (sim.begun.len(), Recent::default());
    while now < trip.until().plus(Secs::days(10)) {
        let passed = now.since(trip.from).0;
        let wanted = trip.wanted[(passed / 3_600) as usize] / 6;
        dry |= sim.use_data(wanted, now) > 0 && now < trip.until();
        now = now.plus(STEP);
        if passed % 3_600 == 3_000 {
            told.dry_hours += i64::from(std::mem::take(&mut dry));
        }
        if now < next_poll {
            continue;
        }
        let reading = sim.reading(now);
        intake::take(&mut recent, &mut 0, &Seen::Good(reading.clone()));
        readings.push(reading.clone());
        let seen = assess(&card, Some(&rule), &recent, &ledger, now);
        next_poll = seen.next_poll_at;
        if seen.verdict != Verdict::Renew {
            continue;
        }
        let data_use = if rule.looks_ahead() {
            Forecast::of(AllowanceKind::Data, &readings, &TimeZone::UTC, now)
        } else {
            Forecast::unseen()
        };
        let occasion = Occasion {
            card: &card,
            rule: &rule,
            reading: &reading,
            last_plan: Some(&last_plan),
            data_use: &data_use,
            spends: &ledger.spends,
            now,
        };
        if let Some(plan) = choose(&occasion, &catalogue).plan {
            sim.buy(plan);
            told.spent += plan.price.ten_thousandths();
            told.purchases += 1;
            told.after_end += u32::from(now >= trip.until());
            told.left_over += u32::from(is_left_over(trip, now, plan));
            last_plan.clone_from(&plan.id);
            ledger.spends.push(Spend { attempt: AttemptId(0), at: now, money: plan.price });
        }
    }
    let bought = sim.begun.iter().skip(begins);
    told.late = bought.filter(|(began, plan)| is_left_over(trip, *began, plan)).count() as u32;
    told
}

/// Whether most of a plan that begins then is left over when the trip ends: of its time, and of its data.
fn is_left_over(trip: &Trip, began: UnixTime, plan: &Plan) -> bool {
    let (lasts, data) = (plan.validity().unwrap(), plan.contents.data_bytes.unwrap());
    let begins = (began.since(trip.from).0 / 3_600) as usize;
    let wanted: u64 = trip.wanted.iter().take(trip.days as usize * 24).skip(begins).sum();
    let outlasts = began.plus(lasts) > trip.until().plus(Secs((lasts.0 / 2).max(Secs::DAY.0)));
    began < trip.until() && outlasts && wanted * 2 < data
}

fn rule(trip: &Trip, choice: Choice) -> Rule {
    let mut rule = Rule { mode: Mode::Auto, ..Rule::watching(Name::parse("travel").unwrap()) };
    rule.renew_when.triggers = vec![
        Trigger { condition: Condition::DataBelow(DataSize(500_000_000)), line: 1 },
        Trigger { condition: Condition::PlanEndsWithin(Secs::hours(24)), line: 2 },
    ];
    rule.buy = vec![Buy { choice, line: 3 }];
    // The last day, not the first after it.
    rule.until = Some(trip.until().minus(Secs(1)).date_in(&TimeZone::UTC));
    rule
}
