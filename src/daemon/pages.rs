//! The only door to people outside this machine: pages on which a code is typed, and the address at which a text gateway
//! hands in answers and receipts. It is closed unless the file opens it, speaks to the owner's TLS proxy, and decides nothing by itself:
//! to open a page changes nothing, and only a code that a person typed does.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Form, Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::http::header::{X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde::Deserialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::people::answers::{Answered, Door, Typed, answer};
use super::{Daemon, receipts, text_answers};
use crate::daemon::case::Case;
use crate::daemon::live::Live;
use crate::daemon::shared_limits;
use crate::domain::approval::{Answering, AskedCode, Standing};
use crate::domain::attempt::{Approval, Attempt};
use crate::domain::card::{Card, Name};
use crate::domain::money::Money;
use crate::domain::shared_limits::Counted;
use crate::domain::time::UnixTime;
use crate::domain::unanswered::Fallback;
use crate::domain::{cycle, limits};
use crate::notify::{self, PAGE_STYLE, PageFacts, PageSays, Recipient};
use crate::store::{Connection, StoreError, approvals, attempts, cards};

/// A form of two fields, or a text message with what gateways put around it.
const BODY_MAX_BYTES: usize = 16 << 10;
/// Connections at once.
const CONNECTIONS: usize = 32;
/// Requests a minute, all together: a household asks for a few a day.
const REQUESTS_A_MINUTE: u32 = 120;
/// How long the head of a request may take.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// How long a connection may last, whatever it does.
const CONNECTION_WITHIN: Duration = Duration::from_secs(60);
/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// Nothing runs, nothing is loaded from elsewhere, nothing is shown within another page.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Binds the address that the file names, if it names one.
///
/// # Errors
/// When it cannot be had.
pub(super) async fn bind(daemon: &Daemon) -> anyhow::Result<Option<TcpListener>> {
    let live = daemon.live();
    let Some(address) = live.machine().approval.as_ref().and_then(|approval| approval.listen) else { return Ok(None) };
    let listener = TcpListener::bind(address).await;
    listener.map(Some).with_context(|| format!("cannot listen on {address}, which [approval] names"))
}

/// Answers until the daemon stops.
pub(super) async fn serve(daemon: Arc<Daemon>, listener: TcpListener) {
    let (stop, room) = (daemon.stop.clone(), Arc::new(Semaphore::new(CONNECTIONS)));
    let router = router(daemon);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection for the pages was not taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // Who finds no room comes again.
        let Ok(permit) = Arc::clone(&room).try_acquire_owned() else { continue };
        let (router, stop) = (router.clone(), stop.clone());
        tokio::spawn(async move {
            let _permit = permit;
            tokio::select! {
                _ended = tokio::time::timeout(CONNECTION_WITHIN, converse(stream, router)) => {}
                () = stop.cancelled() => {}
            }
        });
    }
}

async fn converse(stream: TcpStream, router: Router) {
    let service = TowerToHyperService::new(router);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).max_buf_size(BODY_MAX_BYTES).keep_alive(false);
    if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a connection for the pages broke off");
    }
}

fn router(daemon: Arc<Daemon>) -> Router {
    Router::new()
        .route("/a/{word}", get(shown).post(typed))
        .route("/style.css", get(style))
        .route("/sms/{secret}", any(text_answers::handed_in))
        .route("/sms/{secret}/{id}", any(receipts::handed_in))
        .fallback(nothing)
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .layer(from_fn_with_state(Arc::new(Pace::default()), paced))
        .layer(from_fn(guarded))
        .with_state(daemon)
}

/// Requests of the present minute.
#[derive(Debug, Default)]
struct Pace(std::sync::Mutex<Option<(tokio::time::Instant, u32)>>);

async fn paced(State(pace): State<Arc<Pace>>, request: Request, next: Next) -> Response {
    let now = tokio::time::Instant::now();
    let too_many = {
        let mut minute = pace.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (begun, count) = minute.filter(|(begun, _)| begun.elapsed() < Duration::from_secs(60)).unwrap_or((now, 0));
        *minute = Some((begun, count.saturating_add(1)));
        count >= REQUESTS_A_MINUTE
    };
    if too_many {
        return (StatusCode::TOO_MANY_REQUESTS, "please wait a minute\n").into_response();
    }
    match tokio::time::timeout(ANSWER_WITHIN, next.run(request)).await {
        Ok(response) => response,
        Err(_) => (StatusCode::REQUEST_TIMEOUT, "this took too long\n").into_response(),
    }
}

/// What every answer says to browsers, proxies and searchers.
async fn guarded(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn style() -> Response {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], PAGE_STYLE).into_response()
}

async fn nothing(State(daemon): State<Arc<Daemon>>) -> Response {
    let html = notify::page_of_nothing(daemon.live().machine().language);
    as_page(StatusCode::NOT_FOUND, html)
}

