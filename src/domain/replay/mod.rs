//! Rules over the past: what they would have bought by the readings that the record holds, beside what was bought. Every
//! decision is that of `assess`, `choose` and the limits, at each reading in turn.
//!
//! A purchase of the past changed the readings after it. So while both worlds have bought the same, the card is as it was
//! read. Once one has bought and the other has not, the card of the replay is carried: by what its own purchases put on it,
//! less what was used as the readings show, until the other world buys the same plan, too.
//!
//! An order of the replay arrives, unless the record tried at that moment: then it ends as it ended there, after the same
//! time. Prices are those that were paid nearest to the day, else those of the last catalogue.

mod record;
mod track;

use std::collections::BTreeSet;

use serde::Serialize;

use self::record::Need;
use self::track::Track;
use super::attempt::Attempt;
use super::card::{Card, Name};
use super::gates::Gate;
use super::ledger::Pace;
use super::limits;
use super::money::Money;
use super::plan::{Catalogue, Plan};
use super::reading::Reading;
use super::rule::{Line, Rule};
use super::shared_limits::{self, Counted, SharedLimit, Spent};
use super::time::{Secs, UnixTime};

/// Purchases nearer to each other than this are the same one: readings lie some hours apart.
const SAME_TIME: Secs = Secs::hours(12);
/// A longer time without a reading is one of which nothing can be told.
const UNREAD_MIN: Secs = Secs::hours(36);

/// From when until when.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// The first instant.
    pub from: UnixTime,
    /// The first one after it.
    pub to: UnixTime,
}

/// An order of the record.
#[derive(Clone, Debug)]
pub struct Order {
    /// The attempt.
    pub attempt: Attempt,
    /// When it was first sent, or planned if it never was.
    pub sent_at: UnixTime,
}

/// What the record knows of one card, and the rule that is to be tried on it.
#[derive(Clone, Debug)]
pub struct Past {
    /// The card, as the changed file has it.
    pub card: Card,
    /// The rule that decides by the changed file.
    pub rule: Option<Rule>,
    /// Readings that made sense, oldest first; those before the window tell how it was used.
    pub readings: Vec<Reading>,
    /// Everything that was ever tried, oldest first.
    pub orders: Vec<Order>,
    /// Times in which the daemon noted that a person held it back.
    pub held_back: Vec<Window>,
    /// What was on sale when it was last looked at.
    pub catalogue: Option<Catalogue>,
    /// How often it is read.
    pub pace: Pace,
}

/// A purchase, of the record or of the replay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bought {
    /// When the order left.
    pub at: UnixTime,
    /// What.
    pub plan: Plan,
    /// What it cost, or may have cost.
    pub paid: Money,
    /// Who sold it.
    pub account: Name,
    /// The rule's line that caused it.
    pub line: Option<Line>,
    /// Whether a person would be asked first.
    pub asks: bool,
}

/// What became of one purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Both bought the same at the same time.
    Same,
    /// Both bought the same, at other times.
    Moved,
    /// Both bought, but other plans, or at other prices.
    Other,
    /// Only the record did.
    Dropped,
    /// Only the replay did.
    Added,
}

/// A purchase of the record, of the replay, or of both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// By the record.
    pub before: Option<Bought>,
    /// By the replay.
    pub after: Option<Bought>,
}

impl Pair {
    /// What became of it.
    #[must_use]
    pub fn change(&self) -> Change {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) if before.plan.id != after.plan.id || before.paid != after.paid => {
                Change::Other
            }
            (Some(_), Some(_)) if self.later().0.abs() < SAME_TIME.0 => Change::Same,
            (Some(_), Some(_)) => Change::Moved,
            (Some(_), None) => Change::Dropped,
            (None, Some(_)) | (None, None) => Change::Added,
        }
    }

    /// By how much the replay bought later; below zero where it bought earlier.
    #[must_use]
    pub fn later(&self) -> Secs {
        self.before.as_ref().zip(self.after.as_ref()).map_or(Secs::ZERO, |(before, after)| after.at.since(before.at))
    }

    /// When it was, by the record if that bought.
    #[must_use]
    pub fn at(&self) -> UnixTime {
        self.before.as_ref().or(self.after.as_ref()).map_or(UnixTime::MAX, |bought| bought.at)
    }
}

/// What kept the replay from buying although a condition held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Obstacle {
    /// A limit.
    Limit(Gate),
    /// Nothing of the rule's list is known to have been on sale.
    NotOnSale,
}

/// One card's replay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// Which card.
    pub card: Name,
    /// Purchases by rules, in the order of time.
    pub purchases: Vec<Pair>,
    /// From when something kept the replay from buying, and what.
    pub held: Vec<(UnixTime, Obstacle)>,
    /// How many readings were looked at.
    pub readings: usize,
    /// For how long in all there was no reading, so that nothing can be told.
    pub unread: Secs,
}

/// Tries rules on the past of cards, which share `limits`.
#[must_use]
pub fn replay(pasts: &[Past], limits: &[SharedLimit], window: Window) -> Vec<Replayed> {
    let mut tracks: Vec<Track<'_>> = pasts.iter().map(|past| Track::new(past, window)).collect();
    let mut book = Book { limits, bought: Vec::new() };
    for track in &tracks {
        track.note_fixed(&mut book);
    }
    // In the order of time, since what one card buys leaves less of a shared limit for the next.
    let mut due: BTreeSet<(UnixTime, usize)> =
        tracks.iter().enumerate().filter_map(|(place, track)| Some((track.next_at()?, place))).collect();
    while let Some((at, place)) = due.pop_first() {
        tracks[place].step(at, &mut book);
        due.extend(tracks[place].next_at().map(|next| (next, place)));
    }
    tracks.into_iter().map(Track::finish).collect()
}

/// What was bought for all cards, as far as shared limits count it.
struct Book<'a> {
    limits: &'a [SharedLimit],
    bought: Vec<(UnixTime, Name, Vec<Name>, Money)>,
}

impl Book<'_> {
    fn note(&mut self, card: &Card, account: &Name, at: UnixTime, paid: Money) {
        if !self.limits.is_empty() {
            self.bought.push((at, account.clone(), card.labels.clone(), paid));
        }
    }

    /// The first shared limit that a purchase would cross.
    fn crossed(&self, card: &Card, account: &Name, plan: &Plan, now: UnixTime) -> Option<Gate> {
        let (a_day_ago, month) = (now.minus(Secs::DAY), shared_limits::month_start(now));
        let length = limits::cycle_of(plan);
        let concern = self.limits.iter().filter(|limit| limit.concerns(account, &card.labels));
        let counted: Vec<Counted> = concern
            .map(|limit| {
                let (mut day, mut all, mut cycle) = (Spent::default(), Spent::default(), Spent::default());
                let before =
                    self.bought.iter().filter(|(at, account, labels, _)| *at <= now && limit.concerns(account, labels));
                for (at, _, _, paid) in before {
                    if *at > a_day_ago {
                        day.add(*paid);
                    }
                    if now.since(*at) < length {
                        cycle.add(*paid);
                    }
                    if *at >= month {
                        all.add(*paid);
                    }
                }
                Counted { limit: limit.clone(), day, month: all, cycle }
            })
            .collect();
        shared_limits::crossed(&counted, plan.price)
    }
}

#[cfg(test)]
mod tests;
