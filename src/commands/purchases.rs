//! `renew`, `approve`, `refuse` and `settle`: what people decide about purchases.

use std::io::{self, BufRead, IsTerminal, Write};
use std::time::Duration;

use serde_json::{Value, json};

use super::Context;
use super::cli::{ApproveArgs, OutcomeArg, RefuseArgs, RenewArgs, SettleArgs, WhichPurchase};
use super::client::{self, Hands, Rounds, block_on, misplaced};
use super::exit::{Exit, Stop};
use super::view::View;
use crate::daemon::request::{Outcome, Reply, Request};
use crate::domain::approval::Code;
use crate::domain::attempt::{Attempt, AttemptId, AttemptState, StateName};
use crate::domain::card::Name;
use crate::domain::money::Money;
use crate::store::{Store, attempts, cards, polls};

/// How long an order is watched after it was agreed to.
const WATCHED: Duration = Duration::from_secs(120);
/// How long a first reading of the card is waited for.
const READ_WITHIN: Duration = Duration::from_secs(60);
/// How often is looked.
const LOOKED_EVERY: Duration = Duration::from_millis(100);

/// What a renewal would buy.
struct Preview {
    plan: String,
    name: String,
    price: Money,
    wallet: Option<Money>,
    closed: Vec<String>,
}

/// Shows what would be bought, asks, and buys.
pub(super) fn renew(context: &Context, args: RenewArgs) -> anyhow::Result<Exit> {
    let price = args.price.as_deref().map(Money::parse).transpose().map_err(Stop::command_line)?;
    if !args.yes && (context.output.json || !io::stdin().is_terminal()) {
        return Err(Stop::command_line(
            "nobody can be asked here; in scripts say --yes with the --price that you expect, such as --price \"15 USD\"",
        ));
    }
    let done = block_on(async {
        let hands = Hands::find(context, Rounds::Needed).await?;
        let done = preview_and_buy(context, &hands, &args, price).await;
        hands.close().await?;
        done
    })?;
    match done {
        Some(attempt) => report(context, &attempt),
        None => {
            context.output.say("nothing was bought")?;
            Ok(Exit::Done)
        }
    }
}

async fn preview_and_buy(
    context: &Context,
    hands: &Hands,
    args: &RenewArgs,
    price: Option<Money>,
) -> anyhow::Result<Option<Attempt>> {
    let preview = preview(context, hands, &args.card).await?;
    show(context, &args.card, &preview)?;
    if !preview.closed.is_empty() {
        return Err(Stop::with(Exit::Refused, format!("nothing was bought: {}", preview.closed.join("; "))));
    }
    if let Some(expected) = price.filter(|expected| *expected != preview.price) {
        let said = format!("nothing was bought: {} costs {}, not {expected}", preview.name, preview.price);
        return Err(Stop::with(Exit::Refused, said));
    }
    if let Some(expected) = args.plan.as_ref().filter(|expected| **expected != preview.plan) {
        let said = format!("nothing was bought: the plan would be `{}`, not `{expected}`", preview.plan);
        return Err(Stop::with(Exit::Refused, said));
    }
    if !args.yes && !agreed()? {
        return Ok(None);
    }
    let request = Request::Renew { card: args.card.clone(), plan: preview.plan, price: preview.price };
    let reply = hands.ask(context, request).await?;
    watch(context, reply).await.map(Some)
}

/// Asks for a preview; a card that was never read is read first.
async fn preview(context: &Context, hands: &Hands, card: &str) -> anyhow::Result<Preview> {
    let ask = || hands.ask(context, Request::Preview { card: card.to_owned() });
    let mut reply = ask().await;
    if reply.is_err() && wait_for_reading(context, card).await? {
        reply = ask().await;
    }
    match reply? {
        Reply::Preview { plan, name, price, wallet, closed } => Ok(Preview { plan, name, price, wallet, closed }),
        reply @ (Reply::Done { .. } | Reply::Discovered(_) | Reply::Copied { .. } | Reply::Refused { .. }) => {
            Err(misplaced(&reply))
        }
    }
}

/// Whether a card that had no reading has one now.
async fn wait_for_reading(context: &Context, card: &str) -> anyhow::Result<bool> {
    let (store, Ok(name)) = (Store::open_read_only(&context.places.state)?, Name::parse(card)) else {
        return Ok(false);
    };
    let mut waited = Duration::ZERO;
    loop {
        let wanted = name.clone();
        let read = store
            .read(move |conn| match cards::by_name(conn, &wanted)? {
                Some(card) => Ok(Some(polls::load(conn, card.id)?.recent.latest.is_some())),
                None => Ok(None),
            })
            .await?;
        match read {
            Some(true) => return Ok(waited > Duration::ZERO),
            Some(false) if waited < READ_WITHIN => {}
            Some(false) | None => return Ok(false),
        }
        tokio::time::sleep(LOOKED_EVERY).await;
        waited += LOOKED_EVERY;
    }
}

fn show(context: &Context, card: &str, preview: &Preview) -> io::Result<()> {
    if context.output.json {
        return Ok(());
    }
    let Preview { plan, name, price, wallet, closed } = preview;
    context.output.say(&format!("{card}: {name} ({plan}) for {price}"))?;
    if let Some(wallet) = wallet {
        context.output.say(&format!("the wallet holds {wallet}"))?;
    }
    closed.iter().try_for_each(|closed| context.output.say(&format!("in the way: {closed}")))
}

