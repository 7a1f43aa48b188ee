//! TLS in front of an operator: a certificate that a root of the world vouches for, and behind it the sandbox's own
//! connections, so that what the sandbox cuts is cut here too, without a word of farewell.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Listens with the certificate in `folder`, passes everything on to `operator`, and answers the port.
pub(crate) async fn open(folder: &Path, operator: SocketAddr) -> u16 {
    let acceptor = TlsAcceptor::from(Arc::new(settings(folder)));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(carry(acceptor.clone(), client, operator));
        }
    });
    port
}

fn settings(folder: &Path) -> ServerConfig {
    let certificate = CertificateDer::from_pem_file(folder.join("cert.pem")).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let settings = versions.expect("versions that ring knows").with_no_client_auth();
    settings.with_single_cert(vec![certificate], key).expect("a certificate and its key")
}

/// One connection, until either side ends it. A client that died, or does not trust the certificate, is no news here.
async fn carry(acceptor: TlsAcceptor, client: TcpStream, operator: SocketAddr) {
    let _nodelay = client.set_nodelay(true);
    let Ok(client) = acceptor.accept(client).await else { return };
    let Ok(operator) = TcpStream::connect(operator).await else { return };
    let _nodelay = operator.set_nodelay(true);
    let (mut from_client, mut to_client) = tokio::io::split(client);
    let (mut from_operator, mut to_operator) = operator.into_split();
    tokio::select! {
        _ = tokio::io::copy(&mut from_client, &mut to_operator) => {}
        _ = tokio::io::copy(&mut from_operator, &mut to_client) => {}
    }
}
