//! Many lives of many worlds, from one seed each.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::chance::Chance;
use crate::disk::{Cut, Image};
use crate::life;
use crate::mutant::Mutant;
use crate::tally::Tally;
use crate::world::World;

/// Losses of power that one world goes through.
pub const LIVES: u64 = 15;

/// What long runs of worlds do not meet, since `cases` does it.
pub const IN_CASES: [&str; 2] = ["a cut while upgrading", "a cut while restoring"];

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// The world in which it was broken.
    pub seed: u64,
    /// After how many cuts of that world.
    pub cuts: u64,
    /// Which one.
    pub why: String,
}

/// One world from its first start to its last.
///
/// # Errors
/// The promise that was broken.
pub fn world(seed: u64, mutant: Mutant, tally: &mut Tally) -> Result<(), Breach> {
    let before = tally.cuts;
    let told = |tally: &Tally, why: String| Breach { seed, cuts: tally.cuts - before, why };
    let mut chance = Chance::new(seed);
    let mut world = World::new(mutant).map_err(|error| told(tally, error.to_string()))?;
    let mut image = Image::default();
    for life in 0..LIVES {
        let (cut, work) = (cut_by(&mut chance, life), chance.fork());
        image = life::live(&mut world, &image, cut, work, &mut chance, tally).map_err(|why| told(tally, why))?;
    }
    life::look(&mut world, &image, &mut chance, tally).map_err(|why| told(tally, why))
}

/// Every second world begins with a record that is hardly made; later lives end soon, late, or in peace.
const fn cut_by(chance: &mut Chance, life: u64) -> Option<Cut> {
    let at_sync = match chance.below(20) {
        _ if life == 0 && chance.once_in(2) => 1 + chance.below(10),
        0 => return None,
        1..=7 => 1 + chance.below(6),
        8..=17 => 1 + chance.below(20),
        _ => 1 + chance.below(50),
    };
    Some(Cut { at_sync, is_after: chance.once_in(4) })
}

/// Worlds from `seed` on, on as many threads, until there were `cuts`. Gives the figures, and of the broken promises the
/// one with the lowest seed.
#[must_use]
pub fn until(cuts: u64, seed: u64, threads: usize) -> (Tally, Option<Breach>) {
    let next = AtomicU64::new(seed);
    let done = AtomicU64::new(0);
    let total = Mutex::new((Tally::default(), None::<Breach>));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while done.load(Ordering::Relaxed) < cuts {
                    let mut tally = Tally::default();
                    let breach = world(next.fetch_add(1, Ordering::Relaxed), Mutant::None, &mut tally).err();
                    done.fetch_add(tally.cuts, Ordering::Relaxed);
                    let mut total = total.lock().unwrap_or_else(PoisonError::into_inner);
                    total.0.add(&tally);
                    if let Some(breach) = breach {
                        done.fetch_add(cuts, Ordering::Relaxed);
                        if total.1.as_ref().is_none_or(|known| breach.seed < known.seed) {
                            total.1 = Some(breach);
                        }
                    }
                }
            });
        }
    });
    total.into_inner().unwrap_or_else(PoisonError::into_inner)
}
