//! Text messages: a real Kannel with a network of its own, a real gammu-smsd with a phone of its own, and Twilio played by its recorded answers.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Form, Path as UrlPath, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use secrecy::SecretString;
use simkeeper::domain::receipt::{Fate, Receipt};
use simkeeper::notify::{
    AnswerRule, Asked, Channel, ChannelSettings, Delivery, GammuSettings, GatewayMethod, GatewaySettings, Meaning,
    TwilioSettings,
};

use crate::kannel::Kannel;
use crate::parts::{RECEIPTS, Running, free_port, program, reported, text, wait_for};

/// Kannel's `sendsms`, as a configuration describes it.
fn sendsms(url: &str, method: GatewayMethod, password: &str) -> GatewaySettings {
    let fields = [
        ("username", "keeper"),
        ("password", password),
        ("to", "{to}"),
        ("text", "{text}"),
        ("coding", "{coding}"),
        ("charset", "UTF-8"),
        ("dlr-mask", "0"),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), SecretString::from(value))).to_vec();
    let answer = |prefix: &str, meaning| AnswerRule { status: 202, body_prefix: Some(prefix.to_owned()), meaning };
    GatewaySettings {
        method,
        url: url.to_owned(),
        query: fields,
        form: vec![],
        headers: vec![],
        answers: vec![answer("0:", Meaning::Sent), answer("3:", Meaning::Sent)],
    }
}

fn gateway(settings: GatewaySettings) -> Channel {
    Channel::open(ChannelSettings::Gateway(settings)).unwrap()
}

#[tokio::test]
async fn kannel_takes_texts_of_both_alphabets() {
    let kannel = Kannel::start(true);
    let channel = gateway(sendsms(&kannel.url, GatewayMethod::Get, "right"));
    let delivery = channel.send(&text("+16135550123", "canada-trip: renewed & done 100% {id}?")).await;
    assert_eq!(delivery, Delivery::Sent { remote: "0: Accepted for delivery".to_owned() });
    let line = kannel.log_has("fakesmsc", "canada-trip");
    assert!(line.contains("6135550123"), "{line}");
    let delivery = channel.send(&text("+16135550123", "续费成功")).await;
    assert!(matches!(delivery, Delivery::Sent { .. }), "{delivery:?}");
    // Big-endian UCS-2, U+7EED and U+8D39, where bytes that are letters stand for themselves.
    kannel.log_has("fakesmsc", "ucs-2 ~%ED%8D9");
}

#[tokio::test]
async fn kannel_refuses_a_wrong_password_and_a_missing_receiver() {
    let kannel = Kannel::start(true);
    let channel = gateway(sendsms(&kannel.url, GatewayMethod::Get, "marker-4711"));
    assert!(!format!("{channel:?}").contains("marker-4711"));
    let delivery = channel.send(&text("+16135550123", "hello")).await;
    let Delivery::Dead { why } = &delivery else { panic!("{delivery:?}") };
    assert!(why.contains("403") && why.contains("Authorization failed") && !why.contains("marker-4711"), "{why}");
    let delivery = gateway(sendsms(&kannel.url, GatewayMethod::Get, "right")).send(&text("", "hello")).await;
    let Delivery::Dead { why } = &delivery else { panic!("{delivery:?}") };
    assert!(why.contains("400") && why.contains("receiver number"), "{why}");
}

#[tokio::test]
async fn kannel_without_a_network_has_taken_the_text_over() {
    let kannel = Kannel::start(false);
    let channel = gateway(sendsms(&kannel.url, GatewayMethod::Get, "right"));
    let delivery = channel.send(&text("+16135550123", "hello")).await;
    assert_eq!(delivery, Delivery::Sent { remote: "3: Queued for later delivery".to_owned() });
}

