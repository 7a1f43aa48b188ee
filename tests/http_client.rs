//! The adapters' HTTP client against servers that misbehave on real sockets.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "loopback/fixed.rs"]
mod fixed;
mod loopback;

use std::process::Command;
use std::time::Duration;

use fixed::answering;
use loopback::{Server, answer, request};
use simkeeper::domain::operator::{BuyAnswer, Doubt, OperatorError, RefusalKind};
use simkeeper::domain::time::{Secs, UnixTime};
use simkeeper::operators::http::{BuyOutcome, Call, HttpClient, HttpSettings, HttpSetupError};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

fn client(server: &Server) -> HttpClient {
    HttpClient::new(&settings(server)).unwrap()
}

fn settings(server: &Server) -> HttpSettings {
    HttpSettings::new(&format!("{}/v2", server.address), &["api.example.net"])
}

fn order() -> Call<'static> {
    Call::post("/orders", "application/x-www-form-urlencoded", b"package_id=a&iccid=1")
}

#[tokio::test]
async fn a_reading_arrives_with_what_matters_of_its_headers() {
    let headers = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: 7\r\nX-RateLimit-Remaining: 4\r\n";
    let server = answering(answer("200 OK", headers, r#"{"a":1}"#)).await;
    let token = secrecy::SecretString::from("t0ken");
    let call = Call::get("/sims/1/usage").query(&[("filter[description]", "a b&c")]).bearer(&token);
    assert!(!format!("{call:?}").contains("t0ken"));
    let got = client(&server).read(call).await.unwrap().checked().unwrap();
    assert_eq!(got.date, Some(UnixTime::clamped(784_111_777)));
    assert_eq!((got.retry_after, got.calls_left), (Some(Secs(7)), Some(4)));
    assert_eq!(got.json::<serde_json::Value>().unwrap()["a"], 1);
    let sent = server.requests().remove(0);
    assert!(sent.starts_with("GET /v2/sims/1/usage?filter%5Bdescription%5D=a+b%26c HTTP/1.1\r\n"), "{sent}");
    assert!(sent.contains("authorization: Bearer t0ken\r\n"), "{sent}");
    assert!(sent.contains(concat!("user-agent: simkeeper/", env!("CARGO_PKG_VERSION"))), "{sent}");
}

#[test]
fn proxies_from_the_environment_are_not_used() {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "a_reading_arrives_with_what_matters_of_its_headers"]);
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        child.env(name, "http://127.0.0.1:1");
    }
    let output = child.env_remove("NO_PROXY").env_remove("no_proxy").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[tokio::test]
async fn redirects_are_not_followed_and_no_body_is_sent_again() {
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let other = answering(answer("200 OK", "", "{}")).await;
        for target in ["/v2/elsewhere".to_owned(), format!("{}/v2/orders", other.address)] {
            let server = answering(answer(status, &format!("Location: {target}\r\n"), "")).await;
            let client = client(&server);
            let BuyOutcome::Answer(got) = client.buy(order()).await else { panic!("{status}") };
            assert!(matches!(got.in_doubt(), BuyAnswer::Unknown { doubt: Doubt::Redirected, .. }), "{status}");
            let got = client.read(Call::get("/sims")).await.unwrap();
            assert!(matches!(got.error(), OperatorError::Unknown { .. }), "{status}");
            assert_eq!(server.requests().len(), 2, "{status}");
        }
        assert_eq!(other.requests().len(), 0, "{status}");
    }
}

