//! The loader as its users meet it: whole files in, values or every problem out.

mod against_schema;
mod broken;
mod design;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::domain::activity::Activity;
use crate::domain::card::{Card, CardId, Keeper, Name};
use crate::domain::data::{DataSize, Percent};
use crate::domain::money::Money;
use crate::domain::notice::NoticeKind;
use crate::domain::rule::{Choice, Condition, Join, Mode};
use crate::domain::severity::Severity as Weight;
use crate::domain::time::{LocalHours, Secs};

/// A machine on which little can go wrong.
const MACHINE: &str = r#"
currency = "CAD"
[operator.airalo]
kind = "airalo"
client_id = { credential = "airalo-id" }
client_secret = { credential = "airalo-secret" }
[operator.try]
kind = "sandbox"
zone = "Europe/Berlin"
[person.anna]
mail = "anna@example.net"
"#;

/// A calendar of two journeys.
const HOLIDAYS: &str = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Norway\r\nDTSTART;VALUE=DATE:20270703\r\n\
    DTEND;VALUE=DATE:20270718\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:Rome\r\nDTSTART:20261001\r\nEND:VEVENT\r\n\
    END:VCALENDAR\r\n";

fn source(path: &str, text: &str) -> Source {
    Source { path: path.into(), text: text.to_owned() }
}

