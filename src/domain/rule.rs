//! A rule: when to renew, with what, within which limits. It never buys unless its mode says so.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::activity::Activity;
use super::attempt::AskWhy;
use super::card::Name;
use super::data::{DataSize, Percent};
use super::enough::NotEnough;
use super::keeping::KeepNumber;
use super::money::Money;
use super::rates::Rates;
use super::time::{LocalHours, Secs};
use super::unanswered::Unanswered;

/// What a rule may do by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Reads and tells; buys nothing. The default.
    #[default]
    Watch,
    /// Asks a person before each purchase.
    Ask,
    /// Buys within the limits.
    Auto,
}

/// A place in `rules.toml`, counted from 1.
pub type Line = u32;

/// One condition. "Below" means strictly less than; "within" means this long or less until the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Less data left than this.
    DataBelow(DataSize),
    /// A smaller share of the data left than this.
    DataShareBelow(Percent),
    /// Fewer seconds of calls left.
    VoiceBelow(Secs),
    /// Fewer texts left.
    SmsBelow(u64),
    /// Less credit left.
    CreditBelow(Money),
    /// The plan ends this soon.
    PlanEndsWithin(Secs),
    /// The credit is lost this soon.
    CreditEndsWithin(Secs),
    /// The number is taken back this soon.
    NumberEndsWithin(Secs),
}

/// A condition and where it stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// The condition.
    pub condition: Condition,
    /// Its line.
    pub line: Line,
}

/// How several conditions are joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Join {
    /// One is enough.
    #[default]
    Any,
    /// All must hold.
    All,
}

/// When to renew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RenewWhen {
    /// How the conditions are joined.
    pub join: Join,
    /// The conditions; none means never.
    pub triggers: Vec<Trigger>,
}

/// One entry of the ordered list of what to buy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The plan that the card has, or had last.
    Same,
    /// A plan by its id or its name.
    Named(String),
    /// The cheapest plan with at least this much data, lasting at least this long.
    Cheapest {
        /// Data needed.
        data: Option<DataSize>,
        /// How long it must last.
        validity: Option<Secs>,
    },
    /// The first plan of the cheapest sequence that lasts until the rule's last day is over.
    Cover,
    /// A plain top-up of this amount.
    Credit(Money),
    /// The cheapest thing that counts as activity, so that a number is kept.
    Activity(Vec<Activity>),
}

/// A choice and where it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Buy {
    /// What to buy.
    pub choice: Choice,
    /// Its line.
    pub line: Line,
}

/// Caps on money and counts. Purchases whose result is not known count as spent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// The most one purchase may cost.
    pub per_renewal: Option<Money>,
    /// The most a calendar month may cost, in the card's zone.
    pub per_month: Option<Money>,
    /// The most that one length of the plan may cost.
    pub per_cycle: Option<Money>,
    /// How many purchases within one length of the plan.
    pub renewals_per_cycle: Option<u32>,
    /// How many purchases within 24 hours.
    pub renewals_per_day: Option<u32>,
    /// How much dearer than last time a plan may be; 0% if nothing is said. A dearer one is asked about.
    pub price_rise: Option<Percent>,
    /// What currencies are worth in each other.
    pub rates: Rates,
}

/// When and where somebody travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trip {
    /// Its name.
    pub name: Name,
    /// Its first day.
    pub from: Option<Date>,
    /// Its last day.
    pub until: Date,
    /// How much of a plan's length may lie behind that, if it says so.
    pub outlast: Option<Percent>,
    /// Codes of the countries that it goes to.
    pub places: Vec<String>,
}

/// When to renew, with what, within which limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Its name.
    pub name: Name,
    /// Where it begins in the file.
    pub line: Line,
    /// What it may do by itself.
    pub mode: Mode,
    /// In mode `auto`, a purchase that costs more than this is asked about.
    pub ask_above: Option<Money>,
    /// What it does about a question that nobody answers; waits for ever if nothing is said.
    pub unanswered: Option<Unanswered>,
    /// When to renew.
    pub renew_when: RenewWhen,
    /// What to buy, in this order: the next is used only when the one before is not on sale.
    pub buy: Vec<Buy>,
    /// What it does when the plan cannot lift the card above the conditions; buys it again and again if nothing is said.
    pub if_not_enough: Option<NotEnough>,
    /// First day on which it buys, in the card's zone.
    pub from: Option<Date>,
    /// Last day on which it buys; nothing that outlasts it by more than `outlast` is bought.
    pub until: Option<Date>,
    /// How much of a plan's length may lie behind the last day; a quarter if nothing is said.
    pub outlast: Option<Percent>,
    /// The trip that these two days are of, if they are.
    pub trip: Option<Trip>,
    /// Caps.
    pub limits: Limits,
    /// Hours of the day in which it buys, in the card's zone.
    #[serde(serialize_with = "shown_hours")]
    pub hours: Option<LocalHours>,
    /// Discount codes, tried in this order where the operator takes them.
    pub codes: Vec<String>,
    /// How long before an end to warn, longest first.
    pub warn_before: Vec<Secs>,
    /// Whether cards that are not installed or not active may be topped up.
    pub even_inactive: bool,
    /// Until when the number is kept, where its operator does not tell.
    pub keep_number: Option<KeepNumber>,
}

