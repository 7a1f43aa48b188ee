//! The socket under a mail connection: TCP_NODELAY, TLS at once or after STARTTLS.
//!
//! Without TCP_NODELAY what is written last waits for the acknowledgement of what was written before it, up to 41 ms a
//! mail. The mail library keeps what it has read in clear over STARTTLS, so that a stranger
//! on the line could slip answers in. Hence the dialogue up to TLS is held here, and the library gets a finished stream.
//! And it forgets the offers of a server that it does not use itself, so what is wanted of them is overheard here, as is how
//! much of a mail has left.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use lettre::transport::smtp::client::AsyncTokioStream;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// An answer longer than this is no mail server's.
const ANSWER_MAX_BYTES: usize = 16 * 1024;
/// What the library reads as a greeting after STARTTLS, since the real one came before.
const GREETING: &[u8] = b"220 ready\r\n";

/// A connected stream for the mail library.
#[derive(Debug)]
pub(super) struct Wire {
    stream: Stream,
    greeting: &'static [u8],
    ear: Ear,
    written: Written,
}

/// How many bytes have been handed to the system, or to TLS, which may hold back the last of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Written(Arc<AtomicU64>);

/// Whether the server takes several commands at once (PIPELINING, RFC 2920); known once it has answered EHLO.
#[derive(Clone, Debug, Default)]
pub(super) struct Pipelining(Arc<AtomicBool>);

/// Hears the greeting and the answer to EHLO pass by.
#[derive(Debug, Default)]
struct Ear {
    heard: Vec<u8>,
    pipelining: Pipelining,
    done: bool,
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Why no stream could be made; the words are for people.
pub(super) type Why = String;

/// Connects with nothing between.
pub(super) async fn plain(host: &str, port: u16) -> Result<Wire, Why> {
    Ok(Wire {
        stream: Stream::Plain(tcp(host, port).await?),
        greeting: b"",
        ear: Ear::default(),
        written: Written::default(),
    })
}

/// Connects and speaks TLS from the first byte.
pub(super) async fn implicit_tls(host: &str, port: u16, tls: &Arc<ClientConfig>) -> Result<Wire, Why> {
    let stream = secured(tcp(host, port).await?, host, tls).await?;
    Ok(Wire { stream, greeting: b"", ear: Ear::default(), written: Written::default() })
}

/// Connects, and turns to TLS before anything worth hiding is said. Never goes on in clear.
pub(super) async fn starttls(host: &str, port: u16, hello: &str, tls: &Arc<ClientConfig>) -> Result<Wire, Why> {
    let mut tcp = tcp(host, port).await?;
    expect(&mut tcp, "220", "its greeting").await?;
    let offers = ask(&mut tcp, &format!("EHLO {hello}\r\n"), "250", "EHLO").await?;
    if !offered(&offers, "STARTTLS") {
        return Err(format!(
            "{host} offers no STARTTLS, and nothing is sent in clear; set tls = \"implicit\" with its port, or another server"
        ));
    }
    ask(&mut tcp, "STARTTLS\r\n", "220", "STARTTLS").await?;
    Ok(Wire {
        stream: secured(tcp, host, tls).await?,
        greeting: GREETING,
        ear: Ear::default(),
        written: Written::default(),
    })
}

async fn tcp(host: &str, port: u16) -> Result<TcpStream, Why> {
    let failed = |error: io::Error| format!("no connection to {host}:{port}: {error}");
    let stream = TcpStream::connect((host, port)).await.map_err(failed)?;
    stream.set_nodelay(true).map_err(failed)?;
    Ok(stream)
}

async fn secured(tcp: TcpStream, host: &str, tls: &Arc<ClientConfig>) -> Result<Stream, Why> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| format!("`{host}` is not a host name"))?;
    let stream = TlsConnector::from(Arc::clone(tls)).connect(name, tcp).await;
    let stream = stream.map_err(|error| format!("no secure connection to {host}: {error}"))?;
    Ok(Stream::Tls(Box::new(stream)))
}

async fn ask(tcp: &mut TcpStream, line: &str, wanted: &str, what: &str) -> Result<String, Why> {
    tcp.write_all(line.as_bytes()).await.map_err(|error| format!("the connection broke at {what}: {error}"))?;
    expect(tcp, wanted, what).await
}

/// Reads one whole answer, of which nothing may be left over: what follows would have come from a stranger.
async fn expect(tcp: &mut TcpStream, wanted: &str, what: &str) -> Result<String, Why> {
    let mut answer = Vec::with_capacity(512);
    loop {
        let count =
            tcp.read_buf(&mut answer).await.map_err(|error| format!("the connection broke at {what}: {error}"))?;
        if count == 0 {
            return Err(format!("the server closed the connection at {what}"));
        }
        if answer.len() > ANSWER_MAX_BYTES {
            return Err(format!("the server's answer to {what} is too long"));
        }
        if let Some(length) = whole_answer(&answer) {
            if length != answer.len() {
                return Err(format!("the server sent more than its answer to {what}, which is not safe before TLS"));
            }
            break;
        }
    }
    let text = String::from_utf8_lossy(&answer).into_owned();
    if text.starts_with(wanted) {
        Ok(text)
    } else {
        Err(format!("the server answered {what} with: {}", crate::notify::texts::cut(&text, 200)))
    }
}

