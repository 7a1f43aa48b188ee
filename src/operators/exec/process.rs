//! One run of the program: in goes the request, out comes the answer, within its time and a limit of bytes.

use std::process::Stdio;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use super::ExecSettings;
use crate::domain::card::tamed;
use crate::domain::operator::OperatorError;
use crate::operators::kit::blotted;

/// Bytes of an answer that are read; fleets answer for many cards at once.
const ANSWER_BYTES_MAX: u64 = 8 << 20;
/// Bytes of standard error that are kept for people.
const COMPLAINT_BYTES_MAX: u64 = 2_048;
/// What a program finds in its environment beside nothing.
const ENVIRONMENT: [&str; 4] = ["PATH", "HOME", "LANG", "TZ"];

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The program was never started: certainly nothing was done.
    NotStarted {
        /// Why.
        why: String,
    },
    /// It did not answer in time, and was ended.
    TimedOut {
        /// In words.
        why: String,
    },
    /// It ended without an answer.
    Broken {
        /// In words.
        why: String,
    },
}

impl Failure {
    pub(super) fn not_started(why: impl Into<String>) -> Self {
        Self::NotStarted { why: why.into() }
    }

    /// As the failure of a call at which nothing was at stake.
    pub(super) fn into_error(self) -> OperatorError {
        match self {
            Self::NotStarted { why } | Self::TimedOut { why } | Self::Broken { why } => {
                OperatorError::Later { retry_after: None, why }
            }
        }
    }
}

/// What to do about a program that cannot be started.
fn remedy(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::NotFound => "; is the path right, and the interpreter that its first line names installed?",
        std::io::ErrorKind::PermissionDenied => "; the daemon's user must be able to run it (chmod 755)",
        _ => "",
    }
}

/// Runs the program with `request` on its standard input and answers what it wrote to its standard output.
pub(super) async fn run(settings: &ExecSettings, request: &[u8]) -> Result<Vec<u8>, Failure> {
    let ExecSettings { program, args, limit, .. } = settings;
    #[cfg(feature = "fuzzing")]
    if let Some(written) = crate::operators::scripted::output() {
        return Ok(written);
    }
    let name = program.display();
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // The daemon's environment holds the way to its credentials; the program gets what it is handed, and no more.
    command.env_clear().envs(ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    // A group of its own, so that its children end with it.
    command.process_group(0).kill_on_drop(true);
    let mut child = command
        .spawn()
        .map_err(|error| Failure::not_started(format!("{name} cannot be started: {error}{}", remedy(&error))))?;
    let group = child.id();
    let answered = tokio::time::timeout(*limit, talk(&mut child, request)).await;
    end(group);
    match answered {
        Ok(Ok(talked)) => talked.answer(settings),
        Ok(Err(error)) => Err(Failure::Broken { why: format!("{name} broke off: {error}") }),
        Err(_) => Err(Failure::TimedOut { why: format!("{name} did not answer within {} s", limit.as_secs()) }),
    }
}

/// What one run came to.
struct Talked {
    success: bool,
    answer: Vec<u8>,
    complaint: Vec<u8>,
}

impl Talked {
    fn answer(self, settings: &ExecSettings) -> Result<Vec<u8>, Failure> {
        let name = settings.program.display();
        if self.success && self.answer.len() as u64 <= ANSWER_BYTES_MAX {
            return Ok(self.answer);
        }
        // A program may well print the request that it could not work off, with the secrets in it.
        let complaint = blotted(String::from_utf8_lossy(&self.complaint).into_owned(), settings.secrets.values());
        let complaint = tamed(&complaint, 160);
        let why = match (self.success, complaint.is_empty()) {
            (true, _) => format!("{name} wrote more than {ANSWER_BYTES_MAX} bytes"),
            (false, true) => format!("{name} failed and said nothing on standard error"),
            (false, false) => format!("{name} failed: {complaint}"),
        };
        Err(Failure::Broken { why })
    }
}

async fn talk(child: &mut Child, request: &[u8]) -> std::io::Result<Talked> {
    let (input, output, complaints) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let write = async {
        if let Some(mut input) = input {
            // A program that answers without reading has closed its input; its answer counts.
            drop(input.write_all(request).await);
            drop(input.shutdown().await);
        }
    };
    let (answer, complaint, ()) =
        tokio::join!(upto(output, ANSWER_BYTES_MAX + 1), upto(complaints, COMPLAINT_BYTES_MAX), write);
    let (answer, complaint) = (answer?, complaint?);
    let status = child.wait().await?;
    Ok(Talked { success: status.success(), answer, complaint })
}

/// Reads so many bytes, and lets the rest go by.
async fn upto(stream: Option<impl AsyncRead + Unpin>, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut stream) = stream {
        (&mut stream).take(most).read_to_end(&mut bytes).await?;
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
    }
    Ok(bytes)
}

/// Ends whatever is left of the program and its children.
fn end(group: Option<u32>) {
    let group = group.and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        // Gone already is as good.
        let _gone = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
}
