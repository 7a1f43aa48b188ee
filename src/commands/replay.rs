//! `replay`: a changed rules file over the readings, catalogues and orders of the record, and the difference that it would
//! have made. Nothing is bought, and no network is touched.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::Context;
use super::cli::ReplayArgs;
use super::exit::{Exit, Stop};
use super::history::day;
use super::output::{minute, table};
use super::view::{self, View};
use crate::config::{self, Config, MACHINE_FILE, Rules, Source};
use crate::domain::attempt::AttemptId;
use crate::domain::card::{Card, Keeper, Wishes};
use crate::domain::forecast;
use crate::domain::money::Money;
use crate::domain::replay::{Bought, Change, Obstacle, Order, Pair, Past, Replayed, Window, replay as try_rules};
use crate::domain::time::{Secs, UnixTime};
use crate::domain::words::Spoken;
use crate::store::attempts::{self, AttemptFilter};
use crate::store::{Connection, StoreError, cards, catalogues, decisions, readings};

/// More orders, or changes of mind, than any card has.
const ALL: usize = 1_000_000;
/// The verdict of a card that a person holds back.
const PAUSED: &str = "paused";

/// Tries a file on the past.
pub(super) fn replay(context: &Context, args: &ReplayArgs) -> anyhow::Result<Exit> {
    let view = View::open(context)?;
    let rules = changed_files(context, &args.rules, view.now.date_in(&TimeZone::UTC))?.rules;
    let from = day(&args.from, &TimeZone::UTC)?;
    let to = args.to.as_deref().map_or(Ok(view.now), |text| day(text, &TimeZone::UTC))?.min(view.now);
    if from >= to {
        return Err(Stop::command_line(format!(
            "there is nothing to replay between {} and {}",
            minute(from),
            minute(to)
        )));
    }
    let window = Window { from, to };
    let replayed = view.store.read_blocking(|conn| all_cards(&view, conn, &rules, window))?;
    let told = Told { replayed, window, strangers: strangers(&view, &rules)? };
    if context.output.json {
        context.output.document(told.document())?;
    } else {
        for line in told.lines() {
            context.output.say(&line)?;
        }
    }
    Ok(Exit::Done)
}

/// The changed file beside the machine's, by the daemon's own loader.
pub(super) fn changed_files(context: &Context, file: &Path, today: Date) -> anyhow::Result<Config> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Stop::with(Exit::Configuration, format!("cannot read {}: {error}", file.display())))?;
    let machine = view::read(&context.places.config.join(MACHINE_FILE))?;
    Ok(config::parse(&machine, &Source { path: file.to_owned(), text }, Some(today))?)
}

/// One card at a time, unless they share limits: then each counts for the others.
fn all_cards(view: &View, conn: &Connection, rules: &Rules, window: Window) -> Result<Vec<Replayed>, StoreError> {
    let mut together = Vec::new();
    let mut replayed = Vec::new();
    for card in cards::all(conn)? {
        let past = past(view, conn, rules, card, window)?;
        if rules.shared_limits.is_empty() {
            replayed.extend(try_rules(&[past], &[], window));
        } else {
            together.push(past);
        }
    }
    replayed.extend(try_rules(&together, &rules.shared_limits, window));
    Ok(replayed)
}

fn past(view: &View, conn: &Connection, rules: &Rules, card: Card, window: Window) -> Result<Past, StoreError> {
    let id = card.id;
    let pace = view.standing(&card.account).pace;
    let sent: BTreeMap<AttemptId, UnixTime> =
        attempts::spends(conn, id, UnixTime::MIN)?.into_iter().map(|spend| (spend.attempt, spend.at)).collect();
    let filter = AttemptFilter { card: Some(id), open_only: false, since: UnixTime::MIN, limit: ALL };
    let orders = attempts::list(conn, &filter)?
        .into_iter()
        .rev()
        .map(|attempt| Order { sent_at: sent.get(&attempt.id).copied().unwrap_or(attempt.created_at), attempt });
    let card = as_in(rules, card, window.to);
    Ok(Past {
        rule: rules.rule_of(&card).cloned(),
        readings: readings::history(conn, id, window.from.minus(forecast::LOOKS_BACK), window.to)?,
        orders: orders.collect(),
        held_back: held_back(conn, id)?,
        catalogue: catalogues::load(conn, id)?,
        card,
        pace,
    })
}

