//! A card at the operator: what it may use, how it is used as time goes by, and what an order puts on it.

use serde::{Deserialize, Serialize};

use super::guest::DailyUse;
use super::habit::{used_between, used_evenly};
use super::package::{Package, PackageState, draw};
use super::plans::CardKind;
use crate::domain::identity::luhn_digit;
use crate::domain::money::{Currency, Money};
use crate::domain::operator::Stacking;
use crate::domain::plan::Plan;
use crate::domain::retry::mixed;
use crate::domain::time::{Secs, UnixTime};

/// Packages that a card's answer lists; the oldest ended ones leave first.
const PACKAGES_MAX: usize = 16;
/// How long a number is kept after the last purchase for it.
const NUMBER_KEPT: Secs = Secs::days(180);
/// The first digits of every card of a fleet: 89 for telecommunications, 999 for nobody's country.
const FLEET_PREFIX: &str = "8999900";

/// What the operator has set a card to. Used up and run out follow from its packages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Life {
    /// An eSIM that no device has installed.
    NotInstalled,
    /// Installed, never used.
    NotActive,
    /// In use.
    #[default]
    Live,
    /// Blocked.
    Blocked,
    /// The number was taken back.
    Recycled,
}

/// A card to be added. Only the ICCID must be told; see [`NewCard::new`] for the rest.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewCard {
    /// The number of the card, digits only.
    pub iccid: String,
    /// The phone number, digits only.
    #[serde(default)]
    pub msisdn: Option<String>,
    /// What it is made for.
    #[serde(default = "data_kind")]
    pub kind: CardKind,
    /// What the operator has set it to.
    #[serde(default)]
    pub life: Life,
    /// Bytes used on an average day.
    #[serde(default)]
    pub data_per_day: u64,
    /// Seconds of calls on an average day.
    #[serde(default)]
    pub voice_secs_per_day: u64,
    /// Texts on an average day.
    #[serde(default)]
    pub sms_per_day: u64,
    /// Credit at the start.
    #[serde(default)]
    pub credit: Option<Money>,
    /// Credit that goes on an average day, in ten-thousandths of the currency's unit.
    #[serde(default)]
    pub credit_per_day: u64,
    /// When the credit is lost.
    #[serde(default)]
    pub credit_ends: Option<UnixTime>,
    /// When the number is taken back.
    #[serde(default)]
    pub number_ends: Option<UnixTime>,
    /// The package it starts with: the id of a plan.
    #[serde(default)]
    pub plan: Option<String>,
    /// When that package ends; its plan's validity from now, unless told.
    #[serde(default)]
    pub plan_ends: Option<UnixTime>,
    /// Bytes of that package that are used already.
    #[serde(default)]
    pub data_used: u64,
}

const fn data_kind() -> CardKind {
    CardKind::Data
}

impl NewCard {
    /// A live data card that nobody uses and that has nothing on it.
    #[must_use]
    pub fn new(iccid: &str) -> Self {
        Self {
            iccid: iccid.to_owned(),
            msisdn: None,
            kind: CardKind::Data,
            life: Life::Live,
            data_per_day: 0,
            voice_secs_per_day: 0,
            sms_per_day: 0,
            credit: None,
            credit_per_day: 0,
            credit_ends: None,
            number_ends: None,
            plan: None,
            plan_ends: None,
            data_used: 0,
        }
    }
}

/// What to change on a card; what is not told stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CardChange {
    /// What the operator sets it to.
    pub life: Option<Life>,
    /// Bytes used on an average day from now on.
    pub data_per_day: Option<u64>,
    /// The credit.
    pub credit: Option<Money>,
    /// When the credit is lost.
    pub credit_ends: Option<UnixTime>,
    /// When the number is taken back.
    pub number_ends: Option<UnixTime>,
    /// When the last package ends.
    pub plan_ends: Option<UnixTime>,
    /// Bytes to be used at once.
    pub use_data: Option<u64>,
}

/// One card.
#[derive(Clone, Debug)]
pub(super) struct SimCard {
    pub(super) iccid: String,
    pub(super) msisdn: Option<String>,
    pub(super) kind: CardKind,
    pub(super) life: Life,
    pub(super) packages: Vec<Package>,
    /// Ten-thousandths of the unit.
    pub(super) credit: Option<i64>,
    pub(super) credit_ends: Option<UnixTime>,
    pub(super) number_ends: Option<UnixTime>,
    pub(super) data_per_day: u64,
    voice_secs_per_day: u64,
    sms_per_day: u64,
    credit_per_day: u64,
    salt: u64,
    /// The same use each day, in place of the above.
    pub(super) steady: Option<DailyUse>,
    /// Its own currency, where that is not the sandbox's.
    pub(super) currency: Option<Currency>,
    /// What is sold for it, in place of what is sold for its kind.
    pub(super) own_plans: Option<Vec<Plan>>,
    /// What becomes of a plan that is bought while another still runs, where that is not as the sandbox has it.
    pub(super) stacking: Option<Stacking>,
    /// Up to when use has been counted.
    counted_to: UnixTime,
    /// The last answer and its time, given again while the operator's cache lasts.
    pub(super) cached: Option<(UnixTime, Vec<u8>)>,
    /// An old answer, kept to be given instead of a new one.
    pub(super) frozen: Option<Vec<u8>>,
}