fn agreed() -> io::Result<bool> {
    let mut out = io::stdout().lock();
    write!(out, "Buy it? [y/N] ")?;
    out.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// How a person names a purchase.
enum Named {
    Number(i64),
    Code(String),
}

/// What was named; of a card, the purchase that waits for an answer.
fn named(context: &Context, purchase: &WhichPurchase) -> anyhow::Result<Named> {
    if let Some(name) = &purchase.card {
        let view = View::open(context)?;
        let card = view.card(name)?;
        let open = view.store.read_blocking(|conn| attempts::open_for(conn, card.id))?;
        let waits = open.filter(|open| open.state.name() == StateName::Planned);
        let waits =
            waits.ok_or_else(|| Stop::with(Exit::Refused, format!("nothing waits for an answer about `{name}`")))?;
        return Ok(Named::Number(waits.id.0));
    }
    let which = purchase.which.as_deref().unwrap_or_default();
    match which.parse() {
        Ok(number) => Ok(Named::Number(number)),
        Err(_) if Code::parse(which).is_some() => Ok(Named::Code(which.to_owned())),
        Err(_) => {
            let said = format!("`{which}` is neither the number of a purchase nor a code such as K7QM-3XRT");
            Err(Stop::command_line(said))
        }
    }
}

/// Agrees to a purchase and watches it.
pub(super) fn approve(context: &Context, args: &ApproveArgs) -> anyhow::Result<Exit> {
    let request = match named(context, &args.purchase)? {
        Named::Number(id) => Request::Approve { id },
        Named::Code(code) => Request::Answer { code, yes: true, reason: String::new() },
    };
    let attempt = block_on(async {
        let hands = Hands::find(context, Rounds::Needed).await?;
        let watched = match hands.ask(context, request).await {
            Ok(reply) => watch(context, reply).await,
            Err(error) => Err(error),
        };
        hands.close().await?;
        watched
    })?;
    report(context, &attempt)
}

/// Looks at an attempt until it is no longer planned or on its way, or long enough.
async fn watch(context: &Context, reply: Reply) -> anyhow::Result<Attempt> {
    let Reply::Done { attempt: Some(id), .. } = reply else { return Err(misplaced(&reply)) };
    let store = Store::open_read_only(&context.places.state)?;
    let mut waited = Duration::ZERO;
    loop {
        let attempt = store.read(move |conn| attempts::by_id(conn, AttemptId(id))).await?;
        let attempt = attempt.ok_or_else(|| Stop::not_found(format!("there is no attempt {id}")))?;
        let under_way = matches!(attempt.state.name(), StateName::Planned | StateName::Sending);
        if !under_way || waited >= WATCHED {
            return Ok(attempt);
        }
        tokio::time::sleep(LOOKED_EVERY).await;
        waited += LOOKED_EVERY;
    }
}

fn report(context: &Context, attempt: &Attempt) -> anyhow::Result<Exit> {
    let (exit, words) = outcome(attempt);
    let (id, plan, price) = (attempt.id.0, &attempt.plan.name, attempt.plan.price);
    let said = format!("attempt {id}, {plan} for {price}: {words}");
    context.output.done(&said, json!({ "attempt": attempt, "done": exit == Exit::Done }))?;
    Ok(exit)
}

/// What an attempt came to so far, and how a command that began it ends.
fn outcome(attempt: &Attempt) -> (Exit, String) {
    let name = attempt.state.name();
    match &attempt.state {
        AttemptState::Planned { .. } => {
            (Exit::Partly, "it waits; `simkeeper explain` shows for what, and it goes on once a daemon runs".to_owned())
        }
        AttemptState::Sending { .. } | AttemptState::Pending { .. } | AttemptState::Accepted { .. } => {
            (Exit::Done, format!("{name}"))
        }
        AttemptState::Done { .. } => (Exit::Done, "bought, and the card shows it".to_owned()),
        AttemptState::Unknown { doubt, .. } => (
            Exit::Partly,
            format!("{doubt}; whether it was taken is being found out, and nothing else is bought for this card"),
        ),
        AttemptState::Human { question, .. } => {
            (Exit::Partly, format!("{question}; `simkeeper settle {}`", attempt.id.0))
        }
        AttemptState::Refused { refusal, .. } => {
            (Exit::Refused, format!("the operator refused: {} ({})", refusal.kind, refusal.text))
        }
        AttemptState::Absent { .. } => (Exit::Failed, "the order never arrived; nothing was charged".to_owned()),
        AttemptState::Abandoned { why, .. } => {
            (Exit::Refused, format!("not bought: {}", super::history::given_up(why)))
        }
        AttemptState::Reversed { why, .. } => (Exit::Failed, format!("the operator took it back: {why}")),
    }
}

/// Declines a purchase.
pub(super) fn refuse(context: &Context, args: RefuseArgs) -> anyhow::Result<Exit> {
    match named(context, &args.purchase)? {
        Named::Number(id) => told(context, Request::Refuse { id, reason: args.reason }, json!({ "attempt": id })),
        Named::Code(code) => told(context, Request::Answer { code, yes: false, reason: args.reason }, json!({})),
    }
}

/// Says what became of an order.
pub(super) fn settle(context: &Context, args: SettleArgs) -> anyhow::Result<Exit> {
    let outcome = match args.outcome {
        OutcomeArg::Bought => Outcome::Bought,
        OutcomeArg::NotBought => Outcome::NotBought,
        OutcomeArg::Abandon => Outcome::Abandon,
    };
    told(context, Request::Settle { id: args.id, outcome, reason: args.reason }, json!({ "attempt": args.id }))
}

fn told(context: &Context, request: Request, fields: Value) -> anyhow::Result<Exit> {
    let said = client::ask_once(context, request)?;
    context.output.done(&said, fields)?;
    Ok(Exit::Done)
}
