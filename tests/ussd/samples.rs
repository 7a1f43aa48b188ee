//! Texts of real networks, each read by patterns as the owner of such a card would write them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;
use simkeeper::domain::data::DataSize;
use simkeeper::domain::money::{Currency, Money};
use simkeeper::domain::operator::OperatorError;
use simkeeper::domain::reading::{AllowanceKind, EndKind, Reading};
use simkeeper::domain::time::UnixTime;
use simkeeper::operators::ussd::{Ends, Ussd, UssdSettings};

use crate::parts::{World, iccid, read};

#[derive(Deserialize)]
struct Samples {
    samples: Vec<Sample>,
}

#[derive(Deserialize)]
struct Sample {
    text: String,
    operator: String,
    amount: Option<String>,
    currency: Option<String>,
    expiry_text: Option<String>,
}

/// How the owner of a card describes the answers: pattern, comma, forms of the end, zone.
struct Own(&'static str, bool, &'static str, &'static str);

const POINT: bool = false;
const COMMA: bool = true;
/// Words of notices that tell nothing, of operators whose notices are among the samples.
const NO_BALANCE: [&str; 4] =
    ["Wartungsarbeiten", "derzeit leider nicht", "no puede ser tramitada", "^Initiating Release$"];

fn own(operator: &str) -> Own {
    match operator {
        "T-Mobile US" => Own(
            r"active until (?P<ends>[0-9/]+).*Account Balance \$(?P<credit>[0-9.]+[0-9])",
            POINT,
            "%m/%d/%Y",
            "America/New_York",
        ),
        "O2 UK" => Own(r"balance is (?P<currency>£)(?P<credit>[0-9.]+[0-9])", POINT, "", ""),
        "Vodafone DE" => Own(r"Guthaben: (?P<credit>[0-9,]+) (?P<currency>EUR)", COMMA, "", ""),
        "Indonesia" => Own(r"Pulsa Rp (?P<credit>[0-9]+) s\.d\. (?P<ends>[0-9-]+)", COMMA, "%d-%m-%Y", "Asia/Jakarta"),
        "Plus PL" => Own(
            r"numeru [0-9]+: (?P<credit>[0-9,]+) PLN\. Konto wazne do dnia (?P<ends>[0-9-]+ [0-9:]+)",
            COMMA,
            "%d-%m-%Y %H:%M:%S",
            "Europe/Warsaw",
        ),
        "Kaufland mobil DE" => Own(
            "(?P<credit>[0-9,]+) EUR Startguthaben, (?P<credit_2>[0-9,]+) EUR Kaufguthaben und (?P<credit_3>[0-9,]+) EUR",
            COMMA,
            "",
            "",
        ),
        "Sunrise CH" => Own(r"CHF (?P<credit>[0-9]+\.[0-9]{2})", POINT, "", ""),
        "nju PL" => Own(r"konta glownego: (?P<credit>[0-9.]+) (?P<currency>zl)", POINT, "", ""),
        "O2 CZ" => Own(
            r"je (?P<credit>[0-9]+) (?P<currency>Kc),.*bezneho kreditu: (?P<ends>[0-9. :]+[0-9])\.",
            COMMA,
            "%d. %m. %Y %H:%M",
            "Europe/Prague",
        ),
        "silent.link" => Own(r"(?P<currency>USD):(?P<credit>[0-9.]+)", POINT, "", ""),
        "NTC Nepal (test string of the project)" => Own(r"balance is Rs\. (?P<credit>[0-9.]+) ", POINT, "", ""),
        "Ncell Nepal (test string of the project)" => Own(r"Balance:Rs\. (?P<credit>[0-9]+\.[0-9]+)", POINT, "", ""),
        "Ukraine (*112#)" => {
            Own(r"(?P<voice>[0-9]+:[0-9]{2}) HV NA INSHI MEREZHI; (?P<sms>[0-9]+) SMS PO UKRAINI", POINT, "", "")
        }
        "Tele2 RU" => Own(
            "Tele2 РФ; (?P<data>[0-9]+) (?P<data_unit>МБ).*периода: (?P<data_2>[0-9]+) МБ.*до (?P<ends>[0-9.]+ [0-9:]+)",
            POINT,
            "%d.%m.%y %H:%M",
            "Europe/Moscow",
        ),
        "Telekom HU (*102#)" => Own(r"Feltöltött egyenleg: (?P<credit>[0-9]+)(?P<currency>Ft)", COMMA, "", ""),
        "Vodafone NZ, answer to SMS 'BAL' to 777 (format description)" => Own(
            r"Credit: \$(?P<credit>[0-9.]+) / Expiry date: (?P<ends>[0-9/]+)",
            POINT,
            "%d/%m/%Y",
            "Pacific/Auckland",
        ),
        "RU (#102#)" => Own(r"balans (?P<credit>[0-9.]+) r\.", POINT, "", ""),
        "Vodacom ZA (*100#), second line (+CUSD: 0)" => Own(r"is R(?P<credit>[0-9]+\.[0-9]{2})\.", POINT, "", ""),
        "UA (*111#)" => Own("Balans (?P<credit>[0-9.]+)hrn", POINT, "", ""),
        // Notices: whoever wrote this pattern was careless, and is saved by the patterns of notices before it.
        "DE" | "ES language" | "Vodacom ZA, first line (+CUSD: 2)" => Own("(?P<credit>[0-9]+|Release)", POINT, "", ""),
        other => panic!("nobody described {other}"),
    }
}

fn settings(world: &World, sample: &Sample) -> UssdSettings {
    let Own(pattern, comma, form, zone) = own(&sample.operator);
    let ends = (!form.is_empty()).then(|| Ends { of: EndKind::Credit, formats: vec![form.into()] });
    UssdSettings {
        balance: vec![pattern.into()],
        no_balance: NO_BALANCE.map(str::to_owned).to_vec(),
        currency: Currency::parse(sample.currency.as_deref().unwrap_or("EUR")).unwrap(),
        currency_words: ["£", "zl", "Kc", "Ft"].map(str::to_owned).to_vec(),
        decimal_comma: comma,
        ends,
        zone: if zone.is_empty() { jiff::tz::TimeZone::UTC } else { jiff::tz::TimeZone::get(zone).unwrap() },
        ..world.settings()
    }
}

/// When the ends of the samples are over.
fn end_of(text: &str) -> UnixTime {
    let ends = BTreeMap::from([
        ("08/10/2022", "2022-08-11T04:00:00Z"),
        ("01-01-2022", "2022-01-01T17:00:00Z"),
        ("01-01-2022 01:02:03", "2022-01-01T00:02:03Z"),
        ("30. 1. 2024 18:18", "2024-01-30T17:18:00Z"),
        ("21.11.19 23:59", "2019-11-21T20:59:00Z"),
        ("25/03/2003", "2003-03-25T12:00:00Z"),
    ]);
    UnixTime::parse(ends[text]).unwrap()
}

fn has_amount(sample: &Sample, reading: &Reading) {
    let expected = sample.amount.as_deref().map(|amount| {
        Money::from_decimal(amount, Currency::parse(sample.currency.as_deref().unwrap()).unwrap()).unwrap()
    });
    assert_eq!(reading.credit(), expected, "{}", sample.text);
    let end = reading.credit_ends.map(|end| end.at);
    let expected = sample.expiry_text.as_deref().filter(|text| *text != "never").map(end_of);
    assert_eq!(end, expected, "{}", sample.text);
}

#[tokio::test]
async fn every_sample_is_read_as_people_read_it() {
    let text = std::fs::read_to_string("tests/data/ussd/samples.json").unwrap();
    let Samples { samples } = serde_json::from_str(&text).unwrap();
    let world = World::answering(&json!({ "text": "" }));
    let (mut read_count, mut notices) = (0, 0);
    for sample in &samples {
        world.write(&json!([{ "iccid": iccid(1), "answers": { "*": { "text": sample.text } } }]));
        let told = read(&Ussd::new(settings(&world, sample)).unwrap()).await;
        let tells = sample.amount.is_some() || sample.text.contains("ZALYSHOK") || sample.operator == "Tele2 RU";
        if tells {
            has_amount(sample, &told.unwrap_or_else(|error| panic!("{}: {error}", sample.text)));
            read_count += 1;
        } else {
            assert!(matches!(told, Err(OperatorError::Later { .. })), "{}: {told:?}", sample.text);
            notices += 1;
        }
    }
    assert_eq!((read_count, notices), (19, 4));
}

#[tokio::test]
async fn what_is_not_money_is_counted_in_its_own_unit() {
    let text = std::fs::read_to_string("tests/data/ussd/samples.json").unwrap();
    let Samples { samples } = serde_json::from_str(&text).unwrap();
    let world = World::answering(&json!({ "text": "" }));
    let told = async |operator: &str| {
        let sample = samples.iter().find(|sample| sample.operator == operator).unwrap();
        world.write(&json!([{ "iccid": iccid(1), "answers": { "*": { "text": sample.text } } }]));
        read(&Ussd::new(settings(&world, sample)).unwrap()).await.unwrap()
    };
    let ukraine = told("Ukraine (*112#)").await;
    let left = |kind| ukraine.left(kind).remaining;
    assert_eq!((left(AllowanceKind::Voice), left(AllowanceKind::Sms)), (1_424 * 60, 1_500));
    assert_eq!(ukraine.credit(), None);
    let russia = told("Tele2 RU").await;
    assert_eq!(russia.data_left(), Some(DataSize(7_022_000_000)));
}

#[tokio::test]
async fn an_odd_text_is_unknown_and_never_nothing() {
    let world = World::answering(&json!({ "text": "" }));
    let mut settings = world.settings();
    settings.balance = vec![r"Balance:? *(?P<credit>\S+)? *(?P<currency>EUR|USD)?( until (?P<ends>.+))?".into()];
    settings.ends = Some(Ends { of: EndKind::Credit, formats: vec!["%d.%m.%Y".into()] });
    let ussd = Ussd::new(settings).unwrap();
    let long = "Balance: 5.20 EUR ".repeat(200);
    for text in [
        "",
        "\u{1b}[2J\u{202e}\r\n",
        "0",
        "Balance",
        "Balance: ,",
        "Balance: n/a EUR",
        "Balance: 5,20 EUR",
        "Balance: 5.2.0 EUR",
        "Balance: 1e5 EUR",
        "Balance: NaN EUR",
        "Balance: 99999999999999999999 EUR",
        "Balance: 5.12345 EUR",
        "Balance: 5.20 USD",
        "Balance: 5.20 EUR until 31.02.2027",
        "Balance: 5.20 EUR until tomorrow",
        "42616C616E63653A20352E3230",
        &long,
    ] {
        world.write(&json!([{ "iccid": iccid(1), "answers": { "*": { "text": text } } }]));
        let told = read(&ussd).await;
        let Err(OperatorError::Unknown { why }) = told else { panic!("{text:?}: {told:?}") };
        assert!(!why.contains(['\r', '\u{1b}', '\u{202e}', '\n']) && why.chars().count() < 500, "{why:?}");
    }
    for (text, expected) in [("Balance: 0.00 EUR", "0 EUR"), ("Balance: 5.20 EUR until 28.02.2027", "5.20 EUR")] {
        world.write(&json!([{ "iccid": iccid(1), "answers": { "*": { "text": text } } }]));
        assert_eq!(read(&ussd).await.unwrap().credit(), Some(Money::parse(expected).unwrap()));
    }
}
