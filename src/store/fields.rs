//! Reading rows: each column by its name into the domain's types, with an error that names table, column and row.

use std::cell::Cell;

use rusqlite::types::FromSql;
use rusqlite::{Connection, OptionalExtension, Params, Row};
use serde::de::DeserializeOwned;

use super::error::StoreError;
use super::words::Word;
use crate::domain::card::Name;
use crate::domain::money::{Currency, Money};
use crate::domain::time::UnixTime;

/// One row of one table.
pub(super) struct Fields<'a> {
    row: &'a Row<'a>,
    table: &'static str,
    id: i64,
    /// Where the next column is likely to be: columns are mostly read in their order.
    likely: Cell<usize>,
}

impl<'a> Fields<'a> {
    /// A row whose number is in the column `id`, for the messages.
    pub(super) fn of(table: &'static str, id: &str, row: &'a Row<'a>) -> Result<Self, StoreError> {
        Ok(Self { row, table, id: row.get(id)?, likely: Cell::new(0) })
    }

    /// The row's number.
    pub(super) const fn id(&self) -> i64 {
        self.id
    }

    /// An error about one column.
    pub(super) fn unreadable(&self, column: &'static str, why: impl ToString) -> StoreError {
        StoreError::Unreadable { table: self.table, column, row: self.id, why: why.to_string() }
    }

    /// A column as it is stored.
    pub(super) fn get<T: FromSql>(&self, column: &'static str) -> Result<T, StoreError> {
        self.row.get(self.place(column)?).map_err(|error| self.unreadable(column, error))
    }

    /// The place of a column. Looking it up by name costs more than reading it, so the place after the last one is tried
    /// first.
    fn place(&self, column: &'static str) -> Result<usize, StoreError> {
        let (statement, likely) = (self.row.as_ref(), self.likely.get());
        let place = match statement.column_name(likely) {
            Ok(name) if name == column => likely,
            Ok(_) | Err(_) => statement.column_index(column).map_err(|error| self.unreadable(column, error))?,
        };
        self.likely.set(place + 1);
        Ok(place)
    }

    /// A column that must not be empty in the state that the row is in.
    pub(super) fn need<T: FromSql>(&self, column: &'static str) -> Result<T, StoreError> {
        self.get::<Option<T>>(column)?.ok_or_else(|| self.unreadable(column, "it is empty"))
    }

    /// An instant.
    pub(super) fn time(&self, column: &'static str) -> Result<UnixTime, StoreError> {
        self.maybe_time(column)?.ok_or_else(|| self.unreadable(column, "it is empty"))
    }

    /// An instant, or none.
    pub(super) fn maybe_time(&self, column: &'static str) -> Result<Option<UnixTime>, StoreError> {
        let secs: Option<i64> = self.get(column)?;
        secs.map(|secs| UnixTime::new(secs).ok_or_else(|| self.unreadable(column, "not an instant"))).transpose()
    }

    /// A count.
    pub(super) fn count(&self, column: &'static str) -> Result<u32, StoreError> {
        u32::try_from(self.need::<i64>(column)?).map_err(|error| self.unreadable(column, error))
    }

    /// A name.
    pub(super) fn name(&self, column: &'static str) -> Result<Name, StoreError> {
        self.maybe(column, Name::parse)?.ok_or_else(|| self.unreadable(column, "it is empty"))
    }

    /// A text read by `parse`, or none.
    pub(super) fn maybe<T, E: ToString>(
        &self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, StoreError> {
        let text: Option<String> = self.get(column)?;
        text.map(|text| parse(&text).map_err(|error| self.unreadable(column, error.to_string()))).transpose()
    }

    /// A list of names in JSON.
    pub(super) fn names(&self, column: &'static str) -> Result<Vec<Name>, StoreError> {
        let texts: Vec<String> = self.json(column)?;
        texts.iter().map(|text| Name::parse(text).map_err(|error| self.unreadable(column, error))).collect()
    }

    /// A value of a closed set.
    pub(super) fn word<T: Word>(&self, column: &'static str) -> Result<T, StoreError> {
        let word: String = self.need(column)?;
        T::of_word(&word).ok_or_else(|| self.unreadable(column, format!("`{word}` is not known")))
    }

    /// A value of a closed set, or none.
    pub(super) fn maybe_word<T: Word>(&self, column: &'static str) -> Result<Option<T>, StoreError> {
        self.maybe(column, |word| T::of_word(word).ok_or_else(|| format!("`{word}` is not known")))
    }

    /// A value in JSON.
    pub(super) fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, StoreError> {
        let text: String = self.need(column)?;
        serde_json::from_str(&text).map_err(|error| self.unreadable(column, error))
    }

    /// A value in JSON, or none.
    pub(super) fn maybe_json<T: DeserializeOwned>(&self, column: &'static str) -> Result<Option<T>, StoreError> {
        self.maybe(column, |text| serde_json::from_str(text))
    }

    /// An amount and its currency, or none.
    pub(super) fn maybe_money(
        &self,
        amount: &'static str,
        currency: &'static str,
    ) -> Result<Option<Money>, StoreError> {
        let code = self.maybe(currency, Currency::parse)?;
        let amount: Option<i64> = self.get(amount)?;
        Ok(amount.zip(code).map(|(amount, code)| Money::new(amount, code)))
    }
}

/// All rows of a statement.
pub(super) fn rows<T>(
    conn: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = conn.prepare_cached(sql)?;
    statement.query_and_then(params, read)?.collect()
}

/// All rows of a statement that can be understood. One that cannot is told in the log and left out, so that one bad row
/// stops none of the others.
pub(super) fn sound_rows<T>(
    conn: &Connection,
    sql: &str,
    params: impl Params,
    mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut found = Vec::new();
    let mut answer = statement.query(params)?;
    while let Some(row) = answer.next()? {
        match read(row) {
            Ok(value) => found.push(value),
            Err(error @ StoreError::Unreadable { .. }) => tracing::error!(%error, "a row of the record is left out"),
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// The first row of a statement, if there is one.
pub(super) fn first<T>(
    conn: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut answer = statement.query(params)?;
    match answer.next()? {
        Some(row) => read(row).map(Some),
        None => Ok(None),
    }
}

/// The first column of the first row, if there is one.
pub(super) fn scalar<T: FromSql>(conn: &Connection, sql: &str, params: impl Params) -> Result<Option<T>, StoreError> {
    Ok(conn.prepare_cached(sql)?.query_row(params, |row| row.get(0)).optional()?)
}

/// Runs a statement that changes rows, and says how many.
pub(super) fn change(conn: &Connection, sql: &str, params: impl Params) -> Result<usize, StoreError> {
    Ok(conn.prepare_cached(sql)?.execute(params)?)
}

/// A value as JSON for the record.
pub(super) fn to_json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Forbidden { why: error.to_string() })
}
