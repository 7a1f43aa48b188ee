//! The daemon itself in a world: its own rounds over its own record in SQLite, with the world's operators, people, clock
//! and stations around it. The record's folder lies in memory; nothing of the daemon is copied or left out, except that it
//! works on one thread, so that equal seeds give equal stories.

pub mod command;
mod day;
mod deaths;
mod files;
mod letters;
mod panics;
mod process;
pub mod run;
mod scribe;
mod seat;
mod stage;
mod story;
mod wrong;

use std::collections::BTreeMap;
use std::path::Path;

use self::story::Story;
pub use self::wrong::Wrong;
use crate::faults::Hits;
use crate::oracle::facts::Fact;
use crate::world::Settings;

/// Where records lie: in memory, where the system has that.
const MEMORY: &str = "/dev/shm";

/// Cards of one story: as many as share transactions well.
const CARDS: usize = 32;

/// The story of a seed: the world of the core's run under the same seed, with more cards.
#[must_use]
pub fn settings(seed: u64) -> Settings {
    Settings { cards: CARDS, ..Settings::of_seed(seed) }
}

/// A shorter story of a seed, for surroundings that are wrong on purpose.
#[must_use]
pub fn short(seed: u64) -> Settings {
    Settings { cards: 9, days: 90, ..Settings::of_seed(seed) }
}

/// What a story came to.
#[derive(Clone, Debug)]
pub struct Told {
    /// Everything that happened.
    pub facts: Vec<Fact>,
    /// What must never happen and is no matter of the oracle's, in words.
    pub troubles: Vec<String>,
    /// How often the process ended, by where.
    pub deaths: BTreeMap<&'static str, u64>,
    /// How often each fault was hit.
    pub hits: Box<Hits>,
    /// How often the daemon found something to do.
    pub steps: u64,
    /// Card-years that were told.
    pub card_years: f64,
}

impl Told {
    /// How often the process ended.
    #[must_use]
    pub fn died(&self) -> u64 {
        self.deaths.values().sum()
    }
}

/// Tells the story of a seed.
///
/// # Errors
/// When a folder cannot be made, or the daemon refuses to start.
pub fn tell(seed: u64, settings: &Settings, wrong: Option<Wrong>) -> anyhow::Result<Told> {
    let base = if Path::new(MEMORY).is_dir() { MEMORY.into() } else { std::env::temp_dir() };
    panics::watch();
    let folder = tempfile::Builder::new().prefix("simkeeper-world-").tempdir_in(base)?;
    let mut story = Story::new(seed, settings, folder.path(), wrong)?;
    story.tell()?;
    story.troubles.extend(panics::taken().into_iter().map(|what| format!("something panicked: {what}")));
    let mut scene = story.stage.scene();
    let facts = std::mem::take(&mut scene.world.facts);
    Ok(Told {
        facts,
        troubles: std::mem::take(&mut story.troubles),
        deaths: scene.deaths.counted.clone(),
        hits: scene.world.faults.hits.clone(),
        steps: story.steps,
        card_years: settings.card_years(),
    })
}
