//! The story of a world: the daemon's lives, one after the other, from the first instant to the last, with people and the
//! machine's own troubles between its rounds.

use std::path::{Path, PathBuf};

use simkeeper::daemon::bells::Round;
use simkeeper::daemon::request::{Reply, Request};
use simkeeper::daemon::{Places, Rest};
use simkeeper::domain::time::UnixTime;
use simkeeper::store::restore::Restore;
use simkeeper::store::{Store, StoreError, backup};

use super::files;
use super::process::{Did, Process, remove};
use super::stage::Stage;
use super::wrong::Wrong;
use crate::faults::Site;
use crate::oracle::facts::Fact;
use crate::world::{BEGINS, Settings, World};

pub(super) const HOUR: i64 = 3_600;
pub(super) const DAY: i64 = 24 * HOUR;
/// Rounds of every step.
const USUAL: &[Round] = &[Round::Poll, Round::Renew, Round::Settle, Round::Deliver];

/// A story as it goes on.
pub(super) struct Story {
    pub(super) stage: Stage,
    pub(super) places: Places,
    pub(super) wrong: Option<Wrong>,
    pub(super) process: Option<Process>,
    /// When the daemon has something to do, by its own clock.
    due: UnixTime,
    /// When a process that ended is started again.
    pub(super) starts_at: i64,
    /// When the clock is set right, if it is wrong.
    pub(super) clock_right_at: Option<i64>,
    /// When rules come back into the file.
    pub(super) rules_back_at: Vec<i64>,
    /// Copies of the record, with when they were made.
    pub(super) copies: Vec<(PathBuf, i64)>,
    /// An older copy was put in the record's place; the next start finds it.
    pub(super) restored: bool,
    day: i64,
    ends_at: i64,
    /// What must never happen, in words.
    pub(super) troubles: Vec<String>,
    /// How often the daemon found something to do.
    pub(super) steps: u64,
}

impl Story {
    pub(super) fn new(seed: u64, settings: &Settings, folder: &Path, wrong: Option<Wrong>) -> anyhow::Result<Self> {
        let world = World::new(seed, settings);
        let places = Places {
            config: folder.join("config"),
            state: folder.join("state"),
            socket: folder.join("socket"),
            credentials: None,
        };
        std::fs::create_dir_all(&places.config)?;
        std::fs::create_dir_all(&places.state)?;
        files::put_file(&places.config, "simkeeper.toml", &files::machine(&world, wrong))?;
        files::put_file(&places.config, "rules.toml", &files::rules(&world, BEGINS))?;
        let stage = Stage::new(world, BEGINS);
        stage.scene().deaths.switch(settings.switches);
        Ok(Self {
            stage,
            places,
            wrong,
            process: None,
            due: UnixTime::MIN,
            starts_at: BEGINS,
            clock_right_at: None,
            rules_back_at: Vec::new(),
            copies: Vec::new(),
            restored: false,
            day: 0,
            ends_at: BEGINS + settings.days * DAY,
            troubles: Vec::new(),
            steps: 0,
        })
    }

    /// Tells the story to its end.
    pub(super) fn tell(&mut self) -> anyhow::Result<()> {
        while self.now() < self.ends_at && self.troubles.is_empty() {
            let next = self.next().clamp(self.now(), self.ends_at);
            self.stage.set_time(next);
            if self.clock_right_at.is_some_and(|at| at <= next) {
                self.clock_right_at = None;
                self.stage.set_clock(0);
            }
            if self.rules_back_at.iter().any(|at| *at <= next) {
                self.rules_back_at.retain(|at| *at > next);
                self.rewrite_rules()?;
            }
            if self.process.is_none() && self.starts_at <= next {
                self.start()?;
            }
            if next >= BEGINS + self.day * DAY {
                self.day += 1;
                self.live_a_day(self.day)?;
            }
            self.work(USUAL)?;
        }
        self.end()
    }

    pub(super) fn now(&self) -> i64 {
        self.stage.scene().at
    }

    /// When something happens next.
    fn next(&self) -> i64 {
        let off = self.stage.scene().off_secs;
        let daemon = match self.process {
            Some(_) => self.due.secs().saturating_sub(off),
            None => self.starts_at,
        };
        let others = self.rules_back_at.iter().copied().chain(self.clock_right_at);
        others.chain([daemon, BEGINS + self.day * DAY]).min().unwrap_or(daemon)
    }

    fn start(&mut self) -> anyhow::Result<()> {
        self.stage.revive();
        self.look_before()?;
        self.process = Process::start(&self.stage, &self.places, self.wrong)?;
        self.due = UnixTime::MIN;
        if self.process.is_none() {
            self.again(60);
        }
        Ok(())
    }

