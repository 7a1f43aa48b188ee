//! What must outlive a restart about the way to an operator: failures in a row, the breaker, the operator's clock, the
//! wallet, and how long it asked to be left alone.

use rusqlite::{Connection, Row};

use super::error::StoreError;
use super::fields::{Fields, change, first, rows, to_json};
use crate::domain::card::Name;
use crate::domain::money::Money;
use crate::domain::operator::{Capabilities, Wallet};
use crate::domain::time::UnixTime;

const LOAD: &str = "SELECT *, 0 AS id FROM account WHERE name = ?1";
const ALL: &str = "SELECT *, 0 AS id FROM account ORDER BY name";
const SAVE: &str = "INSERT INTO account (name, failures, open_until, paused_until, clock_ours, clock_theirs, \
     wallet_read_at, balance, balance_currency, methods, capabilities) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
     ON CONFLICT (name) DO UPDATE SET failures = excluded.failures, open_until = excluded.open_until, \
     paused_until = excluded.paused_until, clock_ours = excluded.clock_ours, clock_theirs = excluded.clock_theirs, \
     wallet_read_at = excluded.wallet_read_at, balance = excluded.balance, \
     balance_currency = excluded.balance_currency, methods = excluded.methods, capabilities = excluded.capabilities";

/// The statements of this file.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[LOAD, ALL, SAVE];

/// What is remembered of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountState {
    /// Transport failures in a row.
    pub failures: u32,
    /// The breaker is open until then.
    pub open_until: Option<UnixTime>,
    /// The operator asked to be left alone until then.
    pub paused_until: Option<UnixTime>,
    /// Our clock when the operator last told its time, and that time.
    pub clock: Option<(UnixTime, UnixTime)>,
    /// The wallet as last read, and when.
    pub wallet: Option<(UnixTime, Wallet)>,
    /// What the operator can do, as the daemon goes by it.
    pub capabilities: Option<Capabilities>,
}

impl AccountState {
    /// Whether the operator was ever heard: nothing else shows that it can be reached.
    #[must_use]
    pub const fn was_heard(&self) -> bool {
        self.clock.is_some() || self.wallet.is_some()
    }
}

/// What is remembered of an account; nothing, if it is new.
///
/// # Errors
/// If its row cannot be read.
pub fn load(conn: &Connection, account: &Name) -> Result<AccountState, StoreError> {
    Ok(first(conn, LOAD, [account.as_str()], state_of)?.unwrap_or_default())
}

/// All accounts that something is remembered of.
///
/// # Errors
/// If a row cannot be read.
pub fn all(conn: &Connection) -> Result<Vec<(Name, AccountState)>, StoreError> {
    rows(conn, ALL, [], |row| {
        let name = Fields::of("account", "id", row)?.name("name")?;
        Ok((name, state_of(row)?))
    })
}

/// Remembers what is known of an account.
///
/// # Errors
/// If the record cannot be written.
pub fn save(conn: &Connection, account: &Name, state: &AccountState) -> Result<(), StoreError> {
    let secs = |at: Option<UnixTime>| at.map(UnixTime::secs);
    let wallet = state.wallet.as_ref().map(|(_, wallet)| wallet);
    let balance = wallet.and_then(|wallet| wallet.balance);
    let none = Vec::new();
    let values = (
        account.as_str(),
        state.failures,
        secs(state.open_until),
        secs(state.paused_until),
        state.clock.map(|(ours, _)| ours.secs()),
        state.clock.map(|(_, theirs)| theirs.secs()),
        secs(state.wallet.as_ref().map(|(at, _)| *at)),
        balance.map(Money::ten_thousandths),
        balance.map(|money| money.currency().code().to_owned()),
        to_json(wallet.map_or(&none, |wallet| &wallet.methods))?,
        state.capabilities.as_ref().map(to_json).transpose()?,
    );
    change(conn, SAVE, values)?;
    Ok(())
}

fn state_of(row: &Row<'_>) -> Result<AccountState, StoreError> {
    let row = Fields::of("account", "id", row)?;
    let wallet = Wallet { balance: row.maybe_money("balance", "balance_currency")?, methods: row.json("methods")? };
    Ok(AccountState {
        failures: row.count("failures")?,
        open_until: row.maybe_time("open_until")?,
        paused_until: row.maybe_time("paused_until")?,
        clock: row.maybe_time("clock_ours")?.zip(row.maybe_time("clock_theirs")?),
        wallet: row.maybe_time("wallet_read_at")?.map(|at| (at, wallet)),
        // What another version wrote that this one cannot read is written anew with the next reading.
        capabilities: row.maybe_json("capabilities").unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NOW, memory, name};
    use super::*;
    use crate::domain::money::Currency;
    use crate::domain::operator::{Lookup, MOST_CAREFUL, Repeat};
    use crate::domain::time::Secs;

    #[test]
    fn an_account_comes_back_as_it_was_saved() {
        let conn = memory();
        let account = name("airalo");
        assert_eq!(load(&conn, &account).unwrap(), AccountState::default());
        let state = AccountState {
            failures: 6,
            open_until: Some(NOW.plus(Secs::MINUTE)),
            paused_until: Some(NOW),
            clock: Some((NOW, NOW.plus(Secs(3)))),
            wallet: Some((
                NOW,
                Wallet { balance: Some(Money::new(-5, Currency::EUR)), methods: vec!["wallet".into(), "card".into()] },
            )),
            capabilities: Some(Capabilities {
                repeat: Repeat::Replays(Secs(90_001)),
                lookup: Lookup::ByRef { listing_delay_secs: 5 },
                late_change: Some(Secs::days(3)),
                ..MOST_CAREFUL
            }),
        };
        save(&conn, &account, &state).unwrap();
        assert_eq!(load(&conn, &account).unwrap(), state);
        let closed =
            AccountState { wallet: Some((NOW, Wallet { balance: None, methods: vec![] })), ..AccountState::default() };
        save(&conn, &account, &closed).unwrap();
        assert_eq!(all(&conn).unwrap(), [(account, closed)]);
    }

    #[test]
    fn what_another_version_wrote_of_an_operator_keeps_nothing_from_being_read() {
        let conn = memory();
        let account = name("airalo");
        let state = AccountState { failures: 2, capabilities: Some(MOST_CAREFUL), ..AccountState::default() };
        save(&conn, &account, &state).unwrap();
        conn.execute_batch("UPDATE account SET capabilities = '{\"of\": \"another\"}'").unwrap();
        assert_eq!(load(&conn, &account).unwrap(), AccountState { capabilities: None, ..state });
    }
}
