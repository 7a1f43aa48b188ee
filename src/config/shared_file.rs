//! The tables of `rules.toml` that concern several cards at once: caps that they share, and what currencies are worth.

use super::containers::OneOrMore;
use super::declare::table;
use super::reader::{At, Field, Notes};
use super::rules_file::list;
use super::values::Day;
use crate::domain::card::Name;
use crate::domain::money::{Currency, Money};
use crate::domain::rates::{Rate, Rates};
use crate::domain::shared_limits::SharedLimit;

table! {
    /// A cap that cards share. Purchases whose result is not known count as spent.
    struct LimitTable {
        /// The account whose purchases count; every account's if nothing is said.
        may account: Name,
        /// Only cards with all of these labels count; every card if nothing is said.
        may labels: OneOrMore<Name>,
        /// The most that may be spent within 24 hours.
        may per_day: Money,
        /// The most that a calendar month may cost, in UTC.
        may per_month: Money,
        /// The most that may be spent within one length of the plan that is bought.
        may per_cycle: Money,
        /// How many purchases within one length of the plan that is bought.
        may renewals_per_cycle: u32,
        /// How many purchases within 24 hours.
        may renewals_per_day: u32,
        /// How many purchases in a calendar month, in UTC.
        may renewals_per_month: u32,
    }
}

table! {
    /// What one unit of a currency is worth, for limits in another.
    struct RateTable {
        /// The currency.
        must of: Currency,
        /// What one unit of it is worth, such as "1.08 USD".
        must is: Money,
        /// The day for which you state it, without quotes.
        must on: Day,
    }
}

/// The caps of the file.
pub(super) fn shared_limits(
    table: &Field<Vec<At<LimitTable>>>,
    rates: &Rates,
    accounts: Option<&[&Name]>,
    notes: &mut Notes<'_>,
) -> Vec<SharedLimit> {
    let items = table.get().into_iter().flatten();
    items
        .map(|item| {
            check_limit(item, accounts, notes);
            let limit = &item.value;
            SharedLimit {
                line: notes.line(&item.span),
                account: limit.account.get().cloned(),
                labels: list(&limit.labels),
                per_day: limit.per_day.get().copied(),
                per_month: limit.per_month.get().copied(),
                per_cycle: limit.per_cycle.get().copied(),
                renewals_per_cycle: limit.renewals_per_cycle.get().copied(),
                renewals_per_day: limit.renewals_per_day.get().copied(),
                renewals_per_month: limit.renewals_per_month.get().copied(),
                rates: rates.clone(),
            }
        })
        .collect()
}

fn check_limit(item: &At<LimitTable>, accounts: Option<&[&Name]>, notes: &mut Notes<'_>) {
    let limit = &item.value;
    let money = [&limit.per_day, &limit.per_month, &limit.per_cycle];
    let counts = [&limit.renewals_per_day, &limit.renewals_per_month, &limit.renewals_per_cycle];
    let limits_nothing = money.iter().all(|field| field.is_absent()) && counts.iter().all(|field| field.is_absent());
    // A key that was misspelt was told, and is what was meant.
    if limits_nothing && !notes.told_in_table(&item.span) {
        let help = "add per_month = \"200 USD\", or leave the table out".to_owned();
        notes.contradiction(&item.span, "this limit limits nothing", help);
    }
    let raise = || "raise it, or write mode = \"watch\" in the rules of these cards".to_owned();
    for at in money.into_iter().filter_map(Field::good).filter(|at| at.value.ten_thousandths() == 0) {
        notes.contradiction(&at.span, "a limit of nothing lets nothing be bought", raise());
    }
    for at in counts.into_iter().filter_map(Field::good).filter(|at| at.value == 0) {
        notes.contradiction(&at.span, "no renewal lets nothing be bought", raise());
    }
    if let (Some(day), Some(month)) = (limit.per_day.good(), limit.per_month.good())
        && day.value.exceeds(month.value) == Ok(true)
    {
        let message = format!("a day may cost {}, a whole month only {}", day.value, month.value);
        notes.contradiction(&day.span, message, "lower per_day or raise per_month".to_owned());
    }
    if let (Some(account), Some(accounts)) = (limit.account.good(), accounts) {
        super::rules_file::check_known(account, accounts, "an account of simkeeper.toml", notes);
    }
}

/// The rates of the file.
pub(super) fn rates(table: &Field<Vec<At<RateTable>>>, notes: &mut Notes<'_>) -> Rates {
    let mut rates: Vec<Rate> = Vec::new();
    for item in table.get().into_iter().flatten() {
        let (Some(of), Some(is), Some(on)) = (item.value.of.good(), item.value.is.good(), item.value.on.get()) else {
            continue;
        };
        let rate = Rate { of: of.value, is: is.value, on: on.0 };
        if is.value.ten_thousandths() == 0 || of.value == is.value.currency() {
            let help = format!("write what one {} is worth in another currency, such as \"1.08 USD\"", of.value);
            notes.contradiction(&is.span, "this rate says nothing", help);
        } else if rates.iter().any(|known| same_pair(known, &rate)) {
            let message = format!("{} and {} have two rates", of.value, is.value.currency());
            notes.contradiction(&of.span, message, "keep one of them; it serves in both directions".to_owned());
        } else {
            rates.push(rate);
        }
    }
    Rates(rates)
}

fn same_pair(a: &Rate, b: &Rate) -> bool {
    let pair = |rate: &Rate| (rate.of, rate.is.currency());
    pair(a) == pair(b) || (a.of, a.is.currency()) == (b.is.currency(), b.of)
}
