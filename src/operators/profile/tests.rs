//! Tests of profiles: what is refused and how it is told, and that no answer whatever breaks the engine.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::domain::card::{CardId, Name};
use crate::domain::money::Money;
use crate::domain::operator::{Class, OrderKey};
use crate::domain::plan::Contents;

const NOW: UnixTime = UnixTime::clamped(1_795_348_800);

fn card() -> Card {
    let mut card = Card::new(CardId(1), Name::parse("canada").unwrap(), Name::parse("acme").unwrap());
    card.iccid = crate::domain::identity::Iccid::parse("8910300000005271146").ok();
    card
}

fn order(payment: &str, code: Option<&str>) -> Order {
    let plan = Plan {
        id: "p-1".into(),
        name: "1 GB".into(),
        contents: Contents { data_bytes: Some(1_000_000_000), ..Contents::default() },
        validity_secs: Some(30 * 86_400),
        price: Money::parse("5 USD").unwrap(),
    };
    Order { key: OrderKey::new(7), plan, payment: payment.into(), code: code.map(str::to_owned) }
}

const EXAMPLES: [&str; 4] = ["esimgo", "mobimatter", "reloadly", "zendit"];

fn example(name: &str) -> String {
    let path = format!("{}/docs/examples/operators.d/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// A whole profile that is right, for tests to break.
const RIGHT: &str = r#"format = 1
name = "acme"
base_url = "https://api.acme.example/v1"
secrets = ["api_key"]
[auth]
kind = "bearer"
token = "{secret.api_key}"
[capabilities]
repeat = { replays = "24h" }
lookup = { by_reference = "5m" }
proof = "balance"
[[read]]
path = "/cards/{iccid}"
state = { path = "$.status", words = { ON = "active" } }
[[read.allowance]]
kind = "data"
remaining = { path = "$.left", unit = "MB" }
[catalogue]
path = "/plans"
rows = "$.plans"
id = "$.id"
price = { path = "$.price", currency = "USD" }
[buy]
path = "/orders"
json = { plan = "{plan.id}", card = "{iccid}", ref = "{key}" }
[buy.success]
when = { path = "$.ref", is = "{key}" }
order_id = "$.id"
state = { path = "$.status", words = { DONE = "accepted", WAIT = "pending" } }
[find]
path = "/orders/{key}"
nothing = { status = 404 }
when = { path = "$.ref", is = "{key}" }
order_id = "$.id"
state = { path = "$.status", words = { DONE = "accepted", WAIT = "pending", BACK = "reversed", NO = "refused" } }
"#;

fn problems(text: &str) -> String {
    check_file(text, "acme.toml").err().unwrap_or_default()
}

#[test]
fn the_examples_are_right() {
    for name in EXAMPLES {
        let profile = check_file(&example(name), name).unwrap_or_else(|report| panic!("{report}"));
        assert_eq!(profile.name(), name);
        assert!(profile.summary().contains("class"), "{}", profile.summary());
    }
    let class = |name: &str| check(&example(name)).unwrap().capabilities().class();
    assert_eq!((class("esimgo"), class("reloadly"), class("zendit")), (Class::B, Class::A, Class::B));
    assert_eq!(class("mobimatter"), Class::B);
}

/// The manual's samples of TOML, in their order.
fn samples() -> Vec<String> {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/http-profile.md")).unwrap();
    let blocks = page.split("```toml\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_manual_is_right() {
    let samples = samples();
    let with =
        |start: &str| samples.iter().find(|sample| sample.starts_with(start)).unwrap_or_else(|| panic!("{start}"));
    let reading = with("format = 1");
    let first = check_file(reading, "acme.toml").unwrap_or_else(|report| panic!("{report}"));
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/http-profile.md")).unwrap();
    assert!(page.contains(&first.summary()), "{}", first.summary());
    let whole = format!("{reading}{}", with("[capabilities]"));
    let second = check_file(&whole, "acme.toml").unwrap_or_else(|report| panic!("{report}"));
    assert_eq!(second.capabilities().class(), Class::A);
    let report = problems(&reading.replace("{iccid}\"\nmust", "{icid}\"\nmust").replace("{iccid", "{icid"));
    assert!(
        page.contains("did you mean {iccid}? here may stand")
            && report.contains("did you mean {iccid}? here may stand")
    );
    // Samples of [auth] and of steps take the place of those of the first example.
    let head = "format = 1\nname = \"a\"\nbase_url = \"https://a.example\"\n";
    let steps = "[[read]]\npath = \"/a/{iccid}\"\n";
    for (names, sample) in [
        (r#"["signing_key", "access_code"]"#, with("[auth]\nkind = \"hmac\"")),
        (r#"["key_id", "key"]"#, with("[auth]\nkind = \"login\"")),
    ] {
        check_file(&format!("{head}secrets = {names}\n{sample}{steps}"), "a")
            .unwrap_or_else(|report| panic!("{report}"));
    }
    let none = "[auth]\nkind = \"none\"\n";
    let found = with("[[read]]\npath = \"/sims/find\"");
    check_file(&format!("{head}{none}{found}"), "a").unwrap_or_else(|report| panic!("{report}"));
    let sale = "[[read]]\npath = \"/a/{iccid}\"\n[[read.allowance]]\nkind = \"sms\"\nremaining = \"$.a\"\n\
                [capabilities]\ntwo_phase = \"20m\"\n[[catalogue.plan]]\nid = \"a\"\nprice = \"1 USD\"\n";
    let two_steps = with("[buy]\npath = \"/order\"");
    check_file(&format!("{head}{none}{sale}{two_steps}"), "a").unwrap_or_else(|report| panic!("{report}"));
}

#[test]
fn what_follows_from_a_profile_is_told() {
    let profile = check_file(RIGHT, "acme.toml").unwrap_or_else(|report| panic!("{report}"));
    let summary = profile.summary();
    for part in ["A: a repeat", "api.acme.example", "iccid", "burns_key", "effect_max", "none; every refusal"] {
        assert!(summary.contains(part), "{part} is not in\n{summary}");
    }
    assert!(!summary.contains("lookup   "), "{summary}");
    assert_eq!(profile.terms().needs, ["iccid"]);
}

#[test]
fn each_mistake_is_told_with_its_place_and_what_would_be_right() {
    let mut missed = Vec::new();
    for (right, wrong, place, told) in [
        ("format = 1", "format = 2", "1:10", "format = 1"),
        ("name = \"acme\"", "name = \"Acme Inc\"", "2:8", "small letters"),
        ("https://api", "http://api", "3:12", "https://"),
        ("secrets = [\"api_key\"]", "secrets = [\"api_key\", \"pin\"]", "4:23", "used nowhere"),
        ("{secret.api_key}", "{secret.key}", "7:10", "secrets = [\"key\"]"),
        ("kind = \"bearer\"", "kind = \"barer\"", "6:8", "did you mean `bearer`"),
        ("\"24h\"", "\"1 day\"", "9:22", "36h"),
        ("by_reference = \"5m\"", "by_ref = \"5m\"", "10:12", "by_reference"),
        ("/cards/{iccid}", "/cards/{icid}", "13:16", "did you mean {iccid}"),
        ("/cards/{iccid}", "cards/{iccid}", "13:8", "begins with `/`"),
        ("\"$.status\", words = { ON", "\"$.status[\", words = { ON", "14:", "JSONPath"),
        ("\"$.status\", words = { ON", "\"status\", words = { ON", "14:18", "\"$.status\""),
        ("ON = \"active\"", "ON = \"on\"", "14:45", "not_installed"),
        ("unit = \"MB\"", "unit = \"Mb\"", "17:39", "MiB"),
        (", unit = \"MB\"", "", "17:13", "unit"),
        ("[catalogue]", "[catalog]", "18:2", "did you mean `catalogue`"),
        (", currency = \"USD\"", "", "22:9", "currency"),
        ("card = \"{iccid}\", ", "", "24:8", "would buy a new one"),
        ("plan = \"{plan.id}\", ", "", "24:8", "which plan"),
        (", ref = \"{key}\"", "", "9:10", "carries our key"),
        ("ref = \"{key}\" }\n[buy", "ref = \"{key}\", pin = \"{secret.api_key}\" }\n[buy", "25:", "[auth]"),
        (
            "when = { path = \"$.ref\", is = \"{key}\" }\norder_id = \"$.id\"\nstate = { path = \"$.status\", words = { DONE = \"accepted\", WAIT = \"pending\" } }",
            "order_id = \"$.id\"",
            "26:1",
            "compared with our order",
        ),
        ("nothing = { status = 404 }\n", "", "30:1", "nothing = "),
        ("proof = \"balance\"", "proof = \"asset_ids\"", "11:9", "assets"),
        ("proof = \"balance\"", "proof = \"balance\"\ntwo_phase = \"5m\"", "12:13", "[buy.commit]"),
        ("proof = \"balance\"", "proof = \"balance\"\ntakes_codes = true", "12:15", "{code?}"),
        ("proof = \"balance\"", "proof = \"balance\"\nstacking = \"extend\"", "12:12", "extends"),
        ("[find]", "[find_by_id]", "31:8", "describe [find], too"),
        ("nothing = { status = 404 }\n", "nothing = { status = 404 }\nby_id = true\n", "33:9", "no [find_by_id]"),
        ("lookup = { by_reference = \"5m\" }\n", "", "8:1", "how long an order takes"),
        ("kind = \"bearer\"", "kind = \"bearer", "6:15", ""),
    ] {
        assert!(RIGHT.contains(right), "{right}");
        let report = problems(&RIGHT.replacen(right, wrong, 1));
        if !report.contains(&format!("acme.toml:{place}")) || !report.contains(told) {
            missed.push(format!("{wrong}: `{told}` at {place}\n{report}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n\n"));
}

#[test]
fn all_mistakes_are_told_in_one_pass_in_their_order() {
    let text = RIGHT.replace("{icc", "{ic").replace("\"MB\"", "\"mb\"").replace("order_id =", "order_no =");
    let found = check(&text).unwrap_err();
    assert!(found.len() >= 5, "{found:?}");
    assert!(found.is_sorted_by_key(|problem| problem.line));
    assert!(check("").unwrap_err().iter().any(|problem| problem.message.contains("lacks")));
    assert!(
        check("\u{0}").is_err() && check("a = [").is_err() && check("[[read]]\n[read.x]\n[find]\n[[find]]").is_err()
    );
}

fn open(text: &str) -> ProfileOperator {
    let secrets = [("api_key".to_owned(), SecretString::from("a-secret"))].into();
    ProfileOperator::open(&Way::default(), check(text).unwrap(), secrets).unwrap()
}

#[test]
fn an_account_gives_the_secrets_that_the_profile_names() {
    let profile = || check(RIGHT).unwrap();
    let open = |names: &[&str]| {
        let secrets = names.iter().map(|name| ((*name).to_owned(), SecretString::from("a-secret"))).collect();
        ProfileOperator::open(&Way::default(), profile(), secrets)
    };
    assert!(matches!(open(&[]), Err(ProfileError::NoSecret { secret, .. }) if secret == "api_key"));
    assert!(matches!(open(&["api_key", "b"]), Err(ProfileError::StrangeSecret { secret, .. }) if secret == "b"));
    let operator = open(&["api_key"]).unwrap();
    assert!(!format!("{operator:?} {:?}", operator.profile()).contains("a-secret"));
}

#[test]
fn an_order_is_stored_without_secrets_and_needs_what_names_the_card() {
    let operator = open(RIGHT);
    let mut whole = card();
    let prepared = operator.prepare(&whole, &order("wallet", None)).unwrap();
    let text = String::from_utf8(prepared.body.clone()).unwrap();
    assert!(text.contains("8910300000005271146") && text.contains("p-1") && !text.contains("a-secret"), "{text}");
    assert_eq!(operator.prepare(&whole, &order("wallet", None)).unwrap(), prepared);
    assert!(operator.prepare(&whole, &order("card", None)).is_err());
    assert!(operator.prepare(&whole, &order("wallet", Some("SAVE"))).is_err());
    whole.iccid = None;
    let error = operator.prepare(&whole, &order("wallet", None)).unwrap_err();
    assert!(
        matches!(&error, OperatorError::Never { kind: RefusalKind::CardData, why } if why.contains("`iccid`")),
        "{error:?}"
    );
}

/// What an order comes to when it is answered so.
fn judged(text: &str, status: u16, body: &str) -> BuyAnswer {
    let operator = open(text);
    let prepared = operator.prepare(&card(), &order("wallet", None)).unwrap();
    orders::judge_for_test(&operator.session, &prepared, status, body)
}

#[test]
fn only_what_is_proved_is_taken_and_only_what_is_certain_is_refused() {
    let rules = format!(
        "{RIGHT}[answers]\nok = {{ path = \"$.error\", exists = false }}\ncode = \"$.error\"\n\
         [[errors]]\npath = \"$.error\"\nis = \"EMPTY\"\nclass = \"wallet_empty\"\ncertain = true\n\
         [[errors]]\nstatus = \"4xx\"\npath = \"$.error\"\nis = \"GONE\"\nclass = \"plan_gone\"\n\
         [[errors]]\npath = \"$.error\"\nis = \"TWICE\"\nclass = \"already_used\"\n"
    );
    let key = OrderKey::new(7).as_str().to_owned();
    let ours = |more: &str| format!(r#"{{"id": 9, "ref": "{key}"{more}}}"#);
    for (status, body, expected) in [
        (200, ours(r#", "status": "DONE""#), "accepted"),
        (201, ours(r#", "status": "WAIT""#), "pending"),
        (200, ours(r#", "status": "ODD""#), "UnlistedCode"),
        (200, ours(""), "Unproven"),
        (200, r#"{"id": 9, "ref": "other", "status": "DONE"}"#.into(), "Unproven"),
        (200, "{}".into(), "Unproven"),
        (200, r#"{"error": "EMPTY"}"#.into(), "WalletEmpty"),
        (402, r#"{"error": "EMPTY"}"#.into(), "WalletEmpty"),
        (404, r#"{"error": "GONE"}"#.into(), "UnlistedCode"),
        (409, r#"{"error": "TWICE"}"#.into(), "AlreadyUsed"),
        (200, r#"{"error": "WHAT"}"#.into(), "UnlistedCode"),
        (500, r#"{"error": "EMPTY"}"#.into(), "WalletEmpty"),
        (500, "oops".into(), "ServerError"),
        (429, String::new(), "Throttled"),
        (200, "<html>".into(), "Unreadable"),
    ] {
        let answer = judged(&rules, status, &body);
        let told = match &answer {
            BuyAnswer::Accepted { order_id, .. } => {
                assert_eq!(order_id.as_deref(), Some("9"));
                "accepted".to_owned()
            }
            BuyAnswer::Pending { .. } => "pending".to_owned(),
            BuyAnswer::Refused(refusal) => format!("{:?}", refusal.kind),
            BuyAnswer::NotSent { why } => why.clone(),
            BuyAnswer::Unknown { doubt, .. } => format!("{doubt:?}"),
        };
        assert_eq!(told, expected, "{status} {body}: {answer:?}");
    }
}

/// Values of documents that may stand anywhere.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(json!("2026-12-31T00:00:00Z")),
        Just(json!("ACTIVE")),
        Just(json!("99999999999999999999999999999999")),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,6}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

/// Puts values into the places of a document, one after the other.
fn damaged(mut doc: Value, damage: &[(usize, Value)]) -> Value {
    for (at, value) in damage {
        let mut count = 0;
        replace(&mut doc, at % 40, &mut count, value);
    }
    doc
}

fn replace(doc: &mut Value, at: usize, count: &mut usize, value: &Value) {
    *count += 1;
    if *count > at {
        *doc = value.clone();
        *count = 0;
        return;
    }
    match doc {
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, at, count, value)),
        Value::Object(fields) => fields.values_mut().for_each(|item| replace(item, at, count, value)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn zendit_plans() -> Value {
    json!({"total": 1, "list": [{"offerId": "a", "iccid": "89", "status": "ACTIVE", "initialDataGB": 3, "remainingDataGB": 1.5,
        "startAt": "2026-11-01T00:00:00Z", "endAt": "2026-12-01T00:00:00Z", "unlimited": false,
        "cost": {"fixed": 450, "fee": 0, "currencyDivisor": 100, "currency": "USD"}, "enabled": true, "dataGB": 3}]})
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_answer_breaks_the_engine(damage in prop::collection::vec((any::<usize>(), any_value()), 0..6)) {
        let document = damaged(zendit_plans(), &damage);
        let secrets = [("api_key".to_owned(), SecretString::from("a-secret"))].into();
        let operator = ProfileOperator::open(&Way::default(), check(&example("zendit")).unwrap(), secrets).unwrap();
        let reading = reading::reading_for_test(&operator.session, &card(), &document, NOW);
        if let Ok(reading) = reading {
            prop_assert!(reading.allowances.len() <= 5);
        }
        drop(offers::plans_for_test(&operator.session, &document));
        drop(finding::found_for_test(&operator.session, &document));
    }

    #[test]
    fn no_file_breaks_the_check(cut in 0..4_000usize, more in "\\PC{0,20}") {
        let text = example("esimgo");
        let mut broken = text.clone();
        let at = (0..=cut.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        broken.insert_str(at, &more);
        for one in [&broken[..], &text[..at]] {
            let report = check_file(one, "x").err().unwrap_or_default();
            let mut shown = String::new();
            write!(shown, "{report}").unwrap();
            prop_assert!(!shown.contains("a-secret"));
        }
    }
}
