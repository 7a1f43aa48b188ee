//! Notices that a file was saved, whether an editor rewrote it or put another in its place. Where the system cannot
//! tell, the keeping round looks once a minute all the same.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::io::Errno;

use super::bells::{Bells, Round};
use crate::config::PROFILES;

/// Editors and tools save both files one after the other; this long after the last save they are looked at.
const SETTLES: Duration = Duration::from_millis(300);
/// The thread waits in one call; it needs next to no stack.
const STACK_BYTES: usize = 64 << 10;

/// Rings for the keeping round whenever something in `folder` was saved. The thread waits in the kernel and ends with
/// the process.
pub(super) fn start(folder: PathBuf, bells: Arc<Bells>) {
    let thread = std::thread::Builder::new().name("saved-files".into()).stack_size(STACK_BYTES);
    let started = thread.spawn(move || {
        if let Err(error) = saves(&folder, &bells) {
            tracing::debug!(%error, "saved files are noticed once a minute only");
        }
    });
    if let Err(error) = started {
        tracing::debug!(%error, "saved files are noticed once a minute only");
    }
}

/// What was written is complete when it is closed or moved to its place.
fn saves(folder: &Path, bells: &Bells) -> Result<(), Errno> {
    let fd = inotify::init(CreateFlags::CLOEXEC)?;
    let saved = WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO;
    inotify::add_watch(&fd, folder, saved)?;
    // Few have profiles; a folder that comes later is noticed by the keeping round.
    let _profiles = inotify::add_watch(&fd, folder.join(PROFILES), saved);
    let mut events = [0_u8; 4_096];
    loop {
        match rustix::io::read(&fd, &mut events) {
            Ok(_) => {
                std::thread::sleep(SETTLES);
                bells.ring(Round::Keep);
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}
