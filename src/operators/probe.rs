//! Looks at the way to an operator without saying a word on it: does the name resolve, does somebody answer, is the
//! certificate good, and for how long. Sends nothing beyond the TLS handshake.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::CertificateError;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::tls;
use crate::domain::card::tamed;
use crate::domain::time::UnixTime;

/// How long each step may take.
const STEP_LIMIT: Duration = Duration::from_secs(10);
/// Characters of an error that are kept.
const TEXT_LONGEST: usize = 200;

/// Where an operator is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The host, by name or address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether the connection is encrypted.
    pub encrypted: bool,
}

impl Target {
    /// A host of an operator, as all of them are reached.
    #[must_use]
    pub fn of_host(host: &str) -> Self {
        Self { host: host.to_owned(), port: 443, encrypted: true }
    }
}

/// What is wrong on the way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoWay {
    /// The name has no address.
    #[error("the name does not resolve ({0})")]
    Name(String),
    /// Nobody listens.
    #[error("the connection is refused")]
    Refused,
    /// No answer.
    #[error("no answer within {0} s")]
    TimedOut(u64),
    /// No connection for another reason.
    #[error("no connection ({0})")]
    Broken(String),
    /// The certificate is not valid at this time, by our clock.
    #[error("the certificate is not valid now, by the clock of this machine")]
    CertificateTime,
    /// The certificate is for another name.
    #[error("the certificate is for another name")]
    CertificateName,
    /// The certificate is signed by nobody whom this system trusts.
    #[error("the certificate is not trusted ({0})")]
    CertificateTrust(String),
    /// This system has no certificates, or TLS failed.
    #[error("no encrypted connection ({0})")]
    Tls(String),
}

/// A connection that was made, and closed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// When the certificate ends, where there is one that can be read.
    pub certificate_ends: Option<UnixTime>,
}

/// The addresses of a host.
///
/// # Errors
/// [`NoWay::Name`] or [`NoWay::TimedOut`].
pub async fn resolve(target: &Target) -> Result<Vec<SocketAddr>, NoWay> {
    let host = target.host.trim_start_matches('[').trim_end_matches(']');
    let asked = timeout(STEP_LIMIT, tokio::net::lookup_host((host, target.port))).await.map_err(|_| too_late())?;
    let found: Vec<SocketAddr> = asked.map_err(|error| NoWay::Name(text(&error)))?.collect();
    if found.is_empty() { Err(NoWay::Name("it has no address".to_owned())) } else { Ok(found) }
}

/// Connects to the first address that answers, and shakes hands where the connection is encrypted.
///
/// # Errors
/// What the last address came to.
pub async fn connect(target: &Target, addresses: &[SocketAddr]) -> Result<Link, NoWay> {
    let mut last = NoWay::Broken("it has no address".to_owned());
    for address in addresses {
        match timeout(STEP_LIMIT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) if target.encrypted => return shake_hands(target, stream).await,
            Ok(Ok(_)) => return Ok(Link { certificate_ends: None }),
            Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => last = NoWay::Refused,
            Ok(Err(error)) => last = NoWay::Broken(text(&error)),
            Err(_) => last = too_late(),
        }
    }
    Err(last)
}

async fn shake_hands(target: &Target, stream: TcpStream) -> Result<Link, NoWay> {
    let config = tls::of_system().map_err(NoWay::Tls)?;
    let name = ServerName::try_from(target.host.clone()).map_err(|error| NoWay::Tls(text(&error)))?;
    let shaken = timeout(STEP_LIMIT, TlsConnector::from(Arc::new(config)).connect(name, stream)).await;
    let stream = shaken.map_err(|_| too_late())?.map_err(|error| tls_trouble(&error))?;
    let (_, session) = stream.get_ref();
    let first = session.peer_certificates().and_then(|chain| chain.first());
    Ok(Link { certificate_ends: first.and_then(|certificate| not_after(certificate)) })
}

fn tls_trouble(error: &io::Error) -> NoWay {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let Some(rustls::Error::InvalidCertificate(wrong)) = inner else { return NoWay::Tls(text(error)) };
    match wrong {
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => NoWay::CertificateTime,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => NoWay::CertificateName,
        other => NoWay::CertificateTrust(text(&format!("{other:?}"))),
    }
}

