//! SMPP 3.4, by which SMS centres and most aggregators take texts: one connection, bound as a transceiver and kept, with one
//! request under way at a time. It has no key against doubles, so an answer that is lost leaves a doubt. Receipts come over
//! the same connection and are thanked for once they are written down, so that the centre repeats those that were not. One
//! that is of no text we know may be faster than the record of its text, and is looked at a second time first.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rusmpp::pdus::{BindTransceiver, DeliverSm, DeliverSmResp, SubmitSm};
use rusmpp::tokio_codec::CommandCodec;
use rusmpp::types::{COctetString, EmptyOrFullCOctetString, OctetString};
use rusmpp::values::{
    DataCoding, InterfaceVersion, IntermediateNotification, MCDeliveryReceipt, MessageType, Npi, RegisteredDelivery,
    SmeOriginatedAcknowledgement, Ton,
};
use rusmpp::{Command, CommandId, CommandStatus, Pdu};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::codec::Framed;
use tokio_util::either::Either;

use super::{Asked, CONNECT_TIMEOUT, Delivery, NotifyError, Outgoing, tls, wrong};
use crate::domain::receipt::{Fate, Receipt};
use crate::domain::time::Secs;
use crate::notify::sms::{Encoding, gsm_octets, parts};
use crate::notify::texts::cut;

/// How long an answer of the centre may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// A connection that was quiet for longer is asked whether it still stands, before a text is trusted to it.
const TRUSTED_FOR: Duration = Duration::from_secs(10);
/// No centre keeps a text longer.
const VALID_MAX: Secs = Secs::days(7);
/// A message of the centre is not longer.
const PDU_MAX_BYTES: usize = 16 << 10;

/// An account at an SMS centre.
#[derive(Debug)]
pub struct SmppSettings {
    /// The centre's name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether the connection is protected by TLS.
    pub tls: bool,
    /// `system_id`, at most 15 characters.
    pub user: String,
    /// At most 8 characters, as the protocol has it.
    pub password: SecretString,
    /// `system_type`, where the centre wants one.
    pub system_type: String,
    /// A root certificate to trust beside the system's.
    pub ca_file: Option<PathBuf>,
}

/// An SMS centre, ready to be bound to.
#[derive(Debug)]
pub struct Smpp {
    settings: SmppSettings,
    /// What protects the connection, if anything does.
    tls: Option<Arc<ClientConfig>>,
    session: Mutex<Option<Session>>,
    has_strays: AtomicBool,
}

/// A line to the centre, in clear or not.
type Line = Either<TcpStream, TlsStream<TcpStream>>;

/// A bound connection.
struct Session {
    line: Framed<Line, CommandCodec>,
    sequence: u32,
    used: Instant,
    /// What the centre delivered and was not thanked for yet.
    delivered: Vec<Delivered>,
}

/// Something that the centre delivered.
struct Delivered {
    /// The number of its request, which the thanks repeat.
    number: u32,
    what: DeliverSm,
    looked: Looked,
}

/// What became of it at the last look.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Looked {
    /// Nobody has looked at it.
    NotYet,
    /// It was of no text that was asked about.
    Stray,
    /// Nothing more is wanted of it.
    Done,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("sequence", &self.sequence).finish_non_exhaustive()
    }
}

impl Smpp {
    pub(super) fn open(settings: SmppSettings) -> Result<Self, NotifyError> {
        bind(&settings).ok_or_else(|| {
            wrong(
                "user",
                "the centre takes at most 15 characters for user, 8 for password and 12 for system_type, all ASCII",
            )
        })?;
        let tls = settings.tls.then(|| tls::client(settings.ca_file.as_deref())).transpose()?;
        Ok(Self { settings, tls, session: Mutex::new(None), has_strays: AtomicBool::new(false) })
    }

