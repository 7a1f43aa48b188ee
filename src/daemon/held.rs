//! The end of quiet hours: what waited for it goes out as one message a person, without what has become untrue.

use crate::config::Carries;
use crate::domain::notice::{DedupKey, Event, HeldMessage, NoticeKind, Story};
use crate::domain::time::UnixTime;
use crate::store::held::{self, Held};
use crate::store::{Connection, StoreError};

use super::live::{Live, Post};
use super::tell;

/// As many messages go into one; the rest go by themselves.
const TOGETHER_MOST: usize = 50;

/// A text has no room for two stories; so many go apart, and more would be a burst that is paid for.
const TEXTS_APART: usize = 3;

/// Merges what waited for this channel.
///
/// # Errors
/// When the record cannot be written.
pub(super) fn gather(conn: &Connection, live: &Live, post: &Post, now: UnixTime) -> Result<(), StoreError> {
    held::drop_untrue(conn, &post.name, now)?;
    let apart = match post.carries {
        Carries::Mail | Carries::Push => 1,
        Carries::Sms => TEXTS_APART,
        // Programs do not sleep.
        Carries::Document => return Ok(()),
    };
    let due = held::due(conn, &post.name, TOGETHER_MOST, now)?;
    let of_one = |one: &Held, other: &Held| one.person == other.person && one.address == other.address;
    for group in due.chunk_by(of_one).filter(|group| group.len() > apart) {
        merge(conn, live, post, group, now)?;
    }
    Ok(())
}

fn merge(conn: &Connection, live: &Live, post: &Post, group: &[Held], now: UnixTime) -> Result<(), StoreError> {
    let Some(first) = group.first() else { return Ok(()) };
    // Who has left the file, or moved, gets what was written to them as it is.
    let way = live.way_to(&first.person, post.carries, NoticeKind::Held.severity());
    let Some(way) = way.filter(|way| way.channel == post.name && way.address == first.address) else { return Ok(()) };
    let mut sorted: Vec<&Held> = group.iter().collect();
    sorted.sort_by_key(|held| (rank(held.kind), held.id));
    let message = |held: &&Held| HeldMessage { at: held.created_at, kind: held.kind, subject: held.subject.clone() };
    let messages = sorted.iter().map(message).collect();
    let enclosed = match post.carries {
        Carries::Mail => sorted.iter().map(|held| held.bytes.clone()).collect(),
        Carries::Push | Carries::Sms | Carries::Document => Vec::new(),
    };
    let story = Story { card: None, at: now, event: Event::Held { messages }, course: None, retold: None };
    let key = DedupKey { kind: NoticeKind::Held, card: None, cycle: 0, step: format!("held:{}", first.id.0) };
    let telling = tell::Queueing { enclosed: &enclosed, ..tell::Queueing::of(&story, &key) };
    let Some(whole) = tell::queue(conn, &telling, &way, now)? else { return Ok(()) };
    let ids: Vec<_> = group.iter().map(|held| held.id).collect();
    held::merged(conn, &ids, whole, now)
}

/// Problems first.
const fn rank(kind: NoticeKind) -> u8 {
    match kind {
        NoticeKind::LastSafe
        | NoticeKind::Failed
        | NoticeKind::Unknown
        | NoticeKind::Asked
        | NoticeKind::RulesProblem
        | NoticeKind::RecordProblem => 0,
        NoticeKind::WalletLow => 1,
        NoticeKind::DueSoon => 2,
        NoticeKind::SettledLate | NoticeKind::Paused | NoticeKind::CardsFound | NoticeKind::Digest => 3,
        NoticeKind::Bought | NoticeKind::Held | NoticeKind::Test => 4,
    }
}
