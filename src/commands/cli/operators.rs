//! Commands about operators and accounts.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Commands about operators and accounts.
#[derive(Debug, Subcommand)]
pub(crate) enum OperatorCommand {
    /// List the kinds of operators: what they can do and how an account is written
    #[command(after_help = "Example:\n  simkeeper operator kinds airalo")]
    Kinds(KindsArgs),
    /// List the configured accounts and how each fares
    #[command(after_help = "Example:\n  simkeeper operator list")]
    List,
    /// Try an account step by step, and say what to do about each failure; spends nothing
    #[command(after_help = "Example:\n  simkeeper operator test travel --card tablet")]
    Test(OperatorTestArgs),
    /// Read a profile of kind = "http" and name every mistake in it; touches no network
    #[command(after_help = "Example:\n  simkeeper operator check /etc/simkeeper/operators.d/acme.toml")]
    Check(ProfileArgs),
    /// Show the plans on sale for a card, and which one its rule would buy now
    #[command(after_help = "Example:\n  simkeeper operator catalogue travel --card tablet")]
    Catalogue(CatalogueArgs),
}

/// Arguments of `operator kinds`.
#[derive(Debug, Args)]
pub(crate) struct KindsArgs {
    /// One kind in full, with its keys
    pub(crate) kind: Option<String>,
}

/// Arguments of `operator test`.
#[derive(Debug, Args)]
pub(crate) struct OperatorTestArgs {
    /// The account's name in simkeeper.toml
    pub(crate) account: String,
    /// The card to read; the account's first one, if left out
    #[arg(long)]
    pub(crate) card: Option<String>,
}

/// Arguments of `operator check`.
#[derive(Debug, Args)]
pub(crate) struct ProfileArgs {
    /// The profile
    pub(crate) file: PathBuf,
}

/// Arguments of `operator catalogue`.
#[derive(Debug, Args)]
pub(crate) struct CatalogueArgs {
    /// The account's name in simkeeper.toml
    pub(crate) account: String,
    /// The card
    #[arg(long)]
    pub(crate) card: String,
}
