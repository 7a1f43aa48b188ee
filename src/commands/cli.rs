//! What can be written on the command line. Each command teaches itself with an example.

mod acts;
mod operators;
mod trials;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use self::acts::*;
pub(crate) use self::operators::*;
pub(crate) use self::trials::*;

/// Keeps prepaid SIM cards and travel eSIMs alive: reads, decides, buys once, checks, tells.
#[derive(Debug, Parser)]
#[command(
    name = "simkeeper",
    version,
    max_term_width = 100,
    disable_help_subcommand = true,
    after_help = "Begin with:\n  simkeeper init && simkeeper check\n\nExit codes: 0 done · 1 failed · 2 command line · 3 files · 4 refused · 5 partly failed · 6 not found · 7 no daemon or lock"
)]
pub(crate) struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// Folder of simkeeper.toml and rules.toml; the record and the socket then lie below it
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) config: Option<PathBuf>,
    /// Folder of the record, the journal and the copies
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// Print one JSON document; errors are JSON on standard error
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print results and errors, no hints
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// No colours; NO_COLOR does the same
    #[arg(long, global = true, alias = "no-color")]
    pub(crate) no_colour: bool,
    /// A clock that runs fast, as SPEED@ANCHOR_MILLIS@BEGINS; only where every account is a sandbox
    #[arg(long, global = true, hide = true, value_name = "CLOCK")]
    pub(crate) clock: Option<String>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write two sample files; nothing is overwritten
    #[command(after_help = "Example:\n  simkeeper init ~/.config/simkeeper")]
    Init(InitArgs),
    /// Read the files as the daemon would, without network, and name every mistake
    #[command(after_help = "Example:\n  simkeeper check --config /etc/simkeeper")]
    Check,
    /// Run the daemon
    #[command(after_help = "Example:\n  simkeeper run --log debug")]
    Run(RunArgs),
    /// Show each card: what is left, how old that is, what comes next
    #[command(after_help = "Example:\n  simkeeper status tablet")]
    Status(StatusArgs),
    /// Show a card's rule, each condition with its numbers and their age, and why it holds or not
    #[command(after_help = "Example:\n  simkeeper explain tablet")]
    Explain(CardArgs),
    /// Show what would be bought in the coming days, when, for how much, by which line
    #[command(after_help = "Example:\n  simkeeper plan --days 30")]
    Plan(PlanArgs),
    /// Try a changed rules file on what was read and bought, and show the difference
    #[command(
        after_help = "Nothing is bought, and nothing is changed; a daemon may run.\n\nExample:\n  simkeeper replay new-rules.toml --from 2026-09-01"
    )]
    Replay(ReplayArgs),
    /// Show what a month has cost, what is on its way, what limits leave, and what is still to come
    #[command(after_help = "Example:\n  simkeeper spend --month 2026-12")]
    Spend(SpendArgs),
    /// Play the coming weeks in fast time, with your rules and cards, on a copy of the record
    #[command(
        after_help = "No operator is asked, no message leaves this machine, nothing is bought. Ends with 5 if a card would be\nwithout data, or an order would come to nothing.\n\nExample:\n  simkeeper rehearse --days 90 --to my-rehearsal"
    )]
    Rehearse(RehearseArgs),
    /// Add, import, find, show and retire cards
    #[command(subcommand, after_help = "Example:\n  simkeeper card import fleet.csv")]
    Card(CardCommand),
    /// List operators and accounts, try an account, show what it sells
    #[command(subcommand, after_help = "Example:\n  simkeeper operator test travel")]
    Operator(OperatorCommand),
    /// Show plan, price and balance, ask, and buy
    #[command(
        after_help = "Example:\n  simkeeper renew tablet\n  simkeeper renew tablet --yes --price \"15 USD\"   # in scripts"
    )]
    Renew(RenewArgs),
    /// Agree to a purchase, at the price that was shown
    #[command(
        after_help = "Example:\n  simkeeper approve 12\n  simkeeper approve K7QM-3XRT\n  simkeeper approve --card tablet"
    )]
    Approve(ApproveArgs),
    /// Decline a purchase
    #[command(after_help = "Example:\n  simkeeper refuse 12 --reason \"the trip is off\"")]
    Refuse(RefuseArgs),
    /// Say what became of an order that cannot be settled by evidence
    #[command(
        after_help = "Example:\n  simkeeper settle 12 not-bought --reason \"not in the operator's list of orders\""
    )]
    Settle(SettleArgs),
    /// Buy nothing for a card; reading and warnings go on
    #[command(after_help = "Example:\n  simkeeper pause tablet --until 7d")]
    Pause(PauseArgs),
    /// End a pause, a skip, or the wait after a restore
    #[command(after_help = "Example:\n  simkeeper resume tablet")]
    Resume(CardArgs),
    /// Tell nothing about a card for a while; only what is urgent is told all the same
    #[command(after_help = "Example:\n  simkeeper silence tablet --until 7d\n  simkeeper silence tablet --lift")]
    Silence(SilenceArgs),
    /// Leave out the next renewal of a card
    #[command(after_help = "Example:\n  simkeeper skip tablet --after-next   # renew once more, then pause")]
    Skip(SkipArgs),
    /// Show readings, orders and what people did
    #[command(after_help = "Example:\n  simkeeper history tablet --since 2026-12-01")]
    History(HistoryArgs),
    /// List, retry and try out messages
    #[command(subcommand, after_help = "Example:\n  simkeeper notice list")]
    Notice(NoticeCommand),
    /// Copy the record and prove that the copy is sound
    #[command(after_help = "Example:\n  simkeeper backup")]
    Backup,
    /// Put a copy in the place of the record; no daemon may run
    #[command(after_help = "Example:\n  simkeeper restore /var/lib/simkeeper/backups/simkeeper-20261201T030000Z.db")]
    Restore(RestoreArgs),
    /// Prove that the record, or a copy of it, is sound and agrees with the journal of orders
    #[command(after_help = "Example:\n  simkeeper verify\n  simkeeper verify /mnt/elsewhere/simkeeper.db")]
    Verify(VerifyArgs),
    /// Print the JSON schema of a file, for editors
    #[command(after_help = "Example:\n  simkeeper schema rules > rules.schema.json")]
    Schema(SchemaArgs),
    /// Serve the make-believe operator over HTTP, for trying things out
    #[command(after_help = "Example:\n  simkeeper sandbox --listen 127.0.0.1:7460 --cards 5")]
    Sandbox(SandboxArgs),
    /// Play a month with four cards in under a minute
    #[command(after_help = "Example:\n  simkeeper demo")]
    Demo(DemoArgs),
}

