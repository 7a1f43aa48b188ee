//! The sandbox operator over real HTTP on loopback, as the adapter sees it and as any client does. What counts is what
//! the sandbox took, not what it said.
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as loudly as the test itself")]
use secrecy::SecretString;
use serde_json::{Value, json};
use simkeeper::domain::card::{Card, CardId, Name};
use simkeeper::domain::identity::Iccid;
use simkeeper::domain::money::Money;
use simkeeper::domain::operator::{
    BuyAnswer, Class as EngineClass, Doubt, Found, OperatorError, Order, OrderKey, PreparedOrder, RefusalKind,
    SentOrder,
};
use simkeeper::domain::plan::Plan;
use simkeeper::domain::reading::{AllowanceKind, CardState, Oddity, Reading, Renewable, oddity};
use simkeeper::domain::time::{Secs, UnixTime};
use simkeeper::operators::Operator;
use simkeeper::operators::http::HttpSettings;
use simkeeper::operators::sandbox::SandboxOperator;
use simkeeper::operators::tls::install_provider;
use simkeeper::sandbox::{
    Call, CardChange, CardKind, Class, DEFAULT_KEY, Fault, FaultKind, Life, NewCard, Options, Running, Sandbox,
    Settings, run, serve, serve_sandbox,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const ICCID: &str = "8944501312167518236";
const START: i64 = 1_800_000_000;
const KEYED: Class = Class::KeyHonoured { window_secs: 3_600 };

/// A sandbox, its clock, and an account at it.
struct Shop {
    running: Running,
    clock: Arc<AtomicI64>,
    operator: SandboxOperator,
}

impl Shop {
    async fn open(class: Class) -> Self {
        Self::with(Settings { class, ..Settings::default() }).await
    }

    async fn with(settings: Settings) -> Self {
        let clock = Arc::new(AtomicI64::new(START));
        let hands = Arc::clone(&clock);
        let tell = Arc::new(move || UnixTime::clamped(hands.load(Ordering::SeqCst)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let running = serve(listener, settings, tell).await.unwrap();
        let new = NewCard { plan: Some("data-1gb-7d".into()), ..NewCard::new(ICCID) };
        running.sandbox.add_card(new).unwrap();
        let operator = SandboxOperator::connect(&http_settings(&running.base_url()), key()).await.unwrap();
        Self { running, clock, operator }
    }

    fn sandbox(&self) -> &Sandbox {
        &self.running.sandbox
    }

    fn now(&self) -> UnixTime {
        self.sandbox().now()
    }

    fn pass(&self, length: Secs) {
        self.clock.fetch_add(length.0, Ordering::SeqCst);
    }

    async fn read(&self) -> Result<Reading, OperatorError> {
        self.operator.read(&[card(ICCID)], self.now()).await.remove(0)
    }

    async fn plan(&self, id: &str) -> Plan {
        self.operator.catalogue(&card(ICCID), self.now()).await.unwrap().find(id).unwrap().clone()
    }

    async fn order(&self, number: u128) -> PreparedOrder {
        let plan = self.plan("data-1gb-7d").await;
        let order = Order { key: OrderKey::new(number), plan, payment: "wallet".into(), code: None };
        self.operator.prepare(&card(ICCID), &order).unwrap()
    }

    async fn buy(&self, number: u128) -> BuyAnswer {
        self.operator.buy(&self.order(number).await).await
    }

    async fn find(&self, number: u128) -> Result<Found, OperatorError> {
        let sent = SentOrder {
            key: OrderKey::new(number),
            order_id: None,
            plan_id: "data-1gb-7d".into(),
            price: Money::zero(simkeeper::domain::money::Currency::USD),
            before: None,
            first_sent_at: self.now(),
        };
        self.operator.find(&card(ICCID), &sent).await
    }

    fn fault(&self, call: Call, kind: FaultKind) {
        self.sandbox().fault(Fault::on(ICCID, call, kind)).unwrap();
    }

    fn taken(&self) -> u64 {
        self.sandbox().orders_taken()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.running.base_url())
    }
}

fn http_settings(base: &str) -> HttpSettings {
    HttpSettings {
        read_limit: Duration::from_secs(2),
        buy_limit: Duration::from_secs(2),
        ..HttpSettings::new(base, &[])
    }
}

fn key() -> SecretString {
    SecretString::from(DEFAULT_KEY)
}

fn client() -> reqwest::Client {
    install_provider();
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

fn card(iccid: &str) -> Card {
    Card {
        iccid: Some(Iccid::parse(iccid).unwrap()),
        ..Card::new(CardId(1), Name::parse("canada").unwrap(), Name::parse("try").unwrap())
    }
}

fn usd(text: &str) -> Money {
    Money::parse(&format!("{text} USD")).unwrap()
}

fn doubt_of(answer: BuyAnswer) -> Option<Doubt> {
    match answer {
        BuyAnswer::Unknown { doubt, .. } => Some(doubt),
        BuyAnswer::Accepted { .. } | BuyAnswer::Pending { .. } | BuyAnswer::Refused(_) | BuyAnswer::NotSent { .. } => {
            None
        }
    }
}

#[tokio::test]
async fn a_purchase_from_the_first_reading_to_its_effect() {
    let shop = Shop::open(KEYED).await;
    assert_eq!(shop.operator.capabilities().class(), EngineClass::A);
    let before = shop.read().await.unwrap();
    assert_eq!((before.state, before.renewable, before.assets.len()), (CardState::Active, Renewable::Yes, 1));
    assert_eq!(before.data_left().unwrap().bytes(), 1_000_000_000);
    assert_eq!(before.plan_ends.unwrap().at, shop.now().plus(Secs::days(7)));
    let wallet = shop.operator.wallet().await.unwrap();
    assert_eq!(wallet.balance, Some(usd("100")));
    let plan = shop.plan("data-1gb-7d").await;
    let preflight = shop.operator.preflight(&card(ICCID), &plan, None).await.unwrap();
    assert!(preflight.offer.unwrap().same_offer(&plan));
    assert_eq!(preflight.operator_time, Some(shop.now()));

    let BuyAnswer::Pending { order_id } = shop.buy(7).await else { panic!("it should be pending") };
    assert_eq!(shop.find(7).await.unwrap(), Found::Nothing, "it is not listed yet");
    shop.pass(Secs(60));
    assert_eq!(shop.find(7).await.unwrap(), Found::Pending { order_id: order_id.clone() });
    shop.pass(Secs(60));
    assert_eq!(shop.find(7).await.unwrap(), Found::Accepted { order_id, charged: Some(usd("4.50")) });
    let after = shop.read().await.unwrap();
    assert_eq!((after.assets.len(), after.data_left().unwrap().bytes()), (2, 2_000_000_000));
    assert_eq!(after.plan_ends.unwrap().at, before.plan_ends.unwrap().at.plus(Secs::days(7)));
    assert_eq!(shop.operator.wallet().await.unwrap().balance, Some(usd("95.50")));
    assert_eq!((shop.taken(), shop.sandbox().wallet()), (1, usd("95.50")));
    let orders = shop.sandbox().accepted_orders();
    assert_eq!((orders[0].key.as_str(), orders[0].state), (OrderKey::new(7).as_str(), "completed"));
    assert_eq!(shop.sandbox().requests()[&Call::Buy], 1);
}

#[tokio::test]
async fn the_same_order_twice_pays_once_or_twice_by_class() {
    for (class, engine, taken) in
        [(KEYED, EngineClass::A, 1), (Class::LookupOnly, EngineClass::B, 2), (Class::Neither, EngineClass::C, 2)]
    {
        let shop = Shop::open(class).await;
        assert_eq!(shop.operator.capabilities().class(), engine);
        let (first, second) = (shop.buy(1).await, shop.buy(1).await);
        assert_eq!(shop.taken(), taken, "{class:?}");
        assert_eq!(first == second, taken == 1, "{class:?}");
        shop.pass(Secs::HOUR);
        match (engine, shop.find(1).await) {
            (EngineClass::C, found) => assert!(matches!(found, Err(OperatorError::Never { .. })), "{found:?}"),
            (EngineClass::A | EngineClass::B, found) => {
                assert!(matches!(found, Ok(Found::Accepted { .. })), "{found:?}")
            }
        }
    }
}

#[tokio::test]
async fn a_key_is_honoured_within_its_window_only() {
    let shop = Shop::open(KEYED).await;
    shop.buy(1).await;
    shop.pass(Secs(3_599));
    assert!(matches!(shop.buy(1).await, BuyAnswer::Accepted { .. }));
    assert_eq!(shop.taken(), 1);
    shop.pass(Secs(1));
    shop.buy(1).await;
    assert_eq!(shop.taken(), 2);
    // A refusal is repeated too, even when its reason is gone.
    shop.sandbox().set_wallet(usd("1")).unwrap();
    assert!(matches!(shop.buy(2).await, BuyAnswer::Refused(refusal) if refusal.kind == RefusalKind::WalletEmpty));
    shop.sandbox().set_wallet(usd("50")).unwrap();
    assert!(matches!(shop.buy(2).await, BuyAnswer::Refused(_)));
    assert!(matches!(shop.buy(3).await, BuyAnswer::Pending { .. }));
}

#[tokio::test]
async fn faults_of_an_order_that_leave_a_doubt() {
    let both = |fault: fn(bool) -> FaultKind, doubt| [(fault(false), doubt, 0), (fault(true), doubt, 1)];
    let mut table = vec![
        (FaultKind::LostBefore, Doubt::Broken, 0),
        (FaultKind::LostAfter, Doubt::Broken, 1),
        (FaultKind::Late { millis: 60_000 }, Doubt::TimedOut, 1),
        (FaultKind::SlowBytes { millis: 400 }, Doubt::TimedOut, 1),
        (FaultKind::Throttled { retry_after: Some("7".into()) }, Doubt::Throttled, 0),
        (FaultKind::Refused { code: "wallet_empty".into(), status: 500 }, Doubt::ServerError, 0),
        (FaultKind::Refused { code: "no_idea".into(), status: 422 }, Doubt::UnlistedCode, 0),
        (FaultKind::SaysFailed { secs: 600 }, Doubt::UnlistedCode, 1),
    ];
    table.extend(both(|accepted| FaultKind::Hang { accepted }, Doubt::TimedOut));
    table.extend(both(|accepted| FaultKind::Html { accepted }, Doubt::Unreadable));
    table.extend(both(|accepted| FaultKind::EmptyBody { accepted }, Doubt::Unreadable));
    table.extend(both(|accepted| FaultKind::CutBody { accepted }, Doubt::Broken));
    table.extend(both(|accepted| FaultKind::HugeBody { bytes: 1 << 30, accepted }, Doubt::Unreadable));
    table.extend(both(|accepted| FaultKind::GzipBomb { bytes: 1 << 30, accepted }, Doubt::Unreadable));
    table.extend(both(|accepted| FaultKind::StrangeAnswer { accepted }, Doubt::Unproven));
    table.extend(both(|accepted| FaultKind::DuplicateReference { accepted }, Doubt::AlreadyUsed));
    for status in [500, 502, 503, 504] {
        table.push((FaultKind::ServerError { status, accepted: false }, Doubt::ServerError, 0));
        table.push((FaultKind::ServerError { status, accepted: true }, Doubt::ServerError, 1));
    }
    for status in [301, 302, 303, 307, 308] {
        table.push((FaultKind::Redirect { status, to: None }, Doubt::Redirected, 0));
        let to = Some("http://127.0.0.2:9/v1/orders".into());
        table.push((FaultKind::Redirect { status, to }, Doubt::Redirected, 0));
    }
    let shop = Shop::open(Class::LookupOnly).await;
    for (number, (fault, doubt, taken)) in table.into_iter().enumerate() {
        shop.sandbox().reset();
        shop.sandbox().add_card(NewCard::new(ICCID)).unwrap();
        shop.fault(Call::Buy, fault.clone());
        let answer = shop.buy(number as u128).await;
        assert_eq!(doubt_of(answer.clone()), Some(doubt), "{fault:?}: {answer:?}");
        assert_eq!(shop.taken(), taken, "{fault:?}");
        assert_eq!(shop.sandbox().requests()[&Call::Buy], 1, "{fault:?}: it is sent once");
        assert!(!format!("{answer:?}").contains(DEFAULT_KEY));
    }
}

#[tokio::test]
async fn refusals_are_certain_and_take_nothing() {
    let shop = Shop::open(Class::LookupOnly).await;
    let refused = async |number| match shop.buy(number).await {
        BuyAnswer::Refused(refusal) => refusal.kind,
        other => panic!("{other:?}"),
    };
    for (number, (life, kind)) in [
        (Life::Recycled, RefusalKind::CardDead),
        (Life::Blocked, RefusalKind::Other),
        (Life::NotInstalled, RefusalKind::NotActive),
        (Life::NotActive, RefusalKind::NotActive),
    ]
    .into_iter()
    .enumerate()
    {
        shop.sandbox().change_card(ICCID, &CardChange { life: Some(life), ..CardChange::default() }).unwrap();
        assert_eq!(refused(number as u128).await, kind);
    }
    shop.sandbox().change_card(ICCID, &CardChange { life: Some(Life::Live), ..CardChange::default() }).unwrap();
    shop.sandbox().set_declining("wallet", true).unwrap();
    assert_eq!(refused(10).await, RefusalKind::PaymentDeclined);
    shop.sandbox().set_declining("wallet", false).unwrap();
    shop.fault(Call::Buy, FaultKind::TokenExpired);
    assert_eq!(refused(11).await, RefusalKind::Access);
    shop.fault(Call::Buy, FaultKind::Refused { code: "wallet_empty".into(), status: 200 });
    assert_eq!(refused(12).await, RefusalKind::WalletEmpty);
    shop.fault(Call::Buy, FaultKind::Refused { code: "maintenance".into(), status: 422 });
    assert_eq!(refused(13).await, RefusalKind::Passing);
    shop.fault(Call::Buy, FaultKind::PriceChanged { percent: 110 });
    assert_eq!(refused(14).await, RefusalKind::PlanGone);
    let order = shop.order(15).await;
    shop.sandbox().set_price("data-1gb-7d", usd("5")).unwrap();
    assert!(matches!(shop.operator.buy(&order).await, BuyAnswer::Refused(_)));
    shop.sandbox().remove_plan("data-1gb-7d").unwrap();
    assert!(matches!(shop.operator.buy(&order).await, BuyAnswer::Refused(_)));
    shop.sandbox().add_card(NewCard { kind: CardKind::OneOff, ..NewCard::new(ICCID) }).unwrap();
    let dead = shop.operator.buy(&order).await;
    assert!(matches!(dead, BuyAnswer::Refused(refusal) if refusal.kind == RefusalKind::CardDead));
    assert_eq!(shop.read().await.unwrap().renewable, Renewable::OneOff);
    assert_eq!((shop.taken(), shop.sandbox().wallet()), (0, usd("100")));
}

#[tokio::test]
async fn prices_that_change_and_plans_that_go_show_before_the_order() {
    let shop = Shop::open(KEYED).await;
    let plan = shop.plan("data-1gb-7d").await;
    let offer = async |code| shop.operator.preflight(&card(ICCID), &plan, code).await.map(|told| told.offer);
    assert_eq!(offer(Some("WINTER10")).await.unwrap().unwrap().price, usd("4.05"));
    let bad = offer(Some("SUMMER")).await;
    assert!(matches!(bad, Err(OperatorError::Never { kind: RefusalKind::BadCode, .. })), "{bad:?}");
    shop.fault(Call::Preflight, FaultKind::PriceChanged { percent: 120 });
    assert_eq!(offer(None).await.unwrap().unwrap().price, usd("5.40"));
    shop.fault(Call::Preflight, FaultKind::PlanGone);
    assert_eq!(offer(None).await.unwrap(), None);
    assert_eq!(offer(None).await.unwrap().unwrap().price, usd("4.50"));
    shop.fault(Call::Catalogue, FaultKind::PlanGone);
    assert!(shop.operator.catalogue(&card(ICCID), shop.now()).await.unwrap().plans.is_empty());
    // With a code either price may be agreed to; what is charged is the lower one.
    let order = Order { key: OrderKey::new(1), plan, payment: "paypal".into(), code: Some("WINTER10".into()) };
    let prepared = shop.operator.prepare(&card(ICCID), &order).unwrap();
    assert!(matches!(shop.operator.buy(&prepared).await, BuyAnswer::Pending { .. }));
    assert_eq!(shop.sandbox().accepted_orders()[0].price, usd("4.05"));
    assert_eq!(shop.sandbox().wallet(), usd("100"));
}

#[tokio::test]
async fn an_order_may_be_taken_after_its_answer_was_lost() {
    let shop = Shop::open(KEYED).await;
    shop.fault(Call::Buy, FaultKind::AcceptedLate { secs: 600 });
    assert_eq!(doubt_of(shop.buy(1).await), Some(Doubt::Broken));
    assert_eq!(shop.taken(), 0);
    assert_eq!(doubt_of(shop.buy(1).await), Some(Doubt::AlreadyUsed), "the first one is still in progress");
    assert_eq!(shop.find(1).await.unwrap(), Found::Nothing);
    shop.pass(Secs(600));
    assert!(matches!(shop.buy(1).await, BuyAnswer::Pending { .. }));
    assert_eq!(shop.taken(), 1);
    shop.pass(Secs(60));
    assert!(matches!(shop.find(1).await.unwrap(), Found::Pending { .. }));
}

#[tokio::test]
async fn effects_come_late_or_never_and_orders_turn() {
    let shop = Shop::open(KEYED).await;
    let assets = async || shop.read().await.unwrap().assets.len();
    shop.fault(Call::Buy, FaultKind::EffectLate { secs: 21_600 });
    shop.buy(1).await;
    shop.pass(Secs(120 + 21_599));
    assert_eq!(assets().await, 1);
    shop.pass(Secs(1));
    assert_eq!(assets().await, 2);
    shop.fault(Call::Buy, FaultKind::EffectNever);
    shop.buy(2).await;
    shop.fault(Call::Buy, FaultKind::PendingForever);
    shop.buy(3).await;
    shop.fault(Call::Buy, FaultKind::FailsLater { secs: 7_200 });
    shop.buy(4).await;
    shop.fault(Call::Buy, FaultKind::SaysFailed { secs: 7_200 });
    shop.buy(5).await;
    shop.pass(Secs::HOUR);
    assert!(matches!(shop.find(2).await.unwrap(), Found::Accepted { .. }));
    assert!(matches!(shop.find(4).await.unwrap(), Found::Accepted { .. }));
    assert!(matches!(shop.find(5).await, Err(OperatorError::Unknown { .. })));
    assert_eq!(assets().await, 4, "the first package and orders 1, 4 and 5");
    shop.pass(Secs::HOUR);
    assert!(matches!(shop.find(3).await.unwrap(), Found::Pending { .. }));
    assert!(matches!(shop.find(4).await.unwrap(), Found::Reversed { .. }));
    assert!(matches!(shop.find(5).await.unwrap(), Found::Accepted { .. }));
    assert_eq!(assets().await, 3, "order 4 is taken back");
    assert_eq!((shop.taken(), shop.sandbox().wallet()), (5, usd("82")));
}

#[tokio::test]
async fn a_list_is_looked_through_to_its_end_and_names_must_match_whole() {
    let shop = Shop::with(Settings { class: Class::LookupOnly, page_size: 2, ..Settings::default() }).await;
    for number in 1..=4 {
        shop.buy(number).await;
    }
    shop.fault(Call::Buy, FaultKind::Doubled);
    shop.buy(5).await;
    shop.sandbox().buy_by_hand(ICCID, "data-1gb-7d").unwrap();
    assert_eq!(shop.find(5).await.unwrap(), Found::Nothing, "it is not listed yet");
    shop.pass(Secs(60));
    assert!(matches!(shop.find(5).await.unwrap(), Found::Pending { .. }), "it stands on page 3, twice");
    assert_eq!(shop.find(6).await.unwrap(), Found::Nothing);
    let listed: Value = client()
        .get(shop.url(&format!("/v1/orders?iccid={ICCID}&page=4")))
        .bearer_auth(DEFAULT_KEY)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!((listed["pages"].as_u64(), listed["orders"][0]["reference"].as_str()), (Some(4), Some("")));
    for fault in [FaultKind::LostBefore, FaultKind::ServerError { status: 503, accepted: false }] {
        shop.fault(Call::Find, fault);
        let failed = shop.find(5).await;
        assert!(matches!(failed, Err(OperatorError::Later { .. })), "{failed:?}");
    }
}

#[tokio::test]
async fn faults_of_a_reading() {
    let shop = Shop::open(KEYED).await;
    let later = |read: &Result<Reading, OperatorError>| matches!(read, Err(OperatorError::Later { .. }));
    let unknown = |read: &Result<Reading, OperatorError>| matches!(read, Err(OperatorError::Unknown { .. }));
    let transport: Vec<(FaultKind, bool)> = vec![
        (FaultKind::LostBefore, true),
        (FaultKind::LostAfter, true),
        (FaultKind::Hang { accepted: false }, true),
        (FaultKind::SlowBytes { millis: 300 }, true),
        (FaultKind::CutBody { accepted: false }, true),
        (FaultKind::ServerError { status: 502, accepted: false }, true),
        (FaultKind::Redirect { status: 307, to: None }, false),
        (FaultKind::Html { accepted: false }, false),
        (FaultKind::EmptyBody { accepted: false }, false),
        (FaultKind::HugeBody { bytes: 1 << 30, accepted: false }, false),
        (FaultKind::GzipBomb { bytes: 1 << 30, accepted: false }, false),
        (FaultKind::TextForNumber, false),
        (FaultKind::HugeNumber, false),
        (FaultKind::StrangeCurrency, false),
    ];
    for (fault, may_pass) in transport {
        shop.fault(Call::Read, fault.clone());
        let read = shop.read().await;
        assert!(if may_pass { later(&read) } else { unknown(&read) }, "{fault:?}: {read:?}");
    }
    shop.fault(Call::Read, FaultKind::Throttled { retry_after: Some("90".into()) });
    let throttled = shop.read().await;
    assert!(matches!(throttled, Err(OperatorError::Later { retry_after: Some(Secs(90)), .. })), "{throttled:?}");
    shop.fault(Call::Read, FaultKind::TokenExpired);
    assert!(matches!(shop.read().await, Err(OperatorError::Never { kind: RefusalKind::Access, .. })));
    for (fault, odd) in [
        (FaultKind::Negative, Some(Oddity::Negative(AllowanceKind::Data))),
        (FaultKind::FarEnd, Some(Oddity::FarEnd(simkeeper::domain::reading::EndKind::Plan))),
        (FaultKind::PastEnd, None),
    ] {
        shop.fault(Call::Read, fault);
        assert_eq!(oddity(&shop.read().await.unwrap(), None), odd);
    }
    shop.fault(Call::Read, FaultKind::Late { millis: 5 });
    shop.fault(Call::Read, FaultKind::Doubled);
    for _ in 0..3 {
        assert_eq!(oddity(&shop.read().await.unwrap(), None), None);
    }
}

#[tokio::test]
async fn readings_are_cached_or_stale_as_operators_have_it() {
    let shop = Shop::with(Settings { cached_for_secs: 900, ..Settings::default() }).await;
    assert_eq!(shop.operator.capabilities().cached_for, Secs(900));
    let first = shop.read().await.unwrap();
    shop.pass(Secs(899));
    assert_eq!(shop.read().await.unwrap().as_of, first.as_of);
    shop.pass(Secs(1));
    assert_eq!(shop.read().await.unwrap().as_of, first.as_of.plus(Secs(900)));
    shop.sandbox().fault(Fault::on(ICCID, Call::Read, FaultKind::StaleReading).times(2)).unwrap();
    shop.buy(1).await;
    shop.pass(Secs::DAY);
    assert_eq!(shop.read().await.unwrap().assets.len(), 1);
    assert_eq!(shop.read().await.unwrap().as_of, first.as_of.plus(Secs(900)));
    assert_eq!(shop.read().await.unwrap().assets.len(), 2);
}

#[tokio::test]
async fn five_hundred_cards_of_a_million_are_one_call_and_one_of_them_may_be_mad() {
    let shop = Shop::with(Settings { fleet: 1_000_000, ..Settings::default() }).await;
    shop.pass(Secs::days(3));
    let mut cards: Vec<Card> = (999_500..1_000_000).map(|index| card(&Sandbox::fleet_iccid(index))).collect();
    let fresh = shop.operator.read(&cards, shop.now()).await;
    assert_eq!(fresh.len(), 500);
    for read in &fresh {
        let reading = read.as_ref().unwrap();
        assert_eq!((oddity(reading, None), reading.assets.len()), (None, 1));
    }
    assert_eq!(shop.sandbox().requests()[&Call::Read], 1);
    let mad = Sandbox::fleet_iccid(999_777);
    shop.sandbox().fault(Fault::on(&mad, Call::Read, FaultKind::TextForNumber)).unwrap();
    cards[3].iccid = None;
    cards[4] = card(&Sandbox::fleet_iccid(1_000_000));
    let read = shop.operator.read(&cards, shop.now()).await;
    for (place, result) in read.iter().enumerate() {
        match place {
            3 | 4 => {
                assert!(matches!(result, Err(OperatorError::Never { kind: RefusalKind::CardData, .. })), "{place}")
            }
            277 => assert!(matches!(result, Err(OperatorError::Unknown { .. })), "{result:?}"),
            _ => assert_eq!(result.as_ref().unwrap(), fresh[place].as_ref().unwrap(), "{place}"),
        }
    }
    // A card that something happened to goes on from where it was.
    let left = |read: &Result<Reading, OperatorError>| read.as_ref().unwrap().data_left().unwrap().bytes();
    shop.sandbox().use_data(&Sandbox::fleet_iccid(999_500), 1_000).unwrap();
    let after = shop.operator.read(&cards[..1], shop.now()).await.remove(0);
    assert_eq!(left(&after), left(&fresh[0]).saturating_sub(1_000));
}

#[tokio::test]
async fn phones_have_credit_calls_texts_and_a_number() {
    let shop = Shop::open(KEYED).await;
    let now = shop.now();
    let phone = NewCard {
        kind: CardKind::Phone,
        plan: Some("talk-30d".into()),
        credit: Some(usd("3.20")),
        credit_ends: Some(now.plus(Secs::days(20))),
        number_ends: Some(now.plus(Secs::days(50))),
        voice_secs_per_day: 60,
        sms_per_day: 2,
        ..NewCard::new(ICCID)
    };
    shop.sandbox().add_card(phone).unwrap();
    shop.pass(Secs::days(10));
    let reading = shop.read().await.unwrap();
    assert_eq!(reading.credit(), Some(usd("3.20")));
    assert!(reading.left(AllowanceKind::Voice).remaining < 6_000);
    assert!(reading.left(AllowanceKind::Sms).remaining < 100);
    assert_eq!(reading.plan_ends.unwrap().at, now.plus(Secs::days(30)));
    assert_eq!(reading.number_ends.unwrap().at, now.plus(Secs::days(50)));
    let order =
        Order { key: OrderKey::new(1), plan: shop.plan("credit-10").await, payment: "alipay".into(), code: None };
    shop.operator.buy(&shop.operator.prepare(&card(ICCID), &order).unwrap()).await;
    shop.pass(Secs(120));
    let after = shop.read().await.unwrap();
    assert_eq!(after.credit(), Some(usd("13.20")));
    assert_eq!(after.credit_ends.unwrap().at, shop.now().plus(Secs::days(180)));
    assert_eq!(after.number_ends.unwrap().at, shop.now().plus(Secs::days(180)));
    assert_eq!(after.plan_ends, reading.plan_ends);
    assert_eq!(after.assets.len(), 2);
}

#[tokio::test]
async fn a_sandbox_that_is_down_is_learned_about_later_and_keeps_its_books() {
    let shop = Shop::open(KEYED).await;
    shop.buy(1).await;
    let order = shop.order(2).await;
    let (addr, base) = (shop.running.addr, shop.running.base_url());
    let sandbox = shop.running.stop().await;
    let operator = SandboxOperator::connect(&http_settings(&base), key()).await.unwrap();
    assert_eq!(operator.capabilities().class(), EngineClass::C, "nothing is known of it");
    let read = operator.read(&[card(ICCID)], sandbox.now()).await.remove(0);
    assert!(matches!(read, Err(OperatorError::Later { .. })), "{read:?}");
    assert!(matches!(shop.operator.buy(&order).await, BuyAnswer::NotSent { .. }));

    let again = serve_sandbox(TcpListener::bind(addr).await.unwrap(), sandbox).await.unwrap();
    assert!(operator.read(&[card(ICCID)], again.sandbox.now()).await[0].is_ok());
    assert_eq!(operator.capabilities().class(), EngineClass::A);
    assert!(matches!(operator.buy(&order).await, BuyAnswer::Pending { .. }));
    assert_eq!(again.sandbox.orders_taken(), 2);
}

#[tokio::test]
async fn a_wrong_token_is_refused_and_the_date_is_the_sandboxes() {
    let shop = Shop::open(KEYED).await;
    for (token, status) in [("wrong", 401), (DEFAULT_KEY, 200)] {
        let answer = client().get(shop.url("/v1/wallet")).bearer_auth(token).send().await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers()["date"], "Fri, 15 Jan 2027 08:00:00 GMT");
    }
    assert_eq!(client().get(shop.url("/v1/wallet")).send().await.unwrap().status(), 401);
    let wrong = SandboxOperator::connect(&http_settings(&shop.running.base_url()), "wrong".into()).await.unwrap();
    assert!(matches!(wrong.wallet().await, Err(OperatorError::Never { kind: RefusalKind::Access, .. })));
}

#[tokio::test]
async fn the_other_side_of_the_counter_speaks_json() {
    let shop = Shop::open(Class::LookupOnly).await;
    let http = client();
    let send = async |method: reqwest::Method, path: &str, body: Value| {
        let answer = http.request(method, shop.url(path)).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (post, put, patch, get) =
        (reqwest::Method::POST, reqwest::Method::PUT, reqwest::Method::PATCH, reqwest::Method::GET);
    let other = "8901260882277048945";
    for (method, path, body, status) in [
        (&post, "/_sandbox/cards", json!({ "iccid": other, "data_per_day": 5, "plan": "data-3gb-30d" }), 204),
        (&post, "/_sandbox/cards", json!({ "iccid": "12" }), 400),
        (&post, "/_sandbox/cards", json!({ "iccid": other, "plan": "none" }), 400),
        (&patch, "/_sandbox/cards/8901260882277048945", json!({ "life": "blocked" }), 204),
        (&patch, "/_sandbox/cards/8901260882277048940", json!({ "life": "blocked" }), 400),
        (&put, "/_sandbox/wallet", json!({ "balance": "20 USD" }), 204),
        (&put, "/_sandbox/wallet", json!({ "balance": "20 EUR" }), 400),
        (&put, "/_sandbox/methods/card", json!({ "declines": true }), 204),
        (&put, "/_sandbox/methods/gold", json!({ "declines": true }), 400),
        (&put, "/_sandbox/codes/SPRING", json!({ "percent_off": 50 }), 204),
        (&patch, "/_sandbox/plans/data-1gb-7d", json!({ "price": "5 USD" }), 204),
        (&post, "/_sandbox/faults", json!({ "card": ICCID, "call": "buy", "fault": "lost_after", "times": 1 }), 204),
        (&post, "/_sandbox/faults", json!({ "fault": "server_error", "status": 200 }), 400),
        (&post, "/_sandbox/cards/8944501312167518236/buy", json!({ "plan": "data-1gb-7d" }), 200),
    ] {
        let (got, text) = send(method.clone(), path, body.clone()).await;
        assert_eq!(got, status, "{path} {body}: {text}");
    }
    assert_eq!(doubt_of(shop.buy(1).await), Some(Doubt::Broken));
    let (_, orders) = send(get.clone(), "/_sandbox/orders", json!(null)).await;
    let orders: Value = serde_json::from_str(&orders).unwrap();
    assert_eq!((orders["taken"].as_u64(), orders["orders"][1]["price"].as_str()), (Some(2), Some("5.00 USD")));
    assert_eq!(orders["orders"][0]["by_person"], true);
    let (_, requests) = send(get, "/_sandbox/requests", json!(null)).await;
    assert_eq!(serde_json::from_str::<Value>(&requests).unwrap()["buy"], 1);
    // What a web page could send by itself changes nothing.
    let form = http.post(shop.url("/_sandbox/reset")).body("").send().await.unwrap();
    assert_eq!(form.status(), 415);
    assert_eq!(shop.taken(), 2);
    assert_eq!(send(post, "/_sandbox/reset", json!({})).await.0, 204);
    assert_eq!(shop.taken(), 0);
}

#[tokio::test]
async fn a_doubled_answer_is_on_the_wire_twice_and_a_lost_one_not_at_all() {
    let shop = Shop::open(KEYED).await;
    let request = format!("GET /v1/wallet HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {DEFAULT_KEY}\r\n\r\n");
    for (fault, answers) in [(FaultKind::Doubled, 2), (FaultKind::LostAfter, 0)] {
        shop.sandbox().fault(Fault::anywhere(Call::Wallet, fault)).unwrap();
        let mut socket = TcpStream::connect(shop.running.addr).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        let (mut text, mut piece) = (String::new(), [0; 4_096]);
        while text.matches("methods").count() < answers.max(1) {
            let count = socket.read(&mut piece).await.unwrap();
            if count == 0 {
                break;
            }
            text.push_str(std::str::from_utf8(&piece[..count]).unwrap());
        }
        assert_eq!(text.matches("HTTP/1.1 200").count(), answers);
    }
}

#[tokio::test]
async fn a_bomb_is_small_and_unpacks_to_what_was_asked() {
    let shop = Shop::open(KEYED).await;
    shop.sandbox()
        .fault(Fault::anywhere(Call::Wallet, FaultKind::GzipBomb { bytes: 50 << 20, accepted: false }))
        .unwrap();
    let mut answer = client().get(shop.url("/v1/wallet")).bearer_auth(DEFAULT_KEY).send().await.unwrap();
    let mut unpacked = 0;
    // The checksum at the end is wrong, so the stream ends in an error.
    while let Ok(Some(piece)) = answer.chunk().await {
        assert!(piece.iter().all(|byte| *byte == b' '));
        unpacked += piece.len();
    }
    assert!((49 << 20..=50 << 20).contains(&unpacked), "{unpacked}");
}

#[tokio::test]
async fn the_orders_of_the_manual_work_as_written() {
    let shop = Shop::with(Options::default().settings).await;
    let manual = include_str!("../docs/sandbox.md");
    let bodies: Vec<&str> = manual.split("-d '").skip(1).filter_map(|rest| rest.split('\'').next()).collect();
    let [order, fault] = bodies[..] else { panic!("the manual has an order and a fault: {bodies:?}") };
    for _ in 0..2 {
        let answer =
            client().post(shop.url("/v1/orders")).bearer_auth(DEFAULT_KEY).body(order.to_owned()).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    assert_eq!(shop.taken(), 1);
    let fault = client()
        .post(shop.url("/_sandbox/faults"))
        .header("content-type", "application/json")
        .body(fault.to_owned())
        .send()
        .await
        .unwrap();
    assert_eq!(fault.status(), 204);
}

#[tokio::test]
async fn it_runs_from_a_command_line_until_it_is_told_to_end() {
    let clock = Arc::new(|| UnixTime::clamped(START));
    let mut out = Vec::new();
    let options = Options { listen: "127.0.0.1:0".parse().unwrap(), ..Options::default() };
    run(options, clock.clone(), &mut out, async {}).await.unwrap();
    assert!(String::from_utf8(out).unwrap().starts_with("listening on http://127.0.0.1:"));
    let open = Options { listen: "0.0.0.0:0".parse().unwrap(), ..Options::default() };
    let refused = run(open, clock, &mut Vec::new(), async {}).await.unwrap_err().to_string();
    assert!(refused.contains("this machine only"), "{refused}");
}
