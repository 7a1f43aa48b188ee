//! Durable commits a second with 1, 16 and 256 writers that each wait for theirs, beside plain rusqlite that commits
//! row by row. On the disk of `fixedsync.c`, where each sync takes 1 ms, the answer does not depend on the machine.
// disk: fixed

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{Meter, Took, fine, short};
use serde_json::json;
use simkeeper::domain::time::UnixTime;
use simkeeper::store::Store;
use simkeeper::store::people::{self, HumanAction};

/// How long each measurement lasts.
const MEASURED: Duration = Duration::from_secs(2);
const NOW: UnixTime = UnixTime::clamped(1_797_336_000);

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let folder = std::env::var_os("WORK").map_or_else(std::env::temp_dir, PathBuf::from).join("commits");
    std::fs::create_dir_all(&folder)?;
    let (rows, took) = row_by_row(&folder.join("plain.db"))?;
    tell("commits_baseline", 1, rows, &took, None);
    let mut alone = None;
    for writers in [1, 16, 256] {
        let (rows, took) = together(&folder.join(format!("w{writers}")), writers).await?;
        let alone = *alone.get_or_insert(took.per_s(rows));
        tell("commits", writers, rows, &took, Some(alone));
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn tell(bench: &str, writers: usize, rows: usize, took: &Took, alone: Option<f64>) {
    let ratio = alone.map(|alone| fine(took.per_s(rows) / alone));
    let (per_s, cpu) = (short(took.per_s(rows)), short(took.cpu_us_per(rows)));
    let line = json!({"bench": bench, "writers": writers, "per_s": per_s, "cpu_us_per": cpu, "ratio_to": "writers=1", "ratio": ratio});
    println!("{line}");
}

/// One row in one transaction, again and again, with the same promises about power loss.
fn row_by_row(path: &Path) -> anyhow::Result<(usize, Took)> {
    let conn = rusqlite::Connection::open(path)?;
    conn.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
         CREATE TABLE did (id INTEGER PRIMARY KEY, at INTEGER, by TEXT, what TEXT, card INTEGER, attempt INTEGER, reason TEXT)",
    )?;
    let mut insert = conn.prepare("INSERT INTO did (at, by, what) VALUES (?1, 'anna', 'pause')")?;
    let (meter, mut rows) = (Meter::start(), 0);
    while meter.took().secs < MEASURED.as_secs_f64() {
        insert.execute([NOW.secs()])?;
        rows += 1;
    }
    Ok((rows, meter.took()))
}

/// As many tasks as `writers`, each of which waits until its row is on disk before it writes the next.
async fn together(folder: &Path, writers: usize) -> anyhow::Result<(usize, Took)> {
    let store = Store::open(folder, NOW)?;
    let (rows, meter) = (Arc::new(AtomicUsize::new(0)), Arc::new(Meter::start()));
    let tasks: Vec<_> = (0..writers)
        .map(|_| {
            let (store, rows, meter) = (store.clone(), Arc::clone(&rows), Arc::clone(&meter));
            tokio::spawn(async move {
                while meter.took().secs < MEASURED.as_secs_f64() {
                    store.write(|conn| people::record(conn, &action())).await?;
                    rows.fetch_add(1, Ordering::Relaxed);
                }
                anyhow::Ok(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    let took = meter.took();
    store.close().await;
    Ok((rows.load(Ordering::Relaxed), took))
}

fn action() -> HumanAction {
    HumanAction { at: NOW, by: "anna".into(), what: "pause".into(), card: None, attempt: None, reason: None }
}
