//! What the benches share: a meter of time and CPU, and lines of JSON.

use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

/// What a piece of work took.
pub(crate) struct Took {
    /// By the wall.
    pub(crate) secs: f64,
    /// Of all threads of this process, in user and system mode.
    pub(crate) cpu_secs: f64,
}

impl Took {
    /// CPU of each of `count` things, in microseconds.
    pub(crate) fn cpu_us_per(&self, count: usize) -> f64 {
        self.cpu_secs * 1e6 / count as f64
    }

    /// Things in a second.
    pub(crate) fn per_s(&self, count: usize) -> f64 {
        count as f64 / self.secs
    }
}

/// A running measurement.
pub(crate) struct Meter(Instant, f64);

impl Meter {
    /// Starts.
    pub(crate) fn start() -> Self {
        Self(Instant::now(), cpu_secs())
    }

    /// What has passed since the start.
    pub(crate) fn took(&self) -> Took {
        Took { secs: self.0.elapsed().as_secs_f64(), cpu_secs: cpu_secs() - self.1 }
    }
}

fn cpu_secs() -> f64 {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}

/// A number with one decimal, so that a line can be read.
pub(crate) fn short(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// A number with three decimals, for ratios.
pub(crate) fn fine(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}
