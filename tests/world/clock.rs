//! The time of a story: as many times as fast as the machine's, and able to jump while the daemon is not running. A
//! daemon that follows a file may have its own clock set wrong and right again while it runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use simkeeper::daemon::clock::machine_millis;
use simkeeper::domain::time::{Secs, UnixTime};

/// When every story begins: a Tuesday, the first of a month, midnight in UTC.
pub(crate) const BEGINS: &str = "2026-12-01T00:00:00Z";

/// A clock on which the sandbox and the daemon agree.
#[derive(Clone, Debug)]
pub(crate) struct StoryClock {
    speed: u32,
    anchor_millis: i64,
    jumped_secs: Arc<AtomicI64>,
    /// Where the daemon finds its time, if it is to be set while it runs.
    file: Option<PathBuf>,
}

impl StoryClock {
    pub(crate) fn starting(speed: u32) -> Self {
        Self { speed, anchor_millis: machine_millis(), jumped_secs: Arc::default(), file: None }
    }

    pub(crate) fn now(&self) -> UnixTime {
        let passed = (machine_millis() - self.anchor_millis) * i64::from(self.speed) / 1_000;
        self.zero().plus(Secs(passed))
    }

    /// Everybody who asks from now on finds it so much later.
    pub(crate) fn jump(&self, length: Secs) {
        self.jumped_secs.fetch_add(length.0, Ordering::SeqCst);
    }

    /// The daemon follows a file of `folder` from now on.
    pub(crate) fn follow(&mut self, folder: &Path) {
        self.file = Some(folder.join("clock"));
        self.set_off_by(Secs(0));
    }

    /// Sets the daemon's clock so much ahead, or behind, while everybody else's goes right.
    pub(crate) fn set_off_by(&self, ahead: Secs) {
        let file = self.file.as_ref().expect("a clock that follows a file");
        let part = file.with_extension("part");
        std::fs::write(&part, format!("{}@{}\n", self.anchor_millis, self.zero().plus(ahead))).expect("written");
        std::fs::rename(&part, file).expect("renamed");
    }

    /// What `--clock` takes.
    pub(crate) fn words(&self) -> String {
        if let Some(file) = &self.file {
            return format!("{}@{}", self.speed, file.display());
        }
        format!("{}@{}@{}", self.speed, self.anchor_millis, self.zero())
    }

    fn zero(&self) -> UnixTime {
        let begins = UnixTime::parse(BEGINS).expect("it is one");
        begins.plus(Secs(self.jumped_secs.load(Ordering::SeqCst)))
    }
}
