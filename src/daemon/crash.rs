//! Named points at which a test may end the process as kill -9 or power loss would. Without the feature `crash-points`
//! nothing of this is in the program.

/// Ends the process here if the test says so.
#[cfg(feature = "crash-points")]
pub(crate) fn point(name: &str) {
    use std::sync::atomic::{AtomicU32, Ordering};

    static VISITS: AtomicU32 = AtomicU32::new(0);
    let Ok(wanted) = std::env::var("SIMKEEPER_CRASH_AT") else { return };
    let (wanted_name, visit) = wanted.split_once(':').unwrap_or((&wanted, "1"));
    if wanted_name != name {
        return;
    }
    let visits = VISITS.fetch_add(1, Ordering::SeqCst) + 1;
    if visit.parse() == Ok(visits) {
        // SIGKILL cannot be caught, so nothing is flushed or finished: the same as kill -9 from outside.
        let _sent = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        loop {
            std::thread::park();
        }
    }
}

/// Nothing, in a release.
#[cfg(not(feature = "crash-points"))]
#[inline]
pub(crate) const fn point(_name: &str) {}

/// The points, in the order in which a renewal passes them.
pub const POINTS: [&str; 12] = [
    "planned",
    "before_intent",
    "after_intent",
    "after_journal",
    "after_post",
    "after_outcome",
    "after_reading",
    "before_done",
    "after_done",
    "after_claim",
    "after_send",
    "after_settled",
];
