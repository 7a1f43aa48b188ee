//! How a world begins: its operators, cards and rules, all from the seed.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use simkeeper::domain::card::{Card, CardId, Name};
use simkeeper::domain::data::{DataSize, Percent};
use simkeeper::domain::operator::{Account, Capabilities, Lookup, Proof, Repeat, Stacking};
use simkeeper::domain::plan::{Contents, Plan};
use simkeeper::domain::rule::{Buy, Choice, Condition, Limits, Mode, Rule, Trigger};
use simkeeper::domain::time::{LocalHours, Secs};

use super::World;
use super::card::{CardTruth, Kind, Package, usd};
use super::operator::OperatorTruth;
use crate::chance::Chance;
use crate::faults::{Faults, Switches};
use crate::oracle::facts::Fact;

const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;
/// When every world begins: 2027-01-01T00:00:00Z.
pub const BEGINS: i64 = 1_798_761_600;

/// How large a world is, and what may go wrong in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How many cards.
    pub cards: usize,
    /// How many days it lasts.
    pub days: i64,
    /// What may go wrong.
    pub switches: Switches,
}

impl Settings {
    /// Eight cards for a year, with faults by chance; one seed in fifty without any, and one with all.
    #[must_use]
    pub const fn of_seed(seed: u64) -> Self {
        let switches = match seed % 50 {
            0 => Switches::AllOff,
            25 => Switches::AllOn,
            _ => Switches::Chance,
        };
        Self { cards: 8, days: 365, switches }
    }

    /// The card-years of such a world, in hundredths.
    #[must_use]
    pub const fn card_years(&self) -> f64 {
        self.cards as f64 * self.days as f64 / 365.0
    }
}

impl World {
    /// The world of a seed.
    #[must_use]
    pub fn new(seed: u64, settings: &Settings) -> Self {
        let mut chance = Chance::new(seed, 1);
        let operators: Vec<OperatorTruth> = (0..3).map(|class| operator(class, &mut chance)).collect();
        let cards: Vec<CardTruth> = (0..settings.cards)
            .map(|place| card(place, &operators, &mut Chance::new(seed, 100 + place as u64)))
            .collect();
        let calm = settings.switches.lets_live();
        let facts = (0..).zip(&cards).map(|(place, card)| first_fact(place, card, calm)).collect();
        let faults = Faults::new(seed, settings.switches, settings.cards + 1);
        Self { seed, faults, operators, cards, facts }
    }
}

fn first_fact(place: usize, truth: &CardTruth, calm: bool) -> Fact {
    let over = truth.rule.until.map(|day| simkeeper::domain::time::day_after(day, &truth.card.zone).secs());
    Fact::Card {
        card: place,
        covered_until: truth.covered_until(BEGINS),
        lead_secs: truth.lead_secs,
        // Data that is used up has no date of which anybody could warn.
        ends: truth.kind != Kind::Credit && truth.rule.renew_when.triggers.len() == 1,
        month_limit: truth.rule.limits.per_month.map(|limit| limit.ten_thousandths()),
        rule_over_at: over,
        must_live: calm && over.is_none() && truth.rule.mode == Mode::Auto && truth.rule.limits.per_month.is_none(),
    }
}

// Names and dates of the worlds are constants that parse.
fn name(text: &str) -> Name {
    Name::parse(text).unwrap_or_else(|wrong| unreachable!("{wrong}"))
}

const NAMES: [&str; 3] = ["alpha", "beta", "gamma"];