impl SimCard {
    /// A card as it was asked for; `plan` is the one its package is made of.
    pub(super) fn added(new: NewCard, plan: Option<&Plan>, seed: u64, now: UnixTime) -> Self {
        let salt = new.iccid.bytes().fold(seed, |salt, byte| mixed(salt, u32::from(byte)));
        let mut packages = Vec::new();
        if let Some(plan) = plan {
            let ends = new.plan_ends.unwrap_or_else(|| now.plus(plan.validity().unwrap_or(Secs::days(30))));
            let mut first = Package::bought(format!("{}-0", new.iccid), plan, now, ends);
            if let Some(meter) = &mut first.data {
                meter.used = new.data_used.min(meter.total);
            }
            packages.push(first);
        }
        Self {
            iccid: new.iccid,
            msisdn: new.msisdn,
            kind: new.kind,
            life: new.life,
            packages,
            credit: new.credit.map(Money::ten_thousandths),
            credit_ends: new.credit_ends,
            number_ends: new.number_ends,
            data_per_day: new.data_per_day,
            voice_secs_per_day: new.voice_secs_per_day,
            sms_per_day: new.sms_per_day,
            credit_per_day: new.credit_per_day,
            salt,
            steady: None,
            currency: None,
            own_plans: None,
            stacking: None,
            counted_to: now,
            cached: None,
            frozen: None,
        }
    }

    /// Card number `index` of the fleet that `seed` makes, as it is when the operator opens at `opened`.
    pub(super) fn of_fleet(index: u32, seed: u64, plan: Option<&Plan>, opened: UnixTime) -> Self {
        let chance = mixed(seed, index);
        let new = NewCard {
            msisdn: Some(format!("9990{index:09}")),
            data_per_day: 5_000_000 + chance % 95_000_000,
            plan_ends: Some(opened.plus(Secs((chance >> 32) as i64 % (30 * 86_400)))),
            data_used: (chance >> 20) % 1_000_000_000,
            ..NewCard::new(&fleet_iccid(index))
        };
        Self::added(new, plan, seed, opened)
    }

    /// Counts what was used until `now`.
    pub(super) fn advance(&mut self, now: UnixTime) {
        while self.counted_to < now {
            let from = self.counted_to;
            let next_end = self.packages.iter().map(|package| package.ends).filter(|ends| *ends > from).min();
            let until = next_end.map_or(now, |ends| ends.min(now));
            if self.life == Life::Live {
                self.use_between(from, until);
            }
            self.counted_to = until;
        }
    }

    fn use_between(&mut self, from: UnixTime, until: UnixTime) {
        let [mut data, mut voice, mut sms, spent] = self.used_between(from, until);
        for package in self.packages.iter_mut().filter(|package| package.ends > from) {
            draw(package.data.as_mut(), &mut data);
            draw(package.voice.as_mut(), &mut voice);
            draw(package.sms.as_mut(), &mut sms);
        }
        if let Some(credit) = &mut self.credit {
            *credit -= i64::try_from(spent).unwrap_or(i64::MAX).min((*credit).max(0));
            if self.credit_ends.is_some_and(|ends| ends <= until) {
                *credit = 0;
            }
        }
    }

    /// Data, calls, texts and credit.
    fn used_between(&self, from: UnixTime, until: UnixTime) -> [u64; 4] {
        if let Some(uses) = self.steady {
            return [uses.data, uses.voice_secs, uses.sms, uses.credit]
                .map(|per_day| used_evenly(per_day, from, until));
        }
        let amount = |per_day: u64, what: u64| used_between(per_day, self.salt ^ what, from, until);
        [
            amount(self.data_per_day, 0),
            amount(self.voice_secs_per_day, 1),
            amount(self.sms_per_day, 2),
            amount(self.credit_per_day, 3),
        ]
    }

    /// Uses data at once, as far as there is any.
    pub(super) fn use_data(&mut self, mut bytes: u64) {
        let counted_to = self.counted_to;
        for package in self.packages.iter_mut().filter(|package| package.ends > counted_to) {
            draw(package.data.as_mut(), &mut bytes);
        }
        self.cached = None;
    }

