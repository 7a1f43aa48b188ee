//! What the daemon and its surroundings share: the world, the true time and the machine's, and whether the process is
//! still alive. A process that has ended gets no answer from anybody.

use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use simkeeper::daemon::clock::Clock;
use simkeeper::domain::time::UnixTime;
use tokio::sync::Notify;

use super::deaths::Deaths;
use super::scribe::Scribe;
use crate::chance::Chance;
use crate::world::World;

/// A stage that tasks, hooks and the story hold together.
#[derive(Clone)]
pub(super) struct Stage {
    scene: Arc<Mutex<Scene>>,
    /// The machine's clock.
    pub(super) clock: Arc<Clock>,
    /// Rung when the process dies.
    died: Arc<Notify>,
}

/// What is on it.
pub(super) struct Scene {
    /// What is true.
    pub(super) world: World,
    /// The true time.
    pub(super) at: i64,
    /// How far the machine's clock is off.
    pub(super) off_secs: i64,
    /// What ends the process.
    pub(super) deaths: Deaths,
    /// What tells the oracle of the record.
    pub(super) scribe: Scribe,
    /// Chance that nothing else uses.
    pub(super) dice: Chance,
    /// Until then the mail server takes nothing.
    pub(super) mail_down_until: i64,
    /// Until then a person has paused each card.
    pub(super) paused_until: Vec<i64>,
    /// Until then each card is set aside after a restore.
    pub(super) set_aside_until: Vec<i64>,
    dead: Option<&'static str>,
}

/// Ends a task at a point, as the process would end.
struct Ended;

impl Stage {
    pub(super) fn new(world: World, at: i64) -> Self {
        let (cards, seed) = (world.cards.len(), world.seed);
        let scene = Scene {
            deaths: Deaths::new(seed),
            scribe: Scribe::default(),
            dice: Chance::new(seed, 0xd1ce),
            mail_down_until: 0,
            paused_until: vec![0; cards],
            set_aside_until: vec![0; cards],
            dead: None,
            world,
            at,
            off_secs: 0,
        };
        Self {
            scene: Arc::new(Mutex::new(scene)),
            clock: Arc::new(Clock::told(UnixTime::clamped(at))),
            died: Arc::new(Notify::new()),
        }
    }

    pub(super) fn scene(&self) -> MutexGuard<'_, Scene> {
        // Tasks end by unwinding, none of them while it holds this.
        self.scene.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the true time, and the machine's with it.
    pub(super) fn set_time(&self, at: i64) {
        let mut scene = self.scene();
        scene.at = at;
        self.clock.tell(UnixTime::clamped(at.saturating_add(scene.off_secs)));
    }

    /// A call has taken so long.
    pub(super) fn pass(&self, secs: i64) {
        let at = self.scene().at;
        self.set_time(at + secs);
    }

    /// The machine's clock goes wrong by so much from here on, or right.
    pub(super) fn set_clock(&self, off_secs: i64) {
        self.scene().off_secs = off_secs;
        let at = self.scene().at;
        self.set_time(at);
    }

    /// A point is passed; the process may end there.
    pub(super) fn passes(&self, point: &'static str) {
        let dies = {
            let mut scene = self.scene();
            let dies = scene.dead.is_none() && scene.deaths.dies_at(point);
            if dies {
                scene.dead = Some(point);
            }
            dies
        };
        if dies {
            self.died.notify_one();
            resume_unwind(Box::new(Ended));
        }
    }

    pub(super) fn is_dead(&self) -> bool {
        self.scene().dead.is_some()
    }

    /// Waits for the end of the process.
    pub(super) async fn death(&self) {
        while !self.is_dead() {
            self.died.notified().await;
        }
    }

    /// A new process begins.
    pub(super) fn revive(&self) {
        self.scene().dead = None;
    }

    /// Goes on only in a process that lives.
    pub(super) async fn alive(&self) {
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
    }
}
