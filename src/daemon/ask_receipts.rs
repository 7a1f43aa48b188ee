//! Asking what became of texts where the gateway does not come by itself: a phone of one's own, gammu-smsd's folders, a
//! modem, an SMS centre's connection. As long as a text of the last day has no receipt, each minute.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::live::Post;
use super::{Daemon, receipts};
use crate::domain::time::{Secs, UnixTime};
use crate::notify::Asked;
use crate::store::StoreError;
use crate::store::receipts as record;

/// How often a channel is asked.
const EVERY: Secs = Secs::MINUTE;

/// When a channel was last asked; at a start it is asked at once.
#[derive(Debug, Default)]
pub struct LastAsked(AtomicI64);

impl LastAsked {
    fn next(&self) -> UnixTime {
        UnixTime::clamped(self.0.load(Ordering::Relaxed)).plus(EVERY)
    }
}

/// When a channel is asked next; none where it is not asked, or all is known.
///
/// # Errors
/// When the record cannot be read.
pub(super) async fn next(daemon: &Daemon, post: &Post, now: UnixTime) -> Result<Option<UnixTime>, StoreError> {
    if !post.asks {
        return Ok(None);
    }
    let channel = post.name.clone();
    let open = daemon.store.read(move |conn| record::open(conn, &channel, 1, now)).await?;
    Ok((!open.is_empty() || post.channel.has_strays()).then(|| post.last_asked.next()))
}

/// Asks, if it is time.
///
/// # Errors
/// When the record cannot be read or written.
pub(super) async fn ask(daemon: &Arc<Daemon>, post: &Post) -> Result<(), StoreError> {
    let now = daemon.clock.now();
    if next(daemon, post, now).await?.is_none_or(|at| at > now) {
        return Ok(());
    }
    post.last_asked.0.store(now.secs(), Ordering::Relaxed);
    let (channel, most) = (post.name.clone(), post.channel.asked_at_once());
    let open = daemon.store.read(move |conn| record::open(conn, &channel, most, now)).await?;
    let asked: Vec<Asked> = open
        .into_iter()
        .map(|text| Asked {
            id: super::deliver_round::word_of(&text.message_id).to_owned(),
            address: text.address,
            remote: text.remote,
        })
        .collect();
    for (id, receipt) in post.channel.reports(&asked).await {
        receipts::note(daemon, id, receipt).await?;
    }
    post.channel.thank().await;
    Ok(())
}
