//! What texts cost, and how many went over a channel.

use rusqlite::Connection;

use super::error::StoreError;
use super::fields::{change, rows, scalar};
use crate::domain::card::Name;
use crate::domain::money::Money;
use crate::domain::notice::NoticeId;
use crate::domain::text_limits::{MONTH, TextRoom, TextsSent};
use crate::domain::time::{Secs, UnixTime};

const PUT: &str = "UPDATE notice SET segments = ?2, cost = ?3, cost_currency = ?4 WHERE id = ?1";
const SENT: &str =
    "SELECT count(*) FROM notice WHERE channel = ?1 AND settled_at > ?2 AND resend_costs = 1 AND state = 'sent'";
const ON_ITS_WAY: &str = "SELECT count(*) FROM notice WHERE channel = ?1 AND state = 'claimed'";
const WITHOUT_ROOM: &str = "SELECT id FROM notice WHERE state = 'queued' AND channel = ?1 AND urgent = 1 AND next_at <= ?2 \
     AND why IS NULL";
const WAIT: &str = "UPDATE notice SET next_at = ?4, why = 'the limits of this channel have no room for it yet' \
     WHERE state = 'queued' AND channel = ?1 AND urgent = ?2 AND next_at <= ?3";

/// The statements of this file.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[PUT, SENT, ON_ITS_WAY, WITHOUT_ROOM, WAIT];

/// Notes how many parts a text has and what they cost.
///
/// # Errors
/// If the record cannot be written.
pub fn put(conn: &Connection, notice: NoticeId, parts: u32, cost: Option<Money>) -> Result<(), StoreError> {
    let (amount, currency) = (cost.map(Money::ten_thousandths), cost.map(|cost| cost.currency().to_string()));
    change(conn, PUT, (notice.0, parts, amount, currency)).map(drop)
}

/// How many texts went over a channel; one that is on its way counts.
///
/// # Errors
/// If the record cannot be read.
pub fn sent(conn: &Connection, channel: &Name, now: UnixTime) -> Result<TextsSent, StoreError> {
    let under_way = scalar::<u32>(conn, ON_ITS_WAY, [channel.as_str()])?.unwrap_or(0);
    let within = |length: Secs| -> Result<u32, StoreError> {
        let sent = scalar::<u32>(conn, SENT, (channel.as_str(), now.minus(length).secs()))?;
        Ok(sent.unwrap_or(0).saturating_add(under_way))
    };
    Ok(TextsSent { hour: within(Secs::HOUR)?, day: within(Secs::DAY)?, month: within(MONTH)? })
}

/// What is due and has no room waits; answers what is urgent and waits for the first time.
///
/// # Errors
/// If the record cannot be written.
pub fn wait(conn: &Connection, channel: &Name, room: TextRoom, now: UnixTime) -> Result<Vec<NoticeId>, StoreError> {
    let mut urgent_ones = Vec::new();
    if room.urgent_waits().is_some() {
        let found = rows(conn, WITHOUT_ROOM, (channel.as_str(), now.secs()), |row| Ok(NoticeId(row.get(0)?)))?;
        urgent_ones.extend(found);
    }
    for (urgent, waits) in [(false, room.patient_waits()), (true, room.urgent_waits())] {
        if let Some(length) = waits {
            change(conn, WAIT, (channel.as_str(), urgent, now.secs(), now.plus(length).secs()))?;
        }
    }
    Ok(urgent_ones)
}
