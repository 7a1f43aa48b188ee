//! Settings that cannot work are refused with words that say why, and those of the manual work.

use simkeeper::config::{AccountKind, Source, parse};
use simkeeper::domain::reading::EndKind;
use simkeeper::operators::ussd::{Ends, MenuStep, Ussd, UssdSettings};

use crate::parts::World;

type Change = fn(&mut UssdSettings);

#[tokio::test]
async fn settings_that_cannot_work_say_why() {
    let world = World::without_modem_manager();
    let wrong = |change: Change| {
        let mut settings = world.with_vouchers("1111222233334444\n");
        change(&mut settings);
        Ussd::new(settings).unwrap_err().to_string()
    };
    let cases: [(Change, &str); 16] = [
        (|s| s.read = "100".into(), "not a USSD code"),
        (|s| s.balance = vec![], "no pattern"),
        (|s| s.balance = vec!["(?P<credit>[0-9".into()], "`balance` cannot be read: unclosed character class"),
        (|s| s.balance = vec!["Balance".into()], "no named group"),
        (|s| s.balance = vec!["(?P<credit>[0-9]*)".into()], "fits an empty text"),
        (|s| s.balance = vec!["(?P<amount>[0-9]+)".into()], "`amount` is not a known group"),
        (|s| s.balance = vec!["(?P<credit_1>[0-9]+)".into()], "`credit_1` is not a known group"),
        (|s| s.balance = vec!["(?P<data>[0-9]+)".into()], "`data_unit`"),
        (|s| s.balance = vec!["(?P<ends>[0-9]+)".into()], "`ends_format`"),
        (|s| s.no_balance = vec![".*".into()], "fits an empty text"),
        (|s| s.data_unit = Some("MBit".into()), "`MBit`"),
        (|s| s.menu = vec![MenuStep { expect: "x".into(), reply: "a b".into() }], "no answer to a menu"),
        (|s| s.limit = std::time::Duration::ZERO, "no time"),
        (|s| s.top_up.as_mut().unwrap().code = "*104#".into(), "{voucher} in it once"),
        (|s| s.top_up.as_mut().unwrap().success = vec![], "no top-up is ever certain"),
        (
            |s| {
                let lists = &mut s.top_up.as_mut().unwrap().lists;
                lists.push(lists[0].clone());
            },
            "put them into one file",
        ),
    ];
    for (change, expected) in cases {
        let told = wrong(change);
        assert!(told.contains(expected) && !told.contains("1111"), "{told}");
    }
    let mut several = world.settings();
    several.balance = vec!["(?P<data_9>1) (?P<data>2) (?P<data_unit_9>MB) (?P<ends>3)".into()];
    several.ends = Some(Ends { of: EndKind::Plan, formats: vec!["%d".into()] });
    assert!(Ussd::new(several.clone()).is_err_and(|error| error.to_string().contains("data_unit")));
    several.data_unit = Some("GiB".into());
    assert!(Ussd::new(several).is_ok());
}

#[test]
fn the_example_of_the_manual_is_taken_by_the_loader_and_by_the_adapter() {
    let page = std::fs::read_to_string("docs/ussd.md").unwrap();
    let sample = |number: usize| {
        let block = page.split("```toml\n").nth(number).unwrap();
        block.split("```").next().unwrap().to_owned()
    };
    let source = |name: &str, text: String| Source { path: name.into(), text };
    let machine = source("simkeeper.toml", format!("currency = \"EUR\"\n{}", sample(1)));
    let config =
        parse(&machine, &source("rules.toml", sample(2)), None).unwrap_or_else(|problems| panic!("{problems}"));
    let account = &config.machine.accounts[0];
    let AccountKind::Ussd(access) = &account.kind else { panic!("{account:?}") };
    assert_eq!(account.payment, ["voucher"]);
    assert_eq!(access.top_up.as_ref().unwrap().vouchers.len(), 2);
    let settings = UssdSettings {
        bus: access.bus.clone(),
        read: access.read.clone(),
        menu: vec![],
        no_balance: access.no_balance.clone(),
        balance: access.balance.clone(),
        currency: access.currency,
        currency_words: access.currency_words.clone(),
        decimal_comma: access.decimal_comma,
        data_unit: access.data_unit.clone(),
        ends: access.ends.as_ref().map(|ends| Ends { of: ends.of, formats: ends.formats.clone() }),
        zone: account.zone.clone().unwrap(),
        limit: std::time::Duration::from_secs(access.time_limit.0.unsigned_abs()),
        sms: None,
        top_up: None,
    };
    Ussd::new(settings).unwrap();
}
