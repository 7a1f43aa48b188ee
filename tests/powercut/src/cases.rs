//! Moments that come once: a record is made, brought up to date, or replaced by a backup. The power goes at each of their
//! syncs in turn, before it took effect and after, several times with other damage each.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OpenFlags};
use simkeeper::domain::card::CardId;
use simkeeper::domain::time::{Secs, UnixTime};
use simkeeper::store::journal::{self, JOURNAL, OrderJournal};
use simkeeper::store::restore::Restore;
use simkeeper::store::{Store, StoreError, attempts, backup};

use crate::chance::Chance;
use crate::disk::{Cut, Deaf, Disk, Image};
use crate::life;
use crate::mirror::{Contents, Piece};
use crate::mutant::Mutant;
use crate::orders;
use crate::tally::{Phase, Tally};
use crate::work;
use crate::world::{BEGINNING, World, contents_of_backup, need_sound};

const FIRST_SCHEMA: &str = include_str!("../../../migrations/0001_record.sql");
/// "simk", as in the store.
const APPLICATION_ID: i64 = 0x7369_6d6b;
/// Where a restore is noted in the copy that was put in place.
const MARKED: &str = "human_action";
const LATER: UnixTime = BEGINNING.plus(Secs::days(1));

/// What a moment's work says: an error of the store, in words.
type Told<T> = Result<T, String>;

fn words(error: StoreError) -> String {
    error.to_string()
}

fn sql(error: rusqlite::Error) -> String {
    error.to_string()
}

/// A disk with nothing on it but the record's folder.
fn empty() -> Image {
    Image([(crate::disk::RECORD.to_owned(), None)].into())
}

/// Cuts `act` at each of its syncs, and gives what is left to `judge`, with whether the act had been answered. The last
/// cut comes when all is done.
fn at_every_sync(
    image: &Image,
    phase: Phase,
    rounds: u64,
    (chance, tally): (&mut Chance, &mut Tally),
    act: impl Fn(&Disk) -> Told<()>,
    mut judge: impl FnMut(&Image, bool, &mut Chance, &mut Tally) -> Told<()>,
) -> Told<u64> {
    let disk = Disk::with(image, Deaf::Honest).map_err(|error| error.to_string())?;
    act(&disk)?;
    let syncs = disk.syncs();
    drop(disk);
    for at_sync in 1..=syncs + 1 {
        for round in 0..rounds {
            let cut = Cut { at_sync, is_after: round % 3 == 2 };
            let disk = Disk::with(image, Deaf::Honest).map_err(|error| error.to_string())?;
            disk.cut_at(cut);
            let answer = act(&disk);
            if let (Err(why), false) = (&answer, disk.is_off()) {
                return Err(format!("with the power on: {why}"));
            }
            disk.turn_off();
            tally.count_cut(if at_sync > syncs { Phase::Resting } else { phase });
            let left = disk.after_cut(chance, tally);
            drop(disk);
            judge(&left, answer.is_ok(), chance, tally).map_err(|why| format!("{cut:?}, round {round}: {why}"))?;
        }
    }
    Ok(syncs)
}

/// The first life of a record, with everything that a life does, cut at each of its first `syncs_max` syncs.
///
/// # Errors
/// The promise that was broken.
pub fn first_life(seed: u64, syncs_max: u64, rounds: u64, tally: &mut Tally) -> Told<()> {
    for at_sync in 1..=syncs_max {
        for round in 0..rounds {
            let mut chance = Chance::new(at_sync << 32 | round);
            let mut world = World::new(Mutant::None).map_err(words)?;
            let cut = Cut { at_sync, is_after: round % 3 == 2 };
            let image = life::live(&mut world, &Image::default(), Some(cut), Chance::new(seed), &mut chance, tally)
                .map_err(|why| format!("seed {seed}, {cut:?}: {why}"))?;
            life::look(&mut world, &image, &mut chance, tally)
                .map_err(|why| format!("seed {seed}, {cut:?}, round {round}: {why}"))?;
        }
    }
    Ok(())
}

/// A record of the first schema with an order in each open state and one that is done, as a process that was killed leaves
/// it, and what must be in it once it is up to date.
fn of_first_schema() -> Told<(Image, World, Contents)> {
    let disk = Disk::with(&empty(), Deaf::Honest).map_err(|error| error.to_string())?;
    let conn = Connection::open(disk.record().join("simkeeper.db")).map_err(sql)?;
    conn.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
        .map_err(sql)?;
    conn.pragma_update(None, "application_id", APPLICATION_ID).map_err(sql)?;
    conn.execute_batch(FIRST_SCHEMA).map_err(sql)?;
    conn.pragma_update(None, "user_version", 1).map_err(sql)?;
    // Orders are written as they are today; what the first schema did not have goes again.
    conn.execute_batch("ALTER TABLE attempt ADD COLUMN reckoning TEXT").map_err(sql)?;
    let begun = "INSERT INTO installation VALUES (1, '018f3a52-0000-7000-8000-000000000001', ?1, 0)";
    conn.execute(begun, [BEGINNING.secs()]).map_err(sql)?;
    let mut world = World::new(Mutant::None).map_err(words)?;
    let mut chance = Chance::new(48);
    for step in 0..5 {
        let pieces = upgraded_pieces(&conn, step, &mut chance).map_err(words)?;
        world.mirror.begin(&pieces).and_then(|()| world.mirror.acknowledge()).map_err(sql)?;
        for piece in &pieces {
            piece(&conn).map_err(words)?;
        }
    }
    conn.execute_batch("ALTER TABLE attempt DROP COLUMN reckoning").map_err(sql)?;
    let contents = Contents::of(&conn).map_err(sql)?;
    Ok((disk.live().map_err(|error| error.to_string())?, world, contents))
}