const fn too_late() -> NoWay {
    NoWay::TimedOut(STEP_LIMIT.as_secs())
}

fn text(error: &impl ToString) -> String {
    tamed(&error.to_string(), TEXT_LONGEST)
}

/// When a certificate ends (RFC 5280, 4.1: the second time of `validity` in the part that is signed).
fn not_after(der: &[u8]) -> Option<UnixTime> {
    let (_, certificate, _) = element(der)?;
    let (_, signed, _) = element(certificate)?;
    let (tag, _, behind) = element(signed)?;
    // The version may be left out.
    let numbered = if tag == 0xa0 { behind } else { signed };
    let (_, _, behind) = element(numbered)?; // serial number
    let (_, _, behind) = element(behind)?; // algorithm
    let (_, _, behind) = element(behind)?; // issuer
    let (_, validity, _) = element(behind)?;
    let (_, _, behind) = element(validity)?; // not before
    let (tag, time, _) = element(behind)?;
    let digits = std::str::from_utf8(time).ok()?.strip_suffix('Z')?;
    let whole = match tag {
        0x17 if digits.get(..2)? >= "50" => format!("19{digits}"),
        0x17 => format!("20{digits}"),
        0x18 => digits.to_owned(),
        _ => return None,
    };
    let part = |from: usize, to: usize| whole.get(from..to);
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    UnixTime::parse(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z")).ok()
}

/// The first element of DER: its tag, what it holds, and what comes behind it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            (bytes.iter().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (inside, behind) = rest.split_at_checked(length)?;
    Some((tag, inside, behind))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    fn local(port: u16, encrypted: bool) -> Target {
        Target { host: "127.0.0.1".to_owned(), port, encrypted }
    }

    #[tokio::test]
    async fn a_way_is_open_or_it_is_said_why_not() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let open = local(port, false);
        let addresses = resolve(&open).await.unwrap();
        assert_eq!(connect(&open, &addresses).await, Ok(Link { certificate_ends: None }));
        drop(listener);
        assert_eq!(connect(&open, &addresses).await, Err(NoWay::Refused));
        let nowhere = Target::of_host("no such host.invalid");
        assert!(matches!(resolve(&nowhere).await, Err(NoWay::Name(_))));
    }

    #[tokio::test]
    async fn who_does_not_speak_tls_is_told_apart() {
        use tokio::io::AsyncWriteExt;

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = local(listener.local_addr().unwrap().port(), true);
        let served = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
            socket
        });
        let addresses = resolve(&target).await.unwrap();
        assert!(matches!(connect(&target, &addresses).await, Err(NoWay::Tls(_))));
        drop(served.await.unwrap());
    }

    /// An element of DER of less than 128 bytes.
    fn der(tag: u8, inside: &[u8]) -> Vec<u8> {
        let mut bytes = vec![tag, u8::try_from(inside.len()).unwrap()];
        bytes.extend_from_slice(inside);
        bytes
    }

    fn certificate(version: &[u8], ends: (u8, &str)) -> Vec<u8> {
        let validity = [der(0x17, b"200101000000Z"), der(ends.0, ends.1.as_bytes())].concat();
        let issuer = der(0x30, &[]);
        let signed = [version, &der(2, &[1]), &der(0x30, &[5, 0]), &issuer, &der(0x30, &validity), &issuer].concat();
        der(0x30, &der(0x30, &signed))
    }

    #[test]
    fn the_end_of_a_certificate_is_read_in_both_notations() {
        let version = der(0xa0, &der(2, &[2]));
        let at = |text: &str| UnixTime::parse(text).ok();
        for (version, tag, time, expected) in [
            (version.as_slice(), 0x17, "270115080000Z", at("2027-01-15T08:00:00Z")),
            (&[], 0x17, "490115080000Z", at("2049-01-15T08:00:00Z")),
            (&version, 0x18, "20550115080000Z", at("2055-01-15T08:00:00Z")),
            (&version, 0x17, "270115080000", None),
            (&version, 0x04, "270115080000Z", None),
        ] {
            let whole = certificate(version, (tag, time));
            assert_eq!(not_after(&whole), expected, "{time}");
            for cut in 0..whole.len() {
                assert_eq!(not_after(&whole[..cut]), None);
            }
        }
    }
}
