//! A journal of orders that was damaged, cut, replaced or lost. It can no longer tell whether the record is older than the
//! world, so the worst is taken to be true: every open order becomes a person's question, and nothing is bought for any
//! card until a person lets it go on. Cards are read and warned about as ever.

use std::path::{Path, PathBuf};

use super::live::Live;
use super::{health_check, moves};
use crate::domain::record::RecordProblem;
use crate::domain::step::Event;
use crate::domain::time::UnixTime;
use crate::store::journal::{self, JournalContents};
use crate::store::missing_lines::{self, JOURNAL_LOST};
use crate::store::{Connection, StoreError, attempts, meta};

/// Looks whether the journal is whole and holds what it must; draws the conclusions if not.
///
/// # Errors
/// When the record cannot be read or written.
pub(super) fn take_up(
    conn: &Connection,
    live: &Live,
    contents: &JournalContents,
    now: UnixTime,
) -> Result<(), StoreError> {
    let missing = missing_lines::count(conn, &contents.lines)?;
    if missing == 0 && !contents.broken_inside {
        return Ok(());
    }
    tracing::error!(
        missing,
        damaged = contents.broken_inside,
        "the journal of orders is damaged or missing; nothing is bought until a person has looked. Compare your \
         operators' lists with `simkeeper history`, then let each card go on with `simkeeper resume CARD`"
    );
    for attempt in attempts::open(conn)? {
        moves::advance(conn, live, &attempt, Event::RolledBack { left: None }, now)?;
    }
    meta::quarantine_all(conn, JOURNAL_LOST, now)?;
    health_check::told(conn, live, RecordProblem::JournalLost, now)?;
    missing_lines::note(conn, now)
}

/// Gives a damaged journal another name, so that a person can look at it and a whole one begins. Nothing is lost by it:
/// the record has drawn its conclusions, and every line that can be read is known to it.
///
/// # Errors
/// What the system says.
pub(super) fn set_aside(path: &Path, now: UnixTime) -> Result<PathBuf, StoreError> {
    let aside = PathBuf::from(format!("{}.damaged-{}", path.display(), now.secs()));
    journal::set_aside(path, &aside)?;
    tracing::error!(path = %aside.display(), "the damaged journal of orders is kept under this name");
    Ok(aside)
}
