//! `plan`: what would be bought in the coming days. The daemon's own decision is asked along the days to come; nothing is
//! bought, and no network is touched.

mod coming;
mod shared;
mod words;

use serde_json::{Value, json};

pub(super) use self::coming::coming;
use super::Context;
use super::cli::PlanArgs;
use super::exit::Exit;
use super::output::table;
use super::view::View;
use crate::domain::card::{Card, Name};
use crate::domain::forecast::Forecast;
use crate::domain::foresee::{self, Foreseen, Setting, foresee};
use crate::domain::money::Money;
use crate::domain::rule::{Condition, Line};
use crate::domain::time::{Secs, UnixTime};
use crate::domain::unanswered::Unanswered;
use crate::store::{Connection, StoreError, cards, catalogues};

/// One line of what is shown.
struct Entry {
    card: Name,
    told: Told,
    /// What happens to a question that nobody answers.
    unanswered: Option<Unanswered>,
}

/// What there is to tell.
enum Told {
    /// Something that happens.
    Foreseen(Box<Foreseen>),
    /// A condition that will hold one day; nobody can tell when.
    Untold(Condition, Line, Forecast),
    /// Nothing, and why.
    Nothing(String),
}

/// Shows what the coming days bring.
pub(super) fn plan(context: &Context, args: &PlanArgs) -> anyhow::Result<Exit> {
    let view = View::open(context)?;
    let until = view.now.plus(Secs::days(i64::from(args.days)));
    let wanted = match &args.card {
        Some(name) => vec![view.card(name)?],
        None => view.store.read_blocking(cards::all)?,
    };
    let entries = view.store.read_blocking(|conn| of_cards(&view, conn, &wanted, until))?;
    if context.output.json {
        let documents: Vec<Value> = entries.iter().map(Entry::document).collect();
        context.output.document(json!({ "now": view.now, "until": until, "plan": documents }))?;
        return Ok(Exit::Done);
    }
    if entries.is_empty() {
        context.output.say("nothing to do: there is no card yet")?;
        return Ok(Exit::Done);
    }
    let rows = entries.iter().map(Entry::row).collect();
    context.output.say(&table(&["WHEN (UTC)", "CARD", "WHAT", "PRICE", "BECAUSE"], rows))?;
    if !entries.iter().any(Entry::is_purchase) {
        context.output.say(&format!("\nnothing to do in the next {} days, as far as is known", args.days))?;
    }
    for line in totals(&entries, until) {
        context.output.say(&line)?;
    }
    Ok(Exit::Done)
}

/// What is known comes first, in the order of time; what is not known and what is nothing follows.
fn of_cards(view: &View, conn: &Connection, wanted: &[Card], until: UnixTime) -> Result<Vec<Entry>, StoreError> {
    let mut entries = Vec::new();
    for card in wanted {
        entries.extend(of_card(view, conn, card.clone(), until)?);
    }
    entries.sort_by_key(|entry| entry.at().map_or((1, UnixTime::MAX), |at| (0, at)));
    shared::hold(view, conn, wanted, entries)
}

fn of_card(view: &View, conn: &Connection, card: Card, until: UnixTime) -> Result<Vec<Entry>, StoreError> {
    let case = view.case(conn, card)?;
    let catalogue = catalogues::load(conn, case.card.id)?;
    let entry = |told: Told| Entry { card: case.card.name.clone(), told, unanswered: None };
    let Some(rule) = view.rule(&case.card) else {
        return Ok(vec![entry(Told::Nothing("no rule: it is only read".to_owned()))]);
    };
    if rule.renew_when.triggers.is_empty() {
        return Ok(vec![entry(Told::Nothing(format!("the rule `{}` has no conditions", rule.name)))]);
    }
    let uses = case.uses(conn, view.now)?;
    let seller = view.ways(&case).into_iter().next().map_or_else(|| case.card.account.clone(), |way| way.account);
    let setting = Setting {
        card: &case.card,
        rule,
        catalogue: catalogue.as_ref(),
        recent: &case.poll.recent,
        ledger: &case.ledger,
        attempts: &case.attempts,
        seller: &seller,
        uses: &uses,
    };
    let foreseen = foresee(&setting, view.now, until).into_iter();
    let mut entries: Vec<Entry> = foreseen
        .map(|one| Entry { unanswered: rule.unanswered.clone(), ..entry(Told::Foreseen(Box::new(one))) })
        .collect();
    let untold = foresee::untold(&setting).into_iter();
    entries.extend(untold.map(|(condition, line, used)| entry(Told::Untold(condition, line, used))));
    if entries.is_empty() {
        entries.push(entry(Told::Nothing("no condition will hold".to_owned())));
    }
    Ok(entries)
}

impl Entry {
    /// When it is expected; if it comes only if more is used, when it comes then.
    fn at(&self) -> Option<UnixTime> {
        match &self.told {
            Told::Foreseen(foreseen) => Some(foreseen.when.likely.unwrap_or(foreseen.when.early)),
            Told::Untold(..) | Told::Nothing(_) => None,
        }
    }

    fn is_purchase(&self) -> bool {
        matches!(&self.told, Told::Foreseen(foreseen) if foreseen.what.is_purchase())
    }

    fn price(&self) -> Option<Money> {
        match &self.told {
            Told::Foreseen(foreseen) => foreseen.what.bought().map(|plan| plan.price),
            Told::Untold(..) | Told::Nothing(_) => None,
        }
    }
}

/// What is expected to be spent, a line for each currency, and how much more it may be.
fn totals(entries: &[Entry], until: UnixTime) -> Vec<String> {
    let expected =
        |entry: &&Entry| matches!(&entry.told, Told::Foreseen(one) if one.when.likely.is_some_and(|at| at <= until));
    let (expected, possible): (Vec<&Entry>, Vec<&Entry>) = entries.iter().partition(expected);
    let expected = sums(expected.into_iter()).into_iter().map(|sum| format!("in all {sum}, if nothing changes"));
    let possible =
        sums(possible.into_iter()).into_iter().map(|sum| format!("{sum} more, if more is used than expected"));
    expected.chain(possible).collect()
}

fn sums<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<Money> {
    let mut sums: Vec<Money> = Vec::new();
    for price in entries.filter_map(Entry::price) {
        match sums.iter_mut().find(|sum| sum.currency() == price.currency()) {
            Some(sum) => *sum = sum.plus(price).unwrap_or(*sum),
            None => sums.push(price),
        }
    }
    sums
}
