//! What a rehearsal came to, from its own record: every purchase with its line, money by months, messages, and times in
//! which a card had nothing left.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::stage::{Folder, Part};
use crate::commands::exit::Exit;
use crate::commands::history::given_up;
use crate::commands::output::{minute, table};
use crate::config::Config;
use crate::domain::attempt::{Attempt, AttemptState, Cause, StateName};
use crate::domain::data::DataSize;
use crate::domain::ledger::cost;
use crate::domain::money::Money;
use crate::domain::reading::{AllowanceKind, Reading};
use crate::domain::rule::Line;
use crate::domain::time::{Secs, UnixTime, day_after, day_start};
use crate::domain::words::Spoken;
use crate::notify::{Lane, Picture};
use crate::store::attempts::{self, AttemptFilter};
use crate::store::notices::{self, Notice};
use crate::store::{Connection, Store, StoreError, readings};

/// More than any rehearsal has.
const ALL: usize = 1_000_000;
/// So many lines of messages are shown; the document has all.
const MESSAGES_SHOWN: usize = 30;

/// Everything that happened.
pub(super) struct Told {
    now: UnixTime,
    ends: UnixTime,
    header: Vec<String>,
    orders: Vec<Ordered>,
    messages: Vec<(Option<String>, Notice)>,
    courses: Vec<Course>,
}

/// An order of the rehearsal.
struct Ordered {
    at: UnixTime,
    card: String,
    /// The month that its card's limits count it in.
    month: String,
    attempt: Attempt,
}

/// One card's readings over the time.
struct Course {
    card: String,
    readings: Vec<Reading>,
    trip: Option<(UnixTime, UnixTime)>,
}

impl Told {
    pub(super) fn collect(
        folder: &Folder,
        config: &Config,
        parts: &[Part],
        now: UnixTime,
        ends: UnixTime,
    ) -> anyhow::Result<Self> {
        let store = Store::open_read_only(&folder.state())?;
        let told = store.read_blocking(|conn| Self::read(conn, config, parts, now, ends))?;
        Ok(told)
    }

    fn read(
        conn: &Connection,
        config: &Config,
        parts: &[Part],
        now: UnixTime,
        ends: UnixTime,
    ) -> Result<Self, StoreError> {
        let (mut orders, mut courses) = (Vec::new(), Vec::new());
        for part in parts {
            let card = part.card.name.to_string();
            orders.extend(orders_of(conn, part, now)?);
            let rule = config.rules.rule_of(&part.card).filter(|rule| rule.from.is_some() || rule.until.is_some());
            let trip = rule.map(|rule| {
                let from = rule.from.map_or(now, |day| day_start(day, &part.card.zone));
                (from, rule.until.map_or(ends, |day| day_after(day, &part.card.zone)))
            });
            let readings = readings::history(conn, part.card.id, now, ends)?;
            courses.push(Course { card, readings, trip });
        }
        orders.sort_by_key(|order| order.at);
        let name = |notice: &Notice| {
            let part = parts.iter().find(|part| notice.card == Some(part.card.id));
            part.map(|part| part.card.name.to_string())
        };
        let mut messages: Vec<_> = notices::list(conn, None, None, ALL)?
            .into_iter()
            .filter(|notice| notice.created_at >= now)
            .map(|notice| (name(&notice), notice))
            .collect();
        messages.sort_by_key(|(_, notice)| notice.created_at);
        Ok(Self { now, ends, header: header(config, parts, now, ends), orders, messages, courses })
    }