/// A real gammu-smsd with its dummy phone, and the folders between it and us.
fn gammu(folder: &Path) -> (GammuSettings, Command) {
    for name in ["phone", "inbox", "outbox", "sent", "error"] {
        std::fs::create_dir(folder.join(name)).unwrap();
    }
    let at = folder.display();
    let settings = format!(
        "[gammu]\ndevice = {at}/phone\nconnection = none\nmodel = dummy\n[smsd]\nservice = files\nlogfile = {at}/log\n\
         debuglevel = 1\ntransmitformat = auto\ninboxpath = {at}/inbox/\noutboxpath = {at}/outbox/\n\
         sentsmspath = {at}/sent/\nerrorsmspath = {at}/error/\nloopsleep = 1\nstatusfrequency = 0\n"
    );
    std::fs::write(folder.join("gammu-smsdrc"), settings).unwrap();
    let mut command = Command::new(program("gammu-smsd"));
    command.arg("-c").arg(folder.join("gammu-smsdrc"));
    let folders =
        GammuSettings { outbox: folder.join("outbox"), sent: folder.join("sent"), error: folder.join("error") };
    (folders, command)
}

#[tokio::test]
async fn gammu_smsd_sends_a_text_once_however_often_it_is_handed_over() {
    let folder = tempfile::tempdir().unwrap();
    let (folders, mut command) = gammu(folder.path());
    let channel = Channel::open(ChannelSettings::Gammu(folders.clone())).unwrap();
    let message = text("+16135550123", "canada: \"续费\" & done");
    let name = "OUTC00000000_000000_00_+16135550123_0193a1b2.txt";
    let taken = Delivery::Sent { remote: name.to_owned() };
    for _ in 0..2 {
        assert_eq!(channel.send(&message).await, taken);
    }
    assert_eq!(std::fs::read_dir(&folders.outbox).unwrap().count(), 1, "one text, however often it was handed over");

    let _smsd = Running::start(&mut command);
    wait_for("gammu-smsd to send it", || folders.sent.join(name).exists().then_some(()));
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(log.contains("Found 1 sms to \"+16135550123\" with text \"canada: \"续费\" & done\" cod 1"), "{log}");
    assert_eq!(channel.send(&message).await, taken);
    assert_eq!(std::fs::read_dir(&folders.outbox).unwrap().count(), 0, "it is not handed over again");

    let asked = [Asked { id: "ours".to_owned(), address: "+16135550123".to_owned(), remote: Some(name.to_owned()) }];
    assert_eq!(channel.reports(&asked).await, [], "that it arrived nobody says");
    std::fs::rename(folders.sent.join(name), folders.error.join(name)).unwrap();
    let told = channel.reports(&asked).await;
    let [(id, Receipt { fate: Fate::Failed, why: Some(why), .. })] = told.as_slice() else { panic!("{told:?}") };
    assert!(id == "ours" && why.contains("gave the text up"), "{told:?}");
    let delivery = channel.send(&message).await;
    assert!(matches!(&delivery, Delivery::Dead { why } if why.contains("gave the text up")), "{delivery:?}");
    std::fs::remove_dir(&folders.outbox).unwrap();
    let delivery = channel.send(&text("+16135550124", "x")).await;
    assert!(matches!(&delivery, Delivery::Retry { why, .. } if why.contains("outbox")), "{delivery:?}");
}

#[tokio::test]
async fn a_gateway_that_is_gone_is_tried_again_and_its_password_not_shown() {
    let url = format!("http://127.0.0.1:{}/cgi-bin/sendsms", free_port());
    let delivery = gateway(sendsms(&url, GatewayMethod::Get, "marker-4711")).send(&text("+16135550123", "hello")).await;
    let Delivery::Retry { why, .. } = &delivery else { panic!("{delivery:?}") };
    assert!(!why.contains("marker-4711") && !why.contains("password"), "{why}");
}

/// An account, headers and a form.
type Order = (String, HeaderMap, Vec<(String, String)>);

/// What the played API was asked, and what it answers.
#[derive(Clone)]
struct Played {
    answer: Arc<Mutex<(u16, &'static str, &'static str)>>,
    asked: Arc<Mutex<Vec<Order>>>,
}

async fn answered(
    State(played): State<Played>,
    UrlPath(account): UrlPath<String>,
    headers: HeaderMap,
    Form(form): Form<Vec<(String, String)>>,
) -> Response {
    played.asked.lock().unwrap().push((account, headers, form));
    let (status, retry_after, body) = *played.answer.lock().unwrap();
    let status = StatusCode::from_u16(status).unwrap();
    (status, [("retry-after", retry_after), ("location", "http://127.0.0.1:1/")], body).into_response()
}

const ACCOUNT: &str = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

