//! The tables of one rule, declared once, and how they become a [`Rule`]. What contradicts itself is found in
//! `contradictions`.

use std::borrow::Cow;
use std::cmp::Reverse;

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::containers::OneOrMore;
use super::contradictions;
use super::declare::{read_table, table, table_schema, words};
use super::reader::{At, Field, Node, Notes, Span, Value};
use super::rules_file::CardTable;
use super::values::{DataBelow, Day, LengthShare, Rise, Words};
use crate::domain::activity::Activity;
use crate::domain::card::Name;
use crate::domain::data::DataSize;
use crate::domain::enough::NotEnough;
use crate::domain::keeping::{CountsFrom, KeepNumber};
use crate::domain::money::Money;
use crate::domain::rates::Rates;
use crate::domain::rule::{Buy, Choice, Condition, Join, Limits, Mode, RenewWhen, Rule, Trigger, WARN_BEFORE};
use crate::domain::time::{LocalHours, Secs};
use crate::domain::unanswered::{Fallback, Unanswered, WITHIN_USUAL};

table! {
    /// A rule: when to renew, with what, within which limits.
    struct RuleTable, beside "[card.NAME]": CardTable {
        /// watch (reads and tells, the default), ask (asks before each purchase) or auto (buys within the limits).
        may mode: Mode,
        /// In mode auto: what costs more than this is asked about, the rest goes by itself.
        may ask_above: Money,
        /// What happens when nobody answers a question: buy or refuse; it waits for ever if nothing is said.
        may unanswered: Fallback,
        /// How long an answer is waited for; 24h if nothing is said, and in any case not until the card ends.
        may answer_within: Secs,
        /// How long before that the question is put again, beside once a day.
        may remind_before: OneOrMore<Secs>,
        /// When to renew: any of the conditions; all_of = [{ … }, { … }] for all of them.
        may renew_when: RenewWhenTable,
        /// What to buy, in this order: the next is used only when the one before is not on sale.
        may buy: OneOrMore<BuyEntry>,
        /// When the plan cannot lift the card above the conditions: once buys it once, refuse takes the next entry, enough buys
        /// the cheapest that is enough in one go.
        may if_not_enough: NotEnough,
        /// The first day on which it buys, without quotes.
        may from: Day,
        /// The last day on which it buys, without quotes.
        may until: Day,
        /// How much of a plan's length may lie behind the last day: 25% if nothing is said, 100% takes any plan.
        may outlast: LengthShare,
        /// The trip whose days these are, instead of from and until: a name under [trip].
        may trip: Name,
        /// Caps on money and counts.
        may limits: LimitsTable,
        /// The hours in which it buys, in the card's zone.
        may hours: LocalHours,
        /// Discount codes, tried in this order.
        may codes: OneOrMore<Words>,
        /// How long before an end to warn; 7d, 3d and 1d if nothing is said.
        may warn_before: OneOrMore<Secs>,
        /// Whether cards that are not installed or not active may be topped up.
        may even_inactive: bool,
        /// Until when the number is kept, where the operator does not tell: counted from a day and from purchases.
        may keep_number: KeepNumberTable,
    }
}

table! {
    /// How long a number is kept without activity.
    struct KeepNumberTable {
        /// For how long, in whole days, such as "180d".
        must every: Secs,
        /// The day from which it counts until something is bought, without quotes; it may lie in the past.
        must since: Day,
        /// From where it counts after a purchase: from the day of the "renewal" (the default), or from the "end" that was ahead.
        may count_from: CountsFrom,
    }
}

words! {
    CountsFrom, "a point to count from": { "renewal" => CountsFrom::Renewal, "end" => CountsFrom::End, }
}

table! {
    /// Conditions. "Below" means strictly less; "within" means this long or less until the end.
    struct ConditionsTable {
        /// Less data left: an amount such as "500 MB", or a share such as "20%".
        may data_below: DataBelow,
        /// Less time of calls left, such as "10m".
        may voice_below: Secs,
        /// Fewer texts left.
        may sms_below: u64,
        /// Less credit left, such as "5 GBP".
        may credit_below: Money,
        /// The plan ends this soon.
        may plan_ends_within: Secs,
        /// The credit is lost this soon.
        may credit_ends_within: Secs,
        /// The number is taken back this soon.
        may number_ends_within: Secs,
    }
}