    pub(super) async fn send(&self, message: &Outgoing) -> Delivery {
        let Some(submission) = submission(message) else {
            return Delivery::Dead { why: "the number, the sender or the text does not fit into SMPP".to_owned() };
        };
        let mut kept = self.session.lock().await;
        let mut session = match self.bound(kept.take()).await {
            Ok(session) => session,
            Err(delivery) => return delivery,
        };
        match session.ask(submission).await {
            Ok(answer) => {
                *kept = Some(session);
                judged(&answer)
            }
            Err(why) => Delivery::Doubtful { why: format!("the centre's answer was lost: {why}") },
        }
    }

    /// The receipts that came by now. They come again until [`Self::thank`].
    pub(super) async fn reports(&self, asked: &[Asked]) -> Vec<(String, Receipt)> {
        // Whatever is lost with a connection comes again over the next one, and is then looked at as new.
        self.has_strays.store(false, Ordering::Relaxed);
        let mut kept = self.session.lock().await;
        let Ok(mut session) = self.bound(kept.take()).await else { return Vec::new() };
        // Its answer comes behind all that the centre had to say before.
        if session.ask(Pdu::EnquireLink).await.is_err() {
            return Vec::new();
        }
        let told = session.delivered.iter_mut().filter_map(|delivered| delivered.look(asked)).collect();
        let has_strays = session.delivered.iter().any(|delivered| delivered.looked == Looked::Stray);
        self.has_strays.store(has_strays, Ordering::Relaxed);
        *kept = Some(session);
        told
    }

    /// Whether a receipt was of no text that was asked about, and is to be looked at once more.
    pub(super) fn has_strays(&self) -> bool {
        self.has_strays.load(Ordering::Relaxed)
    }

    /// Says that what [`Self::reports`] told is written down.
    pub(super) async fn thank(&self) {
        let mut kept = self.session.lock().await;
        let Some(mut session) = kept.take() else { return };
        for done in session.delivered.extract_if(.., |delivered| delivered.looked == Looked::Done) {
            let thanks = Command::new(CommandStatus::EsmeRok, done.number, DeliverSmResp::default());
            if timeout(ANSWER_TIMEOUT, session.line.send(thanks)).await.is_ok_and(|sent| sent.is_ok()) {
                continue;
            }
            return;
        }
        *kept = Some(session);
    }

    /// Takes leave.
    pub(super) async fn close(&self) {
        if let Some(mut session) = self.session.lock().await.take() {
            // The centre notices the end of a connection by itself.
            drop(timeout(CONNECT_TIMEOUT, session.ask(Pdu::Unbind)).await);
        }
    }

    /// The kept connection, if it still stands, or a new one.
    async fn bound(&self, kept: Option<Session>) -> Result<Session, Delivery> {
        if let Some(mut session) = kept
            && (session.used.elapsed() < TRUSTED_FOR || session.ask(Pdu::EnquireLink).await.is_ok())
        {
            return Ok(session);
        }
        let no_way = |why: String| Delivery::retry(format!("no connection to the SMS centre: {why}"));
        let line = timeout(CONNECT_TIMEOUT, self.connected()).await;
        let line = line.map_err(|_| no_way("it does not answer".to_owned()))?.map_err(no_way)?;
        let line = Framed::new(line, CommandCodec::new().with_max_length(PDU_MAX_BYTES));
        let mut session = Session { line, sequence: 0, used: Instant::now(), delivered: Vec::new() };
        let request = bind(&self.settings).ok_or_else(|| no_way("the login does not fit into SMPP".to_owned()))?;
        let answer = session.ask(request).await.map_err(no_way)?;
        match answer.status() {
            CommandStatus::EsmeRok => Ok(session),
            status @ (CommandStatus::EsmeRinvpaswd | CommandStatus::EsmeRinvsysid) => {
                Err(Delivery::Dead { why: format!("the SMS centre refused the login ({})", code(status)) })
            }
            status => Err(no_way(format!("it did not let us in ({})", code(status)))),
        }
    }

    async fn connected(&self) -> Result<Line, String> {
        let SmppSettings { host, port, .. } = &self.settings;
        let line = TcpStream::connect((host.as_str(), *port)).await.map_err(|error| error.to_string())?;
        let Some(tls) = &self.tls else { return Ok(Either::Left(line)) };
        let name = ServerName::try_from(host.clone()).map_err(|error| error.to_string())?;
        let line = TlsConnector::from(Arc::clone(tls)).connect(name, line).await;
        line.map(Either::Right).map_err(|error| error.to_string())
    }
}