fn parsed(machine: &str, rules: &str) -> Result<Config, Problems> {
    let (machine, rules) = (source(MACHINE_FILE, machine), source(RULES_FILE, rules));
    parse_with(&machine, &rules, Some(date(2026, 11, 1)), &|name| match name {
        "holidays.ics" => Ok(HOLIDAYS.to_owned()),
        other => Err(format!("{other} cannot be read: there is none")),
    })
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

#[test]
fn every_key_arrives() {
    let config =
        parsed(include_str!("full_machine.toml"), include_str!("full_rules.toml")).unwrap_or_else(|p| panic!("{p}"));
    let machine = &config.machine;
    assert_eq!((machine.language, machine.currency.code()), (Language::parse("zh-CN").unwrap(), "CAD"));
    let sandbox = machine.account(&name("try")).unwrap();
    assert_eq!(sandbox.payment, ["wallet", "card"]);
    assert_eq!(sandbox.to_account(&machine.schedule).poll_every, Secs::minutes(10));
    let AccountKind::Sandbox { base_url, key, time_limit } = &sandbox.kind else { panic!("{sandbox:?}") };
    assert_eq!(base_url.as_str(), "http://127.0.0.1:9000/");
    assert_eq!((key, *time_limit), (&Some(SecretRef::Credential("sandbox-key".into())), Some(Secs(5))));
    let AccountKind::Airalo { client_secret, .. } = &machine.account(&name("airalo")).unwrap().kind else { panic!() };
    assert_eq!(*client_secret, SecretRef::File("/etc/simkeeper/airalo-secret".into()));
    let AccountKind::OneNce { plans, .. } = &machine.account(&name("nce")).unwrap().kind else { panic!() };
    assert_eq!((plans[0].id.as_str(), plans[0].name.as_str()), ("topup", "Top-up"));
    assert_eq!((plans[0].contents.data_bytes, plans[0].contents.sms), (Some(500_000_000), Some(250)));
    assert_eq!((plans[0].validity_secs, plans[0].price.to_string()), (Some(315_360_000), "10.00 EUR".to_owned()));
    let AccountKind::Tmf654(home) = &machine.account(&name("home")).unwrap().kind else { panic!() };
    assert_eq!(home.card_by, CardBy::Resource("account".into()));
    let words: BTreeSet<&str> = machine.accounts.iter().map(|account| account.kind.word()).collect();
    assert_eq!(words.len(), 17, "every kind is there: {words:?}");
    let anna = machine.person(&name("anna")).unwrap();
    assert_eq!(anna.sms.as_ref().unwrap().digits(), "16135550123");
    assert_eq!((anna.language, anna.quiet), (Language::ENGLISH, Some(LocalHours::parse("22:00-07:00").unwrap())));
    assert_eq!((anna.wakes, anna.from[&Carries::Sms]), (Weight::Warning, Weight::Warning));
    assert_eq!(anna.weights.of(NoticeKind::Bought), None);
    assert_eq!(anna.insistence.repeat, [Secs::HOUR, Secs::hours(4), Secs::DAY]);
    let escalate = anna.insistence.escalate.as_ref().unwrap();
    assert_eq!((escalate.after, &escalate.to), (Some(Secs::hours(2)), &vec![name("ben")]));
    assert_eq!(machine.schedule.backup, Some(Daily { hour: 4, minute: 15 }));
    let heartbeat = machine.heartbeat.as_ref().unwrap();
    assert_eq!((heartbeat.url.host_str(), heartbeat.every), (Some("hc.example.net"), Secs::minutes(10)));

    let card = &config.rules.cards[0];
    assert_eq!((card.line, card.zone.iana_name()), (2, Some("America/Toronto")));
    assert_eq!(card.msisdn.as_ref().unwrap().digits(), "16135550123");
    assert_eq!(card.fields["puk"], "12345678");
    let rule = config.rules.rule_for(&card.labels, card.rule.as_ref()).unwrap();
    assert_eq!((rule.mode, rule.line, rule.even_inactive), (Mode::Auto, 15, true));
    assert_eq!(rule.renew_when.join, Join::Any);
    let conditions: Vec<_> = rule.renew_when.triggers.iter().map(|trigger| trigger.condition).collect();
    assert_eq!(conditions[0], Condition::DataShareBelow(Percent(20)));
    assert_eq!(conditions[6], Condition::NumberEndsWithin(Secs::days(14)));
    assert_eq!(conditions.len(), 7);
    assert!(rule.renew_when.triggers.iter().all(|trigger| trigger.line == 22));
    let unanswered = rule.unanswered.as_ref().unwrap();
    assert_eq!((unanswered.fallback.word(), unanswered.within), ("buy", Secs::days(2)));
    assert_eq!(unanswered.remind_before, [Secs::DAY, Secs::hours(6)]);
    assert_eq!(rule.if_not_enough, Some(crate::domain::enough::NotEnough::Enough));
    assert_eq!(rule.ask_above, Some(Money::parse("12 USD").unwrap()));
    let choices: Vec<_> = rule.buy.iter().map(|buy| buy.choice.clone()).collect();
    assert_eq!(choices[1], Choice::Named("canada-7days-3gb".into()));
    assert_eq!(choices[2], Choice::Cheapest { data: Some(DataSize(1_000_000_000)), validity: Some(Secs::days(5)) });
    assert_eq!(choices[3], Choice::Credit(Money::parse("10 USD").unwrap()));
    assert_eq!(choices[5], Choice::Activity(vec![Activity::Credit, Activity::Plan]));
    assert_eq!((rule.from, rule.until), (Some(date(2026, 12, 1)), Some(date(2026, 12, 20))));
    assert_eq!(rule.limits.per_cycle, Some(Money::parse("30 USD").unwrap()));
    assert_eq!((rule.limits.renewals_per_cycle, config.rules.shared_limits[0].renewals_per_cycle), (Some(3), Some(20)));
    assert_eq!(rule.limits.price_rise, Some(Percent(10)));
    assert_eq!(rule.warn_before, [Secs::days(7), Secs::days(3), Secs::days(1)]);
    let all = config.rules.rule(&name("all")).unwrap();
    assert_eq!((all.renew_when.join, all.mode, all.renew_when.triggers.len()), (Join::All, Mode::Watch, 2));
}

#[test]
fn the_named_rule_comes_first_then_the_first_match_with_all_its_labels() {
    let config = parsed(include_str!("full_machine.toml"), include_str!("full_rules.toml")).unwrap();
    let rule_for = |labels: &[&str], named: Option<&str>| {
        let labels: Vec<Name> = labels.iter().map(|label| name(label)).collect();
        config.rules.rule_for(&labels, named.map(name).as_ref()).map(|rule| rule.name.to_string())
    };
    assert_eq!(rule_for(&["router", "lab"], Some("travel")).as_deref(), Some("travel"));
    assert_eq!(rule_for(&["lab", "router", "x"], None).as_deref(), Some("all"));
    assert_eq!(rule_for(&["router"], None).as_deref(), Some("any"));
    assert_eq!(rule_for(&["lab"], None), None);
    assert_eq!(rule_for(&["router"], Some("gone")), None);
}

#[test]
fn a_match_names_the_people_of_cards_that_name_none_whoever_keeps_them() {
    let machine = format!("{MACHINE}[person.ben]\nmail = \"ben@example.net\"\n");
    let rules = "[card.own]\noperator = \"try\"\nmsisdn = \"+16135550100\"\nlabels = \"router\"\nowner = \"ben\"\n[rule.fleet]\n\
        [[match]]\nlabels = \"router\"\nrule = \"fleet\"\n[[match]]\nlabels = \"router\"\nrule = \"fleet\"\nowner = \"anna\"\nwatchers = \"ben\"\n";
    let config = parsed(&machine, rules).unwrap_or_else(|problems| panic!("{problems}"));
    let card = |called: &str, label: &str, keeper| Card {
        labels: vec![name(label)],
        keeper,
        ..Card::new(CardId(1), name(called), name("try"))
    };
    let owner = |card: &Card| config.rules.roles_of(card).map(|roles| roles.owner.clone());
    assert_eq!(owner(&card("imported", "router", Keeper::Command)), Some(vec![name("anna")]));
    assert_eq!(owner(&card("own", "router", Keeper::File)), Some(vec![name("ben")]));
    assert_eq!(owner(&card("own", "router", Keeper::Command)), Some(vec![name("anna")]), "another card of that name");
    assert_eq!(owner(&card("imported", "lamp", Keeper::Command)), None);
}

#[test]
fn the_cheapest_way_to_the_last_day_needs_one_and_takes_no_amount() {
    let rules = |cheapest: &str, until: &str| {
        format!(
            "[card.a]\noperator = \"try\"\nmsisdn = \"+16135550123\"\nrule = \"r\"\n[rule.r]\nbuy = {{ cheapest = {cheapest} }}\n{until}"
        )
    };
    for cheapest in ["{}", "{ until = \"trip\" }"] {
        let config = parsed(MACHINE, &rules(cheapest, "until = 2026-12-20")).unwrap();
        assert_eq!(config.rules.rules[0].buy[0].choice, Choice::Cover);
        assert!(config.rules.rules[0].looks_ahead());
        assert!(parsed(MACHINE, &rules(cheapest, "")).is_err());
    }
    let nothing_to_outlast = rules("{ data = \"1 GB\" }", "outlast = \"50%\"");
    let problems = parsed(MACHINE, &nothing_to_outlast).unwrap_err();
    assert!(problems.to_string().contains("7:1"), "{problems}");
    let both = rules("{ data = \"1 GB\", until = \"trip\" }", "until = 2026-12-20");
    let problems = parsed(MACHINE, &both).unwrap_err();
    assert!(problems.to_string().contains("6:37"), "{problems}");
}

#[test]
fn a_trip_gives_its_days_to_rules_and_to_cards() {
    let config = parsed(include_str!("full_machine.toml"), include_str!("full_rules.toml")).unwrap();
    let days = (Some(date(2027, 1, 10)), Some(date(2027, 1, 24)));
    let any = config.rules.rule(&name("any")).unwrap();
    assert_eq!((any.from, any.until), days);
    assert_eq!(any.outlast, Some(Percent(100)), "as the trip says");
    assert_eq!(config.rules.rule(&name("travel")).unwrap().outlast, Some(Percent(40)));
    assert_eq!(any.trip.as_ref().map(|trip| trip.places.join(" ")).as_deref(), Some("CA US"));
    let summer = config.rules.rule(&name("summer")).unwrap();
    assert_eq!((summer.from, summer.until), (Some(date(2027, 7, 3)), Some(date(2027, 7, 17))), "by the calendar");
    assert_eq!(config.rules.rule(&name("spare")).unwrap().until, None);
    let mut card = Card::new(CardId(1), name("spare"), name("airalo"));
    (card.rule, card.keeper) = (Some(name("spare")), Keeper::Command);
    assert_eq!(config.rules.rule_of(&card).unwrap().until, None, "the file keeps another card of this name");
    card.keeper = Keeper::File;
    assert_eq!(config.rules.rule_of(&card).map(|rule| (rule.from, rule.until)), Some(days));
    card.name = name("other");
    assert_eq!(config.rules.rule_of(&card).unwrap().until, None);
}

#[test]
fn a_file_of_almost_nothing_gets_careful_defaults() {
    let rules = "[card.a]\noperator = \"try\"\nmsisdn = \"+16135550123\"\nrule = \"r\"\n[rule.r]\n";
    let config = parsed(MACHINE, rules).unwrap();
    assert_eq!(config.rules.rules[0].mode, Mode::Watch);
    assert_eq!(config.rules.cards[0].zone.iana_name(), Some("Europe/Berlin"), "the zone of its account");
    assert_eq!(config.machine.schedule.poll, Secs::hours(12));
    let [ChannelConfig { name, kind: ChannelKind::Maildir { path: None, .. }, .. }] =
        config.machine.channels.as_slice()
    else {
        panic!("{:?}", config.machine.channels)
    };
    assert_eq!(name.as_str(), "mail");
    assert_eq!(config.machine.accounts[0].payment, ["wallet"]);
    assert!(config.warnings.is_empty(), "{}", config.warnings);
    assert!(parsed(MACHINE, "").unwrap().rules.cards.is_empty());
}

#[test]
fn kannel_can_be_expressed() {
    let machine = format!(
        "{MACHINE}{}",
        r#"
[channel.sms]
kind = "gateway"
method = "get"
url = "http://127.0.0.1:13013/cgi-bin/sendsms"
query = { username = "keeper", password = { credential = "kannel" }, to = "{to}", text = "{text}", coding = "{coding}", charset = "UTF-8" }
success_status = [202]
success_prefix = ["0: Accepted", "3: Queued"]
permanent_status = [400, 403]
"#
    );
    let config = parsed(&machine, "").unwrap();
    let ChannelKind::Gateway(gateway) = &config.machine.channels[0].kind else { panic!() };
    let names: Vec<_> = gateway.query.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(names, ["username", "password", "to", "text", "coding", "charset"]);
    assert!(matches!(&gateway.query[1].1, GatewayValue::Secret(SecretRef::Credential(name)) if name == "kannel"));
    let to = [Piece::Placeholder(Placeholder::To)];
    assert!(matches!(&gateway.query[2].1, GatewayValue::Template(pieces) if *pieces == to));
    assert_eq!(gateway.permanent_status.iter().copied().collect::<Vec<_>>(), [400, 403]);
}

#[test]
fn files_are_read_together_and_missing_ones_named() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(RULES_FILE), "[card.a]\noperator = \"x\"\nicid = \"1\"\n").unwrap();
    let told = load(dir.path(), None).unwrap_err().to_string();
    assert!(told.contains("simkeeper.toml:1:1: the file does not exist; `simkeeper init`"), "{told}");
    assert!(told.contains("rules.toml:3:1: `card.a.icid` is not a known key; did you mean `iccid`?"), "{told}");
    assert!(!told.contains("`x`"), "the other file is unknown, so names in it are not judged: {told}");

    fs::write(dir.path().join(MACHINE_FILE), b"currency = \"CAD\"\n# caf\xe9\n").unwrap();
    let told = load(dir.path(), None).unwrap_err().to_string();
    assert!(told.contains("simkeeper.toml:2:6: the file is not UTF-8"), "{told}");
}

