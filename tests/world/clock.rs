//! The time of a story: as many times as fast as the machine's, and able to jump while the daemon is not running. A
//! daemon that follows a file may have its own clock set wrong and right again while it runs, and sleep through a jump.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use simkeeper::daemon::clock::machine_millis;
use simkeeper::domain::time::{Secs, UnixTime};

/// When every story begins: a Tuesday, the first of a month, midnight in UTC.
pub(crate) const BEGINS: &str = "2026-12-01T00:00:00Z";

/// A clock on which the sandbox and the daemon agree.
#[derive(Clone, Debug)]
pub(crate) struct StoryClock {
    goes: Arc<Mutex<Goes>>,
    /// Where the daemon finds its time, if it is to be set while it runs.
    file: Option<PathBuf>,
}

/// How time goes.
#[derive(Clone, Copy, Debug)]
struct Goes {
    speed: u32,
    anchor_millis: i64,
    begins: UnixTime,
    /// How far ahead the daemon's clock is, or behind.
    ahead: Secs,
}

impl Goes {
    fn now(&self) -> UnixTime {
        self.begins.plus(Secs((machine_millis() - self.anchor_millis) * i64::from(self.speed) / 1_000))
    }
}

impl StoryClock {
    pub(crate) fn starting(speed: u32) -> Self {
        let begins = UnixTime::parse(BEGINS).expect("it is one");
        let goes = Goes { speed, anchor_millis: machine_millis(), begins, ahead: Secs::ZERO };
        Self { goes: Arc::new(Mutex::new(goes)), file: None }
    }

    pub(crate) fn now(&self) -> UnixTime {
        self.goes().now()
    }

    /// Everybody who asks from now on finds it so much later.
    pub(crate) fn jump(&self, length: Secs) {
        let mut goes = self.goes();
        goes.begins = goes.begins.plus(length);
        self.tell(&goes);
    }

    /// From now on it goes at this speed. A daemon keeps the speed that it was started with, so that none may run.
    pub(crate) fn go_at(&self, speed: u32) {
        let mut goes = self.goes();
        // A second is lost between the two rather than seen twice.
        goes.begins = goes.now().plus(Secs(1));
        (goes.anchor_millis, goes.speed) = (machine_millis(), speed);
        self.tell(&goes);
    }

    /// The daemon follows a file of `folder` from now on.
    pub(crate) fn follow(&mut self, folder: &Path) {
        self.file = Some(folder.join("clock"));
        self.set_off_by(Secs(0));
    }

    /// Sets the daemon's clock so much ahead, or behind, while everybody else's goes right.
    pub(crate) fn set_off_by(&self, ahead: Secs) {
        let mut goes = self.goes();
        goes.ahead = ahead;
        self.tell(&goes);
    }

    /// What `--clock` takes.
    pub(crate) fn words(&self) -> String {
        let goes = self.goes();
        if let Some(file) = &self.file {
            return format!("{}@{}", goes.speed, file.display());
        }
        format!("{}@{}@{}", goes.speed, goes.anchor_millis, goes.begins)
    }

    fn tell(&self, goes: &Goes) {
        let Some(file) = &self.file else { return };
        let part = file.with_extension("part");
        std::fs::write(&part, format!("{}@{}\n", goes.anchor_millis, goes.begins.plus(goes.ahead))).expect("written");
        std::fs::rename(&part, file).expect("renamed");
    }

    fn goes(&self) -> MutexGuard<'_, Goes> {
        // Whoever fails while holding it has failed loudly.
        self.goes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
