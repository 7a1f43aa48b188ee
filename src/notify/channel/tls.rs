//! TLS for mail servers and gateways: the machine's roots, and those of a file beside them.

use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;

use super::{NotifyError, wrong};

/// What a client accepts: TLS 1.2 or 1.3, certificates that the machine's roots or those in `ca_file` vouch for.
pub(super) fn client(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, NotifyError> {
    let roots = ca_file.map(roots_in).transpose()?.unwrap_or_default();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let failed = |error: rustls::Error| wrong("ca_file", format!("TLS cannot be set up: {error}"));
    let verifier = Verifier::new_with_extra_roots(roots, Arc::clone(&provider)).map_err(failed)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn roots_in(file: &Path) -> Result<Vec<CertificateDer<'static>>, NotifyError> {
    let failed = |why: String| wrong("ca_file", format!("{}: {why}", file.display()));
    let found: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(file).map_err(|error| failed(error.to_string()))?.collect();
    let found = found.map_err(|error| failed(error.to_string()))?;
    if found.is_empty() {
        return Err(failed(
            "there is no certificate in it; it holds PEM blocks that begin with BEGIN CERTIFICATE".into(),
        ));
    }
    Ok(found)
}
