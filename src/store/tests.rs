//! The record as a whole: every statement, many writers at once, readers beside them; and what the modules' tests share.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use super::*;
use crate::domain::card::{CardId, Keeper, Name};

/// 2027-01-15T08:00:00Z.
pub(super) const NOW: UnixTime = UnixTime::clamped(1_800_000_000);

pub(super) fn memory() -> Connection {
    in_memory(NOW).unwrap()
}

pub(super) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// A card of which only the name matters.
pub(super) fn card(conn: &Connection, label: &str) -> CardId {
    cards::insert(conn, &cards::NewCard::named(name(label), name("account"), Keeper::Command), NOW).unwrap()
}

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), NOW).unwrap();
    (dir, store)
}

async fn count(store: &Store) -> usize {
    store.read(cards::count).await.unwrap()
}

#[test]
fn every_statement_is_valid_on_a_fresh_database() {
    let conn = memory();
    let lists = [
        accounts::STATEMENTS,
        approvals::STATEMENTS,
        card_rows::STATEMENTS,
        card_search::STATEMENTS,
        card_sync::STATEMENTS,
        cards::STATEMENTS,
        catalogues::STATEMENTS,
        claims::STATEMENTS,
        decisions::STATEMENTS,
        digests::STATEMENTS,
        examine::STATEMENTS,
        held::STATEMENTS,
        ledger::STATEMENTS,
        matters::STATEMENTS,
        meta::STATEMENTS,
        migrate::STATEMENTS,
        missing_lines::STATEMENTS,
        notice_lists::STATEMENTS,
        notices::STATEMENTS,
        people::STATEMENTS,
        polls::STATEMENTS,
        readings::STATEMENTS,
        receipts::STATEMENTS,
        silences::STATEMENTS,
        text_costs::STATEMENTS,
    ];
    let all = lists.into_iter().flatten().copied().chain(attempts::statements());
    for sql in all {
        if let Err(error) = conn.prepare(sql) {
            panic!("{error}: {sql}");
        }
    }
}

#[test]
fn no_statement_hides_outside_its_files_list() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let list = words.split("STATEMENTS: &[&str] =").nth(1).or_else(|| words.split("fn statements()").nth(1));
        let list = list.and_then(|rest| rest.split(']').next()).unwrap_or_default();
        for part in words.split("const ").skip(1) {
            let Some((name, value)) = part.split_once(": &str = ") else { continue };
            let is_sql = ["\"SELECT", "\"INSERT", "\"UPDATE", "\"DELETE", "concat!( \"SELECT", "concat!(\"SELECT"];
            if !name.contains(' ') && is_sql.iter().any(|begins| value.starts_with(begins)) {
                assert!(list.contains(name), "{name} of {}", path.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 60, "{seen}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_many_write_at_once_is_all_there() {
    let (_dir, store) = store();
    let tasks: Vec<_> = (0..200)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { store.write(move |conn| Ok(card(conn, &format!("c{number}")))).await.unwrap() })
        })
        .collect();
    let mut ids = BTreeSet::new();
    for task in tasks {
        ids.insert(task.await.unwrap());
    }
    assert_eq!(ids.len(), 200);
    assert_eq!(count(&store).await, 200);
    store.close().await;
}

#[tokio::test]
async fn all_that_waits_shares_one_commit() {
    let (_dir, store) = store();
    let commits = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&commits);
    let counting = move |conn: &Connection| {
        let count = move || counter.fetch_add(1, Ordering::SeqCst) == usize::MAX;
        Ok(conn.commit_hook(Some(count)).map(drop)?)
    };
    store.write(counting).await.unwrap();
    commits.store(0, Ordering::SeqCst);
    let gate = Arc::new(Barrier::new(2));
    let held = Arc::clone(&gate);
    let holder = store.clone();
    let first = tokio::spawn(async move { holder.write(move |_| Ok(held.wait().is_leader())).await });
    let pieces: Vec<_> = (0..100)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { store.write(move |conn| Ok(card(conn, &format!("c{number}")))).await })
        })
        .collect();
    // On this runtime of one thread every piece has been handed over once all tasks had a turn; the runtime looks at
    // those that gave way every 61 turns.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    tokio::task::spawn_blocking(move || gate.wait()).await.unwrap();
    first.await.unwrap().unwrap();
    for piece in pieces {
        piece.await.unwrap().unwrap();
    }
    // One for the piece that held the writer up, one for all the others.
    let commits = commits.load(Ordering::SeqCst);
    assert!((1..=2).contains(&commits), "{commits}");
    assert_eq!(count(&store).await, 100);
    store.close().await;
}

