//! What `plan` says on one day against what is then bought: cards of a known habit are kept for weeks by the daemon's own
//! decisions, everything is foreseen, and then the days come.

use jiff::tz::TimeZone;
use simkeeper_domain::domain::assess::{Action, assess};
use simkeeper_domain::domain::attempt::{Approval, Attempt, AttemptId, AttemptState, Cause};
use simkeeper_domain::domain::card::{Card, CardId, Name};
use simkeeper_domain::domain::choose::{Occasion, choose};
use simkeeper_domain::domain::data::DataSize;
use simkeeper_domain::domain::forecast::Forecast;
use simkeeper_domain::domain::foresee::{Foreseen, Setting, What, foresee};
use simkeeper_domain::domain::intake::{self, Seen};
use simkeeper_domain::domain::ledger::{Ledger, Spend};
use simkeeper_domain::domain::limits;
use simkeeper_domain::domain::money::Money;
use simkeeper_domain::domain::plan::{Catalogue, Plan};
use simkeeper_domain::domain::reading::{AllowanceKind, Reading, Recent};
use simkeeper_domain::domain::rule::{Buy, Choice, Condition, Line, Mode, Rule, Trigger};
use simkeeper_domain::domain::time::{Secs, UnixTime};

use super::card::SimCard;
use super::draw::{Chance, HOURS, MONDAY, catalogues, invented};

const WORLDS: u64 = 100;
/// Days that the card was kept before it is asked what will come.
const BEFORE: i64 = 42;
/// Days that are foreseen.
const AHEAD: i64 = 30;

/// A card, its use, what is on sale, and its rule.
struct World {
    is_steady: bool,
    /// Bytes that are wanted in each hour.
    wanted: Vec<u64>,
    catalogue: Catalogue,
    rule: Rule,
    first: Plan,
}

impl World {
    fn draw(seed: u64) -> Self {
        let mut chance = Chance(seed, 0);
        let is_steady = chance.share() < 0.5;
        let level = chance.between(0.06, 0.4) * 1e9;
        let day = |day: i64, chance: &mut Chance| {
            let factor = if is_steady {
                1.0
            } else if day % 7 >= 5 {
                2.0
            } else {
                0.6
            };
            level * factor * chance.noise(if is_steady { 0.1 } else { 0.3 })
        };
        let wanted = (0..BEFORE + AHEAD + 1).flat_map(|n| {
            let today = day(n, &mut chance);
            HOURS.map(|share| (today * share / 1_000.0) as u64)
        });
        let wanted = wanted.collect();
        let real = catalogues();
        let plans = real.get(chance.one_of(real.len() * 2)).cloned().unwrap_or_else(|| invented(&mut chance));
        let first = plans[chance.one_of(plans.len())].clone();
        let rule = rule(&mut chance, &first);
        Self { is_steady, wanted, catalogue: Catalogue::of(MONDAY, plans), rule, first }
    }
}

fn rule(chance: &mut Chance, first: &Plan) -> Rule {
    let mut rule = Rule { mode: Mode::Auto, ..Rule::watching(Name::parse("steady").unwrap()) };
    let low = first.contents.data_bytes.unwrap().min(2_000_000_000) as f64 * chance.between(0.1, 0.4);
    let low = Trigger { condition: Condition::DataBelow(DataSize(low as u64)), line: 3 };
    let ends = Trigger { condition: Condition::PlanEndsWithin(Secs::hours(24)), line: 4 };
    rule.renew_when.triggers = if chance.share() < 0.2 { vec![low] } else { vec![low, ends] };
    let size = DataSize((chance.between(0.5, 3.0) * 1e9) as u64);
    let (choice, until) = match chance.one_of(4) {
        0 => (Choice::Same, None),
        1 => (Choice::Named(first.id.clone()), None),
        2 => (Choice::Cheapest { data: Some(size), validity: Some(Secs::days(3)) }, None),
        _ => (Choice::Cover, Some(BEFORE + chance.between(12.0, 45.0) as i64)),
    };
    rule.buy = vec![Buy { choice, line: 6 }];
    rule.until = until.map(|days| MONDAY.plus(Secs::days(days)).date_in(&TimeZone::UTC));
    if chance.share() < 0.2 {
        rule.limits.per_month = Some(Money::new(first.price.ten_thousandths() * 3, first.price.currency()));
    }
    rule
}

