//! The command line: what people type, and what they read.
//!
//! Commands that read (`status`, `explain`, `plan`, `replay`, `history`, `card find`, `notice list`, `verify`) open the record beside the
//! daemon, read-only, and touch no network (`view`). Commands that change something hand a request to the daemon over
//! its socket, or carry it out themselves where none runs (`client`). `cli` says what can be typed, `output` how it is
//! printed, `exit` how it ends, `places` where everything lies.

mod cards;
mod cli;
mod client;
mod copies;
pub mod demo;
mod exit;
mod explain;
mod found_cards;
mod history;
pub mod import;
mod logging;
mod notices;
mod operator;
mod output;
mod places;
mod plan;
mod previews;
mod purchases;
mod rehearse;
mod replay;
mod run;
mod sandbox;
mod setup;
mod spend;
mod status;
mod trip;
mod verify;
mod view;
mod wishes;

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use clap::error::ErrorKind;

use self::cli::{CardCommand, CardImportArgs, Cli, Command, Global, NoticeCommand, OperatorCommand};
use self::exit::{Exit, Stop};
use self::output::Output;
use crate::config::Config;
use crate::daemon::Places;
use crate::daemon::clock::Clock;

/// What every command knows.
pub(crate) struct Context {
    /// How to print.
    pub(crate) output: Output,
    /// Where everything lies.
    pub(crate) places: Places,
    /// What tells the time.
    pub(crate) clock: Arc<Clock>,
}

impl Context {
    fn new(global: &Global) -> anyhow::Result<Self> {
        let clock = match &global.clock {
            Some(words) => Clock::parse(words).map_err(|error| Stop::command_line(format!("{error:#}")))?,
            None => Clock::System,
        };
        let places = places::places(global, &places::Own);
        Ok(Self { output: Output::new(global), places, clock: Arc::new(clock) })
    }

    /// Refuses a clock that runs fast where real money is at stake.
    pub(crate) fn allow_clock(&self, config: &Config) -> anyhow::Result<()> {
        let real = config.machine.accounts.iter().find(|account| !account.kind.is_make_believe());
        match real {
            Some(account) if !self.clock.is_real() => Err(Stop::command_line(format!(
                "a fast clock never spends real money; `{}` in simkeeper.toml is no sandbox",
                account.name
            ))),
            Some(_) | None => Ok(()),
        }
    }
}

/// Carries out what the command line says.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misunderstood(&error),
    };
    let output = Output::new(&cli.global);
    let ended = Context::new(&cli.global).and_then(|context| carry_out(&context, cli.command));
    ended.unwrap_or_else(|error| {
        // Whoever read the output has seen enough, as with `simkeeper history | head`.
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            return Exit::Done.into();
        }
        let exit = exit::of(&error);
        output.error(exit, &error);
        exit.into()
    })
}

/// Help and version are no errors; anything else ends with the code of a wrong command line.
fn misunderstood(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // Whoever asked for help and closed the pipe has seen enough.
        drop(error.print());
        return Exit::Done.into();
    }
    if std::env::args_os().any(|argument| argument == "--json") {
        let text = error.render().to_string();
        let global = Global { json: true, ..Global::default() };
        Output::new(&global).error(Exit::CommandLine, &Stop::command_line(text.trim_end()));
    } else {
        drop(error.print());
    }
    Exit::CommandLine.into()
}

fn import_cards(context: &Context, args: CardImportArgs) -> anyhow::Result<Exit> {
    match (args.file, args.from) {
        (Some(file), _) => cards::import(context, &file),
        (None, Some(account)) => found_cards::import(context, account, args.labels, args.dry_run),
        (None, None) => Err(Stop::command_line("name a file of cards, or an account with --from")),
    }
}

fn carry_out(context: &Context, command: Command) -> anyhow::Result<ExitCode> {
    let exit = match command {
        Command::Init(args) => setup::init(context, args.dir)?,
        Command::Check => setup::check(context)?,
        Command::Schema(args) => setup::schema(context, args.file)?,
        Command::Run(args) => run::run(context, &args)?,
        Command::Sandbox(args) => sandbox::sandbox(context, &args)?,
        Command::Status(args) => status::status(context, args.card.as_deref())?,
        Command::Explain(args) => explain::explain(context, &args.card)?,
        Command::Plan(args) => plan::plan(context, &args)?,
        Command::Rehearse(args) => rehearse::rehearse(context, &args)?,
        Command::Replay(args) => replay::replay(context, &args)?,
        Command::Spend(args) => spend::spend(context, &args)?,
        Command::History(args) => history::history(context, &args)?,
        Command::Card(CardCommand::Add(args)) => cards::add(context, *args)?,
        Command::Card(CardCommand::Import(args)) => import_cards(context, args)?,
        Command::Card(CardCommand::Find(args)) => cards::find(context, &args)?,
        Command::Card(CardCommand::Show(args)) => cards::show(context, &args.card)?,
        Command::Card(CardCommand::Retire(args)) => cards::retire(context, args.card)?,
        Command::Operator(OperatorCommand::Kinds(args)) => operator::kinds::show(context, args.kind.as_deref())?,
        Command::Operator(OperatorCommand::List) => operator::accounts::list(context)?,
        Command::Operator(OperatorCommand::Test(args)) => operator::trial::run(context, &args)?,
        Command::Operator(OperatorCommand::Check(args)) => operator::profile::check_profile(context, &args.file)?,
        Command::Operator(OperatorCommand::Catalogue(args)) => operator::catalogue::show(context, &args)?,
        Command::Renew(args) => purchases::renew(context, args)?,
        Command::Approve(args) => purchases::approve(context, &args)?,
        Command::Refuse(args) => purchases::refuse(context, args)?,
        Command::Settle(args) => purchases::settle(context, args)?,
        Command::Pause(args) => wishes::pause(context, args)?,
        Command::Resume(args) => wishes::resume(context, args.card)?,
        Command::Silence(args) => wishes::silence(context, args)?,
        Command::Skip(args) => wishes::skip(context, args)?,
        Command::Notice(NoticeCommand::List(args)) => notices::list(context, args.limit)?,
        Command::Notice(NoticeCommand::Show(args)) => notices::show(context, args.id)?,
        Command::Notice(NoticeCommand::Retry(args)) => notices::retry(context, args.id)?,
        Command::Notice(NoticeCommand::Acknowledge(args)) => notices::acknowledge(context, args.id, args.card)?,
        Command::Notice(NoticeCommand::Test(args)) => notices::test(context, args.person)?,
        Command::Notice(NoticeCommand::Preview(args)) => previews::preview(context, &args)?,
        Command::Backup => copies::backup(context)?,
        Command::Restore(args) => copies::restore(context, &args)?,
        Command::Verify(args) => verify::verify(context, args.file.as_deref())?,
        Command::Demo(args) => {
            let day_takes = Duration::from_millis(u64::from(args.day_millis));
            client::block_on(demo::demo(demo::Wishes { day_takes, folder: args.folder }))?;
            Exit::Done
        }
    };
    Ok(exit.into())
}
