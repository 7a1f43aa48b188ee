//! Mail by SMTP: kept connections, stored bytes sent as they are, and an account of how far each mail got.

use std::future::Future;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lettre::address::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;
use rustls::ClientConfig;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::wire::{self, Wire};
use super::{CONNECT_TIMEOUT, Delivery, NotifyError, Outgoing, tls, wrong};
use crate::notify::mail::mailbox;
use crate::notify::texts::cut;

/// A kept connection is used again within this time; servers close theirs after five minutes or less.
const IDLE_MAX: Duration = Duration::from_secs(30);
/// How long a goodbye may take.
const QUIT_TIMEOUT: Duration = Duration::from_secs(2);
/// The most connections to one server.
const CONNECTIONS_MAX: usize = 32;
/// How much of a server's answer is shown.
const ANSWER_SHOWN: usize = 200;

/// How the way to the server is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    /// Clear at first, then STARTTLS or nothing; port 587.
    Starttls,
    /// TLS from the first byte; port 465.
    Implicit,
    /// Clear; only to this very machine.
    None,
}

/// A user of the mail server.
#[derive(Debug)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password.
    pub password: SecretString,
}

/// A mail server.
#[derive(Debug)]
pub struct SmtpSettings {
    /// Its name; the certificate must be for it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way is secured.
    pub tls: SmtpTls,
    /// The login, where it wants one.
    pub login: Option<Login>,
    /// Roots beside the machine's own, in PEM.
    pub ca_file: Option<PathBuf>,
    /// How many connections at once: 1 to 32.
    pub connections: usize,
    /// How long each step of sending may take.
    pub step_timeout: Duration,
}

/// A mail server and the connections to it that are kept.
#[derive(Debug)]
pub struct Smtp {
    settings: SmtpSettings,
    tls: Option<Arc<ClientConfig>>,
    permits: Semaphore,
    idle: Mutex<Vec<Kept>>,
}

struct Kept {
    connection: AsyncSmtpConnection,
    since: Instant,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}

/// How a step went wrong.
enum Failure {
    /// The server answered with a code that is no success.
    Answer { code: u16, text: String },
    /// The connection is of no use any more.
    Broken(String),
}

/// What became of a mail on one connection, and whether the connection can be used again.
struct Try {
    delivery: Delivery,
    usable: bool,
    /// The connection was dead before it took a single command, so a fresh one may be tried at once.
    stale: bool,
}

impl Smtp {
    pub(super) fn open(settings: SmtpSettings) -> Result<Self, NotifyError> {
        if settings.host.trim().is_empty() {
            return Err(wrong("host", "it is empty; write the name of the mail server, such as mail.example.net"));
        }
        if settings.port == 0 {
            return Err(wrong("port", "0 is not a port; mail servers listen on 587 (starttls) or 465 (implicit)"));
        }
        if settings.tls == SmtpTls::None && !is_loopback(&settings.host) {
            return Err(wrong(
                "tls",
                format!(
                    "\"none\" is only for a server on this machine; for {} write \"starttls\" or \"implicit\"",
                    settings.host
                ),
            ));
        }
        if !(1..=CONNECTIONS_MAX).contains(&settings.connections) {
            return Err(wrong(
                "connections",
                format!("{} is not between 1 and {CONNECTIONS_MAX}", settings.connections),
            ));
        }
        let tls = match settings.tls {
            SmtpTls::None => None,
            SmtpTls::Starttls | SmtpTls::Implicit => Some(tls::client(settings.ca_file.as_deref())?),
        };
        let permits = Semaphore::new(settings.connections);
        Ok(Self { settings, tls, permits, idle: Mutex::new(Vec::new()) })
    }