/// What each class can do; the rest by chance.
fn operator(class: usize, chance: &mut Chance) -> OperatorTruth {
    let documented = chance.percent(60);
    let processing_secs = *chance.pick(&[120, HOUR, 12 * HOUR]);
    let listing_secs = *chance.pick(&[0, 60, HOUR, 6 * HOUR]);
    let lookup = if chance.percent(50) {
        Lookup::ByRef { listing_delay_secs: listing_secs }
    } else {
        Lookup::ByList { listing_delay_secs: listing_secs }
    };
    let window = Secs(*chance.pick(&[HOUR / 2, 6 * HOUR, 24 * HOUR, 30 * DAY]));
    let refuses = chance.percent(30);
    let blind = chance.percent(20);
    let (repeat, lookup) = match class {
        0 if refuses => (Repeat::Refuses, lookup),
        0 if blind => (Repeat::Replays(window), Lookup::None),
        0 => (Repeat::Replays(window), lookup),
        1 => (Repeat::Pays, lookup),
        _ => (Repeat::Pays, Lookup::None),
    };
    // Nobody could learn of it where nothing can be looked up.
    let turns = chance.percent(50) && lookup != Lookup::None;
    let proof = [Proof::AssetIds, Proof::Expiry, Proof::Balance][(class + chance.below(3) as usize) % 3];
    let poll_every = Secs(*chance.pick(&[12 * HOUR, DAY, 2 * DAY]));
    OperatorTruth {
        account: Account {
            name: name(NAMES[class]),
            payment: if chance.percent(30) { vec!["wallet".into(), "card".into()] } else { Vec::new() },
            support: None,
            poll_every,
        },
        class,
        capabilities: Capabilities {
            repeat,
            burns_key: chance.percent(50),
            lookup,
            processing_max: documented.then_some(Secs(processing_secs)),
            proof,
            late_change: turns.then_some(Secs::days(14)),
            two_phase: None,
            read_batch: 1,
            cached_for: Secs::minutes(*chance.pick(&[1, 20, 60])),
            effect_max: Secs(*chance.pick(&[600, HOUR, 24 * HOUR])),
            takes_codes: chance.percent(30),
            discovers: false,
            stacking: Stacking::Unknown,
        },
        plans: plans(proof, chance),
        plans_gone_until: 0,
        wallet: 2_000 * 10_000,
        down_until: 0,
        lookups_down_until: 0,
        tells_age: chance.percent(50),
        lists_refused: chance.percent(50),
        processing_secs,
        listing_secs,
        book: Vec::new(),
        week: -1,
    }
}

fn plans(proof: Proof, chance: &mut Chance) -> Vec<Plan> {
    let base = chance.between(3, 12) * 10_000;
    let plan = |id: &str, bytes: Option<u64>, days: Option<i64>, credit: Option<i64>, price: i64| Plan {
        id: id.to_owned(),
        name: format!("Plan {id}"),
        contents: Contents { data_bytes: bytes, credit: credit.map(usd), ..Contents::default() },
        validity_secs: days.map(|days| days * DAY),
        price: usd(price),
    };
    match proof {
        Proof::AssetIds => vec![
            plan("small", Some(3_000_000_000), Some(30), None, base),
            plan("large", Some(6_000_000_000), Some(30), None, base + base / 2),
        ],
        Proof::Expiry => {
            vec![plan("month", None, Some(30), None, base), plan("quarter", None, Some(90), None, base * 2)]
        }
        Proof::Balance | Proof::Order => {
            vec![plan("ten", None, None, Some(100_000), 100_000), plan("twenty", None, None, Some(200_000), 200_000)]
        }
    }
}