/// The card as the changed file has it, without what people say about it today.
fn as_in(rules: &Rules, card: Card, now: UnixTime) -> Card {
    let card = Card { wishes: Wishes::default(), ..card };
    if card.keeper == Keeper::Command {
        return card;
    }
    match rules.cards.iter().find(|entry| entry.name == card.name) {
        Some(entry) => Card {
            account: entry.account.clone(),
            sellers: entry.sellers.clone(),
            labels: entry.labels.clone(),
            zone: entry.zone.clone(),
            rule: entry.rule.clone(),
            ..card
        },
        None => Card { retired_at: Some(now), ..card },
    }
}

/// When the daemon noted that a person held the card back.
fn held_back(conn: &Connection, card: crate::domain::card::CardId) -> Result<Vec<Window>, StoreError> {
    let mut found = decisions::list(conn, card, UnixTime::MIN, ALL)?;
    found.reverse();
    let ends = found.iter().skip(1).map(|next| next.at).chain([UnixTime::MAX]);
    let paused = found.iter().zip(ends).filter(|(decision, _)| decision.verdict == PAUSED);
    Ok(paused.map(|(decision, to)| Window { from: decision.at, to }).collect())
}

/// Cards of the changed file of which the record knows nothing.
fn strangers(view: &View, rules: &Rules) -> anyhow::Result<Vec<String>> {
    let known = view.store.read_blocking(cards::all)?;
    let strange = rules.cards.iter().filter(|entry| known.iter().all(|card| card.name != entry.name));
    Ok(strange.map(|entry| entry.name.to_string()).collect())
}

/// What came out.
struct Told {
    replayed: Vec<Replayed>,
    window: Window,
    strangers: Vec<String>,
}

/// Money of one currency: what was paid, and what would have been.
type Sums = Vec<(Money, Money)>;

impl Told {
    fn lines(&self) -> Vec<String> {
        let (from, to) = (minute(self.window.from), minute(self.window.to));
        let mut lines =
            vec![format!("The record from {from} to {to} (UTC), and what the changed rules would have made of it.")];
        let changed = || self.replayed.iter().flat_map(changed_pairs);
        if changed().next().is_none() {
            lines.push("They would have bought the same, at the same times.".to_owned());
        } else {
            let rows = changed().map(|(replayed, pair)| row(replayed, pair)).collect();
            lines.push(String::new());
            lines.push(table(&["CARD", "CHANGE", "WAS BOUGHT (UTC)", "WOULD BE BOUGHT (UTC)", "BY LINE"], rows));
        }
        lines.extend(self.money_lines());
        lines.extend(self.notes());
        lines
    }

    fn money_lines(&self) -> Vec<String> {
        let mut rows = Vec::new();
        for replayed in self.replayed.iter().filter(|replayed| changed_pairs(replayed).next().is_some()) {
            rows.extend(sums([replayed]).into_iter().map(|sum| money_row(replayed.card.as_str(), sum)));
        }
        rows.extend(sums(&self.replayed).into_iter().map(|sum| money_row("in all", sum)));
        if rows.is_empty() {
            return vec!["Nothing was bought by rules, and nothing would be.".to_owned()];
        }
        vec![String::new(), table(&["MONEY", "PAID", "WOULD BE PAID", "DIFFERENCE"], rows)]
    }

    /// What stands in the way of knowing more.
    fn notes(&self) -> Vec<String> {
        let mut notes = vec![String::new()];
        for replayed in &self.replayed {
            let card = &replayed.card;
            if replayed.readings == 0 {
                notes.push(format!("{card} has no readings in this time, so nothing can be told of it."));
                continue;
            }
            if replayed.unread > Secs::ZERO {
                notes.push(format!(
                    "{card} was not read for {} in all; what it was like then is not known.",
                    Spoken(replayed.unread)
                ));
            }
            for (at, why) in &replayed.held {
                notes.push(format!("{card} would have been held back from {} on: {}", minute(*at), obstacle(why)));
            }
        }
        let never = self
            .strangers
            .iter()
            .map(|card| format!("{card} is new in the changed file; the record knows nothing of it."));
        notes.extend(never);
        notes.push(
            "A purchase changes the readings after it. Where only one of the two bought, the card is followed by what its own purchases put on it, less what was used as the record shows.".to_owned(),
        );
        notes
    }