    /// Tells the oracle what there is in the record before the daemon touches it.
    fn look_before(&mut self) -> anyhow::Result<()> {
        let restored = std::mem::take(&mut self.restored);
        let mut scene = self.stage.scene();
        let (at, acknowledged) = (scene.at, scene.scribe.acknowledged());
        let (mut found, mut open, mut claimed) = (0, Vec::new(), Vec::new());
        if self.places.state.join("simkeeper.db").exists() {
            let store = match Store::open_read_only(&self.places.state) {
                Ok(store) => store,
                // The process before ended while it made the record.
                Err(StoreError::OlderSchema { found: 0, .. }) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            scene.scribe.open(&store);
            if restored {
                scene.scribe.rewind()?;
            }
            found = scene.scribe.count()?;
            open = scene.scribe.opened()?.into_iter().map(|open| (open.card, open.attempt)).collect();
            claimed = scene.scribe.claimed()?;
            scene.scribe.close();
        }
        scene.world.facts.push(Fact::Started { acknowledged, found, at, restored, open });
        scene.world.facts.extend(claimed.into_iter().map(|notice| Fact::Unsettled { notice }));
        Ok(())
    }

    /// Lets the rounds work; buries a process that ends meanwhile.
    pub(super) fn work(&mut self, rounds: &'static [Round]) -> anyhow::Result<()> {
        let Some(process) = &mut self.process else { return Ok(()) };
        self.steps += 1;
        match process.work(&self.stage, rounds) {
            Did::Done(Rest::Until(due)) => {
                if rounds == USUAL {
                    self.due = due;
                }
                self.stage.scene().catch_up();
                Ok(())
            }
            Did::Done(Rest::Spins) => {
                self.troubles.push("the daemon finds something to do at one instant again and again".to_owned());
                Ok(())
            }
            Did::Done(Rest::Stopped) => {
                self.troubles.push("the daemon ended by itself".to_owned());
                Ok(())
            }
            Did::Died => self.bury(),
        }
    }

    /// Lets a person ask the daemon for something; no answer, if the process ends meanwhile or there is none.
    pub(super) fn ask(&mut self, request: Request) -> anyhow::Result<Option<Reply>> {
        let Some(process) = &self.process else { return Ok(None) };
        match process.ask(&self.stage, request) {
            Did::Done(reply) => {
                self.stage.scene().catch_up();
                Ok(Some(reply))
            }
            Did::Died => self.bury().map(|()| None),
        }
    }

    /// A process was killed: what it committed is told, and it is started again after a while.
    pub(super) fn bury(&mut self) -> anyhow::Result<()> {
        self.stage.scene().catch_up();
        if let Some(process) = self.process.take() {
            process.kill(&self.stage, &self.places.state, self.wrong)?;
        }
        self.ended();
        let wait = {
            let mut scene = self.stage.scene();
            if scene.dice.percent(70) { scene.dice.between(1, 60) } else { scene.dice.between(60, 12 * HOUR) }
        };
        self.again(wait);
        Ok(())
    }

    /// Stops it in good order.
    pub(super) fn stop(&mut self, for_secs: i64) {
        self.stage.scene().catch_up();
        if let Some(process) = self.process.take() {
            process.stop(&self.stage);
        }
        self.ended();
        self.again(for_secs);
    }

    fn ended(&self) {
        let mut scene = self.stage.scene();
        let at = scene.at;
        scene.world.facts.push(Fact::Stopped { at });
    }

    fn again(&mut self, wait_secs: i64) {
        self.starts_at = self.now() + wait_secs;
    }

    /// Writes the file of rules as it stands now, and lets a daemon that is up read it.
    pub(super) fn rewrite_rules(&mut self) -> anyhow::Result<()> {
        let text = {
            let scene = self.stage.scene();
            files::rules(&scene.world, scene.at)
        };
        files::put_file(&self.places.config, "rules.toml", &text)?;
        let Some(process) = &self.process else { return Ok(()) };
        match process.reload(&self.stage) {
            Did::Done(true) => Ok(()),
            Did::Done(false) => {
                self.troubles.push("the daemon did not take its files".to_owned());
                Ok(())
            }
            Did::Died => self.bury(),
        }
    }

    /// Puts an older copy of the record in its place; the journal stays.
    pub(super) fn restore(&mut self, copy: usize) -> anyhow::Result<()> {
        self.stop(60);
        let (path, made_at) = self.copies[copy].clone();
        let now = self.stage.clock.now();
        // The points on this way end nothing here: whoever restores does it again.
        simkeeper::daemon::crash::install(None);
        let by_command = self.wrong.is_none() && self.stage.scene().dice.percent(50);
        if by_command {
            Restore::begin(&path, &self.places.state)?.finish(files::PERSON, now)?;
        } else {
            self.copy_over(&path)?;
        }
        self.restored = true;
        let mut scene = self.stage.scene();
        let at = scene.at;
        // Whatever people wished since is not in the copy.
        scene.paused_until.fill(0);
        let lost = scene.scribe.intended.iter().any(|(_, _, sent_at)| *sent_at > made_at);
        if lost || by_command {
            scene.set_aside_until.fill(at + 26 * HOUR);
        }
        let lane = scene.world.cards.len();
        scene.world.faults.fires(Site::Restored, lane, 0, 0);
        Ok(())
    }

    /// Copies a file over the record, as a person does who knows of no command: only the journal can tell.
    fn copy_over(&self, path: &Path) -> anyhow::Result<()> {
        let live = self.places.state.join("simkeeper.db");
        std::fs::copy(path, &live)?;
        for beside in ["simkeeper.db-wal", "simkeeper.db-shm"] {
            remove(&self.places.state.join(beside))?;
        }
        if self.wrong == Some(Wrong::JournalEmptied) {
            std::fs::write(self.places.journal(), b"")?;
        }
        Ok(())
    }

    fn end(&mut self) -> anyhow::Result<()> {
        let mut scene = self.stage.scene();
        scene.catch_up();
        scene.look_at_messages();
        let at = scene.at;
        let open = scene.scribe.opened()?;
        let since = |attempt: i64| scene.scribe.since.get(&attempt).copied().unwrap_or(BEGINS);
        let open = open.iter().map(|open| (open.card, open.attempt, open.state, since(open.attempt))).collect();
        let waiting = scene.scribe.waiting();
        scene.world.facts.push(Fact::Ended { at, open, waiting });
        drop(scene);
        self.stop(0);
        if let Err(error) = backup::check_whole(&self.places.state.join("simkeeper.db")) {
            self.troubles.push(format!("the record is damaged at the end: {error}"));
        }
        Ok(())
    }
}
