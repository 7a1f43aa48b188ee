//! A disk that fills up at one place after another: while it is full nothing is acknowledged that is not kept, the outcome
//! that could not be recorded is recorded from the reserve, and with space again all goes on in the same process.

use simkeeper::store::journal::{JOURNAL, OrderJournal};
use simkeeper::store::{Store, StoreError, attempts};

use crate::chance::Chance;
use crate::disk::{Deaf, Disk, Image};
use crate::life;
use crate::mirror::{Contents, Piece};
use crate::mutant::Mutant;
use crate::orders;
use crate::tally::Tally;
use crate::work;
use crate::world::{BEGINNING, Left, World};

/// Commits after which a disk that has so little space must be full.
const COMMITS_MAX: u64 = 60;
/// So many are left when the space becomes scarce: there are orders under way then.
const COMMITS_BEFORE: u64 = COMMITS_MAX - 6;
/// Commits after there is space again.
const COMMITS_WITH_SPACE: u64 = 4;

/// What was met while the disk was full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    /// Commits that said so.
    pub commits: u64,
    /// Lines of the order journal that said so.
    pub lines: u64,
}

/// One process whose disk has `space_bytes` left and then none, and then space again; at the end the power goes.
///
/// # Errors
/// The promise that was broken.
pub fn fill_up(space_bytes: u64, seed: u64, tally: &mut Tally) -> Result<Refused, String> {
    let mut chance = Chance::new(seed);
    let mut world = World::new(Mutant::None).map_err(|error| error.to_string())?;
    let disk = Disk::with(&Image::default(), Deaf::Honest).map_err(|error| error.to_string())?;
    let told = |error: StoreError| error.to_string();
    let store = Store::open(&disk.record(), BEGINNING).map_err(told)?;
    let mut journal = OrderJournal::open(&disk.record().join(JOURNAL)).map_err(told)?;
    let done = spend(space_bytes, &mut world, &disk, (&store, &mut journal), &mut chance, tally);
    store.close_blocking();
    disk.turn_off();
    let refused = done?;
    let left = disk.after_cut(&mut chance, tally);
    life::look(&mut world, &left, &mut chance, tally).map(|()| refused)
}

/// Works until the disk is full, and on with space again.
fn spend(
    space_bytes: u64,
    world: &mut World,
    disk: &Disk,
    (store, journal): (&Store, &mut OrderJournal),
    chance: &mut Chance,
    tally: &mut Tally,
) -> Result<Refused, String> {
    let told = |error: StoreError| error.to_string();
    let mut refused = Refused::default();
    let mut steps_left = COMMITS_MAX;
    while steps_left > 0 {
        steps_left -= 1;
        if refused.commits > 0 {
            steps_left = steps_left.min(COMMITS_WITH_SPACE);
        }
        match steps_left {
            COMMITS_BEFORE => disk.leave_space(Some(space_bytes)),
            ..=COMMITS_WITH_SPACE => disk.leave_space(None),
            _ => {}
        }
        let now = world.tick();
        let mut pieces = work::pieces(world.mirror.conn(), chance, now).map_err(told)?;
        for attempt in work::leaving(world.mirror.conn()).map_err(told)? {
            if world.left.iter().any(|left| left.attempt == attempt.id.0) {
                pieces.push(orders::go_on(attempt, chance, now));
            } else if !line(world, journal, &attempt, chance, tally)? {
                refused.lines += 1;
            }
        }
        refused.commits += u64::from(!commit(world, store, &pieces, tally)?);
    }
    Ok(refused)
}

/// Commits. On a full disk nothing of it is there, and the second try, for which the reserve was given back, succeeds. Says
/// whether the first did.
fn commit(world: &mut World, store: &Store, pieces: &[Piece], tally: &mut Tally) -> Result<bool, String> {
    world.mirror.begin(pieces).map_err(|error| error.to_string())?;
    let first = work::commit(store, pieces);
    tally.commits += 1;
    match first {
        Ok(()) => {
            world.mirror.acknowledge().map_err(|error| error.to_string())?;
            return Ok(true);
        }
        Err(StoreError::DiskFull) => {}
        Err(error) => return Err(format!("on a full disk: {error}")),
    }
    let found = store.read_blocking(|conn| Ok(Contents::of(conn)?)).map_err(|error| error.to_string())?;
    if world.mirror.settle(&found)? == crate::mirror::Settled::CameThrough {
        return Err("a commit that was refused for want of space is there".into());
    }
    world.mirror.begin(pieces).map_err(|error| error.to_string())?;
    work::commit(store, pieces).map_err(|error| format!("the reserve did not serve: {error}"))?;
    world.mirror.acknowledge().map_err(|error| error.to_string())?;
    Ok(false)
}

/// Writes the line of an order that is about to leave; says whether it may.
fn line(
    world: &mut World,
    journal: &mut OrderJournal,
    attempt: &simkeeper::domain::attempt::Attempt,
    chance: &mut Chance,
    tally: &mut Tally,
) -> Result<bool, String> {
    let key = attempts::key_of(world.mirror.conn(), attempt.id).map_err(|error| error.to_string())?.ok_or("no key")?;
    let line = orders::line(attempt, &key, journal.next_sequence(), chance, world.now);
    match journal.append(&line) {
        Ok(()) => {
            tally.lines += 1;
            world.lines.push(line);
            world.left.push(Left { attempt: attempt.id.0, key: key.as_str().to_owned() });
            Ok(true)
        }
        Err(StoreError::DiskFull) => Ok(false),
        Err(error) => Err(format!("a line on a full disk: {error}")),
    }
}
