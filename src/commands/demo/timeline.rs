//! What happened in the demo, from the record and from the operator's own books.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Write as _};

use crate::domain::attempt::{Attempt, AttemptState, StateName};
use crate::domain::card::CardId;
use crate::domain::money::Money;
use crate::domain::time::UnixTime;
use crate::sandbox::Sandbox;
use crate::store::attempts::{self, AttemptEvent, AttemptFilter};
use crate::store::notices;
use crate::store::{Connection, StoreError, cards};

/// One line of the timeline.
pub(super) struct Line {
    at: UnixTime,
    card: String,
    what: String,
}

/// Prints each line of the timeline once, as it comes.
pub(super) struct Teller {
    begins: UnixTime,
    told: HashSet<(UnixTime, String, String)>,
}

impl Teller {
    /// A story that begins then.
    pub(super) fn new(begins: UnixTime) -> io::Result<Self> {
        writeln!(io::stdout(), "What happens (times in UTC):\n")?;
        Ok(Self { begins, told: HashSet::new() })
    }

    /// Prints what is new in the record.
    pub(super) fn tell_new(&mut self, mut lines: Vec<Line>) -> io::Result<()> {
        lines.sort_by_key(|line| line.at);
        for line in lines {
            let day = line.at.since(self.begins).0 / 86_400 + 1;
            let clock = line.at.to_string();
            let text = format!("  day {day:>2}  {}  {:<7} {}", &clock[5..16].replace('T', " "), line.card, line.what);
            if self.told.insert((line.at, line.card, line.what)) {
                writeln!(io::stdout(), "{text}")?;
            }
        }
        Ok(())
    }
}

/// Prints the money by our record and by the operator's books.
pub(super) fn print_money(spent: Money, operator: &Sandbox) -> anyhow::Result<()> {
    let orders = operator.accepted_orders();
    let taken = orders.iter().try_fold(Money::zero(spent.currency()), |sum, order| sum.plus(order.price));
    println!("\nMoney: {spent} by our record; {} in {} orders by the operator's books.", taken?, orders.len());
    Ok(())
}

/// What the record tells by now, and what was spent.
pub(super) fn collect(conn: &Connection) -> Result<(Vec<Line>, Money), StoreError> {
    let names: BTreeMap<CardId, String> =
        cards::all(conn)?.into_iter().map(|card| (card.id, card.name.to_string())).collect();
    let name = |card: CardId| names.get(&card).cloned().unwrap_or_default();
    let filter = AttemptFilter { card: None, open_only: false, since: UnixTime::MIN, limit: 1_000 };
    let (mut lines, mut spent) = (Vec::new(), Money::zero(crate::domain::money::Currency::USD));
    for attempt in attempts::list(conn, &filter)? {
        if attempt.state.name().counts_as_spent() {
            let paid = crate::domain::ledger::cost(&attempt);
            spent = spent.plus(paid).unwrap_or(spent);
        }
        for event in attempts::events(conn, attempt.id)? {
            let what = told(&attempt, &event);
            lines.extend(what.map(|what| Line { at: event.at, card: name(attempt.card), what }));
        }
    }
    for notice in notices::list(conn, None, None, 1_000)? {
        let card = notice.card.map(name).unwrap_or_default();
        lines.push(Line {
            at: notice.created_at,
            card,
            what: format!("mail to {}: {}", notice.person, notice.subject),
        });
    }
    Ok((lines, spent))
}

/// The moves that a newcomer wants to see, in words.
fn told(attempt: &Attempt, event: &AttemptEvent) -> Option<String> {
    if event.from == Some(event.to) {
        return None;
    }
    let (plan, price) = (&attempt.plan.name, attempt.plan.price);
    let words = match (event.from, event.to) {
        (None, StateName::Planned) => format!("needs a renewal: {plan} for {price}"),
        (_, StateName::Sending) => "order written down, then sent".to_owned(),
        (Some(StateName::Sending), StateName::Unknown) => {
            "no answer came: nobody knows whether it was taken, so nothing is sent again".to_owned()
        }
        (Some(StateName::Unknown), StateName::Pending | StateName::Accepted) => {
            "found in the operator's list: it was taken, once".to_owned()
        }
        (_, StateName::Done) => {
            let number = match &attempt.state {
                AttemptState::Done { order_id: Some(number), .. } => format!(" (order {number})"),
                _ => String::new(),
            };
            format!("bought, and the card shows it{number}")
        }
        (_, StateName::Refused) => "refused by the operator".to_owned(),
        (_, StateName::Abandoned) => format!("not bought: {}", event.what),
        _ => return None,
    };
    Some(words)
}
