//! What cannot be meant in a rule: limits that shut each other out, conditions that never hold, purchases without a reason
//! or a price. Found when the files are checked, not at night when a card runs out.

use jiff::civil::Date;

use super::reader::{At, Field, Notes, Span};
use super::rule_file::{
    Around, ConditionsTable, KeepNumberTable, LimitsTable, RenewWhenTable, RuleTable, conditions, is_empty,
};
use crate::domain::card::Name;
use crate::domain::data::{DataSize, Percent};
use crate::domain::money::Money;
use crate::domain::rates::Rates;
use crate::domain::rule::{Choice, Condition, Mode};
use crate::domain::time::Secs;
use crate::domain::unanswered::{WITHIN_LEAST, WITHIN_USUAL};

/// Notes everything in a rule that contradicts itself.
pub(super) fn check(name: &Name, place: &Span, table: &RuleTable, around: &Around, notes: &mut Notes<'_>) {
    check_purpose(name, place, table, notes);
    check_days(table, around.today, notes);
    if let Some(when) = table.renew_when.good() {
        check_joins(when, notes);
        check_conditions(&when.value, notes);
    }
    check_asking(table, &around.rates, notes);
    check_waiting(table, notes);
    if let Some(limits) = table.limits.get() {
        check_limits(limits, mode(table), notes);
        check_credits(table, limits, &around.rates, notes);
    }
    if !around.is_capped {
        check_caps(name, table, notes);
    }
    if let Some(keep) = table.keep_number.get() {
        check_keeping(keep, table, around.today, notes);
    }
}

/// A number's period is counted by days, from a day that is there, and is longer than the lead that is to come before it.
fn check_keeping(keep: &KeepNumberTable, table: &RuleTable, today: Option<Date>, notes: &mut Notes<'_>) {
    let Some(every) = keep.every.good() else { return };
    let length = every.value;
    if length < Secs::DAY || length.0 % Secs::DAY.0 != 0 {
        notes.error(&every.span, "how long a number is kept is counted in whole days", "every = \"180d\"".to_owned());
        return;
    }
    if let Some(since) = keep.since.good().filter(|since| today.is_some_and(|today| since.value.0 > today)) {
        let message = format!("{} is still to come", since.value.0);
        let help = "write the day of the last activity that you know of; it may lie in the past".to_owned();
        notes.contradiction(&since.span, message, help);
    }
    let tables = table.renew_when.get().into_iter().flat_map(|when| {
        let listed = [&when.all_of, &when.any_of].into_iter().flat_map(|field| field.get().into_iter().flatten());
        std::iter::once(&when.any).chain(listed.map(|item| &item.value))
    });
    for lead in tables.filter_map(|table| table.number_ends_within.good()).filter(|lead| lead.value >= length) {
        let message = format!("a number that is kept for {length} always ends within {}", lead.value);
        let help = "shorten number_ends_within, such as \"14d\", or correct keep_number".to_owned();
        notes.contradiction(&lead.span, message, help);
    }
}

/// What is needed until the last day cannot be reckoned without one.
pub(super) fn check_ahead(name: &Name, table: &RuleTable, notes: &mut Notes<'_>) {
    if !table.until.is_absent() || !table.trip.is_absent() {
        return;
    }
    let entries = table.buy.get().into_iter().flat_map(|list| list.0.iter());
    for entry in entries.filter(|entry| entry.value.0 == Choice::Cover) {
        let help = "add until = 2026-12-20 (the last day, without quotes) or trip = \"NAME\" to the rule, or write cheapest = { data = \"1 GB\", validity = \"5d\" }; one of data and validity is enough";
        let message = format!("the cheapest way to the last day needs one, and the rule `{name}` has none");
        notes.contradiction(&entry.span, message, help.to_owned());
    }
}

/// What may lie behind the last day means nothing without one.
pub(super) fn check_outlast(name: &Name, table: &RuleTable, notes: &mut Notes<'_>) {
    let Some(outlast) = table.outlast.good() else { return };
    if table.until.is_absent() && table.trip.is_absent() {
        let message = format!("the rule `{name}` has no last day that anything could outlast");
        notes.contradiction(
            &outlast.key,
            message,
            "add until = 2026-12-20 or trip = \"NAME\", or leave it out".to_owned(),
        );
    }
}

fn mode(table: &RuleTable) -> Mode {
    table.mode.get().copied().unwrap_or_default()
}

/// A rule that may buy needs a reason and something to buy.
fn check_purpose(name: &Name, place: &Span, table: &RuleTable, notes: &mut Notes<'_>) {
    let word = match mode(table) {
        Mode::Watch => return,
        Mode::Ask => "ask",
        Mode::Auto => "auto",
    };
    let at = table.mode.good().map_or(place, |mode| &mode.span);
    let buys_nothing = match &table.buy {
        Field::Absent => true,
        Field::Bad => false,
        Field::Good(list) => list.value.0.is_empty(),
    };
    if buys_nothing {
        let help = "add buy = [\"same\"], or write mode = \"watch\"".to_owned();
        notes.contradiction(at, format!("the rule `{name}` has mode \"{word}\" and nothing to buy"), help);
    }
    let never_renews = match &table.renew_when {
        Field::Absent => true,
        Field::Bad => false,
        Field::Good(when) => has_no_condition(&when.value),
    };
    if never_renews {
        let help =
            "add renew_when = { data_below = \"500 MB\", plan_ends_within = \"36h\" }, or write mode = \"watch\"";
        let message = format!("the rule `{name}` has mode \"{word}\" and no condition under renew_when");
        notes.contradiction(at, message, help.to_owned());
    }
}

