//! TLS for every connection to an operator: rustls with the ring provider, and the certificates of the system.

use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::ConfigVerifierExt;

/// Makes ring the provider of the whole process. May be called any number of times; the first call counts.
pub fn install_provider() {
    // It fails only if a provider is there already, which is what was wanted.
    drop(rustls::crypto::ring::default_provider().install_default());
}

/// Trusts what the system trusts.
///
/// # Errors
/// Says so if the system has no certificates.
pub(super) fn of_system() -> Result<ClientConfig, String> {
    install_provider();
    ClientConfig::with_platform_verifier().map_err(|error| {
        format!("the certificates of this system could not be read ({error}); install the package ca-certificates")
    })
}

/// Trusts nobody: for connections inside this machine, which are not encrypted and need no certificates.
pub(super) fn of_nobody() -> ClientConfig {
    install_provider();
    ClientConfig::builder().with_root_certificates(RootCertStore::empty()).with_no_client_auth()
}
