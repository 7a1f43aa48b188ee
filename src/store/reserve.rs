//! A file of 16 MiB that holds nothing but its place: when the disk is full it is given back, so that the outcomes of
//! purchases that are under way can still be recorded. Deleting rows could not make room then.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate};

/// Its size in bytes.
const RESERVE_BYTES: u64 = 16 << 20;
/// It is taken only where this much is left, so that taking it fills no disk.
const ROOM_BYTES: u64 = 2 * RESERVE_BYTES;
/// A start with less than this is given the reserve: opening a record takes room of its own.
const SCARCE_BYTES: u64 = 4 << 20;
/// Its name in the record's folder.
const RESERVE: &str = "reserve";

/// The file.
#[derive(Clone, Debug)]
pub(super) struct Reserve(PathBuf);

impl Reserve {
    pub(super) fn beside(dir: &Path) -> Self {
        Self(dir.join(RESERVE))
    }

    /// Takes the space, if it is not taken yet.
    pub(super) fn hold(&self) -> io::Result<()> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&self.0)?;
        // Blocks are counted in 512 bytes, whatever the file system uses.
        if file.metadata()?.blocks() * 512 >= RESERVE_BYTES {
            return Ok(());
        }
        if free_bytes(&self.0)? < ROOM_BYTES {
            return Err(io::ErrorKind::StorageFull.into());
        }
        fallocate(&file, FallocateFlags::empty(), 0, RESERVE_BYTES)?;
        Ok(())
    }

    /// Gives the space back.
    pub(super) fn release(&self) -> io::Result<()> {
        OpenOptions::new().write(true).open(&self.0)?.set_len(0)
    }

    /// Gives the space back if there is next to none beside it, and says whether it did.
    pub(super) fn release_if_scarce(&self) -> io::Result<bool> {
        if !self.0.exists() || free_bytes(&self.0)? >= SCARCE_BYTES {
            return Ok(false);
        }
        self.release().map(|()| true)
    }
}

/// Space on the disk of `path` that this user may still use.
pub(super) fn free_bytes(path: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(path)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_is_held_and_given_back() {
        let dir = tempfile::tempdir().unwrap();
        let reserve = Reserve::beside(dir.path());
        reserve.hold().unwrap();
        reserve.hold().unwrap();
        let blocks = || std::fs::metadata(dir.path().join(RESERVE)).unwrap().blocks() * 512;
        assert!(blocks() >= RESERVE_BYTES);
        reserve.release().unwrap();
        assert_eq!(blocks(), 0);
    }
}
