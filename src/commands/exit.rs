//! How commands end: one table of codes, as in the manual, and errors that know theirs.

use std::fmt;
use std::process::ExitCode;

use crate::config::{Problems, SecretError};
use crate::daemon::open::accounts::ProfileTrouble;
use crate::daemon::request::Refusal;
use crate::store::StoreError;

/// The codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done; for reading commands also when there is nothing to do.
    Done = 0,
    /// Failed in a way that was not foreseen.
    Failed = 1,
    /// The command line is wrong.
    CommandLine = 2,
    /// The files are wrong, or a secret cannot be read.
    Configuration = 3,
    /// Refused by a limit, a gate or a state.
    Refused = 4,
    /// Some of several things went wrong, or the result is not known yet.
    Partly = 5,
    /// There is no such card, order or message.
    NotFound = 6,
    /// The daemon cannot be reached, or another one holds the lock.
    Daemon = 7,
}

impl Exit {
    /// The word in JSON errors.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::CommandLine => "command_line",
            Self::Configuration => "configuration",
            Self::Refused => "refused",
            Self::Partly => "partly_failed",
            Self::NotFound => "not_found",
            Self::Daemon => "daemon",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error that ends a command with a code of its own.
#[derive(Debug)]
pub(crate) struct Stop {
    /// The code.
    pub(crate) exit: Exit,
    /// What is wrong and what would be right.
    pub(crate) message: String,
}

impl Stop {
    /// An error with a code.
    pub(crate) fn with(exit: Exit, message: impl Into<String>) -> anyhow::Error {
        anyhow::Error::new(Self { exit, message: message.into() })
    }

    /// There is no such thing.
    pub(crate) fn not_found(message: impl Into<String>) -> anyhow::Error {
        Self::with(Exit::NotFound, message)
    }

    /// The command line is wrong in a way that only shows later.
    pub(crate) fn command_line(message: impl Into<String>) -> anyhow::Error {
        Self::with(Exit::CommandLine, message)
    }

    /// What the daemon refused.
    pub(crate) fn refused(why: Refusal, said: String) -> anyhow::Error {
        let exit = match why {
            Refusal::NotFound => Exit::NotFound,
            Refusal::Wrong => Exit::CommandLine,
            Refusal::NotNow => Exit::Refused,
            Refusal::Failed => Exit::Failed,
        };
        Self::with(exit, said)
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Stop {}

/// The code that an error ends with.
pub(crate) fn of(error: &anyhow::Error) -> Exit {
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return stop.exit;
    }
    if error.chain().any(|cause| cause.is::<Problems>() || cause.is::<SecretError>() || cause.is::<ProfileTrouble>()) {
        return Exit::Configuration;
    }
    match error.downcast_ref::<StoreError>() {
        Some(StoreError::Locked { .. }) => Exit::Daemon,
        Some(StoreError::NoDatabase { .. }) => Exit::NotFound,
        Some(_) | None => Exit::Failed,
    }
}
