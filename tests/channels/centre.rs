//! An SMS centre that is made of Net::SMPP, a library that nobody here wrote.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use crate::parts::{Running, free_port, listening, program, wait_for};

/// The centre, and what it says of what it was handed.
pub(crate) struct Centre {
    _running: Running,
    folder: tempfile::TempDir,
    pub(crate) port: u16,
}

impl Centre {
    pub(crate) fn start() -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/smpp.pl");
        let mut command = Command::new(program("perl"));
        command.arg(script).arg(port.to_string()).stdout(File::create(folder.path().join("said")).unwrap());
        let running = Running::start(&mut command);
        listening(port);
        Self { _running: running, folder, port }
    }

    /// All that it has said.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("said")).unwrap()
    }

    /// The line that holds these words, once there is one.
    pub(crate) fn says(&self, wanted: &str) -> String {
        wait_for(wanted, || self.said().lines().find(|line| line.contains(wanted)).map(str::to_owned))
    }
}
