//! Prepared answers, and the server that gives them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::io::AsyncWriteExt;

use super::loopback::{Server, answer};

/// How an answer is put on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// Whole.
    Whole,
    /// Its length is told, and the connection is closed after so many bytes of the body.
    BrokenAfter(usize),
    /// The connection is closed without an answer.
    Closed,
    /// Nothing comes while the connection stays open.
    Silent,
    /// The head and half of the body come, and then nothing.
    Stalled,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// Which calls it answers: `GET /path`, or `GET /path?needle` where the query, the body or a header must hold the
    /// needle. Several needles are divided by `&`.
    pub(crate) call: String,
    /// Status code and reason.
    pub(crate) status: String,
    /// Further headers, each a whole line.
    pub(crate) headers: Vec<String>,
    /// The body.
    pub(crate) body: String,
    /// How it is sent.
    pub(crate) wire: Wire,
}

/// Answers by call. Of several for the same call each is given once, the last one for ever; a call with needles goes
/// before one without.
#[derive(Clone, Debug, Default)]
pub(crate) struct Replies(pub(crate) Vec<Reply>);

impl Replies {
    /// None.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// With a JSON (or XML) document and status 200.
    pub(crate) fn on(self, call: &str, body: impl Into<String>) -> Self {
        self.on_status(call, "200 OK", body)
    }

    /// With this status.
    pub(crate) fn on_status(mut self, call: &str, status: &str, body: impl Into<String>) -> Self {
        self.0.push(Reply {
            call: call.to_owned(),
            status: status.to_owned(),
            headers: Vec::new(),
            body: body.into(),
            wire: Wire::Whole,
        });
        self
    }

    /// With one more header on the last answer.
    pub(crate) fn header(mut self, line: &str) -> Self {
        self.0.last_mut().unwrap().headers.push(line.to_owned());
        self
    }

    /// With all answers to this call replaced by one of status 200.
    pub(crate) fn instead(self, call: &str, body: impl Into<String>) -> Self {
        self.instead_status(call, "200 OK", body)
    }

    /// With all answers to this call replaced by one of this status.
    pub(crate) fn instead_status(self, call: &str, status: &str, body: impl Into<String>) -> Self {
        self.without(call).on_status(call, status, body)
    }

    /// Without any answer to this call: it gets a 404.
    pub(crate) fn without(mut self, call: &str) -> Self {
        self.0.retain(|reply| reply.call != call);
        self
    }

    /// With every answer to this call changed.
    pub(crate) fn changed(mut self, call: &str, change: impl Fn(&mut Reply)) -> Self {
        self.0.iter_mut().filter(|reply| reply.call == call).for_each(change);
        self
    }

    /// Serves them.
    pub(crate) async fn serve(&self) -> Served {
        let book = Arc::new(Mutex::new(Book { replies: self.clone(), given: HashMap::new() }));
        let calls = Arc::new(Mutex::new(Vec::new()));
        let (looked_up, noted) = (Arc::clone(&book), Arc::clone(&calls));
        let server = Server::start(move |mut socket, request| {
            let reply = looked_up.lock().unwrap().next(&request);
            noted.lock().unwrap().push(reply.as_ref().map_or_else(|| call_of(&request), |reply| reply.call.clone()));
            Box::pin(async move {
                let reply = reply.unwrap_or_else(|| Reply {
                    call: String::new(),
                    status: "404 Not Found".into(),
                    headers: Vec::new(),
                    body: "{}".into(),
                    wire: Wire::Whole,
                });
                send(&mut socket, &reply).await;
            })
        })
        .await;
        Served { server, calls, book }
    }
}

async fn send(socket: &mut tokio::net::TcpStream, reply: &Reply) {
    let kind = if reply.body.trim_start().starts_with('<') { "application/xml" } else { "application/json" };
    let mut head = String::new();
    if !reply.headers.iter().any(|line| line.to_lowercase().starts_with("content-type:")) {
        head.push_str(&format!("Content-Type: {kind}\r\n"));
    }
    for line in &reply.headers {
        head.push_str(&format!("{line}\r\n"));
    }
    head.push_str("Date: Sun, 22 Nov 2026 12:00:00 GMT\r\nConnection: close\r\n");
    let whole = answer(&reply.status, &head, &reply.body);
    let body_at = whole.len() - reply.body.len();
    let sent = match reply.wire {
        Wire::Whole => whole.len(),
        Wire::BrokenAfter(bytes) => body_at + bytes.min(reply.body.len()),
        Wire::Closed | Wire::Silent => 0,
        Wire::Stalled => body_at + reply.body.len() / 2,
    };
    drop(socket.write_all(&whole.as_bytes()[..sent]).await);
    if matches!(reply.wire, Wire::Silent | Wire::Stalled) {
        // Until the client has had enough.
        drop(tokio::io::AsyncReadExt::read(socket, &mut [0; 1]).await);
    }
}

/// The server, and which of the prepared answers were given.
pub(crate) struct Served {
    /// The server.
    pub(crate) server: Server,
    calls: Arc<Mutex<Vec<String>>>,
    book: Arc<Mutex<Book>>,
}

impl Served {
    /// Other answers than before, none of which was given yet.
    pub(crate) fn answers_from_now(&self, replies: Replies) {
        *self.book.lock().unwrap() = Book { replies, given: HashMap::new() };
    }

    /// The calls so far, by the words of their replies; others by method and path.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    /// How often a call was made, with whatever needles; of a call with needles, how often it was made with these, or
    /// without any that an answer was prepared for.
    pub(crate) fn count(&self, call: &str) -> usize {
        let bare = |call: &str| call.split('?').next().unwrap_or_default().to_owned();
        let fits = |made: &String| *made == call || *made == bare(call) || !call.contains('?') && bare(made) == call;
        self.calls().iter().filter(|made| fits(made)).count()
    }
}

/// The answers, and how many were given to each call.
struct Book {
    replies: Replies,
    given: HashMap<String, usize>,
}

impl Book {
    fn next(&mut self, request: &str) -> Option<Reply> {
        let fits = |reply: &&Reply| {
            let (call, needles) = reply.call.split_once('?').unwrap_or((&reply.call, ""));
            call == call_of(request) && needles.split('&').all(|needle| request.contains(needle))
        };
        let mut fitting: Vec<&Reply> = self.replies.0.iter().filter(fits).collect();
        fitting.sort_by_key(|reply| std::cmp::Reverse(reply.call.contains('?')));
        let call = fitting.first()?.call.clone();
        fitting.retain(|reply| reply.call == call);
        let turn = self.given.entry(call).or_default();
        let reply = fitting.get(*turn).or(fitting.last()).map(|reply| (*reply).clone());
        *turn += 1;
        reply
    }
}

/// Method and path of a request, without the query.
fn call_of(request: &str) -> String {
    let line = request.lines().next().unwrap_or_default();
    line.split([' ', '?']).take(2).collect::<Vec<_>>().join(" ")
}
