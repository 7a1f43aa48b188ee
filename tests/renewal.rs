//! The daemon renews cards at an operator that misbehaves. What counts is what the operator took: one order for each
//! need, however often anything fails, and none where a limit, a rule or a person says no.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail as loudly as tests")]

#[expect(dead_code, reason = "each test program uses its part of the world")]
mod world;

use serde_json::json;
use simkeeper::domain::time::Secs;
use simkeeper::sandbox::{Call, CardKind, Class, Fault, FaultKind, Life, NewCard, Settings};

use world::files::AUTO;
use world::{CLASSES, KEYED, World, ending, full, low, quick, usd};

/// Goes wrong without end.
const ALWAYS: u32 = 10_000;

// What it is for.

#[test]
fn low_data_is_renewed_once_and_the_mail_says_before_and_after() {
    let mut world = World::new().card("tablet", low, AUTO).start();
    let mail = world.until_mail(&["tablet", "renewed for 4.50 USD"]);
    assert!(mail.says(&["100 MB → 1.1 GB", "1 GB for 7 days", "SBX-00000001", "rules.toml:"]), "{}", mail.text);
    world.until_read_again(5);
    assert_eq!(world.orders("tablet").len(), 1);
    assert_eq!(world.told_of("tablet", "bought"), 1);
}

#[test]
fn a_plan_that_ends_is_renewed_once_and_lasts_longer() {
    let mut world = World::new().card("tablet", ending, AUTO).start();
    world.until_bought("tablet", 1);
    world.pass(Secs::days(2));
    world.until_read_again(3);
    assert_eq!(world.orders("tablet").len(), 1);
    world.pass(Secs::days(5));
    world.until("the next need to be met", |world| world.orders("tablet").len() == 2);
}

#[test]
fn the_cheapest_way_to_the_last_day_is_begun_and_the_mail_says_why() {
    let rule = "mode = \"auto\"\nrenew_when = { data_below = \"500 MB\" }\nbuy = { cheapest = {} }\ntrip = \"winter\"\nlimits = { per_renewal = \"10 USD\" }\n\n[trip.winter]\nuntil = 2026-12-12\nplaces = \"CA\"";
    let mut world = World::new().card("tablet", low, rule).start();
    let mail = world.until_mail(&["tablet", "renewed for 4.50 USD"]);
    assert!(mail.says(&["Why this plan", "cheapest way to have data", "Next best", "assumed"]), "{}", mail.text);
    world.until_read_again(5);
    assert_eq!(world.orders("tablet").len(), 1);
    let mut command = world::keeper::program(&["explain", "tablet", "--clock", &world.clock().words()]);
    let told = command.arg("--config").arg(world.folder()).arg("--state").arg(world.state()).output().unwrap();
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(told.contains("The trip winter (CA) is over in") && told.contains("  data: "), "{told}");
}

#[test]
fn a_card_with_credit_is_topped_up_and_one_that_is_full_is_left_alone() {
    let phone = |card: NewCard, _| NewCard { kind: CardKind::Phone, credit: Some(usd(3)), ..card };
    let rule = "mode = \"auto\"\nrenew_when = { credit_below = \"5 USD\" }\nbuy = [{ credit = \"10 USD\" }]";
    let mut world = World::new().card("phone", phone, rule).card("tablet", full, AUTO).start();
    let mail = world.until_mail(&["phone", "renewed for 10.00 USD"]);
    assert!(mail.says(&["3.00 USD → 13.00 USD"]), "{}", mail.text);
    world.until_read_again(6);
    assert_eq!((world.orders("phone").len(), world.orders("tablet").len()), (1, 0));
}

// Whatever happens on the way.

