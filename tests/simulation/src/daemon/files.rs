//! The owner's two files, written from what is true of a world: the daemon loads them as it loads any others.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use simkeeper::domain::money::{Currency, Money};
use simkeeper::domain::rule::{Choice, Condition, Mode, Rule};

use super::wrong::Wrong;
use crate::world::World;

/// The person who is told everything.
pub(super) const PERSON: &str = "anna";
/// The channel that carries mails.
pub(super) const MAIL: &str = "mail";
/// The channel that carries texts.
pub(super) const TEXT: &str = "text";

/// One world in so many copies its record daily.
const BACKUPS_EVERY: u64 = 4;

/// The name of a card in the file.
pub(super) fn card_name(card: usize) -> String {
    format!("card-{}", card + 1)
}

/// The place of the card with this name.
pub(super) fn card_of(name: &str) -> Option<usize> {
    name.strip_prefix("card-")?.parse::<usize>().ok()?.checked_sub(1)
}

/// `simkeeper.toml`: accounts, two channels, one person who is told on the second what the first cannot.
pub(super) fn machine(world: &World, wrong: Option<Wrong>) -> String {
    let mut text = String::from("currency = \"USD\"\n\n");
    for operator in &world.operators {
        let account = &operator.account;
        let payment: Vec<String> = account.payment.iter().map(|way| format!("\"{way}\"")).collect();
        let payment = if payment.is_empty() { String::new() } else { format!("payment = [{}]\n", payment.join(", ")) };
        put(
            &mut text,
            format_args!(
                "[operator.{}]\nkind = \"sandbox\"\nbase_url = \"http://127.0.0.1:9\"\npoll = \"{}\"\n{payment}\n",
                account.name, account.poll_every
            ),
        );
    }
    put(
        &mut text,
        format_args!(
            "[channel.{MAIL}]\nkind = \"smtp\"\nhost = \"127.0.0.1\"\nport = 9\ntls = \"none\"\nfrom = \"keeper@example.net\"\n\n\
             [channel.{TEXT}]\nkind = \"gateway\"\nurl = \"http://127.0.0.1:9/\"\nquery = {{ to = \"{{to}}\", text = \"{{text}}\" }}\n\n\
             [person.{PERSON}]\nmail = \"anna@example.net\"\n"
        ),
    );
    if wrong != Some(Wrong::OneWayAlone) {
        text.push_str("sms = \"+16135550123\"\nescalate = {}\n");
    }
    // Copying and proving a record each day takes as long as the day itself; people's own copies are made everywhere.
    if world.seed % BACKUPS_EVERY == 1 {
        text.push_str("\n[schedule]\nbackup = \"daily 03:30\"\n");
    }
    text
}

/// `rules.toml`: the cards, and the rules that stand in the file at this time.
pub(super) fn rules(world: &World, at: i64) -> String {
    let mut text = String::new();
    for place in 0..world.cards.len() {
        let card = world.card(place);
        let accounts: Vec<String> = card.accounts().map(|name| format!("\"{name}\"")).collect();
        let zone = card.zone.iana_name().unwrap_or("UTC");
        let name = card_name(place);
        let rule = world.rule(place, at);
        let named = if rule.is_some() { format!("rule = \"{name}\"\n") } else { String::new() };
        put(
            &mut text,
            format_args!(
                "[card.{name}]\noperator = [{}]\nmsisdn = \"+1613555{:04}\"\nzone = \"{zone}\"\nnotify = \"{PERSON}\"\n{named}\n",
                accounts.join(", "),
                1_000 + place,
            ),
        );
        if let Some(rule) = rule {
            put(&mut text, format_args!("[rule.{name}]\n{}\n", rule_text(rule)));
        }
    }
    text
}

