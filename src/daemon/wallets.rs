//! How long each account's wallet lasts: what the record knows of the cards that it pays for, put together for
//! `domain::wallet`. The daemon and `status` look at wallets through this.

use std::collections::BTreeMap;

use super::case::Case;
use crate::domain::attempt::Attempt;
use crate::domain::card::Name;
use crate::domain::choose::{Occasion, choose};
use crate::domain::ledger::Spend;
use crate::domain::money::Money;
use crate::domain::plan::Plan;
use crate::domain::rule::{Mode, Rule};
use crate::domain::sellers::WALLET;
use crate::domain::time::{Secs, UnixTime};
use crate::domain::usage;
use crate::domain::wallet::{self, Coming, Outlook};
use crate::store::{Connection, StoreError, catalogues, readings};

/// One account's wallet, and what it will pay for.
#[derive(Clone, Debug)]
struct Purse {
    read_at: UnixTime,
    balance: Money,
    coming: Vec<Coming>,
}

/// The wallets of all accounts that pay from one.
#[derive(Clone, Debug, Default)]
pub struct Purses(BTreeMap<Name, Purse>);

/// A wallet, what it holds by now, and how long it lasts.
#[derive(Clone, Debug)]
pub struct Lasting {
    /// The account.
    pub account: Name,
    /// What it holds, without what was bought since it was looked into.
    pub balance: Money,
    /// How long that lasts.
    pub outlook: Outlook,
}

impl Purses {
    /// Adds an account's wallet as it was last looked into. An account that is first paid in another way has none.
    pub fn open(&mut self, account: &Name, payment: &[String], read_at: UnixTime, balance: Money) {
        if payment.first().is_none_or(|first| first == WALLET) {
            self.0.insert(account.clone(), Purse { read_at, balance, coming: Vec::new() });
        }
    }

    /// Adds what a card took since, and what it will cost.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn add(
        &mut self,
        conn: &Connection,
        case: &Case,
        rule: Option<&Rule>,
        now: UnixTime,
    ) -> Result<(), StoreError> {
        for attempt in &case.attempts {
            let spend = case.ledger.spends.iter().find(|spend| spend.attempt == attempt.id);
            self.take(attempt, spend);
        }
        let Some(purse) = self.0.get_mut(payer(case)) else { return Ok(()) };
        let Some(rule) = rule.filter(|rule| rule.mode == Mode::Auto) else { return Ok(()) };
        let Some(reading) = &case.poll.recent.latest else { return Ok(()) };
        let Some(plan) = next_plan(conn, case, rule, now)? else { return Ok(()) };
        let rates = if usage::needs_past(rule) {
            let past = readings::history(conn, case.card.id, now.minus(usage::LOOKS_BACK), now.plus(Secs(1)))?;
            usage::rates(rule, &past)
        } else {
            Vec::new()
        };
        let bought_at = case.purchases().next().map(|attempt| attempt.created_at);
        let coming = wallet::coming(&case.card, rule, reading, &rates, &case.ledger, (&plan, bought_at), now);
        purse.coming.extend(coming);
        Ok(())
    }

    fn take(&mut self, attempt: &Attempt, spend: Option<&Spend>) {
        let (Some(purse), Some(spend)) = (self.0.get_mut(&attempt.account), spend) else { return };
        if let Some(taken) = wallet::taken_since(attempt, spend, purse.read_at) {
            // Another currency than the wallet's is not the wallet's.
            purse.balance = purse.balance.minus(taken).unwrap_or(purse.balance);
        }
    }

    /// How long each lasts; those that will pay for nothing are left out.
    #[must_use]
    pub fn lasting(&self, now: UnixTime) -> Vec<Lasting> {
        let outlooks = self.0.iter().filter_map(|(account, purse)| {
            let outlook = wallet::outlook(purse.balance, &purse.coming, now)?;
            Some(Lasting { account: account.clone(), balance: purse.balance, outlook })
        });
        outlooks.collect()
    }
}

/// The account that will sell for a card: the first of its accounts that ever did, since one may only read it; else the
/// first.
fn payer(case: &Case) -> &Name {
    let sold = |account: &&Name| case.purchases().any(|attempt| attempt.account == **account);
    case.card.accounts().find(sold).unwrap_or(&case.card.account)
}

/// What would be bought by the catalogue that was last read, else what was bought last.
fn next_plan(conn: &Connection, case: &Case, rule: &Rule, now: UnixTime) -> Result<Option<Plan>, StoreError> {
    let catalogue = catalogues::load(conn, case.card.id)?;
    let data_use = case.data_use(conn, rule, now)?;
    let chosen = catalogue.as_ref().zip(case.occasion(rule, &data_use, now)).and_then(|(catalogue, occasion)| {
        choose(&Occasion { last_plan: case.last_plan_of(payer(case)), ..occasion }, catalogue).plan.cloned()
    });
    Ok(chosen.or_else(|| case.purchases().next().map(|attempt| attempt.plan.clone())))
}