/// What was bought.
struct Bought {
    at: UnixTime,
    plan: Plan,
    line: Option<Line>,
}

/// A card that is kept.
struct Kept {
    world: World,
    card: Card,
    sim: SimCard,
    ledger: Ledger,
    readings: Vec<Reading>,
    recent: Recent,
    attempts: Vec<Attempt>,
    last_plan: String,
    next_poll: UnixTime,
    now: UnixTime,
}

impl Kept {
    fn new(world: World) -> Self {
        let mut sim = SimCard::default();
        sim.buy(&world.first);
        sim.use_data(0, MONDAY);
        let card = Card::new(CardId(1), Name::parse("tablet").unwrap(), Name::parse("travel").unwrap());
        let (ledger, last_plan) = (Ledger::default(), world.first.id.clone());
        Self {
            world,
            card,
            sim,
            ledger,
            readings: Vec::new(),
            recent: Recent::default(),
            attempts: Vec::new(),
            last_plan,
            next_poll: MONDAY,
            now: MONDAY,
        }
    }

    fn keep_until(&mut self, until: UnixTime) -> Vec<Bought> {
        let mut bought = Vec::new();
        while self.now < until {
            let hour = (self.now.since(MONDAY).0 / 3_600) as usize;
            self.sim.use_data(self.world.wanted[hour], self.now);
            self.now = self.now.plus(Secs::HOUR);
            if self.now >= self.next_poll {
                bought.extend(self.read());
            }
        }
        bought
    }

    fn read(&mut self) -> Option<Bought> {
        self.take();
        let seen = assess(&self.card, Some(&self.world.rule), &self.recent, &self.ledger, self.now);
        self.next_poll = seen.next_poll_at;
        let line = seen.actions.iter().find_map(|action| match action {
            Action::Renew { trigger, .. } => Some(trigger.line),
            Action::Warn { .. } | Action::NewCycle => None,
        })?;
        let data_use = if self.world.rule.looks_ahead() { self.data_use() } else { Forecast::unseen() };
        let occasion = Occasion {
            card: &self.card,
            rule: &self.world.rule,
            reading: self.readings.last()?,
            last_plan: Some(&self.last_plan),
            data_use: &data_use,
            spends: &self.ledger.spends,
            now: self.now,
        };
        let plan = choose(&occasion, &self.world.catalogue).plan?.clone();
        let limits = &self.world.rule.limits;
        if limits::stops(limits, &plan, &self.ledger.spends, None, &self.card.zone, self.now).is_some() {
            return None;
        }
        self.sim.buy(&plan);
        self.last_plan.clone_from(&plan.id);
        self.ledger.spends.push(Spend { attempt: AttemptId(0), at: self.now, money: plan.price });
        self.ledger.bought_at = Some(self.now);
        self.ledger.cycle += 1;
        self.attempts.push(self.done(&plan));
        // An order is done once a reading shows it.
        self.take();
        Some(Bought { at: self.now, plan, line: Some(line) })
    }

    fn done(&self, plan: &Plan) -> Attempt {
        Attempt {
            id: AttemptId(0),
            card: self.card.id,
            cycle: self.ledger.cycle,
            number: 1,
            account: self.card.account.clone(),
            cause: Cause::Rule { rule: self.world.rule.name.clone(), line: 3 },
            plan: plan.clone(),
            reckoning: None,
            payment: "wallet".to_owned(),
            code: None,
            created_at: self.now,
            approval: Approval::NotNeeded,
            before: None,
            state: AttemptState::Done { at: self.now, order_id: None, charged: None },
            version: 1,
        }
    }

    fn take(&mut self) {
        let reading = self.sim.reading(self.now);
        intake::take(&mut self.recent, &mut 0, &Seen::Good(reading.clone()));
        self.readings.push(reading);
    }

