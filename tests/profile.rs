//! What profiles can say that the example profiles do not: logins, signatures, orders in two steps, lists by cursor and by
//! link, values captured on the way. Served over HTTP on this machine.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
mod loopback;

use std::collections::BTreeMap;

use loopback::{Server, answer};
use simkeeper::domain::card::{Card, CardId, Name};
use simkeeper::domain::data::DataSize;
use simkeeper::domain::identity::Iccid;
use simkeeper::domain::money::Money;
use simkeeper::domain::operator::{BuyAnswer, OperatorError, Order, OrderKey, RefusalKind};
use simkeeper::domain::plan::{Contents, Plan};
use simkeeper::domain::reading::CardState;
use simkeeper::domain::time::UnixTime;
use simkeeper::operators::Operator;
use simkeeper::operators::http::Way;
use simkeeper::operators::profile::{ProfileOperator, check_file};
use tokio::io::AsyncWriteExt;

const NOW: UnixTime = UnixTime::clamped(1_795_348_800);
const HEAD: &str = "format = 1\nname = \"acme\"\nbase_url = \"https://api.acme.example/v1\"\n";
const OPEN: &str = "[auth]\nkind = \"none\"\n";

fn card(digits: &str) -> Card {
    let mut card = Card::new(CardId(1), Name::parse("canada").unwrap(), Name::parse("acme").unwrap());
    card.iccid = Iccid::parse(digits).ok();
    card
}

const ICCID: &str = "8910300000005271146";

/// A server that answers by the first of these that the request holds, and an account at it.
async fn at(profile: &str, secrets: &[&str], answers: &'static [(&str, &str, &str)]) -> (Server, ProfileOperator) {
    let server = Server::start(move |mut socket, request| {
        let found = answers.iter().find(|(part, _, _)| request.contains(part));
        let (_, status, body) = found.unwrap_or(&("", "404 Not Found", "{}"));
        let text = answer(status, "Connection: close\r\n", body);
        Box::pin(async move { drop(socket.write_all(text.as_bytes()).await) })
    })
    .await;
    let profile = check_file(profile, "acme.toml").unwrap_or_else(|report| panic!("{report}"));
    let secrets: BTreeMap<_, _> =
        secrets.iter().map(|name| ((*name).to_owned(), format!("the-{name}").into())).collect();
    let operator = ProfileOperator::open(&Way::to(&server.address), profile, secrets).unwrap();
    (server, operator)
}

async fn state(operator: &ProfileOperator) -> Result<CardState, OperatorError> {
    operator.read(&[card(ICCID)], NOW).await.remove(0).map(|reading| reading.state)
}

