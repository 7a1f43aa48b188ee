//! The settings of every connection, set and read back: some of them fail without a word on unsuitable file systems.

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::error::StoreError;

/// "simk": marks the file as ours.
pub(super) const APPLICATION_ID: i64 = 0x7369_6d6b;
/// 3.51.3: older ones have a race on the write-ahead log that can damage a file used by two connections.
const SQLITE_OLDEST: i32 = 3_051_003;
/// Statements kept prepared on each connection; all that the daemon uses fit.
const STATEMENTS_KEPT: usize = 160;

/// Settings whose value is read back: name, value to set, value to find.
type Setting = (&'static str, &'static str, &'static str);

const BOTH: [Setting; 8] = [
    ("busy_timeout", "5000", "5000"),
    // A commit that was answered survives the loss of power.
    ("synchronous", "FULL", "2"),
    ("foreign_keys", "ON", "1"),
    ("trusted_schema", "OFF", "0"),
    ("cell_size_check", "ON", "1"),
    ("mmap_size", "0", "0"),
    // No temporary files: they would be one more way to fail.
    ("temp_store", "MEMORY", "2"),
    ("recursive_triggers", "ON", "1"),
];
const WRITER: [Setting; 4] = [
    ("journal_mode", "WAL", "wal"),
    // The writer empties the log itself, and sees how that goes.
    ("wal_autocheckpoint", "0", "0"),
    ("journal_size_limit", "16777216", "16777216"),
    // Negative: KiB.
    ("cache_size", "-4096", "-4096"),
];
const READER: [Setting; 2] = [("query_only", "ON", "1"), ("cache_size", "-1024", "-1024")];

/// Refuses a library that is too old.
pub(super) fn check_library() -> Result<(), StoreError> {
    if rusqlite::version_number() < SQLITE_OLDEST {
        return Err(StoreError::OldSqlite { found: rusqlite::version() });
    }
    Ok(())
}

/// Settings of the one connection that writes.
pub(super) fn writer(conn: &Connection) -> Result<(), StoreError> {
    apply(conn, &BOTH)?;
    apply(conn, &WRITER)?;
    keep_statements(conn)
}

/// Settings of a connection that only reads.
pub(super) fn reader(conn: &Connection) -> Result<(), StoreError> {
    apply(conn, &BOTH)?;
    apply(conn, &READER)?;
    keep_statements(conn)
}

/// Settings of a database in memory, which has no log.
pub(super) fn memory(conn: &Connection) -> Result<(), StoreError> {
    conn.execute_batch("PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA recursive_triggers = ON;")?;
    keep_statements(conn)
}

/// Statements are kept as they were prepared. Else SQLite prepares each that has a bound `LIMIT` anew whenever it is
/// used, since its plan might be another for another number; ours do not depend on what is bound.
fn keep_statements(conn: &Connection) -> Result<(), StoreError> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(())
}

fn apply(conn: &Connection, settings: &[Setting]) -> Result<(), StoreError> {
    for (name, value, wanted) in settings {
        conn.execute_batch(&format!("PRAGMA {name} = {value}"))?;
        let found = read_back(conn, name)?;
        // With memory mapping compiled out the setting has no value at all, which is what is wanted.
        if found.as_deref().unwrap_or("0") != *wanted {
            let found = found.unwrap_or_default();
            return Err(StoreError::Setting { name, wanted: (*wanted).to_owned(), found });
        }
    }
    Ok(())
}

fn read_back(conn: &Connection, name: &str) -> Result<Option<String>, StoreError> {
    let mut statement = conn.prepare(&format!("PRAGMA {name}"))?;
    let mut answer = statement.query([])?;
    let Some(row) = answer.next()? else { return Ok(None) };
    Ok(Some(match row.get::<_, rusqlite::types::Value>(0)? {
        rusqlite::types::Value::Integer(number) => number.to_string(),
        rusqlite::types::Value::Text(text) => text,
        other => format!("{other:?}"),
    }))
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    #[test]
    fn the_library_is_new_enough() {
        check_library().unwrap();
    }

    #[test]
    fn a_kept_statement_is_prepared_once_whatever_is_bound() {
        let conn = Connection::open_in_memory().unwrap();
        memory(&conn).unwrap();
        conn.execute_batch("CREATE TABLE t (x)").unwrap();
        let mut statement = conn.prepare("SELECT x FROM t ORDER BY x LIMIT ?1").unwrap();
        for most in 1..5 {
            statement.query_row([most], |_| Ok(())).unwrap_err();
        }
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }

    #[test]
    fn a_setting_that_does_not_take_hold_is_told() {
        let conn = Connection::open_in_memory().unwrap();
        let error = writer(&conn).unwrap_err();
        assert!(matches!(error, StoreError::Setting { name: "journal_mode", .. }), "{error}");
    }
}