fn as_page(status: StatusCode, html: Result<String, notify::NotifyError>) -> Response {
    match html {
        Ok(html) => (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], Body::from(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// GET and HEAD: what is asked. Nothing is changed by looking.
async fn shown(State(daemon): State<Arc<Daemon>>, Path(word): Path<String>) -> Response {
    page_of(&daemon, word, None).await
}

/// What a form holds.
#[derive(Deserialize)]
struct Answer {
    code: String,
    answer: String,
}

/// POST: a code that somebody typed.
async fn typed(
    State(daemon): State<Arc<Daemon>>,
    Path(word): Path<String>,
    form: Result<Form<Answer>, axum::extract::rejection::FormRejection>,
) -> Response {
    let Ok(Form(Answer { code, answer: choice })) = form else { return StatusCode::BAD_REQUEST.into_response() };
    let yes = match choice.as_str() {
        "yes" => true,
        "no" => false,
        _ => return StatusCode::BAD_REQUEST.into_response(),
    };
    let door = Door::Page { word: word.clone() };
    let typed = Typed { code, yes, reason: "declined on the page".to_owned(), door };
    let says = match answer(&daemon, typed).await {
        Ok(Answered::Agreed(_)) => PageSays::Agreed,
        Ok(Answered::Declined(_)) => PageSays::Declined,
        Ok(Answered::Dead(standing, _)) => PageSays::Dead(standing),
        Ok(Answered::Nobodys) => PageSays::Again,
        Ok(Answered::TooMany | Answered::NoCodes) => return nothing(State(daemon)).await,
        Err(error) => return failed(&daemon, &error),
    };
    page_of(&daemon, word, Some(says)).await
}

fn failed(daemon: &Daemon, error: &StoreError) -> Response {
    tracing::error!(%error, "an answer could not be dealt with");
    daemon.store_failed(error);
    StatusCode::SERVICE_UNAVAILABLE.into_response()
}

/// What the record says about a page.
struct Asked {
    code: AskedCode,
    attempt: Attempt,
    card: Card,
    month_left: Option<Money>,
    shared: Vec<Counted>,
    ends: Option<UnixTime>,
    unanswered: Option<(UnixTime, Fallback)>,
}

/// The page of a word. `says` is what was just done there.
async fn page_of(daemon: &Arc<Daemon>, word: String, says: Option<PageSays>) -> Response {
    let (live, now) = (daemon.live(), daemon.clock.now());
    let record_live = Arc::clone(&live);
    let asked = match daemon.store.read(move |conn| asked(conn, &record_live, &word, now)).await {
        Ok(Some(asked)) => asked,
        Ok(None) => return nothing(State(Arc::clone(daemon))).await,
        Err(error) => return failed(daemon, &error),
    };
    let facts = PageFacts {
        card: &asked.card.name,
        attempt: &asked.attempt,
        month_left: asked.month_left,
        shared: &asked.shared,
        unanswered: asked.unanswered,
        ends: asked.ends,
        code_ends: asked.code.ends_at,
    };
    let (says, status) = match (says, asked.code.standing(&asked.attempt, now)) {
        (None, Standing::Holds) => (PageSays::Question, StatusCode::OK),
        (Some(PageSays::Again), Standing::Holds) => (PageSays::Again, StatusCode::FORBIDDEN),
        (None | Some(PageSays::Again | PageSays::Question), standing) => (PageSays::Dead(standing), StatusCode::GONE),
        (Some(says @ (PageSays::Agreed | PageSays::Declined)), _) => (says, StatusCode::OK),
        (Some(says @ PageSays::Dead(_)), _) => (says, StatusCode::GONE),
    };
    as_page(status, notify::page(&facts, &recipient(&live, &asked.code.person), says))
}

fn asked(conn: &Connection, live: &Live, word: &str, now: UnixTime) -> Result<Option<Asked>, StoreError> {
    let Some(approvals) = live.approvals() else { return Ok(None) };
    let Some(code) = approvals::by_page(conn, &approvals.of_page(word))? else { return Ok(None) };
    let Some(attempt) = attempts::by_id(conn, code.attempt)? else { return Ok(None) };
    let Some(card) = cards::by_id(conn, attempt.card)? else { return Ok(None) };
    let shared = shared_limits::counted(
        conn,
        live.rules(),
        (&card, &attempt.account),
        limits::cycle_of(&attempt.plan),
        Some(attempt.id),
        now,
    )?;
    let case = Case::load(conn, live, card, now)?;
    // The question itself is counted as spent; what is left is what its answer leaves.
    let month_left =
        case.rule(live).and_then(|rule| limits::month_left(&rule.limits, &case.ledger.spends, &case.card.zone, now));
    let ends = case.poll.recent.latest.as_ref().and_then(cycle::first_end);
    let unanswered = match attempt.approval {
        Approval::Asked { at, .. } => super::people::unanswered(conn, live, &case.card, &attempt, at)?,
        Approval::NotNeeded | Approval::Given { .. } => None,
    };
    Ok(Some(Asked { code, attempt, card: case.card, month_left, shared, ends, unanswered }))
}

fn recipient(live: &Live, name: &Name) -> Recipient {
    let person = live.machine().person(name);
    Recipient {
        person: name.clone(),
        address: String::new(),
        language: person.map_or(live.machine().language, |person| person.language),
        zone: person.map_or(jiff::tz::TimeZone::UTC, |person| person.zone.clone()),
        answers: Answering::ByNumber,
    }
}
