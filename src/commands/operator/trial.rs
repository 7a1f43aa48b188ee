//! `operator test`: an account tried step by step, with what to do about each failure. It works beside a daemon and
//! without one, asks only what costs nothing, and prepares no order.

mod steps;

use std::sync::Arc;

use serde_json::json;

use self::steps::{Outcome, Step};
use super::{account, advice, card, first_card, record, unkept};
use crate::commands::Context;
use crate::commands::cli::OperatorTestArgs;
use crate::commands::client::block_on;
use crate::commands::exit::Exit;
use crate::commands::output::{Tone, table};
use crate::commands::view::files;
use crate::config::{AccountConfig, SecretError};
use crate::daemon::open::accounts::operator;
use crate::domain::card::{Card, Keeper, Name};
use crate::domain::operator::{ListedCard, OperatorError, Proof};
use crate::domain::reading::{CardState, Reading};
use crate::operators::probe::{self, Target};
use crate::operators::{Operator, tls};
use crate::store::cards::NewCard;

/// A certificate that ends this soon is told, in days.
const CERTIFICATE_SOON_DAYS: i64 = 14;

/// Tries an account.
pub(in crate::commands) fn run(context: &Context, args: &OperatorTestArgs) -> anyhow::Result<Exit> {
    let config = files(context)?;
    let (account, store) = (account(&config, &args.account)?, record(context)?);
    let card = match &args.card {
        Some(name) => Some(card(store.as_ref(), &config, name)?),
        None => first_card(store.as_ref(), &config, &account.name)?,
    };
    drop(store);
    tls::install_provider();
    let steps = block_on(async { Ok(tried(context, account, card).await) })?;
    show(context, account, &steps)?;
    Ok(if steps.iter().any(|step| step.outcome == Outcome::Failed) { Exit::Partly } else { Exit::Done })
}

fn show(context: &Context, account: &AccountConfig, steps: &[Step]) -> anyhow::Result<()> {
    let output = context.output;
    let failed = steps.iter().filter(|step| step.outcome == Outcome::Failed).count();
    if output.json {
        output.document(json!({
            "account": account.name, "kind": account.kind.word(), "ok": failed == 0, "steps": steps,
        }))?;
        return Ok(());
    }
    let rows = steps.iter().map(|step| {
        let (word, tone) = match step.outcome {
            Outcome::Ok => ("ok", Tone::Good),
            Outcome::Failed => ("failed", Tone::Bad),
            Outcome::Skipped => ("-", Tone::Plain),
        };
        vec![
            comfy_table::Cell::new(&step.step),
            output.cell(word, tone),
            comfy_table::Cell::new(&step.said),
            comfy_table::Cell::new(step.advice.as_deref().unwrap_or_default()),
        ]
    });
    output.say(&table(&["STEP", "", "RESULT", "WHAT TO DO"], rows.collect()))?;
    output.hint(match failed {
        0 => "\nthe account works; nothing was bought",
        _ => "\nnothing was bought",
    })?;
    Ok(())
}

/// Each step in its turn; what rests upon a step that failed is not tried.
async fn tried(context: &Context, account: &AccountConfig, card: Option<Card>) -> Vec<Step> {
    let operator = match operator(account, &context.places.surroundings()).await {
        Ok(operator) => operator,
        Err(error) => {
            let secret = error.chain().find_map(|cause| cause.downcast_ref::<SecretError>());
            let step = if secret.is_some() { "secrets" } else { "settings" };
            let advice =
                secret.map_or("mend the account in simkeeper.toml; `simkeeper check` helps", advice::about_secret);
            return vec![Step::failed(step, error.root_cause().to_string(), advice)];
        }
    };
    let mut steps = vec![Step::ok("secrets", "readable")];
    steps.extend(way(context, account, operator.as_ref()).await);
    if steps.iter().any(|step| step.outcome == Outcome::Failed) {
        let unreached = ["sign-in", "permissions", "wallet", "reading", "catalogue", "clock", "calls left"];
        steps.extend(unreached.map(|step| Step::skipped(step, "not tried: the way is not open")));
        return steps;
    }
    steps.extend(answers(context, account, operator, card).await);
    steps
}