#[tokio::test]
async fn a_login_gives_two_values_that_open_every_request() {
    let profile = format!(
        "{HEAD}secrets = [\"id\", \"key\"]\n[auth]\nkind = \"login\"\n\
         request = {{ path = \"/auth\", json = {{ authKeyId = \"{{secret.id}}\", authKey = \"{{secret.key}}\" }} }}\n\
         capture = {{ key = \"$.apiKey\", token = \"$.token\" }}\n\
         headers = {{ X-API-Key = \"{{token.key}}\", X-Token = \"{{token.token}}\" }}\n\
         [[read]]\npath = \"/sims/{{iccid}}\"\nstate = {{ path = \"$.s\", words = {{ on = \"active\" }} }}\n"
    );
    let answers: &[_] =
        &[("POST /auth", "200 OK", r#"{"apiKey":"k-1","token":"t-1"}"#), ("x-token: t-1", "200 OK", r#"{"s":"on"}"#)];
    let (server, operator) = at(&profile, &["id", "key"], answers).await;
    assert_eq!(state(&operator).await, Ok(CardState::Active));
    assert_eq!(state(&operator).await, Ok(CardState::Active));
    let requests = server.requests();
    assert_eq!(requests.iter().filter(|request| request.starts_with("POST /auth")).count(), 1, "a token is kept");
    assert!(requests[0].ends_with(r#"{"authKey":"the-key","authKeyId":"the-id"}"#), "{}", requests[0]);
    assert!(requests[1].contains("x-api-key: k-1"), "{}", requests[1]);
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_and_a_refused_login_is_a_matter_of_access() {
    let profile = format!(
        "{HEAD}allowed_hosts = [\"auth.acme.example\"]\nsecrets = [\"id\", \"key\"]\n[auth]\nkind = \"oauth2\"\n\
         token_url = \"https://auth.acme.example/oauth/token\"\nclient_id = \"{{secret.id}}\"\n\
         client_secret = \"{{secret.key}}\"\nscope = \"sims\"\n\
         [[read]]\npath = \"/sims/{{iccid}}\"\nstate = {{ path = \"$.s\", words = {{ on = \"active\" }} }}\n"
    );
    let answers: &[_] = &[
        ("POST /oauth/token", "200 OK", r#"{"access_token":"t","expires_in":"3600"}"#),
        ("GET /sims", "401 Unauthorized", "{}"),
    ];
    let (server, operator) = at(&profile, &["id", "key"], answers).await;
    assert!(matches!(state(&operator).await, Err(OperatorError::Never { kind: RefusalKind::Access, .. })));
    let requests = server.requests();
    assert_eq!(requests.len(), 4, "a token and a try, each twice");
    assert!(requests[0].contains("grant_type=client_credentials&scope=sims&client_id=the-id&client_secret=the-key"));
    let (_, refused) = at(&profile, &["id", "key"], &[("POST", "401 Unauthorized", r#"{"error":"the-key"}"#)]).await;
    let error = state(&refused).await.unwrap_err();
    assert!(
        matches!(&error, OperatorError::Never { kind: RefusalKind::Access, why } if !why.contains("the-key")),
        "{error}"
    );
}

#[tokio::test]
async fn a_signature_is_of_the_request_as_it_is_sent() {
    let profile = format!(
        "{HEAD}secrets = [\"key\"]\n[auth]\nkind = \"hmac\"\nsecret = \"{{secret.key}}\"\n\
         signed = \"{{method}} {{path}}?{{query}} {{body}} {{body_sha256}}\"\nencoding = \"base64\"\n\
         headers = {{ X-Signature = \"{{signature}}\", X-Time = \"{{timestamp_ms}}\", X-Nonce = \"{{nonce}}\" }}\n\
         [[read]]\npath = \"/sims\"\nmethod = \"POST\"\nquery = {{ a = \"b c\" }}\njson = {{ iccid = \"{{iccid}}\" }}\n\
         state = {{ path = \"$.s\", words = {{ on = \"active\" }} }}\n"
    );
    let (server, operator) = at(&profile, &["key"], &[("POST /sims", "200 OK", r#"{"s":"on"}"#)]).await;
    assert_eq!(state(&operator).await, Ok(CardState::Active));
    let request = server.requests().remove(0);
    // openssl dgst -sha256 -hmac the-key -binary | base64, over the text that `signed` makes of this request.
    assert!(request.starts_with("POST /sims?a=b+c HTTP/1.1"), "{request}");
    assert!(request.contains("x-signature: NSTiYz62o0Q0lbDbfibPUqHx+oK/7btiWo2ROKGr2L4="), "{request}");
    let header = |name: &str| request.lines().find_map(|line| line.strip_prefix(name)).unwrap().len();
    assert_eq!((header("x-time: "), header("x-nonce: ")), (13, 36));
}

const TWO_STEPS: &str = r#"
[capabilities]
two_phase = "20m"
proof = "order"
[[catalogue.plan]]
id = "p"
price = "5 USD"
[buy]
path = "/order"
json = { product = "{plan.id}", sim = "{iccid}" }
[buy.reserved]
order_id = "$.id"
price = { path = "$.cents", unit = "minor", currency = "USD" }
capture = { ticket = "$.ticket" }
[buy.commit]
method = "PUT"
path = "/order/{order_id}/complete"
json = { ticket = "{capture.ticket}" }
[buy.success]
when = { path = "$.id", is = "{order_id}" }
order_id = "$.id"
"#;

async fn bought(operator: &ProfileOperator) -> BuyAnswer {
    let price = Money::parse("5 USD").unwrap();
    let plan = Plan { id: "p".into(), name: "p".into(), contents: Contents::default(), validity_secs: None, price };
    let order = Order { key: OrderKey::new(7), plan, payment: "wallet".into(), code: None };
    operator.buy(&operator.prepare(&card(ICCID), &order).unwrap()).await
}

#[tokio::test]
async fn an_order_in_two_steps_is_committed_at_the_agreed_price_only() {
    let profile = format!("{HEAD}{OPEN}{TWO_STEPS}");
    let fair: &[_] = &[
        ("PUT /order/o-1/complete", "200 OK", r#"{"id":"o-1"}"#),
        ("POST /order", "200 OK", r#"{"id":"o-1","cents":500,"ticket":"t-9"}"#),
    ];
    let (server, operator) = at(&profile, &[], fair).await;
    let answer = bought(&operator).await;
    assert!(matches!(&answer, BuyAnswer::Accepted { order_id: Some(id), .. } if id == "o-1"), "{answer:?}");
    assert!(server.requests()[1].ends_with(r#"{"ticket":"t-9"}"#), "{:?}", server.requests());
    let dear: &[_] = &[("POST /order", "200 OK", r#"{"id":"o-1","cents":501,"ticket":"t-9"}"#)];
    let (server, operator) = at(&profile, &[], dear).await;
    let answer = bought(&operator).await;
    assert!(matches!(&answer, BuyAnswer::Refused(refusal) if refusal.code == "price"), "{answer:?}");
    assert_eq!(server.requests().len(), 1, "nothing was committed");
    let broken: &[_] = &[("POST /order", "200 OK", r#"{"id":"o-1","ticket":"t-9"}"#)];
    let (_, operator) = at(&profile, &[], broken).await;
    assert!(matches!(bought(&operator).await, BuyAnswer::NotSent { .. }), "a price that is not told is not agreed to");
    let lost: &[_] =
        &[("PUT", "500 Oops", "{}"), ("POST /order", "200 OK", r#"{"id":"o-1","cents":500,"ticket":"t-9"}"#)];
    let (_, operator) = at(&profile, &[], lost).await;
    assert!(matches!(bought(&operator).await, BuyAnswer::Unknown { .. }), "after the commit nothing is certain");
}

const MANY: &str = r#"
[read_many]
path = "/sims"
query = { limit = 2, cursor = "{page?}" }
page = { kind = "cursor", next = "$.next" }
rows = "$.data"
iccid = "$.iccid"
[[read_many.allowance]]
kind = "data"
remaining = { path = "$.left", unit = "MB" }
"#;

#[tokio::test]
async fn many_cards_cost_the_pages_of_the_list() {
    let pages: &[_] = &[
        ("cursor=c2", "200 OK", r#"{"data":[{"iccid":"8910300000005271146","left":"7"}],"next":null}"#),
        ("GET /sims", "200 OK", r#"{"data":[{"iccid":"8910300000005271147","left":5},{"iccid":null}],"next":"c2"}"#),
    ];
    let (server, operator) = at(&format!("{HEAD}{OPEN}{MANY}"), &[], pages).await;
    assert_eq!(operator.capabilities().read_batch, 10_000);
    let cards: Vec<Card> = (0..1_000).map(|at| card(if at == 0 { ICCID } else { "8910300000009999999" })).collect();
    let readings = operator.read(&cards, NOW).await;
    assert_eq!(readings[0].as_ref().unwrap().data_left(), Some(DataSize(7_000_000)));
    assert!(matches!(readings[1], Err(OperatorError::Never { kind: RefusalKind::CardData, .. })));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_link_is_followed_below_the_address_and_nowhere_else() {
    let discover = "[[read]]\npath = \"/sims\"\n[discover]\npath = \"/sims\"\nrows = \"$.sims\"\niccid = \"$.iccid\"\n\
                    fields = { sim_id = \"$.id\" }\npage = { kind = \"link\", next = \"$.next\" }\n";
    let profile = format!("{HEAD}{OPEN}{discover}");
    let good: &[_] = &[
        ("GET /sims?token=2", "200 OK", r#"{"sims":[],"next":""}"#),
        (
            "GET /sims",
            "200 OK",
            r#"{"sims":[{"iccid":"8910300000005271146","id":4}],"next":"https://api.acme.example/v1/sims?token=2"}"#,
        ),
    ];
    let (_, operator) = at(&profile, &[], good).await;
    let page = operator.discover(None).await.unwrap();
    assert_eq!(page.cards[0].fields.get("sim_id").map(String::as_str), Some("4"));
    assert_eq!(operator.discover(page.next.as_deref()).await.unwrap().next, None);
    let astray: &[_] = &[("GET /sims", "200 OK", r#"{"sims":[],"next":"https://other.example/v1/sims"}"#)];
    let (server, operator) = at(&profile, &[], astray).await;
    let page = operator.discover(None).await.unwrap();
    assert!(operator.discover(page.next.as_deref()).await.is_err());
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_card_is_found_by_its_whole_number_and_asked_for_by_the_operators_own_id() {
    let steps = "[[read]]\npath = \"/sims/find\"\nquery = { q = \"{iccid}\" }\nrows = \"$.sims\"\n\
                 when = { path = \"$.iccid\", is = \"{iccid}\" }\ncapture = { id = \"$.id\" }\n\
                 [[read]]\npath = \"/usage/{capture.id}\"\n[[read.allowance]]\nkind = \"data\"\n\
                 total = { path = \"$.total\", unit = \"$.unit\" }\nused = { path = \"$.used\", unit = \"$.unit\" }\n";
    let profile = format!("{HEAD}{OPEN}{steps}");
    let answers: &[_] = &[
        ("GET /usage/a%2Fb", "200 OK", r#"{"total":3,"used":"0.5","unit":"GB"}"#),
        (
            "GET /sims/find",
            "200 OK",
            r#"{"sims":[{"iccid":"8910300000005271199","id":1},{"iccid":"8910300000005271146","id":"a/b"}]}"#,
        ),
    ];
    let (_, operator) = at(&profile, &[], answers).await;
    let reading = operator.read(&[card(ICCID)], NOW).await.remove(0).unwrap();
    assert_eq!(reading.data_left(), Some(DataSize(2_500_000_000)));
    let (_, operator) = at(&profile, &[], &[("GET", "200 OK", r#"{"sims":[]}"#)]).await;
    let none = operator.read(&[card(ICCID)], NOW).await.remove(0);
    assert!(matches!(none, Err(OperatorError::Never { kind: RefusalKind::CardData, .. })), "{none:?}");
}

#[tokio::test]
async fn a_request_for_which_something_is_missing_is_an_error_or_left_out_as_the_profile_says() {
    let steps = |optional: &str| {
        format!(
            "{HEAD}{OPEN}[[read]]\npath = \"/sims/{{iccid}}\"\nplan = \"$.plan\"\ncapture = {{ id = \"$.package\" }}\n\
             [[read]]\npath = \"/packages/{{capture.id}}\"\nplan_ends = \"$.ends\"\n{optional}"
        )
    };
    let answers: &[_] = &[("GET /sims", "200 OK", r#"{"plan":"p","package":null}"#)];
    let (_, operator) = at(&steps(""), &[], answers).await;
    let error = operator.read(&[card(ICCID)], NOW).await.remove(0);
    assert!(matches!(&error, Err(OperatorError::Unknown { why }) if why.contains("held no id")), "{error:?}");
    let (server, operator) = at(&steps("optional = true\n"), &[], answers).await;
    let reading = operator.read(&[card(ICCID)], NOW).await.remove(0).unwrap();
    assert_eq!((reading.plan.as_deref(), reading.plan_ends, server.requests().len()), (Some("p"), None, 1));
}

#[tokio::test]
async fn the_plan_ends_with_the_last_package_unless_one_does_not_tell() {
    let profile = format!(
        "{HEAD}{OPEN}[[read]]\npath = \"/sims/{{iccid}}\"\n[[read.allowance]]\nkind = \"data\"\nrows = \"$.p\"\n\
         used = {{ path = \"$.used\", unit = \"MB\" }}\ntotal = {{ path = \"$.total\", unit = \"MB\" }}\n\
         ends = \"$.ends\"\nends_plan = true\n"
    );
    let over = r#"{"used":null,"total":null,"ends":"2023-02-09T11:36:38Z"}"#;
    let first = r#"{"used":1,"total":5,"ends":"2026-12-01T00:00:00Z"}"#;
    let (last, open) = (r#"{"used":0,"total":3,"ends":"2026-12-09T00:00:00Z"}"#, r#"{"used":0,"total":3,"ends":null}"#);
    for (rows, ends) in
        [(format!("[{over},{first},{last}]"), Some("2026-12-09T00:00:00Z")), (format!("[{over},{first},{open}]"), None)]
    {
        let body: &'static str = format!(r#"{{"p":{rows}}}"#).leak();
        let answers: &'static [_] = Box::leak(Box::new([("GET /sims", "200 OK", body)]));
        let (_server, operator) = at(&profile, &[], answers).await;
        let reading = operator.read(&[card(ICCID)], NOW).await.remove(0).unwrap();
        assert_eq!(reading.plan_ends.map(|end| end.at.to_string()).as_deref(), ends);
        assert_eq!(reading.data_left(), Some(DataSize(7_000_000)), "a package that is over holds nothing");
    }
}

#[tokio::test]
async fn plans_written_by_hand_come_with_the_operators_clock() {
    let profile = format!(
        "{HEAD}{OPEN}[[read]]\npath = \"/sims/{{iccid}}\"\nstate = {{ path = \"$.s\", words = {{ on = \"active\" }} }}\n\
         [[catalogue.plan]]\nid = \"a\"\nprice = \"1 USD\"\n"
    );
    let answers: &[_] = &[("GET /sims", "200 OK\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT", r#"{"s":"on"}"#)];
    let (_server, operator) = at(&profile, &[], answers).await;
    let plan = operator.catalogue(&card(ICCID), NOW).await.unwrap().plans.remove(0);
    let preflight = operator.preflight(&card(ICCID), &plan, None).await.unwrap();
    assert_eq!((preflight.offer, preflight.operator_time), (Some(plan), Some(NOW)));
}