/// What goes wrong with the order, and whether the operator takes it all the same.
fn faults() -> Vec<(&'static str, FaultKind, bool)> {
    let text = |code: &str| FaultKind::Refused { code: code.to_owned(), status: 500 };
    vec![
        ("fine", FaultKind::Late { millis: 1 }, true),
        ("lost-before", FaultKind::LostBefore, false),
        ("lost-after", FaultKind::LostAfter, true),
        ("error", FaultKind::ServerError { status: 502, accepted: false }, false),
        ("error-taken", FaultKind::ServerError { status: 500, accepted: true }, true),
        ("hang", FaultKind::Hang { accepted: false }, false),
        ("hang-taken", FaultKind::Hang { accepted: true }, true),
        ("cut", FaultKind::CutBody { accepted: false }, false),
        ("cut-taken", FaultKind::CutBody { accepted: true }, true),
        ("html", FaultKind::Html { accepted: false }, false),
        ("html-taken", FaultKind::Html { accepted: true }, true),
        ("empty", FaultKind::EmptyBody { accepted: true }, true),
        ("doubled", FaultKind::Doubled, true),
        ("says-failed", FaultKind::SaysFailed { secs: 900 }, true),
        ("taken-late", FaultKind::AcceptedLate { secs: 45 }, true),
        ("throttled", FaultKind::Throttled { retry_after: Some("120".to_owned()) }, false),
        ("redirect", FaultKind::Redirect { status: 307, to: None }, false),
        ("slow", FaultKind::SlowBytes { millis: 40 }, true),
        ("huge", FaultKind::HugeBody { bytes: 1 << 26, accepted: true }, true),
        ("bomb", FaultKind::GzipBomb { bytes: 1 << 26, accepted: false }, false),
        ("stranger", FaultKind::StrangeAnswer { accepted: true }, true),
        ("used", FaultKind::DuplicateReference { accepted: true }, true),
        ("empty-wallet-500", text("wallet_empty"), false),
        ("effect-late", FaultKind::EffectLate { secs: 7_200 }, true),
    ]
}

/// Every fault at once, each on a card of its own whose plan ends tonight.
fn every_fault_in_the_order(class: Class) {
    let mut world = World::of(class, 600);
    for (name, fault, _) in faults() {
        world = world.card(name, ending, AUTO).fault(Call::Buy, fault, 1);
    }
    let mut world = world.start();
    for (name, _, taken) in faults() {
        let blind = matches!(class, Class::Neither) && !taken;
        let goal = if blind { "human" } else { "done" };
        world.until(&format!("{name} to be {goal}"), |world| {
            world.attempts(name).iter().any(|attempt| attempt.state == goal)
        });
        if blind {
            // Nobody can know, so nothing more is bought until a person has looked.
            assert_eq!((world.orders(name).len(), world.attempts(name).len()), (0, 1), "{name}");
            assert_eq!(world.told_of(name, "asked"), 1, "{name}");
            let asked = world.until_attempt(name, "human");
            world.settle_by_the_book(&asked);
        }
    }
    world.pass(Secs::hours(3));
    world.until("each need to be met", |world| world.names().iter().all(|name| world.told_of(name, "bought") == 1));
    world.pass(Secs::days(3));
    world.until_read_again(u64::try_from(faults().len()).unwrap());
    for name in world.names() {
        assert_eq!(world.orders(&name).len(), 1, "{name}\n{}", world.state_of_affairs());
    }
}

#[test]
fn every_fault_in_the_order_where_keys_are_honoured() {
    every_fault_in_the_order(KEYED);
}

#[test]
fn every_fault_in_the_order_where_orders_can_be_looked_up() {
    every_fault_in_the_order(Class::LookupOnly);
}

#[test]
fn every_fault_in_the_order_where_nothing_can_be_asked() {
    every_fault_in_the_order(Class::Neither);
}

#[test]
fn an_operator_that_is_down_for_a_while_costs_no_second_order() {
    for class in CLASSES {
        let mut world = World::of(class, 600).card("tablet", ending, AUTO);
        let down = FaultKind::ServerError { status: 503, accepted: false };
        for call in [Call::Read, Call::Catalogue, Call::Preflight, Call::Find] {
            world = world.fault(call, down.clone(), 2);
        }
        world.sandbox.fault(Fault::anywhere(Call::Wallet, down).times(2)).unwrap();
        let mut world = world.fault(Call::Buy, FaultKind::LostAfter, 1).start();
        world.until_bought("tablet", 1);
        assert_eq!(world.orders("tablet").len(), 1, "{class:?}");
    }
}

#[test]
fn an_effect_that_never_shows_is_asked_about_a_day_later_and_never_bought_again() {
    for class in CLASSES {
        let mut world = World::of(class, 300).card("tablet", ending, AUTO);
        world = world.fault(Call::Buy, FaultKind::EffectNever, ALWAYS).start();
        world.until_attempt("tablet", "accepted");
        world.pass(Secs::hours(25));
        let asked = world.until_attempt("tablet", "human");
        assert_eq!(asked.question.as_deref(), Some("effect_missing"), "{class:?}");
        world.until_mail(&["tablet", "arrive?", "simkeeper settle 1 bought"]);
        world.pass(Secs::days(2));
        world.until("a reminder", |world| world.told_of("tablet", "asked") >= 2);
        assert_eq!(world.orders("tablet").len(), 1, "{class:?}");
    }
}

