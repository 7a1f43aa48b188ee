//! `spend`: what a month has cost, what is on its way, what the limits leave, and what is still to come in it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::cli::SpendArgs;
use super::exit::{Exit, Stop};
use super::output::table;
use super::view::View;
use super::{Context, plan};
use crate::daemon::shared_limits;
use crate::domain::attempt::{Attempt, StateName};
use crate::domain::card::{Card, CardId, Name};
use crate::domain::ledger::cost;
use crate::domain::limits;
use crate::domain::money::{Currency, Money};
use crate::domain::rates::Rates;
use crate::domain::shared_limits::{Counted, Spent};
use crate::domain::time::{Secs, UnixTime, day_start};
use crate::store::attempts::{self, AttemptFilter};
use crate::store::{Connection, StoreError, cards};

/// An order may be sent so long after it was planned.
const SENT_WITHIN: Secs = Secs::days(62);
/// More orders than any two months have.
const ALL: usize = 10_000_000;

/// Money of one card, one account, or all.
#[derive(Clone, Debug, Default)]
struct Sums {
    /// Taken.
    spent: Spent,
    /// On its way, asked for, or unknown: it counts against the limits.
    open: Spent,
    /// What the rest of the month will cost, as `plan` has it.
    coming: Spent,
}

/// A month.
struct Month {
    /// Its first day.
    first: Date,
    /// The first day after it.
    next: Date,
}

/// Everything about a month.
struct Told {
    month: Month,
    cards: BTreeMap<Name, Sums>,
    accounts: BTreeMap<Name, Sums>,
    all: Sums,
    limits: BTreeMap<Name, Money>,
    shared: Vec<Counted>,
    currency: Currency,
    rates: Rates,
}

/// Shows the money of a month.
pub(super) fn spend(context: &Context, args: &SpendArgs) -> anyhow::Result<Exit> {
    let view = View::open(context)?;
    let month = Month::read(args.month.as_deref(), view.now)?;
    let told = view.store.read_blocking(|conn| Told::collect(&view, conn, month))?;
    if context.output.json {
        context.output.document(told.document())?;
    } else {
        for line in told.lines() {
            context.output.say(&line)?;
        }
    }
    Ok(Exit::Done)
}

impl Month {
    fn read(text: Option<&str>, now: UnixTime) -> anyhow::Result<Self> {
        let wrong = |text: &str| Stop::command_line(format!("`{text}` is no month such as 2026-12"));
        let first = match text {
            Some(text) if text.len() == 7 => format!("{text}-01").parse().map_err(|_| wrong(text))?,
            Some(text) => return Err(wrong(text)),
            None => now.date_in(&TimeZone::UTC).first_of_month(),
        };
        // Only the last month of the calendar has none after it.
        let next = first.checked_add(jiff::Span::new().months(1)).map_err(|_| wrong(text.unwrap_or_default()))?;
        Ok(Self { first, next })
    }

    /// Whether an instant lies in it, by the days of a zone, as the limits count.
    fn has(&self, at: UnixTime, zone: &TimeZone) -> bool {
        (day_start(self.first, zone)..day_start(self.next, zone)).contains(&at)
    }
}

impl Told {
    fn collect(view: &View, conn: &Connection, month: Month) -> Result<Self, StoreError> {
        let rules = &view.config.rules;
        let stated = rules.rules.iter().map(|rule| &rule.limits.rates);
        let stated = stated.chain(rules.shared_limits.iter().map(|limit| &limit.rates)).next();
        let mut told = Self {
            month,
            cards: BTreeMap::new(),
            accounts: BTreeMap::new(),
            all: Sums::default(),
            limits: BTreeMap::new(),
            shared: Vec::new(),
            currency: view.config.machine.currency,
            rates: stated.cloned().unwrap_or_default(),
        };
        let kept = cards::all(conn)?;
        for card in &kept {
            let limit = view.rule(card).and_then(|rule| rule.limits.per_month);
            told.limits.extend(limit.map(|limit| (card.name.clone(), limit)));
        }
        told.count_orders(conn, &kept)?;
        if told.month.has(view.now, &TimeZone::UTC) {
            told.look_ahead(view, conn, &kept)?;
        }
        Ok(told)
    }

    /// What was or may have been charged, also for cards that are no longer kept.
    fn count_orders(&mut self, conn: &Connection, kept: &[Card]) -> Result<(), StoreError> {
        let since = day_start(self.month.first, &TimeZone::UTC).minus(SENT_WITHIN);
        let filter = AttemptFilter { card: None, open_only: false, since, limit: ALL };
        let orders = attempts::list(conn, &filter)?;
        let concerned: BTreeSet<CardId> = orders.iter().map(|order| order.card).collect();
        for id in concerned {
            let known = kept.iter().find(|card| card.id == id).cloned();
            let Some(card) = known.map_or_else(|| cards::by_id(conn, id), |card| Ok(Some(card)))? else { continue };
            for spend in attempts::spends(conn, id, since)? {
                let order = orders.iter().find(|order| order.id == spend.attempt);
                if let Some(order) = order.filter(|_| self.month.has(spend.at, &card.zone)) {
                    self.count(&card.name, order);
                }
            }
        }
        Ok(())
    }

    fn count(&mut self, card: &Name, order: &Attempt) {
        let is_taken = matches!(order.state.name(), StateName::Accepted | StateName::Done | StateName::Reversed);
        let place = |sums: &mut Sums| {
            if is_taken { sums.spent.add(cost(order)) } else { sums.open.add(cost(order)) }
        };
        self.each(card, &order.account, place);
    }

    fn each(&mut self, card: &Name, account: &Name, place: impl Fn(&mut Sums)) {
        place(self.cards.entry(card.clone()).or_default());
        place(self.accounts.entry(account.clone()).or_default());
        place(&mut self.all);
    }