/// Arguments of `init`.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The folder; where the daemon looks, if left out
    pub(crate) dir: Option<PathBuf>,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// What to log: error, warn, info, debug, trace, or directives as in RUST_LOG
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log: Option<String>,
}

/// Arguments of `status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// One card in full
    pub(crate) card: Option<String>,
}

/// One card.
#[derive(Debug, Args)]
pub(crate) struct CardArgs {
    /// The card's name
    pub(crate) card: String,
}

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// How far ahead to look
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u16).range(1..=366))]
    pub(crate) days: u16,
    /// One card only
    #[arg(long)]
    pub(crate) card: Option<String>,
}

/// Commands about cards.
#[derive(Debug, Subcommand)]
pub(crate) enum CardCommand {
    /// Add a card
    #[command(after_help = "Example:\n  simkeeper card add tablet --operator travel --iccid 8944501312167518236")]
    Add(Box<CardAddArgs>),
    /// Add many cards: from a CSV file, none if one line is wrong; or those that an account's operator lists
    #[command(
        after_help = "With --from, cards that are known by their ICCID (with or without check digit) or their number are left\nalone, and new ones are only read until a rule fits their labels.\n\nIn a file, the first line names the columns: name, operator, iccid, msisdn, imei, eid, labels, contact, zone, notify, rule.\nOnly name and operator are needed. Several labels or persons are parted by `;`.\n\nExample:\n  simkeeper card import fleet.csv\n  simkeeper card import --from travel --label trip --dry-run"
    )]
    Import(CardImportArgs),
    /// Find cards by any part of a name, number, label, contact, or of an order or a plan that was bought
    #[command(after_help = "Example:\n  simkeeper card find 4567")]
    Find(CardFindArgs),
    /// Show all that is known about a card
    #[command(after_help = "Example:\n  simkeeper card show tablet")]
    Show(CardArgs),
    /// Stop reading and renewing a card; its history stays
    #[command(after_help = "Example:\n  simkeeper card retire tablet")]
    Retire(CardArgs),
}

/// Arguments of `card add`.
#[derive(Debug, Args)]
pub(crate) struct CardAddArgs {
    /// The card's name
    pub(crate) name: String,
    /// The account through which it is read and renewed; given again, further accounts that may sell for it, in order
    #[arg(long, required = true)]
    pub(crate) operator: Vec<String>,
    /// The number of the card
    #[arg(long)]
    pub(crate) iccid: Option<String>,
    /// Its phone number, with + and country code
    #[arg(long)]
    pub(crate) msisdn: Option<String>,
    /// The device it sits in
    #[arg(long)]
    pub(crate) imei: Option<String>,
    /// The chip it is installed on
    #[arg(long)]
    pub(crate) eid: Option<String>,
    /// A label; may be given several times
    #[arg(long = "label")]
    pub(crate) labels: Vec<String>,
    /// Who has it
    #[arg(long)]
    pub(crate) contact: Option<String>,
    /// Its time zone, such as America/Toronto
    #[arg(long)]
    pub(crate) zone: Option<String>,
    /// A person to tell; may be given several times
    #[arg(long = "notify", value_name = "PERSON")]
    pub(crate) notify: Vec<String>,
    /// The rule that decides; without one the card is only read
    #[arg(long)]
    pub(crate) rule: Option<String>,
}

/// Arguments of `card import`.
#[derive(Debug, Args)]
pub(crate) struct CardImportArgs {
    /// The CSV file; `-` reads standard input
    #[arg(required_unless_present = "from", conflicts_with = "from")]
    pub(crate) file: Option<PathBuf>,
    /// An account whose operator lists its cards
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) from: Option<String>,
    /// A label for cards that are added; may be given several times
    #[arg(long = "label", requires = "from")]
    pub(crate) labels: Vec<String>,
    /// Show what would be added, and add nothing
    #[arg(long, requires = "from")]
    pub(crate) dry_run: bool,
}

/// Arguments of `card find`.
#[derive(Debug, Args)]
pub(crate) struct CardFindArgs {
    /// Part of a name, number, label, contact, order or plan
    pub(crate) text: String,
    /// How many to show
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) limit: u32,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_hold_together_and_each_command_has_an_example() {
        fn look(command: &clap::Command) {
            for inner in command.get_subcommands() {
                let help = inner.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains("Example:\n  simkeeper "), "{}: {help}", inner.get_name());
                look(inner);
            }
        }
        Cli::command().debug_assert();
        look(&Cli::command());
    }

    #[test]
    fn yes_needs_a_price() {
        assert!(Cli::try_parse_from(["simkeeper", "renew", "a", "--yes"]).is_err());
        assert!(Cli::try_parse_from(["simkeeper", "renew", "a", "--yes", "--price", "15 USD"]).is_ok());
    }
}
