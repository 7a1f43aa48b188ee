//! `sandbox`: the make-believe operator on a socket of this machine.

use std::sync::Arc;

use secrecy::SecretString;
use tokio::signal::unix::{SignalKind, signal};

use super::cli::{ClassArg, SandboxArgs, StackingArg};
use super::exit::{Exit, Stop};
use super::{Context, client};
use crate::domain::money::Money;
use crate::domain::operator::Stacking;
use crate::sandbox::{self, Class, DEFAULT_KEY, Options, Sandbox, Settings};

/// How many cards are named when it starts.
const NAMED_CARDS: u32 = 5;

/// Serves until it is told to stop.
pub(super) fn sandbox(context: &Context, args: &SandboxArgs) -> anyhow::Result<Exit> {
    let settings = settings(args)?;
    let clock = Arc::clone(&context.clock);
    let options = Options { listen: args.listen, settings, cards: Vec::new() };
    let output = context.output;
    let hint = hint(args);
    client::block_on(async move {
        let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let until = async move {
            // Nobody reads it if standard output is closed.
            drop(output.hint(&hint));
            tokio::select! {
                _ = term.recv() => {}
                _ = int.recv() => {}
            }
        };
        sandbox::run(options, Arc::new(move || clock.now()), &mut std::io::stdout(), until).await
    })?;
    Ok(Exit::Done)
}

fn settings(args: &SandboxArgs) -> anyhow::Result<Settings> {
    let class = match args.class {
        ClassArg::KeyHonoured => Class::KeyHonoured { window_secs: 86_400 },
        ClassArg::LookupOnly => Class::LookupOnly,
        ClassArg::Neither => Class::Neither,
    };
    let stacking = match args.stacking {
        StackingArg::Queues => Stacking::Queues,
        StackingArg::Extends => Stacking::Extends,
        StackingArg::Beside => Stacking::Beside,
    };
    let wallet = Money::parse(&args.wallet).map_err(Stop::command_line)?;
    let mut settings = Settings { seed: args.seed, fleet: args.cards, class, stacking, wallet, ..Settings::default() };
    if let Some(key) = &args.key {
        settings.key = SecretString::from(key.as_str());
    }
    Ok(settings)
}

fn hint(args: &SandboxArgs) -> String {
    let cards: Vec<String> = (0..args.cards.min(NAMED_CARDS)).map(Sandbox::fleet_iccid).collect();
    let more = if args.cards > NAMED_CARDS { " and more" } else { "" };
    let key = if args.key.is_some() { "the key that you gave" } else { DEFAULT_KEY };
    format!("cards: {}{more}\nkey: {key}\nCtrl-C ends it", cards.join(", "))
}
