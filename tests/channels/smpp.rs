//! Texts by SMPP.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::SecretString;
use simkeeper::domain::receipt::Fate;
use simkeeper::notify::{Asked, Channel, ChannelSettings, Delivery, SmppSettings};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::centre::Centre;
use crate::parts::{text, wait_for};
use crate::secure::{Certificates, certificates};

fn channel(port: u16, password: &str) -> Channel {
    let settings = SmppSettings {
        host: "127.0.0.1".to_owned(),
        port,
        tls: false,
        user: "keeper".to_owned(),
        password: SecretString::from(password),
        system_type: String::new(),
        ca_file: None,
    };
    Channel::open(ChannelSettings::Smpp(settings)).unwrap()
}

fn open_text(id: &str, remote: String) -> Asked {
    Asked { id: id.to_owned(), address: "+16135550123".to_owned(), remote: Some(remote) }
}

/// A TLS server before a centre, as aggregators have it: its port.
async fn protected(centre: u16, made: &Certificates) -> u16 {
    let certificates: Vec<_> = CertificateDer::pem_file_iter(&made.certificate).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(&made.key).unwrap();
    let settings = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap();
    let settings = settings.with_no_client_auth().with_single_cert(certificates, key).unwrap();
    let (listener, acceptor) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), TlsAcceptor::from(Arc::new(settings)));
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            // A client that trusts nobody here hangs up.
            let Ok(mut line) = acceptor.accept(socket).await else { continue };
            let mut behind = TcpStream::connect(("127.0.0.1", centre)).await.unwrap();
            drop(tokio::io::copy_bidirectional(&mut line, &mut behind).await);
        }
    });
    port
}

#[tokio::test]
async fn texts_and_receipts_go_protected_to_a_centre_that_somebody_vouches_for() {
    let (centre, folder) = (Centre::start(), tempfile::tempdir().unwrap());
    let made = certificates(folder.path(), "localhost");
    let port = protected(centre.port, &made).await;
    let open = |host: &str, ca_file: Option<PathBuf>| {
        let settings = SmppSettings {
            host: host.to_owned(),
            port,
            tls: true,
            user: "keeper".to_owned(),
            password: SecretString::from("right"),
            system_type: String::new(),
            ca_file,
        };
        Channel::open(ChannelSettings::Smpp(settings)).unwrap()
    };
    // Nobody vouches for it, and for another name somebody does.
    for (host, ca_file) in [("localhost", None), ("127.0.0.1", Some(made.authority.clone()))] {
        let delivery = open(host, ca_file).send(&text("+16135550123", "hello")).await;
        assert!(matches!(&delivery, Delivery::Retry { why, .. } if why.contains("no connection")), "{delivery:?}");
    }
    assert_eq!(centre.said(), "");
    let channel = open("localhost", Some(made.authority));
    let Delivery::Sent { remote } = channel.send(&text("+16135550123", "hello")).await else { panic!("not sent") };
    let told = channel.reports(&[open_text("ours", remote)]).await;
    assert!(told.len() == 1 && told[0].1.fate == Fate::Delivered, "{told:?}");
}

#[tokio::test]
async fn a_centre_takes_texts_of_both_alphabets_over_one_connection() {
    let centre = Centre::start();
    let channel = channel(centre.port, "right");
    for (number, words, expected) in [
        ("+16135550123", "canada: 5 € [ok]", "1 0 1 000001000000000R 63616e6164613a2035201b65201b3c6f6b1b3e"),
        ("+16135550124", "续费", "1 8 1 000001000000000R 7eed8d39"),
    ] {
        let delivery = channel.send(&text(number, words)).await;
        assert!(matches!(&delivery, Delivery::Sent { remote } if remote.starts_with("c-")), "{delivery:?}");
        let line = centre.says(number.trim_start_matches('+'));
        assert_eq!(line, format!("text {} 15005550006 {expected}", &number[1..]));
    }
    for (number, wanted) in [("+16135550058", "retry"), ("+16135550011", "dead"), ("+161355501234567890123", "dead")] {
        let delivery = channel.send(&text(number, "hello")).await;
        let got = match &delivery {
            Delivery::Retry { why, .. } if why.contains("EsmeRthrottled") => "retry",
            Delivery::Dead { .. } => "dead",
            _ => "something else",
        };
        assert_eq!(got, wanted, "{number}: {delivery:?}");
    }
    channel.close().await;
    let said = centre.said();
    assert_eq!(said.lines().filter(|line| line.starts_with("bind")).count(), 1, "{said}");
}