/// Where the first answer ends: after the first line whose code is followed by a space or nothing.
fn whole_answer(bytes: &[u8]) -> Option<usize> {
    let mut start = 0;
    while let Some(length) = bytes.get(start..)?.windows(2).position(|pair| pair == b"\r\n") {
        let line = &bytes[start..start + length];
        start += length + 2;
        if line.get(3) != Some(&b'-') {
            return Some(start);
        }
    }
    None
}

/// Whether the answer to EHLO holds this offer.
fn offered(answer: &str, offer: &str) -> bool {
    answer.lines().any(|line| line.get(4..).is_some_and(|word| word.trim().eq_ignore_ascii_case(offer)))
}

impl Written {
    pub(super) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Pipelining {
    pub(super) fn is_offered(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Ear {
    fn hear(&mut self, bytes: &[u8]) {
        if self.done {
            return;
        }
        self.heard.extend_from_slice(bytes);
        let answer = whole_answer(&self.heard).map(|greeting| &self.heard[greeting..]);
        let answer = answer.and_then(|rest| whole_answer(rest).map(|length| &rest[..length]));
        if let Some(answer) = answer {
            self.pipelining.0.store(offered(&String::from_utf8_lossy(answer), "PIPELINING"), Ordering::Relaxed);
        }
        if answer.is_some() || self.heard.len() > ANSWER_MAX_BYTES {
            (self.done, self.heard) = (true, Vec::new());
        }
    }
}

impl Wire {
    /// What the server will have been heard to offer.
    pub(super) fn pipelining(&self) -> Pipelining {
        self.ear.pipelining.clone()
    }

    /// What will have left over it.
    pub(super) fn written(&self) -> Written {
        self.written.clone()
    }

    fn poll_stream(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Stream::Tls(tls) => Pin::new(tls.as_mut()).poll_read(cx, buf),
        }
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        match &self.stream {
            Stream::Plain(tcp) => tcp.peer_addr(),
            Stream::Tls(tls) => tls.get_ref().0.peer_addr(),
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = if self.greeting.is_empty() {
            self.poll_stream(cx, buf)
        } else {
            let count = self.greeting.len().min(buf.remaining());
            let (now, later) = self.greeting.split_at(count);
            buf.put_slice(now);
            self.greeting = later;
            Poll::Ready(Ok(()))
        };
        self.ear.hear(&buf.filled()[before..]);
        polled
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Stream::Tls(tls) => Pin::new(tls.as_mut()).poll_write(cx, bytes),
        };
        if let Poll::Ready(Ok(count)) = &polled {
            self.written.0.fetch_add(*count as u64, Ordering::Relaxed);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Stream::Tls(tls) => Pin::new(tls.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Stream::Tls(tls) => Pin::new(tls.as_mut()).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_at_its_last_line() {
        assert_eq!(whole_answer(b""), None);
        assert_eq!(whole_answer(b"250"), None);
        assert_eq!(whole_answer(b"250 ok\r\n"), Some(8));
        assert_eq!(whole_answer(b"250\r\n"), Some(5));
        assert_eq!(whole_answer(b"250-a\r\n250-b\r\n"), None);
        assert_eq!(whole_answer(b"250-a\r\n250 b\r\nmore"), Some(14));
    }

    #[test]
    fn an_offer_is_heard_however_the_answer_is_cut_into_pieces() {
        let dialogue = |answer: &str| format!("220-two lines\r\n220 hello\r\n{answer}250 and so on\r\n");
        for (answer, offered) in [
            ("250-example.net\r\n250-PIPELINING\r\n250 SIZE 1000\r\n", true),
            ("250-example.net\r\n250 pipelining\r\n", true),
            ("250 example.net\r\n", false),
            ("250-example.net\r\n250 SIZE 1000\r\n250 PIPELINING\r\n", false),
        ] {
            for length in [1, 7, 500] {
                let mut ear = Ear::default();
                dialogue(answer).as_bytes().chunks(length).for_each(|piece| ear.hear(piece));
                assert_eq!(ear.pipelining.is_offered(), offered, "{answer} in pieces of {length}");
                assert!(ear.done && ear.heard.is_empty());
            }
        }
        let mut ear = Ear::default();
        ear.hear(&[b'x'; ANSWER_MAX_BYTES + 1]);
        assert!(ear.done && !ear.pipelining.is_offered());
    }

    /// Without this option an envelope or a mail can wait 41 ms for an acknowledgement.
    #[tokio::test]
    async fn nothing_is_held_back_on_a_connection() {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(tcp("127.0.0.1", port).await.unwrap().nodelay().unwrap());
    }
}