fn has_no_condition(when: &RenewWhenTable) -> bool {
    let none = |field: &Field<Vec<At<ConditionsTable>>>| match field {
        Field::Absent => true,
        Field::Bad => false,
        Field::Good(list) => list.value.iter().all(|item| is_empty(&item.value)),
    };
    is_empty(&when.any) && none(&when.all_of) && none(&when.any_of)
}

fn check_days(table: &RuleTable, today: Option<Date>, notes: &mut Notes<'_>) {
    let Some(until) = table.until.good() else { return };
    if let Some(from) = table.from.good()
        && from.value.0 > until.value.0
    {
        let message = format!("the rule begins on {} and ends on {}, before it begins", from.value.0, until.value.0);
        notes.contradiction(&until.span, message, "exchange from and until, or correct one".to_owned());
    }
    if today.is_some_and(|today| until.value.0 < today) {
        let help = "set a later day, or write mode = \"watch\"".to_owned();
        notes.warning(&until.span, format!("the rule ended on {}; it buys nothing", until.value.0), help);
    }
}

/// Conditions are joined in one way at a time, so that nobody has to guess which binds first.
fn check_joins(when: &At<RenewWhenTable>, notes: &mut Notes<'_>) {
    let table = &when.value;
    let ways = [!is_empty(&table.any), !table.all_of.is_absent(), !table.any_of.is_absent()];
    if ways.into_iter().filter(|used| *used).count() > 1 {
        let help = "put all conditions into all_of = [{ … }, { … }], or all of them into any_of".to_owned();
        notes.contradiction(&when.key, "conditions are joined in two ways at once", help);
    }
    for item in table.any_of.get().into_iter().flatten().filter(|item| conditions(&item.value).len() > 1) {
        let help = "write each condition in braces of its own: any_of = [{ … }, { … }]".to_owned();
        notes.contradiction(&item.span, "these two conditions would count as one or as both", help);
    }
}

fn check_conditions(when: &RenewWhenTable, notes: &mut Notes<'_>) {
    let listed = [&when.all_of, &when.any_of].into_iter().flat_map(|field| field.get().into_iter().flatten());
    for table in std::iter::once(&when.any).chain(listed.map(|item| &item.value)) {
        for (condition, span) in conditions(table) {
            if never_holds(condition) {
                let help =
                    "\"below\" means strictly less; write a larger amount, or leave the condition out".to_owned();
                notes.contradiction(&span, "this condition never holds: nothing is less than none", help);
            }
        }
    }
}

/// Whether nothing can be below this. Credit can: an account may be in debt. An end within no time is one that is over.
fn never_holds(condition: Condition) -> bool {
    match condition {
        Condition::DataBelow(size) => size == DataSize(0),
        Condition::DataShareBelow(share) => share == Percent(0),
        Condition::VoiceBelow(length) => length == Secs::ZERO,
        Condition::SmsBelow(count) => count == 0,
        Condition::CreditBelow(_)
        | Condition::PlanEndsWithin(_)
        | Condition::CreditEndsWithin(_)
        | Condition::NumberEndsWithin(_) => false,
    }
}

fn check_limits(limits: &LimitsTable, mode: Mode, notes: &mut Notes<'_>) {
    if let (Some(one), Some(month)) = (limits.per_renewal.good(), limits.per_month.good()) {
        match one.value.exceeds(month.value) {
            Ok(false) => {}
            Ok(true) => {
                let message = format!("one renewal may cost {}, a whole month only {}", one.value, month.value);
                notes.contradiction(&one.span, message, "lower per_renewal or raise per_month".to_owned());
            }
            Err(_) => {
                let message = "per_renewal and per_month are in two currencies, which are never added up";
                let help = format!("write both in {} or both in {}", one.value.currency(), month.value.currency());
                notes.contradiction(&month.span, message, help);
            }
        }
    }
    if let (Some(one), Some(cycle)) = (limits.per_renewal.good(), limits.per_cycle.good())
        && one.value.exceeds(cycle.value) == Ok(true)
    {
        let message = format!("one renewal may cost {}, a whole cycle only {}", one.value, cycle.value);
        notes.contradiction(&one.span, message, "lower per_renewal or raise per_cycle".to_owned());
    }
    for limit in [&limits.per_renewal, &limits.per_month, &limits.per_cycle].into_iter().filter_map(Field::good) {
        if limit.value.ten_thousandths() == 0 && mode != Mode::Watch {
            notes.contradiction(&limit.span, "a limit of nothing lets nothing be bought", buy_none_help());
        }
    }
    for (count, per) in [(&limits.renewals_per_day, "day"), (&limits.renewals_per_cycle, "cycle")] {
        if let Some(count) = count.good().filter(|count| count.value == 0 && mode != Mode::Watch) {
            let message = format!("no renewal a {per} lets nothing be bought");
            notes.contradiction(&count.span, message, buy_none_help());
        }
    }
}