fn rule_text(rule: &Rule) -> String {
    let mode = match rule.mode {
        Mode::Watch => "watch",
        Mode::Ask => "ask",
        Mode::Auto => "auto",
    };
    let when: Vec<String> = rule.renew_when.triggers.iter().map(|trigger| condition(trigger.condition)).collect();
    let buy: Vec<String> = rule.buy.iter().map(|buy| choice(&buy.choice)).collect();
    let mut text = format!("mode = \"{mode}\"\nrenew_when = {{ {} }}\nbuy = [{}]\n", when.join(", "), buy.join(", "));
    let limits = &rule.limits;
    // A file that buys names a limit; one that no plan reaches changes nothing, nor does a month's for one renewal.
    let most = limits.per_renewal.or(limits.per_month).unwrap_or(Money::new(10_000_000, Currency::USD));
    let month = limits.per_month.filter(|month| month.ten_thousandths() < most.ten_thousandths());
    let caps = [
        Some(format!("per_renewal = \"{}\"", month.unwrap_or(most))),
        limits.per_month.map(|money| format!("per_month = \"{money}\"")),
        limits.renewals_per_day.map(|count| format!("renewals_per_day = {count}")),
        limits.price_rise.map(|rise| format!("price_rise = \"{rise}\"")),
    ];
    let caps: Vec<String> = caps.into_iter().flatten().collect();
    if !caps.is_empty() {
        put(&mut text, format_args!("limits = {{ {} }}\n", caps.join(", ")));
    }
    if let Some(hours) = rule.hours {
        put(&mut text, format_args!("hours = \"{hours}\"\n"));
    }
    if !rule.codes.is_empty() {
        let codes: Vec<String> = rule.codes.iter().map(|code| format!("\"{code}\"")).collect();
        put(&mut text, format_args!("codes = [{}]\n", codes.join(", ")));
    }
    for (key, day) in [("from", rule.from), ("until", rule.until)] {
        if let Some(day) = day {
            put(&mut text, format_args!("{key} = {day}\n"));
        }
    }
    if rule.even_inactive {
        text.push_str("even_inactive = true\n");
    }
    text
}

fn condition(condition: Condition) -> String {
    match condition {
        Condition::DataBelow(size) => format!("data_below = \"{size}\""),
        Condition::DataShareBelow(share) => format!("data_below = \"{share}\""),
        Condition::VoiceBelow(length) => format!("voice_below = \"{length}\""),
        Condition::SmsBelow(count) => format!("sms_below = {count}"),
        Condition::CreditBelow(money) => {
            // Owners write whole cents.
            let cents = money.ten_thousandths() / 100 * 100;
            format!("credit_below = \"{}\"", Money::new(cents, money.currency()))
        }
        Condition::PlanEndsWithin(length) => format!("plan_ends_within = \"{length}\""),
        Condition::CreditEndsWithin(length) => format!("credit_ends_within = \"{length}\""),
        Condition::NumberEndsWithin(length) => format!("number_ends_within = \"{length}\""),
    }
}

fn choice(choice: &Choice) -> String {
    match choice {
        Choice::Same => "\"same\"".to_owned(),
        Choice::Named(plan) => format!("\"{plan}\""),
        Choice::Cover => "{ cheapest = {} }".to_owned(),
        Choice::Activity(_) => "{ cheapest = { activity = [\"credit\", \"plan\"] } }".to_owned(),
        Choice::Credit(money) => format!("{{ credit = \"{money}\" }}"),
        Choice::Cheapest { data, validity } => {
            let parts = [
                data.map(|size| format!("data = \"{size}\"")),
                validity.map(|length| format!("validity = \"{length}\"")),
            ];
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            format!("{{ cheapest = {{ {} }} }}", parts.join(", "))
        }
    }
}

fn put(text: &mut String, words: std::fmt::Arguments<'_>) {
    // A `String` takes all that is written to it.
    let _taken = text.write_fmt(words);
}

/// Puts a file in its place in one step, as editors do.
pub(super) fn put_file(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let part = folder.join(format!("{name}.part"));
    std::fs::write(&part, text)?;
    std::fs::rename(part, folder.join(name))
}