table! {
    /// When to renew.
    struct RenewWhenTable with any: ConditionsTable {
        /// All of these must hold.
        may all_of: Vec<At<ConditionsTable>>,
        /// One of these is enough.
        may any_of: Vec<At<ConditionsTable>>,
    }
}

table! {
    /// Caps on money and counts. Purchases whose result is not known count as spent.
    struct LimitsTable {
        /// The most that one purchase may cost.
        may per_renewal: Money,
        /// The most that a calendar month may cost, in the card's zone.
        may per_month: Money,
        /// The most that one length of the plan may cost: everything bought within it counts.
        may per_cycle: Money,
        /// How many purchases within one length of the plan.
        may renewals_per_cycle: u32,
        /// How many purchases within 24 hours.
        may renewals_per_day: u32,
        /// How much dearer than last time a plan may be; a dearer one is asked about. 0% if nothing is said.
        may price_rise: Rise,
    }
}

table! {
    /// What to buy; one of the two keys.
    struct BuyTable {
        /// The cheapest plan with at least this much, the cheapest way to the rule's last day, or the cheapest activity.
        may cheapest: CheapestTable,
        /// A plain top-up of this amount.
        may credit: Money,
    }
}

table! {
    /// What the cheapest plan has to have; with neither amount nor length it is the first of the cheapest sequence of plans
    /// that lasts until the rule's last day, by how the card was used.
    struct CheapestTable {
        /// At least this much data.
        may data: DataSize,
        /// Lasting at least this long.
        may validity: Secs,
        /// "trip": what is needed until the rule's last day.
        may until: TripEnd,
        /// The cheapest thing that the operator counts as activity, so that the number is kept: "credit" for top-ups, "plan"
        /// for plans of data, calls or texts, or both.
        may activity: OneOrMore<Activity>,
    }
}

/// The one end that a cheapest sequence has.
#[derive(Clone, Copy, Debug)]
pub(super) struct TripEnd;

words! {
    TripEnd, "an end": { "trip" => TripEnd, }
}

/// One entry of `buy`.
#[derive(Clone, Debug)]
pub(super) struct BuyEntry(pub(super) Choice);

impl JsonSchema for BuyEntry {
    fn schema_name() -> Cow<'static, str> {
        "BuyEntry".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut table = table_schema::<BuyTable>(generator);
        table.insert("minProperties".to_owned(), 1.into());
        table.insert("maxProperties".to_owned(), 1.into());
        let plan = generator.subschema_for::<Words>();
        json_schema!({ "description": "\"same\", the id or name of a plan, or a table", "anyOf": [plan, table] })
    }
}

impl Value for BuyEntry {
    fn read(node: &Node<'_>, notes: &mut Notes<'_>) -> Option<Self> {
        if node.as_text().is_some() {
            let words = Words::read(node, notes)?.0;
            return Some(Self(if words == "same" { Choice::Same } else { Choice::Named(words) }));
        }
        if node.as_table().is_none() {
            notes.wrong_kind(node, "\"same\", a plan's id or name, or a table", "[\"same\", { credit = \"10 GBP\" }]");
            return None;
        }
        let table: BuyTable = read_table(node, notes, &[])?;
        match (&table.cheapest, &table.credit) {
            (Field::Good(cheapest), Field::Absent) => cheapest_choice(cheapest, notes).map(Self),
            (Field::Absent, Field::Good(credit)) => {
                if credit.value.ten_thousandths() == 0 {
                    notes.error(&credit.span, "a top-up of nothing changes nothing", "credit = \"10 GBP\"".to_owned());
                }
                Some(Self(Choice::Credit(credit.value)))
            }
            (Field::Bad, _) | (_, Field::Bad) => None,
            (Field::Absent, Field::Absent) | (Field::Good(_), Field::Good(_)) => {
                let help =
                    "{ cheapest = { data = \"1 GB\", validity = \"5d\" } } or { credit = \"10 GBP\" }".to_owned();
                notes.contradiction(&node.span, format!("`{}` takes one of `cheapest` and `credit`", node.path), help);
                None
            }
        }
    }
}

