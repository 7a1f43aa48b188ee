//! Mail by SMTP over connections that are kept.

mod transaction;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use rustls::ClientConfig;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use transaction::{Failure, Line, Try, step};

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
    line: Line,
    since: Instant,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
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
        while let Some(mut line) = self.take_idle() {
            let tried = line.deliver(&from, &to, &message.bytes).await;
            if !tried.stale {
                return self.put_back(line, tried);
            }
        }
        match self.connect().await {
            Ok(mut line) => {
                let tried = line.deliver(&from, &to, &message.bytes).await;
                self.put_back(line, tried)
            }
            Err(why) => Delivery::retry(why),
        }
    }

    pub(super) async fn close(&self) {
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        for mut kept in idle {
            // The server notices a closed socket as well; a goodbye is mere courtesy.
            let _ = timeout(QUIT_TIMEOUT, kept.line.connection.quit()).await;
        }
    }

    fn take_idle(&self) -> Option<Line> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|kept| kept.since.elapsed() < IDLE_MAX);
        idle.pop().map(|kept| kept.line)
    }

    fn put_back(&self, line: Line, tried: Try) -> Delivery {
        if tried.usable && !line.connection.has_broken() {
            let kept = Kept { line, since: Instant::now() };
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
        }
        tried.delivery
    }

    /// A connection that is secured and logged in. A refusal here is the channel's trouble and not the recipient's.
    async fn connect(&self) -> Result<Line, String> {
        let (host, hello) = (&self.settings.host, ClientId::default());
        let late = || format!("{host} did not answer within {} s", CONNECT_TIMEOUT.as_secs());
        let wire = timeout(CONNECT_TIMEOUT, self.wire(&hello.to_string())).await.map_err(|_| late())??;
        let (pipelining, written, step_timeout) = (wire.pipelining(), wire.written(), self.settings.step_timeout);
        let connection = AsyncSmtpConnection::connect_with_transport(Box::new(wire), &hello);
        let mut connection = step(step_timeout, connection).await.map_err(|failure| words(host, failure))?;
        if let Some(login) = &self.settings.login {
            let credentials = Credentials::new(login.user.clone(), login.password.expose_secret().to_owned());
            let answer = connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials);
            step(step_timeout, answer)
                .await
                .map_err(|failure| format!("the login as {} failed: {}", cut(&login.user, 80), words(host, failure)))?;
        }
        Ok(Line { connection, pipelining: pipelining.is_offered(), written, step_timeout, host: host.clone() })
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
}

fn words(host: &str, failure: Failure) -> String {
    match failure {
        Failure::Answer { code, text } => format!("{host} said {code} {text}"),
        Failure::Broken(why) => format!("the connection to {host} was lost: {why}"),
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
