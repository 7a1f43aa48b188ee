//! The time of a story: as many times as fast as the machine's, and able to jump while the daemon is not running.

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
}

impl StoryClock {
    pub(crate) fn starting(speed: u32) -> Self {
        Self { speed, anchor_millis: machine_millis(), jumped_secs: Arc::default() }
    }

    pub(crate) fn now(&self) -> UnixTime {
        let passed = (machine_millis() - self.anchor_millis) * i64::from(self.speed) / 1_000;
        self.zero().plus(Secs(passed))
    }

    /// Everybody who asks from now on finds it so much later.
    pub(crate) fn jump(&self, length: Secs) {
        self.jumped_secs.fetch_add(length.0, Ordering::SeqCst);
    }

    /// What `--clock` takes.
    pub(crate) fn words(&self) -> String {
        format!("{}@{}@{}", self.speed, self.anchor_millis, self.zero())
    }

    fn zero(&self) -> UnixTime {
        let begins = UnixTime::parse(BEGINS).expect("it is one");
        begins.plus(Secs(self.jumped_secs.load(Ordering::SeqCst)))
    }
}
