//! `[person.NAME]`: who is told, over which ways, and how much what matters to them.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::channel::{Carries, ChannelConfig};
use super::containers::OneOrMore;
use super::declare::{table, words};
use super::digest_file::{self, DigestWish, digests};
use super::machine::{Language, Person};
use super::machine_file::{entries, names};
use super::reader::{At, Entry, Field, Named, Notes, Span, known_words};
use super::values::{MailAddress, Words, Zone};
use crate::domain::card::Name;
use crate::domain::digest::Rhythm;
use crate::domain::identity::Msisdn;
use crate::domain::insist::{Escalate, Insistence};
use crate::domain::notice::NoticeKind;
use crate::domain::severity::{Severity, Weights};
use crate::domain::time::{LocalHours, Secs};

table! {
    /// Somebody who can be told.
    struct PersonTable {
        /// Where mails go.
        may mail: MailAddress,
        /// Where texts go.
        may sms: Msisdn,
        /// Where push messages go: an ntfy topic or a Telegram chat.
        may push: Words,
        /// In which language.
        may language: Language,
        /// By which clock; UTC if nothing is said.
        may zone: Zone,
        /// When nothing is sent but what may wake them, by that clock.
        may quiet: LocalHours,
        /// From how much on a message goes through the quiet hours; urgent if nothing is said.
        may wakes: Severity,
        /// How much single kinds of messages matter to this person.
        may severity: KindsTable,
        /// From how much on each way is used.
        may from: FromTable,
        /// How long what is not urgent waits, so that all of that time goes as one message.
        may together: Secs,
        /// How long after the time before what needs a person is told again; one wait for each time.
        may repeat: OneOrMore<Secs>,
        /// Where what this person does not react to, or cannot be told, goes.
        may escalate: EscalateTable,
        /// When all their cards are told at a glance: "daily", "weekly", "monthly", each with its time; "never" if nothing is said.
        may digest: OneOrMore<DigestWish>,
    }
}

table! {
    /// Where what a person does not react to, or cannot be told, goes: their further ways first, then other people.
    struct EscalateTable {
        /// After so long without a reaction; only when a way fails for good if nothing is said.
        may after: Secs,
        /// Who is told then, one after the other.
        may to: OneOrMore<Name>,
    }
}

table! {
    /// From how much on each way to a person is used.
    struct FromTable {
        /// Mails; news if nothing is said.
        may mail: Severity,
        /// Texts; urgent if nothing is said and there is another way, else news.
        may sms: Severity,
        /// Push messages; news if nothing is said.
        may push: Severity,
    }
}

/// How much a kind matters to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    Never,
    At(Severity),
}

words! {
    Severity, "how much a message matters": { "news" => Severity::News, "warning" => Severity::Warning, "urgent" => Severity::Urgent, }
    Weight, "how much a message matters": {
        "never" => Weight::Never,
        "news" => Weight::At(Severity::News),
        "warning" => Weight::At(Severity::Warning),
        "urgent" => Weight::At(Severity::Urgent),
    }
}