#[test]
fn an_order_that_is_taken_back_later_is_told_and_not_repeated_at_once() {
    let settings = Settings { order_takes_secs: 600, ..quick() };
    let world = World::with(300, settings).card("tablet", ending, AUTO);
    let mut world = world.fault(Call::Buy, FaultKind::FailsLater { secs: 300 }, 1).start();
    world.until_attempt("tablet", "reversed");
    world.until("the mail", |world| world.told_of("tablet", "failed") == 1);
    world.until_read_again(5);
    assert_eq!(world.orders("tablet").len(), 1);
}

#[test]
fn an_order_that_is_taken_back_after_it_took_effect_is_told() {
    let world = World::of(Class::LookupOnly, 300).card("tablet", ending, AUTO);
    let mut world = world.fault(Call::Buy, FaultKind::FailsLater { secs: 86_400 }, 1).start();
    world.until_bought("tablet", 1);
    world.pass(Secs::days(2));
    world.until_attempt("tablet", "reversed");
    world.until("the mail", |world| world.told_of("tablet", "failed") == 1);
}

#[test]
fn an_order_that_stays_pending_is_asked_about_before_the_card_ends() {
    let mut world = World::of(Class::LookupOnly, 300).card("tablet", ending, AUTO);
    world = world.fault(Call::Buy, FaultKind::PendingForever, 1).start();
    world.until_attempt("tablet", "pending");
    world.pass(Secs::days(4));
    world.until("a question", |world| world.told_of("tablet", "asked") >= 1);
    assert_eq!(world.orders("tablet").len(), 1);
}

#[test]
fn stale_readings_after_a_purchase_do_not_buy_twice() {
    for class in CLASSES {
        let mut world = World::of(class, 300).card("tablet", low, AUTO).fault(Call::Read, FaultKind::StaleReading, 12);
        world = world.start();
        world.until_bought("tablet", 1);
        world.until_read_again(4);
        assert_eq!(world.orders("tablet").len(), 1, "{class:?}");
    }
}

#[test]
fn readings_that_make_no_sense_are_kept_and_not_acted_upon_while_other_cards_go_on() {
    let nonsense = [
        ("negative", FaultKind::Negative),
        ("far-end", FaultKind::FarEnd),
        ("text", FaultKind::TextForNumber),
        ("huge", FaultKind::HugeNumber),
        ("currency", FaultKind::StrangeCurrency),
    ];
    let mut world = World::new().card("tablet", low, AUTO);
    for (name, fault) in nonsense.clone() {
        world = world.card(name, low, AUTO).fault(Call::Read, fault, ALWAYS);
    }
    let mut world = world.start();
    world.until_bought("tablet", 1);
    for (name, _) in nonsense {
        world.until(&format!("{name} to be marked"), |world| {
            world.record().is_some_and(|record| record.odd(name).is_some() || record.failures(name) > 0)
        });
        assert_eq!(world.orders(name).len(), 0, "{name}");
    }
    world.sandbox.clear_faults();
    world.pass(Secs::hours(1));
    world.until("all to be renewed", |world| world.names().iter().all(|name| world.told_of(name, "bought") == 1));
    assert_eq!(world.sandbox.orders_taken(), 6);
}

#[test]
fn a_broken_account_never_stops_the_others() {
    let mut world = World::new().card("lost", low, AUTO).at("dead").card("tablet", low, AUTO);
    let port = world::mailbox::free_port();
    world.machine.tables =
        format!("[operator.dead]\nkind = \"sandbox\"\nbase_url = \"http://127.0.0.1:{port}\"\ntime_limit = \"1s\"\n");
    let mut world = world.start();
    world.until_bought("tablet", 1);
    world.until("failures to be counted", |world| world.record().is_some_and(|record| record.failures("lost") > 0));
    assert_eq!((world.orders("lost").len(), world.orders("tablet").len()), (0, 1));
}

#[test]
fn what_a_person_bought_meanwhile_is_not_bought_again() {
    let hours = "mode = \"auto\"\nrenew_when = { data_below = \"500 MB\" }\nbuy = [\"same\"]\nhours = \"06:00-07:00\"";
    let mut world = World::new().card("tablet", low, hours).start();
    world.until_read_again(2);
    world.sandbox.buy_by_hand(&world.iccid("tablet"), "data-1gb-7d").unwrap();
    world.pass(Secs::hours(6));
    world.until_read_again(4);
    assert_eq!(world.orders("tablet").len(), 0);
}

// Prices, plans and ways to pay.

