//! `card add`, `import`, `find`, `show` and `retire`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde_json::json;

use super::cli::{CardAddArgs, CardFindArgs};
use super::exit::{Exit, Stop};
use super::output::table;
use super::view::{self, View};
use super::{Context, client, import};
use crate::daemon::request::{CardWords, Request};
use crate::domain::card::{Card, Keeper, Name};
use crate::domain::identity::Msisdn;
use crate::store::{Store, StoreError, cards};

/// A file of cards larger than this is not one.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// Adds one card.
pub(super) fn add(context: &Context, args: CardAddArgs) -> anyhow::Result<Exit> {
    let mut accounts = args.operator.into_iter();
    let words = CardWords {
        name: args.name,
        // The command line wants one at least.
        operator: accounts.next().unwrap_or_default(),
        sellers: accounts.collect(),
        iccid: args.iccid,
        msisdn: args.msisdn,
        imei: args.imei,
        eid: args.eid,
        labels: args.labels,
        contact: args.contact,
        zone: args.zone,
        notify: args.notify,
        rule: args.rule,
    };
    let name = words.name.clone();
    let said = client::ask_once(context, Request::AddCards { cards: vec![words] })?;
    context.output.done(&said, json!({ "added": 1 }))?;
    context.output.hint(&format!("it is read within a minute; `simkeeper status {name}` shows it"))?;
    Ok(Exit::Done)
}