/// The kinds that a person may weigh, each with its key: all but those that they asked for themselves.
macro_rules! weighed {
    ($($(#[doc = $doc:literal])* $key:ident: $kind:ident,)*) => {
        table! {
            /// How much single kinds of messages matter to a person.
            struct KindsTable {
                $($(#[doc = $doc])* may $key: Weight,)*
            }
        }

        impl KindsTable {
            fn weights(&self) -> Weights {
                let read = [$((NoticeKind::$kind, self.$key.get().copied())),*];
                let said = read.into_iter().filter_map(|(kind, weight)| Some((kind, weight?)));
                said.map(|(kind, weight)| (kind, match weight {
                    Weight::Never => None,
                    Weight::At(severity) => Some(severity),
                })).collect()
            }
        }
    };
}

weighed! {
    /// Something ends or runs low soon; a warning if nothing is said.
    due_soon: DueSoon,
    /// A purchase took effect; news if nothing is said.
    bought: Bought,
    /// A purchase failed for certain; urgent if nothing is said.
    failed: Failed,
    /// The result of a purchase is not known; urgent if nothing is said.
    unknown: Unknown,
    /// What was unknown is settled; news if nothing is said.
    settled_late: SettledLate,
    /// A person must decide; urgent if nothing is said.
    asked: Asked,
    /// A card was paused or goes on; news if nothing is said.
    paused: Paused,
    /// The files have mistakes; urgent if nothing is said.
    rules_problem: RulesProblem,
    /// The record is damaged, or its copies are old; urgent if nothing is said.
    record_problem: RecordProblem,
    /// A wallet will not cover a coming purchase; a warning if nothing is said.
    wallet_low: WalletLow,
    /// An operator lists cards that were not known; news if nothing is said.
    cards_found: CardsFound,
}

/// What holds for people who say nothing themselves.
pub(super) struct Usual {
    /// The language.
    pub(super) language: Language,
    /// When digests come.
    pub(super) digests: Vec<Rhythm>,
}

/// The person that a table describes.
pub(super) fn person(entry: &Entry<PersonTable>, table: &PersonTable, usual: &Usual, notes: &mut Notes<'_>) -> Person {
    if table.mail.is_absent() && table.sms.is_absent() && table.push.is_absent() {
        let help = "add mail = \"name@example.net\" or sms = \"+16135550123\"".to_owned();
        notes.contradiction(&entry.key, format!("`{}` can be told in no way", entry.name), help);
    }
    check_quiet(entry, table, notes);
    Person {
        name: entry.name.clone(),
        mail: table.mail.get().map(|mail| mail.0.clone()),
        sms: table.sms.get().cloned(),
        push: table.push.get().map(|words| words.0.clone()),
        language: table.language.get().copied().unwrap_or(usual.language),
        zone: table.zone.get().map_or(TimeZone::UTC, |zone| zone.0.clone()),
        quiet: table.quiet.get().copied(),
        wakes: table.wakes.get().copied().unwrap_or(Severity::Urgent),
        weights: table.severity.get().map(KindsTable::weights).unwrap_or_default(),
        from: thresholds(entry, table, notes),
        together: together(table, notes),
        insistence: insistence(entry, table, notes),
        digests: digests(&table.digest, notes).unwrap_or_else(|| usual.digests.clone()),
    }
}

fn check_quiet(entry: &Entry<PersonTable>, table: &PersonTable, notes: &mut Notes<'_>) {
    if let (Some(wakes), Field::Absent) = (table.wakes.good(), &table.quiet) {
        let help = "add quiet = \"22:00-07:00\", or leave wakes out".to_owned();
        notes.warning(&wakes.key, format!("`{}` has no quiet hours", entry.name), help);
    }
    let Some(quiet) = table.quiet.good() else { return };
    if table.wakes.get() != Some(&Severity::News) {
        digest_file::check_quiet(&entry.name, &table.digest, quiet.value, notes);
    }
    if quiet.value.to_string() == "00:00-24:00" {
        let help = "write the hours of the night, such as quiet = \"22:00-07:00\"".to_owned();
        notes.contradiction(&quiet.span, "these quiet hours never end", help);
    }
    if table.zone.is_absent() {
        let help = "add zone = \"America/Toronto\"".to_owned();
        notes.warning(&quiet.key, format!("the quiet hours of `{}` are counted in UTC", entry.name), help);
    }
}

/// From which weight on each way is used, after noting ways that are not there.
fn thresholds(entry: &Entry<PersonTable>, table: &PersonTable, notes: &mut Notes<'_>) -> BTreeMap<Carries, Severity> {
    let Some(from) = table.from.get() else { return BTreeMap::new() };
    let ways = [
        (Carries::Mail, &from.mail, table.mail.is_absent(), "mail = \"name@example.net\""),
        (Carries::Sms, &from.sms, table.sms.is_absent(), "sms = \"+16135550123\""),
        (Carries::Push, &from.push, table.push.is_absent(), "push = \"TOPIC\""),
    ];
    let mut said = BTreeMap::new();
    for (carries, field, absent, example) in ways {
        let Some(at) = field.good() else { continue };
        if absent {
            let help = format!("add {example}, or leave this out");
            notes.warning(&at.key, format!("`{}` has no address for it", entry.name), help);
        }
        said.insert(carries, at.value);
    }
    said
}

/// Nothing waits longer to go with others.
const TOGETHER_MOST: Secs = Secs::DAY;

fn together(table: &PersonTable, notes: &mut Notes<'_>) -> Option<Secs> {
    let at = table.together.good()?;
    if at.value < Secs::MINUTE || at.value > TOGETHER_MOST {
        let help = "together = \"15m\"".to_owned();
        notes.contradiction(&at.span, "messages are gathered for a minute at least and a day at most", help);
    }
    Some(at.value)
}

/// The shortest wait before something is told again or passed on; nobody reacts faster.
const WAIT_LEAST: Secs = Secs::minutes(5);
/// Who has not reacted to so many messages will not react to one more.
const REPEATS_MOST: usize = 20;

fn insistence(entry: &Entry<PersonTable>, table: &PersonTable, notes: &mut Notes<'_>) -> Insistence {
    let waits: Vec<&At<Secs>> = table.repeat.get().into_iter().flat_map(|list| list.0.iter()).collect();
    for at in waits.iter().filter(|at| at.value < WAIT_LEAST) {
        let help = "repeat = [\"1h\", \"4h\", \"1d\"]".to_owned();
        notes.contradiction(&at.span, "nothing is told again within five minutes", help);
    }
    if let (Some(repeat), true) = (table.repeat.good(), waits.len() > REPEATS_MOST) {
        let message = format!("nothing is told again more than {REPEATS_MOST} times");
        notes.contradiction(&repeat.span, message, "name fewer waits, the last of them longer".to_owned());
    }
    let escalate = table.escalate.get().map(|escalate| {
        if let Some(after) = escalate.after.good().filter(|after| after.value < WAIT_LEAST) {
            let help = "after = \"2h\"".to_owned();
            notes.contradiction(&after.span, "nobody reacts within five minutes", help);
        }
        let to = escalate.to.get().into_iter().flat_map(|list| list.0.iter());
        for at in to.clone().filter(|at| at.value == entry.name) {
            let help = "name somebody else, or leave it out".to_owned();
            notes.contradiction(&at.span, format!("`{}` cannot stand in for themselves", entry.name), help);
        }
        Escalate { after: escalate.after.get().copied(), to: to.map(|at| at.value.clone()).collect() }
    });
    Insistence { repeat: waits.into_iter().map(|at| at.value).collect(), escalate }
}

/// Notes names in `escalate` that nobody has.
pub(super) fn check_stand_ins(people: &Field<Named<PersonTable>>, notes: &mut Notes<'_>) {
    let known: Vec<&str> = names(people).into_iter().map(Name::as_str).collect();
    for (_, table) in entries(people) {
        let to = table.escalate.get().and_then(|escalate| escalate.to.get());
        for at in to.into_iter().flat_map(|list| list.0.iter()) {
            if !known.contains(&at.value.as_str()) {
                let message = format!("there is no person `{}`", at.value);
                notes.error(&at.span, message, known_words(at.value.as_str(), &known));
            }
        }
    }
}

/// Warns of people whose addresses no channel serves.
pub(super) fn check_reach(people: &Field<Named<PersonTable>>, channels: &[ChannelConfig], notes: &mut Notes<'_>) {
    let serves = |carried: Carries| channels.iter().any(|channel| channel.kind.carries() == carried);
    let mut check = |place: Option<&Span>, carried: Carries, what: &str, kinds: &str| {
        if let Some(place) = place.filter(|_| !serves(carried)) {
            let help = format!("add [channel.NAME] with kind = {kinds}");
            notes.warning(place, format!("no channel sends {what}"), help);
        }
    };
    for (_, table) in entries(people) {
        check(table.mail.good().map(|at| &at.key), Carries::Mail, "mails", "\"smtp\" or \"maildir\"");
        check(table.sms.good().map(|at| &at.key), Carries::Sms, "texts", "\"twilio\" or \"gateway\"");
        check(table.push.good().map(|at| &at.key), Carries::Push, "push messages", "\"ntfy\" or \"telegram\"");
    }
}
