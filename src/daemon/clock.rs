//! The one place that asks the machine for the time, and the clocks that run fast where only the sandbox is at stake.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, bail};

use crate::domain::time::{Secs, UnixTime};

/// When this version was made; a wall clock before it is wrong (G2).
pub const BUILT_AT: UnixTime = UnixTime::clamped(1_793_491_200);

/// What tells the time.
#[derive(Debug)]
pub enum Clock {
    /// The machine's wall clock.
    System,
    /// Runs `speed` times as fast as the machine's, from an instant on which several processes agree.
    Scaled {
        /// The machine's time, in milliseconds since the epoch, at which the story begins.
        anchor_millis: i64,
        /// The story's time then.
        begins: UnixTime,
        /// How many times as fast.
        speed: u32,
    },
    /// As the one before, with anchor and beginning in a file that may be replaced at any time: for worlds in which a
    /// running daemon's clock is set wrong and right again.
    Followed {
        /// How many times as fast.
        speed: u32,
        /// Holds `ANCHOR_MILLIS@BEGINS`.
        file: PathBuf,
    },
    /// Stands still while there is work, and steps to the next due instant when there is none.
    Stepped {
        /// The story's time, in seconds.
        now_secs: AtomicI64,
        /// How long a day of the story takes to watch.
        day_takes: Duration,
    },
    /// Says what it was told last, and may be set forth and back: for worlds in which the machine's clock is at fault.
    Told {
        /// The time, in seconds.
        now_secs: AtomicI64,
    },
}

impl Clock {
    /// A clock that steps from due instant to due instant.
    #[must_use]
    pub fn stepped(begins: UnixTime, day_takes: Duration) -> Self {
        Self::Stepped { now_secs: AtomicI64::new(begins.secs()), day_takes }
    }

    /// A clock that is told its time.
    #[must_use]
    pub const fn told(now: UnixTime) -> Self {
        Self::Told { now_secs: AtomicI64::new(now.secs()) }
    }

    /// Sets a clock that is told its time, also back; others go by themselves.
    pub fn tell(&self, now: UnixTime) {
        match self {
            Self::Told { now_secs } => now_secs.store(now.secs(), Ordering::SeqCst),
            Self::System | Self::Scaled { .. } | Self::Followed { .. } | Self::Stepped { .. } => {}
        }
    }

    /// Reads what `--clock` takes: `SPEED@ANCHOR_MILLIS@BEGINS`, such as `600@1793491200000@2026-12-01T00:00:00Z`, or
    /// `SPEED@FILE` with a whole path, where the file holds the rest.
    ///
    /// # Errors
    /// Says what would be right.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        if let Some((speed, file)) = text.split_once('@').filter(|(_, file)| file.starts_with('/')) {
            return Ok(Self::Followed { speed: speed_of(speed)?, file: file.into() });
        }
        let mut parts = text.splitn(3, '@');
        let (Some(speed), Some(anchor), Some(begins)) = (parts.next(), parts.next(), parts.next()) else {
            bail!(
                "`{text}` is not a clock; write SPEED@ANCHOR_MILLIS@BEGINS, such as 600@1793491200000@2026-12-01T00:00:00Z"
            );
        };
        let (anchor_millis, begins) = anchored(anchor, begins)?;
        Ok(Self::Scaled { anchor_millis, begins, speed: speed_of(speed)? })
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> UnixTime {
        match self {
            Self::System => UnixTime::clamped(machine_millis() / 1_000),
            Self::Scaled { anchor_millis, begins, speed } => scaled(*anchor_millis, *begins, *speed),
            // One that cannot be read is as wrong as a machine that has never been told the time (G2).
            Self::Followed { speed, file } => told_by(file)
                .map_or(UnixTime::clamped(0), |(anchor_millis, begins)| scaled(anchor_millis, begins, *speed)),
            Self::Stepped { now_secs, .. } | Self::Told { now_secs } => {
                UnixTime::clamped(now_secs.load(Ordering::SeqCst))
            }
        }
    }

    /// How long a sleep until `until` takes on the machine's clock.
    #[must_use]
    pub fn machine_wait(&self, until: UnixTime) -> Duration {
        let left = until.since(self.now()).0.max(0).unsigned_abs();
        match self {
            Self::System => Duration::from_secs(left),
            Self::Scaled { speed, .. } | Self::Followed { speed, .. } => {
                Duration::from_millis(left.saturating_mul(1_000) / u64::from(*speed))
            }
            Self::Stepped { day_takes, .. } => day_takes.mul_f64(left as f64 / 86_400.0),
            // It goes no further by waiting.
            Self::Told { .. } => Duration::ZERO,
        }
    }

    /// What passes on this clock while the machine takes `machine` for something.
    #[must_use]
    pub const fn passes_in(&self, machine: Secs) -> Secs {
        match self {
            Self::Scaled { speed, .. } | Self::Followed { speed, .. } => Secs(machine.0.saturating_mul(*speed as i64)),
            Self::System | Self::Stepped { .. } | Self::Told { .. } => machine,
        }
    }

    /// Whether this clock may run a daemon that spends real money.
    #[must_use]
    pub const fn is_real(&self) -> bool {
        matches!(self, Self::System)
    }

    /// Steps a stepped clock to `to`, if that is later; others move by themselves.
    pub(crate) fn step_to(&self, to: UnixTime) {
        match self {
            Self::Stepped { now_secs, .. } => {
                now_secs.fetch_max(to.secs(), Ordering::SeqCst);
            }
            Self::System | Self::Scaled { .. } | Self::Followed { .. } | Self::Told { .. } => {}
        }
    }
}