    /// Whether all went well: every order took effect, and no card was left with nothing.
    pub(super) fn exit(&self) -> Exit {
        let failed = self.orders.iter().any(|order| order.attempt.state.name() != StateName::Done);
        let dry = self.courses.iter().any(|course| course.dry() > Secs::ZERO);
        if failed || dry { Exit::Partly } else { Exit::Done }
    }

    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = self.header.clone();
        lines.push(String::new());
        if self.orders.is_empty() {
            lines.push("Nothing would be bought.".to_owned());
        } else {
            let rows = self.orders.iter().map(Ordered::row).collect();
            lines.push(table(&["WHEN (UTC)", "CARD", "WHAT", "PRICE", "BY LINE"], rows));
        }
        let sums = self.months();
        if !sums.is_empty() {
            let rows = sums.iter().map(|(month, sum)| vec![month.clone(), sum.to_string()]).collect();
            lines.extend([String::new(), table(&["MONTH", "MONEY"], rows)]);
        }
        lines.extend(self.message_lines());
        lines.push(String::new());
        for course in self.courses.iter().filter(|course| course.dry() > Secs::ZERO) {
            lines.push(format!("{} would be without data for {} in all.", course.card, Spoken(course.dry())));
        }
        if self.exit() == Exit::Done {
            lines.push("No card would be without data, and every order would arrive.".to_owned());
        }
        lines
    }

    fn message_lines(&self) -> Vec<String> {
        if self.messages.is_empty() {
            return vec![String::new(), "No message would be sent.".to_owned()];
        }
        let rows = self.messages.iter().take(MESSAGES_SHOWN).map(|(_, notice)| {
            let to = format!("{} by {}", notice.person, notice.channel);
            vec![minute(notice.created_at), to, notice.subject.clone()]
        });
        let mut lines = vec![String::new(), table(&["WHEN (UTC)", "MESSAGE TO", "WHAT IT SAYS"], rows.collect())];
        if self.messages.len() > MESSAGES_SHOWN {
            lines.push(format!("and {} more", self.messages.len() - MESSAGES_SHOWN));
        }
        lines
    }

    /// What each month costs, one sum per currency.
    fn months(&self) -> Vec<(String, Money)> {
        let mut sums: BTreeMap<(String, String), Money> = BTreeMap::new();
        for order in self.orders.iter().filter(|order| order.attempt.state.name().counts_as_spent()) {
            let (paid, month) = (cost(&order.attempt), order.month.clone());
            let sum = sums.entry((month, paid.currency().to_string())).or_insert(Money::zero(paid.currency()));
            *sum = sum.plus(paid).unwrap_or(*sum);
        }
        sums.into_iter().map(|((month, _), sum)| (month, sum)).collect()
    }

    pub(super) fn document(&self) -> Value {
        let months: Vec<Value> =
            self.months().into_iter().map(|(month, sum)| json!({ "month": month, "money": sum })).collect();
        let messages: Vec<Value> = self.messages.iter().map(message_document).collect();
        let cards: Vec<Value> = self
            .courses
            .iter()
            .map(|course| json!({ "card": course.card, "without_data_secs": course.dry().0, "readings": course.readings.len() }))
            .collect();
        json!({
            "rehearsal": self.header, "from": self.now, "to": self.ends,
            "purchases": self.orders.iter().map(Ordered::document).collect::<Vec<_>>(),
            "months": months, "messages": messages, "cards": cards, "all_well": self.exit() == Exit::Done,
        })
    }

    pub(super) fn picture(&self) -> Picture {
        let lanes = self.courses.iter().map(|course| {
            let bought = self.orders.iter().filter(|order| order.card == course.card);
            let bought =
                bought.map(|order| (order.at, format!("{} {} for {}", minute(order.at), order.plan(), order.price())));
            let points = course.points();
            let most = points.iter().map(|(_, left)| *left).max().unwrap_or(0);
            let most = course.words(most);
            Lane { name: course.card.clone(), most, points, bought: bought.collect(), trip: course.trip }
        });
        let title = format!("A rehearsal from {} to {}", &minute(self.now)[..10], &minute(self.ends)[..10]);
        Picture { title, from: self.now, to: self.ends, months: months_of(self.now, self.ends), lanes: lanes.collect() }
    }
}

fn header(config: &Config, parts: &[Part], now: UnixTime, ends: UnixTime) -> Vec<String> {
    let accounts: Vec<String> = config.machine.accounts.iter().map(|account| account.name.to_string()).collect();
    let channels: Vec<String> = config.machine.channels.iter().map(|channel| channel.name.to_string()).collect();
    let mut lines = vec![
        format!("A rehearsal, on a copy of the record, from {} to {} (UTC).", minute(now), minute(ends)),
        format!(
            "No operator was asked and no message left this machine: the accounts {} are the sandbox's, and what goes over {} was kept here.",
            accounts.join(", "),
            channels.join(", ")
        ),
        "Prices are those of the catalogues as they were last read, or of the last orders. Each card is used by the same amount every day; what a rule asks you is agreed to after twelve hours; wallets are full.".to_owned(),
    ];
    lines.extend(parts.iter().map(super::part_line));
    lines
}