#[tokio::test]
async fn a_body_without_end_is_cut() {
    let server = Server::start(|mut socket, _| {
        Box::pin(async move {
            let head = "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n";
            socket.write_all(head.as_bytes()).await.unwrap();
            while socket.write_all(&[b' '; 65_536]).await.is_ok() {}
        })
    })
    .await;
    let got = client(&server).read(Call::get("/sims")).await.unwrap();
    assert_eq!((got.body.len(), got.cut), (1 << 20, true));
    assert!(matches!(got.json::<serde_json::Value>(), Err(OperatorError::Unknown { .. })));
    let got = client(&server).read(Call::get("/sims").body_bytes_max(10)).await.unwrap();
    assert_eq!((got.body.len(), got.cut), (10, true));
    let BuyOutcome::Answer(got) = client(&server).buy(order()).await else { panic!("no answer") };
    assert!(matches!(got.in_doubt(), BuyAnswer::Unknown { doubt: Doubt::Unreadable, .. }));
}

/// A gzip stream of zero bytes: one fixed-Huffman block (RFC 1951, 3.2.6) of copies of 258 bytes in 13 bits each.
fn gzip_of_zeros(copies: usize) -> Vec<u8> {
    let copy = "1100010100000".repeat(copies);
    let bits = format!("110{literal}{copy}{end}", literal = "00110000", end = "0000000");
    let packed = bits
        .as_bytes()
        .chunks(8)
        .map(|eight| eight.iter().enumerate().fold(0_u8, |byte, (place, bit)| byte | ((bit - b'0') << place)));
    [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255].into_iter().chain(packed).collect()
}

#[tokio::test]
async fn a_gzip_bomb_is_cut_by_its_decoded_size() {
    let bomb = gzip_of_zeros(400_000);
    assert!(bomb.len() < 1 << 20);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", bomb.len());
    let server = answering([head.into_bytes(), bomb].concat()).await;
    let got = client(&server).read(Call::get("/sims")).await.unwrap();
    assert_eq!((got.body.len(), got.cut), (1 << 20, true));
}

#[tokio::test]
async fn slow_bytes_are_ended_by_the_total_limit() {
    let server = Server::start(|mut socket, _| {
        Box::pin(async move {
            let mut drops = tokio::time::interval(Duration::from_millis(20));
            socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n").await.unwrap();
            while socket.write_all(b" ").await.is_ok() {
                drops.tick().await;
            }
        })
    })
    .await;
    let limit = Duration::from_millis(300);
    let client = HttpClient::new(&HttpSettings { read_limit: limit, buy_limit: limit, ..settings(&server) }).unwrap();
    assert!(matches!(client.read(Call::get("/sims")).await, Err(OperatorError::Later { .. })));
    assert!(matches!(client.buy(order()).await, BuyOutcome::Doubt { doubt: Doubt::TimedOut, .. }));
}