#[test]
fn a_price_that_changes_between_preview_and_order_buys_nothing_and_is_told() {
    let world = World::new().card("tablet", low, AUTO);
    let mut world = world.fault(Call::Preflight, FaultKind::PriceChanged { percent: 120 }, ALWAYS).start();
    world.until_mail(&["tablet", "not renewed", "4.50 USD", "5.40 USD"]);
    world.pass(Secs::hours(2));
    world.until_read_again(3);
    assert_eq!(world.orders("tablet").len(), 0);
    assert_eq!(world.told_of("tablet", "failed"), 1, "one reason is told once");
}

#[test]
fn a_plan_that_is_dearer_than_last_time_is_asked_about() {
    let mut world = World::new().card("tablet", low, AUTO).start();
    world.until_bought("tablet", 1);
    world.sandbox.set_price("data-1gb-7d", usd(6)).unwrap();
    world.use_up("tablet");
    let mail = world.until_mail(&["tablet", "buy for 6.00 USD?"]);
    assert!(mail.says(&["4.50 USD → 6.00 USD", "simkeeper approve 2"]), "{}", mail.text);
    assert_eq!(world.orders("tablet").len(), 1);
    world.told(&json!({ "do": "approve", "id": 2 }));
    world.until_bought("tablet", 2);
    assert_eq!(world.orders("tablet")[1].price, usd(6));
}

#[test]
fn a_plan_that_is_gone_makes_way_for_the_next_of_the_list() {
    let rule = "mode = \"auto\"\nrenew_when = { data_below = \"500 MB\" }\nbuy = [\"data-1gb-7d\", \"data-3gb-30d\"]";
    let world = World::new().card("tablet", low, rule);
    world.sandbox.remove_plan("data-1gb-7d").unwrap();
    let mut world = world.start();
    world.until_mail(&["tablet", "renewed for 11.00 USD", "3 GB for 30 days"]);
    assert_eq!(world.orders("tablet")[0].plan, "data-3gb-30d");
}

#[test]
fn a_list_of_which_nothing_is_on_sale_is_told_once() {
    let world = World::new().card("tablet", low, AUTO);
    world.sandbox.remove_plan("data-1gb-7d").unwrap();
    let mut world = world.start();
    world.until("the mail", |world| world.told_of("tablet", "failed") == 1);
    world.until_read_again(4);
    assert_eq!((world.told_of("tablet", "failed"), world.orders("tablet").len()), (1, 0));
}

#[test]
fn a_plan_that_goes_at_the_last_moment_buys_nothing() {
    let world = World::new().card("tablet", low, AUTO).fault(Call::Preflight, FaultKind::PlanGone, ALWAYS);
    let mut world = world.start();
    world.until_mail(&["tablet", "not renewed"]);
    world.until_read_again(2);
    assert_eq!(world.orders("tablet").len(), 0);
}

#[test]
fn an_empty_wallet_is_told_and_nothing_is_sent_until_it_is_filled() {
    let world = World::new().card("tablet", low, AUTO);
    world.sandbox.set_wallet(usd(4)).unwrap();
    let mut world = world.start();
    world.until_mail(&["tablet", "not renewed", "4.00 USD"]);
    assert_eq!(world.sandbox.requests().get(&Call::Buy), None, "no order even left");
    world.sandbox.set_wallet(usd(20)).unwrap();
    world.pass(Secs::hours(1));
    world.until_mail(&["tablet", "renewed for 4.50 USD"]);
    assert_eq!(world.orders("tablet").len(), 1);
}

#[test]
fn a_way_to_pay_that_declines_makes_way_for_the_next() {
    let mut world = World::new().card("tablet", low, AUTO);
    world.machine.account.push_str("payment = [\"paypal\", \"card\"]\n");
    world.sandbox.set_declining("paypal", true).unwrap();
    let mut world = world.start();
    world.until_mail(&["tablet", "renewed for 4.50 USD"]);
    assert_eq!(world.orders("tablet")[0].payment, "card");
    assert_eq!(world.told_of("tablet", "failed"), 1);
}

#[test]
fn a_discount_code_makes_it_cheaper_and_a_wrong_one_is_left_out() {
    let rule = |codes: &str| format!("{AUTO}\ncodes = [{codes}]");
    let world = World::new().card("good", low, &rule("\"WINTER10\"")).card("bad", low, &rule("\"NOPE\""));
    let mut world = world.start();
    world.until("both to be bought", |world| world.orders("good").len() + world.orders("bad").len() == 2);
    assert_eq!(world.orders("good")[0].price.number(), "4.05");
    assert_eq!(world.orders("bad")[0].price.number(), "4.50");
}