/// The way to each host: its name, the connection, the certificate.
async fn way(context: &Context, account: &AccountConfig, operator: &dyn Operator) -> Vec<Step> {
    let targets = targets(account, operator);
    if targets.is_empty() {
        let said = "not needed: this account reaches no host of its own";
        return vec![Step::skipped("name", said), Step::skipped("connection", said)];
    }
    let mut steps = Vec::new();
    for target in targets {
        let (name, connection) =
            (format!("name {}", target.host), format!("connection {}:{}", target.host, target.port));
        let addresses = match probe::resolve(&target).await {
            Ok(addresses) => addresses,
            Err(error) => {
                steps.push(Step::failed(name, error.to_string(), advice::about_way(&error)));
                steps.push(Step::skipped(connection, "not tried"));
                continue;
            }
        };
        let first = addresses.first().map(|address| address.ip().to_string()).unwrap_or_default();
        steps.push(Step::ok(name, format!("resolves to {first}")));
        steps.push(match probe::connect(&target, &addresses).await {
            Err(error) => Step::failed(connection, error.to_string(), advice::about_way(&error)),
            Ok(_) if !target.encrypted => Step::ok(connection, "open; not encrypted, inside this machine"),
            Ok(link) => certificate(connection, link, context),
        });
    }
    steps
}

fn certificate(step: String, link: probe::Link, context: &Context) -> Step {
    let Some(ends) = link.certificate_ends else { return Step::ok(step, "open and encrypted") };
    let days = ends.since(context.clock.now()).0.div_euclid(86_400);
    let good = Step::ok(step, format!("open and encrypted; the certificate ends in {days} days"));
    if days > CERTIFICATE_SOON_DAYS {
        return good;
    }
    Step { advice: Some("nothing yet; the operator should renew its certificate soon".to_owned()), ..good }
}

/// Where the calls go: the address that the file names, else the operator's hosts.
fn targets(account: &AccountConfig, operator: &dyn Operator) -> Vec<Target> {
    let Some(address) = account.kind.address() else {
        return operator.terms().hosts.iter().map(|host| Target::of_host(host)).collect();
    };
    let host = address.host_str().unwrap_or_default().to_owned();
    let encrypted = address.scheme() == "https";
    let port = address.port_or_known_default().unwrap_or(if encrypted { 443 } else { 80 });
    vec![Target { host, port, encrypted }]
}

/// What the operator answers.
async fn answers(
    context: &Context,
    account: &AccountConfig,
    operator: Arc<dyn Operator>,
    card: Option<Card>,
) -> Vec<Step> {
    let now = context.clock.now();
    let wallet = operator.wallet().await;
    let (card, listed) = match card {
        Some(card) => (Some(card), None),
        None if operator.capabilities().discovers => match operator.discover(None).await {
            Ok(page) => (page.cards.first().map(|card| of_list(&account.name, card)), Some(Ok(()))),
            Err(error) => (None, Some(Err(error))),
        },
        None => (None, None),
    };
    let (mut reading, mut catalogue) = (None, None);
    if let Some(card) = &card {
        let answer = operator.read(std::slice::from_ref(card), now).await.pop();
        reading =
            Some(answer.unwrap_or_else(|| Err(OperatorError::Unknown { why: "no answer about the card".into() })));
        catalogue = Some(operator.catalogue(card, now).await);
    }
    // Operators that only sell answer with an empty reading, without being asked.
    let nothing = Reading::empty(now, CardState::Unknown);
    let reads = operator.capabilities().proof != Proof::Order
        || !reading.as_ref().is_some_and(|told| told.as_ref().is_ok_and(|read| *read == nothing));
    let told = steps::Told { reads, wallet, listed, reading, catalogue };
    let mut steps = vec![steps::sign_in(&told), steps::permissions(&told), steps::wallet(&told)];
    steps.push(steps::reading(&told, card.as_ref()));
    steps.push(steps::catalogue(&told, card.as_ref()));
    let contact = operator.contact();
    steps.push(steps::clock(contact.clock, context.clock.now()));
    steps.push(steps::calls_left(contact.calls_left));
    steps
}

/// A card that only the operator knows yet.
fn of_list(account: &Name, listed: &ListedCard) -> Card {
    let plain = NewCard::named(account.clone(), account.clone(), Keeper::Command);
    unkept(NewCard {
        iccid: listed.iccid.clone(),
        msisdn: listed.msisdn.clone(),
        fields: listed.fields.clone(),
        ..plain
    })
}