    /// Puts a plan on the card, its credit to the credit.
    pub(super) fn receive(&mut self, id: String, plan: &Plan, stacking: Stacking, now: UnixTime) {
        self.advance(now);
        let validity = plan.validity().unwrap_or(Secs::days(30));
        if let Some(credit) = plan.contents.credit {
            self.credit = Some(self.credit.unwrap_or(0).saturating_add(credit.ten_thousandths()));
            self.credit_ends = Some(self.credit_ends.unwrap_or(now).max(now.plus(validity)));
        }
        if let Some(ends) = self.number_ends {
            self.number_ends = Some(ends.max(now.plus(NUMBER_KEPT)));
        }
        let begun = |starts: UnixTime| Package::bought(id.clone(), plan, starts, starts.plus(validity));
        let behind = self.plan_ends().unwrap_or(now).max(now);
        let package = match stacking {
            _ if plan.contents.credit.is_some() => begun(now),
            Stacking::Queues | Stacking::Unknown => begun(behind),
            Stacking::Beside => begun(now),
            Stacking::Extends => {
                let ends = behind.plus(validity);
                self.running(now).for_each(|package| package.ends = ends);
                Package { starts: now, lengthens: validity, ..begun(behind) }
            }
        };
        self.packages.push(package);
        if self.packages.len() > PACKAGES_MAX {
            let oldest = self.packages.iter().position(|package| package.ends <= now).unwrap_or(0);
            self.packages.remove(oldest);
        }
    }

    /// What holds something to use and has not ended.
    fn running(&mut self, now: UnixTime) -> impl Iterator<Item = &mut Package> {
        self.packages.iter_mut().filter(move |package| package.has_meters() && package.ends > now)
    }

    /// Takes a package away again, and what it lengthened has its own length again.
    pub(super) fn give_back(&mut self, id: &str) {
        let Some(place) = self.packages.iter().position(|package| package.id == id) else { return };
        let package = self.packages.remove(place);
        if let (Some(credit), Some(taken)) = (&mut self.credit, package.credit) {
            *credit -= taken;
        }
        let lengthened = self.packages.iter_mut().filter(|other| other.ends == package.ends);
        lengthened.for_each(|other| other.ends = other.ends.minus(package.lengthens));
        self.cached = None;
    }

    /// When the last of what can be used ends.
    pub(super) fn plan_ends(&self) -> Option<UnixTime> {
        self.packages.iter().filter(|package| package.has_meters()).map(|package| package.ends).max()
    }

    /// The package in use, or else the last one.
    pub(super) fn present_plan(&self, now: UnixTime) -> Option<&str> {
        let with_meters = || self.packages.iter().filter(|package| package.has_meters());
        let active = with_meters().find(|package| package.state(now) == PackageState::Active);
        active.or_else(|| with_meters().next_back()).map(|package| package.plan.as_str())
    }

    /// The card's state in the words of the wire.
    pub(super) fn state_word(&self, now: UnixTime) -> &'static str {
        match self.life {
            Life::NotInstalled => "not_installed",
            Life::NotActive => "not_active",
            Life::Blocked => "blocked",
            Life::Recycled => "recycled",
            Life::Live => self.live_word(now),
        }
    }

    fn live_word(&self, now: UnixTime) -> &'static str {
        let mut last = None;
        for package in self.packages.iter().filter(|package| package.has_meters()) {
            match package.state(now) {
                PackageState::Active | PackageState::Queued => return "active",
                PackageState::Finished => last = Some("finished"),
                PackageState::Expired => last = Some("expired"),
            }
        }
        if self.credit.is_some() { "active" } else { last.unwrap_or("active") }
    }

    pub(super) fn change(&mut self, change: &CardChange, now: UnixTime) {
        self.advance(now);
        self.life = change.life.unwrap_or(self.life);
        self.data_per_day = change.data_per_day.unwrap_or(self.data_per_day);
        self.credit = change.credit.map(Money::ten_thousandths).or(self.credit);
        self.credit_ends = change.credit_ends.or(self.credit_ends);
        self.number_ends = change.number_ends.or(self.number_ends);
        if let (Some(ends), Some(last)) = (change.plan_ends, self.packages.last_mut()) {
            last.ends = ends;
        }
        if let Some(bytes) = change.use_data {
            self.use_data(bytes);
        }
        self.cached = None;
    }
}

/// The number of card `index` of every fleet: nineteen digits, the last a right check digit.
pub(super) fn fleet_iccid(index: u32) -> String {
    let body = format!("{FLEET_PREFIX}{index:011}");
    let check = luhn_digit(&body);
    format!("{body}{check}")
}

