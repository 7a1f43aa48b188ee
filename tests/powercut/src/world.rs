//! What was promised so far in one world, over all its losses of power, and the comparison with what a start finds.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use simkeeper::domain::time::{Secs, UnixTime};
use simkeeper::store::backup;
use simkeeper::store::journal::{JournalContents, JournalLine};
use simkeeper::store::{Store, StoreError};

use crate::mirror::{Contents, Mirror, Settled};
use crate::mutant::Mutant;
use crate::tally::Tally;

/// When every world begins.
pub const BEGINNING: UnixTime = UnixTime::clamped(1_800_000_000);
/// Backups that are kept.
pub(crate) const BACKUPS_KEPT: usize = 2;

/// An order that has left.
#[derive(Clone, Debug)]
pub(crate) struct Left {
    pub(crate) attempt: i64,
    pub(crate) key: String,
}

/// What must be there.
pub struct World {
    pub(crate) mirror: Mirror,
    pub(crate) mutant: Mutant,
    /// Lines of the order journal that were acknowledged, and one that was not.
    pub(crate) lines: Vec<JournalLine>,
    pub(crate) line_under_way: Option<JournalLine>,
    pub(crate) left: Vec<Left>,
    /// Backups that were reported as made, by their names, with what they hold; and one that was not.
    pub(crate) backups: BTreeMap<String, Contents>,
    pub(crate) backup_under_way: Option<Contents>,
    pub(crate) now: UnixTime,
}

impl World {
    /// A world in which nothing was promised yet.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn new(mutant: Mutant) -> Result<Self, StoreError> {
        Ok(Self {
            mirror: Mirror::new(BEGINNING)?,
            mutant,
            lines: Vec::new(),
            line_under_way: None,
            left: Vec::new(),
            backups: BTreeMap::new(),
            backup_under_way: None,
            now: BEGINNING,
        })
    }

    pub(crate) const fn tick(&mut self) -> UnixTime {
        self.now = self.now.plus(Secs(61));
        self.now
    }

    /// Compares the record that was just opened, and believes it as to what was under way.
    pub(crate) fn compare(&mut self, store: &Store, tally: &mut Tally) -> Result<(), String> {
        let left = self.left.clone();
        let found = store.read_blocking(move |conn| {
            need_sound(conn)?;
            for order in &left {
                if !is_intended(conn, order.attempt, &order.key)? {
                    return Err(missing(format!("order {} left, and the record does not know it", order.attempt)));
                }
            }
            Ok(Contents::of(conn)?)
        });
        let settled = self.mirror.settle(&found.map_err(|error| error.to_string())?)?;
        match settled {
            Settled::Nothing => {}
            Settled::CameThrough => tally.came_through += 1,
            Settled::CameToNothing => tally.came_to_nothing += 1,
        }
        Ok(())
    }

    /// Compares the order journal with the acknowledged lines, and each of its lines with the record.
    pub(crate) fn compare_journal(
        &mut self,
        store: &Store,
        found: &JournalContents,
        tally: &mut Tally,
    ) -> Result<(), String> {
        if found.broken_inside {
            return Err("the order journal is broken before its tail".into());
        }
        tally.broken_tails += u64::from(found.tail_broken);
        if let Some(line) = self.line_under_way.take()
            && found.lines.last() == Some(&line)
        {
            self.lines.push(line);
        }
        if found.lines != self.lines {
            return Err(format!("the order journal has {} lines instead of {}", found.lines.len(), self.lines.len()));
        }
        for order in &self.left {
            if !found.lines.iter().any(|line| line.attempt.0 == order.attempt && line.key.as_str() == order.key) {
                return Err(format!("order {} left, and the journal does not know it", order.attempt));
            }
        }
        let lines = found.lines.clone();
        let known = store.read_blocking(move |conn| {
            for line in &lines {
                if !is_intended(conn, line.attempt.0, line.key.as_str())? {
                    return Err(missing(format!("the journal has order {}, the record does not", line.attempt.0)));
                }
            }
            Ok(())
        });
        known.map_err(|error| error.to_string())
    }

    /// Compares the backups: those that were reported are there and whole, and one that was not is whole if it is there.
    pub(crate) fn compare_backups(&mut self, dir: &Path) -> Result<(), String> {
        let under_way = self.backup_under_way.take();
        let there: BTreeMap<String, Contents> = backup::list(dir)
            .map_err(|error| error.to_string())?
            .iter()
            .map(|path| Ok((file_name(path), contents_of_backup(path)?)))
            .collect::<Result<_, String>>()?;
        for (name, contents) in &there {
            if let Some(promised) = self.backups.get(name) {
                if promised != contents {
                    return Err(format!("backup {name}: {}", promised.difference(contents)));
                }
            } else if under_way.as_ref() == Some(contents) {
                self.backups.insert(name.clone(), contents.clone());
            } else {
                return Err(format!("backup {name} is neither whole nor absent"));
            }
        }
        match self.backups.keys().rev().take(BACKUPS_KEPT).find(|name| !there.contains_key(*name)) {
            Some(name) => Err(format!("backup {name} was reported as made, and it is not there")),
            None => Ok(()),
        }
    }
}

fn missing(why: String) -> StoreError {
    StoreError::Sql { why }
}

fn is_intended(conn: &Connection, attempt: i64, key: &str) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM attempt JOIN attempt_order ON attempt = id \
               WHERE id = ?1 AND order_key = ?2 AND state <> 'planned')";
    Ok(conn.prepare_cached(sql)?.query_row((attempt, key), |row| row.get(0))?)
}

/// Every page, every index, every reference.
pub(crate) fn need_sound(conn: &Connection) -> Result<(), StoreError> {
    let integrity: String = conn.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    let dangling: i64 = conn.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))?;
    if integrity != "ok" || dangling != 0 {
        return Err(missing(format!("the database is damaged: {integrity}; {dangling} dangling references")));
    }
    Ok(())
}

/// What a backup holds, read with nothing of the program in between.
pub(crate) fn contents_of_backup(path: &Path) -> Result<Contents, String> {
    let told = |error: rusqlite::Error| format!("{}: {error}", path.display());
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(told)?;
    need_sound(&conn).map_err(|error| format!("{}: {error}", path.display()))?;
    Contents::of(&conn).map_err(told)
}

pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
