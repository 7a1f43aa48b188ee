//! What was concluded about each card, and why: one row per change of mind. Append-only.

use rusqlite::Connection;

use super::cards::bounded;
use super::error::StoreError;
use super::fields::{Fields, change, rows};
use crate::domain::card::CardId;
use crate::domain::time::UnixTime;

const RECORD: &str = "INSERT INTO decision (card, at, verdict, reasons) SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS \
     (SELECT 1 FROM (SELECT verdict, reasons FROM decision WHERE card = ?1 ORDER BY id DESC LIMIT 1) \
     WHERE verdict = ?3 AND reasons = ?4)";
const OF_CARD: &str = "SELECT * FROM decision WHERE card = ?1 AND at >= ?2 ORDER BY id DESC LIMIT ?3";

/// The statements of this file.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[RECORD, OF_CARD];

/// A conclusion about a card.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Decision {
    /// Since when it holds.
    pub at: UnixTime,
    /// The verdict in a word.
    pub verdict: String,
    /// The reasons in JSON.
    pub reasons: serde_json::Value,
}

/// Records a conclusion, if it is not the one that holds already; says whether it was new. `reasons` is JSON.
///
/// # Errors
/// [`StoreError::Forbidden`] if `reasons` is no JSON.
pub fn record(
    conn: &Connection,
    card: CardId,
    verdict: &str,
    reasons: &str,
    now: UnixTime,
) -> Result<bool, StoreError> {
    Ok(change(conn, RECORD, (card.0, now.secs(), verdict, reasons))? == 1)
}

/// The conclusions about a card since `since`, newest first.
///
/// # Errors
/// If the record cannot be read.
pub fn list(conn: &Connection, card: CardId, since: UnixTime, limit: usize) -> Result<Vec<Decision>, StoreError> {
    rows(conn, OF_CARD, (card.0, since.secs(), bounded(limit)), |row| {
        let row = Fields::of("decision", "id", row)?;
        Ok(Decision { at: row.time("at")?, verdict: row.get("verdict")?, reasons: row.json("reasons")? })
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NOW, card, memory};
    use super::*;

    #[test]
    fn only_a_change_of_mind_is_recorded() {
        let conn = memory();
        let (a, b) = (card(&conn, "a"), card(&conn, "b"));
        assert!(record(&conn, a, "fine", "[]", NOW).unwrap());
        assert!(!record(&conn, a, "fine", "[]", NOW).unwrap());
        assert!(record(&conn, b, "fine", "[]", NOW).unwrap());
        assert!(record(&conn, a, "fine", "[1]", NOW).unwrap());
        assert!(record(&conn, a, "due", "[1]", NOW).unwrap());
        assert!(record(&conn, a, "fine", "[]", NOW).unwrap());
        let verdicts: Vec<_> = list(&conn, a, NOW, 9).unwrap().into_iter().map(|one| one.verdict).collect();
        assert_eq!(verdicts, ["fine", "due", "fine", "fine"]);
        assert!(record(&conn, a, "x", "no json", NOW).is_err());
        assert!(conn.execute("DELETE FROM decision", []).is_err());
    }
}