    fn data_use(&self) -> Forecast {
        Forecast::of(AllowanceKind::Data, &self.readings, &TimeZone::UTC, self.now)
    }

    fn foresee(&self) -> Vec<Foreseen> {
        let uses = [(AllowanceKind::Data, self.data_use())];
        let setting = Setting {
            card: &self.card,
            rule: &self.world.rule,
            catalogue: Some(&self.world.catalogue),
            recent: &self.recent,
            ledger: &self.ledger,
            attempts: &self.attempts,
            seller: &self.card.account,
            uses: &uses,
        };
        foresee(&setting, self.now, self.now.plus(Secs::days(AHEAD)))
    }
}

/// How much of what was bought had been said.
#[derive(Debug, Default)]
struct Sum {
    purchases: u32,
    unnamed: u32,
    other_plan: u32,
    only_as_otherwise: u32,
    other_days: u32,
    likely_not_made: u32,
    range_days: i64,
}

impl Sum {
    fn add(&mut self, said: &[Foreseen], bought: &[Bought], until: UnixTime) {
        let named: Vec<&Foreseen> = said.iter().filter(|one| one.what.bought().is_some()).collect();
        let expected = named.iter().filter(|one| one.when.late.is_some_and(|at| at < until)).count();
        self.likely_not_made += expected.saturating_sub(bought.len()) as u32;
        for (number, bought) in bought.iter().enumerate() {
            self.purchases += 1;
            let Some(named) = named.get(number) else {
                self.unnamed += 1;
                continue;
            };
            let line = named.check.map(|check| check.trigger.line);
            let as_said = named.what.bought() == Some(&bought.plan) && line == bought.line;
            let otherwise = named.otherwise.iter().any(|other| other.plan == bought.plan && other.line == bought.line);
            self.only_as_otherwise += u32::from(!as_said && otherwise);
            self.other_plan += u32::from(!as_said && !otherwise);
            let late = named.when.late.unwrap_or(UnixTime::MAX);
            let day = |at: UnixTime| at.secs().div_euclid(86_400);
            let inside = (day(named.when.early)..=day(late)).contains(&day(bought.at));
            self.other_days += u32::from(!inside);
            self.range_days += day(late.min(until)) - day(named.when.early) + 1;
        }
    }

    fn say(&self, name: &str) {
        let all = f64::from(self.purchases.max(1));
        println!(
            "{name}: {} purchases; {} not said, {} of another plan or line ({} more as said for more or less use), {:.1} % in the range of days that was said, which was {:.1} days wide; {} more that were sure were not made",
            self.purchases,
            self.unnamed,
            self.other_plan,
            self.only_as_otherwise,
            100.0 - f64::from(self.other_days) * 100.0 / all,
            self.range_days as f64 / all,
            self.likely_not_made
        );
    }
}

#[test]
fn what_is_bought_is_what_was_said_before() {
    let (mut steady, mut weekends, mut limited) = (Sum::default(), Sum::default(), 0);
    for seed in 1..=WORLDS {
        let mut kept = Kept::new(World::draw(seed));
        kept.keep_until(MONDAY.plus(Secs::days(BEFORE)));
        let said = kept.foresee();
        let until = kept.now.plus(Secs::days(AHEAD));
        let bought = kept.keep_until(until);
        limited += said.iter().filter(|one| matches!(one.what, What::OverLimit(..))).count();
        let sum = if kept.world.is_steady { &mut steady } else { &mut weekends };
        sum.add(&said, &bought, until);
    }
    steady.say("steady");
    weekends.say("heavy at weekends");
    println!("{limited} times a limit was said to be in the way");
    assert_eq!((steady.unnamed, steady.likely_not_made), (0, 0));
    assert!(limited > 0);
    for sum in [&steady, &weekends] {
        assert!(sum.purchases > 100);
        assert!(sum.other_days * 10 <= sum.purchases, "{sum:?}");
        assert!((sum.other_plan + sum.unnamed) * 40 <= sum.purchases, "{sum:?}");
    }
}