    fn document(&self) -> Value {
        let cards: Vec<Value> = self
            .replayed
            .iter()
            .map(|replayed| {
                let purchases: Vec<Value> = replayed.purchases.iter().map(pair_document).collect();
                let held: Vec<Value> =
                    replayed.held.iter().map(|(at, why)| json!({ "from": at, "why": obstacle(why) })).collect();
                json!({
                    "card": replayed.card, "purchases": purchases, "held": held, "money": money_document(sums([replayed])),
                    "readings": replayed.readings, "unread_secs": replayed.unread.0,
                })
            })
            .collect();
        json!({
            "from": self.window.from, "to": self.window.to, "cards": cards,
            "money": money_document(sums(&self.replayed)), "not_in_record": self.strangers,
        })
    }
}

/// What is not as it was.
fn changed_pairs(replayed: &Replayed) -> impl Iterator<Item = (&Replayed, &Pair)> {
    replayed.purchases.iter().filter(|pair| pair.change() != Change::Same).map(move |pair| (replayed, pair))
}

/// Paid and to be paid, by currency.
fn sums<'a>(replayed: impl IntoIterator<Item = &'a Replayed>) -> Sums {
    let mut sums = Sums::new();
    let mut add = |bought: &Option<Bought>, place: fn(&mut (Money, Money)) -> &mut Money| {
        let Some(paid) = bought.as_ref().map(|bought| bought.paid) else { return };
        let found = sums.iter().position(|(sum, _)| sum.currency() == paid.currency());
        let found = found.unwrap_or_else(|| {
            let nothing = Money::zero(paid.currency());
            sums.push((nothing, nothing));
            sums.len() - 1
        });
        let sum = place(&mut sums[found]);
        *sum = sum.plus(paid).unwrap_or(*sum);
    };
    for pair in replayed.into_iter().flat_map(|replayed| &replayed.purchases) {
        add(&pair.before, |sums| &mut sums.0);
        add(&pair.after, |sums| &mut sums.1);
    }
    sums
}

fn money_row(what: &str, (before, after): (Money, Money)) -> Vec<String> {
    vec![what.to_owned(), before.to_string(), after.to_string(), difference(before, after)]
}

fn difference(before: Money, after: Money) -> String {
    match after.minus(before) {
        Ok(more) if more.ten_thousandths() > 0 => format!("+{more}"),
        Ok(less) => less.to_string(),
        Err(_) => "-".to_owned(),
    }
}

fn money_document(sums: Sums) -> Value {
    sums.into_iter()
        .map(
            |(before, after)| json!({ "paid": before, "would_be_paid": after, "difference": after.minus(before).ok() }),
        )
        .collect()
}

fn row(replayed: &Replayed, pair: &Pair) -> Vec<String> {
    let told = |bought: &Option<Bought>| {
        bought.as_ref().map_or_else(
            || "-".to_owned(),
            |bought| format!("{} {} for {}", minute(bought.at), bought.plan.name, bought.paid),
        )
    };
    let line = pair.after.as_ref().and_then(|after| after.line).map_or_else(|| "-".to_owned(), |line| line.to_string());
    vec![replayed.card.to_string(), change_words(pair), told(&pair.before), told(&pair.after), line]
}

fn change_words(pair: &Pair) -> String {
    let later = pair.later().0;
    let moved = if later.abs() < Secs::HOUR.0 {
        String::new()
    } else {
        format!("{} {}", Spoken(Secs(later.abs())), if later < 0 { "earlier" } else { "later" })
    };
    let words = match pair.change() {
        Change::Same => "as it was".to_owned(),
        Change::Moved => moved,
        Change::Other if moved.is_empty() => "another plan or price".to_owned(),
        Change::Other => format!("another plan or price, {moved}"),
        Change::Dropped => "not bought".to_owned(),
        Change::Added => "bought as well".to_owned(),
    };
    let asks = pair.after.as_ref().is_some_and(|after| after.asks);
    if asks { format!("{words}, if a person agrees") } else { words }
}

fn pair_document(pair: &Pair) -> Value {
    json!({
        "change": pair.change(), "later_secs": pair.later().0, "before": pair.before, "after": pair.after,
    })
}

fn obstacle(why: &Obstacle) -> String {
    match why {
        Obstacle::Limit(gate) => gate.to_string(),
        Obstacle::NotOnSale => "nothing of the rule's list is known to have been on sale".to_owned(),
    }
}
