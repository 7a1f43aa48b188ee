//! What can be written about schemas, the sandbox, the demo, and rules that are tried before they are used.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Arguments of `schema`.
#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// Which file
    pub(crate) file: SchemaArg,
}

/// A file that has a schema.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SchemaArg {
    /// simkeeper.toml
    Machine,
    /// rules.toml
    Rules,
}

/// Arguments of `sandbox`.
#[derive(Debug, Args)]
pub(crate) struct SandboxArgs {
    /// Where to listen; port 0 takes any free one
    #[arg(long, default_value = "127.0.0.1:7460")]
    pub(crate) listen: SocketAddr,
    /// Cards that exist from the start
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub(crate) cards: u32,
    /// What it does with a repeated order
    #[arg(long, value_enum, default_value_t = ClassArg::KeyHonoured)]
    pub(crate) class: ClassArg,
    /// What becomes of a plan that is bought while another still runs
    #[arg(long, value_enum, default_value_t = StackingArg::Queues)]
    pub(crate) stacking: StackingArg,
    /// The same seed makes the same cards
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// The key that clients must show
    #[arg(long)]
    pub(crate) key: Option<String>,
    /// What the wallet holds at the start
    #[arg(long, default_value = "100 USD")]
    pub(crate) wallet: String,
}

/// Arguments of `replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The changed rules file
    pub(crate) rules: PathBuf,
    /// From this day on
    #[arg(long, value_name = "DATE")]
    pub(crate) from: String,
    /// Until the beginning of this day; until now, if left out
    #[arg(long, value_name = "DATE")]
    pub(crate) to: Option<String>,
}

/// Arguments of `rehearse`.
#[derive(Debug, Args)]
pub(crate) struct RehearseArgs {
    /// How many days to play
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=366))]
    pub(crate) days: u16,
    /// A changed rules file in place of the present one
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Option<PathBuf>,
    /// How long a day takes to play at least, in milliseconds
    #[arg(long, default_value_t = 0, value_name = "MILLIS", value_parser = clap::value_parser!(u32).range(0..=60_000))]
    pub(crate) day_millis: u32,
    /// A new folder in which picture, messages and the rehearsal's own record are left
    #[arg(long, value_name = "DIR")]
    pub(crate) to: Option<PathBuf>,
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// How long a day takes to watch, in milliseconds
    #[arg(long, default_value_t = 800, value_name = "MILLIS", value_parser = clap::value_parser!(u32).range(0..=60_000))]
    pub(crate) day_millis: u32,
    /// Where everything is kept; a new folder below the system's temporary one, if left out
    #[arg(long, value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
}

/// What an operator does with a repeated order.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ClassArg {
    /// The first result comes back
    KeyHonoured,
    /// It is charged again; orders can be looked up
    LookupOnly,
    /// It is charged again, and nothing can be looked up
    Neither,
}

/// What becomes of a plan that is bought while another still runs.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum StackingArg {
    /// It waits until the one before ends
    Queues,
    /// Its data and its time are added to what is left
    Extends,
    /// It begins at once, beside the one before
    Beside,
}
