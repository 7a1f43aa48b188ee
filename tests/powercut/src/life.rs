//! One life: the record is opened on what the last loss of power left, compared with what was promised, used as the daemon
//! uses it, and then the power goes.

use std::collections::BTreeSet;

use simkeeper::domain::attempt::Attempt;
use simkeeper::store::journal::{self, JOURNAL, OrderJournal};
use simkeeper::store::{Store, attempts, backup};

use crate::chance::Chance;
use crate::disk::{Cut, Disk, Image};
use crate::mirror::{Contents, Piece};
use crate::mutant::Mutant;
use crate::orders;
use crate::tally::{Phase, Tally};
use crate::work;
use crate::world::{BACKUPS_KEPT, BEGINNING, Left, World};

/// Steps of a life whose power stays on.
const STEPS_MAX: u64 = 20;

/// One life on one disk.
struct Life<'a> {
    world: &'a mut World,
    disk: &'a Disk,
    chance: Chance,
    tally: &'a mut Tally,
    phase: Phase,
    /// Orders whose line this life has written.
    lined: BTreeSet<i64>,
}

/// Lives until the power goes, and says what is left on the disk. Without a cut the power goes when all is done and closed.
/// `work` decides what is done, `chance` what the loss of power does.
///
/// # Errors
/// Says which promise was broken.
pub fn live(
    world: &mut World,
    image: &Image,
    cut: Option<Cut>,
    work: Chance,
    chance: &mut Chance,
    tally: &mut Tally,
) -> Result<Image, String> {
    let disk = Disk::with(image, world.mutant.disk()).map_err(|error| error.to_string())?;
    if let Some(cut) = cut {
        disk.cut_at(cut);
    }
    let phase = if image.file("simkeeper.db").is_some() { Phase::Opening } else { Phase::Making };
    let mut life = Life { world, disk: &disk, chance: work, tally, phase, lined: BTreeSet::new() };
    life.run()?;
    let phase = life.phase;
    disk.turn_off();
    tally.count_cut(phase);
    Ok(disk.after_cut(chance, tally))
}

/// Opens what is left, compares it, and closes it again.
///
/// # Errors
/// Says which promise was broken.
pub fn look(world: &mut World, image: &Image, chance: &mut Chance, tally: &mut Tally) -> Result<(), String> {
    let disk = Disk::with(image, world.mutant.disk()).map_err(|error| error.to_string())?;
    let mut life =
        Life { world, disk: &disk, chance: chance.fork(), tally, phase: Phase::Opening, lined: BTreeSet::new() };
    match life.open()? {
        Some((store, _)) => store.close_blocking(),
        None => return Err("the power was on".into()),
    }
    Ok(())
}