    pub(super) async fn send(&self, message: &Outgoing) -> Delivery {
        let (from, to) = match (mailbox(&message.from), mailbox(&message.address)) {
            (Ok(from), Ok(to)) => (from.email, to.email),
            (Err(error), _) | (_, Err(error)) => return Delivery::Dead { why: error.to_string() },
        };
        let Ok(_permit) = self.permits.acquire().await else {
            return Delivery::retry("the channel is being closed");
        };
        while let Some(mut connection) = self.take_idle() {
            let tried = self.deliver(&mut connection, &from, &to, &message.bytes).await;
            if !tried.stale {
                return self.put_back(connection, tried);
            }
        }
        match self.connect().await {
            Ok(mut connection) => {
                let tried = self.deliver(&mut connection, &from, &to, &message.bytes).await;
                self.put_back(connection, tried)
            }
            Err(why) => Delivery::retry(why),
        }
    }

    pub(super) async fn close(&self) {
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        for mut kept in idle {
            // The server notices a closed socket as well; a goodbye is mere courtesy.
            let _ = timeout(QUIT_TIMEOUT, kept.connection.quit()).await;
        }
    }

    fn take_idle(&self) -> Option<AsyncSmtpConnection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|kept| kept.since.elapsed() < IDLE_MAX);
        idle.pop().map(|kept| kept.connection)
    }

    fn put_back(&self, connection: AsyncSmtpConnection, tried: Try) -> Delivery {
        if tried.usable && !connection.has_broken() {
            let kept = Kept { connection, since: Instant::now() };
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
        }
        tried.delivery
    }

    /// A connection that is secured and logged in. A refusal here is the channel's trouble and not the recipient's.
    async fn connect(&self) -> Result<AsyncSmtpConnection, String> {
        let (host, hello) = (&self.settings.host, ClientId::default());
        let late = || format!("{host} did not answer within {} s", CONNECT_TIMEOUT.as_secs());
        let wire = timeout(CONNECT_TIMEOUT, self.wire(&hello.to_string())).await.map_err(|_| late())??;
        let connection = AsyncSmtpConnection::connect_with_transport(Box::new(wire), &hello);
        let mut connection =
            step(self.settings.step_timeout, connection).await.map_err(|failure| words(host, failure))?;
        if let Some(login) = &self.settings.login {
            let credentials = Credentials::new(login.user.clone(), login.password.expose_secret().to_owned());
            let answer = connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials);
            step(self.settings.step_timeout, answer)
                .await
                .map_err(|failure| format!("the login as {} failed: {}", cut(&login.user, 80), words(host, failure)))?;
        }
        Ok(connection)
    }

    async fn wire(&self, hello: &str) -> Result<Wire, String> {
        let (host, port) = (self.settings.host.as_str(), self.settings.port);
        match (self.settings.tls, &self.tls) {
            (SmtpTls::Implicit, Some(tls)) => wire::implicit_tls(host, port, tls).await,
            (SmtpTls::Starttls, Some(tls)) => wire::starttls(host, port, hello, tls).await,
            (SmtpTls::None, None) => wire::plain(host, port).await,
            (SmtpTls::None, Some(_)) | (SmtpTls::Implicit | SmtpTls::Starttls, None) => {
                Err("TLS is not set up".to_owned())
            }
        }
    }

    /// One mail over one connection: envelope, then the bytes as they were stored.
    async fn deliver(&self, connection: &mut AsyncSmtpConnection, from: &Address, to: &Address, bytes: &[u8]) -> Try {
        let limit = self.settings.step_timeout;
        let parameters = match parameters(connection, from, to, bytes) {
            Ok(parameters) => parameters,
            Err(why) => return Try { delivery: Delivery::Dead { why }, usable: true, stale: false },
        };
        if let Err(failure) = step(limit, connection.command(Mail::new(Some(from.clone()), parameters))).await {
            let stale = matches!(failure, Failure::Broken(_) | Failure::Answer { code: 421, .. });
            return Try { stale, ..self.refused(connection, failure).await };
        }
        if let Err(failure) = step(limit, connection.command(Rcpt::new(to.clone(), vec![]))).await {
            return self.refused(connection, failure).await;
        }
        if let Err(failure) = step(limit, connection.command(Data)).await {
            return self.refused(connection, failure).await;
        }
        self.body(connection, bytes).await
    }

    /// The bytes and the final dot. Once the dot may have left, only an answer tells what became of the mail.
    async fn body(&self, connection: &mut AsyncSmtpConnection, bytes: &[u8]) -> Try {
        let mut body = Some(bytes);
        let mut dot_may_have_left = false;
        // The library asks for a further piece only after the one before was written, and then writes the dot.
        let pieces = std::iter::from_fn(|| {
            dot_may_have_left = body.is_none();
            body.take()
        });
        match step(self.settings.step_timeout, connection.message_iter(pieces)).await {
            Ok(answer) => Try { delivery: Delivery::Sent { remote: shown(&answer) }, usable: true, stale: false },
            Err(Failure::Broken(why)) => {
                let host = &self.settings.host;
                let delivery = if dot_may_have_left {
                    Delivery::Doubtful {
                        why: format!("the connection to {host} was lost after the whole mail was sent: {why}"),
                    }
                } else {
                    Delivery::retry(format!("the connection to {host} was lost while the mail was being sent: {why}"))
                };
                Try { delivery, usable: false, stale: false }
            }
            Err(Failure::Answer { code, text }) => {
                Try { delivery: verdict(code, text), usable: code != 421, stale: false }
            }
        }
    }

    /// What a refusal before the body means; the transaction is reset so that the connection serves the next mail.
    async fn refused(&self, connection: &mut AsyncSmtpConnection, failure: Failure) -> Try {
        match failure {
            Failure::Broken(why) => {
                let why = format!("the connection to {} was lost: {why}", self.settings.host);
                Try { delivery: Delivery::retry(why), usable: false, stale: false }
            }
            Failure::Answer { code, text } => {
                let usable = code != 421 && step(self.settings.step_timeout, connection.command(Rset)).await.is_ok();
                Try { delivery: verdict(code, text), usable, stale: false }
            }
        }
    }
}

