//! Push messages, documents for programs, and texts by gateways with an API of their own: the services are played by a
//! few lines of HTTP with their documented answers, programs are real ones.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use simkeeper::domain::answers::{Answers, Condition, Pointer};
use simkeeper::domain::card::Name;
use simkeeper::domain::notice::{Language, NoticeKind};
use simkeeper::domain::receipt::Fate;
use simkeeper::domain::template::{Escape, Template};
use simkeeper::domain::time::Secs;
use simkeeper::notify::{
    AliyunSettings, AndroidSettings, Channel, ChannelSettings, Delivery, HeaderText, NtfySettings, Outgoing,
    PlivoSettings, ProgramSettings, Recipient, ServiceMethod, ServiceSettings, TelegramSettings, VonageSettings,
    WebhookSettings, document, preview, push,
};

use crate::parts::{RECEIPTS, free_port, reported, text};

/// Stands for whatever must be shown to nobody.
const MARKER: &str = "marker-4711";
/// A secret of a webhook; its bytes are those of a marker too.
const WEBHOOK_SECRET: &str = "whsec_bWFya2VyLTQ3MTEtbWFya2VyLTQ3MTEtbWFyaw==";

/// Where, with which headers, and what.
type Asked = (String, HeaderMap, String);

/// A service that is played: what it was asked, and what it answers.
#[derive(Clone, Default)]
struct Service {
    address: String,
    answer: Arc<Mutex<(u16, &'static str)>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Service {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let service = Self { address: format!("http://{}", listener.local_addr().unwrap()), ..Self::default() };
        let router = Router::new().fallback(answered).with_state(service.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        service
    }

    /// What each answer means to a channel, and that each message was handed over once.
    async fn means(&self, channel: &Channel, message: &Outgoing, cases: &[(u16, &'static str, &str)]) {
        for (status, body, wanted) in cases {
            *self.answer.lock().unwrap() = (*status, body);
            let delivery = channel.send(message).await;
            let got = match &delivery {
                Delivery::Sent { remote } => format!("sent {remote}"),
                Delivery::Retry { not_before: Some(Secs(wait)), .. } => format!("retry {wait}"),
                Delivery::Retry { not_before: None, .. } => "retry".to_owned(),
                Delivery::Dead { .. } => "dead".to_owned(),
                Delivery::Doubtful { .. } => "doubtful".to_owned(),
            };
            assert_eq!(&got, wanted, "{status} {body}: {delivery:?}");
            assert!(!format!("{delivery:?} {channel:?}").contains(MARKER), "{delivery:?} {channel:?}");
        }
        assert_eq!(self.asked.lock().unwrap().len(), cases.len(), "each was asked once: no repeat, no redirect");
    }

    fn last(&self) -> Asked {
        self.asked.lock().unwrap().last().unwrap().clone()
    }
}

async fn answered(State(service): State<Service>, uri: Uri, headers: HeaderMap, body: String) -> Response {
    service.asked.lock().unwrap().push((uri.to_string(), headers, body));
    let (status, body) = *service.answer.lock().unwrap();
    let headers = [("retry-after", "30"), ("location", "http://127.0.0.1:1/")];
    (StatusCode::from_u16(status).unwrap(), headers, body).into_response()
}

fn recipient() -> Recipient {
    Recipient {
        person: Name::parse("anna").unwrap(),
        address: "topic".to_owned(),
        language: Language::ENGLISH,
        zone: jiff::tz::TimeZone::UTC,
        answers: simkeeper::domain::approval::Answering::ByNumber,
    }
}

/// A push message as the queue holds it.
fn pushed(kind: NoticeKind) -> Outgoing {
    let finished = push(&preview(kind)[0], &recipient(), kind.severity()).unwrap();
    Outgoing { bytes: finished.bytes, ..text("anna-cards", "") }
}

/// A document as the queue holds it.
fn documented() -> Outgoing {
    let finished =
        document(&preview(NoticeKind::Bought)[0], &recipient(), NoticeKind::Bought.severity(), "0193a1b2").unwrap();
    Outgoing { bytes: finished.bytes, ..text("home", "") }
}

#[tokio::test]
async fn ntfy_takes_a_title_a_text_and_an_importance() {
    let service = Service::start().await;
    let settings = NtfySettings { url: service.address.clone(), token: Some(MARKER.into()) };
    let channel = Channel::open(ChannelSettings::Ntfy(settings)).unwrap();
    let cases = [
        (200, r#"{"id":"sPs71M8A2T","time":1797586200,"event":"message","topic":"anna-cards"}"#, "sent sPs71M8A2T"),
        (200, "<html>Welcome to our network</html>", "doubtful"),
        (429, r#"{"code":42901,"http":429,"error":"limit reached: too many requests"}"#, "retry 30"),
        (403, r#"{"code":40301,"http":403,"error":"forbidden"}"#, "dead"),
        (302, "", "dead"),
        (500, r#"{"code":50001,"http":500,"error":"internal server error"}"#, "doubtful"),
    ];
    service.means(&channel, &pushed(NoticeKind::Asked), &cases).await;
    let (path, headers, body) = service.last();
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((path.as_str(), &headers["authorization"]), ("/", &format!("Bearer {MARKER}").parse().unwrap()));
    assert_eq!((body["topic"].as_str(), body["priority"].as_u64()), (Some("anna-cards"), Some(4)));
    assert!(body["title"].as_str().unwrap().starts_with("canada-trip: buy for 12.50 USD?"), "{body}");
    assert!(body["message"].as_str().unwrap().contains("To buy it: simkeeper approve 12"), "{body}");
}

#[tokio::test]
async fn telegram_says_in_the_body_what_became_of_a_message() {
    let service = Service::start().await;
    let open = |token: String| {
        let settings = TelegramSettings { token: token.into(), base_url: Some(service.address.clone()) };
        Channel::open(ChannelSettings::Telegram(settings))
    };
    let channel = open(format!("123456:{MARKER}")).unwrap();
    let cases = [
        (200, r#"{"ok":true,"result":{"message_id":77,"date":1797586200}}"#, "sent 77"),
        (200, r#"{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}"#, "dead"),
        (200, "<html>", "doubtful"),
        (403, r#"{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}"#, "dead"),
        (
            429,
            r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 5","parameters":{"retry_after":5}}"#,
            "retry 5",
        ),
        (429, "", "retry 30"),
        (502, "<html>Bad Gateway</html>", "doubtful"),
    ];
    service.means(&channel, &pushed(NoticeKind::Bought), &cases).await;
    let (path, _, body) = service.last();
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(path, format!("/bot123456:{MARKER}/sendMessage"));
    assert_eq!((body["chat_id"].as_str(), body["disable_notification"].as_bool()), (Some("anna-cards"), Some(true)));
    assert!(body["text"].as_str().unwrap().contains("Nothing to do"), "{body}");
    for token in ["", "abc", "12:a/../b", ":x", "12:"] {
        assert!(open(token.to_owned()).unwrap_err().to_string().contains("BotFather"), "{token}");
    }
    // Nobody listens: the address, which holds the token, is not told.
    let settings = TelegramSettings {
        token: format!("1:{MARKER}").into(),
        base_url: Some(format!("http://127.0.0.1:{}", free_port())),
    };
    let delivery = Channel::open(ChannelSettings::Telegram(settings)).unwrap().send(&pushed(NoticeKind::Bought)).await;
    assert!(matches!(delivery, Delivery::Retry { .. }) && !format!("{delivery:?}").contains(MARKER), "{delivery:?}");
}

#[tokio::test]
async fn a_webhook_gets_a_signed_document_and_decides_what_is_final() {
    let service = Service::start().await;
    let settings = WebhookSettings { url: format!("{}/hook", service.address), secret: WEBHOOK_SECRET.into() };
    let channel = Channel::open(ChannelSettings::Webhook(settings)).unwrap();
    let message = documented();
    let cases = [
        (204, "", "sent 204"),
        (401, "who are you?", "retry 30"),
        (404, "", "retry 30"),
        (410, "", "dead"),
        (422, "I take no version 1", "dead"),
        (503, "", "retry 30"),
        (307, "", "retry 30"),
    ];
    service.means(&channel, &message, &cases).await;
    let (path, headers, body) = service.last();
    assert_eq!((path.as_str(), body.as_bytes()), ("/hook", message.bytes.as_slice()));
    assert_eq!(
        (&headers["webhook-id"], &headers["webhook-timestamp"]),
        (&"0193a1b2".parse().unwrap(), &"1797586200".parse().unwrap())
    );
    assert!(headers["webhook-signature"].to_str().unwrap().starts_with("v1,"));
    let document: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((document["version"].as_u64(), document["id"].as_str()), (Some(1), Some("0193a1b2")));
    assert_eq!((document["kind"].as_str(), document["need"].as_str()), (Some("bought"), Some("nothing")));
    assert_eq!(document["facts"]["charged"], "12.50 USD");
    assert_eq!(document["card"]["name"], "canada-trip");
}

#[tokio::test]
async fn a_webhook_whose_answer_is_lost_is_asked_again() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let hung_up = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        tokio::io::AsyncReadExt::read(&mut socket, &mut [0; 64]).await.unwrap()
    });
    let settings = WebhookSettings { url, secret: WEBHOOK_SECRET.into() };
    let delivery = Channel::open(ChannelSettings::Webhook(settings)).unwrap().send(&documented()).await;
    assert!(matches!(delivery, Delivery::Retry { not_before: None, .. }), "{delivery:?}");
    assert!(hung_up.await.unwrap() > 0);
}

/// A program of a few lines, and the folder that it may write to.
fn script(lines: &str) -> (Channel, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("script");
    std::fs::write(&path, format!("#!/bin/sh\ncd {}\n{lines}\n", folder.path().display())).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let settings =
        ProgramSettings { program: path, args: vec!["one".to_owned()], time_limit: Duration::from_millis(1_500) };
    (Channel::open(ChannelSettings::Program(settings)).unwrap(), folder)
}

#[tokio::test]
async fn a_programs_exit_code_says_what_became_of_a_message() {
    let message = documented();
    let (channel, folder) = script("cat > got; echo $1 > argument; env > environment; echo done >&2");
    assert_eq!(channel.send(&message).await, Delivery::Sent { remote: "done".to_owned() });
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    assert_eq!((read("got"), read("argument")), (message.bytes.clone(), b"one\n".to_vec()));
    let environment = String::from_utf8(read("environment")).unwrap();
    assert!(!environment.contains("CARGO"), "{environment}");

    let (channel, _folder) = script("exit 0");
    assert_eq!(channel.send(&message).await, Delivery::Sent { remote: "exit 0".to_owned() });
    let (channel, _folder) = script("echo 'no such room' >&2; exit 100");
    let delivery = channel.send(&message).await;
    assert!(matches!(&delivery, Delivery::Dead { why } if why.contains("no such room")), "{delivery:?}");
    for lines in ["exit 1", "kill -9 $$", "sleep 60", "sleep 60 & exit 75"] {
        let (channel, _folder) = script(lines);
        let delivery = channel.send(&message).await;
        assert!(matches!(delivery, Delivery::Retry { not_before: None, .. }), "{lines}: {delivery:?}");
    }
    // It says more than anybody reads, and does not read what it is handed.
    let (channel, _folder) = script("head -c 300000 /dev/zero | tr '\\0' 'x' >&2");
    let loud = Outgoing { bytes: vec![b'x'; 300_000], ..message.clone() };
    let delivery = channel.send(&loud).await;
    assert!(matches!(&delivery, Delivery::Sent { remote } if remote.chars().count() == 200), "{delivery:?}");
    let settings =
        ProgramSettings { program: "/nowhere/at/all".into(), args: vec![], time_limit: Duration::from_secs(1) };
    let delivery = Channel::open(ChannelSettings::Program(settings)).unwrap().send(&message).await;
    assert!(matches!(&delivery, Delivery::Retry { why, .. } if why.contains("/nowhere/at/all")), "{delivery:?}");
}

#[tokio::test]
async fn vonage_answers_200_whatever_happened() {
    let service = Service::start().await;
    let settings = VonageSettings {
        account: "abcd1234".to_owned(),
        secret: MARKER.into(),
        base_url: Some(service.address.clone()),
    };
    let channel = Channel::open(ChannelSettings::Vonage(settings)).unwrap();
    let sent =
        r#"{"message-count":"1","messages":[{"to":"16135550123","message-id":"0A0000000123ABCD1","status":"0"}]}"#;
    let cases = [
        (200, sent, "sent 0A0000000123ABCD1"),
        (200, r#"{"message-count":"1","messages":[{"status":"1","error-text":"Throughput Rate Exceeded"}]}"#, "retry"),
        (200, r#"{"message-count":"1","messages":[{"status":"9","error-text":"Partner quota violation"}]}"#, "retry"),
        (200, r#"{"message-count":"1","messages":[{"status":"2","error-text":"Missing to param"}]}"#, "dead"),
        (200, r#"{"message-count":"1","messages":[{"status":"4","error-text":"Bad Credentials"}]}"#, "dead"),
        (200, r#"{"message-count":"2","messages":[{"status":"0"},{"status":"5","error-text":"x"}]}"#, "doubtful"),
        (200, r#"{"message-count":"0","messages":[]}"#, "doubtful"),
        (200, "<html>", "doubtful"),
        (401, "", "dead"),
        (429, "", "retry 30"),
        (503, "", "doubtful"),
    ];
    service.means(&channel, &reported(text("+16135550123", "canada: 续费")), &cases).await;
    let (path, _, body) = service.last();
    assert_eq!(path, "/sms/json");
    for field in [
        "to=16135550123&",
        "type=unicode",
        "client-ref=0193a1b2",
        "text=canada%3A+%E7%BB%AD",
        "ttl=86400000",
        "callback=https%3A%2F%2Fkeeper.example.net%2Fsms%2Fword%2F0193a1b2",
    ] {
        assert!(body.contains(field), "{body}");
    }
}

#[tokio::test]
async fn alibaba_cloud_says_in_a_code_what_became_of_a_text() {
    let service = Service::start().await;
    let settings = AliyunSettings {
        account: "testId".to_owned(),
        secret: MARKER.into(),
        template: "SMS_71390007".to_owned(),
        place: "text".to_owned(),
        base_url: Some(service.address.clone()),
    };
    let channel = Channel::open(ChannelSettings::Aliyun(settings)).unwrap();
    let cases = [
        (
            200,
            r#"{"Message":"OK","RequestId":"F655A8D5","Code":"OK","BizId":"900619746936498440^0"}"#,
            "sent 900619746936498440^0",
        ),
        (
            200,
            r#"{"Message":"触发天级流控Permits:10","RequestId":"C0A0","Code":"isv.BUSINESS_LIMIT_CONTROL"}"#,
            "retry 30",
        ),
        (200, r#"{"Message":"x","Code":"BUSINESS_LIMIT_CONTROL"}"#, "retry 30"),
        (200, r#"{"Message":"x","Code":"isv.AMOUNT_NOT_ENOUGH"}"#, "retry 30"),
        (500, r#"{"Message":"x","Code":"isp.SYSTEM_ERROR"}"#, "retry 30"),
        (200, r#"{"Message":"x","Code":"isv.MOBILE_NUMBER_ILLEGAL"}"#, "dead"),
        (400, r#"{"Message":"Specified signature is not matched","Code":"SignatureDoesNotMatch"}"#, "dead"),
        (429, "", "retry 30"),
        (200, "<html>", "doubtful"),
        (503, "", "doubtful"),
    ];
    service.means(&channel, &text("+8615300000001", "canada: 续费 \"&\""), &cases).await;
    let (path, _, _) = service.last();
    for field in [
        "/?AccessKeyId=testId&Action=SendSms&",
        "&OutId=0193a1b2&PhoneNumbers=8615300000001&SignName=%2B15005550006&",
        "&SignatureNonce=0193a1b2-1797586200&",
        "&TemplateCode=SMS_71390007&TemplateParam=%7B%22text%22%3A%22canada%3A%20%E7%BB%AD%E8%B4%B9%20%5C%22%26%5C%22%22%7D&",
        "&Timestamp=2026-12-18T09%3A30%3A00Z&Version=2017-05-25&Signature=",
    ] {
        assert!(path.contains(field), "{field}\n{path}");
    }
}

#[tokio::test]
async fn plivo_takes_a_text_with_an_id_or_not_at_all() {
    let service = Service::start().await;
    let open = |account: &str| {
        let settings = PlivoSettings {
            account: account.to_owned(),
            token: MARKER.into(),
            base_url: Some(service.address.clone()),
        };
        Channel::open(ChannelSettings::Plivo(settings))
    };
    assert!(open("../x").unwrap_err().to_string().contains("Auth ID"));
    let channel = open("MAXXXXXXXXXXXXXXXXXX").unwrap();
    let cases = [
        (
            202,
            r#"{"api_id":"db34","message":"message(s) queued","message_uuid":["db3ce55a-7f1d"]}"#,
            "sent db3ce55a-7f1d",
        ),
        (202, r#"{"api_id":"db34","error":"no such number"}"#, "doubtful"),
        (404, r#"{"api_id":"97ce","error":"not found"}"#, "dead"),
        (400, "", "dead"),
        (401, "", "dead"),
        (429, "", "retry 30"),
        (500, "", "doubtful"),
        (302, "", "dead"),
    ];
    service.means(&channel, &reported(text("+16135550123", "hello")), &cases).await;
    let (path, headers, body) = service.last();
    assert_eq!(path, "/v1/Account/MAXXXXXXXXXXXXXXXXXX/Message/");
    assert!(headers["authorization"].to_str().unwrap().starts_with("Basic "));
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((body["src"].as_str(), body["dst"].as_str()), (Some("+15005550006"), Some("+16135550123")));
    assert_eq!((&body["text"], &body["url"]), (&json!("hello"), &json!(RECEIPTS)));
    // No longer than just under three hours, which is the most it takes.
    assert_eq!(body["message_expiry"], 10_799);
    let soon = text("+16135550123", "hello");
    let soon = Outgoing { expires_at: soon.sent_at.plus(Secs::minutes(20)), ..soon };
    channel.send(&soon).await;
    let body: Value = serde_json::from_str(&service.last().2).unwrap();
    assert_eq!(body["message_expiry"], 1_200);
}

#[tokio::test]
async fn a_phone_that_has_the_text_already_has_it() {
    let service = Service::start().await;
    let settings = AndroidSettings {
        url: format!("{}/message", service.address),
        user: "keeper".to_owned(),
        password: MARKER.into(),
    };
    let channel = Channel::open(ChannelSettings::Android(settings)).unwrap();
    let cases = [
        (202, r#"{"id":"0193a1b2","state":"Pending","recipients":[]}"#, "sent 0193a1b2"),
        (409, r#"{"message":"Message with the same ID already exists"}"#, "sent 0193a1b2"),
        (400, r#"{"message":"invalid phone number"}"#, "dead"),
        (401, "", "dead"),
        (503, r#"{"message":"queue limit exceeded"}"#, "retry 30"),
        (202, "<html>", "retry"),
    ];
    service.means(&channel, &text("+16135550123", "hello"), &cases).await;
    let (_, headers, body) = service.last();
    assert!(headers["authorization"].to_str().unwrap().starts_with("Basic "));
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&body["textMessage"]["text"], &body["ttl"]), (&json!("hello"), &json!(86_400)));
    assert_eq!((body["id"].as_str(), body["phoneNumbers"][0].as_str()), (Some("0193a1b2"), Some("+16135550123")));
}

#[tokio::test]
async fn a_phone_is_asked_about_each_text_and_only_its_final_words_count() {
    let service = Service::start().await;
    let url = format!("{}/message", service.address);
    let settings = AndroidSettings { url, user: "keeper".to_owned(), password: MARKER.into() };
    let channel = Channel::open(ChannelSettings::Android(settings)).unwrap();
    let text = |id: &str| simkeeper::notify::Asked {
        id: id.to_owned(),
        address: "+16135550123".to_owned(),
        remote: Some(id.to_owned()),
    };
    for (status, body, wanted) in [
        (200, r#"{"id":"0193a1b2","state":"Pending","recipients":[]}"#, None),
        (200, r#"{"id":"0193a1b2","state":"Sent"}"#, None),
        (404, r#"{"message":"not found"}"#, None),
        (200, "<html>", None),
        (200, r#"{"id":"0193a1b2","state":"Delivered","states":{}}"#, Some(Fate::Delivered)),
        (200, r#"{"id":"0193a1b2","state":"Failed"}"#, Some(Fate::Failed)),
    ] {
        *service.answer.lock().unwrap() = (status, body);
        let told = channel.reports(&[text("0193a1b2"), text("0193a1b3")]).await;
        let fates: Vec<_> = told.iter().map(|(id, receipt)| (id.as_str(), receipt.fate)).collect();
        let both = wanted.map(|fate| [("0193a1b2", fate), ("0193a1b3", fate)]);
        assert_eq!(fates, both.into_iter().flatten().collect::<Vec<_>>(), "{status} {body}");
        assert_eq!(told.iter().all(|(_, receipt)| receipt.why.is_some()), wanted != Some(Fate::Delivered), "{body}");
    }
    let (path, headers, _) = service.last();
    assert_eq!(path, "/message/0193a1b3");
    assert!(headers["authorization"].to_str().unwrap().starts_with("Basic "));
}

/// A service that is described as its owner would do it, with a secret in the address, in a header and in the body.
fn described(address: &str, push: bool, drops_doubles: bool) -> Channel {
    let template = |text: &str, escape| Template::parse(text, escape).unwrap();
    let pointer = |text: &str| Pointer::parse(text).ok();
    let body = if push {
        r#"{"t": "{{ title }}", "m": "{{ text }}", "loud": {{ urgent }}, "key": "{{ secrets.key }}"}"#
    } else {
        r#"{"to": "{{ to_digits }}", "m": "{{ text }}", "dcs": {{ coding }}, "ref": "{{ id }}", "ttl": {{ minutes * 60 }}}"#
    };
    let bearer = template("Bearer {{ secrets.key }}", Escape::Nothing);
    Channel::open(ChannelSettings::Service(Box::new(ServiceSettings {
        push,
        method: ServiceMethod::Put,
        url: template(&format!("{address}/to/{{{{ to }}}}?k={{{{ secrets.key }}}}"), Escape::Percent),
        headers: vec![
            ("Authorization".to_owned(), HeaderText::Template(bearer)),
            ("X-Key".to_owned(), HeaderText::Secret(MARKER.into())),
        ],
        content_type: "application/json".to_owned(),
        body: Some(template(body, Escape::Json)),
        secrets: vec![("key".to_owned(), MARKER.into())],
        answers: Answers {
            permanent: vec![Condition {
                pointer: pointer("/error"),
                is: vec!["21".to_owned()],
                ..Condition::default()
            }],
            temporary: vec![Condition { pointer: pointer("/error"), ..Condition::default() }],
            sent: vec![Condition { status: vec![200, 202], pointer: pointer("/ids/0"), ..Condition::default() }],
        },
        remote_id: pointer("/ids/0"),
        drops_doubles,
    })))
    .unwrap()
}

#[tokio::test]
async fn a_described_service_says_in_its_answers_what_became_of_a_message() {
    let service = Service::start().await;
    let message = text("+16135550123", "\"canada\" & 续费\\\n{{ secrets.key }}");
    let cases = [
        (202, r#"{"ids":[77]}"#, "sent 77"),
        (200, r#"{"ids":["x"],"error":21}"#, "dead"),
        (200, r#"{"error":"busy"}"#, "retry 30"),
        (200, "<html>Welcome to our network</html>", "doubtful"),
        (429, "", "retry 30"),
        (404, "", "dead"),
        (302, "", "doubtful"),
        (500, "", "doubtful"),
    ];
    service.means(&described(&service.address, false, false), &message, &cases).await;
    let (path, headers, body) = service.last();
    assert_eq!(path, format!("/to/%2B16135550123?k={MARKER}"));
    assert_eq!(headers["authorization"], format!("Bearer {MARKER}"));
    assert_eq!(
        (&headers["x-key"], &headers["content-type"]),
        (&MARKER.parse().unwrap(), &"application/json".parse().unwrap())
    );
    let body: Value = serde_json::from_str(&body).unwrap();
    let wanted = serde_json::json!({
        "to": "16135550123", "m": "\"canada\" & 续费\\\n{{ secrets.key }}", "dcs": 2, "ref": "0193a1b2", "ttl": 86_400
    });
    assert_eq!(body, wanted);
}

#[tokio::test]
async fn a_described_service_that_drops_doubles_is_asked_again() {
    let service = Service::start().await;
    let channel = described(&service.address, true, true);
    service
        .means(&channel, &pushed(NoticeKind::Asked), &[(500, "", "retry"), (200, r#"{"ids":["a"]}"#, "sent a")])
        .await;
    let body: Value = serde_json::from_str(&service.last().2).unwrap();
    assert_eq!((body["loud"].as_bool(), body["key"].as_str()), (Some(true), Some(MARKER)));
    assert!(body["t"].as_str().unwrap().starts_with("canada-trip: buy for 12.50 USD?"), "{body}");
    // Nobody listens: what was filled into the address is not told.
    let channel = described(&format!("http://127.0.0.1:{}", free_port()), true, true);
    let delivery = channel.send(&pushed(NoticeKind::Bought)).await;
    assert!(matches!(delivery, Delivery::Retry { .. }) && !format!("{delivery:?}").contains(MARKER), "{delivery:?}");
}
