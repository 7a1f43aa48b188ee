//! How commands change something: by a request to the daemon over its socket, or, where none runs, with the lock in
//! their own hands. The answers are the same.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio::task::JoinHandle;

use super::exit::{Exit, Stop};
use super::{Context, logging, view};
use crate::daemon::request::{Asked, Reply, Request};
use crate::daemon::{self, Daemon, control, people};

/// The longest a command waits for the daemon: an operator may be slow to show its catalogue.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(180);
/// The longest it waits for an operator's list of cards, which may have many pages at a slow pace.
const LIST_TIME_MAX: Duration = Duration::from_secs(3_600);
/// An answer is a few sentences.
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// Who does what is asked.
pub(super) enum Hands {
    /// The daemon that runs.
    Daemon,
    /// This process, with the rounds running beside if the request needs them.
    Own {
        /// The daemon, not listening for others.
        daemon: Arc<Daemon>,
        /// Its rounds.
        rounds: Option<JoinHandle<anyhow::Result<()>>>,
    },
}

/// Whether a request needs the rounds to go on with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rounds {
    /// What it changes is in the record, and that is all.
    NotNeeded,
    /// An order or a message is to go out.
    Needed,
}

/// Runs the work of a command on a small runtime.
pub(super) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(4)
        .enable_all()
        .build()
        .context("cannot start")?;
    runtime.block_on(work)
}

impl Hands {
    /// Finds the daemon, or takes the lock.
    pub(super) async fn find(context: &Context, needed: Rounds) -> anyhow::Result<Self> {
        match UnixStream::connect(&context.places.socket).await {
            Ok(_) => return Ok(Self::Daemon),
            Err(error) if is_nobody(&error) => {}
            Err(error) => return Err(unreachable(&context.places.socket, &error)),
        }
        refuse_other_owner(&context.places.state)?;
        if !context.clock.is_real() {
            context.allow_clock(&view::files(context)?)?;
        }
        logging::start_quiet(context.output.json);
        crate::operators::tls::install_provider();
        let daemon = Daemon::open(context.places.clone(), Arc::clone(&context.clock)).await?;
        let rounds = (needed == Rounds::Needed).then(|| tokio::spawn(daemon::run(Arc::clone(&daemon))));
        Ok(Self::Own { daemon, rounds })
    }

    /// Asks; what was refused is an error with its code.
    pub(super) async fn ask(&self, context: &Context, request: Request) -> anyhow::Result<Reply> {
        let limit = if matches!(request, Request::ImportFrom { .. }) { LIST_TIME_MAX } else { ANSWER_TIME_MAX };
        let asked = Asked { by: by(), request };
        let reply = match self {
            Self::Daemon => {
                tokio::time::timeout(limit, post(&context.places.socket, &asked)).await.map_err(|_| {
                    Stop::with(Exit::Daemon, "the daemon did not answer in time; `simkeeper status` shows what it did")
                })??
            }
            Self::Own { daemon, .. } => people::carry_out(daemon, asked).await,
        };
        match reply {
            Reply::Refused { why, said } => Err(Stop::refused(why, said)),
            reply => Ok(reply),
        }
    }

    /// Lets go: what was begun is finished, and the lock is free.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        let Self::Own { daemon, rounds } = self else { return Ok(()) };
        match rounds {
            Some(rounds) => {
                daemon.stop.cancel();
                rounds.await.context("the rounds ended by a defect")?
            }
            None => {
                daemon.store.clone().close().await;
                Ok(())
            }
        }
    }
}

/// One request that needs no rounds, and its answer.
pub(super) fn reply_to(context: &Context, request: Request) -> anyhow::Result<Reply> {
    block_on(async {
        let hands = Hands::find(context, Rounds::NotNeeded).await?;
        let reply = hands.ask(context, request).await;
        hands.close().await?;
        reply
    })
}

/// One request that needs no rounds, and its answer in words.
pub(super) fn ask_once(context: &Context, request: Request) -> anyhow::Result<String> {
    match reply_to(context, request)? {
        Reply::Done { said, .. } => Ok(said),
        reply @ (Reply::Preview { .. } | Reply::Discovered(_) | Reply::Copied { .. } | Reply::Refused { .. }) => {
            Err(misplaced(&reply))
        }
    }
}

/// An answer that does not belong to the question: the daemon is another version.
pub(super) fn misplaced(reply: &Reply) -> anyhow::Error {
    let kind = match reply {
        Reply::Done { .. } => "done",
        Reply::Preview { .. } => "preview",
        Reply::Discovered(_) => "discovered",
        Reply::Copied { .. } => "copied",
        Reply::Refused { .. } => "refused",
    };
    Stop::with(
        Exit::Daemon,
        format!("the daemon answered `{kind}`, which does not fit; is it another version of simkeeper?"),
    )
}

/// The person's name on this machine.
pub(super) fn by() -> String {
    let named = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    named("SUDO_USER").or_else(|| named("USER")).unwrap_or_else(|| "somebody".to_owned())
}

/// Whether nobody listens there.
fn is_nobody(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

fn unreachable(socket: &Path, error: &io::Error) -> anyhow::Error {
    let advice = match error.kind() {
        io::ErrorKind::PermissionDenied => "; only root and the daemon's own user may ask it: try with sudo",
        _ => "",
    };
    Stop::with(Exit::Daemon, format!("cannot reach the daemon at {}: {error}{advice}", socket.display()))
}

/// Files that root makes in a folder of another user would lock the daemon out of its own record.
pub(super) fn refuse_other_owner(state: &Path) -> anyhow::Result<()> {
    let Ok(about) = std::fs::metadata(state) else { return Ok(()) };
    if about.uid() == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    Err(Stop::with(
        Exit::Daemon,
        format!(
            "no daemon runs, and {} belongs to another user; start the daemon, or run this command as that user",
            state.display()
        ),
    ))
}

async fn post(socket: &Path, asked: &Asked) -> anyhow::Result<Reply> {
    let stream = UnixStream::connect(socket).await.map_err(|error| unreachable(socket, &error))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the answer; what goes wrong with it shows there.
    let driving = tokio::spawn(connection);
    let request = hyper::Request::post(control::PATH)
        .header(hyper::header::HOST, "simkeeper")
        .header(hyper::header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(serde_json::to_vec(asked)?)))?;
    let lost = |error: &dyn std::fmt::Display| {
        Stop::with(
            Exit::Daemon,
            format!("the daemon's answer was lost ({error}); `simkeeper status` shows what it did"),
        )
    };
    let response = sender.send_request(request).await.map_err(|error| lost(&error))?;
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| lost(&error))?.to_bytes();
    driving.abort();
    serde_json::from_slice(&body).map_err(|_| {
        let text = crate::domain::card::tamed(&String::from_utf8_lossy(&body), 300);
        Stop::with(Exit::Daemon, format!("the daemon answered {status}: {text}"))
    })
}
