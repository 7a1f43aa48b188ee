//! Signatures and the words of HTTP Basic.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Sha256, Sha512};

/// HMAC-SHA256 of a message under a secret.
pub(in crate::operators) fn hmac_sha256(secret: &SecretString, message: &[u8]) -> Vec<u8> {
    mac::<Hmac<Sha256>>(secret, message)
}

/// HMAC-SHA512 of a message under a secret.
pub(in crate::operators) fn hmac_sha512(secret: &SecretString, message: &[u8]) -> Vec<u8> {
    mac::<Hmac<Sha512>>(secret, message)
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104, section 2)")]
fn mac<M: Mac + KeyInit>(secret: &SecretString, message: &[u8]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(secret.expose_secret().as_bytes()).expect("a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// Bytes as lower-case hexadecimal digits.
pub(in crate::operators) fn lower_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The value of an `Authorization` header of HTTP Basic (RFC 7617).
pub(in crate::operators) fn basic(user: &str, password: &SecretString) -> SecretString {
    format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.expose_secret()))).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    #[test]
    fn signatures_are_those_of_rfc_4231() {
        let (key, text) = (SecretString::from("Jefe"), b"what do ya want for nothing?");
        assert_eq!(
            lower_hex(&hmac_sha256(&key, text)),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert!(lower_hex(&hmac_sha512(&key, text)).starts_with("164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd6"));
    }

    #[test]
    fn basic_is_that_of_rfc_7617() {
        assert_eq!(basic("Aladdin", &"open sesame".into()).expose_secret(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }
}