impl Session {
    /// One request and its answer; what the centre says in between is answered, and what it delivers is kept.
    async fn ask(&mut self, request: impl Into<Pdu>) -> Result<Command, String> {
        self.sequence += 1;
        let (number, request) = (self.sequence, Command::new(CommandStatus::EsmeRok, self.sequence, request));
        let asked = async {
            self.line.send(request).await.map_err(|error| error.to_string())?;
            loop {
                let next = self.line.next().await.ok_or("it hung up")?;
                let command = next.map_err(|error| error.to_string())?;
                let theirs = command.sequence_number();
                match command.pdu() {
                    Some(Pdu::DeliverSm(what)) => {
                        let what = what.clone();
                        self.delivered.push(Delivered { number: theirs, what, looked: Looked::NotYet });
                    }
                    Some(Pdu::EnquireLink) => {
                        let here = Command::new(CommandStatus::EsmeRok, theirs, Pdu::EnquireLinkResp);
                        self.line.send(here).await.map_err(|error| error.to_string())?;
                    }
                    Some(Pdu::Unbind) => return Err("it took leave".to_owned()),
                    _ if theirs == number && is_answer(command.id()) => return Ok(command),
                    _ => {}
                }
            }
        };
        let answer = timeout(ANSWER_TIMEOUT, asked).await.unwrap_or_else(|_| Err("it took too long".to_owned()))?;
        self.used = Instant::now();
        Ok(answer)
    }
}

impl Delivered {
    /// The receipt and our id of its text. One of no text that is asked about is done with at the second look: it may have
    /// come before it was written down that the centre took its text.
    fn look(&mut self, asked: &[Asked]) -> Option<(String, Receipt)> {
        let receipt = receipt(&self.what);
        let ours = receipt.as_ref().and_then(|receipt| asked.iter().find(|text| text.remote == receipt.remote));
        let is_first = self.looked == Looked::NotYet;
        self.looked = if receipt.is_some() && ours.is_none() && is_first { Looked::Stray } else { Looked::Done };
        Some((ours?.id.clone(), receipt?))
    }
}

/// Answers have the highest bit of the command set.
fn is_answer(id: CommandId) -> bool {
    u32::from(id) & 0x8000_0000 != 0
}

fn bind(settings: &SmppSettings) -> Option<BindTransceiver> {
    Some(
        BindTransceiver::builder()
            .system_id(COctetString::from_str(&settings.user).ok()?)
            .password(COctetString::from_str(settings.password.expose_secret()).ok()?)
            .system_type(COctetString::from_str(&settings.system_type).ok()?)
            .interface_version(InterfaceVersion::Smpp3_4)
            .build(),
    )
}