#[test]
fn cards_that_cannot_be_renewed_are_told_of_and_not_bought_for() {
    let one_off = |card, now| NewCard { kind: CardKind::OneOff, ..low(card, now) };
    let asleep = |card, now| NewCard { life: Life::NotActive, ..low(card, now) };
    let blocked = |card, now| NewCard { life: Life::Blocked, ..low(card, now) };
    let world = World::new().card("one-off", one_off, AUTO).card("asleep", asleep, AUTO);
    let mut world = world.card("blocked", blocked, AUTO).start();
    for card in world.names() {
        world.until(&format!("word about {card}"), |world| world.told_of(&card, "due_soon") >= 1);
    }
    world.until_read_again(6);
    assert_eq!(world.sandbox.requests().get(&Call::Buy), None);
}

// Limits and hours.

#[test]
fn the_limit_of_a_month_holds_and_the_next_month_is_free() {
    let rule = format!("{AUTO}\nlimits = {{ per_month = \"8 USD\" }}");
    let mut world = World::new().card("tablet", low, &rule).start();
    world.until_bought("tablet", 1);
    world.use_up("tablet");
    world.until_mail(&["tablet", "not renewed", "8.00 USD"]);
    world.until_read_again(3);
    assert_eq!(world.orders("tablet").len(), 1);
    world.pass(Secs::days(31));
    world.until("the second", |world| world.orders("tablet").len() == 2);
}

#[test]
fn a_limit_that_cards_share_stops_the_third_of_them_and_the_next_month_is_free() {
    let shared = format!("{AUTO}\n[[limit]]\naccount = \"try\"\nper_month = \"9 USD\"");
    let world = World::new().card("a", low, &shared).card("b", low, AUTO).card("c", low, AUTO);
    let mut world = world.start();
    let bought = |world: &World| ["a", "b", "c"].into_iter().map(|card| world.orders(card).len()).sum::<usize>();
    world.until("two of three to be bought", |world| bought(world) == 2);
    world.until_mail(&["not renewed", "9.00 USD", "rules.toml line"]);
    world.until_read_again(3);
    assert_eq!(bought(&world), 2, "exactly the limit may be spent");
    let left = ["a", "b", "c"].into_iter().find(|card| world.orders(card).is_empty()).unwrap();
    world.pass(Secs::days(31));
    world.until("the third", |world| world.orders(left).len() == 1);
}

#[test]
fn the_limit_of_a_day_makes_the_second_wait() {
    let rule = format!("{AUTO}\nlimits = {{ renewals_per_day = 1 }}");
    let mut world = World::new().card("tablet", low, &rule).start();
    world.until_bought("tablet", 1);
    world.use_up("tablet");
    world.until_read_again(4);
    assert_eq!(world.orders("tablet").len(), 1);
    world.pass(Secs::hours(25));
    world.until_bought("tablet", 2);
    let orders = world.orders("tablet");
    assert!(orders[1].at.since(orders[0].at) >= Secs::DAY, "{orders:?}");
}

#[test]
fn a_renewal_over_its_limit_is_told_and_not_bought() {
    let rule = format!("{AUTO}\nlimits = {{ per_renewal = \"4 USD\" }}");
    let mut world = World::new().card("tablet", low, &rule).start();
    world.until("the mail", |world| world.told_of("tablet", "failed") + world.told_of("tablet", "due_soon") >= 1);
    world.until_read_again(4);
    assert_eq!(world.sandbox.requests().get(&Call::Buy), None);
}

#[test]
fn nothing_is_bought_outside_the_hours_of_the_rule() {
    let rule = format!("{AUTO}\nhours = \"03:00-04:00\"");
    let mut world = World::new().card("tablet", low, &rule).start();
    world.until_read_again(4);
    assert_eq!(world.orders("tablet").len(), 0);
    world.pass(Secs::minutes(150));
    world.until("it to be bought", |world| world.orders("tablet").len() == 1);
    let at = world.orders("tablet")[0].at.to_string();
    assert!(at.starts_with("2026-12-01T03:"), "{at}");
}

// What people say.

#[test]
fn a_card_that_is_watched_is_told_of_and_never_bought_for() {
    let rule = "mode = \"watch\"\nrenew_when = { data_below = \"500 MB\" }";
    let mut world = World::new().card("tablet", low, rule).start();
    world.until("word of it", |world| world.told_of("tablet", "due_soon") >= 1);
    world.until_read_again(4);
    assert_eq!(world.told_of("tablet", "due_soon"), 1);
    assert_eq!(world.sandbox.requests().get(&Call::Buy), None);
}