#[tokio::test]
async fn without_threads_writes_share_commits_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_here(dir.path(), NOW).unwrap();
    assert!(matches!(Store::open(dir.path(), NOW), Err(StoreError::Locked { .. })));
    let commits = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&commits);
    let counting = move |conn: &Connection| {
        let count = move || counter.fetch_add(1, Ordering::SeqCst) == usize::MAX;
        Ok(conn.commit_hook(Some(count)).map(drop)?)
    };
    store.write(counting).await.unwrap();
    commits.store(0, Ordering::SeqCst);
    let pieces = (0..9).map(|number| {
        let store = store.clone();
        tokio::spawn(async move {
            store
                .write(move |conn| if number == 4 { panic!("four") } else { Ok(card(conn, &format!("c{number}"))) })
                .await
        })
    });
    let mut lost = 0;
    for piece in pieces.collect::<Vec<_>>() {
        lost += usize::from(piece.await.unwrap().is_err());
    }
    assert_eq!((lost, count(&store).await, commits.load(Ordering::SeqCst)), (1, 8, 1));
    let other = store.clone();
    store.close().await;
    assert_eq!(other.write(|_| Ok(())).await, Err(StoreError::Closed));
    Store::open(dir.path(), NOW).unwrap().close().await;
}

#[tokio::test]
async fn errors_and_panics_take_back_their_own_work_only() {
    let (_dir, store) = store();
    // The writer is held up, so that the next pieces share one transaction.
    let gate = Arc::new(Barrier::new(2));
    let (held, holder) = (Arc::clone(&gate), store.clone());
    let first = tokio::spawn(async move {
        let held_up = holder.write(move |conn| {
            held.wait();
            Ok(card(conn, "first"))
        });
        held_up.await
    });
    let pieces: Vec<_> = (0..9)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let piece = store.write(move |conn| {
                    card(conn, &format!("c{number}"));
                    match number % 3 {
                        0 => Err(StoreError::Forbidden { why: "no".into() }),
                        1 => panic!("on purpose"),
                        _ => Ok(number),
                    }
                });
                piece.await
            })
        })
        .collect();
    let waits = tokio::task::spawn_blocking(move || gate.wait());
    waits.await.unwrap();
    first.await.unwrap().unwrap();
    for (number, piece) in pieces.into_iter().enumerate() {
        match (number % 3, piece.await.unwrap()) {
            (0, Err(StoreError::Forbidden { why })) => assert_eq!(why, "no"),
            (1, Err(StoreError::Panicked { what })) => assert_eq!(what, "on purpose"),
            (2, Ok(same)) => assert_eq!(same, number),
            (_, other) => panic!("{number}: {other:?}"),
        }
    }
    assert_eq!(count(&store).await, 4);
    store.close().await;
}

#[tokio::test]
async fn a_lost_transaction_fails_all_of_it_and_work_goes_on() {
    let (_dir, store) = store();
    // As a full disk does, this ends the transaction under everyone's feet.
    let lost = store.write(|conn| {
        card(conn, "lost");
        conn.execute_batch("ROLLBACK")?;
        Err::<(), _>(StoreError::DiskFull)
    });
    assert_eq!(lost.await, Err(StoreError::DiskFull));
    store.write(|conn| Ok(card(conn, "kept"))).await.unwrap();
    assert_eq!(count(&store).await, 1);
    store.renew_reserve().unwrap();
    store.close().await;
}

