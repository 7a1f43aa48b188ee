//! Where and when a process ends: at the named points of the daemon, each switched on for a whole world with one chance
//! in four, and rarer where it is passed often. How often it ends is drawn for each world, as it is for other faults: a
//! start costs more than a week of rounds, and most of what a death can break shows after the first few.

use std::collections::BTreeMap;

use simkeeper::daemon::crash::{POINTS, POINTS_BESIDE};

use crate::chance::Chance;
use crate::faults::Switches;

/// The chance, in ten thousand, to die at a point that is on.
fn chance_at(point: &str) -> u64 {
    match point {
        "after_reading" => 10,
        "before_done" | "after_done" => 150,
        "in_claim" | "after_claim" | "after_send" | "after_settled" => 150,
        "in_take_up" => 1_000,
        _ => 1_500,
    }
}

/// How many times rarer than `chance_at` says: one of these for a world.
const RARER: [u64; 4] = [1, 3, 8, 25];

/// The deaths of a world.
#[derive(Clone, Debug)]
pub(super) struct Deaths {
    on: Vec<&'static str>,
    /// How many times rarer than usual they are in this world.
    rarer: u64,
    chance: Chance,
    /// How often the process ended at each point.
    pub(super) counted: BTreeMap<&'static str, u64>,
}

impl Deaths {
    pub(super) fn new(seed: u64) -> Self {
        Self { on: Vec::new(), rarer: 1, chance: Chance::new(seed, 0xdead), counted: BTreeMap::new() }
    }

    /// Switches points on.
    pub(super) fn switch(&mut self, switches: Switches) {
        self.rarer = *self.chance.pick(&RARER);
        let all = POINTS.into_iter().chain(POINTS_BESIDE);
        self.on = all
            .filter(|_| match switches {
                Switches::Chance => self.chance.percent(25),
                Switches::AllOn => true,
                Switches::AllOff | Switches::Calm | Switches::Only(_) => false,
            })
            .collect();
    }

    pub(super) fn dies_at(&mut self, point: &'static str) -> bool {
        let dies = self.on.contains(&point) && self.chance.below(10_000 * self.rarer) < chance_at(point);
        if dies {
            *self.counted.entry(point).or_default() += 1;
        }
        dies
    }

    /// Notes an end between two rounds.
    pub(super) fn note(&mut self, how: &'static str) {
        *self.counted.entry(how).or_default() += 1;
    }
}