fn orders_of(conn: &Connection, part: &Part, now: UnixTime) -> Result<Vec<Ordered>, StoreError> {
    let sent = attempts::spends(conn, part.card.id, now)?;
    let filter = AttemptFilter { card: Some(part.card.id), open_only: false, since: now, limit: ALL };
    let orders = attempts::list(conn, &filter)?.into_iter().map(|attempt| {
        let spend = sent.iter().find(|spend| spend.attempt == attempt.id);
        let at = spend.map_or(attempt.created_at, |spend| spend.at);
        let month = at.in_zone(&part.card.zone).strftime("%Y-%m").to_string();
        Ordered { at, card: part.card.name.to_string(), month, attempt }
    });
    Ok(orders.collect())
}

impl Ordered {
    fn plan(&self) -> &str {
        &self.attempt.plan.name
    }

    fn price(&self) -> Money {
        cost(&self.attempt)
    }

    fn line(&self) -> Option<Line> {
        match &self.attempt.cause {
            Cause::Rule { line, .. } => Some(*line),
            Cause::Person { .. } | Cause::Journal => None,
        }
    }

    fn row(&self) -> Vec<String> {
        let plan = self.plan();
        let what = match &self.attempt.state {
            AttemptState::Done { .. } => format!("buys {plan}"),
            AttemptState::Abandoned { why, .. } => format!("does not buy {plan}: {}", given_up(why)),
            other => format!("{plan}: {}", other.name()),
        };
        let line = self.line().map_or_else(|| "-".to_owned(), |line| format!("rules.toml:{line}"));
        vec![minute(self.at), self.card.clone(), what, self.price().to_string(), line]
    }

    fn document(&self) -> Value {
        json!({
            "at": self.at, "card": self.card, "plan": self.attempt.plan, "price": self.price(),
            "rules_line": self.line(), "state": self.attempt.state.name(), "approval": self.attempt.approval,
        })
    }
}

fn message_document((card, notice): &(Option<String>, Notice)) -> Value {
    json!({
        "at": notice.created_at, "card": card, "kind": notice.kind.as_str(), "person": notice.person,
        "channel": notice.channel, "address": notice.address, "subject": notice.subject,
    })
}

impl Course {
    /// Data where the operator tells any, else credit.
    fn kind(&self) -> Option<AllowanceKind> {
        let kinds = || self.readings.iter().flat_map(|reading| &reading.allowances).map(|allowance| allowance.kind);
        kinds().find(|kind| *kind == AllowanceKind::Data).or_else(|| kinds().next())
    }

    fn points(&self) -> Vec<(UnixTime, i64)> {
        let Some(kind) = self.kind() else { return Vec::new() };
        let known = self.readings.iter().map(|reading| (reading.as_of, reading.left(kind)));
        known.filter(|(_, left)| left.known && !left.unlimited).map(|(at, left)| (at, left.remaining)).collect()
    }

    fn words(&self, left: i64) -> String {
        let whole = left.unsigned_abs();
        match self.kind() {
            Some(AllowanceKind::Data) => format!("up to {}", DataSize(whole)),
            Some(AllowanceKind::Credit(currency)) => format!("up to {}", Money::new(left, currency)),
            Some(AllowanceKind::Voice | AllowanceKind::Sms) | None => String::new(),
        }
    }

    /// For how long in all nothing was left of its data, from its first data on.
    fn dry(&self) -> Secs {
        if self.kind() != Some(AllowanceKind::Data) {
            return Secs::ZERO;
        }
        let points = self.points();
        let pairs = points.iter().zip(points.iter().skip(1));
        let dry = pairs.filter(|((_, before), (_, after))| *before <= 0 && *after <= 0);
        Secs(dry.map(|((from, _), (to, _))| to.since(*from).0).sum())
    }
}

/// The beginnings of the months between two instants.
fn months_of(from: UnixTime, to: UnixTime) -> Vec<(UnixTime, String)> {
    let mut day = from.date_in(&TimeZone::UTC).first_of_month();
    let mut months = Vec::new();
    while let Ok(next) = day.checked_add(jiff::Span::new().months(1)) {
        let at = day_start(next, &TimeZone::UTC);
        if at >= to {
            break;
        }
        months.push((at, minute(at)[..7].to_owned()));
        day = next;
    }
    months
}
