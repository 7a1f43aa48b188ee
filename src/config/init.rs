//! The files of somebody who begins: harmless, commented, checked by the loader like any others.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::{MACHINE_FILE, RULES_FILE};

/// The sample of `simkeeper.toml`: a sandbox account and a maildir.
pub const SAMPLE_MACHINE: &str = include_str!("samples/simkeeper.toml");
/// The sample of `rules.toml`: one card, watched only.
pub const SAMPLE_RULES: &str = include_str!("samples/rules.toml");

/// Why the samples could not be written. Nothing that was there before was changed.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// There is a file already.
    #[error("{path} is there already and stays as it is; choose another folder with --config DIR", path = .path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The system refused.
    #[error("{path} cannot be written: {why}", path = .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
}

/// Writes both samples into `dir`, which is made if need be, and names them. `simkeeper.toml` says where secrets lie and
/// is for its owner only (600); `rules.toml` is for everybody to read (644).
///
/// # Errors
/// If one of the files is there already, before anything is written, or if the system refuses.
pub fn init(dir: &Path) -> Result<Vec<PathBuf>, InitError> {
    let samples = [(MACHINE_FILE, SAMPLE_MACHINE, 0o600), (RULES_FILE, SAMPLE_RULES, 0o644)];
    let samples = samples.map(|(name, text, mode)| (dir.join(name), text, mode));
    if let Some((path, ..)) = samples.iter().find(|(path, ..)| fs::symlink_metadata(path).is_ok()) {
        return Err(InitError::Exists { path: path.clone() });
    }
    fs::create_dir_all(dir).map_err(|why| InitError::Io { path: dir.to_owned(), why })?;
    samples.iter().try_for_each(|(path, text, mode)| write_new(path, text, *mode))?;
    Ok(samples.map(|(path, ..)| path).to_vec())
}

fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), InitError> {
    let written = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|why| match why.kind() {
        ErrorKind::AlreadyExists => InitError::Exists { path: path.to_owned() },
        _ => InitError::Io { path: path.to_owned(), why },
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_samples_load_without_a_word() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("new/simkeeper");
        let written = init(&inner).unwrap();
        assert_eq!(written, [inner.join(MACHINE_FILE), inner.join(RULES_FILE)]);
        let config = super::super::load(&inner, None).unwrap();
        assert!(config.warnings.is_empty(), "{}", config.warnings);
        let modes = [0, 1].map(|at: usize| fs::metadata(&written[at]).unwrap().permissions().mode() & 0o777);
        assert_eq!(modes[0], 0o600);
        assert_eq!(modes[1] & 0o133, 0, "{:o}", modes[1]);
        for card in &config.rules.cards {
            let rule = config.rules.rule_for(&card.labels, card.rule.as_ref());
            assert!(rule.is_none_or(|rule| rule.mode == crate::domain::rule::Mode::Watch), "the sample buys nothing");
        }
    }

    #[test]
    fn nothing_is_overwritten() {
        for name in [MACHINE_FILE, RULES_FILE] {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join(name), "mine").unwrap();
            assert!(matches!(init(dir.path()), Err(InitError::Exists { .. })));
            assert_eq!(fs::read_to_string(dir.path().join(name)).unwrap(), "mine");
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else was written");
        }
    }
}