/// Which card of a fleet this number is, if it is one.
pub(super) fn fleet_index(iccid: &str) -> Option<u32> {
    let digits = iccid.strip_prefix(FLEET_PREFIX).filter(|digits| digits.len() == 12)?;
    let index = digits.get(..11)?.parse().ok()?;
    let (body, check) = iccid.split_at_checked(18)?;
    let right = digits.bytes().all(|byte| byte.is_ascii_digit()) && check.parse() == Ok(luhn_digit(body));
    right.then_some(index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;
    use crate::domain::plan::Contents;

    const NOW: UnixTime = UnixTime::clamped(1_800_000_000);

    fn plan(bytes: u64, days: i64) -> Plan {
        Plan {
            id: "p".into(),
            name: "p".into(),
            contents: Contents { data_bytes: Some(bytes), ..Contents::default() },
            validity_secs: Some(days * 86_400),
            price: Money::new(1, Currency::USD),
        }
    }

    fn card(data_per_day: u64) -> SimCard {
        let new = NewCard { data_per_day, ..NewCard::new("8944501312167518236") };
        SimCard::added(new, Some(&plan(1_000, 7)), 1, NOW)
    }

    #[test]
    fn use_goes_on_until_nothing_is_left_and_does_not_depend_on_when_it_is_read() {
        let (mut often, mut once) = (card(200), card(200));
        for hour in 1..=48 {
            often.advance(NOW.plus(Secs::hours(hour)));
        }
        once.advance(NOW.plus(Secs::hours(48)));
        let left = |card: &SimCard| card.packages[0].data.unwrap().left();
        assert_eq!(left(&often), left(&once));
        assert!((400..=800).contains(&left(&once)), "{}", left(&once));
        let mut thirsty = card(2_000);
        thirsty.advance(NOW.plus(Secs::days(3)));
        assert_eq!(thirsty.state_word(NOW.plus(Secs::days(3))), "finished");
        assert_eq!(once.state_word(NOW.plus(Secs::days(7))), "expired");
    }

    #[test]
    fn a_second_plan_waits_behind_the_first_and_adds_its_time() {
        let mut card = card(0);
        card.receive("b".into(), &plan(500, 7), Stacking::Queues, NOW.plus(Secs::days(6)));
        assert_eq!(card.plan_ends(), Some(NOW.plus(Secs::days(14))));
        assert_eq!(card.packages[1].state(NOW.plus(Secs::days(6))), PackageState::Queued);
        card.use_data(1_100);
        assert_eq!(card.packages[0].state(NOW.plus(Secs::days(6))), PackageState::Finished);
        assert_eq!(card.packages[1].state(NOW.plus(Secs::days(6))), PackageState::Active);
        card.give_back("b");
        assert_eq!(card.plan_ends(), Some(NOW.plus(Secs::days(7))));
    }

    #[test]
    fn a_second_plan_beside_the_first_begins_at_once_and_leaves_it_alone() {
        let mut card = card(0);
        card.receive("b".into(), &plan(500, 7), Stacking::Beside, NOW.plus(Secs::days(6)));
        assert_eq!(card.packages[1].state(NOW.plus(Secs::days(6))), PackageState::Active);
        let ends: Vec<UnixTime> = card.packages.iter().map(|package| package.ends).collect();
        assert_eq!(ends, [NOW.plus(Secs::days(7)), NOW.plus(Secs::days(13))]);
    }

    #[test]
    fn a_second_plan_that_extends_the_first_adds_its_time_to_all_that_runs_and_takes_it_back() {
        let mut card = card(0);
        let ends = |card: &SimCard| -> Vec<UnixTime> { card.packages.iter().map(|package| package.ends).collect() };
        card.receive("b".into(), &plan(500, 7), Stacking::Extends, NOW.plus(Secs::days(6)));
        assert_eq!(card.packages[1].state(NOW.plus(Secs::days(6))), PackageState::Active);
        assert_eq!(ends(&card), [NOW.plus(Secs::days(14)); 2]);
        card.receive("c".into(), &plan(500, 3), Stacking::Extends, NOW.plus(Secs::days(20)));
        assert_eq!(ends(&card)[2], NOW.plus(Secs::days(23)), "what has ended is not lengthened");
        assert_eq!(ends(&card)[..2], [NOW.plus(Secs::days(14)); 2]);
        card.give_back("b");
        assert_eq!(ends(&card), [NOW.plus(Secs::days(7)), NOW.plus(Secs::days(23))]);
    }

    #[test]
    fn fleet_numbers_count_both_ways() {
        for index in [0, 1, 999_999] {
            assert_eq!(fleet_index(&fleet_iccid(index)), Some(index));
        }
        assert_eq!(fleet_index("8944501312167518236"), None);
        assert_eq!(fleet_index("8999900000000000019"), None);
    }

    #[test]
    fn packages_do_not_pile_up() {
        let mut card = card(0);
        for n in 0..40 {
            card.receive(n.to_string(), &plan(1, 1), Stacking::Queues, NOW.plus(Secs::days(n)));
        }
        assert!(card.packages.len() <= PACKAGES_MAX);
    }
}
