//! What to do about each thing that can be wrong on the way to an operator.

use crate::config::SecretError;
use crate::domain::operator::{OperatorError, RefusalKind};
use crate::domain::words::Spoken;
use crate::operators::probe::NoWay;

/// About a secret that cannot be had.
pub(super) fn about_secret(error: &SecretError) -> &'static str {
    match error {
        SecretError::NoDirectory { .. } => {
            "credentials are inside the service only: run this test by systemd-run with the unit's LoadCredential= lines, or name a file of mode 0600"
        }
        SecretError::Io { .. } => "run the test as the daemon's own user, or look at the owner and mode of the file",
        SecretError::Loose { .. } => "close the file to others: chmod 600",
        SecretError::Missing { .. } => "make the file, or correct its name in simkeeper.toml",
        SecretError::Empty { .. } | SecretError::Unfit { .. } => {
            "write the secret into it as one line, as the operator shows it"
        }
    }
}

/// About the way itself.
pub(super) fn about_way(error: &NoWay) -> &'static str {
    match error {
        NoWay::Name(_) => "DNS: `resolvectl query HOST` on this machine; look at /etc/resolv.conf and the network",
        NoWay::Refused => "nobody listens there: a stand-in that is not running, a wrong port, or a firewall",
        NoWay::TimedOut(_) => "a firewall between here and there: allow outgoing TCP to this host and port",
        NoWay::Broken(_) => "look at the network of this machine, its routes and firewall",
        NoWay::CertificateTime => {
            "look at the clock of this machine first (`timedatectl`); if it is right, the operator's certificate has ended: tell its support"
        }
        NoWay::CertificateName => "somebody else answers for this name: look at DNS, /etc/hosts and any proxy",
        NoWay::CertificateTrust(_) => {
            "install the package ca-certificates; if it is there, something on the way (a proxy, a virus scanner) signs with a certificate of its own"
        }
        NoWay::Tls(_) => "install the package ca-certificates; look for a proxy on the way that does not let TLS pass",
    }
}

/// About an operator that refuses our access altogether.
pub(super) const ABOUT_ACCESS: &str = "look at the account's secrets in simkeeper.toml: whole, without a space, of the operator's live system and not its test system, not revoked; and whether the operator wants the address of this machine in a list";

/// About an operator that lets us do some things and not others.
pub(super) const ABOUT_RIGHTS: &str =
    "the access is good, but may not do this: give the key this right in the operator's portal, or ask its support";

/// About an operator's answer.
pub(super) fn about_answer(error: &OperatorError) -> String {
    match error {
        OperatorError::Later { retry_after: Some(wait), .. } => format!(
            "the operator asks for fewer calls: wait {}, and read the account's cards less often (`poll`)",
            Spoken(*wait)
        ),
        OperatorError::Later { retry_after: None, .. } => {
            "try again in some minutes; if it stays, look at the operator's status page or ask its support".to_owned()
        }
        OperatorError::Never { kind: RefusalKind::Access, .. } => ABOUT_ACCESS.to_owned(),
        OperatorError::Never { kind: RefusalKind::CardData | RefusalKind::CardDead | RefusalKind::NotActive, .. } => {
            "it is about this card: `simkeeper card show NAME`, compare its numbers with the operator's portal".to_owned()
        }
        OperatorError::Never { .. } => "it is the operator's last word: ask its support".to_owned(),
        OperatorError::Unknown { .. } => {
            "the operator answers otherwise than it documents: is `base_url`, if there is one, right? If it stays, report it with this text".to_owned()
        }
    }
}

/// About a clock that differs.
pub(super) const ABOUT_CLOCK: &str = "nothing is bought while the clocks differ by more than 5 minutes: `timedatectl set-ntp true`, and look at the time zone";