fn buy_none_help() -> String {
    "raise it, or write mode = \"watch\"".to_owned()
}

/// An amount above which is asked makes sense where something is bought without asking, and something may cost more.
fn check_asking(table: &RuleTable, rates: &Rates, notes: &mut Notes<'_>) {
    let Some(above) = table.ask_above.good() else { return };
    if mode(table) == Mode::Ask {
        let help = "write mode = \"auto\", or leave ask_above out".to_owned();
        notes.contradiction(&above.span, "mode \"ask\" asks before each purchase, whatever it costs", help);
    }
    let Some(most) = table.limits.get().and_then(|limits| limits.per_renewal.good()) else { return };
    let never_asks =
        rates.convert(most.value, above.value.currency()).is_some_and(|most| most.exceeds(above.value) == Ok(false));
    if mode(table) == Mode::Auto && never_asks {
        let message = format!(
            "nothing that costs more than {} is bought, so that it never asks above {}",
            most.value, above.value
        );
        notes.warning(&above.span, message, "lower ask_above, or raise per_renewal".to_owned());
    }
}

/// How long is waited for an answer says something only where it is said what happens then.
fn check_waiting(table: &RuleTable, notes: &mut Notes<'_>) {
    if table.unanswered.is_absent() {
        let keys = [table.answer_within.good().map(|at| &at.key), table.remind_before.good().map(|at| &at.key)];
        for key in keys.into_iter().flatten() {
            let help = "add unanswered = \"refuse\" or unanswered = \"buy\", or leave this out".to_owned();
            notes.contradiction(key, "a question waits for its answer for ever, and is put again once a day", help);
        }
    }
    if let Some(within) = table.answer_within.good().filter(|within| within.value < WITHIN_LEAST) {
        let help = "answer_within = \"12h\"".to_owned();
        notes.contradiction(&within.span, "nobody is given less than an hour to answer", help);
    }
    let within = table.answer_within.get().copied().unwrap_or(WITHIN_USUAL);
    for before in table.remind_before.get().into_iter().flat_map(|list| &list.0).filter(|at| at.value >= within) {
        let message = format!("{} before the answer is due the question is not put yet", before.value);
        notes.contradiction(&before.span, message, format!("write less than {within}"));
    }
}

/// Top-ups have their price in the file, so that it can be held against the limits now.
fn check_credits(table: &RuleTable, limits: &LimitsTable, rates: &Rates, notes: &mut Notes<'_>) {
    for entry in table.buy.get().into_iter().flat_map(|list| list.0.iter()) {
        let Choice::Credit(amount) = entry.value.0 else { continue };
        let caps =
            [(&limits.per_renewal, "per_renewal"), (&limits.per_month, "per_month"), (&limits.per_cycle, "per_cycle")];
        for (limit, name) in caps {
            let Some(limit) = limit.good() else { continue };
            if let Some((message, help)) = credit_problem(amount, limit.value, name, rates) {
                notes.contradiction(&entry.span, message, help);
            }
        }
    }
}

fn credit_problem(amount: Money, limit: Money, name: &str, rates: &Rates) -> Option<(String, String)> {
    match rates.convert(amount, limit.currency()).map(|worth| worth.exceeds(limit)) {
        Some(Ok(false)) => None,
        Some(Ok(true)) => Some((
            format!("a top-up of {amount} is over the limit {name} = \"{limit}\""),
            format!("raise {name} or top up by {limit} at most"),
        )),
        Some(Err(_)) | None => Some((
            format!("a top-up in {} cannot be held against {name} in {}", amount.currency(), limit.currency()),
            format!("write {name} in {}, or state a [[rate]]", amount.currency()),
        )),
    }
}

/// A rule that buys plans by itself without a cap on money is allowed, and worth a word.
fn check_caps(name: &Name, table: &RuleTable, notes: &mut Notes<'_>) {
    let (Mode::Auto, Some(mode)) = (mode(table), table.mode.good()) else { return };
    let capped = match &table.limits {
        Field::Absent => false,
        Field::Bad => true,
        Field::Good(limits) => !limits.value.per_renewal.is_absent() || !limits.value.per_month.is_absent(),
    };
    let buys_plans = table.buy.get().is_some_and(|list| {
        list.0.iter().any(|entry| match entry.value.0 {
            Choice::Same | Choice::Named(_) | Choice::Cheapest { .. } | Choice::Cover | Choice::Activity(_) => true,
            Choice::Credit(_) => false,
        })
    });
    if buys_plans && !capped {
        let help = "add limits = { per_renewal = \"15 USD\", per_month = \"40 USD\" }".to_owned();
        notes.warning(&mode.span, format!("the rule `{name}` buys by itself without any limit on money"), help);
    }
}