#[test]
fn a_card_that_may_not_be_renewed_in_time_any_more_is_told_of_loudly_and_once() {
    let rule = "mode = \"watch\"\nrenew_when = { plan_ends_within = \"36h\" }";
    // Where nothing can be asked about an order, its result may stay unknown for longer than the plan lasts.
    let mut world = World::of(Class::Neither, 300).card("spare", full, rule).card("tablet", ending, rule).start();
    let mail = world.until_mail(&["tablet", "may not be renewed in time: plan ends"]);
    assert!(mail.says(&["the last safe moment was", "An order may take"]), "{}", mail.text);
    world.until_read_again(6);
    assert_eq!((world.told_of("tablet", "last_safe"), world.told_of("spare", "last_safe")), (1, 0));
    let mut command = world::keeper::program(&["status", "--clock", &world.clock().words()]);
    let told = command.arg("--config").arg(world.folder()).arg("--state").arg(world.state()).output().unwrap();
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let place = |card: &str| told.find(card).unwrap_or_else(|| panic!("{told}"));
    assert!(told.contains("LAST SAFE") && place("tablet") < place("spare"), "the most urgent first: {told}");
}

#[test]
fn ask_mode_buys_once_when_a_person_agrees_and_a_second_yes_is_told() {
    let mut world = World::new().card("tablet", low, &AUTO.replace("auto", "ask")).start();
    world.until_mail(&["tablet", "buy for 4.50 USD?", "simkeeper approve 1"]);
    world.until_read_again(3);
    assert_eq!(world.orders("tablet").len(), 0);
    world.told(&json!({ "do": "approve", "id": 1 }));
    world.until_bought("tablet", 1);
    let again = world.ask(&json!({ "do": "approve", "id": 1 }));
    assert_eq!((again["answer"].as_str(), again["why"].as_str()), (Some("refused"), Some("not_now")), "{again}");
    assert_eq!(world.orders("tablet").len(), 1);
}

#[test]
fn a_dear_purchase_is_asked_about_and_a_cheaper_one_is_not() {
    let mut dear = World::new().card("tablet", low, &format!("{AUTO}\nask_above = \"4.49 USD\"")).start();
    dear.until_mail(&["tablet", "it costs more than 4.49 USD", "simkeeper approve 1"]);
    dear.until_read_again(2);
    assert_eq!(dear.orders("tablet").len(), 0);
    let mut cheap = World::new().card("tablet", low, &format!("{AUTO}\nask_above = \"4.50 USD\"")).start();
    cheap.until_bought("tablet", 1);
    assert_eq!(cheap.told_of("tablet", "asked"), 0);
}

#[test]
fn what_nobody_answers_is_decided_as_the_rule_said_beforehand() {
    let rule = |fallback| {
        format!(
            "{}\nunanswered = \"{fallback}\"\nanswer_within = \"3h\"\nremind_before = \"1h\"",
            AUTO.replace("auto", "ask")
        )
    };
    let mut world = World::new().card("buys", low, &rule("buy")).card("leaves", low, &rule("refuse")).start();
    world.until_mail(&["buys", "If nobody answers by", "the rule buys it"]);
    world.until_mail(&["leaves", "If nobody answers by", "it is not bought"]);
    world.pass(Secs::minutes(130));
    world.until_mail(&["buys", "Asked before", "once"]);
    assert_eq!(world.orders("buys").len(), 0, "there is an hour left");
    world.pass(Secs::hours(1));
    world.until_bought("buys", 1);
    world.until_mail(&["buys", "Agreed to by", "unanswered"]);
    world.until_mail(&["leaves", "Nobody answered in time"]);
    world.until_read_again(2);
    assert_eq!((world.orders("leaves").len(), world.attempts("leaves").len()), (0, 1));
}

#[test]
fn ask_mode_buys_nothing_when_a_person_says_no() {
    let mut world = World::new().card("tablet", low, &AUTO.replace("auto", "ask")).start();
    world.until_mail(&["tablet", "simkeeper refuse 1"]);
    world.told(&json!({ "do": "refuse", "id": 1, "reason": "the trip is off" }));
    world.pass(Secs::days(1));
    world.until_read_again(4);
    assert_eq!((world.orders("tablet").len(), world.attempts("tablet").len()), (0, 1));
}

