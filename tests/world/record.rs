//! What the daemon has on record, read from its file beside it.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, Row};

/// An attempt, as far as tests ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) id: i64,
    pub(crate) card: String,
    pub(crate) account: String,
    pub(crate) payment: String,
    pub(crate) state: String,
    pub(crate) key: Option<String>,
    pub(crate) question: Option<String>,
    pub(crate) sent: Option<i64>,
}

/// A notice, as far as tests ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) id: i64,
    pub(crate) kind: String,
    pub(crate) card: Option<String>,
    pub(crate) step: String,
    pub(crate) state: String,
    pub(crate) message_id: String,
    pub(crate) attempt: Option<i64>,
    pub(crate) why: Option<String>,
    /// How often it was sent.
    pub(crate) tries: u32,
    /// How often the daemon was found to have ended while it was on its way.
    pub(crate) crashes: u32,
    /// Whether it is a text, which costs money each time, and not a mail.
    pub(crate) is_text: bool,
    /// What became of a text by its gateway's word.
    pub(crate) receipt: Option<String>,
}

impl Attempt {
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state.as_str(), "planned" | "sending" | "pending" | "accepted" | "unknown" | "human")
    }
}

/// The record, as it is at this moment.
pub(crate) struct Record(Connection);

impl Record {
    /// None before the daemon has made it.
    pub(crate) fn open(state: &Path) -> Option<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(state.join("simkeeper.db"), flags).ok()?;
        conn.busy_timeout(std::time::Duration::from_secs(5)).ok()?;
        conn.query_row("SELECT count(*) FROM notice", [], |_| Ok(())).ok()?;
        Some(Self(conn))
    }

    /// All attempts, oldest first.
    pub(crate) fn attempts(&self) -> Vec<Attempt> {
        let sql = "SELECT a.id, c.name, a.state, a.order_key, a.question, a.send_count, a.account, a.payment
                   FROM attempt a JOIN card c ON c.id = a.card ORDER BY a.id";
        self.rows(sql, |row| {
            Ok(Attempt {
                id: row.get(0)?,
                card: row.get(1)?,
                state: row.get(2)?,
                key: row.get(3)?,
                question: row.get(4)?,
                sent: row.get(5)?,
                account: row.get(6)?,
                payment: row.get(7)?,
            })
        })
    }

    /// All notices, oldest first.
    pub(crate) fn notices(&self) -> Vec<Notice> {
        let sql = "SELECT n.id, n.kind, c.name, n.step, n.state, n.message_id, n.attempt, n.why, n.attempts,
                          n.crashes, n.resend_costs, n.receipt
                   FROM notice n LEFT JOIN card c ON c.id = n.card ORDER BY n.id";
        self.rows(sql, |row| {
            Ok(Notice {
                id: row.get(0)?,
                kind: row.get(1)?,
                card: row.get(2)?,
                step: row.get(3)?,
                state: row.get(4)?,
                message_id: row.get(5)?,
                attempt: row.get(6)?,
                why: row.get(7)?,
                tries: row.get(8)?,
                crashes: row.get(9)?,
                is_text: row.get(10)?,
                receipt: row.get(11)?,
            })
        })
    }

    /// The last conclusion about a card.
    pub(crate) fn verdict(&self, card: &str) -> Option<String> {
        let sql = "SELECT d.verdict FROM decision d JOIN card c ON c.id = d.card WHERE c.name = ?1 ORDER BY d.id DESC";
        self.0.query_row(sql, [card], |row| row.get(0)).ok()
    }

    /// What was odd about the last answer about a card, if it was.
    pub(crate) fn odd(&self, card: &str) -> Option<String> {
        let sql = "SELECT p.odd FROM poll p JOIN card c ON c.id = p.card WHERE c.name = ?1";
        self.0.query_row(sql, [card], |row| row.get(0)).ok().flatten()
    }

    /// How often a card could not be read, in a row.
    pub(crate) fn failures(&self, card: &str) -> i64 {
        let sql = "SELECT p.failures FROM poll p JOIN card c ON c.id = p.card WHERE c.name = ?1";
        self.0.query_row(sql, [card], |row| row.get(0)).unwrap_or(0)
    }

    /// The card's need: counts up with each renewal.
    pub(crate) fn cycle(&self, card: &str) -> i64 {
        let sql = "SELECT p.cycle FROM poll p JOIN card c ON c.id = p.card WHERE c.name = ?1";
        self.0.query_row(sql, [card], |row| row.get(0)).unwrap_or(0)
    }

    /// Whether a person said to leave out the next renewal.
    pub(crate) fn skips_next(&self, card: &str) -> bool {
        self.0.query_row("SELECT skip_next FROM card WHERE name = ?1", [card], |row| row.get(0)).unwrap_or(false)
    }

    /// How many cards were read since then, of those that are read every ten minutes and a twentieth more or less.
    pub(crate) fn read_since(&self, secs: u64) -> i64 {
        let sql = "SELECT count(*) FROM poll WHERE latest IS NOT NULL AND next_poll_at > ?1 + 631";
        self.0.query_row(sql, [i64::try_from(secs).expect("an instant")], |row| row.get(0)).unwrap_or(0)
    }

    /// Whether an account is left alone at its operator's wish.
    pub(crate) fn left_alone(&self, account: &str) -> bool {
        let sql = "SELECT paused_until IS NOT NULL FROM account WHERE name = ?1";
        self.0.query_row(sql, [account], |row| row.get(0)).unwrap_or(false)
    }

    /// How many cards are not bought for after a restore.
    pub(crate) fn quarantined(&self) -> i64 {
        self.0.query_row("SELECT count(*) FROM quarantine", [], |row| row.get(0)).unwrap_or(0)
    }

    /// What SQLite itself finds wrong.
    pub(crate) fn damage(&self) -> Vec<String> {
        let mut found: Vec<String> = self.rows("PRAGMA integrity_check", |row| row.get(0));
        found.retain(|line| line != "ok");
        found.extend(self.rows("PRAGMA foreign_key_check", |row| row.get::<_, String>(0)));
        found
    }

    /// Every move of an attempt, for a person who looks why a test failed.
    pub(crate) fn story(&self) -> Vec<String> {
        let sql =
            "SELECT attempt || ': ' || transition || ' ' || ifnull(from_state, '') || ' to ' || to_state || ' at ' ||
                          datetime(at, 'unixepoch') || ' ' || substr(what, 1, 100)
                   FROM attempt_event ORDER BY id";
        self.rows(sql, |row| row.get(0))
    }

    fn rows<T>(&self, sql: &str, read: impl Fn(&Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
        let mut statement = self.0.prepare(sql).expect("the tables are as the tests know them");
        let rows = statement.query_map([], |row| read(row)).expect("rows");
        rows.collect::<Result<_, _>>().expect("rows of these types")
    }
}
