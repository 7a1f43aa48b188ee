//! A program of the owner's: it gets the message as one JSON document (docs/webhook.md) on its standard input. Exit code
//! 0 means taken, 100 never, anything else is tried again; what it says on standard error is shown.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, Command};

use super::{Delivery, Outgoing};
use crate::notify::texts::cut;

/// The exit code that means never.
const NEVER: i32 = 100;
/// What of standard error is kept.
const SAID_BYTES_MAX: usize = 2_048;
/// How long what was said before the end is waited for; a child of the program may hold the line open.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// What a program finds in its environment beside nothing: the daemon's own holds the way to its credentials.
const ENVIRONMENT: [&str; 4] = ["PATH", "HOME", "LANG", "TZ"];

/// A program, and how it is started.
#[derive(Debug)]
pub struct ProgramSettings {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// How long one run may take.
    pub time_limit: Duration,
}

/// A program, ready to be run.
#[derive(Debug)]
pub struct Program {
    settings: ProgramSettings,
}

impl Program {
    pub(super) const fn open(settings: ProgramSettings) -> Self {
        Self { settings }
    }

    pub(super) async fn send(&self, message: &Outgoing) -> Delivery {
        let ProgramSettings { program, args, time_limit } = &self.settings;
        let name = program.display();
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.env_clear().envs(ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        let started = command.process_group(0).kill_on_drop(true).spawn();
        let mut child = match started {
            Ok(child) => child,
            Err(error) => return Delivery::retry(format!("{name} cannot be started: {error}")),
        };
        let group = child.id();
        let ended = tokio::time::timeout(*time_limit, run(&mut child, &message.bytes)).await;
        end(group);
        match ended {
            Ok(Ok((Some(0), said))) => {
                Delivery::Sent { remote: if said.is_empty() { "exit 0".to_owned() } else { said } }
            }
            Ok(Ok((Some(NEVER), said))) => Delivery::Dead { why: format!("{name} refused the message: {said}") },
            Ok(Ok((Some(code), said))) => Delivery::retry(format!("{name} ended with code {code}: {said}")),
            Ok(Ok((None, said))) => Delivery::retry(format!("{name} was ended by a signal: {said}")),
            Ok(Err(error)) => Delivery::retry(format!("{name} could not be run: {error}")),
            Err(_) => Delivery::retry(format!("{name} did not end within {} s", time_limit.as_secs())),
        }
    }
}

/// One run: its exit code, if it had one, and what it said.
async fn run(child: &mut Child, document: &[u8]) -> std::io::Result<(Option<i32>, String)> {
    let (input, errors) = (child.stdin.take(), child.stderr.take());
    let hand_over = async {
        if let Some(mut input) = input {
            // A program that does not read has closed its input; its exit code counts.
            drop(input.write_all(document).await);
            drop(input.shutdown().await);
        }
    };
    let mut said = Vec::new();
    let status = {
        let listening = listen(errors, &mut said);
        let waiting = async { tokio::join!(child.wait(), hand_over).0 };
        tokio::pin!(listening, waiting);
        tokio::select! {
            status = &mut waiting => {
                // Late words are welcome, and nothing hangs on them.
                drop(tokio::time::timeout(LAST_WORDS, listening).await);
                status?
            }
            () = &mut listening => waiting.await?,
        }
    };
    Ok((status.code(), cut(&String::from_utf8_lossy(&said), 200)))
}

/// Reads to the end, and keeps the beginning.
async fn listen(stream: Option<ChildStderr>, said: &mut Vec<u8>) {
    let Some(mut stream) = stream else { return };
    let mut part = [0; 512];
    while let Ok(count @ 1..) = stream.read(&mut part).await {
        let room = SAID_BYTES_MAX.saturating_sub(said.len());
        said.extend_from_slice(&part[..count.min(room)]);
    }
}

/// Ends whatever the program left running in its group.
fn end(group: Option<u32>) {
    let group = group.and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        // Most often nothing is left.
        let _gone = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
}