#[test]
fn a_paused_card_waits_until_it_is_resumed() {
    let mut world = World::new().card("tablet", full, AUTO).start();
    world.until_read_again(1);
    world.told(&json!({ "do": "pause", "card": "tablet", "until": null }));
    world.use_up("tablet");
    world.until("word of it", |world| world.told_of("tablet", "due_soon") >= 1);
    world.pass(Secs::hours(2));
    world.until_read_again(3);
    assert_eq!(world.orders("tablet").len(), 0);
    world.told(&json!({ "do": "resume", "card": "tablet" }));
    world.until_bought("tablet", 1);
    assert_eq!(world.told_of("tablet", "paused"), 2);
}

#[test]
fn a_skipped_renewal_is_left_out() {
    let mut world = World::new().card("tablet", full, AUTO).start();
    world.until_read_again(1);
    world.told(&json!({ "do": "skip", "card": "tablet", "after_next": false }));
    world.use_up("tablet");
    world.until_read_again(5);
    assert_eq!(world.orders("tablet").len(), 0);
    world.told(&json!({ "do": "resume", "card": "tablet" }));
    world.until("it to be bought", |world| world.orders("tablet").len() == 1);
}

#[test]
fn answers_that_fail_after_a_renewal_use_up_no_wish() {
    let mut world = World::new().card("tablet", full, AUTO).start();
    world.until_read_again(2);
    let iccid = world.iccid("tablet");
    world.sandbox.buy_by_hand(&iccid, "data-1gb-7d").unwrap();
    world.until("the renewal to be seen", |world| world.record().is_some_and(|record| record.cycle("tablet") == 2));
    world.told(&json!({ "do": "skip", "card": "tablet", "after_next": false }));
    world.sandbox.fault(Fault::on(&iccid, Call::Read, FaultKind::LostBefore).times(1_000)).unwrap();
    world.until("a reading that fails", |world| world.record().is_some_and(|record| record.failures("tablet") > 0));
    let record = world.record().unwrap();
    assert_eq!(
        (record.cycle("tablet"), record.skips_next("tablet")),
        (2, true),
        "one renewal, and the next is left out"
    );
}

#[test]
fn a_person_renews_a_watched_card_at_the_price_that_was_shown() {
    let world = World::new().card("tablet", low, "mode = \"watch\"\nrenew_when = { data_below = \"500 MB\" }");
    let mut world = world.start();
    world.until("a reading", |world| world.record().is_some_and(|record| record.verdict("tablet").is_some()));
    let shown = world.ask(&json!({ "do": "preview", "card": "tablet" }));
    let (plan, price) = (&shown["plan"], &shown["price"]);
    let wrong = world.ask(&json!({ "do": "renew", "card": "tablet", "plan": plan, "price": usd(1) }));
    assert_eq!(wrong["why"], "not_now", "{wrong}");
    world.told(&json!({ "do": "renew", "card": "tablet", "plan": plan, "price": price }));
    world.until_bought("tablet", 1);
    world.until_read_again(3);
    assert_eq!(world.orders("tablet").len(), 1);
}

#[test]
fn a_person_who_says_not_bought_lets_it_be_tried_again() {
    let world = World::of(Class::Neither, 600).card("tablet", ending, AUTO);
    let mut world = world.fault(Call::Buy, FaultKind::LostBefore, 1).start();
    let asked = world.until_attempt("tablet", "human");
    world.settle_by_the_book(&asked);
    world.until_attempt("tablet", "absent");
    world.pass(Secs::hours(3));
    world.until_bought("tablet", 1);
    assert_eq!(world.orders("tablet").len(), 1);
}

// Files that change, and a daemon that comes and goes.

#[test]
fn a_changed_rule_counts_from_the_next_hang_up_and_soon_without_one() {
    let watch = "mode = \"watch\"\nrenew_when = { data_below = \"500 MB\" }";
    let mut world = World::new().card("tablet", low, watch).card("phone", low, watch).start();
    world.until("word of both", |world| world.notices().len() == 2);
    world.change_rule("tablet", AUTO);
    world.hang_up();
    world.until("the tablet to be bought for", |world| world.orders("tablet").len() == 1);
    world.change_rule("phone", AUTO);
    world.until("the phone to be bought for", |world| world.orders("phone").len() == 1);
}

#[test]
fn files_with_errors_leave_the_old_rules_at_work_and_are_told_once() {
    let mut world = World::new().card("tablet", low, AUTO).start();
    world.until_bought("tablet", 1);
    world.change_rule("tablet", &AUTO.replace("500 MB", "500 mb"));
    world.hang_up();
    world.until_mail(&["500 mb", "rules.toml"]);
    world.hang_up();
    world.use_up("tablet");
    world.until_bought("tablet", 2);
    let told = world.notices().iter().filter(|notice| notice.kind == "rules_problem").count();
    assert_eq!(told, 1);
}