fn submission(message: &Outgoing) -> Option<SubmitSm> {
    let text = String::from_utf8_lossy(&message.bytes);
    let (coding, octets) = match parts(&text).0 {
        Encoding::Gsm7 => (DataCoding::McSpecific, gsm_octets(&text)),
        Encoding::Ucs2 => (DataCoding::Ucs2, text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
    };
    let (source_ton, source_npi) = kind_of(&message.from);
    let outcome = MCDeliveryReceipt::McDeliveryReceiptRequestedWhereFinalDeliveryOutcomeIsSuccessOrFailure;
    let (nothing_read, nothing_between) =
        (SmeOriginatedAcknowledgement::default(), IntermediateNotification::default());
    let registered = RegisteredDelivery::new(outcome, nothing_read, nothing_between, 0);
    let valid = relative(message.valid_for(Secs::MINUTE, VALID_MAX));
    Some(
        SubmitSm::builder()
            .source_addr_ton(source_ton)
            .source_addr_npi(source_npi)
            .source_addr(COctetString::from_str(message.from.trim_start_matches('+')).ok()?)
            .dest_addr_ton(Ton::International)
            .dest_addr_npi(Npi::Isdn)
            .destination_addr(COctetString::from_str(message.address.trim_start_matches('+')).ok()?)
            .validity_period(EmptyOrFullCOctetString::from_str(&valid).ok()?)
            .registered_delivery(registered)
            .data_coding(coding)
            .short_message(OctetString::from_vec(octets).ok()?)
            .build(),
    )
}

/// A number with its country code, a short number of the network, or a name.
fn kind_of(from: &str) -> (Ton, Npi) {
    match from.strip_prefix('+') {
        Some(_) => (Ton::International, Npi::Isdn),
        None if from.bytes().all(|sign| sign.is_ascii_digit()) => (Ton::NetworkSpecific, Npi::Unknown),
        None => (Ton::Alphanumeric, Npi::Unknown),
    }
}

/// A length of time as the protocol writes it: years, months, days, hours, minutes and seconds, two digits each.
fn relative(length: Secs) -> String {
    let secs = length.0.unsigned_abs();
    let (days, hours, minutes) = (secs / 86_400, secs / 3_600 % 24, secs / 60 % 60);
    format!("0000{days:02}{hours:02}{minutes:02}{:02}000R", secs % 60)
}

fn judged(answer: &Command) -> Delivery {
    let status = answer.status();
    let why = format!("the SMS centre refused the text ({})", code(status));
    match (status, answer.pdu()) {
        (CommandStatus::EsmeRok, Some(Pdu::SubmitSmResp(taken))) => {
            Delivery::Sent { remote: cut(taken.message_id().as_str(), 80) }
        }
        (CommandStatus::EsmeRok, _) => Delivery::Doubtful { why: "the SMS centre's answer names no text".to_owned() },
        // An error of theirs, a full queue, too fast, and a receiver that is away.
        (
            CommandStatus::EsmeRsyserr
            | CommandStatus::EsmeRmsgqful
            | CommandStatus::EsmeRthrottled
            | CommandStatus::EsmeRxTAppn,
            _,
        ) => Delivery::retry(why),
        _ => Delivery::Dead { why },
    }
}

/// A status as its documents name it.
fn code(status: CommandStatus) -> String {
    format!("{status:?}, 0x{:08X}", u32::from(status))
}

/// The receipt in what was delivered, by the text that SMPP 3.4 shows in its appendix B and all centres write:
/// `id:… sub:… dlvrd:… submit date:… done date:… stat:DELIVRD err:… text:…`.
fn receipt(delivered: &DeliverSm) -> Option<Receipt> {
    if delivered.esm_class.message_type != MessageType::ShortMessageContainsMCDeliveryReceipt {
        return None;
    }
    let text = String::from_utf8_lossy(delivered.short_message());
    let field = |name: &str| {
        let (_, rest) = text.split_once(name)?;
        rest.split_whitespace().next().map(|value| cut(value, 80))
    };
    let (id, word) = (field("id:")?, field("stat:")?);
    let fate = match word.as_str() {
        "DELIVRD" => Fate::Delivered,
        "EXPIRED" => Fate::Expired,
        "UNDELIV" | "REJECTD" | "DELETED" => Fate::Failed,
        _ => return None,
    };
    let why = (!fate.arrived())
        .then(|| format!("the SMS centre reports {word}, error {}", field("err:").unwrap_or_default()));
    Some(Receipt { fate, remote: Some(id), why })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_written_in_two_digits_each() {
        assert_eq!(relative(Secs(60)), "000000000100000R");
        assert_eq!(relative(Secs::days(7)), "000007000000000R");
        assert_eq!(relative(Secs(90_061)), "000001010101000R");
    }

    #[test]
    fn senders_are_numbers_or_names() {
        assert_eq!(kind_of("+15005550006"), (Ton::International, Npi::Isdn));
        assert_eq!(kind_of("12345"), (Ton::NetworkSpecific, Npi::Unknown));
        assert_eq!(kind_of("simkeeper"), (Ton::Alphanumeric, Npi::Unknown));
    }
}