async fn twilio() -> (Channel, Played) {
    let played = Played { answer: Arc::new(Mutex::new((500, "", ""))), asked: Arc::default() };
    let router =
        Router::new().route("/2010-04-01/Accounts/{account}/Messages.json", post(answered)).with_state(played.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (opened(&format!("http://{address}")), played)
}

fn opened(base_url: &str) -> Channel {
    Channel::open(ChannelSettings::Twilio(TwilioSettings {
        account: ACCOUNT.to_owned(),
        token: SecretString::from("marker-4711"),
        base_url: Some(base_url.to_owned()),
    }))
    .unwrap()
}

#[tokio::test]
async fn twilio_queues_a_text() {
    let (channel, played) = twilio().await;
    *played.answer.lock().unwrap() = (201, "", include_str!("../data/twilio/create_201_queued.json"));
    let delivery = channel.send(&reported(text("+16135550123", "canada: 续费 & more"))).await;
    assert_eq!(delivery, Delivery::Sent { remote: "SMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned() });
    let asked = played.asked.lock().unwrap();
    let (account, headers, form) = &asked[0];
    assert_eq!(account, ACCOUNT);
    // Basic, of the account and the token.
    assert_eq!(headers["authorization"], "Basic QUNhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYTptYXJrZXItNDcxMQ==");
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let wanted = [pair("To", "+16135550123"), pair("From", "+15005550006"), pair("Body", "canada: 续费 & more")];
    // No longer than ten hours, which is the most it takes.
    assert_eq!(form, &[&wanted[..], &[pair("ValidityPeriod", "36000"), pair("StatusCallback", RECEIPTS)]].concat());
}

#[tokio::test]
async fn twilio_refusals_are_told_apart() {
    let (channel, played) = twilio().await;
    let cases = [
        (429, r#"{"code": 20429, "message": "Too Many Requests", "status": 429}"#, "retry"),
        (400, r#"{"code": 20429, "message": "Too Many Requests", "status": 400}"#, "retry"),
        (400, r#"{"code": 21211, "message": "Invalid 'To' Phone Number", "status": 400}"#, "dead"),
        (401, r#"{"code": 20003, "message": "Authenticate", "status": 401}"#, "dead"),
        (404, "<html>", "dead"),
        (302, "", "dead"),
        (500, r#"{"code": 20500, "message": "Internal Server Error", "status": 500}"#, "doubtful"),
        (503, "", "doubtful"),
        (201, "<html>", "doubtful"),
    ];
    for (status, body, wanted) in cases {
        *played.answer.lock().unwrap() = (status, "30", body);
        let delivery = channel.send(&text("+16135550123", "hello")).await;
        let got = match &delivery {
            Delivery::Sent { .. } => "sent",
            Delivery::Retry { not_before, .. } => {
                assert_eq!(*not_before, Some(simkeeper::domain::time::Secs(30)));
                "retry"
            }
            Delivery::Dead { .. } => "dead",
            Delivery::Doubtful { .. } => "doubtful",
        };
        assert_eq!(got, wanted, "{status} {body}: {delivery:?}");
        assert!(!format!("{delivery:?} {channel:?}").contains("marker-4711"));
    }
    assert_eq!(played.asked.lock().unwrap().len(), cases.len(), "each was asked once: no repeat, no redirect");
}

#[tokio::test]
async fn a_text_whose_answer_is_lost_is_in_doubt_and_one_that_never_left_is_not() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let hung_up = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut seen = [0; 4_096];
        tokio::io::AsyncReadExt::read(&mut socket, &mut seen).await.unwrap()
    });
    let delivery = opened(&format!("http://{address}")).send(&text("+16135550123", "hello")).await;
    assert!(matches!(delivery, Delivery::Doubtful { .. }), "{delivery:?}");
    assert!(hung_up.await.unwrap() > 0);
    let delivery = opened(&format!("http://127.0.0.1:{}", free_port())).send(&text("+16135550123", "hello")).await;
    assert!(matches!(delivery, Delivery::Retry { .. }), "{delivery:?}");
}

#[test]
fn an_account_that_is_none_is_refused() {
    let settings = TwilioSettings { account: "../x".to_owned(), token: SecretString::from("x"), base_url: None };
    let error = Channel::open(ChannelSettings::Twilio(settings)).unwrap_err().to_string();
    assert!(error.contains("account") && error.contains("AC"), "{error}");
}
