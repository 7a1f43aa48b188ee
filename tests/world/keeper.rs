//! The daemon as a process of its own: started, signalled, killed, and asked over its socket.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::{PATIENCE, wait_for};

/// The real program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_simkeeper");

/// Names a program that is to be run in place of [`PROGRAM`].
const OTHER_PROGRAM: &str = "SIMKEEPER_PROGRAM";

/// Whether the environment names a program of its own: a release, for a long run.
pub(crate) fn is_another_program() -> bool {
    std::env::var_os(OTHER_PROGRAM).is_some()
}

/// A command of the program with nothing of this process's environment but the path.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os(OTHER_PROGRAM).unwrap_or_else(|| PROGRAM.into()));
    command.args(arguments).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").stdin(Stdio::null());
    command
}

/// A running daemon; it is killed when this is dropped.
pub(crate) struct Keeper {
    child: Child,
}

impl Keeper {
    /// Starts it, with the machine's clock if `clock` is empty; what it says is added to `log`.
    pub(crate) fn start(folder: &Path, clock: &str, environment: &[(&str, OsString)]) -> Self {
        let log = OpenOptions::new().create(true).append(true).open(log_of(folder)).expect("the log");
        let mut command = program(&["run", "--log", "info"]);
        if !clock.is_empty() {
            command.args(["--clock", clock]);
        }
        command.arg("--config").arg(folder).arg("--state").arg(state_of(folder));
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        command.stdout(log.try_clone().expect("the log")).stderr(log);
        Self { child: command.spawn().expect("the program") }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        // It may have ended by itself.
        let _sent = kill_process(pid, signal);
    }

    /// Waits until it is stopped, by whomever.
    pub(crate) fn until_asleep(&self) {
        wait_for("the daemon to fall asleep", || self.is_asleep().then_some(()));
    }

    /// Whether it is stopped.
    pub(crate) fn is_asleep(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('T'))
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it is still there.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("its state").is_none()
    }

    /// Waits until it ends.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        wait_for("the daemon to end", || self.child.try_wait().expect("its state"))
    }

    /// Stops it in good order.
    pub(crate) fn stop(mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended()
    }

    /// kill -9.
    pub(crate) fn kill(mut self) -> ExitStatus {
        self.signal(Signal::KILL);
        self.ended()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        let _ended = self.child.wait();
    }
}

pub(crate) fn state_of(folder: &Path) -> PathBuf {
    folder.join("state")
}

pub(crate) fn socket_of(folder: &Path) -> PathBuf {
    state_of(folder).join("control.sock")
}

pub(crate) fn log_of(folder: &Path) -> PathBuf {
    folder.join("log")
}

/// What a daemon said, so far.
pub(crate) fn log(folder: &Path) -> String {
    let mut text = String::new();
    if let Ok(mut file) = File::open(log_of(folder)) {
        // What is not text is not looked for either.
        let _read = file.read_to_string(&mut text);
    }
    text
}

/// Whether a daemon answers on the socket.
pub(crate) fn is_ready(folder: &Path) -> bool {
    UnixStream::connect(socket_of(folder)).is_ok()
}

/// Asks for a copy of the record, and does not wait for it; the question stands as long as the answer is kept.
pub(crate) fn ask_for_copy(folder: &Path) -> Option<UnixStream> {
    let mut socket = UnixStream::connect(socket_of(folder)).ok()?;
    socket.write_all(question(&json!({ "do": "backup" })).as_bytes()).ok()?;
    Some(socket)
}

/// Asks the daemon for something, as the commands do.
pub(crate) fn ask(folder: &Path, request: &Value) -> Value {
    let mut socket = UnixStream::connect(socket_of(folder)).expect("the daemon listens");
    socket.set_read_timeout(Some(PATIENCE)).expect("a limit");
    socket.write_all(question(request).as_bytes()).expect("sent");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("an answer");
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

fn question(request: &Value) -> String {
    let body = json!({ "by": "anna", "request": request }).to_string();
    format!(
        "POST /v1/do HTTP/1.1\r\nHost: keeper\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
