//! A card's case: everything the record knows about it, put together for `assess`. The rounds, `status`, `explain` and
//! `plan` all look at cards through this.

use std::borrow::Cow;

use crate::store::Connection;

use super::live::Live;
use crate::domain::assess::{Assessment, assess};
use crate::domain::attempt::Attempt;
use crate::domain::card::{Card, CardId, Name};
use crate::domain::choose::{Occasion, choose};
use crate::domain::draft;
use crate::domain::forecast::{self, Forecast};
use crate::domain::keeping;
use crate::domain::last_safe::{self, LastSafe, Lead};
use crate::domain::ledger::{Ledger, Pace, Spend};
use crate::domain::reading::{AllowanceKind, Reading};
use crate::domain::rule::Rule;
use crate::domain::sellers::{self, Till};
use crate::domain::time::{Secs, UnixTime};
use crate::domain::usage::{self, Rates};
use crate::store::StoreError;
use crate::store::attempts::{self, AttemptFilter};
use crate::store::polls::{self, Poll};
use crate::store::{catalogues, readings};

/// Money is looked at this far back: two calendar months, so that every limit sees what it counts.
const MONEY_LOOKS_BACK: Secs = Secs::days(62);

/// No card has more attempts in two months: three a cycle, and days between cycles.
const MOST_ATTEMPTS: usize = 1_000;

/// What a decision about a card may know of its account.
#[derive(Clone, Copy, Debug, Default)]
pub struct Standing {
    /// How often its cards are read.
    pub pace: Pace,
    /// Until when the operator is left alone, if it is.
    pub left_alone_until: Option<UnixTime>,
}

/// Everything the record knows about one card.
#[derive(Clone, Debug)]
pub struct Case {
    /// The card.
    pub card: Card,
    /// Its hot row: recent readings and cycle.
    pub poll: Poll,
    /// Its attempts and money.
    pub ledger: Ledger,
    /// Its attempts of the last two months, newest last.
    pub attempts: Vec<Attempt>,
}

