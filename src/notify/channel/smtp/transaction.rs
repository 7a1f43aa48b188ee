//! One mail over one connection: envelope, then the bytes as they were stored, and an account of how far it got.

use std::fmt::Display;
use std::future::Future;
use std::time::Duration;

use lettre::address::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;
use tokio::time::timeout;

use super::super::Delivery;
use super::super::wire::Written;
use crate::notify::texts::cut;

/// How much of a server's answer is shown.
const ANSWER_SHOWN: usize = 200;

/// A connection that is secured and logged in.
pub(super) struct Line {
    /// The library's part of it.
    pub(super) connection: AsyncSmtpConnection,
    /// Whether the server takes the whole envelope in one piece (RFC 2920), which saves two of four round trips.
    pub(super) pipelining: bool,
    /// What has left over it.
    pub(super) written: Written,
    /// How long each step may take.
    pub(super) step_timeout: Duration,
    /// The server, for people.
    pub(super) host: String,
}

/// How a step went wrong.
pub(super) enum Failure {
    /// The server answered with a code that is no success.
    Answer { code: u16, text: String },
    /// The connection is of no use any more.
    Broken(String),
}

/// What became of a mail on one connection, and whether the connection can be used again.
pub(super) struct Try {
    pub(super) delivery: Delivery,
    pub(super) usable: bool,
    /// The connection was dead before it took a single command, so a fresh one may be tried at once.
    pub(super) stale: bool,
}

impl Line {
    pub(super) async fn deliver(&mut self, from: &Address, to: &Address, bytes: &[u8]) -> Try {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is no text in UTF-8, as every mail here is".to_owned());
        let agreed = text.and_then(|text| Ok((text, parameters(&self.connection, from, to, text)?)));
        let (text, parameters) = match agreed {
            Ok(agreed) => agreed,
            Err(why) => return Try { delivery: Delivery::Dead { why }, usable: true, stale: false },
        };
        let (mail, rcpt) = (Mail::new(Some(from.clone()), parameters), Rcpt::new(to.clone(), vec![]));
        let agreed =
            if self.pipelining { self.say_at_once(mail, rcpt).await } else { self.say_in_turn(mail, rcpt).await };
        match agreed {
            Ok(()) => self.body(text).await,
            Err(tried) => tried,
        }
    }

    /// The envelope, each command answered before the next is said.
    async fn say_in_turn(&mut self, mail: Mail, rcpt: Rcpt) -> Result<(), Try> {
        if let Err(failure) = self.say(mail).await {
            return Err(self.not_begun(failure).await);
        }
        if let Err(failure) = self.say(rcpt).await {
            return Err(self.refused(failure).await);
        }
        match self.say(Data).await {
            Ok(_) => Ok(()),
            Err(failure) => Err(self.refused(failure).await),
        }
    }

    /// The envelope in one piece, and then the answer to each of its commands.
    async fn say_at_once(&mut self, mail: Mail, rcpt: Rcpt) -> Result<(), Try> {
        let sender = match self.say(format!("{mail}{rcpt}{Data}")).await {
            Ok(_) => None,
            Err(failure @ Failure::Answer { code, .. }) if code != 421 => Some(failure),
            Err(failure) => return Err(self.not_begun(failure).await),
        };
        let recipient = match self.hear().await {
            Ok(_) => None,
            Err(failure @ Failure::Answer { .. }) => Some(failure),
            Err(Failure::Broken(why)) => return Err(self.given_up(sender.unwrap_or(Failure::Broken(why)))),
        };
        match (sender.or(recipient), self.hear().await) {
            (None, Ok(_)) => Ok(()),
            (None, Err(failure)) | (Some(failure), Err(Failure::Answer { .. })) => Err(self.refused(failure).await),
            // A server that waits for a mail to nobody is told by hanging up that there is none: a dot might send one.
            (Some(failure), Ok(_) | Err(Failure::Broken(_))) => Err(self.given_up(failure)),
        }
    }

