//! A folder of files, one per mail (maildir): written to `tmp`, synced, renamed to `new`. A name is made from the
//! notice's id, so a mail that is sent again is found to be there already.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::{Delivery, NotifyError, Outgoing, wrong};

/// A maildir.
#[derive(Clone, Debug)]
pub struct Maildir {
    folder: PathBuf,
}

impl Maildir {
    pub(super) fn open(folder: PathBuf) -> Result<Self, NotifyError> {
        for part in ["tmp", "new", "cur"] {
            let path = folder.join(part);
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&path)
                .map_err(|error| wrong("folder", format!("{} cannot be made: {error}", path.display())))?;
        }
        Ok(Self { folder })
    }

    pub(super) async fn send(&self, message: &Outgoing) -> Delivery {
        let (this, id, bytes) = (self.clone(), message.id.clone(), message.bytes.clone());
        match tokio::task::spawn_blocking(move || this.store(&id, &bytes)).await {
            Ok(Ok(name)) => Delivery::Sent { remote: name },
            Ok(Err(error)) => {
                Delivery::retry(format!("the mail could not be written to {}: {error}", self.folder.display()))
            }
            Err(_) => Delivery::retry("the mail could not be written: the writing task was stopped"),
        }
    }

    /// Writes the mail, or finds it already written; returns its name.
    fn store(&self, id: &str, bytes: &[u8]) -> io::Result<String> {
        let name = format!("{}.simkeeper", file_part(id));
        if self.holds(&name)? {
            return Ok(name);
        }
        let (part, whole) = (self.folder.join("tmp").join(&name), self.folder.join("new").join(&name));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&part, &whole)?;
        synced(&self.folder.join("new"))?;
        Ok(name)
    }

    /// Whether the mail is there, read (`name:2,S`) or unread.
    fn holds(&self, name: &str) -> io::Result<bool> {
        if self.folder.join("new").join(name).try_exists()? {
            return Ok(true);
        }
        for entry in fs::read_dir(self.folder.join("cur"))? {
            let entry = entry?.file_name();
            let entry = entry.to_string_lossy();
            if entry.split(':').next() == Some(name) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// A renamed file outlives a power loss only once its folder is synced too.
fn synced(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn file_part(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).take(100).collect()
}