/// Cards first, then one more move of every card whose number is not reached yet.
fn upgraded_pieces(conn: &Connection, step: i64, chance: &mut Chance) -> Result<Vec<Piece>, StoreError> {
    let now = BEGINNING.plus(Secs::minutes(step));
    if step == 0 {
        return Ok(vec![Arc::new(|conn| {
            conn.execute_batch(
                "INSERT INTO card (name, account, fields, labels, zone, notify, keeper) \
                 SELECT 'card ' || value, 'try', '{}', '[]', 'UTC', '[]', 'command' FROM json_each('[1,2,3,4,5]'); \
                 INSERT INTO poll (card, next_poll_at) SELECT id, 1800000000 FROM card;",
            )?;
            Ok(())
        })]);
    }
    let mut pieces = Vec::new();
    for card in (step..=5).map(CardId) {
        pieces.push(match attempts::open_for(conn, card)? {
            None => orders::plan(card, 1, chance, now),
            Some(attempt) if step == 2 => orders::intend(attempt, chance, now),
            Some(attempt) => orders::go_on(attempt, chance, now),
        });
    }
    Ok(pieces)
}

/// An upgrade from the first schema, cut at each sync: afterwards the record is the old one or the new one, every order is
/// still in it, and the next start finishes the upgrade. A copy of the old record is whole if it is there, and it is there
/// once the record is new.
///
/// # Errors
/// The promise that was broken.
pub fn upgrade(rounds: u64, chance: &mut Chance, tally: &mut Tally) -> Told<u64> {
    let (image, mut world, old) = of_first_schema()?;
    let act = |disk: &Disk| Store::open(&disk.record(), LATER).map(Store::close_blocking).map_err(words);
    at_every_sync(&image, Phase::Upgrading, rounds, (chance, tally), act, |left, is_done, chance, tally| {
        let disk = Disk::with(left, Deaf::Honest).map_err(|error| error.to_string())?;
        let copy = disk.record().join("backups/before-upgrade-from-schema-1.db");
        if copy.exists() && contents_of_backup(&copy)? != old {
            return Err("the copy before the upgrade is not whole".into());
        }
        let (version, found) = read_plainly(&disk.record().join("simkeeper.db"))?;
        match version {
            1 if !is_done && found == old => {}
            2.. if copy.exists() => {}
            _ => return Err(format!("schema {version}: {}", old.difference(&found))),
        }
        drop(disk);
        life::look(&mut world, left, chance, tally)
    })
}

/// Version and contents, with nothing of the program in between.
fn read_plainly(path: &Path) -> Told<(i64, Contents)> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(sql)?;
    need_sound(&conn).map_err(words)?;
    let version = conn.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(sql)?;
    Ok((version, Contents::of(&conn).map_err(sql)?))
}

/// A record with a backup, and commits and orders after it; as a process that was killed leaves it, or one that ended.
fn with_backup(is_closed: bool) -> Told<(Image, String, Contents, Contents)> {
    let disk = Disk::with(&empty(), Deaf::Honest).map_err(|error| error.to_string())?;
    let store = Store::open(&disk.record(), BEGINNING).map_err(words)?;
    let mut journal = OrderJournal::open(&disk.record().join(JOURNAL)).map_err(words)?;
    let mut world = World::new(Mutant::None).map_err(words)?;
    let mut chance = Chance::new(36);
    let mut backup = None;
    for step in 0..12 {
        let now = world.tick();
        let pieces = work::pieces(world.mirror.conn(), &mut chance, now).map_err(words)?;
        world.mirror.begin(&pieces).and_then(|()| world.mirror.acknowledge()).map_err(sql)?;
        work::commit(&store, &pieces).map_err(words)?;
        if step == 2 {
            let contents = Contents::of(world.mirror.conn()).map_err(sql)?;
            backup = Some((backup::make(&disk.record(), now, 2).map_err(words)?.path, contents));
        }
        for attempt in work::leaving(world.mirror.conn()).map_err(words)? {
            let key = attempts::key_of(world.mirror.conn(), attempt.id).map_err(words)?.ok_or("no key")?;
            let line = orders::line(&attempt, &key, journal.next_sequence(), &mut chance, now);
            journal.append(&line).map_err(words)?;
        }
    }
    let (path, then) = backup.ok_or("no backup was made")?;
    let last = Contents::of(world.mirror.conn()).map_err(sql)?;
    if is_closed {
        store.clone().close_blocking();
    }
    let image = disk.live().map_err(|error| error.to_string())?;
    store.close_blocking();
    Ok((image, crate::world::file_name(&path), then, last))
}