fn cheapest_choice(at: &At<CheapestTable>, notes: &mut Notes<'_>) -> Option<Choice> {
    let CheapestTable { data, validity, until, activity } = &at.value;
    if matches!(data, Field::Bad) || matches!(validity, Field::Bad) || matches!(until, Field::Bad) {
        return None;
    }
    match activity {
        Field::Absent => {}
        Field::Bad => return None,
        Field::Good(activity) => {
            let stands_alone = data.is_absent() && validity.is_absent() && until.is_absent();
            return Some(activity_choice(activity, stands_alone, notes));
        }
    }
    if data.is_absent() && validity.is_absent() {
        return Some(Choice::Cover);
    }
    if let Some(until) = until.good() {
        let help = "cheapest = { until = \"trip\" } or cheapest = { data = \"1 GB\", validity = \"5d\" }".to_owned();
        notes.contradiction(&until.key, "what lasts until the rule's last day is reckoned, not told", help);
    }
    Some(Choice::Cheapest { data: data.get().copied(), validity: validity.get().copied() })
}

fn activity_choice(at: &At<OneOrMore<Activity>>, stands_alone: bool, notes: &mut Notes<'_>) -> Choice {
    let counts: Vec<Activity> = at.value.0.iter().map(|counts| counts.value).collect();
    let help = || "cheapest = { activity = [\"credit\", \"plan\"] }".to_owned();
    if counts.is_empty() {
        notes.contradiction(&at.span, "nothing is named that counts as activity", help());
    }
    if !stands_alone {
        notes.contradiction(&at.key, "what only keeps a number needs no amount, length or end", help());
    }
    Choice::Activity(counts)
}

/// What a rule is read beside.
pub(super) struct Around {
    /// The day, where dates are held against it.
    pub(super) today: Option<Date>,
    /// What currencies are worth in each other.
    pub(super) rates: Rates,
    /// Whether every purchase falls under a shared cap on money.
    pub(super) is_capped: bool,
}

/// The rule that a table describes, after noting what contradicts itself in it.
pub(super) fn rule(name: &Name, place: &Span, table: &RuleTable, around: &Around, notes: &mut Notes<'_>) -> Rule {
    contradictions::check(name, place, table, around, notes);
    let limits = table.limits.get();
    Rule {
        name: name.clone(),
        line: notes.line(place),
        mode: table.mode.get().copied().unwrap_or_default(),
        ask_above: table.ask_above.get().copied(),
        unanswered: unanswered(table),
        renew_when: table.renew_when.get().map(|when| renew_when(when, notes)).unwrap_or_default(),
        buy: buys(table, notes),
        if_not_enough: table.if_not_enough.get().copied(),
        from: table.from.get().map(|day| day.0),
        until: table.until.get().map(|day| day.0),
        outlast: table.outlast.get().map(|share| share.0),
        trip: None,
        limits: Limits {
            per_renewal: limits.and_then(|limits| limits.per_renewal.get()).copied(),
            per_month: limits.and_then(|limits| limits.per_month.get()).copied(),
            per_cycle: limits.and_then(|limits| limits.per_cycle.get()).copied(),
            renewals_per_cycle: limits.and_then(|limits| limits.renewals_per_cycle.get()).copied(),
            renewals_per_day: limits.and_then(|limits| limits.renewals_per_day.get()).copied(),
            price_rise: limits.and_then(|limits| limits.price_rise.get()).map(|rise| rise.0),
            rates: around.rates.clone(),
        },
        hours: table.hours.get().copied(),
        codes: super::machine_file::texts(&table.codes),
        warn_before: warnings(&table.warn_before),
        even_inactive: table.even_inactive.get().copied().unwrap_or(false),
        keep_number: table.keep_number.get().and_then(keep_number),
    }
}