    /// What `plan` says of the rest of the month, and what the caps that cards share have left.
    fn look_ahead(&mut self, view: &View, conn: &Connection, kept: &[Card]) -> Result<(), StoreError> {
        let until = day_start(self.month.next, &TimeZone::UTC).plus(Secs::DAY);
        for coming in plan::coming(view, conn, kept, until)? {
            let Some(card) = kept.iter().find(|card| card.name == coming.card) else { continue };
            if self.month.has(coming.at, &card.zone) {
                self.each(&card.name, &card.account, |sums| sums.coming.add(coming.price));
            }
        }
        let mut seen = BTreeSet::new();
        for card in kept {
            // What is shown is the month's; no plan is in question whose cycle could count.
            let (concerned, cycle) = ((card, &card.account), limits::CYCLE_USUAL);
            for counted in shared_limits::counted(conn, &view.config.rules, concerned, cycle, None, view.now)? {
                if seen.insert(counted.limit.line) {
                    self.shared.push(counted);
                }
            }
        }
        Ok(())
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("Money of {}", self.name())];
        if self.cards.is_empty() {
            lines.push("Nothing was bought, and nothing is coming.".to_owned());
        } else {
            let cards = self.cards.iter().map(|(card, sums)| row(card.as_str(), sums, self.limits.get(card).copied()));
            lines.extend([String::new(), table(&["CARD", "SPENT", "OPEN", "STILL COMING", "LIMIT"], cards.collect())]);
            let mut rows: Vec<_> =
                self.accounts.iter().map(|(account, sums)| row(account.as_str(), sums, None)).collect();
            rows.push(row("in all", &self.all, None));
            lines.extend([String::new(), table(&["ACCOUNT", "SPENT", "OPEN", "STILL COMING", ""], rows)]);
            lines.extend(self.together_line());
        }
        lines.extend(self.shared.iter().map(|counted| format!("shared limit: {counted}")));
        lines
    }

    /// Everything in one currency, where more than one was used and rates are stated.
    fn together_line(&self) -> Option<String> {
        let (sum, currency) = (self.together()?, self.currency);
        let rates: Vec<String> =
            self.rates.0.iter().map(|rate| format!("1 {} is {}, stated for {}", rate.of, rate.is, rate.on)).collect();
        let said = format!("spent, open and coming together: {sum}");
        let foreign = self.all.currencies().any(|used| used != currency);
        Some(if foreign { format!("{said} ({})", rates.join("; ")) } else { said })
    }

    fn together(&self) -> Option<Money> {
        let all = self.all.parts().into_iter().flat_map(|part| &part.money);
        all.clone().next()?;
        all.into_iter().try_fold(Money::zero(self.currency), |sum, money| {
            sum.plus(self.rates.convert(*money, self.currency)?).ok()
        })
    }

    fn document(&self) -> Value {
        let of = |sums: &BTreeMap<Name, Sums>, what: &str| -> Vec<Value> {
            sums.iter().map(|(name, sums)| sums.document(what, name, self.limits.get(name).copied())).collect()
        };
        json!({
            "month": self.name(), "cards": of(&self.cards, "card"),
            "accounts": self.accounts.iter().map(|(name, sums)| sums.document("account", name, None)).collect::<Vec<_>>(),
            "in_all": { "spent": self.all.spent.money, "open": self.all.open.money, "coming": self.all.coming.money },
            "together": self.together(), "rates": self.rates,
            "shared_limits": self.shared.iter().map(|counted| json!({ "limit": counted.limit, "used": counted.to_string() })).collect::<Vec<_>>(),
        })
    }

    fn name(&self) -> String {
        self.month.first.to_string()[..7].to_owned()
    }
}

impl Sums {
    fn parts(&self) -> [&Spent; 3] {
        [&self.spent, &self.open, &self.coming]
    }

    fn currencies(&self) -> impl Iterator<Item = Currency> {
        self.parts().into_iter().flat_map(|part| part.money.iter().map(|money| money.currency()))
    }

    fn document(&self, what: &str, name: &Name, limit: Option<Money>) -> Value {
        json!({
            what: name, "spent": self.spent.money, "open": self.open.money, "coming": self.coming.money,
            "limit": limit,
        })
    }
}

fn row(name: &str, sums: &Sums, limit: Option<Money>) -> Vec<String> {
    let words = |part: &Spent| {
        let sums: Vec<String> = part.money.iter().map(ToString::to_string).collect();
        if sums.is_empty() { "-".to_owned() } else { sums.join(" + ") }
    };
    let [spent, open, coming] = sums.parts().map(words);
    vec![name.to_owned(), spent, open, coming, limit.map_or_else(String::new, |limit| format!("{limit} a month"))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_that_of_the_zone_and_a_wrong_one_is_told() {
        let now = UnixTime::parse("2026-12-15T00:00:00Z").unwrap();
        let month = Month::read(None, now).unwrap();
        let at = |text: &str| UnixTime::parse(text).unwrap();
        let toronto = TimeZone::get("America/Toronto").unwrap();
        assert!(
            month.has(at("2027-01-01T04:59:59Z"), &toronto) && !month.has(at("2027-01-01T04:59:59Z"), &TimeZone::UTC)
        );
        assert!(!month.has(at("2026-12-01T04:59:59Z"), &toronto));
        assert_eq!(Month::read(Some("2026-02"), now).unwrap().next.to_string(), "2026-03-01");
        for wrong in ["2026", "2026-13", "2026-1-1", "12-2026", "9999-12"] {
            assert!(Month::read(Some(wrong), now).is_err(), "{wrong}");
        }
    }
}