#[test]
fn secrets_in_files_are_looked_at_when_the_files_are_checked() {
    let dir = tempfile::tempdir().unwrap();
    let (loose, missing) = (dir.path().join("loose"), dir.path().join("missing"));
    fs::write(&loose, "hunter2").unwrap();
    fs::set_permissions(&loose, fs::Permissions::from_mode(0o644)).unwrap();
    let machine = format!(
        "currency = \"CAD\"\n[operator.a]\nkind = \"airalo\"\nclient_id = {{ file = \"{}\" }}\nclient_secret = {{ file = \"{}\" }}\n",
        loose.display(),
        missing.display()
    );
    fs::write(dir.path().join(MACHINE_FILE), machine).unwrap();
    fs::write(dir.path().join(RULES_FILE), "").unwrap();
    let told = load(dir.path(), None).unwrap_err().to_string();
    assert!(
        told.contains(&format!("simkeeper.toml:4:13: others can read {} (mode 0644); chmod 600", loose.display())),
        "{told}"
    );
    assert!(told.contains(&format!("simkeeper.toml:5:17: {} does not exist", missing.display())), "{told}");
    assert!(!told.contains("hunter2"));
}

#[test]
fn the_fingerprint_changes_with_either_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut seen = vec![fingerprint(dir.path()).unwrap()];
    for (file, text) in
        [(MACHINE_FILE, ""), (RULES_FILE, ""), (MACHINE_FILE, "a"), (RULES_FILE, "a"), (MACHINE_FILE, "")]
    {
        fs::write(dir.path().join(file), text).unwrap();
        let now = fingerprint(dir.path()).unwrap();
        assert!(!seen.contains(&now), "{file} {text:?}");
        seen.push(now);
    }
    assert_eq!(fingerprint(dir.path()).unwrap(), *seen.last().unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_text_is_read_without_panic(machine in "\\PC*", rules in "(\\PC|[\\[\\]{}=\"'\n\\x00\t.,-])*") {
        if let Err(problems) = parsed(&machine, &rules) {
            prop_assert!(problems.has_errors());
            prop_assert!(!problems.render(false).is_empty());
        }
    }

    #[test]
    fn any_damage_is_told_without_panic(at in 0usize..1_000, cut in 0usize..40, put in "(\\PC|[\\[\\]{}=\"'\n\\x00.])*") {
        let damage = |text: &str| {
            let chars: Vec<char> = text.chars().collect();
            let at = at * chars.len() / 1_000;
            let end = (at + cut).min(chars.len());
            chars[..at].iter().chain(put.chars().collect::<Vec<_>>().iter()).chain(&chars[end..]).collect::<String>()
        };
        let (machine, rules) = (damage(include_str!("full_machine.toml")), damage(include_str!("full_rules.toml")));
        if let Err(problems) = parsed(&machine, &rules) {
            prop_assert!(problems.has_errors());
            for problem in &problems {
                let text = if problem.file.ends_with(MACHINE_FILE) { &machine } else { &rules };
                prop_assert!(problem.line as usize <= text.matches('\n').count() + 1);
                prop_assert!(!problem.render(true).is_empty());
            }
        }
    }
}

#[test]
fn ten_thousand_cards_are_read_in_one_go() {
    let card = |at: u32| format!("[card.c{at}]\noperator = \"try\"\nmsisdn = \"+49{at:08}\"\nlabels = [\"fleet\"]\n");
    let text: String = (0..10_000).map(card).collect();
    assert_eq!(parsed(MACHINE, &text).unwrap().rules.cards[9_999].line, 39_997);
    assert_eq!(parsed(MACHINE, &text.replace("labels", "lables")).unwrap_err().len(), 10_000);
}