impl Life<'_> {
    fn run(&mut self) -> Result<(), String> {
        let Some((store, mut journal)) = self.open()? else { return Ok(()) };
        let done = self.work(&store, &mut journal);
        if !self.disk.is_off() {
            self.phase = Phase::Closing;
            if self.chance.once_in(2) {
                let at_sync = self.disk.syncs() + 1 + self.chance.below(2);
                self.disk.cut_at(Cut { at_sync, is_after: self.chance.once_in(4) });
            }
        }
        // With the power gone this only ends the thread.
        store.close_blocking();
        if !self.disk.is_off() {
            self.phase = Phase::Resting;
        }
        done
    }

    /// Opens record and journal and compares both; none if the power went meanwhile.
    fn open(&mut self) -> Result<Option<(Store, OrderJournal)>, String> {
        let dir = self.disk.record();
        let store = match Store::open(&dir, BEGINNING) {
            Ok(store) => store,
            Err(_) if self.disk.is_off() => return Ok(None),
            Err(error) => return Err(format!("the record does not open: {error}")),
        };
        let journal = self.compare(&store);
        match journal {
            Ok(Some(journal)) => Ok(Some((store, journal))),
            Ok(None) => {
                store.close_blocking();
                Ok(None)
            }
            // What could not be read without power is compared by the next start.
            Err(_) if self.disk.is_off() => {
                store.close_blocking();
                Ok(None)
            }
            Err(why) => {
                store.close_blocking();
                Err(why)
            }
        }
    }

    fn compare(&mut self, store: &Store) -> Result<Option<OrderJournal>, String> {
        self.world.compare(store, self.tally)?;
        let path = self.disk.record().join(JOURNAL);
        let found = journal::read(&path).map_err(|error| error.to_string())?;
        self.world.compare_journal(store, &found, self.tally)?;
        // Every backup is read whole, which takes longer than all else.
        if self.world.backup_under_way.is_some() || self.chance.once_in(4) {
            self.world.compare_backups(&self.disk.record())?;
        }
        match OrderJournal::open(&path) {
            Ok(journal) => Ok(Some(journal)),
            Err(_) if self.disk.is_off() => Ok(None),
            Err(error) => Err(format!("the order journal does not open: {error}")),
        }
    }

    fn work(&mut self, store: &Store, journal: &mut OrderJournal) -> Result<(), String> {
        self.set_up(store)?;
        let now = self.world.tick();
        let first = work::at_start(self.world.mirror.conn(), now).map_err(|error| error.to_string())?;
        self.commit(store, journal, &first)?;
        for _ in 0..STEPS_MAX {
            if self.disk.is_off() {
                return Ok(());
            }
            match self.chance.below(12) {
                0 => self.back_up(store)?,
                1..=4 => self.write_lines(journal)?,
                _ => self.round(store, journal)?,
            }
        }
        Ok(())
    }

    /// In most lives the log is emptied far more often than in the daemon's, so that the power goes then as well.
    fn set_up(&mut self, store: &Store) -> Result<(), String> {
        let pages = [10, 40, 200, 2_000][self.chance.below(4) as usize];
        let is_lax = self.world.mutant == Mutant::NormalSync;
        let set = store.write_blocking(move |conn| {
            conn.query_row(&format!("PRAGMA wal_autocheckpoint = {pages}"), [], |_| Ok(()))?;
            if is_lax {
                // Inside a transaction the setting would not take hold.
                conn.execute_batch(
                    "RELEASE piece; COMMIT; PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE; SAVEPOINT piece",
                )?;
            }
            Ok(())
        });
        set.map_err(|error| error.to_string())
    }

    /// One commit of what several rounds write.
    fn round(&mut self, store: &Store, journal: &mut OrderJournal) -> Result<(), String> {
        let now = self.world.tick();
        let told = |error: simkeeper::store::StoreError| error.to_string();
        let mut pieces = work::pieces(self.world.mirror.conn(), &mut self.chance, now).map_err(told)?;
        for attempt in work::leaving(self.world.mirror.conn()).map_err(told)? {
            if self.lined.contains(&attempt.id.0) && self.chance.once_in(2) {
                pieces.push(orders::go_on(attempt, &mut self.chance, now));
            }
        }
        self.commit(store, journal, &pieces)
    }

    fn commit(&mut self, store: &Store, journal: &mut OrderJournal, pieces: &[Piece]) -> Result<(), String> {
        let told = |error: rusqlite::Error| error.to_string();
        self.phase = Phase::Committing;
        self.world.mirror.begin(pieces).map_err(told)?;
        match self.world.mutant {
            Mutant::AnsweredBeforeCommit => self.world.mirror.acknowledge().map_err(told)?,
            Mutant::LineBeforeIntent => self.write_lines(journal)?,
            _ => {}
        }
        match work::commit(store, pieces) {
            Ok(()) => {
                self.tally.commits += 1;
                if self.world.mutant != Mutant::AnsweredBeforeCommit {
                    self.world.mirror.acknowledge().map_err(told)?;
                }
                Ok(())
            }
            Err(_) if self.disk.is_off() => Ok(()),
            Err(error) => Err(format!("a commit was lost with the power on: {error}")),
        }
    }

    /// The lines of orders that are about to leave; once a line is acknowledged its order leaves.
    fn write_lines(&mut self, journal: &mut OrderJournal) -> Result<(), String> {
        let leaving = work::leaving(self.world.mirror.conn()).map_err(|error| error.to_string())?;
        for attempt in leaving {
            if !self.lined.contains(&attempt.id.0) && !self.disk.is_off() {
                self.write_line(journal, &attempt)?;
            }
        }
        Ok(())
    }

    fn write_line(&mut self, journal: &mut OrderJournal, attempt: &Attempt) -> Result<(), String> {
        self.phase = Phase::Ordering;
        let key = attempts::key_of(self.world.mirror.conn(), attempt.id).map_err(|error| error.to_string())?;
        let key = key.ok_or("an order that is leaving has no key")?;
        let line = orders::line(attempt, &key, journal.next_sequence(), &mut self.chance, self.world.now);
        let left = Left { attempt: attempt.id.0, key: key.as_str().to_owned() };
        if self.world.mutant == Mutant::SentBeforeLine {
            self.world.left.push(left.clone());
        }
        match journal.append(&line) {
            Ok(()) => {
                self.tally.lines += 1;
                self.world.lines.push(line);
                self.world.left.push(left);
                self.lined.insert(attempt.id.0);
            }
            Err(_) if self.disk.is_off() => self.world.line_under_way = Some(line),
            Err(error) => return Err(format!("a line was lost with the power on: {error}")),
        }
        Ok(())
    }

    fn back_up(&mut self, store: &Store) -> Result<(), String> {
        self.phase = Phase::BackingUp;
        let now = self.world.tick();
        let contents = Contents::of(self.world.mirror.conn()).map_err(|error| error.to_string())?;
        match backup::make(store.dir(), now, BACKUPS_KEPT) {
            Ok(made) => drop(self.world.backups.insert(crate::world::file_name(&made.path), contents)),
            Err(_) if self.disk.is_off() => self.world.backup_under_way = Some(contents),
            Err(error) => return Err(format!("a backup failed with the power on: {error}")),
        }
        Ok(())
    }
}