fn speed_of(text: &str) -> anyhow::Result<u32> {
    let speed = text.parse().with_context(|| format!("`{text}` is not a whole number"))?;
    if speed == 0 {
        bail!("a clock that runs 0 times as fast stands still; write 1 or more");
    }
    Ok(speed)
}

fn anchored(anchor: &str, begins: &str) -> anyhow::Result<(i64, UnixTime)> {
    let anchor_millis = anchor.parse().with_context(|| format!("`{anchor}` is not a number of milliseconds"))?;
    Ok((anchor_millis, UnixTime::parse(begins).map_err(anyhow::Error::msg)?))
}

fn told_by(file: &std::path::Path) -> Option<(i64, UnixTime)> {
    let text = std::fs::read_to_string(file).ok()?;
    let (anchor, begins) = text.trim_end().split_once('@')?;
    anchored(anchor, begins).ok()
}

fn scaled(anchor_millis: i64, begins: UnixTime, speed: u32) -> UnixTime {
    let passed = machine_millis().saturating_sub(anchor_millis).saturating_mul(i64::from(speed));
    begins.plus(Secs(passed / 1_000))
}

/// How long something took on the machine's clock, for the log and for ages that must not jump.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Milliseconds since the start.
    #[must_use]
    pub fn millis(self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// 128 bits of chance for the key of an order.
#[must_use]
pub fn chance() -> u128 {
    // A version 4 UUID has six fixed bits; two of them, one turned, cover each other's.
    uuid::Uuid::new_v4().as_u128() ^ uuid::Uuid::new_v4().as_u128().rotate_left(61)
}

/// A word of chance for ids of messages.
#[must_use]
pub fn chance_text() -> String {
    format!("{:032x}", chance())
}

/// Microseconds of a clock that never jumps, as systemd wants them with a reload.
#[must_use]
pub fn monotonic_micros() -> i64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    time.tv_sec.saturating_mul(1_000_000).saturating_add(time.tv_nsec / 1_000)
}

/// The machine's wall clock in milliseconds since the epoch.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one place that asks")]
pub fn machine_millis() -> i64 {
    match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        // A clock before 1970 counts as the epoch itself: it is not trusted anyway (G2).
        Err(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scaled_clock_agrees_with_another_of_the_same_words() {
        let words = format!("3600@{}@2026-12-01T00:00:00Z", machine_millis() - 2_000);
        let (one, other) = (Clock::parse(&words).unwrap(), Clock::parse(&words).unwrap());
        let begins = UnixTime::parse("2026-12-01T02:00:00Z").unwrap();
        assert!(one.now() >= begins && other.now() >= begins);
        assert!(other.now().since(one.now()) < Secs::HOUR);
        assert!(!one.is_real());
        for bad in ["", "0@1@2026-12-01T00:00:00Z", "x@1@2026-12-01T00:00:00Z", "1@y@2026-12-01T00:00:00Z", "1@2@today"]
        {
            assert!(Clock::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_stepped_clock_never_goes_back() {
        let clock = Clock::stepped(UnixTime::clamped(1_000), Duration::ZERO);
        clock.step_to(UnixTime::clamped(2_000));
        clock.step_to(UnixTime::clamped(1_500));
        assert_eq!(clock.now(), UnixTime::clamped(2_000));
        assert_eq!(clock.machine_wait(UnixTime::MAX), Duration::ZERO);
    }

    #[test]
    fn a_followed_clock_jumps_when_its_file_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("clock");
        let clock = Clock::parse(&format!("60@{}", file.display())).unwrap();
        assert_eq!(clock.now(), UnixTime::clamped(0), "nobody has told it the time");
        for begins in ["2026-12-21T00:00:00Z", "1970-01-02T00:00:00Z", "2038-01-20T00:00:00Z"] {
            std::fs::write(&file, format!("{}@{begins}\n", machine_millis())).unwrap();
            let since = clock.now().since(UnixTime::parse(begins).unwrap());
            assert!((0..3_600).contains(&since.0), "{begins}: {since:?}");
        }
        assert!(!clock.is_real());
        assert!(Clock::parse("0@/x").is_err());
    }

    #[test]
    fn a_told_clock_goes_both_ways() {
        let clock = Clock::told(UnixTime::clamped(2_000));
        clock.tell(UnixTime::clamped(1_000));
        assert_eq!(clock.now(), UnixTime::clamped(1_000));
        clock.step_to(UnixTime::clamped(3_000));
        assert_eq!(clock.now(), UnixTime::clamped(1_000));
        clock.tell(UnixTime::MAX);
        assert_eq!((clock.now(), clock.machine_wait(UnixTime::MAX)), (UnixTime::MAX, Duration::ZERO));
        assert!(!clock.is_real());
    }

    #[test]
    fn keys_differ() {
        assert_ne!(chance(), chance());
    }
}
