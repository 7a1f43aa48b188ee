//! Named points at which a test may end the process as kill -9 or power loss would, or the daemon within a process as a
//! kill would end it. They lie in this room since the lowest of them do; the rounds have theirs by the same names.
//! Without the feature `crash-points` nothing of this is in the program.

#[cfg(feature = "crash-points")]
pub use self::hooks::{Hook, hook, install};

/// Ends the process or the daemon here if the test says so: by SIGKILL for `POINT:VISIT`, by a defect of its own for
/// `panic@POINT:VISIT`. By `stop@POINT:VISIT` it falls asleep here as a machine does whose lid is closed.
#[cfg(feature = "crash-points")]
pub(crate) fn point(name: &'static str) {
    use std::sync::atomic::{AtomicU32, Ordering};

    static VISITS: AtomicU32 = AtomicU32::new(0);
    hooks::visit(name);
    let Ok(wanted) = std::env::var("SIMKEEPER_CRASH_AT") else { return };
    let (how, wanted) = wanted.split_once('@').unwrap_or(("kill", wanted.as_str()));
    let (wanted_name, visit) = wanted.split_once(':').unwrap_or((wanted, "1"));
    if wanted_name != name {
        return;
    }
    let visits = VISITS.fetch_add(1, Ordering::SeqCst) + 1;
    if visit.parse() == Ok(visits) {
        match how {
            "panic" => defect(),
            "stop" => {
                signal(rustix::process::Signal::STOP);
                // It may reach another thread first; meanwhile this one goes no further.
                std::thread::sleep(std::time::Duration::from_millis(200));
            }
            _ => {
                // SIGKILL cannot be caught, so nothing is flushed or finished: the same as kill -9 from outside.
                signal(rustix::process::Signal::KILL);
                loop {
                    std::thread::park();
                }
            }
        }
    }
}

#[cfg(feature = "crash-points")]
fn signal(signal: rustix::process::Signal) {
    let _sent = rustix::process::kill_process(rustix::process::getpid(), signal);
}

/// A panic as a defect would cause one; it may quote what must not be told.
#[cfg(feature = "crash-points")]
#[expect(clippy::panic, reason = "a test asked for a defect")]
fn defect() -> ! {
    std::panic::panic_any(std::env::var("SIMKEEPER_PANIC_SAYS").unwrap_or_else(|_| "a test wants a defect".into()))
}

/// Nothing, in a release.
#[cfg(not(feature = "crash-points"))]
#[inline]
pub(crate) const fn point(_name: &'static str) {}

/// The points, in the order in which a renewal passes them.
pub const POINTS: [&str; 16] = [
    "planned",
    "before_intent",
    "in_intent",
    "after_intent",
    "in_journal",
    "after_journal",
    "after_post",
    "in_outcome",
    "after_outcome",
    "after_reading",
    "before_done",
    "after_done",
    "in_claim",
    "after_claim",
    "after_send",
    "after_settled",
];

/// Points that lie beside the way of a renewal: a start, a new or older schema, a copy, a restored copy.
pub const POINTS_BESIDE: [&str; 6] =
    ["in_take_up", "before_migration", "after_migration", "in_backup", "in_restore", "after_set_aside"];

/// A daemon that ends within its process: its points are visited by its own threads, and each of them carries the hook.
#[cfg(feature = "crash-points")]
mod hooks {
    use std::cell::RefCell;
    use std::sync::Arc;

    /// Told of every point that is passed. To end the daemon there it unwinds, as by [`std::panic::resume_unwind`].
    pub type Hook = Arc<dyn Fn(&'static str) + Send + Sync>;

    thread_local! {
        static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
    }

    /// Sets the hook of this thread. Threads that a store starts have the one of the thread that opened it; a runtime's
    /// threads get theirs from who builds it.
    pub fn install(hook: Option<Hook>) {
        HOOK.set(hook);
    }

    /// The hook of this thread.
    #[must_use]
    pub fn hook() -> Option<Hook> {
        HOOK.with_borrow(Clone::clone)
    }

    pub(super) fn visit(name: &'static str) {
        // Cloned, so that the hook may unwind or install another.
        if let Some(hook) = hook() {
            hook(name);
        }
    }
}

/// Runs a new thread's work under the hook of the thread that starts it.
#[cfg(feature = "crash-points")]
pub(super) fn carried(work: impl FnOnce() + Send + 'static) -> impl FnOnce() + Send + 'static {
    let hook = hook();
    move || {
        install(hook);
        work();
    }
}

/// The work as it is, in a release.
#[cfg(not(feature = "crash-points"))]
pub(super) const fn carried<W: FnOnce() + Send + 'static>(work: W) -> W {
    work
}