fn shown_hours<S: serde::Serializer>(hours: &Option<LocalHours>, out: S) -> Result<S::Ok, S::Error> {
    match hours {
        Some(hours) => out.collect_str(hours),
        None => out.serialize_none(),
    }
}

/// The warnings of a rule that names none: a week, three days and one day before an end.
pub const WARN_BEFORE: [Secs; 3] = [Secs::days(7), Secs::days(3), Secs::days(1)];

impl Rule {
    /// Whether it chooses by how data was used, for which readings of the past are needed.
    #[must_use]
    pub fn looks_ahead(&self) -> bool {
        self.buy.iter().any(|entry| entry.choice == Choice::Cover)
    }

    /// Why a purchase at this price is not made without asking, if it is not. What cannot be compared is asked about.
    #[must_use]
    pub fn asks_at(&self, price: Money) -> Option<AskWhy> {
        if self.mode == Mode::Ask {
            return Some(AskWhy::Mode);
        }
        let limit = self.ask_above?;
        match self.limits.rates.convert(price, limit.currency()).map(|worth| worth.exceeds(limit)) {
            Some(Ok(false)) => None,
            Some(Ok(true)) => Some(AskWhy::Above { limit }),
            Some(Err(_)) | None => Some(AskWhy::NoRate { limit }),
        }
    }

    /// The same rule, on the days of a trip.
    #[must_use]
    pub fn during(self, trip: &Trip) -> Self {
        let outlast = trip.outlast.or(self.outlast);
        Self { from: trip.from, until: Some(trip.until), outlast, trip: Some(trip.clone()), ..self }
    }

    /// A rule that watches and has no conditions; the loader and tests fill it.
    #[must_use]
    pub fn watching(name: Name) -> Self {
        Self {
            name,
            line: 1,
            mode: Mode::Watch,
            ask_above: None,
            unanswered: None,
            renew_when: RenewWhen::default(),
            buy: Vec::new(),
            if_not_enough: None,
            from: None,
            until: None,
            outlast: None,
            trip: None,
            limits: Limits::default(),
            hours: None,
            codes: Vec::new(),
            warn_before: WARN_BEFORE.to_vec(),
            even_inactive: false,
            keep_number: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::money::Currency;
    use crate::domain::rates::Rate;
    use crate::domain::testing::{rule, usd};

    #[test]
    fn what_costs_more_than_stated_is_asked_about_and_so_is_what_cannot_be_compared() {
        let mut auto = Rule { ask_above: Some(usd(20)), ..rule(Mode::Auto, &[]) };
        let euro = |amount: i64| Money::new(amount * 10_000, Currency::EUR);
        assert_eq!(auto.asks_at(usd(20)), None, "exactly the amount goes by itself");
        assert_eq!(auto.asks_at(Money::new(200_001, Currency::USD)), Some(AskWhy::Above { limit: usd(20) }));
        assert_eq!(auto.asks_at(euro(1)), Some(AskWhy::NoRate { limit: usd(20) }));
        auto.limits.rates =
            Rates(vec![Rate { of: Currency::EUR, is: Money::new(10_800, Currency::USD), on: date(2026, 11, 1) }]);
        assert_eq!(auto.asks_at(euro(18)), None);
        assert_eq!(auto.asks_at(euro(19)), Some(AskWhy::Above { limit: usd(20) }));
        assert_eq!(Rule { mode: Mode::Ask, ..auto.clone() }.asks_at(usd(1)), Some(AskWhy::Mode));
        assert_eq!(Rule { ask_above: None, ..auto }.asks_at(usd(99)), None);
    }
}