#[test]
fn a_rule_that_turns_to_watching_stops_what_is_only_planned() {
    let mut world = World::new().card("tablet", low, AUTO);
    world = world.fault(Call::Preflight, FaultKind::LostBefore, ALWAYS).start();
    world.until_attempt("tablet", "planned");
    world.change_rule("tablet", "mode = \"watch\"");
    world.hang_up();
    // Before that the old rule holds, and would rightly buy.
    world.until("the files to be taken over", |world| world.log().contains("the files were reloaded"));
    world.sandbox.clear_faults();
    world.pass(Secs::hours(2));
    world.until_read_again(3);
    assert_eq!(world.orders("tablet").len(), 0);
}

#[test]
fn restarts_repeat_no_mail_and_no_order() {
    let watch = "mode = \"watch\"\nrenew_when = { data_below = \"500 MB\" }";
    let mut world = World::new().card("tablet", low, AUTO).card("phone", low, watch).start();
    world.until("both mails", |world| world.mails().len() == 2);
    for _ in 0..4 {
        world.pass(Secs::minutes(30));
        world.until_read_again(2);
    }
    assert_eq!((world.mails().len(), world.orders("tablet").len()), (2, 1));
}

#[test]
fn a_second_daemon_is_refused_and_the_first_goes_on() {
    let mut world = World::new().card("tablet", full, AUTO).start();
    let mut second = world::keeper::Keeper::start(world.folder(), &world.clock().words(), &[]);
    assert!(!second.ended().success());
    world.use_up("tablet");
    world.until_bought("tablet", 1);
    assert_eq!(world.orders("tablet").len(), 1);
}

#[test]
fn a_deleted_record_buys_nothing_until_people_have_looked() {
    let mut world = World::of(Class::Neither, 300).card("tablet", low, AUTO).card("phone", full, AUTO).start();
    world.until_bought("tablet", 1);
    world.stop();
    for name in ["simkeeper.db", "simkeeper.db-wal", "simkeeper.db-shm"] {
        drop(std::fs::remove_file(world.state().join(name)));
    }
    world.use_up("tablet");
    world.use_up("phone");
    world.begin();
    world.until_mail(&["tablet", "arrive?", "simkeeper settle 1 bought"]);
    world.until_read_again(6);
    world.pass(Secs::hours(5));
    world.until_read_again(6);
    assert_eq!(world.sandbox.orders_taken(), 1, "{}", world.state_of_affairs());
    assert_eq!(world.record().unwrap().quarantined(), 2);
    let asked = world.until_attempt("tablet", "human");
    world.settle_by_the_book(&asked);
    world.until_attempt("tablet", "done");
    world.told(&json!({ "do": "resume", "card": "phone" }));
    world.until("the confirmed card to be bought for", |world| world.orders("phone").len() == 1);
    assert_eq!(world.orders("tablet").len(), 1);
}

#[test]
fn an_older_record_buys_nothing_until_the_cards_are_confirmed() {
    let mut world = World::new().card("tablet", full, AUTO).card("phone", full, AUTO).start();
    world.until_read_again(2);
    world.stop();
    let (state, kept) = (world.state(), world.folder().join("kept.db"));
    std::fs::copy(state.join("simkeeper.db"), &kept).unwrap();
    world.use_up("tablet");
    world.begin();
    world.until_bought("tablet", 1);
    world.stop();
    std::fs::copy(&kept, state.join("simkeeper.db")).unwrap();
    world.use_up("tablet");
    world.begin();
    world.until("a question", |world| world.told_of("tablet", "asked") == 1);
    // The operator's list settles the order; the need that is new waits all the same.
    world.until_attempt("tablet", "done");
    world.until_read_again(6);
    assert_eq!((world.orders("tablet").len(), world.record().unwrap().quarantined()), (1, 2));
    world.pass(Secs::hours(28));
    world.until("two readings to agree, and the need to be met", |world| world.orders("tablet").len() == 2);
}

#[test]
fn a_damaged_journal_stops_buying_and_is_told() {
    let mut world = World::new().card("tablet", low, AUTO).start();
    world.until_bought("tablet", 1);
    world.stop();
    let path = world.state().join("orders.journal");
    let lines = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, lines.replacen("plan", "plam", 1) + &lines).unwrap();
    world.begin();
    world.use_up("tablet");
    world.until_mail(&["journal of orders", "simkeeper resume"]);
    world.until_read_again(2);
    assert_eq!(world.orders("tablet").len(), 1, "{}", world.state_of_affairs());
    assert_eq!(world.record().unwrap().quarantined(), 1);
}