/// What was told whole; what is wrong with it was noted.
fn keep_number(table: &KeepNumberTable) -> Option<KeepNumber> {
    let days = u32::try_from(table.every.get()?.0 / Secs::DAY.0).ok()?;
    let counts_from = table.count_from.get().copied().unwrap_or_default();
    Some(KeepNumber { days, since: table.since.get()?.0, counts_from })
}

fn unanswered(table: &RuleTable) -> Option<Unanswered> {
    let fallback = *table.unanswered.get()?;
    let within = table.answer_within.get().copied().unwrap_or(WITHIN_USUAL);
    let remind_before = table.remind_before.get().map_or_else(Vec::new, longest_first);
    Some(Unanswered { fallback, within, remind_before })
}

fn buys(table: &RuleTable, notes: &Notes<'_>) -> Vec<Buy> {
    let entries = table.buy.get().into_iter().flat_map(|list| list.0.iter());
    entries.map(|at| Buy { choice: at.value.0.clone(), line: notes.line(&at.span) }).collect()
}

fn warnings(field: &Field<OneOrMore<Secs>>) -> Vec<Secs> {
    field.get().map_or_else(|| WARN_BEFORE.to_vec(), longest_first)
}

fn longest_first(list: &OneOrMore<Secs>) -> Vec<Secs> {
    let mut lengths: Vec<Secs> = list.0.iter().map(|at| at.value).collect();
    lengths.sort_unstable_by_key(|length| Reverse(*length));
    lengths.dedup();
    lengths
}

fn renew_when(table: &RenewWhenTable, notes: &Notes<'_>) -> RenewWhen {
    let listed = |field: &Field<Vec<At<ConditionsTable>>>| -> Vec<Trigger> {
        field.get().into_iter().flatten().flat_map(|item| triggers(&item.value, notes)).collect()
    };
    if table.all_of.is_absent() {
        let mut all = triggers(&table.any, notes);
        all.extend(listed(&table.any_of));
        return RenewWhen { join: Join::Any, triggers: all };
    }
    RenewWhen { join: Join::All, triggers: listed(&table.all_of) }
}

fn triggers(table: &ConditionsTable, notes: &Notes<'_>) -> Vec<Trigger> {
    let line = |(condition, span): (Condition, Span)| Trigger { condition, line: notes.line(&span) };
    conditions(table).into_iter().map(line).collect()
}

/// The conditions of a table with their places, in the order of the file.
pub(super) fn conditions(table: &ConditionsTable) -> Vec<(Condition, Span)> {
    fn one<T: Copy>(field: &Field<T>, make: impl Fn(T) -> Condition) -> Option<(Condition, Span)> {
        field.good().map(|at| (make(at.value), at.key.start..at.span.end))
    }
    let data = |below| match below {
        DataBelow::Size(size) => Condition::DataBelow(size),
        DataBelow::Share(share) => Condition::DataShareBelow(share),
    };
    let all = [
        one(&table.data_below, data),
        one(&table.voice_below, Condition::VoiceBelow),
        one(&table.sms_below, Condition::SmsBelow),
        one(&table.credit_below, Condition::CreditBelow),
        one(&table.plan_ends_within, Condition::PlanEndsWithin),
        one(&table.credit_ends_within, Condition::CreditEndsWithin),
        one(&table.number_ends_within, Condition::NumberEndsWithin),
    ];
    let mut found: Vec<_> = all.into_iter().flatten().collect();
    found.sort_by_key(|(_, span)| span.start);
    found
}

/// Whether a table of conditions holds no key at all, not even a wrong one.
pub(super) fn is_empty(table: &ConditionsTable) -> bool {
    let ConditionsTable {
        data_below,
        voice_below,
        sms_below,
        credit_below,
        plan_ends_within,
        credit_ends_within,
        number_ends_within,
    } = table;
    data_below.is_absent()
        && voice_below.is_absent()
        && sms_below.is_absent()
        && credit_below.is_absent()
        && plan_ends_within.is_absent()
        && credit_ends_within.is_absent()
        && number_ends_within.is_absent()
}