fn card(place: usize, operators: &[OperatorTruth], chance: &mut Chance) -> CardTruth {
    let reader = place % operators.len();
    let account = &operators[reader];
    let mut card =
        Card::new(CardId(place as i64 + 1), name(&format!("card-{}", place + 1)), account.account.name.clone());
    // Another account sells the same, as resellers of one network do.
    let same = |other: &&OperatorTruth| other.class != reader && other.capabilities.proof == account.capabilities.proof;
    if let Some(other) = operators.iter().find(same).filter(|_| chance.percent(60)) {
        card.sellers.push(other.account.name.clone());
    }
    let zones = ["UTC", "America/Toronto", "Australia/Lord_Howe", "Europe/London", "Asia/Shanghai"];
    card.zone = TimeZone::get(zones[chance.below(zones.len() as u64) as usize]).unwrap_or(TimeZone::UTC);
    card.rule = Some(name("keep"));
    let kind = match account.capabilities.proof {
        Proof::AssetIds => Kind::Plans,
        Proof::Expiry => Kind::Number,
        Proof::Balance | Proof::Order => Kind::Credit,
    };
    let lead = Secs::days(if account.class == 2 { 10 } else { 7 });
    let (used_a_day, lead_secs, conditions) = needs(kind, lead, chance);
    let rule = rule(kind, conditions, chance);
    let first = BEGINS + chance.between(11, 28) * DAY;
    let mut truth = CardTruth {
        card,
        rule,
        rule_back_at: 0,
        kind,
        used_a_day,
        lead_secs,
        packages: Vec::new(),
        number: Vec::new(),
        credit: Vec::new(),
        blocked_until: 0,
        poisoned_until: 0,
        shift_secs: 0,
        order_state: 0,
        coming: Vec::new(),
        next_asset: 1,
        reads: 0,
        told_end: None,
    };
    match kind {
        Kind::Plans => truth.packages.push(Package {
            asset: 0,
            added_at: 0,
            starts_at: BEGINS - DAY,
            ends_at: first,
            bytes: 3_000_000_000,
            gone_at: i64::MAX,
        }),
        Kind::Number => truth.number.push((0, first)),
        Kind::Credit => truth.credit.push((BEGINS - DAY, chance.between(4, 10) * 10_000)),
    }
    truth
}

/// What is used a day, how long before the end the rule begins to buy, and its conditions.
fn needs(kind: Kind, lead: Secs, chance: &mut Chance) -> (i64, i64, Vec<Condition>) {
    match kind {
        Kind::Plans => {
            let used = chance.between(50, 140) * 1_000_000;
            let below = DataSize(500_000_000);
            let by_data = 500_000_000 * DAY / used;
            match chance.below(3) {
                0 => (used, lead.0.max(by_data), vec![Condition::PlanEndsWithin(lead), Condition::DataBelow(below)]),
                1 => (used, lead.0.max(by_data), vec![Condition::DataBelow(below), Condition::PlanEndsWithin(lead)]),
                _ => (chance.between(20, 90) * 1_000_000, lead.0, vec![Condition::PlanEndsWithin(lead)]),
            }
        }
        Kind::Number => (1, lead.0, vec![Condition::NumberEndsWithin(lead)]),
        Kind::Credit => {
            let used = chance.between(2_000, 5_000);
            let below = used * (lead.0 / DAY);
            (used, lead.0, vec![Condition::CreditBelow(usd(below))])
        }
    }
}

fn rule(kind: Kind, conditions: Vec<Condition>, chance: &mut Chance) -> Rule {
    let mut rule = Rule::watching(name("keep"));
    rule.mode = match chance.below(10) {
        0 => Mode::Watch,
        1 | 2 => Mode::Ask,
        _ => Mode::Auto,
    };
    rule.renew_when.triggers =
        conditions.into_iter().zip(10..).map(|(condition, line)| Trigger { condition, line }).collect();
    let choice = match kind {
        Kind::Plans if chance.percent(50) => {
            Choice::Cheapest { data: Some(DataSize(1_000_000_000)), validity: Some(Secs::days(20)) }
        }
        Kind::Plans => Choice::Named("small".to_owned()),
        Kind::Number if chance.percent(50) => Choice::Named("Plan month".to_owned()),
        Kind::Number => Choice::Named("quarter".to_owned()),
        Kind::Credit => Choice::Credit(usd(100_000)),
    };
    rule.buy = vec![Buy { choice, line: 20 }];
    rule.limits = Limits {
        per_renewal: chance.percent(30).then_some(usd(300_000)),
        per_month: chance.percent(50).then_some(usd(chance.between(20, 60) * 10_000)),
        renewals_per_day: chance.percent(50).then_some(1),
        price_rise: Some(Percent(10)),
        ..Limits::default()
    };
    rule.hours = chance.percent(20).then(|| LocalHours::parse("01:00-06:00").ok()).flatten();
    rule.codes = if chance.percent(20) { vec!["WINTER".into(), "SPRING".into()] } else { Vec::new() };
    rule.until = chance.percent(10).then(|| Date::new(2027, 9, 20).ok()).flatten();
    rule
}
