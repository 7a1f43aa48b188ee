//! What can be written about purchases, pauses, history, copies and messages.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::domain::notice::{Language, NoticeKind};

/// Arguments of `renew`.
#[derive(Debug, Args)]
pub(crate) struct RenewArgs {
    /// The card's name
    pub(crate) card: String,
    /// Do not ask; the price must be given
    #[arg(long, requires = "price")]
    pub(crate) yes: bool,
    /// The price that was previewed, such as "15 USD"; nothing is bought at another
    #[arg(long)]
    pub(crate) price: Option<String>,
    /// The id of the plan that was previewed; nothing is bought if it is another
    #[arg(long, value_name = "ID")]
    pub(crate) plan: Option<String>,
}

/// Which purchase is decided about.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct WhichPurchase {
    /// The attempt's number, or the code that you were sent
    #[arg(value_name = "NUMBER|CODE")]
    pub(crate) which: Option<String>,
    /// The card that waits for an answer
    #[arg(long, value_name = "NAME")]
    pub(crate) card: Option<String>,
}

/// Arguments of `approve`.
#[derive(Debug, Args)]
pub(crate) struct ApproveArgs {
    #[command(flatten)]
    pub(crate) purchase: WhichPurchase,
}

/// Arguments of `refuse`.
#[derive(Debug, Args)]
pub(crate) struct RefuseArgs {
    #[command(flatten)]
    pub(crate) purchase: WhichPurchase,
    /// Why, in your words; it is kept
    #[arg(long, default_value = "no reason given")]
    pub(crate) reason: String,
}

/// Arguments of `settle`.
#[derive(Debug, Args)]
pub(crate) struct SettleArgs {
    /// The attempt's number
    pub(crate) id: i64,
    /// What became of the order
    pub(crate) outcome: OutcomeArg,
    /// How you know, in your words; it is kept
    #[arg(long)]
    pub(crate) reason: String,
}

/// What became of an order.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum OutcomeArg {
    /// It is there: the money counts, the card is watched for the effect
    Bought,
    /// It is certainly not there: the money is free again, the rules go on
    NotBought,
    /// Leave it be, without saying what became of it
    Abandon,
}

/// Arguments of `pause`.
#[derive(Debug, Args)]
pub(crate) struct PauseArgs {
    /// The card's name
    pub(crate) card: String,
    /// Until when: a length such as 7d, a day such as 2026-12-24 (its beginning in the card's zone), or 2026-12-24T18:00:00Z
    #[arg(long)]
    pub(crate) until: Option<String>,
}

/// Arguments of `silence`.
#[derive(Debug, Args)]
pub(crate) struct SilenceArgs {
    /// The card's name
    pub(crate) card: String,
    /// Until when: a length such as 7d, a day such as 2026-12-24 (its beginning in the card's zone), or 2026-12-24T18:00:00Z
    #[arg(long, required_unless_present = "lift")]
    pub(crate) until: Option<String>,
    /// Hold back what is urgent, too
    #[arg(long)]
    pub(crate) all: bool,
    /// End the silence; what waited is told now
    #[arg(long, conflicts_with_all = ["until", "all"])]
    pub(crate) lift: bool,
}

/// Arguments of `skip`.
#[derive(Debug, Args)]
pub(crate) struct SkipArgs {
    /// The card's name
    pub(crate) card: String,
    /// Renew once more, then pause
    #[arg(long)]
    pub(crate) after_next: bool,
}

/// Arguments of `history`.
#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// One card; the last orders and acts of all, if left out
    pub(crate) card: Option<String>,
    /// From this day on; the last 30 days, if left out
    #[arg(long, value_name = "DATE")]
    pub(crate) since: Option<String>,
}

/// Arguments of `spend`.
#[derive(Debug, Args)]
pub(crate) struct SpendArgs {
    /// A month such as 2026-12; the present one, if left out
    #[arg(long, value_name = "YYYY-MM")]
    pub(crate) month: Option<String>,
}

/// Arguments of `restore`.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The copy, such as one of the folder `backups` beside the record
    pub(crate) file: PathBuf,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// A copy; the record itself, if left out
    pub(crate) file: Option<PathBuf>,
}

/// Commands about messages.
#[derive(Debug, Subcommand)]
pub(crate) enum NoticeCommand {
    /// List messages: waiting, sent, given up
    #[command(after_help = "Example:\n  simkeeper notice list --limit 20")]
    List(NoticeListArgs),
    /// Show what became of one message: where it stands and since when, tries, answers, receipt
    #[command(after_help = "Example:\n  simkeeper notice show 7")]
    Show(NoticeIdArgs),
    /// Try a message again now
    #[command(after_help = "Example:\n  simkeeper notice retry 7")]
    Retry(NoticeIdArgs),
    /// Take care of what a message tells, or of all that is told of a card: nobody is told again
    #[command(after_help = "Example:\n  simkeeper notice acknowledge 12\n  simkeeper notice acknowledge --card tablet")]
    Acknowledge(AcknowledgeArgs),
    /// Send a trial message through the real queue and say what the other side answered
    #[command(after_help = "Example:\n  simkeeper notice test anna")]
    Test(NoticeTestArgs),
    /// Show what messages look like, with made-up values
    #[command(
        after_help = "Example:\n  simkeeper notice preview bought --language zh-CN\n  simkeeper notice preview --all --to gallery"
    )]
    Preview(NoticePreviewArgs),
}

/// Arguments of `notice list`.
#[derive(Debug, Args)]
pub(crate) struct NoticeListArgs {
    /// How many to show, newest first
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) limit: u32,
}

/// One message.
#[derive(Debug, Args)]
pub(crate) struct NoticeIdArgs {
    /// The message's number
    pub(crate) id: i64,
}

/// Arguments of `notice acknowledge`.
#[derive(Debug, Args)]
pub(crate) struct AcknowledgeArgs {
    /// The message's number
    #[arg(required_unless_present = "card", conflicts_with = "card")]
    pub(crate) id: Option<i64>,
    /// All that is told of this card
    #[arg(long, value_name = "CARD")]
    pub(crate) card: Option<String>,
}

/// Arguments of `notice preview`.
#[derive(Debug, Args)]
pub(crate) struct NoticePreviewArgs {
    /// The kind
    #[arg(required_unless_present = "all", conflicts_with = "all", value_parser = NoticeKind::ALL.map(NoticeKind::as_str))]
    pub(crate) kind: Option<String>,
    /// Every kind
    #[arg(long)]
    pub(crate) all: bool,
    /// In which language; without it the gallery has every one, and English is printed
    #[arg(long, value_name = "TAG", value_parser = Language::ALL.map(Language::tag))]
    pub(crate) language: Option<String>,
    /// Write files for a browser, a mail program and a phone into this folder, and a page that shows them
    #[arg(long, value_name = "DIR")]
    pub(crate) to: Option<PathBuf>,
}

/// Arguments of `notice test`.
#[derive(Debug, Args)]
pub(crate) struct NoticeTestArgs {
    /// The person, or the channel to a program, by the name in simkeeper.toml
    pub(crate) person: String,
}