/// 4xx: later. 5xx: never for this recipient, but for a missing login, which a person can mend for all.
fn verdict(code: u16, text: String) -> Delivery {
    let why = format!("the mail server said {code} {text}");
    if matches!(code, 500..=599) && !matches!(code, 530 | 534 | 535 | 538) {
        Delivery::Dead { why }
    } else {
        Delivery::retry(why)
    }
}

/// What must be said in `MAIL FROM`; an error if the server cannot take this mail at all.
fn parameters(
    connection: &AsyncSmtpConnection,
    from: &Address,
    to: &Address,
    bytes: &[u8],
) -> Result<Vec<MailParameter>, String> {
    let server = connection.server_info();
    let mut parameters = Vec::new();
    let ascii = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
    if !ascii(from) || !ascii(to) {
        if !server.supports_feature(Extension::SmtpUtfEight) {
            return Err("the mail server takes only addresses of plain letters (no SMTPUTF8)".to_owned());
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    if !bytes.is_ascii() {
        if !server.supports_feature(Extension::EightBitMime) {
            return Err("the mail server takes only mails of plain letters (no 8BITMIME)".to_owned());
        }
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    Ok(parameters)
}

/// One step within its time.
async fn step<T>(limit: Duration, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
    match timeout(limit, answer).await {
        Err(_) => Err(Failure::Broken(format!("no answer within {} s", limit.as_secs()))),
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(failure(&error)),
    }
}

fn failure(error: &Error) -> Failure {
    use std::error::Error as _;
    let detail = error.source().map(ToString::to_string).unwrap_or_default();
    match error.status() {
        Some(code) => Failure::Answer { code: code.into(), text: cut(&detail, ANSWER_SHOWN) },
        None if detail.is_empty() => Failure::Broken(cut(&error.to_string(), ANSWER_SHOWN)),
        None => Failure::Broken(cut(&detail, ANSWER_SHOWN)),
    }
}

fn words(host: &str, failure: Failure) -> String {
    match failure {
        Failure::Answer { code, text } => format!("{host} said {code} {text}"),
        Failure::Broken(why) => format!("the connection to {host} was lost: {why}"),
    }
}

fn shown(answer: &Response) -> String {
    cut(&answer.message().collect::<Vec<_>>().join(" "), ANSWER_SHOWN)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
