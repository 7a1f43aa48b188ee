//! What a trip is drawn from: how long, how much is used in each hour, what is on sale, what is on the card at the start.

use simkeeper_domain::domain::money::{Currency, Money};
use simkeeper_domain::domain::plan::{Contents, Plan};
use simkeeper_domain::domain::retry::mixed;
use simkeeper_domain::domain::time::{Secs, UnixTime};

/// A Monday, at midnight UTC.
pub(crate) const MONDAY: UnixTime = UnixTime::clamped(1_788_739_200);
const GB: f64 = 1e9;
/// Shares of a day's use that fall into its hours, in thousandths.
pub(crate) const HOURS: [f64; 24] = [
    12.0, 8.0, 6.0, 5.0, 5.0, 9.0, 22.0, 40.0, 52.0, 50.0, 48.0, 50.0, 56.0, 52.0, 48.0, 46.0, 48.0, 56.0, 66.0, 76.0,
    84.0, 78.0, 54.0, 29.0,
];

/// Chance that is the same at every run.
pub(crate) struct Chance(pub(crate) u64, pub(crate) u32);

impl Chance {
    /// Between 0 and 1.
    pub(crate) fn share(&mut self) -> f64 {
        self.1 += 1;
        (mixed(self.0, self.1) >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + self.share() * (high - low)
    }

    /// One of so many.
    pub(crate) fn one_of(&mut self, count: usize) -> usize {
        (self.share() * count as f64) as usize
    }

    /// Around 1, more often a little below than far above.
    pub(crate) fn noise(&mut self, width: f64) -> f64 {
        let normal: f64 = (0..12).map(|_| self.share()).sum::<f64>() - 6.0;
        (width * normal).exp()
    }
}

/// A trip.
pub(crate) struct Trip {
    pub(crate) from: UnixTime,
    pub(crate) days: i64,
    /// Bytes that are wanted in each hour from `from` on, beyond the last day too.
    pub(crate) wanted: Vec<u64>,
    pub(crate) plans: Vec<Plan>,
    /// The place of the plan that is on the card at the start.
    pub(crate) first: usize,
}

impl Trip {
    /// Whether a plan of a day is on sale, so that there is something for the last evening too.
    pub(crate) fn sells_days(&self) -> bool {
        self.plans.iter().any(|plan| plan.validity() == Some(Secs::DAY))
    }
}

impl Trip {
    pub(crate) fn draw(seed: u64) -> Self {
        let mut chance = Chance(seed, 0);
        let real = catalogues();
        let choice = chance.one_of(real.len() * 2);
        let plans = real.get(choice).cloned().unwrap_or_else(|| invented(&mut chance));
        let days = chance.between(4.0, 29.0) as i64;
        let from = MONDAY.plus(Secs::days(chance.one_of(7) as i64));
        let wanted = wanted(&mut chance, from, days + 40);
        let first = chance.one_of(plans.len());
        Self { from, days, wanted, plans, first }
    }

    pub(crate) fn until(&self) -> UnixTime {
        self.from.plus(Secs::days(self.days))
    }
}

/// Steady, heavy at weekends, or in bursts.
fn wanted(chance: &mut Chance, from: UnixTime, days: i64) -> Vec<u64> {
    let (level, kind) = (chance.between(0.06, 0.5) * GB, chance.one_of(3));
    let first = from.since(MONDAY).0 / 86_400;
    let mut wanted = Vec::new();
    for day in first..first + days {
        let factor = match kind {
            0 => 1.0,
            1 if day % 7 >= 5 => 2.0,
            1 => 0.6,
            _ if chance.share() < 0.15 => 3.0,
            _ => 0.65,
        };
        let today = level * factor * chance.noise(0.3);
        wanted.extend(HOURS.map(|share| (today * share / 1_000.0) as u64));
    }
    wanted
}

fn plan(name: &str, gigabytes: f64, days: i64, cents: i64) -> Plan {
    Plan {
        id: name.to_owned(),
        name: name.to_owned(),
        contents: Contents { data_bytes: Some((gigabytes * GB) as u64), ..Contents::default() },
        validity_secs: Some(Secs::days(days).0),
        price: Money::new(cents * 100, Currency::USD),
    }
}

/// Sizes and lengths as travel eSIMs have them; the more at once, the cheaper.
pub(crate) fn invented(chance: &mut Chance) -> Vec<Plan> {
    let gigabyte = chance.between(100.0, 450.0);
    let (discount, day) = (chance.between(0.7, 0.95), chance.between(5.0, 40.0));
    let mut plans = Vec::new();
    for (gigabytes, days) in
        [(0.5, 1), (1.0, 3), (1.0, 7), (2.0, 15), (3.0, 15), (3.0, 30), (5.0, 30), (10.0, 30), (20.0, 30)]
    {
        if chance.share() < 0.75 {
            let cents = gigabyte * f64::powf(gigabytes, discount) + day * f64::powf(days as f64, 0.8);
            let cents = cents * chance.between(0.9, 1.1);
            plans.push(plan(&format!("{gigabytes}gb-{days}d"), gigabytes, days, (cents / 10.0).round() as i64 * 10));
        }
    }
    if plans.is_empty() { vec![plan("1gb-7d", 1.0, 7, 450)] } else { plans }
}

/// What operators sell, by their own documents; see the file.
pub(crate) fn catalogues() -> Vec<Vec<Plan>> {
    let text = include_str!("catalogues.txt");
    let mut all: Vec<Vec<Plan>> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["catalogue", _] => all.push(Vec::new()),
            [id, megabytes, days, cents] => {
                let gigabytes = megabytes.parse::<f64>().unwrap() / 1_000.0;
                let sold = plan(id, gigabytes, days.parse().unwrap(), cents.parse().unwrap());
                all.last_mut().unwrap().push(sold);
            }
            _ => panic!("{line}"),
        }
    }
    all
}
