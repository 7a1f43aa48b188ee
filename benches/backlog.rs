//! 100,000 mails that wait, as after a long outage, sent over eight connections: how many a second, what share of that in the
//! slowest second, and how long others wait for the record meanwhile: somebody who reads, a round that writes one row, and the
//! once-a-minute look for what is no longer worth sending.
// disk: fixed

mod common;
#[path = "common/post.rs"]
mod post;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use common::{Meter, fine, short};
use jiff::tz::TimeZone;
use post::{FROM, NOW, Sink, TO, all_taken, folder, named, post, waiting};
use serde_json::json;
use simkeeper::daemon::clock::Clock;
use simkeeper::daemon::deliver;
use simkeeper::domain::notice::{Language, NoticeId, NoticeKind};
use simkeeper::notify::{self, MailHeaders, Recipient};
use simkeeper::store::Store;
use simkeeper::store::notices;

/// So many wait.
const MAILS: usize = 100_000;
/// Connections to the server.
const CONNECTIONS: usize = 8;
/// How often somebody else wants the record.
const LOOKS_EVERY: Duration = Duration::from_millis(5);
/// How often the rate is taken, and the queue searched for what is over.
const COUNTS_EVERY: Duration = Duration::from_secs(1);

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let folder = folder("backlog")?;
    let sink = Sink::start()?;
    let mail = made()?;
    let store = waiting(&folder.join("state"), MAILS, &mail).await?;
    let (clock, post) = (Clock::stepped(NOW, Duration::ZERO), post(sink.at, CONNECTIONS)?);

    let done = Arc::new(AtomicBool::new(false));
    let (looks, counts) =
        (tokio::spawn(look(store.clone(), Arc::clone(&done))), tokio::spawn(count(store.clone(), Arc::clone(&done))));
    let meter = Meter::start();
    deliver(&store, &clock, &post).await?;
    let took = meter.took();
    done.store(true, Ordering::Relaxed);
    let (waits, (slowest, search)) = (looks.await??, counts.await??);
    all_taken(&store).await?;

    let ms = |wait: Duration| short(wait.as_secs_f64() * 1e3);
    println!(
        "{}",
        json!({"bench": "backlog", "mails": MAILS, "bytes": mail.len(), "per_s": short(took.per_s(MAILS)),
            "slowest_second": fine(slowest as f64 / took.per_s(MAILS)), "cpu_us_per": short(took.cpu_us_per(MAILS)), "longest_write_ms": ms(waits.write),
            "longest_read_ms": ms(waits.read), "longest_search_ms": ms(search)})
    );
    post.channel.close().await;
    store.close().await;
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// Where so many wait, mails have no pictures.
fn made() -> anyhow::Result<Vec<u8>> {
    let recipient = Recipient {
        person: named("anna"),
        address: TO.into(),
        language: Language::ENGLISH,
        zone: TimeZone::UTC,
        answers: simkeeper::domain::approval::Answering::ByNumber,
    };
    let headers = MailHeaders { message_id: "<1@example.net>".into(), from: FROM.into(), thread: None, date: NOW };
    let story = notify::preview(NoticeKind::Bought).into_iter().next();
    let Some(story) = story.map(|story| simkeeper::domain::notice::Story { course: None, ..story }) else {
        anyhow::bail!("there is no sample");
    };
    Ok(notify::mail(&story, &recipient, &headers)?.bytes)
}

/// The longest times that others waited.
#[derive(Default)]
struct Waits {
    write: Duration,
    read: Duration,
}

/// Reads and writes a row now and then, as other rounds and commands do.
async fn look(store: Store, done: Arc<AtomicBool>) -> anyhow::Result<Waits> {
    let mut waits = Waits::default();
    while !done.load(Ordering::Relaxed) {
        let begun = Instant::now();
        let found = store.write(|conn| notices::retry(conn, NoticeId(-1), NOW)).await?;
        ensure!(!found, "there is no such notice");
        waits.write = waits.write.max(begun.elapsed());
        let begun = Instant::now();
        store.read(|conn| notices::by_id(conn, NoticeId(1))).await?;
        waits.read = waits.read.max(begun.elapsed());
        tokio::time::sleep(LOOKS_EVERY).await;
    }
    Ok(waits)
}

/// The fewest mails in a whole second, and the longest search for what is over.
async fn count(store: Store, done: Arc<AtomicBool>) -> anyhow::Result<(u64, Duration)> {
    let (mut slowest, mut before, mut search) = (u64::MAX, MAILS as u64, Duration::ZERO);
    loop {
        tokio::time::sleep(COUNTS_EVERY).await;
        if done.load(Ordering::Relaxed) {
            return Ok((slowest, search));
        }
        let begun = Instant::now();
        store.write(|conn| notices::expire(conn, NOW)).await?;
        search = search.max(begun.elapsed());
        let depth = store.read(notices::gauges).await?.depth;
        slowest = slowest.min(before.saturating_sub(depth));
        before = depth;
    }
}