/// Adds all cards of a file, or none.
pub(super) fn import(context: &Context, file: &Path) -> anyhow::Result<Exit> {
    let config = view::files(context)?;
    let named = file.display().to_string();
    let text =
        read_file(file).map_err(|error| Stop::with(Exit::NotFound, format!("{named} cannot be read: {error}")))?;
    let (words, mut wrong) = import::read(text.as_bytes(), &config);
    wrong.extend(already_there(context, &words)?);
    if !wrong.is_empty() {
        wrong.sort_by_key(|wrong| wrong.line);
        let lines: Vec<String> =
            wrong.iter().map(|wrong| format!("{named}:{}: {}", wrong.line, wrong.message)).collect();
        let advice = format!("no card was added; {} to mend", counted(lines.len(), "line"));
        return Err(Stop::with(Exit::Configuration, format!("{advice}\n{}", lines.join("\n"))));
    }
    if words.is_empty() {
        context.output.done(&format!("{named} holds no cards"), json!({ "added": 0 }))?;
        return Ok(Exit::Done);
    }
    let count = words.len();
    let cards = words.into_values().collect();
    let said = client::ask_once(context, Request::AddCards { cards })?;
    context.output.done(&said, json!({ "added": count }))?;
    Ok(Exit::Done)
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn read_file(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    let source: Box<dyn Read> =
        if file == Path::new("-") { Box::new(io::stdin()) } else { Box::new(File::open(file)?) };
    source.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

/// Cards of the file that the record has already, by name or by number.
fn already_there(context: &Context, words: &BTreeMap<u64, CardWords>) -> anyhow::Result<Vec<import::Wrong>> {
    let store = match Store::open_read_only(&context.places.state) {
        Ok(store) => store,
        Err(StoreError::NoDatabase { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let found = store.read_blocking(|conn| {
        let mut found = Vec::new();
        for (line, words) in words {
            // What cannot be read as a name or number was told already.
            let Ok((name, account, iccid)) = import::keys(words) else { continue };
            if cards::by_name(conn, &name)?.is_some() {
                found.push(import::Wrong { line: *line, message: format!("there is a card named `{name}` already") });
            } else if let Some(iccid) = iccid
                && let Some(other) = cards::by_iccid(conn, &account, &iccid)?
            {
                let message = format!("`{}` has this ICCID already", other.name);
                found.push(import::Wrong { line: *line, message });
            }
        }
        Ok(found)
    })?;
    Ok(found)
}

/// Finds cards by any part of what is known of them.
pub(super) fn find(context: &Context, args: &CardFindArgs) -> anyhow::Result<Exit> {
    let view = View::open(context)?;
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let found = view.store.read_blocking(|conn| cards::find(conn, &args.text, limit))?;
    if found.is_empty() {
        return Err(Stop::not_found(format!(
            "no card has `{}` in its name, numbers, labels, contact, fields or orders",
            args.text
        )));
    }
    if context.output.json {
        context.output.document(json!({ "cards": found }))?;
        return Ok(Exit::Done);
    }
    let number = |number: Option<String>| number.unwrap_or_else(|| "-".to_owned());
    let rows = found.iter().map(|card| {
        vec![
            card.name.to_string(),
            card.account.to_string(),
            number(card.iccid.as_ref().map(ToString::to_string)),
            number(card.msisdn.as_ref().map(phone)),
            names(&card.labels),
            card.contact.clone().unwrap_or_default(),
            if card.retired_at.is_some() { "retired".to_owned() } else { String::new() },
        ]
    });
    let headings = ["CARD", "ACCOUNT", "ICCID", "NUMBER", "LABELS", "CONTACT", ""];
    context.output.say(&table(&headings, rows.collect()))?;
    if found.len() == limit {
        context.output.hint("there may be more; --limit shows them")?;
    }
    Ok(Exit::Done)
}

/// A phone number as people dial it.
pub(super) fn phone(number: &Msisdn) -> String {
    format!("+{}", number.digits())
}

/// The accounts that may sell for a card, in order.
fn sellers(card: &Card) -> String {
    card.accounts().map(ToString::to_string).collect::<Vec<_>>().join(", then ")
}

fn names(names: &[Name]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Shows all that is known about a card.
pub(super) fn show(context: &Context, name: &str) -> anyhow::Result<Exit> {
    let view = View::open(context)?;
    let card = view.card(name)?;
    let rule = view.rule(&card).map(|rule| rule.name.clone());
    let roles = view.config.rules.roles_of(&card).cloned().unwrap_or_default();
    if context.output.json {
        context.output.document(json!({ "card": card, "rule": rule, "roles": roles }))?;
        return Ok(Exit::Done);
    }
    let people = [("owner", names(&roles.owner)), ("payer", names(&roles.payer)), ("watchers", names(&roles.watchers))];
    let rows =
        facts(&card).into_iter().chain(people).map(|(what, value)| vec![what.to_owned(), value]).collect::<Vec<_>>();
    let mut rows: Vec<Vec<String>> = rows.into_iter().filter(|row| !row[1].is_empty()).collect();
    rows.push(vec![
        "rule".to_owned(),
        rule.map_or_else(|| "none: it is only read".to_owned(), |rule| rule.to_string()),
    ]);
    context.output.say(&table(&["CARD", card.name.as_str()], rows))?;
    Ok(Exit::Done)
}

fn facts(card: &Card) -> Vec<(&'static str, String)> {
    let text = |value: Option<String>| value.unwrap_or_default();
    let fields: Vec<String> = card.fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    vec![
        ("account", card.account.to_string()),
        ("sold by", if card.sellers.is_empty() { String::new() } else { sellers(card) }),
        ("ICCID", text(card.iccid.as_ref().map(ToString::to_string))),
        ("number", text(card.msisdn.as_ref().map(phone))),
        ("IMEI", text(card.imei.as_ref().map(ToString::to_string))),
        ("EID", text(card.eid.as_ref().map(ToString::to_string))),
        ("fields", fields.join(", ")),
        ("labels", names(&card.labels)),
        ("contact", text(card.contact.clone())),
        ("zone", card.zone.iana_name().unwrap_or("UTC").to_owned()),
        ("notify", names(&card.notify)),
        (
            "kept by",
            match card.keeper {
                Keeper::File => "rules.toml".to_owned(),
                Keeper::Command => "command".to_owned(),
            },
        ),
        ("paused", text(card.wishes.pause.as_ref().map(super::status::pause_words))),
        ("skips", if card.wishes.skip_next { "the next renewal".to_owned() } else { String::new() }),
        ("stops", if card.wishes.stop_after_next { "after the next renewal".to_owned() } else { String::new() }),
        ("retired", text(card.retired_at.map(|at| at.to_string()))),
    ]
}

/// Stops keeping a card.
pub(super) fn retire(context: &Context, card: String) -> anyhow::Result<Exit> {
    let said = client::ask_once(context, Request::Retire { card })?;
    context.output.done(&said, json!({}))?;
    Ok(Exit::Done)
}
