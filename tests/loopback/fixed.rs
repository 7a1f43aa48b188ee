//! A server whose answer is always the same.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::loopback::Server;

/// Answers every request with these bytes and keeps the connection open.
pub(crate) async fn answering(bytes: impl Into<Vec<u8>>) -> Server {
    let bytes: Arc<[u8]> = bytes.into().into();
    Server::start(move |mut socket, _| {
        let bytes = Arc::clone(&bytes);
        Box::pin(async move {
            socket.write_all(&bytes).await.unwrap();
            // Held open until the client is done with it.
            drop(socket.read(&mut [0; 1]).await);
        })
    })
    .await
}
