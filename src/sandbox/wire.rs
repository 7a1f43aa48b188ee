//! Connections that can be cut, or made to say everything twice: faults that lie below HTTP.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// A TCP listener whose connections end when `stop` is cancelled, in the middle of an answer if need be.
pub(super) struct WireListener {
    pub(super) tcp: TcpListener,
    pub(super) stop: CancellationToken,
}

impl Listener for WireListener {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        let (tcp, peer) = Listener::accept(&mut self.tcp).await;
        let cut = self.stop.child_token();
        let double = Arc::new(AtomicBool::new(false));
        // Small answers must not wait for each other; where the system refuses, they merely do.
        drop(tcp.set_nodelay(true));
        let ended = Box::pin(cut.clone().cancelled_owned());
        (Wire { tcp, ended, copied: Vec::new(), handle: WireHandle { cut, double } }, peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

/// What a call may do to the connection it came on.
#[derive(Clone, Debug)]
pub(super) struct WireHandle {
    cut: CancellationToken,
    double: Arc<AtomicBool>,
}

impl WireHandle {
    /// Ends the connection; whatever is not sent stays unsent.
    pub(super) fn cut(&self) {
        self.cut.cancel();
    }

    /// Sends the next bytes, up to the next flush, a second time.
    pub(super) fn double(&self) {
        self.double.store(true, Ordering::Relaxed);
    }
}

impl Connected<IncomingStream<'_, WireListener>> for WireHandle {
    fn connect_info(stream: IncomingStream<'_, WireListener>) -> Self {
        stream.io().handle.clone()
    }
}

/// One connection.
pub(super) struct Wire {
    tcp: TcpStream,
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
    /// What was written since doubling was asked for.
    copied: Vec<u8>,
    handle: WireHandle,
}

impl Wire {
    fn is_cut(&mut self, context: &mut Context<'_>) -> bool {
        self.ended.as_mut().poll(context).is_ready()
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_cut(context) {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.tcp).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_cut(context) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let written = ready!(Pin::new(&mut self.tcp).poll_write(context, bytes))?;
        if self.handle.double.load(Ordering::Relaxed) {
            self.copied.extend_from_slice(&bytes[..written]);
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.copied.is_empty() {
            self.handle.double.store(false, Ordering::Relaxed);
            let this = &mut *self;
            let written = ready!(Pin::new(&mut this.tcp).poll_write(context, &this.copied))?;
            self.copied.drain(..written);
        }
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}