#[tokio::test]
async fn half_a_body_and_no_answer_at_all_are_doubts() {
    let half = Server::start(|mut socket, _| {
        Box::pin(async move {
            socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"data\":").await.unwrap();
        })
    })
    .await;
    let nothing = Server::start(|socket, _| Box::pin(async move { drop(socket) })).await;
    for server in [half, nothing] {
        let client = client(&server);
        let outcome = client.buy(order()).await;
        assert!(matches!(outcome, BuyOutcome::Doubt { doubt: Doubt::Broken, .. }), "{outcome:?}");
        assert_eq!(server.requests().len(), 1, "an order is sent once");
        let error = client.read(Call::get("/secret/path")).await.unwrap_err();
        assert!(matches!(error, OperatorError::Later { .. }), "{error:?}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let plain = answering("this is not TLS").await;
    let not_tls = plain.address.replace("http:", "https:");
    for base in [format!("http://{closed}"), not_tls, "https://simkeeper.invalid".into()] {
        let limit = Duration::from_secs(2);
        let settings = HttpSettings::new(&base, &["127.0.0.1", "simkeeper.invalid"]);
        let client = HttpClient::new(&HttpSettings { read_limit: limit, buy_limit: limit, ..settings }).unwrap();
        let outcome = client.buy(order()).await;
        assert!(matches!(outcome, BuyOutcome::NotSent { .. }), "{base}: {outcome:?}");
        assert!(matches!(client.read(Call::get("/sims")).await, Err(OperatorError::Later { .. })), "{base}");
    }
}

#[tokio::test]
async fn every_order_has_its_own_connection_and_readings_share_one() {
    let server = Server::start(|mut socket, _| {
        Box::pin(async move {
            let bytes = answer("200 OK", "", "{}");
            loop {
                socket.write_all(bytes.as_bytes()).await.unwrap();
                if request(&mut socket).await.is_empty() {
                    return;
                }
            }
        })
    })
    .await;
    let client = client(&server);
    for _ in 0..3 {
        client.read(Call::get("/sims")).await.unwrap();
    }
    assert_eq!(server.requests().len(), 1);
    for sent in 1..=3 {
        assert!(matches!(client.buy(order()).await, BuyOutcome::Answer(_)));
        assert_eq!(server.requests().len(), 1 + sent);
    }
    assert!(server.requests()[1].ends_with("\r\n\r\npackage_id=a&iccid=1"));
}

#[tokio::test]
async fn refusals_of_access_and_of_haste_are_told_apart() {
    let server = answering(answer("429 Too Many", "Retry-After: 60\r\n", "{}")).await;
    let error = client(&server).read(Call::get("/sims")).await.unwrap().checked().unwrap_err();
    assert!(matches!(error, OperatorError::Later { retry_after: Some(Secs(60)), .. }), "{error:?}");
    let server = answering(answer("403 Forbidden", "", "{}")).await;
    let error = client(&server).read(Call::get("/sims")).await.unwrap().checked().unwrap_err();
    assert!(matches!(error, OperatorError::Never { kind: RefusalKind::Access, .. }), "{error:?}");
    let server = answering(answer("200 OK", "Content-Type: text/html\r\n", "hello")).await;
    let error = client(&server).read(Call::get("/sims")).await.unwrap().json::<serde_json::Value>().unwrap_err();
    assert!(error.to_string().contains("web page"), "{error}");
}

#[test]
fn only_the_operators_own_hosts_are_taken() {
    let new = |base: &str| HttpClient::new(&HttpSettings::new(base, &["api.example.net"])).map(|_| ());
    assert_eq!(new("https://api.example.net/v2"), Ok(()));
    for base in ["http://127.0.0.1:8080", "http://[::1]:8080/v2", "http://localhost:1"] {
        assert_eq!(new(base), Ok(()), "{base}");
    }
    for base in ["https://api.example.net.evil.test", "https://169.254.169.254", "https://127.0.0.1"] {
        assert!(matches!(new(base), Err(HttpSetupError::NotAllowed { .. })), "{base}");
    }
    for base in ["http://api.example.net", "http://10.0.0.1", "http://localhost.evil.test"] {
        assert!(matches!(new(base), Err(HttpSetupError::NotEncrypted(_))), "{base}");
    }
    for base in ["", "api.example.net", "ftp://127.0.0.1", "https://u:p@api.example.net", "https://api.example.net?a=b"]
    {
        assert!(matches!(new(base), Err(HttpSetupError::Address(_))), "{base}");
    }
}

#[tokio::test]
async fn paths_stay_below_the_base_address() {
    let server = answering(answer("200 OK", "", "{}")).await;
    for path in ["sims", "//evil.test/../../x", "/../token", "/a?b", "/a#b", "/a\\..\\b"] {
        let error = client(&server).read(Call::get(path)).await.unwrap_err();
        assert!(matches!(error, OperatorError::Unknown { .. }), "{path}");
        let outcome = client(&server).buy(Call::post(path, "text/plain", b"")).await;
        assert!(matches!(outcome, BuyOutcome::NotSent { .. }), "{path}");
    }
    client(&server).read(Call::get("//evil.test/x")).await.unwrap();
    assert!(server.requests()[0].starts_with("GET /v2//evil.test/x "), "{:?}", server.requests());
    let odd = client(&server).read(Call::get("/a").header("x-key", "a\r\nb: c")).await;
    assert!(odd.is_err());
    assert_eq!(server.requests().len(), 1);
}