#[tokio::test]
async fn a_centre_tells_what_became_of_texts_until_it_is_thanked() {
    let centre = Centre::start();
    let channel = channel(centre.port, "right");
    let mut asked = Vec::new();
    for number in ["+16135550123", "+16135550099"] {
        let Delivery::Sent { remote } = channel.send(&text(number, "hello")).await else { panic!("{number}") };
        asked.push(open_text(number, remote));
    }
    for _ in 0..2 {
        let reports = channel.reports(&asked).await;
        let fates: Vec<_> = reports.iter().map(|(id, receipt)| (id.as_str(), receipt.fate)).collect();
        assert_eq!(fates, [("+16135550123", Fate::Delivered), ("+16135550099", Fate::Failed)]);
        assert!(reports[1].1.why.as_deref().is_some_and(|why| why.contains("UNDELIV, error 027")), "{reports:?}");
    }
    channel.thank().await;
    centre.says("thanked");
    assert_eq!(channel.reports(&asked).await, []);
}

/// A receipt is faster than the record of its text, or is of a text of somebody else's.
#[tokio::test]
async fn a_receipt_of_no_known_text_is_looked_at_twice_before_the_centre_is_thanked() {
    let centre = Centre::start();
    let channel = channel(centre.port, "right");
    let mut remotes = Vec::new();
    for number in ["+16135550123", "+16135550124"] {
        let Delivery::Sent { remote } = channel.send(&text(number, "hello")).await else { panic!("{number}") };
        remotes.push(remote);
    }
    assert_eq!(channel.reports(&[]).await, []);
    assert!(channel.has_strays());
    channel.thank().await;
    let late = open_text("late", remotes.remove(0));
    let told = channel.reports(&[late]).await;
    assert!(told.len() == 1 && told[0].0 == "late" && told[0].1.fate == Fate::Delivered, "{told:?}");
    // It has answered since, so it would have heard thanks.
    assert!(!centre.said().contains("thanked"), "{}", centre.said());
    assert!(!channel.has_strays());
    channel.thank().await;
    wait_for("thanks for both", || (centre.said().matches("thanked").count() == 2).then_some(()));
    assert_eq!(channel.reports(&[]).await, []);
}

#[tokio::test]
async fn a_login_that_is_refused_is_no_doubt_and_a_centre_that_is_gone_is_tried_again() {
    let centre = Centre::start();
    let delivery = channel(centre.port, "wrong").send(&text("+16135550123", "hello")).await;
    assert!(matches!(&delivery, Delivery::Dead { why } if why.contains("0x0000000E")), "{delivery:?}");
    let (good, port) = (channel(centre.port, "right"), centre.port);
    assert!(matches!(good.send(&text("+16135550123", "hello")).await, Delivery::Sent { .. }));
    drop(centre);
    let delivery = channel(port, "right").send(&text("+16135550123", "hello")).await;
    assert!(matches!(&delivery, Delivery::Retry { why, .. } if why.contains("no connection")), "{delivery:?}");
    // A text was trusted to a connection that had just been good.
    let delivery = good.send(&text("+16135550123", "hello")).await;
    assert!(matches!(delivery, Delivery::Doubtful { .. }), "{delivery:?}");
    let delivery = good.send(&text("+16135550123", "hello")).await;
    assert!(matches!(delivery, Delivery::Retry { .. }), "{delivery:?}");
    assert!(!format!("{good:?}").contains("right"));
}