    /// The bytes and the final dot, in one piece. Once all of it may have left, only an answer tells what became of the mail.
    async fn body(&mut self, text: &str) -> Try {
        let (host, data) = (self.host.clone(), transparent(text));
        let leaves_whole_at = self.written.bytes() + data.len() as u64;
        match self.say(data).await {
            Ok(answer) => Try { delivery: Delivery::Sent { remote: shown(&answer) }, usable: true, stale: false },
            Err(Failure::Broken(why)) if self.written.bytes() >= leaves_whole_at => {
                let why = format!("the connection to {host} was lost after the whole mail was sent: {why}");
                Try { delivery: Delivery::Doubtful { why }, usable: false, stale: false }
            }
            Err(Failure::Broken(why)) => {
                let why = format!("the connection to {host} was lost while the mail was being sent: {why}");
                Try { delivery: Delivery::retry(why), usable: false, stale: false }
            }
            Err(Failure::Answer { code, text }) => {
                Try { delivery: verdict(code, text), usable: code != 421, stale: false }
            }
        }
    }

    async fn say(&mut self, command: impl Display) -> Result<Response, Failure> {
        step(self.step_timeout, self.connection.command(command)).await
    }

    async fn hear(&mut self) -> Result<Response, Failure> {
        step(self.step_timeout, self.connection.read_response()).await
    }

    /// What it means that already the first command failed: the server may have left long ago.
    async fn not_begun(&mut self, failure: Failure) -> Try {
        let stale = matches!(failure, Failure::Broken(_) | Failure::Answer { code: 421, .. });
        Try { stale, ..self.refused(failure).await }
    }

    /// What a refusal before the body means; the transaction is reset so that the connection serves the next mail.
    async fn refused(&mut self, failure: Failure) -> Try {
        let answered = matches!(failure, Failure::Answer { code, .. } if code != 421);
        let usable = answered && self.say(Rset).await.is_ok();
        Try { usable, ..self.given_up(failure) }
    }

    /// As [`refused`](Self::refused), with a connection that is good for nothing more.
    fn given_up(&self, failure: Failure) -> Try {
        let delivery = match failure {
            Failure::Broken(why) => Delivery::retry(format!("the connection to {} was lost: {why}", self.host)),
            Failure::Answer { code, text } => verdict(code, text),
        };
        Try { delivery, usable: false, stale: false }
    }
}

/// The mail as it goes over the line: a dot that begins a line is doubled, and one by itself ends it (RFC 5321, 4.5.2).
fn transparent(text: &str) -> String {
    let mut data = text.replace("\n.", "\n..");
    if data.starts_with('.') {
        data.insert(0, '.');
    }
    data.push_str(if data.ends_with("\r\n") { ".\r\n" } else { "\r\n.\r\n" });
    data
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
    text: &str,
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
    if !text.is_ascii() {
        if !server.supports_feature(Extension::EightBitMime) {
            return Err("the mail server takes only mails of plain letters (no 8BITMIME)".to_owned());
        }
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    Ok(parameters)
}

/// One step within its time.
pub(super) async fn step<T>(limit: Duration, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
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

fn shown(answer: &Response) -> String {
    cut(&answer.message().collect::<Vec<_>>().join(" "), ANSWER_SHOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_that_begins_a_line_is_doubled_and_only_the_last_line_is_a_dot_alone() {
        for (text, data) in [
            ("", "\r\n.\r\n"),
            ("a", "a\r\n.\r\n"),
            ("a\r\n", "a\r\n.\r\n"),
            ("a.b.\r\n", "a.b.\r\n.\r\n"),
            (".\r\n", "..\r\n.\r\n"),
            ("a\r\n.\r\nb", "a\r\n..\r\nb\r\n.\r\n"),
            ("a\r\n.\r\n.\r\n..c\r\n", "a\r\n..\r\n..\r\n...c\r\n.\r\n"),
            // Servers that take a bare line feed for the end of a line find no end of the mail either.
            ("a\n.\nb\r\n", "a\n..\nb\r\n.\r\n"),
        ] {
            assert_eq!(transparent(text), data, "{text:?}");
        }
    }
}