#[tokio::test]
async fn a_full_database_is_told_gives_the_reserve_back_and_keeps_what_was_there() {
    let (dir, store) = store();
    store.write(|conn| Ok(card(conn, "before"))).await.unwrap();
    let reserve = || std::fs::metadata(dir.path().join("reserve")).unwrap().len();
    assert!(reserve() > 0);
    let fill = |conn: &Connection| {
        let pages: i64 = conn.query_row("PRAGMA page_count", [], |row| row.get(0))?;
        conn.query_row(&format!("PRAGMA max_page_count = {}", pages + 2), [], |_| Ok(()))?;
        let id = card(conn, "too much");
        conn.execute("UPDATE card SET contact = ?2 WHERE id = ?1", (id.0, "x".repeat(100_000)))?;
        Ok(())
    };
    assert_eq!(store.write(fill).await, Err(StoreError::DiskFull));
    assert_eq!(reserve(), 0);
    let room = |conn: &Connection| Ok(conn.query_row("PRAGMA max_page_count = 1000000", [], |_| Ok(()))?);
    store.write(room).await.unwrap();
    store.write(|conn| Ok(card(conn, "after"))).await.unwrap();
    assert_eq!(count(&store).await, 2);
    store.close().await;
}

#[tokio::test]
async fn after_an_error_of_the_disk_nothing_more_is_written() {
    let (dir, store) = store();
    store.write(|conn| Ok(card(conn, "before"))).await.unwrap();
    let broken = StoreError::Broken { why: "I/O error on sync".into() };
    let told = broken.clone();
    assert_eq!(
        store
            .write(|conn| Err::<(), _>({
                card(conn, "x");
                told
            }))
            .await,
        Err(broken.clone())
    );
    let after = store.write(|conn| Ok(card(conn, "after"))).await;
    assert_eq!(after, Err(broken));
    assert!(after.unwrap_err().is_fatal());
    assert_eq!(count(&store).await, 1);
    store.close().await;
    // A new process begins anew.
    let store = Store::open(dir.path(), NOW).unwrap();
    store.write(|conn| Ok(card(conn, "later"))).await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn readers_see_what_is_committed_and_one_state_at_a_time() {
    let (dir, store) = store();
    store.write(|conn| Ok(card(conn, "a"))).await.unwrap();
    let beside = Store::open_read_only(dir.path()).unwrap();
    assert_eq!((count(&store).await, count(&beside).await), (1, 1));
    let writing = store.clone();
    let (before, after) = beside
        .read(move |conn| {
            let before = cards::count(conn)?;
            writing.write_blocking(|conn| Ok(card(conn, "b")))?;
            Ok((before, cards::count(conn)?))
        })
        .await
        .unwrap();
    assert_eq!((before, after), (1, 1));
    assert_eq!(count(&beside).await, 2);
    assert_eq!(beside.write(|_| Ok(())).await, Err(StoreError::ReadOnly));
    assert!(beside.read(|conn| Ok(conn.execute("DELETE FROM card", [])?)).await.is_err());
    store.close().await;
}

#[tokio::test]
async fn closing_finishes_what_waits_and_frees_the_folder() {
    let (dir, store) = store();
    assert!(matches!(Store::open(dir.path(), NOW), Err(StoreError::Locked { .. })));
    let copy = store.clone();
    let pending = tokio::spawn({
        let store = store.clone();
        async move { store.write(|conn| Ok(card(conn, "a"))).await }
    });
    pending.await.unwrap().unwrap();
    assert!(store.free_disk_bytes().unwrap() > 0);
    assert!(!store.check_due());
    store.check().await.unwrap();
    store.close().await;
    assert_eq!(copy.write(|_| Ok(())).await, Err(StoreError::Closed));
    assert_eq!(std::fs::metadata(dir.path().join("simkeeper.db-wal")).map_or(0, |meta| meta.len()), 0);
    let again = Store::open(dir.path(), NOW).unwrap();
    assert_eq!(count(&again).await, 1);
    again.close().await;
}

#[tokio::test]
async fn the_log_stays_small() {
    let (dir, store) = store();
    for round in 0..40 {
        let work = move |conn: &Connection| {
            for number in 0..200 {
                let id = card(conn, &format!("c{round}-{number}"));
                conn.execute("UPDATE card SET contact = ?2 WHERE id = ?1", (id.0, "x".repeat(4_000)))?;
            }
            Ok(())
        };
        store.write(work).await.unwrap();
    }
    let log = std::fs::metadata(dir.path().join("simkeeper.db-wal")).unwrap().len();
    assert!(log < 16 << 20, "{log}");
    store.close().await;
}
