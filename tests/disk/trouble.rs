//! A disk that fails on demand: `trouble.c`, built here and loaded before the daemon, its rules, and its log of what the
//! daemon asked of the disk and of the network, in the order in which it happened.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::world::World;

/// The library, built once for this test program.
fn library() -> &'static Path {
    static BUILT: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_folder, library) = BUILT.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let library = folder.path().join("trouble.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/disk/trouble.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o"]).arg(&library).arg(source);
        let built = compiler.args(["-ldl", "-lpthread"]).output().expect("a C compiler (tests/packages.txt)");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        (folder, library)
    });
    library
}

/// What is wrong with the disk of one world.
pub(crate) struct Trouble {
    rules: PathBuf,
    log: PathBuf,
}

/// One call, as it was made.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) call: String,
    pub(crate) path: String,
    /// The errno, or 0.
    pub(crate) error: i32,
    pub(crate) data: Vec<u8>,
}

impl Asked {
    pub(crate) fn is_sync_of(&self, path: &str) -> bool {
        self.error == 0 && self.call.ends_with("sync") && self.path.ends_with(path)
    }

    /// Whether `word` was among the bytes that were written or sent.
    pub(crate) fn holds(&self, word: &str) -> bool {
        self.data.windows(word.len()).any(|bytes| bytes == word.as_bytes())
    }
}

impl Trouble {
    /// Puts the library in front of the daemons of a world that start from now on.
    pub(crate) fn of(world: &mut World) -> Self {
        Self::with(world, vec![])
    }

    /// As [`of`](Self::of), with more in the environment.
    pub(crate) fn with(world: &mut World, mut environment: Vec<(&'static str, OsString)>) -> Self {
        let trouble = Self { rules: world.folder().join("trouble.rules"), log: world.folder().join("trouble.log") };
        trouble.ends();
        environment.extend([
            ("LD_PRELOAD", library().into()),
            ("TROUBLE_RULES", trouble.rules.clone().into()),
            ("TROUBLE_LOG", trouble.log.clone().into()),
        ]);
        world.environment(environment);
        trouble
    }

    /// From now on these calls fail: `CALL PATH ERRNO FIRST TIMES`, as `trouble.c` says.
    pub(crate) fn begins(&self, rules: &[&str]) {
        let part = self.rules.with_extension("part");
        std::fs::write(&part, rules.join("\n") + "\n").expect("written");
        std::fs::rename(part, &self.rules).expect("renamed");
    }

    /// From now on nothing fails.
    pub(crate) fn ends(&self) {
        self.begins(&[]);
    }

    /// Everything that was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        let bytes = std::fs::read(&self.log).unwrap_or_default();
        let mut rest = bytes.as_slice();
        let mut asked = Vec::new();
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let head = String::from_utf8_lossy(&rest[..end]).into_owned();
            let words: Vec<&str> = head.splitn(4, ' ').collect();
            let [length, error, call, path] = words[..] else { panic!("a line of the log: {head}") };
            let length: usize = length.parse().expect("a length");
            let data = &rest[end + 1..];
            if data.len() <= length {
                // The last one is being written.
                break;
            }
            let error = error.parse().expect("an errno");
            asked.push(Asked { call: call.to_owned(), path: path.to_owned(), error, data: data[..length].to_vec() });
            rest = &data[length + 1..];
        }
        asked
    }
}
