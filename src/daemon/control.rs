//! The control socket: HTTP over a Unix socket, for the commands of this machine. Only root and the daemon's own user
//! are let in, by what the kernel says of the other end.
//!
//! No browser reaches a Unix socket. Should somebody make a way to this one all the same, a page must still find nothing:
//! only a POST of JSON does anything, and what a browser sends is turned away before it is read.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::HOST;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::serve::IncomingStream;
use axum::{Json, Router};
use tokio::net::UnixListener;

use super::Daemon;
use super::people;
use super::request::{Asked, Refusal, Reply};

/// Where requests are posted.
pub const PATH: &str = "/v1/do";
/// A list of a million cards, and not more.
const BODY_MAX_BYTES: usize = 512 << 20;

/// What browsers add to what a page asks, and no command does.
const OF_BROWSERS: [&str; 4] = ["origin", "referer", "cookie", "sec-fetch-site"];

/// Who is at the other end, by the kernel's word.
#[derive(Clone, Copy, Debug)]
struct Peer {
    uid: Option<u32>,
}

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self { uid: stream.io().peer_cred().ok().map(|peer| peer.uid()) }
    }
}

/// Binds the socket; one left by a process that is gone is taken over (the lock on the record was taken before).
///
/// # Errors
/// When the folder cannot be made or the socket not be bound.
pub fn bind(path: &Path) -> anyhow::Result<UnixListener> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    match std::fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("cannot replace {}", path.display())),
    }
    let listener = UnixListener::bind(path).with_context(|| format!("cannot listen on {}", path.display()))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
        .with_context(|| format!("cannot close {} to others", path.display()))?;
    Ok(listener)
}

/// Answers until the daemon stops.
///
/// # Errors
/// When the socket fails.
pub async fn serve(daemon: Arc<Daemon>, listener: UnixListener) -> anyhow::Result<()> {
    let stop = daemon.stop.clone();
    let router = Router::new()
        .route(PATH, post(answer))
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .layer(from_fn(no_browsers))
        .with_state(daemon)
        .into_make_service_with_connect_info::<Peer>();
    axum::serve(listener, router).with_graceful_shutdown(async move { stop.cancelled().await }).await?;
    Ok(())
}

async fn no_browsers(request: Request, next: Next) -> Response {
    if is_of_a_command(request.headers()) {
        return next.run(request).await;
    }
    tracing::warn!("a request that looks like a browser's was turned away from the control socket");
    let said = "this socket is for simkeeper's own commands".to_owned();
    (StatusCode::FORBIDDEN, Json(Reply::Refused { why: Refusal::Wrong, said })).into_response()
}

/// Commands name one host, which is a word and no place in a network, and nothing that a page would have been named by.
fn is_of_a_command(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let named = hosts.next().is_some_and(|host| host.as_bytes().iter().all(u8::is_ascii_alphabetic));
    named && hosts.next().is_none() && OF_BROWSERS.iter().all(|name| !headers.contains_key(*name))
}

async fn answer(
    State(daemon): State<Arc<Daemon>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Json(asked): Json<Asked>,
) -> Response {
    let own = rustix::process::geteuid().as_raw();
    let Some(uid) = peer.uid.filter(|uid| *uid == 0 || *uid == own) else {
        tracing::warn!(peer.uid = ?peer.uid, "a request of another user was turned away");
        let said = "only root and the daemon's own user may ask this".to_owned();
        return (StatusCode::FORBIDDEN, Json(Reply::Refused { why: Refusal::Wrong, said })).into_response();
    };
    let asked = Asked { by: format!("{} (uid {uid})", crate::domain::card::tamed(&asked.by, 40)), ..asked };
    Json(people::carry_out(&daemon, asked).await).into_response()
}