impl Case {
    /// Loads the case of a card.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn load(conn: &Connection, live: &Live, card: Card, now: UnixTime) -> Result<Self, StoreError> {
        let standing = live.desk(&card.account).map_or_else(Standing::default, |desk| Standing {
            pace: desk.pace(),
            left_alone_until: desk.left_alone_until(now),
        });
        let rule = live.rule_of(&card);
        Self::gather(conn, card, rule, standing, |card| live.tills(card), now)
    }

    /// Loads the case of a card whose account stands as told: for commands, which open no way to any operator.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn gather(
        conn: &Connection,
        card: Card,
        rule: Option<&Rule>,
        standing: Standing,
        tills: impl FnOnce(&Card) -> Vec<Till>,
        now: UnixTime,
    ) -> Result<Self, StoreError> {
        let poll = polls::load(conn, card.id)?;
        let attempts =
            if poll.has_attempts { attempts_since(conn, card.id, looks_back(rule, now))? } else { Vec::new() };
        let spent = if attempts.is_empty() { Vec::new() } else { spends(conn, card.id, now)? };
        let ledger = Ledger {
            quarantined: poll.is_quarantined,
            breaker_until: standing.left_alone_until,
            pace: standing.pace,
            ..Ledger::of(poll.cycle, &attempts, spent, || tills(&card))
        };
        Ok(Self { card, poll, ledger, attempts })
    }

    /// The rule that applies.
    #[must_use]
    pub fn rule<'a>(&self, live: &'a Live) -> Option<&'a Rule> {
        live.rule_of(&self.card)
    }

    /// What is to be done about it.
    #[must_use]
    pub fn assess(&self, live: &Live, now: UnixTime) -> Assessment {
        self.assess_by(self.rule(live), now)
    }

    /// What is to be done about it by this rule.
    #[must_use]
    pub fn assess_by(&self, rule: Option<&Rule>, now: UnixTime) -> Assessment {
        assess(&self.card, rule, &self.poll.recent, &self.ledger, now)
    }

    /// The attempt that is open, if there is one.
    #[must_use]
    pub fn open(&self) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.state.name().is_open())
    }

    /// The plan that was bought last, by whichever account.
    #[must_use]
    pub fn last_plan(&self) -> Option<&str> {
        self.purchases().next().map(|attempt| attempt.plan.id.as_str())
    }

    /// The plan that this account sold last; else the one that any did, which another may sell under the same name.
    #[must_use]
    pub fn last_plan_of(&self, account: &Name) -> Option<&str> {
        draft::last_plan_of(&self.attempts, account)
    }

    /// How its data was used, if `rule` chooses by that.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn data_use(&self, conn: &Connection, rule: &Rule, now: UnixTime) -> Result<Forecast, StoreError> {
        if rule.looks_ahead() { self.use_of(AllowanceKind::Data, conn, now) } else { Ok(Forecast::unseen()) }
    }

    /// What it uses of these kinds within a day, for looking ahead.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn daily_use(&self, conn: &Connection, kinds: &[AllowanceKind], now: UnixTime) -> Result<Rates, StoreError> {
        let past = readings::history(conn, self.card.id, now.minus(forecast::LOOKS_BACK), now.plus(Secs(1)))?;
        Ok(usage::daily(kinds, &past, &self.card.zone, now))
    }

    /// How it was used.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn use_of(&self, kind: AllowanceKind, conn: &Connection, now: UnixTime) -> Result<Forecast, StoreError> {
        let past = readings::history(conn, self.card.id, now.minus(forecast::LOOKS_BACK), now.plus(Secs(1)))?;
        Ok(Forecast::of(kind, &past, &self.card.zone, now))
    }

    /// How each thing that it may use was used, in the order of its last reading.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn uses(&self, conn: &Connection, now: UnixTime) -> Result<Vec<(AllowanceKind, Forecast)>, StoreError> {
        let Some(reading) = &self.poll.recent.latest else { return Ok(Vec::new()) };
        let past = readings::history(conn, self.card.id, now.minus(forecast::LOOKS_BACK), now.plus(Secs(1)))?;
        let mut uses: Vec<(AllowanceKind, Forecast)> = Vec::new();
        for kind in reading.allowances.iter().map(|allowance| allowance.kind) {
            if uses.iter().all(|(known, _)| *known != kind) {
                uses.push((kind, Forecast::of(kind, &past, &self.card.zone, now)));
            }
        }
        Ok(uses)
    }

    /// Its last reading, with the number's end as its rule counts it where the operator tells none.
    #[must_use]
    pub fn reading(&self, rule: Option<&Rule>, now: UnixTime) -> Option<Cow<'_, Reading>> {
        let reading = self.poll.recent.latest.as_ref()?;
        let counted = rule.and_then(|rule| keeping::counted(&self.card, rule, reading, self.ledger.bought_at, now));
        Some(counted.map_or(Cow::Borrowed(reading), Cow::Owned))
    }

    /// How long before a loss a purchase for it must begin, by the account whose turn it is.
    #[must_use]
    pub fn lead(&self, live: &Live) -> Lead {
        let ways = sellers::in_turn(&live.tills(&self.card), &self.attempts, self.poll.cycle);
        let seller = ways.first().map_or(&self.card.account, |way| &way.account);
        let payment = live.config().machine.account(seller).map_or(Secs::ZERO, |account| account.payment_lead);
        Lead::of(&live.capabilities_for(seller, &self.card), payment)
    }

    /// Until when its renewal may still begin in time; what is used is looked at only near a limit.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn last_safe(
        &self,
        conn: &Connection,
        rule: &Rule,
        lead: Lead,
        now: UnixTime,
    ) -> Result<Option<LastSafe>, StoreError> {
        let Some(reading) = self.reading(Some(rule), now) else { return Ok(None) };
        let uses =
            if last_safe::looks_at_use(rule, &self.poll.recent, now) { self.uses(conn, now)? } else { Vec::new() };
        Ok(last_safe::last_safe(&self.card, rule, &reading, &uses, lead, now))
    }

    /// Whether nothing is bought although it is due, since what is on it lasts until its rule's last day is over, by the
    /// catalogue that was last read.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn lasts(&self, conn: &Connection, rule: &Rule, now: UnixTime) -> Result<bool, StoreError> {
        if !rule.looks_ahead() {
            return Ok(false);
        }
        let (catalogue, data_use) = (catalogues::load(conn, self.card.id)?, self.data_use(conn, rule, now)?);
        let occasion = self.occasion(rule, &data_use, now);
        Ok(catalogue.zip(occasion).is_some_and(|(catalogue, occasion)| choose(&occasion, &catalogue).lasts))
    }

    /// What a choice for it may know; none before its first reading.
    #[must_use]
    pub fn occasion<'a>(&'a self, rule: &'a Rule, data_use: &'a Forecast, now: UnixTime) -> Option<Occasion<'a>> {
        let reading = self.poll.recent.latest.as_ref()?;
        let (card, last_plan, spends) = (&self.card, self.last_plan(), self.ledger.spends.as_slice());
        Some(Occasion { card, rule, reading, last_plan, data_use, spends, now })
    }

    /// What was bought, newest first.
    pub fn purchases(&self) -> impl Iterator<Item = &Attempt> {
        draft::purchases(&self.attempts)
    }
}

/// The attempts of a card that still matter, oldest first: those of two months, and the open one however old it is.
///
/// # Errors
/// When the record cannot be read.
pub fn recent_attempts(conn: &Connection, card: CardId, now: UnixTime) -> Result<Vec<Attempt>, StoreError> {
    attempts_since(conn, card, now.minus(MONEY_LOOKS_BACK))
}

/// How far back purchases matter: as limits count, and as long as a number is kept by the last of them.
fn looks_back(rule: Option<&Rule>, now: UnixTime) -> UnixTime {
    let kept = rule.and_then(|rule| rule.keep_number).map_or(Secs::ZERO, |keep| Secs::days(i64::from(keep.days)));
    now.minus(MONEY_LOOKS_BACK).minus(kept)
}

fn attempts_since(conn: &Connection, card: CardId, since: UnixTime) -> Result<Vec<Attempt>, StoreError> {
    let filter = AttemptFilter { card: Some(card), open_only: false, since, limit: MOST_ATTEMPTS };
    let mut found = attempts::list(conn, &filter)?;
    if !found.iter().any(|attempt| attempt.state.name().is_open()) {
        found.extend(attempts::open_for(conn, card)?);
    }
    found.reverse();
    Ok(found)
}

/// Money of the last two months that was or may have been charged for a card.
///
/// # Errors
/// When the record cannot be read.
pub fn spends(conn: &Connection, card: CardId, now: UnixTime) -> Result<Vec<Spend>, StoreError> {
    let counted = attempts::spends(conn, card, now.minus(MONEY_LOOKS_BACK))?;
    Ok(counted.into_iter().map(|spend| Spend { attempt: spend.attempt, at: spend.at, money: spend.money }).collect())
}