/// A restore, cut at each sync: afterwards the record is the one before, whole, or the backup, whole, and the order journal
/// is as it was, so that the next start sees which of the two it is.
///
/// # Errors
/// The promise that was broken.
pub fn restore(is_closed: bool, rounds: u64, chance: &mut Chance, tally: &mut Tally) -> Told<u64> {
    let (image, name, then, last) = with_backup(is_closed)?;
    let lines = image.file(JOURNAL).ok_or("there is no journal")?.to_vec();
    let act = |disk: &Disk| {
        let from: PathBuf = disk.record().join("backups").join(&name);
        Restore::begin(&from, &disk.record()).and_then(|begun| begun.finish("anna", LATER)).map(drop).map_err(words)
    };
    at_every_sync(&image, Phase::Restoring, rounds, (chance, tally), act, |left, is_done, _, _| {
        if left.file(JOURNAL) != Some(lines.as_slice()) {
            return Err("the order journal has changed".into());
        }
        let disk = Disk::with(left, Deaf::Honest).map_err(|error| error.to_string())?;
        let store = Store::open(&disk.record(), LATER).map_err(words)?;
        let found = store.read_blocking(|conn| {
            need_sound(conn)?;
            Ok(Contents::of(conn)?)
        });
        let unknown = unknown_lines(&store);
        store.close_blocking();
        let (found, unknown) = (found.map_err(words)?, unknown.map_err(words)?);
        // The copy that was put in place says so in a row of its own.
        let is_copy = found.rows(MARKED) == 1 && found.without(MARKED) == then.without(MARKED) && unknown > 0;
        if is_copy || found == last && unknown == 0 && !is_done {
            return Ok(());
        }
        Err(format!(
            "neither the old record ({}) nor the backup ({})",
            last.difference(&found),
            then.difference(&found)
        ))
    })
}

/// The order journal alone, through many losses of power one after another, so that what one of them leaves is there when
/// the next one comes.
///
/// # Errors
/// The promise that was broken.
pub fn journal_lives(lives: u64, deaf: Deaf, chance: &mut Chance, tally: &mut Tally) -> Told<()> {
    let (mut image, mut written, mut under_way) = (empty(), Vec::new(), None);
    for life in 0..lives {
        let disk = Disk::with(&image, deaf).map_err(|error| error.to_string())?;
        let path = disk.record().join(JOURNAL);
        let found = journal::read(&path).map_err(words)?;
        if let Some(line) = under_way.take()
            && found.lines.last() == Some(&line)
        {
            written.push(line);
        }
        if found.broken_inside || found.lines != written {
            let (is, was) = (found.lines.len(), written.len());
            return Err(format!("life {life}: {is} lines instead of {was}, broken inside: {}", found.broken_inside));
        }
        tally.broken_tails += u64::from(found.tail_broken);
        disk.cut_at(Cut { at_sync: 1 + chance.below(4), is_after: chance.once_in(4) });
        if let Ok(mut journal) = OrderJournal::open(&path) {
            while !disk.is_off() {
                let line = crate::a_line(journal.next_sequence(), 1 + chance.below(40));
                match journal.append(&line) {
                    Ok(()) => written.push(line),
                    Err(_) if disk.is_off() => under_way = Some(line),
                    Err(error) => return Err(error.to_string()),
                }
            }
        }
        if !disk.is_off() {
            return Err("the order journal does not open".into());
        }
        tally.count_cut(Phase::Ordering);
        tally.lines = tally.lines.max(written.len() as u64);
        image = disk.after_cut(chance, tally);
    }
    Ok(())
}

/// A record with orders after its last checkpoint or closed, as an image to be damaged, and how many of its orders are in
/// the order journal.
///
/// # Errors
/// What the store says.
pub fn with_orders(is_closed: bool) -> Told<(Image, usize)> {
    let (image, ..) = with_backup(is_closed)?;
    let lines = image.file(JOURNAL).map_or(0, |bytes| bytes.iter().filter(|byte| **byte == b'\n').count());
    Ok((image, lines))
}

/// Opens a record that may be damaged: says how many lines of the order journal it does not know.
///
/// # Errors
/// The refusal.
pub fn unknown_orders(image: &Image) -> Result<usize, StoreError> {
    let io = |error: std::io::Error| StoreError::Sql { why: error.to_string() };
    let disk = Disk::with(image, Deaf::Honest).map_err(io)?;
    let store = Store::open(&disk.record(), LATER)?;
    let unknown = unknown_lines(&store);
    store.close_blocking();
    unknown
}

/// Lines of the order journal whose order the record does not know.
fn unknown_lines(store: &Store) -> Result<usize, StoreError> {
    let known = journal::read(&store.dir().join(JOURNAL))?;
    store.read_blocking(move |conn| {
        let rows = known.lines.iter().map(|line| attempts::by_id(conn, line.attempt));
        Ok(rows.collect::<Result<Vec<_>, _>>()?.iter().filter(|row| row.is_none()).count())
    })
}
